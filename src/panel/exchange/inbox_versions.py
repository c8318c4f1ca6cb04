"""The sender's own versions: what another system says, as it stands now, found again by what it is.

Its sender reads it back as its own record; others are told of it as consent lets them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from interop.incoming.envelope import value_of
from interop.incoming.received import Piece
from interop.origin import dated, tagged
from interop.outgoing import Json, encode
from interop.references import resolved
from panel.exchange.inbox_models import ReceivedPiece, SenderVersion
from panel.exchange.inbox_receiving import mark
from panel.platform.crypto import Keyring


@dataclass(frozen=True, slots=True)
class Said:
    """What a sender's version says from now on."""

    id: UUID
    """The id of a new one."""
    body: Json
    marks: tuple[bytes, ...] = ()
    about_id: UUID | None = None


def marks_of(piece: Piece, client_id: UUID, ring: Keyring) -> tuple[bytes, ...]:
    """Blind indexes of what a resource is called: its identifiers, and its own id where it came.

    A create leaves the id to the server, so the sender's id there is no name.
    """
    marks = [
        mark(ring, "identifier", client_id, one.system, one.value) for one in piece.identifiers
    ]
    creates = piece.request is not None and piece.request.method == "POST"
    if piece.id and not creates and piece.path.startswith("Bundle."):
        marks.append(mark(ring, "id", client_id, piece.type, piece.id))
    return tuple(sorted(set(marks)))


Name = tuple[str, bytes]
"""A type, and a mark of what something of it is called."""


async def versions_called(
    session: AsyncSession,
    client_id: UUID,
    child_id: UUID,
    marks: Iterable[Name],
    about: Iterable[tuple[str, UUID]],
) -> dict[Name, SenderVersion]:
    """The sender's versions about a child that are so called, or of these rows of ours, by name;
    each held for now.

    What is said of a row of ours is called by the bytes of that row's id.
    """
    wanted, ours = sorted(set(marks)), sorted(set(about))
    if not wanted and not ours:
        return {}
    rows = await session.scalars(
        select(SenderVersion)
        .where(
            # By child and type first: under row-level security no index of the marks is used, and
            # every version that anybody ever sent would be looked at.
            SenderVersion.child_id == child_id,
            SenderVersion.type.in_(sorted({type_ for type_, _ in (*wanted, *ours)})),
            SenderVersion.client_id == client_id,
            or_(
                SenderVersion.identifier_marks.overlap([name for _, name in wanted]),
                SenderVersion.about_id.in_([row for _, row in ours]),
            ),
        )
        .with_for_update()
    )
    # Of several that are called the same, the first there was.
    return {
        (row.type, name): row
        for row in sorted(rows, key=lambda row: row.id, reverse=True)
        for name in (
            *map(bytes, row.identifier_marks),
            *([row.about_id.bytes] if row.about_id else []),
        )
    }


async def own_version(
    session: AsyncSession, agency_id: UUID, type_: str, id_: UUID
) -> SenderVersion | None:
    """A version that the agency's own systems wrote, by its id, held for this transaction."""
    return await session.scalar(
        select(SenderVersion)
        .where(
            SenderVersion.id == id_,
            SenderVersion.type == type_,
            SenderVersion.author_agency_id == agency_id,
        )
        .with_for_update()
    )


def new_version(piece: ReceivedPiece, said: Said) -> SenderVersion:
    """What the piece says becomes the sender's version; it is still to be written."""
    return SenderVersion.unwatched(
        id=said.id,
        child_id=piece.child_id,
        type=piece.type,
        author_agency_id=piece.agency_id,
        client_id=piece.client_id,
        piece_id=piece.id,
        category=piece.category,
        identifier_marks=list(said.marks),
        body=encode(said.body).decode(),
        about_id=said.about_id,
    )


def change_version(row: SenderVersion, piece: ReceivedPiece, said: Said) -> SenderVersion:
    """The sender's version becomes what the piece says."""
    marks = set(map(bytes, row.identifier_marks))
    if not marks.issuperset(said.marks):
        row.identifier_marks = sorted({*marks, *said.marks})
    row.piece_id, row.category = piece.id, piece.category
    row.body = encode(said.body).decode()
    return row


def linked(found: Piece, known: Mapping[str, str]) -> Json:
    """A resource with its references to what came with it resolved."""
    return resolved(found.value, known, beside_of(found.full_url))


def beside_of(full_url: str | None) -> str:
    """What another server's full address has before Type/id; empty where it is none such."""
    if full_url is None or not full_url.startswith(("http://", "https://")):
        return ""
    parts = full_url.rsplit("/", 2)
    return f"{parts[0]}/" if len(parts) == 3 else ""


def own_words(row_id: UUID, body: str) -> Json:
    """A sender's version as it was sent, with our id and `tagged`."""
    return _named(row_id, value_of(msgspec.Raw(body.encode())))


def _named(row_id: UUID, resource: Json) -> Json:
    return tagged({**resource, "id": str(row_id)})


def as_sent(row_id: UUID, changed_at: datetime, body: str) -> Json:
    """A sender's version as its sender reads it back: as it was sent, with our id and moment."""
    return dated(own_words(row_id, body), changed_at)


def told_back(row_id: UUID, changed_at: datetime, resource: Json) -> Json:
    """The same, of a body that was read already."""
    return dated(_named(row_id, resource), changed_at)
