"""No true count of 1 to 4 children is bounded more closely than published 0 says: 0 to 4.

Releases of terms that follow each other are attacked together too, with it taken for granted that
nothing was corrected in between, so that three terms are exactly those that were published one by
one. With PANEL_SOAK that is done in other counties and with all that is counted.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tests.insight.attack.bounds import (
    ALMOST,
    Found,
    Impossible,
    Place,
    Power,
    attack,
    make_model,
    place_of,
    told_by,
)
from tests.insight.attack.folder import TableSeen
from tests.insight.attack.harness import (
    Releases,
    clusters_of,
    full_power,
    tables_counted,
    with_overlaps,
    without_zero_rule,
    world_of,
)

SEEDS = range(2, 6) if "PANEL_SOAK" in os.environ else range(0)
SMALL = range(1, 5)


def test_every_published_number_tells_the_truth_within_five(county: Releases) -> None:
    for table, cell, children in _cells(county):
        value = table.cells[cell].value
        if value is not None:
            low, high = told_by(value)
            assert low <= children <= high


def test_no_small_count_is_bounded_within_four(county: Releases) -> None:
    as_published = replace(full_power(), nothing_corrected=False)
    found = [
        _attack(county, tables, as_published)
        for made in county.made
        for tables in _by_who_is_counted(made.seen)
    ]
    _print_narrowest(found)
    assert sum(len(one.bounds) for one in found) > 2_500
    assert [one.narrow() for one in found if one.narrow()] == []


def test_the_attack_wins_where_numbers_stand_under_zeros(
    county: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_zero_rule(monkeypatch)
    careless = Releases(county.world)
    made = careless.make(2)
    requests = [table for table in made.seen if table.counts.startswith("Request")]
    found = _attack(careless, requests, replace(full_power(), nothing_corrected=False))
    assert len(found.narrow()) > 10


IN_A_ROW = range(2, 6)
"""Terms whose releases are attacked together: two tables over three terms, and one in between."""


NARROWEST = ("requests_by_need", "requests_by_need_three_terms")


def _in_a_row(seed: int, terms: range, keys: Sequence[str] = ()) -> list[Found]:
    """What the attack says of these tables in the releases of these terms, by who is counted."""
    # The world goes on after them, so that nothing of these terms is corrected.
    releases = Releases(world_of(seed, terms=terms.stop + 1), tables_counted(*keys))
    for term in terms:
        releases.make(term)
    seen = [table for made in releases.made for table in made.seen]
    return [_attack(releases, tables, full_power()) for tables in _by_who_is_counted(seen)]


def test_releases_in_a_row_tell_no_more_together() -> None:
    found = _in_a_row(2, IN_A_ROW, NARROWEST)
    _print_narrowest(found)
    assert sum(len(one.bounds) for one in found) > 100
    assert [one.narrow() for one in found if one.narrow()] == []


def test_the_attack_wins_where_three_terms_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    with_overlaps(monkeypatch)
    found = _in_a_row(2, IN_A_ROW[:2], NARROWEST)
    assert any(one.narrow() for one in found)


def test_releases_in_a_row_of_other_counties_tell_no_more_together() -> None:
    """All tables of a fact in four releases are one programme."""
    for seed in SEEDS:
        found = _in_a_row(seed, IN_A_ROW)
        print(f"county {seed}, four releases: {sum(len(one.narrow()) for one in found)} won")
        _print_narrowest(found)
        assert sum(len(one.bounds) for one in found) > 6_000
        assert [one.narrow() for one in found if one.narrow()] == []


def test_other_counties() -> None:
    for seed in SEEDS:
        releases = Releases(world_of(seed))
        releases.make(2)
        releases.make(3)
        test_no_small_count_is_bounded_within_four(releases)
        for tables in _by_who_is_counted([table for made in releases.made for table in made.seen]):
            _print_what_is_won_together(seed, releases, tables)


def test_what_is_left_after_the_own_audit() -> None:
    """Printed, and not asked: the audit knows no assumption that an attacker may be wrong about."""
    for seed in list(SEEDS)[:1]:
        releases = Releases(world_of(seed))
        releases.make_safe(2)
        releases.make_safe(3)
        print("after the audit:")
        for tables in _by_who_is_counted([table for made in releases.made for table in made.seen]):
            _print_what_is_won_together(seed, releases, tables)


def _print_what_is_won_together(seed: int, releases: Releases, tables: Sequence[TableSeen]) -> None:
    try:
        found = _attack(releases, tables, full_power())
    except Impossible:
        print(f"county {seed}, {tables[0].counts}: nothing fits, so something was corrected")
        return
    print(f"county {seed}, {tables[0].counts}, two releases: {len(found.narrow())} won")
    _print_narrowest([found])


def _cells(releases: Releases) -> list[tuple[TableSeen, tuple[str, ...], int]]:
    return [
        (table, cell, count.children)
        for made in releases.made
        for table in made.seen
        for cell, count in made.truth[table.key, table.period].items()
    ]


def _by_who_is_counted(tables: Sequence[TableSeen]) -> list[list[TableSeen]]:
    """Tables of the same fact: what one says of another's children is in one programme.

    Three terms of which a release shows nothing are left out. They narrow nothing: whatever each
    term has, as many children fit in the three as in the greatest, sex by sex and group by group.
    """
    facts: dict[str, list[TableSeen]] = {}
    for table in tables:
        if table.span != "term" and all(cell.value is None for cell in table.cells.values()):
            continue
        facts.setdefault(table.counts.split()[0], []).append(table)
    return list(facts.values())


def _small(releases: Releases, tables: Sequence[TableSeen]) -> Mapping[Place, int]:
    asked = {(table.key, table.period) for table in tables}
    return {
        place_of(table, cell): children
        for table, cell, children in _cells(releases)
        if (table.key, table.period) in asked and children in SMALL
    }


def _attack(releases: Releases, tables: Sequence[TableSeen], power: Power) -> Found:
    model = make_model(tables, clusters_of(releases.world.places), power)
    small = _small(releases, tables)
    found = attack(model, list(small))
    for place, bound in found.narrow().items():
        if power.nothing_corrected:
            continue  # the attacker may be wrong
        assert bound.low - ALMOST <= small[place] <= bound.high + ALMOST
    return found


def _print_narrowest(found: Sequence[Found]) -> None:
    every = sorted(
        ((bound, place) for one in found for place, bound in one.bounds.items()),
        key=lambda each: each[0].width,
    )
    solves = sum(one.solves for one in found)
    print(f"{len(every)} small counts, {solves} programmes; the narrowest:")
    for bound, (grain, codes) in every[:5]:
        words = grain.period, grain.span, grain.level, grain.dims, codes
        print(f"  at least {bound.width} wide: {grain.counts}", *words)
