"""The rules of plans: which way an outcome goes, what is overdue, how a plan is handed over."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.plans import rules
from panel.plans.rules import Course, Score, Stretch

MONDAY = date(2026, 11, 23)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
VALUES = st.integers(rules.LOWEST, rules.HIGHEST)


@pytest.mark.parametrize(
    ("baseline", "target", "values", "expected"),
    [
        (1, 4, [], Course.UNKNOWN),
        (1, 4, [2], Course.CLOSER),
        (1, 4, [1], Course.SAME),
        (2, 4, [1], Course.FURTHER),
        (1, 4, [2, 4], Course.REACHED),
        (1, 4, [5], Course.REACHED),
        (4, 1, [3], Course.CLOSER),
        (4, 1, [1], Course.REACHED),
        (None, None, [2], Course.UNKNOWN),
        (None, None, [2, 3], Course.CLOSER),
        (None, 3, [3], Course.REACHED),
        (None, 4, [2], Course.UNKNOWN),
        (3, None, [2], Course.FURTHER),
    ],
)
def test_which_way_an_outcome_goes(
    baseline: int | None, target: int | None, values: list[int], expected: Course
) -> None:
    scores = [Score(MONDAY + timedelta(days=each), value) for each, value in enumerate(values)]
    assert rules.course(baseline, target, scores) is expected


@given(VALUES, VALUES, st.lists(st.builds(Score, DAYS, VALUES), min_size=1))
def test_only_the_start_and_the_newest_score_count(
    baseline: int, target: int, scores: list[Score]
) -> None:
    newest = rules.latest(scores)
    assert newest is not None
    assert rules.course(baseline, target, scores) is rules.course(baseline, target, [newest])


def test_of_two_scores_on_one_day_the_later_written_counts() -> None:
    assert rules.latest([Score(MONDAY, 2), Score(MONDAY, 3)]) == Score(MONDAY, 3)


@pytest.mark.parametrize(
    ("state", "due_on", "overdue"),
    [
        ("to_do", MONDAY - timedelta(days=1), True),
        ("doing", MONDAY - timedelta(days=1), True),
        ("to_do", MONDAY, False),
        ("to_do", None, False),
        ("done", MONDAY - timedelta(days=1), False),
        ("dropped", MONDAY - timedelta(days=1), False),
    ],
)
def test_what_is_overdue(*, state: str, due_on: date | None, overdue: bool) -> None:
    assert rules.is_overdue(state, due_on, MONDAY) is overdue


def test_the_day_on_which_it_was_done_is_kept_and_goes_when_it_is_open_again() -> None:
    earlier = MONDAY - timedelta(days=3)
    assert rules.done_on("done", None, MONDAY) == MONDAY
    assert rules.done_on("done", earlier, MONDAY) == earlier
    assert rules.done_on("doing", earlier, MONDAY) is None


def test_an_action_has_one_owner() -> None:
    assert rules.owner_mistake(has_worker=True, words="") == ""
    assert rules.owner_mistake(has_worker=False, words="Mum") == ""
    assert "not both" in rules.owner_mistake(has_worker=True, words="Mum")
    assert rules.owner_mistake(has_worker=False, words="").startswith("Choose who")


def test_when_a_plan_can_be_agreed() -> None:
    assert rules.agreement_mistake("draft", 1, MONDAY, MONDAY) == ""
    assert "outcome" in rules.agreement_mistake("draft", 0, MONDAY, MONDAY)
    assert "past" in rules.agreement_mistake("draft", 1, MONDAY + timedelta(days=1), MONDAY)
    assert "already" in rules.agreement_mistake("agreed", 1, MONDAY, MONDAY)


def test_the_former_lead_professional_ends_the_day_before_the_new_one_begins() -> None:
    change = rules.handover([Stretch(date(2026, 9, 1))], MONDAY)
    assert change == rules.Handover(MONDAY, (MONDAY - timedelta(days=1),))


def test_somebody_who_began_today_keeps_today() -> None:
    change = rules.handover([Stretch(MONDAY)], MONDAY)
    assert change == rules.Handover(MONDAY + timedelta(days=1), (MONDAY,))


def test_somebody_who_was_to_begin_later_does_not() -> None:
    leaving = Stretch(date(2026, 9, 1), date(2026, 12, 31))
    change = rules.handover([leaving, Stretch(date(2027, 1, 1))], MONDAY)
    assert change == rules.Handover(MONDAY, (MONDAY - timedelta(days=1), None))


@given(DAYS, st.lists(DAYS, min_size=1, max_size=12))
def test_there_is_never_a_day_without_one_or_with_two(first: date, asked: list[date]) -> None:
    held = [Stretch(first)]
    for begins in sorted(max(first, day) for day in asked):
        change = rules.handover(held, begins)
        held = [
            Stretch(stretch.from_on, end)
            for stretch, end in zip(held, change.ends, strict=True)
            if end is not None
        ]
        held.append(Stretch(change.from_on))
    held.sort(key=lambda stretch: stretch.from_on)
    assert held[0].from_on == first
    assert held[-1].until_on is None
    for earlier, later in pairwise(held):
        assert earlier.until_on is not None
        assert earlier.until_on >= earlier.from_on
        assert later.from_on == earlier.until_on + timedelta(days=1)


def test_to_whom_the_part_can_be_offered() -> None:
    free = rules.offer_mistake(is_lead_now=False, offered_to="", leaves_on=None)
    assert free == ""
    assert "already" in rules.offer_mistake(is_lead_now=True, offered_to="", leaves_on=None)
    taken = rules.offer_mistake(is_lead_now=False, offered_to="Rosa Whitlow", leaves_on=None)
    assert "Rosa Whitlow" in taken
    assert "leaving" in rules.offer_mistake(is_lead_now=False, offered_to="", leaves_on=MONDAY)
