"""The part of a child's record that says what other systems sent, and what they would change."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.exchange.inbox_forms import DecideForm
from panel.exchange.inbox_offers import leave
from panel.exchange.inbox_offers import take as take_offer
from panel.exchange.inbox_reading import from_systems
from panel.records.gate import Access
from panel.records.withheld_words import hidden_words
from panel.register.service import CATEGORY_WORDS, child_header
from panel.web.forms import FieldErrors

HIDDEN = "Other systems sent something about {} that you cannot see."


@get("/children/{child_id:uuid}/systems", include_in_schema=False)
async def systems_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """What other systems sent of a child."""
    return await _page(desk, child_id)


async def _page(desk: Desk, child_id: UUID, errors: FieldErrors | None = None) -> Response[str]:
    async with desk.open(child_id, "read what other systems sent") as access:
        header = await child_header(access)
        read = await from_systems(access)
    return desk.page(
        "exchange/systems.html",
        status=200 if errors is None else 422,
        header=header,
        here="systems",
        offers=read.offers,
        sent=read.sent,
        withheld=hidden_words(read.withheld, CATEGORY_WORDS, HIDDEN),
        may_decide=read.may_decide,
        summary=[] if errors is None else errors.summary,
    )


@post("/children/{child_id:uuid}/systems/{offered_id:uuid}", include_in_schema=False)
async def decide(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], offered_id: FromPath[UUID]
) -> Response[Any]:
    """Take what is offered, or leave what is written."""

    async def work(access: Access, form: DecideForm) -> None:
        if form.answer == "take":
            await take_offer(access, offered_id, form.version, form.row_version)
        else:
            await leave(access, offered_id, form.version)

    opens = partial(desk.open, child_id, "decided about what another system sent")
    to = f"/children/{child_id}/systems"
    return await take(desk, DecideForm, opens, work, to, again=partial(_page, desk, child_id))


HANDLERS = [systems_page, decide]
