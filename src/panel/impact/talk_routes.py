"""At and after a meeting: views side by side, decisions, that it was held, or cancelled."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.impact import forms, pages
from panel.impact.invitations import invitations_of, send_cancellations, who_can_be_invited
from panel.impact.meetings import (
    Held,
    cancel_meeting,
    hold_meeting,
    meeting_row,
    meeting_to_change,
)
from panel.impact.opening import Form, Show, framed, saved, sender_of, shown
from panel.impact.views import (
    Said,
    decide,
    decided_at,
    take_decision_back,
    take_view_back,
    write_view,
)
from panel.plans.pages import owner_choices
from panel.plans.service import ActionWords, candidates
from panel.records.gate import Access
from panel.register.service import CATEGORY_CHOICES
from panel.web.forms import FieldErrors, Filled, Nothing

ONE = "/children/{child_id:uuid}/meetings/{meeting_id:uuid}"
READING = "read the meetings around the family"
WRITING = "wrote down what was said at a meeting around the family"


def _back(child_id: UUID, meeting_id: UUID) -> str:
    return f"{pages.base(child_id)}/{meeting_id}"


async def _written(
    desk: Desk,
    child_id: UUID,
    meeting_id: UUID,
    kind: type[Form],
    work: Callable[[Access, Form], Awaitable[object]],
    show: Callable[[Desk, UUID], Show],
) -> Response[Any]:
    """Do what a form about the talk asks, and show what was thought and decided."""
    return await saved(
        desk,
        child_id,
        kind,
        work,
        show(desk, meeting_id),
        location=f"{_back(child_id, meeting_id)}#decided",
        doing=WRITING,
    )


# Views --------------------------------------------------------------------------------------------


def _viewing(desk: Desk, meeting_id: UUID) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        access.require_write()
        row = await meeting_row(access, meeting_id)
        return await framed(
            desk,
            access,
            "view",
            errors,
            filled=Filled({"category": "plan"}, errors),
            lead=pages.VIEW_LEAD,
            speakers=pages.speaker_choices(await who_can_be_invited(access), access.viewer.id),
            outcomes=pages.outcome_choices(await decided_at(access, row)),
            categories=CATEGORY_CHOICES,
            back=_back(access.child_id, meeting_id),
        )

    return show


@get(f"{ONE}/views", include_in_schema=False)
async def view_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """The form for what somebody thinks."""
    return await shown(desk, child_id, READING, _viewing(desk, meeting_id))


@post(f"{ONE}/views", include_in_schema=False)
async def put_view(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """Write down what somebody thinks, beside what others think."""

    async def work(access: Access, form: forms.ViewForm) -> None:
        row = await meeting_row(access, meeting_id)
        said = Said(form.person, form.words, form.outcome_id, form.category)
        await write_view(access, row, said)

    return await _written(desk, child_id, meeting_id, forms.ViewForm, work, _viewing)


@post(f"{ONE}/views/{{view_id:uuid}}/take-back", include_in_schema=False)
async def take_view(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    meeting_id: FromPath[UUID],
    view_id: FromPath[UUID],
) -> Response[Any]:
    """A view was written down wrongly: it is taken back."""

    async def work(access: Access, _form: Nothing) -> None:
        await take_view_back(access, await meeting_row(access, meeting_id), view_id)

    return await _written(desk, child_id, meeting_id, Nothing, work, _viewing)


# Decisions ----------------------------------------------------------------------------------------


def _deciding(desk: Desk, meeting_id: UUID) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        access.require_write()
        row = await meeting_row(access, meeting_id)
        return await framed(
            desk,
            access,
            "decision",
            errors,
            filled=Filled({}, errors),
            outcomes=pages.outcome_choices(await decided_at(access, row)),
            owners=owner_choices(await candidates(access), None),
            plan_href=f"/children/{access.child_id}/plan",
            back=_back(access.child_id, meeting_id),
        )

    return show


@get(f"{ONE}/decisions", include_in_schema=False)
async def decision_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """The form for a decision."""
    return await shown(desk, child_id, READING, _deciding(desk, meeting_id))


@post(f"{ONE}/decisions", include_in_schema=False)
async def put_decision(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """Write a decision down under a desired outcome, with who does what by when."""

    async def work(access: Access, form: forms.DecisionForm) -> None:
        row = await meeting_row(access, meeting_id)
        action = None
        if form.action.strip():
            action = ActionWords(
                form.action, form.outcome_id, form.owner_worker_id, form.owner_words, form.due_on
            )
        await decide(access, row, form.outcome_id, form.decision, action)

    return await _written(desk, child_id, meeting_id, forms.DecisionForm, work, _deciding)


@post(f"{ONE}/decisions/{{decided_id:uuid}}/take-back", include_in_schema=False)
async def take_decision(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    meeting_id: FromPath[UUID],
    decided_id: FromPath[UUID],
) -> Response[Any]:
    """A decision was written down wrongly: it is taken back, its actions stay in the plan."""

    async def work(access: Access, _form: Nothing) -> None:
        await take_decision_back(access, await meeting_row(access, meeting_id), decided_id)

    return await _written(desk, child_id, meeting_id, Nothing, work, _deciding)


# Held, or cancelled -------------------------------------------------------------------------------


def _holding(desk: Desk, meeting_id: UUID) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        access.require_write()
        row = await meeting_row(access, meeting_id)
        invited = await invitations_of(access, row)
        coming = [str(one.id) for one in invited if one.answer == "yes"]
        return await framed(
            desk,
            access,
            "held",
            errors,
            filled=Filled({"version": row.version, "came": coming}, errors),
            day=row.held_on,
            people=[(str(one.id), one.name) for one in invited],
            back=_back(access.child_id, meeting_id),
        )

    return show


@get(f"{ONE}/held", include_in_schema=False)
async def held_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """The form that says who came, and when the next meeting is."""
    return await shown(desk, child_id, READING, _holding(desk, meeting_id))


@post(f"{ONE}/held", include_in_schema=False)
async def put_held(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """The meeting was held."""

    async def work(access: Access, form: forms.HeldForm) -> None:
        row = await meeting_to_change(access, meeting_id)
        held = Held(frozenset(form.came), form.next_on, form.no_next)
        await hold_meeting(access, row, form.version, held)

    return await saved(
        desk,
        child_id,
        forms.HeldForm,
        work,
        _holding(desk, meeting_id),
        location=_back(child_id, meeting_id),
        doing=WRITING,
    )


def _cancelling(desk: Desk, meeting_id: UUID) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        access.require_write()
        row = await meeting_row(access, meeting_id)
        return await framed(
            desk,
            access,
            "cancel",
            errors,
            filled=Filled({"version": row.version}, errors),
            day=row.held_on,
            back=_back(access.child_id, meeting_id),
        )

    return show


@get(f"{ONE}/cancel", include_in_schema=False)
async def cancel_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """The form that cancels a meeting."""
    return await shown(desk, child_id, READING, _cancelling(desk, meeting_id))


@post(f"{ONE}/cancel", include_in_schema=False)
async def cancel(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """A meeting does not take place; whoever was invited is told."""

    async def work(access: Access, form: forms.CancelForm) -> None:
        row = await meeting_to_change(access, meeting_id)
        await cancel_meeting(access, row, form.version, form.why)
        await send_cancellations(access, row, sender_of(desk))

    return await saved(
        desk,
        child_id,
        forms.CancelForm,
        work,
        _cancelling(desk, meeting_id),
        location=_back(child_id, meeting_id),
        doing="cancelled a meeting around the family",
    )


HANDLERS = [
    view_form,
    put_view,
    take_view,
    decision_form,
    put_decision,
    take_decision,
    held_form,
    put_held,
    cancel_form,
    cancel,
]
