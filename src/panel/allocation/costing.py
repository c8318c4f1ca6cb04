"""What lines of service cost: by the day, exactly, and to the penny for each financial year.

Pure. A line is so many units every week, fortnight, month or year from a day until a day, or once.
Each day costs its part of the week, of its own month or of its own financial year, at the price
that holds on that day; what is once costs its price on its first day. A year's cost is rounded once
for each line, so that each line can be worked out by hand.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from panel.allocation.money import NOTHING, FinancialYear, to_the_penny
from panel.platform.problems import FieldError
from panel.records.dates import months_after
from panel.web.words import short_day

DAY = timedelta(days=1)
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 1, 1)
LONGEST = 25
"""Years: a child's record ends before, and so does a contract."""
Span = tuple[date, date]
"""From one day to another, both included."""


class Every(StrEnum):
    """How often the units of a line come."""

    WEEK = "week"
    FORTNIGHT = "fortnight"
    MONTH = "month"
    YEAR = "year"
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class Price:
    """What a unit costs from a day until a day; without an end, until another price is known."""

    amount: Decimal
    from_on: date
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """So many units, how often, from when until when, at which prices (none overlap)."""

    units: Decimal
    every: Every
    from_on: date
    until_on: date | None
    prices: Sequence[Price]


def cost_between(line: Line, first: date, last: date) -> Fraction:
    """The exact cost of the days from one to another, both included."""
    return sum(
        (
            Fraction(price.amount) * Fraction(line.units) * _periods(line, *common)
            for price in line.prices
            if (common := _common(line, price.from_on, price.until_on, first, last)) is not None
        ),
        Fraction(0),
    )


def units_between(line: Line, first: date, last: date) -> Fraction:
    """How many units a line gives on the days from one to another, priced or not."""
    common = _common(line, line.from_on, None, first, last)
    return Fraction(0) if common is None else Fraction(line.units) * _periods(line, *common)


def cost_in(line: Line, year: FinancialYear) -> Decimal:
    """What a line costs in a financial year, to the penny."""
    return to_the_penny(cost_between(line, year.first, year.last))


def cost_by_year(
    lines: Iterable[Line], years: Iterable[FinancialYear]
) -> Mapping[FinancialYear, Decimal]:
    """What lines cost together in each year: the sum of what each costs."""
    known = list(lines)
    return {year: sum((cost_in(line, year) for line in known), NOTHING) for year in years}


def without_price(line: Line, first: date, last: date) -> list[Span]:
    """The stretches of a line's days, within a span, for which no price is known."""
    lived = _common(line, line.from_on, line.until_on, first, last)
    if lived is None or (line.every is Every.ONCE and lived[0] != line.from_on):
        return []
    start, end = lived if line.every is not Every.ONCE else (line.from_on, line.from_on)
    missing = []
    for price in sorted(line.prices, key=lambda one: one.from_on):
        if price.from_on > end:
            break
        if price.from_on > start:
            missing.append((start, price.from_on - DAY))
        if price.until_on is None:
            return missing
        start = max(start, price.until_on + DAY)
    return [*missing, (start, end)] if start <= end else missing


def line_mistake(from_on: date, until_on: date | None) -> str:
    """What is wrong with a span's days, as a sentence; "" where nothing is."""
    if until_on is not None and until_on < from_on:
        return (
            f"The last day must not come before the first: it starts on {short_day(from_on)}"
            f" and would end on {short_day(until_on)}"
        )
    return ""


def days_mistakes(from_on: date, until_on: date | None) -> list[FieldError]:
    """What is wrong with the days of a form, by field: the order, and how far they reach."""
    mistakes = []
    if not EARLIEST <= from_on <= LATEST:
        mistakes.append(FieldError("from_on", "The first day must lie between 1990 and 2100"))
    if wrong := line_mistake(from_on, until_on):
        mistakes.append(FieldError("until_on", wrong))
    elif until_on is not None and until_on.year - from_on.year > LONGEST:
        sentence = f"The last day must come within {LONGEST} years of the first"
        mistakes.append(FieldError("until_on", sentence))
    return mistakes


def prices_mistake(prices: Iterable[Price]) -> str:
    """What is wrong with a line's prices together, as a sentence; "" where nothing is."""
    for before, after in pairwise(sorted(prices, key=lambda one: one.from_on)):
        if before.until_on is None or before.until_on >= after.from_on:
            return (
                f"Two prices would hold on {short_day(after.from_on)}: end the earlier one the"
                " day before"
            )
    return ""


def _common(
    line: Line, from_on: date, until_on: date | None, first: date, last: date
) -> Span | None:
    ends = [day for day in (line.until_on, until_on, last) if day is not None]
    span = max(line.from_on, from_on, first), min(ends)
    return span if span[0] <= span[1] else None


def _periods(line: Line, first: date, last: date) -> Fraction:
    """How many weeks, months or years the days of a span are."""
    days = (last - first).days + 1
    match line.every:
        case Every.WEEK:
            return Fraction(days, 7)
        case Every.FORTNIGHT:
            return Fraction(days, 14)
        case Every.MONTH:
            return _part_of(_months(first, last), first, last)
        case Every.YEAR:
            return _part_of(_years(first, last), first, last)
        case Every.ONCE:
            return Fraction(1 if first <= line.from_on <= last else 0)


def _part_of(periods: Iterable[Span], first: date, last: date) -> Fraction:
    return sum(
        (
            Fraction((min(end, last) - max(start, first)).days + 1, (end - start).days + 1)
            for start, end in periods
        ),
        Fraction(0),
    )


def _months(first: date, last: date) -> Iterator[Span]:
    start = first.replace(day=1)
    while start <= last:
        following = months_after(start, 1)
        yield start, following - DAY
        start = following


def _years(first: date, last: date) -> Iterator[Span]:
    year = FinancialYear.of(first)
    while year.first <= last:
        yield year.first, year.last
        year = year.following
