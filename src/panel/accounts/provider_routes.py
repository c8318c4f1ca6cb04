"""Signing in with a provider: its button, the way there and back, and the end of it."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import FromPath

from interop.signed import NotBelieved
from panel.accounts.by_provider import (
    Going,
    begin_again_with_provider,
    begin_with_provider,
    come_back,
    end_from_there,
    own_keys,
)
from panel.accounts.desk import FOR_ANYBODY, PRIVATE, Desk, go, sent_fields
from panel.accounts.providers import Button, provider_named
from panel.accounts.way_in import (
    home_of,
    page_on_the_way,
    posted_on_the_way,
    safe_path,
    set_cookie,
    with_cookie,
)
from panel.platform.openid import NotReached


@get("/sign-in/with/{provider:str}", include_in_schema=False, opt=FOR_ANYBODY)
async def with_provider_page(desk: NamedDependency[Desk], provider: FromPath[str]) -> Response[Any]:
    """A provider's button by itself, for a link on an organisation's own pages."""
    next_path = safe_path(desk.request.query_params.get("next"))
    if desk.who is not None:
        return go(safe_path(next_path, home_of(desk.viewer.kind)))
    async with desk.tenant.transaction() as session:
        found = await provider_named(session, provider)
    button = Button(found.key, found.label)
    return page_on_the_way(
        desk, "accounts/provider.html", providers=[button], label=found.label, next_path=next_path
    )


@post("/sign-in/with/{provider:str}", include_in_schema=False, opt=FOR_ANYBODY)
async def with_provider(desk: NamedDependency[Desk], provider: FromPath[str]) -> Response[Any]:
    """Send a browser to the provider, under a cookie that binds what comes back."""
    posted = await posted_on_the_way(desk)
    next_path = safe_path(posted.text("next"))
    if desk.who is not None:
        return go(next_path)
    going = await begin_with_provider(desk, provider, next_path)
    answer = _going(desk, going)
    set_cookie(desk.request, answer, going.cookie)
    return answer


@post("/sign-in/again/with/{provider:str}", include_in_schema=False)
async def again_with_provider(
    desk: NamedDependency[Desk], provider: FromPath[str]
) -> Response[Any]:
    """Send somebody who is signed in to show again who they are."""
    _ = desk.viewer
    posted = await desk.posted()
    going = await begin_again_with_provider(desk, provider, safe_path(posted.text("next")))
    return _going(desk, going)


def _going(desk: Desk, going: Going) -> Response[str]:
    """A page that goes on by itself: a form of ours may lead to pages of ours only (the policy)."""
    return desk.page("accounts/provider_going.html", label=going.label, address=going.address)


@get("/sign-in/from/{provider:str}", include_in_schema=False, opt=FOR_ANYBODY)
async def from_provider(desk: NamedDependency[Desk], provider: FromPath[str]) -> Response[Any]:
    """Whoever comes back from a provider is let in, or told whom to ask."""
    back = await come_back(desk, provider)
    return with_cookie(desk.request, back.next_path, back.cookie)


@post("/sign-in/ended/{provider:str}", include_in_schema=False, opt=FOR_ANYBODY)
async def ended_there(desk: NamedDependency[Desk], provider: FromPath[str]) -> Response[str]:
    """The provider says that somebody signed out there; its signature says that it is the provider.

    OpenID Connect Back-Channel Logout 1.0: 200 where it was done, 400 where it is not believed.
    """
    fields = await sent_fields(desk.request)
    token = next((str(value) for name, value in fields if name == "logout_token"), "")
    try:
        await end_from_there(desk, provider, token)
    except (NotBelieved, NotReached):
        return Response("", status_code=400, media_type=MediaType.TEXT, headers=PRIVATE)
    return Response("", status_code=200, media_type=MediaType.TEXT, headers=PRIVATE)


@get("/sign-in/keys/{provider:str}", include_in_schema=False, opt=FOR_ANYBODY)
async def our_keys(desk: NamedDependency[Desk], provider: FromPath[str]) -> Response[Any]:
    """Our public key, where we show a provider who we are by a private one (NHS CIS2 reads it)."""
    return Response(await own_keys(desk, provider), media_type=MediaType.JSON, headers=PRIVATE)


HANDLERS = [
    with_provider_page,
    with_provider,
    again_with_provider,
    from_provider,
    ended_there,
    our_keys,
]
