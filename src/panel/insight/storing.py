"""Facts and their history as the database keeps them: reading whole, writing by the thousand."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from hashlib import sha256
from typing import Any, cast

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Boolean, Integer, LargeBinary, Numeric

from panel.insight.core.facts import FACTS, ChildSaid, Fact, FactEvent, Term, Who
from panel.insight.core.fold import TABLES, Links, columns_of, row_of, said_bytes
from panel.insight.models import FACT_TABLES
from panel.platform.read_models import rows_of, sql

AT_ONCE = 5_000
"""Rows that one statement writes."""
_OF_PEOPLE = tuple(one for one in FACTS if "person" in columns_of(one))
_ARRAYS = ((LargeBinary, "bytea[]"), (Boolean, "boolean[]"), (Integer, "bigint[]"),
           (Numeric, "numeric[]"))  # fmt: skip
_decode_said = msgspec.json.Decoder(ChildSaid).decode


@dataclass(frozen=True, slots=True)
class LastSaid:
    """What was last said of a record, and by which event it was first heard of."""

    first: int
    said: ChildSaid
    digest: bytes


# History ------------------------------------------------------------------------------------------


async def last_said(session: AsyncSession, records: Collection[bytes]) -> dict[bytes, LastSaid]:
    """What was last said of each of these records; of one that was never heard of, nothing."""
    rows = await rows_of(
        session,
        "SELECT DISTINCT ON (record) record, min(number) OVER (PARTITION BY record), said, digest"
        " FROM insight_event WHERE kind = 'said' AND record = ANY(%(records)s)"
        " ORDER BY record, number DESC",
        {"records": list(records)},
    )
    return {
        bytes(record): LastSaid(first, _decode_said(said), bytes(digest))
        for record, first, said, digest in rows
    }


async def links_of(session: AsyncSession) -> Links:
    """Every link that stands."""
    links = Links()
    rows = await rows_of(
        session,
        "SELECT record, kind, other FROM insight_event WHERE other IS NOT NULL ORDER BY number",
        {},
    )
    for record, kind, other in rows:
        change = links.link if kind == "linked" else links.part
        change(bytes(record), bytes(other))
    return links


async def add_said(session: AsyncSession, said: Mapping[bytes, ChildSaid]) -> None:
    """Add what is said of records, in this order."""
    contents = [said_bytes(one) for one in said.values()]
    await rows_of(
        session,
        "INSERT INTO insight_event (record, kind, said, digest)"
        " SELECT t.record, 'said', t.said, t.digest FROM unnest(%(records)s::bytea[],"
        " %(contents)s::bytea[], %(digests)s::bytea[]) WITH ORDINALITY"
        " AS t (record, said, digest, place) ORDER BY t.place RETURNING number",
        {
            "records": list(said),
            "contents": contents,
            "digests": [sha256(one).digest() for one in contents],
        },
    )


async def add_links(session: AsyncSession, kind: str, pairs: Sequence[tuple[bytes, bytes]]) -> None:
    """Add that records were linked, or parted."""
    await rows_of(
        session,
        "INSERT INTO insight_event (record, kind, other)"
        " SELECT t.record, %(kind)s, t.other FROM unnest(%(ones)s::bytea[], %(others)s::bytea[])"
        " AS t (record, other) RETURNING number",
        {"kind": kind, "ones": [one for one, _ in pairs], "others": [two for _, two in pairs]},
    )


async def forget(session: AsyncSession, records: Collection[bytes]) -> int:
    """Take away every event of these records; for each that had any, say that one was erased."""
    gone = await rows_of(
        session,
        "WITH gone AS (DELETE FROM insight_event WHERE record = ANY(%(records)s)"
        " OR other = ANY(%(records)s) RETURNING record, kind)"
        " INSERT INTO insight_event (kind) SELECT 'erased' FROM gone WHERE kind = 'said'"
        " GROUP BY record RETURNING number",
        {"records": list(records)},
    )
    return len(gone)


async def events(session: AsyncSession) -> list[FactEvent]:
    """The whole history, oldest first."""
    rows = await rows_of(
        session, "SELECT number, record, kind, said, other FROM insight_event ORDER BY number", {}
    )
    return [
        FactEvent(
            number,
            bytes(record or b""),
            kind,
            None if said is None else _decode_said(said),
            None if other is None else bytes(other),
        )
        for number, record, kind, said, other in rows
    ]


# Facts --------------------------------------------------------------------------------------------


async def replace_people(
    session: AsyncSession, people: Collection[bytes], facts: Iterable[Fact]
) -> None:
    """Take away every fact of these people and write theirs anew."""
    for table in _OF_PEOPLE:
        await rows_of(
            session,
            sql(
                "WITH gone AS (DELETE FROM {table} WHERE person = ANY(%(people)s) RETURNING 1)"
                " SELECT count(*) FROM gone",
                table=TABLES[table],
            ),
            {"people": list(people)},
        )
    await write(session, facts)


async def replace_all(
    session: AsyncSession, facts: Iterable[Fact], tables: Sequence[type[Fact]] = _OF_PEOPLE
) -> None:
    """Empty these tables and write facts."""
    for table in tables:
        statement = "WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT count(*) FROM gone"
        await rows_of(session, sql(statement, table=TABLES[table]), {})
    await write(session, facts)


async def write(session: AsyncSession, facts: Iterable[Fact]) -> None:
    """Add facts to their tables."""
    by_table: dict[type[Fact], list[tuple[object, ...]]] = defaultdict(list)
    for fact in facts:
        by_table[type(fact)].append(row_of(fact))
    for table, rows in by_table.items():
        statement = _insert(table)
        for start in range(0, len(rows), AT_ONCE):
            columns = zip(*rows[start : start + AT_ONCE], strict=True)
            given = dict(zip(columns_of(table), map(list, columns), strict=True))
            await rows_of(session, statement, given)


def _insert(table: type[Fact]) -> str:
    """The statement that adds rows, one list for each column."""
    columns = FACT_TABLES[table].c
    arrays = [
        f"%({one.name})s::"
        + next((array for kind, array in _ARRAYS if isinstance(one.type, kind)), "text[]")
        for one in columns
    ]
    return sql(
        "INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays}) RETURNING 1",
        table=TABLES[table],
        columns=", ".join(one.name for one in columns),
        arrays=", ".join(arrays),
    )


async def how_many(session: AsyncSession) -> dict[str, int]:
    """How many facts each table holds."""
    found = {}
    for table in TABLES.values():
        [[number]] = await rows_of(session, sql("SELECT count(*) FROM {table}", table=table), {})
        found[table] = int(number)
    return found


async def stored(session: AsyncSession) -> AsyncIterator[Fact]:
    """Every fact of a person that the tables hold."""
    for table in _OF_PEOPLE:
        rows = await rows_of(
            session,
            sql(
                "SELECT {columns} FROM {table}",
                columns=", ".join(columns_of(table)),
                table=TABLES[table],
            ),
            {},
        )
        for row in rows:
            yield fact_of(table, row)


def fact_of(table: type[Fact], row: Sequence[Any]) -> Fact:
    """A row as a fact again."""
    values: list[Any] = [bytes(one) if isinstance(one, memoryview) else one for one in row]
    if fields(table)[0].name == "who":
        values[:2] = [Who(values[0], values[1])]
    return cast("Callable[..., Fact]", table)(*values)


# Terms --------------------------------------------------------------------------------------------


async def kept_terms(session: AsyncSession) -> tuple[Term, ...]:
    """The terms of which there are facts."""
    rows = await rows_of(
        session,
        "SELECT period, first_day, last_day FROM fact_period ORDER BY first_day",
        {},
    )
    return tuple(Term(first.isoformat(), last.isoformat(), one) for one, first, last in rows)


async def keep_terms(session: AsyncSession, terms: Sequence[Term]) -> None:
    """Have these terms and no others."""
    await rows_of(session, "DELETE FROM fact_period RETURNING 1", {})
    await rows_of(
        session,
        "INSERT INTO fact_period (period, first_day, last_day)"
        " SELECT * FROM unnest(%(periods)s::text[], %(firsts)s::date[], %(lasts)s::date[])"
        " RETURNING 1",
        {
            "periods": [one.period for one in terms],
            "firsts": [date.fromisoformat(one.first) for one in terms],
            "lasts": [date.fromisoformat(one.last) for one in terms],
        },
    )
