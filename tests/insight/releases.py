"""Small releases made by hand, for what is asked of a release, an audit and a ledger."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from panel.insight.core.cells import Cell, Note, ProtectedTable
from panel.insight.core.dimensions import whole_grid
from panel.insight.core.facts import ChildTerm, Fact
from panel.insight.core.nesting import KNOWN
from panel.insight.core.places import Grid
from panel.insight.core.ptable import TABLE
from panel.insight.core.released import LevelError, PublishedError, PublishedRules, Release
from panel.insight.core.table import CellId, Measure, TableDef
from panel.insight.core.words import EVERY, Level, Period, Span

AUTUMN, SPRING, SUMMER = Period("2025-autumn"), Period("2026-spring"), Period("2026-summer")
GRID = Grid({"w1": "c1", "w2": "c1", "w3": "c2", "w4": "c2"})
RULES = PublishedRules.of(TABLE, GRID)
HIDES_FEW = PublishedRules(
    ptable={
        **{true: {0: Fraction(1)} for true in range(5)},
        5: {5: Fraction(1)},
    },
    round_to=1,
    furthest=4,
    least_known=30,
    clusters=GRID.clusters,
)
"""1 to 4 are published as 0 and the rest as it is: what people think of first, and is not safe."""


def table(
    key: str,
    *dims: str,
    level: Level = Level.CLUSTER,
    span: Span = Span.TERM,
    fact: type[Fact] = ChildTerm,
    many: tuple[str, ...] = (),
    zeros: frozenset[CellId] = frozenset(),
) -> TableDef:
    """A table of children known, or of another fact."""
    return TableDef(
        key=key,
        title=f"Children: {key}",
        question="Who is known?",
        definition="Children, each once.",
        source="Invented",
        quality=(),
        fact=fact,
        where=KNOWN if fact is ChildTerm else (),
        group="known",
        dims=dims,
        level=level,
        span=span,
        measure=Measure.CHILDREN,
        many=many,
        structural_zeros=zeros,
    )


def of_cells(
    of: TableDef, values: Mapping[CellId, int | None], period: Period = AUTUMN
) -> ProtectedTable:
    """A table that shows exactly these cells."""
    cells = (
        Cell(cell, None, Note.COARSER)
        if value is None
        else Cell(cell, Decimal(value), Note.NONE if value else Note.ZERO)
        for cell, value in values.items()
    )
    return ProtectedTable(of.key, period, tuple(cells))


def whole(
    of: TableDef, values: Mapping[CellId, int | None], period: Period = AUTUMN
) -> ProtectedTable:
    """A table with its whole grid; what is not given is withheld."""
    return of_cells(of, {cell: values.get(cell) for cell in whole_grid(of, GRID)}, period)


def release(
    *tables: tuple[TableDef, ProtectedTable],
    rules: PublishedRules = RULES,
    period: Period = AUTUMN,
) -> Release:
    """A release of these tables."""
    return Release(
        period=period,
        tables=tuple(shown for _, shown in tables),
        catalogue={of.key: of for of, _ in tables},
        rules=rules,
        error=PublishedError({Level.CLUSTER: LevelError(3, Fraction(3, 2), Fraction(5))}),
    )


def with_margins(counts: Mapping[str, int]) -> dict[CellId, int]:
    """Counts by code of one dimension, and their whole; 1 to 4 as 0."""
    every = {(EVERY,): sum(counts.values()), **{(code,): n for code, n in counts.items()}}
    return {cell: n if n > 4 else 0 for cell, n in every.items()}
