"""Wards that are renamed, merged or divided: each child is in one area, and no difference tells."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panel.insight import pages
from panel.insight.area_series import past_of, through_terms
from panel.insight.blocks import whole_table
from panel.insight.core.audit import audit
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.cells import Note, ProtectedTable
from panel.insight.core.changes import (
    AreaChange,
    What,
    changed_by,
    counted_as,
    families,
    hidden_groups,
    hidden_wards,
    past,
)
from panel.insight.core.facts import Term
from panel.insight.core.model import behind
from panel.insight.core.places import Grid
from panel.insight.core.ptable import TABLE
from panel.insight.core.rates import from_elsewhere
from panel.insight.core.released import PublishedRules, Release
from panel.insight.core.table import CellId
from panel.insight.core.words import (
    AGE_BANDS,
    EVERY,
    Level,
    Period,
    Span,
    ordinal,
    window,
)
from panel.insight.core.written import changes_from, files_of, release_from, rules_of
from panel.insight.counting import given_to
from panel.insight.files import CHANGED, Form, sheet, write
from panel.insight.methods import blocks
from panel.insight.reading import Head, Seen
from panel.insight.releasing import NotYet, groups_stay
from panel.insight.saying import Areas, changes_words
from tests.insight import a_release
from tests.insight.changing_wards import (
    ALL,
    AUTUMN,
    BEFORE,
    BY_AGE,
    MAY,
    MERGED,
    NEXT_SPRING,
    NEXT_SUMMER,
    RENAMED,
    SPRING,
    SUMMER,
    TABLES,
    TERMS,
    World,
    any_changes,
    grid_of,
    moving,
    released,
    steady,
)
from tests.insight.invented_children import children
from tests.insight.put_out import MADE_AT, square

# What a term has to know --------------------------------------------------------------------------


def test_what_happened_is_told_from_the_lines_that_hang_together() -> None:
    found = {one.olds: (one.what, one.news) for one in families(ALL)}
    assert found == {
        ("w00", "w01"): (What.MERGED, ("m",)),
        ("w04",): (What.DIVIDED, ("x", "y")),
        ("w07",): (What.RENAMED, ("z",)),
    }


def test_a_change_holds_from_the_first_term_that_it_began_by_and_not_of_one_that_is_out() -> None:
    terms = [
        Term("2026-01-05", "2026-03-27", SPRING),
        Term("2026-04-13", "2026-07-21", SUMMER),
        Term("2026-09-01", "2026-12-18", AUTUMN),
    ]
    known = [(one.old, one.new, one.from_on) for one in MERGED]
    assert changed_by(SPRING, known, terms) == replace(
        changed_by(SPRING, [], terms), later=frozenset({"m"})
    )
    assert changed_by(SUMMER, known, terms).changes == MERGED
    assert changed_by(AUTUMN, known, terms).changes == MERGED
    # Found out after the summer term was published with the old wards.
    late = changed_by(AUTUMN, known, terms, (), SUMMER).changes
    assert {one.since for one in late} == {AUTUMN}
    # And once it is published it stays as it was, whatever is imported later.
    assert changed_by(NEXT_SPRING, known, terms, late, AUTUMN).changes == late


CODES = [f"w{n:02}" for n in range(8)] + ["m", "x", "y", "z"]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_each_child_is_in_one_area_of_a_term_and_no_old_ward_is_shown_beside_a_new_one(
    data: st.DataObject,
) -> None:
    pairs = data.draw(
        st.lists(
            st.tuples(st.sampled_from(CODES[:8]), st.sampled_from(CODES[8:])),
            max_size=8,
            unique=True,
        )
    )
    since = data.draw(st.fixed_dictionaries({code: st.sampled_from(TERMS) for code in CODES[:8]}))
    changes = [AreaChange(old, new, MAY, since[old]) for old, new in pairs]
    for period in TERMS:
        grid = grid_of(period, changes)
        for span in Span:
            hidden = grid.hidden(Level.WARD, span, period)
            for family in families(grid.changes):
                assert not set(family.olds) - hidden
                ago = ordinal(period) - ordinal(family.since)
                assert family.what is What.RENAMED or ago > 2 or not set(family.news) - hidden
        for ward in CODES:
            now = grid.area_of(ward, Level.WARD, period)
            # A group is its wards and nothing else.
            assert grid.area_of(ward, Level.CLUSTER, period) == (
                None if now is None else grid.clusters[now]
            )
            assert now is None or grid.area_of(now, Level.WARD, period) == now


def test_an_old_code_counts_in_the_new_ward_where_all_of_it_went_there() -> None:
    grid = grid_of(SUMMER)
    assert counted_as(ALL, SUMMER) == {"w00": "m", "w01": "m", "w07": "z"}
    assert grid.area_of("w04", Level.WARD, SUMMER) == "w04"
    assert grid.area_of("w04", Level.CLUSTER, SUMMER) == "c1"
    assert grid.clusters["m"] == "c0"
    assert grid.clusters["x"] == grid.clusters["y"] == "c1"
    assert counted_as((*RENAMED, AreaChange("z", "q", "2026-09-01", AUTUMN)), AUTUMN) == {
        "w07": "q", "z": "q",
    }  # fmt: skip


def test_the_query_counts_each_term_by_the_wards_of_its_day() -> None:
    given_here = given_to(CATALOGUE["known_by_area_ward_three_terms"], grid_of(AUTUMN), AUTUMN)
    asked = zip(given_here["terms"], given_here["wards"], given_here["areas"], strict=True)
    areas = {(term, ward): area for term, ward, area in asked}
    assert areas[SPRING, "w00"] == "w00"
    assert areas[SUMMER, "w00"] == areas[AUTUMN, "w01"] == "m"
    assert areas[AUTUMN, "w04"] == "w04"
    assert list(window(AUTUMN)) == given_here["periods"]


def test_a_ward_that_is_gone_leaves_the_table_and_one_that_was_divided_stays() -> None:
    later = grid_of(NEXT_SUMMER).clusters
    assert {"w00", "w01", "w07"}.isdisjoint(later)
    assert {"w04", "m", "x", "y", "z"} <= set(later)
    assert {"w00", "w07"} <= set(grid_of(NEXT_SPRING).clusters)


def test_figures_come_back_in_the_third_term_after_the_change() -> None:
    shown = {
        period: {"m", "x", "y", "z"} - hidden_wards(ALL, Span.TERM, period) for period in TERMS[1:]
    }
    assert shown[SUMMER] == shown[AUTUMN] == shown[NEXT_SPRING] == {"z"}
    assert shown[NEXT_SUMMER] == {"m", "x", "y", "z"}
    assert "z" in hidden_wards(ALL, Span.ROLLING, AUTUMN)
    assert "z" not in hidden_wards(ALL, Span.ROLLING, NEXT_SPRING)


def test_what_was_merged_and_then_renamed_waits_as_if_it_were_not() -> None:
    """By its new name it is still the two old wards, which were shown a term before."""
    renamed = AreaChange("m", "n", "2026-09-01", AUTUMN)
    changes = (*MERGED, renamed)
    assert {one.since for one in MERGED} == {SUMMER}
    for period, hides in ((AUTUMN, True), (NEXT_SPRING, True), (NEXT_SUMMER, False)):
        assert ("n" in hidden_wards(changes, Span.TERM, period)) is hides, period
    # A renaming alone waits for nothing.
    assert "n" not in hidden_wards((renamed,), Span.TERM, AUTUMN)


def test_groups_that_are_published_stay_as_they_are() -> None:
    before = {"w00": "c0", "w01": "c0", "w02": "c1"}
    groups_stay(before, {**before, "m": "c0"})
    for other in ({**before, "w01": "c1"}, {"w00": "c0", "w02": "c1"}):
        with pytest.raises(NotYet, match="in other groups: w01"):
            groups_stay(before, other)


def test_a_group_has_no_figures_while_a_ward_of_it_is_new_in_another() -> None:
    across = (AreaChange("w03", "m", MAY, SUMMER), AreaChange("w04", "m", MAY, SUMMER))
    grid = grid_of(SUMMER, across)
    assert grid.clusters["m"] == "c0"
    assert grid.hidden(Level.CLUSTER, Span.TERM, SUMMER) == {"c0", "c1"}
    assert not hidden_groups(ALL, grid_of(SUMMER).clusters, SUMMER)
    assert not grid_of(NEXT_SUMMER, across).hidden(Level.CLUSTER, Span.TERM, NEXT_SUMMER)


# What goes out ------------------------------------------------------------------------------------


def cells_of(release: Release, key: str) -> Mapping[CellId, int | None]:
    table = next(one for one in release.tables if one.key == key)
    return {one.cell: None if one.value is None else int(one.value) for one in table.cells}


def found_by_difference(before: Release, after: Release) -> list[CellId]:
    """Small cells of merged wards that an attacker narrows who knows that nobody moved.

    What the new ward had less what one old ward had at least is what the other had at most.
    """
    old, new = cells_of(before, BY_AGE.key), cells_of(after, BY_AGE.key)
    found = []
    for (ward, age), own in old.items():
        together = new.get(("m", age))
        if ward not in {"w00", "w01"} or own is None or together is None:
            continue
        other = old["w01" if ward == "w00" else "w00", age]
        low, high = behind(before.rules, own)
        if other is not None and low < 5:
            theirs, whole = behind(before.rules, other), behind(after.rules, together)
            low, high = max(low, whole[0] - theirs[1]), min(high, whole[1] - theirs[0])
            if high - low < 4 and high > 0:
                found.append((ward, age))
    return found


def test_a_renamed_ward_is_shown_at_once_beside_three_terms_that_wait() -> None:
    grids = {term: grid_of(term) for term in TERMS}
    *_, autumn = released(steady(), grids, [SPRING, SUMMER, AUTUMN])
    three = next(one for one in autumn.tables if one.key == "known_by_area_ward_three_terms")
    assert {one.note for one in three.cells if one.cell == ("z",)} == {Note.CHANGED}
    for key, cell in (("known_by_area_ward", ("z",)), (BY_AGE.key, ("z", EVERY))):
        assert (cells_of(autumn, key)[cell] or 0) >= 30, key
    assert {cells_of(autumn, BY_AGE.key)[ward, EVERY] for ward in "mxy"} == {None}


@pytest.mark.parametrize(
    ("period", "gone", "known"),
    [
        (SUMMER, {"w00", "w01", "w04", "w07"}, True),
        (SUMMER, {"m", "x", "y", "z"}, True),
        (NEXT_SUMMER, {"w00", "w01", "w04", "w07"}, True),
        (NEXT_SUMMER, {"m", "x", "y", "z"}, False),
        (SUMMER, {"m", "w04"}, False),
    ],
)
def test_what_others_count_is_read_by_the_wards_of_today_or_of_before(
    period: Period, gone: set[str], *, known: bool
) -> None:
    """The old ward of a division stays for good, and nobody counts children in it any more."""
    people = dict.fromkeys({*BEFORE, "m", "x", "y", "z"} - gone, 100)
    table = CATALOGUE["population_by_area"]
    made = from_elsewhere(table, grid_of(period), period, people, {})
    whole = next(one.value for one in made.cells if one.cell == (EVERY,))
    assert whole == (sum(people.values()) if known else None)


class HidesNothing(Grid):
    """Wards that changed are shown as any others."""

    def hidden(self, *_: object) -> frozenset[str]:
        """None, whatever changed."""
        return frozenset()


def few_of_most_ages(seed: int) -> World:
    """Two wards of 60 children: 3 or 4 of each age but one. They are merged, and nobody moves."""
    ages = [*(age for age in AGE_BANDS[1:] for _ in range(3 + seed % 2)), *[AGE_BANDS[0]] * 60][:60]
    keys = [one.key for one in children(120, seed, [BY_AGE])]
    homes = {key: ("w00", "w01")[at % 2] for at, key in enumerate(keys)}
    lives = {SPRING: homes, SUMMER: dict.fromkeys(keys, "m")}
    return World(lives, {key: ages[at // 2] for at, key in enumerate(keys)})


def test_old_wards_less_new_ones_tell_nothing_where_nobody_moved() -> None:
    by_ward = [one for one in TABLES if one.level is Level.WARD and one.span is Span.TERM]
    both = {term: grid_of(term, MERGED) for term in TERMS[:2]}
    naive = {term: HidesNothing(one.clusters, changes=one.changes) for term, one in both.items()}
    lost = 0
    for seed in range(20):
        world = few_of_most_ages(seed)
        before, after = released(world, both, TERMS[:2], by_ward)
        assert not found_by_difference(before, after)
        for key in ("known_by_area_ward", BY_AGE.key):
            for cell, value in cells_of(after, key).items():
                assert value is None or cell[0] not in {"w00", "w01", "m"}
        # Not even how many are known in them, which other wards say in any case.
        assert {one.note for one in after.tables[0].cells if one.cell[0] in {"w00", "m"}} == {
            Note.CHANGED
        }
        lost += len(found_by_difference(*released(world, naive, TERMS[:2], by_ward)))
    assert lost, "the rule is needed: with the new ward as any other the same attack wins"


@settings(max_examples=60 if "PANEL_SOAK" in os.environ else 3, deadline=None, derandomize=True)
@given(chance=st.randoms(use_true_random=True))
def test_the_audit_takes_terms_before_and_after_together_and_finds_nothing(
    chance: Random,
) -> None:
    changes = any_changes(chance)
    grids = {term: grid_of(term, changes) for term in TERMS}
    result = audit(released(moving(chance, changes), grids, TERMS), until=monotonic() + 120)
    assert not result.unfinished, "a row of the model does not hold of what is true"
    assert result.safe, result.findings


def test_the_changes_are_published_with_the_release_and_read_back() -> None:
    plain = PublishedRules.of(TABLE, Grid(BEFORE))
    assert "changes" not in rules_of(plain)
    rules = PublishedRules.of(TABLE, grid_of(SUMMER))
    assert changes_from(rules_of(rules)) == rules.changes == tuple(sorted(ALL))
    (one,) = released(steady(many=300), {SUMMER: grid_of(SUMMER)}, [SUMMER])
    assert release_from(files_of(one)).rules == one.rules


# What people read ---------------------------------------------------------------------------------

NAMES = {
    "w00": "Ashmead", "w01": "Barrow Hill", "w04": "Eastfield", "w07": "Hollin", "m": "Ashmead Hill",
    "x": "Eastfield North", "y": "Eastfield South", "z": "Hollin",
}  # fmt: skip


def seen(period: Period, table: ProtectedTable, changes: Sequence[AreaChange] = ()) -> Seen:
    areas = Areas.of(NAMES, BEFORE, changes)
    return Seen(Head(ordinal(period), period, MADE_AT), {table.key: table.cells}, areas)


def test_each_change_is_said_on_pages_and_in_files() -> None:
    (one,) = released(steady(many=300), {SUMMER: grid_of(SUMMER)}, [SUMMER])
    areas = Areas.of(NAMES, one.rules.clusters, one.rules.changes)
    said = " ".join(changes_words(areas))
    assert "Ashmead (w00) and Barrow Hill (w01) became Ashmead Hill (m) on 7 May 2026" in said
    assert "Eastfield (w04) was divided into Eastfield North (x) and Eastfield South (y)" in said
    assert "Hollin (w07) became Hollin (z)" in said
    assert areas.called("w07") == "Hollin, until 7 May 2026"
    assert "until" not in areas.called("c0")
    made = sheet(BY_AGE, SUMMER, one.tables[-1].cells, areas)
    assert dict(made.about)[CHANGED] == said
    assert said in write(made, Form.DESCRIPTION).decode()
    whole_area = sheet(CATALOGUE["cost_by_kind"], SUMMER, (), areas)
    assert CHANGED not in dict(whole_area.about)
    methods = blocks(one.rules, one.error, areas)[-1]
    assert methods.name == "changed"
    assert said == " ".join(methods.sentences[1:])
    shown, _ = whole_table(seen(SUMMER, one.tables[-1], ALL), BY_AGE.key, 0, 1000)
    assert any(row[-1] == "Not shown: the ward or group changed" for row in shown.rows)


def test_a_map_draws_the_wards_of_today() -> None:
    release = a_release.seen()
    drawn = tuple((code, json.dumps(square(at))) for at, code in enumerate(a_release.NAMES))
    changed = Areas(release.areas.names, (AreaChange("w00", "w01", MAY, SUMMER),))
    for areas, wards in ((release.areas, 8), (changed, 7)):
        where = pages.unmet_need(replace(release, boundaries=drawn, areas=areas), "short_break")[0]
        assert str(where.chart).count('fill-rule="evenodd"') == wards


@pytest.mark.parametrize(
    ("ward", "wards"),
    [("m", ("w00", "w01")), ("z", ("w07",)), ("x", ()), ("w02", ("w02",)), (EVERY, (EVERY,))],
)
def test_a_ward_has_the_past_of_those_that_went_into_it_as_a_whole(
    ward: str, wards: tuple[str, ...]
) -> None:
    assert past(ward, ALL, SPRING).wards == wards
    assert past(ward, ALL, SUMMER).wards == (ward,)


def test_a_line_through_the_terms_adds_up_what_was_merged_and_has_no_past_of_what_was_divided() -> (
    None
):
    table = CATALOGUE["known_by_area_ward"]
    grids = {SPRING: grid_of(SPRING), NEXT_SUMMER: grid_of(NEXT_SUMMER)}
    old, new = released(steady(), grids, [SPRING, NEXT_SUMMER])
    both = [seen(SPRING, old.tables[1]), seen(NEXT_SUMMER, new.tables[1], ALL)]
    today = both[-1].areas

    def line(ward: str) -> list[int | None]:
        points = through_terms(table, ward, both, today)
        return [None if one.value is None else int(one.value) for _, one in points]

    spring, summer = (cells_of(one, table.key) for one in (old, new))
    added = [spring["w00",], spring["w01",]]
    assert None not in added
    assert line("m") == [sum(one or 0 for one in added), summer["m",]]
    assert line("z") == [spring["w07",], summer["z",]]
    assert line("x") == [None, summer["x",]]
    assert line(EVERY) == [spring[EVERY,], summer[EVERY,]]
    assert "no figures of terms before" in past_of(table, "x", today)
    assert past_of(table, "w02", today) == past_of(table, EVERY, today) == ""
