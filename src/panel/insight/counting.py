"""True counts of the catalogue's tables, in SQL, as the role that reads facts and nothing else.

A child counts once in a cell, and its record key goes once into the cell's key: a key that went in
twice would be gone (x xor x = 0), and nobody would see it. So rows are made one for each child and
cell before anything is counted, but where a table of facts has one row for each child anyhow.
Margins come from the same query (GROUPING SETS), so that all of a table is of one moment.

What comes out are `TrueCell`s: they stay in the process that counts, and are in no log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import psycopg
from psycopg import sql as literally
from psycopg.rows import TupleRow

from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.cells import TrueCell
from panel.insight.core.dimensions import AREA, whole_grid
from panel.insight.core.facts import Capacity, ChildTerm, Fact, OutcomeChange, Package
from panel.insight.core.fold import TABLES
from panel.insight.core.magnitudes import FEWEST
from panel.insight.core.making import COUNTED as COUNTED_TABLES
from panel.insight.core.making import Counted
from panel.insight.core.places import Grid
from panel.insight.core.table import CellId, Measure, TableDef
from panel.insight.core.words import EVERY, WAIT_WEEKS, Level, Period, Span, window
from panel.platform.cluster import INSIGHT
from panel.platform.read_models import sql

Connection = psycopg.Connection[TupleRow]

COUNTED = frozenset({Measure.CHILDREN, Measure.TOTAL, Measure.MEAN, Measure.MEDIAN_BAND})
"""Measures that are counted of children; the rest is made of published tables."""
_OF_CHILD = frozenset(one.name for one in fields(ChildTerm)) - {"who", "period"}
_COURSE = (
    "CASE WHEN f.latest > f.baseline THEN 'better' WHEN f.latest < f.baseline THEN 'worse'"
    " ELSE 'same' END"
)
_PAYERS = (
    "CROSS JOIN LATERAL (VALUES ('health', f.payer_health), ('education', f.payer_education),"
    " ('social_care', f.payer_social_care)) AS paid (payer, amount)"
)
_SERVICES = (
    "JOIN (SELECT person, period, kind FROM fact_package GROUP BY 1, 2, 3) AS had"
    " ON had.person = f.person AND had.period = f.period"
)
_AREAS = (
    "LEFT JOIN unnest(%(wards)s::text[], %(areas)s::text[]) AS nested (ward, area)"
    " ON nested.ward = c.ward"
)
_THOUSANDTHS = frozenset({"units", "units_missing"})

_ROWS = """
SELECT {who}{dims}{amount} FROM {table} f {joins}
 WHERE f.period = ANY(%(periods)s){where}
"""
_EACH_CHILD = """
SELECT person, record_key{dims}, {grouping} AS margin, sum(amount) AS amount, max(amount) AS longest
  FROM ({rows}) AS counted GROUP BY person, record_key{sets}
"""
_CELLS = """
SELECT margin{dims}, count(*), bit_xor(record_key){magnitude}
  FROM ({each}) AS child GROUP BY margin{dims}
"""
_CELLS_AT_ONCE = """
SELECT {grouping}{dims}, count(*), bit_xor(record_key)
  FROM ({rows}) AS counted {sets}
"""


@contextmanager
def opened_to_count(url: str, schema: str) -> Iterator[Connection]:
    """A connection of `panel_insight` that reads one authority's facts as of one moment."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute(
            literally.SQL("SET LOCAL search_path = {}").format(literally.Identifier(schema))
        )
        connection.execute("SET LOCAL jit = off")
        yield connection


def why_not_to_count(url: str | None, schema: str) -> str:
    """Why nothing can be counted in an authority, in a sentence; "" where it can."""
    if url is None:
        return "The address of panel_insight is not known. Set PANEL_INSIGHT_URL."
    try:
        with opened_to_count(url, schema) as connection:
            role, may_read = connection.execute(
                "SELECT current_user::text, has_table_privilege('fact_period', 'SELECT')"
            ).fetchone() or ("", False)
    except psycopg.Error:
        return (
            "The database lets nobody count: PANEL_INSIGHT_URL is not right, or the role"
            " panel_insight was made after migration 0041. Grant it what that migration says."
        )
    if role != INSIGHT:
        return (
            f"PANEL_INSIGHT_URL must be the role {INSIGHT}, which reads nothing else: not {role}."
        )
    return "" if may_read else f"The role {INSIGHT} may not read the facts: see migration 0041."


def periods(connection: Connection) -> tuple[Period, ...]:
    """The terms that are over, oldest first."""
    rows = connection.execute("SELECT period FROM fact_period ORDER BY first_day")
    return tuple(Period(one) for (one,) in rows)


def areas(connection: Connection) -> dict[str, str]:
    """The wards and other areas by code, with their names."""
    rows = connection.execute("SELECT code, name FROM area ORDER BY code").fetchall()
    return {str(code): str(name) for code, name in rows}


def count_all(connection: Connection, grid: Grid, period: Period) -> Counted:
    """Everything that a release of a term is made from, but population and expected shares.

    A term that is not over has no facts. Nor has a kind of fact that fewer than `FEWEST` people
    have in all terms together: to say so of nobody alone would tell of the first that there is one.
    """
    if period not in periods(connection):
        return Counted({})
    kept = {kind for kind in TABLES if kind is not Capacity and _is_kept(connection, kind)}
    cells = {
        table.key: count(connection, table, grid, period)
        for table in COUNTED_TABLES
        if table.fact in kept
    }
    places = {
        one.cell: one.total
        for table in CATALOGUE.values()
        if table.measure is Measure.PLACES and table.over is None
        for one in count(connection, table, grid, period)
    }
    return Counted(cells, places)


def _is_kept(connection: Connection, kind: type[Fact]) -> bool:
    statement = sql(
        "SELECT count(*) >= {fewest}"
        " FROM (SELECT FROM {table} GROUP BY person LIMIT {fewest}) AS people",
        table=TABLES[kind],
        fewest=str(FEWEST),
    )
    return connection.execute(statement.encode()).fetchone() == (True,)


def count(
    connection: Connection, table: TableDef, grid: Grid, period: Period
) -> tuple[TrueCell, ...]:
    """All cells of a table in which there is somebody, margins too, in the order of the grid.

    A child whose code is not in the grid (a ward that nobody knows) counts in the margins alone.
    ValueError: a table that is made of published ones.
    """
    if table.measure is Measure.PLACES:
        return _places(connection, table, grid, period)
    statement = statement_of(table)
    found = {
        one.cell: one
        for row in connection.execute(statement.encode(), given_to(table, grid, period))
        if (one := _true_cell(table, row)).children
    }
    return tuple(found[cell] for cell in whole_grid(table, grid) if cell in found)


def statement_of(table: TableDef) -> str:
    """The query that counts a table. ValueError: one that is made of published tables."""
    if table.measure not in COUNTED:
        raise ValueError(f"{table.key} is made of published tables, not of children")
    dims = [f"d{place}" for place in range(len(table.dims))]
    listed = "".join(f", {one}" for one in dims)
    grouping = f"GROUPING({', '.join(dims)})" if dims else "0"
    rows = _rows(table)
    if table.fact is ChildTerm and table.span is Span.TERM:
        sets = f"GROUP BY CUBE ({', '.join(dims)})" if dims else ""
        return sql(_CELLS_AT_ONCE, grouping=grouping, dims=listed, rows=rows, sets=sets)
    each = sql(
        _EACH_CHILD,
        dims=listed,
        grouping=grouping,
        rows=rows,
        sets=f", CUBE ({', '.join(dims)})" if dims else "",
    )
    return sql(_CELLS, dims=listed, each=each, magnitude=_magnitude(table))


def _rows(table: TableDef) -> str:
    """A row for each fact that counts: of whom, in which cell, how much."""
    joins = [] if table.fact is ChildTerm else [_of_the_child()]
    if AREA in table.dims:
        joins.append(_AREAS.replace("c.ward", "f.ward") if table.fact is ChildTerm else _AREAS)
    if table.fact is Package and "payer" in table.dims:
        joins.append(_PAYERS)
    if table.fact is OutcomeChange and "kind" in table.dims:
        joins.append(_SERVICES)
    dims = "".join(
        sql(", ({column})::text AS d{place}", column=_column(table, dim), place=str(place))
        for place, dim in enumerate(table.dims)
    )
    where = [
        sql(
            " AND ({column})::text = ANY(%(where_{place})s)",
            column=_column(table, column),
            place=str(place),
        )
        for place, (column, _) in enumerate(table.where)
    ]
    if table.measure in {Measure.TOTAL, Measure.MEAN}:
        where.append(sql(" AND {amount} <> 0", amount=_amount(table)))
    return sql(
        _ROWS,
        who="f.person, f.record_key",
        dims=dims,
        amount=sql(", ({amount})::bigint AS amount", amount=_amount(table)),
        table=TABLES[table.fact],
        joins=" ".join(joins),
        where="".join(where),
    )


def _of_the_child() -> str:
    return "JOIN fact_child_term c ON c.person = f.person AND c.period = f.period"


def _column(table: TableDef, name: str) -> str:
    """SQL for a dimension or a condition. ValueError: no fact has it."""
    made = {
        (Package, "payer"): "paid.payer",
        (OutcomeChange, "course"): _COURSE,
        (OutcomeChange, "kind"): "had.kind",
    }.get((table.fact, name))
    if made is not None:
        return made
    if name == AREA:
        return "COALESCE(nested.area, '')"
    if name in _own(table.fact):
        return f"f.{name}"
    if name in _OF_CHILD:
        return f"c.{name}"
    raise ValueError(f"{table.key}: no fact has {name}")


def _own(fact: type[Fact]) -> frozenset[str]:
    return frozenset(one.name for one in fields(fact)) - {"who", "key", "period"}


def _amount(table: TableDef) -> str:
    """SQL for how much a fact adds to a magnitude; of a count, nothing."""
    if not table.of:
        return "0"
    if table.of == "pence" and "payer" in table.dims:
        return "paid.amount"
    column = _column(table, table.of)
    return f"1000 * {column}" if table.of in _THOUSANDTHS else column


def _magnitude(table: TableDef) -> str:
    """What is read of a magnitude beside its children."""
    if table.measure is Measure.CHILDREN:
        return ""
    if table.measure is not Measure.MEDIAN_BAND:
        return ", sum(amount)::bigint, (array_agg(amount::bigint ORDER BY amount DESC))[1:2]"
    ends = (0, *(7 * weeks for weeks in WAIT_WEEKS))
    bands = [
        f"count(*) FILTER (WHERE longest >= {first}"
        + (f" AND longest < {ends[place + 1]})" if place + 1 < len(ends) else ")")
        for place, first in enumerate(ends)
    ]
    return f", ARRAY[{', '.join(bands)}]"


def given_to(table: TableDef, grid: Grid, period: Period) -> dict[str, Any]:
    """The values that the query of a table is asked with."""
    nested = (
        {ward: ward for ward in grid.clusters} if table.level is Level.WARD else dict(grid.clusters)
    )
    return {
        "periods": list(window(period)) if table.span is Span.ROLLING else [period],
        "wards": list(nested),
        "areas": list(nested.values()),
        **{f"where_{place}": sorted(codes) for place, (_, codes) in enumerate(table.where)},
    }


def _true_cell(table: TableDef, row: TupleRow) -> TrueCell:
    margin, *rest = row
    codes, rest = rest[: len(table.dims)], rest[len(table.dims) :]
    children, xor, *magnitude = rest
    cell = cell_at(int(margin), codes)
    if not magnitude:
        return TrueCell(cell, children, xor or 0)
    if table.measure is Measure.MEDIAN_BAND:
        return TrueCell(cell, children, xor, in_bands=tuple(magnitude[0]))
    total, largest = magnitude
    return TrueCell(cell, children, xor, total, tuple(largest))


def cell_at(margin: int, codes: list[str]) -> CellId:
    """The cell of a row: a bit of `margin` for each dimension, the first the highest; 1 is all."""
    return tuple(
        EVERY if margin >> (len(codes) - 1 - place) & 1 else code
        for place, code in enumerate(codes)
    )


def _places(
    connection: Connection, table: TableDef, grid: Grid, period: Period
) -> tuple[TrueCell, ...]:
    """Places of services: about no child, so of nobody and without a key."""
    if table.fact is not Capacity or table.dims != ("kind",) or table.of not in {"places", "free"}:
        raise ValueError(f"{table.key}: places are counted by kind of service alone")
    statement = sql(
        "SELECT GROUPING(kind), kind, sum({of})::bigint FROM fact_capacity"
        " WHERE period = %(period)s GROUP BY GROUPING SETS ((kind), ())",
        of=table.of,
    )
    rows = connection.execute(statement.encode(), {"period": period})
    found = {
        (cell := cell_at(margin, [kind])): TrueCell(cell, 0, 0, total)
        for margin, kind, total in rows
        if total is not None
    }
    return tuple(found[cell] for cell in whole_grid(table, grid) if cell in found)
