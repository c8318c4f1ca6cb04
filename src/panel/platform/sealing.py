"""The job that seals events: whatever was committed and stands in no seal gets its place.

Numbers of transactions are not in the order of commits, so none is taken as "all up to here" while
a lower one is still open: a seal says below which number everything is sealed, and the next begins
there, leaving out what has its place already. After a dump is restored into another server the
numbers of old and new events mean nothing together; a seal names its server, and the first on
another looks through all events, once, for those without a place.

It reads events without a lock and writes only tables that no request touches. Dying, it leaves
nothing; redone, it finds the same events without a place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, cast
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql
from psycopg.types.numeric import Int4
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.crypto import Keys, generation_of
from panel.platform.database import DRIVER, DriverConnection
from panel.platform.ids import new_id
from panel.platform.merkle import grown, root_of, split
from panel.platform.seals import (
    FORM,
    NO_SEAL,
    SEAL_COLUMNS,
    SOURCES,
    Event,
    Seal,
    Source,
    event_from,
    without_header,
)
from panel.platform.tables import KEYS, NOW
from panel.platform.tenancy import TENANT, Tenant

AT_MOST = 100_000
"""Events of each table that are sealed together."""
_SEALING = 0x7365616C
"""Of pg_try_advisory_xact_lock: only sealers ask for it."""

_ALONE = "SELECT pg_try_advisory_xact_lock(%s, hashtext(current_schema()))"
_COUNTED = (
    "SELECT (SELECT system_identifier FROM pg_control_system()),"
    " pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint"
)
_LAST = "SELECT {}, peaks FROM audit_seal ORDER BY number DESC LIMIT 1"
_WITHOUT_PLACE = (
    "COPY (SELECT {columns} FROM {table} e WHERE {among}"
    " NOT EXISTS (SELECT FROM audit_leaf l WHERE l.event_id = e.id)"
    " ORDER BY e.transaction NULLS FIRST, e.at, e.id LIMIT {most}) TO STDOUT (FORMAT binary)"
)
_AMONG = "e.transaction >= {low}::text::xid8 AND e.transaction < {high}::text::xid8 AND"
_PLACE = (
    "INSERT INTO audit_leaf (position, event_id, source, hash)"
    " SELECT %s + place - 1, event_id, source, hash FROM"
    " unnest(%b::uuid[], %b::integer[], %b::bytea[]) WITH ORDINALITY"
    " AS placed (event_id, source, hash, place)"
)
_KEY = "SELECT id, wrapped FROM audit_key ORDER BY made_at DESC, id DESC LIMIT 1"
_NEW_KEY = "INSERT INTO audit_key (id, public, wrapped, made_at) VALUES (%s, %s, %s, %s)"


class _Counted(NamedTuple):
    """How the server counts transactions at this moment."""

    server: int
    all_ended_below: int
    none_from: int
    """The sealer's own: whatever has a higher number began after it."""


class _Last(NamedTuple):
    """The seal that the next one follows."""

    end: int
    number: int
    hash: bytes
    peaks: list[bytes]
    server: int | None
    all_below: int | None


def key_name(key: UUID) -> str:
    """What the private part of a key that signs seals is bound to when it is wrapped."""
    return f"audit key {key}"


async def seal_events(session: AsyncSession, *, at_most: int = AT_MOST) -> int:
    """Seal what is committed and has no place yet; returns how many events that were."""
    driver: DriverConnection = session.info[DRIVER]
    alone = await (await driver.execute(_ALONE, [_SEALING])).fetchone()
    if alone is None or not alone[0]:
        return 0  # another sealer is at it, and takes what this one would
    last = await _last(driver, session)
    counted = _Counted(*(await (await driver.execute(_COUNTED)).fetchall())[0])
    sealed = 0
    while True:
        looked_through = last.server == counted.server and last.all_below is not None
        low = last.all_below if looked_through else None
        # One more than is taken says whether anything is left.
        found = [await _without_place(driver, one, low, counted, at_most + 1) for one in SOURCES]
        events = sorted(event for some in found for event in some[:at_most])
        if not events:
            return sealed
        is_all = all(len(some) <= at_most for some in found)
        last = await _seal(
            session, last, counted, events, counted.all_ended_below if is_all else low
        )
        sealed += len(events)
        if is_all:
            return sealed


async def _last(driver: DriverConnection, session: AsyncSession) -> _Last:
    columns = sql.SQL(", ").join(map(sql.Identifier, SEAL_COLUMNS))
    row = await (await driver.execute(sql.SQL(_LAST).format(columns))).fetchone()
    if row is None:
        return _Last(0, 0, NO_SEAL, [], None, None)
    seal = Seal(cast("Tenant", session.info[TENANT]).record.name, *row[:-1])
    return _Last(seal.end, seal.number, seal.hash, split(row[-1]), seal.server, seal.all_below)


async def _without_place(
    driver: DriverConnection, source: Source, low: int | None, counted: _Counted, most: int
) -> list[Event]:
    """Committed events of a table that stand in no seal, in their order, so many at most."""
    among = sql.Composed([])
    if low is not None:
        among = sql.SQL(_AMONG).format(
            low=sql.Literal(str(low)), high=sql.Literal(str(counted.none_from))
        )
    statement = sql.SQL(_WITHOUT_PLACE).format(
        columns=_listed(source.columns),
        table=sql.Identifier(source.table),
        among=among,
        most=sql.Literal(most),
    )
    found: list[Event] = []
    async with driver.cursor().copy(statement) as lines:
        async for sent in lines:
            line = without_header(bytes(sent))
            if line and (event := event_from(line, 2, source)) is not None:
                found.append(event)
    return found


def _listed(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier("e", column) for column in columns)


async def _seal(
    session: AsyncSession,
    last: _Last,
    counted: _Counted,
    events: Sequence[Event],
    all_below: int | None,
) -> _Last:
    driver: DriverConnection = session.info[DRIVER]
    peaks = grown(last.peaks, last.end, (event.hash for event in events))
    key_id, key = await _signing_key(session)
    unsigned = Seal(
        authority=cast("Tenant", session.info[TENANT]).record.name,
        number=last.number + 1,
        form=FORM,
        first=last.end,
        size=len(events),
        root=root_of(peaks),
        previous=last.hash,
        made_at=session.info[NOW],
        server=counted.server,
        all_below=all_below,
        none_from=counted.none_from,
        key_id=key_id,
    )
    seal = replace(unsigned, signature=key.sign(unsigned.statement))
    await driver.execute(
        _PLACE,
        [
            seal.first,
            [UUID(bytes=event.id) for event in events],
            [Int4(event.source) for event in events],
            [event.hash for event in events],
        ],
    )
    columns = [*SEAL_COLUMNS, "peaks"]
    await driver.execute(
        sql.SQL("INSERT INTO audit_seal ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
        ),
        [*(getattr(seal, column) for column in SEAL_COLUMNS), b"".join(peaks)],
    )
    return _Last(seal.end, seal.number, seal.hash, peaks, seal.server, seal.all_below)


async def _signing_key(session: AsyncSession) -> tuple[UUID, Ed25519PrivateKey]:
    """The newest key, made at first use; only one sealer is ever here.

    Once the authority's key was rotated, a new one signs: the old one stays to prove the past.
    """
    driver: DriverConnection = session.info[DRIVER]
    ring = cast("Keys", session.info[KEYS]).ring
    row = await (await driver.execute(_KEY)).fetchone()
    if row is not None and generation_of(row[1]) >= ring.current:
        key_id, wrapped = row
        return key_id, Ed25519PrivateKey.from_private_bytes(ring.unwrap(wrapped, key_name(key_id)))
    key_id, key = new_id(), Ed25519PrivateKey.generate()
    wrapped = ring.wrap(key.private_bytes_raw(), key_name(key_id))
    public = key.public_key().public_bytes_raw()
    await driver.execute(_NEW_KEY, [key_id, public, wrapped, session.info[NOW]])
    return key_id, key
