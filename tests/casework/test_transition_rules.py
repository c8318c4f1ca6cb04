"""When each change in a child's life is due: worked by hand, and what holds of every birth date."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.casework.transition_rules import (
    FAMILY_WORDS,
    FROM_BIRTH,
    KIND_WORDS,
    NAMED_IN_PLAN,
    WRITTEN_DOWN,
    TransitionKind,
    days_of_a_life,
    due_now,
    is_a_day_of,
    watch_from,
)

BIRTHS = st.dates(date(2001, 1, 1), date(2030, 12, 31))
K = TransitionKind

WORKED = [
    # Born on the last day of a school year, and on the first of the next.
    (date(2020, 8, 31), K.RECEPTION, date(2024, 9, 1)),
    (date(2020, 9, 1), K.RECEPTION, date(2025, 9, 1)),
    (date(2020, 8, 31), K.EARLY_YEARS_PLACE, date(2024, 2, 15)),
    (date(2020, 9, 1), K.EARLY_YEARS_PLACE, date(2025, 2, 15)),
    (date(2020, 8, 31), K.SECONDARY, date(2031, 9, 1)),
    (date(2020, 9, 1), K.SECONDARY, date(2032, 9, 1)),
    (date(2020, 8, 31), K.PHASE_PLACE, date(2031, 2, 15)),
    (date(2020, 8, 31), K.YEAR_9, date(2033, 9, 1)),
    (date(2020, 9, 1), K.YEAR_9, date(2034, 9, 1)),
    (date(2020, 8, 31), K.POST_16_PLACE, date(2036, 3, 31)),
    (date(2020, 9, 1), K.POST_16_PLACE, date(2037, 3, 31)),
    # Born on a leap day: 1 March in other years, and the day itself where there is one.
    (date(2020, 2, 29), K.LEAVING_CONTACTS, date(2028, 2, 29)),
    (date(2020, 2, 29), K.OWN_AGREEMENT, date(2036, 2, 29)),
    (date(2020, 2, 29), K.TURNING_18, date(2038, 3, 1)),
    (date(2020, 2, 29), K.TURNING_25, date(2045, 3, 1)),
    (date(2020, 2, 29), K.RECEPTION, date(2024, 9, 1)),
    (date(2020, 2, 29), K.NURSERY, date(2023, 4, 1)),
    # Early education begins in the term after the third birthday, never on it.
    (date(2020, 12, 31), K.NURSERY, date(2024, 1, 1)),
    (date(2021, 1, 1), K.NURSERY, date(2024, 4, 1)),
    (date(2021, 3, 31), K.NURSERY, date(2024, 4, 1)),
    (date(2021, 4, 1), K.NURSERY, date(2024, 9, 1)),
    (date(2021, 8, 31), K.NURSERY, date(2024, 9, 1)),
    (date(2021, 9, 1), K.NURSERY, date(2025, 1, 1)),
    (date(2021, 12, 31), K.DLA_TO_PIP, date(2037, 12, 31)),
]


@pytest.mark.parametrize(("born", "kind", "on"), WORKED)
def test_days_worked_by_hand(born: date, kind: TransitionKind, on: date) -> None:
    assert [one.on for one in days_of_a_life(born) if one.kind is kind] == [on]


@pytest.mark.parametrize(
    ("kind", "on", "begins"),
    [
        (K.PHASE_PLACE, date(2027, 2, 15), date(2026, 9, 15)),
        (K.POST_16_PLACE, date(2027, 3, 31), date(2026, 9, 30)),
        (K.BETWEEN_POST_16, date(2027, 4, 1), date(2026, 11, 1)),  # for a move on 1 September
        (K.TURNING_18, date(2028, 2, 29), date(2027, 2, 28)),
        (K.OWN_AGREEMENT, date(2026, 8, 31), date(2026, 2, 28)),
        (K.NEW_SCHOOL, date(2027, 1, 5), date(2027, 1, 5)),
    ],
)
def test_a_change_is_prepared_so_long_before(kind: TransitionKind, on: date, begins: date) -> None:
    assert watch_from(kind, on) == begins


@given(BIRTHS)
def test_every_life_has_each_change_once_within_its_years(born: date) -> None:
    life = days_of_a_life(born)
    assert {one.kind for one in life} == FROM_BIRTH
    assert len(life) == len(FROM_BIRTH)
    assert list(life) == sorted(life, key=lambda one: (one.on, one.kind))
    for one in life:
        assert born < one.watch_from <= one.on
        assert is_a_day_of(one.kind, one.on, born)
        assert (one.on - born).days <= 25 * 366


@given(BIRTHS, st.integers(0, 9_000), st.integers(0, 400))
def test_what_is_due_stays_due_as_days_pass(born: date, after: int, more: int) -> None:
    since = born + timedelta(days=after)
    day = since + timedelta(days=more)
    first = due_now(born, since, since, has_plan=True)
    then = due_now(born, since, day, has_plan=True)
    assert set(first) <= set(then)
    assert all(one.on >= since for one in then)
    without = due_now(born, since, day, has_plan=False)
    assert [one for one in then if one.kind not in NAMED_IN_PLAN] == without


def test_every_kind_is_found_or_written_down_and_has_words() -> None:
    assert FROM_BIRTH | set(WRITTEN_DOWN) == set(TransitionKind)
    assert set(KIND_WORDS) == set(FAMILY_WORDS) == set(TransitionKind)
