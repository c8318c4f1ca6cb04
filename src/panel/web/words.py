"""Dates, times and numbers as people read them: one place for the wording.

Pure. "Today" always comes in as an argument; a date is a Europe/London date, and a moment is
turned into London time before it is worded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from panel.platform.clock import LONDON

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def day(date: dt.date) -> str:
    """Word a date with its weekday: "Thursday 3 December 2026"."""
    date = _london_date(date)
    return f"{WEEKDAYS[date.weekday()]} {short_day(date)}"


def short_day(date: dt.date) -> str:
    """Word a date without its weekday: "3 December 2026"."""
    date = _london_date(date)
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def time(moment: dt.time | dt.datetime) -> str:
    """Word a time of day on the 24-hour clock: "9:30".

    A moment must know its zone and is shown in London time; raises ValueError where it does not.
    """
    if isinstance(moment, dt.datetime):
        moment = _in_london(moment)
    return f"{moment.hour}:{moment.minute:02}"


def day_and_time(moment: dt.datetime) -> str:
    """Word a moment in London time: "3 December 2026 at 9:30"."""
    return f"{short_day(moment)} at {time(moment)}"


def relative_day(date: dt.date, today: dt.date) -> str:
    """Word how far a date is from today: "in 12 days", "yesterday", "12 days ago"."""
    days = (_london_date(date) - today).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    if days in near:
        return near[days]
    return f"in {number(days)} days" if days > 0 else f"{number(-days)} days ago"


def day_and_distance(date: dt.date, today: dt.date) -> str:
    """Word a date and what it means today: "Thursday 3 December 2026 (in 12 days)"."""
    return f"{day(date)} ({relative_day(date, today)})"


def number(count: int) -> str:
    """Write a whole number with commas from a thousand on: "1,234"."""
    return f"{count:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: "1 day", "12 days", "no days"; `many` for irregular nouns."""
    noun = one if count == 1 else many if many is not None else f"{one}s"
    return f"{'no' if count == 0 else number(count)} {noun}"


def initials(name: str) -> str:
    """Shorten a name to the first letter of each word: "Rosa Mary Whitlow" to "R M W"."""
    letters = (
        next((character for character in word if character.isalnum()), "") for word in name.split()
    )
    return " ".join(letter.upper() for letter in letters if letter)


def in_a_row(things: Iterable[str], conjunction: str = "and") -> str:
    """Write things as one phrase: "health, education and social care"."""
    *first, last = list(things) or [""]
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def lower_first(phrase: str) -> str:
    """Write a label inside a sentence: "Date of birth" to "date of birth"; "UPN" stays."""
    first_word = phrase.split(maxsplit=1)[0] if phrase.strip() else ""
    if sum(character.isupper() for character in first_word) > 1 or first_word == "I":
        return phrase
    return phrase[:1].lower() + phrase[1:]


def upper_first(phrase: str) -> str:
    """Begin a sentence or a label with a capital: "her mother" to "Her mother"."""
    return phrase[:1].upper() + phrase[1:]


def _in_london(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone, so its London time is unknown.")
    return moment.astimezone(LONDON)


def _london_date(date: dt.date) -> dt.date:
    return _in_london(date).date() if isinstance(date, dt.datetime) else date
