"""What a line costs, against a slow count of every day."""

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from panel.allocation.costing import (
    Every,
    Line,
    Price,
    cost_between,
    cost_by_year,
    cost_in,
    line_mistake,
    prices_mistake,
    without_price,
)
from panel.allocation.money import FinancialYear, years_between

DAY = timedelta(days=1)
DAYS = some.dates(date(2023, 10, 1), date(2029, 6, 30))
AMOUNTS = some.integers(0, 10**7).map(lambda pence: Decimal(pence).scaleb(-2))


@some.composite
def lines(draw: some.DrawFn) -> Line:
    """A line with up to three prices that follow each other, some with days between them."""
    first, last = sorted((draw(DAYS), draw(DAYS)))
    turns = sorted(draw(some.lists(DAYS, min_size=1, max_size=3, unique=True)))
    if draw(some.booleans()):
        turns[0] = min(turns[0], first)
    prices = []
    for place, turn in enumerate(turns):
        ends = turns[place + 1] - DAY if place + 1 < len(turns) else None
        if ends is None and draw(some.booleans()):
            ends = turn + timedelta(draw(some.integers(0, 900)))
        prices.append(Price(draw(AMOUNTS), turn, ends))
    return Line(
        draw(some.integers(1, 40_000)) / Decimal(1000),
        draw(some.sampled_from(Every)),
        first,
        draw(some.sampled_from((last, None))),
        draw(some.permutations(prices)),
    )


def part_of_a_period(line: Line, day: date) -> Fraction:
    match line.every:
        case Every.WEEK:
            return Fraction(1, 7)
        case Every.FORTNIGHT:
            return Fraction(1, 14)
        case Every.MONTH:
            return Fraction(1, monthrange(day.year, day.month)[1])
        case Every.YEAR:
            starts = day.year if (day.month, day.day) >= (4, 1) else day.year - 1
            return Fraction(1, (date(starts + 1, 4, 1) - date(starts, 4, 1)).days)
        case Every.ONCE:
            return Fraction(1 if day == line.from_on else 0)


def price_on(line: Line, day: date) -> Decimal | None:
    for price in line.prices:
        if price.from_on <= day and (price.until_on is None or day <= price.until_on):
            return price.amount
    return None


def slowly(line: Line, first: date, last: date) -> tuple[Fraction, set[date]]:
    cost, missing, day = Fraction(0), set(), first
    while day <= last:
        if line.from_on <= day and (line.until_on is None or day <= line.until_on):
            price = price_on(line, day)
            if price is not None:
                cost += Fraction(price) * Fraction(line.units) * part_of_a_period(line, day)
            elif line.every is not Every.ONCE or day == line.from_on:
                missing.add(day)
        day += DAY
    return cost, missing


@given(lines(), DAYS, DAYS)
def test_it_costs_what_a_count_of_every_day_says(line: Line, one: date, other: date) -> None:
    first, last = sorted((one, other))
    cost, missing = slowly(line, first, last)
    assert cost_between(line, first, last) == cost
    spans = without_price(line, first, last)
    told = {start + n * DAY for start, end in spans for n in range((end - start).days + 1)}
    assert told == missing


@given(lines(), DAYS, DAYS, DAYS)
def test_nothing_falls_between_two_spans(line: Line, one: date, two: date, three: date) -> None:
    first, middle, last = sorted((one, two, three))
    assert cost_between(line, first, last) == cost_between(line, first, middle) + cost_between(
        line, middle + DAY, last
    )


def test_a_week_over_the_end_of_the_year_with_a_new_price() -> None:
    """£70 a week: £10 a day for the last three days of March, £11 for the first four of April."""
    line = Line(
        Decimal(1),
        Every.WEEK,
        date(2027, 3, 29),
        date(2027, 4, 4),
        [
            Price(Decimal("70.00"), date(2027, 3, 1), date(2027, 3, 31)),
            Price(Decimal("77.00"), date(2027, 4, 1)),
        ],
    )
    years = years_between(line.from_on, date(2027, 4, 4))
    assert list(cost_by_year([line], years).values()) == [Decimal("30.00"), Decimal("44.00")]


@pytest.mark.parametrize(("year", "days"), [(2026, 365), (2027, 366), (2028, 365)])
def test_29_february_is_a_day_of_a_week_and_no_more_of_a_year(year: int, days: int) -> None:
    weekly = Line(
        Decimal(1), Every.WEEK, date(2020, 4, 1), None, [Price(Decimal("7.00"), date(2020, 4, 1))]
    )
    yearly = Line(
        Decimal(1), Every.YEAR, date(2020, 4, 1), None, [Price(Decimal(365), date(2020, 4, 1))]
    )
    assert cost_in(weekly, FinancialYear(year)) == Decimal(days)
    assert cost_in(yearly, FinancialYear(year)) == Decimal("365.00")


def test_days_and_prices_that_cannot_be_are_told() -> None:
    assert line_mistake(date(2027, 1, 2), date(2027, 1, 2)) == ""
    assert line_mistake(date(2027, 1, 2), date(2027, 1, 1)) == (
        "The last day must not come before the first: it starts on 2 January 2027 and would end on"
        " 1 January 2027"
    )
    same = Price(Decimal(1), date(2027, 1, 1))
    assert prices_mistake([same, Price(Decimal(2), date(2027, 2, 1))]) == (
        "Two prices would hold on 1 February 2027: end the earlier one the day before"
    )
    assert prices_mistake([same]) == ""
