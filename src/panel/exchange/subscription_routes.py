"""Subscriptions over HTTP: a client makes, reads, changes and takes away its own, and no others."""

from collections.abc import Sequence
from uuid import UUID

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Raw

from interop.bundle import Shown as InBundle
from interop.bundle import etag, searchset
from interop.outcome import Issue, Refused, not_found
from interop.search import pairs_of
from interop.search_values import as_uuid
from interop.subscriptions import LONGEST, STATUSES, TYPE, Asked, Standing, read, status_told
from panel.accounts.desk import FOR_ANYBODY, Desk
from panel.exchange import subscriptions as service
from panel.exchange.entering import Client, client_of
from panel.exchange.fhir_routes import (
    BASE,
    REFUSED,
    Answer,
    AnyRequest,
    NotDone,
    base_of,
    form_of,
    require_json,
    said,
)
from panel.exchange.subscriptions import SUBSCRIBABLE, NotKept, Shown, shown
from panel.exchange.telling_models import Subscription

HERE = f"{BASE}/{TYPE}"


async def _client(desk: Desk, request: AnyRequest, letter: str) -> Client:
    require_json(request)
    client = await client_of(desk)
    client.require(TYPE, letter)
    return client


async def _asked(request: AnyRequest, client: Client) -> Asked:
    """What was sent; to be told of a type is to read it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/fhir+json", "application/json"):
        raise NotDone(Issue("not-supported", "Send it as JSON: application/fhir+json."), status=415)
    body = await request.body()
    if len(body) > LONGEST:
        raise NotDone(Issue("too-long", "The Subscription is too long."))
    asked = read(body, SUBSCRIBABLE)
    if isinstance(asked, Refused):
        raise NotDone(*asked.issues)
    client.require(asked.resource, "r")
    return asked


def _answer(one: Shown, status: int = 200, location: str | None = None) -> Answer:
    headers = {"ETag": etag(one.stamped.version)}
    if location is not None:
        headers["Location"] = location
    return said(one.stamped.body, status, headers)


@post(HERE, include_in_schema=False, opt=FOR_ANYBODY, exception_handlers=REFUSED)
async def subscribe(desk: NamedDependency[Desk], request: AnyRequest) -> Answer:
    """Ask to be told when something changes."""
    client = await _client(desk, request, "c")
    asked = await _asked(request, client)
    try:
        async with desk.tenant.transaction(client.viewer.id) as session:
            made = shown(
                await service.make(session, client, asked, is_demo=desk.tenant.record.demo)
            )
    except NotKept as refused:
        raise NotDone(refused.issue) from refused
    return _answer(made, 201, f"{base_of(desk)}/{TYPE}/{made.id}")


@get(HERE, include_in_schema=False, opt=FOR_ANYBODY, exception_handlers=REFUSED)
async def own_subscriptions(desk: NamedDependency[Desk], request: AnyRequest) -> Answer:
    """A client's own."""
    return await _search(desk, request, request.url.query)


@post(
    f"{HERE}/_search",
    include_in_schema=False,
    opt=FOR_ANYBODY,
    exception_handlers=REFUSED,
    status_code=200,
)
async def own_subscriptions_by_form(desk: NamedDependency[Desk], request: AnyRequest) -> Answer:
    """The same, with what is asked in a form."""
    return await _search(desk, request, await form_of(request))


async def _search(desk: Desk, request: AnyRequest, query: str) -> Answer:
    client = await _client(desk, request, "s")
    pairs = pairs_of(query)
    if pairs is None:
        raise NotDone(Issue("invalid", "The search cannot be read."))
    asked = [(name, value) for name, value in pairs if name != "_format"]
    if wrong := [name for name, _ in asked if name not in ("_id", "status")]:
        raise NotDone(Issue("not-supported", "This is not searched by.", (wrong[0][:64],)))
    async with desk.tenant.transaction(client.viewer.id) as session:
        rows = await service.own(session, client)
        found = [shown(row) for row in rows if _fits(row, asked)]
    base = base_of(desk)
    entries = [InBundle(TYPE, str(one.id), Raw(one.stamped.body)) for one in found]
    link = f"{base}/{TYPE}{'?' if query else ''}{query}"
    return said(searchset(entries, base, self_link=link, total=len(entries)))


def _fits(row: Subscription, asked: Sequence[tuple[str, str]]) -> bool:
    has = {"_id": str(row.id), "status": row.state}
    for name, value in asked:
        values = value.split(",")
        if name == "status" and not set(values) <= set(STATUSES):
            raise NotDone(Issue("value", "This is no status of a subscription.", (name,)))
        if has[name] not in values:
            return False
    return True


async def _own(desk: Desk, client: Client, row_id: str) -> Shown:
    found = as_uuid(row_id)
    if found is not None:
        async with desk.tenant.transaction(client.viewer.id) as session:
            row = await service.one(session, client, found)
            if row is not None:
                return shown(row)
    raise NotDone(not_found())


@get(f"{HERE}/{{row:str}}", include_in_schema=False, opt=FOR_ANYBODY, exception_handlers=REFUSED)
async def read_subscription(
    desk: NamedDependency[Desk], request: AnyRequest, row: FromPath[str]
) -> Answer:
    """One of its own."""
    client = await _client(desk, request, "r")
    return _answer(await _own(desk, client, row))


@get(
    f"{HERE}/{{row:str}}/$status",
    include_in_schema=False,
    opt=FOR_ANYBODY,
    exception_handlers=REFUSED,
)
async def subscription_status(
    desk: NamedDependency[Desk], request: AnyRequest, row: FromPath[str]
) -> Answer:
    """How one of its own stands, and how many events it was sent."""
    client = await _client(desk, request, "r")
    row_id = as_uuid(row)
    async with desk.tenant.transaction(client.viewer.id) as session:
        found = None if row_id is None else await service.one(session, client, row_id)
        if found is None:
            raise NotDone(not_found())
        standing = Standing(
            id=str(found.id), state=found.state, number=found.number, failure=found.failure
        )
    return said(status_told(base_of(desk), standing, desk.now))


@put(f"{HERE}/{{row:str}}", include_in_schema=False, opt=FOR_ANYBODY, exception_handlers=REFUSED)
async def change_subscription(
    desk: NamedDependency[Desk], request: AnyRequest, row: FromPath[str]
) -> Answer:
    """Change one of its own; with If-Match only if it is as it was read."""
    client = await _client(desk, request, "u")
    asked = await _asked(request, client)
    row_id = as_uuid(row)
    if asked.id != row or row_id is None:
        raise NotDone(
            Issue("invariant", "Its id is not that of the address.", (f"{TYPE}.id",)), status=400
        )
    try:
        async with desk.tenant.transaction(client.viewer.id) as session:
            found = await service.one(session, client, row_id)
            if found is None:
                raise NotDone(not_found())
            _require_unchanged(request, found)
            await service.change(session, client, found, asked, is_demo=desk.tenant.record.demo)
            now = shown(found)
    except NotKept as refused:
        raise NotDone(refused.issue) from refused
    return _answer(now)


def _require_unchanged(request: AnyRequest, row: Subscription) -> None:
    brought = request.headers.get("if-match")
    if brought is not None and brought.strip() != etag(shown(row).stamped.version):
        raise NotDone(Issue("conflict", "It changed since it was read. Read it again."))


@delete(
    f"{HERE}/{{row:str}}",
    include_in_schema=False,
    opt=FOR_ANYBODY,
    exception_handlers=REFUSED,
    status_code=204,
)
async def end_subscription(
    desk: NamedDependency[Desk], request: AnyRequest, row: FromPath[str]
) -> None:
    """Take one of its own away."""
    client = await _client(desk, request, "d")
    row_id: UUID | None = as_uuid(row)
    async with desk.tenant.transaction(client.viewer.id) as session:
        found = None if row_id is None else await service.one(session, client, row_id)
        if found is None:
            raise NotDone(not_found())
        await service.end(session, client, found)


HANDLERS = [
    subscribe,
    own_subscriptions,
    own_subscriptions_by_form,
    subscription_status,
    read_subscription,
    change_subscription,
    end_subscription,
]
