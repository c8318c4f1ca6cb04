"""What is done on a request's page after the decision: appeals, unmet need, waiting for a place."""

from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.allocation import decision_forms as forms
from panel.allocation.appeal_service import answer_appeal, ask_again
from panel.allocation.request_forms import WhyForm
from panel.allocation.request_routes import REQUEST, work_on
from panel.allocation.rules import AppealOutcome, LeftWhy, OfferAnswer
from panel.allocation.unmet_service import close_need
from panel.allocation.waiting_service import (
    answer_offer,
    join_list,
    offer_place,
    take_off_list,
)
from panel.records.gate import Access
from panel.web.forms import Nothing


@post(f"{REQUEST}/appeal", include_in_schema=False)
async def appeal(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """The family asks the panel to look again."""

    async def work(access: Access, form: forms.AppealForm) -> None:
        await ask_again(access, need_id, asked_on=form.asked_on, grounds=form.grounds)

    where = (child_id, need_id)
    return await work_on(desk, where, forms.AppealForm, work, "appeal", "wrote down an appeal")


@post(f"{REQUEST}/appeal/{{appeal_id:uuid}}", include_in_schema=False)
async def appeal_answered(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
    appeal_id: FromPath[UUID],
) -> Response[Any]:
    """What became of it."""

    async def work(access: Access, form: forms.AppealAnswerForm) -> None:
        await answer_appeal(access, appeal_id, AppealOutcome(form.outcome), form.why, form.version)

    where = (child_id, need_id)
    return await work_on(
        desk, where, forms.AppealAnswerForm, work, f"appeal-{appeal_id}", "answered an appeal"
    )


@post(f"{REQUEST}/unmet/{{unmet_id:uuid}}/close", include_in_schema=False)
async def unmet_closed(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
    unmet_id: FromPath[UUID],
) -> Response[Any]:
    """An unmet need is met, or is none any more."""

    async def work(access: Access, form: WhyForm) -> None:
        await close_need(access, unmet_id, form.why, form.version)

    where = (child_id, need_id)
    return await work_on(desk, where, WhyForm, work, f"unmet-{unmet_id}", "closed an unmet need")


@post(f"{REQUEST}/waiting", include_in_schema=False)
async def wait_for_place(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """Put the child on the list of the service."""

    async def work(access: Access, _form: Nothing) -> None:
        await join_list(access, need_id)

    where = (child_id, need_id)
    return await work_on(desk, where, Nothing, work, "waiting", "put a child on a waiting list")


@post(f"{REQUEST}/waiting/{{wait_id:uuid}}/offer", include_in_schema=False)
async def place_offered(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
    wait_id: FromPath[UUID],
) -> Response[Any]:
    """Offer a place."""

    async def work(access: Access, form: forms.OfferForm) -> None:
        await offer_place(access, wait_id, form.answer_by, form.version)

    where = (child_id, need_id)
    return await work_on(desk, where, forms.OfferForm, work, "waiting", "offered a place")


@post(f"{REQUEST}/waiting/{{wait_id:uuid}}/leave", include_in_schema=False)
async def list_left(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
    wait_id: FromPath[UUID],
) -> Response[Any]:
    """Take the child off the list."""

    async def work(access: Access, form: forms.LeaveForm) -> None:
        await take_off_list(access, wait_id, LeftWhy(form.left), form.left_words, form.version)

    where = (child_id, need_id)
    doing = "took a child off a waiting list"
    return await work_on(desk, where, forms.LeaveForm, work, "leave", doing)


@post(f"{REQUEST}/places/{{place_id:uuid}}/answer", include_in_schema=False)
async def place_answered(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
    place_id: FromPath[UUID],
) -> Response[Any]:
    """What the family says to it."""

    async def work(access: Access, form: forms.OfferAnswerForm) -> None:
        await answer_offer(access, place_id, OfferAnswer(form.answer), form.why, form.version)

    where = (child_id, need_id)
    return await work_on(
        desk, where, forms.OfferAnswerForm, work, "waiting", "answered the offer of a place"
    )


HANDLERS = [
    appeal,
    appeal_answered,
    unmet_closed,
    wait_for_place,
    place_offered,
    list_left,
    place_answered,
]
