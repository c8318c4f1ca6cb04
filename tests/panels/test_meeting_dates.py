"""When a panel meets: the rhythm of the panel laid over the school terms."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.panels.rules import (
    Cancelled,
    Moved,
    calendar_end_words,
    calendar_ends_on,
    is_in_term,
    meeting_dates,
    meeting_slots,
    why_not_in_term,
)
from panel.panels.terms import ClosedDay, ClosedKind, Term, TermCalendar, read_terms

ROOT = Path(__file__).resolve().parents[2]
SEVENOAKS = ROOT.parent / "shared" / "data" / "calendars" / "sevenoaks-primary-2026-2028.ics"
INVENTED = ROOT / "tests" / "panels" / "data" / "invented-school-2026-2027.ics"


def d(text: str) -> date:
    return date.fromisoformat(text)


# Worked out by hand from the file's events, not by the code under test: every second Thursday
# from 10 September 2026, each looked up between "First day back" and "Last day of term".
THURSDAYS = [
    # First day back 3 September 2026, last day of term 22 October 2026
    "2026-09-10",
    "2026-09-24",
    "2026-10-08",
    "2026-10-22",  # the last day of term itself, which is included
    # First day back 2 November 2026, last day of term 18 December 2026
    "2026-11-05",
    "2026-11-19",
    "2026-12-03",
    "2026-12-17",
    # 31 December 2026 is dropped: School Holiday 19 December to 3 January (DTEND 4 January)
    # First day back 4 January 2027, last day of term 12 February 2027
    "2027-01-14",
    "2027-01-28",
    "2027-02-11",
    # First day back 22 February 2027, last day of term 25 March 2027
    "2027-02-25",
    "2027-03-11",
    "2027-03-25",  # the last day of term itself; Good Friday is the day after
    # 8 April 2027 is dropped: School Holiday 26 March to 12 April (DTEND 13 April)
    # First day back 13 April 2027, last day of term 27 May 2027
    "2027-04-22",
    "2027-05-06",
    "2027-05-20",
    # 3 June 2027 is dropped: School Holiday 28 May to 6 June (DTEND 7 June)
    # First day back 7 June 2027, last day of term 21 July 2027
    "2027-06-17",
    "2027-07-01",
    "2027-07-15",
    # 29 July, 12 August and 26 August 2027 are dropped: School Holiday 22 July to 5 September
    # First day back 6 September 2027, last day of term 22 October 2027
    "2027-09-09",
    "2027-09-23",
    "2027-10-07",
    "2027-10-21",
    # First day back 3 November 2027, last day of term 17 December 2027
    "2027-11-04",
    "2027-11-18",
    "2027-12-02",
    "2027-12-16",
    # 30 December 2027 is dropped: School Holiday 18 December to 3 January (DTEND 4 January)
    # First day back 4 January 2028, last day of term 11 February 2028
    "2028-01-13",
    "2028-01-27",
    "2028-02-10",
    # First day back 21 February 2028, last day of term 31 March 2028
    "2028-02-24",
    "2028-03-09",
    "2028-03-23",
    # 6 April 2028 is dropped: School Holiday 1 April to 17 April (DTEND 18 April)
    # First day back 18 April 2028, last day of term 26 May 2028
    "2028-04-20",
    "2028-05-04",
    "2028-05-18",
    # 1 June 2028 is dropped: School Holiday 27 May to 4 June (DTEND 5 June)
    # First day back 5 June 2028, last day of term 21 July 2028
    "2028-06-15",
    "2028-06-29",
    "2028-07-13",
    # 27 July 2028 and all after: past the last imported term, so there are no meetings
]


@pytest.fixture(scope="module")
def sevenoaks() -> TermCalendar:
    if not SEVENOAKS.exists():
        pytest.skip("the real calendar is not beside this checkout (../shared/data)")
    reading = read_terms(SEVENOAKS.read_bytes())
    assert reading.problems == ()
    assert reading.left_out == ()
    return reading.calendar


def test_two_school_years_of_a_real_calendar(sevenoaks: TermCalendar) -> None:
    days = meeting_dates(d("2026-09-10"), 14, sevenoaks, d("2026-09-01"), d("2028-12-31"))
    assert [day.isoformat() for day in days] == THURSDAYS


def test_after_the_last_imported_term_the_calendar_ends(sevenoaks: TermCalendar) -> None:
    assert calendar_ends_on(sevenoaks) == d("2028-07-21")
    assert calendar_end_words(sevenoaks) == (
        "The term calendar ends on Friday 21 July 2028. "
        "Import the next one to plan meetings after that."
    )
    assert meeting_dates(d("2026-09-10"), 14, sevenoaks, d("2028-07-22"), d("2099-01-01")) == ()


def test_the_terms_of_the_real_calendar(sevenoaks: TermCalendar) -> None:
    assert [(t.first_day.isoformat(), t.last_day.isoformat()) for t in sevenoaks.terms] == [
        ("2026-09-03", "2026-10-22"),
        ("2026-11-02", "2026-12-18"),
        ("2027-01-04", "2027-02-12"),
        ("2027-02-22", "2027-03-25"),
        ("2027-04-13", "2027-05-27"),
        ("2027-06-07", "2027-07-21"),
        ("2027-09-06", "2027-10-22"),
        ("2027-11-03", "2027-12-17"),
        ("2028-01-04", "2028-02-11"),
        ("2028-02-21", "2028-03-31"),
        ("2028-04-18", "2028-05-26"),
        ("2028-06-05", "2028-07-21"),
    ]


def test_the_same_path_on_an_invented_calendar() -> None:
    calendar = read_terms(INVENTED.read_bytes()).calendar
    days = meeting_dates(d("2026-09-10"), 14, calendar, d("2026-09-01"), d("2027-12-31"))
    assert [day.isoformat() for day in days] == [
        "2026-09-10",
        "2026-09-24",
        # 8 October is an INSET day within the term
        "2026-10-22",
        "2026-11-05",
        "2026-11-19",
        "2026-12-03",
        "2026-12-17",
        # 31 December: holiday 18 December to 4 January
        "2027-01-14",
        "2027-01-28",
        "2027-02-11",
        # past 12 February 2027 the calendar ends
    ]


SPRING = TermCalendar(
    (Term(d("2027-04-13"), d("2027-05-27"), "Summer 2027"),),
    (
        ClosedDay(d("2027-04-20"), ClosedKind.INSET),
        ClosedDay(d("2027-05-20"), ClosedKind.HOLIDAY),
    ),
)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("2027-04-13", None),
        ("2027-05-27", None),
        ("2027-04-24", "Saturday 24 April 2027 is at the weekend."),
        ("2027-04-25", "Sunday 25 April 2027 is at the weekend."),
        ("2027-04-20", "Tuesday 20 April 2027 is an INSET day."),
        ("2027-05-03", "Monday 3 May 2027 is a bank holiday."),
        ("2027-05-20", "Thursday 20 May 2027 is a school holiday."),
        ("2027-04-12", "Monday 12 April 2027 is not in term."),
        (
            "2027-05-28",
            (
                "The term calendar ends on Thursday 27 May 2027. "
                "Import the next one to plan meetings after that."
            ),
        ),
    ],
)
def test_a_day_in_term_or_why_not(day: str, why: str | None) -> None:
    assert why_not_in_term(d(day), SPRING) == why
    assert is_in_term(d(day), SPRING) is (why is None)


def test_without_terms_there_are_no_meetings_and_it_says_so() -> None:
    assert meeting_dates(d("2026-09-10"), 14, TermCalendar(), date.min, date.max) == ()
    assert calendar_ends_on(TermCalendar()) is None
    assert "Import one" in calendar_end_words(TermCalendar())


def test_the_rhythm_goes_on_after_a_dropped_slot() -> None:
    # 20 April is an INSET day, so that slot is dropped; 4 and 18 May keep the fortnight.
    days = meeting_slots(d("2027-04-06"), 14, SPRING, d("2027-01-01"), d("2027-12-31"))
    assert days == (d("2027-05-04"), d("2027-05-18"))


def test_a_meeting_is_cancelled_and_one_is_moved_and_the_rhythm_stays() -> None:
    changes = (
        Cancelled(d("2027-04-15")),
        Moved(d("2027-04-29"), d("2027-04-30")),
    )
    days = meeting_dates(d("2027-04-15"), 14, SPRING, d("2027-04-01"), d("2027-07-01"), changes)
    assert days == (d("2027-04-30"), d("2027-05-13"), d("2027-05-27"))


def test_a_meeting_moved_into_the_asked_time_is_there_and_one_moved_out_is_not() -> None:
    moved = (Moved(d("2027-04-29"), d("2027-05-04")),)
    ask = (d("2027-04-15"), 14, SPRING)
    assert meeting_dates(*ask, d("2027-05-01"), d("2027-05-10"), moved) == (d("2027-05-04"),)
    assert meeting_dates(*ask, d("2027-04-20"), d("2027-04-30"), moved) == ()


@pytest.mark.parametrize("to", ["2027-05-03", "2027-05-20", "2027-06-01", "2027-04-20"])
def test_a_meeting_is_never_moved_to_a_day_out_of_term(to: str) -> None:
    moved = (Moved(d("2027-04-29"), d(to)),)
    days = meeting_dates(d("2027-04-15"), 14, SPRING, d("2027-04-01"), d("2027-07-01"), moved)
    assert d(to) not in days


def test_a_change_of_a_day_that_is_no_slot_does_nothing() -> None:
    changes = (Moved(d("2027-04-16"), d("2027-04-19")), Cancelled(d("2027-04-16")))
    ask = (d("2027-04-15"), 14, SPRING, d("2027-04-01"), d("2027-07-01"))
    assert meeting_dates(*ask, changes) == meeting_dates(*ask)


def test_a_rhythm_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        meeting_slots(d("2027-04-15"), 0, SPRING, d("2027-04-01"), d("2027-07-01"))


days_of_spring = st.dates(d("2027-03-01"), d("2027-07-31"))


@given(first=days_of_spring, every=st.integers(1, 60), start=days_of_spring, end=days_of_spring)
def test_slots_are_in_term_in_the_rhythm_and_none_is_left_out(
    first: date, every: int, start: date, end: date
) -> None:
    slots = meeting_slots(first, every, SPRING, start, end)
    expected = []
    day = first
    while day <= end:
        if day >= start and is_in_term(day, SPRING):
            expected.append(day)
        day += timedelta(days=every)
    assert list(slots) == expected
