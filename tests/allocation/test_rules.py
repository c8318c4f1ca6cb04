"""A duty is not a wish; what is missing is said; a list's order is explained."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from panel.allocation.rules import (
    ANOTHER_WAY,
    Grounds,
    InLine,
    Kind,
    LegalBasis,
    NoneBecause,
    Proposed,
    RequestFacts,
    Unmet,
    Urgency,
    age_mistake,
    decision_mistakes,
    in_order,
    is_duty,
    missing_of,
    position_words,
    units_words,
)

TODAY = date(2026, 12, 3)
LATER = date(2027, 6, 1)
BASES = some.sampled_from(list(LegalBasis))
WHY = some.sampled_from(list(Grounds))
LEFT = some.one_of(
    some.none(),
    some.builds(Unmet, WHY, some.sampled_from(["", "Too far for us"])),
    some.builds(NoneBecause, some.sampled_from(["", "Grandmother helps now"])),
)
DECISIONS = some.builds(
    Proposed,
    kind=some.sampled_from(list(Kind)),
    criterion_id=some.just(UUID(int=1)),
    reasons=some.sampled_from(["", "Internal"]),
    reasons_for_family=some.sampled_from(["", "Plain"]),
    review_on=some.sampled_from([TODAY, LATER]),
    agreed_units=some.one_of(some.none(), some.decimals(0, 20, places=3)),
    because=some.one_of(some.none(), WHY),
    unmet=LEFT,
)


def mistakes(decision: Proposed, basis: LegalBasis, *, of_duty: bool) -> dict[str, str]:
    found = decision_mistakes(
        decision, basis=basis, asked=Decimal(12), criterion_is_duty=of_duty, today=TODAY
    )
    return dict(reversed(found))


@given(DECISIONS, BASES, some.sampled_from(["D1", "P1"]))
def test_a_duty_is_never_declined_for_want_of_money_or_capacity(
    decision: Proposed, basis: LegalBasis, criterion: str
) -> None:
    of_duty = criterion == "D1"
    wrong = mistakes(decision, basis, of_duty=of_duty)
    if wrong or decision.kind is Kind.AGREED:
        return
    # Whatever is left is recorded with why, and with what is unmet or why nothing is.
    assert decision.because is not None
    assert decision.unmet is not None
    if decision.kind is Kind.DECLINED and is_duty(basis):
        said = {decision.because}
        if isinstance(decision.unmet, Unmet):
            said.add(decision.unmet.reason)
        assert not said & {Grounds.NO_MONEY, Grounds.NO_CAPACITY}
        assert of_duty


@pytest.mark.parametrize("basis", list(LegalBasis))
@pytest.mark.parametrize("because", [Grounds.NO_MONEY, Grounds.NO_CAPACITY])
def test_the_page_asks_for_another_way(basis: LegalBasis, because: Grounds) -> None:
    decision = Proposed(
        Kind.DECLINED, UUID(int=1), "x", "y", LATER, because=because, unmet=Unmet(because)
    )
    wrong = mistakes(decision, basis, of_duty=True)
    assert wrong == ({"because": ANOTHER_WAY} if is_duty(basis) else {})


def test_each_missing_thing_is_a_sentence() -> None:
    empty = RequestFacts(
        None, "", None, "", "", "", None, None, "urgent", "", "", has_assessment=False,
        level_of_need=None,
    )  # fmt: skip
    names = [name for name, _ in missing_of(empty)]
    assert names == [
        "legal_basis", "need_code", "need", "outcome", "tried", "asked_for", "asked_units", "unit",
        "urgency_why", "family_wishes", "assessment", "level_of_need",
    ]  # fmt: skip
    full = RequestFacts(
        "s17", "a", "asd", "b", "c", "d", Decimal(2), "night", "routine", "", "e",
        has_assessment=True, level_of_need="targeted",
    )  # fmt: skip
    assert missing_of(full) == ()


def test_a_service_outside_its_ages_is_refused_with_a_sentence() -> None:
    born = date(2022, 6, 15)
    assert age_mistake(born, TODAY, (5, 11)) == (
        "This service is for children from 5 on, and the child is 4"
    )
    assert age_mistake(born, TODAY, (0, 3)) == (
        "This service is for children up to 3, and the child is 4"
    )
    assert not age_mistake(born, date(2027, 6, 15), (5, 11))
    assert not age_mistake(born, TODAY, (None, None))
    assert not age_mistake(None, TODAY, (5, 11))


def test_a_place_on_a_list_is_explained() -> None:
    rows = [
        InLine(UUID(int=1), Urgency.ROUTINE, date(2026, 9, 3)),
        InLine(UUID(int=2), Urgency.URGENT, date(2026, 11, 30)),
        InLine(UUID(int=3), Urgency.ROUTINE, date(2026, 6, 4)),
    ]
    row = in_order(rows)
    assert [one.id.int for one in row] == [2, 3, 1]
    assert position_words(row, UUID(int=1), TODAY) == (
        "Number 3 of 3 on the list. 1 child with a more urgent need first. 1 child waiting longer."
        " Waiting since 3 September 2026 (91 days)."
    )
    assert position_words(row, UUID(int=9), TODAY) == ""


def test_amounts_are_told_without_needless_zeros() -> None:
    assert units_words(Decimal("12.000"), "night") == "12 nights"
    assert units_words(Decimal(1), "hour") == "1 hour"
    assert units_words(Decimal("2.500"), "session") == "2.5 sessions"
