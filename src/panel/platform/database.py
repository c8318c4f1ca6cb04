"""PostgreSQL through SQLAlchemy: every transaction names its schema, its viewer and its moment.

The settings ride in one message with BEGIN and are local to the transaction, so nothing can leak
to the next user of a pooled connection, and a connection used without them sees no schema at all
(the application role's search path is empty). Measured in bench/ and TRAPS.md.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

NOBODY = UUID(int=0)
"""A viewer that is tied to nothing: for work that touches no child's record."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a transaction is for: whose schema, who looks, and when."""

    schema: str
    viewer: UUID
    now: datetime

    def preamble(self) -> str:
        """The statements that open the transaction, quoted by psycopg."""
        return (
            sql.SQL(
                "BEGIN; SET LOCAL search_path = {schema};"
                " SET LOCAL panel.viewer = {viewer}; SET LOCAL panel.now = {now}"
            )
            .format(
                schema=sql.Identifier(self.schema),
                viewer=sql.Literal(str(self.viewer)),
                now=sql.Literal(self.now.isoformat()),
            )
            .as_string(None)
        )


SCOPE = "panel_scope"


def _begin(connection: Connection) -> None:
    scope: Scope | None = connection.get_execution_options().get(SCOPE)
    cursor = connection.connection.cursor()
    cursor.execute("BEGIN" if scope is None else scope.preamble())
    cursor.close()


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
            pool_pre_ping=False,
        )
        event.listen(self.engine.sync_engine, "begin", _begin)

    @asynccontextmanager
    async def connection(self, scope: Scope | None) -> AsyncIterator[AsyncConnection]:
        """A connection within one transaction, committed at the end, rolled back on any error."""
        options: dict[str, Any] = {SCOPE: scope}
        async with self.engine.connect() as raw:
            connection = await raw.execution_options(**options)
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def session(self, scope: Scope) -> AsyncIterator[AsyncSession]:
        """A session within one transaction, committed at the end, rolled back on any error."""
        async with (
            self.connection(scope) as connection,
            AsyncSession(bind=connection, expire_on_commit=False) as session,
        ):
            yield session
            await session.flush()

    async def close(self) -> None:
        """Give every connection back."""
        await self.engine.dispose()
