"""The pages of what was agreed and by whom, and of what to do when something goes wrong."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.plans import agreement_forms as forms
from panel.plans import agreement_pages as pages
from panel.plans.agreeing import (
    Agrees,
    answer_as_worker,
    answers_to,
    people_asked,
    write_down_answer,
)
from panel.plans.contingency import (
    SECTIONS,
    Contingency,
    contingency_for_reading,
    keep_contingency,
)
from panel.plans.plan_desk import READING, Show, plan_at, record_page, saved, shown
from panel.plans.reading import PlanReading, plan_for_reading
from panel.plans.versions import is_changed_since, versions_of
from panel.platform.problems import NotAllowed, NotFound
from panel.records.gate import Access, Withheld
from panel.web.forms import FieldErrors, Filled

AGREEMENT = "/children/{child_id:uuid}/plan/agreement"
VERSION = f"{AGREEMENT}/{{agreed_id:uuid}}"
CONTINGENCY = "/children/{child_id:uuid}/plan/contingency"
ANSWERING = "kept what somebody says of the plan"


def _agreement(child_id: UUID) -> str:
    return f"{plan_at(child_id)}/agreement"


async def _plan(access: Access) -> PlanReading:
    plan = await plan_for_reading(access)
    if plan is None:
        raise NotFound("There is no plan yet.", "Start one on the child's plan page.")
    if not isinstance(plan, PlanReading):
        raise NotAllowed(str(plan) or "You cannot see this plan.")
    return plan


def _agreeing(desk: Desk) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        plan = await _plan(access)
        versions = await versions_of(access, plan.id)
        answers = await answers_to(access, [one.id for one in versions])
        newest = versions[0].id if versions else None
        own = next(
            (
                one
                for one in answers
                if one.version_id == newest and one.worker_id == desk.viewer.id
            ),
            None,
        )
        return await record_page(
            desk,
            access,
            "agreement",
            errors,
            filled=Filled(
                {} if own is None else {"agrees": own.agrees, "words": own.words}, errors
            ),
            versions=[pages.version_shown(one, answers) for one in versions],
            is_changed=await is_changed_since(access, plan),
            may_answer=access.may_write and newest is not None and plan.state == "agreed",
            choices=pages.CHOICES_OF_WORKER,
            at=f"{_agreement(access.child_id)}/{newest}",
        )

    return show


@get(AGREEMENT, include_in_schema=False)
async def agreement(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The versions of the plan, and what each one says of them."""
    return await shown(desk, child_id, "read who agreed to the plan", _agreeing(desk))


@post(f"{VERSION}/own", include_in_schema=False)
async def answer(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], agreed_id: FromPath[UUID]
) -> Response[Any]:
    """A worker says what they think of the plan themselves."""

    async def work(access: Access, form: forms.OwnAnswer) -> None:
        await answer_as_worker(access, agreed_id, Agrees(form.agrees), form.words)

    return await saved(
        desk,
        child_id,
        forms.OwnAnswer,
        work,
        _agreeing(desk),
        location=_agreement(child_id),
        doing=ANSWERING,
    )


def _writing_down(desk: Desk, version_id: UUID) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        access.require_write()
        versions = await versions_of(access, (await _plan(access)).id)
        if not versions or versions[0].id != version_id:
            raise NotFound("This is not the plan as it was agreed last.", "Go back to the plan.")
        return await record_page(
            desk,
            access,
            "written_answer",
            errors,
            filled=Filled({}, errors),
            people=[
                (str(one.person_id), one.who or "One of the family")
                for one in await people_asked(access)
            ],
            choices=pages.CHOICES_WRITTEN,
        )

    return show


@get(f"{VERSION}/written", include_in_schema=False)
async def written_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], agreed_id: FromPath[UUID]
) -> Response[Any]:
    """The form for what one of the family says of the plan."""
    return await shown(desk, child_id, READING, _writing_down(desk, agreed_id))


@post(f"{VERSION}/written", include_in_schema=False)
async def write_down(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], agreed_id: FromPath[UUID]
) -> Response[Any]:
    """A worker writes down what one of the family said of the plan."""

    async def work(access: Access, form: forms.WrittenAnswer) -> None:
        await write_down_answer(access, agreed_id, form.who, Agrees(form.agrees), form.words)

    return await saved(
        desk,
        child_id,
        forms.WrittenAnswer,
        work,
        _writing_down(desk, agreed_id),
        location=_agreement(child_id),
        doing=ANSWERING,
    )


# When something goes wrong ------------------------------------------------------------------------


@get(CONTINGENCY, include_in_schema=False)
async def contingency(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """What to do when something goes wrong, on one page to print."""

    async def show(access: Access, _errors: FieldErrors | None) -> Response[Any]:
        found = await contingency_for_reading(access)
        return await record_page(
            desk,
            access,
            "contingency",
            page=pages.contingency_shown(found) if isinstance(found, Contingency) else None,
            withheld=str(found) if isinstance(found, Withheld) else "",
            is_withheld=isinstance(found, Withheld),
            may_change=access.may_write and not isinstance(found, Withheld),
            at=f"{plan_at(access.child_id)}/contingency",
        )

    return await shown(desk, child_id, "read what to do when something goes wrong", show)


def _changing(desk: Desk) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        access.require_write()
        found = await contingency_for_reading(access)
        if isinstance(found, Withheld):
            raise NotAllowed(str(found) or "You cannot see this plan, so you cannot change it.")
        stored: dict[str, object] = {"version": 0, "checked_on": access.today}
        if found is not None:
            stored = {**found.sections, "version": found.version, "checked_on": found.checked_on}
        return await record_page(
            desk,
            access,
            "contingency_change",
            errors,
            filled=Filled(stored, errors),
            sections=list(SECTIONS.items()),
            at=f"{plan_at(access.child_id)}/contingency",
        )

    return show


@get(f"{CONTINGENCY}/change", include_in_schema=False)
async def contingency_form(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The form for what to do when something goes wrong."""
    return await shown(desk, child_id, READING, _changing(desk))


@post(f"{CONTINGENCY}/change", include_in_schema=False)
async def save_contingency(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Keep what to do when something goes wrong."""

    async def work(access: Access, form: forms.ContingencyForm) -> None:
        await keep_contingency(access, form.version, form.sections, form.checked_on)

    return await saved(
        desk,
        child_id,
        forms.ContingencyForm,
        work,
        _changing(desk),
        location=f"{plan_at(child_id)}/contingency",
    )


HANDLERS = [
    agreement,
    answer,
    written_form,
    write_down,
    contingency,
    contingency_form,
    save_contingency,
]
