"""How long what concerns sharing may wait or last: settings of the authority, with defaults.

Source of the defaults: DOMAIN.md, "Categories, purposes, defaults" and "Agreement and the law".
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.figures import Figure, figures

PREFIX = "sharing."


@dataclass(frozen=True, slots=True)
class Spans:
    """Days, working days, hours and a number; each is a setting named `sharing.` and the field."""

    remind_days: int = 28
    """Before an agreement ends, and before a young person turns 16 or 18."""
    objection_working_days: int = 5
    """From an objection to its decision."""
    answer_working_days: int = 10
    """From a request for access to its answer; then it lapses to refused."""
    override_hours: int = 24
    """How long a safeguarding override opens what it opens."""
    review_working_days: int = 2
    """From a safeguarding override to its review."""
    follow_up_days: int = 28
    """For which whoever reviews an override reaches the record after one that was not justified.

    `review_tie` in the database reads it too, as it was set when the override was reviewed.
    """
    override_misses: int = 5
    """References a day by which somebody may open nothing: nobody tries out who is known here."""


BOUNDS: Mapping[str, tuple[int, int]] = {
    "remind_days": (1, 730),
    "objection_working_days": (1, 30),
    "answer_working_days": (1, 60),
    "override_hours": (1, 72),
    "review_working_days": (1, 10),
    "follow_up_days": (1, 180),
    "override_misses": (1, 50),
}
"""The least and the most that each may be."""


FIGURES: Mapping[str, Figure] = {
    one.name: Figure(PREFIX + one.name, getattr(Spans(), one.name), *BOUNDS[one.name])
    for one in fields(Spans)
}
"""By the name of the span."""


async def spans(session: AsyncSession) -> Spans:
    """The authority's spans now."""
    said = await figures(session, FIGURES.values())
    return Spans(**{name: said[one.key] for name, one in FIGURES.items()})
