"""The same children always show as the same number, whatever table, term or release shows them."""

from tests.insight.attack.harness import Made, Releases
from tests.insight.attack.world import Count


def test_the_same_children_have_one_number(county: Releases) -> None:
    numbers: dict[Count, set[int]] = {}
    shown = 0
    for made in county.made:
        for table in made.seen:
            for cell, count in made.truth[table.key, table.period].items():
                value = table.cells[cell].value
                if value is not None:
                    shown += 1
                    numbers.setdefault(count, set()).add(value)
    assert shown > len(numbers) + 1_000  # many are shown more than once
    assert {count: values for count, values in numbers.items() if len(values) > 1} == {}


def test_one_child_changes_only_cells_that_it_is_in(county: Releases) -> None:
    """Elsewhere a number can come or go with what hangs over it, and never be another."""
    without = Releases(county.world)
    first = county.made[0]
    leaves = county.world.rows("Unmet", 2, seen=2).child[0]
    here = county.world.here[:, leaves].copy()
    county.world.here[:, leaves] = False
    again = without.make(2)
    county.world.here[:, leaves] = here
    changed = _changed(first, again)
    assert changed
    for table, cell in changed:
        true = first.truth[table, "2026-autumn"][cell], again.truth[table, "2026-autumn"][cell]
        assert true[0] != true[1]


def _changed(one: Made, other: Made) -> list[tuple[str, tuple[str, ...]]]:
    """Cells that both show, with another number."""
    return [
        (table.key, cell)
        for table, again in zip(one.seen, other.seen, strict=True)
        for cell, seen in table.cells.items()
        if None not in {seen.value, again.cells[cell].value} and seen != again.cells[cell]
    ]
