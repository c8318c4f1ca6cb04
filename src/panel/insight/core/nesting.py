"""Which cells are about more children than another, and whether a group's tables hang together.

A cell's coarser cells are those that count every child that it counts, by the rules that anybody
can read: a dimension left out, a bigger area, three terms for one, all children known for children
whose need is unmet. G1 and the audit both read it here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import product

from panel.insight.core.dimensions import AREA
from panel.insight.core.facts import ChildTerm, Fact, OutcomeChange, Package
from panel.insight.core.places import Grid, Place
from panel.insight.core.table import CellId, TableDef
from panel.insight.core.words import EVERY, Level, Period, Span, ordinal, period_at, window

Where = tuple[tuple[str, frozenset[str]], ...]
KNOWN: Where = (("known", frozenset({"true"})),)


def columns(fact: type[Fact]) -> frozenset[str]:
    """The names of a fact's columns."""
    return frozenset(one.name for one in fields(fact))


# Cells and places ---------------------------------------------------------------------------------


def universe(fact: type[Fact], where: Where) -> str:
    """Which children a table is about, as a name."""
    said = (f"{column}={'|'.join(sorted(codes))}" for column, codes in sorted(where))
    return " ".join((fact.__name__, *said))


def place(table: TableDef, period: Period, cell: CellId) -> Place:
    """What a cell of a table is about, whatever table shows it."""
    of = sorted((dim, code) for dim, code in zip(table.dims, cell, strict=True) if code != EVERY)
    return Place(universe(table.fact, table.where), table.span, period, tuple(of))


def margins(table: TableDef) -> Iterator[tuple[str, ...]]:
    """The sets of dimensions that a table counts by, fewest first: all of its GROUPING SETS."""
    chosen = [
        tuple(dim for dim, taken in zip(table.dims, way, strict=True) if taken)
        for way in product((False, True), repeat=len(table.dims))
    ]
    return iter(sorted(chosen, key=len))


def depth(cell: CellId) -> int:
    """By how many dimensions a cell is told apart: 0 is the whole."""
    return sum(code != EVERY for code in cell)


def parts(table: TableDef, cells: Iterable[CellId], dim: str) -> Mapping[CellId, list[CellId]]:
    """Each cell that is a whole of this dimension, and the cells that are its parts."""
    at = table.dims.index(dim)
    found: dict[CellId, list[CellId]] = {}
    for cell in cells:
        if cell[at] != EVERY:
            found.setdefault((*cell[:at], EVERY, *cell[at + 1 :]), []).append(cell)
    return found


# Links between the children of tables -------------------------------------------------------------

HELD_BY_KNOWN = frozenset(
    {
        "Need",
        "OutcomeChange",
        "Package",
        "Perception",
        "Request",
        "Transition",
        "Unmet",
        "Wait",
    }
)
"""Facts whose children are all known in the same term: `ChildTerm.known` is made so."""


@dataclass(frozen=True, slots=True)
class Links:
    """For each universe the next bigger ones, and the dimensions that both understand alike."""

    above: Mapping[str, tuple[tuple[str, frozenset[str]], ...]]
    """Universe → bigger universe, and the dimensions that are lost on the way."""
    holds: Mapping[str, tuple[tuple[str, str, frozenset[str]], ...]] = field(default_factory=dict)
    """Universe → the universe of those who have some codes of a dimension, it, and these codes:
    who was told "agreed" is one of those to whom anything was agreed."""

    @classmethod
    def of(cls, catalogue: Mapping[str, TableDef]) -> "Links":
        """All that follow from the tables of a catalogue."""
        known = universe(ChildTerm, KNOWN)
        all_of = {universe(one.fact, one.where): one for one in catalogue.values()}
        above: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {}
        for name, one in all_of.items():
            bigger = [
                (other_name, frozenset[str]())
                for other_name, other in all_of.items()
                if other_name != name
                and other.fact is one.fact
                and _implies(one.where, other.where)
            ]
            if known in all_of and name != known and _are_known(one):
                bigger.append((known, columns(one.fact)))
            if (given := universe(Package, ())) in all_of and _is_by_service(one):
                bigger.append((given, columns(one.fact)))
            above[name] = tuple(bigger)
        holds = {
            name: tuple(
                (other_name, dim, codes)
                for other_name, other in all_of.items()
                if other.fact is one.fact
                for dim, codes in _narrowed(one.where, other.where)
            )
            for name, one in all_of.items()
        }
        return cls(above, holds)


def _are_known(table: TableDef) -> bool:
    return table.fact.__name__ in HELD_BY_KNOWN or (
        table.fact is not ChildTerm and _implies(table.where, KNOWN)
    )


def _is_by_service(table: TableDef) -> bool:
    """Whether it is of outcomes by the kinds of service that the child had in the same term."""
    return table.fact is OutcomeChange and "kind" in dict(table.where)


def _narrowed(wide: Where, narrow: Where) -> Where:
    """The one column, and its codes, by which one universe is narrower than the other."""
    own = dict(wide)
    more = tuple((column, codes) for column, codes in narrow if own.get(column) != codes)
    return more if len(more) == 1 and _implies(narrow, wide) else ()


def _implies(narrow: Where, wide: Where) -> bool:
    has = dict(narrow)
    return all(column in has and has[column] <= codes for column, codes in wide)


# Coarser and finer --------------------------------------------------------------------------------


def parents(of: Place, grid: Grid, links: Links) -> Iterator[Place]:
    """The next coarser places. They need not be published anywhere."""
    for at, (dim, code) in enumerate(of.of):
        rest = (*of.of[:at], *of.of[at + 1 :])
        cluster = grid.clusters.get(code) if dim == AREA else None
        if cluster is not None:
            rest = tuple(sorted((*rest, (AREA, cluster))))
        yield Place(of.universe, of.span, of.period, rest)
    if of.span is Span.TERM:
        now = ordinal(of.period)
        for later in range(3):
            yield Place(of.universe, Span.ROLLING, period_at(now + later), of.of)
    for bigger, lost in links.above.get(of.universe, ()):
        kept = tuple((dim, code) for dim, code in of.of if dim not in lost)
        yield Place(bigger, of.span, of.period, kept)
    for those, dim, codes in links.holds.get(of.universe, ()):
        if dict(of.of).get(dim, "") in codes:
            kept = tuple(one for one in of.of if one[0] != dim)
            yield Place(those, of.span, of.period, kept)


def terms_of(of: Place) -> Iterator[Place]:
    """The same place in each of the three terms of a rolling one."""
    if of.span is Span.ROLLING:
        for period in window(of.period):
            yield Place(of.universe, Span.TERM, period, of.of)


_LEVELS = (Level.AUTHORITY, Level.CLUSTER, Level.WARD)


def in_order(tables: Iterable[TableDef], links: Links) -> Sequence[TableDef]:
    """Tables so that what is coarser stands before: bigger universes, three terms, big areas."""
    heights: dict[str, int] = {}

    def height(name: str) -> int:
        if name not in heights:
            heights[name] = 1 + max(
                (height(one) for one, _ in links.above.get(name, ())), default=0
            )
        return heights[name]

    def height_of(table: TableDef) -> int:
        own = universe(table.fact, table.where)
        held = (those for those, dim, _ in links.holds.get(own, ()) if dim in table.dims)
        return max((height(own), *(1 + height(those) for those in held)))

    return sorted(
        tables,
        key=lambda table: (
            height_of(table),
            table.span is Span.TERM,
            _LEVELS.index(table.level),
            len(table.dims),
            table.key,
        ),
    )


# Whether the dimension sets of a group decompose --------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clique:
    """A greatest set of dimensions, and what it has in common with the one that it hangs on."""

    dims: frozenset[str]
    hangs_on: frozenset[str] | None
    """The dimensions of the other; None of the last."""

    @property
    def separator(self) -> frozenset[str]:
        """The dimensions that both have."""
        return self.dims & self.hangs_on if self.hangs_on is not None else frozenset()


def decomposed(sets: Iterable[Iterable[str]]) -> tuple[Clique, ...]:
    """The greatest sets, each after those that hang on it. ValueError: they form a cycle.

    Graham's reduction (also of Yu and Özsoyoğlu): a set all of whose dimensions are either its own
    alone or inside one other set is an ear, and is taken off; what has a cycle never gets empty.
    """
    every = {frozenset(one) for one in sets}
    left = sorted((one for one in every if not any(one < other for other in every)), key=sorted)
    found: list[Clique] = []
    while len(left) > 1:
        ear = next((one for one in left if _hangs_on(one, left) is not None), None)
        if ear is None:
            raise ValueError(f"These dimensions form a cycle: {[sorted(one) for one in left]}")
        found.append(Clique(ear, _hangs_on(ear, left)))
        left.remove(ear)
    return (*found, *(Clique(one, None) for one in left))


def _hangs_on(ear: frozenset[str], sets: Sequence[frozenset[str]]) -> frozenset[str] | None:
    others = [one for one in sets if one != ear]
    shared = ear & frozenset[str]().union(*others)
    return next((one for one in others if shared <= one), None)
