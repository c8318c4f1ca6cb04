"""What the pages of work in bulk say. Tested without HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from panel.accounts.desk import IN_BULK as BASE
from panel.casework.bulk_models import BulkKind, BulkState, BulkStep, BulkWork, StepState
from panel.casework.bulk_rehearse import DayLine
from panel.casework.bulk_rules import LEFT_WORDS, may_undo
from panel.web import words

KIND_WORDS: Mapping[BulkKind, str] = {
    BulkKind.REASSIGN: "Plans given to colleagues",
    BulkKind.CLOSE: "Cases closed",
    BulkKind.MOVE_DAY: "A panel’s day moved",
}
STATE_WORDS: Mapping[BulkState, tuple[str, str]] = {
    BulkState.RUNNING: ("Under way", "blue"),
    BulkState.DONE: ("Done", "green"),
    BulkState.UNDOING: ("Being taken back", "blue"),
    BulkState.UNDONE: ("Taken back", "grey"),
}
STEP_WORDS: Mapping[StepState, str] = {
    StepState.WAITING: "Waits",
    StepState.DONE: "Done",
    StepState.LEFT: "Left as it was",
    StepState.UNDONE: "Taken back",
    StepState.KEPT: "Stays as it was done",
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One piece of work in bulk on the list."""

    href: str
    what: str
    ordered: str
    state: str
    colour: str
    counts: str


def work_row(work: BulkWork, counted: Mapping[StepState, int]) -> WorkRow:
    """One line of the list."""
    state, colour = STATE_WORDS[BulkState(work.state)]
    when = "" if work.confirmed_at is None else words.day_and_time(work.confirmed_at)
    what = KIND_WORDS[BulkKind(work.kind)]
    return WorkRow(f"{BASE}/of/{work.id}", what, when, state, colour, count_words(counted))


def count_words(counted: Mapping[StepState, int]) -> str:
    """How far it is, in figures: "48 done, 2 left as they were"."""
    said = {
        StepState.WAITING: "to do",
        StepState.DONE: "done",
        StepState.LEFT: "left as they were",
        StepState.UNDONE: "taken back",
        StepState.KEPT: "stay as they were done",
    }
    parts = [f"{words.number(counted[one])} {said[one]}" for one in said if counted.get(one)]
    return ", ".join(parts)


def undo_words(work: BulkWork, now: datetime) -> str:
    """Until when it can be taken back; empty where it cannot."""
    if work.undo_until is None or not may_undo(work.state, now, work.undo_until):
        return ""
    return f"You can take it back until {words.day_and_time(work.undo_until)}."


def step_row(
    step: BulkStep, about: str, people: Mapping[UUID, str], kind: BulkKind
) -> tuple[str, str, str]:
    """One step: whom it is about, what it does, what became of it."""
    what = "The case is closed"
    if kind is BulkKind.REASSIGN:
        former = people.get(UUID(step.before["worker"]), "")
        what = f"{former} to {people.get(UUID(step.facts['to']), '')}"
    elif kind is BulkKind.MOVE_DAY:
        what = f"To {_day(step.facts['to'])}"
    said = STEP_WORDS[StepState(step.state)]
    why = LEFT_WORDS.get(step.left_why, "")
    return about, what, f"{said}. {why}" if why else said


def _day(text: str) -> str:
    return words.day(datetime.fromisoformat(text).date())


def days_mark(lines: Sequence[DayLine]) -> str:
    """A mark of a rehearsal: another one where a meeting changed since."""
    said = repr([(one.meeting_id, one.version, one.to, bool(one.why_not)) for one in lines])
    return sha256(said.encode()).hexdigest()


def case_mark(before: Mapping[str, object]) -> str:
    """A mark of what was seen of a case."""
    return sha256(repr(sorted(before.items(), key=lambda one: one[0])).encode()).hexdigest()[:24]


def day_row(one: DayLine) -> tuple[str, str, str, str]:
    """One meeting of a rehearsal: from, to, what goes along, why not."""
    along = words.plural(one.reviews, "review finds its new day", "reviews find their new day")
    if one.packs_are_out:
        along = f"Its packs stay open, with the new day. {along}"
    return words.day(one.was_on), words.day(one.to), along if not one.why_not else "", one.why_not
