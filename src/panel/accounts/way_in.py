"""Letting somebody in, whatever way they came: one place makes sessions and cookies."""

import re
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from litestar import Request, Response
from litestar.datastructures import Cookie
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.desk import FAMILY_HOME, Desk, go
from panel.accounts.people_joining import invitation_taken
from panel.platform.entries import leave
from panel.platform.sessions import Way, end, start

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


async def let_in(desk: Desk, session: AsyncSession, viewer_id: UUID, kind: str, way: Way) -> str:
    """Sign somebody in under a new cookie, whose value is returned.

    The entry or session that the browser brought ends: its cookie is nobody's from now on.
    """
    if (brought := desk.token or desk.ended) is not None:
        await leave(session, brought)
        await end(session, brought)
    if kind == "worker":
        await invitation_taken(session, viewer_id)
    device = device_words(desk.request.headers.get("user-agent", ""))
    return await start(session, viewer_id, kind, desk.now, way=way, device=device)


def with_cookie(request: Request[Any, Any, Any], path: str, token: str) -> Response[Any]:
    """Send somebody on with a cookie of our own making, whatever cookie they brought."""
    answer = go(path)
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
    return answer
