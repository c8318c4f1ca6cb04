"""Readings on the measures of outcomes: workers keep them, and both sides see them as a chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import select

from panel.plans.measure_rules import (
    SCALE_HIGHEST,
    SCALE_LOWEST,
    Reading,
    reading_mistake,
    way,
)
from panel.plans.measures import JUDGE_WORDS, Measured, MeasuredOn
from panel.plans.models import DesiredOutcome, MeasureReading, OutcomeMeasure
from panel.plans.rules import Course
from panel.plans.writing import part_of_plan, plan_for_change
from panel.platform.problems import Invalid
from panel.records.gate import Access
from panel.web.series import Point, Series, drawn, plain, span
from panel.web.words import short_day, upper_first


async def add_reading(
    access: Access,
    outcome_id: UUID,
    *,
    kind: str,
    on: date,
    value: Decimal,
    said_by: str,
    note: str,
) -> MeasureReading:
    """Keep a reading of an outcome of the current plan: on its measure, or on its question's scale.

    Raises Invalid for a day to come, a number off the scale, or where nothing of the kind is
    measured yet.
    """
    outcome = await part_of_plan(access, await plan_for_change(access), DesiredOutcome, outcome_id)
    if wrong := reading_mistake(kind, value, on, access.today):
        raise Invalid.because(*wrong)
    measure = await access.session.scalar(
        select(OutcomeMeasure).where(OutcomeMeasure.outcome_id == outcome.id)
    )
    asked = measure is not None and (
        measure.scaling_question if kind == "scaling" else measure.unit
    )
    if not asked:
        first = "Write the question first" if kind == "scaling" else "Say first what is counted"
        raise Invalid.because("value", first)
    row = MeasureReading(
        child_id=access.child_id,
        outcome_id=outcome.id,
        kind=kind,
        on=on,
        value=value,
        said_by=said_by,
        note=note,
    )
    access.session.add(row)
    await access.session.flush()
    return row


# What is shown ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SeriesShown:
    """A chart and its table: rows of (day, number, who said so, note), newest first."""

    title: str
    says: str
    chart: Markup
    rows: Sequence[tuple[str, str, str, str]]


WAY_WORDS = {
    Course.UNKNOWN: "",
    Course.REACHED: "What we aim for is reached.",
    Course.CLOSER: "It is closer than at the start.",
    Course.SAME: "It stands where it stood at the start.",
    Course.FURTHER: "It is further away than at the start.",
}


def number_series(outcome_id: UUID, measured: Measured, *, title: str) -> SeriesShown | None:
    """The readings on the outcome's own measure; None where there are none."""
    readings = measured.of_kind("number")
    if not readings:
        return None
    smart = measured.smart
    values = [one.value for one in readings]
    numbers = [one for one in (smart.baseline_number, smart.target_number) if one is not None]
    lowest, highest = span([*values, *numbers])
    goes = way(
        smart.baseline_number,
        smart.target_number,
        [Reading(one.on, one.value) for one in readings],
    )
    says = f"{_path(readings, smart.unit)} {WAY_WORDS[goes]}".strip()
    series = Series(
        f"number-{outcome_id}",
        title,
        says,
        [Point(one.on, one.value) for one in readings],
        lowest,
        highest,
        smart.target_number,
    )
    return SeriesShown(title, says, drawn(series), _rows(readings))


def scaling_series(outcome_id: UUID, measured: Measured) -> SeriesShown | None:
    """The answers to the outcome's scaling question, 0 to 10; None where there are none."""
    readings = measured.of_kind("scaling")
    if not readings:
        return None
    title = measured.smart.scaling_question or "The question on a scale"
    scale = f"on a scale of {SCALE_LOWEST} to {SCALE_HIGHEST}"
    says = f"{measured.smart.scaling_question} {_path(readings, scale)}".strip()
    series = Series(
        f"scaling-{outcome_id}",
        title,
        says,
        [Point(one.on, one.value) for one in readings],
        Decimal(SCALE_LOWEST),
        Decimal(SCALE_HIGHEST),
    )
    return SeriesShown(title, says, drawn(series), _rows(readings))


def _path(readings: Sequence[MeasuredOn], what: str) -> str:
    first, last = readings[0], readings[-1]
    named = f"{upper_first(what)}: " if what else ""
    if first is last:
        return f"{named}{plain(last.value)} on {short_day(last.on)}."
    return (
        f"{named}from {plain(first.value)} on {short_day(first.on)} to {plain(last.value)} on"
        f" {short_day(last.on)}."
    )


def _rows(readings: Sequence[MeasuredOn]) -> list[tuple[str, str, str, str]]:
    return [
        (short_day(one.on), plain(one.value), JUDGE_WORDS[one.said_by], one.note)
        for one in reversed(readings)
    ]
