"""Many new rows in one statement.

The ORM sends a statement for each; of 30 that costs more than all else that is done with them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import msgspec
from sqlalchemy import Column, LargeBinary, Table, inspect
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, make_transient_to_detached

from panel.platform.crypto import Keys
from panel.platform.read_models import for_driver, rows_of, sql
from panel.platform.tables import KEYS, Row, load_or_make, made_now, seal_unwatched

FIRST = 1
"""The version of a new row, as the ORM counts them."""


_INSERT = (
    "new_{table} AS (INSERT INTO {table} ({columns}) SELECT {columns}"
    " FROM json_populate_recordset(NULL::{table}, CAST(:{table} AS json)))"
)
"""Names are those of our own tables and columns."""


class _Plan(msgspec.Struct, frozen=True):
    """How the rows of one table are written."""

    table: str
    statement: str
    """As a WITH query, the rows named by their table."""
    keys: Mapping[str, str]
    """The attribute by column."""
    defaults: Mapping[str, Callable[[], Any]]
    """What an attribute is where nothing was said, by its name."""
    as_json: Mapping[str, Callable[[Any], object]]
    """By column, for what JSON does not write as PostgreSQL reads it."""


@cache
def _plan(mapper: Mapper[Row]) -> _Plan:
    table = cast("Table", mapper.local_table)
    keys = {column.name: mapper.get_property_by_column(column).key for column in table.columns}
    columns = ", ".join(f'"{name}"' for name in keys)
    return _Plan(
        table.name,
        sql(_INSERT, table=table.name, columns=columns),
        keys,
        {keys[column.name]: _default(column) for column in table.columns},
        {column.name: write for column in table.columns if (write := _writing(column))},
    )


def _default(column: Column[Any]) -> Callable[[], Any]:
    default: Any = column.default
    if default is None:
        return lambda: None
    return (lambda: default.arg(None)) if default.is_callable else (lambda: default.arg)


def _writing(column: Column[Any]) -> Callable[[Any], object] | None:
    if isinstance(column.type, LargeBinary):
        return _bytes
    if isinstance(column.type, ARRAY) and isinstance(column.type.item_type, LargeBinary):
        return lambda listed: [_bytes(one) for one in listed]
    return None


def _bytes(value: bytes) -> str:
    """As PostgreSQL reads them from a text."""
    return f"\\x{value.hex()}"


async def insert_many(session: AsyncSession, *tables: Sequence[Row]) -> None:
    """Write new rows, those of each table given together, which belong to the session from then on.

    It is one statement: rows of one table may refer to those of another, in whichever order they
    come. They may not have been added to the session before. Every column is given, or its default
    is a value.
    """
    kinds = [rows for rows in tables if rows]
    if not kinds:
        return
    every = [row for rows in kinds for row in rows]
    plans = [_plan(inspect(type(rows[0]))) for rows in kinds]
    made = made_now(session.info) | {"version": FIRST}
    for rows, plan in zip(kinds, plans, strict=True):
        for row in rows:
            # What no session watches yet is written past its attributes: thirty a row take time.
            held = row.__dict__
            held.update(made)
            held.update({key: one() for key, one in plan.defaults.items() if key not in held})
    seal_unwatched(await _keys_at_hand(session, every), every)
    # Before what refers to what: the rows of the session that these refer to.
    if session.new or session.dirty or session.deleted:
        await session.flush()
    given = {
        plan.table: msgspec.json.encode([_as_json(row, plan) for row in rows]).decode()
        for rows, plan in zip(kinds, plans, strict=True)
    }
    await rows_of(session, _together(tuple(plan.statement for plan in plans)), given)
    for row in every:
        make_transient_to_detached(row)
        session.add(row)


@cache
def _together(statements: tuple[str, ...]) -> str:
    """One statement that does all of these, which are written as WITH queries."""
    return for_driver(sql("WITH {each} SELECT 1", each=", ".join(statements)))


async def _keys_at_hand(session: AsyncSession, rows: Sequence[Row]) -> Keys:
    """The keys that the texts of these rows are sealed with, made where there were none."""
    keys = cast("Keys", session.info[KEYS])
    holders = {row.__dict__[one.holder] for row in rows for one in row.__sealed__}
    if keys.missing(holders):
        await session.run_sync(load_or_make, keys, holders)
    return keys


def _as_json(row: Row, plan: _Plan) -> dict[str, object]:
    """A row by column, each value as PostgreSQL reads it from JSON into a column of its type."""
    held = row.__dict__
    told = {column: held[key] for column, key in plan.keys.items()}
    for column, write in plan.as_json.items():
        if told[column] is not None:
            told[column] = write(told[column])
    return told
