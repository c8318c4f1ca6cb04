import datetime as dt

import pytest

from panel.web import words

TODAY = dt.date(2026, 11, 21)


def test_a_day_says_its_weekday() -> None:
    assert words.day(dt.date(2026, 12, 3)) == "Thursday 3 December 2026"
    assert words.short_day(dt.date(2026, 12, 3)) == "3 December 2026"


def test_a_moment_is_worded_in_london_time() -> None:
    summer_evening = dt.datetime(2026, 6, 30, 23, 30, tzinfo=dt.UTC)
    assert words.day_and_time(summer_evening) == "1 July 2026 at 0:30"
    assert words.day(summer_evening) == "Wednesday 1 July 2026"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        words.time(dt.datetime(2026, 6, 30, 23, 30))


def test_a_time_has_no_leading_nought() -> None:
    assert words.time(dt.time(9, 30)) == "9:30"
    assert words.time(dt.time(14, 5)) == "14:05"


@pytest.mark.parametrize(
    ("date", "said"),
    [
        (dt.date(2026, 12, 3), "in 12 days"),
        (dt.date(2026, 11, 22), "tomorrow"),
        (dt.date(2026, 11, 21), "today"),
        (dt.date(2026, 11, 20), "yesterday"),
        (dt.date(2026, 11, 9), "12 days ago"),
    ],
)
def test_a_day_says_how_far_it_is(date: dt.date, said: str) -> None:
    assert words.relative_day(date, TODAY) == said


def test_a_day_and_its_distance() -> None:
    said = words.day_and_distance(dt.date(2026, 12, 3), TODAY)
    assert said == "Thursday 3 December 2026 (in 12 days)"


@pytest.mark.parametrize(
    ("count", "said"), [(0, "no days"), (1, "1 day"), (2, "2 days"), (1200, "1,200 days")]
)
def test_a_count_agrees_with_its_noun(count: int, said: str) -> None:
    assert words.plural(count, "day") == said


def test_an_irregular_noun() -> None:
    assert words.plural(2, "person", "people") == "2 people"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Rosa Mary Whitlow", "R M W"),
        ("mary-jane o'neil", "M O"),
        ("“Łucja”  Żak", "Ł Ż"),
        ("😀 Ada", "A"),
        ("", ""),
    ],
)
def test_initials(name: str, short: str) -> None:
    assert words.initials(name) == short


def test_things_in_a_row() -> None:
    assert words.in_a_row([]) == ""
    assert words.in_a_row(["health"]) == "health"
    assert words.in_a_row(["health", "education", "care"]) == "health, education and care"
    assert words.in_a_row(["a", "b"], "or") == "a or b"


def test_a_label_inside_a_sentence() -> None:
    assert words.lower_first("Date of birth") == "date of birth"
    assert words.lower_first("NHS number") == "NHS number"


def test_a_phrase_that_begins_a_sentence() -> None:
    assert words.upper_first("her mother") == "Her mother"
    assert words.upper_first("NHS number") == "NHS number"
    assert words.upper_first("") == ""
