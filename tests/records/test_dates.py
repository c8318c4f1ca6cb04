"""Days as people count them."""

from datetime import date

import pytest

from panel.records.dates import (
    age_in_years,
    bank_holiday,
    birthday,
    is_working_day,
    months_after,
    working_days_after,
)


def test_bank_holidays_are_those_of_england() -> None:
    assert bank_holiday(date(2027, 3, 26)) == "Good Friday"
    assert bank_holiday(date(2027, 5, 3)) is not None
    assert bank_holiday(date(2027, 8, 30)) is not None
    # A weekend's bank holiday moves to the weekdays after it.
    assert bank_holiday(date(2027, 12, 27)) is not None
    assert bank_holiday(date(2027, 12, 28)) is not None
    # Scotland's 2 January and Northern Ireland's 17 March are not.
    assert bank_holiday(date(2026, 1, 2)) is None
    assert bank_holiday(date(2027, 3, 17)) is None


@pytest.mark.parametrize(
    ("day", "working"),
    [("2026-12-24", True), ("2026-12-25", False), ("2026-12-26", False), ("2026-12-28", False)],
)
def test_a_working_day(day: str, *, working: bool) -> None:
    assert is_working_day(date.fromisoformat(day)) is working


def test_an_authority_may_keep_further_days() -> None:
    day = date(2026, 12, 29)
    assert is_working_day(day)
    assert not is_working_day(day, {day})


def test_no_working_days_is_the_day_itself_and_fewer_is_refused() -> None:
    assert working_days_after(date(2026, 12, 25), 0) == date(2026, 12, 25)
    with pytest.raises(ValueError, match="below nought"):
        working_days_after(date(2026, 12, 25), -1)


def test_months_are_calendar_months_with_ends_clamped() -> None:
    assert months_after(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert months_after(date(2026, 12, 15), 1) == date(2027, 1, 15)
    assert months_after(date(2027, 1, 31), -3) == date(2026, 10, 31)


def test_somebody_born_on_a_leap_day() -> None:
    assert birthday(date(2008, 2, 29), 18) == date(2026, 3, 1)
    assert birthday(date(2008, 2, 29), 20) == date(2028, 2, 29)
    assert age_in_years(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert age_in_years(date(2008, 2, 29), date(2026, 3, 1)) == 18
