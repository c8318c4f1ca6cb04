"""OpenID Connect over the network: asked within limits, and what is published kept for a while.

Nothing is followed elsewhere, nothing large is read, and nobody but the configured hosts is asked.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote_plus

import httpx

from interop.signed import Key, NotBelieved, read_keys
from interop.signed import Published as PublishedKey
from panel.platform.openid import (
    Client,
    Metadata,
    NotReached,
    discovery_address,
    host_of,
    is_loopback,
    is_safe,
    read_metadata,
)
from panel.platform.openid_tokens import Named, key_for

TIMEOUT = httpx.Timeout(5.0)
WHOLE = 10.0
"""Seconds that an answer may take from the first byte asked to the last one read."""
LARGEST = 256 * 1024
"""Bytes of an answer."""
KEPT_FOR = timedelta(hours=1)
ASKED_EVERY = timedelta(minutes=1)
"""How often the keys are asked for once more because a token names one that is not known."""


async def ask(
    client: Client,
    method: str,
    address: str,
    *,
    form: Mapping[str, str] | None = None,
    secret: tuple[str, str] | None = None,
    bearer: str = "",
) -> tuple[int, bytes]:
    """One request to the provider: the status and what it answered. Raises NotReached."""
    if not is_safe(address) or host_of(address) not in client.hosts:
        raise NotReached(f"{host_of(address) or 'This'} is not a host of this provider.")
    # Packed, a small answer could become a large one.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if bearer:
        headers["Authorization"] = f"Bearer {bearer}"
    # Written as in a form before they are joined (RFC 6749, 2.3.1).
    auth = httpx.BasicAuth(*map(quote_plus, secret)) if secret else None
    try:
        async with (
            asyncio.timeout(WHOLE),
            httpx.AsyncClient(
                timeout=TIMEOUT, follow_redirects=False, trust_env=not is_loopback(address)
            ) as http,
            http.stream(method, address, data=form, headers=headers, auth=auth) as answer,
        ):
            return answer.status_code, await _limited(answer)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise NotReached(f"{host_of(address)} did not answer ({type(error).__name__}).") from error


async def _limited(answer: httpx.Response) -> bytes:
    content = b""
    async for part in answer.aiter_raw():
        content += part
        if len(content) > LARGEST:
            raise NotReached("It answered with more than is read.")
    return content


async def _published(client: Client, address: str) -> bytes:
    status, content = await ask(client, "GET", address)
    if status != httpx.codes.OK:
        raise NotReached(f"{address} answered with {status}.")
    return content


@dataclass(slots=True)
class KeySet:
    """The keys that are published at one address, kept for a while."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    keys: Sequence[PublishedKey] = ()
    keys_at: datetime | None = None

    async def key(
        self,
        client: Client,
        address: str,
        found_in: Callable[[Sequence[PublishedKey]], Key | None],
        now: datetime,
    ) -> Key:
        """The key that `found_in` finds among them. Raises NotBelieved, NotReached.

        One that is not known may be new: the set is asked for again, at most once a minute,
        whatever strangers send.
        """
        async with self.lock:
            if not _is_fresh(self.keys_at, now, KEPT_FOR):
                await self._ask(client, address, now)
            found = found_in(self.keys)
            if found is None and not _is_fresh(self.keys_at, now, ASKED_EVERY):
                await self._ask(client, address, now)
                found = found_in(self.keys)
        if found is None:
            raise NotBelieved("key")
        return found

    async def _ask(self, client: Client, address: str, now: datetime) -> None:
        # Noted before it is asked, so that whoever does not answer is not asked by all.
        self.keys_at = now
        self.keys = read_keys(await _published(client, address))


@dataclass(slots=True)
class _Known:
    """What one provider published."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    metadata: Metadata | None = None
    metadata_at: datetime | None = None
    failed: str = ""
    failed_at: datetime | None = None
    keys: KeySet = field(default_factory=KeySet)


@dataclass(slots=True)
class Published:
    """What providers and clients published, kept in this process: their addresses and keys."""

    _known: dict[Client, _Known] = field(default_factory=dict)
    _sets: dict[str, KeySet] = field(default_factory=dict)

    async def metadata(self, client: Client, now: datetime) -> Metadata:
        """What a provider announces. Raises NotReached, which is kept for a minute."""
        known = self._of(client)
        async with known.lock:
            if known.metadata is not None and _is_fresh(known.metadata_at, now, KEPT_FOR):
                return known.metadata
            if known.failed and _is_fresh(known.failed_at, now, ASKED_EVERY):
                raise NotReached(known.failed)
            try:
                document = await _published(client, discovery_address(client.issuer))
                known.metadata = read_metadata(client, document)
            except NotReached as error:
                known.failed, known.failed_at = str(error), now
                raise
            known.metadata_at, known.failed = now, ""
            return known.metadata

    async def key(self, client: Client, named: Named, now: datetime) -> Key:
        """The key that a token names. Raises NotBelieved, NotReached."""
        metadata = await self.metadata(client, now)
        keys = self._of(client).keys
        return await keys.key(client, metadata.jwks_uri, partial(key_for, named), now)

    async def key_at(
        self, address: str, found_in: Callable[[Sequence[PublishedKey]], Key | None], now: datetime
    ) -> Key:
        """The key that `found_in` finds among those at an address that somebody registered.

        Raises NotBelieved, NotReached.
        """
        host = Client(address, "", frozenset({host_of(address)}), frozenset())
        return await self._sets.setdefault(address, KeySet()).key(host, address, found_in, now)

    def _of(self, client: Client) -> _Known:
        return self._known.setdefault(client, _Known())


def _is_fresh(at: datetime | None, now: datetime, lasts: timedelta) -> bool:
    return at is not None and now - at < lasts
