"""A service with one child: whatever table speaks of its kind, nothing is told of that child."""

import pytest

from panel.insight.core.catalogue import CATALOGUE, LINKS
from panel.insight.core.cells import Cell, Note, TrueCell
from panel.insight.core.dimensions import said_as
from panel.insight.core.making import COUNTED, Counted, tables_of
from panel.insight.core.ptable import TABLE
from panel.insight.core.published import Published
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.words import EVERY, SERVICES, Period, Span
from tests.insight.invented_children import GRID, SECRETS

TERM = Period("2026-autumn")
ALONE, MANY = "equipment", "therapy"
OF_KIND = [
    one
    for one in CATALOGUE.values()
    if "kind" in one.dims and said_as(one, "kind") is SERVICES and one.span is Span.TERM
]
PENCE = 5_000_00


def cell_of(table: TableDef, kind: str) -> tuple[str, ...]:
    return tuple(kind if dim == "kind" else EVERY for dim in table.dims)


def true_cells(table: TableDef, key: int) -> list[TrueCell]:
    """Sixty children with a therapy, one of them and nobody else with equipment."""
    found = []
    for kind, children, xor in ((EVERY, 60, 11), (MANY, 60, 11), (ALONE, 1, key)):
        total = PENCE * children if table.of == "pence" else 30 * children
        bands = (children, 0, 0, 0, 0, 0)
        largest = (PENCE, PENCE if children > 1 else 0)
        found.append(TrueCell(cell_of(table, kind), children, xor, total, largest, bands))
    return found


def published(key: int) -> dict[str, dict[tuple[str, ...], Cell]]:
    cells = {one.key: true_cells(one, key) for one in COUNTED if one in OF_KIND} | {
        "known_by_area": [TrueCell((EVERY,), 200, 7)]
    }
    places = {(EVERY,): 41, (MANY,): 40, (ALONE,): 1}
    out = tables_of(Counted(cells, places=places), GRID, TABLE, SECRETS, Published(TERM, LINKS))
    return {one.key: {cell.cell: cell for cell in one.cells} for one in out}


@pytest.fixture(scope="module")
def worlds() -> list[dict[str, dict[tuple[str, ...], Cell]]]:
    """The same service with one child after another."""
    return [published(1_000_003 * at + 17) for at in range(12)]


def test_there_are_tables_of_every_sort() -> None:
    assert {one.measure for one in OF_KIND} >= {
        Measure.CHILDREN, Measure.TOTAL, Measure.RATIO, Measure.RATE, Measure.MEDIAN_BAND,
        Measure.PLACES,
    }  # fmt: skip


@pytest.mark.parametrize("table", OF_KIND, ids=lambda one: one.key)
def test_of_one_child_there_is_a_zero_a_five_or_nothing(
    worlds: list[dict[str, dict[tuple[str, ...], Cell]]], table: TableDef
) -> None:
    """A zero stands for 0 to 4 as well, and a five for 1 to 10; anything else is not shown."""
    for world in worlds:
        one = world[table.key][cell_of(table, ALONE)]
        if table.measure is Measure.PLACES:
            assert one.value == 1, "places are about no child"
        elif table.measure is Measure.CHILDREN:
            assert one.value in {None, 0, 5}
        else:
            assert one.value is None
            assert one.note in {Note.FEW, Note.NO_DATA, Note.COARSER}


def test_what_the_rest_costs_does_not_tell_what_the_one_costs(
    worlds: list[dict[str, dict[tuple[str, ...], Cell]]],
) -> None:
    """The whole less the other kinds would be that one child's."""
    for world in worlds:
        costs = world["cost_by_kind"]
        assert costs[(EVERY,)].value is not None
        assert costs[(MANY,)].value is None
