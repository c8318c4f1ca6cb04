"""Everything ever published as one set of linear rows over unknown true counts.

An attacker has all releases and all rules, and asks what the true counts may have been. So does
this: a column for each unknown count, a row for each published figure by what may lie behind it,
and rows for what holds whatever is published: parts and wholes, a term and the three terms that it
is one of, children who count for one thing and so for another. Counts are taken as any numbers from
0 on; an attacker who knows that they are whole gains by rounding bounds, which the audit does too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

import numpy as np

from panel.insight.core import lists
from panel.insight.core.catalogue import CellId, Measure, TableDef
from panel.insight.core.counts_block import (
    CLUSTER,
    INFINITE,
    NOWHERE,
    WARD,
    Block,
    Codes,
    Columns,
    Row,
    with_clusters,
)
from panel.insight.core.differing import Shown, rows_of
from panel.insight.core.dimensions import AREA
from panel.insight.core.nesting import Links, place, universe
from panel.insight.core.places import Place
from panel.insight.core.protecting import Cell, Note, ProtectedTable
from panel.insight.core.released import PublishedRules, Release
from panel.insight.core.words import EVERY, Level, Period, Span, ordinal, window

AGE = "age"
ROOM = 400_000
"""More columns than this are not asked about: the catalogue would have to be made simpler."""


class TooBig(Exception):
    """The tables of a catalogue hang together so closely that they cannot be asked about."""


class Contradicts(Exception):
    """Two tables show two numbers for the same children."""


@dataclass(frozen=True, slots=True)
class BlockKey:
    """What is counted, over what, when."""

    universe: str
    span: Span
    period: Period


@dataclass(frozen=True, slots=True)
class Target:
    """A cell whose true count may be 1 to 4, as far as it alone tells."""

    table: str
    period: Period
    cell: CellId
    columns: Columns
    shown: bool


@dataclass
class Model:
    """Columns, rows, and the cells to ask about."""

    columns: int = 0
    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)


def vertex(table: TableDef, dim: str) -> str:
    """A dimension as the model knows it: areas by their level."""
    if dim != AREA:
        return dim
    return WARD if table.level is Level.WARD else CLUSTER


def codes_of(table: TableDef, cell: CellId) -> Codes:
    """A cell's dimensions that are not "*"."""
    return {
        vertex(table, dim): code
        for dim, code in zip(table.dims, cell, strict=True)
        if code != EVERY and not (dim == AREA and table.level is Level.AUTHORITY)
    }


def behind(rules: PublishedRules, published: int) -> tuple[int, int]:
    """The least and the greatest true count that may be published so, by the published rules.

    ValueError: none may.
    """
    return _behind(_Rules(rules), published)


class _Rules:
    """Rules that a cache can tell apart: the same object is the same rules."""

    def __init__(self, rules: PublishedRules) -> None:
        self.rules = rules

    def __hash__(self) -> int:
        return id(self.rules)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rules) and self.rules is other.rules


@lru_cache(maxsize=4096)
def _behind(rules: _Rules, published: int) -> tuple[int, int]:
    said = rules.rules
    near = range(max(0, published - said.furthest), published + said.furthest + 1)
    may = [true for true in near if published in _outcomes(said, true)]
    if not may:
        raise ValueError(f"{published} is never published")
    return may[0], may[-1]


def _outcomes(rules: PublishedRules, true: int) -> set[int]:
    last = max(rules.ptable)
    row = rules.ptable[min(true, last)]
    moved = max(0, true - last)
    return {_rounded(rules, true, perturbed + moved) for perturbed, p in row.items() if p}


def _rounded(rules: PublishedRules, true: int, perturbed: int) -> int:
    step = rules.round_to
    if perturbed == 0 or step == 1:
        return perturbed
    near = max(step, (perturbed + step // 2) // step * step)
    if near - true > rules.furthest:
        return near - step
    return near + step if true - near > rules.furthest else near


class Builder:
    """Makes the model of releases, all together."""

    def __init__(self, releases: Sequence[Release]) -> None:
        self.releases = sorted(releases, key=lambda one: ordinal(one.period))
        # A table may have counted others in an earlier catalogue: each release has its own.
        self.links = Links.of(
            {
                f"{each.period} {key}": one
                for each in self.releases
                for key, one in each.catalogue.items()
            }
        )
        self.model = Model()
        self._blocks: dict[BlockKey, Block] = {}
        self._shown: dict[Place, Shown] = {}

    def build(self) -> Model:
        """TooBig, Contradicts."""
        for release in self.releases:
            for key, tables in _by_block(release).items():
                self._lay_out(key, tables, release)
        for key, block in self._blocks.items():
            self.model.rows.extend(block.rows())
            if key.span is Span.ROLLING:
                self.model.rows.extend(self._of_three_terms(key, block))
            self.model.rows.extend(self._within_others(key, block))
            self.model.rows.extend(self._of_some_codes(key, block))
            self.model.rows.extend(self._of_lists(key, block))
        for release in self.releases:
            self._read(release)
        self.model.rows.extend(rows_of(self._shown, self.links))
        return self.model

    def _lay_out(
        self, key: BlockKey, tables: Sequence[tuple[TableDef, ProtectedTable]], release: Release
    ) -> None:
        axes: dict[str, set[str]] = {}
        for table, shown in tables:
            for at, dim in enumerate(table.dims):
                codes = {cell.cell[at] for cell in shown.cells} - {EVERY}
                axes.setdefault(vertex(table, dim), set()).update(codes)
        clusters = {**release.rules.clusters, NOWHERE: NOWHERE}
        if WARD in axes:
            axes[WARD].add(NOWHERE)
            axes.setdefault(CLUSTER, set()).update(clusters[ward] for ward in axes[WARD])
        if CLUSTER in axes:
            axes[CLUSTER].add(NOWHERE)
        dims = [with_clusters(_vertices(table)) for table, _ in tables]
        several = frozenset(
            one for table, _ in tables for one in _vertices(table) if not _splits(table, one)
        )
        if WARD in several:
            several |= {CLUSTER}
        pieces = {AGE: years} if (years := pieces_of_ages(axes.get(AGE, ()))) else {}
        for dim, inside in pieces.items():
            axes[dim] = set(chain.from_iterable(inside.values()))
        block = Block(
            {dim: tuple(sorted(codes)) for dim, codes in axes.items()},
            clusters,
            several,
            self.model.columns,
            pieces,
        )
        block.lay_out(dims)
        self.model.columns += block.size
        if self.model.columns > ROOM:
            raise TooBig(f"More than {ROOM:,} counts would have to be asked about")
        self._blocks[key] = block

    def _of_three_terms(self, key: BlockKey, block: Block) -> Iterator[Row]:
        """Children of any of three terms: no fewer than of one, no more than of all together."""
        terms = [
            self._blocks.get(BlockKey(key.universe, Span.TERM, period))
            for period in window(key.period)
        ]
        now = terms[-1]
        for sheets in block.families.values():
            for sheet in sheets:
                for cell, columns in block.cells(sheet.dims):
                    known = []
                    for term in terms:
                        one = term.columns(cell) if term else None
                        if one is not None:
                            known.append(one)
                            yield Row(columns, one, 0, INFINITE, past=term is not now)
                    if len(known) == len(terms):
                        yield Row(np.concatenate(known), columns, 0, INFINITE, past=True)

    def _within_others(self, key: BlockKey, block: Block) -> Iterator[Row]:
        """No more children in a cell than in the same cell of a table that counts them too."""
        for universe_above, lost in self.links.above.get(key.universe, ()):
            wider = self._blocks.get(BlockKey(universe_above, key.span, key.period))
            if wider is None:
                continue
            for dims in _shared(block, wider, lost):
                for cell, columns in block.cells(dims):
                    around = wider.columns(cell)
                    if around is not None:
                        yield Row(around, columns, 0, INFINITE)

    def _of_some_codes(self, key: BlockKey, block: Block) -> Iterator[Row]:
        """Who has one of some codes is of those who have any of them, and each of those has one."""
        for universe_of_some, dim, codes in self.links.holds.get(key.universe, ()):
            some = self._blocks.get(BlockKey(universe_of_some, key.span, key.period))
            if some is None or not codes <= {*block.axes.get(dim, ())}:
                continue
            for dims in _shared_beside(block, some, dim):
                parts: dict[tuple[tuple[str, str], ...], list[Columns]] = {}
                for cell, columns in block.cells(dims | {dim}):
                    if cell[dim] in codes:
                        rest = tuple(sorted((one, cell[one]) for one in cell if one != dim))
                        parts.setdefault(rest, []).append(columns)
                for rest, each in parts.items():
                    together = some.columns(dict(rest))
                    if together is not None:
                        yield from (Row(together, one, 0, INFINITE) for one in each)
                        yield Row(np.concatenate(each), together, 0, INFINITE)

    def _of_lists(self, key: BlockKey, on: Block) -> Iterator[Row]:
        one_only = self._blocks.get(BlockKey(lists.ONE_ONLY, key.span, key.period))
        if key.universe == lists.ON and one_only is not None:
            yield from lists.rows_of_one_only(on, one_only)

    def _read(self, release: Release) -> None:
        seen: dict[tuple[BlockKey, tuple[tuple[str, str], ...]], Cell] = {}
        for shown in in_order(release):
            table = release.catalogue[shown.key]
            if table.measure is not Measure.CHILDREN or is_empty(shown):
                continue
            key = BlockKey(universe(table.fact, table.where), table.span, shown.period)
            block = self._blocks.get(key)
            if block is None:
                continue
            for cell in shown.cells:
                codes = codes_of(table, cell.cell)
                at = (key, tuple(sorted(codes.items())))
                before = seen.get(at)
                if before is not None and None not in (before.value, cell.value):
                    if before.value != cell.value:
                        raise Contradicts(f"{shown.key} {' '.join(cell.cell)}")
                    continue
                if before is not None and cell.value is None:
                    continue
                seen[at] = cell
                columns = block.columns(codes)
                if columns is None:
                    raise Contradicts(f"{shown.key} {' '.join(cell.cell)}")
                if cell.value is not None:
                    of = place(table, shown.period, cell.cell)
                    self._shown[of] = Shown(int(cell.value), columns, release.rules.clusters)
                self._take(release, table, cell, columns)

    def _take(self, release: Release, table: TableDef, cell: Cell, columns: Columns) -> None:
        if cell.cell in table.structural_zeros:
            self.model.rows.append(Row(columns, _NOTHING, 0, 0, (table.key,)))
            return
        small = True
        if cell.value is not None:
            try:
                low, high = behind(release.rules, int(cell.value))
            except ValueError as never:
                raise Contradicts(f"{table.key} {' '.join(cell.cell)}: {never}") from never
            self.model.rows.append(Row(columns, _NOTHING, low, high, (table.key,)))
            small = low <= _SMALL
        if small:
            target = Target(
                table.key, release.period, cell.cell, columns, shown=cell.value is not None
            )
            self.model.targets.append(target)


_SMALL = 4
"""True counts from 1 to this are those that nobody may find."""
_NOTHING: Columns = np.zeros(0, dtype=np.int32)


def pieces_of_ages(bands: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Band of ages ("3–5") → the years in it, where bands overlap; empty where none do.

    Bands that begin a year later in another table give single years away (TRAPS.md).
    """
    years = {band: _years(band) for band in bands}
    every = list(chain.from_iterable(years.values()))
    return years if len(every) > len(set(every)) else {}


def _years(band: str) -> tuple[str, ...]:
    first, _, last = band.partition("–")
    if not (first.isdecimal() and last.isdecimal()):
        return (band,)
    return tuple(f"{year:02}" for year in range(int(first), int(last) + 1))


def in_order(release: Release) -> Sequence[ProtectedTable]:
    """The tables by name: the model is the same whether they come from files or were just made."""
    return sorted(release.tables, key=lambda one: one.key)


def is_empty(shown: ProtectedTable) -> bool:
    """Whether a table has no figures whatever is true, so that it tells nothing."""
    return all(one.note in {Note.NO_DATA, Note.ONCE} for one in shown.cells)


def _by_block(release: Release) -> Mapping[BlockKey, list[tuple[TableDef, ProtectedTable]]]:
    found: dict[BlockKey, list[tuple[TableDef, ProtectedTable]]] = {}
    for shown in in_order(release):
        table = release.catalogue[shown.key]
        if table.measure is Measure.CHILDREN and not is_empty(shown):
            key = BlockKey(universe(table.fact, table.where), table.span, shown.period)
            found.setdefault(key, []).append((table, shown))
    return found


def _vertices(table: TableDef) -> frozenset[str]:
    return frozenset(
        vertex(table, dim)
        for dim in table.dims
        if not (dim == AREA and table.level is Level.AUTHORITY)
    )


def _splits(table: TableDef, one: str) -> bool:
    return table.splits(AREA if one in (WARD, CLUSTER) else one)


def _shared(part: Block, whole: Block, lost: frozenset[str]) -> set[frozenset[str]]:
    """Dimensions of which both blocks have cells and mean the same, as fine as there are."""
    found = set()
    for several, sheets in whole.families.items():
        if several in part.families and not several & lost:
            for theirs in sheets:
                for ours in part.families[several]:
                    found.add((ours.dims & theirs.dims) - lost)
    return {one for one in found if not any(one < other for other in found)}


def _shared_beside(block: Block, some: Block, dim: str) -> set[frozenset[str]]:
    """Dimensions beside one of which both blocks have cells, as fine as there are."""
    found = {
        (ours.dims & theirs.dims) - {dim}
        for several, sheets in block.families.items()
        for ours in sheets
        if dim in ours.dims
        for theirs in some.families.get(several - {dim}, ())
    }
    return {one for one in found if not any(one < other for other in found)}
