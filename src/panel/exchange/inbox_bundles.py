"""A Bundle that another system sends: a transaction, a batch, or something for the inbox.

A transaction is done whole: where one entry is wrong, or it is not certain whom one is about, none
is. What is about nobody who is certain waits, whole, for a person.
"""

import asyncio
from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from interop.bundle import Answer, answers
from interop.incoming import Piece
from interop.incoming.envelope import Broken, value_of
from interop.outcome import Issue, Refused, not_found, status_of
from interop.search_values import as_uuid
from interop.served import Interaction
from interop.transaction import Entry, Work, read
from panel.exchange.entering import Client
from panel.exchange.fhir_routes import NotDone
from panel.exchange.inbox_answering import Answered
from panel.exchange.inbox_models import Received, ReceivedPiece
from panel.exchange.inbox_notifications import the_one_panel
from panel.exchange.inbox_opening import LARGE, Opened, opened
from panel.exchange.inbox_places import OfAnother
from panel.exchange.inbox_receiving import Sending, keys_of, mark
from panel.exchange.inbox_scopes import require_each
from panel.exchange.inbox_taking import (
    Taken,
    children_meant,
    piece_rows,
    settle,
    take_for,
    take_in,
)
from panel.exchange.inbox_writing import (
    OFFERED,
    WAITS,
    Doing,
    Planned,
    Prefer,
    Write,
    broken_answer,
    done,
    issue_of,
    of_another,
    ours_told,
    plan,
    shown_of,
    waiting,
)
from panel.exchange.resources import Told
from panel.platform.tenancy import Tenant
from panel.records.gate import Access, Gate

STATUS: Mapping[int, str] = {200: "200 OK", 201: "201 Created", 202: "202 Accepted"}
SAME_AGAIN = "This was sent before, under the same identifier."
LETTERS = {"POST": "c", "PUT": "u", "GET": "r", "HEAD": "r"}


async def write_bundle(
    tenant: Tenant, gate: Gate, client: Client, sending: Sending, base: str, prefer: Prefer
) -> Answered:
    """Do a transaction or batch; take a document, message or collection in (202).

    Raises NotDone, and NotLetIn for what the client's scopes do not let through.
    """
    return await done(tenant, gate, client, sending, base, prefer, _bundle)


async def _bundle(doing: Doing) -> Answered:
    opened_ = await opened(doing.body)
    parsed = opened_.parsed
    if parsed.broken is not None or parsed.kind == "resource":
        return await broken_answer(doing, opened_)
    if parsed.kind not in ("transaction", "batch"):
        doing.client.require("Bundle", "c")
        require_each(doing.client, parsed.pieces)
        return await _for_the_inbox(doing, opened_)
    work = await _work(opened_, doing.base)
    if isinstance(work, Refused):
        raise NotDone(*work.issues)
    for entry in work.entries:
        doing.client.require(entry.request.type, LETTERS[entry.request.method])
    if work.kind == "batch":
        return await _batch(doing, opened_, work)
    return await _transaction(doing, opened_, work)


async def _work(opened_: Opened, base: str) -> Work | Refused:
    """What a body asks for; a long one is read beside the others' requests."""
    if len(opened_.body) < LARGE:
        return read(_asking(opened_), base)
    return await asyncio.to_thread(lambda: read(_asking(opened_), base))


def _asking(opened_: Opened) -> object:
    """The Bundle as values: as it was taken apart, where every entry could be."""
    pieces = opened_.pieces
    if not all(piece.around for piece in pieces):
        return _decoded(opened_.body)
    entries = [
        {**piece.around, "resource": piece.value} if piece.value else {**piece.around}
        for piece in pieces
    ]
    return {"resourceType": "Bundle", "type": opened_.parsed.kind, "entry": entries}


def _decoded(body: bytes) -> object:
    try:
        return value_of(msgspec.Raw(body))
    except Broken as broken:
        raise NotDone(Issue("structure", str(broken), ("Bundle",))) from broken


# For the inbox ------------------------------------------------------------------------------------


async def _for_the_inbox(doing: Doing, opened_: Opened) -> Answered:
    """A document or message is taken in now, and its sender is told only that it came."""
    if doing.row.state not in ("new", "quarantined", "refused"):
        # Scheduled work took it in, after whoever was to do it had died.
        return waiting(doing, doing.row.id)
    same = await _sent_before(doing, opened_)
    if same is not None:
        doing.row.kind, doing.row.state = opened_.parsed.kind, "done"
        doing.row.reason = SAME_AGAIN
        return waiting(doing, same)
    await take_in(doing.gate, doing.session, doing.client.viewer, doing.row, opened_)
    return waiting(doing, doing.row.id)


async def _sent_before(doing: Doing, opened_: Opened) -> UUID | None:
    """What the same client sent before under the same identifier; two at once wait for each other.

    That of the Bundle, else of the message's header.
    """
    name = await asyncio.to_thread(_identifier, opened_.body, opened_.pieces)
    if name is None:
        return None
    ring = (await keys_of(doing.session)).ring
    index = mark(ring, "bundle", doing.client.viewer.id, name)
    await doing.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 35))"), {"name": index.hex()}
    )
    same = await doing.session.scalar(
        select(Received.id).where(
            Received.client_id == doing.client.viewer.id,
            Received.identifier_index == index,
            Received.id != doing.row.id,
        )
    )
    if same is None:
        doing.row.identifier_index = index
    return same


def _identifier(content: bytes, pieces: Iterable[Piece]) -> str | None:
    bundle = value_of(msgspec.Raw(content))
    named = bundle.get("identifier")
    if isinstance(named, dict) and isinstance(named.get("value"), str):
        return f"identifier {named.get('system', '')}|{named['value']}"
    header = next((one for one in pieces if one.type == "MessageHeader"), None)
    return f"message {header.id}" if header is not None and header.id else None


# Transactions and batches -------------------------------------------------------------------------


def _write_of(entry: Entry) -> Write:
    asked = entry.request
    return Write(
        asked.type,
        f"{entry.path}.resource",
        id=asked.id if asked.method == "PUT" else None,
        if_match=asked.if_match,
        if_none_exist=asked.if_none_exist,
    )


async def _transaction(doing: Doing, opened_: Opened, work: Work) -> Answered:
    if any(piece.problems for piece in opened_.pieces):
        return await broken_answer(doing, opened_)
    written = {
        opened_.pieces[one.index].path: _write_of(one) for one in work.entries if one.resource
    }
    planned = await plan(doing, written)
    session, subjects = doing.session, opened_.subjects
    children = await children_meant(doing.gate, session, doing.client.viewer, opened_)
    is_certain = len(children) == len(subjects.meant)
    rows = await piece_rows(session, doing.row, opened_, children if is_certain else {})
    if not is_certain:
        # It is done whole, or it waits whole.
        doing.row.kind = work.kind
        await settle(session, doing.row, opened_, rows.values())
        return waiting(doing, doing.row.id)
    taken = await _taken(doing, opened_, rows, children, planned)
    told = [await _answer(doing, opened_, one, planned, taken) for one in _in_place(work)]
    if any(one.issues and status_of(one.issues) >= 400 for one in told):
        raise NotDone(*(issue for one in told for issue in one.issues))
    # Last: what was received is then written once, with its answer.
    await settle(session, doing.row, opened_, rows.values(), taken.offers)
    doing.row.kind = work.kind
    return Answered(200, msgspec.json.encode(answers("transaction", told)).decode())


def _in_place(work: Work) -> list[Entry]:
    return sorted(work.entries, key=lambda entry: entry.index)


async def _taken(
    doing: Doing,
    opened_: Opened,
    rows: dict[str, ReceivedPiece],
    children: dict[int, Access],
    planned: Planned,
) -> Taken:
    """Write what was planned, child by child."""
    panel = await the_one_panel(doing.session) if opened_.notifications else None
    taken = Taken()
    notified: set[UUID] = set()
    for number, access in children.items():
        mine = [
            piece
            for piece in opened_.pieces
            if opened_.subjects.about.get(piece.path) == number
            and piece.path in planned.writes
            and not piece.problems
        ]
        there = {
            address: f"{found.type}/{found.id}"
            for path, found in planned.there.items()
            for address in [_full_url(opened_, path)]
            if address
        }
        try:
            one = await take_for(access, doing.row, opened_, rows, mine, panel, there)
        except OfAnother as other:
            raise of_another(mine[0].path) from other
        taken.results |= one.results
        taken.offers += one.offers
        taken.records[access.child_id] = access
        if one.notified:
            notified.add(access.child_id)
    # One child may be meant in two ways: by our own id here, by an NHS number there.
    for child_id in notified:
        del taken.records[child_id]
    for path in planned.there:
        rows[path].state = "kept"
        rows[path].reason = "It is here already, as its sender asked to find out."
    return taken


def _full_url(opened_: Opened, path: str) -> str | None:
    return next((piece.full_url for piece in opened_.pieces if piece.path == path), None)


async def _answer(
    doing: Doing, opened_: Opened, entry: Entry, planned: Planned, taken: Taken
) -> Answer:
    """What became of one entry."""
    if entry.request.method in ("GET", "HEAD"):
        return await _read(doing, entry)
    path = opened_.pieces[entry.index].path
    found = planned.there.get(path) or taken.results.get(path)
    if found is None:
        return Answer(status=STATUS[202], issues=(WAITS,))
    shown = await shown_of(doing, found, taken.records)
    offers = found.row is None and entry.request.method == "PUT"
    status = 202 if offers else 201 if found.is_new else 200
    where = f"{found.type}/{found.id}"
    return Answer(
        status=STATUS[status],
        location=where if shown is None else f"{where}/_history/{shown.version}",
        version=None if shown is None else shown.version,
        issues=(OFFERED,) if offers else (),
        resource=None
        if shown is None or doing.prefer != "representation"
        else msgspec.Raw(shown.body),
    )


async def _read(doing: Doing, entry: Entry) -> Answer:
    asked = entry.request
    if asked.interaction is not Interaction.READ or asked.id is None:
        return _wrong(
            Issue("not-supported", "Within a Bundle Panel reads by type and id.", (entry.path,))
        )
    id_ = as_uuid(asked.id)
    told = None if id_ is None else await ours_told(doing, asked.type, id_)
    if told is None:
        return _wrong(not_found().at(entry.path))
    return _of_told(told)


def _of_told(told: Told) -> Answer:
    return Answer(
        status=STATUS[200],
        version=told.stamped.version,
        changed_at=told.changed_at,
        resource=msgspec.Raw(told.stamped.body),
    )


def _wrong(*issues: Issue, status: int | None = None) -> Answer:
    return Answer(status=str(status or status_of(issues)), issues=issues)


async def _batch(doing: Doing, opened_: Opened, work: Work) -> Answered:
    """Each entry for itself: what is wrong with one stops none of the others."""
    rows = await piece_rows(doing.session, doing.row, opened_)
    children = await children_meant(doing.gate, doing.session, doing.client.viewer, opened_)
    by_index = {index: _wrong(*issues) for index, issues in work.refused.items()}
    for index in work.refused:
        row = rows[opened_.pieces[index].path]
        if row.state == "to_match":
            row.state, row.reason = "kept", work.refused[index][0].text
    for entry in work.ordered():
        by_index[entry.index] = await _alone(doing, opened_, entry, rows, children)
    doing.row.kind = work.kind
    await settle(doing.session, doing.row, opened_, rows.values())
    body = answers("batch", [by_index[index] for index in sorted(by_index)])
    return Answered(200, msgspec.json.encode(body).decode())


async def _alone(
    doing: Doing,
    opened_: Opened,
    entry: Entry,
    rows: dict[str, ReceivedPiece],
    children: dict[int, Access],
) -> Answer:
    if entry.request.method in ("GET", "HEAD"):
        return await _read(doing, entry)
    piece = opened_.pieces[entry.index]
    if piece.problems:
        return _wrong(*map(issue_of, piece.problems))
    try:
        planned = await plan(doing, {piece.path: _write_of(entry)})
    except NotDone as refused:
        return _left(rows[piece.path], refused)
    about = opened_.subjects.about.get(piece.path)
    mine = {number: access for number, access in children.items() if number == about}
    try:
        taken = await _taken(doing, opened_, rows, mine, planned)
    except NotDone as refused:
        return _left(rows[piece.path], refused)
    await doing.session.flush()
    return await _answer(doing, opened_, entry, planned, taken)


def _left(row: ReceivedPiece, refused: NotDone) -> Answer:
    """One entry is not done, and the others are."""
    row.state, row.reason = "kept", refused.issues[0].text
    return _wrong(*refused.issues, status=refused.status)
