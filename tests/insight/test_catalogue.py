"""The catalogue hangs together: groups without a cycle, parts beside wholes, coarser ones there."""

from itertools import pairwise

import pytest

from panel.allocation import rules
from panel.allocation.package_models import PackageKind
from panel.directory import vocabulary
from panel.insight.core import words
from panel.insight.core.catalogue import CATALOGUE, LINKS, ORDER, cliques
from panel.insight.core.dimensions import AREA, TITLES, codes, whole_grid
from panel.insight.core.facts import ChildTerm
from panel.insight.core.magnitudes import MEASURES
from panel.insight.core.nesting import KNOWN, columns, decomposed, margins, parents, place, universe
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.words import (
    EVERY,
    Level,
    Period,
    Span,
    ordinal,
    period_at,
    period_words,
    window,
)
from panel.register import models as register
from tests.insight.invented_children import GRID

TABLES = list(CATALOGUE.values())
TERM = Period("2026-autumn")
MADE_DIMS = {"payer", "course", "kind", "band", "ahead", "edge"}


@pytest.mark.parametrize("group", sorted({one.group for one in TABLES}))
def test_the_dimensions_of_a_group_form_no_cycle(group: str) -> None:
    found = cliques(group)
    for clique in found[:-1]:
        assert clique.separator < clique.dims


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        decomposed([{"area", "age"}, {"age", "need"}, {"need", "area"}])
    closed = decomposed(
        [{"area", "age"}, {"age", "need"}, {"need", "area"}, {"area", "age", "need"}]
    )
    assert [clique.dims for clique in closed] == [{"area", "age", "need"}]


@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.key)
def test_each_table_is_whole(table: TableDef) -> None:
    assert all((table.title, table.question, table.definition, table.source))
    assert table.quality
    known = columns(table.fact) | columns(ChildTerm) | MADE_DIMS | {AREA}
    assert set(table.dims) <= known & TITLES.keys()
    assert AREA not in table.dims[1:]
    assert (table.level is Level.AUTHORITY) == (AREA not in table.dims)
    assert {column for column, _ in table.where} <= columns(table.fact) | MADE_DIMS
    assert all(codes(table, dim, GRID) for dim in table.dims)
    cells = list(whole_grid(table, GRID))
    assert len(cells) == len(set(cells))
    assert cells[0] == (EVERY,) * len(table.dims)
    if table.measure in MEASURES:
        assert table.of


@pytest.mark.parametrize("table", [one for one in TABLES if one.coarser], ids=lambda one: one.key)
def test_the_coarser_table_is_coarser(table: TableDef) -> None:
    assert table.coarser is not None
    other = CATALOGUE[table.coarser]
    assert (other.dims, other.measure, other.where) == (table.dims, table.measure, table.where)
    bigger = (
        (Level.WARD, Level.CLUSTER).index(table.level)
        < (Level.WARD, Level.CLUSTER).index(other.level)
        if table.level is not Level.AUTHORITY
        else False
    )
    longer = (table.span, other.span) == (Span.TERM, Span.ROLLING)
    assert bigger or longer


@pytest.mark.parametrize("table", [one for one in TABLES if one.over], ids=lambda one: one.key)
def test_the_parts_of_a_share_have_its_cells(table: TableDef) -> None:
    assert table.over is not None
    for key in table.over:
        assert list(whole_grid(CATALOGUE[key], GRID)) == list(whole_grid(table, GRID))


def test_what_is_coarser_comes_first() -> None:
    order = [one for one in ORDER if one.measure is Measure.CHILDREN]
    seen: dict[object, int] = {}
    first: dict[object, int] = {}
    for at, table in enumerate(order):
        for cell in whole_grid(table, GRID):
            of = place(table, TERM, cell)
            first.setdefault(of, at)
    for of, at in first.items():
        for parent in parents(of, GRID, LINKS):
            seen[parent] = first.get(parent, -1)
            assert first.get(parent, -1) <= at
    assert any(at >= 0 for at in seen.values())


def test_a_cell_hangs_on_every_wider_cell() -> None:
    table = CATALOGUE["unmet_by_kind_ward"]
    of = place(table, TERM, ("w00", "therapy"))
    above = list(parents(of, GRID, LINKS))
    own = universe(table.fact, table.where)
    assert {one.of for one in above if one.universe == own and one.span is Span.TERM} == {
        (("area", "c0"), ("kind", "therapy")),
        (("area", "w00"),),
    }
    assert sorted(one.period for one in above if one.span is Span.ROLLING) == [
        "2026-autumn",
        "2027-spring",
        "2027-summer",
    ]
    known = [one for one in above if one.universe != own]
    assert [(one.universe, one.of) for one in known] == [
        ("ChildTerm known=true", (("area", "w00"),))
    ]


def test_agreed_hangs_on_decided_and_decided_on_asked() -> None:
    agreed = CATALOGUE["agreed_by_age"]
    above = {name for name, _ in LINKS.above[universe(agreed.fact, agreed.where)]}
    decided = CATALOGUE["decided_by_age"]
    assert universe(decided.fact, decided.where) in above
    assert "ChildTerm known=true" in above


@pytest.mark.parametrize(
    "key", ["requests_by_kind", "packages_by_kind", "transitions", "perception_offered_by_area"]
)
def test_whoever_is_counted_is_known(key: str) -> None:
    table = CATALOGUE[key]
    known = universe(ChildTerm, KNOWN)
    first = codes(table, AREA, GRID)[0]
    of = place(table, TERM, (first, *(EVERY for _ in table.dims[1:])))
    assert ((AREA, first),) in {one.of for one in parents(of, GRID, LINKS) if one.universe == known}


def test_whoever_is_on_a_list_need_not_be_known() -> None:
    known = universe(ChildTerm, KNOWN)

    def above(key: str) -> set[str]:
        table = CATALOGUE[key]
        return {name for name, _ in LINKS.above[universe(table.fact, table.where)]}

    assert known not in above("on_lists")
    assert known not in above("on_list_not_known")
    assert known in above("known_not_on_list")


def test_need_of_an_unmet_need_is_not_the_primary_need() -> None:
    unmet = CATALOGUE["unmet_by_need"]
    above = parents(place(unmet, TERM, ("c0", "asd")), GRID, LINKS)
    assert [one.of for one in above if one.universe.startswith("ChildTerm")] == [(("area", "c0"),)]


def test_margins_are_all_sets_of_dimensions() -> None:
    found = list(margins(CATALOGUE["known_by_sex"]))
    assert len(found) == 8
    assert found[0] == ()
    assert all(len(a) <= len(b) for a, b in pairwise(found))


def test_terms_follow_one_another_over_the_year() -> None:
    assert window(Period("2027-spring")) == ("2026-summer", "2026-autumn", "2027-spring")
    assert all(period_at(ordinal(Period(one))) == one for one in ("2026-summer", "2027-autumn"))
    assert period_words(TERM) == "autumn term 2026"
    with pytest.raises(ValueError, match="2026-autumn"):
        ordinal(Period("2026-winter"))
    with pytest.raises(ValueError, match="2026-autumn"):
        ordinal(Period("26-autumn"))


def test_the_codes_are_those_that_the_rooms_use() -> None:
    assert set(words.SERVICES) == set(vocabulary.KINDS)
    assert set(words.LEVELS) == set(register.LEVELS)
    assert {*words.SEXES, "not_known"} == set(register.SEXES)
    assert set(words.BASES) == set(rules.LegalBasis)
    assert set(words.DECISIONS) == set(rules.Kind)
    assert words.AGREES == rules.AGREES
    assert set(words.REASONS) == set(rules.Grounds)
    assert set(words.WAYS) == set(PackageKind)
    assert set(words.NEEDS) == {*rules.NeedCode, "gdd", "medical"}
