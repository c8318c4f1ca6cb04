"""A change between two releases does not tell that it is one child.

The rule of the guess and what chance says are in changes.py. Sizes are those of the greater
published number. Of numbers to 10 chance is that of cells whose children changed: that a cell's
number changed tells that its children did, which the same number for the same children implies.
"""

import os
from collections.abc import Iterator

from tests.insight.attack.bounds import Place, place_of
from tests.insight.attack.changes import Change, score
from tests.insight.attack.harness import Releases, world_of

POINTS = 0.05
WORLDS = range(1, 5)
MORE = (range(5, 9), range(9, 13)) if "PANEL_SOAK" in os.environ else ()
SIZES = ((0, 5), (10, 10), (15, 20), (25, 50), (55, 100_000))


def test_a_change_is_one_child_no_more_often_than_chance() -> None:
    for worlds in (WORLDS, *MORE):
        changes = [change for seed in worlds for _, change in _changes(seed)]
        every = score(changes)
        small = score([change for change in changes if change.size <= 10])
        print(f"all: {every}")
        print(f"to 10: {small}")
        for low, high in SIZES:
            of_size = [change for change in changes if low <= change.size <= high]
            print(f"{low} to {high}: {score(of_size)}")
        assert every.guesses > 1_000
        assert every.right <= every.strictest + POINTS
        assert small.right <= min(small.of_changed, small.of_visible) + POINTS


def _changes(seed: int) -> Iterator[tuple[Place, Change]]:
    """Every place that both releases show, once."""
    releases = Releases(world_of(seed))
    before, after = releases.make(2), releases.make(3)
    seen = set()
    later = {table.key: table for table in after.seen}
    for table in releases.tables:
        changed = releases.changed(table, 2, 3)
        old = next(one for one in before.seen if one.key == table.key)
        for cell, was in old.cells.items():
            place, now = place_of(old, cell), later[table.key].cells[cell]
            if place in seen or was.value is None or now.value is None:
                continue
            seen.add(place)
            yield place, Change(was.value, now.value, changed.get(cell, 0))
