"""A figure of one area from term to term, in the areas of today: out of published figures alone.

Where all of some old wards went into one, their figures stand for it before. Of a ward that was
divided nobody knows what part was where, so what came of it has no past.
"""

from collections.abc import Iterator, Sequence

from panel.insight.core.cells import Cell, Note, shown, withheld
from panel.insight.core.changes import past
from panel.insight.core.dimensions import AREA
from panel.insight.core.table import CellId, Measure, TableDef
from panel.insight.core.words import EVERY, Level
from panel.insight.reading import Seen
from panel.insight.saying import Areas, past_words

Points = tuple[tuple[Seen, Cell], ...]


def areas_of(table: TableDef, seen: Seen) -> list[tuple[str, str]]:
    """The areas of a table by name, the whole first: code and name. None where it has none."""
    if AREA not in table.dims:
        return []
    at = table.dims.index(AREA)
    codes = {one.cell[at] for one in seen.of(table.key)} | {EVERY}
    return sorted(
        ((code, seen.areas.called(code)) for code in codes), key=lambda one: (one[0] != EVERY, one)
    )


def through_terms(table: TableDef, area: str, releases: Sequence[Seen], today: Areas) -> Points:
    """What each release published of an area, oldest first; `today` knows what wards became."""
    cell = _cell(table, area)
    return tuple((one, _at(table, cell, area, one, today)) for one in releases if one.of(table.key))


def past_of(table: TableDef, area: str, today: Areas) -> str:
    """What to know of an area's earlier figures, in words; "" where nothing changed."""
    return past_words(area, today) if table.level is Level.WARD and area != EVERY else ""


def _cell(table: TableDef, area: str) -> CellId:
    return tuple(area if dim == AREA else EVERY for dim in table.dims)


def _at(table: TableDef, cell: CellId, area: str, release: Seen, today: Areas) -> Cell:
    wards: Sequence[str] = (area,)
    if table.level is Level.WARD and area != EVERY:
        wards = past(area, today.changes, release.head.period).wards
    return _together(table, cell, list(_found(table, wards, release)))


def _found(table: TableDef, wards: Sequence[str], release: Seen) -> Iterator[Cell]:
    cells = {one.cell: one for one in release.of(table.key)}
    for ward in wards:
        cell = _cell(table, ward)
        yield cells.get(cell, withheld(cell, Note.NO_DATA))


def _together(table: TableDef, cell: CellId, cells: Sequence[Cell]) -> Cell:
    if len(cells) == 1:
        return Cell(cell, cells[0].value, cells[0].note)
    values = [one.value for one in cells if one.value is not None]
    # Only children can be added up, and only where nothing lacks.
    if table.measure is not Measure.CHILDREN or not values or len(values) < len(cells):
        return withheld(cell, Note.CHANGED)
    return shown(cell, sum(values[1:], values[0]))
