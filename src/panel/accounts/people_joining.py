"""Joiners: somebody is invited by a link that works once, sent again, or not any more.

The link goes to the person's own work e-mail and is shown to nobody else (docs/adr/0021).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer
from panel.accounts.figures import Figure, figures
from panel.accounts.models import Agency, Worker
from panel.accounts.own_ways import has_ways
from panel.accounts.people_models import Invitation
from panel.accounts.people_noted import note_people
from panel.accounts.people_reading import worker_to_manage
from panel.accounts.people_roles import NewRole, give_dated_role
from panel.accounts.people_rules import (
    INVITATION_DAYS,
    LEAST_DAYS,
    MOST_DAYS,
    TAKE_TWO,
    Standing,
    may_manage,
)
from panel.accounts.service import add_worker, email_index
from panel.accounts.telling import tell_worker
from panel.platform import outbox
from panel.platform.audit import Kind
from panel.platform.crypto import Keys
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from panel.platform.sessions import end_links, make_link
from panel.platform.tables import KEYS, NOW, today_of
from panel.platform.work_tables import OutboxMessage
from panel.records.casework import Casework
from panel.web.words import day_and_time

KIND = "invitation"
LINK_DAYS = Figure("accounts.invitation_days", INVITATION_DAYS, LEAST_DAYS, MOST_DAYS)
"""For how many days a link is good."""
NOT_INVITED = "This invitation was withdrawn, or they came in meanwhile, so it was not sent."
INVITED_WORDS = "You were invited to work with Panel."
ANEW_WORDS = (
    "You choose anew how you sign in to Panel: an administrator of your agency asked for it."
)
CAME_IN = (
    "They came in already, so that their address is not changed here: whoever reads the new mailbox"
    " would read their cases."
)
NEW_ADDRESS = "Let them leave, and invite them with the new address."
ADDRESS_TAKEN = (
    "Somebody has this e-mail address already. If they come from another agency, they leave there"
    " first"
)


@dataclass(frozen=True, slots=True)
class NewWorker:
    """Who is invited."""

    name: str
    email: str
    job_title: str
    from_on: date | None
    roles: Sequence[Role]
    panel_id: UUID | None
    until_on: date | None
    """Until when the roles last; None without an end."""


async def invite(
    session: AsyncSession,
    by: Viewer,
    agency_id: UUID,
    new: NewWorker,
    casework: Casework,
    site_url: str,
) -> Worker:
    """A new worker with dated roles, and a link to their work e-mail. Raises Invalid, NotFound.

    Roles that take two people are proposed once they are there.
    """
    agency = await session.get(Agency, agency_id) if may_manage(by, agency_id) else None
    if agency is None:
        raise NotFound("There is no such agency, or its accounts are not yours to see.")
    if agency.closed_on is not None:
        raise NotAllowed("This agency is closed, so that nobody joins it.")
    if new.from_on is not None and new.from_on < today_of(session):
        raise Invalid.because("from_on", "The first day must be today or later")
    if set(new.roles) & TAKE_TWO:
        raise Invalid.because("roles", "This role takes two people: propose it afterwards")
    await _free_address(session, new.email)
    worker = await add_worker(
        session, agency, name=new.name, email=new.email, job_title=new.job_title
    )
    worker.from_on = new.from_on
    await session.flush()
    note_people(session, Kind.WORKER_ADDED, by.id, worker.id, agency=str(agency.id))
    for role in new.roles:
        await give_dated_role(
            session, by, worker, NewRole(role, new.panel_id, new.from_on, new.until_on), casework
        )
    await send_link(session, by, worker, site_url)
    return worker


async def invite_again(
    session: AsyncSession, by: Viewer, worker_id: UUID, version: int, site_url: str
) -> None:
    """A new link; the earlier ones are nobody's. Raises NotAllowed for somebody who leaves."""
    worker = await _who_stays(session, by, worker_id, version)
    await send_link(session, by, worker, site_url)


async def correct_address(
    session: AsyncSession, by: Viewer, worker_id: UUID, version: int, email: str, site_url: str
) -> None:
    """Put right where somebody's link goes who never came in; the link that went is nobody's.

    Raises NotAllowed for somebody who came in before, Invalid for an address that others have.
    """
    worker = await _who_stays(session, by, worker_id, version)
    # In the order of signing in: whoever uses the link at this moment is waited for.
    await end_links(session, worker_id)
    if not await never_came_in(session, worker_id):
        raise NotAllowed(CAME_IN, NEW_ADDRESS)
    if not outbox.is_one_address(email):
        raise Invalid.because("email", "Enter one e-mail address, like name@example.org")
    index = email_index(cast("Keys", session.info[KEYS]).ring, email)
    if index == worker.email_index:
        raise Invalid.because("email", "This is the address that the link went to")
    await _free_address(session, email)
    worker.email, worker.email_index = email, index
    await session.flush()
    note_people(session, Kind.ADDRESS_CORRECTED, by.id, worker_id)
    await send_link(session, by, worker, site_url)


async def never_came_in(session: AsyncSession, worker_id: UUID) -> bool:
    """Whether nobody signed in to an account yet. Whoever was in and is started anew was in."""
    return not await _was_in(session, worker_id) and not await has_ways(session, worker_id)


@dataclass(frozen=True, slots=True)
class LinkSent:
    """What became of the newest link that was sent to somebody; the link itself is not in it."""

    at: datetime
    ends_at: datetime
    went_at: datetime | None
    failure: str


async def link_sent(session: AsyncSession, worker_id: UUID) -> LinkSent | None:
    """The newest link that waits to be used, None without one; asked as scheduled work."""
    invitation = await session.scalar(
        select(Invitation)
        .where(Invitation.worker_id == worker_id, Invitation.state == "sent")
        .order_by(Invitation.id.desc())
        .limit(1)
    )
    if invitation is None:
        return None
    found = await session.execute(
        select(OutboxMessage.sent_at, OutboxMessage.failure).where(
            OutboxMessage.once == f"{KIND} {invitation.id}"
        )
    )
    row = found.one_or_none()
    went_at, failure = (None, None) if row is None else row
    return LinkSent(invitation.created_at, invitation.ends_at, went_at, failure or "")


async def _who_stays(session: AsyncSession, by: Viewer, worker_id: UUID, version: int) -> Worker:
    worker, line = await worker_to_manage(session, by, worker_id)
    if worker.version != version:
        raise Conflict(())
    if line.standing in (Standing.LEFT, Standing.LEAVING):
        raise NotAllowed("They left or are leaving, so that no link is sent to them.")
    return worker


async def withdraw_invitation(
    session: AsyncSession, by: Viewer, worker_id: UUID, version: int
) -> None:
    """The link is nobody's from now on. Raises NotAllowed where none waits."""
    worker, _ = await worker_to_manage(session, by, worker_id)
    if worker.version != version:
        raise Conflict(())
    waiting = await _waiting(session, worker_id)
    if not waiting:
        raise NotAllowed("No invitation waits for them.", "See how their account stands now.")
    for one in waiting:
        one.state = "withdrawn"
    await end_links(session, worker_id)
    note_people(session, Kind.INVITATION_WITHDRAWN, by.id, worker_id)
    await session.flush()


async def invitation_taken(session: AsyncSession, worker_id: UUID) -> None:
    """Somebody came in, whatever way: their invitation is done with, and so is its link."""
    taken = await session.scalars(
        update(Invitation)
        .where(Invitation.worker_id == worker_id, Invitation.state != "taken")
        .values(state="taken", changed_at=session.info[NOW], changed_by=worker_id)
        .returning(Invitation.id)
    )
    if taken.all():
        await end_links(session, worker_id)
    elif not await _was_in(session, worker_id):
        # Let in without an invitation (by a printed link, by a provider): known all the same.
        now: datetime = session.info[NOW]
        session.add(Invitation(worker_id=worker_id, state="taken", ends_at=now))
        await session.flush()


async def _was_in(session: AsyncSession, worker_id: UUID) -> bool:
    found = await session.scalar(
        select(Invitation.id)
        .where(Invitation.worker_id == worker_id, Invitation.state == "taken")
        .limit(1)
    )
    return found is not None


async def is_invited_no_more(session: AsyncSession, worker_id: UUID) -> bool:
    """Whether somebody's invitation was withdrawn before they ever came in."""
    states = await session.scalars(
        select(Invitation.state).where(Invitation.worker_id == worker_id).order_by(Invitation.id)
    )
    found = states.all()
    return "taken" not in found and found[-1:] == ["withdrawn"]


async def why_not_invited(session: AsyncSession, invitation_id: UUID) -> str:
    """Why an invitation that waits in the outbox may not go any more, "" where it may."""
    state = await session.scalar(select(Invitation.state).where(Invitation.id == invitation_id))
    return "" if state == "sent" else NOT_INVITED


async def invitation_days(session: AsyncSession) -> int:
    """For how many days a link is good."""
    return (await figures(session, [LINK_DAYS]))[LINK_DAYS.key]


async def _free_address(session: AsyncSession, email: str) -> None:
    """An address is one person's; somebody who left gives theirs up to whoever joins with it.

    A worker who changes agency, or comes back, is a new row: what they did stays with the old one.
    """
    ring = cast("Keys", session.info[KEYS]).ring
    index = email_index(ring, email)
    known = await session.scalar(
        select(Worker).where(Worker.email_index == index).with_for_update()
    )
    if known is None:
        return
    if known.until_on is None or known.until_on >= today_of(session):
        raise Invalid.because("email", ADDRESS_TAKEN)
    known.email_index = ring.index("worker.email", f"left {known.id}")
    await session.flush()


async def _waiting(session: AsyncSession, worker_id: UUID) -> list[Invitation]:
    found = await session.scalars(
        select(Invitation).where(Invitation.worker_id == worker_id, Invitation.state == "sent")
    )
    return list(found)


async def send_link(
    session: AsyncSession, by: Viewer, worker: Worker, site_url: str, why: str = INVITED_WORDS
) -> None:
    """A link that works once, in the outbox; earlier ones are nobody's from now on."""
    for earlier in await _waiting(session, worker.id):
        earlier.state = "withdrawn"
    await end_links(session, worker.id)
    ends_at = await _ends_at(session, worker)
    token = await make_link(session, worker.id, "worker", ends_at)
    invitation = Invitation(worker_id=worker.id, state="sent", ends_at=ends_at)
    session.add(invitation)
    await tell_worker(
        session,
        worker,
        kind=KIND,
        subject="Your way into Panel",
        body=(
            f"{why}\n\nOpen this link once, until {day_and_time(ends_at)}:\n"
            f"{site_url}/sign-in/{token}\n\n"
            "If you did not expect it, do not open it and tell your manager.\n"
        ),
        once=f"{KIND} {invitation.id}",
        facts={KIND: str(invitation.id)},
    )
    note_people(session, Kind.INVITED, by.id, worker.id)


async def _ends_at(session: AsyncSession, worker: Worker) -> datetime:
    now: datetime = session.info[NOW]
    wait = timedelta()
    if worker.from_on is not None and worker.from_on > today_of(session):
        wait = worker.from_on - today_of(session)
    return now + wait + timedelta(days=await invitation_days(session))
