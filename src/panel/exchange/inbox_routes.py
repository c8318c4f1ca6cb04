"""FHIR R4 over HTTP: writing. What comes is kept before anybody looks at it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

from interop import incoming
from interop.outcome import Issue, not_found, outcome
from interop.search_values import as_uuid
from interop.served import SERVED, Interaction
from panel.accounts.desk import FOR_ANYBODY, PRIVATE, Desk
from panel.exchange.entering import client_of
from panel.exchange.fhir_routes import (
    BASE,
    REFUSED,
    AnyRequest,
    NotDone,
    base_of,
    require_json,
    said,
)
from panel.exchange.inbox_answering import Answered
from panel.exchange.inbox_bundles import write_bundle
from panel.exchange.inbox_models import Received
from panel.exchange.inbox_opening import opened
from panel.exchange.inbox_receiving import Sending
from panel.exchange.inbox_validating import checked
from panel.exchange.inbox_writing import WAITS, Prefer, Write, write_one

Answer = Response[bytes]
LARGEST = incoming.Limits().size
"""Bytes of a body."""
SENT_AS = frozenset({"application/fhir+json", "application/json", "text/json"})
ROUTE: Mapping[str, Any] = {
    "include_in_schema": False,
    "opt": FOR_ANYBODY,
    "exception_handlers": REFUSED,
    "request_max_body_size": LARGEST + 1,
}


async def body_of(request: AnyRequest) -> bytes:
    """What was sent as JSON. Raises NotDone for XML and anything else (406, 415)."""
    require_json(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in SENT_AS:
        is_xml = "xml" in kind
        raise NotDone(
            Issue("not-supported", "Send FHIR as JSON: application/fhir+json."),
            status=406 if is_xml else 415,
        )
    return await request.body()


def _prefer(request: AnyRequest) -> Prefer:
    """What of a resource that was written is to be sent back."""
    asked = request.headers.get("prefer", "").replace(" ", "")
    if "return=minimal" in asked:
        return "minimal"
    return "OperationOutcome" if "return=OperationOutcome" in asked else "representation"


def _answer(answered: Answered) -> Answer:
    body = (answered.body or "").encode()
    return said(body, answered.status, dict(answered.headers))


def _written_type(name: str, interaction: Interaction) -> str:
    row = SERVED.get(name)
    if row is None:
        raise NotDone(
            Issue("not-supported", "There are no resources of this type here."), status=404
        )
    if not row.allows(interaction):
        raise NotDone(Issue("not-supported", "That cannot be done with this type."), status=405)
    return name


@post(BASE, status_code=200, **ROUTE)
async def send_bundle(desk: NamedDependency[Desk], request: AnyRequest) -> Answer:
    """A transaction or batch; or a document, message or collection for the inbox."""
    return await _bundle(desk, request)


async def _bundle(desk: Desk, request: AnyRequest) -> Answer:
    client = await client_of(desk)
    sending = Sending("POST Bundle", "", await body_of(request))
    return _answer(
        await write_bundle(desk.tenant, desk.gate, client, sending, base_of(desk), _prefer(request))
    )


@post(f"{BASE}/{{resource:str}}", status_code=201, **ROUTE)
async def create(
    desk: NamedDependency[Desk], request: AnyRequest, resource: FromPath[str]
) -> Answer:
    """One resource, unless what `If-None-Exist` asks for is here."""
    if resource == "Bundle":
        return await _bundle(desk, request)
    client = await client_of(desk)
    kind = _written_type(resource, Interaction.CREATE)
    client.require(kind, "c")
    condition = request.headers.get("if-none-exist", "").removeprefix("?") or None
    write = Write(kind, kind, if_none_exist=condition)
    sending = Sending(f"POST {kind}", condition or "", await body_of(request))
    return _answer(
        await write_one(
            desk.tenant, desk.gate, client, sending, base_of(desk), write, _prefer(request)
        )
    )


@put(f"{BASE}/{{resource:str}}/{{row:str}}", **ROUTE)
async def update(
    desk: NamedDependency[Desk], request: AnyRequest, resource: FromPath[str], row: FromPath[str]
) -> Answer:
    """One resource anew, from the version that `If-Match` names."""
    client = await client_of(desk)
    kind = _written_type(resource, Interaction.UPDATE)
    client.require(kind, "u")
    write = Write(kind, kind, id=row, if_match=_version(request))
    # The address is kept without its id: it is in the resource, which is sealed.
    sending = Sending(f"PUT {kind}", write.if_match or "", await body_of(request), once=False)
    return _answer(
        await write_one(
            desk.tenant, desk.gate, client, sending, base_of(desk), write, _prefer(request)
        )
    )


def _version(request: AnyRequest) -> str | None:
    brought = request.headers.get("if-match")
    if brought is None:
        return None
    version = brought.strip().removeprefix("W/").strip('"')
    if not version or '"' in version or "," in version:
        raise NotDone(Issue("value", 'A version is written like W/"3".', ("If-Match",)))
    return version


@post(f"{BASE}/{{resource:str}}/$validate", status_code=200, **ROUTE)
async def validate(
    desk: NamedDependency[Desk], request: AnyRequest, resource: FromPath[str]
) -> Answer:
    """Say what would come of a resource, and keep nothing of it."""
    await client_of(desk)
    if resource not in SERVED and resource != "Bundle":
        raise NotDone(not_found())
    return said(outcome(checked(await opened(await body_of(request)), resource)))


@get(f"{BASE}/Bundle/{{row:str}}", **ROUTE)
async def what_came(desk: NamedDependency[Desk], request: AnyRequest, row: FromPath[str]) -> Answer:
    """That what the client sent came. Whom it was about, and whether anybody is, is not told."""
    require_json(request)
    client = await client_of(desk)
    id_ = as_uuid(row)
    if id_ is None or not await _is_of(desk, client.viewer.id, id_):
        raise NotDone(not_found())
    return said(outcome([WAITS]), headers=dict(PRIVATE))


async def _is_of(desk: Desk, client_id: UUID, received_id: UUID) -> bool:
    async with desk.tenant.transaction(client_id) as session:
        found = await session.scalar(
            select(Received.id).where(Received.id == received_id, Received.client_id == client_id)
        )
    return found is not None


HANDLERS = [send_bundle, create, update, validate, what_came]
