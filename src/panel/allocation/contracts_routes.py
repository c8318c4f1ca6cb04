"""The pages of joint contracts with the statements of their authorities."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.accounts.step_pages import Shown, step_page
from panel.accounts.taking import Transaction, take_here
from panel.allocation import contracts, pots
from panel.allocation import packages_forms as forms
from panel.allocation import packages_pages as pages
from panel.allocation.contracts import Contract, Party
from panel.allocation.costing import Price
from panel.allocation.money import pounds
from panel.web import words
from panel.web.forms import FieldErrors

CONTRACTS = "/allocation/contracts"
CONTRACT = CONTRACTS + "/{contract_id:uuid}"


@get(CONTRACTS, include_in_schema=False)
async def contracts_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """Every joint contract."""
    desk.require(*pots.MAY_READ)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await contracts.contracts(session)
    return desk.page(
        "allocation/contracts.html",
        rows=[
            (
                f"{CONTRACTS}/{one.id}",
                one.reference,
                one.title,
                one.provider,
                words.plural(one.places, "place"),
                pages.span(one.from_on, one.until_on),
            )
            for one in found
        ],
        may_sign=pots.SIGN in desk.viewer.roles,
    )


@get(f"{CONTRACTS}/new", include_in_schema=False)
async def new_contract(desk: NamedDependency[Desk]) -> Response[Any]:
    """The form of a new contract."""
    desk.require(pots.SIGN)
    return await _new_contract(desk)


async def _new_contract(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    shown = Shown(f"{CONTRACTS}/new", CONTRACTS)
    return step_page(desk, pages.new_contract_step(), shown, errors)


@post(f"{CONTRACTS}/new", include_in_schema=False)
async def make_contract(desk: NamedDependency[Desk]) -> Response[Any]:
    """Keep a contract."""
    desk.require(pots.SIGN)

    async def work(here: Transaction, form: forms.NewContract) -> None:
        await contracts.make_contract(here.session, desk.viewer, _contract(form))

    again = partial(_new_contract, desk)
    return await take_here(desk, forms.NewContract, work, CONTRACTS, again=again)


def _contract(form: forms.NewContract) -> Contract:
    said = (
        (form.authority_1, form.places_1, form.health_1, form.education_1, form.social_care_1),
        (form.authority_2, form.places_2, form.health_2, form.education_2, form.social_care_2),
        (form.authority_3, form.places_3, form.health_3, form.education_3, form.social_care_3),
    )
    parties = [
        Party(name, places, health, education, social, is_ours=place == form.ours)
        for place, (name, places, health, education, social) in enumerate(said, start=1)
        if name or places
    ]
    return Contract(
        form.reference,
        form.title,
        form.provider,
        form.places,
        form.from_on,
        form.until_on,
        [Price(form.price, form.from_on)],
        parties,
    )


@get(CONTRACT, include_in_schema=False)
async def contract_page(desk: NamedDependency[Desk], contract_id: FromPath[UUID]) -> Response[Any]:
    """A contract with the statement of each authority."""
    desk.require(*pots.MAY_READ)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        one = await contracts.contract_of(session, contract_id)
    return desk.page(
        "allocation/contract.html",
        title=one.title,
        facts=[
            ("Reference", one.reference),
            ("Provider", one.provider),
            ("Places", words.number(one.places)),
            ("Days", pages.span(one.from_on, one.until_on)),
        ],
        prices=[
            (pages.span(each.from_on, each.until_on), pounds(each.amount)) for each in one.prices
        ],
        parties=[
            (
                each.authority,
                f"{each.places} of {one.places}",
                *(f"{each.protocol[service]} of 100" for service in contracts.SERVICES),
            )
            for each in one.parties
        ],
        statements=pages.statements(one),
        href=f"{CONTRACTS}/{contract_id}",
        back_href=CONTRACTS,
        may_sign=pots.SIGN in desk.viewer.roles,
    )


@get(f"{CONTRACT}/price", include_in_schema=False)
async def contract_price_form(
    desk: NamedDependency[Desk], contract_id: FromPath[UUID]
) -> Response[Any]:
    """The form of another price."""
    desk.require(pots.SIGN)
    return await _price(desk, contract_id)


async def _price(desk: Desk, contract_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        one = await contracts.contract_of(session, contract_id)
    href = f"{CONTRACTS}/{contract_id}"
    shown = Shown(f"{href}/price", href, one.version, [("Contract", one.reference)])
    return step_page(desk, pages.CONTRACT_PRICE, shown, errors)


@post(f"{CONTRACT}/price", include_in_schema=False)
async def change_contract_price(
    desk: NamedDependency[Desk], contract_id: FromPath[UUID]
) -> Response[Any]:
    """Another price from a day on."""
    desk.require(pots.SIGN)

    async def work(here: Transaction, form: forms.ContractPriceForm) -> None:
        await contracts.change_contract_price(
            here.session, desk.viewer, contract_id, form.version, form.price, form.from_on
        )

    again = partial(_price, desk, contract_id)
    to = f"{CONTRACTS}/{contract_id}"
    return await take_here(desk, forms.ContractPriceForm, work, to, again=again)


HANDLERS = [
    contracts_page,
    new_contract,
    make_contract,
    contract_page,
    contract_price_form,
    change_contract_price,
]
