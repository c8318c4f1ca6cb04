"""What is out already, by place, and the rule that hangs on it: no number under a published zero.

G1: a cell is published only where every coarser cell publishes 5 or more. A 5 under a zero would
tell that the zero is 1 to 4 and no real zero. The rule looks at published numbers alone, so that
what it withholds tells nothing that they do not.
"""

from collections.abc import Iterable, Mapping

from panel.insight.core.cells import Cell, Note, ProtectedTable
from panel.insight.core.nesting import Links, parents, place, terms_of
from panel.insight.core.places import Grid, Place
from panel.insight.core.ptable import LEAST
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.words import Period, Span, ordinal

TERMS = 3
"""How many a rolling table counts."""


class Published:
    """What is out, and what the release of `period` has settled so far."""

    def __init__(self, period: Period, links: Links) -> None:
        self.period = period
        self.links = links
        self._cells: dict[Place, Cell] = {}
        self._times: set[tuple[Span, Period]] = set()

    def at(self, of: Place) -> Cell | None:
        """What was published there, if anything was."""
        return self._cells.get(of)

    def put(self, of: Place, cell: Cell) -> None:
        """Add what is settled. What one table shows is out, whatever another withholds.

        ValueError: another number is there already.
        """
        there = self._cells.get(of)
        if there is None or there.value is None:
            self._cells[of] = cell
        elif cell.value not in {None, there.value}:
            raise ValueError("A place has one number, whatever table shows it")
        self._times.add((of.span, of.period))

    def put_table(self, table: TableDef, protected: ProtectedTable) -> None:
        """Add a table that went out. Only counts of children have a place."""
        if table.measure is Measure.CHILDREN:
            for cell in protected.cells:
                if cell.note in {Note.NO_DATA, Note.ONCE}:
                    continue
                self.put(place(table, protected.period, cell.cell), cell)

    def put_all(self, catalogue: Mapping[str, TableDef], tables: Iterable[ProtectedTable]) -> None:
        """Add the tables of a release, with the catalogue that it had."""
        for one in tables:
            self.put_table(catalogue[one.key], one)

    def may_show(self, of: Place, grid: Grid, seen: dict[Place, bool] | None = None) -> bool:
        """Whether every coarser cell publishes 5 or more. `seen` keeps answers between calls."""
        seen = {} if seen is None else seen
        if (answer := seen.get(of)) is None:
            answer = seen[of] = all(
                self._holds(one, grid, seen)
                for one in parents(of, grid, self.links)
                if (one.span, one.period) in self._times
            )
        return answer

    def _holds(self, parent: Place, grid: Grid, seen: dict[Place, bool]) -> bool:
        cell = self._cells.get(parent)
        # What no table shows hides nothing itself, but what is coarser than it may be shown. Nor
        # does what waits until three terms have a ward's new code, which hangs on terms alone. What
        # is shown was under this rule when it was, so that nothing above it has to be looked at.
        waits = cell is not None and cell.note is Note.CHANGED and parent.span is Span.ROLLING
        if cell is None or waits:
            return self.may_show(parent, grid, seen)
        return cell.value is not None and cell.value >= LEAST

    def overlaps(self) -> bool:
        """Whether figures over three terms are out that count a term which those of now would.

        It hangs on terms alone, and on no figure.
        """
        now = ordinal(self.period)
        return any(
            span is Span.ROLLING and 0 < abs(now - ordinal(at)) < TERMS for span, at in self._times
        )

    def had_some(self, of: Place) -> bool:
        """Whether one of the terms of a rolling place was published as 5 or more."""
        terms = (self._cells.get(one) for one in terms_of(of))
        return any(one is not None and one.value is not None and one.value > 0 for one in terms)
