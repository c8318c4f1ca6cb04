"""A change between two releases does not tell that it is one child.

The rule of the guess and what chance says are in changes.py. Sizes are those of the greater
published number. Of numbers to 10 chance is that of cells whose children changed: that a cell's
number changed tells that its children did, which the same number for the same children implies.
"""

import os
from collections.abc import Iterable, Iterator

import pytest

from tests.insight.attack.bounds import place_of
from tests.insight.attack.changes import (
    Change,
    Score,
    guessed_by,
    learn,
    score,
    share_of_one_child,
)
from tests.insight.attack.harness import Releases, without_rounding, world_of

POINTS = 0.05
WORLDS = range(1, 5)
OTHERS = range(5, 9)
SOAK = "PANEL_SOAK" in os.environ
CALM = (0.5, 0.25) if SOAK else ()
"""Counties in which less changes from term to term."""
SIZES = ((0, 5), (10, 10), (15, 20), (25, 50), (55, 100_000))


def test_a_change_is_one_child_no_more_often_than_chance() -> None:
    changes = _pooled(WORLDS)
    every = _printed("as published", changes)
    small = score([change for change in changes if change.size <= 10])
    assert every.guesses > 1_000
    assert every.right <= every.strictest + POINTS
    assert small.right <= min(small.of_changed, small.of_visible) + POINTS


def test_calmer_counties() -> None:
    """There most cells do not change at all, and each change that is seen tells that one did."""
    for turnover in CALM:
        changes = _pooled(WORLDS, turnover)
        every = _printed(f"turnover {turnover}", changes)
        assert every.right <= min(every.of_changed, every.of_visible) + POINTS
        _print_learner(turnover, changes)


def test_the_guess_wins_where_nothing_is_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for turnover in CALM[-1:]:
        without_rounding(monkeypatch)
        every = score(_pooled(WORLDS, turnover), smallest=1)
        print(f"without rounding, turnover {turnover}: {every}")
        assert every.right > every.of_visible + POINTS


def _printed(what: str, changes: list[Change]) -> Score:
    every = score(changes)
    print(f"{what}: {every}")
    for low, high in SIZES:
        of_size = [change for change in changes if low <= change.size <= high]
        print(f"  {low} to {high}: {score(of_size)}")
    return every


def _print_learner(turnover: float, changes: list[Change]) -> None:
    """What one learns who has the records of four other counties, and guesses only where it pays."""
    others = _pooled(OTHERS, turnover)
    dared = guessed_by(learn(others), changes)
    visible = sum(change.is_visible for change in changes)
    right = share_of_one_child(dared)
    print(f"  a learner dares {len(dared)} of {visible} changes, and is right in {right:.1%}:")
    for rolling, before, after in sorted(learn(others)):
        print(f"    {'three terms' if rolling else 'term'} {before} to {after}")


def _pooled(seeds: Iterable[int], turnover: float = 1.0) -> list[Change]:
    return [change for seed in seeds for change in _changes(seed, turnover)]


def _changes(seed: int, turnover: float) -> Iterator[Change]:
    """Every place that both releases show, once."""
    releases = Releases(world_of(seed, turnover=turnover))
    before, after = releases.make(2), releases.make(3)
    seen = set()
    for table, old, new in zip(releases.tables, before.seen, after.seen, strict=True):
        changed = releases.changed(table, 2, 3)
        for cell, was in old.cells.items():
            place, now = place_of(old, cell), new.cells[cell]
            if place in seen or was.value is None or now.value is None:
                continue
            seen.add(place)
            yield Change(was.value, now.value, changed.get(cell, 0), rolling=old.span != "term")
