"""What protecting a release costs: the whole of it against the same aggregation alone.

A million invented facts of children in a database of their own, counted in SQL as a release is:
each table of the catalogue that the world has facts for, with all margins. First as it would be
without protection (children in each cell), then with the cells' keys and everything that makes
published tables of them. Prints the times, their ratio, and what ten times the facts cost; never
fails on a time. With --terms it is the joint audit of so many releases instead: of a county of
3,000 children, of one with a tenth of the facts and of one with all of them, each from nothing, and
once more as a new release asks, with what the ledger holds proven. What is meant: protected at most
three times the time of the aggregation alone, and the audit of eight terms in ten minutes.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, perf_counter, process_time

import numpy as np
import psycopg

from panel.insight.core.audit import audit
from panel.insight.core.catalogue import LINKS
from panel.insight.core.facts import ChildTerm, Fact, Package, Request, Unmet
from panel.insight.core.fold import TABLES, columns_of
from panel.insight.core.keys import CellKeys
from panel.insight.core.making import COUNTED, Counted, tables_of
from panel.insight.core.model import Builder
from panel.insight.core.parts import digest_of, parts
from panel.insight.core.places import Grid
from panel.insight.core.ptable import TABLE
from panel.insight.core.published import Published
from panel.insight.core.table import TableDef
from panel.insight.counting import Connection, count, given_to, statement_of
from panel.platform.embedded_postgres import running
from tests.insight.attack.harness import PERIODS, SECRET, Releases, clusters_of, world_of
from tests.insight.attack.world import World

FACTS: tuple[type[Fact], ...] = (ChildTerm, Request, Unmet, Package)
FACTS_OF_A_CHILD = 8
"""About as many as a child of the world has over its four terms."""
LATEST = 3
CHILDREN = 3_000
MINUTES = 10
"""That an audit has."""
TYPES = {"person": "bytea", "record_key": "bigint", "key": "bytea"}
FLAGS = frozenset({"known", "planned", "short_break", "duty", "residential"})
PENCE = frozenset({"pence", "payer_health", "payer_education", "payer_social_care"})
QUANTITIES = frozenset({"units", "units_missing"})


def main() -> None:
    """Measure, and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--facts", type=int, default=1_000_000)
    asked.add_argument("--terms", type=int, default=0, help="audit so many releases together")
    chosen = asked.parse_args()
    if chosen.terms:
        _audited(chosen.terms, chosen.facts)
        return
    small = _measured(chosen.facts // 10)
    large = _measured(chosen.facts)
    print(
        f"10 times the facts: aggregation {large[0] / small[0]:.1f} times,"
        f" protected release {large[1] / small[1]:.1f} times the time"
    )


def _measured(facts: int) -> tuple[float, float]:
    """Seconds of the aggregation alone, and of a protected release."""
    world = world_of(1, children=facts // FACTS_OF_A_CHILD)
    with _database(world) as (connection, how_many):
        grid = Grid(clusters=clusters_of(world.places))
        tables = [table for table in COUNTED if table.fact in FACTS]
        _aggregate(connection, tables, grid)  # warm
        # In turn, since other programmes may be running too.
        turns = [
            (_aggregate(connection, tables, grid), _release(connection, tables, grid))
            for _ in range(3)
        ]
    alone = min(aggregation for aggregation, _ in turns)
    counting, protecting = min(release for _, release in turns)
    whole = counting + protecting
    print(
        f"{how_many:,} facts, {len(tables)} tables: aggregation alone {alone:.2f} s; with keys"
        f" {counting:.2f} s, protection {protecting:.2f} s: {whole / alone:.2f} times"
    )
    return alone, whole


def _aggregate(connection: Connection, tables: list[TableDef], grid: Grid) -> float:
    """The same queries without the cells' keys, and their rows fetched."""
    began = perf_counter()
    for table in tables:
        without = statement_of(table).replace(", bit_xor(record_key)", "")
        connection.execute(without.encode(), given_to(table, grid, PERIODS[LATEST])).fetchall()
    return perf_counter() - began


def _release(connection: Connection, tables: list[TableDef], grid: Grid) -> tuple[float, float]:
    """Seconds of counting and of protecting a whole release."""
    began = perf_counter()
    period = PERIODS[LATEST]
    cells = {table.key: count(connection, table, grid, period) for table in tables}
    counted = perf_counter()
    tables_of(Counted(cells), grid, TABLE, CellKeys(SECRET), Published(period, LINKS))
    return counted - began, perf_counter() - counted


@contextmanager
def _database(world: World) -> Iterator[tuple[Connection, int]]:
    """The facts of a world in tables of their own, and how many they are."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as server,
        psycopg.connect(server.superuser_url) as connection,
    ):
        connection.execute("SET jit = off")
        how_many = sum(_written(connection, world, fact) for fact in FACTS)
        connection.execute("ANALYZE")
        yield connection, how_many


def _written(connection: Connection, world: World, fact: type[Fact]) -> int:
    columns = columns_of(fact)
    name = TABLES[fact]
    described = ", ".join(f"{column} {_type(column)}" for column in columns)
    connection.execute(f"CREATE TABLE {name} ({described})".encode())
    with connection.cursor().copy(
        f"COPY {name} ({', '.join(columns)}) FROM STDIN".encode()
    ) as copy:
        rows = 0
        for row in _rows(world, fact, columns):
            copy.write_row(row)
            rows += 1
    key = ", ".join(column for column in ("person", "period", "key") if column in columns)
    connection.execute(f"CREATE UNIQUE INDEX ON {name} ({key})".encode())
    connection.execute(f"CREATE INDEX ON {name} (period)".encode())
    return rows


def _type(column: str) -> str:
    if column in FLAGS:
        return "boolean"
    if column in QUANTITIES:
        return "numeric(12,3)"
    return "bigint" if column in PENCE else TYPES.get(column, "text")


def _rows(world: World, fact: type[Fact], columns: tuple[str, ...]) -> Iterator[list[object]]:
    rng = np.random.default_rng(5)
    for term in range(world.terms):
        rows = world.rows(fact.__name__, term, seen=world.terms - 1)
        pence = rng.integers(2_000, 4_000_000, len(rows.child)).tolist()
        said = {
            name: [world.codes[name][number] for number in rows.columns[name].tolist()]
            for name in columns
            if name in rows.columns and name in world.codes
        }
        wards = [world.places.ward(ward) for ward in rows.columns["ward"].tolist()]
        for at, child in enumerate(rows.child.tolist()):
            known: dict[str, object] = {name: of[at] for name, of in said.items()}
            known |= {
                "person": child.to_bytes(16),
                "record_key": int(world.keys[child]),
                "period": PERIODS[term],
                "ward": wards[at],
                "key": (term << 64 | at).to_bytes(16),
                "known": "true",
            }
            yield [known.get(name, _else(name, pence[at])) for name in columns]


def _else(column: str, pence: int) -> object:
    if column in PENCE:
        return pence if column in {"pence", "payer_health"} else 0
    return "false" if column in FLAGS else (1 if column in QUANTITIES else "")


def _audited(terms: int, facts: int) -> None:
    """How long the audit of so many releases takes together, of counties small and large."""
    few, many = facts // 10 // FACTS_OF_A_CHILD, facts // FACTS_OF_A_CHILD
    _, small, large = (_attacked(terms, children) for children in (CHILDREN, few, many))
    print(f"10 times the facts: the audit takes {large / small:.1f} times the processor's time")


def _attacked(terms: int, children: int) -> float:
    """Seconds of a processor for everything together, from nothing."""
    world = world_of(1, children=children, terms=terms + 2)
    releases = Releases(world)
    for term in range(2, terms + 2):
        releases.make(term)
    facts = sum(
        len(world.rows(fact.__name__, term, seen=term).child)
        for fact in FACTS
        for term in range(terms + 2)
    )
    out = [made.release for made in releases.made]
    began = process_time()
    result = audit(out, until=monotonic() + MINUTES * 60)
    spent = process_time() - began
    print(
        f"{children:,} children, {facts:,} facts, {terms} releases: {result.cells:,} cells,"
        f" {result.solves} programmes, {result.seconds:.0f} s ({spent:.0f} s of a processor),"
        f" {len(result.findings)} findings, {result.unfinished} unfinished,"
        f" {result.corrected} rows corrected",
        flush=True,
    )
    before = {digest_of(part) for part in parts(Builder(out[:-1]).build())}
    began = process_time()
    again = audit(
        out,
        until=monotonic() + MINUTES * 60,
        proven=[one for one in result.proven if one in before],
    )
    print(
        f"  the last with the others proven before: {again.cells - again.kept:,} cells asked,"
        f" {again.solves} programmes, {again.seconds:.0f} s ({process_time() - began:.0f} s)",
        flush=True,
    )
    return spent


if __name__ == "__main__":
    main()
