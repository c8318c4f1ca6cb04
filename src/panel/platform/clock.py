"""The clock is a port: everything asks it, so that `--as-of` moves the day everywhere."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


class Clock(Protocol):
    """Tells the moment."""

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        return datetime.now(UTC)


class ShiftedClock:
    """A clock that starts at a chosen moment and runs on from there (`--as-of`)."""

    def __init__(self, start: datetime) -> None:
        self._shift: timedelta = start - datetime.now(UTC)

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        return datetime.now(UTC) + self._shift


class FixedClock:
    """A clock that stands still until it is set: for tests and for making the demo's past."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        return self._moment

    def set(self, moment: datetime) -> None:
        """Stand at another moment."""
        self._moment = moment


def day_of(moment: datetime) -> date:
    """The Europe/London date of a moment."""
    return moment.astimezone(LONDON).date()


def today(clock: Clock) -> date:
    """The Europe/London date of the clock's moment."""
    return day_of(clock.now())


def at_nine(day: date) -> datetime:
    """Nine in the morning in London on a day, in UTC: when a day chosen by `--as-of` begins."""
    return datetime(day.year, day.month, day.day, 9, tzinfo=LONDON).astimezone(UTC)
