"""Leavers: nobody leaves children behind, and nothing of a leaver's signs anybody in.

All that a leaving does runs as scheduled work, which reaches every child; who asked for it is
checked first, and written down with it. Source: DOMAIN.md, "A leaver's manager becomes lead
professional at once, until the handover".
"""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Viewer
from panel.accounts.models import Worker, WorkerRole
from panel.accounts.own_ways import end_ways_in
from panel.accounts.people_models import Leaving, RoleProposal
from panel.accounts.people_noted import note_people
from panel.accounts.people_reading import (
    WorkerLine,
    administrators_who_stay,
    worker_to_manage,
)
from panel.accounts.people_roles import ANOTHER, LAST, NOT_ONESELF, hold_administration
from panel.accounts.people_rules import (
    A_DAY,
    ROLE_WORDS,
    TAKE_TWO,
    Standing,
    leaves_the_last,
)
from panel.platform.audit import Kind
from panel.platform.problems import Conflict, Invalid, NotAllowed
from panel.platform.tables import NOW, VIEWER, today_of
from panel.records.casework import Casework, Leaver
from panel.records.gate import rewrite_viewer

LONGEST_NOTICE = timedelta(days=366)


async def plan_leaving(
    session: AsyncSession,
    by: Viewer,
    worker_id: UUID,
    version: int,
    last_day: date,
    casework: Casework,
) -> None:
    """Somebody leaves at the end of a day: their plans are their manager's from the day after.

    Sessions and links end with the day, by themselves; `let_leavers_go` clears what is left.
    Raises Invalid for a day that cannot be, NotAllowed where a plan would be left, for oneself and
    for the last administrator, Conflict, NotFound.
    """
    worker, line = await _to_leave(session, by, worker_id, version)
    today = today_of(session)
    if last_day < today:
        raise Invalid.because("last_day", "The last day must be today or later, or choose at once")
    if line.until_on is not None and last_day > line.until_on:
        raise Invalid.because("last_day", "They leave earlier already. Say first that they stay")
    if last_day > today + LONGEST_NOTICE:
        raise Invalid.because("last_day", "The last day must be within a year")
    if worker.from_on is not None and last_day < worker.from_on:
        raise Invalid.because("last_day", "The last day must not be before their first day")
    later = [one for one in line.roles_on(last_day + A_DAY) if one.role in TAKE_TWO]
    if later:
        words = ROLE_WORDS[later[0].role]
        raise NotAllowed(
            f"{words} is a role that two people end.",
            "Propose its end with the same last day first; or let them go at once, for safety.",
        )
    await _leave(session, by, worker, last_day, casework, for_safety=False)


async def leave_now(
    session: AsyncSession, by: Viewer, worker_id: UUID, version: int, casework: Casework
) -> None:
    """Somebody leaves this moment: sessions, links and roles are over when this commits.

    For safety, so that one person does it whatever roles they have, and what no manager takes goes
    to a coordinator. What nobody takes stays in the leaver's name, and the job tries again.
    Raises NotAllowed for oneself and the last administrator, Conflict, NotFound.
    """
    worker, _ = await _to_leave(session, by, worker_id, version)
    # The last day in force is the day before: dates are whole days, and this one is over for them.
    await _leave(session, by, worker, today_of(session) - A_DAY, casework, for_safety=True)


async def stay_after_all(session: AsyncSession, by: Viewer, worker_id: UUID, version: int) -> None:
    """A leaving is taken back before its day: roles go on; plans stay with whoever takes over.

    Raises NotAllowed where they left already, Conflict, NotFound.
    """
    await hold_administration(session, by)
    worker, line = await worker_to_manage(session, by, worker_id)
    if worker_id == by.id:
        raise NotAllowed(NOT_ONESELF, ANOTHER)
    if line.standing is not Standing.LEAVING or line.leaving is None:
        raise NotAllowed(
            "They are not leaving, or left already.", "Invite them again if they left."
        )
    leaving = await session.get_one(Leaving, line.leaving.id, with_for_update=True)
    if worker.version != version:
        raise Conflict(())
    worker.until_on = None
    leaving.state = "withdrawn"
    ended: dict[str, str | None] = leaving.ended_roles
    for role in await session.scalars(
        select(WorkerRole).where(WorkerRole.id.in_([UUID(one) for one in ended]))
    ):
        # One that was ended otherwise meanwhile stays ended.
        if role.until_on == leaving.last_day:
            until = ended[str(role.id)]
            role.until_on = None if until is None else date.fromisoformat(until)
    await session.flush()
    await rewrite_viewer(session, worker_id)
    note_people(session, Kind.WORKER_STAYS, by.id, worker_id)


async def let_leavers_go(session: AsyncSession, casework: Casework) -> int:
    """What a day ends: sessions, links and open actions of those whose last day is over.

    For a job; the same when done again. What nobody took on is tried again each time. Returns how
    many are done with.
    """
    waiting = await session.scalars(
        select(Leaving)
        .where(Leaving.state == "planned", Leaving.last_day < today_of(session))
        .order_by(Leaving.last_day, Leaving.id)
        .with_for_update(skip_locked=True)
    )
    done = 0
    for leaving in list(waiting):
        await _go(session, leaving, casework)
        done += leaving.state == "done"
    return done


async def _to_leave(
    session: AsyncSession, by: Viewer, worker_id: UUID, version: int
) -> tuple[Worker, WorkerLine]:
    await hold_administration(session, by)
    worker, line = await worker_to_manage(session, by, worker_id)
    if worker_id == by.id:
        raise NotAllowed(NOT_ONESELF, ANOTHER)
    if worker.version != version:
        raise Conflict(())
    if line.standing is Standing.LEFT:
        raise NotAllowed("They left already.")
    if leaves_the_last(await administrators_who_stay(session), worker_id):
        raise NotAllowed(f"{LAST}.")
    return worker, line


async def _leave(
    session: AsyncSession,
    by: Viewer,
    worker: Worker,
    last_day: date,
    casework: Casework,
    *,
    for_safety: bool,
) -> None:
    ended = await _roles_after(session, worker.id, last_day)
    for earlier in await session.scalars(
        select(Leaving).where(Leaving.worker_id == worker.id, Leaving.state != "withdrawn")
    ):
        # Leaving sooner than planned: the first one knows until when roles would have gone on.
        ended |= earlier.ended_roles
        earlier.state = "withdrawn"
    await session.flush()
    leaving = Leaving(
        worker_id=worker.id, last_day=last_day, for_safety=for_safety, state="planned",
        ended_roles=ended, plans_without=0,
    )  # fmt: skip
    session.add(leaving)
    await session.flush()
    without = await casework.hand_over(session, Leaver(worker.id, last_day, for_safety))
    if without and not for_safety:
        plans = "one plan" if without == 1 else f"{without} plans"
        raise NotAllowed(
            f"They hold {plans}, and there is no manager and no coordinator to take over.",
            "Give somebody at the agency the role of manager, or have the plans handed over first.",
        )
    await _close(session, worker, last_day)
    note_people(session, Kind.WORKER_LEAVES, by.id, worker.id, last_day=last_day.isoformat())
    leaving.plans_without = without
    if last_day < today_of(session):
        await _go(session, leaving, casework)


async def _go(session: AsyncSession, leaving: Leaving, casework: Casework) -> None:
    """Their last day is over: nothing of theirs signs anybody in, and what is open moves on."""
    worker = await session.get_one(Worker, leaving.worker_id, with_for_update=True)
    leaver = Leaver(worker.id, leaving.last_day, for_safety=True)
    leaving.plans_without = await casework.hand_over(session, leaver)
    await _close(session, worker, leaving.last_day)
    await end_ways_in(session, worker.id)
    for proposal in await session.scalars(
        select(RoleProposal).where(
            RoleProposal.worker_id == worker.id, RoleProposal.state == "open"
        )
    ):
        proposal.state, proposal.answered_at = "withdrawn", session.info[NOW]
    if not leaving.plans_without:
        leaving.state = "done"
        note_people(session, Kind.WORKER_LEFT, session.info[VIEWER], worker.id)
    await session.flush()


async def _close(session: AsyncSession, worker: Worker, last_day: date) -> None:
    """The account and its roles end, whether or not there was somebody to take the plans on."""
    if worker.until_on != last_day:
        worker.until_on = last_day
    for role in await session.scalars(_after(worker.id, last_day)):
        role.until_on = last_day
    await session.flush()
    await rewrite_viewer(session, worker.id)


async def _roles_after(
    session: AsyncSession, worker_id: UUID, last_day: date
) -> dict[str, str | None]:
    return {
        str(one.id): None if one.until_on is None else one.until_on.isoformat()
        for one in await session.scalars(_after(worker_id, last_day))
    }


def _after(worker_id: UUID, last_day: date) -> Select[WorkerRole]:
    return select(WorkerRole).where(
        WorkerRole.worker_id == worker_id,
        or_(WorkerRole.until_on.is_(None), WorkerRole.until_on > last_day),
    )
