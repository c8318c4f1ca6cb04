"""Where each piece belongs: a new version of its sender's, one that there is, a row of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from interop.incoming.received import Piece
from panel.exchange.inbox_models import Received, SenderVersion
from panel.exchange.inbox_opening import is_put
from panel.exchange.inbox_receiving import keys_of
from panel.exchange.inbox_subjects import uuid_of
from panel.exchange.inbox_versions import marks_of, own_version, versions_called
from panel.exchange.landing import FETCHED
from panel.platform.ids import new_id
from panel.platform.problems import NotAllowed
from panel.records.gate import Access

OF_ANOTHER = "Whom a resource is about stays as it is. Send what is about another child as new."


class OfAnother(NotAllowed):
    """What is said of one child was sent anew, as if it were of another."""

    def __init__(self) -> None:
        super().__init__(OF_ANOTHER)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a piece belongs: which resource it is, and the sender's version that there is."""

    id: UUID
    """Of the resource: the version's, or the row of ours that it speaks of."""
    row_id: UUID
    row: SenderVersion | None
    marks: tuple[bytes, ...]
    about_id: UUID | None = None


async def places_of(
    access: Access, received: Received, kind: str, pieces: Sequence[Piece]
) -> dict[str, Place]:
    """Where the pieces about one child belong, by path. Raises OfAnother."""
    session, child_id = access.session, access.child_id
    ring = (await keys_of(session, received.agency_id)).ring
    marks = {piece.path: marks_of(piece, received.client_id, ring) for piece in pieces}
    ours = await _ours(access, received, kind, pieces)
    called = await versions_called(
        session,
        received.client_id,
        child_id,
        ((piece.type, mark) for piece in pieces for mark in marks[piece.path]),
        (
            (piece.type, there)
            for piece in pieces
            if isinstance(there := ours.get(piece.path), UUID)
        ),
    )
    places: dict[str, Place] = {}
    for piece in pieces:
        there = ours.get(piece.path)
        about_id = there if isinstance(there, UUID) else None
        names = [about_id.bytes] if about_id else marks[piece.path]
        row = there if isinstance(there, SenderVersion) else None
        for name in names:
            row = row or called.get((piece.type, name))
        row_id = new_id() if row is None else row.id
        places[piece.path] = Place(about_id or row_id, row_id, row, marks[piece.path], about_id)
    return places


async def _ours(
    access: Access, received: Received, kind: str, pieces: Sequence[Piece]
) -> dict[str, SenderVersion | UUID]:
    """The pieces that are sent to a place here: a sender's version, or a row that we wrote.

    Raises OfAnother.
    """
    found: dict[str, SenderVersion | UUID] = {}
    for piece in pieces:
        if piece.type == "Patient":
            found[piece.path] = access.child_id
            continue
        id_ = uuid_of(piece.id) if _updates(piece, received, kind) else None
        if id_ is not None:
            own = await own_version(access.session, received.agency_id, piece.type, id_)
            if own is not None and own.child_id != access.child_id:
                raise OfAnother
            found[piece.path] = id_ if own is None else own
    return found


def _updates(piece: Piece, received: Received, kind: str) -> bool:
    """Whether it was sent to take the place of a resource, by somebody whose right to was asked.

    In a document or message an entry's request asks for nothing, nor in what was fetched.
    """
    if piece.request is not None:
        is_asked = kind in ("transaction", "batch") and received.asked != FETCHED
        return is_asked and piece.request.method == "PUT"
    return is_put(received.asked)


def addresses(pieces: Sequence[Piece], places: Mapping[str, Place]) -> dict[str, str]:
    """From what pieces are called by each other to "Type/id" here."""
    known: dict[str, str] = {}
    for piece in pieces:
        here = f"{piece.type}/{places[piece.path].id}"
        if piece.full_url:
            known[piece.full_url] = here
        if piece.id:
            known.setdefault(f"{piece.type}/{piece.id}", here)
    return known
