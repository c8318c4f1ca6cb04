"""A client of FHIR R4 servers, of Panel's above all, for services that are written in Python.

    keys = (SigningKey.from_jwk(private_jwk),)
    async with FhirClient(base, Credentials("gp-records", keys, ("system/*.rs",))) as fhir:
        async for one in fhir.search("CarePlan", {"patient": child}):
            print(one.reference, one.content["status"])

It is asynchronous alone; a service that is not runs a whole exchange with `asyncio.run`. Searches
are posted, so that what is looked for stands in no address. Time limits, trying again and tokens
are `client_sending` and `client_tokens`; what is answered and every error `client_answers`. It
neither logs nor repeats in an error what was sent or answered.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

import httpx

from interop.bundle import etag
from interop.client_answers import (
    Json,
    NotTaken,
    NotUnderstood,
    Page,
    Problem,
    Resource,
    Version,
    Waits,
    Written,
    answers_of,
    named_in,
    page_of,
    problems_of,
    resource_of,
    version_of,
    versions_of,
)
from interop.client_export import Export, started
from interop.client_sending import FORM, Again, Answer, Asked, Sender, Sleep
from interop.client_tokens import Clock, Credentials, SigningKey, Tokens
from interop.outgoing import encode
from interop.served import MEDIA_TYPE

Query = Mapping[str, str | Sequence[str]]
"""Search parameters; a list asks for each of its values (AND)."""
Sent = Json | Resource | bytes
"""A resource to send: plain values, one that was read, or its JSON."""
MOST_PAGES = 10_000


class FhirClient:
    """One client of one server. Use it in `async with`, or call `close`."""

    def __init__(
        self,
        base: str,
        credentials: Credentials | None = None,
        *,
        http: httpx.AsyncClient | None = None,
        again: Again | None = None,
        now: Clock | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Send nothing yet.

        Args: `base` is the server's address ("https://panel.example/fhir/R4"); without credentials
        nothing is shown to it. `http` is for whoever needs a proxy or certificates of their own,
        and is theirs to close.
        """
        self._http, self._is_own = http or httpx.AsyncClient(), http is None
        tokens = None
        if credentials is not None:
            tokens = Tokens(credentials) if now is None else Tokens(credentials, now)
        self._sender = Sender(self._http, base, tokens, again or Again(), sleep)
        self.base = self._sender.base

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections."""
        if self._is_own:
            await self._http.aclose()

    def use_keys(self, keys: Sequence[SigningKey]) -> None:
        """Sign with other keys from now on, the first of them by preference."""
        if self._sender.tokens is not None:
            self._sender.tokens.use_keys(keys)

    # --- Reading ----------------------------------------------------------------------------------

    async def capabilities(self) -> Resource:
        """What the server says that it can do (CapabilityStatement)."""
        return resource_of((await self._get("metadata")).body)

    async def read(self, type_: str, id_: str) -> Resource:
        """A resource as it is now. Raises NotThere also for what may not be told."""
        return resource_of((await self._get(f"{type_}/{id_}")).body)

    async def read_unless(self, type_: str, id_: str, version: str) -> Resource | None:
        """As `read`; None while it is still the version that was read before."""
        answer = await self._get(f"{type_}/{id_}", {"If-None-Match": etag(version)}, takes=(304,))
        return None if answer.status == 304 else resource_of(answer.body)

    async def vread(self, type_: str, id_: str, version: str) -> Resource:
        """A resource as it was in a version."""
        return resource_of((await self._get(f"{type_}/{id_}/_history/{version}")).body)

    async def history(self, type_: str, id_: str) -> AsyncIterator[Version]:
        """What a resource is and was, the newest first."""
        address: str | None = f"{self.base}/{type_}/{id_}/_history"
        for _ in range(MOST_PAGES):
            if address is None:
                return
            answer = await self._sender.send(Asked("GET", address, changes=False))
            versions, following = versions_of(answer.body)
            for one in versions:
                yield one
            address = None if following is None else self._sender.within(following)

    async def search(self, type_: str, query: Query | None = None) -> AsyncIterator[Resource]:
        """Every resource that matches, page after page; what is included is in `pages`."""
        async for page in self.pages(type_, query):
            for one in page.matches:
                yield one

    async def pages(self, type_: str, query: Query | None = None) -> AsyncIterator[Page]:
        """The pages of a search, with their totals, what was included, and what is said of them."""
        page = await self._page(f"{type_}/_search", urlencode(query or {}, doseq=True))
        for _ in range(MOST_PAGES):
            yield page
            if page.next is None:
                return
            page = await self._following(type_, page.next)

    async def everything(self, patient: str) -> AsyncIterator[Resource]:
        """All that may be told of a child, the Patient first, with what it refers to."""
        page = page_of((await self._get(f"Patient/{patient}/$everything")).body)
        for _ in range(MOST_PAGES):
            for one in (*page.matches, *page.included):
                yield one
            if page.next is None:
                return
            address = self._sender.within(page.next)
            page = page_of((await self._sender.send(Asked("GET", address, changes=False))).body)

    # --- Writing ----------------------------------------------------------------------------------

    async def create(self, resource: Sent, *, unless: Query | None = None) -> Written:
        """Send a new resource.

        Args: with `unless` it is made only where nothing matches that search; where one does,
        that one is meant (status 200). Raises Changed where several match.
        """
        body = bytes_of(resource)
        more = {} if unless is None else {"If-None-Exist": urlencode(unless, doseq=True)}
        answer = await self._send("POST", resource_of(body).type, body, more)
        return _written(answer)

    async def update(self, resource: Sent, version: str) -> Written:
        """Send another state of a resource that was read in a version.

        Raises Changed where it is another version by now: read it again, and decide anew.
        """
        body = bytes_of(resource)
        head = resource_of(body)
        more = {"If-Match": etag(version)}
        answer = await self._send("PUT", head.reference, body, more)
        return _written(answer)

    async def transaction(self, bundle: Sent) -> list[Written]:
        """Send a transaction, of which all is done or nothing, or a batch, of which each may be.

        Raises Waits where it is kept until a person has decided whom it is about.
        """
        answer = await self._send("POST", "", bytes_of(bundle), {})
        if answer.status == 202:
            raise Waits(answer.status, problems_of(answer.body))
        return answers_of(answer.body)

    async def hand_in(self, bundle: Sent) -> Written:
        """Send a document, message or collection: its status is 202, and people look at it."""
        return _written(await self._send("POST", "", bytes_of(bundle), {}))

    async def operation(self, path: str, body: bytes) -> bytes:
        """Ask for an operation ("$hand-over"): the bytes of its answer.

        Not sent again by itself: whoever asks knows whether the same twice is the same.
        """
        return (await self._send("POST", path, body, {})).body

    async def asked(self, path: str) -> bytes:
        """The bytes of what stands at a path of the server; sent again where that helps."""
        return (await self._get(path)).body

    async def validate(self, resource: Sent, profile: str | None = None) -> tuple[Problem, ...]:
        """What the server would say of a resource; nothing is kept of it there."""
        body = bytes_of(resource)
        query = "" if profile is None else f"?{urlencode({'profile': profile})}"
        path = f"{resource_of(body).type}/$validate{query}"
        try:
            answer = await self._send("POST", path, body, {}, changes=False)
        except NotTaken as refused:
            return refused.problems
        return problems_of(answer.body)

    # --- Many at once -----------------------------------------------------------------------------

    async def export(
        self,
        *,
        group: str | None = None,
        types: Iterable[str] = (),
        since: str | None = None,
    ) -> Export:
        """Let the server prepare everything that the client may be told, as files.

        Args: `since` is an instant ("2026-11-23T09:30:00Z").
        """
        path = "Patient/$export" if group is None else f"Group/{group}/$export"
        query: dict[str, str] = {"_outputFormat": "application/fhir+ndjson"}
        if kinds := ",".join(types):
            query["_type"] = kinds
        if since is not None:
            query["_since"] = since
        asked = Asked(
            "GET",
            f"{self.base}/{path}?{urlencode(query)}",
            {"Prefer": "respond-async"},
            # Begun twice, it would be prepared twice.
            changes=True,
        )
        return started(self._sender, await self._sender.send(asked))

    # --- Sending ----------------------------------------------------------------------------------

    async def _get(
        self, path: str, headers: Mapping[str, str] | None = None, takes: tuple[int, ...] = ()
    ) -> Answer:
        return await self._sender.send(
            Asked("GET", f"{self.base}/{path}", headers or {}, changes=False, takes=takes)
        )

    async def _send(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        changes: bool = True,
    ) -> Answer:
        address = f"{self.base}/{path}" if path else self.base
        kind = {"Content-Type": MEDIA_TYPE}
        return await self._sender.send(
            Asked(method, address, kind | dict(headers), body, changes=changes)
        )

    async def _page(self, path: str, query: str) -> Page:
        answer = await self._sender.send(
            Asked(
                "POST",
                f"{self.base}/{path}",
                {"Content-Type": FORM},
                query.encode(),
                changes=False,
            )
        )
        return page_of(answer.body)

    async def _following(self, type_: str, address: str) -> Page:
        """The page at an address; posted too where it is a search of the same type."""
        full = self._sender.within(address)
        parts = urlsplit(full)
        if full.partition("?")[0] in (f"{self.base}/{type_}", f"{self.base}/{type_}/_search"):
            return await self._page(f"{type_}/_search", parts.query)
        return page_of((await self._sender.send(Asked("GET", full, changes=False))).body)


def bytes_of(resource: Sent) -> bytes:
    """The JSON to send; what was read or is JSON already goes as it is."""
    if isinstance(resource, Resource):
        return resource.body
    return resource if isinstance(resource, bytes) else encode(resource)


def _written(answer: Answer) -> Written:
    type_, id_, version = named_in(answer.headers.get("location", ""))
    resource = _told(answer.body)
    return Written(
        status=answer.status,
        type=type_ or (resource.type if resource else ""),
        id=id_ or (resource.id if resource else ""),
        version=version_of(answer.headers.get("etag", "")) or version,
        resource=resource,
        problems=problems_of(answer.body),
    )


def _told(body: bytes) -> Resource | None:
    if not body:
        return None
    try:
        read = resource_of(body)
    except NotUnderstood:
        return None
    return None if read.type == "OperationOutcome" else read


__all__ = [
    "Again",
    "Credentials",
    "FhirClient",
    "SigningKey",
]
