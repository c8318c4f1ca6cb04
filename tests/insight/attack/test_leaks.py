"""Nothing beside a number tells more than it does: order, names, drawings, files, pages."""

import numpy as np
import pytest

from tests.insight.attack.harness import (
    NOBODY,
    Made,
    Releases,
    charts_of,
    files_of,
    pages_of,
    world_of,
)
from tests.insight.attack.leaks import (
    differences,
    lengths,
    numbers_said,
    order_of,
    strange_attributes,
)
from tests.insight.attack.world import Count


@pytest.fixture(scope="module")
def files(county: Releases) -> dict[str, bytes]:
    """Of the county's first release."""
    return files_of(county.made[0])


@pytest.fixture(scope="module")
def charts(county: Releases) -> dict[str, str]:
    """Of the county's first release."""
    return charts_of(county.made[0])


@pytest.fixture(scope="module")
def elsewhere() -> Made:
    """A release of the same term in a county of other children."""
    return Releases(world_of(7)).make(2)


@pytest.fixture(scope="module")
def hidden_otherwise(county: Releases) -> Made:
    """The county's first release, had other children been in each cell that it does not show."""
    rng = np.random.default_rng(3)
    first = county.made[0]
    counts = {key: dict(of_table) for key, of_table in Releases(county.world).counts(2).items()}
    hidden = [
        (table.key, cell)
        for table in first.seen
        for cell, seen in table.cells.items()
        if seen.value is None
    ]
    assert len(hidden) > 500
    for key, cell in hidden:
        children = int(rng.integers(0, 9))
        counts[key][cell] = Count(children, int(rng.integers(1, 2**62))) if children else NOBODY
    return Releases(county.world).protected(2, counts)


def test_what_is_not_shown_changes_no_byte(
    county: Releases, hidden_otherwise: Made, files: dict[str, bytes], charts: dict[str, str]
) -> None:
    first = county.made[0]
    assert hidden_otherwise.truth != first.truth
    assert hidden_otherwise.tables == first.tables
    assert differences(files_of(hidden_otherwise), files) == []
    assert differences(charts_of(hidden_otherwise), charts) == []
    assert differences(pages_of(hidden_otherwise), pages_of(first)) == []


def test_one_child_more_that_changes_no_number_changes_no_byte(
    county: Releases, files: dict[str, bytes]
) -> None:
    first = county.made[0]
    counts = Releases(county.world).counts(2)
    of_ward = counts["known_by_area_ward"]["W00",]
    for xor in range(1, 40):
        more = Count(of_ward.children + 1, xor)
        changed = {
            key: {cell: more if count == of_ward else count for cell, count in of_table.items()}
            for key, of_table in counts.items()
        }
        other = Releases(county.world).protected(2, changed)
        if other.tables == first.tables:
            break
    assert other.truth != first.truth
    assert other.tables == first.tables
    assert differences(files_of(other), files) == []


def test_names_and_order_are_those_of_any_county(elsewhere: Made, files: dict[str, bytes]) -> None:
    here, there = files, files_of(elsewhere)
    assert here.keys() == there.keys()
    tables = [name for name in here if name.endswith(".csv")]
    assert tables
    for name in tables:
        assert order_of(here[name]) == order_of(there[name])
    assert sum(here[name] != there[name] for name in tables) > 50


def test_a_drawing_says_no_more_than_the_table(county: Releases, charts: dict[str, str]) -> None:
    first = county.made[0]
    shown = {table.key: {cell.value for cell in table.cells.values()} for table in first.seen}
    assert sum(len(numbers_said(svg)) for svg in charts.values()) > 300
    assert sum(len(lengths(svg)) for svg in charts.values()) > 300
    for name, svg in charts.items():
        assert strange_attributes(svg) == set()
        assert numbers_said(svg) <= shown[name.split()[0]]
        assert [of for of in lengths(svg).values() if len(of) > 1] == []
