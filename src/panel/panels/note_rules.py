"""The rules of notes to parents: who gets them and how, by when, what may be signed off, steps.

Pure. Source: DOMAIN.md, "Parents' notes" and CONTACTS; the steps of an incident follow UK GDPR
Articles 33 and 34.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from consent import Basis, Category, ChildStanding, Decision, holds_responsibility
from consent.standing import AGE_OF_OWN_AGREEMENT, has_reached
from panel.panels.note_marks import Mark, kept_as
from panel.web import words

LONGEST_NOTE = 20_000
LONGEST_REASON = 1_000
TO_REPORT = timedelta(hours=72)
"""How long after it is found a breach is reported to the ICO (UK GDPR Article 33)."""


class Way(StrEnum):
    """How a note reaches somebody."""

    EMAIL = "email"
    """Says that notes are ready and where to read them; nothing of the child."""
    LETTER = "letter"
    """Holds the note; posted, or handed over."""


class HeldBack(StrEnum):
    """The only tests by which a note is held back from somebody (DPA 2018, Schedule 3)."""

    SERIOUS_HARM = "serious_harm"
    CHILDS_EXPECTATION = "childs_expectation"


class Answer(StrEnum):
    """What one of the family says about a note."""

    AGREE = "agree"
    DISAGREE = "disagree"
    COULD_NOT_SAY = "could_not_say"
    QUESTION = "question"


class IncidentKind(StrEnum):
    """What went wrong with a note, or with what was written at a meeting."""

    WRONG_PERSON = "wrong_person"
    WRONG_ADDRESS = "wrong_address"
    WRONG_CHILD = "wrong_child"


class Step(StrEnum):
    """What is done about an incident, in this order."""

    STOPPED = "stopped"
    TOLD_GOVERNANCE = "told_governance"
    TOLD_FAMILY = "told_family"
    ASKED_BACK = "asked_back"
    DECIDED_ICO = "decided_ico"
    PUT_RIGHT = "put_right"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who gets the notes in their own right; `is_self` for the young person."""

    person: UUID
    relationship: str
    is_self: bool = False


def recipients(
    child: ChildStanding, ties: Iterable[tuple[UUID, str]], day: date
) -> tuple[Recipient, ...]:
    """Each person with parental responsibility on the day, and a young person from 16 on.

    `ties` are (person, relationship), as they are recorded.
    """
    found: dict[UUID, Recipient] = {}
    for person, relationship in ties:
        if person not in found and holds_responsibility(person, child, day):
            found[person] = Recipient(person, relationship)
    own = [Recipient(child.child, "", is_self=True)]
    return (
        *(own if has_reached(child.born, AGE_OF_OWN_AGREEMENT, day) else ()),
        *found.values(),
    )


_SAYS_EMAIL = frozenset({"e-mail", "email", "by e-mail", "by email"})
_SAYS_LETTER = frozenset({"letter", "post", "by letter", "by post"})


def usual_way(*, has_email: bool, safe_contact: str) -> Way | None:
    """How a note goes to somebody unless a person says otherwise.

    None where words are kept on how to reach them safely that only a person can judge.
    """
    said = safe_contact.strip().rstrip(".").casefold()
    if not said:
        return Way.EMAIL if has_email else Way.LETTER
    if said in _SAYS_LETTER:
        return Way.LETTER
    return Way.EMAIL if said in _SAYS_EMAIL and has_email else None


def why_not_sent(decisions: Mapping[Category, Decision], categories: Iterable[str]) -> str:
    """Why somebody may not be sent a note that was drafted from these; empty where they may."""
    if not decisions:
        return "This person is not tied to the child in the record now, so nothing was sent."
    asked = {Category.PANEL, *(Category(one) for one in categories)}
    if all(decisions[one].permitted for one in asked):
        return ""
    return (
        "Something that this note was drafted from is withheld from this person, so it was not"
        " sent. Look at the sharing page, and write a note without it."
    )


def is_protected(decisions: Mapping[Category, Decision], category: Category) -> bool:
    """Whether a category is withheld from somebody by a protection or a court."""
    decision = decisions.get(category)
    return (
        decision is not None
        and not decision.permitted
        and decision.basis in (Basis.PROTECTION, Basis.COURT_ORDER)
    )


# Marks that stay ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """Something marked that stays in the note, and why."""

    kind: str
    words: str
    why: str

    @property
    def key(self) -> tuple[str, str]:
        """As `Mark.key`."""
        return (kept_as(self.kind), self.words)


def open_marks(found: Sequence[Mark], kept: Iterable[Kept]) -> list[Mark]:
    """The marks that keep a note from being signed off: neither removed nor kept with a reason."""
    settled = {one.key for one in kept}
    return [mark for mark in found if not mark.may_be_kept or mark.key not in settled]


# By when --------------------------------------------------------------------------------------


def lateness(due_on: date, today: date, signed_off_on: date | None) -> str:
    """How a note stands against its day: "2 days late", "due today", "signed off in time"."""
    if signed_off_on is not None:
        late = (signed_off_on - due_on).days
        return "signed off in time" if late <= 0 else f"signed off {words.plural(late, 'day')} late"
    left = (due_on - today).days
    if left < 0:
        return f"{words.plural(-left, 'day')} late"
    return "due today" if left == 0 else f"due {words.relative_day(due_on, today)}"


def ico_is_settled(done: Collection[Step], *, is_open: bool) -> bool:
    """Whether nobody waits any more for the decision to tell the ICO of an incident."""
    return Step.DECIDED_ICO in done or not is_open


def report_by(found_at: datetime) -> datetime:
    """Until when the ICO is told, where it must be told."""
    return found_at + TO_REPORT


# The draft ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DraftAction:
    """Something that somebody will do."""

    what: str
    who: str
    by: date | None


@dataclass(frozen=True, slots=True)
class DraftFacts:
    """What a note is drafted from: only what the writer may see."""

    child: str
    meeting_on: date
    said: tuple[str, ...]
    """The contributions that were marked for the family, in the order in which they were made."""
    actions: tuple[DraftAction, ...] = ()
    helpers: tuple[tuple[str, date | None], ...] = ()
    """(who, from when) of those who will be involved."""
    next_on: date | None = None
    """The meeting at which the panel talks about the child again."""
    next_by: date | None = None
    """By when, where no meeting is set."""


def draft(facts: DraftFacts) -> str:
    """The family's version to begin with: plain sentences, for a person to finish."""
    parts = [f"On {words.day(facts.meeting_on)} the panel talked about {facts.child}.", *facts.said]
    if facts.actions:
        parts.append("\n".join(["What will happen:", *map(_action_line, facts.actions)]))
    if facts.helpers:
        parts.append("\n".join(["Who will help:", *map(_helper_line, facts.helpers)]))
    if facts.next_on is not None:
        parts.append(
            f"The panel will talk about {facts.child} again on {words.day(facts.next_on)}."
        )
    elif facts.next_by is not None:
        by = words.short_day(facts.next_by)
        parts.append(f"The panel will talk about {facts.child} again by {by}.")
    return "\n\n".join(part.strip() for part in parts if part.strip())


def _action_line(action: DraftAction) -> str:
    who = f" – {action.who}" if action.who else ""
    by = f", by {words.short_day(action.by)}" if action.by else ""
    return f"- {action.what.rstrip('. ')}{who}{by}."


def _helper_line(helper: tuple[str, date | None]) -> str:
    who, start = helper
    return f"- {who}, from {words.short_day(start)}." if start else f"- {who}."


# What is sent ---------------------------------------------------------------------------------

SUBJECT = "New notes are ready for you"
RING_WHOM_YOU_KNOW = "If you have a question, ask the people you know who help."


def ring_words(name: str, phone: str, agency: str) -> str:
    """Whom to ring; for somebody who may not know who helps, those whom they know already."""
    if not name:
        return RING_WHOM_YOU_KNOW
    if phone:
        return f"If you have a question, ring {name} on {phone}."
    return f"If you have a question, ask for {name} at {agency}."


def email_words(site_url: str, ring: str) -> str:
    """An e-mail that holds nothing of a child, whoever reads it over somebody's shoulder."""
    return (
        "There are new notes for you to read.\n\n"
        f"To read them, sign in here: {site_url}/family\n\n{ring}\n\n"
        "If this is not for you, tell us and delete it.\n"
    )


def letter_words(text: str, ring: str) -> str:
    """The note as a letter says it, with whom to ask."""
    return f"{text}\n\n{ring}\n\nIf something here is wrong, or you do not agree, please tell us."
