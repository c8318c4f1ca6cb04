"""When papers close, notes are due, packs close and reviews are placed."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.panels.rules import (
    ReviewMove,
    effect_on_reviews,
    next_review_meeting,
    notes_due_on,
    pack_closes,
    papers_close_on,
    review_horizon,
)
from panel.panels.terms import ClosedDay, ClosedKind, Term, TermCalendar
from panel.records.dates import is_working_day, months_after


def d(text: str) -> date:
    return date.fromisoformat(text)


CHILD = UUID(int=1)
ROYAL = TermCalendar((), (ClosedDay(d("2026-12-01"), ClosedKind.BANK_HOLIDAY),))


def test_papers_close_five_working_days_before() -> None:
    # Thursday 3 December 2026: Wed 2, Tue 1, Mon 30, Fri 27, Thu 26 November.
    assert papers_close_on(d("2026-12-03")) == d("2026-11-26")


def test_bank_holidays_are_no_working_days() -> None:
    # Thursday 15 April 2027 less five: 14, 13, 12, 9, 8 April; Easter Monday was 29 March.
    assert papers_close_on(d("2027-04-15")) == d("2027-04-08")
    # Thursday 6 May 2027: 5, 4, then not Monday 3 May (bank holiday), 30, 29, 28 April.
    assert papers_close_on(d("2027-05-06")) == d("2027-04-28")


def test_a_bank_holiday_that_only_the_calendar_knows_counts_too() -> None:
    assert papers_close_on(d("2026-12-03"), 5, ROYAL) == d("2026-11-25")


def test_notes_are_due_five_working_days_after() -> None:
    assert notes_due_on(d("2026-12-03")) == d("2026-12-10")
    # Thursday 24 December: 25 and 28 are bank holidays (Boxing Day, a Saturday, moves to Monday).
    assert notes_due_on(d("2026-12-17")) == d("2026-12-24")
    assert notes_due_on(d("2026-12-24")) == d("2027-01-05")


def test_a_pack_is_open_until_ten_working_days_after_the_meeting() -> None:
    assert pack_closes(d("2026-12-03")) == d("2026-12-17")


@given(st.dates(d("2020-01-01"), d("2035-01-01")), st.integers(0, 15))
def test_so_many_working_days_lie_between(day: date, count: int) -> None:
    close = papers_close_on(day, count)
    between = range(close.toordinal(), day.toordinal())
    assert sum(is_working_day(date.fromordinal(n)) for n in between) == count


MEETINGS = tuple(
    d(text)
    for text in (
        "2026-11-05", "2026-11-19", "2026-12-03", "2026-12-17", "2027-01-14", "2027-05-06",
        "2027-05-20", "2027-06-17",
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("discussed", "meeting", "due_by"),
    [
        ("2026-12-03", "2027-05-20", "2027-06-03"),
        ("2026-11-20", "2027-05-20", "2027-05-20"),
        ("2026-11-19", "2027-05-06", "2027-05-19"),
        ("2026-12-17", "2027-06-17", "2027-06-17"),
    ],
)
def test_a_review_is_in_the_last_meeting_on_or_before_six_months_after(
    discussed: str, meeting: str, due_by: str
) -> None:
    place = next_review_meeting(d(discussed), MEETINGS)
    assert (place.meeting, place.due_by, place.reason) == (d(meeting), d(due_by), "")


@pytest.mark.parametrize(
    ("discussed", "due_by"),
    [("2026-08-31", "2027-02-28"), ("2027-08-31", "2028-02-29"), ("2026-12-31", "2027-06-30")],
)
def test_month_ends_are_clamped(discussed: str, due_by: str) -> None:
    assert months_after(d(discussed), 6) == d(due_by)


def test_where_no_meeting_is_in_time_it_says_why() -> None:
    place = next_review_meeting(d("2027-01-14"), (d("2027-01-14"), d("2027-09-09")))
    assert place.meeting is None
    assert place.reason == (
        "No meeting is planned between 14 January 2027 and 14 July 2027. "
        "Hold it at an earlier or later meeting."
    )
    assert "Import the next terms." in next_review_meeting(d("2027-01-14"), ()).reason


def test_at_the_end_of_the_calendar_the_place_is_only_the_best_so_far() -> None:
    place = next_review_meeting(d("2027-01-14"), MEETINGS)
    assert place.meeting == d("2027-06-17")
    assert place.reason == (
        "No meeting is planned after 17 June 2027. "
        "The next term calendar may bring a later one in time."
    )


def test_reviews_due_before_the_next_meeting_are_for_this_one() -> None:
    calendar = TermCalendar((Term(d("2026-11-02"), d("2027-07-21")),))
    assert review_horizon(d("2026-12-17"), MEETINGS, calendar) == d("2027-01-13")
    assert review_horizon(d("2027-06-17"), MEETINGS, calendar) == d("2027-07-21")


def test_what_a_cancelled_meeting_does_to_reviews() -> None:
    without = tuple(day for day in MEETINGS if day not in {d("2027-05-06"), d("2027-05-20")})
    reviews = [
        (CHILD, d("2026-12-03"), d("2027-06-03")),
        (UUID(int=2), d("2026-12-17"), d("2027-06-17")),
        (UUID(int=3), d("2027-01-14"), d("2027-05-31")),
    ]
    moves = effect_on_reviews(reviews, MEETINGS, without)
    assert moves == (
        ReviewMove(CHILD, d("2027-06-03"), d("2027-05-20"), d("2027-01-14")),
        ReviewMove(UUID(int=3), d("2027-05-31"), d("2027-05-20"), d("2027-06-17")),
    )
    assert [move.overdue for move in moves] == [False, True]


@given(
    st.dates(d("2026-01-01"), d("2030-01-01")),
    st.sets(st.dates(d("2026-01-01"), d("2031-01-01")), max_size=40),
)
def test_no_later_meeting_would_have_been_in_time(discussed: date, meetings: set[date]) -> None:
    place = next_review_meeting(discussed, meetings)
    in_time = {day for day in meetings if discussed < day <= place.due_by}
    assert place.meeting == max(in_time, default=None)
    assert place.meeting is not None or place.reason
