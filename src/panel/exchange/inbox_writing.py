"""What another system asks to have written, and what it is answered.

The bytes are kept first (`inbox_receiving`), and then all of it is done or none. What is about a
child whom its sender's agency is not tied to, or about nobody who is known here, waits for a
person: both are answered the same.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from consent import Purpose, Viewer
from interop.bundle import etag
from interop.incoming import Piece, Problem
from interop.incoming.envelope import value_of
from interop.origin import is_sent
from interop.outcome import Issue, not_found, outcome, status_of, tellable
from interop.outgoing import Stamped, stamped
from interop.search_values import as_uuid
from panel.exchange import reading
from panel.exchange.entering import Client
from panel.exchange.fhir_routes import NotDone
from panel.exchange.inbox_answering import Answered, to_keep, told_again
from panel.exchange.inbox_conditions import existing
from panel.exchange.inbox_models import Received, ReceivedPiece, SenderVersion
from panel.exchange.inbox_opening import Opened, opened_again, opened_as_it_may_land
from panel.exchange.inbox_places import OF_ANOTHER, OfAnother
from panel.exchange.inbox_receiving import (
    Sending,
    keep_for,
    keep_piece_for,
    receive,
    storable,
)
from panel.exchange.inbox_room import NO_ROOM, NoRoom
from panel.exchange.inbox_taking import (
    SENT,
    Result,
    children_meant,
    piece_rows,
    settle,
    take_in,
)
from panel.exchange.inbox_versions import as_sent, own_version, told_back
from panel.exchange.resources import Told
from panel.exchange.sources import SOURCES
from panel.platform.problems import NotLetIn
from panel.platform.tenancy import Tenant, load_keys
from panel.records.gate import Access, Gate

Prefer = Literal["minimal", "representation", "OperationOutcome"]
WAITS = Issue(
    "informational",
    "It was received and waits until somebody has looked at it.",
    severity="information",
)
OFFERED = Issue(
    "informational",
    "What a worker wrote stays until whoever knows the child takes what is offered.",
    severity="information",
)
ANOTHERS = "Another agency's system sent this, and only theirs change it. Send yours as a new one."


@dataclass(frozen=True, slots=True)
class Doing:
    """One piece of work within its client's transaction."""

    gate: Gate
    session: AsyncSession
    client: Client
    row: Received
    body: bytes
    """What was received, which is not read back from where it is kept."""
    base: str
    """This server's address."""
    prefer: Prefer


@dataclass(frozen=True, slots=True)
class Write:
    """One create or update."""

    type: str
    path: str
    """Where its resource stands, for what is said of it."""
    id: str | None = None
    """Of an update."""
    if_match: str | None = None
    if_none_exist: str | None = None


Work = Callable[[Doing], Awaitable[Answered]]
"""What is done within the client's transaction."""


@dataclass(slots=True)
class Planned:
    """What is to be written, once every condition was looked at."""

    writes: dict[str, Write] = field(default_factory=dict)
    """By the piece's path."""
    there: dict[str, Result] = field(default_factory=dict)
    """Those that a conditional create found here already: nothing of them is written."""


async def write_one(
    tenant: Tenant,
    gate: Gate,
    client: Client,
    sending: Sending,
    base: str,
    write: Write,
    prefer: Prefer,
) -> Answered:
    """Create or update one resource. Raises NotDone where it is refused."""
    client.require(write.type, "c" if write.id is None else "u")

    async def work(doing: Doing) -> Answered:
        return await _one(doing, write)

    return await done(tenant, gate, client, sending, base, prefer, work)


async def done(
    tenant: Tenant,
    gate: Gate,
    client: Client,
    sending: Sending,
    base: str,
    prefer: Prefer,
    work: Work,
) -> Answered:
    """Keep what is sent, then do all of the work or none; sent again, it is answered as before."""
    received = await _kept(tenant, client, sending)
    try:
        async with tenant.transaction(client.viewer.id) as session:
            row = await session.get_one(
                Received, received, with_for_update=True, options=[defer(Received.content)]
            )
            await load_keys(session, {row.holder_id})
            doing = Doing(gate, session, client, row, sending.body, base, prefer)
            if row.answered is not None:
                return await told_again(row.answer, partial(_shown_again, doing))
            if row.state not in ("new", "refused", "quarantined"):
                # Somebody took it in meanwhile. Whom they found it to be about is not told.
                return waiting(doing, row.id)
            answered = await work(doing)
            if row.state != "quarantined":
                row.answered, row.answer = answered.status, to_keep(answered)
            return answered
    except (NotDone, NotLetIn) as refused:
        await _refuse(gate, client, received, refused)
        raise


async def _kept(tenant: Tenant, client: Client, sending: Sending) -> UUID:
    """Keep what is sent. Raises NotDone (429) where there is no room for it."""
    try:
        return await receive(tenant, client, sending)
    except NoRoom as full:
        raise NotDone(Issue("throttled", NO_ROOM), status=429) from full


async def _refuse(gate: Gate, client: Client, received: UUID, refused: NotDone | NotLetIn) -> None:
    """Nothing of it was done but that it came, and why not."""
    async with gate.tenant.transaction(client.viewer.id) as session:
        row = await session.get(Received, received, with_for_update=True)
        if row is None or row.state not in ("new", "refused"):
            return
        row.state = "refused"
        if isinstance(refused, NotDone):
            row.reason = refused.issues[0].text
            row.path = next(iter(refused.issues[0].expression), None)
        else:
            row.reason = refused.sentence
        opened_ = await opened_again(session, row)
        await _keep_unwritten(gate, session, client.viewer, row, opened_)


async def _keep_unwritten(
    gate: Gate,
    session: AsyncSession,
    viewer: Viewer,
    row: Received,
    opened_: Opened,
    rows: Mapping[str, ReceivedPiece] = MappingProxyType({}),
) -> None:
    """Seal what is refused or broken for whom it is certainly about.

    Else it would stay readable when the child's record is erased.
    """
    if row.holder_id != row.agency_id:
        return
    children = await children_meant(gate, session, viewer, opened_)
    for path, one in rows.items():
        access = children.get(opened_.subjects.about.get(path, -1))
        if access is not None:
            await keep_piece_for(session, one, access.child_id)
    if len(children) == len(opened_.subjects.meant) == 1:
        await keep_for(session, row, children[0].child_id, opened_.body)


def issue_of(problem: Problem) -> Issue:
    """What is wrong at a place, as FHIR says it."""
    return Issue("invalid", problem.reason, tellable(problem.path))


def waiting(doing: Doing, received: UUID) -> Answered:
    """It came, and nothing more is told of it."""
    return Answered(
        202,
        msgspec.json.encode(outcome([WAITS])).decode(),
        {"Location": f"{doing.base}/Bundle/{received}"},
    )


# One resource -------------------------------------------------------------------------------------


async def _one(doing: Doing, write: Write) -> Answered:
    opened_ = await opened_as_it_may_land(doing.body, doing.row)
    piece = _the_one(opened_)
    if piece is None or piece.problems or opened_.parsed.broken is not None:
        return await broken_answer(doing, opened_)
    if piece.type != write.type:
        raise NotDone(Issue("value", "The address names another type.", ("resourceType",)))
    if write.id is not None and piece.id != write.id:
        raise NotDone(Issue("value", "The address names another id.", (f"{piece.type}.id",)))
    planned = await plan(doing, {piece.path: write})
    if planned.there:
        found = planned.there[piece.path]
        doing.row.kind, doing.row.state = opened_.parsed.kind, "done"
        return await _said(doing, write, found)
    try:
        taken = await take_in(doing.gate, doing.session, doing.client.viewer, doing.row, opened_)
    except OfAnother as other:
        raise of_another(write.path) from other
    result = taken.results.get(piece.path)
    return waiting(doing, doing.row.id) if result is None else await _said(doing, write, result)


def _the_one(opened_: Opened) -> Piece | None:
    is_one = opened_.parsed.kind == "resource" and len(opened_.pieces) == 1
    return opened_.pieces[0] if is_one else None


async def broken_answer(doing: Doing, opened_: Opened) -> Answered:
    """Quarantined, with all that is wrong."""
    row = doing.row
    row.kind = opened_.parsed.kind
    row.tries += 1
    broken = opened_.parsed.broken
    if broken is None and not any(piece.problems for piece in opened_.pieces):
        broken = Problem("", "Send one resource.")
    if broken is not None:
        row.state, row.reason, row.path = "quarantined", broken.reason, broken.path
        issues = [Issue("structure", broken.reason, tellable(broken.path))]
    else:
        rows = await piece_rows(doing.session, row, opened_)
        viewer = doing.client.viewer
        await _keep_unwritten(doing.gate, doing.session, viewer, row, opened_, rows)
        await settle(doing.session, row, opened_, rows.values())
        wrong = [problem for piece in opened_.pieces for problem in piece.problems]
        row.state = "quarantined"
        row.reason, row.path = wrong[0].reason, storable(wrong[0].place)
        issues = [issue_of(problem) for problem in wrong]
    body = msgspec.json.encode(outcome(issues)).decode()
    return Answered(status_of(issues), body)


def of_another(path: str) -> NotDone:
    """The refusal of an update that would put what is said of one child on another's record."""
    return NotDone(Issue("business-rule", OF_ANOTHER, (path,)))


async def _said(doing: Doing, write: Write, found: Result) -> Answered:
    shown = await shown_of(doing, found)
    if found.row is None and write.id is not None:
        # Of a row of ours only an offer was made.
        return _with_body(doing, 202, shown, found, OFFERED)
    return _with_body(doing, 201 if found.is_new else 200, shown, found, None)


def _with_body(
    doing: Doing, status: int, shown: Stamped | None, found: Result, said: Issue | None
) -> Answered:
    headers = {"Location": f"{doing.base}/{found.type}/{found.id}"}
    if shown is not None:
        headers["Location"] += f"/_history/{shown.version}"
        headers["ETag"] = etag(shown.version)
    if doing.prefer == "minimal":
        return Answered(status, None, headers)
    if doing.prefer == "OperationOutcome" or shown is None or status == 202:
        told = [said] if said is not None else []
        return Answered(status, msgspec.json.encode(outcome(told)).decode(), headers)
    return Answered(status, shown.body.decode(), headers)


async def shown_of(
    doing: Doing, found: Result, records: Mapping[UUID, Access] = MappingProxyType({})
) -> Stamped | None:
    """A resource as its sender reads it back; None where it may not be told of it.

    Args: `records` that are open, and whose facts are still as they were.
    """
    row = found.row
    if row is not None:
        said = value_of(msgspec.Raw(row.body.encode())) if found.said is None else found.said
        return stamped(told_back(row.id, row.changed_at, said))
    if not doing.client.scopes.permits(found.type, "r"):
        # To write is not to read: of what a worker wrote it is shown nothing.
        return None
    if found.type == "Patient" and found.id in records:
        told = await reading.patient_of(doing.gate, records[found.id], doing.client)
    else:
        told = await ours_told(doing, found.type, found.id)
    return None if told is None else told.stamped


async def _shown_again(doing: Doing, type_: str, id_: str) -> Stamped | None:
    """What was shown once, as it may be told now; None where it may not be."""
    row_id = as_uuid(id_)
    if row_id is None:
        return None
    own = await own_version(doing.session, doing.client.agency_id, type_, row_id)
    row = None if own is None or own.about_id is not None else own
    if row is not None:
        await _open(doing, row)
    return await shown_of(doing, Result(type_, row_id, is_new=False, row=row))


async def ours_told(doing: Doing, type_: str, id_: UUID) -> Told | None:
    if type_ not in SOURCES:
        return None
    return await reading.read(doing.gate, doing.session, doing.client, type_, id_)


# Conditions ---------------------------------------------------------------------------------------


async def plan(doing: Doing, writes: Mapping[str, Write]) -> Planned:
    """Look at every condition before anything is written. Raises NotDone."""
    planned = Planned()
    for path, write in writes.items():
        if write.id is not None:
            await _require_newest(doing, write)
        elif write.if_none_exist is not None:
            found = await existing(
                doing.gate, doing.session, doing.client, write.type, write.if_none_exist, doing.base
            )
            if found is not None:
                row = found if isinstance(found, SenderVersion) else None
                if row is not None:
                    await _open(doing, row)
                id_ = found.id if isinstance(found, SenderVersion) else found
                planned.there[path] = Result(write.type, id_, is_new=False, row=row)
                continue
        planned.writes[path] = write
    return planned


async def _open(doing: Doing, row: SenderVersion) -> None:
    """Open the child's record to tell the sender what it sent itself."""
    await doing.gate.open_here(
        doing.session, [row.child_id], doing.client.viewer, Purpose.EXCHANGE, SENT
    )


async def _require_newest(doing: Doing, write: Write) -> None:
    """An update names the version that it was made from, and that is the newest."""
    id_ = as_uuid(write.id or "")
    if write.if_match is None:
        raise NotDone(
            Issue("required", "Say in If-Match which version you changed.", (write.path,)),
            status=428,
        )
    if id_ is None:
        raise NotDone(not_found())
    own = await own_version(doing.session, doing.client.agency_id, write.type, id_)
    if own is not None and own.about_id is None:
        await _open(doing, own)
        newest = stamped(as_sent(own.id, own.changed_at, own.body)).version
    else:
        told = await ours_told(doing, write.type, id_)
        if told is None:
            raise NotDone(not_found())
        if is_sent(told.content):
            raise NotDone(Issue("forbidden", ANOTHERS, (write.path,)))
        newest = told.stamped.version
    if newest != write.if_match:
        raise NotDone(
            Issue("conflict", "It was changed since. Read it again.", (write.path,)), status=412
        )
