"""Notes to parents: the list of a meeting, one note as it is written, its sign-off.

The draft, what is typed, what is marked and stays, and the sign-off with whom it goes to. Sending
is in note_sending.py, what the family says in note_answers.py.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Decision, Tie
from panel.accounts.service import worker_names
from panel.panels.calendar import load_calendar, settings_of
from panel.panels.drafted import kept_marks, told_text
from panel.panels.holding import interest_of
from panel.panels.models import Meeting, Panel
from panel.panels.note_context import Gathered
from panel.panels.note_marks import (
    Mark,
    MarkKind,
    NoteContext,
    marks,
    without_addresses,
    without_names,
)
from panel.panels.note_models import FamilyNote, NoteDelivery
from panel.panels.note_rules import (
    DraftAction,
    DraftFacts,
    HeldBack,
    Kept,
    Recipient,
    Way,
    draft,
    open_marks,
    recipients,
    why_not_sent,
)
from panel.panels.rules import notes_due_on
from panel.plans.service import PlanReading, plan_for_reading
from panel.platform.problems import (
    Clash,
    Conflict,
    FieldError,
    Invalid,
    NotAllowed,
    NotFound,
    Problem,
)
from panel.platform.tables import NOW, VIEWER, today_of
from panel.records.gate import NOT_HERE, Access
from panel.records.who_leads import HOLDS_TODAY
from panel.register.service import identity_text, people_of
from panel.sharing.standing import child_standing, family_facts, possible_givers

WHO_MAY = "Only the lead professional, or the coordinator or chair of this panel, writes this note."

READ_AGAIN = (
    "Something that this note was drafted from was about another child and was moved there."
    " Read the note again, and say that nothing of it is left"
)


# Who may, and about which meeting -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoteOf:
    """Whose note of which meeting: the child's record opened, for somebody who may write it."""

    access: Access
    panel: Panel
    meeting: Meeting
    gathered: Gathered
    recipients: tuple[Recipient, ...]
    knows_the_others: bool
    """Whether the viewer runs the panel, and so knows who else was talked about."""

    @property
    def shown(self) -> dict[UUID, dict[Category, Decision]]:
        """For each recipient, what they would be shown of the child."""
        return self.gathered.to([one.person for one in self.recipients])

    @property
    def context(self) -> NoteContext:
        """What the note is compared with."""
        found = self.gathered.context([one.person for one in self.recipients])
        return found if self.knows_the_others else replace(found, asked_blind=True)

    def marks(self, words: str) -> tuple[Mark, ...]:
        """What is marked in some words, telling the viewer nothing that they may not know.

        What the words are compared with was read past the gate (adr/0010), so a mark must not be
        the answer to a guess.
        """
        found = marks(words, self.context)
        if not self.knows_the_others:
            found = tuple(map(without_names, found))
        if not self.access.may(Category.CONTACT):
            found = tuple(map(without_addresses, found))
        return found

    @property
    def session(self) -> AsyncSession:
        """The transaction."""
        return self.access.session


async def note_of(
    access: Access, gathered: Gathered, key: str, held_on: date, coordinated: Collection[UUID]
) -> NoteOf:
    """The note's meeting, once it was held with this child on its agenda.

    `gathered` is of this child and day; `coordinated` are the panels that the viewer coordinates
    or chairs. Raises NotFound, NotAllowed.
    """
    session = access.session
    found = await session.execute(
        text(
            "SELECT m.id FROM meeting m JOIN panel p ON p.id = m.panel_id"
            " JOIN agenda_item i ON i.meeting_id = m.id AND i.child_id = :child"
            " WHERE p.key = :key AND m.held_on = :day AND m.state = 'held'"
            " AND i.state = 'discussed'"
        ),
        {"child": access.child_id, "key": key, "day": held_on},
    )
    meeting_id: UUID | None = found.scalar_one_or_none()
    if meeting_id is None:
        raise NotFound(NOT_HERE)
    meeting = await session.get_one(Meeting, meeting_id)
    panel = await session.get_one(Panel, meeting.panel_id)
    if panel.id not in coordinated and Tie.LEAD not in access.ties:
        raise NotAllowed(WHO_MAY)
    if await interest_of(session, meeting, access.child_id, access.viewer.id) is not None:
        raise NotAllowed(
            "You declared an interest in this child, so you do not read or write this note.",
            "Ask whoever runs the panel with you, or the lead professional.",
        )
    recipients = await note_recipients(access, access.today)
    return NoteOf(access, panel, meeting, gathered, recipients, panel.id in coordinated)


async def due_on(session: AsyncSession, panel: Panel, meeting: Meeting) -> date:
    """By when the notes of a meeting are signed off."""
    working_days = settings_of(panel).notes_working_days
    return notes_due_on(meeting.held_on, working_days, await load_calendar(session))


# One note as it is written --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Contribution:
    """What somebody said at the meeting, as the writer may see it."""

    id: UUID
    text: str
    who: str
    """Its author and their agency."""
    category: Category
    said_at: datetime | None
    for_family: bool


@dataclass(frozen=True, slots=True)
class NoteText:
    """The note as it stands; `version` 0 before anything was saved."""

    id: UUID | None
    number: int
    state: str
    version: int
    text: str
    kept: tuple[Kept, ...]
    categories: tuple[str, ...]
    signed_off_at: datetime | None
    signed_off_by: UUID | None
    check_again: bool = False
    """Something that it was drafted from was on the wrong child."""


@dataclass(frozen=True, slots=True)
class WhoGets:
    """A recipient as the writer's page shows them."""

    who: Recipient
    name: str
    """Empty where the writer may not know it."""
    way: Way | None
    """None where words are kept on how to reach them safely."""
    safe_contact: str | None
    """Those words; None where the writer may not see them."""
    refused: str
    """Why the record does not let this note go to them; empty where it does."""


@dataclass(frozen=True, slots=True)
class NotePage:
    """Everything that the page of a note needs."""

    of: NoteOf
    due_on: date
    contributions: Sequence[Contribution]
    not_shown: tuple[Category, ...]
    """Of each contribution that the writer may not see, what it is about."""
    """How many contributions the writer may not see."""
    note: NoteText
    may_read: bool
    """Whether the writer may see what is stored of the note."""
    marks: Sequence[Mark]
    open_marks: Sequence[Mark]
    who_gets: Sequence[WhoGets]


class _Said(msgspec.Struct):
    id: UUID
    agency_id: UUID
    agency: str
    worker_id: UUID | None
    category: Category
    said_at: datetime | None
    for_family: bool
    text: str | None


_SAID = """
SELECT json_build_object('id', d.id, 'agency_id', g.id, 'agency', g.name, 'category', d.category,
  'worker_id', d.worker_id, 'said_at', d.said_at, 'for_family', d.for_family,
  'text', encode(d.text, 'hex'))::text
FROM discussion d JOIN agency g ON g.id = d.author_agency_id
WHERE d.child_id = :child AND d.meeting_id = :meeting AND d.taken_back_at IS NULL
ORDER BY COALESCE(d.said_at, d.created_at), d.id
"""
_READ_SAID = msgspec.json.Decoder(_Said)


async def contributions(of: NoteOf) -> tuple[list[Contribution], tuple[Category, ...]]:
    """What was said of the child that the writer may see; and of what they may not, the subject."""
    rows = await of.session.execute(
        text(_SAID), {"child": of.access.child_id, "meeting": of.meeting.id}
    )
    said = [_READ_SAID.decode(line) for (line,) in rows]
    names = await worker_names(of.session, [one.worker_id for one in said if one.worker_id])
    seen: list[Contribution] = []
    not_shown: list[Category] = []
    for one in said:
        told = of.access.open_text(one.text, "discussion.text", one.id, one.category, one.agency_id)
        if told is None:
            if not of.access.decision(one.category, one.agency_id).silent:
                not_shown.append(one.category)
        elif told:
            name = "" if one.worker_id is None else names.get(one.worker_id, "")
            who = ", ".join(part for part in (name, one.agency) if part)
            seen.append(Contribution(one.id, told, who, one.category, one.said_at, one.for_family))
    return seen, tuple(not_shown)


async def stored_note(of: NoteOf) -> FamilyNote | None:
    """The newest version of the note."""
    found: FamilyNote | None = await of.session.scalar(
        select(FamilyNote)
        .where(FamilyNote.child_id == of.access.child_id, FamilyNote.meeting_id == of.meeting.id)
        .order_by(FamilyNote.number.desc())
        .limit(1)
    )
    return found


async def read_note(of: NoteOf) -> NotePage:
    """The note's page: the discussion, the family's version, its marks, who gets it."""
    said, not_shown = await contributions(of)
    stored = await stored_note(of)
    stored_words = None if stored is None else told_text(of.access, stored)
    may_read = stored is None or stored_words is not None
    if stored is None:
        note = await _first_draft(of, said)
    else:
        # What was recalled is about another child: it is kept as it went out, and not shown again.
        shown = "" if stored.state == "recalled" else stored_words or ""
        note = NoteText(
            stored.id, stored.number, stored.state, stored.version, shown,
            kept_marks(stored) if may_read else (), tuple(stored.categories), stored.signed_off_at,
            stored.signed_off_by, stored.check_again_at is not None,
        )  # fmt: skip
    found = of.marks(note.text)
    return NotePage(
        of,
        await due_on(of.session, of.panel, of.meeting),
        said,
        not_shown,
        note,
        may_read,
        found,
        open_marks(found, note.kept),
        await who_gets(of, note.categories),
    )


async def _first_draft(of: NoteOf, said: Sequence[Contribution]) -> NoteText:
    marked = [one for one in said if one.for_family]
    words = draft(await _draft_facts(of, [one.text for one in marked]))
    categories = sorted({one.category.value for one in marked} | {Category.PANEL.value})
    return NoteText(None, 1, "draft", 0, words, (), tuple(categories), None, None)


class _After(msgspec.Struct):
    given_name: str | None
    known_as: str | None
    actions: tuple[UUID, ...] | None
    involvements: tuple[UUID, ...] | None
    next_on: date | None
    next_by: date | None


# What came of the meeting: written down from its beginning on.
_AFTER = """
SELECT json_build_object('given_name', encode(c.given_name, 'hex'),
 'known_as', encode(c.known_as, 'hex'),
 'actions', (SELECT json_agg(x.id) FROM action x WHERE x.child_id = c.id
   AND x.created_at >= :since AND x.state IN ('to_do', 'doing')
   AND (x.due_on IS NULL OR x.due_on >= :day)),
 'involvements', (SELECT json_agg(i.id) FROM involvement i WHERE i.child_id = c.id
   AND i.created_at >= :since AND i.until_on IS NULL
   AND COALESCE(i.from_on, i.expected_from_on) >= :day),
 'next_on', (SELECT m.held_on FROM referral f JOIN meeting m ON m.id = f.review_meeting_id
   WHERE f.child_id = c.id AND f.panel_id = :panel AND f.state <> 'closed'
     AND m.state <> 'cancelled' AND m.held_on > :day LIMIT 1),
 'next_by', (SELECT f.next_review_by FROM referral f WHERE f.child_id = c.id
   AND f.panel_id = :panel AND f.state <> 'closed' AND f.next_review_by > :day LIMIT 1))::text
FROM child c WHERE c.id = :child
"""
_READ_AFTER = msgspec.json.Decoder(_After)


async def _draft_facts(of: NoteOf, said: list[str]) -> DraftFacts:
    access, meeting = of.access, of.meeting
    after = await _after(of)
    tells_who = _may_be_told(of, Category.NETWORK)
    new = set(after.actions or ()) if _may_be_told(of, Category.PLAN) else set()
    return DraftFacts(
        child=_called(access, after) or "your child",
        meeting_on=meeting.held_on,
        said=tuple(said),
        actions=await _actions(access, new, names_workers=tells_who),
        helpers=await _helpers(access, set(after.involvements or ())) if tells_who else (),
        next_on=after.next_on,
        next_by=after.next_by,
    )


def _may_be_told(of: NoteOf, category: Category) -> bool:
    """Whether nobody who gets the note is one from whom this is withheld."""
    return all(one[category].permitted for one in of.shown.values() if category in one)


async def _after(of: NoteOf) -> _After:
    meeting = of.meeting
    found = await of.session.execute(
        text(_AFTER),
        {
            "child": of.access.child_id,
            "panel": of.panel.id,
            "day": meeting.held_on,
            "since": meeting.began_at or meeting.ended_at or meeting.changed_at,
        },
    )
    return _READ_AFTER.decode(found.scalar_one())


def _called(access: Access, after: _After) -> str:
    for column, sealed in (("known_as", after.known_as), ("given_name", after.given_name)):
        if told := identity_text(access, column, sealed):
            return told
    return ""


async def called(of: NoteOf) -> str:
    """What the child is called, as the family's page says it; empty where it is withheld."""
    return _called(of.access, await _after(of))


async def _actions(
    access: Access, new: set[UUID], *, names_workers: bool
) -> tuple[DraftAction, ...]:
    plan = await plan_for_reading(access)
    if not isinstance(plan, PlanReading):
        return ()
    return tuple(
        DraftAction(
            one.text, one.owner if names_workers or one.owner_worker_id is None else "", one.due_on
        )
        for one in plan.actions
        if one.id in new
    )


async def _helpers(access: Access, new: set[UUID]) -> tuple[tuple[str, date | None], ...]:
    people = await people_of(access)
    return tuple(
        (
            ", ".join(part for part in (one.worker_name, one.agency_name) if part),
            one.from_on or one.expected_from_on,
        )
        for one in people.agencies
        if one.involvement_id in new
    )


# Who gets it ----------------------------------------------------------------------------------


async def note_recipients(access: Access, day: date) -> tuple[Recipient, ...]:
    """Who gets a note on a day, as the record says."""
    facts = await family_facts(access)
    ties = [(link.person, link.relationship) for link in facts.links or () if link.holds(day)]
    return recipients(child_standing(access.child_id, facts), ties, day)


async def who_gets(of: NoteOf, categories: Sequence[str]) -> list[WhoGets]:
    """The recipients, how each is reached, and to whom the record does not let the note go."""
    access = of.access
    names = {one.person: one.name for one in await possible_givers(access)}
    people = await people_of(access)
    safe = {one.member_id: one.safe_contact for one in people.family}
    shown = of.shown
    return [
        WhoGets(
            who,
            names.get(who.person, ""),
            of.gathered.way_to(who.person),
            safe.get(who.person),
            why_not_sent(shown[who.person], categories),
        )
        for who in of.recipients
    ]


# Writing --------------------------------------------------------------------------------------


async def save_note(of: NoteOf, words: str, version: int) -> FamilyNote:
    """Keep what was typed. `version` is that of the note that was read, 0 for the first draft.

    Raises Conflict with both texts where somebody saved in between; Problem once it was signed off.
    """
    row = await stored_note(of)
    if row is None:
        if version:
            raise NotFound("This note is no longer here.", "Load the page again.")
        said, _ = await contributions(of)
        made = await _first_draft(of, said)
        row = await _new_row(of, 1, made.categories)
        of.session.add(row)
    else:
        check_draft(row)
        if row.version != version:
            theirs = told_text(of.access, row)
            if theirs == words:
                return row
            raise Conflict((Clash("The note", words, theirs or "(not shown)"),))
        if told_text(of.access, row) is None:
            raise NotAllowed("Somebody else wrote this note, and you cannot see it.")
    row.text = words
    await of.session.flush()
    return row


def check_draft(row: FamilyNote) -> None:
    """Raise Problem for a note that was signed off: it is never written over."""
    if row.state != "draft":
        raise Problem(
            409,
            "This note was signed off",
            "A note that was signed off stays as it is.",
            "Write a new version of it.",
        )


async def _new_row(of: NoteOf, number: int, categories: Sequence[str]) -> FamilyNote:
    agency = of.access.viewer.agency
    if agency is None:
        raise NotAllowed(WHO_MAY)
    return FamilyNote(
        child_id=of.access.child_id,
        meeting_id=of.meeting.id,
        number=number,
        state="draft",
        author_agency_id=agency,
        categories=list(categories),
        due_on=await due_on(of.session, of.panel, of.meeting),
    )


async def draft_row(of: NoteOf, version: int) -> FamilyNote:
    """The draft of this version. Raises NotFound before the first save, Conflict, Problem."""
    row = await stored_note(of)
    if row is None:
        raise NotFound("Save the note first.", "Go back to the note and save it.")
    check_draft(row)
    if row.version != version:
        raise Conflict(())
    return row


async def keep_mark(of: NoteOf, kind: str, words: str, why: str, version: int) -> None:
    """Something marked stays in the note, with a reason. Raises Invalid without one."""
    row = await draft_row(of, version)
    if not why.strip():
        raise Invalid.because("why", "Say why it stays in the note")
    one = Kept(kind, " ".join(words.casefold().split()), why.strip())
    others = [kept for kept in kept_marks(row) if kept.key != one.key]
    row.kept = msgspec.json.encode([*others, one]).decode()
    await of.session.flush()


async def checked_again(of: NoteOf, version: int) -> None:
    """The viewer has read the note once more: nothing in it is about another child.

    Raises NotAllowed for who cannot see it, Conflict where it was changed meanwhile.
    """
    row = await stored_note(of)
    if row is None or row.check_again_at is None:
        return
    if told_text(of.access, row) is None:
        raise NotAllowed("Somebody else wrote this note, and you cannot see it.")
    if row.version != version:
        raise Conflict(())
    row.check_again_at = None
    await of.session.flush()


async def another_version(of: NoteOf) -> FamilyNote:
    """Begin a new version of a note that was signed off; that one stays."""
    row = await stored_note(of)
    if row is None or row.state == "draft":
        raise NotFound("There is no signed-off note to begin from.")
    told = told_text(of.access, row)
    if told is None:
        raise NotAllowed("Somebody else wrote this note, and you cannot see it.")
    said, _ = await contributions(of)
    first = await _first_draft(of, said)
    is_recalled = row.state == "recalled"
    categories = first.categories if is_recalled else row.categories
    made = await _new_row(of, row.number + 1, categories)
    of.session.add(made)
    # One that was recalled is about another child: nothing of it is taken over.
    made.text, made.kept = (first.text, "") if is_recalled else (told, row.kept)
    made.check_again_at = None if is_recalled else row.check_again_at
    await of.session.flush()
    return made


@dataclass(frozen=True, slots=True)
class Sending:
    """How one recipient is reached, or that the note is held back from them and why."""

    person: UUID
    way: Way | None
    held_back: HeldBack | None = None
    why: str = ""


async def sign_off(of: NoteOf, sendings: Sequence[Sending], version: int) -> FamilyNote:
    """Sign the note off for its recipients; it is sent from now on. It stays as it is.

    Raises Invalid for a mark that is still open, a recipient without a way, or a note held back
    without a reason; Conflict where somebody saved in between.
    """
    row = await draft_row(of, version)
    told = told_text(of.access, row)
    if not (told or "").strip():
        raise Invalid.because("text", "Write the note first: there is nothing in it yet")
    if row.check_again_at is not None:
        raise Invalid.because("marks", READ_AGAIN)
    gets = await who_gets(of, row.categories)
    errors = [*_mark_errors(of, told or "", row), *_sending_errors(gets, sendings)]
    if errors:
        raise Invalid(tuple(errors))
    row.state = "signed_off"
    row.signed_off_at = of.session.info[NOW]
    row.signed_off_by = of.access.viewer.id
    by_person = {one.person: one for one in sendings}
    of.session.add_all(_delivery(row, one, by_person[one.who.person]) for one in gets)
    await of.session.flush()
    return row


def _mark_errors(of: NoteOf, told: str, row: FamilyNote) -> list[FieldError]:
    still = open_marks(of.marks(told), kept_marks(row))
    return [FieldError("marks", f"“{one.words}” {_what_to_do(one)}") for one in still]


def _what_to_do(mark: Mark) -> str:
    if mark.may_be_kept:
        return "is marked: take it out, or keep it with a reason"
    if mark.kind is MarkKind.PROTECTED:
        return "must come out: it is protected from a recipient"
    return "must come out: no address stays in this note"


def _sending_errors(gets: Sequence[WhoGets], sendings: Sequence[Sending]) -> list[FieldError]:
    by_person = {one.person: one for one in sendings}
    errors = []
    if not gets:
        errors.append(FieldError("marks", "Nobody is recorded who could be sent this note"))
    for place, one in enumerate(gets, 1):
        asked = by_person.get(one.who.person)
        if asked is None:
            errors.append(
                FieldError("marks", "The people who get this note have changed. Look again")
            )
        elif asked.held_back is not None and not asked.why.strip():
            errors.append(FieldError(f"why-{place}", "Say why the note is held back"))
        elif asked.held_back is None and asked.way is None:
            errors.append(FieldError(f"way-{place}", "Select how they are reached safely"))
    return errors


def _delivery(row: FamilyNote, gets: WhoGets, asked: Sending) -> NoteDelivery:
    made = NoteDelivery(
        child_id=row.child_id,
        note_id=row.id,
        person_id=gets.who.person,
        way=(asked.way or Way.LETTER).value,
        state="waiting" if asked.held_back is None else "held_back",
        held_back_test=None if asked.held_back is None else asked.held_back.value,
    )
    made.held_back_why = asked.why.strip() if asked.held_back is not None else ""
    return made


# The list of a meeting, and what is late --------------------------------------------------------


class NoteLine(msgspec.Struct):
    """One discussed child of a meeting and how far the note is: process facts alone."""

    child_id: UUID
    reference: str
    given_name: str | None
    family_name: str | None
    state: str | None
    """None before anything was saved."""
    due_on: date | None
    signed_off_at: datetime | None
    deliveries: tuple[str, ...] | None
    questions: int
    """Those that wait for a reply."""
    disagree: int
    incidents: int


_LINES = """
SELECT json_build_object('child_id', c.id, 'reference', c.reference,
  'given_name', encode(c.given_name, 'hex'), 'family_name', encode(c.family_name, 'hex'),
  'state', n.state, 'due_on', n.due_on, 'signed_off_at', n.signed_off_at,
  'deliveries', (SELECT json_agg(d.state ORDER BY d.id) FROM note_delivery d
     WHERE d.note_id = n.id),
  'questions', (SELECT count(*) FROM note_answer q JOIN family_note o ON o.id = q.note_id
     WHERE o.meeting_id = m.id AND o.child_id = c.id AND q.answer = 'question'
       AND q.replied_at IS NULL),
  'disagree', (SELECT count(*) FROM note_answer q JOIN family_note o ON o.id = q.note_id
     WHERE o.meeting_id = m.id AND o.child_id = c.id AND q.answer = 'disagree'),
  'incidents', (SELECT count(*) FROM incident x JOIN family_note o ON o.id = x.note_id
     WHERE o.meeting_id = m.id AND o.child_id = c.id AND x.state = 'open')
   + (SELECT count(*) FROM incident x JOIN (SELECT id FROM discussion WHERE meeting_id = m.id
        AND child_id = c.id UNION ALL SELECT id FROM action WHERE meeting_id = m.id
        AND child_id = c.id) e ON e.id = x.entry_id
      WHERE x.child_id = c.id AND x.state = 'open'))::text
FROM child_access a
JOIN agenda_item i ON i.child_id = a.child_id AND i.state = 'discussed'
JOIN meeting m ON m.id = i.meeting_id AND m.state = 'held' JOIN child c ON c.id = i.child_id
LEFT JOIN LATERAL (SELECT f.id, f.state, f.due_on, f.signed_off_at FROM family_note f
  WHERE f.meeting_id = m.id AND f.child_id = c.id ORDER BY f.number DESC LIMIT 1) n ON true
WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
  AND m.id = :meeting
  AND (:every OR EXISTS (SELECT 1 FROM lead_professional l WHERE l.child_id = c.id
    AND l.worker_id = :viewer AND {holds_today}))
ORDER BY i.position, c.id
"""
_READ_LINES = msgspec.json.Decoder(NoteLine)


async def notes_of_meeting(
    session: AsyncSession, meeting: Meeting, *, every: bool
) -> list[NoteLine]:
    """The discussed children within reach; `every` for who runs the panel, else those one leads."""
    rows = await session.execute(
        text(_LINES.replace("{holds_today}", HOLDS_TODAY)),
        {
            "viewer": session.info[VIEWER], "now": session.info[NOW], "meeting": meeting.id,
            "every": every, "today": today_of(session),
        },
    )  # fmt: skip
    return [_READ_LINES.decode(line) for (line,) in rows]


@dataclass(frozen=True, slots=True)
class NotesOwed:
    """The notes of one held meeting that are not signed off, or that somebody must see to."""

    panel_key: str
    held_on: date
    unsigned: int
    questions: int
    stuck: int
    """Copies that came back, or that the record does not let go."""
    due_on: date
    disagreements: int
    """What families did not agree with, or could not say, and nobody has replied to."""


# Of meetings before Panel only the day is known, and nobody owes their notes here. A panel that
# decides tells families by the letter about each decision, and owes no note beside it.
_OWED = """
SELECT o.panel_id, o.meeting_id, o.key, o.held_on, o.unsigned, o.questions, o.stuck,
  o.disagreements
FROM (SELECT p.id AS panel_id, m.id AS meeting_id, p.key, m.held_on,
    count(*) FILTER (WHERE COALESCE(n.state, 'draft') = 'draft' AND p.kind <> 'allocation')
      AS unsigned,
    COALESCE(sum(q.waiting), 0)::int AS questions,
    COALESCE(sum(q.disagreements), 0)::int AS disagreements, COALESCE(sum(d.stuck), 0)::int AS stuck
  FROM child_access a
  JOIN agenda_item i ON i.child_id = a.child_id AND i.state = 'discussed'
  JOIN meeting m ON m.id = i.meeting_id AND m.state = 'held' AND m.ended_at IS NOT NULL
  JOIN panel p ON p.id = m.panel_id
  LEFT JOIN LATERAL (SELECT f.id, f.state FROM family_note f WHERE f.meeting_id = m.id
    AND f.child_id = i.child_id ORDER BY f.number DESC LIMIT 1) n ON true
  LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE x.answer = 'question') AS waiting,
      count(*) FILTER (WHERE x.answer IN ('disagree', 'could_not_say')) AS disagreements
    FROM note_answer x JOIN family_note f ON f.id = x.note_id
    WHERE f.meeting_id = m.id AND f.child_id = i.child_id AND x.replied_at IS NULL) q ON true
  LEFT JOIN LATERAL (SELECT count(*) AS stuck FROM note_delivery y WHERE y.note_id = n.id
    AND (y.state = 'bounced'
      OR y.state = 'waiting' AND y.outbox_id IS NULL AND y.failure IS NOT NULL)) d ON true
  WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
    AND (p.id = ANY(:panels) OR EXISTS (SELECT 1 FROM lead_professional l
      WHERE l.child_id = i.child_id AND l.worker_id = :viewer AND {holds_today}))
  GROUP BY p.id, m.id, p.key, m.held_on) o
WHERE o.unsigned + o.questions + o.stuck + o.disagreements > 0
ORDER BY o.held_on, o.key
"""


async def notes_owed(session: AsyncSession, panels: Collection[UUID]) -> list[NotesOwed]:
    """What waits for the viewer: at the panels that they run, and for the children they lead."""
    rows = await session.execute(
        text(_OWED.replace("{holds_today}", HOLDS_TODAY)),
        {
            "viewer": session.info[VIEWER], "now": session.info[NOW], "panels": list(panels),
            "today": today_of(session),
        },
    )  # fmt: skip
    owed = []
    for row in rows.all():
        panel = await session.get_one(Panel, row.panel_id)
        meeting = await session.get_one(Meeting, row.meeting_id)
        owed.append(
            NotesOwed(
                row.key, row.held_on, row.unsigned, row.questions,
                row.stuck,
                await due_on(session, panel, meeting),
                row.disagreements,
            )
        )  # fmt: skip
    return owed
