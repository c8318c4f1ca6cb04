"""The one place where the attack meets the product: releases made of invented microdata.

Figures go in as the product counts them (children and the exclusive-or of record keys, cell by
cell) and come out as anybody reads them. What is true stays beside them for the tests alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import product
from typing import Final

import pytest

from panel.insight import pages, release_files
from panel.insight.charts import Chart, bars
from panel.insight.core import additive, ptable, words
from panel.insight.core.catalogue import CATALOGUE, LINKS
from panel.insight.core.cells import ProtectedTable, TrueCell
from panel.insight.core.error import published_error
from panel.insight.core.keys import CellKeys
from panel.insight.core.making import Counted, tables_of
from panel.insight.core.nesting import universe
from panel.insight.core.places import Grid
from panel.insight.core.ptable import TABLE
from panel.insight.core.published import Published
from panel.insight.core.released import PublishedRules, Release
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.words import EVERY, NOT_SAID, Level, Period, Span
from panel.insight.files import Form, sheet, write
from panel.insight.map_charts import tile_map
from panel.insight.reading import Head, Seen
from panel.insight.releasing import made_safe
from panel.insight.saying import Areas, in_order
from tests.insight.attack.bounds import Power
from tests.insight.attack.folder import CellSeen, Codes, TableSeen
from tests.insight.attack.world import Count, Places, Rows, World, make_world

SECRET: Final = b"a secret of these tests and of nothing else"
SEASONS: Final = ("spring", "summer", "autumn")
PERIODS: Final = tuple(
    Period(f"{2026 + term // len(SEASONS)}-{SEASONS[term % len(SEASONS)]}") for term in range(12)
)
"""Of the terms of a world."""
CODES: Final[Mapping[str, tuple[str, ...]]] = {
    "age": (*words.AGE_BANDS, NOT_SAID),
    "sex": (*reversed(words.SEXES), NOT_SAID),
    "ethnicity": (*words.ETHNICITIES, NOT_SAID),
    "need": (*words.NEEDS, NOT_SAID),
    "level": (*words.LEVELS, NOT_SAID),
    "kind": tuple(words.SERVICES),
    "reason": tuple(words.REASONS),
    "basis": (*words.BASES, NOT_SAID),
    "decision": (*words.DECISIONS, NOT_SAID),
    "residential": ("false", "true"),
}
NOBODY: Final = Count(0, 0)
FACTS: Final = frozenset({"ChildTerm", "Request", "Unmet", "Package"})


@dataclass(frozen=True)
class Made:
    """A release: what everybody sees of it, what it was made of, and how it goes on."""

    seen: tuple[TableSeen, ...]
    truth: Mapping[tuple[str, str], Mapping[Codes, Count]]
    """By table and period what is true of every cell, of those of nobody as well."""
    tables: tuple[ProtectedTable, ...]
    release: Release
    """With all tables of the catalogue: those that the world has no facts for say so."""


def world_of(seed: int, *, children: int = 3_000, terms: int = 4, turnover: float = 1.0) -> World:
    """A world in the words of the catalogue; its last terms are published."""
    return make_world(seed, children=children, terms=terms, turnover=turnover, codes=CODES)


def clusters_of(places: Places) -> dict[str, str]:
    """The cluster of each ward."""
    wards = range(places.wards)
    return {places.ward(ward): places.cluster(places.cluster_of(ward)) for ward in wards}


def tables_counted(*keys: str) -> list[TableDef]:
    """The catalogue's counts of children that a world has facts for; of these keys, if any are
    named, with the children known by whom a ward is large enough."""
    wanted = {*keys, "known_by_area", "known_by_area_ward"} if keys else CATALOGUE.keys()
    return [
        table
        for table in CATALOGUE.values()
        if table.measure is Measure.CHILDREN
        and table.fact.__name__ in FACTS
        and table.key in wanted
    ]


@dataclass
class Releases:
    """Releases of one world, each made with those before it known."""

    world: World
    tables: Sequence[TableDef] = field(default_factory=tables_counted)
    made: list[Made] = field(default_factory=list)

    @property
    def grid(self) -> Grid:
        """The world's wards."""
        return Grid(clusters=clusters_of(self.world.places))

    def make(self, term: int) -> Made:
        """The release of a term."""
        made = self.protected(term, self.counts(term))
        self.made.append(made)
        return made

    def make_safe(self, term: int) -> Made:
        """The release of a term after the product's own attack: with blocks of it withdrawn."""
        counts = self.counts(term)
        earlier = [before.release for before in self.made]
        safe, _ = made_safe(self.protected(term, counts).release, earlier)
        made = _as_made(safe, counts)
        self.made.append(made)
        return made

    def counts(self, term: int) -> dict[str, dict[Codes, Count]]:
        """What is true of every cell of every table in which there is somebody."""
        return {table.key: self._counts(table, term) for table in self.tables}

    def protected(self, term: int, counts: Mapping[str, Mapping[Codes, Count]]) -> Made:
        """What goes out of these counts, after the releases made so far."""
        published = Published(PERIODS[term], LINKS)
        for before in self.made:
            published.put_all(CATALOGUE, before.tables)
        cells = {
            key: [TrueCell(cell, count.children, count.xor) for cell, count in of_table.items()]
            for key, of_table in counts.items()
        }
        every = tables_of(Counted(cells), self.grid, TABLE, CellKeys(SECRET), published)
        children = {
            table.key: {cell: count.children for cell, count in counts.get(table.key, {}).items()}
            for table in CATALOGUE.values()
        }
        error = published_error(CATALOGUE, every, children)
        rules = PublishedRules.of(TABLE, self.grid)
        return _as_made(Release(PERIODS[term], every, CATALOGUE, rules, error), counts)

    def rows(self, table: TableDef, term: int) -> Rows:
        """The facts that a table counts."""
        span = range(term if table.span is Span.TERM else term - 2, term + 1)
        rows = self.world.of_span(table.fact.__name__, span, seen=term)
        for column, codes in table.where:
            if column in rows.columns:
                rows = self.world.narrowed(rows, column, codes)
        return rows

    def changed(self, table: TableDef, before: int, after: int) -> dict[Codes, int]:
        """By cell, how many children are in it in one of two releases and not in the other."""
        rows = self.rows(table, before), self.rows(table, after)
        found: dict[Codes, int] = {}
        for dims, fill in _margins(table):
            of_dims = self.world.differing(*rows, dims, table.level.value)
            found |= {fill(codes): children for codes, children in of_dims.items()}
        return found

    def _counts(self, table: TableDef, term: int) -> dict[Codes, Count]:
        rows = self.rows(table, term)
        counts: dict[Codes, Count] = {}
        for dims, fill in _margins(table):
            of_dims = self.world.count(rows, dims, table.level.value)
            counts |= {fill(codes): count for codes, count in of_dims.items()}
        return counts


def _as_made(release: Release, counts: Mapping[str, Mapping[Codes, Count]]) -> Made:
    kept = tuple(table for table in release.tables if table.key in counts)
    truth = {
        (table.key, str(table.period)): {
            cell.cell: counts[table.key].get(cell.cell, NOBODY) for cell in table.cells
        }
        for table in kept
    }
    return Made(tuple(as_seen(table) for table in kept), truth, kept, release)


def _margins(table: TableDef) -> Iterator[tuple[tuple[str, ...], Callable[[Codes], Codes]]]:
    """The sets of dimensions of a table, and how codes of each are written in a cell of all."""
    for taken in product((False, True), repeat=len(table.dims)):
        dims = tuple(dim for dim, wanted in zip(table.dims, taken, strict=True) if wanted)
        yield dims, partial(_filled, taken)


def _filled(taken: tuple[bool, ...], codes: Codes) -> Codes:
    left = iter(codes)
    return tuple(next(left) if wanted else EVERY for wanted in taken)


def files_of(made: Made) -> dict[str, bytes]:
    """Every file that a release can be taken away as, by its name."""
    found = {}
    for table in made.tables:
        of = sheet(CATALOGUE[table.key], table.period, table.cells, Areas())
        found |= {f"{of.name}.{form.value}": write(of, form) for form in Form}
    folder = release_files.files_of(made.release, Areas())
    return found | {f"folder/{name}": data for name, data in folder.items()}


def charts_of(made: Made) -> dict[str, str]:
    """A chart of every table of one or two dimensions, and a map of those by area alone."""
    found = {}
    for table in made.tables:
        of = CATALOGUE[table.key]
        if len(of.dims) > 2:
            continue  # hundreds of bars, drawn by the same lines
        cells = in_order(of, table.cells, Areas())
        labels = tuple(" ".join(cell.cell) for cell in cells)
        chart = Chart(table.key.replace("_", "-"), of.title, of.definition, of, cells, labels)
        found[table.key] = bars(chart)
        if of.dims == ("area",):
            found[f"{table.key} map"] = tile_map(chart)
    return found


def pages_of(made: Made) -> dict[str, str]:
    """What the pages that start from questions say and draw."""
    head = Head(1, made.tables[0].period, datetime(2027, 1, 4, 9, tzinfo=UTC))
    seen = Seen(head, {table.key: table.cells for table in made.tables})
    asked = {f"unmet need {kind}": pages.unmet_need(seen, kind) for kind in words.SERVICES}
    asked |= {
        "waits": pages.waits(seen),
        "cost": pages.outcome_cost(seen),
        "gap": pages.gap(seen),
    }
    return {name: repr(blocks) for name, blocks in asked.items()}


def as_seen(table: ProtectedTable) -> TableSeen:
    """A table as it is read by those who know the catalogue."""
    of = CATALOGUE[table.key]
    cells = {
        cell.cell: CellSeen(None if cell.value is None else int(cell.value), cell.note.value)
        for cell in table.cells
    }
    counts = universe(of.fact, of.where)
    level = Level.AUTHORITY if "area" not in of.dims else of.level
    return TableSeen(
        of.key, table.period, counts, level.value, of.span.value, of.dims, frozenset(of.many), cells
    )


def full_power() -> Power:
    """All that the published catalogue and rules tell, and that nothing is ever corrected."""
    known = universe(CATALOGUE["known_by_area"].fact, CATALOGUE["known_by_area"].where)
    requests = universe(CATALOGUE["requests_by_kind"].fact, ())
    decided = universe(CATALOGUE["decided_by_area"].fact, CATALOGUE["decided_by_area"].where)
    agreed = universe(CATALOGUE["agreed_by_area"].fact, CATALOGUE["agreed_by_area"].where)
    unmet = universe(CATALOGUE["unmet_by_kind"].fact, ())
    packages = universe(CATALOGUE["packages_by_kind"].fact, ())
    among = {unmet: known, packages: known, requests: known, decided: requests, agreed: decided}
    return Power(among=among, known=known)


def without_rounding(patch: pytest.MonkeyPatch) -> None:
    """Publish what the transition table gives, to the single child."""
    patch.setattr(ptable, "rounded", lambda _true, perturbed: perturbed)
    # What adds up is in whole fives and made of published figures: it is left out.
    patch.setattr(additive, "additive", lambda table, _grid, of: replace(of, key=table.key))


def with_overlaps(patch: pytest.MonkeyPatch) -> None:
    """Publish three terms together in every term."""
    patch.setattr(Published, "overlaps", lambda _: False)


def every_term(patch: pytest.MonkeyPatch) -> None:
    """Publish in every term all that counts one term, however few children."""
    rolling = property(lambda table: table.span is Span.ROLLING)
    patch.setattr(TableDef, "is_once_in_three", rolling)


def without_zero_rule(patch: pytest.MonkeyPatch) -> None:
    """Publish whatever stands under a zero."""
    patch.setattr(Published, "may_show", lambda *_: True)
    patch.setattr(Published, "had_some", lambda *_: False)
