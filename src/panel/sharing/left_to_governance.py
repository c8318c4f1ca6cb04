"""What nobody else may decide about a child's sharing is left to the information governance lead.

Three things: an objection to sharing with the agency of those who run the child's panel; a court
order that waits for somebody else than who gains by it; an override where the record is sealed
from everybody who would review it. While one of them waits, the lead is tied to the child, for that
alone (the view `left_to_governance`); of what the record holds this opens nothing.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Tie, Viewer
from panel.records.gate import Access

What = Literal["objection", "order", "override"]


@dataclass(frozen=True, slots=True)
class Left:
    """One thing that waits for the information governance lead: no content."""

    what: What
    child_id: UUID
    about_id: UUID
    reference: str
    since: date


_WAITS = text(
    "SELECT l.what, l.child_id, l.about_id, c.reference, l.from_on FROM child_access a"
    " JOIN left_to_governance l ON l.child_id = a.child_id JOIN child c ON c.id = a.child_id"
    " WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now"
    " AND NOT l.is_done ORDER BY l.from_on, l.about_id LIMIT 100"
)
_IS_LEFT = text(
    "SELECT EXISTS (SELECT FROM left_to_governance WHERE child_id = :child AND about_id = :about)"
)


async def left_to_governance(session: AsyncSession, viewer: Viewer) -> tuple[Left, ...]:
    """What waits for this viewer, longest first; for anybody else there is nothing."""
    if Role.GOVERNANCE_LEAD not in viewer.roles:
        return ()
    rows = await session.execute(_WAITS, {"viewer": viewer.id, "now": session.info["now"]})
    return tuple(Left(*row) for row in rows)


async def is_left_to_governance(access: Access, about: UUID) -> bool:
    """Whether this viewer is the information governance lead, and this is left to them."""
    if Role.GOVERNANCE_LEAD not in access.viewer.roles or Tie.GOVERNANCE not in access.ties:
        return False
    found = await access.session.scalar(_IS_LEFT, {"child": access.child_id, "about": about})
    return bool(found)
