"""Whoever leaves: their cases go to a manager, else to a coordinator who knows the child.

What accounts ask through the port of `panel.records.casework`.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Viewer
from panel.panels.calendar import join_panel
from panel.panels.models import Panel
from panel.plans.service import NobodyElse, begin_again, leaver, led_by, left_by
from panel.records.casework import HeldCase, Holdings, Leaver, Seat
from panel.records.gate import Gate, Purposes

_COORDINATORS = """
SELECT w.id FROM worker w JOIN worker_role r ON r.worker_id = w.id{with_referral}
 WHERE r.role = 'coordinator' AND w.id IS DISTINCT FROM CAST(:leaver AS uuid) AND w.until_on IS NULL
   AND (w.from_on IS NULL OR w.from_on <= :day)
   AND (r.from_on IS NULL OR r.from_on <= :day) AND (r.until_on IS NULL OR r.until_on >= :day)
 ORDER BY r.from_on NULLS FIRST, r.id LIMIT 1
"""
_OF_THE_CHILD = text(
    _COORDINATORS.format(
        with_referral=" JOIN referral f ON f.panel_id = r.panel_id AND f.child_id = :child"
        " AND f.state <> 'closed'"
    )
)
_ANY = text(_COORDINATORS.format(with_referral=""))


class CasesOfLeavers:
    """The port, with the cases of this authority."""

    async def holdings(self, session: AsyncSession, who: Leaver) -> Holdings:
        """What they hold."""
        left = await left_by(session, who.worker_id, who.last_day, _Coordinators(who))
        return Holdings(left.plans, left.actions, left.plans_without, left.manager_id)

    async def hand_over(self, session: AsyncSession, who: Leaver) -> int:
        """Move what they hold; how many plans stay where there is nobody."""
        try:
            await leaver(session, who.worker_id, who.last_day, _Coordinators(who))
        except NobodyElse:
            left = await left_by(session, who.worker_id, who.last_day, _Coordinators(who))
            return left.plans_without
        return 0

    async def cases(
        self, gate: Gate, session: AsyncSession, viewer: Viewer, purposes: Purposes, worker: UUID
    ) -> Sequence[HeldCase]:
        """The cases that a worker leads, as far as the viewer reaches them."""
        found = await led_by(gate, session, viewer, purposes, worker)
        return [
            HeldCase(one.name, one.reference, f"/children/{one.child_id}/lead-professional")
            for one in found
        ]

    async def coordinator(
        self, session: AsyncSession, child: UUID, day: date, but_not: UUID
    ) -> UUID | None:
        """Who runs the panel that a child is before: nobody else learns of the child by it."""
        given = {"leaver": but_not, "day": day, "child": child}
        found: UUID | None = await session.scalar(_OF_THE_CHILD, given)
        return found

    async def seats(self, session: AsyncSession) -> Sequence[Seat]:
        """The panels, by name."""
        found = await session.execute(select(Panel.id, Panel.name).order_by(Panel.name, Panel.id))
        return [Seat(row.id, row.name) for row in found]

    async def take_seat(self, session: AsyncSession, panel_id: UUID, agency_id: UUID) -> None:
        """Make an agency a member of the panel on which its worker sits."""
        await join_panel(session, await session.get_one(Panel, panel_id), agency_id)


async def whoever_runs_it(session: AsyncSession, child: UUID, day: date) -> UUID | None:
    """Who takes a plan on where nobody of the agency does: the child's coordinator, else any."""
    given = {"leaver": None, "day": day}
    found: UUID | None = await session.scalar(_OF_THE_CHILD, given | {"child": child})
    return found or await session.scalar(_ANY, given)


async def lead_again(session: AsyncSession, child: UUID, on: date) -> UUID | None:
    """A case goes on: who held the plan holds it again, else their manager, else a coordinator.

    Nothing where nobody ever held it. A referral is never refused because there is nobody: the
    nightly watch names the child.
    """
    try:
        return await begin_again(session, child, on, whoever_runs_it)
    except NobodyElse:
        return None


class _Coordinators:
    """Who takes a plan on where the agency has no manager who stays."""

    def __init__(self, who: Leaver) -> None:
        self._who = who

    async def __call__(self, session: AsyncSession, child: UUID, day: date) -> UUID | None:
        given = {"leaver": self._who.worker_id, "day": day}
        found: UUID | None = await session.scalar(_OF_THE_CHILD, given | {"child": child})
        if found is None and self._who.for_safety:
            found = await session.scalar(_ANY, given)
        return found
