"""A million invented facts, and what it costs to make the keys of cells beside counting them.

Facts are written by COPY over so many terms. Every counted table of the catalogue is counted for
the last term, as a release counts it, in turn with and without the XOR of record keys, in the same
transaction. Prints sums, their ratio and the slowest tables, and never fails on a time. What is
meant: the XOR costs less than half as much again.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import psycopg
from data import with_nothing_in_it
from pages import _bench_folder
from psycopg import sql

from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.facts import (
    ChildTerm,
    Fact,
    Need,
    OutcomeChange,
    Package,
    Request,
    Unmet,
    Wait,
    Who,
)
from panel.insight.core.fold import TABLES, columns_of, row_of
from panel.insight.core.places import Grid
from panel.insight.core.table import TableDef
from panel.insight.core.words import (
    AGE_BANDS,
    BASES,
    CLOCKS,
    DECISIONS,
    ETHNICITIES,
    LEVELS,
    NEEDS,
    REASONS,
    SERVICES,
    Period,
    ordinal,
    period_at,
)
from panel.insight.counting import COUNTED, Connection, given_to, opened_to_count, statement_of
from panel.platform.cluster import open_cluster

LAST = Period("2026-autumn")
WARDS, IN_A_CLUSTER = 40, 4
GRID = Grid({f"E0500{ward:04}": f"C{ward // IN_A_CLUSTER}" for ward in range(WARDS)})
OF_A_CHILD = 5
"""Facts of one child in one term, on average."""
STAYS = 0.88
"""How likely a child of one term is known in the next."""
XOR, WITHOUT = "bit_xor(record_key)", "0"


def invented(facts: int, terms: int, seed: int = 1) -> Iterator[Fact]:
    """About so many facts of children who come, stay some terms and go."""
    chance = random.Random(seed)
    at_once = facts // (OF_A_CHILD * terms)
    last, number = ordinal(LAST), 0
    known: dict[int, dict[str, str]] = {}
    for place in range(last - terms + 1, last + 1):
        known = {one: home for one, home in known.items() if chance.random() < STAYS}
        while len(known) < at_once:
            number += 1
            known[number] = {
                "ward": chance.choice([*GRID.clusters]),
                "sex": chance.choice(("female", "male")),
                "ethnicity": chance.choice([*ETHNICITIES]),
                "need": chance.choice([*NEEDS]),
            }
        for one, home in known.items():
            yield from _of_a_child(chance, one, period_at(place), home)


def _of_a_child(
    chance: random.Random, number: int, period: Period, home: dict[str, str]
) -> Iterator[Fact]:
    who = Who(number.to_bytes(16), number * 0x9E3779B97F4A7C15 % 2**63)
    yield ChildTerm(
        who, period, age=chance.choice(AGE_BANDS), level=chance.choice([*LEVELS]), known=True,
        planned=chance.random() < 0.5, **home,
    )  # fmt: skip
    yield Need(who, period, home["need"])
    if chance.random() < 0.2:
        yield Need(who, period, chance.choice([one for one in NEEDS if one != home["need"]]))

    def key() -> bytes:
        return chance.randbytes(16)

    kind = chance.choice([*SERVICES])
    is_break = kind == "short_break"
    if chance.random() < 0.5:
        yield Request(
            who, key(), period, kind, is_break, chance.choice([*BASES]),
            chance.choice([*DECISIONS]), duty=True,
        )  # fmt: skip
    for _ in range(chance.choice((0, 0, 1, 2))):
        yield Unmet(
            who, key(), period, home["need"], chance.choice([*REASONS]), kind, is_break, "hour",
            Decimal(chance.randrange(1, 40)),
        )  # fmt: skip
    if chance.random() < 0.4:
        pence = chance.randrange(10_000, 500_000)
        yield Package(
            who, key(), period, kind, "in_kind", chance.random() < 0.05, "hour", Decimal(12),
            pence, pence // 2, 0, pence - pence // 2,
        )  # fmt: skip
    for clock in chance.sample([*CLOCKS], chance.choice((0, 1, 2))):
        yield Wait(who, key(), period, clock, chance.randrange(400), over=chance.random() < 0.7)
    if chance.random() < 0.3:
        yield OutcomeChange(
            who, key(), period, home["need"], 1, chance.randrange(6), 4,
            reached=chance.random() < 0.4, by_family=True,
        )  # fmt: skip


def write_facts(owner_url: str, schema: str, facts: Iterator[Fact]) -> int:
    """Write facts by COPY as their owner; returns how many."""
    rows: dict[type[Fact], list[tuple[object, ...]]] = {}
    for fact in facts:
        rows.setdefault(type(fact), []).append(row_of(fact))
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        for table, several in rows.items():
            into = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(TABLES[table]),
                sql.SQL(", ").join(map(sql.Identifier, columns_of(table))),
            )
            with connection.cursor() as cursor, cursor.copy(into) as copy:
                for row in several:
                    copy.write_row(row)
        connection.execute("VACUUM ANALYZE")
    return sum(map(len, rows.values()))


def seconds_of(connection: Connection, table: TableDef, statement: str) -> float:
    """How long one count takes, with its rows read."""
    began = perf_counter()
    connection.execute(statement.encode(), given_to(table, GRID, LAST)).fetchall()
    return perf_counter() - began


def measure(connection: Connection, tables: Sequence[TableDef], rounds: int) -> None:
    """Each table in turn with and without; the least of the rounds counts."""
    taken: dict[str, tuple[float, float]] = {}
    for table in tables:
        statement = statement_of(table)
        if XOR not in statement:
            raise ValueError(f"{table.key} is counted without its keys")
        plain = statement.replace(XOR, WITHOUT)
        pairs = [
            (seconds_of(connection, table, statement), seconds_of(connection, table, plain))
            for _ in range(rounds)
        ]
        taken[table.key] = min(one for one, _ in pairs), min(two for _, two in pairs)
    ours = sum(one for one, _ in taken.values())
    theirs = sum(two for _, two in taken.values())
    print(
        f"{len(taken)} tables of one term: {ours:.2f} s counted with keys of cells,"
        f" {theirs:.2f} s without: {ours / theirs:.2f} times"
    )
    for name in sorted(taken, key=lambda one: -taken[one][0])[:3]:
        print(f"  {name}: {taken[name][0]:.2f} s with, {taken[name][1]:.2f} s without")


def main() -> None:
    """Write, count, print; and the same with a tenth of the facts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--terms", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    tables = [one for one in CATALOGUE.values() if one.measure in COUNTED]
    with ExitStack() as leaving:
        folder = Path(leaving.enter_context(_bench_folder()))
        cluster = leaving.enter_context(open_cluster(None, folder))
        for facts in (chosen.facts // 10, chosen.facts):
            database, schema = with_nothing_in_it(cluster, folder, "insight")
            assert database.owner_url is not None
            assert database.insight_url is not None
            began = perf_counter()
            written = write_facts(database.owner_url, schema, invented(facts, chosen.terms))
            print(f"{written} facts over {chosen.terms} terms in {perf_counter() - began:.0f} s")
            with opened_to_count(database.insight_url, schema) as connection:
                measure(connection, tables, chosen.rounds)


if __name__ == "__main__":
    main()
