"""Exports over HTTP: asked for, looked after, fetched and given up (FHIR Bulk Data Access)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import HttpMethod, Response, delete, get, route
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncSession

from interop.export import (
    LONGEST,
    NDJSON,
    PATIENT,
    Asked,
    File,
    is_asynchronous,
    manifest,
    parameters,
    parse,
)
from interop.outcome import Issue, Refused, not_found, tellable
from interop.search import pairs_of
from interop.search_values import as_uuid
from panel.accounts.desk import FOR_ANYBODY, PRIVATE, Desk
from panel.exchange import exporting
from panel.exchange.entering import Client, client_of
from panel.exchange.fhir_routes import BASE, REFUSED, Answer, AnyRequest, NotDone, base_of, said
from panel.exchange.groups import members_of
from panel.exchange.sources import OF_CHILDREN, SOURCES
from panel.exchange.sources_groups import GROUP
from panel.exchange.telling_models import ExportJob

EXPORTS = "exports"
HERE = f"{BASE}/{EXPORTS}"
SENT_AS = frozenset({"application/fhir+json", "application/json"})
LOOK_AGAIN = "10"
"""Seconds after which to look whether it is ready."""


def _types(client: Client, asked: Asked, there: Sequence[str]) -> tuple[str, ...]:
    """The types of an export; those that were named have to be allowed."""
    if asked.types is None:
        return tuple(kind for kind in there if client.scopes.permits(kind, "r"))
    for kind in asked.types:
        client.require(kind, "r")
    return asked.types


@dataclass(frozen=True, slots=True)
class _Whose:
    """Of whom an export is: where it is asked for, and the types that there are of them."""

    path: str
    types: Sequence[str]
    group: UUID | None = None
    besides: tuple[str, ...] = ()
    """Parameters that can be posted besides the usual ones."""


def _whose(resource: str, row: str | None = None) -> _Whose:
    """Of all patients, or of a group. Raises NotDone."""
    if resource == "Patient" and row is None:
        return _Whose("Patient/$export", OF_CHILDREN, besides=(PATIENT,))
    if resource == GROUP.resource and row is not None:
        return _Whose(f"Group/{row}/$export", OF_CHILDREN, as_uuid(row) or NOBODYS, (PATIENT,))
    raise NotDone(Issue("not-supported", "Only all Patients and a Group are exported."), status=404)


EVERYBODY = _Whose("$export", tuple(SOURCES))
NOBODYS = UUID(int=0)
"""The group of an id that is none."""


async def _posted(request: AnyRequest, whose: _Whose) -> Asked | Refused:
    """What stands in the Parameters that were posted. Raises NotDone."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in SENT_AS:
        raise NotDone(Issue("not-supported", "Send it as JSON: application/fhir+json."), status=415)
    if request.url.query:
        name = request.url.query.partition("=")[0]
        raise NotDone(Issue("not-supported", "Say it in the Parameters.", tellable(name)))
    body = await request.body()
    if len(body) > LONGEST:
        raise NotDone(Issue("too-long", "The Parameters are too long."))
    pairs = parameters(body)
    if isinstance(pairs, Refused):
        return pairs
    return parse(pairs, whose.types, whose.besides)


def _in_address(query: str, whose: _Whose) -> Asked | Refused:
    pairs = pairs_of(query)
    if pairs is None:
        raise NotDone(Issue("invalid", "What is asked for cannot be read."))
    return parse(pairs, whose.types)


async def _asked(desk: Desk, request: AnyRequest, whose: _Whose) -> Answer:
    client = await client_of(desk)
    if not is_asynchronous(request.headers.get("prefer", "")):
        raise NotDone(Issue("required", "An export is asked for with Prefer: respond-async."))
    query = request.url.query
    is_posted = request.method == "POST"
    asked = await _posted(request, whose) if is_posted else _in_address(query, whose)
    if isinstance(asked, Refused):
        raise NotDone(*asked.issues)
    types = _types(client, asked, whose.types)
    if not types:
        client.require(whose.types[0], "r")
    if whose.group is not None:
        client.require(GROUP.resource, "r")
    base = base_of(desk)
    asking = exporting.Asking(
        f"{base}/{whose.path}{'?' if query else ''}{query}",
        types,
        asked.since,
        whose.group,
        asked.patients,
    )
    async with desk.tenant.transaction(client.viewer.id) as session:
        if whose.group is not None and not await members_of(
            desk.site.gate, session, client, [whose.group]
        ):
            raise NotDone(not_found())
        job_id = await exporting.ask(session, client, asking)
    if job_id is None:
        raise NotDone(
            Issue("throttled", "Fetch or give up the exports that you have, then ask again.")
        )
    return Response(
        b"",
        status_code=202,
        headers=PRIVATE | {"Content-Location": f"{base}/{EXPORTS}/{job_id}"},
    )


_ROUTE: Any = {
    "http_method": [HttpMethod.GET, HttpMethod.POST],
    "include_in_schema": False,
    "opt": FOR_ANYBODY,
    "exception_handlers": REFUSED,
}


@route(f"{BASE}/$export", **_ROUTE)
async def export_all(desk: NamedDependency[Desk], request: AnyRequest) -> Answer:
    """Everything that the client may be told, with agencies, workers, services and forms."""
    return await _asked(desk, request, EVERYBODY)


@route(f"{BASE}/{{resource:str}}/$export", **_ROUTE)
async def export_patients(
    desk: NamedDependency[Desk], request: AnyRequest, resource: FromPath[str]
) -> Answer:
    """Everything about children that the client may be told; posted, also of some alone."""
    await client_of(desk)
    return await _asked(desk, request, _whose(resource))


@route(f"{BASE}/{{resource:str}}/{{row:str}}/$export", **_ROUTE)
async def export_group(
    desk: NamedDependency[Desk], request: AnyRequest, resource: FromPath[str], row: FromPath[str]
) -> Answer:
    """Everything that the client may be told about the children of a group; as above."""
    await client_of(desk)
    return await _asked(desk, request, _whose(resource, row))


async def _own(session: AsyncSession, client: Client, export: str) -> ExportJob:
    """An export of the client's own, by what stands in the address. Raises NotDone."""
    job_id = as_uuid(export)
    row = None if job_id is None else await exporting.one(session, client, job_id)
    if row is None:
        raise NotDone(not_found())
    return row


@get(f"{HERE}/{{export:str}}", include_in_schema=False, opt=FOR_ANYBODY, exception_handlers=REFUSED)
async def export_status(desk: NamedDependency[Desk], export: FromPath[str]) -> Answer:
    """How far it is; once it is ready, where its files are."""
    client = await client_of(desk)
    async with desk.tenant.transaction(client.viewer.id) as session:
        row = await _own(session, client, export)
        parts = await exporting.parts_of(session, row)
        state, as_of, asked, ends_at = row.state, row.as_of, row.asked, row.ends_at
    if state == "failed":
        raise NotDone(Issue("exception", "It could not be made. Ask for it again."))
    if as_of is None or ends_at is None:
        return Response(
            b"",
            status_code=202,
            headers=PRIVATE | {"X-Progress": "in progress", "Retry-After": LOOK_AGAIN},
        )
    here = f"{base_of(desk)}/{EXPORTS}/{export}"
    files = [File(part.resource, f"{here}/{part.id}") for part in parts]
    answer = said(manifest(as_of=as_of, asked=asked, files=files))
    answer.media_type = "application/json"
    answer.headers["Expires"] = ends_at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return answer


@delete(
    f"{HERE}/{{export:str}}",
    include_in_schema=False,
    opt=FOR_ANYBODY,
    exception_handlers=REFUSED,
    status_code=202,
)
async def cancel_export(desk: NamedDependency[Desk], export: FromPath[str]) -> Answer:
    """Give it up, whether it is ready or not."""
    client = await client_of(desk)
    async with desk.tenant.transaction(client.viewer.id) as session:
        row = await _own(session, client, export)
        await exporting.cancel(session, client, row)
    return Response(b"", status_code=202, headers=PRIVATE)


@get(
    f"{HERE}/{{export:str}}/{{part:str}}",
    include_in_schema=False,
    opt=FOR_ANYBODY,
    exception_handlers=REFUSED,
)
async def export_file(
    desk: NamedDependency[Desk], export: FromPath[str], part: FromPath[str]
) -> Response[Any]:
    """One file, line by line as it may be told now."""
    client = await client_of(desk)
    job_id, part_id = await _part_asked_for(desk, client, export, part)
    lines: AsyncIterator[bytes] = exporting.lines_of(desk.site.gate, client, job_id, part_id)
    return Stream(lines, media_type=NDJSON, headers=PRIVATE)


async def _part_asked_for(desk: Desk, client: Client, export: str, part: str) -> tuple[UUID, UUID]:
    """The export and the file of it that an address names. Raises NotDone, NotLetIn."""
    async with desk.tenant.transaction(client.viewer.id) as session:
        row = await _own(session, client, export)
        parts = await exporting.parts_of(session, row) if row.state == "ready" else []
        found = next((one for one in parts if one.id == as_uuid(part)), None)
        if found is None:
            raise NotDone(not_found())
        client.require(found.resource, "r")
        return row.id, found.id


HANDLERS = [
    export_all,
    export_patients,
    export_group,
    export_status,
    cancel_export,
    export_file,
]
