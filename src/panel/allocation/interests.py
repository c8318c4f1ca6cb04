"""Who declared an interest in a child leaves the money for that child to others.

As with the decision about a request: whoever is too near to a child neither signs for what the
child gets nor changes it, and reads nothing of it.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Role
from panel.allocation.request_service import WRITERS
from panel.panels.models import DeclaredInterest, Meeting, Panel
from panel.platform.problems import NotAllowed
from panel.records.gate import Access, Withheld

MONEY_ROLES = frozenset({Role.BUDGET_HOLDER, Role.ALLOCATION_MEMBER})
LEFT = (
    "You declared an interest in this child, so you leave the child’s packages and grants to"
    " others: you cannot plan, change, sign or pay them."
)
NOT_SHOWN = (
    "You declared an interest in this child, so you do not see the child’s packages, grants and"
    " payments."
)


async def left_by(
    session: AsyncSession, worker_id: UUID, children: Collection[UUID]
) -> frozenset[UUID]:
    """Of these children, those in whom a worker declared an interest where services are allocated.

    One question for all of them. It holds before every panel of the kind: the interest is in the
    child, and one who left a request cannot decide about its money in another room.
    """
    found = await session.scalars(
        select(DeclaredInterest.child_id)
        .join(Meeting, Meeting.id == DeclaredInterest.meeting_id)
        .join(Panel, Panel.id == Meeting.panel_id)
        .where(
            DeclaredInterest.worker_id == worker_id,
            DeclaredInterest.child_id.in_(children),
            DeclaredInterest.taken_back_at.is_(None),
            Panel.kind == "allocation",
        )
    )
    return frozenset(found)


async def has_left(access: Access) -> bool:
    """Whether the viewer left the money for this child to others."""
    return bool(await left_by(access.session, access.viewer.id, [access.child_id]))


async def require_stayed(access: Access) -> None:
    """Raise NotAllowed for who declared an interest in the child."""
    if await has_left(access):
        raise NotAllowed(LEFT, "Ask somebody else to do it.")


async def not_shown(access: Access) -> Withheld | None:
    """Why the child's packages are not shown to who left them; None where they are.

    Whoever works with the child, and decides about no money, goes on seeing what the child has.
    """
    works = bool(access.ties & WRITERS) and not access.viewer.roles & MONEY_ROLES
    if works or not await has_left(access):
        return None
    return Withheld(Category.PLAN, NOT_SHOWN)
