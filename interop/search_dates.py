"""Dates in a search: a prefix and a date of any precision become bounds on what is searched.

A date without a zone is Europe/London's. A value is the half-open range of what it names: 2026-11
the month, 10:30 the minute. What is searched is a range too: a day until the next, a span from its
first day, a moment. The prefixes compare the two as R4 says (hl7.org/fhir/R4/search.html#prefix),
and the bounds say it once for all: with `low` the start of what is searched and `high` its end,
not included,

    date=2026-11-23         low >= 23 November and high <= 24 November
    date=gt2026-11-23       high > 24 November
    date=ne2026-11-23       low < 23 November or high > 24 November (`either`)

For a point (a day, a moment) `Bound.of_point` says the same of the one column: "c >= at".
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from interop.served import Times

LONDON = ZoneInfo("Europe/London")
FIRST_YEAR, LAST_YEAR = 1800, 2200

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
Side = Literal["low", "high"]
Comparison = Literal[">=", "<", "<=", ">"]

_OF_POINT: dict[tuple[Side, Comparison], Comparison] = {
    ("low", ">="): ">=",
    ("low", "<"): "<",
    ("high", "<="): "<",
    ("high", ">"): ">=",
}
_PREFIXES: dict[str, Prefix] = {
    "": "eq", "eq": "eq", "ne": "ne", "gt": "gt", "lt": "lt", "ge": "ge", "le": "le",
    "sa": "sa", "eb": "eb", "ap": "ap",
}  # fmt: skip
_WRITTEN = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap|)"
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+ -]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
"""A space stands for the + that a sender did not escape."""


class Bound(Struct, frozen=True):
    """One comparison of the start (`low`) or end (`high`, not included) of what is searched."""

    side: Side
    comparison: Comparison
    at: date | datetime
    """A day for a parameter of days, a moment in UTC for one of moments."""

    @property
    def of_point(self) -> Comparison:
        """The comparison where one column is both: a day, or a moment."""
        return _OF_POINT[self.side, self.comparison]


class DateValue(Struct, frozen=True, kw_only=True):
    """One value of a date parameter."""

    prefix: Prefix
    start: datetime
    """The first moment that the value names, in UTC; of `ap` already widened."""
    until: datetime
    """The first moment after."""
    bounds: tuple[Bound, ...]
    either: bool = False
    """Whether one of the bounds is enough; else all must hold."""


def date_value(text: str, times: Times) -> DateValue | None:
    """What a date in a search says of a column of days or moments; None where it is no date."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    try:
        start, until = _range(found)
    except ValueError:
        return None
    prefix = _PREFIXES[found["prefix"]]
    if prefix == "ap":
        # About: as much again on either side.
        start, until = start - (until - start), until + (until - start)
    bounds, either = _bounds(prefix, start, until)
    return DateValue(
        prefix=prefix,
        start=start,
        until=until,
        bounds=tuple(_in_days(bound) for bound in bounds) if times == "day" else bounds,
        either=either,
    )


def bounds_of(value: DateValue) -> tuple[tuple[Bound, ...], bool]:
    """The bounds of a value as moments, whatever its column holds, and whether one is enough."""
    return _bounds(value.prefix, value.start, value.until)


def _range(found: re.Match[str]) -> tuple[datetime, datetime]:
    year = int(found["year"])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError("no year that anything here could be of")
    if found["hour"] is None:
        first, after = _days(year, found["month"], found["day"])
        return _midnight(first), _midnight(after)
    start = datetime(
        year,
        int(found["month"]),
        int(found["day"]),
        int(found["hour"]),
        int(found["minute"]),
        int(found["second"] or 0),
        int((found["fraction"] or "").ljust(6, "0")[:6]),
        tzinfo=_zone(found["zone"]),
    ).astimezone(UTC)
    return start, start + _precision(found)


def _days(year: int, month: str | None, day: str | None) -> tuple[date, date]:
    if month is None:
        return date(year, 1, 1), date(year + 1, 1, 1)
    if day is None:
        first = date(year, int(month), 1)
        return first, (first + timedelta(days=31)).replace(day=1)
    first = date(year, int(month), int(day))
    return first, first + timedelta(days=1)


def _precision(found: re.Match[str]) -> timedelta:
    if found["second"] is None:
        return timedelta(minutes=1)
    places = min(len(found["fraction"] or ""), 6)
    return timedelta(microseconds=10 ** (6 - places))


def _zone(text: str | None) -> tzinfo:
    if text is None:
        return LONDON
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 14 or minutes > 59:
        raise ValueError("no such zone")
    away = timedelta(hours=hours, minutes=minutes)
    return timezone(-away if text[0] == "-" else away)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)


def _bounds(prefix: Prefix, start: datetime, until: datetime) -> tuple[tuple[Bound, ...], bool]:
    """The bounds, and whether one of them is enough."""
    inside_low, inside_high = Bound("low", ">=", start), Bound("high", "<=", until)
    before, after = Bound("low", "<", start), Bound("high", ">", until)
    return {
        "eq": ((inside_low, inside_high), False),
        "ne": ((before, after), True),
        "gt": ((after,), False),
        "lt": ((before,), False),
        # Reaches above, or lies within: together, begins no earlier or ends later.
        "ge": ((inside_low, after), True),
        "le": ((before, inside_high), True),
        "sa": ((Bound("low", ">=", until),), False),
        "eb": ((Bound("high", "<=", start),), False),
        "ap": ((Bound("low", "<", until), Bound("high", ">", start)), False),
    }[prefix]


def _in_days(bound: Bound) -> Bound:
    """The same of whole London days: a start is compared with the next midnight, an end the last.

    Starts and ends of days are midnights, so nothing is lost by it.
    """
    if not isinstance(bound.at, datetime):
        return bound
    there = bound.at.astimezone(LONDON)
    day = there.date()
    if bound.side == "low" and bound.at != _midnight(day):
        day += timedelta(days=1)
    return Bound(bound.side, bound.comparison, day)
