"""The pages on which a family reads the plan as it was agreed, answers it, and prints what if."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import FOR_FAMILIES, Desk
from panel.accounts.taking import take
from panel.families.pages import person_to_ring
from panel.families.plan_pages import (
    CHOICES,
    SCALE,
    Agreed,
    ScalePage,
    contingency_sections,
    plan_for_family_page,
    scale_page,
)
from panel.families.reading import child_for_family
from panel.plans.agreeing import Agrees, answer_own, answers_to
from panel.plans.agreement_forms import OwnAnswer
from panel.plans.contingency import Contingency, as_family_reads, contingency_for_reading
from panel.plans.family_words import reads_here
from panel.plans.judging import answer_own_scaling
from panel.plans.linking import needs_of
from panel.plans.measure_forms import OwnScaling
from panel.plans.measures import NOT_MEASURED, measures_of
from panel.plans.reading import PlanReading, plan_for_reading
from panel.plans.versions import is_changed_since, versions_of
from panel.platform.problems import NotFound
from panel.records.family_words import Comparing
from panel.records.gate import Access
from panel.web.forms import FieldErrors, Filled
from panel.web.words import day

PLAN = "/family/{child_id:uuid}/plan"
ANSWER = f"{PLAN}/{{agreed_id:uuid}}"
SCALED = "/family/{child_id:uuid}/outcomes/{outcome_id:uuid}/scale"
CONTINGENCY = "/family/{child_id:uuid}/if-things-go-wrong"
READING = "read the plan that was agreed"
ANSWERING = "said what they think of the plan"
SCALING = "answered a question about the plan"
NOT_HERE = "There is no agreed plan to read here."
BACK = "Go back to your own page."


async def _agreed(access: Access) -> Agreed:
    """What there is to read of the agreed plan. Raises NotFound where there is nothing."""
    plan = await plan_for_reading(access)
    if not isinstance(plan, PlanReading) or plan.state != "agreed":
        raise NotFound(NOT_HERE, BACK)
    versions = await versions_of(access, plan.id)
    if not versions:
        raise NotFound(NOT_HERE, BACK)
    return Agreed(
        versions,
        await answers_to(access, [versions[0].id]),
        await measures_of(access, plan),
        await needs_of(access, plan),
        await is_changed_since(access, plan),
    )


@get(PLAN, include_in_schema=False, opt=FOR_FAMILIES)
async def read_plan(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The plan as it was agreed, how it goes, what each one says, and the form to answer."""
    return await _plan(desk, child_id)


async def _plan(desk: Desk, child_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    # What others' words are compared with, before the record is opened.
    comparing = await desk.site.family_words.around(child_id, desk.viewer.id)
    async with desk.open(child_id, READING) as access:
        read = await _agreed(access)
        child = await child_for_family(access, comparing)
        page = plan_for_family_page(child, read, await reads_here(access, comparing))
    stored = {"agrees": page.own_agrees, "words": page.own_words}
    return desk.page(
        "families/plan.html",
        status=200 if errors is None else 422,
        page=page,
        choices=CHOICES,
        filled=Filled(stored, errors),
    )


@post(ANSWER, include_in_schema=False, opt=FOR_FAMILIES)
async def answer_plan(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], agreed_id: FromPath[UUID]
) -> Response[Any]:
    """Keep what somebody of the family says of the plan, in their own words."""
    opens = partial(desk.open, child_id, ANSWERING)

    async def work(access: Access, form: OwnAnswer) -> None:
        await answer_own(access, agreed_id, Agrees(form.agrees), form.words)

    again = partial(_plan, desk, child_id)
    return await take(desk, OwnAnswer, opens, work, f"/family/{child_id}/plan", again=again)


@get(SCALED, include_in_schema=False, opt=FOR_FAMILIES)
async def scale(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """The page with one question on a scale of 0 to 10."""
    return await _scale(desk, child_id, outcome_id)


async def _to_scale(access: Access, comparing: Comparing | None, outcome_id: UUID) -> ScalePage:
    child = await child_for_family(access, comparing)
    plan = await plan_for_reading(access)
    measured = NOT_MEASURED
    if isinstance(plan, PlanReading):
        measured = (await measures_of(access, plan)).get(outcome_id, NOT_MEASURED)
    page = scale_page(child, outcome_id, measured, await reads_here(access, comparing))
    if page is None:
        raise NotFound("There is no such question here.", BACK)
    return page


async def _scale(
    desk: Desk, child_id: UUID, outcome_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    comparing = await desk.site.family_words.around(child_id, desk.viewer.id)
    async with desk.open(child_id, SCALING) as access:
        page = await _to_scale(access, comparing, outcome_id)
    return desk.page(
        "families/scale.html",
        status=200 if errors is None else 422,
        page=page,
        choices=SCALE,
        filled=Filled({}, errors),
    )


@post(SCALED, include_in_schema=False, opt=FOR_FAMILIES)
async def scaled(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """Keep the number that somebody of the family chose."""
    opens = partial(desk.open, child_id, SCALING)
    comparing = await desk.site.family_words.around(child_id, desk.viewer.id)

    async def work(access: Access, form: OwnScaling) -> None:
        # Whoever does not read the question cannot answer it.
        await _to_scale(access, comparing, outcome_id)
        await answer_own_scaling(access, outcome_id, form.value)

    again = partial(_scale, desk, child_id, outcome_id)
    return await take(desk, OwnScaling, opens, work, f"/family/{child_id}/plan", again=again)


@get(CONTINGENCY, include_in_schema=False, opt=FOR_FAMILIES)
async def contingency(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """What to do when something goes wrong, on one page to print."""
    comparing = await desk.site.family_words.around(child_id, desk.viewer.id)
    async with desk.open(child_id, "read what to do when something goes wrong") as access:
        found = await contingency_for_reading(access)
        if not isinstance(found, Contingency):
            raise NotFound("Nothing is written down here yet.", BACK)
        told = as_family_reads(found, await reads_here(access, comparing))
        child = await child_for_family(access, comparing)
    return desk.page(
        "families/contingency.html",
        name="" if child.is_self else child.name,
        sections=contingency_sections(told),
        checked=f"We went through this together on {day(told.checked_on)}.",
        person=person_to_ring(child),
    )


HANDLERS = [read_plan, answer_plan, scale, scaled, contingency]
