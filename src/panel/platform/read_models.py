"""Read models: one query whose every line is JSON, decoded into a typed struct.

They are asked of the driver itself, in the session's own transaction: a statement through
SQLAlchemy costs 0.2 to 0.3 ms of processor time, here 0.07 ms (bench/). Writes stay with the ORM.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import ClassVar, Generic, TypeVar, cast

import msgspec
import psycopg
from psycopg.rows import TupleRow
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.database import DRIVER, LAST, DriverConnection, Last

Line = TypeVar("Line")

_NAMED = re.compile(r"(?<![:\w]):([a-z_]+)\b")


@lru_cache(maxsize=4_096)
def for_driver(statement: str) -> str:
    """A statement whose values are named `:name`, as psycopg takes it."""
    return _NAMED.sub(r"%(\1)s", statement.replace("%", "%%"))


class ReadModel(Generic[Line]):
    """A query of one column, JSON as text, and what a line of it is.

    What the session wrote and has not sent yet is sent first, as before a query of the ORM.
    """

    _prepared: ClassVar[bool | None] = None
    """That of `rows_of`."""

    def __init__(self, statement: str, line: type[Line]) -> None:
        """Args: the query, its values named `:name`; the type of a line."""
        self._statement = for_driver(statement)
        self._decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(line)

    async def lines(self, session: AsyncSession, **given: object) -> list[Line]:
        """Every line, for these values."""
        cursor = await _asked(session, self._statement, given, prepared=self._prepared)
        decode = self._decoder.decode
        return [decode(line) for (line,) in await cursor.fetchall()]

    async def line(self, session: AsyncSession, **given: object) -> Line | None:
        """The line, or None where there is none."""
        cursor = await _asked(session, self._statement, given, prepared=self._prepared)
        found = await cursor.fetchone()
        return None if found is None else self._decoder.decode(found[0])


class UnevenReadModel(ReadModel[Line]):
    """A read model whose best plan depends on who asks: planned anew each time."""

    _prepared = False


async def rows_of(
    session: AsyncSession,
    statement: str,
    given: Mapping[str, object],
    *,
    prepared: bool | None = None,
) -> list[TupleRow]:
    """Rows as the driver gives them, for what is not decoded at once; values named `%(name)s`.

    `prepared` as psycopg takes it: None, the server keeps the plan of what is asked often; False,
    it plans anew each time, for a query whose best plan depends on who asks: viewers differ a
    thousandfold in whom they reach (TRAPS.md).
    """
    return await (await _asked(session, statement, given, prepared=prepared)).fetchall()


def sql(template: str, **parts: str) -> str:
    """A query put together from constants of the room that asks, `{name}` for each part.

    What anybody sends is never a part: values are bound by name.
    """
    return template.format_map(parts)


def send_last(
    session: AsyncSession,
    statement: str,
    given: Mapping[str, object],
    rows: Sequence[object] | None = None,
) -> None:
    """Keep a statement for the end of the transaction, its values named `%(name)s`.

    It rides in one message with the commit. Where it fails, nothing is committed. A statement of
    rows is sent once for all that are kept with the same values; it has them as JSON, `%(rows)s`.
    """
    kept: list[Last] = session.info.setdefault(LAST, [])
    for one in kept if rows is not None else ():
        if one.rows is not None and one.statement == statement and one.given == given:
            one.rows.extend(rows or ())
            return
    kept.append(Last(statement, given, None if rows is None else list(rows)))


async def _asked(
    session: AsyncSession,
    statement: str,
    given: Mapping[str, object],
    *,
    prepared: bool | None = None,
) -> psycopg.AsyncCursor[TupleRow]:
    if session.new or session.dirty or session.deleted:
        await session.flush()
    driver = cast("DriverConnection", session.info[DRIVER])
    return await driver.execute(statement, given, prepare=prepared)
