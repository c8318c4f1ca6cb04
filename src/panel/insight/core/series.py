"""A cell from term to term, and what it may be in terms to come: out of published figures alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from statistics import median

from panel.insight.core.cells import Cell, Note, ProtectedTable, shown, withheld
from panel.insight.core.dimensions import whole_grid
from panel.insight.core.places import Grid
from panel.insight.core.ptable import FURTHEST, ROUND_TO
from panel.insight.core.table import CellId, TableDef
from panel.insight.core.words import EVERY, Period, ordinal, period_at

FEWEST_TERMS = 4
"""Published terms that a projection needs."""


@dataclass(frozen=True, slots=True)
class Point:
    """What was published of a cell in a term."""

    period: Period
    cell: Cell


def series(tables: Iterable[ProtectedTable], key: str, cell: CellId) -> tuple[Point, ...]:
    """A cell of a table in every term in which it was published, oldest first.

    A term between of which there is nothing stands there as without data, so that no line is drawn
    through it.
    """
    found: dict[int, Cell] = {}
    for one in tables:
        if one.key == key:
            found.update({ordinal(one.period): own for own in one.cells if own.cell == cell})
    if not found:
        return ()
    return tuple(
        Point(period_at(at), found.get(at, withheld(cell, Note.NO_DATA)))
        for at in range(min(found), max(found) + 1)
    )


@dataclass(frozen=True, slots=True)
class Band:
    """Between which numbers a term to come may lie."""

    period: Period
    low: int
    high: int


def projection(points: Sequence[Point], terms: int) -> tuple[Band, ...]:
    """Bands for so many terms to come; none where fewer than four terms say anything.

    The line is that of Theil and Sen: its slope is the median of all slopes between two terms, so
    that one odd term does not turn it. The band is as wide as the furthest published term lay from
    it, no narrower than what figures are changed by, and widens with each term by the part of that
    which each term has. Rounded outward to five.
    """
    said = [
        (ordinal(one.period), Fraction(one.cell.value))
        for one in points
        if one.cell.value is not None
    ]
    if len(said) < FEWEST_TERMS:
        return ()
    slope = median((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(said, 2))
    start = median(y - slope * x for x, y in said)
    furthest = max(abs(y - start - slope * x) for x, y in said)
    around = max(furthest, Fraction(FURTHEST))
    last = max(x for x, _ in said)
    return tuple(
        Band(
            period_at(last + ahead),
            _down(start + slope * (last + ahead) - around * (1 + Fraction(ahead, len(said)))),
            _up(start + slope * (last + ahead) + around * (1 + Fraction(ahead, len(said)))),
        )
        for ahead in range(1, terms + 1)
    )


def _down(exact: Fraction) -> int:
    return max(0, int(exact // ROUND_TO) * ROUND_TO)


def _up(exact: Fraction) -> int:
    return max(0, -int(-exact // ROUND_TO) * ROUND_TO)


def projected(
    table: TableDef, grid: Grid, tables: Iterable[ProtectedTable], period: Period
) -> ProtectedTable:
    """The table of a projection: the whole of the table that it is `of`, in terms to come.

    `tables` are those of every release, this one among them; terms after `period` do not count.
    """
    until = [
        one for one in tables if one.key == table.of and ordinal(one.period) <= ordinal(period)
    ]
    whole = tuple(EVERY for _ in until[0].cells[0].cell) if until else ()
    ahead = projection(series(until, table.of, whole), 3)
    of: Mapping[CellId, Decimal] = {
        (str(at), edge): Decimal(number)
        for at, band in enumerate(ahead, start=1)
        for edge, number in (("low", band.low), ("high", band.high))
    }
    return ProtectedTable(
        table.key,
        period,
        tuple(
            shown(one, of[one]) if one in of else withheld(one, Note.NO_DATA)
            for one in whole_grid(table, grid)
        ),
    )
