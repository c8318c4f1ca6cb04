"""That the audit is of everything at once: taken apart it finds what the whole model finds."""

from dataclasses import replace
from time import monotonic

import numpy as np
import pytest

from panel.insight.core.audit import audit, audit_at_once
from panel.insight.core.model import Builder
from panel.insight.core.nesting import KNOWN, universe
from panel.insight.core.parts import Part, digest_of, parts, undivided
from panel.insight.core.programme import NEAR, NotSolved, Programme
from panel.insight.core.released import Release
from panel.insight.core.words import Level, Period
from panel.insight.core.written import release_from
from panel.insight.release_files import files_of
from panel.insight.saying import Areas
from tests.insight.releases import AUTUMN, SPRING, of_cells, release, table, whole
from tests.insight.small_worlds import AGE, SEX, SmallWorld

Bounds = dict[tuple[str, str, tuple[str, ...]], tuple[float, float]]


def until() -> float:
    return monotonic() + 120


def bounds_of(every: list[Part], *, exactly: bool) -> Bounds:
    found: Bounds = {}
    for part in every:
        programme, at = Programme(part, until(), exactly=exactly), part.places()
        for one in part.targets:
            costs = np.bincount(at[one.columns], minlength=len(part.columns)).astype(float)
            most, least = (
                float((programme.greatest(sign * costs) * costs).sum()) for sign in (1, -1)
            )
            found[one.table, one.period, one.cell] = round(least, 4), round(most, 4)
    return found


def test_taken_apart_and_made_small_each_cell_has_the_bounds_of_the_whole_model() -> None:
    model = Builder(SmallWorld(1).releases).build()
    apart = parts(model)
    assert len(apart) > 1
    assert sum(len(one.targets) for one in apart) == len(model.targets)
    assert bounds_of(apart, exactly=False) == bounds_of(undivided(model), exactly=True)


@pytest.mark.parametrize("as_published", ["changed a little", "as it is"])
def test_it_finds_what_is_found_with_everything_in_one_programme(as_published: str) -> None:
    world, safe = SmallWorld(1), as_published == "changed a little"
    releases = world.releases if safe else world.exactly
    apart, once = audit(releases, until=until()), audit_at_once(releases, until=until())
    assert apart.unfinished == once.unfinished == 0
    assert (apart.cells, apart.safe, safe) == (once.cells, once.safe, safe)
    named = [(one.table, one.period, one.cell, one.low, one.high) for one in apart.findings]
    assert named == [(one.table, one.period, one.cell, one.low, one.high) for one in once.findings]


@pytest.mark.parametrize("seed", range(1, 6))
def test_what_is_true_fits_every_row(seed: int) -> None:
    """No row says more than the rules do."""
    world = SmallWorld(seed)
    model = Builder(world.releases).build()
    # The same columns, and every published cell at its true count.
    model.rows += Builder(world.exactly).build().rows
    (every,) = undivided(model)
    Programme(every, until()).greatest(np.zeros(len(every.columns)))


def test_sets_of_dimensions_without_a_cycle_need_no_crossing_of_them_all() -> None:
    """A table of all dimensions of which nothing is shown makes the model the whole crossing, and
    tells nothing: no cell has other bounds for it."""
    world = SmallWorld(3)
    crossing = replace(AGE, key="crossing", dims=("area", "age", "sex"))
    codes = [sorted({cell.cell[1] for cell in shown.cells}) for shown in world.releases[0].tables]
    hidden = of_cells(
        crossing,
        {
            (area, age, sex): None
            for area in ("*", "c1", "c2")
            for age in codes[1]
            for sex in codes[2]
        },
    )
    first = world.releases[0]
    tables = [(first.catalogue[one.key], one) for one in first.tables]
    apart = Builder([release(*tables)]).build()
    crossed = Builder([release(*tables, (crossing, hidden))]).build()
    assert crossed.columns > apart.columns
    of_all = bounds_of(parts(crossed), exactly=False)
    of_some = bounds_of(parts(apart), exactly=False)
    assert {cell: of_all[cell] for cell in of_some} == of_some


def test_an_answer_in_which_little_moves_is_an_answer_to_the_whole() -> None:
    (part, *_) = sorted(
        parts(Builder(SmallWorld(2).releases).build()), key=lambda one: -len(one.columns)
    )
    programme = Programme(part, until())
    chance = np.random.default_rng(4)
    costs = chance.normal(size=len(part.columns))
    middle = (programme.greatest(costs) + programme.greatest(-costs)) / 2
    near = programme.near(np.array([3, 40]))
    assert {3, 40} < set(near.tolist())
    moving = programme.moving(near, middle)
    for sign in (1, -1):
        found = moving.greatest(sign * costs)
        assert programme.holds(found)
        assert np.array_equal(np.delete(found, near), np.delete(middle, near))
        best, least = (
            float(one @ costs) * sign for one in (programme.greatest(sign * costs), middle)
        )
        assert least - NEAR <= float(found @ costs) * sign <= best + NEAR


def test_an_answer_that_breaks_a_row_is_none() -> None:
    (part, *_) = parts(Builder(SmallWorld(2).releases).build())
    programme = Programme(part, until())
    found = programme.greatest(np.zeros(len(part.columns)))
    assert programme.holds(found)
    assert not programme.holds(found + 1)
    with pytest.raises(NotSolved, match="does not fit"):
        programme.fits(found + 1)


def test_what_an_earlier_catalogue_counted_is_still_within_what_it_was_within() -> None:
    narrow = (("sex", frozenset({"male"})),)
    of_all, of_some = table("all", "age"), replace(table("some", "age"), where=(*KNOWN, *narrow))
    cells = {("*",): 20}
    before = release(*((one, of_cells(one, cells)) for one in (of_all, of_some)))
    of_others = replace(of_some, where=(*KNOWN, ("sex", frozenset({"female"}))))
    after = release((of_others, of_cells(of_others, cells, SPRING)), period=SPRING)
    above = Builder([before, after]).links.above
    known = universe(of_all.fact, of_all.where)
    for one in (of_some, of_others):
        assert known in {wider for wider, _ in above[universe(one.fact, one.where)]}


# Proven before ------------------------------------------------------------------------------------

SAFE = table("by_sex", "sex", level=Level.AUTHORITY)


def of_term(period: Period, male: int = 0) -> Release:
    cells = {("*",): 20, ("female",): 15, ("male",): male, ("indeterminate",): 0}
    return release((SAFE, of_cells(SAFE, cells, period)), period=period)


def test_what_was_proven_is_not_asked_about_again_and_what_changed_is() -> None:
    first = audit([of_term(AUTUMN)], until=until())
    assert (first.safe, len(first.proven), first.kept) == (True, 1, 0)
    both = [of_term(AUTUMN), of_term(SPRING)]
    second = audit(both, until=until(), proven=first.proven)
    assert second.safe
    assert (second.cells, second.kept) == (4, 2)
    assert 0 < second.solves == audit([both[1]], until=until()).solves
    third = audit(both, until=until(), proven=second.proven)
    assert (third.safe, third.kept, third.solves) == (True, 4, 0)
    changed = audit([of_term(AUTUMN, male=5), both[1]], until=until(), proven=second.proven)
    assert changed.kept == 2


def test_a_release_out_of_its_files_is_the_same_question() -> None:
    figures = {("*", "*"): 40, ("c1", "*"): 25, ("c2", "*"): 0}
    made = release((AGE, whole(AGE, figures)), (SEX, whole(SEX, figures)))
    read = release_from(files_of(made, Areas()))
    assert [digest_of(one) for one in parts(Builder([read]).build())] == [
        digest_of(one) for one in parts(Builder([made]).build())
    ]


def test_unsafe_parts_are_not_proven_and_what_is_not_finished_neither() -> None:
    releases = [*SmallWorld(1).exactly[:1], of_term(SPRING)]
    found = audit(releases, until=until())
    assert found.findings
    assert len(found.proven) == 1
    assert not set(found.proven) & {
        digest_of(one)
        for one in parts(Builder(releases).build())
        if {(each.table, each.period, each.cell) for each in one.targets}
        & {(each.table, each.period, each.cell) for each in found.findings}
    }
    assert audit([of_term(AUTUMN)], until=monotonic() - 1).proven == ()


# Corrected ----------------------------------------------------------------------------------------


def test_what_a_large_correction_contradicts_is_left_out_and_the_audit_finishes() -> None:
    as_it_was = audit(SmallWorld(1).releases, until=until())
    corrected = audit(SmallWorld(1, moved=True).releases, until=until())
    assert as_it_was.corrected == 0
    assert 0 < corrected.corrected < 50
    assert corrected.unfinished == 0


def test_a_contradiction_within_a_release_is_no_correction() -> None:
    impossible = release((SAFE, of_cells(SAFE, {("*",): 5, ("female",): 100, ("male",): 0})))
    result = audit([impossible], until=until())
    assert (result.safe, result.corrected, result.unfinished) == (False, 0, 2)
