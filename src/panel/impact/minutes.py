"""Minutes of a meeting for the family: drafted in plain words, checked, sent; and held back.

As notes of a panel are (panels/notes.py): the same marks, the same reasons for what stays, the same
two tests by which they are held back from somebody (DPA 2018, Schedule 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.impact.invitations import invitations_of
from panel.impact.minutes_rules import DraftPart, MinutesFacts, draft
from panel.impact.models import ImpactMeeting, ImpactMinutes, MinutesCopy
from panel.impact.views import Decided, decided_at
from panel.panels.drafted import kept_marks, told_text
from panel.panels.note_context import Gathered
from panel.panels.note_marks import Mark, marks, without_addresses
from panel.panels.note_rules import HeldBack, Kept, Recipient, open_marks, why_not_sent
from panel.panels.notes import note_recipients
from panel.platform.problems import (
    Clash,
    Conflict,
    FieldError,
    Invalid,
    NotAllowed,
    NotFound,
    Problem,
)
from panel.records.gate import Access
from panel.register.service import child_header
from panel.sharing.standing import possible_givers

CANNOT_SEE = "Something in these minutes is withheld from you, so you cannot change them."


@dataclass(frozen=True, slots=True)
class MinutesOf:
    """Whose minutes of which meeting: the child's record opened for who may write them."""

    access: Access
    meeting: ImpactMeeting
    gathered: Gathered
    recipients: tuple[Recipient, ...]

    @property
    def session(self) -> AsyncSession:
        """The transaction."""
        return self.access.session

    def marks(self, words: str) -> tuple[Mark, ...]:
        """What is marked in some words, telling the viewer nothing that they may not know."""
        context = self.gathered.context([one.person for one in self.recipients])
        found = marks(words, context)
        if not self.access.may(Category.CONTACT):
            found = tuple(map(without_addresses, found))
        return found


@dataclass(frozen=True, slots=True)
class MinutesText:
    """The minutes as they stand; `version` 0 before anything was saved."""

    id: UUID | None
    number: int
    state: str
    version: int
    text: str | None
    """None where something that they were drafted from is withheld."""
    kept: tuple[Kept, ...]
    categories: tuple[str, ...]
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class ForWhom:
    """A recipient: their name as the writer may know it, and why nothing goes to them."""

    who: Recipient
    name: str
    refused: str


@dataclass(frozen=True, slots=True)
class MinutesPage:
    """Everything that the page of the minutes needs."""

    of: MinutesOf
    minutes: MinutesText
    open_marks: Sequence[Mark]
    for_whom: Sequence[ForWhom]
    decided: Sequence[Decided]


async def minutes_of(access: Access, meeting: ImpactMeeting, gathered: Gathered) -> MinutesOf:
    """The minutes of a meeting that was held. Raises NotAllowed, Problem."""
    access.require_write()
    if meeting.state != "held":
        raise Problem(
            409, "There are no minutes yet", "Minutes are written once the meeting was held."
        )
    return MinutesOf(access, meeting, gathered, await note_recipients(access, access.today))


async def stored_minutes(session: AsyncSession, meeting_id: UUID) -> ImpactMinutes | None:
    """The newest version of a meeting's minutes."""
    row: ImpactMinutes | None = await session.scalar(
        select(ImpactMinutes)
        .where(ImpactMinutes.meeting_id == meeting_id)
        .order_by(ImpactMinutes.number.desc())
        .limit(1)
    )
    return row


async def read_minutes(of: MinutesOf) -> MinutesPage:
    """The page of the minutes: what was said and decided, the family's version, its marks."""
    row = await stored_minutes(of.session, of.meeting.id)
    decided = await decided_at(of.access, of.meeting)
    minutes = await _first_draft(of, decided) if row is None else _stored(of, row)
    found = of.marks(minutes.text or "")
    return MinutesPage(
        of,
        minutes,
        open_marks(found, minutes.kept),
        await for_whom(of, minutes.categories),
        decided,
    )


def _stored(of: MinutesOf, row: ImpactMinutes) -> MinutesText:
    told = told_text(of.access, row)
    return MinutesText(
        row.id, row.number, row.state, row.version, told,
        kept_marks(row) if told is not None else (),
        tuple(row.categories), row.sent_at,
    )  # fmt: skip


async def _first_draft(of: MinutesOf, decided: Sequence[Decided]) -> MinutesText:
    header = await child_header(of.access)
    came = [one.name for one in await invitations_of(of.access, of.meeting) if one.came]
    facts = MinutesFacts(
        child=header.known_as or header.name or "your child",
        held_on=of.meeting.held_on,
        came=tuple(came),
        parts=tuple(_part(one) for one in decided),
        next_on=of.meeting.next_on,
    )
    categories = {Category.PANEL, Category.PLAN} | {
        view.category for one in decided for view in one.views if view.words
    }
    named = tuple(sorted(one.value for one in categories))
    return MinutesText(None, 1, "draft", 0, draft(facts), (), named, None)


def _part(one: Decided) -> DraftPart:
    return DraftPart(
        about="" if one.outcome is None else one.outcome.text,
        views=tuple((view.who, view.words) for view in one.views if view.words),
        decisions=tuple(said.words for said in one.decisions if said.words),
        actions=tuple((each.text, each.who, each.due_on) for each in one.actions),
    )


async def for_whom(of: MinutesOf, categories: Sequence[str]) -> list[ForWhom]:
    """The recipients, and to whom the record does not let the minutes go."""
    names = {one.person: one.name for one in await possible_givers(of.access)}
    shown = of.gathered.to([one.person for one in of.recipients])
    return [
        ForWhom(one, names.get(one.person, ""), why_not_sent(shown[one.person], categories))
        for one in of.recipients
    ]


# Writing ----------------------------------------------------------------------------------------


async def save_minutes(of: MinutesOf, words: str, version: int) -> ImpactMinutes:
    """Keep what was typed. `version` is that which was read, 0 for the first draft.

    Raises Conflict with both texts where somebody saved in between; Problem once they were sent.
    """
    row = await stored_minutes(of.session, of.meeting.id)
    if row is None:
        if version:
            raise NotFound("These minutes are no longer here.", "Load the page again.")
        made = await _first_draft(of, await decided_at(of.access, of.meeting))
        row = _new_row(of, 1, made.categories)
        of.session.add(row)
    else:
        _require_draft(row)
        told = told_text(of.access, row)
        if told is None:
            raise NotAllowed(CANNOT_SEE)
        if row.version != version:
            if told == words:
                return row
            raise Conflict((Clash("The minutes", words, told),))
    row.text = words
    await of.session.flush()
    return row


def _require_draft(row: ImpactMinutes) -> None:
    if row.state != "draft":
        raise Problem(
            409,
            "These minutes were sent",
            "Minutes that were sent stay as they are.",
            "Write a new version of them.",
        )


def _new_row(of: MinutesOf, number: int, categories: Sequence[str]) -> ImpactMinutes:
    agency = of.access.viewer.agency
    if agency is None:
        raise NotAllowed("A worker of an agency writes minutes.")
    return ImpactMinutes(
        child_id=of.access.child_id,
        meeting_id=of.meeting.id,
        number=number,
        state="draft",
        author_agency_id=agency,
        categories=list(categories),
    )


async def draft_row(of: MinutesOf, version: int) -> ImpactMinutes:
    """The draft of this version. Raises NotFound before the first save, Conflict, Problem."""
    row = await stored_minutes(of.session, of.meeting.id)
    if row is None:
        raise NotFound("Save the minutes first.", "Go back to the minutes and save them.")
    _require_draft(row)
    if told_text(of.access, row) is None:
        raise NotAllowed(CANNOT_SEE)
    if row.version != version:
        raise Conflict(())
    return row


async def keep_mark(of: MinutesOf, kind: str, words: str, why: str, version: int) -> None:
    """Something marked stays in the minutes, with a reason. Raises Invalid without one."""
    row = await draft_row(of, version)
    if not why.strip():
        raise Invalid.because("why", "Say why it stays in the minutes")
    one = Kept(kind, " ".join(words.casefold().split()), why.strip())
    others = [kept for kept in kept_marks(row) if kept.key != one.key]
    row.kept = msgspec.json.encode([*others, one]).decode()
    await of.session.flush()


async def another_version(of: MinutesOf) -> ImpactMinutes:
    """Begin a new version of minutes that were sent; those stay."""
    row = await stored_minutes(of.session, of.meeting.id)
    if row is None or row.state == "draft":
        raise NotFound("There are no minutes that were sent.")
    told = told_text(of.access, row)
    if told is None:
        raise NotAllowed(CANNOT_SEE)
    made = _new_row(of, row.number + 1, row.categories)
    of.session.add(made)
    made.text, made.kept = told, row.kept
    await of.session.flush()
    return made


@dataclass(frozen=True, slots=True)
class Copy:
    """For one recipient: open to them, or held back on a test, with why."""

    person: UUID
    held_back: HeldBack | None = None
    why: str = ""


async def send_minutes(of: MinutesOf, copies: Sequence[Copy], version: int) -> ImpactMinutes:
    """The minutes go to the family: each recipient reads them from now on, or not, with why.

    Raises Invalid for a mark that is still open or minutes held back without a reason; Conflict
    where somebody saved in between.
    """
    row = await draft_row(of, version)
    if not row.text.strip():
        raise Invalid.because("text", "Write the minutes first: there is nothing in them yet")
    errors = [
        *_mark_errors(of, row),
        *_copy_errors(of.recipients, copies),
    ]
    if errors:
        raise Invalid(tuple(errors))
    row.state, row.sent_at, row.sent_by = "sent", of.access.at, of.access.viewer.id
    for one in copies:
        made = MinutesCopy(
            child_id=row.child_id,
            minutes_id=row.id,
            person_id=one.person,
            state="open" if one.held_back is None else "held_back",
            held_back_test=None if one.held_back is None else one.held_back.value,
        )
        made.held_back_why = one.why.strip() if one.held_back is not None else ""
        of.session.add(made)
    await of.session.flush()
    return row


def _mark_errors(of: MinutesOf, row: ImpactMinutes) -> list[FieldError]:
    still = open_marks(of.marks(row.text), kept_marks(row))
    return [
        FieldError(
            "marks",
            f"“{one.words}” is marked: take it out, or keep it with a reason"
            if one.may_be_kept
            else f"“{one.words}” must come out: it cannot stay in what a family is sent",
        )
        for one in still
    ]


def _copy_errors(recipients: Sequence[Recipient], copies: Sequence[Copy]) -> list[FieldError]:
    if not recipients:
        return [FieldError("marks", "Nobody is recorded who could be sent these minutes")]
    if {one.person for one in recipients} != {one.person for one in copies}:
        return [FieldError("marks", "The people who get these minutes have changed. Look again")]
    return [
        FieldError(f"why-{place}", "Say why the minutes are held back")
        for place, one in enumerate(copies, 1)
        if one.held_back is not None and not one.why.strip()
    ]
