"""What makes an outcome SMART, and which way its numbers go: for any numbers and days."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from panel.plans.agreeing import Agrees, answer_mistake
from panel.plans.contingency import contingency_mistakes
from panel.plans.measure_rules import (
    LAST_AGE,
    Reading,
    Smart,
    missing_parts,
    reading_mistake,
    smart_mistakes,
    too_late,
    way,
)
from panel.plans.rules import Course
from panel.records.dates import birthday

NUMBERS = st.decimals(0, 1000, places=1)
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
BORN = st.dates(date(1999, 1, 1), date(2030, 12, 31))
READINGS = st.lists(st.builds(Reading, DAYS, NUMBERS), max_size=8)
STARTED = date(2026, 9, 1)


@given(BORN, st.integers(-800, 800))
def test_nothing_is_planned_for_after_the_25th_birthday(born: date, days: int) -> None:
    last = birthday(born, LAST_AGE)
    day = last + timedelta(days=days)
    assert too_late(day, born) == (days > 0)
    assert not too_late(day, None)
    assert not too_late(None, born)
    wrong = dict(smart_mistakes(Smart(by_on=day), date(1990, 1, 1), born))
    assert ("by_on" in wrong) == (days > 0)


def test_a_leap_day_has_a_25th_birthday_too() -> None:
    born = date(2004, 2, 29)
    assert not too_late(date(2029, 2, 28), born)
    assert too_late(date(2029, 3, 2), born)


@given(st.none() | NUMBERS, st.none() | NUMBERS, st.sampled_from(["", "nights"]), st.none() | DAYS)
def test_each_wrong_part_has_one_sentence(
    baseline: Decimal | None, target: Decimal | None, unit: str, by_on: date | None
) -> None:
    smart = Smart("", baseline, "", target, unit, by_on)
    wrong = smart_mistakes(smart, STARTED, None)
    fields = [field for field, _ in wrong]
    assert len(fields) == len(set(fields))
    assert ("unit" in fields) == (not unit and (baseline, target) != (None, None))
    assert ("baseline_number" in fields) == (target is not None and baseline is None)
    assert ("target_number" in fields) == (target is not None and target == baseline)
    assert ("by_on" in fields) == (by_on is not None and by_on < STARTED)


@given(READINGS, NUMBERS, NUMBERS)
def test_a_series_and_its_mirror_go_the_same_way(
    readings: list[Reading], baseline: Decimal, target: Decimal
) -> None:
    """Fewer of what is bad is as good as more of what is good."""
    assume(target != baseline)
    mirrored = [Reading(one.on, -one.value) for one in readings]
    assert way(baseline, target, readings) == way(-baseline, -target, mirrored)


@given(READINGS, NUMBERS)
def test_without_a_target_nobody_knows_which_way_is_better(
    readings: list[Reading], baseline: Decimal
) -> None:
    assert way(baseline, None, readings) is Course.UNKNOWN


@given(READINGS, NUMBERS, NUMBERS, DAYS)
def test_who_arrives_has_arrived(
    readings: list[Reading], baseline: Decimal, target: Decimal, on: date
) -> None:
    assume(all(one.on <= on for one in readings))
    assert way(baseline, target, [*readings, Reading(on, target)]) is Course.REACHED


@given(st.sampled_from(["number", "scaling"]), NUMBERS, DAYS, DAYS)
def test_what_may_be_read_off(kind: str, value: Decimal, on: date, today: date) -> None:
    wrong = reading_mistake(kind, value, on, today)
    if on > today:
        assert wrong is not None
        assert wrong[0] == "on"
    else:
        assert (wrong is None) == (kind == "number" or value <= 10)


def test_what_an_outcome_still_lacks() -> None:
    whole = Smart("Every night", None, "Twice a week", None, "", STARTED, "parent")
    assert missing_parts("Sleeps", "A diary", whole) == []
    assert missing_parts("Sleeps", "", None) == [
        "how we will know", "where things stand now", "what we aim for", "by when", "who judges",
    ]  # fmt: skip
    numbers = Smart("", Decimal(0), "", Decimal(2), "nights", STARTED, "child")
    assert missing_parts("Sleeps", "A diary", numbers) == []


@given(
    st.sampled_from(Agrees), st.sampled_from(["", "  ", "No."]), st.sampled_from(["own", "written"])
)
def test_whoever_says_no_says_what_is_wrong(agrees: Agrees, words: str, whose: str) -> None:
    refused = bool(answer_mistake(agrees, words, is_own=whose == "own"))
    says_why = agrees is Agrees.NO or (agrees is Agrees.CANNOT_ANSWER and whose != "own")
    assert refused == (says_why and not words.strip())


def test_what_if_has_somebody_to_ring() -> None:
    today = date(2026, 11, 23)
    assert [field for field, _ in contingency_mistakes({}, today, today)] == ["carer_ill"]
    ill = {"carer_ill": "Nan comes"}
    assert [field for field, _ in contingency_mistakes(ill, today, today)] == ["who_to_ring"]
    both = ill | {"who_to_ring": "Nan"}
    assert contingency_mistakes(both, today, today) == []
    late = contingency_mistakes(both, today + timedelta(days=1), today)
    assert [field for field, _ in late] == ["checked_on"]
