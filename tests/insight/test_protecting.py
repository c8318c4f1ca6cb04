"""The same contributors have the same number, near the true one, and nothing under a zero."""

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panel.insight.core.catalogue import CATALOGUE, LINKS, ORDER
from panel.insight.core.cells import Note, ProtectedTable, TrueCell, shown, withheld
from panel.insight.core.choosing import newest
from panel.insight.core.dimensions import whole_grid
from panel.insight.core.making import COUNTED, Counted, tables_of
from panel.insight.core.nesting import parents, place
from panel.insight.core.protecting import protect, without_figures
from panel.insight.core.ptable import TABLE
from panel.insight.core.published import Published
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.words import EVERY, Level, Period, Span, ordinal, period_at
from tests.insight.invented_children import GRID, SECRETS, Child, children, counted

TERM = Period("2026-autumn")
KNOWN = [one for one in ORDER if one.group == "known" and one.measure is Measure.CHILDREN]
OF_A_TERM = [one for one in KNOWN if one.span is Span.TERM]
WIDE = CATALOGUE["known_by_age_ward"]


def known(many: int, seed: int) -> list[Child]:
    return children(many, seed, KNOWN)


def released(
    those: Iterable[Child],
    tables: Iterable[TableDef] = OF_A_TERM,
    published: Published | None = None,
) -> dict[str, ProtectedTable]:
    those = list(those)
    out = Published(TERM, LINKS) if published is None else published
    return {one.key: protect(one, counted(one, those), GRID, TABLE, SECRETS, out) for one in tables}


MANY = st.integers(0, 400)
SEEDS = st.integers(0, 10_000)


@settings(max_examples=6, deadline=None)
@given(many=MANY, seed=SEEDS)
def test_what_is_published_is_near_the_truth_and_never_one_to_four(many: int, seed: int) -> None:
    those = known(many, seed)
    for key, out in released(those).items():
        true = {one.cell: one.children for one in counted(CATALOGUE[key], those)}
        assert tuple(one.cell for one in out.cells) == tuple(whole_grid(CATALOGUE[key], GRID))
        for one in out.cells:
            if one.value is None:
                assert one.note in {Note.COARSER, Note.AREA}
                continue
            assert abs(one.value - true.get(one.cell, 0)) <= 5
            assert one.value % 5 == 0
            assert (one.value == 0) == (one.note is Note.ZERO)


@settings(max_examples=5, deadline=None)
@given(many=MANY, seed=SEEDS, chance=st.randoms(use_true_random=False))
def test_the_same_contributors_have_the_same_number_in_any_order_and_table(
    many: int, seed: int, chance: Random
) -> None:
    those = known(many, seed)
    again = list(those)
    chance.shuffle(again)
    first, second = released(those), released(again)
    assert first == second

    numbers: dict[tuple[int, int], set[object]] = {}
    for key, out in first.items():
        true = {one.cell: one for one in counted(CATALOGUE[key], those)}
        for one in out.cells:
            if one.value is not None and one.cell in true:
                who = (true[one.cell].children, true[one.cell].xor)
                numbers.setdefault(who, set()).add(one.value)
    assert all(len(values) == 1 for values in numbers.values())


@settings(max_examples=5, deadline=None)
@given(many=st.integers(1, 400), seed=SEEDS, other=SEEDS)
def test_a_cell_shows_nothing_of_who_is_not_in_it(many: int, seed: int, other: int) -> None:
    """Everybody beside the cell is somebody else: where both are shown the number is the same."""
    those = known(many, seed)
    table = CATALOGUE["known_by_age"]
    kept = [one for one in those if one.code(table, "area") == "c0"]
    others = [one for one in known(many, other + 20_000) if one.code(table, "area") != "c0"]
    first = {one.cell: one for one in released(those)["known_by_age"].cells}
    second = {one.cell: one for one in released([*kept, *others])["known_by_age"].cells}
    for cell, one in first.items():
        if cell[0] == "c0" and one.value is not None and second[cell].value is not None:
            assert one == second[cell]


@settings(max_examples=3, deadline=None)
@given(many=MANY, seed=SEEDS)
def test_nothing_is_shown_under_a_zero_or_under_what_is_not_shown(many: int, seed: int) -> None:
    out = Published(TERM, LINKS)
    released(known(many, seed), KNOWN, out)
    for table in KNOWN:
        for cell in whole_grid(table, GRID):
            of = place(table, TERM, cell)
            one = out.at(of)
            assert one is not None
            for parent in parents(of, GRID, LINKS):
                above = out.at(parent)
                if above is not None and one.value is not None:
                    assert above.value is not None
                    assert above.value >= 5


def test_a_ward_with_few_children_known_is_shown_as_a_whole_only() -> None:
    those = known(1_000, 1)
    few = [one for one in those if one.said["area"] == "w07"][:12]
    out = released([*(one for one in those if one.said["area"] != "w07"), *few])
    total = {one.cell: one for one in out["known_by_area_ward"].cells}[("w07",)]
    assert total.value is not None
    assert 5 <= total.value < GRID.least_known
    for one in out["known_by_age_ward"].cells:
        if one.cell[0] == "w07":
            assert (one.note is Note.AREA) == (one.cell[1] != "*")


def test_the_numbers_of_a_later_term_are_the_same_for_the_same_children() -> None:
    those = known(300, 3)
    before = Published(TERM, LINKS)
    first = released(those, OF_A_TERM, before)
    later = Published(period_at(ordinal(TERM) + 1), LINKS)
    second = released(those, OF_A_TERM, later)
    assert {key: one.cells for key, one in first.items()} == {
        key: one.cells for key, one in second.items()
    }


def test_a_rolling_zero_over_a_term_that_was_published_is_raised_to_five() -> None:
    """Two of three terms are out: a 5 in one of them, and now a 0 over all three."""
    table = replace(CATALOGUE["known_by_area_three_terms"], key="rolling")
    before = period_at(ordinal(TERM) - 1)
    term = CATALOGUE["known_by_area"]
    secrets = _Always(0.0)
    out = Published(TERM, LINKS)
    out.put_table(
        term,
        protect(
            term,
            [TrueCell(("*",), 40, 1), TrueCell(("c0",), 4, 1)],
            GRID,
            TABLE,
            _Always(0.99),
            Published(before, LINKS),
        ),
    )
    made = protect(
        table, [TrueCell(("*",), 40, 1), TrueCell(("c0",), 4, 1)], GRID, TABLE, secrets, out
    )
    said = {one.cell: one for one in made.cells}
    assert said[("*",)].value == 35
    assert (said[("c0",)].value, said[("c0",)].note) == (5, Note.NONE)
    assert said[("c1",)].note is Note.ZERO


FEW_CHILDREN = {
    "decisions", "known_by_age_ward", "known_by_level", "known_by_need_ward", "known_by_sex",
    "requests_by_basis", "requests_by_kind_ward", "unmet_by_kind_ward", "unmet_by_reason",
}  # fmt: skip
"""Wards by anything else, and groups of wards by two things at once."""


def test_three_terms_are_counted_where_no_release_counts_one_of_them() -> None:
    """In between the whole tables are left out, and hide nothing of a term either. With them come
    the tables of one term that count few children."""
    out: list[ProtectedTable] = []
    with_figures = []
    for later in range(5):
        published = Published(period_at(ordinal(TERM) + later), LINKS)
        published.put_all(CATALOGUE, out)
        whole = [one for one in COUNTED if one.measure is Measure.CHILDREN]
        there = {one.key: [TrueCell((EVERY,) * len(one.dims), 40, 1)] for one in whole}
        made = tables_of(Counted(there), GRID, TABLE, SECRETS, published)
        out += made
        by_key = {one.key: one for one in made}
        assert by_key["known_by_area"].cells[0].value is not None
        rolling = {key for key, one in CATALOGUE.items() if one.span is Span.ROLLING}
        seldom = rolling | FEW_CHILDREN
        assert {key for key, one in CATALOGUE.items() if one.is_once_in_three} == seldom
        empty = [{cell.note for cell in by_key[key].cells} == {Note.ONCE} for key in seldom]
        assert all(empty) or not any(empty)
        with_figures += [] if all(empty) else [later]
    assert with_figures == [0, 3]
    found = newest(out)
    assert found["known_by_area"].period == period_at(ordinal(TERM) + 4)
    assert found["known_by_area_three_terms"].period == period_at(ordinal(TERM) + 3)


def test_unmet_need_is_not_shown_where_nobody_is_known() -> None:
    known_table, unmet = CATALOGUE["known_by_area"], CATALOGUE["unmet_by_kind"]
    out = Published(TERM, LINKS)
    whole = TrueCell(("*",), 40, 1)
    protect(known_table, [whole, TrueCell(("c0",), 4, 2)], GRID, TABLE, _Always(0.0), out)
    made = protect(
        unmet,
        [
            TrueCell(("*", "*"), 30, 1),
            TrueCell(("*", "short_break"), 30, 1),
            TrueCell(("c0", "*"), 4, 2),
            TrueCell(("c0", "short_break"), 4, 2),
        ],
        GRID,
        TABLE,
        _Always(0.99),
        out,
    )
    said = {one.cell: one for one in made.cells}
    assert said[("*", "short_break")].value is not None
    assert said[("c0", "*")].note is Note.COARSER
    assert said[("c0", "short_break")].note is Note.COARSER


def test_a_term_without_facts_is_the_whole_grid_without_a_number() -> None:
    table = CATALOGUE["known_by_age"]
    out = without_figures(table, GRID, TERM)
    assert [one.cell for one in out.cells] == list(whole_grid(table, GRID))
    assert {(one.value, one.note) for one in out.cells} == {(None, Note.NO_DATA)}


def test_a_cell_that_is_not_of_the_table_is_refused_without_naming_it() -> None:
    table = CATALOGUE["known_by_age"]
    strange = TrueCell(("c0", "8 to 12"), 7, 1)
    with pytest.raises(ValueError, match="no 1 of the cells") as caught:
        protect(table, [strange], GRID, TABLE, SECRETS, Published(TERM, LINKS))
    assert "8 to 12" not in str(caught.value)
    assert repr(strange) == "TrueCell()"


def test_a_ward_table_counts_at_its_own_level() -> None:
    assert WIDE.level is Level.WARD


def test_a_place_has_one_number_and_what_one_table_shows_is_out() -> None:
    table = CATALOGUE["known_by_area"]
    of = place(table, TERM, ("c0",))
    out = Published(TERM, LINKS)
    for cell in (
        withheld(("c0",), Note.WITHDRAWN),
        shown(("c0",), 10),
        withheld(("c0",), Note.AREA),
    ):
        out.put(of, cell)
    assert out.at(of) == shown(("c0",), 10)
    with pytest.raises(ValueError, match="one number"):
        out.put(of, shown(("c0",), 15))


def test_a_release_that_is_read_again_holds_what_it_held() -> None:
    first = Published(TERM, LINKS)
    tables = released(known(200, 2), KNOWN, first)
    again = Published(period_at(ordinal(TERM) + 1), LINKS)
    again.put_all(CATALOGUE, tables.values())
    of = [place(one, TERM, cell) for one in KNOWN for cell in whole_grid(one, GRID)]
    assert [getattr(again.at(one), "value", None) for one in of] == [
        getattr(first.at(one), "value", None) for one in of
    ]


def test_what_cannot_be_is_a_plain_zero() -> None:
    table = replace(CATALOGUE["known_by_age"], structural_zeros=frozenset({("c0", "19–25")}))
    out = protect(
        table, [TrueCell(("*", "*"), 40, 1)], GRID, TABLE, SECRETS, Published(TERM, LINKS)
    )
    said = {one.cell: (one.value, one.note) for one in out.cells}
    assert said[("c0", "19–25")] == (0, Note.NONE)
    assert said[("c0", "*")] == (0, Note.ZERO)


class _Always:
    """Gives every cell the same number."""

    def __init__(self, number: float) -> None:
        self.number = number

    def cell_key(self, xor: int, kind: str) -> float:
        assert (xor, kind) != (0, "count"), "nobody has no key"
        return self.number


def test_nobody_reached_an_outcome_by_a_service_that_nobody_had() -> None:
    """Who reached one by kind of service had it in a package: no figure under that zero."""
    reached = CATALOGUE["outcome_reached_by_kind"]
    had = CATALOGUE["packages_by_kind_authority"]
    assert ORDER.index(had) < ORDER.index(reached)
    published = Published(TERM, LINKS)
    published.put(place(had, TERM, ("therapy",)), shown(("therapy",), 0))
    published.put(place(had, TERM, ("health",)), shown(("health",), 5))
    for kind, may in (("therapy", False), ("health", True)):
        assert published.may_show(place(reached, TERM, (kind,)), GRID) is may
