"""A table whose parts add up, for where one is demanded: made of the published table alone.

Each figure is the multiple of five that lies nearest to the published one, all together, such that
parts add up to their wholes. It is worked out from what is published and nothing else, so whoever
has the published table could do it as well, and it tells nothing more. What it costs: a figure may
be further from the truth than five.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import highspy

from panel.insight.core.cells import ProtectedTable, counted
from panel.insight.core.dimensions import whole_grid
from panel.insight.core.places import Grid
from panel.insight.core.ptable import ROUND_TO
from panel.insight.core.solver import Silent
from panel.insight.core.table import CellId, TableDef
from panel.insight.core.words import EVERY


class NotSolved(RuntimeError):
    """The table could not be worked out; nothing of it is published."""


def additive(table: TableDef, grid: Grid, published: ProtectedTable) -> ProtectedTable:
    """The table that adds up and is nearest to `published`, of two dimensions.

    A cell that is not shown in the published table counts as a 0, which it is most often; its
    share of the wholes goes where it costs least. NotSolved: the solver found no exact answer.
    ValueError: another number of dimensions than two.
    """
    every = tuple(whole_grid(table, grid))
    if len(table.dims) != 2:
        raise ValueError(f"{table.key} has not two dimensions")
    said = {one.cell: one.value for one in published.cells}
    inner = [cell for cell in every if EVERY not in cell]
    found = dict(zip(inner, _nearest(inner, every, said), strict=True))
    return ProtectedTable(
        table.key,
        published.period,
        tuple(
            counted(cell, sum(found[one] for one in inner if _is_in(one, cell))) for cell in every
        ),
    )


def _is_in(part: CellId, whole: CellId) -> bool:
    return all(code in {own, EVERY} for own, code in zip(part, whole, strict=True))


def _nearest(
    inner: Sequence[CellId], every: Sequence[CellId], said: Mapping[CellId, Decimal | None]
) -> list[int]:
    """The inner figures with the least sum of distances of all figures from the published ones.

    The rows of the whole table are two nested families of sums, one by each dimension, so that the
    problem is a flow in a network: with whole numbers of fives on the right every corner of it, and
    so what the simplex method finds, is in whole numbers.
    """
    solver = Silent()
    solver.setOptionValue("solver", "simplex")
    infinite = highspy.kHighsInf
    for _ in inner:
        solver.addVar(0.0, infinite)
    for cell in every:
        value = said[cell]
        if value is None and cell not in inner:
            continue  # a whole that is not shown pulls nowhere
        over, under = solver.getNumCol(), solver.getNumCol() + 1
        for column in (over, under):
            solver.addVar(0.0, infinite)
            solver.changeColCost(column, 1.0)
        of = [at for at, one in enumerate(inner) if _is_in(one, cell)]
        target = float((value or 0) / ROUND_TO)
        solver.addRow(
            target, target, len(of) + 2, [*of, over, under], [*(1.0 for _ in of), -1.0, 1.0]
        )
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise NotSolved("The table that adds up was not found")
    fives = list(solver.getSolution().col_value)[: len(inner)]
    if any(abs(one - round(one)) > 1e-6 for one in fives):
        raise NotSolved("The table that adds up is not in whole fives")
    return [round(one) * ROUND_TO for one in fives]
