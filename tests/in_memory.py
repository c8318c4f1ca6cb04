"""A browser's way to a site in the same process: no port, no wire."""

from collections.abc import MutableMapping
from typing import Any, cast

import httpx
from litestar import Litestar
from litestar.types import Scope


def way_to(app: Litestar, address: str = "127.0.0.1") -> httpx.ASGITransport:
    """What takes requests to the site, as from this address."""

    async def asked(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        await app(cast("Scope", scope), receive, send)

    return httpx.ASGITransport(app=asked, client=(address, 50_000))
