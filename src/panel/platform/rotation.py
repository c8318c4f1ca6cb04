"""New generations of keys, while people work; ended in the middle, it goes on where it was.

Done as the owner, in small transactions. A key that a newer one is to wrap, or a text that is to be
sealed anew, is written only where it still is what was read, and a row that somebody is writing is
left for the next round: nobody waits for this, and no edit meets a version that changed under it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any, cast
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy.orm import Mapper

from panel.platform.crypto import FIRST_GENERATION, Keyring, Keys, generation_of, new_key
from panel.platform.ids import new_id
from panel.platform.key_service import KeyService
from panel.platform.tables import Base
from panel.platform.tenancy import (
    CONTROL,
    AuthorityRecord,
    authority_named,
    keyring,
    later_key_name,
)

BATCH = 25
"""Holders whose keys are wrapped anew in one transaction."""
ROUNDS = 5
"""How often values are looked at again that somebody was writing."""
_ROTATING = 0x6B657973
"""A number of our own for the lock that one rotation holds."""
_PATIENCE = 30.0
"""Seconds to wait for transactions that began before a key was new."""

_Connection = psycopg.Connection[TupleRow]
Say = Callable[[str], None]


class AlreadyRotating(Exception):
    """Another process rotates keys, in a sentence."""


@dataclass(frozen=True, slots=True)
class SealedField:
    """A column that holds sealed text, and the columns that say whose it is and which row."""

    table: str
    column: str
    key: str
    """The column with the row's id, which the text is bound to."""
    holder: str
    field: str


def sealed_fields() -> list[SealedField]:
    """Every sealed column of every table that is mapped."""
    mappers = cast("list[Mapper[Any]]", list(Base.registry.mappers))
    found: list[SealedField] = []
    for mapper in sorted(mappers, key=lambda one: one.class_.__tablename__):
        model = mapper.class_
        found += [
            SealedField(
                table=model.__tablename__,
                column=mapper.columns[f"{one.name}_sealed"].name,
                key=mapper.columns["id"].name,
                holder=mapper.columns[one.holder].name,
                field=one.field,
            )
            for one in model.__sealed__
        ]
        found += [
            SealedField(model.__tablename__, column, "id", model.__content_holder__, field)
            for column, field in model.__sealed_content__
        ]
    return found


@dataclass(slots=True)
class Rotated:
    """What a rotation did in this run."""

    resumed: bool
    holders: int = 0
    texts: int = 0
    kept: int = 0
    """Texts that stay sealed with the key before: nobody may change their rows."""


@contextmanager
def _rotating(owner_url: str, record: AuthorityRecord) -> Iterator[_Connection]:
    """The owner's connection, with the lock; every statement is a transaction unless said."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        held = connection.execute(
            "SELECT pg_try_advisory_lock(%s, hashtext(%s))",
            [_ROTATING, record.schema_name],
        ).fetchone()
        if held is None or not held[0]:
            raise AlreadyRotating(
                f"Keys of {record.name} are being rotated by another process. Wait for it to end."
            )
        connection.execute(
            sql.SQL("SET search_path = {}").format(sql.Identifier(record.schema_name))
        )
        yield connection


def _begun(connection: _Connection, kind: str) -> tuple[UUID, UUID | None, bool]:
    """The open rotation of a kind: its id, behind which holder it goes on, whether it was there."""
    found = connection.execute(
        "SELECT id, after_id FROM key_rotation WHERE kind = %s AND finished_at IS NULL", [kind]
    ).fetchone()
    if found is not None:
        return found[0], found[1], True
    rotation = new_id()
    connection.execute(
        "INSERT INTO key_rotation (id, kind, holders, texts, started_at) VALUES (%s, %s, 0, 0, %s)",
        [rotation, kind, datetime.now(UTC)],
    )
    return rotation, None, False


def _finish(connection: _Connection, rotation: UUID) -> None:
    connection.execute(
        "UPDATE key_rotation SET finished_at = %s WHERE id = %s", [datetime.now(UTC), rotation]
    )


def rotate_authority_key(
    owner_url: str, record: AuthorityRecord, master: KeyService, say: Say
) -> Rotated:
    """Give an authority a new key and wrap every data key with it, or go on with that."""
    with _rotating(owner_url, record) as connection:
        # Raises where this is not the master key any more: it wraps no new generation then.
        keyring(authority_named(owner_url, record.name), master)
        with connection.transaction():
            rotation, after, resumed = _begun(connection, "authority")
            if not resumed:
                _add_generation(connection, record, master)
        ring = keyring(authority_named(owner_url, record.name), master)
        done = Rotated(resumed)
        say(f"Generation {ring.current} of the key of {record.name}.")
        while True:
            after, wrapped = _wrap_batch(connection, ring, rotation, after)
            done.holders += wrapped
            if wrapped:
                say(f"{done.holders} data keys are wrapped anew.")
            if after is not None:
                continue
            # A process that does not know the new key yet may have made one with the old.
            if _wrapped_before(connection, ring.current) == 0:
                break
        _finish(connection, rotation)
    return done


def _add_generation(connection: _Connection, record: AuthorityRecord, master: KeyService) -> None:
    found = connection.execute("SELECT max(generation) FROM authority_key").fetchone()
    generation = ((found and found[0]) or FIRST_GENERATION) + 1
    connection.execute(
        "INSERT INTO authority_key (id, generation, wrapped, made_at) VALUES (%s, %s, %s, %s)",
        [
            new_id(),
            generation,
            master.wrap(new_key(), later_key_name(record, generation)),
            datetime.now(UTC),
        ],
    )


def _wrap_batch(
    connection: _Connection, ring: Keyring, rotation: UUID, after: UUID | None
) -> tuple[UUID | None, int]:
    """Wrap some data keys anew; the last holder (None at the end) and how many were changed."""
    with connection.transaction():
        rows = connection.execute(
            "SELECT holder_id, wrapped FROM data_key WHERE wrapped IS NOT NULL"
            " AND (%(after)s::uuid IS NULL OR holder_id > %(after)s::uuid)"
            " ORDER BY holder_id LIMIT %(some)s FOR UPDATE",
            {"after": after, "some": BATCH},
        ).fetchall()
        old = [row for row in rows if generation_of(row[1]) != ring.current]
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE data_key SET wrapped = %s WHERE holder_id = %s",
                [(ring.wrapped_anew(holder, wrapped), holder) for holder, wrapped in old],
            )
        last = rows[-1][0] if rows else None
        connection.execute(
            "UPDATE key_rotation SET after_id = %s, holders = holders + %s WHERE id = %s",
            [last, len(old), rotation],
        )
    return last, len(old)


def _wrapped_before(connection: _Connection, generation: int) -> int:
    rows = connection.execute(
        "SELECT substring(wrapped FOR 6) FROM data_key WHERE wrapped IS NOT NULL"
    )
    return sum(generation_of(start) != generation for (start,) in rows)


def left_to_wrap(url: str, record: AuthorityRecord) -> int:
    """How many data keys an older key than the newest wraps."""
    newest = max((one[0] for one in record.later_keys), default=FIRST_GENERATION)
    with psycopg.connect(url) as connection:
        connection.execute(
            sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(record.schema_name))
        )
        return _wrapped_before(connection, newest)


def rotate_master_key(
    owner_url: str, records: Iterable[AuthorityRecord], old: KeyService, new: KeyService
) -> int:
    """Wrap every authority's keys by another master key, all at once; how many were wrapped.

    Raises NotSealedHere where the old one did not wrap them, AlreadyRotating.
    """
    count = 0
    with psycopg.connect(owner_url) as connection, ExitStack() as alone:
        for given in records:
            alone.enter_context(_rotating(owner_url, given))
            # A generation that came since it was read would stay with the old one alone.
            record = authority_named(owner_url, given.name)
            for column, name in (("wrapped_key", "authority"), ("wrapped_index_key", "index")):
                key = old.unwrap(getattr(record, column), f"{name} {record.name}")
                connection.execute(
                    sql.SQL("UPDATE {}.authority SET {} = %s WHERE name = %s").format(
                        sql.Identifier(CONTROL), sql.Identifier(column)
                    ),
                    [new.wrap(key, f"{name} {record.name}"), record.name],
                )
                count += 1
            for generation, wrapped in record.later_keys:
                name = later_key_name(record, generation)
                connection.execute(
                    sql.SQL(
                        "UPDATE {}.authority_key SET wrapped = %s WHERE generation = %s"
                    ).format(sql.Identifier(record.schema_name)),
                    [new.wrap(old.unwrap(wrapped, name), name), generation],
                )
                count += 1
    return count


def rotate_data_keys(
    owner_url: str, record: AuthorityRecord, master: KeyService, say: Say
) -> Rotated:
    """Give every holder a new data key and seal what may be changed with it, or go on with that.

    The keys before stay beside it: rows that nobody may change are opened with them.
    """
    with _rotating(owner_url, record) as connection:
        with connection.transaction():
            rotation, after, resumed = _begun(connection, "data")
        ring = keyring(authority_named(owner_url, record.name), master)
        fields, kept = _changeable(connection)
        done = Rotated(resumed)
        while (holder := _next_holder(connection, after)) is not None:
            after = holder
            done.texts += _with_new_key(connection, ring, rotation, holder, fields)
            done.holders += 1
            if done.holders % BATCH == 0:
                say(f"{done.holders} holders have a new data key.")
        # Who began before their holder's key was new may have written with the old one since.
        for _ in range(ROUNDS):
            _wait_for_older(connection)
            if (left := _seal_what_is_left(connection, ring, fields)) == 0:
                break
            done.texts += left
        done.kept = sum(_count(connection, one) for one in kept)
        _finish(connection, rotation)
    return done


def _changeable(connection: _Connection) -> tuple[list[SealedField], list[SealedField]]:
    """The sealed columns that the serving role may change, and those that are only added to."""
    changeable: list[SealedField] = []
    kept: list[SealedField] = []
    for one in sealed_fields():
        found = connection.execute(
            "SELECT has_column_privilege('panel_app', %s::regclass, %s, 'UPDATE')",
            [one.table, one.column],
        ).fetchone()
        (changeable if found is not None and found[0] else kept).append(one)
    return changeable, kept


def _count(connection: _Connection, one: SealedField) -> int:
    found = connection.execute(
        sql.SQL("SELECT count({}) FROM {}").format(
            sql.Identifier(one.column), sql.Identifier(one.table)
        )
    ).fetchone()
    return 0 if found is None else int(found[0])


def _next_holder(connection: _Connection, after: UUID | None) -> UUID | None:
    found = connection.execute(
        "SELECT holder_id FROM data_key WHERE wrapped IS NOT NULL"
        " AND (%(after)s::uuid IS NULL OR holder_id > %(after)s::uuid)"
        " ORDER BY holder_id LIMIT 1",
        {"after": after},
    ).fetchone()
    return None if found is None else found[0]


def _with_new_key(
    connection: _Connection, ring: Keyring, rotation: UUID, holder: UUID, fields: list[SealedField]
) -> int:
    """One holder, in one transaction: a new key, what is sealed with it, and how far it is."""
    with connection.transaction():
        found = connection.execute(
            "SELECT wrapped FROM data_key WHERE holder_id = %s AND wrapped IS NOT NULL FOR UPDATE",
            [holder],
        ).fetchone()
        sealed = 0
        if found is not None:
            wrapped = ring.with_another_key(holder, found[0])
            connection.execute(
                "UPDATE data_key SET wrapped = %s WHERE holder_id = %s", [wrapped, holder]
            )
            sealed = _seal_anew(connection, ring, holder, wrapped, fields)
        connection.execute(
            "UPDATE key_rotation SET after_id = %s, holders = holders + 1, texts = texts + %s"
            " WHERE id = %s",
            [holder, sealed, rotation],
        )
    return sealed


def _seal_anew(
    connection: _Connection, ring: Keyring, holder: UUID, wrapped: bytes, fields: list[SealedField]
) -> int:
    keys = Keys(ring)
    keys.add(holder, wrapped)
    current = ring.data_key(holder, wrapped).current
    count = 0
    for one in _with_rows(connection, holder, fields):
        named = {
            "table": sql.Identifier(one.table),
            "column": sql.Identifier(one.column),
            "key": sql.Identifier(one.key),
            "holder": sql.Identifier(one.holder),
        }
        # A row that somebody writes at this moment is skipped: waiting for each other, one of the
        # two would be ended, and it might be theirs.
        rows = connection.execute(
            sql.SQL(
                "SELECT {key}, substring({column} FOR 6) FROM {table} WHERE {holder} = %s"
                " AND {column} IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED"
            ).format(**named),
            [holder],
        ).fetchall()
        for row in [key for key, start in rows if generation_of(start) != current]:
            # One at a time: a document has megabytes.
            stored = connection.execute(
                sql.SQL("SELECT {column} FROM {table} WHERE {key} = %s").format(**named), [row]
            ).fetchone()
            sealed = b"" if stored is None else stored[0]
            text = keys.open_bytes(holder, one.field, row, sealed)
            connection.execute(
                sql.SQL("UPDATE {table} SET {column} = %s WHERE {key} = %s").format(**named),
                [keys.seal_bytes(holder, one.field, row, text), row],
            )
            count += 1
    return count


def _with_rows(
    connection: _Connection, holder: UUID, fields: list[SealedField]
) -> list[SealedField]:
    """The fields of tables in which the holder has rows, asked at once: most have none in most.

    What comes in meanwhile is looked for at the end.
    """
    tables = sorted({(one.table, one.holder) for one in fields})
    asked = sql.SQL(" UNION ALL ").join(
        sql.SQL(
            "SELECT {name}, {whose} WHERE EXISTS (SELECT FROM {table} WHERE {holder} = %(holder)s)"
        ).format(
            name=sql.Literal(table),
            whose=sql.Literal(whose),
            table=sql.Identifier(table),
            holder=sql.Identifier(whose),
        )
        for table, whose in tables
    )
    found = set(connection.execute(asked, {"holder": holder}).fetchall())
    return [one for one in fields if (one.table, one.holder) in found]


def _seal_what_is_left(connection: _Connection, ring: Keyring, fields: list[SealedField]) -> int:
    """What is sealed with an older key than its holder's newest, sealed anew."""
    count = 0
    current = {
        holder: (wrapped, ring.data_key(holder, wrapped).current)
        for holder, wrapped in connection.execute(
            "SELECT holder_id, wrapped FROM data_key WHERE wrapped IS NOT NULL"
        )
    }
    for one in fields:
        rows = connection.execute(
            sql.SQL(
                "SELECT DISTINCT {holder}, substring({column} FOR 6) FROM {table}"
                " WHERE {column} IS NOT NULL"
            ).format(
                holder=sql.Identifier(one.holder),
                column=sql.Identifier(one.column),
                table=sql.Identifier(one.table),
            )
        ).fetchall()
        behind = {
            holder
            for holder, start in rows
            if holder in current and generation_of(start) != current[holder][1]
        }
        for holder in behind:
            with connection.transaction():
                count += _seal_anew(connection, ring, holder, current[holder][0], [one])
    return count


def _wait_for_older(connection: _Connection) -> None:
    """Wait until every transaction that goes on now has ended, for a while."""
    held = (
        "SELECT virtualtransaction FROM pg_locks"
        " WHERE locktype = 'virtualxid' AND pid <> pg_backend_pid()"
    )
    older = {row[0] for row in connection.execute(held)}
    deadline = monotonic() + _PATIENCE
    while older and monotonic() < deadline:
        older &= {row[0] for row in connection.execute(held)}
        if older:
            sleep(0.05)
