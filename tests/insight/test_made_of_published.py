"""Shares, series, projections, the table that adds up and the published error."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from panel.insight.core.additive import additive
from panel.insight.core.catalogue import CATALOGUE, LINKS
from panel.insight.core.cells import Cell, Note, ProtectedTable, TrueCell, counted, withheld
from panel.insight.core.choosing import to_read
from panel.insight.core.dimensions import whole_grid
from panel.insight.core.error import published_error
from panel.insight.core.making import COUNTED, Counted, tables_of
from panel.insight.core.ptable import TABLE
from panel.insight.core.published import Published
from panel.insight.core.rates import (
    EXPECTED,
    ExpectedShare,
    cost_for_each,
    for_hundred,
    share,
)
from panel.insight.core.released import PublishedRules
from panel.insight.core.series import projection, series
from panel.insight.core.table import CellId, Measure
from panel.insight.core.words import (
    EVERY,
    EXPECTED_BANDS,
    Level,
    Period,
    ordinal,
    period_at,
)
from tests.insight.invented_children import GRID, SECRETS, children
from tests.insight.invented_children import counted as count

TERM = Period("2026-autumn")
AT = ("x",)
KNOWN = [one for one in COUNTED if one.group == "known"]


def number(value: int) -> Cell:
    return counted(AT, value)


# Shares -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("top", "bottom", "value", "note"),
    [
        (10, 40, 25, Note.NONE),
        (15, 40, 40, Note.NONE),
        (0, 40, 0, Note.FEW_OF_THEM),
        (40, 40, 100, Note.NEARLY_ALL),
        (45, 40, 100, Note.NEARLY_ALL),
        (5, 10, 50, Note.NONE),
        (5, 5, None, Note.FEW),
        (0, 0, None, Note.FEW),
    ],
)
def test_a_share_is_in_steps_of_five(top: int, bottom: int, value: int | None, note: Note) -> None:
    found = share(AT, number(top), number(bottom))
    assert (found.value, found.note) == (value, note)


def test_a_share_of_what_is_not_shown_says_why() -> None:
    hidden = withheld(AT, Note.AREA)
    assert share(AT, hidden, number(40)) == hidden
    assert share(AT, number(5), hidden) == hidden
    assert cost_for_each(AT, withheld(AT, Note.DOMINATED), number(20)).note is Note.DOMINATED


def test_more_than_a_hundred_for_a_hundred_places() -> None:
    assert for_hundred(AT, number(30), number(20)).value == 150
    assert for_hundred(AT, number(5), number(20)).note is Note.FEW
    assert for_hundred(AT, number(20), number(5)).note is Note.FEW


def test_what_an_outcome_costs_is_to_two_figures() -> None:
    cost = Cell(AT, Decimal(123_000), Note.NONE)
    assert cost_for_each(AT, cost, number(25)).value == 4_900


# Series -------------------------------------------------------------------------------------------


def of_terms(*values: int | None) -> list[ProtectedTable]:
    start = ordinal(Period("2025-spring"))
    return [
        ProtectedTable(
            "known_by_area",
            period_at(start + at),
            (withheld((EVERY,), Note.AREA) if one is None else counted((EVERY,), one),),
        )
        for at, one in enumerate(values)
    ]


def test_a_series_has_a_gap_where_nothing_was_published() -> None:
    tables = of_terms(50, 60, 70, 80)
    found = series([tables[3], tables[0], tables[1]], "known_by_area", (EVERY,))
    assert [one.period for one in found] == [
        "2025-spring",
        "2025-summer",
        "2025-autumn",
        "2026-spring",
    ]
    assert [one.cell.value for one in found] == [50, 60, None, 80]
    assert found[2].cell.note is Note.NO_DATA
    assert series([], "known_by_area", (EVERY,)) == ()


def test_a_projection_is_a_band_from_four_terms_on() -> None:
    assert projection(series(of_terms(50, 55, 60), "known_by_area", (EVERY,)), 3) == ()
    bands = projection(series(of_terms(50, 55, 60, 65), "known_by_area", (EVERY,)), 3)
    assert [(one.period, one.low, one.high) for one in bands] == [
        ("2026-summer", 60, 80),
        ("2026-autumn", 65, 85),
        ("2027-spring", 70, 90),
    ]


def test_one_odd_term_widens_the_band_and_does_not_turn_it() -> None:
    bands = projection(series(of_terms(50, 50, 150, 50, 50), "known_by_area", (EVERY,)), 1)
    assert (bands[0].low, bands[0].high) == (0, 170)


# The table that adds up ---------------------------------------------------------------------------


def published_known(many: int, seed: int) -> dict[str, ProtectedTable]:
    those = children(many, seed, KNOWN)
    cells = {one.key: tuple(count(one, those)) for one in KNOWN}
    out = tables_of(Counted(cells), GRID, TABLE, SECRETS, Published(TERM, LINKS))
    return {one.key: one for one in out}


@pytest.mark.parametrize("seed", range(2))
def test_the_additive_table_adds_up_and_is_near(seed: int) -> None:
    tables = published_known(500, seed)
    source, made = tables["known_by_age"], tables["known_by_age_additive"]
    value = {one.cell: one.value for one in made.cells}
    ages = {cell[1] for cell in value if cell[1] != EVERY}
    areas = {cell[0] for cell in value if cell[0] != EVERY}
    assert all(one is not None and one % 5 == 0 for one in value.values())
    for area in (*areas, EVERY):
        assert value[(area, EVERY)] == sum(value[(area, age)] or 0 for age in ages)
    for age in (*ages, EVERY):
        assert value[(EVERY, age)] == sum(value[(area, age)] or 0 for area in areas)
    away = [
        abs((value[one.cell] or 0) - one.value) for one in source.cells if one.value is not None
    ]
    assert sum(away) / len(away) <= 5
    assert [one.cell for one in made.cells] == [one.cell for one in source.cells]


def test_a_table_that_adds_up_already_is_left_as_it_is() -> None:
    table = CATALOGUE["known_by_age_additive"]
    cells = list(whole_grid(CATALOGUE["known_by_age"], GRID))
    inner = {cell: 10 * (len(cell[0]) + len(cell[1])) for cell in cells if EVERY not in cell}

    def total(cell: CellId) -> int:
        return sum(
            n
            for one, n in inner.items()
            if all(code in {own, EVERY} for own, code in zip(one, cell, strict=True))
        )

    source = ProtectedTable("known_by_age", TERM, tuple(counted(one, total(one)) for one in cells))
    assert additive(table, GRID, source).cells == source.cells


def test_only_a_table_of_two_dimensions_is_made_to_add_up() -> None:
    table = replace(CATALOGUE["known_by_sex"], measure=Measure.ADDITIVE)
    with pytest.raises(ValueError, match="two dimensions"):
        additive(table, GRID, ProtectedTable("known_by_sex", TERM, ()))


# Which table is read ------------------------------------------------------------------------------


def test_the_coarser_table_is_read_where_it_says_more() -> None:
    keys = ("unmet_by_kind_ward", "unmet_by_kind", "unmet_by_kind_three_terms")

    def read(*says: int) -> str:
        tables = {}
        for key, many in zip(keys, says, strict=True):
            cells = list(whole_grid(CATALOGUE[key], GRID))
            inner = [one for one in cells if EVERY not in one][:many]
            made = (counted(one, 5 if one in inner or EVERY in one else 0) for one in cells)
            tables[key] = ProtectedTable(key, TERM, tuple(made))
        return to_read(keys[0], CATALOGUE, tables)

    assert read(5, 4, 5) == keys[0]
    assert read(3, 4, 4) == keys[1]
    assert read(3, 2, 5) == keys[2]


# The whole release --------------------------------------------------------------------------------


def test_a_release_has_every_table_whole_and_in_order() -> None:
    tables = published_known(300, 1)
    assert list(tables) == list(CATALOGUE)
    for key, one in tables.items():
        assert [cell.cell for cell in one.cells] == list(whole_grid(CATALOGUE[key], GRID))
    assert {one.note for one in tables["unmet_by_kind"].cells} == {Note.NO_DATA}
    assert {one.note for one in tables["decisions_by_age"].cells} == {Note.NO_DATA}
    assert {one.note for one in tables["projected_known"].cells} == {Note.NO_DATA}
    with pytest.raises(ValueError, match="by_shoe_size"):
        tables_of(Counted({"by_shoe_size": ()}), GRID, TABLE, SECRETS, Published(TERM, LINKS))


def test_known_against_expected_needs_the_population_of_every_ward() -> None:
    many = {"known_by_area": (TrueCell((EVERY,), 400, 1), TrueCell(("c0",), 300, 2))}
    some = {ward: 1_000 for ward, cluster in GRID.clusters.items() if cluster == "c0"}
    counted_of = Counted(
        many,
        population=some,
        expected={
            "dla": ExpectedShare(77, "Family Resources Survey", 2008),
            "complex": ExpectedShare(10, "A survey", 2008),
        },
    )
    out = tables_of(counted_of, GRID, TABLE, SECRETS, Published(TERM, LINKS))
    table = next(one for one in out if one.key == "known_against_expected")
    found = {one.cell: one for one in table.cells}
    known = next(one for one in out if one.key == "known_by_area").cells[1].value
    assert known is not None
    exact = Fraction(known) * 100 / 308
    value = found[("c0", "dla")].value
    assert value is not None
    assert abs(Fraction(value) - exact) <= Fraction(5, 2)
    assert (found[("c0", "complex")].value or 0) > value
    assert found[("c0", EVERY)].note is Note.NO_SUM, "two estimates are not added up"
    assert found[(EVERY, "dla")].note is Note.NO_DATA


def test_places_are_as_they_are_and_their_use_is_of_published_children() -> None:
    cells = (TrueCell((EVERY,), 40, 1), TrueCell(("therapy",), 40, 1))
    known = (TrueCell((EVERY,), 60, 3),)
    out = tables_of(
        Counted(
            {"packages_by_kind_authority": cells, "known_by_area": known},
            places={(EVERY,): 37, ("therapy",): 37},
        ),
        GRID,
        TABLE,
        SECRETS,
        Published(TERM, LINKS),
    )
    tables = {one.key: {cell.cell: cell for cell in one.cells} for one in out}
    assert tables["places_by_kind"][("therapy",)].value == 37
    packages = tables["packages_by_kind_authority"][("therapy",)].value
    assert packages is not None
    use = tables["capacity_use"][("therapy",)].value
    assert use is not None
    assert abs(Fraction(use) - Fraction(packages) * 100 / 37) <= Fraction(5, 2)
    for key in ("places_by_kind", "capacity_use"):
        assert tables[key][("health",)].note is Note.NO_DATA, "nobody said that there are none"


def test_without_any_places_there_are_no_figures_of_places() -> None:
    """A kind of which no service has told its places is not one without places."""
    out = tables_of(Counted({}), GRID, TABLE, SECRETS, Published(TERM, LINKS))
    for key in ("places_by_kind", "capacity_use"):
        table = next(one for one in out if one.key == key)
        assert {(one.value, one.note) for one in table.cells} == {(None, Note.NO_DATA)}


def elsewhere(key: str, **said: Any) -> dict[CellId, Cell]:
    out = tables_of(Counted({}, **said), GRID, TABLE, SECRETS, Published(TERM, LINKS))
    return {one.cell: one for table in out if table.key == key for one in table.cells}


def test_expected_children_are_shown_from_low_to_high_where_every_ward_has_a_population() -> None:
    some = {ward: 1_000 for ward, cluster in GRID.clusters.items() if cluster == "c0"}
    found = elsewhere("expected_by_area", population=some, expected=EXPECTED)
    assert found[("c0", "complex")].value == 40
    assert found[("c0", "dla")].value == 310, "308, in steps of five"
    assert {found[("c1", "dla")].note, found[(EVERY, "dla")].note} == {Note.NO_DATA}
    assert found[("c0", EVERY)].note is Note.NO_SUM
    people = elsewhere("population_by_area_ward", population=some)
    assert people[("w00",)].value == 1_000
    for key in ("expected_by_area", "population_by_area", "known_against_expected"):
        nothing = elsewhere(key, expected=EXPECTED).values()
        assert {(one.value, one.note) for one in nothing} == {(None, Note.NO_DATA)}, key


def test_expected_shares_have_their_source_and_year() -> None:
    assert EXPECTED.keys() == EXPECTED_BANDS.keys()
    for key in ("expected_by_area", "known_against_expected"):
        said = " ".join(CATALOGUE[key].quality)
        assert "7.7 in 100 children are disabled" in said
        assert "1 in 100 children have the most complex needs" in said
        assert said.count("Commissioning Support Programme") == said.count("2010.") == 2


def test_allowance_by_ward_is_as_it_was_published() -> None:
    some = {ward: 35 for ward, cluster in GRID.clusters.items() if cluster == "c0"}
    wards = elsewhere("dla_by_area_ward", dla=some)
    assert wards[("w00",)].value == 35
    groups = elsewhere("dla_by_area", dla=some)
    assert groups[("c0",)].value == 35 * len(some)
    assert groups[(EVERY,)].note is Note.NO_DATA, "a part of it would look like the whole"


def test_a_kind_of_list_that_nobody_brought_in_has_no_figures() -> None:
    cells = {
        "on_lists": (TrueCell((EVERY, EVERY), 40, 1), TrueCell(("sen", EVERY), 40, 1)),
        "on_list_not_known": (TrueCell((EVERY,), 12, 2), TrueCell(("sen",), 12, 2)),
        "known_not_on_list": (TrueCell((EVERY,), 30, 3), TrueCell(("sen",), 30, 3)),
        "on_one_list_only": (TrueCell((EVERY,), 40, 1), TrueCell(("sen",), 40, 1)),
        "known_by_area": (TrueCell((EVERY,), 60, 4),),
    }
    out = tables_of(Counted(cells), GRID, TABLE, SECRETS, Published(TERM, LINKS))
    found = {
        table.key: {one.cell[0]: one for one in table.cells if one.cell[1:] in {(), (EVERY,)}}
        for table in out
        if table.key in cells
    }
    one_only = next(one for one in out if one.key == "on_one_list_only")
    assert {one.note for one in one_only.cells} == {Note.NO_DATA}, "there is nothing to compare"
    for key in ("on_lists", "on_list_not_known", "known_not_on_list"):
        assert set(found[key]) == {EVERY, "sen", "health"}, "the allowance is counts alone"
        assert found[key]["health"].note is Note.NO_DATA
        assert (found[key]["sen"].value or 0) > 0
    nobody = {key: () for key in cells if key != "known_by_area"}
    out = tables_of(Counted(nobody), GRID, TABLE, SECRETS, Published(TERM, LINKS))
    for one in (one for one in out if one.key in nobody):
        assert {cell.note for cell in one.cells} == {Note.NO_DATA}, "no list is not nobody on one"


# The published error ------------------------------------------------------------------------------


def errors(
    said: Iterable[tuple[CellId, int | None]], true: dict[CellId, int]
) -> dict[Level, tuple[int, Fraction, Fraction | None]]:
    table = ProtectedTable(
        "known_by_age_ward",
        TERM,
        tuple(withheld(cell, Note.AREA) if n is None else counted(cell, n) for cell, n in said),
    )
    found = published_error(CATALOGUE, [table], {"known_by_age_ward": true})
    return {
        level: (one.cells, one.mean_absolute, one.median_gap)
        for level, one in found.by_level.items()
    }


def test_the_error_is_that_of_shown_cells_and_whole_families() -> None:
    found = errors(
        [
            ((EVERY, EVERY), 20),
            ((EVERY, "0–2"), 10),
            ((EVERY, "3–4"), 15),
            (("w00", EVERY), 10),
            (("w00", "0–2"), 5),
            (("w00", "3–4"), None),
        ],
        {(EVERY, EVERY): 21, (EVERY, "0–2"): 12, (EVERY, "3–4"): 9, ("w00", EVERY): 11},
    )
    assert found == {
        Level.AUTHORITY: (3, Fraction(9, 3), Fraction(5)),
        Level.WARD: (2, Fraction(6, 2), None),
    }


def test_the_error_of_a_release_is_as_the_design_says() -> None:
    those = children(1_000, 4, KNOWN)
    cells = {one.key: tuple(count(one, those)) for one in KNOWN}
    out = tables_of(Counted(cells), GRID, TABLE, SECRETS, Published(TERM, LINKS))
    true = {key: {one.cell: one.children for one in own} for key, own in cells.items()}
    shown = [one for one in out if one.key in cells]
    found = published_error(CATALOGUE, shown, true).by_level
    assert set(found) == {Level.AUTHORITY, Level.CLUSTER, Level.WARD}
    for one in found.values():
        assert 0 < one.mean_absolute < 2
        assert one.median_gap is not None


def test_the_rules_that_are_published_are_those_that_were_kept() -> None:
    rules = PublishedRules.of(TABLE, GRID)
    assert rules.ptable[0] == {0: 1}
    assert len(rules.ptable) == 11
    assert (rules.round_to, rules.furthest, rules.least_known) == (5, 5, 30)
    assert rules.clusters == GRID.clusters
