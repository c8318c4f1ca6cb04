"""Authorities: each has a schema, a host name and keys of its own."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import cast
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import TupleRow, class_row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from panel.platform.clock import Clock
from panel.platform.crypto import DataKey, Keyring, Keys, NotSealedHere, new_key
from panel.platform.database import NOBODY, Database, Scope
from panel.platform.key_service import KeyService, NoMasterKey
from panel.platform.read_models import ReadModel, for_driver
from panel.platform.tables import KEYS, NOW, VIEWER

TENANT = "tenant"
"""Name in `session.info`: the authority of the transaction."""
CONTROL = "panel_control"
"""The schema that lists the authorities."""


class NoSuchAuthority(Exception):
    """No authority of that name or host, in a sentence."""


class AuthorityExists(Exception):
    """There is one of that name or host already, in a sentence."""


@dataclass(frozen=True, slots=True)
class AuthorityRecord:
    """One line of the list of authorities."""

    name: str
    label: str
    host: str
    schema_name: str
    accent: str
    demo: bool
    wrapped_key: bytes
    wrapped_index_key: bytes
    later_keys: tuple[tuple[int, bytes], ...] = ()
    """Generations of the authority's key after the first, wrapped."""


_COLUMNS = "name, label, host, schema_name, accent, demo, wrapped_key, wrapped_index_key"


def schema_name(name: str) -> str:
    """The schema of an authority: "wexcombe" → "authority_wexcombe"."""
    return "authority_" + re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def authorities(url: str) -> list[AuthorityRecord]:
    """All authorities, by name; empty before the first migration."""
    with psycopg.connect(url, autocommit=True) as connection:
        present = connection.execute("SELECT to_regclass(%s)", [f"{CONTROL}.authority"]).fetchone()
        if present is None or present[0] is None:
            return []
        cursor = connection.cursor(row_factory=class_row(AuthorityRecord))
        found = cursor.execute(
            sql.SQL("SELECT {} FROM {}.authority ORDER BY name").format(
                sql.SQL(_COLUMNS), sql.Identifier(CONTROL)
            )
        ).fetchall()
        return [replace(one, later_keys=_later_keys(connection, one.schema_name)) for one in found]


def _later_keys(
    connection: psycopg.Connection[TupleRow], schema: str
) -> tuple[tuple[int, bytes], ...]:
    """Generations after the first, wrapped; none before the migration that brings them.

    None for a role that may not read them either: an auditor proves the seals without a key.
    """
    readable = connection.execute(
        "SELECT has_table_privilege(to_regclass(%s), 'SELECT')",
        [sql.Identifier(schema, "authority_key").as_string(None)],
    ).fetchone()
    if readable is None or not readable[0]:
        return ()
    rows = connection.execute(
        sql.SQL("SELECT generation, wrapped FROM {}.authority_key ORDER BY 1").format(
            sql.Identifier(schema)
        )
    )
    return tuple((generation, bytes(wrapped)) for generation, wrapped in rows)


def authority_named(url: str, name: str | None) -> AuthorityRecord:
    """The authority of a name, or the only one. Raises NoSuchAuthority with a sentence."""
    found = authorities(url)
    if name is None:
        if len(found) == 1:
            return found[0]
        raise NoSuchAuthority(
            "There is no authority yet. Add one with: panel authority add NAME --host HOST"
            if not found
            else "There are several authorities; say which with --authority NAME: "
            + ", ".join(one.name for one in found)
        )
    for one in found:
        if one.name == name:
            return one
    raise NoSuchAuthority(f"There is no authority called {name}.")


def record_authority(
    owner_url: str, master: KeyService, *, name: str, label: str, host: str, demo: bool
) -> AuthorityRecord:
    """Write a new authority with new keys into the list; its schema is created, still empty."""
    record = AuthorityRecord(
        name=name,
        label=label,
        host=host,
        schema_name=schema_name(name),
        accent="teal",
        demo=demo,
        wrapped_key=master.wrap(new_key(), f"authority {name}"),
        wrapped_index_key=master.wrap(new_key(), f"index {name}"),
    )
    with psycopg.connect(owner_url) as connection:
        add_to_list(connection, record)
        connection.execute(
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(record.schema_name))
        )
    return record


def add_to_list(connection: psycopg.Connection[TupleRow], record: AuthorityRecord) -> None:
    """Write an authority into the list, from when on it is served. Raises AuthorityExists."""
    try:
        connection.execute(
            sql.SQL("INSERT INTO {}.authority ({}) VALUES ({})").format(
                sql.Identifier(CONTROL),
                sql.SQL(_COLUMNS),
                sql.SQL(", ").join([sql.Placeholder()] * 8),
            ),
            [getattr(record, column.strip()) for column in _COLUMNS.split(",")],
        )
    except psycopg.errors.UniqueViolation as error:
        raise AuthorityExists(
            f"There is an authority called {record.name}, or one at {record.host}, already."
        ) from error


def later_keys_of(url: str, schema: str) -> tuple[tuple[int, bytes], ...]:
    """Generations of the key of an authority after the first, wrapped, as its schema has them."""
    with psycopg.connect(url, autocommit=True) as connection:
        return _later_keys(connection, schema)


def later_key_name(record: AuthorityRecord, generation: int) -> str:
    """The name to which a later generation of an authority's key is bound."""
    return f"authority {record.name} {generation}"


def keyring(record: AuthorityRecord, master: KeyService) -> Keyring:
    """The authority's keys, unwrapped. Raises NoMasterKey with a sentence."""
    try:
        ring = Keyring(
            master.unwrap(record.wrapped_key, f"authority {record.name}"),
            master.unwrap(record.wrapped_index_key, f"index {record.name}"),
            _unwrapped(record, master, record.later_keys),
        )
    except NotSealedHere as error:
        raise NoMasterKey(
            f"The keys of {record.name} were wrapped by another master key than the one that is"
            f" set ({master.key_id}). Set the one that was in use."
        ) from error
    ring.later_from = partial(_unwrapped, record, master)
    return ring


def _unwrapped(
    record: AuthorityRecord, master: KeyService, later: Iterable[tuple[int, bytes]]
) -> dict[int, bytes]:
    return {
        generation: master.unwrap(wrapped, later_key_name(record, generation))
        for generation, wrapped in later
    }


class _StoredKeys:
    """The database, asked again for keys by a process that runs since before a rotation."""

    def __init__(self, url: str, schema: str) -> None:
        self._url = url
        self._schema = schema

    def later_keys(self) -> tuple[tuple[int, bytes], ...]:
        """The authority's later keys, wrapped, by generation."""
        return later_keys_of(self._url, self._schema)

    def data_key(self, holder: UUID) -> bytes | None:
        """A holder's data key, wrapped; None once it was destroyed."""
        statement = sql.SQL("SELECT wrapped FROM {}.data_key WHERE holder_id = %s")
        with psycopg.connect(self._url, autocommit=True) as connection:
            found = connection.execute(
                statement.format(sql.Identifier(self._schema)), [holder]
            ).fetchone()
        return None if found is None else found[0]


class Tenant:
    """One authority as a running service sees it: its tables, its keys, its clock."""

    def __init__(
        self, record: AuthorityRecord, database: Database, ring: Keyring, clock: Clock
    ) -> None:
        """Args: the authority's line in the list, the role's pool, its keys, the clock."""
        self.record = record
        self.database = database
        self.ring = ring
        self.ring.stored = _StoredKeys(database.url, record.schema_name)
        self.clock = clock
        self._directory: dict[UUID, DataKey] = {}
        self._look_ups: dict[str, str] = {}

    def scope(self, viewer: UUID, now: datetime | None = None) -> Scope:
        """What a transaction of this viewer sets."""
        return Scope(self.record.schema_name, viewer, now or self.clock.now())

    def remember(self, keys: Mapping[UUID, DataKey]) -> None:
        """Keep the agencies' keys (their workers' names) at hand for every transaction."""
        self._directory.update(keys)

    def keys(self) -> Keys:
        """A transaction's keys, with the agencies' already known."""
        return Keys(self.ring, self._directory)

    @asynccontextmanager
    async def transaction(self, viewer: UUID = NOBODY) -> AsyncIterator[AsyncSession]:
        """A session in one transaction as this viewer; commits at the end, or nothing happened."""
        scope = self.scope(viewer)
        async with self.database.session(scope) as session:
            session.info[KEYS] = self.keys()
            session.info[NOW] = scope.now
            session.info[VIEWER] = viewer
            session.info[TENANT] = self
            yield session

    async def look_up(self, statement: str, **given: object) -> list[TupleRow]:
        """One statement that reads what no fence holds, with `{schema}.` before each table.

        It is its own transaction: one message to the server instead of three.
        """
        told = self._look_ups.get(statement)
        if told is None:
            schema = sql.Identifier(self.record.schema_name).as_string(None)
            told = for_driver(statement).replace("{schema}", schema)
            self._look_ups[statement] = told
        return await self.database.ask(told, given)

    async def look_up_as(self, viewer: UUID, statement: str, **given: object) -> list[TupleRow]:
        """One statement in a transaction of its own, behind the fences of this viewer."""
        return await self.database.ask_as(self.scope(viewer), for_driver(statement), given)

    @asynccontextmanager
    async def reading(self, viewer: UUID = NOBODY) -> AsyncIterator[AsyncConnection]:
        """A connection in one transaction as this viewer, for read models."""
        async with self.database.connection(self.scope(viewer)) as connection:
            yield connection


async def load_keys(session: AsyncSession, holders: set[UUID]) -> None:
    """Have the stored data keys of these holders at hand; an erased one stays absent."""
    keys: Keys = session.info[KEYS]
    missing = keys.missing(holders)
    if not missing:
        return
    stored = {
        line.holder: bytes.fromhex(line.wrapped)
        for line in await _STORED_KEYS.lines(session, holders=missing)
    }
    if not all(keys.ring.knows(wrapped) for wrapped in stored.values()):
        # A key that came since this process started: whoever else is served does not wait for it.
        await keys.ring.ready()
    for holder, wrapped in stored.items():
        keys.add(holder, wrapped)


async def load_agency_keys(session: AsyncSession, agencies: set[UUID]) -> None:
    """As `load_keys`, for agencies; kept at hand, since an agency is no person to be erased."""
    keys: Keys = session.info[KEYS]
    missing = keys.missing(agencies)
    if missing:
        await load_keys(session, agencies)
        cast("Tenant", session.info[TENANT]).remember(keys.known(missing))


class _StoredKey(msgspec.Struct):
    holder: UUID
    wrapped: str


_STORED_KEYS = ReadModel(
    "SELECT json_build_object('holder', holder_id, 'wrapped', encode(wrapped, 'hex'))::text"
    " FROM data_key WHERE holder_id = ANY(:holders) AND wrapped IS NOT NULL",
    _StoredKey,
)
