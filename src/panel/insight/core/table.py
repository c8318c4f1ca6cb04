"""What a table of the catalogue is."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from panel.insight.core.facts import Fact
from panel.insight.core.words import Level, Span

CellId = tuple[str, ...]
"""One code for each dimension, in the table's order; "" not said, "*" all."""


class Measure(StrEnum):
    """What the number in a cell is."""

    CHILDREN = "children"
    MEAN = "mean"
    """For each child."""
    MEDIAN_BAND = "median band"
    """The first week of the band in which the median lies."""
    TOTAL = "total"
    RATE = "rate"
    """Per cent of `over[1]`, in steps of five."""
    RATIO = "ratio"
    INDEX = "index"
    """Made of published figures and of what is public: bands of what is expected."""
    ADDITIVE = "children, so that parts add up"
    """Made of the published table that it is `of`."""
    ELSEWHERE = "as published elsewhere"
    """Of figures that somebody else published, or of what one would expect by them."""
    PLACES = "places"
    """A sum that is about no child, and so not changed."""


_AREA = "area"
_BESIDE_AREA = MappingProxyType({Level.WARD: 0, Level.CLUSTER: 1})
"""By how many dimensions beside areas a table of every release tells children apart (ADR 43)."""


@dataclass(frozen=True, slots=True)
class TableDef:
    """A table that is published each term, with all its margins.

    `dims` are columns of `fact`, or else of the child's `ChildTerm` of the same term; "area" comes
    first and stands for the ward, or the cluster of wards, of `level`. Three are made:
    "payer" (pounds of `payer_health` and so on, each a cell), "course" of an outcome (`latest`
    beside `baseline`), and "kind" of an outcome (of the services in the child's packages of the
    term). A table has a cell for every combination of codes, and of "*" in the place of any.
    """

    key: str
    title: str
    question: str
    definition: str
    source: str
    quality: tuple[str, ...]
    fact: type[Fact]
    where: tuple[tuple[str, frozenset[str]], ...]
    """Columns and the codes that count; yes and no are "true" and "false"."""
    group: str
    dims: tuple[str, ...]
    level: Level
    span: Span
    measure: Measure
    of: str = ""
    """The column of a magnitude: pence, days, units."""
    over: tuple[str, str] | None = None
    """Of a rate or ratio: the tables of its two parts."""
    coarser: str | None = None
    """The table to read where this one says little."""
    many: tuple[str, ...] = ()
    """Dimensions of which a child may have several codes in a term, so that parts are more than
    the whole. In a rolling table that is every dimension."""
    structural_zeros: frozenset[CellId] = frozenset()

    @property
    def is_once_in_three(self) -> bool:
        """Whether it comes out once in three terms, and not with every release.

        It hangs on what the table is and on no figure. Three terms together do so that no two
        windows overlap; counts of few children, so that more of them come and go between two
        figures of a cell.
        """
        if self.span is Span.ROLLING:
            return True
        if self.measure is not Measure.CHILDREN or _AREA not in self.dims:
            return False
        return len(self.dims) - 1 > _BESIDE_AREA.get(self.level, len(self.dims))

    def splits(self, dim: str) -> bool:
        """Whether each child of the table has one code of this dimension and no more."""
        return self.span is Span.TERM and dim not in self.many
