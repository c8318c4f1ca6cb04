"""West Mercia's tri-partite agreement by hand: twelve places, 6/4/2, five years, to the penny."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from panel.allocation.contracts import (
    SERVICES,
    Contract,
    Party,
    contract_mistakes,
    statement,
    without_prices,
)
from panel.allocation.costing import Price

AGREEMENT = Contract(
    "TRI-2026",
    "Places for children with complex needs",
    "Made-up Care",
    12,
    date(2026, 9, 1),
    date(2031, 8, 31),
    [
        Price(Decimal("3218.47"), date(2026, 9, 1), date(2028, 3, 31)),
        Price(Decimal("3315.02"), date(2028, 4, 1)),
    ],
    [
        Party("Westshire", 6, 50, 30, 20, is_ours=True),
        Party("Middleshire", 4, 33, 33, 34),
        Party("Eastshire", 2, 40, 35, 25),
    ],
)


def amounts(*said: str) -> list[Decimal]:
    return [Decimal(one.replace(",", "")) for one in said]


def test_the_tri_partite_agreement_by_hand_over_the_end_of_a_year() -> None:
    """12 × £3,218.47 = £38,621.64 a week; 212 days to 31 March 2027, 366 in the next year."""
    ours, middle, east = (statement(AGREEMENT, one.authority) for one in AGREEMENT.parties)
    first, second = ours.years[:2]
    assert first.year.name == "2026-27"
    # £38,621.64 × 212 ÷ 7 = £1,169,683.954…; a twelfth is £97,473.6625.
    assert first.total == Decimal("1169683.95")
    assert list(first.shares.values()) == amounts("584,841.98", "389,894.65", "194,947.32")
    # £38,621.64 × 366 ÷ 7 = £2,019,360.034…; a twelfth is £168,280.0025.
    assert second.total == Decimal("2019360.03")
    assert list(second.shares.values()) == amounts("1,009,680.02", "673,120.01", "336,560.00")
    # 50, 30 and 20 of a hundred; 33, 33 and 34; 40, 35 and 25.
    assert list(first.own.values()) == amounts("292,420.99", "175,452.59", "116,968.40")
    assert list(middle.years[0].own.values()) == amounts("128,665.23", "128,665.24", "132,564.18")
    assert list(east.years[0].own.values()) == amounts("77,978.93", "68,231.56", "48,736.83")
    # 12 × £3,315.02 = £39,780.24 a week; 365 days, and 153 to the end of August 2031.
    assert ours.years[2].total == Decimal("2074255.37")
    assert ours.years[-1].total == Decimal("869482.39")
    assert len(ours.years) == 6


def test_the_three_statements_agree() -> None:
    three = [statement(AGREEMENT, one.authority) for one in AGREEMENT.parties]
    assert len({one.mark for one in three}) == 1
    assert len({one.total for one in three}) == 1
    assert three[0].shares == three[1].shares == three[2].shares
    for one in three:
        assert sum(one.shares.values()) == one.total == sum(year.total for year in one.years)
        assert sum(one.own.values()) == one.shares[one.authority]
        for year in one.years:
            assert sum(year.own.values()) == year.shares[one.authority]
    # Kept at another authority: the parties in another order, and another of them is "ours".
    theirs = replace(
        AGREEMENT, parties=[replace(one, is_ours=False) for one in AGREEMENT.parties[::-1]]
    )
    assert statement(theirs, "Eastshire").mark == three[0].mark
    later = replace(AGREEMENT, prices=[Price(Decimal("3218.48"), date(2026, 9, 1))])
    assert statement(later, "Westshire").mark != three[0].mark, "a penny a week is seen"


@given(
    some.lists(some.integers(1, 40), min_size=2, max_size=6),
    some.integers(1, 999_999),
    some.dates(date(2026, 1, 1), date(2030, 12, 31)),
    some.integers(0, 2_000),
)
def test_whatever_the_shares_every_penny_has_a_payer(
    places: list[int], pence: int, first: date, days: int
) -> None:
    last = date.fromordinal(first.toordinal() + days)
    contract = Contract(
        "X", "X", "X", sum(places), first, last, [Price(Decimal(pence).scaleb(-2), first)],
        [Party(f"A{n}", share, 34, 33, 33) for n, share in enumerate(places)],
    )  # fmt: skip
    said = [statement(contract, one.authority) for one in contract.parties]
    assert len({one.mark for one in said}) == 1
    for place, year in enumerate(said[0].years):
        paid = sum(one.years[place].own[service] for one in said for service in SERVICES)
        assert paid == year.total


def test_what_cannot_be_is_told_by_field() -> None:
    def told(**changed: Any) -> list[tuple[str, str]]:
        wrong = contract_mistakes(replace(AGREEMENT, **changed))
        return [(one.field, one.sentence) for one in wrong]

    assert told() == []
    west, middle, east = AGREEMENT.parties
    assert told(parties=[west, middle, replace(east, places=1)]) == [
        ("places_1", "The shares add up to 11 of 12: change them until they add up to 12")
    ]
    assert told(parties=[west, middle, replace(east, health=41)]) == [
        (
            "health_3",
            "Eastshire: the shares add up to 101 of 100: change them until they add up to 100",
        )
    ]
    assert told(parties=[west, middle, replace(east, health=-10, social_care=75)]) == [
        ("health_3", "Eastshire: each share must be more than nought")
    ]
    assert told(parties=[west, middle, replace(east, authority="")]) == [
        ("authority_3", "Enter which authority takes these places")
    ]
    assert told(until_on=date(2026, 8, 31))[0][1].startswith("The last day must not come before")
    assert told(from_on=date(1, 1, 1), until_on=date(9999, 12, 31)) == [
        ("from_on", "The first day must lie between 1990 and 2100"),
        ("until_on", "The last day must come within 25 years of the first"),
    ]
    assert told(prices=[Price(Decimal(-1), date(2026, 9, 1))]) == [
        ("price", "The price must not be below £0.00")
    ]
    assert told(parties=[west, middle, replace(east, is_ours=True)]) == [
        ("ours", "Say which of them is your own authority")
    ]
    assert without_prices(AGREEMENT) == []
    assert without_prices(replace(AGREEMENT, prices=AGREEMENT.prices[1:])) == [
        (date(2026, 9, 1), date(2028, 3, 31))
    ]
