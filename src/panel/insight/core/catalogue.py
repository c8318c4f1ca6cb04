"""What a table of the catalogue is. `CATALOGUE` is the only list: nothing else is published."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from panel.insight.core.facts import ChildTerm, Fact
from panel.insight.core.words import Level, Span

CellId = tuple[str, ...]
"""One code for each dimension, in the table's order; "" not said, "*" all."""


class Measure(StrEnum):
    """What the number in a cell is."""

    CHILDREN = "children"
    EPISODES = "episodes"
    MEAN = "mean"
    """For each child."""
    MEDIAN_BAND = "median band"
    """The first week of the band in which the median lies."""
    TOTAL = "total"
    RATE = "rate"
    """Per cent of `over[1]`, in steps of five."""
    RATIO = "ratio"
    INDEX = "index"


@dataclass(frozen=True, slots=True)
class TableDef:
    """A table that is published each term, with all its margins.

    `dims` are columns of `fact`, or else of the child's `ChildTerm` of the same term; "area" comes
    first and stands for the ward, or the cluster of wards, of `level`. A table has a cell for every
    combination of codes, and of "*" in the place of any of them.
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

    def splits(self, dim: str) -> bool:
        """Whether each child of the table has one code of this dimension and no more."""
        return self.span is Span.TERM and dim not in self.many


_KNOWN_BY_AREA = TableDef(
    key="known_by_area",
    title="Children known, by cluster of wards",
    question="Who is known?",
    definition="Children with an open record at some time of the term, each counted once.",
    source="The records of the agencies that work together",
    quality=("Children whom no agency has recorded are not counted.",),
    fact=ChildTerm,
    where=(("known", frozenset({"true"})),),
    group="known",
    dims=("area",),
    level=Level.CLUSTER,
    span=Span.TERM,
    measure=Measure.CHILDREN,
)

CATALOGUE: Mapping[str, TableDef] = MappingProxyType({_KNOWN_BY_AREA.key: _KNOWN_BY_AREA})
