"""Pages of whoever works for several authorities: go there, come in, and confirm who is who."""

from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import FOR_ANYBODY, Desk, go
from panel.accounts.noted import note
from panel.accounts.providers import base_of
from panel.accounts.switching import (
    answer,
    ask,
    come_in,
    elsewhere,
    finish,
    make_way,
    site_named,
    sites_of,
    unlink,
)
from panel.accounts.taking import Transaction, take_here
from panel.accounts.way_in import page_on_the_way, posted_on_the_way, with_cookie
from panel.platform.audit import Kind
from panel.platform.problems import NotAllowed
from panel.platform.sessions import Way
from panel.web.forms import Nothing, line

BASE = "/elsewhere"


class WayForm(msgspec.Struct, forbid_unknown_fields=True):
    """A link's secret, from the page to which it led."""

    came_from: Annotated[str, line("Authority")]
    t: Annotated[str, line("Link")]


def _address(desk: Desk, authority: str, path: str, token: str) -> str:
    record = site_named(desk, authority).tenant.record
    base = base_of(record, desk.site.url) if not record.demo else _own_host(desk, record.host)
    said = urlencode({"came_from": desk.tenant.record.name, "t": token})
    return f"{base}{BASE}/{path}?{said}"


def _own_host(desk: Desk, host: str) -> str:
    """An invented authority is reached by its own host too, where there are several."""
    url = desk.request.url
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{host}{port}"


def _going(desk: Desk, authority: str, address: str) -> Response[str]:
    label = site_named(desk, authority).tenant.record.label
    return desk.page("accounts/elsewhere_going.html", label=label, address=address)


@get(BASE, include_in_schema=False)
async def elsewhere_page(desk: NamedDependency[Desk]) -> Response[str]:
    """The other authorities for which I work, and those of which I could say so."""
    mine = await elsewhere(desk)
    known = {one.authority for one in mine}
    return desk.page(
        "accounts/elsewhere.html",
        mine=mine,
        others=[
            (name, site.tenant.record.label)
            for name, site in sorted(sites_of(desk).items())
            if name not in known
        ],
        base=BASE,
    )


@post(f"{BASE}/go/{{authority:str}}", include_in_schema=False)
async def go_there(desk: NamedDependency[Desk], authority: FromPath[str]) -> Response[Any]:
    """Go to another authority in which I have an account."""
    _ = desk.viewer
    await desk.posted()
    token = await make_way(desk, authority)
    return _going(desk, authority, _address(desk, authority, "come-in", token))


@get(f"{BASE}/come-in", include_in_schema=False, opt=FOR_ANYBODY)
async def come_in_page(
    desk: NamedDependency[Desk], came_from: FromQuery[str] = "", t: FromQuery[str] = ""
) -> Response[str]:
    """Where a link leads: a button, so that nobody is signed in by opening an address."""
    label = site_named(desk, came_from).tenant.record.label
    return page_on_the_way(
        desk,
        "accounts/elsewhere_come_in.html",
        label=label,
        came_from=came_from,
        t=t,
        action=f"{BASE}/come-in",
    )


@post(f"{BASE}/come-in", include_in_schema=False, opt=FOR_ANYBODY)
async def come_in_here(desk: NamedDependency[Desk]) -> Response[Any]:
    """Sign in here, out of a session at the other authority."""
    posted = await posted_on_the_way(desk)
    try:
        cookie = await come_in(desk, posted.text("came_from"), posted.text("t"))
    except NotAllowed:
        async with desk.tenant.transaction() as session:
            note(session, Kind.SIGN_IN_REFUSED, way=Way.ELSEWHERE.value)
        raise
    return with_cookie(desk.request, "/", cookie)


@post(f"{BASE}/link/{{authority:str}}", include_in_schema=False)
async def link(desk: NamedDependency[Desk], authority: FromPath[str]) -> Response[Any]:
    """Begin to say that I have an account at another authority."""
    await desk.require_proof()
    await desk.posted()
    token = await ask(desk, authority)
    return _going(desk, authority, _address(desk, authority, "confirm", token))


@get(f"{BASE}/confirm", include_in_schema=False)
async def confirm_page(
    desk: NamedDependency[Desk], came_from: FromQuery[str] = "", t: FromQuery[str] = ""
) -> Response[str]:
    """Signed in at the other authority too: is that account mine?"""
    await desk.require_proof()
    return _confirm(desk, came_from, t, "confirm", "Yes, it is my own account")


def _confirm(desk: Desk, came_from: str, t: str, path: str, button: str) -> Response[str]:
    return desk.page(
        "accounts/elsewhere_confirm.html",
        label=site_named(desk, came_from).tenant.record.label,
        here=desk.tenant.record.label,
        came_from=came_from,
        t=t,
        action=f"{BASE}/{path}",
        button_words=button,
        is_last=path == "finish",
        base=BASE,
    )


@post(f"{BASE}/confirm", include_in_schema=False)
async def confirm(desk: NamedDependency[Desk]) -> Response[Any]:
    """It is: go back to where it began, where it is finished."""
    await desk.require_proof()
    posted = await desk.posted()
    came_from = posted.text("came_from")
    token = await answer(desk, came_from, posted.text("t"))
    return _going(desk, came_from, _address(desk, came_from, "finish", token))


@get(f"{BASE}/finish", include_in_schema=False)
async def finish_page(
    desk: NamedDependency[Desk], came_from: FromQuery[str] = "", t: FromQuery[str] = ""
) -> Response[str]:
    """Back where it began: the last press."""
    _ = desk.viewer
    return _confirm(desk, came_from, t, "finish", "Link both accounts")


@post(f"{BASE}/finish", include_in_schema=False)
async def finish_link(desk: NamedDependency[Desk]) -> Response[Any]:
    """Link both."""
    _ = desk.viewer
    posted = await desk.posted()
    await finish(desk, posted.text("came_from"), posted.text("t"))
    return go(BASE)


@post(f"{BASE}/unlink/{{authority:str}}", include_in_schema=False)
async def unlink_there(desk: NamedDependency[Desk], authority: FromPath[str]) -> Response[Any]:
    """They are no longer to be linked."""

    async def work(_here: Transaction, _form: Nothing) -> None:
        await unlink(desk, authority)

    return await take_here(desk, Nothing, work, BASE)


HANDLERS = [
    elsewhere_page,
    go_there,
    come_in_page,
    come_in_here,
    link,
    confirm_page,
    confirm,
    finish_page,
    finish_link,
    unlink_there,
]
