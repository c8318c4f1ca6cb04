"""Rows of a source: found under what is permitted, counted under it, and read as messages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from interop.messages import Message
from panel.assessments.service import load_forms
from panel.exchange.permitted import PERMITTED, Permitted
from panel.exchange.source import AnySource, ChildLine, Line, OpenSource
from panel.exchange.sources import IN_A_RECORD, SOURCES
from panel.platform.crypto import Keys
from panel.platform.read_models import for_driver, rows_of, sql
from panel.platform.tables import KEYS
from panel.platform.tenancy import load_keys
from panel.records.gate import Access


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that matches and may be told of."""

    type: str
    id: UUID
    child_id: UUID | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL about a source's row, with values named `:name`; names are the condition's own."""

    sql: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """By which key a list goes on, and after which row."""

    by_change: bool = False
    newest_first: bool = False
    after: tuple[datetime, UUID] | None = None

    def sql(self, source: AnySource) -> tuple[str, str]:
        """(what holds of the rows that are still to come, ORDER BY)."""
        way, sign = ("DESC", "<") if self.newest_first else ("", ">")
        keys = [source.last_told] if self.by_change else []
        keys.append(source.id)
        given = [":after_at", ":after_id"][2 - len(keys) :]
        rest = f"({', '.join(keys)}) {sign} ({', '.join(given)})" if self.after else "true"
        return rest, ", ".join(f"{key} {way}" for key in keys)

    def values(self) -> Mapping[str, object]:
        """The values of `sql`."""
        if self.after is None:
            return {}
        at, last = self.after
        return {"after_at": at, "after_id": last} if self.by_change else {"after_id": last}


def _matching(source: AnySource, conditions: Iterable[Condition]) -> str:
    wanted = [f"({one.sql})" for one in conditions]
    return " AND ".join([f"({source.where})", f"({source.told})", *wanted])


async def _rows(
    session: AsyncSession,
    statement: str,
    allowed: Permitted,
    conditions: Sequence[Condition],
    more: Mapping[str, object],
) -> Sequence[tuple[object, ...]]:
    values = {**allowed.values(), **more}
    for one in conditions:
        values |= one.values
    return await rows_of(
        session, for_driver(f"WITH {PERMITTED} {statement}"), values, prepared=False
    )


async def find(
    session: AsyncSession,
    source: AnySource,
    allowed: Permitted,
    conditions: Sequence[Condition],
    order: Order,
    most: int,
) -> list[Hit]:
    """At most so many rows that match and may be told of, in order."""
    rest, by = order.sql(source)
    rows = await _rows(
        session,
        sql(
            "SELECT {id}, {child}, {changed} FROM {rows} WHERE {matching} AND {rest}"
            " ORDER BY {by} LIMIT :most",
            id=source.id,
            child=source.child,
            changed=source.last_told,
            rows=source.rows,
            matching=_matching(source, conditions),
            rest=rest,
            by=by,
        ),
        allowed,
        conditions,
        {**order.values(), "most": most},
    )
    return [
        Hit(
            source.resource,
            cast("UUID", row[0]),
            cast("UUID | None", row[1]),
            cast("datetime", row[2]),
        )
        for row in rows
    ]


async def count(
    session: AsyncSession,
    source: AnySource,
    allowed: Permitted,
    conditions: Sequence[Condition],
) -> int:
    """How many rows match and may be told of."""
    rows = await _rows(
        session,
        sql(
            "SELECT count(*) FROM {rows} WHERE {matching}",
            rows=source.rows,
            matching=_matching(source, conditions),
        ),
        allowed,
        conditions,
        {},
    )
    return cast("int", rows[0][0])


async def messages_of(
    session: AsyncSession, type_: str, ids: Iterable[UUID], opened: Mapping[UUID, Access]
) -> dict[UUID, Message]:
    """The messages of these rows, by id, as far as each may be told; others are left out."""
    source = SOURCES[type_]
    read = await rows_of(
        session,
        for_driver(
            sql(
                "SELECT {line} FROM {rows} WHERE ({where}) AND {id} = ANY(:ids)",
                line=source.selected(),
                rows=source.rows,
                where=source.where,
                id=source.id,
            )
        ),
        {"ids": list(ids)},
    )
    lines = [source.decoder.decode(row[0]) for row in read]
    return await told(session, source, lines, opened)


async def _load(session: AsyncSession, lines: Mapping[str, Sequence[Line]]) -> None:
    """Have at hand the keys and forms that lines, by type, are read with."""
    every = [(SOURCES[type_], line) for type_, some in lines.items() for line in some]
    await load_keys(session, {one for source, line in every for one in source.holders(line)})
    await load_forms(session, {one for source, line in every for one in source.forms(line)})


async def told(
    session: AsyncSession,
    source: AnySource,
    lines: Sequence[Line],
    opened: Mapping[UUID, Access],
) -> dict[UUID, Message]:
    """What lines of a source say, as far as each may be told, by id."""
    await _load(session, {source.resource: lines})
    keys = cast("Keys", session.info[KEYS])
    found: dict[UUID, Message] = {}
    for line in lines:
        message = _message(source, line, keys, opened)
        if message is not None:
            found[line.id] = message
    return found


def _message(
    source: AnySource, line: Line, keys: Keys, opened: Mapping[UUID, Access]
) -> Message | None:
    if isinstance(source, OpenSource):
        return source.message(line, keys)
    access = opened.get(line.child_id) if isinstance(line, ChildLine) else None
    return None if access is None else source.message(line, access)


_RECORD = for_driver(
    " UNION ALL ".join(
        sql(
            "SELECT '{type}', {line} FROM {rows} WHERE ({where}) AND {child} = :child",
            type=type_,
            line=SOURCES[type_].selected(),
            rows=SOURCES[type_].rows,
            where=SOURCES[type_].where,
            child=SOURCES[type_].child,
        )
        for type_ in IN_A_RECORD
    )
)


async def record_of(access: Access) -> list[tuple[str, Message]]:
    """All that may be told of one child, by type, in one query."""
    session = access.session
    rows = await rows_of(session, _RECORD, {"child": access.child_id}, prepared=True)
    return await _messages(session, rows, IN_A_RECORD, {access.child_id: access})


async def open_messages(
    session: AsyncSession, wanted: Mapping[str, Iterable[UUID]]
) -> list[tuple[str, Message]]:
    """Messages about no child (agencies, workers, services, forms), by type, in one query."""
    types = tuple(sorted(wanted))
    if not types:
        return []
    ids = {_ids_name(type_): list(wanted[type_]) for type_ in types}
    rows = await rows_of(session, _by_ids(types), ids, prepared=True)
    return await _messages(session, rows, types, {})


def _ids_name(type_: str) -> str:
    return f"ids_{type_.lower()}"


@cache
def _by_ids(types: tuple[str, ...]) -> str:
    return for_driver(
        " UNION ALL ".join(
            sql(
                "SELECT '{type}', {line} FROM {rows} WHERE ({where}) AND {id} = ANY(:{ids})",
                type=type_,
                line=SOURCES[type_].selected(),
                rows=SOURCES[type_].rows,
                where=SOURCES[type_].where,
                id=SOURCES[type_].id,
                ids=_ids_name(type_),
            )
            for type_ in types
        )
    )


async def _messages(
    session: AsyncSession,
    rows: Iterable[Sequence[object]],
    types: Iterable[str],
    opened: Mapping[UUID, Access],
) -> list[tuple[str, Message]]:
    """What rows of (type, line) say, in the order of the types."""
    lines: dict[str, list[Line]] = {}
    for type_, line in cast("Iterable[tuple[str, str]]", rows):
        lines.setdefault(type_, []).append(SOURCES[type_].decoder.decode(line))
    await _load(session, lines)
    return [
        (type_, message)
        for type_ in types
        for message in (await told(session, SOURCES[type_], lines.get(type_, ()), opened)).values()
    ]
