"""The unknown true counts behind the tables of one universe in a term, and how they hang together.

A column is the number of children in one cell of one clique. Dimensions of which a child has one
code split the children; of others a child may have several, so that parts are at least as much as
the whole and no part is more than it. These get columns for each combination of codes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations, product

import numpy as np
from numpy.typing import NDArray

from panel.insight.core.cliques import Dims, cliques

WARD = "area in wards"
CLUSTER = "area in clusters"
NOWHERE = ""
"""The area of children whose ward nobody knows: in the whole, and in no ward and no cluster."""

Columns = NDArray[np.int32]
Codes = Mapping[str, str]
"""A cell: dimension → code, those that are "*" left out."""
Axes = Mapping[str, tuple[str, ...]]
"""Dimension → its codes."""


def with_clusters(dims: Iterable[str]) -> Dims:
    """A ward tells its cluster."""
    every = frozenset(dims)
    return every | {CLUSTER} if WARD in every else every


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns of one clique: for each, the code of each dimension as a number."""

    dims: Dims
    first: int
    size: int
    codes: Mapping[str, NDArray[np.int32]]

    def where(self, cell: Mapping[str, int]) -> Columns:
        """The columns in a cell."""
        held = np.ones(self.size, dtype=bool)
        for dim, code in cell.items():
            held &= self.codes[dim] == code
        return (np.flatnonzero(held) + self.first).astype(np.int32)

    def sorted_into(self, dims: Sequence[str], sizes: Sequence[int]) -> list[Columns]:
        """The columns of each cell of some of its dimensions, in the order of `np.ndindex`."""
        at = np.zeros(self.size, dtype=np.int64)
        for dim, size in zip(dims, sizes, strict=True):
            at = at * size + self.codes[dim]
        order = np.argsort(at, kind="stable")
        ends = np.cumsum(np.bincount(at, minlength=int(np.prod(sizes, dtype=np.int64))))
        parts = np.split(order, ends[:-1])
        return [(part + self.first).astype(np.int32) for part in parts]


@dataclass(frozen=True, slots=True)
class Row:
    """low ≤ sum of `plus` − sum of `minus` ≤ high."""

    plus: Columns
    minus: Columns
    low: float
    high: float
    tables: tuple[str, ...] = ()
    """Which published tables say so; none: it is so by what counting is."""
    past: bool = False
    """Whether it holds only as far as nothing was corrected between two releases."""


_NONE: Columns = np.zeros(0, dtype=np.int32)
INFINITE = float("inf")


@dataclass
class Block:
    """The columns of one universe, span and term."""

    axes: dict[str, tuple[str, ...]]
    cluster_of: Mapping[str, str]
    many: Dims
    first: int
    pieces: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Of a dimension whose codes overlap (bands of years): code → the axis's codes in it."""
    size: int = 0
    families: dict[Dims, list[Sheet]] = field(default_factory=dict)
    _trees: dict[Dims, list[tuple[int, int]]] = field(default_factory=dict)
    _at: dict[str, dict[str, int]] = field(default_factory=dict)

    def lay_out(self, tables: Iterable[Dims]) -> None:
        """Make columns for tables of these dimensions and all their margins."""
        self._at = {dim: {code: n for n, code in enumerate(of)} for dim, of in self.axes.items()}
        sets: dict[Dims, set[Dims]] = {}
        for dims in tables:
            several = dims & self.many
            for some in _subsets(several):
                sets.setdefault(with_clusters(some), set()).add(dims - self.many)
        for several in sorted(sets, key=sorted):
            held, branches = cliques(sets[several])
            self._trees[several] = branches
            self.families[several] = [self._sheet(several | one) for one in held]

    def _sheet(self, dims: Dims) -> Sheet:
        own = sorted(dims - {CLUSTER} if WARD in dims else dims)
        sizes = [len(self.axes[dim]) for dim in own]
        size = int(np.prod(sizes, dtype=np.int64))
        every = np.indices(sizes, dtype=np.int32).reshape(len(own), size)
        codes = dict(zip(own, every, strict=True))
        if WARD in dims:
            codes[CLUSTER] = self._clusters()[codes[WARD]]
        sheet = Sheet(dims, self.first + self.size, size, codes)
        self.size += size
        return sheet

    def _clusters(self) -> NDArray[np.int32]:
        at = self._at[CLUSTER]
        return np.array([at[self.cluster_of[ward]] for ward in self.axes[WARD]], dtype=np.int32)

    def sheet(self, dims: Dims) -> Sheet | None:
        """The smallest sheet that has a cell of these dimensions."""
        fits = [
            one
            for one in self.families.get(with_clusters(dims & self.many), ())
            if dims <= one.dims
        ]
        return min(fits, key=lambda one: one.size, default=None)

    def columns(self, cell: Codes) -> Columns | None:
        """The columns that sum to a cell; None where no table has such a cell."""
        sheet = self.sheet(frozenset(cell))
        if sheet is None:
            return None
        inside = [
            [(dim, one) for one in self.pieces.get(dim, {}).get(code, (code,))]
            for dim, code in cell.items()
        ]
        if any(one not in self._at[dim] for part in inside for dim, one in part):
            return None
        found = [
            sheet.where({dim: self._at[dim][one] for dim, one in chosen})
            for chosen in product(*inside)
        ]
        return np.concatenate(found)

    def cells(self, dims: Dims) -> Iterator[tuple[Codes, Columns]]:
        """Each cell of some dimensions with its columns. KeyError: no table has such cells."""
        sheet = self.sheet(dims)
        if sheet is None:
            raise KeyError(sorted(dims))
        own = sorted(dims - {CLUSTER} if WARD in dims else dims)
        codes = [self.axes[dim] for dim in own]
        found = sheet.sorted_into(own, [len(one) for one in codes])
        for cell, columns in zip(product(*codes), found, strict=True):
            yield dict(zip(own, cell, strict=True)), columns

    def rows(self) -> Iterator[Row]:
        """What holds between its columns, whatever is published."""
        for several, sheets in self.families.items():
            for a, b in self._trees[several]:
                yield from self._agree(sheets[a], sheets[b])
            for dim in several:
                if not (dim == CLUSTER and WARD in several):
                    for sheet in sheets:
                        yield from self._parts(sheet, dim)

    def _agree(self, a: Sheet, b: Sheet) -> Iterator[Row]:
        shared = a.dims & b.dims
        own = sorted(shared - {CLUSTER} if WARD in shared else shared)
        sizes = [len(self.axes[dim]) for dim in own]
        for one, other in zip(a.sorted_into(own, sizes), b.sorted_into(own, sizes), strict=True):
            yield Row(one, other, 0, 0)

    def _parts(self, sheet: Sheet, dim: str) -> Iterator[Row]:
        """Of a dimension of which a child may have several codes: the whole and its parts."""
        rest = sheet.dims - {dim}
        whole = self.sheet(rest)
        if whole is None:
            raise KeyError(sorted(rest))
        own = sorted(rest - {CLUSTER} if WARD in rest else rest)
        sizes = [len(self.axes[one]) for one in own]
        wholes, parts = whole.sorted_into(own, sizes), sheet.sorted_into(own, sizes)
        for together, each in zip(wholes, parts, strict=True):
            yield Row(each, together, 0, INFINITE)
            for part in each:
                yield Row(together, np.array([part], dtype=np.int32), 0, INFINITE)


def _subsets(dims: Dims) -> Iterator[Dims]:
    own = sorted(dims)
    every = chain.from_iterable(combinations(own, n) for n in range(len(own) + 1))
    return (frozenset(one) for one in every)
