"""Are similar requests decided alike, and do some groups wait longer: pure, and safe to show.

What is shown of a group is a share with its interval and a wait with its interval, never a count
that leads to a child. A group of fewer than `FEWEST` decisions is put together with the next
smallest until the rest is large enough, so that nothing can be taken away from the total to find
it. A share within `EDGE` decisions of none or of all is said as "few" or "nearly all": it would
otherwise tell the outcome of everybody in the group.

Sources: Wilson (1927) for the interval of a share; the median's interval by the binomial of the
ranks (Conover, Practical Nonparametric Statistics, 3.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import comb, sqrt
from statistics import median
from typing import NamedTuple, TypeVar

from panel.allocation.rules import Kind
from panel.records.dates import age_in_years

FEWEST = 10
"""Decisions that a group must have to be shown by itself."""
EDGE = 3
"""A share nearer than so many decisions to none or to all is not said exactly."""
_Z = 1.959963984540054
"""Of the standard normal distribution: 95% lie within."""
_AGES = ((2, "0–2"), (4, "3–4"), (7, "5–7"), (11, "8–11"), (15, "12–15"), (18, "16–18"))
_OLDEST = "19–25"
_Text = TypeVar("_Text", bound=str)


class Dimension(StrEnum):
    """By what requests are compared."""

    WARD = "ward"
    AGE = "age"
    ETHNICITY = "ethnicity"
    NEED = "need"
    LEVEL = "level"


@dataclass(frozen=True, slots=True)
class Decided:
    """One request as it stands: nobody's name, and no id."""

    outcome: Kind
    need: str
    age: str
    """The age band on the day it was decided."""
    level: str = ""
    ward: str = ""
    ethnicity: str = ""
    service: str = ""
    criterion: str = ""
    waited_days: int = 0
    """From the day that the request was sent to the first decision."""

    def by(self, dimension: Dimension) -> str:
        """Its group; "" where that is not recorded."""
        return str(getattr(self, dimension.value))


def age_band(born_on: date, on_day: date) -> str:
    """The age band of DOMAIN.md, "Commissioning", of somebody on a day."""
    years = age_in_years(born_on, on_day)
    return next((band for last, band in _AGES if years <= last), _OLDEST)


# By group -----------------------------------------------------------------------------------------


class Interval(NamedTuple):
    """An estimate and the 95% interval around it."""

    middle: float
    low: float
    high: float


class Edge(StrEnum):
    """What is said in the place of a share that would tell everybody's outcome."""

    FEW = "few"
    NEARLY_ALL = "nearly_all"


@dataclass(frozen=True, slots=True)
class Group:
    """What is shown of one group, or of several small ones together."""

    names: tuple[str, ...]
    """One name, or those of the groups that are shown together; "" is "not recorded"."""
    decisions: int
    """Rounded to the nearest five."""
    agreed: Interval | Edge
    """The share of requests that were agreed, whole or in part."""
    wait: Interval
    """Days until the first decision: the median."""


def share(agreed: int, of: int) -> Interval:
    """The share with Wilson's interval, from 0 to 1. ValueError: none, or more than all."""
    if not 0 <= agreed <= of or of == 0:
        message = f"{agreed} of {of} is no share"
        raise ValueError(message)
    p, square = agreed / of, _Z * _Z
    centre = (p + square / (2 * of)) / (1 + square / of)
    spread = _Z * sqrt(p * (1 - p) / of + square / (4 * of * of)) / (1 + square / of)
    return Interval(p, max(0.0, centre - spread), min(1.0, centre + spread))


def median_wait(days: Sequence[int]) -> Interval:
    """The median of waits with the interval of ranks that holds it in at least 95 of 100 samples.

    With fewer than six there is no such pair of ranks: the whole range is given. ValueError: none.
    """
    ordered = sorted(days)
    count = len(ordered)
    if not count:
        message = "nobody waited"
        raise ValueError(message)
    half = count // 2
    middle = ordered[half] if count % 2 else (ordered[half - 1] + ordered[half]) / 2
    below, tail = 0, 1 / 2**count
    while below < half - 1 and tail + comb(count, below + 1) / 2**count <= 0.025:
        below += 1
        tail += comb(count, below) / 2**count
    return Interval(float(middle), float(ordered[below]), float(ordered[count - 1 - below]))


def by_group(
    decided: Iterable[Decided], dimension: Dimension, *, fewest: int = FEWEST
) -> tuple[Group, ...]:
    """Each group large enough, largest first, and at the end the small ones as one.

    Every decision is in exactly one of them. Nothing at all where all together are too few.
    """
    found: dict[str, list[Decided]] = {}
    for one in decided:
        found.setdefault(one.by(dimension), []).append(one)
    ordered = sorted(found.items(), key=lambda group: (-len(group[1]), group[0]))
    together: list[tuple[str, list[Decided]]] = []
    while ordered and _too_small(ordered, together, fewest):
        together.append(ordered.pop())
    groups: list[tuple[tuple[str, ...], list[Decided]]] = [
        ((name,), rows) for name, rows in ordered
    ]
    if together:
        rows = [one for _, several in together for one in several]
        if len(rows) < fewest:
            return ()
        groups.append((tuple(sorted(name for name, _ in together)), rows))
    return tuple(_shown(names, rows) for names, rows in groups)


def _too_small(
    ordered: Sequence[tuple[str, list[Decided]]],
    together: Sequence[tuple[str, list[Decided]]],
    fewest: int,
) -> bool:
    if len(ordered[-1][1]) < fewest:
        return True
    # A single small group, or several that are few together, could be found from the total.
    return bool(together) and sum(len(rows) for _, rows in together) < fewest


def _shown(names: tuple[str, ...], rows: Sequence[Decided]) -> Group:
    agreed = sum(one.outcome in (Kind.AGREED, Kind.IN_PART) for one in rows)
    told: Interval | Edge = share(agreed, len(rows))
    if agreed < EDGE:
        told = Edge.FEW
    elif len(rows) - agreed < EDGE:
        told = Edge.NEARLY_ALL
    return Group(
        names, 5 * round(len(rows) / 5), told, median_wait([one.waited_days for one in rows])
    )


def apart(groups: Iterable[Group]) -> tuple[Group, ...]:
    """Groups whose share of agreement lies, with its whole interval, beside the middle group's.

    The median of the shares, so that one group that stands apart does not move the others. A sign
    to look at how these requests were decided, no proof of anything.
    """
    exact = [(one, one.agreed) for one in groups if isinstance(one.agreed, Interval)]
    if len(exact) < 2:
        return ()
    middle = median(agreed.middle for _, agreed in exact)
    return tuple(one for one, agreed in exact if not agreed.low <= middle <= agreed.high)


# Like cases ---------------------------------------------------------------------------------------

AT_LEAST = 5
"""Like cases are told of when there are so many."""


class Alike(StrEnum):
    """In what requests are alike."""

    NEED = "need"
    SERVICE = "service"
    AGE = "age"
    LEVEL = "level"


_NARROW_TO_WIDE: tuple[tuple[Alike, ...], ...] = (
    (Alike.NEED, Alike.SERVICE, Alike.AGE, Alike.LEVEL),
    (Alike.NEED, Alike.SERVICE, Alike.LEVEL),
    (Alike.NEED, Alike.SERVICE),
    (Alike.SERVICE,),
    (Alike.NEED, Alike.LEVEL),
    (Alike.NEED,),
)


@dataclass(frozen=True, slots=True)
class LikeCases:
    """How requests that are alike were decided."""

    alike_in: tuple[Alike, ...]
    outcomes: Mapping[Kind, int]
    """Each outcome that came up, most frequent first."""
    criteria: tuple[str, ...]
    """The criteria that decisions named, most frequent first, at most three."""
    wait: Interval

    @property
    def number(self) -> int:
        """How many there are."""
        return sum(self.outcomes.values())


def like_cases(
    asked: Decided, decided: Iterable[Decided], *, at_least: int = AT_LEAST
) -> LikeCases | None:
    """The nearest kind of likeness in which there are enough; None where there is none.

    `asked` has the request's own need, service, age and level; its outcome is not looked at. The
    request itself must not be among `decided`.
    """
    rows = list(decided)
    for alike_in in _NARROW_TO_WIDE:
        wanted = tuple(_part(asked, part) for part in alike_in)
        if not all(wanted):
            continue
        found = [one for one in rows if tuple(_part(one, part) for part in alike_in) == wanted]
        if len(found) >= at_least:
            return LikeCases(
                alike_in,
                _by_number(one.outcome for one in found),
                tuple(_by_number(one.criterion for one in found if one.criterion))[:3],
                median_wait([one.waited_days for one in found]),
            )
    return None


def _part(one: Decided, part: Alike) -> str:
    return str(getattr(one, part.value))


def _by_number(values: Iterable[_Text]) -> dict[_Text, int]:
    counted = Counter(values)
    return {
        value: counted[value] for value in sorted(counted, key=lambda one: (-counted[one], one))
    }
