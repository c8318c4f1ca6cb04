"""The areas of an authority as figures are published of them: wards, and groups of wards."""

import json
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight.core.changes import Changed, changed_by, grouped_as_before, is_gone
from panel.insight.core.clusters import Point, grouped, touching
from panel.insight.core.released import Release
from panel.insight.core.words import Period, ordinal
from panel.insight.maps import rings
from panel.insight.sources import read_terms
from panel.register.area_changes import area_changes
from panel.register.models import Area

NO_WARDS = ("E01", "W01", "E02", "W02", "E06", "E07", "E08", "E09", "W06")
"""How codes of areas begin that are no wards: smaller ones, and whole councils."""
UNCHANGED = Changed()


async def changed_in(
    session: AsyncSession, period: Period, earlier: Sequence[Release] = ()
) -> Changed:
    """The wards that changed, as a term is counted by it; `earlier` as they were published."""
    newest = max(earlier, key=lambda one: ordinal(one.period), default=None)
    return changed_by(
        period,
        [
            (one.old_code, one.new_code, one.from_on.isoformat())
            for one in await area_changes(session)
        ],
        await read_terms(session),
        () if newest is None else newest.rules.changes,
        None if newest is None else newest.period,
    )


async def nested(
    session: AsyncSession,
    kept: Mapping[str, str] | None = None,
    changed: Changed = UNCHANGED,
    period: Period | None = None,
) -> Mapping[str, str]:
    """Ward → its group, of the wards that were imported. What is published stays as it is.

    `kept`: the groups of the newest release. A ward that it does not have joins the group of the
    wards that it was made of, or else one beside it; one that is no longer imported keeps its
    group, since children may still be counted there. `changed`: as of the term `period`.
    """
    found = {
        code: said
        for code, said in await session.execute(select(Area.id, cast(Area.boundary, Text)))
        if not code.startswith(NO_WARDS) and code not in changed.later
    }
    before = dict(kept or {})
    if period is not None:
        before = dict(grouped_as_before(before, changed.changes, period))
    ended = {one.old for one in changed.changes}
    beside = touching(
        {code: list(_points(said)) for code, said in found.items() if code not in ended}
    )
    made = before | dict(grouped(beside, before)) if beside else before
    # Before the first release an old ward has no group yet: it goes with what became of it.
    for one in reversed(changed.changes):
        still = period is not None and not is_gone(one.old, changed.changes, period)
        if still and one.old in found and one.new in made:
            made.setdefault(one.old, made[one.new])
    return made


def _points(boundary: str | None) -> Iterator[Point]:
    for ring in rings(json.loads(boundary)) if boundary and boundary != "null" else ():
        yield from ring
