"""Who may agree to share a child's information."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from consent import (
    Appointment,
    Capacity,
    ChildStanding,
    Finding,
    Giver,
    Judgement,
    ParentalBasis,
    ParentalResponsibility,
    Span,
    holds_responsibility,
    may_agree_to_share,
    responsibility_problem,
)
from consent.standing import birthday

TODAY = date(2026, 11, 20)
CHILD, MOTHER, FATHER, WORKER, ADOPTER = (UUID(int=n) for n in range(1, 6))
FIVE = date(2021, 3, 9)
SIXTEEN_TODAY = date(2010, 11, 20)
SIXTEEN_TOMORROW = date(2010, 11, 21)
EIGHTEEN_TODAY = date(2008, 11, 20)
EIGHTEEN_TOMORROW = date(2008, 11, 21)

BIRTH_MOTHER = ParentalResponsibility(MOTHER, ParentalBasis.BIRTH_MOTHER)


def standing(
    born: date | None = FIVE,
    *responsibilities: ParentalResponsibility,
    judgements: Iterable[Judgement] = (),
    appointments: Iterable[Appointment] = (),
) -> ChildStanding:
    return ChildStanding(CHILD, born, responsibilities, tuple(judgements), tuple(appointments))


def mother() -> Any:
    return Giver(MOTHER, "her mother", Capacity.PARENTAL_RESPONSIBILITY)


def father() -> Any:
    return Giver(FATHER, "her father", Capacity.PARENTAL_RESPONSIBILITY)


def herself() -> Any:
    return Giver(CHILD, "she", Capacity.SELF)


def judged(finding: Any, made: Any = TODAY, matter: Any = "sharing") -> Any:
    return Judgement(finding, matter, WORKER, made)


@pytest.mark.parametrize(
    ("held", "allowed"),
    [
        (ParentalResponsibility(FATHER, ParentalBasis.FATHER_BY_MARRIAGE, Span(FIVE)), True),
        (ParentalResponsibility(FATHER, ParentalBasis.FATHER_BY_REGISTRATION, Span(FIVE)), True),
        (ParentalResponsibility(FATHER, ParentalBasis.FATHER_BY_REGISTRATION), False),
        (ParentalResponsibility(FATHER, None, Span(FIVE)), False),
        (ParentalResponsibility(FATHER, ParentalBasis.STEP_PARENT, Span(FIVE)), True),
        (
            ParentalResponsibility(
                FATHER, ParentalBasis.CHILD_ARRANGEMENTS_ORDER, Span(FIVE, date(2026, 11, 19))
            ),
            False,
        ),
        (
            ParentalResponsibility(
                FATHER, ParentalBasis.COURT_ORDER, Span(date(2026, 11, 21), None)
            ),
            False,
        ),
        (ParentalResponsibility(MOTHER, ParentalBasis.FATHER_BY_MARRIAGE, Span(FIVE)), False),
    ],
)
def test_parental_responsibility_counts_with_its_basis_and_dates(held: Any, allowed: Any) -> None:
    answer = may_agree_to_share(father(), standing(FIVE, held), TODAY)
    assert answer.allowed is allowed
    assert answer.why.endswith(".")


@pytest.mark.parametrize(
    ("basis", "first_day"),
    [
        (ParentalBasis.FATHER_BY_REGISTRATION, date(2003, 12, 1)),
        (ParentalBasis.SECOND_FEMALE_PARENT, date(2009, 4, 6)),
        (ParentalBasis.STEP_PARENT, date(2005, 12, 30)),
        (ParentalBasis.SPECIAL_GUARDIAN, date(2005, 12, 30)),
    ],
)
def test_a_basis_counts_from_the_day_the_law_gave_it(basis: Any, first_day: Any) -> None:
    on_the_day = ParentalResponsibility(FATHER, basis, Span(first_day))
    before = ParentalResponsibility(
        FATHER, basis, Span(date.fromordinal(first_day.toordinal() - 1))
    )
    assert responsibility_problem(on_the_day, TODAY) == ""
    assert "only from" in responsibility_problem(before, TODAY)


@pytest.mark.parametrize("basis", ParentalBasis)
def test_every_basis_gives_it_when_dated(basis: Any) -> None:
    held = ParentalResponsibility(FATHER, basis, Span(date(2022, 1, 1)))
    assert holds_responsibility(FATHER, standing(FIVE, held), TODAY)


def test_each_may_act_alone() -> None:
    married = ParentalResponsibility(FATHER, ParentalBasis.FATHER_BY_MARRIAGE, Span(FIVE))
    both = standing(FIVE, BIRTH_MOTHER, married)
    assert may_agree_to_share(mother(), both, TODAY).allowed
    assert may_agree_to_share(father(), both, TODAY).allowed


def test_it_is_never_inferred_from_a_word() -> None:
    answer = may_agree_to_share(father(), standing(FIVE, BIRTH_MOTHER), TODAY)
    assert answer.why == "It is not recorded that her father has parental responsibility."


@pytest.mark.parametrize("basis", [ParentalBasis.ADOPTION, ParentalBasis.PARENTAL_ORDER])
def test_an_adoption_ends_what_was_before(basis: Any) -> None:
    made = date(2025, 6, 1)
    adoption = ParentalResponsibility(ADOPTER, basis, Span(made))
    child = standing(FIVE, BIRTH_MOTHER, adoption)
    assert may_agree_to_share(mother(), child, date(2025, 5, 31)).allowed
    answer = may_agree_to_share(mother(), child, made)
    assert not answer.allowed
    assert answer.why == "An adoption or parental order has ended this parental responsibility."
    assert holds_responsibility(ADOPTER, child, made)


def test_an_adoption_by_a_partner_leaves_the_parents() -> None:
    adoption = ParentalResponsibility(
        ADOPTER, ParentalBasis.ADOPTION, Span(date(2025, 6, 1)), beside=frozenset({MOTHER})
    )
    assert may_agree_to_share(mother(), standing(FIVE, BIRTH_MOTHER, adoption), TODAY).allowed


@pytest.mark.parametrize("capacity", [Capacity.FOSTER_CARER, Capacity.RELATIVE])
def test_foster_carers_and_relatives_may_not(capacity: Any) -> None:
    carer = Giver(WORKER, "her foster carer", capacity)
    answer = may_agree_to_share(carer, standing(FIVE, BIRTH_MOTHER), TODAY)
    assert not answer.allowed
    assert "parental responsibility" in answer.why


@pytest.mark.parametrize(
    ("born", "allowed"),
    [
        (None, True),
        (FIVE, True),
        (SIXTEEN_TOMORROW, True),
        (SIXTEEN_TODAY, False),
        (EIGHTEEN_TODAY, False),
    ],
)
def test_a_parent_agrees_until_the_sixteenth_birthday(born: Any, allowed: Any) -> None:
    assert may_agree_to_share(mother(), standing(born, BIRTH_MOTHER), TODAY).allowed is allowed


@pytest.mark.parametrize(("born", "held"), [(EIGHTEEN_TOMORROW, True), (EIGHTEEN_TODAY, False)])
def test_parental_responsibility_ends_at_eighteen(born: Any, held: Any) -> None:
    assert holds_responsibility(MOTHER, standing(born, BIRTH_MOTHER), TODAY) is held


@pytest.mark.parametrize(
    ("born", "judgements", "allowed"),
    [
        (SIXTEEN_TOMORROW, [], False),
        (SIXTEEN_TOMORROW, [judged(Finding.COMPETENT)], True),
        (SIXTEEN_TOMORROW, [judged(Finding.COMPETENT, matter="medicine")], False),
        (SIXTEEN_TOMORROW, [judged(Finding.COMPETENT, date(2026, 11, 21))], False),
        (
            SIXTEEN_TOMORROW,
            [judged(Finding.COMPETENT, date(2026, 1, 1)), judged(Finding.NOT_COMPETENT)],
            False,
        ),
        (SIXTEEN_TOMORROW, [judged(Finding.NOT_COMPETENT), judged(Finding.COMPETENT)], False),
        (SIXTEEN_TODAY, [], True),
        (SIXTEEN_TODAY, [judged(Finding.NOT_COMPETENT, date(2025, 1, 1))], True),
        (SIXTEEN_TODAY, [judged(Finding.LACKS_CAPACITY)], False),
        (
            SIXTEEN_TODAY,
            [judged(Finding.LACKS_CAPACITY, date(2026, 11, 1)), judged(Finding.HAS_CAPACITY)],
            True,
        ),
        (EIGHTEEN_TODAY, [], True),
        (None, [judged(Finding.COMPETENT)], True),
    ],
)
def test_a_child_agrees_when_competent_and_alone_from_sixteen(
    born: Any, judgements: Any, allowed: Any
) -> None:
    child = standing(born, judgements=judgements)
    assert may_agree_to_share(herself(), child, TODAY).allowed is allowed


def test_nobody_else_agrees_as_the_child() -> None:
    other = Giver(MOTHER, "her mother", Capacity.SELF)
    assert not may_agree_to_share(other, standing(SIXTEEN_TODAY), TODAY).allowed


@pytest.mark.parametrize(
    ("born", "findings", "allowed"),
    [
        (SIXTEEN_TODAY, [Finding.LACKS_CAPACITY, Finding.BEST_INTERESTS], True),
        (EIGHTEEN_TODAY, [Finding.LACKS_CAPACITY, Finding.BEST_INTERESTS], True),
        (SIXTEEN_TODAY, [Finding.BEST_INTERESTS], False),
        (SIXTEEN_TODAY, [Finding.LACKS_CAPACITY], False),
        (SIXTEEN_TOMORROW, [Finding.LACKS_CAPACITY, Finding.BEST_INTERESTS], False),
    ],
)
def test_best_interests_are_for_who_cannot_decide_from_sixteen(
    born: Any, findings: Any, allowed: Any
) -> None:
    giver = Giver(WORKER, "her social worker", Capacity.BEST_INTERESTS)
    child = standing(born, judgements=[judged(finding) for finding in findings])
    assert may_agree_to_share(giver, child, TODAY).allowed is allowed


@pytest.mark.parametrize("capacity", [Capacity.DEPUTY, Capacity.ATTORNEY])
@pytest.mark.parametrize(
    ("born", "lacks", "span", "allowed"),
    [
        (EIGHTEEN_TODAY, True, Span(), True),
        (EIGHTEEN_TODAY, False, Span(), False),
        (EIGHTEEN_TODAY, True, Span(end=date(2026, 11, 19)), False),
        (EIGHTEEN_TOMORROW, True, Span(), False),
    ],
)
def test_deputies_and_attorneys_decide_from_eighteen(
    capacity: Any, born: Any, lacks: Any, span: Span, allowed: Any
) -> None:
    giver = Giver(MOTHER, "her mother", capacity)
    child = standing(
        born,
        judgements=[judged(Finding.LACKS_CAPACITY)] if lacks else [],
        appointments=[Appointment(MOTHER, capacity, span)],
    )
    assert may_agree_to_share(giver, child, TODAY).allowed is allowed


def test_an_attorney_is_not_a_deputy() -> None:
    giver = Giver(MOTHER, "her mother", Capacity.DEPUTY)
    child = standing(
        EIGHTEEN_TODAY,
        judgements=[judged(Finding.LACKS_CAPACITY)],
        appointments=[Appointment(MOTHER, Capacity.ATTORNEY)],
    )
    answer = may_agree_to_share(giver, child, TODAY)
    assert answer.why == "It is not recorded that her mother is a deputy."


def test_a_birthday_on_the_29th_of_february() -> None:
    assert birthday(date(2012, 2, 29), 16) == date(2028, 2, 29)
    assert birthday(date(2008, 2, 29), 18) == date(2026, 3, 1)
