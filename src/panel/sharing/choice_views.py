"""What an agency sees and its own system gets, and what could be switched: by the facts alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from consent import Basis, Category, Decision, State, Tie, decide_from
from panel.sharing.as_agency import AnAgency, as_agency

ObjectionDue = tuple[date | None, bool]
"""By when a no is decided, and whether it is the viewer's own."""
NO_OBJECTION: ObjectionDue = (None, False)


class HowFar(StrEnum):
    """How far a kind of information is shared on somebody's agreement."""

    ON = "on"
    PART = "part"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class OwnSystem:
    """An agency's own computer system: what it gets on somebody's agreement, and what it could."""

    gets: tuple[Category, ...] = ()
    could: frozenset[Category] = frozenset()
    """What its people see by agreement: it is never agreed that a system gets more."""
    may_stop: bool = False
    """It gets something, by the viewer's own word or by one that they have not said no to yet."""
    is_barred: bool = False
    """Somebody else said no to it."""
    objection_due: date | None = None
    """By when a no to this system is decided, whether or not it is a no to the people, too."""
    objection_is_mine: bool = False
    said_yes: bool = False
    """The viewer agreed to it themselves, or decides alone."""

    @property
    def state(self) -> HowFar:
        """How far it gets what the people see."""
        return how_far(self.could, frozenset(self.gets), frozenset())


NO_SYSTEM = OwnSystem()
"""Of an agency with whose people nothing is shared by agreement."""


def own_system(
    at: datetime,
    state: State,
    theirs: State,
    agency: AnAgency,
    shared: frozenset[Category],
    objection: ObjectionDue,
    *,
    said_yes: bool,
) -> OwnSystem:
    """What the agency's system gets, beside what is `shared` with its people by agreement.

    `theirs` is as for `barred`; `objection` is about the system, alone or with the people.
    """
    gets = on_agreement([view(at, state, agency, Tie.CLIENT)])
    return OwnSystem(
        gets=ordered(gets),
        could=shared,
        may_stop=bool(gets) and (said_yes or not objection[1]),
        is_barred=bool(barred(at, theirs, agency, [Tie.CLIENT]) & shared),
        objection_due=objection[0],
        objection_is_mine=objection[1],
        said_yes=said_yes,
    )


def barred(
    at: datetime, theirs: State, agency: AnAgency, ties: Iterable[Tie]
) -> frozenset[Category]:
    """What others said no to, or what was decided against: the viewer's yes would not open it.

    `theirs` are the facts without the words that the viewer's own yes would end.
    """
    return frozenset(
        category
        for tie in ties
        for bar in as_agency(agency, tie).stands(at, theirs).refused
        if not bar.silent
        for category in bar.covers
    )


View = tuple[Mapping[Category, Decision], frozenset[Category]]
"""What is decided for an agency in a tie, and what it could see on agreements alone."""


def view(at: datetime, state: State, agency: AnAgency, tie: Tie) -> View:
    """What is decided for an agency in a tie, and what it could see on agreements alone."""
    standpoint = as_agency(agency, tie).stands(at, state)
    decided = {category: decide_from(standpoint, category) for category in Category}
    return decided, frozenset(
        category
        for category in Category
        if any(category in ground.covers for ground in standpoint.agreed)
        and not any(category in bar.covers for bar in standpoint.refused)
    )


def on_agreement(views: Iterable[View]) -> frozenset[Category]:
    """What is open and was agreed to, whether or not something else would open it, too."""
    return frozenset(
        category for decided, agreed in views for category in agreed if decided[category].permitted
    )


def categories(
    views: Iterable[Mapping[Category, Decision]], bases: set[Basis]
) -> frozenset[Category]:
    """What is open on one of these bases."""
    return frozenset(
        category
        for decided in views
        for category, decision in decided.items()
        if decision.permitted and decision.basis in bases
    )


def ordered(categories: Iterable[Category]) -> tuple[Category, ...]:
    """Categories in the order in which they are told."""
    chosen = set(categories)
    return tuple(one for one in Category if one in chosen)


def how_far(
    kind: frozenset[Category], agreed: frozenset[Category], anyway: frozenset[Category]
) -> HowFar:
    """How much of a kind is agreed; what is seen anyway is no part of the switch."""
    counted = kind - anyway or kind
    if counted <= agreed:
        return HowFar.ON
    return HowFar.PART if counted & agreed else HowFar.OFF
