"""What the pages of panels say, without HTML."""

from datetime import date
from uuid import UUID

import msgspec
import pytest

from panel.panels.calendar import ImportedTerms, Rehearsal
from panel.panels.pages import (
    import_report,
    papers_words,
    rehearsal_page,
    waiting_row,
    waiting_words,
    working_days_between,
)
from panel.panels.reading import WaitingFact
from panel.panels.rules import ReviewMove
from panel.panels.terms import LineProblem, MergedCalendar, Term, TermCalendar, TermReading
from panel.platform.ids import new_id

MONDAY = date(2026, 11, 23)
THURSDAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (MONDAY, "Papers close on Thursday 26 November 2026, in 3 working days."),
        (date(2026, 11, 25), "Papers close on Thursday 26 November 2026, in 1 working day."),
        (THURSDAY, "Papers close on Thursday 26 November 2026, today."),
        (date(2026, 11, 27), "Papers closed on Thursday 26 November 2026."),
    ],
)
def test_until_when_papers_are_taken(today: date, said: str) -> None:
    assert papers_words(THURSDAY, today) == said


def test_working_days_leave_out_weekends_and_bank_holidays() -> None:
    assert working_days_between(date(2026, 12, 24), date(2026, 12, 29)) == 1


def test_since_when_something_is_owed() -> None:
    assert waiting_words(date(2026, 11, 11), MONDAY) == "12 days"
    assert waiting_words(MONDAY, MONDAY) == "From today"


def test_a_coordinators_list_says_by_when_a_referral_is_acknowledged() -> None:
    due = date(2026, 11, 25)
    waits = WaitingFact(
        new_id(), "A-1", None, None, None, date(2026, 11, 18), "School", None, None, "received",
        None, due,
    )  # fmt: skip
    said = "Not yet acknowledged: due by Wednesday 25 November 2026"
    assert waiting_row(waits, None, date(2026, 11, 23)).state == f"{said} (in 2 days)."
    assert waiting_row(waits, None, date(2026, 11, 26)).state == f"{said} (yesterday). Late."
    heard = msgspec.structs.replace(waits, acknowledge_by=None, state="acknowledged")
    assert waiting_row(heard, None, due).state == "Acknowledged"


def test_a_rehearsal_says_what_a_cancellation_does() -> None:
    late = ReviewMove(UUID(int=1), date(2026, 12, 4), date(2026, 12, 3), date(2026, 12, 17))
    shown = rehearsal_page(
        date(2026, 12, 3),
        Rehearsal(date(2026, 12, 3), None, (late,), date(2026, 12, 17), frozen=True),
    )
    assert shown.title == "Cancel the meeting on Thursday 3 December 2026?"
    assert shown.overdue == 1
    assert shown.effects == [
        "1 review would go to another meeting.",
        "1 review would then be later than promised, or have no meeting.",
        "The agenda is frozen: its packs close at once, and its children wait as put off.",
        "Children wait for the meeting on Thursday 17 December 2026.",
    ]


def test_an_import_is_reported_line_by_line() -> None:
    term = Term(date(2027, 1, 5), date(2027, 2, 12), "Spring 2027")
    report = import_report(
        ImportedTerms(
            TermReading(TermCalendar((term,)), (LineProblem(7, "The end is before the start."),)),
            MergedCalendar(TermCalendar((term,)), added=(term,)),
        )
    )
    assert report.heading == "1 term added, no terms known already"
    assert report.added == ["Spring 2027: Tuesday 5 January 2027 to Friday 12 February 2027"]
    assert report.problems == ["Line 7: The end is before the start."]
