"""What the pages of minutes say, for the team and for the family."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from panel.impact.answers import AGREES_WORDS, AnswerLine, CopyLine, OwnMinutes
from panel.impact.minutes import MinutesPage
from panel.impact.views import Decided
from panel.panels.note_pages import MARK_WORDS
from panel.panels.note_sending import Letter
from panel.panels.reading_age import reading_age
from panel.web import words

AGREEING = tuple(AGREES_WORDS.items())
TESTS = {
    "serious_harm": "it could seriously harm somebody’s health",
    "childs_expectation": "the child said it expecting that they would not see it",
}


@dataclass(frozen=True, slots=True)
class MarkLine:
    """Something to look at before the minutes go."""

    number: int
    kind: str
    what: str
    words: str
    reason: str
    may_be_kept: bool


@dataclass(frozen=True, slots=True)
class MinutesView:
    """Everything that the page of the minutes says."""

    title: str
    lead: str
    base: str
    meeting_href: str
    version: int
    text: str
    may_read: bool
    is_draft: bool
    marks: Sequence[MarkLine]
    kept: Sequence[tuple[str, str]]
    age: str
    people: Sequence[tuple[str, str, str]]
    """(person, who, why nothing goes to them)."""
    decided: Sequence[Decided]
    copies: Sequence[tuple[str, str, str]]
    """(who, how far, more)."""
    answers: Sequence[tuple[str, str, str, str]]
    """(who and when, what they chose, in their words, their signature)."""


def minutes_page(
    found: MinutesPage, base: str, copies: Sequence[CopyLine], answers: Sequence[AnswerLine]
) -> MinutesView:
    """The minutes as they stand."""
    minutes = found.minutes
    lead = "A draft: the family has not read it."
    if minutes.sent_at is not None:
        lead = f"Sent to the family on {words.day_and_time(minutes.sent_at)}."
    text = minutes.text or ""
    return MinutesView(
        title=f"Minutes of {words.day(found.of.meeting.held_on)}",
        lead=lead,
        base=base,
        meeting_href=base.removesuffix("/minutes"),
        version=minutes.version,
        text=text,
        may_read=minutes.text is not None,
        is_draft=minutes.state == "draft",
        marks=[
            MarkLine(
                number, one.kind.value, MARK_WORDS[one.kind], one.words, one.reason, one.may_be_kept
            )
            for number, one in enumerate(found.open_marks, 1)
        ],
        kept=[(one.words, one.why) for one in minutes.kept],
        age=f"Reading age about {reading_age(text)}." if text else "",
        people=[
            (str(one.who.person), _who(one.name, one.who.relationship), one.refused)
            for one in found.for_whom
        ],
        decided=[one for one in found.decided if one.views or one.decisions],
        copies=[_copy(one) for one in copies],
        answers=[_answer(one) for one in answers],
    )


def _who(name: str, relationship: str) -> str:
    return ", ".join(part for part in (name, relationship) if part) or "The young person"


def _copy(one: CopyLine) -> tuple[str, str, str]:
    who = f"{one.who}, version {one.number}" if one.number > 1 else one.who
    if one.state == "held_back":
        why = "" if one.held_back_why is None else one.held_back_why
        return who, "Held back", f"Because {TESTS.get(one.held_back_test or '', '')}. {why}".strip()
    if one.opened_at is None:
        return who, "Can read it", "Not opened yet"
    return who, "Opened", words.day_and_time(one.opened_at)


def _answer(one: AnswerLine) -> tuple[str, str, str, str]:
    chosen = AGREES_WORDS.get(one.agrees or "", "A comment")
    said = "You cannot see this." if one.words is None else one.words
    signed = ""
    if one.signed_at is not None:
        name = "" if one.signed_name is None else f" as {one.signed_name}"
        signed = f"Signed{name} on {words.day_and_time(one.signed_at)}"
    return f"{one.who}, {words.day_and_time(one.said_at)}", chosen, said, signed


def letter_of(text: str, held_on: date, made_at: datetime, *, signed: str = "") -> Letter:
    """The minutes as a letter without an address, to print, keep or hand over."""
    body = f"{text}\n\n{signed}".strip()
    return Letter(f"Minutes of the meeting on {words.day(held_on)}", "", body, made_at)


# The family's page ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FamilyMinutes:
    """The minutes as one of the family reads them."""

    title: str
    paragraphs: Sequence[str]
    said: Sequence[tuple[str, str, str, str]]
    is_signed: bool
    action: str


def family_minutes(own: OwnMinutes) -> FamilyMinutes:
    """The page of one of the family."""
    return FamilyMinutes(
        title=f"Minutes of the meeting on {words.day(own.held_on)}",
        paragraphs=[part.strip() for part in own.text.split("\n\n") if part.strip()],
        said=[_answer(one) for one in own.answers],
        is_signed=own.signed is not None,
        action=family_path(own.child_id, own.id),
    )


def signed_words(own: OwnMinutes) -> str:
    """What stands under a copy that somebody keeps after signing."""
    if own.signed is None:
        return ""
    _, chosen, said, signed = _answer(own.signed)
    return "\n".join(part for part in (chosen, said, f"{signed}.") if part)


def family_path(child_id: UUID, minutes_id: UUID) -> str:
    """The address of minutes on a family's side."""
    return f"/family/{child_id}/minutes/{minutes_id}"
