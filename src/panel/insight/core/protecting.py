"""From true counts to what is published. Only `Cell`s leave; `TrueCell`s never do.

The number of a cell hangs on who is in it and on nothing else: no table, no term and no order. So
asking again, or elsewhere, averages nothing out.
"""

from collections.abc import Iterable, Mapping

from panel.insight.core import magnitudes
from panel.insight.core.cells import (
    Cell,
    Note,
    ProtectedTable,
    Secrets,
    TrueCell,
    counted,
    shown,
    withheld,
)
from panel.insight.core.dimensions import AREA, whole_grid
from panel.insight.core.facts import ChildTerm
from panel.insight.core.nesting import KNOWN, depth, place, universe
from panel.insight.core.places import Grid, Place
from panel.insight.core.ptable import LEAST, PTable
from panel.insight.core.published import Published
from panel.insight.core.table import CellId, Measure, TableDef
from panel.insight.core.words import EVERY, Level, Period, Span

__all__ = [
    "Cell",
    "CellId",
    "Grid",
    "Note",
    "Place",
    "ProtectedTable",
    "Published",
    "Secrets",
    "TrueCell",
    "protect",
    "without_changed",
    "without_figures",
]


def protect(
    table: TableDef,
    cells: Iterable[TrueCell],
    grid: Grid,
    ptable: PTable,
    secrets: Secrets,
    published: Published,
) -> ProtectedTable:
    """Protect a table of counts or magnitudes, and note its counts in `published`.

    `cells` are all cells in which there is somebody, margins too, each child once in a cell. Tables
    come in `nesting.in_order`. ValueError: a cell that is not of the table's grid, or a measure
    that is made of published tables (rates.py).
    """
    every = tuple(whole_grid(table, grid))
    true = {one.cell: one for one in cells}
    if strange := true.keys() - set(every):
        raise ValueError(f"{table.key} has no {len(strange)} of the cells that were counted")
    if table.measure is Measure.CHILDREN:
        found = _counts(table, every, true, grid, ptable, secrets, published)
    elif table.measure in magnitudes.MEASURES:
        found = magnitudes.magnitudes(table, every, true, secrets)
    else:
        raise ValueError(f"{table.key} is made of published tables, not of children")
    made = ProtectedTable(table.key, published.period, tuple(found[one] for one in every))
    return without_changed(table, made, grid)


def without_changed(table: TableDef, made: ProtectedTable, grid: Grid) -> ProtectedTable:
    """The table without figures of areas whose wards changed lately, whatever they are."""
    hidden = grid.hidden(table.level, table.span, made.period)
    if not hidden or AREA not in table.dims:
        return made
    cells = (
        withheld(one.cell, Note.CHANGED)
        if _area(table, one.cell) in hidden and one.note not in {Note.NO_DATA, Note.ONCE}
        else one
        for one in made.cells
    )
    return ProtectedTable(made.key, made.period, tuple(cells))


def without_figures(
    table: TableDef, grid: Grid, period: Period, because: Note = Note.NO_DATA
) -> ProtectedTable:
    """The table of a term that has none of it: the whole grid, and nothing in it."""
    empty = tuple(withheld(one, because) for one in whole_grid(table, grid))
    return ProtectedTable(table.key, period, empty)


def _counts(
    table: TableDef,
    every: tuple[CellId, ...],
    true: Mapping[CellId, TrueCell],
    grid: Grid,
    ptable: PTable,
    secrets: Secrets,
    published: Published,
) -> dict[CellId, Cell]:
    found: dict[CellId, Cell] = {}
    seen: dict[Place, bool] = {}
    small = _too_small(table, grid, published)
    hidden = grid.hidden(table.level, table.span, published.period)
    for cell in sorted(every, key=depth):
        of = place(table, published.period, cell)
        if _area(table, cell) in hidden:
            # Not even how many are known: an old ward less a new one would tell of the rest.
            found[cell] = withheld(cell, Note.CHANGED)
            published.put(of, found[cell])
            continue
        if (settled := published.at(of)) is not None:
            found[cell] = Cell(cell, settled.value, settled.note)
            continue
        if _area(table, cell) in small and not _is_known(of):
            found[cell] = withheld(cell, Note.AREA)
        elif cell in table.structural_zeros:
            found[cell] = shown(cell, 0)
        elif not published.may_show(of, grid, seen):
            found[cell] = withheld(cell, Note.COARSER)
        else:
            found[cell] = _count(cell, true.get(cell), ptable, secrets)
            # A zero over a term that was published as 5 or more would tell that the 5 was less, and
            # a hole in its place would tell of the zero. There are 4 at most, so 5 is near enough.
            if found[cell].note is Note.ZERO and published.had_some(of):
                found[cell] = counted(cell, LEAST)
        published.put(of, found[cell])
    return found


def _count(cell: CellId, true: TrueCell | None, ptable: PTable, secrets: Secrets) -> Cell:
    if true is None or true.children == 0:
        return counted(cell, 0)
    return counted(cell, ptable.published(true.children, secrets.cell_key(true.xor, "count")))


# The area gate ------------------------------------------------------------------------------------


def _area(table: TableDef, cell: CellId) -> str:
    return cell[table.dims.index(AREA)] if AREA in table.dims else EVERY


def _is_known(of: Place) -> bool:
    """Whether it is the number that the gate itself reads: it comes out in any case."""
    return of.universe == universe(ChildTerm, KNOWN) and [dim for dim, _ in of.of] == [AREA]


def _too_small(table: TableDef, grid: Grid, published: Published) -> frozenset[str]:
    """The wards that published fewer children known than a ward needs for tables of its own."""
    if table.level is not Level.WARD:
        return frozenset()
    return frozenset(
        ward
        for ward in grid.areas(Level.WARD)
        if _known(ward, table.span, published) < grid.least_known
    )


def _known(ward: str, span: Span, published: Published) -> int:
    # Nothing published of a ward is as good as nobody in it.
    for one in (span, Span.TERM):
        at = Place(universe(ChildTerm, KNOWN), one, published.period, ((AREA, ward),))
        if (cell := published.at(at)) is not None:
            return int(cell.value or 0)
    return 0
