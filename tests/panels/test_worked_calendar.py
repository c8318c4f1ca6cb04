"""Six school years of a fortnightly panel, worked out by hand: every date here is a literal.

Each was counted on a calendar page, with the reasoning beside it, and not by the code under test.
The first two school years are those of a real school (read from its own file where that is beside
the checkout), the other four are invented in the same manner. In them are two leap days, twelve
Sundays on which the clocks change, six Augusts without a meeting, and the bank holidays of England.
"""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from panel.exchange.inbox_notifications import is_under_school_age, of_school_age_from
from panel.panels.rules import (
    leaves_contacts_on,
    meeting_dates,
    next_review_meeting,
    notes_due_on,
    pack_closes,
    papers_close_on,
    review_horizon,
    why_not_in_term,
)
from panel.panels.terms import Term, TermCalendar, read_terms
from panel.platform.clock import LONDON, day_of
from panel.records.dates import age_in_years, age_words, birthday, months_after

ROOT = Path(__file__).resolve().parents[2]
SEVENOAKS = ROOT.parent / "shared" / "data" / "calendars" / "sevenoaks-primary-2026-2028.ics"


def d(text: str) -> date:
    return date.fromisoformat(text)


REAL = (
    ("2026-09-03", "2026-10-22"), ("2026-11-02", "2026-12-18"),
    ("2027-01-04", "2027-02-12"), ("2027-02-22", "2027-03-25"),
    ("2027-04-13", "2027-05-27"), ("2027-06-07", "2027-07-21"),
    ("2027-09-06", "2027-10-22"), ("2027-11-03", "2027-12-17"),
    ("2028-01-04", "2028-02-11"), ("2028-02-21", "2028-03-31"),
    ("2028-04-18", "2028-05-26"), ("2028-06-05", "2028-07-21"),
)  # fmt: skip
INVENTED = (
    ("2028-09-04", "2028-10-20"), ("2028-10-30", "2028-12-19"),
    ("2029-01-03", "2029-02-09"), ("2029-02-19", "2029-03-29"),  # Easter Sunday: 1 April 2029
    ("2029-04-16", "2029-05-25"), ("2029-06-04", "2029-07-20"),
    ("2029-09-03", "2029-10-19"), ("2029-10-29", "2029-12-19"),
    ("2030-01-03", "2030-02-15"), ("2030-02-25", "2030-04-05"),
    ("2030-04-23", "2030-05-24"), ("2030-06-03", "2030-07-19"),  # Easter Sunday: 21 April 2030
    ("2030-09-02", "2030-10-25"), ("2030-11-04", "2030-12-20"),
    ("2031-01-06", "2031-02-14"), ("2031-02-24", "2031-04-04"),  # Easter Sunday: 13 April 2031
    ("2031-04-22", "2031-05-23"), ("2031-06-02", "2031-07-18"),
    ("2031-09-01", "2031-10-24"), ("2031-11-03", "2031-12-19"),
    ("2032-01-05", "2032-02-13"), ("2032-02-23", "2032-03-25"),  # Easter Sunday: 28 March 2032
    ("2032-04-12", "2032-05-28"), ("2032-06-07", "2032-07-21"),
)  # fmt: skip
SIX_YEARS = TermCalendar(tuple(Term(d(first), d(last)) for first, last in REAL + INVENTED))

# Every second Thursday from 10 September 2026: the rhythm never restarts, holidays or not.
MEETINGS = (
    "2026-09-10", "2026-09-24", "2026-10-08", "2026-10-22",  # the last day of term is in it
    "2026-11-05", "2026-11-19", "2026-12-03", "2026-12-17",  # 31 December: holidays
    "2027-01-14", "2027-01-28", "2027-02-11",
    "2027-02-25", "2027-03-11", "2027-03-25",  # 8 April: Easter holidays
    "2027-04-22", "2027-05-06", "2027-05-20",  # 3 June: half-term
    "2027-06-17", "2027-07-01", "2027-07-15",  # 29 July, 12 and 26 August: summer
    "2027-09-09", "2027-09-23", "2027-10-07", "2027-10-21",
    "2027-11-04", "2027-11-18", "2027-12-02", "2027-12-16",  # 30 December: holidays
    "2028-01-13", "2028-01-27", "2028-02-10",
    "2028-02-24", "2028-03-09", "2028-03-23",  # fourteen days over 29 February; 6 April: Easter
    "2028-04-20", "2028-05-04", "2028-05-18",  # 1 June: half-term
    "2028-06-15", "2028-06-29", "2028-07-13",  # 27 July, 10 and 24 August: summer
    "2028-09-07", "2028-09-21", "2028-10-05", "2028-10-19",
    "2028-11-02", "2028-11-16", "2028-11-30", "2028-12-14",  # 28 December: holidays
    "2029-01-11", "2029-01-25", "2029-02-08",
    "2029-02-22", "2029-03-08", "2029-03-22",  # 5 April: Easter holidays
    "2029-04-19", "2029-05-03", "2029-05-17",  # 31 May: half-term
    "2029-06-14", "2029-06-28", "2029-07-12",  # 26 July, 9 and 23 August: summer
    "2029-09-06", "2029-09-20", "2029-10-04", "2029-10-18",
    "2029-11-01", "2029-11-15", "2029-11-29", "2029-12-13",  # 27 December: holidays
    "2030-01-10", "2030-01-24", "2030-02-07",  # 21 February: half-term
    "2030-03-07", "2030-03-21", "2030-04-04",  # 18 April: Easter holidays
    "2030-05-02", "2030-05-16",  # 30 May: half-term
    "2030-06-13", "2030-06-27", "2030-07-11",  # 25 July, 8 and 22 August: summer
    "2030-09-05", "2030-09-19", "2030-10-03", "2030-10-17",  # 31 October: half-term
    "2030-11-14", "2030-11-28", "2030-12-12",  # 26 December: holidays
    "2031-01-09", "2031-01-23", "2031-02-06",  # 20 February: half-term
    "2031-03-06", "2031-03-20", "2031-04-03",  # 17 April: Easter holidays
    "2031-05-01", "2031-05-15",  # 29 May: half-term
    "2031-06-12", "2031-06-26", "2031-07-10",  # 24 July, 7 and 21 August: summer
    "2031-09-04", "2031-09-18", "2031-10-02", "2031-10-16",  # 30 October: half-term
    "2031-11-13", "2031-11-27", "2031-12-11",  # 25 December: Christmas Day
    "2032-01-08", "2032-01-22", "2032-02-05",  # 19 February: half-term
    "2032-03-04", "2032-03-18",  # 29 February lies between 5 February and 4 March; 1 April: Easter
    "2032-04-15", "2032-04-29", "2032-05-13", "2032-05-27",
    "2032-06-10", "2032-06-24", "2032-07-08",  # 22 July: the day after the last known day of term
)  # fmt: skip
DAYS = tuple(map(d, MEETINGS))


def test_the_real_years_are_as_their_school_publishes_them() -> None:
    if not SEVENOAKS.exists():
        pytest.skip("the real calendar is not beside this checkout (../shared/data)")
    read = read_terms(SEVENOAKS.read_bytes()).calendar
    assert [(one.first_day, one.last_day) for one in read.terms] == [
        (d(first), d(last)) for first, last in REAL
    ]


def test_six_years_of_fortnights_in_term_only() -> None:
    found = meeting_dates(d("2026-09-10"), 14, SIX_YEARS, d("2026-09-01"), d("2040-12-31"))
    assert found == DAYS
    assert {day.weekday() for day in found} == {3}, "Thursdays"
    assert not {day for day in found if day.month == 8}, "no August has a meeting"


@pytest.mark.parametrize(
    ("day", "says"),
    [
        # A Thursday of the rhythm, one day after the last term that is known.
        ("2032-07-22", "The term calendar ends on Wednesday 21 July 2032."),
        ("2033-01-06", "The term calendar ends on Wednesday 21 July 2032."),
        ("2028-08-10", "Thursday 10 August 2028 is not in term."),
        ("2030-02-21", "Thursday 21 February 2030 is not in term."),
        # The clocks go back on Sunday 31 October 2027, and on 25 October 2026, in half-term.
        ("2026-10-25", "Sunday 25 October 2026 is not in term."),
        # The clocks go forward on Sunday 26 March 2028, within a term.
        ("2028-03-26", "Sunday 26 March 2028 is at the weekend."),
    ],
)
def test_why_there_is_no_meeting(day: str, says: str) -> None:
    assert (why_not_in_term(d(day), SIX_YEARS) or "").startswith(says)


@pytest.mark.parametrize(
    ("discussed", "due_by", "meeting"),
    [
        # The usual: six calendar months, then back to the last meeting.
        ("2026-09-10", "2027-03-10", "2027-02-25"),  # 11 March is a day late
        ("2026-12-03", "2027-06-03", "2027-05-20"),  # 3 June itself is in half-term
        ("2027-01-14", "2027-07-14", "2027-07-01"),  # 15 July is a day late
        ("2028-12-14", "2029-06-14", "2029-06-14"),  # on the very day
        ("2029-03-08", "2029-09-08", "2029-09-06"),  # the first meeting after the summer
        ("2030-10-17", "2031-04-17", "2031-04-03"),  # 17 April is in the Easter holidays
        ("2031-04-03", "2031-10-03", "2031-10-02"),
        # Due in August: held in July, never in September.
        ("2027-02-11", "2027-08-11", "2027-07-15"),
        ("2027-02-25", "2027-08-25", "2027-07-15"),
        ("2028-02-10", "2028-08-10", "2028-07-13"),
        ("2028-02-24", "2028-08-24", "2028-07-13"),
        ("2029-02-08", "2029-08-08", "2029-07-12"),
        ("2029-02-22", "2029-08-22", "2029-07-12"),
        ("2030-02-07", "2030-08-07", "2030-07-11"),
        ("2031-02-06", "2031-08-06", "2031-07-10"),
        # Due in the first days of September, before term begins: July as well.
        ("2027-03-04", "2027-09-04", "2027-07-15"),  # a meeting that was moved to 4 March
        ("2030-03-01", "2030-09-01", "2030-07-11"),  # between meetings, by the chair
        # Over the clocks' changes: calendar months, not hours.
        ("2027-09-23", "2028-03-23", "2028-03-23"),  # 182 days and one hour, if one counted hours
        ("2029-10-18", "2030-04-18", "2030-04-04"),
        # 29 February, and six months after month ends.
        ("2028-02-29", "2028-08-29", "2028-07-13"),  # decided by the chair on the leap day
        ("2026-08-31", "2027-02-28", "2027-02-25"),  # there is no 31 February
        ("2027-08-31", "2028-02-29", "2028-02-24"),  # a leap year: the 29th
        ("2031-08-31", "2032-02-29", "2032-02-05"),  # the 29th; 19 February is in half-term
        ("2029-08-31", "2030-02-28", "2030-02-07"),  # 21 February is in half-term
        ("2026-10-31", "2027-04-30", "2027-04-22"),  # April has thirty days
        ("2029-12-31", "2030-06-30", "2030-06-27"),
        ("2030-05-31", "2030-11-30", "2030-11-28"),
    ],
)
def test_a_review_is_the_last_meeting_in_time(discussed: str, due_by: str, meeting: str) -> None:
    place = next_review_meeting(d(discussed), DAYS)
    assert (place.due_by, place.meeting, place.reason) == (d(due_by), d(meeting), "")


@pytest.mark.parametrize(
    ("discussed", "due_by", "meeting", "says"),
    [
        # The last year: a later calendar may bring a meeting nearer to the day.
        ("2032-01-22", "2032-07-22", "2032-07-08", "No meeting is planned after 8 July 2032."),
        ("2032-03-18", "2032-09-18", "2032-07-08", "No meeting is planned after 8 July 2032."),
        (
            "2032-07-08",
            "2033-01-08",
            None,
            "No meeting is planned between 8 July 2032 and 8 January 2033. Import the next terms.",
        ),
    ],
)
def test_at_the_end_of_the_calendar_it_says_so(
    discussed: str, due_by: str, meeting: str | None, says: str
) -> None:
    place = next_review_meeting(d(discussed), DAYS)
    assert (place.due_by, place.meeting) == (d(due_by), None if meeting is None else d(meeting))
    assert place.reason.startswith(says)


@pytest.mark.parametrize(
    ("meeting", "until"),
    [
        ("2027-07-15", "2027-09-08"),  # all of August, until the day before 9 September
        ("2030-02-07", "2030-03-06"),
        ("2032-07-08", "2032-07-21"),  # the last: until the calendar ends
    ],
)
def test_which_reviews_are_for_a_meeting(meeting: str, until: str) -> None:
    assert review_horizon(d(meeting), DAYS, SIX_YEARS) == d(until)


@pytest.mark.parametrize(
    ("meeting", "papers"),
    [
        # The working days counted back, the day of the meeting left out.
        ("2026-09-10", "2026-09-03"),  # 9 8 7 4 3
        ("2026-11-05", "2026-10-29"),  # 4 3 2, 30 29 October: school holidays are working days
        ("2027-01-14", "2027-01-07"),  # 13 12 11 8 7
        ("2027-04-22", "2027-04-15"),  # 21 20 19 16 15
        ("2027-05-06", "2027-04-28"),  # 5 4, not Monday 3 May, 30 29 28 April
        ("2027-09-09", "2027-09-02"),  # 8 7 6 3 2; the bank holiday of 30 August is before
        ("2028-01-13", "2028-01-06"),  # 12 11 10 7 6
        ("2028-03-09", "2028-03-02"),  # 8 7 6 3 2
        ("2028-04-20", "2028-04-11"),  # 19 18, not Easter Monday 17 nor Good Friday 14, 13 12 11
        ("2028-05-04", "2028-04-26"),  # 3 2, not Monday 1 May, 28 27 26 April
        ("2029-01-11", "2029-01-04"),  # 10 9 8 5 4
        ("2029-11-01", "2029-10-25"),  # 31 30 29, the clocks went back on the 28th, 26 25
        ("2030-05-02", "2030-04-25"),  # 1 May (a Wednesday), 30 29 26 25 April
        ("2031-05-15", "2031-05-08"),  # 14 13 12 9 8; Monday 5 May is before
        ("2032-01-08", "2031-12-31"),  # 7 6 5 2, not New Year’s Day, 31 December
        ("2032-03-04", "2032-02-26"),  # 3 2 1 March, 27 26 February; the 29th is a Sunday
        ("2032-04-15", "2032-04-08"),  # 14 13 12 9 8; Easter Monday 29 March is before
    ],
)
def test_papers_close_five_working_days_before(meeting: str, papers: str) -> None:
    assert papers_close_on(d(meeting), 5, SIX_YEARS) == d(papers)


@pytest.mark.parametrize(
    ("meeting", "due", "pack"),
    [
        # Five working days after, and ten, the day of the meeting left out.
        ("2026-10-22", "2026-10-29", "2026-11-05"),  # 23 26 27 28 29 | 30 2 3 4 5: clocks on 25th
        # Not Christmas Day nor its Monday 28 (for Boxing Day, a Saturday), nor New Year’s Day.
        ("2026-12-17", "2026-12-24", "2027-01-05"),  # 18 21 22 23 24 | 29 30 31 4 5
        ("2027-03-25", "2027-04-05", "2027-04-12"),  # 30 31 1 2 5: Good Friday 26, Monday 29
        ("2027-05-20", "2027-05-27", "2027-06-04"),  # 21 24 25 26 27 | 28, not Monday 31, 1 2 3 4
        ("2027-12-16", "2027-12-23", "2028-01-04"),  # 17 20 21 22 23 | 24 29 30 31 4
        ("2028-03-23", "2028-03-30", "2028-04-06"),  # 24 27 28 29 30 | 31 3 4 5 6: clocks on 26th
        ("2028-12-14", "2028-12-21", "2029-01-02"),  # 15 18 19 20 21 | 22 27 28 29 2
        ("2030-04-04", "2030-04-11", "2030-04-18"),  # 5 8 9 10 11 | 12 15 16 17 18
        # Good Friday is the 11th, Easter Monday the 14th.
        ("2031-04-03", "2031-04-10", "2031-04-21"),  # 4 7 8 9 10 | 15 16 17 18 21
        ("2031-12-11", "2031-12-18", "2031-12-29"),  # 12 15 16 17 18 | 19 22 23 24 29
        ("2032-05-27", "2032-06-04", "2032-06-11"),  # 28, not Monday 31 May, 1 2 3 4 | 7 8 9 10 11
        ("2032-07-08", "2032-07-15", "2032-07-22"),  # 9 12 13 14 15 | 16 19 20 21 22: out of term
    ],
)
def test_notes_are_due_after_five_and_packs_close_after_ten(
    meeting: str, due: str, pack: str
) -> None:
    assert notes_due_on(d(meeting), 5, SIX_YEARS) == d(due)
    assert pack_closes(d(meeting), 10, SIX_YEARS) == d(pack)


@pytest.mark.parametrize(
    ("born", "school_age", "leaves"),
    [
        # Of school age on a prescribed day (31 August, 31 December, 31 March) on or after five;
        # out of CONTACTS on the eighth birthday.
        ("2021-08-31", "2026-08-31", "2029-08-31"),  # five on the prescribed day itself
        ("2021-09-01", "2026-12-31", "2029-09-01"),  # a day younger: four months later
        ("2022-08-31", "2027-08-31", "2030-08-31"),
        ("2024-02-29", "2029-03-31", "2032-02-29"),  # five on 1 March 2029; 2032 is a leap year
        ("2020-02-29", "2025-03-31", "2028-02-29"),
        ("2023-12-31", "2028-12-31", "2031-12-31"),
        ("2024-01-01", "2029-03-31", "2032-01-01"),
        ("2024-04-01", "2029-08-31", "2032-04-01"),
    ],
)
def test_birthdays_at_the_edges(born: str, school_age: str, leaves: str) -> None:
    assert of_school_age_from(d(born)) == d(school_age)
    assert not is_under_school_age(d(born), d(school_age))
    assert leaves_contacts_on(d(born)) == d(leaves)


@pytest.mark.parametrize(
    ("born", "day", "years", "said"),
    [
        ("2022-08-31", "2027-08-30", 4, "4 years 11 months"),
        ("2022-08-31", "2027-08-31", 5, "5 years"),
        (
            "2022-08-31",
            "2027-09-30",
            5,
            "5 years",
        ),  # there is no 31 September: a month on 1 October
        ("2022-08-31", "2027-10-01", 5, "5 years 1 month"),
        ("2024-02-29", "2025-02-28", 0, "11 months"),
        ("2024-02-29", "2025-03-01", 1, "1 year"),  # born on 29 February: a year on 1 March
        ("2024-02-29", "2028-02-28", 3, "3 years 11 months"),
        ("2024-02-29", "2028-02-29", 4, "4 years"),
    ],
)
def test_ages_at_the_edges(born: str, day: str, years: int, said: str) -> None:
    assert age_in_years(d(born), d(day)) == years
    assert age_words(d(born), d(day)) == said
    assert birthday(d(born), years) <= d(day) < birthday(d(born), years + 1)


@pytest.mark.parametrize(
    ("moment", "day", "time"),
    [
        # The clocks go back on Sunday 25 October 2026 at 2: half past one is there twice.
        (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), "2026-10-25", "00:30"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25", "01:30"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25", "01:30"),
        (datetime(2026, 10, 25, 23, 30, tzinfo=UTC), "2026-10-25", "23:30"),
        (datetime(2026, 10, 26, 0, 0, tzinfo=UTC), "2026-10-26", "00:00"),
        # They go forward on Sunday 28 March 2027 at 1: the day has twenty-three hours.
        (datetime(2027, 3, 28, 0, 59, tzinfo=UTC), "2027-03-28", "00:59"),
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "2027-03-28", "02:00"),
        (datetime(2027, 3, 28, 23, 0, tzinfo=UTC), "2027-03-29", "00:00"),
        # In the night of a birthday and of a leap day.
        (datetime(2027, 8, 30, 23, 0, tzinfo=UTC), "2027-08-31", "00:00"),
        (datetime(2028, 2, 29, 23, 59, tzinfo=UTC), "2028-02-29", "23:59"),
    ],
)
def test_what_day_it_is_in_london(moment: datetime, day: str, time: str) -> None:
    assert day_of(moment) == d(day)
    assert moment.astimezone(LONDON).strftime("%H:%M") == time


def test_six_months_after_every_31_august() -> None:
    """By hand for six years: the last of February, the 29th in 2028 and 2032."""
    found = [months_after(date(year, 8, 31), 6) for year in range(2026, 2032)]
    assert found == [
        d("2027-02-28"), d("2028-02-29"), d("2029-02-28"), d("2030-02-28"), d("2031-02-28"),
        d("2032-02-29"),
    ]  # fmt: skip
