"""The pages about sharing: who sees what, ending an agreement, asking, who looked."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from consent import Category, Purpose
from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.records.gate import Access
from panel.register.service import child_header
from panel.sharing.agreeing_pages import purpose_choices
from panel.sharing.agreeing_routes import HANDLERS as AGREEING
from panel.sharing.answering_routes import HANDLERS as ANSWERING
from panel.sharing.forms import AskForm, WithdrawForm
from panel.sharing.objecting_routes import HANDLERS as OBJECTING
from panel.sharing.overriding import openable
from panel.sharing.pages import (
    agreement_card,
    look_row,
    only_links,
    rehearsal_words,
    sharing_page,
)
from panel.sharing.reading import access_history, rehearse_withdrawal, sharing_picture
from panel.sharing.service import request_access, withdraw_agreement
from panel.sharing.steps import further_steps
from panel.sharing.waiting import sharing_waits
from panel.sharing.waiting_pages import waits_part
from panel.sharing.withdrawing import withdraw_from
from panel.web.forms import FieldErrors, Filled
from panel.web.paging import read_cursor


@get("/children/{child_id:uuid}/sharing", include_in_schema=False)
async def sharing(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """Who may see what of this child, and why."""
    async with desk.gate.open(
        child_id, desk.viewer, _purposes(desk), "looked at who may see this record"
    ) as access:
        return await _sharing(desk, access)


@post("/children/{child_id:uuid}/sharing/requests", include_in_schema=False)
async def ask(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Ask to see what is withheld from me."""

    async def work(access: Access, form: AskForm) -> None:
        # A word that is no category was not offered on the page.
        asked = [category for category in Category if category.value in form.categories]
        purpose = None if form.purpose is None else Purpose(form.purpose)
        await request_access(access, asked, form.reason, purpose)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, doing, _purposes(desk)) as access:
            return await _sharing(desk, access, errors)

    doing = "asked to see what is withheld"
    opens = partial(desk.open, child_id, doing, _purposes(desk))
    return await take(desk, AskForm, opens, work, _base(child_id), again=again)


@get(
    "/children/{child_id:uuid}/sharing/agreements/{agreement_id:uuid}/withdraw",
    include_in_schema=False,
)
async def rehearse(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    agreement_id: FromPath[UUID],
    agency: FromQuery[UUID | None] = None,
) -> Response[str]:
    """What would change, for whom, if an agreement ended now; or for one of its agencies."""
    async with desk.gate.open(
        child_id, desk.viewer, _purposes(desk), "looked at an agreement to share"
    ) as access:
        rehearsal = await rehearse_withdrawal(access, agreement_id, agency)
        address = f"{_base(child_id)}/agreements/{agreement_id}/withdraw"
        return desk.page(
            "sharing/withdraw.html",
            header=await child_header(access),
            here="sharing",
            card=agreement_card(rehearsal.agreement, "", desk.today),
            given=rehearsal.agreement.given,
            changes=rehearsal_words(rehearsal, agency),
            rooms=await desk.site.rehearsal.asked(access, rehearsal.turn),
            only="" if agency is None else str(agency),
            only_name=dict(rehearsal.agencies).get(agency, "") if agency else "",
            others=only_links(rehearsal, address) if agency is None else (),
            action=address,
            back_href=_base(child_id) if agency is None else address,
        )


@post(
    "/children/{child_id:uuid}/sharing/agreements/{agreement_id:uuid}/withdraw",
    include_in_schema=False,
)
async def withdraw(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], agreement_id: FromPath[UUID]
) -> Response[Any]:
    """End an agreement or refusal, at once; or for one of its agencies."""

    async def work(access: Access, form: WithdrawForm) -> None:
        if form.agency is None:
            await withdraw_agreement(access, agreement_id)
        else:
            await withdraw_from(access, agreement_id, form.agency)

    opens = partial(desk.open, child_id, "recorded that an agreement ended", _purposes(desk))
    return await take(desk, WithdrawForm, opens, work, _base(child_id))


@get("/children/{child_id:uuid}/sharing/history", include_in_schema=False)
async def history(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    page: FromQuery[str | None] = None,
) -> Response[str]:
    """Who looked at this record, why and when."""
    asked = read_cursor(page, (datetime, UUID))
    async with desk.gate.open(
        child_id, desk.viewer, _purposes(desk), "looked at who has seen this record"
    ) as access:
        looks = await access_history(access, asked)
        address = f"{_base(child_id)}/history"
        return desk.page(
            "sharing/history.html",
            header=await child_header(access),
            here="sharing",
            rows=[look_row(line) for line in looks.rows],
            note=looks.note,
            previous=looks.previous and f"{address}?page={looks.previous}",
            next=looks.next and f"{address}?page={looks.next}",
            back_href=_base(child_id),
        )


async def _sharing(desk: Desk, access: Access, errors: FieldErrors | None = None) -> Response[str]:
    picture = await sharing_picture(access)
    base = _base(access.child_id)
    return desk.page(
        "sharing/sharing.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        page=sharing_page(picture, base=base, today=desk.today),
        part=waits_part(await sharing_waits(access), base, desk.today),
        purposes=purpose_choices(first=access.purpose),
        filled=Filled({"purpose": access.purpose.value}, errors),
        ask_href=f"{base}/requests",
        override_href=f"{base}/override" if await openable(access) else "",
        steps=further_steps(access),
    )


def _purposes(desk: Desk) -> Sequence[Purpose]:
    """As usual; and whoever answers for the use of records opens this page for that."""
    return (*desk.purposes, Purpose.GOVERNANCE)


def _base(child_id: UUID) -> str:
    return f"/children/{child_id}/sharing"


HANDLERS = [
    sharing,
    ask,
    rehearse,
    withdraw,
    history,
    *AGREEING,
    *ANSWERING,
    *OBJECTING,
]
