"""The pages on which the information governance lead keeps systems of other agencies."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from consent import Role
from panel.accounts.desk import Desk
from panel.accounts.service import agencies, worker_names
from panel.accounts.step_pages import Shown, Step, step_page
from panel.accounts.taking import Transaction, take_here
from panel.exchange import clients as service
from panel.exchange.client_forms import ChangeForm, EndForm, KeysForm, RegisterForm, RevokeForm
from panel.exchange.client_pages import (
    BASE,
    CHANGE,
    END,
    KEYS,
    client_facts,
    client_row,
    register_step,
    token_row,
)
from panel.exchange.unknown_letters import by_mailbox
from panel.platform.problems import NotAllowed
from panel.web import words
from panel.web.forms import FieldErrors

HOME = "/governance"
LEAD = Role.GOVERNANCE_LEAD


@get(BASE, include_in_schema=False)
async def clients_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Every system, and what it may ask for."""
    desk.require(LEAD)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        rows = [client_row(one, desk.today) for one in await service.all_clients(session)]
        letters = await by_mailbox(session)
    return desk.page(
        "exchange/clients.html",
        rows=rows,
        letters=[(one.mailbox, str(one.letters), words.day_and_time(one.since)) for one in letters],
        new_href=f"{BASE}/new",
        undelivered_href=f"{HOME}/deliveries",
        pulls_href=f"{HOME}/pulls",
        back_href=HOME,
    )


@get(f"{BASE}/new", include_in_schema=False)
async def new_client(desk: NamedDependency[Desk]) -> Response[Any]:
    """The form that registers a system."""
    desk.require(LEAD)
    await desk.require_proof()
    return await _new(desk)


@post(f"{BASE}/new", include_in_schema=False)
async def register(desk: NamedDependency[Desk]) -> Response[Any]:
    """Register a system."""
    desk.require(LEAD)
    await desk.require_proof()

    async def work(here: Transaction, form: RegisterForm) -> None:
        await service.register_client(here.session, form.new(), is_demo=desk.tenant.record.demo)

    return await take_here(desk, RegisterForm, work, BASE, again=partial(_new, desk))


async def _new(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        open_ones = [
            (str(one.id), one.name)
            for one in await agencies(session)
            if one.closed_on is None or one.closed_on > desk.today
        ]
    return step_page(desk, register_step(open_ones), Shown(f"{BASE}/new", BASE), errors)


@get(f"{BASE}/{{client_id:uuid}}", include_in_schema=False)
async def client_page(desk: NamedDependency[Desk], client_id: FromPath[UUID]) -> Response[str]:
    """One system, with the tokens that it was given last."""
    desk.require(LEAD)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        known = await service.one_client(session, client_id)
        tokens = await service.last_tokens(session, client_id)
        by = known.row.created_by
        registered_by = (await worker_names(session, [by])).get(by, "")
    return desk.page(
        "exchange/client.html",
        name=known.row.name,
        facts=client_facts(known, registered_by, desk.today),
        tokens=[token_row(one, desk.now) for one in tokens],
        version=known.row.version,
        is_over=known.row.ended_on is not None,
        here=f"{BASE}/{client_id}",
        back_href=BASE,
    )


@get(f"{BASE}/{{client_id:uuid}}/change", include_in_schema=False)
async def change_page(desk: NamedDependency[Desk], client_id: FromPath[UUID]) -> Response[Any]:
    """The form that changes what it may ask for."""
    desk.require(LEAD)
    await desk.require_proof()
    return await _step(desk, client_id, "change", CHANGE)


@post(f"{BASE}/{{client_id:uuid}}/change", include_in_schema=False)
async def change(desk: NamedDependency[Desk], client_id: FromPath[UUID]) -> Response[Any]:
    """Change what it may ask for."""
    desk.require(LEAD)
    await desk.require_proof()

    async def work(here: Transaction, form: ChangeForm) -> None:
        await service.change_client(
            here.session, client_id, form.version, form.name, form.scopes, form.mesh_mailbox
        )

    again = partial(_step, desk, client_id, "change", CHANGE)
    return await take_here(desk, ChangeForm, work, f"{BASE}/{client_id}", again=again)


@get(f"{BASE}/{{client_id:uuid}}/keys", include_in_schema=False)
async def keys_page(desk: NamedDependency[Desk], client_id: FromPath[UUID]) -> Response[Any]:
    """The form that changes its keys."""
    desk.require(LEAD)
    await desk.require_proof()
    return await _step(desk, client_id, "keys", KEYS)


@post(f"{BASE}/{{client_id:uuid}}/keys", include_in_schema=False)
async def keys(desk: NamedDependency[Desk], client_id: FromPath[UUID]) -> Response[Any]:
    """Change its keys."""
    desk.require(LEAD)
    await desk.require_proof()

    async def work(here: Transaction, form: KeysForm) -> None:
        is_demo = desk.tenant.record.demo
        await service.change_keys(
            here.session, client_id, form.version, form.keys(), is_demo=is_demo
        )

    again = partial(_step, desk, client_id, "keys", KEYS)
    return await take_here(desk, KeysForm, work, f"{BASE}/{client_id}", again=again)


@get(f"{BASE}/{{client_id:uuid}}/end", include_in_schema=False)
async def end_page(desk: NamedDependency[Desk], client_id: FromPath[UUID]) -> Response[Any]:
    """The form that ends it."""
    desk.require(LEAD)
    return await _step(desk, client_id, "end", END)


@post(f"{BASE}/{{client_id:uuid}}/end", include_in_schema=False)
async def end(desk: NamedDependency[Desk], client_id: FromPath[UUID]) -> Response[Any]:
    """End it; in a hurry nobody is asked to show again who they are."""
    desk.require(LEAD)

    async def work(here: Transaction, form: EndForm) -> None:
        await service.end_client(here.session, client_id, form.version, form.why)

    again = partial(_step, desk, client_id, "end", END)
    return await take_here(desk, EndForm, work, f"{BASE}/{client_id}", again=again)


@post(f"{BASE}/{{client_id:uuid}}/revoke", include_in_schema=False)
async def revoke(desk: NamedDependency[Desk], client_id: FromPath[UUID]) -> Response[Any]:
    """Take back the tokens that it has."""
    desk.require(LEAD)

    async def work(here: Transaction, form: RevokeForm) -> None:
        await service.revoke_tokens(here.session, client_id, form.version)

    return await take_here(desk, RevokeForm, work, f"{BASE}/{client_id}")


async def _step(
    desk: Desk, client_id: UUID, part: str, step: Step, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        known = await service.one_client(session, client_id)
    row, here = known.row, f"{BASE}/{client_id}"
    if row.ended_on is not None:
        raise NotAllowed("This client was ended.", "Register it again under another key.")
    stored: dict[str, object] = {
        "name": row.name,
        "scopes": "\n".join(row.scopes),
        "jwks_url": row.jwks_url,
        "mesh_mailbox": row.mesh_mailbox,
    }
    shown = Shown(
        f"{here}/{part}",
        here,
        row.version,
        facts=[("System", row.name), ("Agency", known.agency)],
        stored={name: said for name, said in stored.items() if name in step.names},
    )
    return step_page(desk, step, shown, errors)


HANDLERS = [
    clients_page,
    new_client,
    register,
    client_page,
    change_page,
    change,
    keys_page,
    keys,
    end_page,
    end,
    revoke,
]
