"""Puts a release into a test's database, cell by cell as it went out."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import insert

from panel.insight import methods
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.cells import ProtectedTable
from panel.insight.core.error import published_error
from panel.insight.core.ptable import TABLE
from panel.insight.core.released import PublishedRules
from panel.insight.release_models import PublishedCell, PublishedRelease
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.models import Area
from tests.insight.a_release import NAMES, made
from tests.insight.invented_children import GRID

MADE_AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


async def put_out(
    tenant: Tenant, tables: Iterable[ProtectedTable] | None = None, number: int = 1
) -> None:
    """A release with these tables, or with those of `a_release`."""
    those = made() if tables is None else tuple(tables)
    release = new_id()
    error = published_error(CATALOGUE, those, {one.key: {} for one in those})
    async with tenant.transaction(JOB) as session:
        session.add(
            PublishedRelease(
                id=release,
                number=number,
                period=those[0].period,
                made_at=MADE_AT,
                entry={"cells": "ab" * 32},
                methods=methods.kept(PublishedRules.of(TABLE, GRID), error),
            )
        )
        await session.flush()
        # Not as objects: a key that is a list has no place in a session.
        await session.execute(
            insert(PublishedCell.__table__),
            [
                {
                    "release_id": release,
                    "table_key": table.key,
                    "cell": list(one.cell),
                    "value": one.value,
                    "note": one.note.value,
                }
                for table in those
                for one in table.cells
            ],
        )


def square(at: int, *, hole: bool = False) -> dict[str, object]:
    """The boundary of the ward of that number: one of four in a row, half a degree wide."""
    west, south = at % 4 * 0.05 - 1.5, at // 4 * 0.05 + 53.8
    rings = [_ring(west, south, 0.05)]
    if hole:
        rings.append(_ring(west + 0.015, south + 0.015, 0.02))
    return {"type": "Polygon", "coordinates": rings}


def _ring(west: float, south: float, wide: float) -> list[list[float]]:
    east, north = round(west + wide, 4), round(south + wide, 4)
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


async def put_areas(tenant: Tenant) -> None:
    """The wards of the release with their boundaries, one of them with a hole."""
    async with tenant.transaction(JOB) as session:
        session.add_all(
            Area(id=code, name=name, boundary=square(at, hole=at == 5))
            for at, (code, name) in enumerate(NAMES.items())
        )
