"""The perturbation table is what its design says, to the last part."""

import runpy
from fractions import Fraction
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest

from panel.insight.core.ptable import FURTHEST, TABLE, WHOLE, rounded

DESIGN = runpy.run_path(str(Path(__file__).parents[2] / "bench" / "design_ptable.py"))


def test_the_stored_table_is_the_designed_one() -> None:
    assert [dict(row) for row in TABLE.rows] == DESIGN["design"]()


def test_each_row_is_a_distribution_in_whole_parts_in_rising_order() -> None:
    for row in TABLE.rows:
        assert sum(row.values()) == WHOLE
        assert all(parts > 0 for parts in row.values())
        assert list(row) == sorted(row)


@pytest.mark.parametrize("true", range(15))
def test_nothing_in_one_to_four_and_never_more_than_five_away(true: int) -> None:
    for said in (*TABLE.row(true), *TABLE.outcomes(true)):
        assert said not in range(1, 5)
        assert abs(said - true) <= FURTHEST


@pytest.mark.parametrize("true", [0, 1, 2, 3, 4, *range(6, 15)])
def test_it_is_right_on_average(true: int) -> None:
    assert sum(p * said for said, p in TABLE.row(true).items()) == true


@pytest.mark.parametrize("true", range(6, 15))
def test_the_variance_is_two_from_six_on(true: int) -> None:
    assert sum(p * (said - true) ** 2 for said, p in TABLE.row(true).items()) == 2


def test_one_to_four_have_the_least_variance_that_being_right_on_average_allows() -> None:
    spread = [
        sum(p * (said - true) ** 2 for said, p in TABLE.row(true).items()) for true in range(1, 5)
    ]
    assert spread == [4, 6, 6, 4]


def test_a_true_zero_stays_zero_and_five_is_never_less() -> None:
    assert TABLE.outcomes(0) == {0: 1}
    assert min(TABLE.outcomes(5)) == 5


def test_rounding_goes_inward_where_out_would_be_too_far() -> None:
    for true, perturbed in product(range(60), range(70)):
        if perturbed in range(1, 5) or abs(perturbed - true) > FURTHEST:
            continue
        said = rounded(true, perturbed)
        assert said % 5 == 0
        assert abs(said - true) <= FURTHEST
        assert (said == 0) == (perturbed == 0)
    assert rounded(8, 13) == 10


def test_what_may_be_true_of_a_published_number_is_at_least_four_wide() -> None:
    assert TABLE.true_of(0) == (0, 4)
    assert TABLE.true_of(5) == (1, 10)
    for said in range(10, 60, 5):
        assert TABLE.true_of(said) == (said - 5, said + 5)
    with pytest.raises(ValueError, match="never published"):
        TABLE.true_of(3)


def test_the_number_follows_the_parts_of_the_row() -> None:
    for true in range(14):
        row = TABLE.row(true)
        steps = 10_000
        found: dict[int, int] = {}
        for part in range(steps):
            said = TABLE.perturbed(true, (part + 0.5) / steps)
            found[said] = found.get(said, 0) + 1
        assert {said: Fraction(n, steps) for said, n in found.items()} == row
    assert TABLE.perturbed(7, 1 - 2**-53) == 12


def test_the_digest_is_of_every_part() -> None:
    other = type(TABLE)((*TABLE.rows[:-1], {10: WHOLE}))
    assert len(TABLE.digest) == len(sha256().hexdigest())
    assert other.digest != TABLE.digest
