"""What comes back: notes as one of the family reads them, their answers, replies, and incidents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import OF_THE_FAMILY, Category, ViewerKind
from panel.accounts.models import Worker
from panel.panels.note_models import FamilyNote, Incident, NoteAnswer, NoteDelivery
from panel.panels.note_rules import Answer, IncidentKind, Step
from panel.panels.note_sending import why_not_for
from panel.panels.telling import before_panel, tell_the_panel
from panel.platform.problems import Invalid, NotAllowed, NotFound, Problem
from panel.records.gate import NOT_HERE, Access
from panel.web.words import short_day, upper_first

READABLE = ("waiting", "sent", "bounced", "opened")
"""States of a delivery in which its person reads the note on their own page."""

ON_FIRST_PAGE = 10
MOST_NOTES = 100
"""Of one child and person that can be opened: at a meeting a fortnight, of four years and more."""

ANSWER_WORDS = {
    Answer.AGREE: "I agree with these notes.",
    Answer.DISAGREE: "I do not agree with these notes.",
    Answer.COULD_NOT_SAY: "I could not say what I wanted to say.",
    Answer.QUESTION: "I have a question.",
}


# What the family reads --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """What the reader said about a note, and what was replied."""

    answer: Answer
    text: str
    said_at: datetime
    reply: str
    replied_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnNote:
    """A note as its reader finds it on their own page."""

    id: UUID
    child_id: UUID
    held_on: date
    is_new: bool
    text: str
    replied: bool
    """Whether somebody replied to a question of theirs."""
    answers: Sequence[OwnAnswer] = ()
    """Theirs alone, oldest first; read with the note itself."""


class _OwnFact(msgspec.Struct):
    id: UUID
    delivery_id: UUID
    held_on: date
    opened_at: datetime | None
    replied: bool
    categories: tuple[str, ...]
    text: str | None


# Of several versions of one meeting's note the newest that reached this person.
_OWN = """
SELECT json_build_object('id', f.id, 'delivery_id', f.delivery_id, 'held_on', f.held_on,
  'opened_at', f.opened_at, 'categories', f.categories, 'text', encode(f.text, 'hex'),
  'replied', EXISTS (SELECT 1 FROM note_answer q WHERE q.note_id = f.id AND q.person_id = :viewer
    AND q.replied_at IS NOT NULL))::text
FROM (SELECT DISTINCT ON (n.meeting_id) n.id, d.id AS delivery_id, m.held_on, d.opened_at,
    n.categories, n.text
  FROM note_delivery d JOIN family_note n ON n.id = d.note_id JOIN meeting m ON m.id = n.meeting_id
  WHERE d.child_id = :child AND d.person_id = :viewer AND d.state = ANY(:states)
    AND n.state = 'signed_off'
  ORDER BY n.meeting_id, n.number DESC) f
ORDER BY f.held_on DESC, f.id LIMIT :most
"""
_READ_OWN = msgspec.json.Decoder(_OwnFact)


async def own_notes(access: Access, most: int = ON_FIRST_PAGE) -> list[OwnNote]:
    """The notes that this person was sent, newest first: what the gate lets them see of each."""
    rows = await access.session.execute(
        text(_OWN),
        {
            "child": access.child_id, "viewer": access.viewer.id, "states": list(READABLE),
            "most": most,
        },
    )  # fmt: skip
    found = []
    for (line,) in rows:
        fact = _READ_OWN.decode(line)
        if why_not_for(access, fact.categories):
            continue
        told = access.open_text(
            fact.text,
            "family_note.text",
            fact.id,
            Category.PANEL,
        )
        if told:
            found.append(
                OwnNote(
                    fact.id,
                    access.child_id,
                    fact.held_on,
                    fact.opened_at is None,
                    told,
                    fact.replied,
                )
            )
    return found


async def _own_answers(access: Access, note_id: UUID) -> list[OwnAnswer]:
    rows = await access.session.scalars(
        select(NoteAnswer)
        .where(NoteAnswer.note_id == note_id, NoteAnswer.person_id == access.viewer.id)
        .order_by(NoteAnswer.said_at, NoteAnswer.id)
    )
    return [
        OwnAnswer(Answer(one.answer), one.text, one.said_at, one.reply, one.replied_at)
        for one in rows
    ]


async def open_own_note(access: Access, note_id: UUID) -> OwnNote:
    """A note for its reader, who has opened it now. Raises NotFound for any that is not theirs."""
    note = next((one for one in await own_notes(access, MOST_NOTES) if one.id == note_id), None)
    if note is None:
        raise NotFound("There are no notes here for you.", "Go back to your own page.")
    delivery = await _delivery_of(access, note_id)
    if delivery.opened_at is None:
        delivery.opened_at = access.at
        delivery.state = "opened"
        await access.session.flush()
    return replace(note, answers=await _own_answers(access, note_id))


async def _delivery_of(access: Access, note_id: UUID) -> NoteDelivery:
    delivery = await access.session.scalar(
        select(NoteDelivery).where(
            NoteDelivery.note_id == note_id,
            NoteDelivery.person_id == access.viewer.id,
            NoteDelivery.child_id == access.child_id,
            NoteDelivery.state.in_(READABLE),
        )
    )
    if delivery is None:
        raise NotFound("There are no notes here for you.", "Go back to your own page.")
    return delivery


async def answer_note(access: Access, note_id: UUID, answer: Answer, said: str) -> NoteAnswer:
    """Keep what one of the family says about their note.

    A disagreement, and what somebody could not say, open the child's next discussion: they are kept
    as the family's words for it. Raises NotFound, NotAllowed for anybody else, Invalid for a
    question without words.
    """
    if access.viewer.kind is not ViewerKind.FAMILY or not access.ties & OF_THE_FAMILY:
        raise NotAllowed("Only this child’s family can answer here.")
    note = await open_own_note(access, note_id)
    said = said.strip()
    if answer is Answer.QUESTION and not said:
        raise Invalid.because("said", "Write your question")
    row = NoteAnswer(
        child_id=access.child_id,
        note_id=note_id,
        person_id=access.viewer.id,
        answer=answer.value,
        said_at=access.at,
    )
    row.text = said
    access.session.add(row)
    await access.session.flush()
    if answer in (Answer.DISAGREE, Answer.COULD_NOT_SAY) and await before_panel(access):
        about = f"About the notes of {short_day(note.held_on)}: {ANSWER_WORDS[answer]}"
        await tell_the_panel(access, f"{about}\n{said}".strip())
    return row


# What comes back to who wrote it -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One person's copy, for the log."""

    id: UUID
    number: int
    """Of the note's version."""
    person: UUID
    who: str
    way: str
    is_out: bool
    """Whether a message for it is in the outbox."""
    state: str
    held_back_test: str | None
    held_back_why: str | None
    """None where the viewer may not see it."""
    held_back_by: UUID
    sent_at: datetime | None
    opened_at: datetime | None
    bounced_at: datetime | None
    recalled_at: datetime | None
    failure: str


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """What one of the family said, for who wrote the note; a text is None where it is withheld."""

    id: UUID
    who: str
    answer: Answer
    text: str | None
    said_at: datetime
    reply: str | None
    replied_at: datetime | None


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """Something that went wrong, with its steps."""

    id: UUID
    kind: IncidentKind
    found_at: datetime
    what: str
    done: dict[Step, date]
    is_open: bool


@dataclass(frozen=True, slots=True)
class NoteLog:
    """Everything that happened to the notes of one child and meeting."""

    deliveries: Sequence[DeliveryLine]
    answers: Sequence[AnswerLine]
    incidents: Sequence[IncidentLine]


async def note_log(access: Access, meeting_id: UUID, names: dict[UUID, str]) -> NoteLog:
    """The log; `names` say who each person is, as the viewer may know it."""
    session = access.session
    notes = select(FamilyNote.id).where(
        FamilyNote.meeting_id == meeting_id, FamilyNote.child_id == access.child_id
    )
    deliveries = await session.execute(
        select(NoteDelivery, FamilyNote)
        .join(FamilyNote, FamilyNote.id == NoteDelivery.note_id)
        .where(NoteDelivery.note_id.in_(notes))
        .order_by(FamilyNote.number.desc(), NoteDelivery.id)
    )
    answers = await session.execute(
        select(NoteAnswer, Worker.agency_id)
        .outerjoin(Worker, Worker.id == NoteAnswer.replied_by)
        .where(NoteAnswer.note_id.in_(notes))
        .order_by(NoteAnswer.said_at.desc(), NoteAnswer.id)
    )
    incidents = await session.execute(
        select(Incident, Worker.agency_id)
        .outerjoin(Worker, Worker.id == Incident.created_by)
        .where(Incident.note_id.in_(notes))
        .order_by(Incident.found_at, Incident.id)
    )
    return NoteLog(
        [_delivery_line(access, one, note, names) for one, note in deliveries.all()],
        [_answer_line(access, one, replied, names) for one, replied in answers.all()],
        [_incident_line(access, one, found) for one, found in incidents.all()],
    )


def who_words(person: UUID, names: dict[UUID, str]) -> str:
    """Who somebody is; of whom nothing may be known, one of the family."""
    return upper_first(names.get(person, "")) or "One of the family"


def _delivery_line(
    access: Access, row: NoteDelivery, note: FamilyNote, names: dict[UUID, str]
) -> DeliveryLine:
    sees = access.may(Category.PANEL, note.author_agency_id)
    return DeliveryLine(
        row.id, note.number, row.person_id, who_words(row.person_id, names), row.way,
        row.outbox_id is not None, row.state, row.held_back_test,
        row.held_back_why if sees else None, row.created_by, row.sent_at, row.opened_at,
        row.bounced_at, row.recalled_at, row.failure or "",
    )  # fmt: skip


def _answer_line(
    access: Access, row: NoteAnswer, replied_for: UUID | None, names: dict[UUID, str]
) -> AnswerLine:
    """`replied_for`: the agency whose worker replied."""
    sees = access.may(Category.VIEWS, None, row.person_id)
    # A reply says again what it replies to.
    replied = (sees and access.may(Category.PANEL, replied_for)) or (
        row.replied_by == access.viewer.id
    )
    return AnswerLine(
        row.id, who_words(row.person_id, names), Answer(row.answer), row.text if sees else None,
        row.said_at, row.reply if replied or row.replied_at is None else None, row.replied_at,
    )  # fmt: skip


def _incident_line(access: Access, row: Incident, found_by: UUID | None) -> IncidentLine:
    """`found_by`: the agency whose worker wrote down what went wrong."""
    sees = access.may(Category.PANEL, found_by)
    return IncidentLine(
        row.id,
        IncidentKind(row.kind),
        row.found_at,
        row.what if sees else "",
        steps_done(row),
        is_open=row.state == "open",
    )


def steps_done(incident: Incident) -> dict[Step, date]:
    """The steps of an incident that were taken, each with its day."""
    return {Step(code): date.fromisoformat(day) for code, day in incident.steps.items()}


async def _of_meeting(access: Access, note_id: UUID, meeting_id: UUID) -> FamilyNote:
    note = await access.session.get(FamilyNote, note_id)
    if note is None or note.child_id != access.child_id or note.meeting_id != meeting_id:
        raise NotFound(NOT_HERE)
    return note


async def delivery_of(access: Access, meeting_id: UUID, delivery_id: UUID) -> NoteDelivery:
    """One person's copy of a note of this child and meeting. Raises NotFound."""
    row = await access.session.get(NoteDelivery, delivery_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    await _of_meeting(access, row.note_id, meeting_id)
    return row


async def reply_to(access: Access, meeting_id: UUID, answer_id: UUID, reply: str) -> None:
    """Reply to what one of the family said; they read it beside their own words."""
    row = await access.session.get(NoteAnswer, answer_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    await _of_meeting(access, row.note_id, meeting_id)
    if not access.may(Category.VIEWS, None, row.person_id):
        raise NotAllowed("You cannot see what they wrote, so you cannot reply to it.")
    if row.replied_at is not None:
        raise Problem(409, "This was answered", "Somebody replied to this already.", "Read it.")
    row.reply, row.replied_at, row.replied_by = reply, access.at, access.viewer.id
    await access.session.flush()


# It went wrong ----------------------------------------------------------------------------------


async def recall(
    access: Access, meeting_id: UUID, delivery_id: UUID, kind: IncidentKind, what: str
) -> Incident:
    """A note went to the wrong person or address, or speaks of another child.

    Its copy is closed at once; of a note about another child every copy is. What happened is kept,
    with the steps that follow; nothing is deleted. A message that still waits is not sent.
    """
    row = await delivery_of(access, meeting_id, delivery_id)
    if row.state in ("recalled", "held_back"):
        raise Problem(409, "This was recalled", "This copy is closed already.", "Read the log.")
    note = await access.session.get_one(FamilyNote, row.note_id)
    copies = [row]
    if kind is IncidentKind.WRONG_CHILD:
        note.state = "recalled"
        copies = await _open_copies(access.session, note.id)
    for copy in copies:
        copy.state, copy.recalled_at = "recalled", access.at
    made = Incident(
        child_id=access.child_id,
        note_id=note.id,
        person_id=row.person_id,
        kind=kind.value,
        found_on=access.today,
        found_at=access.at,
        steps={Step.STOPPED.value: access.today.isoformat()},
    )
    made.what = what
    access.session.add(made)
    await access.session.flush()
    return made


async def _open_copies(session: AsyncSession, note_id: UUID) -> list[NoteDelivery]:
    rows = await session.scalars(
        select(NoteDelivery).where(
            NoteDelivery.note_id == note_id, NoteDelivery.state.in_(READABLE)
        )
    )
    return list(rows)


async def take_step(access: Access, meeting_id: UUID, incident_id: UUID, step: Step) -> None:
    """A step of an incident is done today; with the last one it is closed."""
    row = await access.session.get(Incident, incident_id)
    if row is None or row.child_id != access.child_id or row.note_id is None:
        raise NotFound(NOT_HERE)
    await _of_meeting(access, row.note_id, meeting_id)
    await step_taken(access, row, step)


async def step_taken(access: Access, incident: Incident, step: Step) -> None:
    """Write a step of an incident down as done today; with the last one it is closed.

    Two people may take two steps at once: the second waits for the first, and both are kept.
    """
    await access.session.refresh(incident, with_for_update=True)
    incident.steps = {step.value: access.today.isoformat(), **incident.steps}
    if all(one.value in incident.steps for one in Step):
        incident.state = "closed"
    await access.session.flush()
