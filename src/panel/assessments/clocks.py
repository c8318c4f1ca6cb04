"""The clock of one assessment: what it stands at, and who stopped it when for which reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from panel.assessments.limits import (
    Clock,
    RunsFrom,
    Stop,
    clock_of,
    closed_days,
    limit_on,
    limits_of,
)
from panel.assessments.models import ClockStop, StopReason
from panel.assessments.reading import AssessmentRecord, may_write
from panel.platform.problems import Invalid, NotAllowed
from panel.records.gate import Access
from panel.web import words


async def stops_of(access: Access, assessment_id: UUID) -> list[ClockStop]:
    """When the clock stood still, the first time first."""
    rows = await access.session.scalars(
        select(ClockStop)
        .where(ClockStop.child_id == access.child_id, ClockStop.assessment_id == assessment_id)
        .order_by(ClockStop.from_on, ClockStop.id)
    )
    return list(rows)


@dataclass(frozen=True, slots=True)
class Filling:
    """What a clock needs to know of an assessment: process facts."""

    id: UUID
    form_key: str
    started_on: date
    referred_on: date | None
    signed_off_on: date | None


async def clock_on(access: Access, record: AssessmentRecord) -> Clock | None:
    """The clock of an assessment: today for a draft, on its day for one that is signed off.

    None where its form has no time limit, and for what was made elsewhere.
    """
    if record.document_id is not None:
        return None
    filling = Filling(
        record.id, record.form.key, record.started_on, record.referred_on, record.signed_off_on
    )
    return (await clocks_on(access, [filling])).get(record.id)


async def clocks_on(access: Access, fillings: Sequence[Filling]) -> dict[UUID, Clock]:
    """As `clock_on`, for several assessments of the child: those that have a time limit."""
    if not fillings:
        return {}
    limits = await limits_of(access.session)
    closed = await closed_days(access.session)
    clocks: dict[UUID, Clock] = {}
    for one in fillings:
        limit = limit_on(limits, one.form_key, one.started_on)
        if limit is None:
            continue
        began = one.started_on
        if limit.runs_from is RunsFrom.REFERRAL and one.referred_on is not None:
            began = one.referred_on
        stops = [
            Stop(StopReason(row.reason), row.from_on, row.until_on)
            for row in await stops_of(access, one.id)
        ]
        day = one.signed_off_on or access.today
        clocks[one.id] = clock_of(limit, began, stops, closed, day)
    return clocks


async def stop_clock(
    access: Access, record: AssessmentRecord, reason: StopReason, from_on: date
) -> None:
    """Have the clock stand still from a day on, until somebody says that it goes on.

    Raises Invalid for a day that is before it began, in the future or stopped already, NotAllowed
    for who does not fill it in.
    """
    _require_draft(access, record)
    clock = await clock_on(access, record)
    if clock is None:
        raise Invalid.because("from_on", "This form has no time limit, so it has no clock to stop")
    began = clock.began_on
    if not began <= from_on <= access.today:
        raise Invalid.because(
            "from_on", f"Give a day from {words.day(began)}, when its time began, to today"
        )
    for row in await stops_of(access, record.id):
        if row.until_on is None:
            raise Invalid.because("from_on", "The clock stands still already")
        if from_on <= row.until_on:
            raise Invalid.because(
                "from_on", f"The clock stood still until {words.day(row.until_on)} already"
            )
    access.session.add(
        ClockStop(
            child_id=access.child_id,
            assessment_id=record.id,
            reason=reason.value,
            from_on=from_on,
        )
    )
    await access.session.flush()


async def let_clock_go_on(access: Access, record: AssessmentRecord, until_on: date) -> None:
    """Say on which day it stood still last. Raises Invalid for a day outside, NotAllowed."""
    _require_draft(access, record)
    row = next((one for one in await stops_of(access, record.id) if one.until_on is None), None)
    if row is None:
        raise Invalid.because("until_on", "The clock is not standing still")
    if not row.from_on <= until_on <= access.today:
        raise Invalid.because(
            "until_on", f"Give a day from {words.day(row.from_on)}, when it was stopped, to today"
        )
    row.until_on = until_on
    await access.session.flush()


async def end_stops(access: Access, assessment_id: UUID) -> None:
    """What is signed off has no clock that stands still any longer."""
    for row in await stops_of(access, assessment_id):
        if row.until_on is None:
            row.until_on = access.today
    await access.session.flush()


def _require_draft(access: Access, record: AssessmentRecord) -> None:
    access.require_write()
    if not may_write(access):
        raise NotAllowed("Only the child’s team stops the clock of an assessment.")
    if not record.is_draft:
        raise NotAllowed("This version is signed off, so its clock has run.")
