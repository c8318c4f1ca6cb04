"""Many new rows of one table in one statement.

The ORM sends a statement for each; of 30 that costs more than all else that is done with them.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, make_transient_to_detached

from panel.platform.read_models import for_driver, rows_of
from panel.platform.tables import Row, say_who, seal_texts

FIRST = 1
"""The version of a new row, as the ORM counts them."""


_INSERT = (
    "INSERT INTO {table} ({columns}) SELECT {columns}"
    " FROM json_populate_recordset(NULL::{table}, CAST(:rows AS json)) RETURNING 1"
)
"""Names are those of our own tables and columns."""


async def insert_many(session: AsyncSession, rows: Sequence[Row]) -> None:
    """Write new rows of one table, which belong to the session from then on.

    They may not have been added to it before. Every column is given, or its default is a value.
    """
    if not rows:
        return
    mapper = inspect(type(rows[0]))
    for row in rows:
        _fill(mapper, row)
        say_who(session.info, row, is_new=True)
        row.version = FIRST
    await session.run_sync(seal_texts, rows)
    table = cast("Table", mapper.local_table)
    named = {column.name: mapper.get_property_by_column(column).key for column in table.columns}
    columns = ", ".join(f'"{name}"' for name in named)
    written = [{name: _as_json(getattr(row, key)) for name, key in named.items()} for row in rows]
    # Before what refers to what: the rows of the session that these refer to.
    await session.flush()
    statement = for_driver(_INSERT.format(table=table.name, columns=columns))
    await rows_of(session, statement, {"rows": msgspec.json.encode(written).decode()})
    for row in rows:
        make_transient_to_detached(row)
        session.add(row)


def _fill(mapper: Mapper[Row], row: Row) -> None:
    """Give a new row the defaults of its columns."""
    for column in mapper.local_table.columns:
        key = mapper.get_property_by_column(column).key
        if key in row.__dict__:
            continue
        default: Any = column.default
        value = None
        if default is not None:
            value = default.arg(None) if default.is_callable else default.arg
        setattr(row, key, value)


def _as_json(value: object) -> object:
    """A value as PostgreSQL reads it from JSON into a column of its type."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value
