"""Puts a release into a test's database, cell by cell as it went out."""

from datetime import UTC, datetime
from typing import Any

from panel.insight import release_store
from panel.insight.core.ledger import append, canonical
from panel.insight.core.released import AuditResult, Release
from panel.insight.core.written import rules_of
from panel.insight.release_files import files_of
from panel.insight.release_store import signing
from panel.insight.saying import Areas
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.models import Area
from tests.insight.a_release import NAMES, release
from tests.insight.invented_children import GRID

MADE_AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


NOT_ATTACKED = AuditResult(safe=True, findings=(), cells=0, solves=0, seconds=0, unfinished=0)
"""Pages show what is out whatever was found: the audit has tests of its own."""


async def put_out(tenant: Tenant, one: Release | None = None) -> None:
    """This release, or that of `a_release`, as the next of the ledger."""
    out = release() if one is None else one
    sign, key = signing(tenant)
    async with tenant.transaction(JOB) as session:
        lines = await release_store.entries(session)
        made = files_of(out, Areas.of(NAMES, GRID.clusters))
        entry = append(
            lines[-1] if lines else None, out.period, made, canonical(rules_of(out.rules)),
            NOT_ATTACKED, made_at=MADE_AT.isoformat(), sign=sign, key=key,
        )  # fmt: skip
        await release_store.keep(session, out, made, entry, MADE_AT)


def square(at: int, *, hole: bool = False) -> dict[str, Any]:
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
