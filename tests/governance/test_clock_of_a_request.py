"""One calendar month, two more, and the days on which proof is awaited do not count."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.governance.retention_rules import WITH_THE_CHILD, Closed, Rule, due_on, may_approve
from panel.governance.rights_rules import Clock, clock_of
from panel.records.dates import birthday as birthday_of
from panel.records.dates import months_after

LENGTHS = st.sampled_from(["usual", "extended"])
DAYS = st.dates(date(2018, 5, 25), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 3, 31), date(2026, 4, 30)),
        (date(2026, 11, 30), date(2026, 12, 30)),
        (date(2026, 12, 15), date(2027, 1, 15)),
        (date(2028, 2, 29), date(2028, 3, 29)),
    ],
)
def test_a_calendar_month_ends_on_the_day_of_the_same_number_or_the_last(
    received: date, due: date
) -> None:
    assert Clock(received).due_on(received) == due


def test_extended_it_is_three_months_from_receipt() -> None:
    assert Clock(date(2026, 11, 30), extended=True).due_on(date(2026, 12, 1)) == date(2027, 2, 28)


@given(DAYS, st.integers(0, 36))
def test_a_month_later_is_the_same_day_or_a_shorter_month_s_last(day: date, months: int) -> None:
    later = months_after(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (
        later.day < day.day and (later + timedelta(days=1)).month != later.month
    )


@given(DAYS, st.integers(0, 200), st.integers(0, 200), LENGTHS)
def test_each_day_that_it_stands_is_a_day_more(
    received: date, waited: int, passed: int, length: str
) -> None:
    stood = Clock(received, ((received, received + timedelta(days=waited)),), length == "extended")
    today = received + timedelta(days=waited + passed)
    ran = Clock(received, (), length == "extended")
    assert stood.due_on(today) - ran.due_on(today) == timedelta(days=waited)
    assert stood.days_left(today) == ran.days_left(today) + waited


@given(DAYS, st.integers(0, 300), LENGTHS)
def test_while_it_stands_no_day_is_lost(received: date, passed: int, length: str) -> None:
    clock = Clock(received, ((received, None),), length == "extended")
    assert clock.stands
    later = received + timedelta(days=passed)
    assert clock.days_left(later) == clock.days_left(received)


def test_what_is_kept_is_read_as_it_was() -> None:
    kept = [["2026-11-23", "2026-11-25"], ["2026-12-01", None]]
    clock = clock_of(date(2026, 11, 23), kept, extended=False)
    assert clock.stood(date(2026, 12, 4)) == 5
    assert clock.due_on(date(2026, 12, 4)) == date(2026, 12, 28)


def test_born_on_29_february_one_comes_of_age_on_1_march() -> None:
    assert birthday_of(date(2008, 2, 29), 25) == date(2033, 3, 1)
    assert birthday_of(date(2008, 2, 29), 20) == date(2028, 2, 29)


EVERY = dict.fromkeys(WITH_THE_CHILD, Rule(6, 25))


@given(DAYS, DAYS, st.integers(0, 100), st.integers(0, 100))
def test_a_record_goes_when_the_last_of_its_kinds_may(
    closed: date, born: date, years: int, birthday: int
) -> None:
    known = EVERY | {"documents": Rule(years, birthday)}
    due = due_on(Closed(closed, "needs_met", born), known)
    assert due is not None
    assert due >= birthday_of(closed, 6)
    assert due >= birthday_of(born, 25)
    assert due >= birthday_of(closed, years)


def test_nothing_is_due_before_every_kind_was_set_and_without_a_birth_date() -> None:
    record = Closed(date(2001, 1, 1), "needs_met", date(1990, 1, 1))
    assert due_on(record, EVERY) == date(2015, 1, 1)
    for kind in WITH_THE_CHILD:
        assert due_on(record, {one: rule for one, rule in EVERY.items() if one != kind}) is None
    assert due_on(Closed(date(2001, 1, 1), "needs_met", None), EVERY) is None
    assert due_on(Closed(date(2001, 1, 1), "died", None), EVERY) == date(2007, 1, 1)


def test_nobody_approves_what_they_decided_any_of() -> None:
    assert may_approve("a", ["a", "b"], "c")
    assert not may_approve("a", ["b"], "a")
    assert not may_approve("a", ["a", "b"], "b")
