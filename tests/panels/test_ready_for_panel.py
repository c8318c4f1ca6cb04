"""What a case needs before the panel talks about it, who owes it, since when."""

from dataclasses import replace
from datetime import date

from panel.panels.rules import (
    CaseProgress,
    Debt,
    Part,
    is_ready_for_panel,
    missing_for_decision,
    missing_for_panel,
)

REFERRED = date(2026, 9, 14)
READY = CaseProgress(
    referred_on=REFERRED,
    referred_by="Brambleford Nursery",
    coordinator="Ada Example",
    assessor="Bo Example",
    assessment_signed_on=date(2026, 10, 1),
    plan_agreed_on=date(2026, 10, 8),
    lead_professional="Cy Example",
)


def test_with_assessment_plan_and_lead_professional_a_case_is_ready() -> None:
    assert missing_for_panel(READY) == ()
    assert is_ready_for_panel(READY)


def test_the_assessor_owes_the_assessment_since_the_referral() -> None:
    case = replace(READY, assessment_signed_on=None)
    assert missing_for_panel(case) == (Debt(Part.ASSESSMENT, "Bo Example", REFERRED),)
    assert not is_ready_for_panel(case)


def test_where_nobody_assesses_who_referred_owes_it() -> None:
    case = replace(READY, assessment_signed_on=None, assessor=None)
    assert missing_for_panel(case)[0].owed_by == "Brambleford Nursery"


def test_the_lead_professional_owes_the_plan_since_the_assessment() -> None:
    case = replace(READY, plan_agreed_on=None)
    assert missing_for_panel(case) == (Debt(Part.PLAN, "Cy Example", date(2026, 10, 1)),)


def test_without_a_lead_professional_the_assessor_owes_the_plan() -> None:
    case = replace(READY, plan_agreed_on=None, lead_professional=None)
    assert missing_for_panel(case) == (
        Debt(Part.PLAN, "Bo Example", date(2026, 10, 1)),
        Debt(Part.LEAD_PROFESSIONAL, "Ada Example", REFERRED),
    )


def test_who_was_offered_the_part_owes_an_answer() -> None:
    case = replace(
        READY,
        lead_professional=None,
        lead_offered_to="Di Example",
        lead_offered_on=date(2026, 11, 2),
    )
    assert missing_for_panel(case) == (
        Debt(Part.LEAD_PROFESSIONAL, "Di Example", date(2026, 11, 2)),
    )


def test_a_lead_professional_who_left_is_missed_since_then() -> None:
    case = replace(READY, lead_professional=None, lead_ended_on=date(2026, 11, 6))
    assert missing_for_panel(case)[0].since == date(2026, 11, 6)


def test_a_child_of_whom_nothing_may_be_shared_waits_for_that_reason() -> None:
    case = replace(READY, may_be_shared=False, nothing_shared_since=date(2026, 11, 1))
    assert missing_for_panel(case) == (Debt(Part.SHARING, "Ada Example", date(2026, 11, 1)),)


def test_everything_missing_is_named_at_once() -> None:
    bare = CaseProgress(REFERRED, "Brambleford Nursery", "Ada Example", may_be_shared=False)
    missing = [debt.what for debt in missing_for_panel(bare)]
    assert missing == [part for part in Part if part is not Part.REQUEST]


def test_a_panel_that_decides_waits_for_the_request_alone() -> None:
    bare = CaseProgress(REFERRED, "Brambleford Nursery", "Ada Example", may_be_shared=False)
    assert [(debt.what, debt.owed_by) for debt in missing_for_decision(bare, None)] == [
        (Part.REQUEST, "Brambleford Nursery"),
        (Part.SHARING, "Ada Example"),
    ]
    shared = CaseProgress(REFERRED, "Brambleford Nursery", "Ada Example", may_be_shared=True)
    assert missing_for_decision(shared, REFERRED) == ()
