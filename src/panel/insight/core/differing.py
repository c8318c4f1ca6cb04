"""What follows from the same children giving the same figure everywhere.

A figure hangs on who is counted and on nothing else. So of two cells one within the other that
show different figures, the outer one has at least one child more: a row like all others. Two cells
of which neither is within the other, the same cell of two terms too, may differ by anybody who came
or left, and that is no linear row (docs/adr/0044).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from panel.insight.core.counts_block import INFINITE, Columns, Row
from panel.insight.core.nesting import Links, parents, terms_of
from panel.insight.core.places import Grid, Place
from panel.insight.core.ptable import LEAST


@dataclass(frozen=True, slots=True)
class Shown:
    """A published count, and the columns that it is the sum of."""

    value: int
    columns: Columns
    clusters: Mapping[str, str]


def rows_of(shown: Mapping[Place, Shown], links: Links) -> Iterator[Row]:
    """For each cell a row for each of the next coarser ones that show another figure.

    Further out nothing has to be said: who has more than a cell between has more than the cell.
    """
    for inner, one in shown.items():
        numbers = numbers_of(inner, one.value, shown)
        waiting, seen = [*parents(inner, Grid(one.clusters), links)], set[Place]()
        while waiting:
            outer = waiting.pop()
            if outer in seen:
                continue
            seen.add(outer)
            other = shown.get(outer)
            if other is None:
                waiting += parents(outer, Grid(one.clusters), links)
            elif not numbers & numbers_of(outer, other.value, shown):
                past = inner.period != outer.period
                yield Row(other.columns, one.columns, 1, INFINITE, past=past)


def numbers_of(of: Place, value: int, shown: Mapping[Place, Shown]) -> frozenset[int]:
    """The figures that the children of a cell may give: a 5 over three terms may be a 0 that was
    raised, since one of the terms shows some (docs/adr/0042)."""
    if value == LEAST and any((term := shown.get(one)) and term.value for one in terms_of(of)):
        return frozenset((0, value))
    return frozenset((value,))
