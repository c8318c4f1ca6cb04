"""Who is asked to a meeting, what they are sent, and what they answer.

An e-mail says that there is a meeting, when and where; nothing of a child, or why. It goes
to a worker at work, to one of the family only where a safe e-mail contact is kept, and to a guest
at an address that somebody says is safe.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.models import Worker
from panel.accounts.service import worker_names
from panel.impact.calendar_entry import AT_HOME, Entry, Method, calendar_text
from panel.impact.meetings import FORMAT_WORDS, OPEN, own_meeting, require_open
from panel.impact.models import ImpactInvitation, ImpactMeeting
from panel.panels.note_rules import Way, usual_way
from panel.panels.note_sending import MEETING, Reached, reached_now
from panel.platform import outbox
from panel.platform.problems import (
    Clash,
    Conflict,
    FieldError,
    Invalid,
    NotAllowed,
    NotFound,
    Problem,
)
from panel.platform.tenancy import load_keys
from panel.records.gate import NOT_HERE, Access
from panel.register.service import people_of
from panel.web import words
from panel.web.words import upper_first

NO_SAFE_CONTACT = (
    "No e-mail goes to them: no safe e-mail contact is kept for them. Their own page shows the"
    " meeting; tell them yourself in the way that is safe."
)
NO_WORK_ADDRESS = "No e-mail address is kept for this worker. Tell them yourself."
NO_GUEST_ADDRESS = "No address is kept for this guest. Tell them yourself."
NOT_SAFE = "Say that this address is safe to write to, or leave it empty and tell them yourself"
OF_THE_FAMILYS = (
    "This is the address of one of the family. Invite them by name, so that how to reach them"
    " safely is kept to"
)
NOT_AN_ADDRESS = "Enter one e-mail address, like name@example.org, or leave it empty"
ANSWER_WORDS = {"waiting": "No answer yet", "yes": "Coming", "no": "Not coming"}
MOST_INVITED = 40
TOO_MANY = f"Invite at most {MOST_INVITED} people to one meeting"


@dataclass(frozen=True, slots=True)
class Invitable:
    """Somebody who can be invited: of the family, or of the team."""

    person: UUID
    kind: str
    name: str
    more: str
    """Who they are: "Mum", or "Health visitor, Community health"."""


@dataclass(frozen=True, slots=True)
class InvitationLine:
    """One invitation as the team reads it."""

    id: UUID
    version: int
    kind: str
    person: UUID | None
    name: str
    answer: str
    said: str | None
    answered_at: datetime | None
    sent_at: datetime | None
    is_told_of_now: bool
    """Whether they were told of the meeting as it is now."""
    failure: str
    came: bool | None


async def who_can_be_invited(access: Access) -> Sequence[Invitable]:
    """The family and the team, as far as the viewer may know them."""
    people = await people_of(access)
    today = access.today
    family = [
        Invitable(one.member_id, "family", upper_first(one.name), one.relationship)
        for one in people.family
        if (one.from_on is None or one.from_on <= today)
        and (one.until_on is None or one.until_on >= today)
    ]
    team = {
        one.worker_id: Invitable(
            one.worker_id,
            "worker",
            one.worker_name,
            ", ".join(part for part in (one.part, one.agency_name) if part),
        )
        for one in people.agencies
        if one.worker_id is not None and (one.until_on is None or one.until_on >= today)
    }
    own = [Invitable(access.child_id, "family", "The child", "")]
    return [*family, *own, *team.values()]


async def invitations_of(access: Access, meeting: ImpactMeeting) -> Sequence[InvitationLine]:
    """Who is invited, as far as the viewer may know them, in the order of being asked."""
    rows = await _rows(access.session, meeting.id)
    known = {one.person: one for one in await who_can_be_invited(access)}
    workers = [one.person_id for one in rows if one.kind == "worker" and one.person_id]
    names = await worker_names(access.session, workers)
    may_know = access.may(Category.NETWORK)
    return [_line(access, meeting, row, known, names, may_know=may_know) for row in rows]


def _line(
    access: Access,
    meeting: ImpactMeeting,
    row: ImpactInvitation,
    known: dict[UUID, Invitable],
    names: dict[UUID, str],
    *,
    may_know: bool,
) -> InvitationLine:
    author = row.person_id if row.kind == "family" else None
    sees = access.may(Category.VIEWS, None, author)
    return InvitationLine(
        row.id, row.version, row.kind, row.person_id, _name(row, known, names, may_know=may_know),
        row.answer, row.said if sees else None, row.answered_at, row.sent_at,
        row.sent_sequence == meeting.sequence, row.failure or "", row.came,
    )  # fmt: skip


def _name(
    row: ImpactInvitation,
    known: dict[UUID, Invitable],
    names: dict[UUID, str],
    *,
    may_know: bool,
) -> str:
    if row.kind == "guest":
        return row.name if may_know else "A guest"
    person = row.person_id
    if person in known:
        return known[person].name
    if row.kind == "worker" and person is not None and may_know:
        return names.get(person, "A worker")
    return "One of the family" if row.kind == "family" else "A worker"


async def _rows(session: AsyncSession, meeting_id: UUID) -> Sequence[ImpactInvitation]:
    found = await session.scalars(
        select(ImpactInvitation)
        .where(ImpactInvitation.meeting_id == meeting_id, ImpactInvitation.taken_back_at.is_(None))
        .order_by(ImpactInvitation.created_at, ImpactInvitation.id)
    )
    return list(found)


# Inviting ---------------------------------------------------------------------------------------


async def invite(
    access: Access, meeting: ImpactMeeting, people: Collection[UUID]
) -> Sequence[ImpactInvitation]:
    """Add people of the family and of the team; whoever is invited already stays so.

    One of the family sees the meeting on their own page from now on, and is asked how they want
    it. Raises Invalid for somebody who is neither, Problem once the meeting is over.
    """
    require_open(meeting)
    known = {one.person: one for one in await who_can_be_invited(access)}
    there = {one.person_id for one in await _rows(access.session, meeting.id)}
    new = [one for one in dict.fromkeys(people) if one not in there]
    if not people:
        raise Invalid.because("people", "Choose whom to invite")
    if any(one not in known for one in new):
        raise Invalid.because(
            "people", "Choose people of the family, or of the team as it is now. Add others first"
        )
    if len(there) + len(new) > MOST_INVITED:
        raise Invalid.because("people", TOO_MANY)
    made = [
        ImpactInvitation(
            child_id=access.child_id,
            meeting_id=meeting.id,
            kind=known[one].kind,
            person_id=one,
            answer="waiting",
        )
        for one in new
    ]
    access.session.add_all(made)
    await access.session.flush()
    return made


async def invite_guest(
    access: Access, meeting: ImpactMeeting, name: str, address: str, *, is_safe: bool
) -> ImpactInvitation:
    """Add somebody without an account, as the family wishes. Raises Invalid, Problem."""
    require_open(meeting)
    errors = []
    if not name.strip():
        errors.append(FieldError("name", "Enter who they are"))
    if len(await _rows(access.session, meeting.id)) >= MOST_INVITED:
        errors.append(FieldError("name", TOO_MANY))
    address = address.strip()
    if address and (why := await _why_not_to(access, address, is_safe=is_safe)):
        errors.append(FieldError("address" if is_safe else "is_safe", why))
    if errors:
        raise Invalid(tuple(errors))
    made = ImpactInvitation(
        child_id=access.child_id, meeting_id=meeting.id, kind="guest", answer="waiting"
    )
    made.name, made.address = name.strip(), address
    access.session.add(made)
    await access.session.flush()
    return made


async def _why_not_to(access: Access, address: str, *, is_safe: bool) -> str:
    """Why an address that somebody typed is not written to; "" where it may be."""
    if not is_safe:
        return NOT_SAFE
    if not outbox.is_one_address(address):
        return NOT_AN_ADDRESS
    theirs = {
        (await reached_now(access.session, one.person)).email.casefold()
        for one in await who_can_be_invited(access)
        if one.kind == "family"
    }
    return OF_THE_FAMILYS if address.casefold() in theirs else ""


async def invitation_row(
    access: Access, meeting: ImpactMeeting, invitation_id: UUID
) -> ImpactInvitation:
    """An invitation to a meeting. Raises NotFound."""
    row = await access.session.get(ImpactInvitation, invitation_id)
    if row is None or row.meeting_id != meeting.id or row.taken_back_at is not None:
        raise NotFound(NOT_HERE)
    return row


# Sending ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sender:
    """From where invitations come: the site's address, and its e-mail address in calendars."""

    site_url: str
    organiser: str


async def send_invitations(access: Access, meeting: ImpactMeeting, sender: Sender) -> int:
    """Put a message out for everybody who was not told of the meeting as it is; how many went.

    Sent twice, nobody is told twice. Whom no message may reach, that is said with the invitation.
    """
    sent = 0
    for row in await _rows(access.session, meeting.id):
        if row.sent_sequence != meeting.sequence:
            sent += await _send(access, meeting, row, sender, Method.REQUEST)
    await access.session.flush()
    return sent


async def send_cancellations(access: Access, meeting: ImpactMeeting, sender: Sender) -> None:
    """Tell everybody who was told of a meeting that it does not take place."""
    for row in await _rows(access.session, meeting.id):
        if row.sent_sequence is not None:
            await _send(access, meeting, row, sender, Method.CANCEL)
    await access.session.flush()


async def take_back(
    access: Access, meeting: ImpactMeeting, row: ImpactInvitation, version: int, sender: Sender
) -> None:
    """Somebody is not invited any more; they are told where they had been told of the meeting."""
    require_open(meeting)
    if row.version != version:
        raise Conflict(())
    row.taken_back_at = access.at
    if row.sent_sequence is not None:
        await _send(access, meeting, row, sender, Method.CANCEL)
    await access.session.flush()


async def _send(
    access: Access,
    meeting: ImpactMeeting,
    row: ImpactInvitation,
    sender: Sender,
    method: Method,
) -> int:
    address, facts = await _address(access.session, row)
    row.failure = None if address else _why_none(row)
    row.sent_sequence = meeting.sequence
    if not address:
        row.sent_at = None
        return 0
    entry = Entry(
        meeting.id, meeting.sequence, meeting.held_on, meeting.starts_at, meeting.minutes,
        AT_HOME if meeting.format == "home" else meeting.place,
    )  # fmt: skip
    await outbox.put(
        access.session,
        kind=MEETING,
        holder_id=access.child_id,
        to_viewer_id=row.person_id,
        address=address,
        subject="A meeting" if method is Method.REQUEST else "A meeting is cancelled",
        body=_body(meeting, entry, row, sender, method),
        once=f"{MEETING} {row.id} {meeting.sequence} {method.value}",
        facts=facts | {"meeting": str(row.id), "child": str(access.child_id)},
        calendar=calendar_text(
            entry, method, to=address, organiser=sender.organiser, stamped_at=access.at
        ),
    )
    row.sent_at = access.at
    return 1


async def _address(session: AsyncSession, row: ImpactInvitation) -> tuple[str, dict[str, str]]:
    """Where somebody is told ("" where nowhere), and what is asked again as it goes."""
    if row.kind == "guest":
        return row.address, {}
    person = row.person_id
    if person is None:
        return "", {}
    if row.kind == "worker":
        worker = await session.get_one(Worker, person)
        await load_keys(session, {worker.agency_id})
        return worker.email, {}
    reached = await reached_now(session, person)
    return (reached.email, {"safely": reached.mark(session)}) if _is_safe(reached) else ("", {})


def _is_safe(reached: Reached) -> bool:
    usual = usual_way(has_email=bool(reached.email), safe_contact=reached.safe_contact)
    return usual is Way.EMAIL


def _why_none(row: ImpactInvitation) -> str:
    if row.kind == "guest":
        return NO_GUEST_ADDRESS
    return NO_WORK_ADDRESS if row.kind == "worker" else NO_SAFE_CONTACT


def _body(
    meeting: ImpactMeeting, entry: Entry, row: ImpactInvitation, sender: Sender, method: Method
) -> str:
    when = f"{words.day(entry.held_on)} at {words.time(entry.starts_at)}"
    if method is Method.CANCEL:
        return f"A meeting that you were told of does not take place for you: {when}.\n"
    answer = "Tell whoever invited you whether you can come."
    if row.kind == "family":
        answer = f"To say whether you can come, sign in here: {sender.site_url}/family"
    elif row.kind == "worker":
        page = f"/children/{meeting.child_id}/meetings/{meeting.id}"
        answer = f"To answer, sign in here: {sender.site_url}{page}"
    how = "" if meeting.format == "home" else f"{FORMAT_WORDS[meeting.format]}: "
    return (
        f"You are invited to a meeting.\n\nWhen: {when}, {entry.minutes} minutes\n"
        f"Where: {how}{entry.place}\n\n{answer}\n\nIf this is not for you, tell us and delete it.\n"
    )


# Answering --------------------------------------------------------------------------------------


async def answer_as_family(access: Access, meeting_id: UUID, answer: str, said: str) -> None:
    """One of the family says whether they come. Raises NotFound, NotAllowed, Problem."""
    meeting, row = await own_meeting(access, meeting_id)
    _answer(access, meeting, row, answer, said)
    await access.session.flush()


async def answer_as_worker(access: Access, meeting: ImpactMeeting, answer: str, said: str) -> None:
    """A worker who is invited says whether they come. Raises NotAllowed, Problem."""
    rows = await _rows(access.session, meeting.id)
    row = next((one for one in rows if one.person_id == access.viewer.id), None)
    if row is None:
        raise NotAllowed("You are not invited to this meeting.", "Ask whoever organises it.")
    _answer(access, meeting, row, answer, said)
    await access.session.flush()


async def note_answer(
    access: Access,
    meeting: ImpactMeeting,
    row: ImpactInvitation,
    version: int,
    answer: str,
    said: str,
) -> None:
    """Write down what somebody answered otherwise. Raises Conflict where they answered here.

    Without words of theirs, those that they wrote themselves stay.
    """
    access.require_write()
    if row.version != version:
        theirs = f"{ANSWER_WORDS[row.answer]}"
        raise Conflict((Clash("The answer", ANSWER_WORDS[answer], theirs),))
    _answer(access, meeting, row, answer, said.strip() or row.said)
    await access.session.flush()


def _answer(
    access: Access, meeting: ImpactMeeting, row: ImpactInvitation, answer: str, said: str
) -> None:
    if meeting.state not in OPEN:
        raise Problem(409, "This meeting is over", "It cannot be answered any more.")
    row.answer, row.answered_at = answer, access.at
    row.said = said.strip()
