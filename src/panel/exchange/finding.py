"""Rows of a source: found under what is permitted, counted under it, and read as messages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from interop.messages import Message
from panel.assessments.service import load_forms
from panel.exchange.permitted import PERMITTED, Permitted
from panel.exchange.source import AnySource, ChildLine, GroupSource, Line, OpenSource
from panel.exchange.sources import ALL_SENT, IN_A_RECORD, SOURCES, sources_of
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
    category: Category | None = None
    """What its child is opened for beside what its type says."""


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL about a source's row, with values named `:name`; names are the condition's own."""

    sql: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one source that are looked for."""

    source: AnySource
    conditions: Sequence[Condition] = ()

    def having(self, *more: Condition) -> "Part":
        """Those of them of which more holds."""
        return Part(self.source, (*self.conditions, *more))

    @property
    def matching(self) -> str:
        """SQL: whether a row matches and may be told of."""
        wanted = [f"({one.sql})" for one in self.conditions]
        return " AND ".join([f"({self.source.where})", f"({self.source.told})", *wanted])


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


async def _rows(
    session: AsyncSession,
    statement: str,
    allowed: Permitted,
    parts: Iterable[Part],
    more: Mapping[str, object],
) -> Sequence[tuple[object, ...]]:
    values = {**allowed.values(), **more}
    for part in parts:
        for one in part.conditions:
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
    """At most so many rows of a source that match and may be told of, in order."""
    return await find_in(session, [Part(source, conditions)], allowed, order, most)


async def find_in(
    session: AsyncSession, parts: Sequence[Part], allowed: Permitted, order: Order, most: int
) -> list[Hit]:
    """As `find`, of several sources in one order.

    The names of the conditions' values are different in each part.
    """
    if not parts:
        return []
    way = "DESC" if order.newest_first else ""
    rows = await _rows(
        session,
        sql(
            "SELECT * FROM ({chosen}) AS chosen ORDER BY {keys} LIMIT :most",
            chosen=" UNION ALL ".join(_chosen(part, order) for part in parts),
            keys=", ".join(f"{key} {way}" for key in (("4", "2") if order.by_change else ("2",))),
        ),
        allowed,
        parts,
        {**order.values(), "most": most},
    )
    return [
        Hit(
            cast("str", row[0]),
            cast("UUID", row[1]),
            cast("UUID | None", row[2]),
            cast("datetime", row[3]),
            None if row[4] is None else Category(cast("str", row[4])),
        )
        for row in rows
    ]


def _chosen(part: Part, order: Order) -> str:
    source = part.source
    rest, by = order.sql(source)
    return sql(
        "(SELECT '{type}', {id}, {child}, {changed}, {category} FROM {rows}"
        " WHERE {matching} AND {rest} ORDER BY {by} LIMIT :most)",
        type=source.resource,
        id=source.id,
        child=source.child,
        changed=source.last_told,
        category=source.category,
        rows=source.rows,
        matching=part.matching,
        rest=rest,
        by=by,
    )


async def count(
    session: AsyncSession,
    source: AnySource,
    allowed: Permitted,
    conditions: Sequence[Condition],
) -> int:
    """How many rows of a source match and may be told of."""
    return await count_in(session, [Part(source, conditions)], allowed)


async def count_in(session: AsyncSession, parts: Sequence[Part], allowed: Permitted) -> int:
    """As `count`, of several sources together."""
    each = " + ".join(
        sql(
            "(SELECT count(*) FROM {rows} WHERE {matching})",
            rows=part.source.rows,
            matching=part.matching,
        )
        for part in parts
    )
    rows = await _rows(session, f"SELECT {each}", allowed, parts, {})
    return cast("int", rows[0][0])


async def messages_of(
    session: AsyncSession, type_: str, ids: Iterable[UUID], opened: Mapping[UUID, Access]
) -> dict[UUID, Message]:
    """The messages of these rows, by id, as far as each may be told; others are left out."""
    found: dict[UUID, Message] = {}
    left = list(ids)
    for source in sources_of(type_):
        if left:
            lines = await _lines(session, source, left)
            found |= await told(session, source, lines, opened)
            there = {line.id for line in lines}
            left = [row for row in left if row not in there]
    return found


async def _lines(session: AsyncSession, source: AnySource, ids: Sequence[UUID]) -> list[Line]:
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
    return [source.decoder.decode(row[0]) for row in read]


async def _load(session: AsyncSession, lines: Iterable[tuple[AnySource, Line]]) -> None:
    """Have at hand the keys and forms that lines are read with."""
    every = list(lines)
    await load_keys(session, {one for source, line in every for one in source.holders(line)})
    await load_forms(session, {one for source, line in every for one in source.forms(line)})


async def told(
    session: AsyncSession,
    source: AnySource,
    lines: Sequence[Line],
    opened: Mapping[UUID, Access],
) -> dict[UUID, Message]:
    """What lines of a source say, as far as each may be told, by id."""
    await _load(session, ((source, line) for line in lines))
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
    if isinstance(source, GroupSource):
        return source.message(line, opened)
    access = opened.get(line.child_id) if isinstance(line, ChildLine) else None
    return None if access is None else source.message(line, access)


_RECORD = for_driver(
    " UNION ALL ".join(
        sql(
            "SELECT {type}, {line} FROM {rows} WHERE ({where}) AND {child} = :child",
            type=type_,
            line=source.selected(),
            rows=source.rows,
            where=source.where,
            child=source.child,
        )
        for type_, source in (
            *((f"'{one}'", SOURCES[one]) for one in IN_A_RECORD),
            ("'sent'", ALL_SENT),
        )
    )
)


async def record_of(access: Access) -> list[tuple[str, Message]]:
    """All that may be told of one child, by type, in one query: our own, then what was sent."""
    session, opened = access.session, {access.child_id: access}
    rows = await rows_of(session, _RECORD, {"child": access.child_id}, prepared=True)
    own = [row for row in rows if row[0] != "sent"]
    lines = [ALL_SENT.decoder.decode(row[1]) for row in rows if row[0] == "sent"]
    found = await _messages(session, own, IN_A_RECORD, opened)
    sent = await told(session, ALL_SENT, lines, opened)
    types = {line.id: line.type for line in lines}
    return [*found, *((types[row], message) for row, message in sent.items())]


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
    await _load(session, ((SOURCES[type_], one) for type_, some in lines.items() for one in some))
    return [
        (type_, message)
        for type_ in types
        for message in (await told(session, SOURCES[type_], lines.get(type_, ()), opened)).values()
    ]
