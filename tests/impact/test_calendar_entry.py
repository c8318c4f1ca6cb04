"""What goes into somebody's calendar: RFC 5545 as a calendar reads it, and nothing personal."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from icalendar import Calendar

from panel.impact.calendar_entry import Entry, Method, calendar_text
from panel.platform.clock import LONDON

MEETING = UUID("0192f000-0000-7000-8000-000000000001")
STAMPED = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TO, ORGANISER = "friend@example.org", "no-reply@wexcombe.example"


def entry(
    held_on: date = date(2026, 12, 10),
    at: time = time(9, 30),
    *,
    sequence: int = 0,
    place: str = "Room 4, Ash Lane; Sutton\nby the lift",
) -> Entry:
    return Entry(MEETING, sequence, held_on, at, 90, place)


def text_of(one: Entry, method: Method = Method.REQUEST) -> str:
    return calendar_text(one, method, to=TO, organiser=ORGANISER, stamped_at=STAMPED)


def test_a_calendar_reads_the_whole_of_it() -> None:
    calendar = Calendar.from_ical(text_of(entry()))
    assert calendar["VERSION"] == "2.0"
    assert calendar["METHOD"] == "REQUEST"
    assert calendar["PRODID"]
    (event,) = calendar.walk("VEVENT")
    assert event["UID"] == f"{MEETING}@panel.invalid"
    assert event["SEQUENCE"] == 0
    assert event["SUMMARY"] == "Meeting"
    assert event["LOCATION"] == "Room 4, Ash Lane; Sutton\nby the lift"
    assert event["STATUS"] == "CONFIRMED"
    assert event["ORGANIZER"] == f"mailto:{ORGANISER}"
    assert event["ATTENDEE"] == f"mailto:{TO}"
    assert event["DTSTAMP"].dt == STAMPED
    assert event["DTSTART"].dt == datetime(2026, 12, 10, 9, 30, tzinfo=LONDON)
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(minutes=90)
    # Nothing else: neither a description nor anybody's name.
    assert set(event) == {
        "UID", "SEQUENCE", "SUMMARY", "LOCATION", "STATUS", "ORGANIZER", "ATTENDEE", "DTSTAMP",
        "DTSTART", "DTEND", "CLASS",
    }  # fmt: skip


def test_the_text_is_as_the_rfc_folds_and_ends_lines() -> None:
    place = "A hall whose name is long enough to be folded, " * 5
    text = text_of(entry(place=place))
    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert "\n" not in text.replace("\r\n", "")
    assert max(len(line.encode()) for line in lines) <= 75
    for part in ("VCALENDAR", "VTIMEZONE", "DAYLIGHT", "STANDARD", "VEVENT"):
        assert lines.count(f"BEGIN:{part}") == lines.count(f"END:{part}") == 1
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert event["LOCATION"] == place


@pytest.mark.parametrize(
    ("day", "offset"),
    [
        (date(2027, 3, 27), 0),
        (date(2027, 3, 29), 1),
        (date(2027, 10, 30), 1),
        (date(2027, 11, 1), 0),
        (date(2044, 7, 1), 1),
    ],
)
def test_the_zone_says_itself_what_the_clock_says(day: date, offset: int) -> None:
    calendar = Calendar.from_ical(text_of(entry(day)))
    (zone,) = calendar.walk("VTIMEZONE")
    assert zone["TZID"] == "Europe/London"
    told = zone.to_tz(lookup_tzid=False)
    moment = datetime(day.year, day.month, day.day, 9, 30)
    assert told.utcoffset(moment) == timedelta(hours=offset)
    (event,) = calendar.walk("VEVENT")
    assert event["DTSTART"].params["TZID"] == "Europe/London"


def test_an_hour_is_an_hour_in_the_night_when_clocks_change() -> None:
    (event,) = Calendar.from_ical(text_of(entry(date(2027, 3, 28), time(0, 30)))).walk("VEVENT")
    begins, ends = event["DTSTART"].dt, event["DTEND"].dt
    assert ends.astimezone(UTC) - begins.astimezone(UTC) == timedelta(minutes=90)
    assert ends.hour == 3


def test_a_later_message_takes_the_place_of_an_earlier_one() -> None:
    first = Calendar.from_ical(text_of(entry())).walk("VEVENT")[0]
    moved = Calendar.from_ical(text_of(entry(date(2026, 12, 11), sequence=1))).walk("VEVENT")[0]
    ended = Calendar.from_ical(text_of(entry(sequence=2), Method.CANCEL))
    over = ended.walk("VEVENT")[0]
    assert first["UID"] == moved["UID"] == over["UID"]
    assert [one["SEQUENCE"] for one in (first, moved, over)] == [0, 1, 2]
    assert ended["METHOD"] == "CANCEL"
    assert over["STATUS"] == "CANCELLED"
