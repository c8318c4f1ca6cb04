"""PostgreSQL through SQLAlchemy: every transaction names its schema, its viewer and its moment.

The settings ride in one message with BEGIN and are local to the transaction, so nothing can leak
to the next user of a pooled connection, and a connection used without them sees no schema at all
(the application role's search path is empty). Measured in bench/ and TRAPS.md.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

NOBODY = UUID(int=0)
"""A viewer that is tied to nothing: for work that touches no child's record."""
SCHEDULED = UUID("00000000-0000-7000-8000-000000000001")
"""The viewer of scheduled work, which the fences know (`records.child_scoped.JOB`)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a transaction is for: whose schema, who looks, and when."""

    schema: str
    viewer: UUID
    now: datetime

    def preamble(self) -> str:
        """The statements that open the transaction, quoted by psycopg.

        A page's query is estimated far above what it costs; to compile it first would cost more.
        """
        return (
            sql.SQL(
                "BEGIN; SET LOCAL search_path = {schema};"
                " SET LOCAL panel.viewer = {viewer}; SET LOCAL panel.now = {now};"
                " SET LOCAL jit = off"
            )
            .format(
                schema=sql.Identifier(self.schema),
                viewer=sql.Literal(str(self.viewer)),
                now=sql.Literal(self.now.isoformat()),
            )
            .as_string(None)
        )


LONGEST_WAIT = 5.0
"""Seconds for which closing waits for connections that are out."""
DRIVER = "driver"
"""Name in `session.info`: the driver's own connection, within the same transaction."""
LAST = "last"
"""Name in `session.info`: statements that are sent in one message with the commit."""


@dataclass(frozen=True, slots=True)
class Last:
    """A statement that is sent in one message with the commit, and the rows that it is of."""

    statement: str
    given: Mapping[str, object]
    rows: list[object] | None

    def values(self) -> Mapping[str, object]:
        """All that the statement names."""
        if self.rows is None:
            return self.given
        return {**self.given, "rows": msgspec.json.encode(self.rows).decode()}


DriverConnection = psycopg.AsyncConnection[TupleRow]


def driver_of(connection: AsyncConnection) -> DriverConnection:
    """The psycopg connection underneath."""
    pooled = connection.sync_connection.connection if connection.sync_connection else None
    if pooled is None:
        raise RuntimeError("This connection was given back already.")
    return cast("DriverConnection", pooled.driver_connection)


async def _finish(session: AsyncSession) -> None:
    """Send what was kept for the end, and commit."""
    driver: DriverConnection = session.info[DRIVER]
    last: list[Last] = session.info.get(LAST, [])
    # A session that only carried read models has nothing to flush or close: half of what a
    # session costs (0.33 of 0.66 ms) is saved, and what is sent last rides in one message.
    is_used = session.in_transaction()
    if is_used and (session.new or session.dirty or session.deleted):
        await session.flush()
    if last:
        async with driver.pipeline():
            for one in last:
                await driver.execute(one.statement, one.values())
            await driver.execute("COMMIT")
    if is_used:
        await session.commit()
        await session.close()


class Database:
    """A pool of connections for one role."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """Args: `url`, a libpq address (`postgresql://…`); `pool_size`, connections kept."""
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://" + url.split("://", 1)[1],
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=pool_size,
            # The one that was used last has the plans and tables of what is asked at hand.
            pool_use_lifo=True,
            pool_pre_ping=False,
            hide_parameters=True,  # an error must not print what somebody wrote
        )
        self._out = 0
        self._all_back: asyncio.Event | None = None

    @asynccontextmanager
    async def connection(self, scope: Scope | None) -> AsyncIterator[AsyncConnection]:
        """A connection within one transaction, committed at the end, rolled back on any error."""
        async with self._taken() as connection:
            await self._begin(connection, "BEGIN" if scope is None else scope.preamble())
            yield connection
            if connection.in_transaction():
                await connection.commit()
            # What only the driver was asked is ended by the driver; ended already, it does nothing.
            await driver_of(connection).commit()

    @asynccontextmanager
    async def session(self, scope: Scope) -> AsyncIterator[AsyncSession]:
        """A session within one transaction, committed at the end, rolled back on any error."""
        async with self.connection(scope) as connection:
            session = AsyncSession(bind=connection, expire_on_commit=False)
            session.info[DRIVER] = driver_of(connection)
            try:
                yield session
                await _finish(session)
            except BaseException:
                await asyncio.shield(session.close())
                raise

    async def ask(self, statement: str, given: Mapping[str, object]) -> list[TupleRow]:
        """One statement that is its own transaction, with neither viewer nor search path.

        Its tables are named with their schema, and it finds nothing in a fenced one. `given` are
        named as psycopg names them, `%(name)s`.
        """
        async with self._taken() as connection:
            try:
                cursor = await driver_of(connection).execute(statement, given)
            except psycopg.OperationalError:
                if not driver_of(connection).closed:
                    raise
                await self._renew(connection)
                cursor = await driver_of(connection).execute(statement, given)
            return await cursor.fetchall()

    async def ask_as(
        self, scope: Scope, statement: str, given: Mapping[str, object]
    ) -> list[TupleRow]:
        """One statement within a transaction of its own, which ends in the same message.

        `given` are named as psycopg names them, `%(name)s`.
        """
        async with self._taken() as connection:
            await self._begin(connection, scope.preamble())
            driver = driver_of(connection)
            async with driver.pipeline():
                cursor = await driver.execute(statement, given)
                await driver.execute("COMMIT")
            return await cursor.fetchall()

    @asynccontextmanager
    async def _taken(self) -> AsyncIterator[AsyncConnection]:
        """A connection of the pool, until it is given back."""
        self._out += 1
        try:
            async with self.engine.connect() as connection:
                yield connection
        finally:
            self._out -= 1
            if self._all_back is not None and self._out == 0:
                self._all_back.set()

    async def _begin(self, connection: AsyncConnection, preamble: str) -> None:
        # Sent through the driver: SQLAlchemy's own way to BEGIN costs 0.15 ms more.
        try:
            await driver_of(connection).execute(preamble)
        except psycopg.OperationalError:
            if not driver_of(connection).closed:
                raise
            await self._renew(connection)
            await driver_of(connection).execute(preamble)

    async def _renew(self, connection: AsyncConnection) -> None:
        """After the server went away: drop every connection that waits, and open another."""
        await connection.invalidate()
        await self.engine.dispose()
        await connection.get_raw_connection()

    async def close(self) -> None:
        """Close every connection; one that is out, of work that was cut off, is waited for.

        Given back later it would come to a pool that is closed, and stay open at the server.
        """
        if self._out:
            self._all_back = asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_WAIT):
                    await self._all_back.wait()
            self._all_back = None
        await self.engine.dispose()
