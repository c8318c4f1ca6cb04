"""Days as people count them: birthdays, calendar months, bank holidays, working days.

Dates are Europe/London dates. Bank holidays are those of England.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

import holidays

from panel.web.words import plural

_ONE_DAY = timedelta(days=1)


def months_after(day: date, months: int) -> date:
    """The same day of the month so many calendar months later; month ends are clamped.

    Six months after 31 August is the last day of February.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def birthday(birth_date: date, age: int) -> date:
    """The day on which somebody reaches an age; born on 29 February, else 1 March."""
    year = birth_date.year + age
    if (birth_date.month, birth_date.day) == (2, 29) and monthrange(year, 2)[1] == 28:
        return date(year, 3, 1)
    return birth_date.replace(year=year)


def age_in_years(birth_date: date, day: date) -> int:
    """Whole years of age on a day; negative before birth."""
    years = day.year - birth_date.year
    return years if birthday(birth_date, years) <= day else years - 1


def age_words(birth_date: date, day: date) -> str:
    """An age as people say it: "4 years 5 months", "11 months", "3 weeks", "2 days".

    Raises ValueError for a day before birth: an expected child has no age.
    """
    if day < birth_date:
        raise ValueError("A child who is not born yet has no age; say when the birth is expected.")
    months = (day.year - birth_date.year) * 12 + day.month - birth_date.month
    if day.day < birth_date.day:
        months -= 1
    years, months = divmod(months, 12)
    if years or months:
        counts = ((years, "year"), (months, "month"))
        return " ".join(plural(count, unit) for count, unit in counts if count)
    weeks, days = divmod((day - birth_date).days, 7)
    if weeks:
        return plural(weeks, "week")
    return plural(days, "day") if days else "born today"


@lru_cache(maxsize=256)
def _bank_holidays_of(year: int) -> Mapping[date, str]:
    found = holidays.country_holidays("GB", subdiv="ENG", years=year)
    return MappingProxyType({day: name for day, name in found.items() if day.year == year})


def bank_holiday(day: date) -> str | None:
    """The name of the bank holiday of England on this day, or None."""
    return _bank_holidays_of(day.year).get(day)


def is_working_day(day: date, also_closed: Collection[date] = ()) -> bool:
    """Monday to Friday, less bank holidays and any further days an authority keeps as such."""
    return day.weekday() < 5 and bank_holiday(day) is None and day not in also_closed


def working_days_after(day: date, count: int, also_closed: Collection[date] = ()) -> date:
    """The working day that is `count` working days after a day; the day itself is not counted."""
    return _count(day, count, _ONE_DAY, also_closed)


def working_days_before(day: date, count: int, also_closed: Collection[date] = ()) -> date:
    """The working day that is `count` working days before a day; the day itself is not counted."""
    return _count(day, count, -_ONE_DAY, also_closed)


def _count(day: date, count: int, step: timedelta, also_closed: Collection[date]) -> date:
    if count < 0:
        raise ValueError("A number of working days cannot be below nought.")
    while count:
        day += step
        if is_working_day(day, also_closed):
            count -= 1
    return day
