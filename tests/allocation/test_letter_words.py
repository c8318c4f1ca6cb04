"""A family's letter for each of the four decisions: plain, complete, nothing internal in it."""

from dataclasses import replace
from datetime import date

import pytest

from panel.allocation.letter_rules import HEADINGS, LetterFacts, fixed_words, letter_text
from panel.allocation.rules import Kind, LegalBasis
from panel.panels.reading_age import reading_age


def facts(kind: Kind, basis: LegalBasis) -> LetterFacts:
    return LetterFacts(
        child="Amina",
        asked_for="Twelve nights away from home",
        kind=kind,
        basis=basis,
        decided_on=date(2026, 12, 3),
        how_much="6 nights" if kind is Kind.IN_PART else "",
        reasons="You need time to rest.",
        conditions="Please ring us before the first night.",
        review_on=date(2027, 6, 3),
        written_on=date(2026, 12, 4),
        ask_again_by=date(2027, 1, 6),
        advice="Wexcombe IAS on 01632 960 100",
    )


@pytest.mark.parametrize("basis", list(LegalBasis))
@pytest.mark.parametrize("kind", list(Kind))
def test_a_child_of_nine_can_read_what_is_fixed(kind: Kind, basis: LegalBasis) -> None:
    assert reading_age(fixed_words(facts(kind, basis))) < 10


@pytest.mark.parametrize("kind", list(Kind))
def test_each_decision_says_what_it_is_why_and_whom_to_ask(kind: Kind) -> None:
    said = letter_text(facts(kind, LegalBasis.S17))
    assert HEADINGS[kind] in said
    assert "You need time to rest." in said
    assert "Wexcombe IAS on 01632 960 100" in said
    assert "You can also complain" in said
    assert "by Friday 3 December 2027" in said
    assert "Thursday 3 June 2027" in said
    assert ("ask us to look again" in said) is (kind is not Kind.AGREED)
    assert ("by Wednesday 6 January 2027" in said) is (kind is not Kind.AGREED)
    assert ("6 nights" in said) is (kind is Kind.IN_PART)


@pytest.mark.parametrize("basis", list(LegalBasis))
@pytest.mark.parametrize("kind", list(Kind))
def test_mediation_and_tribunal_stand_where_they_apply(kind: Kind, basis: LegalBasis) -> None:
    said = letter_text(facts(kind, basis))
    applies = basis is LegalBasis.EHCP and kind in (Kind.IN_PART, Kind.DECLINED)
    assert ("mediation" in said) is applies
    assert ("tribunal" in said) is applies
    assert ("Thursday 4 February 2027" in said) is applies
    nhs = basis is LegalBasis.CONTINUING_CARE
    assert ("Health Ombudsman" in said) is nhs
    assert ("Local Government Ombudsman" in said) is not nhs


def test_a_complaint_has_a_year_over_a_leap_day_too() -> None:
    said = letter_text(replace(facts(Kind.AGREED, LegalBasis.S17), decided_on=date(2027, 3, 1)))
    assert "by Wednesday 1 March 2028" in said
