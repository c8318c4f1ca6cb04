"""Which assessments are drawn, and how little is told of few of them."""

from collections import Counter
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.casework.quality_form import audit_forms, judged, newest_number, questions_of
from panel.casework.quality_pages import WHY
from panel.casework.quality_rules import (
    Candidate,
    Complete,
    days_words,
    draw,
    judged_words,
    number_words,
    share_words,
    shares_of,
    wrong_period,
)

TODAY = date(2026, 11, 23)


def frame(caf: int, cin: int = 0, carer: int = 0) -> list[Candidate]:
    forms = ["caf"] * caf + ["cin_core"] * cin + ["carer"] * carer
    return [
        Candidate(UUID(int=number), UUID(int=1000 + number), form, UUID(int=9))
        for number, form in enumerate(forms, start=1)
    ]


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    those = frame(60, 20)
    drawn = draw(those, 8, "a seed")
    assert drawn == draw(list(reversed(those)), 8, "a seed")
    assert {one.id for one in drawn} != {one.id for one in draw(those, 8, "another seed")}


def test_one_more_assessment_moves_at_most_one_in() -> None:
    """Each has a place of its own: nobody's place hangs on who else is there."""
    before = {one.id for one in draw(frame(40), 8, "a seed")}
    after = {one.id for one in draw(frame(41), 8, "a seed")}
    assert len(after - before) <= 1


def test_each_form_is_drawn_in_proportion() -> None:
    assert shares_of({"caf": 60, "cin_core": 20}, 8) == {"caf": 6, "cin_core": 2}
    assert shares_of({"caf": 97, "carer": 3}, 8) == {"caf": 7, "carer": 1}, "none is left out"
    assert shares_of({"caf": 3, "carer": 2}, 8) == {"caf": 3, "carer": 2}, "all there are"
    assert shares_of({"caf": 9, "cin_core": 5, "carer": 1}, 2) == {
        "caf": 1,
        "cin_core": 1,
        "carer": 0,
    }


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 200), min_size=1),
    st.integers(1, 50),
)
def test_shares_add_up(sizes: dict[str, int], most: int) -> None:
    shares = shares_of(sizes, most)
    assert sum(shares.values()) == min(most, sum(sizes.values()))
    assert all(0 <= shares[form] <= sizes[form] for form in sizes)
    if most >= len(sizes):
        assert all(shares.values())


def test_chance_is_fair() -> None:
    """Over 2,000 seeds each of ten assessments is drawn about as often: 600 times of three in ten."""
    times = Counter(one.id for seed in range(2000) for one in draw(frame(10), 3, str(seed)))
    assert len(times) == 10
    # Standard deviation 20.5: five of them either way is not seen once in a million runs.
    assert all(abs(count - 600) < 103 for count in times.values())


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        (TODAY, TODAY, ""),
        (TODAY, TODAY - timedelta(days=1), "The last day must be on or after the first day"),
        (TODAY, TODAY + timedelta(days=1), "today or earlier"),
        (TODAY - timedelta(days=366), TODAY, "a year at most"),
        (TODAY - timedelta(days=365), TODAY, ""),
    ],
)
def test_the_days_of_a_sample(first: date, last: date, says: str) -> None:
    found = wrong_period(first, last, TODAY)
    assert says in found
    assert bool(says) == bool(found)


@pytest.mark.parametrize(
    ("some", "of", "says"),
    [
        (0, 9, "Too few to say"),
        (9, 9, "Too few to say"),
        (0, 40, "Few or none"),
        (4, 40, "Few or none"),
        (5, 40, "About 10%"),
        (26, 40, "About 65%"),
        (35, 40, "About 90%"),
        (36, 40, "Nearly all or all"),
        (40, 40, "Nearly all or all"),
    ],
)
def test_a_share_tells_of_nobody(some: int, of: int, says: str) -> None:
    assert share_words(some, of) == says


def test_numbers_and_days_tell_of_nobody() -> None:
    assert number_words(9) == "Fewer than 10"
    assert number_words(12) == "About 10"
    assert number_words(13) == "About 15"
    few = Complete(UUID(int=1), 9, 9, 9, 9, 12)
    assert days_words(few) == "Too few to say"
    assert days_words(Complete(UUID(int=1), 10, 9, 9, 9, 1)) == "1 day"
    assert days_words(Complete(UUID(int=1), 10, 9, 9, 9, 0)) == "The same day"


def test_who_cannot_tell_is_not_counted_as_a_no() -> None:
    ratings = [{"complete": "yes"}] * 8 + [{"complete": "no"}] * 8
    ratings += [{"complete": "cannot_tell"}] * 40
    assert judged_words(ratings, "complete") == "About 50%"


def test_the_audit_form_asks_what_it_is_for() -> None:
    assert newest_number() in audit_forms()
    asked = {key for key, _ in judged(1)}
    assert {"complete", "child_voice", "evidence", "analysis", "smart_plan"} <= asked
    keys = {one.key for one in questions_of(1).questions}
    assert {f"{key}{WHY}" for key in asked} <= keys
