"""Signing in by a link, signing out, and what the words on the pages mean."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts import my_routes, provider_routes, sign_in_routes
from panel.accounts.by_provider import leaving
from panel.accounts.desk import FOR_ANYBODY, OWN_SIGN_IN, Desk, go
from panel.accounts.help import FAMILIES_GLOSSARY, FOR_FAMILIES, FOR_WORKERS, WORKERS_GLOSSARY
from panel.accounts.noted import note
from panel.accounts.own_ways import has_ways, is_invented
from panel.accounts.providers import signed_in_with
from panel.accounts.service import SignInPersona, persona_at_desk
from panel.accounts.way_in import home_of, let_in, refuse_from_elsewhere, with_cookie
from panel.platform.audit import Kind
from panel.platform.problems import Gone, NotFound
from panel.platform.sessions import Way, end, token_hash, use_link

LINK_USED = "This sign-in link was used already, or its time is over."


@get("/sign-in/{token:str}", include_in_schema=False, opt=FOR_ANYBODY)
async def sign_in_page(desk: NamedDependency[Desk], token: FromPath[str]) -> Response[str]:
    """The page of a one-time link: a button, so that a mail scanner's look does not use it up."""
    return desk.page("accounts/sign_in.html", token=token)


@post("/sign-in/{token:str}", include_in_schema=False, opt=FOR_ANYBODY)
async def sign_in(
    desk: NamedDependency[Desk], request: Request[Any, Any, Any], token: FromPath[str]
) -> Response[Any]:
    """Sign in by a link, once."""
    refuse_from_elsewhere(desk)
    async with desk.tenant.transaction() as session:
        found = await use_link(session, token, desk.now)
        if found is None:
            note(session, Kind.SIGN_IN_REFUSED, way=Way.LINK.value)
        else:
            viewer_id, kind = found
            cookie = await let_in(desk, session, viewer_id, kind, Way.LINK)
            path = await _first_page(session, viewer_id, kind)
    if found is None:
        # Said once the transaction is over, so that the attempt stays written down.
        raise Gone(LINK_USED, "Ask your administrator for a new link.")
    return with_cookie(request, path, cookie)


async def _first_page(session: AsyncSession, viewer_id: UUID, kind: str) -> str:
    """Where a link leads: whoever works here and has no other way in is asked to choose one."""
    if (
        kind == "worker"
        and not await has_ways(session, viewer_id)
        and not await is_invented(session, viewer_id)
    ):
        return f"{OWN_SIGN_IN}/set-up"
    return home_of(kind)


@post("/sign-out", include_in_schema=False, opt=FOR_ANYBODY)
async def sign_out(desk: NamedDependency[Desk], request: Request[Any, Any, Any]) -> Response[Any]:
    """End the session here and now; the page afterwards offers to end the provider's too."""
    provider = ""
    if desk.token is not None:
        await desk.posted()
        async with desk.tenant.transaction() as session:
            note(session, Kind.SIGNED_OUT, desk.viewer.id, kind=desk.viewer.kind)
            provider = await signed_in_with(session, token_hash(desk.token))
            await end(session, desk.token)
    answer = go(f"/signed-out?from={provider}" if provider else "/signed-out")
    answer.delete_cookie(request.app.state.cookie, path="/")
    return answer


@get("/signed-out", include_in_schema=False, opt=FOR_ANYBODY)
async def signed_out(desk: NamedDependency[Desk]) -> Response[str]:
    """What is shown after signing out."""
    provider = desk.request.query_params.get("from")
    there = None if provider is None else await leaving(desk, provider)
    return desk.page("accounts/signed_out.html", there=there)


@get("/demo/sign-in/{persona:str}", include_in_schema=False, opt=FOR_ANYBODY)
async def demo_sign_in(
    desk: NamedDependency[Desk], request: Request[Any, Any, Any], persona: FromPath[str]
) -> Response[Any]:
    """Sign in as one of the demonstration's people; the route exists in the demonstration only."""
    if not desk.tenant.record.demo:
        raise NotFound
    async with desk.tenant.transaction() as session:
        found: SignInPersona | None = await persona_at_desk(session, persona)
        if found is None:
            raise NotFound("There is nobody of that name in the demonstration.")
        cookie = await let_in(desk, session, found.viewer_id, found.kind, Way.DEMONSTRATION)
    return with_cookie(request, home_of(found.kind), cookie)


@get(WORKERS_GLOSSARY, include_in_schema=False, opt=FOR_ANYBODY)
async def glossary(desk: NamedDependency[Desk]) -> Response[str]:
    """What the words mean; for anybody, since a guest and a family meet them too."""
    return desk.page("accounts/glossary.html", letters=FOR_WORKERS)


@get(FAMILIES_GLOSSARY, include_in_schema=False, opt=FOR_ANYBODY)
async def family_glossary(desk: NamedDependency[Desk]) -> Response[str]:
    """The same in plain words; for anybody, since workers explain them to families."""
    return desk.page("accounts/family_glossary.html", letters=FOR_FAMILIES)


HANDLERS = [
    sign_in_page,
    sign_in,
    sign_out,
    signed_out,
    glossary,
    family_glossary,
    *sign_in_routes.HANDLERS,
    *my_routes.HANDLERS,
    *provider_routes.HANDLERS,
]
DEMO = [demo_sign_in, *sign_in_routes.DEMO]
