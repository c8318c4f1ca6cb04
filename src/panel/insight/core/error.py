"""How far published figures are from the true ones: printed on the methods page of each release."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from statistics import median

from panel.insight.core.cells import ProtectedTable
from panel.insight.core.dimensions import AREA
from panel.insight.core.nesting import parts
from panel.insight.core.released import LevelError, PublishedError
from panel.insight.core.table import CellId, Measure, TableDef
from panel.insight.core.words import EVERY, Level


def published_error(
    catalogue: Mapping[str, TableDef],
    tables: Iterable[ProtectedTable],
    true: Mapping[str, Mapping[CellId, int]],
) -> PublishedError:
    """The error of the counts of a release, by level of area.

    `true` has, for each table, the children of the cells in which there is somebody. The mean is
    over all cells that are shown. A gap is a shown whole less the sum of its parts, without sign,
    where all parts are shown and each child is in one of them.
    """
    off: dict[Level, list[Fraction]] = {}
    gaps: dict[Level, list[Fraction]] = {}
    for one in tables:
        table = catalogue[one.key]
        if table.measure is not Measure.CHILDREN:
            continue
        said = {cell.cell: cell.value for cell in one.cells}
        for cell, value in said.items():
            if value is not None:
                away = abs(Fraction(value) - true[one.key].get(cell, 0))
                off.setdefault(_level(table, cell), []).append(away)
        for dim in table.dims:
            # Of area not all parts are shown: a child without a ward is in no area.
            if not table.splits(dim) or dim == AREA:
                continue
            for whole, cells in parts(table, said, dim).items():
                total, values = said[whole], [said[own] for own in cells]
                if total is None or None in values:
                    continue
                gap = abs(Fraction(total) - sum(Fraction(own) for own in values if own is not None))
                gaps.setdefault(_level(table, whole), []).append(gap)
    return PublishedError(
        {
            level: LevelError(
                cells=len(away),
                mean_absolute=sum(away, Fraction(0)) / len(away),
                median_gap=Fraction(median(gaps[level])) if level in gaps else None,
            )
            for level, away in sorted(off.items())
        }
    )


def _level(table: TableDef, cell: CellId) -> Level:
    if AREA not in table.dims or cell[table.dims.index(AREA)] == EVERY:
        return Level.AUTHORITY
    return table.level
