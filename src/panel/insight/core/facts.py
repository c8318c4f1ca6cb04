"""Facts: one coded row for each thing that is counted, of a person who is only a number.

No day, no name, no free text, no id of a record. `Who` is made from a key that is in no database;
`key` of a row tells two requests of one child apart and is made in the same way.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import msgspec

from panel.insight.core.words import NOT_SAID, Period


@dataclass(frozen=True, slots=True, order=True)
class Who:
    """Whom a fact is about. Its text says nothing, so that no log and no error can."""

    person: bytes = field(repr=False)
    """16 bytes."""
    record_key: int = field(repr=False)
    """Signed 64 bits, the same for ever; PostgreSQL's bit_xor over it makes a cell's key."""


@dataclass(frozen=True, slots=True)
class ChildTerm:
    """A child in a term, as known at its end."""

    who: Who
    period: Period
    ward: str
    age: str
    sex: str
    ethnicity: str
    need: str
    """The primary need."""
    level: str
    known: bool
    planned: bool


@dataclass(frozen=True, slots=True)
class Need:
    """One need of a child; a child may have several."""

    who: Who
    period: Period
    need: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was made in the term, with its newest decision."""

    who: Who
    key: bytes
    period: Period
    kind: str
    short_break: bool
    basis: str
    decision: str
    duty: bool


@dataclass(frozen=True, slots=True)
class Unmet:
    """A need that was unmet at some time of the term."""

    who: Who
    key: bytes
    period: Period
    need: str
    reason: str
    kind: str
    short_break: bool
    unit: str
    units_missing: Decimal


@dataclass(frozen=True, slots=True)
class Package:
    """A line of a package in the term, with what it cost in it, in pence, by payer."""

    who: Who
    key: bytes
    period: Period
    kind: str
    how: str
    residential: bool
    unit: str
    units: Decimal
    pence: int
    payer_health: int
    payer_education: int
    payer_social_care: int


@dataclass(frozen=True, slots=True)
class Wait:
    """One clock of a child; not `over`: still running at the term's end."""

    who: Who
    key: bytes
    period: Period
    clock: str
    days: int
    over: bool
    kind: str = NOT_SAID
    """Of the service that is waited for. A clock with several kinds is a fact for each."""


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """An outcome that was looked at in the term. Scores from 0 to 5.

    `latest` is the family's own last score of the term where there is one (`by_family`), else the
    last of anybody's; whether it is reached goes by the last of anybody's.
    """

    who: Who
    key: bytes
    period: Period
    need: str
    baseline: int
    latest: int
    target: int
    reached: bool
    by_family: bool


@dataclass(frozen=True, slots=True)
class Perception:
    """A family's answer to one question, from 1 to 5; 0: offered and not answered."""

    who: Who
    key: bytes
    period: Period
    question: str
    answer: int


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition that fell into the term."""

    who: Who
    key: bytes
    period: Period
    kind: str
    in_time: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """A child who is on a list, or known, or both."""

    who: Who
    period: Period
    list: str
    listed: bool
    known: bool
    elsewhere: bool = False
    """Whether the child is on a list of another kind as well."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """Places of a service in the term. It is about no child."""

    key: bytes
    period: Period
    kind: str
    short_break: bool
    places: int
    free: int


Fact = (
    ChildTerm
    | Need
    | Request
    | Unmet
    | Package
    | Wait
    | OutcomeChange
    | Perception
    | Transition
    | Coverage
    | Capacity
)
FACTS: tuple[type[Fact], ...] = (
    ChildTerm,
    Need,
    Request,
    Unmet,
    Package,
    Wait,
    OutcomeChange,
    Perception,
    Transition,
    Coverage,
    Capacity,
)


# What facts are made from -------------------------------------------------------------------------


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One dated, coded thing that a room says of a child: its kind, days and codes."""

    what: str
    """Which kind of thing: "request", "unmet", …"""
    key: str = ""
    since: str = ""
    """A day as 2026-09-01, or "": not known."""
    until: str = ""
    codes: dict[str, str] = {}
    numbers: dict[str, int] = {}


class ChildSaid(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that the rooms say of one child, without identity. Canonical: its JSON, sorted."""

    birth: str = ""
    """Year and month, as 2019-05: enough for an age band."""
    sex: str = ""
    ethnicity: str = ""
    need: str = ""
    said: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class FactEvent:
    """One line of the history of facts. `record` is 16 bytes; `other` as well, of who is linked."""

    number: int
    record: bytes = field(repr=False)
    kind: Literal["said", "linked", "parted", "erased"]
    said: ChildSaid | None = field(default=None, repr=False)
    other: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """A term of the authority's calendar: its first and last day as 2026-09-01."""

    first: str
    last: str
    period: Period
