"""Bytes first: what comes is kept, in a transaction of its own, before anybody looks at it."""

from dataclasses import dataclass
from hashlib import sha256
from typing import cast
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from panel.exchange.entering import Client
from panel.exchange.inbox_models import (
    CONTENT_FIELD,
    MAY_BECOME,
    RAW_FIELD,
    Received,
    ReceivedPiece,
)
from panel.exchange.inbox_room import LIES, require_room
from panel.platform.crypto import Keyring, Keys
from panel.platform.ids import new_id
from panel.platform.read_models import for_driver, rows_of, sql
from panel.platform.tables import KEYS, NOW, load_or_make
from panel.platform.tenancy import Tenant, load_agency_keys, load_keys


@dataclass(frozen=True, slots=True)
class Sending:
    """What a client sends: the request line with its conditions, and the bytes."""

    asked: str
    """"POST Condition"; never what a query says."""
    conditions: str
    """Headers that change what is asked for."""
    body: bytes
    once: bool = True
    """Whether the same sent again is the same; an update is not, since another may come between."""


def mark(ring: Keyring, kind: str, client_id: UUID, *said: str) -> bytes:
    """The blind index of something that a client sent."""
    return ring.index(f"received.{kind}", "\0".join((str(client_id), *said)))


def storable(said: str) -> str:
    """A text of a sender's as the database can keep it; its bytes are kept as they came."""
    return said.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


async def receive(tenant: Tenant, client: Client, sending: Sending) -> UUID:
    """Keep what came; the id of the row, which is the same where the same came before.

    Committed when it returns. Two at once give the same row: the second waits for the first.
    Raises NoRoom where as much of the client's waits as may.
    """
    async with tenant.transaction(client.viewer.id) as session:
        await load_agency_keys(session, {client.agency_id})
        keys = await keys_of(session, client.agency_id)
        row_id = new_id()
        again = "" if sending.once else str(row_id)
        index = mark(
            keys.ring,
            "content",
            client.viewer.id,
            sending.asked,
            sending.conditions,
            again,
            sha256(sending.body).hexdigest(),
        )
        sealed = keys.seal_bytes(client.agency_id, CONTENT_FIELD, row_id, sending.body)
        given = {
            "id": row_id,
            "client": client.viewer.id,
            "agency": client.agency_id,
            "asked": sending.asked,
            "content": sealed,
            "index": index,
            "long": len(sending.body),
            "scopes": list(client.scopes.listed()),
            "now": session.info[NOW],
        }
        [(is_kept, waiting, held)] = await rows_of(session, _KEEP, given)
        if is_kept:
            # What the statement itself put there it does not count.
            await require_room(session, waiting + 1, held + len(sending.body))
            return row_id
        await session.execute(
            update(Received)
            .where(
                Received.client_id == client.viewer.id,
                Received.content_index == index,
                Received.state.in_(MAY_BECOME),
                Received.scopes.is_distinct_from(given["scopes"]),
            )
            # Sent again, it comes with what its client may do by now; nothing else of it changes.
            .values(scopes=given["scopes"])
            .execution_options(synchronize_session=False)
        )
        return (
            await session.execute(
                select(Received.id).where(
                    Received.client_id == client.viewer.id, Received.content_index == index
                )
            )
        ).scalar_one()


_KEEP = for_driver(
    sql(
        "WITH kept AS (INSERT INTO received (id, client_id, agency_id, holder_id, asked, kind,"
        " content, content_index, bytes_long, scopes, state, tries, created_at, created_by,"
        " changed_at, changed_by, version) VALUES (:id, :client, :agency, :agency, :asked, '',"
        " :content, :index, :long, :scopes, 'new', 0, :now, :client, :now, :client, 1)"
        " ON CONFLICT (client_id, content_index) DO NOTHING RETURNING 1),"
        " lies AS ({lies}) SELECT EXISTS (SELECT FROM kept), waiting, held FROM lies",
        lies=LIES,
    )
)


async def keys_of(session: AsyncSession, *holders: UUID) -> Keys:
    """The transaction's keys, with those of these holders at hand, made where there were none."""
    keys = cast("Keys", session.info[KEYS])
    await load_keys(session, set(holders))
    if keys.missing(holders):
        await session.run_sync(load_or_make, keys, holders)
    return keys


async def content_of(session: AsyncSession, row: Received) -> bytes:
    """The bytes as they came (or what stood around them, once each piece is with its child)."""
    keys = await keys_of(session, row.holder_id)
    return keys.open_bytes(row.holder_id, CONTENT_FIELD, row.id, row.content)


async def keep_for(session: AsyncSession, row: Received, holder: UUID, content: bytes) -> None:
    """Seal what came for whom it is about."""
    keys = await keys_of(session, row.holder_id, holder)
    answer = row.answer
    row.holder_id = holder
    row.content = keys.seal_bytes(holder, CONTENT_FIELD, row.id, content)
    row.answer = answer


async def keep_piece_for(session: AsyncSession, piece: ReceivedPiece, child_id: UUID) -> None:
    """Seal one resource for the child whom it is about."""
    if piece.holder_id == child_id:
        return
    keys = await keys_of(session, piece.holder_id, child_id)
    raw = keys.open_bytes(piece.holder_id, RAW_FIELD, piece.id, piece.raw)
    full_url, sender_id = piece.full_url, piece.sender_id
    piece.child_id = piece.holder_id = child_id
    piece.raw = keys.seal_bytes(child_id, RAW_FIELD, piece.id, raw)
    piece.full_url, piece.sender_id = full_url, sender_id
