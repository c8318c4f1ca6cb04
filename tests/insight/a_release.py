"""A term of an invented county as it is published, from counts written down by hand."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from panel.insight.core.catalogue import CATALOGUE, LINKS
from panel.insight.core.cells import ProtectedTable, TrueCell
from panel.insight.core.dimensions import AREA
from panel.insight.core.error import published_error
from panel.insight.core.facts import ChildTerm, Package, Unmet, Wait
from panel.insight.core.making import COUNTED, Counted, tables_of
from panel.insight.core.nesting import KNOWN
from panel.insight.core.protecting import without_figures
from panel.insight.core.ptable import TABLE
from panel.insight.core.published import Published
from panel.insight.core.released import PublishedRules, Release
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.words import EVERY, Period
from panel.insight.reading import Head, Seen
from panel.insight.saying import Areas
from tests.insight.invented_children import GRID, SECRETS, Child, children, counted

TERM = Period("2026-autumn")
NAMES = {
    "w00": "Ashmead", "w01": "Barrow Hill", "w02": "Coldharbour", "w03": "Dunmere",
    "w04": "Eastfield", "w05": "Fallow End", "w06": "Gilbert’s Green", "w07": "Hollin & Moor",
}  # fmt: skip
LACK_A_SHORT_BREAK = {
    "w00": 12, "w01": 44, "w02": 3, "w03": 28, "w04": 0, "w05": 61, "w06": 8, "w07": 1,
}  # fmt: skip
"""Truly, by ward. Three stand far enough apart for any change of figures to leave their order."""
MOST = ("Fallow End", "Barrow Hill", "Dunmere")
_KNOWN_IN_A_WARD = 90


def _of_wards(many: int) -> list[Child]:
    tables = [one for one in COUNTED if one.measure is Measure.CHILDREN]
    made = children(many * len(GRID.clusters), 8, tables)
    wards = [ward for ward in GRID.clusters for _ in range(many)]
    return [
        Child(one.key, one.said | {"area": ward, "known": "true"})
        for one, ward in zip(made, wards, strict=True)
    ]


@cache
def _true() -> dict[str, list[TrueCell]]:
    known = _of_wards(_KNOWN_IN_A_WARD)
    lacking = list(_lacking(known))
    cells: dict[str, list[TrueCell]] = {}
    for table in COUNTED:
        if table.fact is ChildTerm and table.where == KNOWN:
            cells[table.key] = list(counted(table, known))
        elif table.fact is Unmet:
            cells[table.key] = list(counted(table, lacking))
        elif table.fact is Wait:
            cells[table.key] = list(_waits(table))
        elif table.fact is Package and table.measure is Measure.CHILDREN:
            cells[table.key] = list(counted(table, known[::3]))
        elif table.fact is Package:
            cells[table.key] = list(_costs(table))
    return cells


@cache
def made(term: Period = TERM) -> tuple[ProtectedTable, ...]:
    """Every table of the catalogue; those of which nothing was counted are without data."""
    places = {("short_break",): 40, ("therapy",): 25, (EVERY,): 65}
    counted_here = Counted(_true(), places=places)
    return tables_of(counted_here, GRID, TABLE, SECRETS, Published(term, LINKS))


@cache
def release(term: Period = TERM) -> Release:
    """The term as it is published, with its rules and its error."""
    counts = {key: {one.cell: one.children for one in cells} for key, cells in _true().items()}
    tables = made(term)
    error = published_error(CATALOGUE, [one for one in tables if one.key in counts], counts)
    return Release(term, tables, CATALOGUE, PublishedRules.of(TABLE, GRID), error)


def without_facts(term: Period) -> Release:
    """A term of which nothing was recorded."""
    tables = tuple(without_figures(one, GRID, term) for one in CATALOGUE.values())
    return replace(release(), period=term, tables=tables)


def _lacking(known: Iterable[Child]) -> Iterator[Child]:
    left = dict(LACK_A_SHORT_BREAK)
    others = dict.fromkeys(GRID.clusters, 14)
    for one in known:
        ward = one.said["area"]
        if left[ward]:
            left[ward] -= 1
            yield Child(one.key, one.said | {"kind": "short_break"})
        elif others[ward]:
            others[ward] -= 1
            yield Child(one.key, one.said | {"kind": "therapy"})


def _waits(table: TableDef) -> Iterator[TrueCell]:
    first, second = ("c0", "c1") if table.dims == (AREA,) else ("short_break", "therapy")
    parts = {first: (14, 5, 3, 0, 0, 0), second: (3, 12, 5, 1, 0, 0)}
    if table.key.startswith("wait_panel_service"):
        parts = {first: (2, 3, 12, 6, 2, 0), second: (1, 2, 4, 5, 14, 9)}
    whole = tuple(map(sum, zip(*parts.values(), strict=True)))
    for at, (code, bands) in enumerate({EVERY: whole, **parts}.items()):
        yield TrueCell((code,), sum(bands), 1 + at, in_bands=bands)


def _costs(table: TableDef) -> Iterator[TrueCell]:
    parts = {
        "payer": ("health", "social_care"),
        "kind": ("short_break", "therapy"),
        "residential": ("true", "false"),
    }[table.dims[0]]
    sums = (4_210_000, 2_640_000)
    for code, total, key in zip((EVERY, *parts), (sum(sums), *sums), (3, 5, 6), strict=True):
        yield TrueCell((code,), 40, key, total=total, largest=(220_000, 190_000))


def seen(
    tables: Iterable[ProtectedTable] | None = None,
    number: int = 1,
    boundaries: tuple[tuple[str, str], ...] = (),
) -> Seen:
    """The release as a page reads it."""
    those = made() if tables is None else tuple(tables)
    head = Head(number, those[0].period, datetime(2026, 12, 22, 9, 0, tzinfo=UTC))
    return Seen(
        head,
        {one.key: one.cells for one in those},
        Areas.of(NAMES, GRID.clusters),
        boundaries,
    )
