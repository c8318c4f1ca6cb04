"""What a child's chronology says of each thing that happened, and in which order.

Pure. An entry is either somebody's own (a significant event) or follows from the process: a step, a
panel, a plan that was agreed, another lead professional, a move. Source: DOMAIN.md; PAGES.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from consent import Category
from panel.casework.transition_rules import KIND_WORDS
from panel.register.history import CLOSURE_WORDS, EVENT_KINDS, LEVEL_WORDS
from panel.web.paging import Asked, Direction

Order = Literal["newest", "oldest"]
Reader = Literal["worker", "family"]
ORDERS = (("newest", "Newest first"), ("oldest", "Oldest first"))
ENTRY_KEY: tuple[type[date], type[str], type[UUID]] = (date, str, UUID)
"""The kinds in a cursor: the day, the kind of entry, the row it follows from."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, as it is kept: no text of it is opened yet."""

    on: date
    kind: str
    id: UUID
    category: Category
    agency_id: UUID | None
    """Whose entry it is, where it is somebody's."""
    agency: str
    detail: str
    """A code or a name that the words are made of: the kind of event, a panel, a level."""
    sealed: str | None
    """Of an event: its text, in hexadecimal."""

    @property
    def key(self) -> tuple[date, str, UUID]:
        """Its place in time."""
        return self.on, self.kind, self.id


@dataclass(frozen=True, slots=True)
class Saying:
    """How an entry of one kind is said: `{0}` is its detail in words, `{1}` the agency."""

    group: str
    worker: str
    family: str
    details: Mapping[str, str] | None = None

    def words(self, entry: Entry, reader: Reader) -> str:
        """The entry in a line."""
        known = self.details or {}
        detail = known.get(entry.detail, entry.detail)
        said = self.worker if reader == "worker" else self.family
        return said.format(detail, entry.agency or "an agency")


GROUPS = {
    "events": "Significant events",
    "process": "Referrals and steps",
    "meetings": "Panels and meetings",
    "assessments": "Assessments",
    "plan": "Plans",
    "people": "Who is involved",
    "moves": "Moves and transitions",
}
"""The parts of a chronology that can be asked for alone."""

_CHANGES = {kind.value: said for kind, said in KIND_WORDS.items()}

SAYINGS: Mapping[str, Saying] = {
    "event": Saying("events", "{0}", "Something was written down about: {0}", EVENT_KINDS),
    "referred": Saying("process", "Referred to the {0} by {1}", "{1} asked the {0} for help"),
    "acknowledged": Saying(
        "process", "First heard by the {0}", "The {0} met about this for the first time"
    ),
    "episode_opened": Saying("process", "Episode opened", "People began to plan help together"),
    "episode_closed": Saying(
        "process", "Episode closed: {0}", "This time of planned help came to an end", CLOSURE_WORDS
    ),
    "level": Saying(
        "process",
        "Level of need judged: {0}",
        "A worker wrote down how much help is needed: {0}",
        LEVEL_WORDS,
    ),
    "discussed": Saying(
        "meetings", "Discussed at the {0}", "The {0} met and talked about how to help"
    ),
    "assessment_signed": Saying(
        "assessments", "{0} signed off by {1}", "{1} finished an assessment: {0}"
    ),
    "carer_assessed": Saying("assessments", "{0} signed off by {1}", "{1} finished a form: {0}"),
    "plan_started": Saying("plan", "Plan {0} started by {1}", "{1} began to write plan {0}"),
    "plan_agreed": Saying("plan", "Plan {0} agreed", "Plan {0} was agreed"),
    "plan_replaced": Saying("plan", "Plan {0} replaced", "Plan {0} was replaced by a newer one"),
    "lead_began": Saying(
        "people", "Lead professional from {1}", "Somebody from {1} became the person to ring"
    ),
    "lead_ended": Saying(
        "people",
        "Lead professional from {1} ended",
        "The person to ring from {1} handed over",
    ),
    "agency_began": Saying("people", "{1} became involved", "{1} began to help"),
    "agency_ended": Saying("people", "{1} is no longer involved", "{1} finished helping"),
    "step": Saying(
        "process",
        "Moved to {0}",
        "A step was taken: {0}",
        {"contacts": "CONTACTS", "impact": "IMPACT", "social_care": "social care"},
    ),
    "impact_met": Saying("meetings", "IMPACT meeting", "There was a meeting around you"),
    "change_done": Saying("moves", "Change done: {0}", "This change is over: {0}", _CHANGES),
    "change_handed": Saying("moves", "Handed over to {1}: {0}", "{1} took over: {0}", _CHANGES),
    "handover_sent": Saying(
        "moves", "Handover sent to {0}", "The record was sent to the council of {0}"
    ),
    "handover_accepted": Saying(
        "moves", "{0} accepted the handover", "The council of {0} took over"
    ),
    "handover_refused": Saying(
        "moves", "{0} refused the handover", "The council of {0} did not take over yet"
    ),
    "taken_over": Saying("moves", "Taken over from {0}", "We took over from the council of {0}"),
    "moved_home": Saying("moves", "Address changed", "A new address was written down"),
    "moved_school": Saying(
        "moves", "School or nursery changed", "A new school or nursery was written down"
    ),
}

NOT_FOR_FAMILIES = frozenset({Category.SAFEGUARDING})
"""What no page tells a family by itself: a person does."""
ABOUT_ONE_OF_THEM = frozenset({"carer_assessed"})
"""What is about one of the family alone: the others are not told that there is such a thing."""


def group_of(kind: str) -> str:
    """The part of a chronology that a kind of entry belongs to."""
    return SAYINGS[kind].group


def words_of(entry: Entry, reader: Reader) -> str:
    """What the entry says to this reader."""
    return SAYINGS[entry.kind].words(entry, reader)


def put_in_order(entries: Iterable[Entry], order: Order) -> list[Entry]:
    """By day; of one day always in the same order."""
    return sorted(entries, key=lambda one: one.key, reverse=order == "newest")


def beyond(ordered: Sequence[Entry], asked: Asked) -> list[Entry]:
    """What comes after a place, or before it with the nearest first (`web.paging.page_of`)."""
    if asked.key is None:
        return list(ordered)
    runs_back = bool(ordered) and ordered[0].key > ordered[-1].key
    after: Direction = "before" if runs_back else "after"
    later = [one for one in ordered if one.key > asked.key]
    earlier = [one for one in ordered if one.key < asked.key]
    if asked.direction == "after":
        return later if after == "after" else earlier
    nearest = earlier if after == "after" else later
    nearest.reverse()
    return nearest
