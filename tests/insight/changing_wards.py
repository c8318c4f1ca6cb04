"""A county whose wards change: who lives where in each term, and what is published of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import xor
from random import Random

from panel.insight.core.catalogue import CATALOGUE, LINKS
from panel.insight.core.cells import TrueCell
from panel.insight.core.changes import AreaChange, grouped_as_before
from panel.insight.core.error import published_error
from panel.insight.core.nesting import margins
from panel.insight.core.places import Grid
from panel.insight.core.protecting import protect
from panel.insight.core.ptable import TABLE
from panel.insight.core.published import Published
from panel.insight.core.released import PublishedRules, Release
from panel.insight.core.table import CellId, TableDef
from panel.insight.core.words import EVERY, Period, Span, ordinal, period_at, window
from tests.insight.invented_children import SECRETS, Child, children

FIRST = Period("2026-spring")
TERMS = [period_at(ordinal(FIRST) + n) for n in range(5)]
SPRING, SUMMER, AUTUMN, NEXT_SPRING, NEXT_SUMMER = TERMS
MAY = "2026-05-07"
MERGED = (AreaChange("w00", "m", MAY, SUMMER), AreaChange("w01", "m", MAY, SUMMER))
DIVIDED = (AreaChange("w04", "x", MAY, SUMMER), AreaChange("w04", "y", MAY, SUMMER))
RENAMED = (AreaChange("w07", "z", MAY, SUMMER),)
ALL = (*MERGED, *DIVIDED, *RENAMED)
BEFORE = {f"w{n:02}": f"c{n // 4}" for n in range(8)}
TABLES = [
    CATALOGUE[key]
    for key in (
        "known_by_area_three_terms", "known_by_area", "known_by_area_ward_three_terms",
        "known_by_area_ward", "known_by_age_ward",
    )
]  # fmt: skip
BY_AGE = CATALOGUE["known_by_age_ward"]


def grid_of(period: Period, changes: Sequence[AreaChange] = ALL) -> Grid:
    force = tuple(one for one in changes if ordinal(one.since) <= ordinal(period))
    return Grid(grouped_as_before(BEFORE, force, period), changes=force)


@dataclass(frozen=True)
class World:
    """Who lives in which ward in each term: (term → child → code of a ward)."""

    wards: Mapping[Period, Mapping[int, str]]
    ages: Mapping[int, str]

    def true(self, table: TableDef, grid: Grid, period: Period) -> Iterator[TrueCell]:
        """Every cell of a table in which somebody is."""
        terms = window(period) if table.span is Span.ROLLING else (period,)
        found: dict[CellId, set[int]] = {}
        for term in terms:
            for child, ward in self.wards.get(term, {}).items():
                area = grid.area_of(ward, table.level, term)
                said = {"area": area or "", "age": self.ages[child]}
                for kept in margins(table):
                    cell = tuple(said[dim] if dim in kept else EVERY for dim in table.dims)
                    # In a ward that nobody knows: in the whole alone.
                    if area is not None or "area" not in kept:
                        found.setdefault(cell, set()).add(child)
        for cell, keys in found.items():
            yield TrueCell(cell, len(keys), reduce(xor, keys))


def steady(many: int = 700, seed: int = 3) -> World:
    """Nobody moves. From the summer on records have the new wards, but for some that lag behind."""
    those = children(many, seed, [BY_AGE])
    before = {one.key: one.said["area"] for one in those}

    def after(one: Child, at: int) -> str:
        ward = before[one.key]
        if at % 10 == 0:
            return ward
        return {
            "w00": "m", "w01": "m", "w04": "xy"[at % 2], "w07": "z",
        }.get(ward, ward)  # fmt: skip

    now = {one.key: after(one, at) for at, one in enumerate(those)}
    return World(
        {term: before if term == SPRING else now for term in TERMS},
        {one.key: one.said["age"] for one in those},
    )


def released(
    world: World,
    grids: Mapping[Period, Grid],
    terms: Sequence[Period],
    those: Sequence[TableDef] = TABLES,
) -> list[Release]:
    made: list[Release] = []
    for period in terms:
        out = Published(period, LINKS)
        for one in made:
            out.put_all(one.catalogue, one.tables)
        tables, true = [], {}
        for table in those:
            if table.span is Span.ROLLING and period != AUTUMN:
                continue
            cells = list(world.true(table, grids[period], period))
            true[table.key] = {one.cell: one.children for one in cells}
            tables.append(protect(table, cells, grids[period], TABLE, SECRETS, out))
        rules = PublishedRules.of(TABLE, grids[period])
        catalogue = {one.key: CATALOGUE[one.key] for one in tables}
        error = published_error(catalogue, tables, true)
        made.append(Release(period, tuple(tables), catalogue, rules, error))
    return made


def any_changes(chance: Random) -> tuple[AreaChange, ...]:
    """A merger, also across groups, a division and a renaming, each from any term on."""
    a, b, c, d = chance.sample(sorted(BEFORE), 4)
    first, second, third = (chance.choice(TERMS[:4]) for _ in range(3))
    later = (AreaChange("z", "q", "2027-05-07", NEXT_SUMMER),) if chance.random() < 0.5 else ()
    return (
        AreaChange(a, "m", MAY, first), AreaChange(b, "m", MAY, first),
        AreaChange(c, "x", MAY, second), AreaChange(c, "y", MAY, second),
        AreaChange(d, "z", MAY, third), *later,
    )  # fmt: skip


def moving(chance: Random, changes: Sequence[AreaChange]) -> World:
    """Some leave, some move, and records get new codes a few each term."""
    those = children(chance.choice((250, 500, 900)), chance.randrange(1000), [BY_AGE])
    now = {one.key: one.said["area"] for one in those}
    wards = {}
    for term in TERMS:
        for child, ward in list(now.items()):
            news = [
                one.new for one in changes
                if one.old == ward and ordinal(one.since) <= ordinal(term)
            ]  # fmt: skip
            if chance.random() < 0.05:
                del now[child]
            elif chance.random() < 0.03:
                now[child] = chance.choice(sorted(BEFORE))
            elif news and chance.random() < 0.6:
                now[child] = chance.choice(news)
        wards[term] = dict(now)
    return World(wards, {one.key: one.said["age"] for one in those})
