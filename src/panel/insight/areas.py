"""The areas of an authority as figures are published of them: wards, and groups of wards."""

import json
from collections.abc import Iterator

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight.core.clusters import Point, grouped, touching
from panel.insight.core.places import Grid
from panel.insight.maps import rings
from panel.register.models import Area

NO_WARDS = ("E01", "W01", "E02", "W02", "E06", "E07", "E08", "E09", "W06")
"""How codes of areas begin that are no wards: smaller ones, and whole councils."""


async def grid_here(session: AsyncSession, least_known: int = 30) -> Grid:
    """The wards with their groups; a ward that has none yet is given one, which it keeps.

    Read and written by scheduled work, in the transaction of a release.
    """
    found = [
        (code, said, cluster)
        for code, said, cluster in await session.execute(
            select(Area.id, cast(Area.boundary, Text), Area.cluster)
        )
        if not code.startswith(NO_WARDS)
    ]
    kept = {code: cluster for code, _, cluster in found if cluster}
    if len(kept) < len(found):
        beside = touching({code: list(_points(said)) for code, said, _ in found})
        made = grouped(beside, kept)
        for area in (await session.execute(select(Area).where(Area.id.in_(made)))).scalars():
            area.cluster = made[area.id]
        await session.flush()
        kept = dict(made)
    return Grid(kept, least_known)


def _points(boundary: str | None) -> Iterator[Point]:
    for ring in rings(json.loads(boundary)) if boundary and boundary != "null" else ():
        yield from ring
