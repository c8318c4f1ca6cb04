"""The areas of an authority as figures are published of them: wards, and groups of wards."""

import json
from collections.abc import Iterator, Mapping

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight.core.clusters import Point, grouped, touching
from panel.insight.maps import rings
from panel.register.models import Area

NO_WARDS = ("E01", "W01", "E02", "W02", "E06", "E07", "E08", "E09", "W06")
"""How codes of areas begin that are no wards: smaller ones, and whole councils."""


async def nested(session: AsyncSession, kept: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Ward → its group, of the wards that were imported. What is published stays as it is.

    `kept`: the groups of the newest release. A ward that it does not have joins a group beside it;
    one that is no longer imported keeps its group, since children may still be counted there.
    """
    found = [
        (code, said)
        for code, said in await session.execute(select(Area.id, cast(Area.boundary, Text)))
        if not code.startswith(NO_WARDS)
    ]
    before = dict(kept or {})
    beside = touching({code: list(_points(said)) for code, said in found})
    return before | dict(grouped(beside, before)) if found else before


def _points(boundary: str | None) -> Iterator[Point]:
    for ring in rings(json.loads(boundary)) if boundary and boundary != "null" else ():
        yield from ring
