"""The rules of measures: what makes an outcome SMART, and which way its readings go.

No database, no clock, no request. Dates are Europe/London dates, both ends included. Numbers are in
whatever the outcome counts; a scaling question is answered from 0 to 10. Source: DOMAIN.md, "Words"
(desired outcome).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from panel.plans.rules import Course
from panel.records.dates import birthday

SCALE_LOWEST, SCALE_HIGHEST = 0, 10
"""Of a scaling question."""
LAST_AGE = 25
"""No action and no outcome is planned for after this birthday: support ends with it."""
MOST_NUMBER = 100_000


@dataclass(frozen=True, slots=True)
class Smart:
    """What makes a desired outcome SMART beside its words and its measure."""

    baseline_words: str = ""
    baseline_number: Decimal | None = None
    target_words: str = ""
    target_number: Decimal | None = None
    unit: str = ""
    """What is counted: "nights a week"."""
    by_on: date | None = None
    judged_by: str | None = None
    scaling_question: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A number on a day."""

    on: date
    value: Decimal


def too_late(day: date | None, born: date | None) -> bool:
    """Whether a day lies after the 25th birthday of the child; never where either is not known."""
    return day is not None and born is not None and day > birthday(born, LAST_AGE)


def smart_mistakes(smart: Smart, started_on: date, born: date | None) -> list[tuple[str, str]]:
    """What is wrong with these parts, as (field, sentence), in the order of the form."""
    wrong = []
    has_number = smart.baseline_number is not None or smart.target_number is not None
    if has_number and not smart.unit:
        wrong.append(("unit", "Enter what is counted, for example nights a week"))
    if smart.target_number is not None and smart.baseline_number is None:
        wrong.append(("baseline_number", "Enter the number as it is now, to see a change from it"))
    elif smart.target_number is not None and smart.target_number == smart.baseline_number:
        wrong.append(("target_number", "The number to reach is the number there is now"))
    if smart.by_on is not None and smart.by_on < started_on:
        wrong.append(("by_on", "The day must not be before the plan was started"))
    elif too_late(smart.by_on, born):
        wrong.append(("by_on", "The day is after the 25th birthday. Choose one before it"))
    return wrong


def missing_parts(text: str, measure: str, smart: Smart | None) -> list[str]:
    """Which parts an outcome still lacks, in the words of the form; none where it is SMART."""
    smart = smart or Smart()
    parts = (
        ("what should be different", text),
        ("how we will know", measure),
        ("where things stand now", smart.baseline_words or smart.baseline_number is not None),
        ("what we aim for", smart.target_words or smart.target_number is not None),
        ("by when", smart.by_on),
        ("who judges", smart.judged_by),
    )
    return [words for words, there in parts if not there]


def reading_mistake(kind: str, value: Decimal, on: date, today: date) -> tuple[str, str] | None:
    """Why a reading cannot be kept, as (field, sentence)."""
    if on > today:
        return ("on", "Date must be today or in the past")
    if kind == "scaling" and not SCALE_LOWEST <= value <= SCALE_HIGHEST:
        return ("value", f"Choose a number from {SCALE_LOWEST} to {SCALE_HIGHEST}")
    if kind == "number" and not 0 <= value <= MOST_NUMBER:
        return ("value", f"The number must be between 0 and {MOST_NUMBER:,}")
    return None


def way(baseline: Decimal | None, target: Decimal | None, readings: Sequence[Reading]) -> Course:
    """Which way readings go since the start: the baseline, or else the earliest of them.

    Of several on one day the last counts. Without a target nobody knows which way is better, so it
    is unknown; so it is with one reading and no baseline, unless it has reached the target.
    """
    if not readings or target is None:
        return Course.UNKNOWN
    in_order = sorted(readings, key=lambda one: one.on)
    start = in_order[0].value if baseline is None else baseline
    now = in_order[-1].value
    if (now >= target) if target >= start else (now <= target):
        return Course.REACHED
    if baseline is None and len(in_order) == 1:
        return Course.UNKNOWN
    before, after = abs(target - start), abs(target - now)
    if before == after:
        return Course.SAME
    return Course.CLOSER if after < before else Course.FURTHER
