"""How long what concerns sharing may wait: settings of the authority, with the domain's defaults.

Source of the defaults: DOMAIN.md, "Categories, purposes, defaults" and "Agreement and the law".
"""

from dataclasses import dataclass, fields, replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Spans:
    """Days and working days; each is a setting named `sharing.` and the field."""

    remind_days: int = 28
    """Before an agreement ends, and before a young person turns 16 or 18."""
    objection_working_days: int = 5
    """From an objection to its decision."""
    answer_working_days: int = 10
    """From a request for access to its answer; then it lapses to refused."""


_READ = """
SELECT DISTINCT ON (key) key, value FROM setting
WHERE key LIKE 'sharing.%' AND (from_on IS NULL OR from_on <= :now)
ORDER BY key, from_on DESC NULLS LAST
"""


async def spans(session: AsyncSession) -> Spans:
    """The authority's spans now; a value that is no number of days is left out."""
    found = await session.execute(text(_READ), {"now": session.info["now"]})
    known = {one.name for one in fields(Spans)}
    said = {key.removeprefix("sharing."): value for key, value in found}
    return replace(
        Spans(),
        **{
            name: value
            for name, value in said.items()
            if name in known and isinstance(value, int) and value > 0
        },
    )
