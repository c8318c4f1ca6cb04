"""Ages as people say them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.records.dates import age_words


@pytest.mark.parametrize(
    ("born", "day", "words"),
    [
        ("2022-06-21", "2026-11-21", "4 years 5 months"),
        ("2024-12-22", "2026-11-21", "1 year 10 months"),
        ("2024-12-21", "2026-11-21", "1 year 11 months"),
        ("2025-11-21", "2026-11-21", "1 year"),
        ("2025-11-22", "2026-11-21", "11 months"),
        ("2026-10-21", "2026-11-21", "1 month"),
        ("2026-10-22", "2026-11-21", "4 weeks"),
        ("2026-11-14", "2026-11-21", "1 week"),
        ("2026-11-20", "2026-11-21", "1 day"),
        ("2026-11-21", "2026-11-21", "born today"),
        ("2024-02-29", "2025-02-28", "11 months"),
        ("2024-02-29", "2025-03-01", "1 year"),
    ],
)
def test_an_age_in_words(born: str, day: str, words: str) -> None:
    assert age_words(date.fromisoformat(born), date.fromisoformat(day)) == words


def test_an_expected_child_has_no_age() -> None:
    with pytest.raises(ValueError, match="not born yet"):
        age_words(date(2027, 5, 3), date(2026, 11, 21))


@given(st.dates(date(2000, 1, 1), date(2026, 1, 1)), st.integers(0, 9000))
def test_every_age_has_words(born: date, days: int) -> None:
    words = age_words(born, date.fromordinal(born.toordinal() + days))
    assert words == "born today" or words.split()[1].rstrip("s") in {
        "year", "month", "week", "day",
    }  # fmt: skip
