"""A meeting as an entry for somebody's calendar (RFC 5545, sent as RFC 5546 says). Pure.

Whoever looks over somebody's shoulder at a calendar learns that there is a meeting, when and where:
not about whom, not with whom, not why.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from icalendar import (
    Calendar,
    Event,
    Timezone,
    TimezoneDaylight,
    TimezoneStandard,
    vCalAddress,
    vRecur,
)

from panel.platform.clock import LONDON

SUMMARY = "Meeting"
PRODUCT = "-//Panel//Meetings//EN"
AT_HOME = "At home"
"""In the place of a family's address, which a calendar need not know."""


class Method(StrEnum):
    """What the reader's calendar does with it."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a calendar is told of a meeting."""

    meeting: UUID
    sequence: int
    held_on: date
    starts_at: time
    """Europe/London."""
    minutes: int
    place: str


def calendar_text(
    entry: Entry, method: Method, *, to: str, organiser: str, stamped_at: datetime
) -> str:
    """The entry for one reader, as text with the zone's rules in it.

    `to` and `organiser` are e-mail addresses. The UID is the meeting's for ever, and SEQUENCE goes
    up, so that a later message takes the place of an earlier one (RFC 5546, 2.1.4).
    """
    begins = datetime.combine(entry.held_on, entry.starts_at, LONDON)
    # An hour is an hour in the night when clocks change too.
    ends = (begins.astimezone(UTC) + timedelta(minutes=entry.minutes)).astimezone(LONDON)
    event = Event()
    event.add("uid", f"{entry.meeting}@panel.invalid")
    event.add("sequence", entry.sequence)
    event.add("dtstamp", stamped_at)
    event.add("dtstart", begins)
    event.add("dtend", ends)
    event.add("summary", SUMMARY)
    event.add("location", entry.place)
    event.add("status", "CONFIRMED" if method is Method.REQUEST else "CANCELLED")
    event.add("class", "PRIVATE")
    event.add("organizer", vCalAddress(f"mailto:{organiser}"))
    reader = vCalAddress(f"mailto:{to}")
    reader.params["RSVP"] = "FALSE"
    event.add("attendee", reader, encode=False)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method.value)
    calendar.add_component(_london())
    calendar.add_component(event)
    made: bytes = calendar.to_ical()
    return made.decode()


def _london() -> Timezone:
    """Europe/London by the rule that holds since 1996 (Directive 2000/84/EC, kept in UK law).

    Written out: the library's own list of changes ends in 2038, and puts the change in spring an
    hour late. Each onset is in the time that was in force before it (RFC 5545, 3.6.5).
    """
    zone = Timezone()
    zone.add("tzid", "Europe/London")
    for part, name, onset, month, before, after in (
        (TimezoneDaylight(), "BST", datetime.combine(date(1996, 3, 31), time(1)), 3, 0, 1),
        (TimezoneStandard(), "GMT", datetime.combine(date(1996, 10, 27), time(2)), 10, 1, 0),
    ):
        part.add("dtstart", onset)
        part.add("tzname", name)
        part.add("tzoffsetfrom", timedelta(hours=before))
        part.add("tzoffsetto", timedelta(hours=after))
        part.add("rrule", vRecur({"FREQ": "YEARLY", "BYMONTH": month, "BYDAY": "-1SU"}))
        zone.add_component(part)
    return zone
