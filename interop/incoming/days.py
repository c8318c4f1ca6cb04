"""Dates and times as FHIR writes them, from a year to a fraction of a second."""

import calendar
import re
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

_LONDON: Final = ZoneInfo("Europe/London")
_DAY: Final = (
    r"(?P<year>[1-9][0-9]{3})(-(?P<month>0[1-9]|1[0-2])(-(?P<day>0[1-9]|[12][0-9]|3[01]))?)?"
)
_CLOCK: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]{1,9})?"
_ZONE: Final = r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
_FORMS: Final = {
    "date": re.compile(_DAY),
    "datetime": re.compile(rf"{_DAY}(?P<clock>(?<=-[0-9][0-9])T{_CLOCK}{_ZONE})?"),
    "instant": re.compile(rf"{_DAY}(?<=-[0-9][0-9])T{_CLOCK}{_ZONE}"),
    "time": re.compile(_CLOCK),
}
_TOO_FINE: Final = re.compile(r"(\.[0-9]{6})[0-9]+")
_LEAP: Final = re.compile(r"(T[0-9]{2}:[0-9]{2}):60")


def is_written_well(kind: str, text: str) -> bool:
    """Whether a text is a date, datetime, instant or time of FHIR, of a day that there is."""
    found = _FORMS[kind].fullmatch(text)
    if found is None:
        return False
    if kind == "time" or found["day"] is None:
        return True
    day = int(found["day"])
    # Every month has 28.
    return day <= 28 or day <= calendar.monthrange(int(found["year"]), int(found["month"]))[1]


def first_moment(given: object) -> datetime | None:
    """The first moment that a date or time may mean; None for none. Days are London's."""
    return _moment(given, last=False)


def last_moment(given: object) -> datetime | None:
    """The last moment that a date or time may mean."""
    return _moment(given, last=True)


def _moment(given: object, *, last: bool) -> datetime | None:
    if not isinstance(given, str) or not is_written_well("datetime", given):
        return None
    if "T" in given:
        return moment_of(given)
    year, month, day = (int(part) for part in [*given.split("-"), "0", "0"][:3])
    if last:
        month = month or 12
        on = date(year, month, day or calendar.monthrange(year, month)[1])
        return datetime.combine(on, time.max, _LONDON)
    return datetime.combine(date(year, month or 1, day or 1), time.min, _LONDON)


def moment_of(given: object) -> datetime | None:
    """An instant or full dateTime as an aware moment; None for anything less.

    Fractions are cut at microseconds, a leap second is the one before.
    """
    if not isinstance(given, str) or not is_written_well("instant", given):
        return None
    text = given
    if "." in text:
        text = _TOO_FINE.sub(r"\1", text)
    if ":60" in text:
        text = _LEAP.sub(r"\1:59", text)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day_of(given: object) -> date | None:
    """The London day of a date or time; None where it names no day ("2020-05")."""
    if not isinstance(given, str) or not is_written_well("datetime", given):
        return None
    if len(given) == 10:
        return date.fromisoformat(given)
    moment = moment_of(given)
    return None if moment is None else moment.astimezone(_LONDON).date()
