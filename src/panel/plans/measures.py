"""How the outcomes of a plan are measured: their SMART parts and the readings on their measures.

Both are read with the plan: who is not shown the plan is shown none of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from panel.plans.measure_rules import Smart, smart_mistakes
from panel.plans.models import DesiredOutcome, MeasureReading, OutcomeMeasure
from panel.plans.reading import PlanReading
from panel.plans.writing import born_on, part_of_plan, plan_for_change, unless_changed
from panel.platform.problems import Clash, FieldError, Invalid
from panel.records.gate import Access
from panel.web.series import plain
from panel.web.words import short_day

JUDGE_WORDS = {"child": "The child", "parent": "A parent or carer", "worker": "A worker"}


@dataclass(frozen=True, slots=True)
class MeasuredOn:
    """One reading: a number on a day, and who said so."""

    kind: str
    on: date
    value: Decimal
    said_by: str
    note: str


@dataclass(frozen=True, slots=True)
class Measured:
    """The SMART parts of one outcome and its readings, oldest first."""

    smart: Smart
    version: int
    readings: tuple[MeasuredOn, ...] = ()

    def of_kind(self, kind: str) -> tuple[MeasuredOn, ...]:
        """The readings of its number, or the answers to its scaling question."""
        return tuple(one for one in self.readings if one.kind == kind)


NOT_MEASURED = Measured(Smart(), 0)


async def measures_of(access: Access, plan: PlanReading) -> Mapping[UUID, Measured]:
    """By outcome, of a plan that the gate showed. An outcome of which nothing is said is absent."""
    ids = [one.id for one in plan.outcomes]
    rows = {
        row.outcome_id: row
        for row in await access.session.scalars(
            select(OutcomeMeasure).where(OutcomeMeasure.outcome_id.in_(ids))
        )
    }
    readings: dict[UUID, list[MeasuredOn]] = {}
    for row in await access.session.scalars(
        select(MeasureReading)
        .where(MeasureReading.outcome_id.in_(ids))
        .order_by(MeasureReading.on, MeasureReading.id)
    ):
        said = MeasuredOn(row.kind, row.on, row.value, row.said_by, row.note)
        readings.setdefault(row.outcome_id, []).append(said)
    found = {}
    for one in rows.keys() | readings.keys():
        kept = rows.get(one)
        smart, version = (Smart(), 0) if kept is None else (_smart(kept), kept.version)
        found[one] = Measured(smart, version, tuple(readings.get(one, ())))
    return found


def _smart(row: OutcomeMeasure) -> Smart:
    return Smart(
        row.baseline_words,
        row.baseline_number,
        row.target_words,
        row.target_number,
        row.unit,
        row.by_on,
        row.judged_by,
        row.scaling_question,
    )


async def set_measure(access: Access, outcome_id: UUID, version: int, smart: Smart) -> None:
    """Keep the SMART parts of an outcome of the current plan; `version` is 0 where none were.

    Raises Invalid with a sentence for each wrong part, Conflict where somebody changed them.
    """
    plan = await plan_for_change(access)
    await part_of_plan(access, plan, DesiredOutcome, outcome_id)
    wrong = smart_mistakes(smart, plan.started_on, await born_on(access))
    if wrong:
        raise Invalid(tuple(FieldError(field, sentence) for field, sentence in wrong))
    row = await access.session.scalar(
        select(OutcomeMeasure).where(OutcomeMeasure.outcome_id == outcome_id).with_for_update()
    )
    if row is None:
        row = OutcomeMeasure(child_id=access.child_id, outcome_id=outcome_id)
        access.session.add(row)
    else:
        await unless_changed(access, row, version, _clashes(smart, _smart(row)))
    write_measure(row, smart)
    await access.session.flush()


def write_measure(row: OutcomeMeasure, smart: Smart) -> None:
    """Put the parts into a row."""
    row.baseline_words, row.baseline_number = smart.baseline_words, smart.baseline_number
    row.target_words, row.target_number = smart.target_words, smart.target_number
    row.unit, row.by_on, row.judged_by = smart.unit, smart.by_on, smart.judged_by
    row.scaling_question = smart.scaling_question


def _clashes(mine: Smart, theirs: Smart) -> list[Clash]:
    return [
        Clash(label, said(mine), said(theirs))
        for label, said in (
            ("Where things stand now", lambda one: one.baseline_words),
            ("The number now", lambda one: number_words(one.baseline_number)),
            ("What we aim for", lambda one: one.target_words),
            ("The number to reach", lambda one: number_words(one.target_number)),
            ("What is counted", lambda one: one.unit),
            ("By when", lambda one: "" if one.by_on is None else short_day(one.by_on)),
            ("Who judges", lambda one: JUDGE_WORDS.get(one.judged_by or "", "")),
            ("The question on a scale", lambda one: one.scaling_question),
        )
    ]


def number_words(value: Decimal | None) -> str:
    """A number without noughts at its end, or nothing."""
    return "" if value is None else plain(value)


async def copy_measures(access: Access, copies: Mapping[UUID, UUID]) -> None:
    """Take the SMART parts along to the copies of outcomes in the next plan: former to new.

    It starts from the last number there was; the readings stay with the former plan.
    """
    rows = await access.session.scalars(
        select(OutcomeMeasure).where(OutcomeMeasure.outcome_id.in_(list(copies)))
    )
    for row in list(rows):
        newest = await access.session.scalar(
            select(MeasureReading.value)
            .where(MeasureReading.outcome_id == row.outcome_id, MeasureReading.kind == "number")
            .order_by(MeasureReading.on.desc(), MeasureReading.id.desc())
            .limit(1)
        )
        copy = OutcomeMeasure(child_id=access.child_id, outcome_id=copies[row.outcome_id])
        write_measure(copy, _smart(row))
        if newest is not None:
            copy.baseline_number = newest
        access.session.add(copy)
    await access.session.flush()
