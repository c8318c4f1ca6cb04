"""How a client sends a request and takes the answer in: token, time limits, trying again, size.

Only what changes nothing is sent again by itself: a write whose answer was lost may have been done,
and whoever sent it has to ask. No address and no body is logged: they can tell of children.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urljoin

import httpx
import msgspec

from interop.client_answers import (
    FhirError,
    NotLetIn,
    NotReached,
    NotUnderstood,
    TooMuch,
    error_of,
    problems_of,
)
from interop.client_tokens import Given, Tokens, given_or_refused
from interop.served import MEDIA_TYPE

ANNOUNCED = "/.well-known/smart-configuration"
FORM = "application/x-www-form-urlencoded"
TIMES = httpx.Timeout(30.0, connect=5.0)
"""Seconds for each part of an exchange."""
LARGEST = 64 * 2**20
"""Bytes of an answer that is read into memory."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Again:
    """How often what changes nothing is sent again, and when."""

    times: int = 4
    first: float = 0.5
    """Seconds to wait at most before the second time; doubled each time after."""
    longest: float = 60.0
    """Seconds. Where the server asks for more, its error is raised at once, with what it asks."""

    def wait(self, tried: int, asked: float | None) -> float | None:
        """Seconds before the next time; None where it is not sent again."""
        if tried > self.times or (asked is not None and asked > self.longest):
            return None
        usual = min(self.longest, self.first * 2 ** (tried - 1))
        # By chance, so that many who were refused together do not come back together.
        return asked if asked is not None else usual * (0.5 + secrets.randbelow(500) / 1000)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no error."""

    status: int
    headers: httpx.Headers
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as often as it is sent."""

    method: str
    address: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)
    changes: bool = True
    """Whether something may be other after it."""
    takes: tuple[int, ...] = ()
    """Statuses beside 2xx that are no errors here."""


class _Smart(msgspec.Struct):
    token_endpoint: str


class Sender:
    """Sends requests of one client to one server."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        base: str,
        tokens: Tokens | None,
        again: Again,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.http, self.base, self.tokens = http, base.rstrip("/"), tokens
        self.again, self.sleep = again, sleep
        self._token_address = tokens.credentials.token_address if tokens else None
        for name in ("httpx", "httpcore"):
            # Both write whole addresses, in which there can be an NHS number.
            logger = logging.getLogger(name)
            logger.setLevel(max(logging.WARNING, logger.level))

    async def send(self, asked: Asked) -> Answer:
        """The answer. Raises FhirError, NotReached, NotUnderstood."""
        tried, is_new_token = 0, False
        while True:
            tried += 1
            token = await self._token()
            try:
                answer = await self._once(asked, token)
            except NotReached:
                wait = None if asked.changes else self.again.wait(tried, None)
                if wait is None:
                    raise
            else:
                if answer.status < 300 or answer.status in asked.takes:
                    return answer
                if answer.status == 401 and token and self.tokens and not is_new_token:
                    # It was not looked at, so this is safe for a write as well.
                    self.tokens.forget(token)
                    is_new_token, tried = True, tried - 1
                    continue
                error = _error(answer)
                wait = self._wait_after(asked, error, tried)
                if wait is None:
                    raise error
            await self.sleep(wait)

    def _wait_after(self, asked: Asked, error: FhirError, tried: int) -> float | None:
        if asked.changes or not isinstance(error, TooMuch):
            return None
        return self.again.wait(tried, error.wait)

    @asynccontextmanager
    async def stream(self, asked: Asked) -> AsyncIterator[AsyncIterator[bytes]]:
        """The answer's bytes as they come, for what is too large for memory. Not sent again."""
        token = await self._token() if self.is_here(asked.address) else ""
        async with self._answered(asked, token) as response:
            if response.status_code >= 300:
                raise _error(await _whole(response))
            yield _parts(response)

    def within(self, address: str) -> str:
        """An address that a server told, as far as it is this server's. Raises NotUnderstood."""
        # As it would be sent: its dots are resolved, or stand in `path` where they were escaped.
        url = _url(urljoin(f"{self.base}/", address))
        full = str(url)
        is_below = full == self.base or full.startswith((f"{self.base}/", f"{self.base}?"))
        if not is_below or {".", ".."} & {*url.path.split("/")}:
            # The token would go with it.
            raise NotUnderstood("an address of another server")
        return full

    def is_here(self, address: str) -> bool:
        """Whether an address is the server's, so that the token may be shown there."""
        ours, other = _url(self.base), _url(address)
        return (ours.scheme, ours.host, ours.port) == (other.scheme, other.host, other.port)

    async def _once(self, asked: Asked, token: str) -> Answer:
        async with self._answered(asked, token) as response:
            return await _whole(response)

    @asynccontextmanager
    async def _answered(self, asked: Asked, token: str) -> AsyncIterator[httpx.Response]:
        headers = {"Accept": MEDIA_TYPE, **asked.headers}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            async with self.http.stream(
                asked.method,
                _url(asked.address),
                headers=headers,
                content=asked.content,
                timeout=TIMES,
                follow_redirects=False,
            ) as response:
                yield response
        except httpx.HTTPError as error:
            # Its words and its request tell the address.
            raise NotReached(type(error).__name__) from None

    async def _token(self) -> str:
        if self.tokens is None:
            return ""
        if self._token_address is None:
            self._token_address = await self._announced()
        return await self.tokens.token(self._post, self._token_address)

    async def _announced(self) -> str:
        asked = Asked("GET", f"{self.base}{ANNOUNCED}", {"Accept": "application/json"})
        answer = await self._without_token(asked)
        if answer.status != 200:
            raise _error(answer)
        try:
            return msgspec.json.decode(answer.body, type=_Smart).token_endpoint
        except msgspec.DecodeError:
            raise NotUnderstood("no smart-configuration") from None

    async def _post(self, address: str, form: Mapping[str, str]) -> Given | NotLetIn:
        headers = {"Content-Type": FORM, "Accept": "application/json"}
        asked = Asked("POST", address, headers, urlencode(form).encode())
        answer = await self._without_token(asked)
        if answer.status in (429, 503):
            raise _error(answer)
        return given_or_refused(answer.status, answer.body)

    async def _without_token(self, asked: Asked) -> Answer:
        return await self._once(asked, "")


def _url(address: str) -> httpx.URL:
    try:
        return httpx.URL(address)
    except httpx.InvalidURL:
        raise NotUnderstood("no address") from None


async def _whole(response: httpx.Response) -> Answer:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > LARGEST:
            raise NotUnderstood("an answer that is too large")
    return Answer(response.status_code, response.headers, bytes(body))


async def _parts(response: httpx.Response) -> AsyncIterator[bytes]:
    async for part in response.aiter_bytes():
        yield part


def _error(answer: Answer) -> FhirError:
    return error_of(answer.status, problems_of(answer.body), seconds_to_wait(answer.headers))


def seconds_to_wait(headers: httpx.Headers) -> float | None:
    """What Retry-After says: seconds, or until a moment by the server's own clock (Date)."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    until, now = _moment(said), _moment(headers.get("date", ""))
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else None
