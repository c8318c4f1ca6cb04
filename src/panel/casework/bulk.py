"""Work in bulk: ordered as it was rehearsed, done in claims of fifty, taken back within a week.

A claim is one transaction, in which each step is decided anew as whoever ordered it: what they may
no longer do is left. A process that dies leaves no half step, and another goes on from there.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from consent import Category
from panel.accounts.desk import WORKING_IN_BULK, usual_purposes
from panel.accounts.figures import Figure, figures
from panel.accounts.service import SignedIn, worker_at_desk
from panel.casework import bulk_steps
from panel.casework.bulk_models import BulkKind, BulkState, BulkStep, BulkWork, StepState
from panel.casework.bulk_rules import CLAIM, may_undo
from panel.casework.bulk_steps import Left
from panel.platform.audit import Kind, record
from panel.platform.problems import Conflict, NotAllowed, NotFound, Problem
from panel.platform.tables import NOW
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate

UNDO_DAYS = Figure("bulk.undo_days", default=7, least=1, most=28)
"""For how many days work in bulk can be taken back."""
NO_SUCH = "There is no such work in bulk that you ordered."
DOING = {
    BulkKind.REASSIGN: "gave the plan to a colleague, with others",
    BulkKind.CLOSE: "closed the case, with others",
}
DOING_BACK = "took back what was done to many"
ABOUT = frozenset(Category)
Does = Callable[[BulkStep], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Planned:
    """One step as it was rehearsed."""

    child_id: UUID | None
    meeting_id: UUID | None
    facts: Mapping[str, Any]
    before: Mapping[str, Any]


async def order(
    session: AsyncSession,
    who: SignedIn,
    kind: BulkKind,
    steps: Sequence[Planned],
    facts: Mapping[str, Any],
    why: str,
    words: tuple[str, str] = ("", ""),
) -> BulkWork:
    """Order it, in the transaction of who does: the job carries it out. Raises NotAllowed.

    Args: `words` are what families read that happens next, and who sees to what is open.
    """
    agency = who.viewer.agency
    if agency is None:
        raise NotAllowed("Only a worker of an agency can work in bulk.")
    work = BulkWork(
        kind=kind.value,
        agency_id=agency,
        worker_id=who.viewer.id,
        facts=dict(facts),
        why=why,
        confirmed_at=session.info[NOW],
    )
    work.what_next, work.left_with = words
    session.add(work)
    await session.flush()
    session.add_all(
        BulkStep(
            bulk_id=work.id,
            position=at,
            child_id=one.child_id,
            meeting_id=one.meeting_id,
            worker_id=who.viewer.id,
            facts=dict(one.facts),
            before=dict(one.before),
            after={},
        )
        for at, one in enumerate(steps)
    )
    record(
        session,
        Kind.BULK_ORDERED,
        subject=work.id,
        details={"kind": kind.value, "steps": len(steps)},
    )
    await session.flush()
    return work


async def own_work(session: AsyncSession, viewer_id: UUID, bulk_id: UUID) -> BulkWork:
    """Work in bulk that this worker ordered. Raises NotFound."""
    found = await session.get(BulkWork, bulk_id)
    if found is None or found.worker_id != viewer_id:
        raise NotFound(NO_SUCH)
    return found


async def undo(session: AsyncSession, viewer_id: UUID, bulk_id: UUID, version: int) -> None:
    """Take it back: the job does. Raises NotFound, Conflict, NotAllowed once its time is over."""
    work = await own_work(session, viewer_id, bulk_id)
    await session.refresh(work, with_for_update=True)
    if work.version != version:
        raise Conflict(())
    if not may_undo(work.state, session.info[NOW], work.undo_until):
        raise NotAllowed(
            "This can no longer be taken back.", "Change each child’s record by itself."
        )
    work.state = BulkState.UNDOING.value
    record(session, Kind.BULK_UNDONE, subject=work.id, details={"kind": work.kind})
    await session.flush()


async def counts(session: AsyncSession, works: Sequence[UUID]) -> dict[UUID, dict[StepState, int]]:
    """How many steps of each order are in each state."""
    rows = await session.execute(
        select(BulkStep.bulk_id, BulkStep.state, func.count())
        .where(BulkStep.bulk_id.in_(works))
        .group_by(BulkStep.bulk_id, BulkStep.state)
    )
    found: dict[UUID, dict[StepState, int]] = {one: {} for one in works}
    for work, state, number in rows:
        found[work][StepState(state)] = number
    return found


# Doing it -----------------------------------------------------------------------------------------


async def carry_on(gate: Gate) -> int:
    """Do what was ordered and is not done, and take back what is to be; how many steps."""
    async with gate.tenant.transaction(JOB) as session:
        found = await session.execute(
            select(BulkWork.id, BulkWork.worker_id)
            .where(BulkWork.state.in_((BulkState.RUNNING, BulkState.UNDOING)))
            .order_by(BulkWork.created_at, BulkWork.id)
        )
        waiting = [(row.id, row.worker_id) for row in found]
    done = 0
    for bulk_id, worker_id in waiting:
        while took := await claim(gate, bulk_id, worker_id):
            done += took
        await finish(gate, bulk_id)
    return done


async def claim(gate: Gate, bulk_id: UUID, worker_id: UUID) -> int:
    """Do the next steps of an order in one transaction; how many, 0 where none is left."""
    async with gate.tenant.reading(JOB) as connection:
        who = await worker_at_desk(connection, gate.tenant.ring, worker_id, gate.tenant.clock.now())
    async with gate.tenant.transaction(JOB) as session:
        work = await session.get_one(BulkWork, bulk_id)
        is_reopening = work.kind == BulkKind.CLOSE and work.state == BulkState.UNDOING
    # What was closed is out of reach of who closed it: to reopen it nothing of it is read.
    async with gate.tenant.transaction(JOB if is_reopening else worker_id) as session:
        work = await session.get_one(BulkWork, bulk_id)
        steps = await _claimed(session, work)
        if not steps:
            return 0
        if who is None or not _has_role(who, work):
            for step in steps:
                _settle(step, work, "not_yours")
            return len(steps)
        opened = {} if is_reopening else await _opened(gate, session, who, work, steps)
        for step in steps:
            await _one(session, work, step, opened)
        return len(steps)


async def _claimed(session: AsyncSession, work: BulkWork) -> Sequence[BulkStep]:
    to_do = StepState.WAITING if work.state == BulkState.RUNNING else StepState.DONE
    found = await session.scalars(
        select(BulkStep)
        .where(BulkStep.bulk_id == work.id, BulkStep.state == to_do)
        .order_by(BulkStep.position)
        .limit(CLAIM)
        .with_for_update(skip_locked=True)
    )
    return list(found)


def _has_role(who: SignedIn, work: BulkWork) -> bool:
    if work.kind == BulkKind.MOVE_DAY:
        return UUID(work.facts["panel"]) in who.may_coordinate
    # Whoever went to another agency ordered it for the one that they left.
    return who.viewer.agency == work.agency_id and bool(who.viewer.roles & WORKING_IN_BULK)


async def _opened(
    gate: Gate, session: AsyncSession, who: SignedIn, work: BulkWork, steps: Sequence[BulkStep]
) -> dict[UUID, Access]:
    children = [one.child_id for one in steps if one.child_id is not None]
    if not children:
        return {}
    is_back = work.state == BulkState.UNDOING
    doing = DOING_BACK if is_back else DOING[BulkKind(work.kind)]
    viewer = who.viewer
    return await gate.open_here(session, children, viewer, usual_purposes(viewer), doing, ABOUT)


async def _one(
    session: AsyncSession, work: BulkWork, step: BulkStep, opened: Mapping[UUID, Access]
) -> None:
    """One step in a savepoint: it is done whole, or left with the reason."""
    after: dict[str, Any] | None = None
    why = ""
    try:
        async with session.begin_nested():
            after = await _do(session, work, step, opened)
    except Left as left:
        why = left.code
    except NotAllowed:
        why = "held_still"
    except (StaleDataError, Problem):
        why = "changed"
    if after is not None and not why and work.state == BulkState.RUNNING:
        step.after = after
    _settle(step, work, why)
    await session.flush()


async def _do(
    session: AsyncSession, work: BulkWork, step: BulkStep, opened: Mapping[UUID, Access]
) -> dict[str, Any]:
    kind, is_back = BulkKind(work.kind), work.state == BulkState.UNDOING
    if kind is BulkKind.MOVE_DAY:
        if is_back:
            await bulk_steps.move_back(session, work, step)
            return {}
        return await bulk_steps.move(session, work, step)
    if kind is BulkKind.CLOSE and is_back:
        await bulk_steps.reopen_closed(session, step)
        return {}
    access = None if step.child_id is None else opened.get(step.child_id)
    if access is None:
        raise Left("not_reached")
    if kind is BulkKind.CLOSE:
        return await bulk_steps.close(access, work, step)
    if is_back:
        await bulk_steps.take_back(access, step)
        return {}
    return await bulk_steps.give(access, step)


def _settle(step: BulkStep, work: BulkWork, why: str) -> None:
    is_back = work.state == BulkState.UNDOING
    done, left = (StepState.UNDONE, StepState.KEPT) if is_back else (StepState.DONE, StepState.LEFT)
    step.state = (left if why else done).value
    step.left_why = why


async def finish(gate: Gate, bulk_id: UUID) -> None:
    """Say that it is done, once no step of it waits: not even one that another process does."""
    async with gate.tenant.transaction(JOB) as session:
        work = await session.get(BulkWork, bulk_id, with_for_update=True)
        if work is None or work.state not in (BulkState.RUNNING, BulkState.UNDOING):
            return
        is_back = work.state == BulkState.UNDOING
        open_state = StepState.DONE if is_back else StepState.WAITING
        if (await counts(session, [bulk_id]))[bulk_id].get(open_state):
            return
        now = session.info[NOW]
        if is_back:
            work.state, work.undone_at = BulkState.UNDONE.value, now
            return
        days = (await figures(session, [UNDO_DAYS]))[UNDO_DAYS.key]
        work.state, work.done_at = BulkState.DONE.value, now
        work.undo_until = now + timedelta(days=days)
