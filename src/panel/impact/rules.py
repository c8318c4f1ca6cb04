"""Where an episode is on each day, and when a meeting may be called, held and told of. Pure.

Source: DOMAIN.md, "Words" (step up, step down) and IMPACT.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from panel.web import words

A_DAY = timedelta(days=1)
LONGEST_AHEAD = timedelta(days=366)
"""How far ahead a meeting is planned."""


class Kind(StrEnum):
    """Where an episode is."""

    CONTACTS = "contacts"
    IMPACT = "impact"
    SOCIAL_CARE = "social_care"


KIND_WORDS = {
    Kind.CONTACTS: "CONTACTS",
    Kind.IMPACT: "IMPACT",
    Kind.SOCIAL_CARE: "Social care",
}
HEIGHT = {Kind.CONTACTS: 0, Kind.IMPACT: 1, Kind.SOCIAL_CARE: 2}


@dataclass(frozen=True, slots=True)
class Step:
    """A stay in one of them, both days included; `until_on` the day before `from_on` is no day."""

    kind: Kind
    from_on: date
    until_on: date | None = None

    @property
    def is_no_day(self) -> bool:
        """Whether it was left on the day that it began, so that no day belongs to it."""
        return self.until_on is not None and self.until_on < self.from_on


def why_not_moved(now: Step, to: Kind, on: date, today: date) -> tuple[str, str]:
    """Why an episode cannot go there on a day: (field, sentence); ("", "") where it can."""
    if now.kind is to:
        return "kind", f"The child is in {KIND_WORDS[to]} already. Load the page again"
    if on > today:
        return "from_on", "A step cannot begin in the future. Enter today or an earlier day"
    if on < now.from_on:
        came = f"The child came to {KIND_WORDS[now.kind]} on {words.short_day(now.from_on)}"
        return "from_on", f"{came}. Enter that day or a later one"
    return "", ""


def moved(steps: Sequence[Step], to: Kind, on: date) -> tuple[Step, ...]:
    """The steps after the last of them is left for another on a day. Nothing is taken away."""
    *before, now = steps
    return (*before, replace(now, until_on=on - A_DAY), Step(to, on))


def is_up(now: Kind, to: Kind) -> bool:
    """Whether it is a step up rather than down."""
    return HEIGHT[to] > HEIGHT[now]


def step_words(now: Kind, to: Kind) -> str:
    """What the button says: "Step up to IMPACT"."""
    place = KIND_WORDS[to] if to is not Kind.SOCIAL_CARE else "social care"
    return f"Step {'up' if is_up(now, to) else 'down'} to {place}"


# Meetings ---------------------------------------------------------------------------------------


def why_not_on(held_on: date, today: date) -> str:
    """Why a meeting cannot be planned for a day; "" where it can."""
    if held_on < today:
        return "This day is over. Enter the day on which you will meet"
    if held_on > today + LONGEST_AHEAD:
        return "Enter a day within the next year"
    return ""


def why_not_called(*, was_asked: bool, not_asked_why: str, place: str, invited: int) -> str:
    """Why people cannot be invited yet: the family is asked first; "" where they can."""
    if not was_asked and not not_asked_why.strip():
        return (
            "Ask the family first how they want this meeting, or write down why they could not"
            " be asked"
        )
    if not place.strip():
        return "Say where the meeting is before you invite people"
    return "" if invited else "Choose whom to invite first"


def why_not_next(next_on: date, held_on: date) -> str:
    """Why the next meeting cannot be then: IMPACT is reviewed at each; "" where it can."""
    if next_on <= held_on:
        return "The next meeting comes after this one. Check the date"
    if next_on > held_on + LONGEST_AHEAD:
        return "Enter a day within a year of this meeting"
    return ""
