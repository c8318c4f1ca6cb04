"""How the pages of a plan open the record, save a form and show themselves again."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response

from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.plans.reading import ActionReading, OutcomeReading, PlanReading, plan_for_reading
from panel.platform.problems import NotAllowed, NotFound
from panel.records.gate import Access
from panel.register.service import ChildHeader, child_header
from panel.web.forms import FieldErrors

Form = TypeVar("Form", bound=msgspec.Struct)
Show = Callable[[Access, FieldErrors | None], Awaitable[Response[Any]]]

READING = "read the plan"
CHANGING = "changed the plan"


def plan_at(child_id: UUID) -> str:
    """Where the child's plan is."""
    return f"/children/{child_id}/plan"


async def shown(desk: Desk, child_id: UUID, doing: str, show: Show) -> Response[Any]:
    """A page of the record, opened to do something."""
    async with desk.gate.open(child_id, desk.viewer, desk.purposes, doing) as access:
        return await show(access, None)


async def saved(
    desk: Desk,
    child_id: UUID,
    kind: type[Form],
    work: Callable[[Access, Form], Awaitable[object]],
    show: Show,
    *,
    location: str,
    doing: str = CHANGING,
) -> Response[Any]:
    """Do what a form asks, once, and go on; or show its page again with every mistake."""

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, READING) as access:
            return await show(access, errors)

    opens = partial(desk.open, child_id, doing)
    return await take(desk, kind, opens, work, location, again=again)


async def record_page(
    desk: Desk, access: Access, template: str, errors: FieldErrors | None = None, **shown: object
) -> Response[Any]:
    """A page of the plan in the frame of the child's record; with mistakes where there are some."""
    return framed(desk, await child_header(access), template, errors, **shown)


def framed(
    desk: Desk,
    header: ChildHeader,
    template: str,
    errors: FieldErrors | None = None,
    **shown: object,
) -> Response[Any]:
    """The same with a header that was read before."""
    return desk.page(
        f"plans/{template}.html",
        status=200 if errors is None else 422,
        header=header,
        here="plan",
        errors=[] if errors is None else errors.summary,
        plan_href=plan_at(header.child_id),
        **shown,
    )


async def current_plan(access: Access) -> PlanReading:
    """The plan that somebody is about to change. Raises NotFound or NotAllowed."""
    access.require_write()
    plan = await plan_for_reading(access)
    if plan is None:
        raise NotFound("There is no plan yet.", "Start one on the child's plan page.")
    if not isinstance(plan, PlanReading):
        raise NotAllowed(str(plan) or "You cannot see this plan, so you cannot change it.")
    return plan


async def outcome_of(access: Access, outcome_id: UUID) -> OutcomeReading:
    """An outcome of the plan that somebody is about to change. Raises NotFound."""
    for one in (await current_plan(access)).outcomes:
        if one.id == outcome_id:
            return one
    raise NotFound("This is not part of the plan as it is now.", "Go back to the plan.")


def action_of(now: PlanReading, action_id: UUID) -> ActionReading:
    """An action of the plan that somebody is about to change. Raises NotFound."""
    for one in now.actions:
        if one.id == action_id:
            return one
    raise NotFound("This is not part of the plan as it is now.", "Go back to the plan.")
