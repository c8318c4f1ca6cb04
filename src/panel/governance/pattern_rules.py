"""What is unusual about a day's looks. Pure: no database, no clock.

An unusual pattern is a question to a person, never a judgement: most have a plain reason.
"""

from collections import Counter, deque
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from consent import GUARDIANS, Role
from panel.governance.models import PatternKind
from panel.platform.clock import LONDON
from panel.records.dates import is_working_day
from panel.register.service import folded_words

ONE_HOUR = timedelta(hours=1)


class Threshold(StrEnum):
    """What an authority may set; a number each."""

    MANY_CHILDREN = "many_children"
    OWN_NAME = "own_name"
    OUT_OF_HOURS = "out_of_hours"
    AFTER_CLOSURE = "after_closure"
    MANY_REFUSALS = "many_refusals"
    DAY_BEGINS = "day_begins"
    DAY_ENDS = "day_ends"
    CLOSED_FOR = "closed_for"


DEFAULTS: dict[Threshold, int] = {
    Threshold.MANY_CHILDREN: 25,
    Threshold.OWN_NAME: 1,
    Threshold.OUT_OF_HOURS: 5,
    Threshold.AFTER_CLOSURE: 1,
    Threshold.MANY_REFUSALS: 10,
    Threshold.DAY_BEGINS: 7,
    Threshold.DAY_ENDS: 20,
    Threshold.CLOSED_FOR: 28,
}
"""From how many looks or children a day on it is told; the hours of a working day; days since a
case was closed. Settings, for an authority to change."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One record that a worker opened by itself: not a line of a list or of a search."""

    viewer: UUID
    at: datetime
    child: UUID


def most_children_in_an_hour(looks: Iterable[Seen]) -> int:
    """The most different children that one worker opened within any sixty minutes."""
    within: deque[Seen] = deque()
    count: Counter[UUID] = Counter()
    most = 0
    for look in sorted(looks, key=lambda one: one.at):
        within.append(look)
        count[look.child] += 1
        while look.at - within[0].at >= ONE_HOUR:
            gone = within.popleft().child
            count[gone] -= 1
            if not count[gone]:
                del count[gone]
        most = max(most, len(count))
    return most


def is_out_of_hours(at: datetime, begins: int, ends: int) -> bool:
    """Whether a moment lies outside the working hours, or on a weekend or bank holiday."""
    here = at.astimezone(LONDON)
    return not (begins <= here.hour < ends) or not is_working_day(here.date())


def surname_words(name: str) -> frozenset[str]:
    """The words by which a worker's surname is found: both halves of a double one, and together.

    "Dr Maria Smith-Jones" gives smith, jones and smithjones.
    """
    last = name.split()[-1:] or [""]
    words = folded_words(last[0])
    # A single letter is an initial, and would be everybody's.
    return frozenset(word for word in (*words, "".join(words)) if len(word) > 1)


def may_close(*, about: UUID, of_lead: bool, who: UUID, roles: Set[Role]) -> bool:
    """Whether somebody may close a pattern: nobody one about themselves.

    What is about an information governance lead goes to the Caldicott guardian or the safeguarding
    lead, everything else to the lead.
    """
    if about == who:
        return False
    return bool(roles & GUARDIANS) if of_lead else Role.GOVERNANCE_LEAD in roles


@dataclass(frozen=True, slots=True)
class Figures:
    """How one worker's looks on a day add up, by kind."""

    viewer: UUID
    day: date
    how_many: dict[PatternKind, int]


def for_leads(thresholds: dict[Threshold, int]) -> dict[Threshold, int]:
    """What counts for those who set the thresholds: what is set, and never less strict than usual.

    Else a lead would raise them, look, and lower them again.
    """
    latest = {Threshold.DAY_BEGINS}
    return {
        name: (max if name in latest else min)(figure, DEFAULTS[name])
        for name, figure in thresholds.items()
    }


def reached(figures: Figures, thresholds: dict[Threshold, int]) -> dict[PatternKind, int]:
    """The kinds whose threshold the day reached, with the figure."""
    return {
        kind: count
        for kind, count in figures.how_many.items()
        if count >= max(thresholds[Threshold(kind.value)], 1)
    }
