"""The pages on which the information governance lead keeps systems that are asked by schedule."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role
from interop.client_tokens import new_signing_key
from interop.scopes import LONGEST
from panel.accounts.desk import Desk
from panel.accounts.step_pages import Shown, step_page
from panel.accounts.taking import Transaction, take_here
from panel.exchange import keeping_pulls as service
from panel.exchange.clients import systems_to_choose
from panel.exchange.pull_pages import BASE, REMOVE, add_step, pull_facts, pull_row
from panel.exchange.pulling import NewSource, add_source
from panel.platform.ids import new_id
from panel.web.forms import FieldErrors, amount, chosen, line, paragraphs

LEAD = Role.GOVERNANCE_LEAD
LONGEST_WAIT = 7 * 24 * 60
"""Minutes."""


class AddForm(msgspec.Struct, forbid_unknown_fields=True):
    """A system that is to be asked."""

    client: Annotated[str, chosen("System", missing="Select as whose sending it lands")]
    base: Annotated[str, line("Address", at_most=500, missing="Enter its address")]
    as_client: Annotated[str, line("Name", at_most=200, missing="Enter what we are called there")]
    scopes: Annotated[
        str,
        paragraphs(
            "Scopes",
            at_most=LONGEST,
            missing="Enter one scope or more, for example system/CarePlan.rs",
        ),
    ]
    types: Annotated[
        str,
        paragraphs("Types", at_most=2_000, missing="Enter one type or more, for example CarePlan"),
    ]
    every: Annotated[int, amount("Minutes", at_most=LONGEST_WAIT, missing="Enter how often")]
    token: Annotated[str, line("Where it gives tokens", at_most=500)] = ""

    def new(self) -> NewSource:
        """The source as it would be kept, with a key of its own."""
        return NewSource(
            lands_as=self.client,
            base=self.base,
            as_client=self.as_client,
            scopes=tuple(self.scopes.split()),
            signing_key=new_signing_key(f"panel-{new_id()}"),
            types=tuple(dict.fromkeys(self.types.replace(",", " ").split())),
            every_minutes=self.every,
            token_address=self.token or None,
        )


class VersionForm(msgspec.Struct, forbid_unknown_fields=True):
    """One of them, as it was read."""

    version: int


@get(BASE, include_in_schema=False)
async def pulls_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Every system that is asked, and what came of it."""
    desk.require(LEAD)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        rows = [pull_row(one) for one in await service.all_pulls(session)]
    return desk.page(
        "exchange/pulls.html", rows=rows, new_href=f"{BASE}/new", back_href="/governance/clients"
    )


@get(f"{BASE}/new", include_in_schema=False)
async def new_pull(desk: NamedDependency[Desk]) -> Response[Any]:
    """The form that has another system asked."""
    desk.require(LEAD)
    await desk.require_proof()
    return await _new(desk)


@post(f"{BASE}/new", include_in_schema=False)
async def add_pull(desk: NamedDependency[Desk]) -> Response[Any]:
    """Ask another system from now on."""
    desk.require(LEAD)
    await desk.require_proof()

    async def work(here: Transaction, form: AddForm) -> None:
        await add_source(here.session, form.new(), is_demo=desk.tenant.record.demo)

    return await take_here(desk, AddForm, work, BASE, again=partial(_new, desk))


async def _new(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        systems = await systems_to_choose(session)
    return step_page(desk, add_step(systems), Shown(f"{BASE}/new", BASE), errors)


@get(f"{BASE}/{{pull_id:uuid}}", include_in_schema=False)
async def pull_page(desk: NamedDependency[Desk], pull_id: FromPath[UUID]) -> Response[str]:
    """One of them, with our public key."""
    desk.require(LEAD)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        known = await service.one_pull(session, pull_id)
        is_removed = known.row.ended_on is not None
        key = "" if is_removed else await service.public_key(session, known.row)
    return desk.page(
        "exchange/pull.html",
        name=known.row.base,
        facts=pull_facts(known, desk.now),
        key=key,
        version=known.row.version,
        is_removed=is_removed,
        is_paused=known.row.paused_at is not None,
        here=f"{BASE}/{pull_id}",
        back_href=BASE,
    )


Does = Callable[[AsyncSession, UUID, int], Awaitable[None]]


async def _do(desk: Desk, pull_id: UUID, does: Does) -> Response[Any]:
    desk.require(LEAD)

    async def work(here: Transaction, form: VersionForm) -> None:
        await does(here.session, pull_id, form.version)

    return await take_here(desk, VersionForm, work, f"{BASE}/{pull_id}")


@post(f"{BASE}/{{pull_id:uuid}}/pause", include_in_schema=False)
async def pause(desk: NamedDependency[Desk], pull_id: FromPath[UUID]) -> Response[Any]:
    """Ask it no more until it goes on."""
    return await _do(desk, pull_id, service.pause_pull)


@post(f"{BASE}/{{pull_id:uuid}}/go-on", include_in_schema=False)
async def go_on(desk: NamedDependency[Desk], pull_id: FromPath[UUID]) -> Response[Any]:
    """Ask it again."""
    return await _do(desk, pull_id, service.resume_pull)


@get(f"{BASE}/{{pull_id:uuid}}/remove", include_in_schema=False)
async def remove_page(desk: NamedDependency[Desk], pull_id: FromPath[UUID]) -> Response[Any]:
    """The form that removes it, with what that means."""
    desk.require(LEAD)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        known = await service.one_pull(session, pull_id)
    here = f"{BASE}/{pull_id}"
    facts = [("System", known.row.base), ("Lands as sent by", known.lands_as)]
    shown = Shown(f"{here}/remove", here, known.row.version, facts=facts)
    return step_page(desk, REMOVE, shown)


@post(f"{BASE}/{{pull_id:uuid}}/remove", include_in_schema=False)
async def remove(desk: NamedDependency[Desk], pull_id: FromPath[UUID]) -> Response[Any]:
    """Ask it no more."""
    return await _do(desk, pull_id, service.remove_pull)


HANDLERS = [pulls_page, new_pull, add_pull, pull_page, pause, go_on, remove_page, remove]
