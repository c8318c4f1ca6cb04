"""All tables of a release, in the order in which one hangs on another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from panel.insight.core import additive, rates
from panel.insight.core.catalogue import CATALOGUE, ORDER
from panel.insight.core.cells import Note, ProtectedTable, Secrets, TrueCell, withheld
from panel.insight.core.facts import Coverage
from panel.insight.core.magnitudes import FEWEST, MEASURES
from panel.insight.core.places import Grid
from panel.insight.core.protecting import protect, without_changed, without_figures
from panel.insight.core.ptable import PTable
from panel.insight.core.published import Published
from panel.insight.core.rates import ExpectedShare
from panel.insight.core.series import projected
from panel.insight.core.table import CellId, Measure, TableDef
from panel.insight.core.words import EVERY, LISTS

COUNTED: tuple[TableDef, ...] = tuple(
    one for one in ORDER if one.measure is Measure.CHILDREN or one.measure in MEASURES
)
"""The tables that are counted from facts of children, in the order in which they are protected."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a release is made from. None of it leaves the process but through the protection."""

    cells: Mapping[str, Sequence[TrueCell]] = field(repr=False)
    """Of each table of `COUNTED` the cells in which somebody is. A table that is not in it has no
    facts in this term."""
    places: Mapping[CellId, int] = field(default_factory=dict)
    """Places by kind of service, with their whole under ("*",)."""
    population: Mapping[str, int] = field(default_factory=dict)
    """Children who live in a ward, as published elsewhere."""
    dla: Mapping[str, int] = field(default_factory=dict)
    """Children of a ward with Disability Living Allowance, as published elsewhere."""
    expected: Mapping[str, ExpectedShare] = field(default_factory=dict)
    """By code of `words.EXPECTED_BANDS`. A band that is not in it has no figures."""


def tables_of(
    counted: Counted,
    grid: Grid,
    ptable: PTable,
    secrets: Secrets,
    published: Published,
    earlier: Iterable[ProtectedTable] = (),
) -> tuple[ProtectedTable, ...]:
    """Every table of the catalogue, in its order, for the term of `published`.

    `published` holds the earlier releases and takes in this one; `earlier` are their tables, for
    projections. ValueError: a table that is not of the catalogue was counted.
    """
    if strange := counted.cells.keys() - {one.key for one in COUNTED}:
        raise ValueError(f"These tables are not counted: {', '.join(sorted(strange))}")
    # Windows of terms that overlap tell, one less the other, of the few who are in one alone. With
    # them comes what counts few children, of whom more have come and gone by then.
    every = not published.overlaps()
    made: dict[str, ProtectedTable] = {}
    absent = _absent_lists(counted)
    for table in COUNTED:
        cells = counted.cells.get(table.key)
        if table.is_once_in_three and not every:
            made[table.key] = without_figures(table, grid, published.period, Note.ONCE)
        elif cells is None:
            # It has no place in `published`: what says nothing hides nothing.
            made[table.key] = without_figures(table, grid, published.period)
        else:
            made[table.key] = _without_lists(
                table, protect(table, cells, grid, ptable, secrets, published), absent
            )
    past = tuple(earlier)
    # Tables that are made of others come after those: places before shares of places.
    for table in sorted(_of_others(), key=lambda one: one.over is not None):
        made[table.key] = without_changed(
            table, _made_of(table, counted, grid, published, made, past), grid
        )
    return tuple(made[key] for key in CATALOGUE)


_LISTS_TO_COMPARE = 2


def _absent_lists(counted: Counted) -> frozenset[str]:
    """The kinds of list that nobody brought in: fewer than `FEWEST` are on one or known beside it.

    Of every child known it is said whether it is on a list, once there is one.
    """
    people = dict.fromkeys(LISTS, 0)
    for key, at in (
        ("on_lists", CATALOGUE["on_lists"].dims.index("list")),
        ("known_not_on_list", CATALOGUE["known_not_on_list"].dims.index("list")),
    ):
        for one in counted.cells.get(key, ()):
            others = (*one.cell[:at], *one.cell[at + 1 :])
            if one.cell[at] != EVERY and all(code == EVERY for code in others):
                people[one.cell[at]] += one.children
    return frozenset(code for code, many in people.items() if many < FEWEST)


def _without_lists(
    table: TableDef, shown: ProtectedTable, absent: frozenset[str]
) -> ProtectedTable:
    """The table with nothing said of lists that there are not."""
    if table.fact is not Coverage:
        return shown
    at = table.dims.index("list")
    kinds = {one.cell[at] for one in shown.cells} - {EVERY}
    compares = any(column == "elsewhere" for column, _ in table.where)
    if len(kinds - absent) < (_LISTS_TO_COMPARE if compares else 1):
        absent = frozenset({EVERY, *kinds})
    cells = tuple(
        withheld(one.cell, Note.NO_DATA) if one.cell[at] in absent else one for one in shown.cells
    )
    return replace(shown, cells=cells)


def _of_others() -> list[TableDef]:
    of_children = {one.key for one in COUNTED}
    return [one for one in CATALOGUE.values() if one.key not in of_children]


def _made_of(
    table: TableDef,
    counted: Counted,
    grid: Grid,
    published: Published,
    made: Mapping[str, ProtectedTable],
    earlier: tuple[ProtectedTable, ...],
) -> ProtectedTable:
    if table.over is not None:
        top, bottom = table.over
        return rates.of_two(table, grid, made[top], made[bottom])
    if table.measure is Measure.PLACES:
        return rates.places(table, grid, published.period, counted.places)
    if table.measure is Measure.ELSEWHERE:
        of_wards = counted.dla if table.of == "dla" else counted.population
        return rates.from_elsewhere(table, grid, published.period, of_wards, counted.expected)
    if table.measure is Measure.ADDITIVE:
        return additive.additive(table, grid, made[table.of])
    if table.of == "population":
        return rates.against_expected(
            table, grid, made["known_by_area"], counted.population, counted.expected
        )
    return projected(table, grid, (*earlier, *made.values()), published.period)
