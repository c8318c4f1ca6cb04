"""Sending to addresses that somebody else gave us, without being led into a network of our own.

Only https is spoken, and only to public addresses: the name is looked up once, every address that
it has must be public, and the connection goes to the very one that was looked at, so that a name
that points elsewhere a moment later changes nothing. Nothing is followed, no proxy of the
environment is used, no more of an answer is read than is needed.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

from panel.platform.openid import host_of, is_loopback, is_safe

TIMEOUT = httpx.Timeout(5.0)
WHOLE = 10.0
"""Seconds that sending may take from the first byte to the answer's status."""
LONGEST_ADDRESS = 1_000
"""Characters."""

_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
LookUp = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses that a host has, for a port."""


class NotReached(Exception):
    """Nobody took what was sent, in a sentence without its content."""


async def look_up(host: str, port: int) -> Sequence[str]:
    """As the system resolves names. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed. Made once: it takes longer than sending."""
    return httpx.create_ssl_context(trust_env=False)


def is_public(text: str) -> bool:
    """Whether an IP address is one of the Internet: not ours, not this machine's, not reserved."""
    try:
        found: Address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = _within(found)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return found.is_global and not found.is_multicast


def _within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for (RFC 4291, 3056, 4380, 6052)."""
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo


def is_sendable(address: str, *, to_this_machine: bool) -> bool:
    """Whether an address may be sent to as it is written; names are looked up when it is.

    Args: `to_this_machine` is for demonstrations and tests: http to the loopback is then good too.
    """
    if len(address) > LONGEST_ADDRESS or not address.isascii() or not is_safe(address):
        return False
    if is_loopback(address):
        return to_this_machine
    host = host_of(address)
    try:
        ip_address(host)
    except ValueError:
        # A name with a dot that ends in no number: the rest are ways to write this machine.
        last = host.rstrip(".").rpartition(".")
        return bool(last[0]) and not last[2][:1].isdigit()
    return is_public(host)


class PublicOnly(httpx.AsyncBaseTransport):
    """A transport that connects to public addresses alone, whatever it is asked for."""

    def __init__(
        self,
        *,
        to_this_machine: bool = False,
        names: LookUp = look_up,
        through: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Args: see `is_sendable`; how names are looked up; what connects to what was found."""
        self._to_this_machine = to_this_machine
        self._names = names
        # No connection serves twice: two names at one address would share what was shown to one.
        alone = httpx.Limits(max_keepalive_connections=0)
        self._inner = through or httpx.AsyncHTTPTransport(verify=_trusted(), limits=alone)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the address that was looked at. Raises httpx.ConnectError."""
        url = request.url
        if not is_sendable(str(url), to_this_machine=self._to_this_machine):
            raise httpx.UnsupportedProtocol("This is no public https address.", request=request)
        if not is_loopback(str(url)):
            port = url.port or 443
            request.extensions = {**request.extensions, "sni_hostname": url.host}
            request.headers["Host"] = url.netloc.decode("ascii")
            request.url = url.copy_with(host=await self._one_of(url.host, port, request))
        return await self._inner.handle_async_request(request)

    async def _one_of(self, host: str, port: int, request: httpx.Request) -> str:
        try:
            found = await self._names(host, port)
        except OSError as error:
            raise httpx.ConnectError("There is no such host.", request=request) from error
        if not found or not all(is_public(one) for one in found):
            raise httpx.ConnectError("This host is not on a public address.", request=request)
        return found[0]

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._inner.aclose()


@dataclass(frozen=True, slots=True)
class Reaching:
    """How this installation sends to others."""

    to_this_machine: bool = False
    """Whether the loopback may be sent to: only where invented people are served."""
    names: LookUp = look_up

    def client(self) -> httpx.AsyncClient:
        """A client that goes nowhere else."""
        return httpx.AsyncClient(
            transport=PublicOnly(to_this_machine=self.to_this_machine, names=self.names),
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    async def post(self, address: str, content: bytes, headers: Mapping[str, str]) -> int:
        """Send it; the status of the answer, of which nothing else is read. Raises NotReached."""
        try:
            async with (
                asyncio.timeout(WHOLE),
                self.client() as http,
                http.stream("POST", address, content=content, headers=dict(headers)) as answer,
            ):
                return answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError) as error:
            raise NotReached(f"Nobody answered ({type(error).__name__}).") from error
