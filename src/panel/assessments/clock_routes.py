"""Starting any form about a child, and the page of an assessment's clock."""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from consent import Purpose
from panel.accounts.desk import Desk, Posted
from panel.accounts.service import worker_names
from panel.accounts.step_pages import Field, Shown, Step, step_page
from panel.accounts.taking import take
from panel.assessments.clocks import clock_on, let_clock_go_on, stop_clock, stops_of
from panel.assessments.limits import LATE_WORDS, STOP_WORDS, Clock, LateReason
from panel.assessments.models import ClockStop, StopReason
from panel.assessments.service import (
    AssessmentRecord,
    forms_to_start,
    may_write,
    read_assessment,
)
from panel.platform.problems import NotAllowed
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web import words
from panel.web.forms import FieldErrors, Filled, chosen, line, on_day

LIST = "/children/{child_id:uuid}/assessments"
CLOCK = f"{LIST}/{{assessment_id:uuid}}/clock"
Asked = TypeVar("Asked", bound=msgspec.Struct)
STOPPED = "stopped the clock of an assessment"


class StartForm(msgspec.Struct, forbid_unknown_fields=True):
    """Which form to start, and what it answers."""

    form: Annotated[str, line("Form", missing="Choose which form to start")]
    referred_on: Annotated[dt.date | None, on_day("Day of the referral")] = None


class StopForm(msgspec.Struct, forbid_unknown_fields=True):
    """From when a clock stands still, and why."""

    reason: Annotated[StopReason, chosen("Reason", missing="Choose the agreed reason")]
    from_on: Annotated[dt.date, on_day("First day")]


class GoOnForm(msgspec.Struct, forbid_unknown_fields=True):
    """On which day it stood still last."""

    until_on: Annotated[dt.date, on_day("Last day")]


def support_first(desk: Desk) -> Sequence[Purpose]:
    """To support first: whoever works with the child writes, whatever else they are."""
    return tuple(dict.fromkeys((Purpose.SUPPORT, *desk.purposes)))


def late_reason_of(posted: Posted) -> LateReason | None:
    """The reason that was chosen; None for none, and for one that is not of the list."""
    said = posted.text("late_reason")
    return LateReason(said) if said in set(LATE_WORDS) else None


@get(f"{LIST}/start", include_in_schema=False)
async def start_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """Which form to start about a child."""
    return await start_page_of(desk, child_id)


async def start_page_of(
    desk: Desk, child_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    """The page of the forms that may be started, for who fills them in. Raises NotAllowed."""
    async with desk.gate.open(
        child_id, desk.viewer, support_first(desk), "looked at which form to start"
    ) as access:
        if not may_write(access):
            raise NotAllowed("Only the child’s team fills in forms.")
        forms = await forms_to_start(access.session)
        name = (await child_header(access)).name
    fields = (
        Field("radios", "form", "Which form?", choices=forms),
        Field(
            "day",
            "referred_on",
            "On which day did the referral come that it answers?",
            "Only for a form whose time runs from a referral. Leave it empty otherwise.",
        ),
    )
    step = Step("Start a form", "A draft that is there already is gone on with.", "Start", fields)
    href = f"/children/{child_id}/assessments"
    return step_page(desk, step, Shown(href, href, facts=[("Child", name)]), errors)


@get(CLOCK, include_in_schema=False)
async def clock_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], assessment_id: FromPath[UUID]
) -> Response[str]:
    """When an assessment is due, and when its clock stood still."""
    return await _clock_page(desk, child_id, assessment_id)


async def _clock_page(
    desk: Desk, child_id: UUID, assessment_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    async with desk.gate.open(
        child_id, desk.viewer, support_first(desk), "opened the clock of an assessment"
    ) as access:
        record = await read_assessment(access, assessment_id)
        clock = await clock_on(access, record)
        stops = await stops_of(access, assessment_id)
        names = await worker_names(access.session, [row.created_by for row in stops])
        base = f"/children/{child_id}/assessments/{assessment_id}"
        return desk.page(
            "assessments/clock.html",
            status=200 if errors is None else 422,
            header=await child_header(access),
            here="assessment",
            form_title=record.form.title,
            clock=clock,
            limit_words="" if clock is None else _limit_words(clock),
            rows=[_row(row, names.get(row.created_by, "")) for row in stops],
            may_stop=_may_stop(access, record, clock),
            reasons=[(one.value, said) for one, said in STOP_WORDS.items()],
            filled=Filled({}, errors),
            action=f"{base}/clock",
            back_href=base,
        )


@post(CLOCK, include_in_schema=False)
async def stop(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], assessment_id: FromPath[UUID]
) -> Response[Any]:
    """Have the clock stand still."""

    async def work(access: Access, form: StopForm) -> None:
        record = await read_assessment(access, assessment_id)
        await stop_clock(access, record, form.reason, form.from_on)

    return await _take(desk, child_id, assessment_id, StopForm, work)


@post(f"{CLOCK}/go-on", include_in_schema=False)
async def go_on(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], assessment_id: FromPath[UUID]
) -> Response[Any]:
    """Have the clock go on."""

    async def work(access: Access, form: GoOnForm) -> None:
        record = await read_assessment(access, assessment_id)
        await let_clock_go_on(access, record, form.until_on)

    return await _take(desk, child_id, assessment_id, GoOnForm, work)


async def _take(
    desk: Desk,
    child_id: UUID,
    assessment_id: UUID,
    kind: type[Asked],
    work: Callable[[Access, Asked], Awaitable[object]],
) -> Response[Any]:
    opens = partial(desk.open, child_id, STOPPED, support_first(desk))
    to = f"/children/{child_id}/assessments/{assessment_id}/clock"
    again = partial(_clock_page, desk, child_id, assessment_id)
    return await take(desk, kind, opens, work, to, again=again)


def _may_stop(access: Access, record: AssessmentRecord, clock: Clock | None) -> bool:
    return record.is_draft and may_write(access) and clock is not None


def _limit_words(clock: Clock) -> str:
    limit = clock.limit
    days = words.plural(limit.working_days or 0, "working day")
    what = "referral" if limit.runs_from.value == "referral" else "start"
    return f"{days} from the {what}, {words.day(clock.began_on)}. {limit.source}."


def _row(row: ClockStop, by: str) -> tuple[str, str, str, str]:
    until = "still" if row.until_on is None else words.short_day(row.until_on)
    return STOP_WORDS[StopReason(row.reason)], words.short_day(row.from_on), until, by


HANDLERS = [start_page, clock_page, stop, go_on]
