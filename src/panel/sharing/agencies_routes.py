"""The pages that keep what agencies agreed with each other about sharing."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.accounts.service import agencies
from panel.accounts.taking import Transaction, take_here
from panel.register.service import CATEGORY_CHOICES
from panel.sharing.agencies_agreeing import (
    KEEPERS,
    Version,
    change_agreement_of_agencies,
    newest_versions,
    record_agreement_of_agencies,
    versions_of,
)
from panel.sharing.agencies_forms import VersionForm
from panel.sharing.agencies_pages import BASE, version_card
from panel.sharing.pages import PURPOSE_CHOICES
from panel.web.forms import FieldErrors, Filled


@get(BASE, include_in_schema=False)
async def agreements(desk: NamedDependency[Desk]) -> Response[str]:
    """What agencies agreed with each other, the next review first."""
    desk.require(*KEEPERS)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await newest_versions(session)
    cards = [version_card(one, desk.today, newest=True) for one in found]
    return desk.page("sharing/agencies_agreements.html", cards=cards)


@get(f"{BASE}/new", include_in_schema=False)
async def new_agreement_page(desk: NamedDependency[Desk]) -> Response[str]:
    """A new agreement between agencies."""
    desk.require(*KEEPERS)
    return await _form(desk, None, None)


@post(f"{BASE}/new", include_in_schema=False)
async def new_agreement(desk: NamedDependency[Desk]) -> Response[Any]:
    """Keep a new agreement between agencies."""
    desk.require(*KEEPERS)

    async def work(room: Transaction, form: VersionForm) -> None:
        await record_agreement_of_agencies(room.session, form.new())

    return await take_here(desk, VersionForm, work, BASE, again=partial(_form, desk, None))


@get(f"{BASE}/{{agreement_id:uuid}}", include_in_schema=False)
async def agreement(desk: NamedDependency[Desk], agreement_id: FromPath[UUID]) -> Response[str]:
    """Every version of one agreement."""
    desk.require(*KEEPERS)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await versions_of(session, agreement_id)
    cards = [version_card(one, desk.today, newest=number == 0) for number, one in enumerate(found)]
    return desk.page(
        "sharing/agencies_agreement.html",
        title=found[0].title,
        cards=cards,
        change_href=f"{BASE}/{agreement_id}/change",
        back_href=BASE,
    )


@get(f"{BASE}/{{agreement_id:uuid}}/change", include_in_schema=False)
async def change_page(desk: NamedDependency[Desk], agreement_id: FromPath[UUID]) -> Response[str]:
    """The next version of an agreement."""
    desk.require(*KEEPERS)
    return await _form(desk, agreement_id, None)


@post(f"{BASE}/{{agreement_id:uuid}}/change", include_in_schema=False)
async def change(desk: NamedDependency[Desk], agreement_id: FromPath[UUID]) -> Response[Any]:
    """Keep the next version of an agreement."""
    desk.require(*KEEPERS)

    async def work(room: Transaction, form: VersionForm) -> None:
        await change_agreement_of_agencies(room.session, agreement_id, form.version, form.new())

    again = partial(_form, desk, agreement_id)
    to = f"{BASE}/{agreement_id}"
    return await take_here(desk, VersionForm, work, to, again=again)


async def _form(desk: Desk, agreement_id: UUID | None, errors: FieldErrors | None) -> Response[str]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        parties = [(str(one.id), one.name) for one in await agencies(session)]
        last = None if agreement_id is None else (await versions_of(session, agreement_id))[0]
    return desk.page(
        "sharing/agencies_form.html",
        status=200 if errors is None else 422,
        title="A new agreement between agencies" if last is None else "The next version",
        filled=Filled({} if last is None else _stored(last), errors),
        parties=parties,
        categories=CATEGORY_CHOICES,
        purposes=PURPOSE_CHOICES,
        version="" if last is None else last.number,
        action=f"{BASE}/new" if last is None else f"{BASE}/{agreement_id}/change",
        back_href=BASE if last is None else f"{BASE}/{agreement_id}",
    )


def _stored(last: Version) -> dict[str, object]:
    return {
        "title": last.title,
        "reference": last.reference,
        "parties": [str(one) for one in last.parties],
        "categories": [one.value for one in last.categories],
        "purposes": [one.value for one in last.purposes],
        "until_on": last.until_on,
        "review_on": last.review_on,
    }


HANDLERS = [
    agreements,
    new_agreement_page,
    new_agreement,
    agreement,
    change_page,
    change,
]
