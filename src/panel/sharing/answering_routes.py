"""The page on which a request for access is answered."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.records.gate import Access
from panel.register.service import child_header
from panel.sharing.agreeing_pages import request_summary
from panel.sharing.agreeing_routes import BASE, base_of
from panel.sharing.answering import Answer, answer_request, waiting_request
from panel.sharing.answering_forms import AnswerForm
from panel.web.forms import FieldErrors, Filled

ANSWERS = (
    ("refused", "It is refused"),
    (
        "other_basis",
        "It is agreed on another basis",
        "A duty, a court’s order, a safeguarding enquiry. It must be recorded already",
    ),
)


@get(f"{BASE}/requests/{{request_id:uuid}}", include_in_schema=False)
async def request(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], request_id: FromPath[UUID]
) -> Response[str]:
    """One request for access: who asks for what, for what purpose and why."""
    async with desk.open(child_id, "looked at a request for access") as access:
        return await _request(desk, access, request_id)


@post(f"{BASE}/requests/{{request_id:uuid}}", include_in_schema=False)
async def answer(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], request_id: FromPath[UUID]
) -> Response[Any]:
    """Keep the answer; whoever asked reads it."""
    opens = partial(desk.open, child_id, "answered a request for access")

    async def work(access: Access, form: AnswerForm) -> None:
        await answer_request(access, request_id, Answer(form.answer), form.reason)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with opens() as access:
            return await _request(desk, access, request_id, errors)

    return await take(desk, AnswerForm, opens, work, base_of(child_id), again=again)


async def _request(
    desk: Desk, access: Access, request_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    asked = await waiting_request(access, request_id)
    base = base_of(access.child_id)
    return desk.page(
        "sharing/request.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        asked=request_summary(asked),
        is_mine=asked.is_mine,
        may_write=access.may_write,
        answers=ANSWERS,
        agree_href=f"{base}/agreements/new?asked={request_id}",
        filled=Filled({}, errors),
        action=f"{base}/requests/{request_id}",
        back_href=base,
    )


HANDLERS = [request, answer]
