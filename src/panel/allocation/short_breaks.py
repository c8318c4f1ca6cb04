"""The limits of short breaks, warned of before they are passed (DOMAIN.md, "Allocation panel").

Pure. Under section 17 a short break is reviewed within six months. Under section 20 a stay of more
than 17 days at a stretch, more than 75 days in any 12 months, or stays in several settings bring
the full looked-after regime (Care Planning Regulations 2010, regulation 48). In Wales it is four
weeks and 120 days. All of them are an authority's to set.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from panel.records.dates import months_after
from panel.web.words import plural, short_day

DAY = timedelta(days=1)
STRETCH_WARN_DAYS = 3
"""The limit of a stretch is warned of no sooner than so many days: a stretch is short itself."""
REGIME_APPLIES = "the full looked-after regime applies"


@dataclass(frozen=True, slots=True)
class Limits:
    """What an authority goes by."""

    stretch: int = 17
    """Days at a stretch."""
    in_a_year: int = 75
    """Days in any 12 months."""
    several_settings: bool = True
    """Whether a second carer or accommodation is a limit of its own."""
    review_months: int = 6
    """Within how many months a section 17 package is reviewed."""
    warn_days: int = 14
    """How many days before the limit of a year it is warned of, and before a review; before that of
    a stretch no more than STRETCH_WARN_DAYS."""
    count_nights: bool = False
    """Count nights away; else every day on which the child is away, the more careful way."""


ENGLAND = Limits()
WALES = Limits(stretch=28, in_a_year=120)


@dataclass(frozen=True, slots=True)
class Stay:
    """A short break with one carer or in one accommodation, first and last day included."""

    setting: UUID
    from_on: date
    until_on: date


@dataclass(frozen=True, slots=True)
class Window:
    """The 12 months with most days away."""

    days: int
    from_on: date
    until_on: date


@dataclass(frozen=True, slots=True)
class Notice:
    """A limit that is near, or that what is planned would pass."""

    sentence: str
    passes: bool


def days_away(stays: Iterable[Stay], *, count_nights: bool = False) -> list[date]:
    """Every day away, once, in order."""
    found: set[date] = set()
    for stay in stays:
        nights = (stay.until_on - stay.from_on).days
        counted = nights if count_nights else nights + 1
        found.update(stay.from_on + n * DAY for n in range(counted))
    return sorted(found)


def busiest_year(days: Sequence[date]) -> Window | None:
    """The 12 months that hold most of the days (sorted, each once); of equals the earliest.

    A window that begins on a day at home holds no more than the one that begins on the next day
    away, so only days away are tried.
    """
    best: Window | None = None
    for place, first in enumerate(days):
        last = months_after(first, 12) - DAY
        held = bisect_right(days, last) - place
        if best is None or held > best.days:
            best = Window(held, first, last)
    return best


def longest_stretch(stays: Iterable[Stay], *, count_nights: bool = False) -> int:
    """The most days in one setting without going home in between.

    A stay that begins on the day on which another in the same setting ends goes on from it.
    """
    longest = 0
    by_setting: dict[UUID, list[Stay]] = {}
    for stay in sorted(stays, key=lambda one: (one.from_on, one.until_on)):
        by_setting.setdefault(stay.setting, []).append(stay)
    for there in by_setting.values():
        start, end = there[0].from_on, there[0].until_on
        for stay in there:
            if stay.from_on > end:
                start, end = stay.from_on, stay.until_on
            end = max(end, stay.until_on)
            longest = max(longest, (end - start).days + (0 if count_nights else 1))
    return longest


def section_20_warnings(stays: Sequence[Stay], limits: Limits) -> list[Notice]:
    """What these stays, planned ones among them, come near to or would pass."""
    if not stays:
        return []
    found = (
        _stretch_notice(longest_stretch(stays, count_nights=limits.count_nights), limits),
        _year_notice(busiest_year(days_away(stays, count_nights=limits.count_nights)), limits),
        _settings_notice(len({stay.setting for stay in stays}), limits),
    )
    return [one for one in found if one is not None]


def _stretch_notice(stretch: int, limits: Limits) -> Notice | None:
    if stretch > limits.stretch:
        return Notice(
            f"A stay of {plural(stretch, 'day')} at a stretch passes the limit of"
            f" {limits.stretch}: {REGIME_APPLIES}.",
            passes=True,
        )
    if stretch > limits.stretch - min(STRETCH_WARN_DAYS, limits.warn_days):
        return Notice(
            f"The longest stay is {plural(stretch, 'day')} at a stretch; the limit is"
            f" {limits.stretch}.",
            passes=False,
        )
    return None


def _year_notice(year: Window | None, limits: Limits) -> Notice | None:
    if year is None:
        return None
    span = f"from {short_day(year.from_on)} to {short_day(year.until_on)}"
    if year.days > limits.in_a_year:
        return Notice(
            f"{plural(year.days, 'day')} away in the 12 months {span} pass the limit of"
            f" {limits.in_a_year}: {REGIME_APPLIES}.",
            passes=True,
        )
    if year.days > limits.in_a_year - limits.warn_days:
        left = limits.in_a_year - year.days
        return Notice(
            f"{plural(year.days, 'day')} away in the 12 months {span}:"
            f" {plural(left, 'day')} left of {limits.in_a_year}.",
            passes=False,
        )
    return None


def _settings_notice(settings: int, limits: Limits) -> Notice | None:
    if not limits.several_settings or settings < 2:
        return None
    return Notice(
        f"The stays are in {settings} settings: {REGIME_APPLIES} to stays in several.", passes=True
    )


def review_by(since: date, limits: Limits) -> date:
    """By when a section 17 package is reviewed, counted from its start or its last review."""
    return months_after(since, limits.review_months)


def review_warning(due: date, today: date, limits: Limits) -> Notice | None:
    """Whether the review of a section 17 package is near, or late."""
    if today > due:
        return Notice(f"The review was due by {short_day(due)}.", passes=True)
    if (due - today).days <= limits.warn_days:
        return Notice(f"The review is due by {short_day(due)}.", passes=False)
    return None
