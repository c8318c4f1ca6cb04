"""Groups are compared without anybody being found: no small group, nothing to take away."""

from collections.abc import Sequence
from datetime import date
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.allocation.fairness import (
    FEWEST,
    Alike,
    Decided,
    Dimension,
    Edge,
    Group,
    Interval,
    age_band,
    apart,
    by_group,
    like_cases,
    median_wait,
    share,
)
from panel.allocation.rules import Kind


def decided(outcome: Kind = Kind.AGREED, *, ward: str = "", need: str = "ASD",
            age: str = "5–7", level: str = "", service: str = "", criterion: str = "",
            waited: int = 10) -> Decided:  # fmt: skip
    return Decided(outcome, need, age, level, ward, "", service, criterion, waited)


DECISIONS = st.lists(
    st.builds(
        decided,
        st.sampled_from(Kind),
        ward=st.sampled_from(["", *"abcdefg"]),
        waited=st.integers(0, 400),
    ),
    max_size=150,
)


@given(DECISIONS)
def test_nobody_is_in_a_small_group_and_nothing_is_left_to_take_away(
    rows: Sequence[Decided],
) -> None:
    groups = by_group(rows, Dimension.WARD)
    wards = [one.ward for one in rows]
    sizes = [sum(wards.count(name) for name in group.names) for group in groups]
    assert all(size >= FEWEST for size in sizes)
    # All or nothing: what is not shown cannot be found from what is.
    assert sum(sizes) in (0, len(rows))
    assert (sum(sizes) == 0) == (len(rows) < FEWEST)
    names = [name for group in groups for name in group.names]
    assert len(names) == len(set(names))


@given(DECISIONS)
def test_no_share_tells_the_outcome_of_everybody(rows: Sequence[Decided]) -> None:
    for group in by_group(rows, Dimension.WARD):
        mine = [one for one in rows if one.ward in group.names]
        agreed = sum(one.outcome in (Kind.AGREED, Kind.IN_PART) for one in mine)
        if agreed < 3:
            assert group.agreed is Edge.FEW
        elif len(mine) - agreed < 3:
            assert group.agreed is Edge.NEARLY_ALL
        else:
            assert group.agreed == share(agreed, len(mine))
        assert group.decisions % 5 == 0


def test_a_single_small_group_takes_the_next_with_it() -> None:
    rows = [decided(ward="a")] * 30 + [decided(ward="b")] * 12 + [decided(ward="c")] * 2
    assert [one.names for one in by_group(rows, Dimension.WARD)] == [("a",), ("b", "c")]


@pytest.mark.parametrize(
    ("agreed", "of", "low", "high"),
    # Newcombe (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_the_interval_of_a_share_is_wilsons(agreed: int, of: int, low: float, high: float) -> None:
    found = share(agreed, of)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


def test_a_share_of_nobody_is_refused() -> None:
    for agreed, of in ((0, 0), (3, 2), (-1, 4)):
        with pytest.raises(ValueError, match="no share"):
            share(agreed, of)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=60))
def test_the_median_lies_in_its_interval(days: Sequence[int]) -> None:
    found = median_wait(days)
    assert min(days) <= found.low <= found.middle <= found.high <= max(days)


def test_the_interval_of_a_median_by_hand() -> None:
    # Ranks 6 and 15 of 20: the 95.9% interval in tables of the sign test.
    found = median_wait(list(range(1, 21)))
    assert found == Interval(10.5, 6.0, 15.0)
    with pytest.raises(ValueError, match="nobody"):
        median_wait([])


def test_groups_that_stand_apart_are_named() -> None:
    def ward(name: str, agreed: int, of: int) -> list[Decided]:
        return [decided(ward=name)] * agreed + [decided(Kind.DECLINED, ward=name)] * (of - agreed)

    groups = by_group(ward("a", 80, 100) + ward("b", 78, 100) + ward("c", 20, 60), Dimension.WARD)
    assert [one.names for one in apart(groups)] == [("c",)]
    assert apart(groups[:1]) == ()


def test_ages_are_whole_years_on_the_day() -> None:
    born = date(2020, 2, 29)
    assert age_band(born, date(2023, 2, 28)) == "0–2"
    assert age_band(born, date(2023, 3, 1)) == "3–4"
    assert age_band(born, date(2028, 2, 29)) == "8–11"
    assert age_band(date(2005, 1, 1), date(2026, 1, 1)) == "19–25"


def test_like_cases_are_the_nearest_that_are_enough() -> None:
    asked = decided(service="short break", level="3", criterion="")
    near = [decided(Kind.DECLINED, service="short break", level="3", criterion="B2")] * 4
    wider = [decided(service="short break", level="3", age="8–11", criterion="A1")] * 3
    assert like_cases(asked, near) is None
    found = like_cases(asked, near + wider)
    assert found is not None
    assert found.alike_in == (Alike.NEED, Alike.SERVICE, Alike.LEVEL)
    assert dict(found.outcomes) == {Kind.DECLINED: 4, Kind.AGREED: 3}
    assert found.criteria == ("B2", "A1")
    assert found.number == 7


def test_what_is_not_known_of_a_request_makes_nothing_alike() -> None:
    rows = [decided(need="HI") for _ in range(9)]
    assert like_cases(decided(need="VI"), rows) is None
    found = like_cases(decided(need="HI"), rows)
    assert found is not None
    assert found.alike_in == (Alike.NEED,)


def test_groups_of_a_hundred_random_orders_are_the_same() -> None:
    rows = [decided(ward="a")] * 11 + [decided(ward="b")] * 10 + [decided(ward="c")] * 4
    groups: set[tuple[Group, ...]] = {
        by_group([*rows[i:], *rows[:i]], Dimension.WARD) for i in range(0, len(rows), 3)
    }
    assert len(groups) == 1
    assert all(set(a.names).isdisjoint(b.names) for a, b in combinations(next(iter(groups)), 2))
