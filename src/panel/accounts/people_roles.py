"""Movers: roles are given and ended with dates; some take two people."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer
from panel.accounts.models import Worker, WorkerRole
from panel.accounts.people_models import RoleProposal
from panel.accounts.people_noted import note_people
from panel.accounts.people_reading import (
    WorkerLine,
    administers,
    administrators_who_stay,
    worker_to_manage,
)
from panel.accounts.people_rules import (
    A_DAY,
    HOLDS_PLANS,
    OF_A_PANEL,
    PROPOSAL_LASTS,
    ROLE_WORDS,
    TAKE_TWO,
    Proposal,
    Standing,
    answer_mistake,
    dates_mistake,
    last_day_mistake,
    leaves_the_last,
    looks_after_all,
    roles_to_give,
)
from panel.platform.audit import Kind
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from panel.platform.tables import NOW, today_of
from panel.records.casework import Casework
from panel.records.gate import rewrite_viewer

LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('who administers', 0))")
NOT_ONESELF = "Nobody changes their own roles or account."
ANOTHER = "Ask another administrator."
HAS_IT = "They have this role already in these days"
LAST = "They are the last administrator. Make somebody else one first"


@dataclass(frozen=True, slots=True)
class NewRole:
    """A role with its dates; of a panel, where it is of one."""

    role: Role
    panel_id: UUID | None
    from_on: date | None
    until_on: date | None


async def add_role(
    session: AsyncSession,
    by: Viewer,
    worker_id: UUID,
    version: int,
    new: NewRole,
    casework: Casework,
) -> None:
    """Give a role, or propose one that takes two people. Raises Invalid, NotAllowed, Conflict."""
    worker, line = await _to_change(session, by, worker_id, version)
    if line.standing in (Standing.LEFT, Standing.LEAVING):
        raise NotAllowed("They left or are leaving, so that they get no new role.")
    if new.role in TAKE_TWO:
        await _propose(session, by, worker, new, None)
    else:
        await give_dated_role(session, by, worker, new, casework)
    _touch(session, worker)
    await session.flush()


async def give_dated_role(
    session: AsyncSession, by: Viewer, worker: Worker, new: NewRole, casework: Casework
) -> None:
    """Write a role down; whom the worker reaches is written anew with it. Raises Invalid."""
    await _check(session, by, worker, new)
    if new.panel_id is not None:
        await casework.take_seat(session, new.panel_id, worker.agency_id)
    await _give(session, by.id, worker, new)


async def end_role(
    session: AsyncSession,
    by: Viewer,
    worker_id: UUID,
    role_id: UUID,
    version: int,
    last_day: date,
    *,
    holds_plans: bool,
) -> None:
    """End a role on a day, or propose the end of one that takes two people.

    `holds_plans` is whether they are lead professional of any child, which the caller knows from
    the port: whoever holds a plan keeps a role to hold it with.

    Raises Invalid, NotAllowed, Conflict where the role was changed meanwhile, NotFound.
    """
    worker, _ = await _to_change(session, by, worker_id)
    role = await _role(session, worker_id, role_id)
    if role.version != version:
        raise Conflict(())
    if mistake := last_day_mistake(last_day, today_of(session), role.from_on):
        raise Invalid.because("last_day", mistake)
    if role.until_on is not None and role.until_on < last_day:
        raise Invalid.because("last_day", "This role ends earlier already")
    if Role(role.role) in TAKE_TWO:
        as_new = NewRole(Role(role.role), role.panel_id, role.from_on, last_day)
        await _propose(session, by, worker, as_new, role.id)
        return
    if holds_plans:
        await _check_plans(session, worker, role, last_day)
    await _end(session, by.id, role, last_day)


async def answer_proposal(
    session: AsyncSession,
    by: Viewer,
    proposal_id: UUID,
    version: int,
    answer: str,
) -> None:
    """Confirm what another administrator proposed, refuse it, or take one's own back.

    Raises NotAllowed for who may not be the second person, Conflict where it was answered
    meanwhile, NotFound.
    """
    await hold_administration(session, by)
    proposal = await session.get(RoleProposal, proposal_id, with_for_update=True)
    if proposal is None:
        raise NotFound("There is no such proposal.", "See what waits on the page of people.")
    worker, line = await worker_to_manage(session, by, proposal.worker_id)
    if proposal.version != version:
        raise Conflict(())
    if answer == "confirm":
        facts = Proposal(
            proposal.state, proposal.worker_id, proposal.proposed_by, proposal.lapses_at
        )
        if mistake := answer_mistake(facts, by.id, session.info[NOW]):
            raise NotAllowed(f"{mistake}.")
        await _carry_out(session, by, proposal, worker, line)
        proposal.state = "confirmed"
    elif proposal.state != "open":
        raise NotAllowed("This was answered already.")
    else:
        proposal.state = "withdrawn" if by.id == proposal.proposed_by else "refused"
        note_people(
            session, Kind.PROPOSAL_REFUSED, by.id, worker.id,
            role=proposal.role, proposal=str(proposal.id),
        )  # fmt: skip
    proposal.answered_by, proposal.answered_at = by.id, session.info[NOW]
    await session.flush()


async def hold_administration(session: AsyncSession, by: Viewer) -> None:
    """One change of who administers at a time, by who still does. Raises NotAllowed.

    Two who let each other go at once would else both be gone.
    """
    await session.execute(LOCK)
    if not await administers(session, by.id):
        raise NotAllowed("You are not an administrator any more.", ANOTHER)


async def _carry_out(
    session: AsyncSession, by: Viewer, proposal: RoleProposal, worker: Worker, line: WorkerLine
) -> None:
    day = today_of(session)
    if proposal.role_id is not None:
        role = await _role(session, worker.id, proposal.role_id)
        # A day that went by while it waited is over; the role ends as soon as it still can.
        last_day = max(proposal.until_on or day - A_DAY, day - A_DAY)
        is_last = leaves_the_last(await administrators_who_stay(session), worker.id)
        if role.role == Role.ADMINISTRATOR.value and is_last:
            raise NotAllowed(f"{LAST}.")
        await _end(session, by.id, role, last_day)
        return
    if line.standing in (Standing.LEFT, Standing.LEAVING):
        raise NotAllowed("They left or are leaving, so that they get no new role.")
    begins = None if proposal.from_on is None else max(proposal.from_on, day)
    if proposal.until_on is not None and proposal.until_on < (begins or day):
        raise NotAllowed("The days that were proposed are over. Propose it again.")
    new = NewRole(Role(proposal.role), None, begins, proposal.until_on)
    # It may have been given otherwise while this waited.
    if await _has_role(session, worker, new):
        raise NotAllowed(f"{HAS_IT}.", "Refuse the proposal.")
    await _give(session, by.id, worker, new)


async def _to_change(
    session: AsyncSession, by: Viewer, worker_id: UUID, version: int | None = None
) -> tuple[Worker, WorkerLine]:
    """The worker, held; nobody changes themselves. Raises NotAllowed, Conflict, NotFound."""
    await hold_administration(session, by)
    worker, line = await worker_to_manage(session, by, worker_id)
    if worker_id == by.id:
        raise NotAllowed(NOT_ONESELF, ANOTHER)
    if version is not None and worker.version != version:
        raise Conflict(())
    return worker, line


def _touch(session: AsyncSession, worker: Worker) -> None:
    """A changed role is a change of the worker: who read the page before is told."""
    worker.changed_at = session.info[NOW]


async def _check(session: AsyncSession, by: Viewer, worker: Worker, new: NewRole) -> None:
    """Raises Invalid for a role that cannot be given so."""
    words = ROLE_WORDS[new.role]
    if new.role not in roles_to_give(by):
        reason = f"{words} reaches beyond one agency. The council’s administrator gives it"
        raise Invalid.because("role", reason)
    if new.role in OF_A_PANEL and new.panel_id is None:
        raise Invalid.because("panel_id", f"Select the panel: {words.lower()} is of one panel")
    if new.role not in OF_A_PANEL and new.panel_id is not None:
        raise Invalid.because("panel_id", f"{words} is of no panel. Leave the panel empty")
    if mistake := dates_mistake(new.from_on, new.until_on, today_of(session)):
        field = "from_on" if mistake.startswith("The first") else "until_on"
        raise Invalid.because(field, mistake)
    if await _has_role(session, worker, new):
        raise Invalid.because("role", HAS_IT)


async def _has_role(session: AsyncSession, worker: Worker, new: NewRole) -> bool:
    """Whether somebody has a role already in the days of a new one."""
    begins = new.from_on or today_of(session)
    same_panel = (
        WorkerRole.panel_id.is_(None)
        if new.panel_id is None
        else WorkerRole.panel_id == new.panel_id
    )
    has = await session.scalar(
        select(WorkerRole.id)
        .where(
            WorkerRole.worker_id == worker.id,
            WorkerRole.role == new.role.value,
            same_panel,
            or_(WorkerRole.until_on.is_(None), WorkerRole.until_on >= begins),
        )
        .limit(1)
    )
    return has is not None


async def _give(session: AsyncSession, by: UUID, worker: Worker, new: NewRole) -> None:
    role = WorkerRole(
        worker_id=worker.id,
        role=new.role.value,
        panel_id=new.panel_id,
        from_on=new.from_on or today_of(session),
        until_on=new.until_on,
    )
    session.add(role)
    await rewrite_viewer(session, worker.id)
    note_people(session, Kind.ROLE_GIVEN, by, worker.id, role=new.role.value, id=str(role.id))


async def _end(session: AsyncSession, by: UUID, role: WorkerRole, last_day: date) -> None:
    role.until_on = last_day
    await rewrite_viewer(session, role.worker_id)
    note_people(
        session, Kind.ROLE_ENDED, by, role.worker_id,
        role=role.role, id=str(role.id), last_day=last_day.isoformat(),
    )  # fmt: skip


async def _role(session: AsyncSession, worker_id: UUID, role_id: UUID) -> WorkerRole:
    role = await session.get(WorkerRole, role_id, populate_existing=True, with_for_update=True)
    if role is None or role.worker_id != worker_id:
        raise NotFound("There is no such role.", "See their roles on their page.")
    return role


async def _check_plans(
    session: AsyncSession, worker: Worker, role: WorkerRole, last_day: date
) -> None:
    """Raises Invalid where no role would be left with which they hold their plans."""
    if Role(role.role) not in HOLDS_PLANS:
        return
    others = await session.scalar(
        select(WorkerRole.id)
        .where(
            WorkerRole.worker_id == worker.id,
            WorkerRole.id != role.id,
            WorkerRole.role.in_([one.value for one in HOLDS_PLANS]),
            or_(WorkerRole.until_on.is_(None), WorkerRole.until_on > last_day),
        )
        .limit(1)
    )
    if others is None:
        raise Invalid.because(
            "last_day",
            "They hold plans as lead professional. Their manager hands those over first, or give"
            " them the role that goes on before this one ends",
        )


async def _propose(
    session: AsyncSession, by: Viewer, worker: Worker, new: NewRole, role_id: UUID | None
) -> None:
    """Write a proposal down; one that lapsed makes room. Raises Invalid where one waits."""
    if role_id is None:
        await _check(session, by, worker, new)
    elif new.role not in roles_to_give(by) and not looks_after_all(by):
        raise Invalid.because("last_day", "The council’s administrator ends this role")
    now = session.info[NOW]
    waiting = await session.scalar(
        select(RoleProposal)
        .where(
            RoleProposal.worker_id == worker.id,
            RoleProposal.role == new.role.value,
            RoleProposal.state == "open",
        )
        .with_for_update()
    )
    if waiting is not None and waiting.lapses_at >= now:
        field = "role" if role_id is None else "last_day"
        raise Invalid.because(field, "This waits for a second person already")
    if waiting is not None:
        waiting.state, waiting.answered_at = "withdrawn", now
        await session.flush()
    proposal = RoleProposal(
        worker_id=worker.id,
        role=new.role.value,
        role_id=role_id,
        from_on=new.from_on,
        until_on=new.until_on,
        state="open",
        proposed_by=by.id,
        lapses_at=now + PROPOSAL_LASTS,
    )
    session.add(proposal)
    await session.flush()
    note_people(
        session, Kind.PROPOSED, by.id, worker.id,
        role=new.role.value, proposal=str(proposal.id),
    )  # fmt: skip
