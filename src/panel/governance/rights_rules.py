"""The clock of a request about one's own data, and who decides what. Pure: dates come in.

One calendar month from the day of receipt, two more with a reason where it is complex, and the days
do not count on which proof of who asks is awaited. Source: UK GDPR Articles 11(6) and 12(3) with
12A; the calendar month is counted as the Information Commissioner does: to the day of the same
number, or the last of a shorter month. It is not moved past a weekend, so that Panel's day is never
later than the law's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from panel.records.dates import months_after

MONTHS = 1
MONTHS_EXTENDED = 3


@dataclass(frozen=True, slots=True)
class Clock:
    """How long there is to answer."""

    received_on: date
    stops: tuple[tuple[date, date | None], ...] = ()
    """Days on which it stood: from, until which it did not count; None while it stands."""
    extended: bool = False

    @property
    def stands(self) -> bool:
        """Whether it does not run now."""
        return any(until is None for _, until in self.stops)

    def stood(self, today: date) -> int:
        """Days that did not count."""
        return sum(max(((until or today) - start).days, 0) for start, until in self.stops)

    def due_on(self, today: date) -> date:
        """The last day on which to answer; while it stands, as if it went on today."""
        months = MONTHS_EXTENDED if self.extended else MONTHS
        return months_after(self.received_on, months) + timedelta(days=self.stood(today))

    def days_left(self, today: date) -> int:
        """Until the last day; negative once it is over."""
        return (self.due_on(today) - today).days


def clock_of(received_on: date, stops: Iterable[Sequence[str | None]], *, extended: bool) -> Clock:
    """The clock as it is kept."""
    read = tuple(
        (date.fromisoformat(start), None if until is None else date.fromisoformat(until))
        for start, until in stops
        if start is not None
    )
    return Clock(received_on, read, extended)


def may_give_second_look(decided_by: UUID | None, who: UUID) -> bool:
    """Whether somebody may look a second time: never who decided first."""
    return decided_by is not None and decided_by != who
