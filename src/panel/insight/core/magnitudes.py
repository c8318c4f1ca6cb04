"""Money, units and waits: shown only where many have part in them, and never exactly.

At least 10 children; the two largest have at most 90% of the total; and what is left beside them is
at least 10% of the largest, so that the second cannot tell what the first has ((2, 0.9) and p%).
With these two shares the third rule follows from the second; it stands for the day that one is
changed. What a whole less its shown parts leaves is under the same rules as what is shown.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from panel.insight.core.cells import Cell, Note, Secrets, TrueCell, shown, withheld
from panel.insight.core.nesting import parts
from panel.insight.core.table import CellId, Measure, TableDef
from panel.insight.core.words import WAIT_BANDS, WAIT_WEEKS

MEASURES = frozenset({Measure.TOTAL, Measure.MEAN, Measure.MEDIAN_BAND})
FEWEST = 10
_MOST_OF_TWO = Fraction(9, 10)
_LEAST_BESIDE = Fraction(1, 10)
_NOISE = (Fraction(2, 100), Fraction(5, 100))
_IN_BAND = 3
"""The fewest children in the band of a median."""
_STEP = {"pounds": 50}
_OTHER_STEP = 5
_SMALLEST = {"pounds": 100, "days": 1, "units": 1000}
"""How many of what `TrueCell.total` counts make one of the unit that is published."""


def unit_of(table: TableDef) -> str:
    """In what a magnitude is published: pounds, days or units."""
    if table.of == "days":
        return "days"
    return "units" if table.of.startswith("units") else "pounds"


def magnitudes(
    table: TableDef, every: Sequence[CellId], true: Mapping[CellId, TrueCell], secrets: Secrets
) -> dict[CellId, Cell]:
    """What is published of the whole grid of a table of money, units or waits."""
    hidden = {cell: why for cell in every if (why := why_hidden(table, true.get(cell)))}
    hidden.update(dict.fromkeys(_told_by_others(table, every, true, hidden), Note.COARSER))
    return {
        cell: withheld(cell, hidden[cell]) if cell in hidden else _shown(table, true[cell], secrets)
        for cell in every
    }


def _shown(table: TableDef, true: TrueCell, secrets: Secrets) -> Cell:
    if table.measure is Measure.MEDIAN_BAND:
        return _median(true, secrets)
    return shown(true.cell, blurred(table, true, secrets))


# Whether it is shown ------------------------------------------------------------------------------


def why_hidden(table: TableDef, true: TrueCell | None) -> Note:
    """Why a cell by itself cannot be shown; `Note.NONE`: it can."""
    if true is None or true.children < FEWEST:
        return Note.FEW
    if table.measure is Measure.MEDIAN_BAND:
        return Note.NONE
    if true.total <= 0:
        return Note.FEW
    return Note.DOMINATED if _is_dominated(true.total, true.largest) else Note.NONE


def _is_dominated(total: int, largest: Sequence[int]) -> bool:
    first, second = (*largest, 0, 0)[:2]
    rest = total - first - second
    return first + second > _MOST_OF_TWO * total or rest < _LEAST_BESIDE * first


def _told_by_others(
    table: TableDef,
    every: Sequence[CellId],
    true: Mapping[CellId, TrueCell],
    hidden: Mapping[CellId, Note],
) -> set[CellId]:
    """Cells to hide as well, so that no whole less its shown parts tells of 1 to 9 children, or of
    one or two who make most of what is left.

    Hiding one may leave another dimension's whole with too little hidden: again until nothing is
    found. Each round hides a cell, so it ends.
    """
    also: set[CellId] = set()
    families = [
        (dim, whole, cells)
        for dim in table.dims
        for whole, cells in parts(table, every, dim).items()
    ]
    found = True
    while found:
        found = False
        for dim, whole, cells in families:
            if whole in hidden or whole in also:
                continue
            out = [one for one in cells if one not in hidden and one not in also]
            told = _to_hide(table, dim, whole, cells, out, true)
            if told is not None:
                also.add(told)
                found = True
    return also


def _to_hide(
    table: TableDef,
    dim: str,
    whole: CellId,
    cells: Sequence[CellId],
    out: Sequence[CellId],
    true: Mapping[CellId, TrueCell],
) -> CellId | None:
    """The shown part that must be hidden beside its whole, if any must: the smallest."""
    if not out:
        return None
    smallest = min(out, key=lambda one: (_children(true, one), one))
    kept = set(out)
    unshown = [one for one in cells if one not in kept]
    many = _children(true, whole)
    left = _left(table, dim, many, out, unshown, true)
    if 0 < left < FEWEST or _is_left_to_few(table, whole, out, unshown, true):
        return smallest
    for one in out:
        others = [other for other in cells if other != one]
        if 0 < _left(table, dim, many, [one], others, true) < FEWEST:
            return one
    return None


def _is_left_to_few(
    table: TableDef,
    whole: CellId,
    out: Sequence[CellId],
    unshown: Sequence[CellId],
    true: Mapping[CellId, TrueCell],
) -> bool:
    """Whether one or two make most of what a whole less its shown parts leaves."""
    there = [true[one] for one in unshown if one in true]
    if table.measure is Measure.MEDIAN_BAND or not there:
        return False
    left = true[whole].total - sum(true[one].total for one in out)
    largest = sorted((amount for one in there for amount in one.largest), reverse=True)
    return _is_dominated(left, largest)


def _left(
    table: TableDef,
    dim: str,
    whole: int,
    known: Sequence[CellId],
    others: Sequence[CellId],
    true: Mapping[CellId, TrueCell],
) -> int:
    """At least how many children are in a whole less these parts."""
    if table.splits(dim):
        return whole - sum(_children(true, one) for one in known)
    return max((_children(true, one) for one in others), default=0)


def _children(true: Mapping[CellId, TrueCell], cell: CellId) -> int:
    one = true.get(cell)
    return one.children if one is not None else 0


# What is shown ------------------------------------------------------------------------------------


def blurred(table: TableDef, true: TrueCell, secrets: Secrets) -> Decimal:
    """The total or mean with 2% to 5% added or taken, to two figures.

    In steps of at least £50, or 5 units or days. What is added hangs on who is in the cell and on
    what is added up, so it is the same wherever the cell is shown. A mean has a change of its own:
    with that of the total, one divided by the other would be the exact number of children.
    """
    unit = unit_of(table)
    at = Fraction(secrets.cell_key(true.xor, f"{table.measure} {table.of}"))
    low, high = _NOISE
    share = low + (high - low) * (at * 2 % 1)
    total = Fraction(true.total, _SMALLEST[unit]) * (1 + (share if at < Fraction(1, 2) else -share))
    exact = total / true.children if table.measure is Measure.MEAN else total
    return to_two_figures(exact, _STEP.get(unit, _OTHER_STEP))


def to_two_figures(exact: Fraction, least_step: int) -> Decimal:
    """The nearest number of two figures that is a multiple of `least_step` or of a power of ten."""
    step = max(least_step, 10 ** max(0, len(str(int(exact))) - 2))
    return Decimal(int(exact / step + Fraction(1, 2)) * step)


def _median(true: TrueCell, secrets: Secrets) -> Cell:
    """The band of the median wait, by the week that it begins with.

    The child in the middle is moved by up to two ranks, by the cell's key. A band with fewer than
    three children is shown together with the one beside it, of those two the fuller.
    """
    bands = (*true.in_bands, *(0 for _ in WAIT_BANDS))[: len(WAIT_BANDS)]
    move = int(secrets.cell_key(true.xor, "wait") * 5) - 2
    rank = min(max(sum(bands) // 2 + move, 0), sum(bands) - 1)
    at = 0
    while rank >= bands[at]:
        rank -= bands[at]
        at += 1
    begins = (0, *WAIT_WEEKS)
    if bands[at] >= _IN_BAND:
        return shown(true.cell, begins[at])
    beside = [one for one in (at - 1, at + 1) if 0 <= one < len(bands)]
    fuller = max(beside, key=lambda one: bands[one])
    if bands[at] + bands[fuller] < _IN_BAND:
        return withheld(true.cell, Note.FEW)
    return shown(true.cell, begins[min(at, fuller)], Note.WITH_NEXT)
