"""FHIR R4 over HTTP: reading. What is served is `interop.served`, and nothing beside it.

Every answer is JSON; XML is refused with 406. Whatever goes wrong is an OperationOutcome, and what
is withheld is answered as what is not there.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version as release
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from interop import capability
from interop.bundle import Past, etag, history, searchset
from interop.outcome import Code, Issue, Refused, not_found, outcome, status_of
from interop.search import OfPatient, pairs_of, parse
from interop.search_values import as_uuid
from interop.served import MEDIA_TYPE, SERVED, Interaction
from panel.accounts.desk import FOR_ANYBODY, PRIVATE, Desk
from panel.accounts.providers import base_of as site_address
from panel.exchange import reading, searching
from panel.exchange.entering import Client, client_of
from panel.exchange.resources import Told
from panel.exchange.searching_sent import NotSearched
from panel.exchange.tokens import token_address
from panel.platform.problems import Problem

BASE = "/fhir/R4"
FORM = "application/x-www-form-urlencoded"
LARGEST_FORM = 64 * 1024
"""Bytes of a search that is posted."""

AnyRequest = Request[Any, Any, Any]
Answer = Response[bytes]


class NotDone(Exception):
    """What was asked is not done; the issues say why."""

    def __init__(self, *issues: Issue, status: int | None = None) -> None:
        super().__init__(issues[0].text)
        self.issues = issues
        self.status = status_of(issues) if status is None else status

    def answer(self) -> Answer:
        """As an OperationOutcome."""
        return said(outcome(self.issues), self.status)


def said(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """JSON, kept by nobody on the way."""
    return Response(
        content if isinstance(content, bytes) else msgspec.json.encode(content),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=PRIVATE | (headers or {}),
    )


_CODES: Mapping[int, Code] = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    409: "conflict",
    413: "too-long",
    429: "throttled",
}


def outcome_of(problem: Problem) -> Answer:
    """Any other problem as an OperationOutcome: in its own words, with its own status."""
    server = problem.status >= 500
    code = _CODES.get(problem.status, "exception" if server else "not-supported")
    return said(outcome([Issue(code, problem.sentence)]), problem.status)


def _refused(_request: AnyRequest, refused: NotDone) -> Answer:
    return refused.answer()


REFUSED: dict[type[Exception] | int, Any] = {NotDone: _refused}


def base_of(desk: Desk) -> str:
    """This server's address, as it is known outside."""
    return f"{site_address(desk.tenant.record, desk.site.url)}{BASE}"


_JSON = frozenset({MEDIA_TYPE, "application/json", "text/json", "json", "*/*", "application/*"})


def require_json(request: AnyRequest) -> None:
    """Raise NotDone (406) where the reader takes no JSON."""
    asked = [value for name, value in request.query_params.multi_items() if name == "_format"]
    asked += request.headers.get("accept", "*/*").split(",")[: 20 if not asked else 0]
    kinds = {one.partition(";")[0].strip().lower().replace(" ", "+") for one in asked}
    if kinds and not kinds & _JSON:
        raise NotDone(
            Issue("not-supported", "The answer is always JSON: application/fhir+json."), status=406
        )


def _resource_type(name: str, interaction: Interaction) -> str:
    row = SERVED.get(name)
    if row is None or not row.allows(interaction):
        raise NotDone(
            Issue("not-supported", "There are no resources of this type here."), status=404
        )
    return name


def _row(text: str) -> UUID:
    found = as_uuid(text)
    if found is None:
        raise NotDone(not_found())
    return found


def resource_answer(found: Told) -> Answer:
    """One resource, with its version and when it became so."""
    headers = {"ETag": etag(found.stamped.version)}
    if found.changed_at is not None:
        headers["Last-Modified"] = found.changed_at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return said(found.stamped.body, headers=headers)


def _not_changed(request: AnyRequest, found: Told) -> bool:
    brought = request.headers.get("if-none-match", "")
    return etag(found.stamped.version) in {one.strip() for one in brought.split(",")}


@get(f"{BASE}/metadata", include_in_schema=False, opt=FOR_ANYBODY, exception_handlers=REFUSED)
async def metadata(desk: NamedDependency[Desk], request: AnyRequest) -> Answer:
    """What this server does (CapabilityStatement): anybody may read it."""
    require_json(request)
    return said(
        capability.statement(
            base_of(desk),
            token_url=token_address(desk),
            at=desk.now,
            version=release("panel"),
        )
    )


@get(
    f"{BASE}/{{resource:str}}/{{row:str}}",
    include_in_schema=False,
    opt=FOR_ANYBODY,
    exception_handlers=REFUSED,
)
async def read(
    desk: NamedDependency[Desk], request: AnyRequest, resource: FromPath[str], row: FromPath[str]
) -> Answer:
    """One resource."""
    require_json(request)
    client = await client_of(desk)
    _resource_type(resource, Interaction.READ)
    client.require(resource, "r")
    async with desk.tenant.transaction(client.viewer.id) as session:
        found = await reading.read(desk.site.gate, session, client, resource, _row(row))
    if found is None:
        raise NotDone(not_found())
    if _not_changed(request, found):
        return Response(
            b"", status_code=304, headers=PRIVATE | {"ETag": etag(found.stamped.version)}
        )
    return resource_answer(found)


async def _versions(
    desk: Desk, request: AnyRequest, resource: str, row: str, interaction: Interaction
) -> Sequence[Told]:
    require_json(request)
    client = await client_of(desk)
    _resource_type(resource, interaction)
    client.require(resource, "r")
    async with desk.tenant.transaction(client.viewer.id) as session:
        found = await reading.versions(desk.site.gate, session, client, resource, _row(row))
    if not found:
        raise NotDone(not_found())
    return found


@get(
    f"{BASE}/{{resource:str}}/{{row:str}}/_history/{{version:str}}",
    include_in_schema=False,
    opt=FOR_ANYBODY,
    exception_handlers=REFUSED,
)
async def vread(
    desk: NamedDependency[Desk],
    request: AnyRequest,
    resource: FromPath[str],
    row: FromPath[str],
    version: FromPath[str],
) -> Answer:
    """One version of a resource."""
    found = await _versions(desk, request, resource, row, Interaction.VREAD)
    one = next((each for each in found if each.stamped.version == version), None)
    if one is None:
        raise NotDone(not_found())
    return resource_answer(one)


@get(
    f"{BASE}/{{resource:str}}/{{row:str}}/_history",
    include_in_schema=False,
    opt=FOR_ANYBODY,
    exception_handlers=REFUSED,
)
async def resource_history(
    desk: NamedDependency[Desk], request: AnyRequest, resource: FromPath[str], row: FromPath[str]
) -> Answer:
    """What a resource was, newest first."""
    found = await _versions(desk, request, resource, row, Interaction.HISTORY)
    base = base_of(desk)
    last = len(found) - 1
    past = [
        Past(
            resource,
            one.id,
            "create" if at == last else "update",
            one.stamped.version,
            one.changed_at or desk.now,
            msgspec.Raw(one.stamped.body),
        )
        for at, one in enumerate(found)
    ]
    return said(history(past, base, self_link=f"{base}/{resource}/{row}/_history", total=len(past)))


async def _search(desk: Desk, request: AnyRequest, resource: str, query: str) -> Answer:
    require_json(request)
    client = await client_of(desk)
    _resource_type(resource, Interaction.SEARCH)
    client.require(resource, "s")
    base = base_of(desk)
    pairs = pairs_of(query)
    if pairs is None:
        raise NotDone(Issue("invalid", "The search cannot be read."))
    asked = parse(resource, pairs, base)
    if isinstance(asked, Refused):
        raise NotDone(*asked.issues)
    if any(isinstance(one, OfPatient) for one in asked.criteria):
        # A chain is a search of what it goes through.
        client.require("Patient", "s")
    for include in (*asked.includes, *asked.revincludes):
        for kind in include.param.targets if include in asked.includes else (include.type,):
            if include.target in (None, kind):
                client.require(kind, "r")
    try:
        async with desk.tenant.transaction(client.viewer.id) as session:
            found = await searching.run(desk.site.gate, session, client, asked)
    except NotSearched as refused:
        raise NotDone(refused.issue) from refused
    shown = [one.shown() for one in found.matches]
    shown += [one.shown("include") for one in found.included]
    return said(
        searchset(
            shown,
            base,
            self_link=asked.link(base),
            next_link=asked.link(base, found.cursor) if found.cursor else None,
            total=found.total,
        )
    )


@get(
    f"{BASE}/{{resource:str}}", include_in_schema=False, opt=FOR_ANYBODY, exception_handlers=REFUSED
)
async def search(
    desk: NamedDependency[Desk], request: AnyRequest, resource: FromPath[str]
) -> Answer:
    """Resources of a type that match."""
    return await _search(desk, request, resource, request.url.query)


@post(
    f"{BASE}/{{resource:str}}/_search",
    include_in_schema=False,
    opt=FOR_ANYBODY,
    exception_handlers=REFUSED,
    status_code=200,
)
async def search_by_form(
    desk: NamedDependency[Desk], request: AnyRequest, resource: FromPath[str]
) -> Answer:
    """The same, with what is asked out of the address and so out of every log of addresses."""
    return await _search(desk, request, resource, await form_of(request))


async def form_of(request: AnyRequest) -> str:
    """What a search asks in its address and its form. Raises NotDone."""
    body = await request.body()
    if len(body) > LARGEST_FORM:
        raise NotDone(Issue("too-long", "The search is too long."))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != FORM:
        raise NotDone(Issue("not-supported", f"Send a search as {FORM}."), status=415)
    if not body.isascii():
        raise NotDone(Issue("invalid", "The search cannot be read."))
    return "&".join(part for part in (request.url.query, body.decode("ascii")) if part)


@get(
    f"{BASE}/{{resource:str}}/{{row:str}}/$everything",
    include_in_schema=False,
    opt=FOR_ANYBODY,
    exception_handlers=REFUSED,
)
async def patient_everything(
    desk: NamedDependency[Desk], request: AnyRequest, resource: FromPath[str], row: FromPath[str]
) -> Answer:
    """All that may be told of a child."""
    require_json(request)
    client = await client_of(desk)
    if resource != "Patient":
        raise NotDone(Issue("not-supported", "Only a Patient has this operation."), status=404)
    client.require(resource, "r")
    found = await _whole(desk, client, _row(row))
    base = base_of(desk)
    return said(
        searchset(
            [one.shown() for one in found],
            base,
            self_link=f"{base}/Patient/{row}/$everything",
            total=len(found),
        )
    )


async def _whole(desk: Desk, client: Client, child: UUID) -> Sequence[Told]:
    async with desk.tenant.transaction(client.viewer.id) as session:
        found = await reading.everything(desk.site.gate, session, client, child)
    if not found:
        raise NotDone(not_found())
    return found


HANDLERS = [
    metadata,
    read,
    vread,
    resource_history,
    search,
    search_by_form,
    patient_everything,
]
