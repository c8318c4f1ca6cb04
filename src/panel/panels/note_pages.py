"""What the pages of notes say; tested without HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from panel.panels.note_answers import (
    ANSWER_WORDS,
    READABLE,
    AnswerLine,
    DeliveryLine,
    IncidentLine,
    NoteLog,
    OwnNote,
)
from panel.panels.note_marks import Mark, MarkKind
from panel.panels.note_rules import (
    Answer,
    HeldBack,
    IncidentKind,
    Step,
    Way,
    ico_is_settled,
    lateness,
    report_by,
)
from panel.panels.notes import NoteLine, NotePage, NotesOwed, WhoGets
from panel.panels.reading_age import AIM, TOO_HARD, reading_age
from panel.platform.clock import day_of
from panel.records.gate import Access
from panel.web import words

MARK_WORDS = {
    MarkKind.PROTECTED: "Protected",
    MarkKind.NHS_NUMBER: "NHS number",
    MarkKind.EMAIL: "E-mail address",
    MarkKind.ADDRESS: "Address",
    MarkKind.PHONE: "Telephone number",
    MarkKind.OTHER_CHILD: "Another child",
    MarkKind.THIRD_PARTY: "Somebody else",
    MarkKind.JARGON: "Not plain",
}
WAY_WORDS = {Way.EMAIL: "by e-mail", Way.LETTER: "by letter"}
HELD_BACK_WORDS = {
    HeldBack.SERIOUS_HARM: "Reading it could seriously harm somebody's physical or mental health",
    HeldBack.CHILDS_EXPECTATION: "The child said it and expected this person not to see it",
}
STATE_WORDS = {
    "held_back": ("Held back", "red"),
    "waiting": ("Waiting", "grey"),
    "sent": ("Sent", "teal"),
    "bounced": ("Came back", "red"),
    "opened": ("Opened", "green"),
    "recalled": ("Recalled", "orange"),
}
INCIDENT_WORDS = {
    IncidentKind.WRONG_PERSON: "It went to the wrong person",
    IncidentKind.WRONG_ADDRESS: "It went to a wrong address",
    IncidentKind.WRONG_CHILD: "It is about another child",
}
STEP_WORDS = {
    Step.STOPPED: "Close the copy, so that it can no longer be read here",
    Step.TOLD_GOVERNANCE: "Tell the information governance lead",
    Step.TOLD_FAMILY: "Tell the family whose note it was",
    Step.ASKED_BACK: "Ask for the copy back, or that it is destroyed, and write down the answer",
    Step.DECIDED_ICO: "With the information governance lead, decide whether to tell the ICO",
    Step.PUT_RIGHT: "Put the contact details right",
}
ANSWER_TAGS = {
    Answer.AGREE: ("Agrees", "green"),
    Answer.DISAGREE: ("Does not agree", "red"),
    Answer.COULD_NOT_SAY: ("Could not say", "orange"),
    Answer.QUESTION: ("Question", "purple"),
}
EXCERPT = 40
"""Characters on each side of a marked place."""


def address_of(key: str, held_on: date) -> str:
    """Where the notes of a meeting are."""
    return f"/panels/{key}/{held_on}/notes"


# The list of a meeting --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListRow:
    """One child and how far the note is."""

    name: str
    href: str
    tag: tuple[str, str]
    by_when: str
    sent: str
    came_back: str


def list_row(
    line: NoteLine, access: Access | None, name: str, due_on: date, today: date, address: str
) -> ListRow:
    """One row of the list; `name` as the viewer may know it."""
    signed = None if line.signed_off_at is None else day_of(line.signed_off_at)
    is_open = line.state in (None, "draft")
    late = is_open and due_on < today
    tag = {
        None: ("Not begun", "grey"),
        "draft": ("Being written", ""),
        "signed_off": ("Signed off", "green"),
        "recalled": ("Recalled", "orange"),
    }[line.state]
    counted = [
        (count, words_of(state)) for state in STATE_WORDS
        if (count := (line.deliveries or ()).count(state))
    ]  # fmt: skip
    back = [
        words.plural(line.questions, "question to answer", "questions to answer")
        if line.questions
        else "",
        words.plural(line.disagree, "disagreement") if line.disagree else "",
        words.plural(line.incidents, "incident open", "incidents open") if line.incidents else "",
    ]
    return ListRow(
        name,
        f"{address}/{line.child_id}" if access is not None else "",
        ("Late", "red") if late else tag,
        words.upper_first(lateness(due_on, today, signed)),
        ", ".join(f"{count} {said}" for count, said in counted),
        ", ".join(part for part in back if part),
    )


def words_of(state: str) -> str:
    """A delivery's state inside a sentence."""
    return words.lower_first(STATE_WORDS[state][0])


def list_lead(due_on: date, today: date) -> str:
    """What to do with the notes of a meeting, and by when."""
    return (
        "Each family is sent notes of the discussion of their own child by "
        f"{words.day_and_distance(due_on, today)}."
    )


# What is owed, on first pages -------------------------------------------------------------------


def owed_figures(owed: Sequence[NotesOwed], today: date) -> list[tuple[int, str, str]]:
    """Counts that link to their list: notes overdue, to sign off, not delivered, questions."""
    figures: list[tuple[int, str, str]] = []
    for one in owed:
        href = address_of(one.panel_key, one.held_on)
        day = words.short_day(one.held_on)
        if one.unsigned:
            late = (today - one.due_on).days
            noun = "note" if one.unsigned == 1 else "notes"
            how = (
                f"overdue by {words.plural(late, 'day')}"
                if late > 0
                else f"to sign off by {words.short_day(one.due_on)}"
            )
            figures.append((one.unsigned, f"{noun} of {day} {how}", href))
        if one.stuck:
            noun = "copy" if one.stuck == 1 else "copies"
            figures.append((one.stuck, f"{noun} not delivered, of the notes of {day}", href))
        if one.questions:
            noun = "question" if one.questions == 1 else "questions"
            figures.append((one.questions, f"{noun} from families, about the notes of {day}", href))
        if one.disagreements:
            said = "family disagrees" if one.disagreements == 1 else "families disagree"
            what = f"{said} or could not say, about the notes of {day}"
            figures.append((one.disagreements, what, href))
    return figures


# The page of a note -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A marked place: where, why, what to do."""

    number: int
    kind: str
    what: str
    words: str
    where: str
    before: str
    after: str
    reason: str
    may_be_kept: bool
    kept_why: str


@dataclass(frozen=True, slots=True)
class ContributionRow:
    """A contribution of the discussion."""

    who: str
    text: str
    for_family: bool


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """Somebody who gets the note, on the page that signs it off."""

    place: int
    person: UUID
    who: str
    way: str
    """"" where a person must choose."""
    how: str
    refused: str


@dataclass(frozen=True, slots=True)
class WritePage:
    """The page on which a note is written."""

    name: str
    day: date
    lead: str
    base: str
    version: int
    text: str
    number: int
    is_draft: bool
    is_recalled: bool
    signed_words: str
    said: Sequence[ContributionRow]
    not_shown: str
    pieces: Sequence[tuple[str, int]]
    """The text in pieces, each with the number of its mark or 0."""
    open_marks: Sequence[MarkRow]
    kept_marks: Sequence[MarkRow]
    age_words: str
    recipients: Sequence[RecipientRow]
    may_read: bool
    check_again: bool
    """It is to be read once more: something that it was drafted from was about another child."""
    child_id: UUID


def write_page(found: NotePage, base: str, name: str, signed_by: str, today: date) -> WritePage:
    """The page of a note as it stands."""
    note = found.note
    still = {id(mark) for mark in found.open_marks}
    kept = {one.key: one.why for one in note.kept}
    rows = [
        _mark_row(number, mark, note.text, kept.get(mark.key, ""))
        for number, mark in enumerate(found.marks, 1)
    ]
    is_open = [id(mark) in still for mark in found.marks]
    signed = None if note.signed_off_at is None else day_of(note.signed_off_at)
    age = reading_age(note.text)
    return WritePage(
        name=name,
        day=found.of.meeting.held_on,
        lead=_due_words(found.due_on, today, signed),
        base=base,
        version=note.version,
        text=note.text,
        number=note.number,
        is_draft=note.state == "draft",
        is_recalled=note.state == "recalled",
        signed_words=""
        if signed is None
        else f"Version {note.number}, signed off by {signed_by or 'somebody who has left'}"
        f" on {words.short_day(signed)}.",
        said=[ContributionRow(one.who, one.text, one.for_family) for one in found.contributions],
        not_shown=""
        if not found.not_shown
        else " ".join(
            [
                f"Not shown: {words.plural(len(found.not_shown), 'contribution')}.",
                *(one.sentence for one in found.of.access.withheld_of(found.not_shown)),
            ]
        ),
        pieces=_pieces(note.text, found.marks),
        open_marks=[row for row, opened in zip(rows, is_open, strict=True) if opened],
        kept_marks=[row for row, opened in zip(rows, is_open, strict=True) if not opened],
        age_words=f"Reading age about {age}."
        + ("" if age <= TOO_HARD else f" Aim for {AIM}: shorter words and shorter sentences."),
        recipients=[_recipient_row(place, one) for place, one in enumerate(found.who_gets, 1)],
        may_read=found.may_read,
        check_again=note.check_again and found.may_read,
        child_id=found.of.access.child_id,
    )


def _due_words(due_on: date, today: date, signed: date | None) -> str:
    if signed is None and due_on >= today:
        return f"Due on {words.day_and_distance(due_on, today)}."
    how = words.upper_first(lateness(due_on, today, signed))
    return f"{how}. It was due on {words.day(due_on)}."


def _mark_row(number: int, mark: Mark, text: str, why: str) -> MarkRow:
    start = text.rfind("\n", 0, mark.start) + 1
    end = text.find("\n", mark.end)
    line_end = len(text) if end < 0 else end
    first = _word_from(text, start, mark.start - EXCERPT)
    last = _word_to(text, line_end, mark.end + EXCERPT)
    before = ("…" if first > start else "") + text[first : mark.start]
    after = text[mark.end : last] + ("…" if last < line_end else "")
    return MarkRow(
        number,
        mark.kind.value,
        MARK_WORDS[mark.kind],
        mark.words,
        f"line {text.count(chr(10), 0, mark.start) + 1}",
        before,
        after,
        mark.reason,
        mark.may_be_kept,
        why,
    )


def _word_from(text: str, start: int, at: int) -> int:
    """Where an excerpt begins: at a word, not before the line."""
    if at <= start:
        return start
    space = text.find(" ", at, at + EXCERPT)
    return at if space < 0 else space + 1


def _word_to(text: str, end: int, at: int) -> int:
    """Where an excerpt ends: after a word, not after the line."""
    if at >= end:
        return end
    space = text.rfind(" ", at - EXCERPT, at)
    return at if space < 0 else space


def _pieces(text: str, found: Sequence[Mark]) -> list[tuple[str, int]]:
    pieces: list[tuple[str, int]] = []
    at = 0
    for number, mark in enumerate(found, 1):
        pieces += [(text[at : mark.start], 0), (text[mark.start : mark.end], number)]
        at = mark.end
    return [piece for piece in (*pieces, (text[at:], 0)) if piece[0]]


def recipient_words(one: WhoGets) -> str:
    """Who it is: "Marta Plover, mother"; "The young person"."""
    if one.who.is_self:
        return "The young person"
    parts = (one.name, words.lower_first(one.who.relationship) if one.name else
             words.upper_first(one.who.relationship))  # fmt: skip
    return ", ".join(part for part in parts if part) or "One of the family"


def safely_words(said: str | None) -> str:
    """How to reach somebody safely, before a person chooses; None is for who may not see it."""
    if said is None:
        return (
            "Words are kept on how to reach them safely, and you cannot see them. Ask the lead"
            " professional or the coordinator, then choose."
        )
    return f"How to reach them safely: {said}" if said else ""


def _recipient_row(place: int, one: WhoGets) -> RecipientRow:
    if one.who.is_self:
        how = "By letter to their own address, and on their own page."
    elif one.way is not None:
        how = f"{words.upper_first(WAY_WORDS[one.way])}, by their own contact details."
    else:
        how = safely_words(one.safe_contact or None)
    return RecipientRow(
        place,
        one.who.person,
        recipient_words(one),
        "" if one.way is None else one.way.value,
        how,
        one.refused,
    )


# The log ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogRow:
    """One copy in the log."""

    id: UUID
    who: str
    tag: tuple[str, str]
    how: str
    version: str
    when: str
    trouble: str
    has_letter: bool
    """Whether there is a letter to print."""
    may_send_again: bool
    may_post: bool
    may_recall: bool


@dataclass(frozen=True, slots=True)
class BackRow:
    """What one of the family said."""

    id: UUID
    who: str
    tag: tuple[str, str]
    when: str
    text: str
    reply: str
    waits: bool


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident and its steps: (code, words, day on which it was done or "")."""

    id: UUID
    title: str
    clock: str
    what: str
    steps: Sequence[tuple[str, str, str]]
    is_open: bool


@dataclass(frozen=True, slots=True)
class LogPage:
    """Everything that happened."""

    deliveries: Sequence[LogRow]
    answers: Sequence[BackRow]
    incidents: Sequence[IncidentRow]


def log_page(log: NoteLog, writers: Mapping[UUID, str], now: datetime) -> LogPage:
    """The log in words; `writers` are the names of workers."""
    return LogPage(
        [_log_row(one, writers) for one in log.deliveries],
        [_back_row(one) for one in log.answers],
        [_incident_row(one, now) for one in log.incidents],
    )


def _log_row(one: DeliveryLine, writers: Mapping[UUID, str]) -> LogRow:
    moments = (
        ("Sent", one.sent_at),
        ("Opened", one.opened_at),
        ("Came back", one.bounced_at),
        ("Recalled", one.recalled_at),
    )
    when = ". ".join(f"{said} {words.day_and_time(at)}" for said, at in moments if at is not None)
    is_letter = one.way == Way.LETTER
    may_post = (
        is_letter and one.state in ("waiting", "opened") and one.sent_at is None and not one.failure
    )
    has_not_gone = one.state == "waiting" and not one.is_out and bool(one.failure)
    return LogRow(
        id=one.id,
        who=one.who,
        tag=STATE_WORDS[one.state],
        how="" if one.state == "held_back" else words.upper_first(WAY_WORDS[Way(one.way)]),
        version=f"Version {one.number}",
        when=when,
        trouble=_held_back_words(one, writers) if one.state == "held_back" else one.failure,
        has_letter=may_post or (is_letter and bool(when)),
        may_send_again=one.state == "bounced" or has_not_gone,
        may_post=may_post,
        may_recall=one.state in READABLE,
    )


def _held_back_words(one: DeliveryLine, writers: Mapping[UUID, str]) -> str:
    """By which test a copy is held back, why, and by whom."""
    if one.held_back_test is None:
        return one.failure
    why = "" if one.held_back_why is None else f" {one.held_back_why}"
    by = writers.get(one.held_back_by, "")
    said = f"{HELD_BACK_WORDS[HeldBack(one.held_back_test)]}.{why}"
    return f"{said} Held back by {by}." if by else said


def _back_row(one: AnswerLine) -> BackRow:
    return BackRow(
        one.id,
        one.who,
        ANSWER_TAGS[one.answer],
        words.day_and_time(one.said_at),
        "What they wrote is not shared with you." if one.text is None else one.text,
        "It is not shared with you." if one.reply is None else one.reply,
        one.text is not None and one.replied_at is None and one.answer is not Answer.AGREE,
    )


def clock_words(found_at: datetime, now: datetime, *, is_settled: bool) -> str:
    """When a breach was found, and how long there is to tell the ICO unless that is settled."""
    until = report_by(found_at)
    hours = int((until - now).total_seconds() // 3600)
    found = f"Found {words.day_and_time(found_at)}."
    if is_settled:
        return found
    if hours >= 0:
        return (
            f"{found} If the ICO must be told, it is until"
            f" {words.day_and_time(until)}: {words.plural(hours, 'hour')} left of 72."
        )
    return (
        f"{found} The 72 hours to tell the ICO ended on"
        f" {words.day_and_time(until)}: tell them why it is late."
    )


def _incident_row(one: IncidentLine, now: datetime) -> IncidentRow:
    is_settled = ico_is_settled(one.done, is_open=one.is_open)
    return IncidentRow(
        one.id,
        INCIDENT_WORDS[one.kind],
        clock_words(one.found_at, now, is_settled=is_settled),
        one.what,
        step_rows(STEP_WORDS, one.done),
        one.is_open,
    )


def step_rows(said: Mapping[Step, str], done: Mapping[Step, date]) -> list[tuple[str, str, str]]:
    """The steps of an incident: (code, words, the day on which it was done or "")."""
    return [
        (step.value, said[step], words.short_day(done[step]) if step in done else "")
        for step in Step
    ]


# As the family reads it -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FamilyNotePage:
    """A note as its reader sees it; the preview shows the same."""

    title: str
    name: str
    paragraphs: Sequence[str]
    said: Sequence[tuple[str, str, str, str]]
    """(when, what they chose, their words, the reply)."""
    answers: Sequence[tuple[str, str]]
    action: str


def family_title(held_on: date) -> str:
    """How a note is called."""
    return f"Notes from the panel on {words.day(held_on)}"


def family_note_page(note: OwnNote, name: str) -> FamilyNotePage:
    """A note that somebody of the family opened."""
    return FamilyNotePage(
        family_title(note.held_on),
        name,
        _paragraphs(note.text),
        [
            (words.day_and_time(one.said_at), ANSWER_WORDS[one.answer], one.text, one.reply)
            for one in note.answers
        ],
        ANSWER_CHOICES,
        f"/family/{note.child_id}/notes/{note.id}",
    )


ANSWER_CHOICES = tuple((answer.value, said) for answer, said in ANSWER_WORDS.items())


def preview_page(text: str, held_on: date, name: str) -> FamilyNotePage:
    """The same page before anything is sent."""
    return FamilyNotePage(family_title(held_on), name, _paragraphs(text), [], ANSWER_CHOICES, "")


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n\n") if part.strip()]
