"""Letting somebody in, whatever way they came: one place makes sessions and cookies."""

import re
import secrets
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from litestar import Request, Response
from litestar.datastructures import Cookie
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.desk import FAMILY_HOME, Desk, Posted, go, sent_fields
from panel.accounts.noted import note
from panel.accounts.people_joining import invitation_taken
from panel.platform.audit import Kind
from panel.platform.entries import leave
from panel.platform.problems import NotAllowed, Problem
from panel.platform.sessions import Way, end, forgery_token, start
from panel.web.render import FORGERY_FIELD

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)
_PATH = re.compile(r"/[\w\-./~?=&%+]*", re.ASCII)


def safe_path(given: str | None, otherwise: str = "/") -> str:
    """A path of this site to go to afterwards; `otherwise` for anything else.

    Browsers take `//elsewhere` and `/\\elsewhere` for other sites.
    """
    if not given or not _PATH.fullmatch(given) or given.startswith("//"):
        return otherwise
    parts = urlsplit(given)
    return otherwise if parts.scheme or parts.netloc else given


def path_here(desk: Desk, otherwise: str = "/") -> str:
    """The address that somebody opened, to lead on to once they are in."""
    url = desk.request.url
    return safe_path(f"{url.path}?{url.query}" if url.query else url.path, otherwise)


def wait_words(problem: Problem) -> str:
    """What whoever tried too often reads beside the field."""
    return f"{problem.sentence} {problem.what_to_do}"


def home_of(kind: str) -> str:
    """The first page of a kind of viewer."""
    return "/" if kind == "worker" else FAMILY_HOME


def device_words(user_agent: str) -> str:
    """The browser and system that a header names, in words that are ours: "Firefox on Windows"."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    if not browser and "Safari" in user_agent:
        browser = "Safari"
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " on ".join(part for part in (browser, system) if part) or "A browser"


async def let_in(
    desk: Desk,
    session: AsyncSession,
    viewer_id: UUID,
    kind: str,
    way: Way,
    *,
    is_shown: bool = True,
) -> str:
    """Sign somebody in under a new cookie, whose value is returned.

    The entry or session that the browser brought ends: its cookie is nobody's from now on.
    """
    if (brought := desk.token or desk.ended) is not None:
        await leave(session, brought)
        await end(session, brought)
    note(session, Kind.SIGNED_IN, viewer_id, kind=kind, way=way.value)
    if kind == "worker":
        await invitation_taken(session, viewer_id)
    device = device_words(desk.request.headers.get("user-agent", ""))
    return await start(
        session, viewer_id, kind, desk.now, way=way, device=device, is_shown=is_shown
    )


def refuse_from_elsewhere(desk: Desk) -> None:
    """Let no other site sign anybody in. Raises NotAllowed."""
    if desk.is_from_elsewhere:
        raise NotAllowed("This did not come from a page of ours.", "Open the sign-in page here.")


async def posted_on_the_way(desk: Desk) -> Posted:
    """A form of the pages that lead in, from this very browser. Raises NotAllowed.

    Another site has neither the cookie nor the token that is made from it, so that it can sign
    nobody in, not even as somebody else. Signed in or not, the same check.
    """
    refuse_from_elsewhere(desk)
    fields = await sent_fields(desk.request)
    given = next((str(value) for name, value in fields if name == FORGERY_FIELD), "")
    cookie = desk.token or desk.ended
    if cookie is None or not compare_digest(given.encode(), forgery_token(cookie).encode()):
        raise NotAllowed(
            "This page was open too long, or was opened elsewhere.",
            "Go to the sign-in page and begin again.",
        )
    return Posted(uuid4(), [(name, str(value)) for name, value in fields])


def page_on_the_way(
    desk: Desk, template: str, *, status: int = 200, **shown: object
) -> Response[str]:
    """A page that leads in; its forms' token, `form_token`, is bound to this browser's cookie.

    A browser that brings none gets one of ours, which is nobody's: to look makes no row. One that
    brings any keeps it until somebody signs in, so that a form left open is still its writer's.
    """
    cookie = desk.token or desk.ended or secrets.token_urlsafe(32)
    answer = desk.page(template, status=status, form_token=forgery_token(cookie), **shown)
    if cookie not in (desk.token, desk.ended):
        set_cookie(desk.request, answer, cookie)
    return answer


def with_cookie(request: Request[Any, Any, Any], path: str, token: str) -> Response[Any]:
    """Send somebody on with a cookie of our own making, whatever cookie they brought."""
    answer = go(path)
    set_cookie(request, answer, token)
    return answer


def set_cookie(request: Request[Any, Any, Any], answer: Response[Any], token: str) -> None:
    """Give the browser a cookie that no script and no other site reads."""
    answer.set_cookie(
        Cookie(
            key=request.app.state.cookie,
            value=token,
            path="/",
            httponly=True,
            secure=request.app.state.settings.secure_cookies,
            samesite="lax",
        )
    )
