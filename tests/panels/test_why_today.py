"""Why a child is on an agenda today."""

from datetime import date

import pytest

from panel.panels.models import WHY_TODAY
from panel.panels.rules import CaseDates, Reason, Why, why_today

MEETING = date(2026, 12, 3)
HORIZON = date(2026, 12, 16)
REFERRED = date(2025, 9, 14)
LAST = date(2026, 6, 11)


def reasons(case: CaseDates) -> list[str]:
    return [why.reason for why in why_today(case, MEETING, HORIZON)]


def test_the_reasons_are_those_that_are_stored() -> None:
    assert tuple(Reason) == WHY_TODAY


def test_a_new_child() -> None:
    assert why_today(CaseDates(date(2026, 11, 2)), MEETING, HORIZON) == (
        Why(
            Reason.NEW,
            date(2026, 11, 2),
            "New: referred on 2 November 2026 and not yet discussed.",
        ),
    )


@pytest.mark.parametrize(
    ("due_by", "sentence"),
    [
        (date(2026, 12, 11), "Review due by 11 December 2026; last discussed on 11 June 2026."),
        (date(2026, 12, 16), "Review due by 16 December 2026; last discussed on 11 June 2026."),
        (
            date(2026, 12, 2),
            "Review overdue since 2 December 2026; last discussed on 11 June 2026.",
        ),
    ],
)
def test_a_review_due_before_the_next_meeting(due_by: date, sentence: str) -> None:
    found = why_today(CaseDates(REFERRED, LAST, due_by), MEETING, HORIZON)
    assert found == (Why(Reason.REVIEW_DUE, due_by, sentence),)


def test_a_review_that_the_next_meeting_is_in_time_for_is_not_for_this_one() -> None:
    assert reasons(CaseDates(REFERRED, LAST, date(2026, 12, 17))) == []


def test_a_transition_from_three_months_before_until_it_is_talked_about() -> None:
    starts = CaseDates(
        REFERRED, LAST, transition="starts Reception", transition_on=date(2027, 3, 3)
    )
    assert why_today(starts, MEETING, HORIZON)[0].sentence == (
        "Transition: starts Reception, on 3 March 2027."
    )
    assert reasons(CaseDates(REFERRED, LAST, transition_on=date(2027, 3, 4))) == []
    talked_about = CaseDates(REFERRED, date(2026, 11, 19), transition_on=date(2027, 1, 4))
    assert reasons(talked_about) == []


def test_an_escalation_until_it_is_talked_about() -> None:
    case = CaseDates(
        REFERRED, LAST, escalated_on=date(2026, 11, 30), escalation="no equipment at home."
    )
    assert why_today(case, MEETING, HORIZON)[0].sentence == (
        "Escalated on 30 November 2026: no equipment at home."
    )
    assert reasons(CaseDates(REFERRED, LAST, escalated_on=date(2026, 6, 1))) == []
    silent = CaseDates(REFERRED, LAST, escalated_on=date(2026, 11, 30))
    assert why_today(silent, MEETING, HORIZON)[0].sentence == "Escalated on 30 November 2026."


def test_a_child_who_was_not_reached() -> None:
    case = CaseDates(REFERRED, LAST, deferred_on=date(2026, 11, 19))
    assert why_today(case, MEETING, HORIZON)[0].sentence == (
        "Put off on 19 November 2026: was on the agenda and not reached."
    )


def test_all_reasons_are_told_in_the_usual_order() -> None:
    case = CaseDates(
        REFERRED,
        LAST,
        review_due_by=date(2026, 12, 11),
        transition="starts nursery",
        transition_on=date(2027, 1, 4),
        escalated_on=date(2026, 11, 30),
        deferred_on=date(2026, 11, 19),
    )
    assert reasons(case) == ["escalation", "transition", "review_due", "deferred"]


def test_a_child_discussed_and_not_due_has_no_reason() -> None:
    assert reasons(CaseDates(REFERRED, LAST)) == []
