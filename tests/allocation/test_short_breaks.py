"""The limits of section 20 against a slow search of every 12 months; warned of before."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from panel.allocation.short_breaks import (
    ENGLAND,
    WALES,
    Limits,
    Stay,
    busiest_year,
    days_away,
    longest_stretch,
    review_by,
    review_warning,
    section_20_warnings,
)

DAY = timedelta(days=1)
HOME, AWAY = UUID(int=1), UUID(int=2)
STAYS = some.lists(
    some.builds(
        lambda setting, first, days: Stay(setting, first, first + days * DAY),
        some.sampled_from((HOME, AWAY)),
        some.dates(date(2023, 1, 1), date(2025, 12, 31)),
        some.integers(0, 25),
    ),
    min_size=1,
    max_size=25,
)


def a_year_on(day: date) -> date:
    try:
        return day.replace(year=day.year + 1) - DAY
    except ValueError:  # 29 February
        return date(day.year + 1, 2, 28) - DAY


@pytest.mark.parametrize("nights", [False, True])
@given(stays=STAYS)
def test_the_busiest_12_months_are_those_that_a_slow_search_finds(
    *, stays: list[Stay], nights: bool
) -> None:
    away = set()
    for stay in stays:
        day = stay.from_on
        while day < stay.until_on or (day == stay.until_on and not nights):
            away.add(day)
            day += DAY
    most, first = 0, date(2021, 12, 1)
    while first <= date(2026, 2, 28):
        last = a_year_on(first)
        held = sum(first <= day <= last for day in away)
        most, first = max(most, held), first + DAY
    found = busiest_year(days_away(stays, count_nights=nights))
    assert (0 if found is None else found.days) == most
    if found is not None:
        assert found.until_on == a_year_on(found.from_on)
        assert sum(found.from_on <= day <= found.until_on for day in away) == most


@given(STAYS)
def test_the_longest_stretch_is_what_a_walk_over_the_days_finds(stays: list[Stay]) -> None:
    longest = 0
    for setting in (HOME, AWAY):
        there = [one for one in stays if one.setting == setting]
        days = {
            one.from_on + n * DAY
            for one in there
            for n in range((one.until_on - one.from_on).days + 1)
        }
        # Between which days did the child stay the night, or change over within the day?
        joined = {
            one.from_on + n * DAY for one in there for n in range((one.until_on - one.from_on).days)
        }
        for day in days:
            run, last = 1, day
            while last in joined:
                run, last = run + 1, last + DAY
            longest = max(longest, run)
    assert longest_stretch(stays) == longest


def weekends(count: int, first: date = date(2026, 4, 3)) -> list[Stay]:
    """Friday to Sunday, week after week: three days each."""
    return [Stay(HOME, first + 7 * n * DAY, first + (7 * n + 2) * DAY) for n in range(count)]


def test_75_days_in_any_12_months_are_warned_of_before_and_told_when_passed() -> None:
    assert section_20_warnings(weekends(20), ENGLAND) == []
    near = section_20_warnings(weekends(24), ENGLAND)
    assert [(one.passes, one.sentence) for one in near] == [
        (
            False,
            "72 days away in the 12 months from 3 April 2026 to 2 April 2027: 3 days left of 75.",
        )
    ]
    assert section_20_warnings(weekends(25), ENGLAND)[0].passes is False, "75 are allowed"
    passed = section_20_warnings(weekends(26), ENGLAND)
    assert [one.passes for one in passed] == [True]
    assert "78 days away" in passed[0].sentence
    assert "limit of 75: the full looked-after regime applies" in passed[0].sentence
    assert section_20_warnings(weekends(26), WALES) == []
    over_two_years = [*weekends(20), *weekends(20, date(2027, 4, 9))]
    assert section_20_warnings(over_two_years, ENGLAND) == [], "never more than 60 in 12 months"


@pytest.mark.parametrize(
    ("limits", "days", "passes"),
    [
        (ENGLAND, 14, None),
        (ENGLAND, 17, False),
        (ENGLAND, 18, True),
        (WALES, 18, None),
        (WALES, 28, False),
        (WALES, 29, True),
        (Limits(count_nights=True), 18, False),
    ],
)
def test_a_stay_may_not_pass_so_many_days_at_a_stretch(
    *, limits: Limits, days: int, passes: bool | None
) -> None:
    first = date(2027, 7, 20)
    warned = section_20_warnings([Stay(HOME, first, first + (days - 1) * DAY)], limits)
    assert [one.passes for one in warned] == ([] if passes is None else [passes])


def test_several_settings_are_a_limit_of_their_own() -> None:
    both = [
        Stay(HOME, date(2027, 5, 1), date(2027, 5, 2)),
        Stay(AWAY, date(2027, 6, 1), date(2027, 6, 2)),
    ]
    assert [one.passes for one in section_20_warnings(both, ENGLAND)] == [True]
    assert section_20_warnings(both, Limits(several_settings=False)) == []
    assert section_20_warnings([], ENGLAND) == []


def test_a_section_17_package_is_reviewed_within_six_months() -> None:
    due = review_by(date(2026, 8, 31), ENGLAND)
    assert due == date(2027, 2, 28)
    assert review_warning(due, date(2027, 2, 13), ENGLAND) is None
    near = review_warning(due, date(2027, 2, 14), ENGLAND)
    assert near is not None
    assert (near.passes, near.sentence) == (False, "The review is due by 28 February 2027.")
    late = review_warning(due, date(2027, 3, 1), ENGLAND)
    assert late is not None
    assert late.passes
