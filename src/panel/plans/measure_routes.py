"""The pages on which outcomes get measures, readings and needs, and actions a service."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import Desk
from panel.directory.models import Provider, Service
from panel.directory.searching import Sought, search_services
from panel.plans import measure_forms as forms
from panel.plans import measure_pages as pages
from panel.plans.linking import (
    chosen_needs,
    link_needs,
    needs_of,
    needs_to_choose,
    services_of,
    set_service,
)
from panel.plans.measures import NOT_MEASURED, Measured, measures_of, number_words, set_measure
from panel.plans.plan_desk import (
    READING,
    Show,
    action_of,
    current_plan,
    outcome_of,
    plan_at,
    record_page,
    saved,
    shown,
)
from panel.plans.progress import add_reading
from panel.plans.reading import PlanReading
from panel.plans.versions import is_changed_since
from panel.records.gate import Access
from panel.web.forms import FieldErrors, Filled
from panel.web.paging import Asked

OUTCOME = "/children/{child_id:uuid}/plan/outcomes/{outcome_id:uuid}"


async def more_of(access: Access, plan: PlanReading) -> pages.PlanMore:
    """What stands on the plan's page beside its lines."""
    return pages.plan_more(
        plan,
        await measures_of(access, plan),
        await needs_of(access, plan),
        await services_of(access, plan),
        is_changed=await is_changed_since(access, plan),
    )


async def _measured(access: Access, outcome_id: UUID) -> Measured:
    plan = await current_plan(access)
    return (await measures_of(access, plan)).get(outcome_id, NOT_MEASURED)


def _measuring(desk: Desk, outcome_id: UUID) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        one = await outcome_of(access, outcome_id)
        measured = await _measured(access, outcome_id)
        smart = measured.smart
        stored = {
            "baseline_words": smart.baseline_words,
            "target_words": smart.target_words,
            "unit": smart.unit,
            "baseline_number": number_words(smart.baseline_number),
            "target_number": number_words(smart.target_number),
            "by_on": smart.by_on,
            "judged_by": smart.judged_by or "",
            "scaling_question": smart.scaling_question,
            "version": measured.version,
        }
        return await record_page(
            desk,
            access,
            "measure",
            errors,
            filled=Filled(stored, errors),
            outcome=one,
            judges=pages.JUDGES,
        )

    return show


@get(f"{OUTCOME}/measure", include_in_schema=False)
async def measure_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """The form for how an outcome is measured, by when, and who judges."""
    return await shown(desk, child_id, READING, _measuring(desk, outcome_id))


@post(f"{OUTCOME}/measure", include_in_schema=False)
async def save_measure(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """Keep how an outcome is measured."""

    async def work(access: Access, form: forms.Measure) -> None:
        await set_measure(access, outcome_id, form.version, form.smart)

    show = _measuring(desk, outcome_id)
    return await saved(desk, child_id, forms.Measure, work, show, location=plan_at(child_id))


def _reading(desk: Desk, outcome_id: UUID) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        one = await outcome_of(access, outcome_id)
        measured = await _measured(access, outcome_id)
        kinds = pages.kinds_of(measured)
        stored = {
            "on": access.today,
            "kind": kinds[0][0] if kinds else "",
            "said_by": measured.smart.judged_by or "",
        }
        return await record_page(
            desk,
            access,
            "reading",
            errors,
            filled=Filled(stored, errors),
            outcome=one,
            kinds=kinds,
            judges=pages.JUDGES,
            charts=pages.charts_of(outcome_id, 1, measured),
            measure_href=f"{plan_at(access.child_id)}/outcomes/{outcome_id}/measure",
        )

    return show


@get(f"{OUTCOME}/readings", include_in_schema=False)
async def reading_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """The form for a number on a day, with the charts so far."""
    return await shown(desk, child_id, READING, _reading(desk, outcome_id))


@post(f"{OUTCOME}/readings", include_in_schema=False)
async def save_reading(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """Keep a number on a day."""

    async def work(access: Access, form: forms.ReadingForm) -> None:
        await add_reading(
            access,
            outcome_id,
            kind=form.kind,
            on=form.on,
            value=form.value,
            said_by=form.said_by,
            note=form.note,
        )

    show = _reading(desk, outcome_id)
    to = f"{plan_at(child_id)}#outcome-{outcome_id}"
    return await saved(desk, child_id, forms.ReadingForm, work, show, location=to)


def _needing(desk: Desk, outcome_id: UUID) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        one = await outcome_of(access, outcome_id)
        return await record_page(
            desk,
            access,
            "needs",
            errors,
            filled=Filled({"needs": await chosen_needs(access, outcome_id)}, errors),
            outcome=one,
            choices=pages.need_choices(await needs_to_choose(access)),
        )

    return show


@get(f"{OUTCOME}/needs", include_in_schema=False)
async def needs_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """The form for the needs of the assessment on which an outcome rests."""
    return await shown(desk, child_id, READING, _needing(desk, outcome_id))


@post(f"{OUTCOME}/needs", include_in_schema=False)
async def save_needs(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """Keep the needs on which an outcome rests."""

    async def work(access: Access, form: forms.Needs) -> None:
        await link_needs(access, outcome_id, form.needs)

    show = _needing(desk, outcome_id)
    to = f"{plan_at(child_id)}#outcome-{outcome_id}"
    return await saved(desk, child_id, forms.Needs, work, show, location=to)


SERVICE = "/children/{child_id:uuid}/plan/actions/{action_id:uuid}/service"


def _serving(desk: Desk, action_id: UUID, asked: str) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        plan = await current_plan(access)
        one = action_of(plan, action_id)
        found: Sequence[tuple[Service, Provider]] = ()
        if asked:
            found = (await search_services(access.session, Sought(words=asked), Asked())).rows
        used = (await services_of(access, plan)).get(one.service_id) if one.service_id else ""
        return await record_page(
            desk,
            access,
            "service",
            errors,
            filled=Filled({"version": one.version}, errors),
            action=one,
            used=used,
            asked=asked,
            found=found,
            at=f"{plan_at(access.child_id)}/actions/{action_id}/service",
        )

    return show


@get(SERVICE, include_in_schema=False)
async def service_form(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    action_id: FromPath[UUID],
    q: FromQuery[str] = "",
) -> Response[Any]:
    """The service of the directory by which an action is done: search, and choose one."""
    return await shown(desk, child_id, READING, _serving(desk, action_id, q.strip()))


@post(SERVICE, include_in_schema=False)
async def save_service(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], action_id: FromPath[UUID]
) -> Response[Any]:
    """Keep the service, or that there is none."""

    async def work(access: Access, form: forms.ServiceOfAction) -> None:
        await set_service(access, action_id, form.version, form.service_id)

    show = _serving(desk, action_id, "")
    to = f"{plan_at(child_id)}#action-{action_id}"
    return await saved(desk, child_id, forms.ServiceOfAction, work, show, location=to)


HANDLERS = [
    measure_form,
    save_measure,
    reading_form,
    save_reading,
    needs_form,
    save_needs,
    service_form,
    save_service,
]
