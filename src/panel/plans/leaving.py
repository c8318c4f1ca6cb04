"""Whoever leaves hands on what they hold: plans at once, actions when they are gone.

No day passes on which a child who had a lead professional has none, or one who is gone. Source:
DOMAIN.md, "A leaver's manager becomes lead professional at once, until the handover".
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Viewer
from panel.accounts.models import Worker, WorkerRole
from panel.plans.lead_days import A_DAY, HELD, covers_by, cut_cover, end_covers, end_joint
from panel.plans.leads import PART, join_team
from panel.plans.models import Action, LeadCover, LeadProfessional
from panel.plans.writing import lock_child
from panel.platform.problems import NotAllowed, NotFound
from panel.platform.read_models import UnevenReadModel
from panel.platform.tables import NOW, VIEWER, today_of
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, Purposes, rewrite_access, rewrite_viewer
from panel.register.models import Involvement
from panel.register.service import name_of_child

GONE = "Left the agency"
MOST_CASES = 200
ABOUT = frozenset({Category.IDENTITY})
TakesOver = Callable[[AsyncSession, UUID, date], Awaitable[UUID | None]]
"""Who takes a child's plan on from a day where the leaver's agency has no manager: who stays."""


async def nobody_else(_session: AsyncSession, _child: UUID, _day: date) -> UUID | None:
    """Nobody beside the agency's managers."""
    return None


class NobodyElse(NotAllowed):
    """Plans would be left, and there is nobody to take them on; nothing was changed."""


@dataclass(frozen=True, slots=True)
class LeftByLeaver:
    """What a worker holds, and how much of it has nobody to take it on: counts alone."""

    plans: int
    actions: int
    plans_without: int
    manager_id: UUID | None
    """The manager of the same agency who takes it on; None where there is none who stays."""


async def left_by(
    session: AsyncSession, worker_id: UUID, last_day: date, otherwise: TakesOver = nobody_else
) -> LeftByLeaver:
    """What a worker would leave after a day. For scheduled work, which reaches every child."""
    worker = await _worker(session, worker_id)
    held = await _held(session, worker_id, last_day)
    manager_id = await manager_after(session, worker, last_day)
    takers = await _takers(session, held, manager_id, last_day, otherwise)
    return LeftByLeaver(
        plans=len({one.child_id for one in held}),
        actions=len(await _open_actions(session, worker_id)),
        plans_without=len({one.child_id for one in held if one.child_id not in takers}),
        manager_id=manager_id,
    )


async def leaver(
    session: AsyncSession, worker_id: UUID, last_day: date, otherwise: TakesOver = nobody_else
) -> int:
    """A worker leaves: a manager of the same agency holds their plans from the day after, at once.

    Where the agency has no manager who stays, `otherwise` says who takes over. Roles and parts in
    every team end on the last day; the agency's part goes on without a name. Offers to them are
    withdrawn. Once the last day is over, their open actions go to whoever takes over. Done again,
    it does only what came since. Returns how many plans moved. For a transaction of scheduled work
    (viewer JOB), since it concerns children whom nobody else may reach together.
    Raises NobodyElse, and changes nothing, where a plan would be left.
    """
    if session.info[VIEWER] != JOB:
        raise ValueError("A worker's leaving is recorded by scheduled work, which reaches all.")
    worker = await _worker(session, worker_id)
    children = await _children_of(session, worker_id)
    for child_id in children:
        await lock_child(session, child_id)
    held = await _held(session, worker_id, last_day)
    manager_id = await manager_after(session, worker, last_day)
    takers = await _takers(session, held, manager_id, last_day, otherwise)
    left = {one.child_id for one in held} - takers.keys()
    if left:
        plans = "one child" if len(left) == 1 else f"{len(left)} children"
        raise NobodyElse(
            f"They are lead professional of {plans}, and their agency has no manager to take over.",
            "Give somebody at the agency the role of manager, or hand over first.",
        )
    worker.until_on = last_day
    await _end_roles(session, worker_id, last_day)
    await _withdraw_offers(session, worker_id, last_day)
    for child_id in children:
        await end_joint(session, child_id, worker_id, last_day)
    for former in held:
        await _hand_on(session, former, takers[former.child_id], last_day)
    await _hand_covers_on(session, worker_id, manager_id, last_day)
    await _end_parts(session, worker_id, last_day)
    if last_day < today_of(session):
        await _hand_actions_on(session, worker_id, manager_id, otherwise)
    for child_id in children:
        await rewrite_access(session, child_id)
    await rewrite_viewer(session, worker_id)
    return len(takers)


async def _worker(session: AsyncSession, worker_id: UUID) -> Worker:
    worker = await session.get(Worker, worker_id)
    if worker is None:
        raise NotFound("There is no such worker.", "Check the e-mail address.")
    return worker


async def _children_of(session: AsyncSession, worker_id: UUID) -> list[UUID]:
    """In one order for everybody, so that two who wait for locks never wait for each other."""
    found = await session.scalars(
        text(
            "SELECT child_id FROM involvement WHERE worker_id = :worker"
            " UNION SELECT child_id FROM lead_professional WHERE worker_id = :worker"
            " UNION SELECT child_id FROM lead_cover WHERE worker_id = :worker"
            " UNION SELECT child_id FROM action WHERE owner_worker_id = :worker"
            " AND state IN ('to_do', 'doing') ORDER BY 1"
        ),
        {"worker": worker_id},
    )
    return list(found)


async def _held(
    session: AsyncSession, worker_id: UUID, last_day: date
) -> Sequence[LeadProfessional]:
    """Every stretch in which they hold a plan after their last day, begun or still to come."""
    found = await session.scalars(
        select(LeadProfessional)
        .where(
            LeadProfessional.worker_id == worker_id,
            LeadProfessional.role == "main",
            LeadProfessional.state.in_(HELD),
            or_(LeadProfessional.until_on.is_(None), LeadProfessional.until_on > last_day),
        )
        .order_by(LeadProfessional.child_id, LeadProfessional.from_on)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def manager_after(session: AsyncSession, worker: Worker, last_day: date) -> UUID | None:
    """The manager of the worker's agency who stays; of several, the one longest in the role."""
    found = await session.scalars(
        text(
            "SELECT w.id FROM worker w JOIN worker_role r ON r.worker_id = w.id"
            " WHERE w.agency_id = :agency AND w.id <> :worker AND r.role = 'manager'"
            " AND (w.from_on IS NULL OR w.from_on <= :next) AND w.until_on IS NULL"
            " AND (r.from_on IS NULL OR r.from_on <= :next)"
            " AND (r.until_on IS NULL OR r.until_on >= :next)"
            " ORDER BY r.from_on NULLS FIRST, r.id LIMIT 1"
        ),
        {
            "agency": worker.agency_id,
            "worker": worker.id,
            "next": last_day + A_DAY,
        },
    )
    manager_id: UUID | None = found.first()
    return manager_id


async def _takers(
    session: AsyncSession,
    held: Sequence[LeadProfessional],
    manager_id: UUID | None,
    last_day: date,
    otherwise: TakesOver,
) -> dict[UUID, UUID]:
    """Who takes each child's plan on; a child for whom there is nobody is absent."""
    if manager_id is not None:
        return {one.child_id: manager_id for one in held}
    takers = {}
    for child_id in {one.child_id for one in held}:
        taker = await otherwise(session, child_id, last_day + A_DAY)
        if taker is not None:
            takers[child_id] = taker
    return takers


async def _end_roles(session: AsyncSession, worker_id: UUID, last_day: date) -> None:
    roles = await session.scalars(
        select(WorkerRole).where(
            WorkerRole.worker_id == worker_id,
            or_(WorkerRole.until_on.is_(None), WorkerRole.until_on > last_day),
        )
    )
    for role in roles:
        role.until_on = last_day


async def _withdraw_offers(session: AsyncSession, worker_id: UUID, last_day: date) -> None:
    offers = await session.scalars(
        select(LeadProfessional).where(
            LeadProfessional.worker_id == worker_id, LeadProfessional.state == "offered"
        )
    )
    for offer in offers:
        offer.state, offer.answered_on = "withdrawn", last_day


async def _hand_on(
    session: AsyncSession, former: LeadProfessional, taker_id: UUID, last_day: date
) -> None:
    """What is left of a stretch after the last day is the taker's, to the day.

    A stretch that was still to come never begins; the taker's begins on the same day, so that
    whoever holds the plan until then keeps it.
    """
    state, until_on = former.state, former.until_on
    began = former.from_on or last_day
    begins = max(began, last_day + A_DAY)
    former.reason = GONE
    if began > last_day:
        former.state = "withdrawn"
    else:
        former.state, former.until_on = "ended", last_day
    await end_covers(session, former.id, last_day)
    await end_joint(session, former.child_id, taker_id, begins - A_DAY)
    # The index allows one without an end: the former must end before the new one begins.
    await session.flush()
    taker = await _worker(session, taker_id)
    session.add(
        LeadProfessional(
            child_id=former.child_id,
            worker_id=taker_id,
            agency_id=taker.agency_id,
            state=state,
            offered_on=last_day,
            offered_by=session.info[VIEWER],
            answered_on=begins,
            from_on=begins,
            until_on=until_on,
        )
    )
    await join_team(session, former.child_id, taker.agency_id, taker_id, begins)


async def _hand_covers_on(
    session: AsyncSession, worker_id: UUID, manager_id: UUID | None, last_day: date
) -> None:
    """The days that a leaver would have covered are their manager's to cover.

    Where there is no manager who stays, or it is the manager's own plan, whoever holds the plan
    holds it on these days too.
    """
    for cover in await covers_by(session, worker_id, last_day):
        was_agreed, begins = cover.state in HELD, max(cover.from_on, last_day + A_DAY)
        until_on = cover.until_on
        cut_cover(cover, last_day)
        cover.reason = GONE
        await session.flush()
        led = await session.get_one(LeadProfessional, cover.lead_id)
        if not was_agreed or manager_id is None or led.worker_id == manager_id:
            continue
        manager = await _worker(session, manager_id)
        session.add(
            LeadCover(
                child_id=cover.child_id,
                lead_id=cover.lead_id,
                worker_id=manager_id,
                agency_id=manager.agency_id,
                state="accepted",
                from_on=begins,
                until_on=until_on,
                offered_on=last_day,
                offered_by=session.info[VIEWER],
                answered_on=begins,
            )
        )
    await session.flush()


async def _end_parts(session: AsyncSession, worker_id: UUID, last_day: date) -> None:
    """End the worker's part in every team; the agency is involved as before, without a name."""
    parts = await session.scalars(
        select(Involvement).where(
            Involvement.worker_id == worker_id,
            or_(Involvement.until_on.is_(None), Involvement.until_on > last_day),
        )
    )
    for part in parts:
        if part.from_on is None or part.from_on > last_day:
            part.worker_id = None
            continue
        if part.part != PART:
            session.add(
                Involvement(
                    child_id=part.child_id,
                    agency_id=part.agency_id,
                    part=part.part,
                    from_on=last_day + A_DAY,
                    until_on=part.until_on,
                )
            )
        part.until_on = last_day
    await session.flush()


async def _open_actions(session: AsyncSession, worker_id: UUID) -> Sequence[Action]:
    found = await session.scalars(
        select(Action)
        .where(Action.owner_worker_id == worker_id, Action.state.in_(("to_do", "doing")))
        .order_by(Action.child_id, Action.id)
    )
    return list(found)


async def _hand_actions_on(
    session: AsyncSession, worker_id: UUID, manager_id: UUID | None, otherwise: TakesOver
) -> None:
    """Open actions go to the manager, else to whoever took the child on, else stay."""
    for action in await _open_actions(session, worker_id):
        to = manager_id or await otherwise(session, action.child_id, today_of(session))
        if to is not None:
            action.owner_worker_id = to
    await session.flush()


# Lists --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToHandOver:
    """A child whose plan somebody holds or will hold, and since when. Name empty: withheld."""

    child_id: UUID
    reference: str
    name: str
    from_on: date


class _Case(msgspec.Struct):
    child_id: UUID
    reference: str
    given_name: str | None
    family_name: str | None
    from_on: date


_CASES = """
SELECT json_build_object('child_id', c.id, 'reference', c.reference,
  'given_name', encode(c.given_name, 'hex'), 'family_name', encode(c.family_name, 'hex'),
  'from_on', l.from_on)::text
FROM child_access x JOIN lead_professional l ON l.child_id = x.child_id
  JOIN child c ON c.id = l.child_id
WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now
  AND l.worker_id = :worker AND l.role = 'main' AND l.state IN ('accepted', 'ended')
  AND (l.until_on IS NULL OR l.until_on >= :today){besides}
ORDER BY l.from_on, c.id LIMIT :most
"""
# A plan that came to somebody because its lead professional left, and that waits for its handover.
_FROM_A_LEAVER = """
  AND l.state = 'accepted' AND l.offered_by = :job AND EXISTS (
    SELECT FROM lead_professional f JOIN worker w ON w.id = f.worker_id
     WHERE f.child_id = l.child_id AND f.id <> l.id AND f.from_on IS NOT NULL
       AND w.until_on < l.from_on AND (f.until_on = l.from_on - 1 OR f.state = 'withdrawn'))
  AND NOT EXISTS (SELECT FROM lead_professional o
     WHERE o.child_id = l.child_id AND o.state = 'offered')
"""
_READ_LED = UnevenReadModel(_CASES.format(besides=""), _Case)
_READ_TO_HAND_OVER = UnevenReadModel(_CASES.format(besides=_FROM_A_LEAVER), _Case)


async def led_by(
    gate: Gate, session: AsyncSession, viewer: Viewer, purposes: Purposes, worker_id: UUID
) -> Sequence[ToHandOver]:
    """The children whose plan a worker holds, as far as the viewer reaches them. At most 200."""
    now = session.info[NOW]
    found = await _READ_LED.lines(
        session, viewer=viewer.id, now=now, worker=worker_id, today=today_of(session),
        most=MOST_CASES,
    )  # fmt: skip
    return await _opened(gate, session, viewer, purposes, found, "looked at a worker's cases")


async def to_hand_over(
    gate: Gate, session: AsyncSession, viewer: Viewer, purposes: Purposes
) -> Sequence[ToHandOver]:
    """The children whose plan came to the viewer, or will, because somebody leaves; not offered on.

    At most 200.
    """
    now = session.info[NOW]
    found = await _READ_TO_HAND_OVER.lines(
        session, viewer=viewer.id, now=now, worker=viewer.id, today=today_of(session),
        most=MOST_CASES, job=JOB,
    )  # fmt: skip
    return await _opened(gate, session, viewer, purposes, found, "looked at cases to hand over")


async def _opened(
    gate: Gate,
    session: AsyncSession,
    viewer: Viewer,
    purposes: Purposes,
    found: Sequence[_Case],
    doing: str,
) -> Sequence[ToHandOver]:
    children = dict.fromkeys(one.child_id for one in found)
    opened = await gate.open_here(session, children, viewer, purposes, doing, ABOUT)
    return [
        ToHandOver(
            one.child_id,
            one.reference,
            name_of_child(access, one.given_name, one.family_name),
            one.from_on,
        )
        for one in found
        if (access := opened.get(one.child_id)) is not None
    ]
