"""Dates in a search mean what R4 says, of days, spans and moments, in summer and in winter."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop.search_dates import LONDON, Bound, DateValue, date_value
from interop.served import Times

_PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_DAYS = st.dates(date(2024, 1, 1), date(2026, 12, 31))
_MOMENTS = st.datetimes(
    datetime(2024, 1, 1), datetime(2026, 12, 31), timezones=st.sampled_from([UTC])
)


def _read(text: str, times: Times = "day") -> DateValue:
    found = date_value(text, times)
    assert found is not None, text
    return found


def _one(bound: Bound, low: date | datetime, high: date | datetime) -> bool:
    there = low if bound.side == "low" else high
    match bound.comparison:
        case ">=":
            return there >= bound.at
        case "<":
            return there < bound.at
        case "<=":
            return there <= bound.at
        case ">":
            return there > bound.at


def _holds(value: DateValue, low: date | datetime, high: date | datetime) -> bool:
    held = [_one(bound, low, high) for bound in value.bounds]
    return any(held) if value.either else all(held)


def _by_the_book(value: DateValue, low: datetime, high: datetime) -> bool:
    """R4's own words for each prefix, of the ranges [start, until) and [low, high)."""
    within = value.start <= low and high <= value.until
    above, below = high > value.until, low < value.start
    return {
        "eq": within,
        "ne": not within,
        "gt": above,
        "lt": below,
        "ge": above or within,
        "le": below or within,
        "sa": low >= value.until,
        "eb": high <= value.start,
        "ap": low < value.until and high > value.start,
    }[value.prefix]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)


def _written(day: date, form: int, minute: int) -> str:
    at = f"T{minute // 60:02}:{minute % 60:02}"
    return [
        f"{day:%Y}", f"{day:%Y-%m}", f"{day}", f"{day}{at}", f"{day}{at}:30Z",
        f"{day}{at}:30.250+05:30", f"{day}T00:00", f"{day}T00:00:00Z",
    ][form]  # fmt: skip


@given(
    st.sampled_from(_PREFIXES), _DAYS, st.integers(0, 7), st.integers(0, 1439), _DAYS,
    st.integers(0, 40),
)  # fmt: skip
def test_of_days_and_spans(
    prefix: str, day: date, form: int, minute: int, first: date, length: int
) -> None:
    value = _read(prefix + _written(day, form, minute))
    after = first + timedelta(days=length + 1)
    assert _holds(value, first, after) == _by_the_book(value, _midnight(first), _midnight(after))


@given(st.sampled_from(_PREFIXES), _DAYS, st.integers(0, 7), st.integers(0, 1439), _MOMENTS)
def test_of_moments(prefix: str, day: date, form: int, minute: int, moment: datetime) -> None:
    value = _read(prefix + _written(day, form, minute), "instant")
    after = moment + timedelta(microseconds=1)
    assert _holds(value, moment, after) == _by_the_book(value, moment, after)


@given(st.sampled_from(_PREFIXES), _DAYS, st.integers(0, 7), _DAYS)
def test_one_column_says_the_same_of_a_day(prefix: str, day: date, form: int, there: date) -> None:
    value = _read(prefix + _written(day, form, 600))
    held = [
        {">=": there >= bound.at, "<": there < bound.at}[bound.of_point] for bound in value.bounds
    ]
    both = any(held) if value.either else all(held)
    assert both == _holds(value, there, there + timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "start", "until"),
    [
        ("2026", "2026-01-01T00:00+00:00", "2027-01-01T00:00+00:00"),
        ("2026-06", "2026-05-31T23:00+00:00", "2026-06-30T23:00+00:00"),
        ("2026-12", "2026-12-01T00:00+00:00", "2027-01-01T00:00+00:00"),
        ("2026-03-29", "2026-03-29T00:00+00:00", "2026-03-29T23:00+00:00"),
        ("2026-10-25", "2026-10-24T23:00+00:00", "2026-10-26T00:00+00:00"),
        ("2026-06-01T10:00", "2026-06-01T09:00+00:00", "2026-06-01T09:01+00:00"),
        ("2026-06-01T10:00:00Z", "2026-06-01T10:00+00:00", "2026-06-01T10:00:01+00:00"),
        ("2026-06-01T10:00:00 01:00", "2026-06-01T09:00+00:00", "2026-06-01T09:00:01+00:00"),
        ("2026-06-01T10:00:00.5Z", "2026-06-01T10:00:00.5+00:00", "2026-06-01T10:00:00.6+00:00"),
        ("ap2026-11-23", "2026-11-22T00:00+00:00", "2026-11-25T00:00+00:00"),
    ],
)
def test_a_range_is_what_was_named(text: str, start: str, until: str) -> None:
    value = _read(text, "instant")
    assert (value.start, value.until) == (
        datetime.fromisoformat(start),
        datetime.fromisoformat(until),
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "ge", "tomorrow", "26-01-01", "2026-13", "2026-02-30", "2026-1-1", "20261123",
        "2026-11-23T10", "2026-11-23T24:00Z", "2026-11-23T10:00:60Z", "2026-11-23T10:00+15:00",
        "2026-11-23T10:00+01:60", "1799", "2201", "0000", "xx2026", "gege2026", "2026-11-23 ",
        "２０２６", "2026-11-23T10:00:00.1234567890Z", "-2026", "2026-11-23Z", "GE2026",
    ],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert date_value(text, "instant") is None
    assert date_value(text, "day") is None
