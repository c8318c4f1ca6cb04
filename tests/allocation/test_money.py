"""Money to the penny: nothing is lost, nothing is made, and wrong amounts are told in a sentence."""

import itertools
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from panel.allocation.money import (
    LARGEST,
    FinancialYear,
    amount_mistake,
    pounds,
    shares_mistake,
    split,
    split_between,
    to_the_penny,
    units_mistake,
    years_between,
)

PENCE = some.integers(-(10**12), 10**12).map(lambda pence: Decimal(pence).scaleb(-2))
SHARES = some.lists(some.integers(0, 10_000), min_size=1, max_size=9).filter(any)


@given(PENCE, SHARES)
def test_a_split_loses_and_makes_no_penny_and_nobody_is_a_penny_off(
    total: Decimal, shares: list[int]
) -> None:
    parts = split(total, shares)
    assert sum(parts) == total
    for part, share in zip(parts, shares, strict=True):
        exact = Fraction(total) * share / sum(shares)
        assert abs(Fraction(part) - exact) < Fraction(1, 100)
        assert part == part.quantize(Decimal("0.01"))
        assert share or not part


@given(
    PENCE,
    some.dictionaries(
        some.text("abcxyz", min_size=1), some.integers(1, 99), min_size=1, max_size=6
    ),
    some.randoms(use_true_random=False),
)
def test_a_split_is_the_same_in_whatever_order_the_payers_stand(
    total: Decimal, shares: dict[str, int], random: Random
) -> None:
    names = list(shares)
    random.shuffle(names)
    assert split_between(total, {name: shares[name] for name in names}) == split_between(
        total, shares
    )


@given(PENCE, SHARES)
def test_equal_shares_differ_by_a_penny_at_most_and_more_parts_never_pay_less(
    total: Decimal, shares: list[int]
) -> None:
    paid = sorted(zip(shares, split(abs(total), shares), strict=True))
    for (few, less), (many, more) in itertools.pairwise(paid):
        assert less <= more + (Decimal("0.01") if few == many else 0)


def test_a_penny_that_is_left_goes_to_whom_it_is_owed() -> None:
    assert split(Decimal("100.00"), [1, 1, 1]) == [
        Decimal("33.34"),
        Decimal("33.33"),
        Decimal("33.33"),
    ]
    assert split(Decimal("-0.01"), [1, 2]) == [Decimal("0.00"), Decimal("-0.01")]
    assert to_the_penny(Fraction(1, 200)) == Decimal("0.01")
    assert to_the_penny(Fraction(-1, 200)) == Decimal("-0.01")


@pytest.mark.parametrize("shares", [[], [0], [3, -1]])
def test_shares_that_are_none_are_refused(shares: list[int]) -> None:
    with pytest.raises(ValueError, match="Shares are whole numbers"):
        split(Decimal(1), shares)
    with pytest.raises(ValueError, match="no fractions of a penny"):
        split(Decimal("0.001"), [1])


def test_a_financial_year_begins_on_1_april() -> None:
    year = FinancialYear.of(date(2027, 3, 31))
    assert (year.name, year.days) == ("2026-27", 365)
    assert FinancialYear.of(date(2027, 4, 1)) == year.following == FinancialYear.named("2027-28")
    assert year.following.days == 366
    assert FinancialYear(1999).name == "1999-00"
    spans = years_between(date(2027, 3, 31), date(2028, 4, 1))
    assert [one.name for one in spans] == ["2026-27", "2027-28", "2028-29"]
    assert years_between(date(2027, 3, 31), date(2027, 3, 30)) == []
    with pytest.raises(ValueError, match="no financial year"):
        FinancialYear.named("2026-28")


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("-0.01", "The price must not be below £0.00"),
        ("0", "The price must be more than £0.00"),
        ("1.005", "The price must be in pounds and pence, with at most two decimals"),
        ("10000000000", "The price must be £9,999,999,999.99 or less"),
        ("999999999999999.999999", "The price must be £9,999,999,999.99 or less"),
        ("1.50", ""),
        (str(LARGEST), ""),
    ],
)
def test_a_wrong_amount_is_told_in_a_sentence(amount: str, told: str) -> None:
    assert amount_mistake("The price", Decimal(amount)) == told


def test_other_wrong_numbers_are_told_too() -> None:
    assert units_mistake("How many", Decimal(0)) == "How many must be more than nought"
    assert (
        units_mistake("How many", Decimal("1.0005")) == "How many must have at most three decimals"
    )
    assert units_mistake("How many", Decimal(10**9)) == "How many must be 999,999,999.999 or less"
    assert shares_mistake([6, 4, 1], 12) == (
        "The shares add up to 11 of 12: change them until they add up to 12"
    )
    assert shares_mistake([13, -1], 12) == "Each share must be more than nought"
    assert shares_mistake([6, 4, 2], 12) == ""
    assert pounds(Decimal("-1234.5")) == "−£1,234.50"
