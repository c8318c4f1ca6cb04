"""Counts in SQL are those that a person would count, each child once in a cell."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from operator import xor
from typing import Any

import psycopg
import pytest

from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.cells import TrueCell
from panel.insight.core.changes import AreaChange
from panel.insight.core.dimensions import whole_grid
from panel.insight.core.facts import (
    Capacity,
    ChildTerm,
    Fact,
    Need,
    OutcomeChange,
    Package,
    Request,
    Unmet,
    Wait,
    Who,
)
from panel.insight.core.fold import TABLES, columns_of, row_of
from panel.insight.core.places import Grid
from panel.insight.core.table import Measure
from panel.insight.core.words import Period
from panel.insight.counting import COUNTED, count, count_all, opened_to_count, statement_of
from panel.platform.cluster import Cluster

pytestmark = pytest.mark.database

SCHEMA = "authority_testshire"
SPRING, SUMMER, AUTUMN = (Period(f"2026-{one}") for one in ("spring", "summer", "autumn"))
GRID = Grid({"E05000001": "north", "E05000002": "north", "E05000003": "south"})
A, B, C, D = (Who(bytes([number]) * 16, key) for number, key in enumerate((3, -5, 1 << 62, 9), 1))


def term(who: Who, period: Period = AUTUMN, **said: Any) -> ChildTerm:
    told = {
        "ward": "E05000001", "age": "3–4", "sex": "male", "ethnicity": "white", "need": "asd",
        "level": "targeted", "known": True, "planned": False,
    }  # fmt: skip
    return ChildTerm(who, period, **{**told, **said})


def key(number: int) -> bytes:
    return number.to_bytes(16)


def unmet(who: Who, number: int, period: Period = AUTUMN, **said: Any) -> Unmet:
    told = {
        "need": "asd", "reason": "no_money", "kind": "short_break", "short_break": True,
        "unit": "night", "units_missing": Decimal("1.500"),
    }  # fmt: skip
    return Unmet(who, key(number), period, **{**told, **said})


def package(who: Who, number: int, pence: int, **said: Any) -> Package:
    told = {
        "kind": "therapy", "how": "in_kind", "residential": False, "unit": "hour",
        "units": Decimal("2.000"), "payer_health": pence // 2, "payer_education": 0,
        "payer_social_care": pence - pence // 2,
    }  # fmt: skip
    return Package(who, key(number), AUTUMN, pence=pence, **{**told, **said})


FACTS: Sequence[Fact] = (
    term(A), term(A, SUMMER, ward="E05000003"), term(B, need="ds"), term(C, ward="E05000003"),
    term(D, ward="", known=True), term(B, SPRING, age="0–2"),
    Need(A, AUTUMN, "asd"), Need(A, AUTUMN, "slcn"),
    Request(A, key(1), AUTUMN, "therapy", short_break=False, basis="s17", decision="agreed",
            duty=True),
    Request(A, key(2), AUTUMN, "therapy", short_break=False, basis="s20", decision="declined",
            duty=True),
    unmet(A, 1), unmet(A, 2), unmet(B, 3, kind="therapy"), unmet(B, 4), unmet(C, 5),
    unmet(A, 1, SUMMER), unmet(D, 6),
    package(A, 1, 1000), package(A, 2, 500), package(B, 3, 400), package(C, 4, 30, kind="health"),
    Wait(A, key(1), AUTUMN, "place", 10, over=True), Wait(A, key(2), AUTUMN, "place", 100, over=True),
    Wait(B, key(3), AUTUMN, "place", 400, over=False),
    OutcomeChange(A, key(1), AUTUMN, "asd", 1, 4, 4, reached=True, by_family=True),
    OutcomeChange(A, key(2), AUTUMN, "asd", 3, 2, 4, reached=False, by_family=True),
    OutcomeChange(D, key(3), AUTUMN, "asd", 1, 4, 4, reached=True, by_family=False),
    Capacity(key(1), AUTUMN, "therapy", short_break=False, places=10, free=2),
    Capacity(key(2), AUTUMN, "therapy", short_break=False, places=5, free=0),
)  # fmt: skip


def write(database: Cluster, facts: Sequence[Fact]) -> None:
    assert database.owner_url is not None
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(f"SET search_path = {SCHEMA}")
        for fact in facts:
            columns = columns_of(type(fact))
            marks = ", ".join(["%s"] * len(columns))
            owner.execute(
                f"INSERT INTO {TABLES[type(fact)]} ({', '.join(columns)}) VALUES ({marks})".encode(),
                row_of(fact),
            )


@dataclass
class Counted:
    """What is counted of a table, by cell."""

    connection: psycopg.Connection

    def cells(
        self, name: str, period: Period = AUTUMN, grid: Grid = GRID
    ) -> dict[tuple[str, ...], TrueCell]:
        found = count(self.connection, CATALOGUE[name], grid, period)
        assert all(one.cell in set(whole_grid(CATALOGUE[name], grid)) for one in found)
        return {one.cell: one for one in found}

    def children(self, name: str, period: Period = AUTUMN) -> dict[tuple[str, ...], int]:
        return {cell: one.children for cell, one in self.cells(name, period).items()}


@pytest.fixture
def counted(database_of_own: Cluster) -> Iterator[Counted]:
    write(database_of_own, FACTS)
    assert database_of_own.insight_url is not None
    with opened_to_count(database_of_own.insight_url, SCHEMA) as connection:
        yield Counted(connection)


def test_all_that_is_counted_is_right(counted: Counted) -> None:
    assert counted.children("known_by_area") == {("*",): 4, ("north",): 2, ("south",): 1}
    assert counted.children("known_by_area_ward") == {
        ("*",): 4, ("E05000001",): 2, ("E05000003",): 1,
    }  # fmt: skip
    known = counted.cells("known_by_area")
    assert known["north",].xor == A.record_key ^ B.record_key
    assert known["*",].xor == reduce(xor, (one.record_key for one in (A, B, C, D)))
    # Three terms: who moved is in both areas, and once in the whole.
    rolling = counted.cells("known_by_area_three_terms")
    assert {cell: one.children for cell, one in rolling.items()} == {
        ("*",): 4, ("north",): 2, ("south",): 2,
    }  # fmt: skip
    assert rolling["*",].xor == known["*",].xor, "the same contributors, the same key"


def test_a_ward_that_became_another_is_counted_so_from_that_term_on(counted: Counted) -> None:
    changes = (AreaChange("E05000001", "E05000009", "2026-09-01", AUTUMN),)
    grid = Grid({**GRID.clusters, "E05000009": "north"}, changes=changes)
    # All records still have the old code. B was there in the spring, when it was the old ward.
    rolling = counted.cells("known_by_area_ward_three_terms", AUTUMN, grid)
    assert {cell: one.children for cell, one in rolling.items()} == {
        ("*",): 4, ("E05000001",): 1, ("E05000003",): 2, ("E05000009",): 2,
    }  # fmt: skip
    now = counted.cells("unmet_by_kind_ward", AUTUMN, grid)
    assert now["E05000009", "*"].children == 2
    assert ("E05000001", "*") not in now
    before = counted.cells("known_by_area_ward", SPRING, grid)
    assert before.keys() == {("*",), ("E05000001",)}
    groups = counted.cells("known_by_area_three_terms", AUTUMN, grid)
    assert groups == counted.cells("known_by_area_three_terms"), "groups are what they were"


def test_a_child_with_two_of_a_kind_counts_once_and_keeps_its_key(counted: Counted) -> None:
    cells = counted.cells("unmet_by_kind")
    north = cells["north", "short_break"]
    assert (north.children, north.xor) == (2, A.record_key ^ B.record_key)
    assert cells["north", "*"].children == 2, "two kinds of one child are one child"
    assert cells["*", "short_break"].children == 4, "a ward that nobody knows counts in the whole"
    requests = counted.cells("requests_by_kind")
    assert requests["north", "therapy"].xor == A.record_key


def test_money_is_told_with_its_two_largest(counted: Counted) -> None:
    cells = counted.cells("cost_by_kind")
    therapy = cells["therapy",]
    assert (therapy.children, therapy.total, therapy.largest) == (2, 1900, (1500, 400))
    assert cells["*",].total == 1930
    payers = counted.cells("cost_by_payer")
    assert {cell: one.total for cell, one in payers.items()} == {
        ("*",): 1930, ("health",): 965, ("social_care",): 965,
    }  # fmt: skip
    assert payers["*",].children == 3


def test_a_wait_is_told_by_each_childs_longest(counted: Counted) -> None:
    cells = counted.cells("wait_place")
    assert cells["north",].in_bands == (0, 0, 1, 0, 0, 1)
    assert counted.cells("wait_request_decision") == {}


def test_dimensions_that_are_made_are_made_right(counted: Counted) -> None:
    assert counted.children("outcome_change") == {
        ("*", "*"): 1, ("*", "better"): 1, ("*", "worse"): 1, ("asd", "*"): 1,
        ("asd", "better"): 1, ("asd", "worse"): 1,
    }  # fmt: skip
    # Who had no service is in no part, and so not in the whole.
    assert counted.children("outcome_reached_by_kind") == {("*",): 1, ("therapy",): 1}
    assert counted.children("outcome_reached")["*", "*"] == 2
    places = counted.cells("places_by_kind")
    assert {cell: (one.children, one.xor, one.total) for cell, one in places.items()} == {
        ("*",): (0, 0, 15), ("therapy",): (0, 0, 15),
    }  # fmt: skip


def test_every_table_of_the_catalogue_is_counted_or_made_of_published_ones(
    counted: Counted,
) -> None:
    tried = 0
    for table in CATALOGUE.values():
        if table.measure in {*COUNTED, Measure.PLACES}:
            count(counted.connection, table, GRID, AUTUMN)
            tried += 1
        else:
            with pytest.raises(ValueError, match="made of published tables"):
                statement_of(table)
    assert tried > 50


def test_a_term_is_counted_whole_but_for_what_hardly_anybody_has(
    counted: Counted, database_of_own: Cluster
) -> None:
    assert count_all(counted.connection, GRID, AUTUMN).cells == {}, "no such term is over"
    crowd = [Who(bytes([100 + number]) * 16, 1000 + number) for number in range(10)]
    assert database_of_own.owner_url is not None
    with psycopg.connect(database_of_own.owner_url) as owner:
        owner.execute(f"SET search_path = {SCHEMA}")
        owner.execute("INSERT INTO fact_period VALUES (%s, '2026-09-04', '2026-12-17')", [AUTUMN])
    write(database_of_own, [term(one) for one in crowd])
    write(database_of_own, [unmet(one, 100 + place) for place, one in enumerate(crowd[:7])])
    assert database_of_own.insight_url is not None
    with opened_to_count(database_of_own.insight_url, SCHEMA) as connection:
        found = count_all(connection, GRID, AUTUMN)
    assert found.places == {("*",): 15, ("therapy",): 15}
    facts = {CATALOGUE[name].fact for name in found.cells}
    assert facts == {ChildTerm, Unmet}, "four people with a package are not told of as a kind"
    assert {one.cell: one.children for one in found.cells["known_by_area"]}["*",] == 14


def test_a_column_that_no_fact_has_is_refused() -> None:
    with pytest.raises(ValueError, match="no fact has name"):
        statement_of(replace(CATALOGUE["known_by_area"], dims=("area", "name")))


def test_what_is_counted_tells_nothing_when_it_is_printed(counted: Counted) -> None:
    cells = counted.cells("known_by_area")
    assert "4" not in repr(cells["*",])
    assert "4" not in str(cells["*",])


def test_the_database_counts_as_python_does(counted: Counted) -> None:
    """A table of three dimensions, every margin."""
    found = counted.cells("unmet_by_reason")
    homes = {
        one.who: one.ward for one in FACTS if isinstance(one, ChildTerm) and one.period == AUTUMN
    }
    expected: dict[tuple[str, ...], set[Who]] = defaultdict(set)
    for fact in FACTS:
        if isinstance(fact, Unmet) and fact.period == AUTUMN:
            area = GRID.clusters.get(homes[fact.who], "")
            for one in {area, "*"} - {""}:
                for two in (fact.kind, "*"):
                    for three in (fact.reason, "*"):
                        expected[one, two, three].add(fact.who)
    assert {cell: one.children for cell, one in found.items()} == {
        cell: len(children) for cell, children in expected.items()
    }
    for cell, children in expected.items():
        assert found[cell].xor == reduce(xor, (one.record_key for one in children), 0)
