"""Quiet hours and the days of digests. Pure: London's clock, with its two Sundays a year.

Quiet hours are two times of day in London. Each night is one stretch between two moments, so that
an hour that is there twice is quiet twice, and one that is not there makes no difference.
"""

from datetime import UTC, date, datetime, time, timedelta

from panel.platform.clock import LONDON

USUAL_FROM, USUAL_UNTIL = time(20, 0), time(7, 0)
"""Quiet hours of a worker who chose none."""
DIGEST_FROM = time(7, 30)
"""From when in the day a digest is put in."""
A_DAY = timedelta(days=1)


def moment(day: date, at: time, *, second: bool = False) -> datetime:
    """The moment of a London time of day, in UTC.

    An hour that comes twice means its first, or its `second`, coming; a time that is left out by
    the clock's going forward is as long after midnight as it says.
    """
    here = datetime.combine(day, at, LONDON)
    comings = [here.replace(fold=one).astimezone(UTC) for one in (0, 1)]
    return max(comings) if second else comings[0]


def quiet_until(now: datetime, begins: time, ends: time) -> datetime | None:
    """When the quiet hours end in which a moment lies; None where it lies in none.

    `begins` equal to `ends` would be all day, and is refused before it is kept.
    """
    today = now.astimezone(LONDON).date()
    for first in (today - A_DAY, today):
        last = first if begins < ends else first + A_DAY
        start, end = moment(first, begins), moment(last, ends, second=True)
        if start <= now < end:
            return end
    return None


def digest_slot(now: datetime, how: str) -> str:
    """Of which day or week a digest is due now: "2026-11-30", "2026-W49"; "" where none is."""
    here = now.astimezone(LONDON)
    if how == "off" or now < moment(here.date(), DIGEST_FROM):
        return ""
    if how == "weekly":
        year, week, _ = here.date().isocalendar()
        return f"{year}-W{week:02}"
    return here.date().isoformat()


def digest_subject(due: int) -> str:
    """The only thing that a digest says: "3 things are due"."""
    return "1 thing is due" if due == 1 else f"{due} things are due"
