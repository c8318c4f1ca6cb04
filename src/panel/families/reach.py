"""Whose family somebody is now: asked before a code is sent, and again when it is used."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import OF_THE_FAMILY, Purpose, Viewer, ViewerKind, stand
from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant
from panel.sharing.state import SharingFacts

MOST = 20
_REACHED = """
SELECT a.child_id, c.birth_date FROM child_access a JOIN child c ON c.id = a.child_id
WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
ORDER BY a.child_id LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class OwnChild:
    """A child whose family somebody is, or themselves; only to compare what they know."""

    child_id: UUID
    born: date | None


async def own_children(tenant: Tenant, person_id: UUID) -> list[OwnChild]:
    """The children whose record is open to somebody as one of the family now.

    Nothing of a record is told, so nothing is logged: what they open is, once they are in.
    """
    viewer = Viewer(person_id, ViewerKind.FAMILY)
    async with tenant.transaction(person_id) as session:
        rows = await session.execute(
            text(_REACHED), {"viewer": person_id, "now": session.info[NOW], "most": MOST}
        )
        found = [OwnChild(*row) for row in rows]
        held = await _held(session, viewer, [one.child_id for one in found])
    return [one for one in found if one.child_id in held]


async def _held(session: AsyncSession, viewer: Viewer, children: list[UUID]) -> set[UUID]:
    known = await SharingFacts().known(session, children, viewer)
    now = session.info[NOW]
    return {
        child
        for child, one in known.items()
        if {tie.tie for tie in stand(viewer, Purpose.SUPPORT, now, one.state).ties} & OF_THE_FAMILY
    }
