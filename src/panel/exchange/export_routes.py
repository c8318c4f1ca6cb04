"""Exports over HTTP: asked for, looked after, fetched and given up (FHIR Bulk Data Access)."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from litestar import Response, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncSession

from interop.export import NDJSON, Asked, File, is_asynchronous, manifest, parse
from interop.outcome import Issue, Refused, not_found
from interop.search import pairs_of
from interop.search_values import as_uuid
from panel.accounts.desk import FOR_ANYBODY, PRIVATE, Desk
from panel.exchange import exporting
from panel.exchange.entering import Client, client_of
from panel.exchange.fhir_routes import BASE, REFUSED, Answer, AnyRequest, NotDone, base_of, said
from panel.exchange.sources import OF_CHILDREN, SOURCES
from panel.exchange.telling_models import ExportJob

EXPORTS = "exports"
HERE = f"{BASE}/{EXPORTS}"
LOOK_AGAIN = "10"
"""Seconds after which to look whether it is ready."""


def _types(client: Client, asked: Asked, there: Sequence[str]) -> tuple[str, ...]:
    """The types of an export; those that were named have to be allowed."""
    if asked.types is None:
        return tuple(kind for kind in there if client.scopes.permits(kind, "r"))
    for kind in asked.types:
        client.require(kind, "r")
    return asked.types


async def _asked(desk: Desk, request: AnyRequest, path: str, there: Sequence[str]) -> Answer:
    client = await client_of(desk)
    if not is_asynchronous(request.headers.get("prefer", "")):
        raise NotDone(Issue("required", "An export is asked for with Prefer: respond-async."))
    query = request.url.query
    pairs = pairs_of(query)
    asked = None if pairs is None else parse(pairs, there)
    if asked is None:
        raise NotDone(Issue("invalid", "What is asked for cannot be read."))
    if isinstance(asked, Refused):
        raise NotDone(*asked.issues)
    types = _types(client, asked, there)
    if not types:
        client.require(there[0], "r")
    base = base_of(desk)
    asking = exporting.Asking(f"{base}/{path}{'?' if query else ''}{query}", types, asked.since)
    async with desk.tenant.transaction(client.viewer.id) as session:
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


@get(f"{BASE}/$export", include_in_schema=False, opt=FOR_ANYBODY, exception_handlers=REFUSED)
async def export_all(desk: NamedDependency[Desk], request: AnyRequest) -> Answer:
    """Everything that the client may be told, with agencies, workers, services and forms."""
    return await _asked(desk, request, "$export", tuple(SOURCES))


@get(
    f"{BASE}/{{resource:str}}/$export",
    include_in_schema=False,
    opt=FOR_ANYBODY,
    exception_handlers=REFUSED,
)
async def export_patients(
    desk: NamedDependency[Desk], request: AnyRequest, resource: FromPath[str]
) -> Answer:
    """Everything about children that the client may be told."""
    if resource != "Patient":
        await client_of(desk)
        raise NotDone(Issue("not-supported", "Only a Patient has this operation."), status=404)
    return await _asked(desk, request, "Patient/$export", OF_CHILDREN)


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


HANDLERS = [export_all, export_patients, export_status, cancel_export, export_file]
