"""What was kept is taken in: taken apart, its children found, each piece put where it belongs.

Nothing that a worker wrote changes here. What would change it is offered; the rest stands as the
sender's own version on the child's record; what is broken waits for somebody, with the reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose, Viewer, ViewerKind
from interop.incoming.received import Piece
from interop.outgoing import Json
from panel.accounts.desk import usual_purposes
from panel.exchange.inbox_categories import category_of
from panel.exchange.inbox_matching import match
from panel.exchange.inbox_models import RAW_FIELD, Received, ReceivedPiece, SenderVersion
from panel.exchange.inbox_notifications import (
    refer_notified,
    the_one_panel,
)
from panel.exchange.inbox_offers import changes_by, offer
from panel.exchange.inbox_opening import Opened, around
from panel.exchange.inbox_places import Place, addresses, places_of
from panel.exchange.inbox_receiving import (
    keep_for,
    keep_piece_for,
    keys_of,
    storable,
)
from panel.exchange.inbox_superseded import SAID_SINCE, said_since
from panel.exchange.inbox_versions import (
    Said,
    change_version,
    linked,
    new_version,
)
from panel.panels.models import Panel
from panel.platform.ids import new_id
from panel.platform.many_rows import insert_many
from panel.platform.problems import NotAllowed
from panel.platform.read_models import for_driver, rows_of
from panel.records.gate import Access, Gate
from panel.register.models import Child

SENT = "sent something about the child from another system"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one piece."""

    type: str
    id: UUID
    is_new: bool
    row: SenderVersion | None
    """The sender's version; None where it is a row of ours and nothing else is kept of it."""
    is_offered: bool = False
    said: Json | None = None
    """What the version says, where it was written just now."""


@dataclass(slots=True)
class Taken:
    """What became of what was received."""

    results: dict[str, Result] = field(default_factory=dict)
    """By path; absent for a piece that waits or is broken."""
    offers: int = 0
    notified: bool = False
    records: dict[UUID, Access] = field(default_factory=dict)
    """The records that it was put on, where that changed nothing of who may see them."""


async def children_meant(
    gate: Gate, session: AsyncSession, viewer: Viewer, opened_: Opened
) -> dict[int, Access]:
    """The records of those who are meant and whom the viewer reaches, opened to write to.

    One who is not reached is absent, as is one who is not here: nothing tells them apart. So is one
    who is notified of where there are several panels: who takes it in chooses.
    """
    with session.no_autoflush:
        chosen = await _to_choose_for(session, opened_)
        meant = {n: one for n, one in enumerate(opened_.subjects.meant) if n not in chosen}
        matched = await match(gate, session, viewer, meant)
    found = matched.children
    if not found:
        return {}
    records: dict[UUID, Access] = {}
    if matched.read:
        # What was decided to find out who is meant is not read and decided a second time.
        read = matched.read.values()
        records |= gate.open_found(session, read, viewer, (Purpose.EXCHANGE,), SENT)
    if others := set(found.values()) - records.keys():
        is_client = viewer.kind is ViewerKind.CLIENT
        why = (Purpose.EXCHANGE,) if is_client else usual_purposes(viewer)
        records |= await gate.open_here(session, others, viewer, why, SENT)
    return {number: records[child] for number, child in found.items() if child in records}


async def _to_choose_for(session: AsyncSession, opened_: Opened) -> set[int | None]:
    """Those for whom somebody must choose a panel."""
    if not opened_.notifications or await the_one_panel(session) is not None:
        return set()
    return {opened_.subjects.about.get(path) for path in opened_.notifications}


async def piece_rows(
    session: AsyncSession,
    row: Received,
    opened_: Opened,
    children: Mapping[int, Access] = MappingProxyType({}),
) -> dict[str, ReceivedPiece]:
    """A row for each piece, by path: those that were there from an earlier try, and new ones.

    Args: `children` where it is certain already of everybody who it is: what is new is sealed for
    them at once.
    """
    there = await _pieces_of(session, row)
    if there and len(there) < len(opened_.pieces):
        raise NotAllowed("A part of this is about a child whose record you do not reach.")
    keys = await keys_of(session, row.agency_id)
    for piece in opened_.pieces:
        one = there.get(piece.path)
        described = _described(piece, opened_.subjects.about.get(piece.path))
        if one is None:
            access = children.get(opened_.subjects.about.get(piece.path, -1))
            child_id = None if access is None else access.child_id
            holder = child_id or row.agency_id
            row_id = new_id()
            there[piece.path] = ReceivedPiece.unwatched(
                id=row_id,
                received_id=row.id,
                client_id=row.client_id,
                agency_id=row.agency_id,
                child_id=child_id,
                holder_id=holder,
                path=piece.path,
                raw=keys.seal_bytes(holder, RAW_FIELD, row_id, bytes(piece.raw)),
                full_url=storable(piece.full_url or ""),
                sender_id=storable(piece.id or ""),
                **described,
            )
        elif one.state not in ("matched", "not_ours"):
            for name, value in described.items():
                setattr(one, name, value)
    return there


async def _pieces_of(session: AsyncSession, row: Received) -> dict[str, ReceivedPiece]:
    """By path, what an earlier try left; what just came was not tried before."""
    if row.state == "new":
        return {}
    found = await session.scalars(select(ReceivedPiece).where(ReceivedPiece.received_id == row.id))
    return {one.path: one for one in found}


def _described(piece: Piece, about: int | None) -> dict[str, object]:
    """What a piece's row says of it before it is anybody's."""
    wrong = piece.problems[0] if piece.problems else None
    return {
        "type": piece.type,
        "about": about,
        "category": category_of(piece.type, piece.message).value,
        "kept": [storable(path) for path in piece.kept],
        "reason": piece.set_aside if wrong is None else storable(wrong.reason),
        "reason_path": None if wrong is None else storable(wrong.place),
        "state": "quarantined" if wrong else "kept" if about is None else "to_match",
    }


async def take_for(
    access: Access,
    row: Received,
    opened_: Opened,
    rows: Mapping[str, ReceivedPiece],
    pieces: Iterable[Piece],
    panel: Panel | None,
    there: Mapping[str, str] = MappingProxyType({}),
) -> Taken:
    """Put the pieces that are about one child on the child's record.

    Args: `there` leads from addresses of what came with them, and is here already, to "Type/id".
    Raises OfAnother, before anything is put there, where one is sent in place of what is said of
    another child.
    """
    session, child_id = access.session, access.child_id
    asked = list(pieces)
    # What an earlier try put on the record stays as it is there.
    mine = [piece for piece in asked if rows[piece.path].state != "matched"]
    whole = [piece for piece in mine if not piece.problems]
    with session.no_autoflush:
        places = await places_of(access, row, opened_.parsed.kind, whole)
        # Held, so that each piece that would change it finds it at hand.
        child = await session.get(Child, child_id)
        late = await said_since(access, row, {path: one.row for path, one in places.items()})
    for piece in mine:
        await keep_piece_for(session, rows[piece.path], child_id)
    for piece in whole:
        one = rows[piece.path]
        one.state = "matched"
        one.became_type, one.became_id = piece.type, places[piece.path].id
        if piece.path in late:
            one.reason = SAID_SINCE
    known = {
        **_put_before(asked, rows),
        **addresses(whole, places),
        **there,
        **dict.fromkeys(_names(opened_, rows, mine), f"Patient/{child_id}"),
    }
    whole = [piece for piece in whole if piece.path not in late]
    taken = Taken()
    said = {
        piece.path: Said(place.row_id, linked(piece, known), place.marks, place.about_id)
        for piece in whole
        for place in [places[piece.path]]
    }
    fresh = unwritten(rows[piece.path] for piece in asked)
    versions = await _versions(session, fresh, rows, places, said)
    for piece in whole:
        place, one = places[piece.path], rows[piece.path]
        changes = await changes_by(session, child, piece.message, piece.present, place.about_id)
        offers = await offer(session, child_id, one, changes)
        taken.offers += offers
        taken.results[piece.path] = Result(
            piece.type,
            place.id,
            place.row is None and place.about_id is None,
            None if place.about_id else versions[piece.path],
            is_offered=offers > 0,
            said=said[piece.path].body,
        )
        notification = opened_.notifications.get(piece.path)
        if notification is not None and panel is not None:
            agency = row.agency_id
            taken.notified |= await refer_notified(session, child_id, panel, agency, notification)
    return taken


async def _versions(
    session: AsyncSession,
    fresh: Sequence[ReceivedPiece],
    rows: Mapping[str, ReceivedPiece],
    places: Mapping[str, Place],
    said: Mapping[str, Said],
) -> dict[str, SenderVersion]:
    """Write the pieces that are not written yet, and what their sender says by them, by path."""
    new = {
        path: new_version(rows[path], one) for path, one in said.items() if places[path].row is None
    }
    await insert_many(session, fresh, list(new.values()))
    changed: dict[str, SenderVersion] = {}
    for path, one in said.items():
        if (there := places[path].row) is not None:
            # It refers to its piece, which is there by now.
            changed[path] = change_version(there, rows[path], one)
    # Those that were there say from now on when they were changed.
    await session.flush()
    return new | changed


def _put_before(pieces: Sequence[Piece], rows: Mapping[str, ReceivedPiece]) -> dict[str, str]:
    """The addresses of what is on the record from an earlier try."""
    return {
        piece.full_url: f"{row.became_type}/{row.became_id}"
        for piece in pieces
        if piece.full_url and (row := rows[piece.path]).state == "matched"
    }


def _names(
    opened_: Opened, rows: Mapping[str, ReceivedPiece], pieces: Sequence[Piece]
) -> list[str]:
    """By what the pieces of one child refer to the child."""
    numbers = {rows[piece.path].about for piece in pieces}
    return [name for name, number in opened_.subjects.names.items() if number in numbers]


async def take_in(
    gate: Gate, session: AsyncSession, viewer: Viewer, row: Received, opened_: Opened
) -> Taken:
    """Take in what was received, in its client's transaction; the row is held by it."""
    row.kind = opened_.parsed.kind
    row.tries += 1
    broken = opened_.parsed.broken
    if broken is not None:
        row.state, row.reason, row.path = "quarantined", broken.reason, broken.path
        return Taken()
    rows = await piece_rows(session, row, opened_)
    children = await children_meant(gate, session, viewer, opened_)
    taken = Taken()
    if row.kind == "transaction" and not _is_whole(opened_, children):
        await settle(session, row, opened_, rows.values())
        if any(piece.problems for piece in opened_.pieces):
            row.state = "quarantined"
        return taken
    panel = await the_one_panel(session) if opened_.notifications else None
    for number, access in children.items():
        mine = [one for one in opened_.pieces if opened_.subjects.about.get(one.path) == number]
        for_child = await take_for(access, row, opened_, rows, mine, panel)
        taken.results |= for_child.results
        taken.offers += for_child.offers
        taken.notified |= for_child.notified
    await settle(session, row, opened_, rows.values(), taken.offers)
    return taken


def _is_whole(opened_: Opened, children: Mapping[int, Access]) -> bool:
    """Whether nothing is broken and it is certain of everybody who it is."""
    broken = any(piece.problems for piece in opened_.pieces)
    return not broken and len(children) == len(opened_.subjects.meant)


def unwritten(pieces: Iterable[ReceivedPiece]) -> list[ReceivedPiece]:
    """The pieces that are not written yet."""
    return [one for one in pieces if inspect(one).transient]


async def settle(
    session: AsyncSession,
    row: Received,
    opened_: Opened,
    pieces: Iterable[ReceivedPiece],
    offers: int | None = None,
) -> None:
    """Say how far what was received is, and seal it for whom it is about once that is known.

    Args: `offers`, how many changes were offered just now, where that is known.
    """
    some = list(pieces)
    await insert_many(session, unwritten(some))
    if offers is None or row.state != "new":
        is_offered = await _has_open(session, row.id)
    else:
        # Of what just came nothing was offered before.
        is_offered = offers > 0
    states = {one.state for one in some}
    wrong = next((one for one in some if one.state == "quarantined"), None)
    row.reason, row.path = (None, None) if wrong is None else (wrong.reason, wrong.reason_path)
    if "to_match" in states:
        row.state = "to_match"
    elif wrong is not None:
        row.state = "quarantined"
    elif states == {"not_ours"}:
        row.state = "not_ours"
    else:
        row.state = "offered" if is_offered else "done"
    holders = {one.holder_id for one in some}
    if row.holder_id == row.agency_id and "to_match" not in states and row.agency_id not in holders:
        if len(holders) == 1:
            await keep_for(session, row, holders.pop(), opened_.body)
        else:
            await keep_for(session, row, row.agency_id, around(opened_))


async def _has_open(session: AsyncSession, received_id: UUID) -> bool:
    return bool(await rows_of(session, _OPEN, {"received": received_id}))


_OPEN = for_driver(
    "SELECT 1 FROM proposal WHERE received_id = :received AND state = 'open' LIMIT 1"
)
