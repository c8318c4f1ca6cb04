"""A change between two releases does not tell that it is one child.

The rule of the guess and what chance says are in changes.py. Sizes are those of the greater
published number. In a busy county numbers to 10 are asked against every chance. In a calm one most
small cells do not change at all, so that a change that is seen tells more than nothing: that the
cell's children changed, which the same number for the same children implies whatever else is done.
There numbers to 10 are asked against cells whose children changed.
"""

import os
from collections.abc import Iterator, Sequence
from functools import cache

import pytest

from tests.insight.attack.bounds import Place, place_of
from tests.insight.attack.changes import SIZES, SORTS, Change, by_span, crossed, score
from tests.insight.attack.folder import TableSeen
from tests.insight.attack.harness import Releases, every_term, without_rounding, world_of

POINTS = 0.05
SOAK = "PANEL_SOAK" in os.environ
WORLDS = range(1, 9) if SOAK else range(1, 3)
BUSY, CALM = 1.0, 0.25
TURNOVERS = (BUSY, 0.5, CALM) if SOAK else (BUSY, CALM)
"""How much changes from term to term."""
TERMS = range(2, 6) if SOAK else (2, 4, 5)
"""Of which releases are made. What comes out once in three terms is in the first and the last."""


@pytest.mark.parametrize("turnover", TURNOVERS)
def test_a_change_is_one_child_no_more_often_than_chance(turnover: float) -> None:
    changes = _every(_counties(turnover))
    every = score(changes)
    print(f"turnover {turnover}: {every}")
    assert every.guesses > 1_000
    assert every.right <= every.strictest + POINTS
    for low, high in ((0, 10), *SIZES):
        found = score([change for change in changes if low <= change.size <= high])
        print(f"  {low} to {high}: {found}")
        tells_by_itself = turnover < BUSY and high <= 10
        chance = min(found.of_changed, found.of_visible) if tells_by_itself else found.strictest
        assert found.right <= chance + POINTS


@pytest.mark.parametrize("turnover", TURNOVERS)
def test_who_learns_elsewhere_what_to_dare_is_right_no_more_often_than_chance(
    turnover: float,
) -> None:
    counties = _counties(turnover)
    half = len(counties) // 2
    for sort in SORTS:
        dared = crossed(_every(counties[:half]), _every(counties[half:]), sort)
        print(f"turnover {turnover}, {sort.__name__}: {dared}")
        assert dared.right <= dared.chance + POINTS
        assert dared.guesses > 20 or turnover > CALM
        if turnover == BUSY and sort is by_span:
            assert not dared.guesses


def test_the_guess_wins_where_nothing_is_rounded_or_all_comes_out_each_term(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if SOAK:
        every_term(monkeypatch)
        each_term = score(_every([_changes(seed, CALM) for seed in WORLDS]))
        print(f"everything each term, turnover {CALM}: {each_term}")
        assert each_term.right > each_term.strictest + POINTS
        without_rounding(monkeypatch)
        changes = _every([_changes(seed, CALM) for seed in WORLDS[:4]])
        every = score([change for change in changes if change.span == "term"], smallest=1)
        print(f"without rounding, turnover {CALM}: {every}")
        assert every.right > every.of_visible + POINTS


def _every(counties: Sequence[Sequence[Change]]) -> list[Change]:
    return [change for county in counties for change in county]


@cache
def _counties(turnover: float) -> list[list[Change]]:
    return [_changes(seed, turnover) for seed in WORLDS]


def _changes(seed: int, turnover: float) -> list[Change]:
    """Every place that the last release shows, once, and what the one before it showed there."""
    releases = Releases(world_of(seed, terms=TERMS[-1] + 1, turnover=turnover))
    for term in TERMS:
        releases.make(term)
    return list(_last_changes(releases))


def _last_changes(releases: Releases) -> Iterator[Change]:
    seen: set[Place] = set()
    for at, (term, old) in _shown_before(releases):
        table, new = releases.tables[at], releases.made[-1].seen[at]
        changed = releases.changed(table, term, TERMS[-1])
        for cell, now in new.cells.items():
            place = place_of(new, cell)
            grain, was = place[0], old.cells[cell]
            if place in seen or was.value is None or now.value is None:
                continue
            seen.add(place)
            what = " ".join((grain.counts, grain.level, *grain.dims))
            yield Change(was.value, now.value, changed.get(cell, 0), grain.span, what)


def _shown_before(releases: Releases) -> list[tuple[int, tuple[int, TableSeen]]]:
    """Of each table, by number, the newest term before the last that has figures, newest first:
    what stands in several tables is compared with what was said of it last."""
    found: dict[int, tuple[int, TableSeen]] = {}
    for term, made in zip(TERMS, releases.made[:-1], strict=False):
        for at, table in enumerate(made.seen):
            if any(cell.value is not None for cell in table.cells.values()):
                found[at] = term, table
    return sorted(found.items(), key=lambda each: -each[1][0])
