"""How a system asks for a token."""

import httpx
from litestar import Litestar
from litestar.testing import AsyncTestClient

from interop.smart import TYPE
from panel.exchange.tokens import TOKENS

Browser = AsyncTestClient[Litestar]


def request(assertion: str, **more: str | None) -> dict[str, str]:
    """The form that a system sends; None leaves a field out."""
    told = {
        "grant_type": "client_credentials",
        "scope": "system/*.rs",
        "client_assertion_type": TYPE,
        "client_assertion": assertion,
    } | more
    return {name: value for name, value in told.items() if value is not None}


async def ask(client: Browser, assertion: str, **more: str | None) -> httpx.Response:
    """What it is answered."""
    return await client.post(TOKENS, data=request(assertion, **more))
