"""Figures that are made of published figures alone, so that they tell nothing that those do not."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from panel.insight.core.cells import Cell, Note, ProtectedTable, shown, withheld
from panel.insight.core.dimensions import AREA, whole_grid
from panel.insight.core.magnitudes import FEWEST, to_two_figures
from panel.insight.core.places import Grid
from panel.insight.core.table import CellId, TableDef
from panel.insight.core.words import EVERY, Period

_STEP = 5
_MONEY_STEP = 50


@dataclass(frozen=True, slots=True)
class ExpectedShare:
    """How many of 1,000 children one would expect by a definition."""

    of_thousand: int
    source: str
    year: int
    what: str = ""
    """Whom it counts."""

    def in_words(self) -> str:
        """The share with its source and year, as a sentence."""
        return f"{Decimal(self.of_thousand) / 10} in 100 {self.what}: {self.source}, {self.year}."


_SOURCE = (
    "Commissioning Support Programme, Commissioning for Outcomes and Efficiency: Delivering better"
    " outcomes for disabled children"
)
EXPECTED: Mapping[str, ExpectedShare] = MappingProxyType(
    {
        "complex": ExpectedShare(10, _SOURCE, 2010, "children have the most complex needs"),
        "dla": ExpectedShare(
            77, _SOURCE, 2010, "children are disabled as the Disability Living Allowance sees it"
        ),
    }
)
"""By code of `words.EXPECTED_BANDS`, the fewest first: a rule of thumb and a figure that others
suggest, both of the same paper. The truth is somewhere between, or elsewhere."""


def share(cell: CellId, top: Cell, bottom: Cell) -> Cell:
    """A part of a whole, both published, in per cent and steps of five.

    Nothing is shown under a whole of 10. 0 and 100 are said as "few" and "nearly all": changed
    figures cannot tell none from few.
    """
    hidden = _hidden(cell, top, bottom)
    if hidden is not None or top.value is None or bottom.value is None:
        return hidden or withheld(cell, Note.COARSER)
    said = min(_near(Fraction(top.value) * 100 / Fraction(bottom.value), _STEP), 100)
    notes = {0: Note.FEW_OF_THEM, 100: Note.NEARLY_ALL}
    return shown(cell, said, notes.get(said, Note.NONE))


def for_hundred(cell: CellId, top: Cell, bottom: Cell) -> Cell:
    """So many for every 100, in steps of five; it may be more than 100. Not under 10 of either."""
    hidden = _hidden(cell, top, bottom)
    if hidden is not None or top.value is None or bottom.value is None:
        return hidden or withheld(cell, Note.COARSER)
    if top.value < FEWEST:
        return withheld(cell, Note.FEW)
    return shown(cell, _near(Fraction(top.value) * 100 / Fraction(bottom.value), _STEP))


def cost_for_each(cell: CellId, cost: Cell, children: Cell) -> Cell:
    """Pounds for each child, to two figures, in steps of at least £50. Not under 10 children."""
    hidden = _hidden(cell, cost, children)
    if hidden is not None or cost.value is None or children.value is None:
        return hidden or withheld(cell, Note.COARSER)
    return shown(cell, to_two_figures(Fraction(cost.value) / Fraction(children.value), _MONEY_STEP))


def _hidden(cell: CellId, top: Cell, bottom: Cell) -> Cell | None:
    """What stands in the place of the figure, where its parts do not allow one."""
    for part in (bottom, top):
        if part.value is None:
            return withheld(cell, part.note)
    if bottom.value is not None and bottom.value < FEWEST:
        return withheld(cell, Note.FEW)
    return None


def _near(exact: Fraction, step: int) -> int:
    return int(exact / step + Fraction(1, 2)) * step


# Whole tables -------------------------------------------------------------------------------------

_WAYS = {"rate": share, "ratio": cost_for_each}


def of_two(
    table: TableDef, grid: Grid, top: ProtectedTable, bottom: ProtectedTable
) -> ProtectedTable:
    """A table of rates or ratios out of its two published parts. ValueError: it is neither.

    A share of places is of children for every 100, since a place may serve several.
    """
    way = _WAYS.get(table.measure.value)
    if way is None:
        raise ValueError(f"{table.key} is not made of two tables")
    if table.of == "places":
        way = for_hundred
    tops = {one.cell: one for one in top.cells}
    bottoms = {one.cell: one for one in bottom.cells}
    return ProtectedTable(
        table.key,
        top.period,
        tuple(way(one, tops[one], bottoms[one]) for one in whole_grid(table, grid)),
    )


def against_expected(
    table: TableDef,
    grid: Grid,
    known: ProtectedTable,
    population: Mapping[str, int],
    expected: Mapping[str, ExpectedShare],
) -> ProtectedTable:
    """Children known for every 100 expected, by band. `population`: children of a ward.

    A cluster or the whole of which a ward has no population has no figure: a part of it would look
    like the whole.
    """
    known_of = {one.cell: one for one in known.cells}

    def made(cell: CellId) -> Cell:
        area, band = cell[table.dims.index(AREA)], cell[table.dims.index("band")]
        people = _people(area, grid, population)
        if people is None or band not in {EVERY, *expected}:
            return withheld(cell, Note.NO_DATA)
        if band == EVERY:
            return withheld(cell, Note.NO_SUM)
        looked_for = Decimal(people) * expected[band].of_thousand / 1000
        return for_hundred(cell, known_of[(area,)], shown(cell, looked_for))

    return ProtectedTable(
        table.key, known.period, tuple(made(one) for one in whole_grid(table, grid))
    )


def from_elsewhere(
    table: TableDef,
    grid: Grid,
    period: Period,
    of_wards: Mapping[str, int],
    expected: Mapping[str, ExpectedShare],
) -> ProtectedTable:
    """What somebody published of wards, as it is; with bands, what one would expect by it.

    An area of which a ward has no figure has none: a part of it would look like the whole.
    """

    def made(cell: CellId) -> Cell:
        codes = dict(zip(table.dims, cell, strict=True))
        people = _people(codes[AREA], grid, of_wards)
        band = codes.get("band", "")
        if people is None or band not in {"", EVERY, *expected}:
            return withheld(cell, Note.NO_DATA)
        if not band:
            return shown(cell, people)
        if band == EVERY:
            return withheld(cell, Note.NO_SUM)
        share_of = Fraction(expected[band].of_thousand, 1000)
        return shown(cell, _near(people * share_of, _STEP))

    return ProtectedTable(table.key, period, tuple(made(one) for one in whole_grid(table, grid)))


def _people(area: str, grid: Grid, of_wards: Mapping[str, int]) -> int | None:
    """The children of an area; None where one of its wards has no figure.

    Where wards changed, by the wards of today, or else by those of before: whoever counts children
    elsewhere knows either, and an old ward may stay here for good.
    """
    inside = {ward for ward, cluster in grid.clusters.items() if area in {EVERY, ward, cluster}}
    own = [one for one in grid.changes if inside & {one.old, one.new}]
    olds, news = {one.old for one in own}, {one.new for one in own}
    today = inside - (olds - {area})
    # Of those before only where none of them is elsewhere, or in no group any more.
    before = inside - news if olds | news <= inside else today
    for wards in (today, before):
        if wards and of_wards.keys() >= wards:
            return sum(of_wards[ward] for ward in wards)
    return None


def places(
    table: TableDef, grid: Grid, period: Period, counted: Mapping[CellId, int]
) -> ProtectedTable:
    """A sum that is about no child, as it is; no figure where no service said how many it has."""
    return ProtectedTable(
        table.key,
        period,
        tuple(
            shown(one, counted[one]) if one in counted else withheld(one, Note.NO_DATA)
            for one in whole_grid(table, grid)
        ),
    )
