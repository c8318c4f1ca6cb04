"""Meetings organised around the family: planned with them, called, held, or cancelled.

When, in which way and whether it was held are process facts. What the family wants are their views;
where it is, when it is at their home, is where they live.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import select

from consent import IN_THEIR_OWN_RIGHT, OF_THE_FAMILY, Category, ViewerKind
from panel.impact.models import ImpactInvitation, ImpactMeeting
from panel.impact.rules import why_not_called, why_not_next, why_not_on
from panel.impact.steps import in_impact
from panel.platform.problems import (
    Clash,
    Conflict,
    FieldError,
    Invalid,
    NotAllowed,
    NotFound,
    Problem,
)
from panel.records.gate import NOT_HERE, Access
from panel.web import words

FORMAT_WORDS = {
    "in_person": "In person",
    "online": "Online",
    "phone": "By telephone",
    "home": "At the family’s home",
}
JOINING_WORDS = {
    "not_asked": "Not asked yet",
    "yes": "Yes",
    "part": "For part of it",
    "no": "No",
}
STATE_WORDS = {
    "planned": "Being planned",
    "called": "People are invited",
    "held": "Held",
    "cancelled": "Cancelled",
}
OPEN = ("planned", "called")


@dataclass(frozen=True, slots=True)
class WhenWhere:
    """When and where a meeting is; minutes is how long."""

    held_on: date
    starts_at: time
    minutes: int
    format: str
    place: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the family wants a meeting, in their words."""

    who_comes: str = ""
    interpreter: str = ""
    child_joins: str = "not_asked"
    wishes: str = ""


@dataclass(frozen=True, slots=True)
class MeetingReading:
    """One meeting as its reader may see it; a text is None where it is withheld."""

    id: UUID
    version: int
    episode_id: UUID
    when: WhenWhere
    place: str | None
    wishes: Wishes | None
    asked_on: date | None
    not_asked_why: str | None
    family_said_at: datetime | None
    state: str
    sequence: int
    cancelled_why: str | None
    next_on: date | None
    held_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it is still to come."""
        return self.state in OPEN


def read_meeting(access: Access, row: ImpactMeeting) -> MeetingReading:
    """A meeting as this reader may see it."""
    agency = row.author_agency_id
    sees_views = access.may(Category.VIEWS, agency, row.family_said_by)
    sees_place = row.format != "home" or access.may(Category.CONTACT, agency)
    sees_panel = access.may(Category.PANEL, agency)
    place = row.place if sees_place else None
    return MeetingReading(
        id=row.id,
        version=row.version,
        episode_id=row.episode_id,
        when=WhenWhere(row.held_on, row.starts_at, row.minutes, row.format, place or ""),
        place=place,
        wishes=Wishes(row.who_comes, row.interpreter, row.child_joins, row.wishes)
        if sees_views
        else None,
        asked_on=row.asked_on,
        not_asked_why=row.not_asked_why if sees_panel else None,
        family_said_at=row.family_said_at,
        state=row.state,
        sequence=row.sequence,
        cancelled_why=row.cancelled_why if sees_panel else None,
        next_on=row.next_on,
        held_at=row.held_at,
    )


async def meetings_of(access: Access) -> Sequence[MeetingReading]:
    """The child's meetings, the newest first."""
    rows = await access.session.scalars(
        select(ImpactMeeting)
        .where(ImpactMeeting.child_id == access.child_id)
        .order_by(ImpactMeeting.held_on.desc(), ImpactMeeting.id.desc())
        .limit(200)
    )
    return [read_meeting(access, row) for row in rows]


async def meeting_row(access: Access, meeting_id: UUID) -> ImpactMeeting:
    """A meeting about this child. Raises NotFound."""
    row = await access.session.get(ImpactMeeting, meeting_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    return row


async def meeting_to_change(access: Access, meeting_id: UUID) -> ImpactMeeting:
    """The same, locked until the end, for who works with the child. Raises NotAllowed."""
    access.require_write()
    row = await meeting_row(access, meeting_id)
    await access.session.refresh(row, with_for_update=True)
    return row


def require_open(row: ImpactMeeting) -> None:
    """Raise Problem for a meeting that is over or cancelled."""
    if row.state not in OPEN:
        said = STATE_WORDS[row.state].lower()
        raise Problem(409, "This meeting cannot change", f"The meeting is {said} already.")


def require_held_or_open(row: ImpactMeeting) -> None:
    """Raise Problem for a meeting that was cancelled."""
    if row.state == "cancelled":
        raise Problem(409, "This meeting was cancelled", "Nothing more is written down for it.")


# Planning ---------------------------------------------------------------------------------------


def _when_words(when: WhenWhere) -> str:
    said = f"{words.day(when.held_on)}, {words.time(when.starts_at)}"
    return f"{said}, {when.minutes} minutes, {FORMAT_WORDS[when.format]}, {when.place}".rstrip(", ")


async def plan_meeting(access: Access, when: WhenWhere) -> ImpactMeeting:
    """A meeting is planned for a child who is in IMPACT. Raises NotAllowed, Invalid."""
    access.require_write()
    agency = access.viewer.agency
    if agency is None:
        raise NotAllowed("A worker of an agency organises a meeting.")
    step = await in_impact(access)
    _check_when(access, when)
    row = ImpactMeeting(
        child_id=access.child_id, episode_id=step.episode_id, author_agency_id=agency
    )
    _write_when(row, when)
    access.session.add(row)
    await access.session.flush()
    return row


def _check_when(access: Access, when: WhenWhere) -> None:
    if why := why_not_on(when.held_on, access.today):
        raise Invalid.because("held_on", why)


def _write_when(row: ImpactMeeting, when: WhenWhere) -> None:
    row.held_on, row.starts_at = when.held_on, when.starts_at
    row.minutes, row.format = when.minutes, when.format
    row.place = when.place.strip()


async def change_when(access: Access, row: ImpactMeeting, version: int, when: WhenWhere) -> bool:
    """A meeting is at another time or place; whether those who were invited must be told.

    Raises Conflict with both where somebody changed it meanwhile, Invalid, Problem.
    """
    require_open(row)
    was = read_meeting(access, row)
    if was.version != version:
        raise Conflict((Clash("When and where", _when_words(when), _when_words(was.when)),))
    if was.place is None:
        raise NotAllowed("You cannot see where this meeting is, so you cannot change it.")
    _check_when(access, when)
    if was.when == when:
        return False
    if row.state == "called" and not when.place.strip():
        raise Invalid.because("place", "Say where the meeting is: people are invited")
    _write_when(row, when)
    if is_told := row.state == "called":
        row.sequence += 1
    await access.session.flush()
    return is_told


# As the family wants it -------------------------------------------------------------------------


async def ask_family(
    access: Access,
    row: ImpactMeeting,
    version: int,
    said: Wishes,
    asked_on: date | None,
    not_asked_why: str,
) -> None:
    """Write down what the family said, and when they were asked; or why they could not be.

    Raises Conflict where they, or somebody else, wrote meanwhile; Invalid, NotAllowed.
    """
    require_open(row)
    was = read_meeting(access, row)
    if was.wishes is None or was.not_asked_why is None:
        raise NotAllowed("You cannot see what the family wants, so you cannot change it.")
    if was.version != version:
        raise Conflict(_clashes(said, was.wishes))
    if asked_on is not None and asked_on > access.today:
        raise Invalid.because("asked_on", "Enter the day on which you asked them, not a later one")
    if asked_on is None and not not_asked_why.strip():
        raise Invalid.because(
            "asked_on", "Enter when you asked the family, or write down why you could not"
        )
    _write_wishes(row, said)
    row.asked_on, row.not_asked_why = asked_on, not_asked_why.strip()
    await access.session.flush()


def _write_wishes(row: ImpactMeeting, said: Wishes) -> None:
    row.who_comes, row.interpreter = said.who_comes.strip(), said.interpreter.strip()
    row.child_joins, row.wishes = said.child_joins, said.wishes.strip()


def _clashes(yours: Wishes, theirs: Wishes) -> tuple[Clash, ...]:
    pairs = (
        ("Who comes", yours.who_comes, theirs.who_comes),
        ("Interpreter", yours.interpreter, theirs.interpreter),
        (
            "Does the child join?",
            JOINING_WORDS[yours.child_joins],
            JOINING_WORDS[theirs.child_joins],
        ),
        ("What else matters", yours.wishes, theirs.wishes),
    )
    return tuple(Clash(*one) for one in pairs if one[1] != one[2])


async def say_wishes(access: Access, meeting_id: UUID, version: int, said: Wishes) -> None:
    """One of the family who is invited says how they want the meeting.

    What one of them said is not for another, nor to be written over by them. Raises NotAllowed,
    NotFound, Conflict where it was changed meanwhile, Problem once it is over.
    """
    row, _ = await own_meeting(access, meeting_id)
    await access.session.refresh(row, with_for_update=True)
    require_open(row)
    if not access.ties & IN_THEIR_OWN_RIGHT:
        raise NotAllowed("Only a parent or the young person can say this here.")
    now = read_meeting(access, row)
    if now.wishes is None:
        raise NotAllowed(
            "Another of the family said already how they want this meeting.",
            "Say what you want under “What do you think?”.",
        )
    if row.version != version:
        raise Conflict(_clashes(said, now.wishes))
    _write_wishes(row, said)
    row.family_said_at, row.family_said_by = access.at, access.viewer.id
    row.asked_on = row.asked_on or access.today
    await access.session.flush()


async def own_meeting(access: Access, meeting_id: UUID) -> tuple[ImpactMeeting, ImpactInvitation]:
    """A meeting that one of the family is invited to, and their invitation. Raises NotFound."""
    if access.viewer.kind is not ViewerKind.FAMILY or not access.ties & OF_THE_FAMILY:
        raise NotAllowed("Only this child’s family can do this here.")
    row = await meeting_row(access, meeting_id)
    invitation = await access.session.scalar(
        select(ImpactInvitation).where(
            ImpactInvitation.meeting_id == meeting_id,
            ImpactInvitation.child_id == access.child_id,
            ImpactInvitation.person_id == access.viewer.id,
            ImpactInvitation.taken_back_at.is_(None),
        )
    )
    if invitation is None:
        raise NotFound("There is no meeting here for you.", "Go back to your own page.")
    return row, invitation


# Calling, holding, cancelling -------------------------------------------------------------------


async def call_meeting(access: Access, row: ImpactMeeting, version: int, invited: int) -> None:
    """People may be invited from now on. Raises Invalid with what is missing, Conflict."""
    if row.state == "called":
        return
    require_open(row)
    if row.version != version:
        raise Conflict(())
    if why := why_not_called(
        was_asked=row.asked_on is not None,
        not_asked_why=row.not_asked_why,
        place=row.place,
        invited=invited,
    ):
        raise Invalid.because("invite", why)
    row.state = "called"
    await access.session.flush()


@dataclass(frozen=True, slots=True)
class Held:
    """What is written down of a meeting that was held."""

    came: frozenset[UUID]
    """The invitations of those who were there."""
    next_on: date | None
    no_next: bool = False
    """There will be no other: a step down follows."""


async def hold_meeting(access: Access, row: ImpactMeeting, version: int, held: Held) -> None:
    """The meeting was held: who came, and when the next one is (IMPACT is reviewed at each).

    Raises Invalid, Conflict, Problem.
    """
    require_open(row)
    if row.version != version:
        raise Conflict(())
    errors = []
    if row.held_on > access.today:
        errors.append(FieldError("came", f"The meeting is on {words.day(row.held_on)}, not before"))
    if held.next_on is None and not held.no_next:
        errors.append(
            FieldError("next_on", "Enter when you will meet again, or say that you will not")
        )
    if held.next_on is not None and (why := why_not_next(held.next_on, row.held_on)):
        errors.append(FieldError("next_on", why))
    if errors:
        raise Invalid(tuple(errors))
    row.state, row.held_at = "held", access.at
    row.next_on = None if held.no_next else held.next_on
    invitations = await access.session.scalars(
        select(ImpactInvitation).where(
            ImpactInvitation.meeting_id == row.id, ImpactInvitation.taken_back_at.is_(None)
        )
    )
    for one in invitations:
        one.came = one.id in held.came
    await access.session.flush()


async def cancel_meeting(access: Access, row: ImpactMeeting, version: int, why: str) -> None:
    """The meeting does not take place. Raises Invalid without a reason, Conflict, Problem."""
    require_open(row)
    if row.version != version:
        raise Conflict(())
    if not why.strip():
        raise Invalid.because("why", "Write down why")
    row.state, row.cancelled_why = "cancelled", why.strip()
    row.sequence += 1
    await access.session.flush()
