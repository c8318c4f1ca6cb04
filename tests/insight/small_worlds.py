"""Four terms of 60 invented children, published by the rules, with what is true beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product

import numpy as np

from panel.insight.core.cells import ProtectedTable
from panel.insight.core.facts import Unmet
from panel.insight.core.ptable import TABLE
from panel.insight.core.released import PublishedRules, Release
from panel.insight.core.table import CellId, TableDef
from panel.insight.core.words import EVERY, Level, Period, Span
from tests.insight.releases import AUTUMN, GRID, SPRING, SUMMER, of_cells, release, table

KIND = table("lack_by_kind", "area", "kind", fact=Unmet, level=Level.WARD, many=("kind",))
AGE = table("known_by_age", "area", "age")
SEX = table("known_by_sex", "area", "sex")
THREE = replace(KIND, key="lack_by_kind_three", span=Span.ROLLING, level=Level.CLUSTER)
CODES = {
    "area": tuple(GRID.clusters),
    "kind": ("care", "play", "therapy"),
    "age": ("0–2", "3–4", "5–7"),
    "sex": ("female", "indeterminate", "male"),
}
_SURELY = Fraction(1)
EXACT = PublishedRules({0: {0: _SURELY}, 1: {1: _SURELY}}, 1, 0, 30, GRID.clusters)
TERMS = (AUTUMN, SPRING, SUMMER, Period("2026-autumn"))
Said = Mapping[int, Mapping[str, str]]
"""Child → dimension → code, of a term."""


@dataclass
class SmallWorld:
    """Its releases."""

    seed: int
    moved: bool = False
    """Whether all children of the first two terms are elsewhere when three terms are counted
    together, of which the last has few."""
    releases: list[Release] = field(default_factory=list)
    exactly: list[Release] = field(default_factory=list)
    """The same with every count as it is."""

    def __post_init__(self) -> None:
        """Publish all terms, and three of them together with the third."""
        self._chance = np.random.default_rng(self.seed)
        self._figures: dict[frozenset[int], float] = {}
        self._positive: set[CellId] = set()
        terms: list[Said] = []
        for period in TERMS:
            many = 15 if self.moved and period == SUMMER else 60
            said: Said = {child: self._child() for child in self._chance.permutation(90)[:many]}
            terms.append(said)
            shown = [self._counted(of, terms[-1:], period) for of in (KIND, AGE, SEX)]
            if period == SUMMER:
                shown.append(self._counted(THREE, [*map(self._later, terms[:2]), said], period))
            self.releases.append(release(*(one for one, _ in shown), period=period))
            true = [one for _, one in shown]
            self.exactly.append(release(*true, rules=EXACT, period=period))

    def _later(self, said: Said) -> Said:
        """What is known of a term later."""
        if not self.moved:
            return said
        return {child: {**codes, "area": "w4", "kind": "care"} for child, codes in said.items()}

    def _child(self) -> Mapping[str, str]:
        return {dim: str(self._chance.choice(codes)) for dim, codes in CODES.items()}

    def _counted(
        self, of: TableDef, terms: Sequence[Said], period: Period
    ) -> tuple[tuple[TableDef, ProtectedTable], tuple[TableDef, ProtectedTable]]:
        """The table as it is published, and as it is."""
        clusters = sorted(set(GRID.clusters.values()))
        areas = CODES["area"] if of.level is Level.WARD else clusters
        values: dict[CellId, int | None] = {}
        true: dict[CellId, int | None] = {}
        for cell in product((EVERY, *areas), (EVERY, *CODES[of.dims[1]])):
            who = frozenset(
                child
                for said in terms
                for child, codes in said.items()
                if cell[0] in {EVERY, codes["area"], GRID.clusters[codes["area"]]}
                and cell[1] in {EVERY, codes[of.dims[1]]}
            )
            # The same children give the same figure, whatever they are counted for.
            at = self._figures.setdefault(who, float(self._chance.random()))
            said_as = TABLE.published(len(who), at) if who else 0
            if of is KIND and said_as:
                self._positive.add(cell)
            if of is THREE and not said_as and cell in self._positive:
                said_as = 5
            values[cell] = said_as
            true[cell] = len(who)
        return (of, of_cells(of, values, period)), (of, of_cells(of, true, period))
