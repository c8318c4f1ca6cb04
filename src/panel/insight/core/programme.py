"""A part of the model as a linear programme that is asked many times.

Before it is asked anything it is made smaller without changing what solves it: what is said of one
column is a bound of it, the same row said twice is one, bounds are drawn in as far as each row
alone forces them, and rows that the bounds hold anyway are left out. So the columns of small cells
keep the bounds that were published, and of eight terms half of the rows are left.
"""

from dataclasses import dataclass
from time import monotonic

import highspy
import numpy as np
from numpy.typing import NDArray

from panel.insight.core.counts_block import Row
from panel.insight.core.parts import Part
from panel.insight.core.solver import Silent

Numbers = NDArray[np.float64]
Places = NDArray[np.int32]

MOST = 1_000_000
"""More children than any count: a bound, so that no question to the model is without an end."""
NEAR = 1e-6
_KEPT = 1e-5
"""How far from a row an answer may be, for each child that the row is about, and one more."""
_BIG = 8_000
"""Columns from which on interior points are faster than vertices: measured, with 13,000 columns
1.4 s for one question, where vertices took more than 9. Below, each answer is the start of the next
question, with its costs alone changed: 0.1 s instead of 0.3."""
_BY_COSTS = 4
"""The simplex method that goes on from an answer when costs change (HiGHS: primal)."""
_ROUNDS = 50
_NONE_FITS = (
    highspy.HighsModelStatus.kInfeasible,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
)


class NotSolved(Exception):
    """A programme came to no optimum: nothing may be concluded from it."""


class Impossible(NotSolved):
    """No counts at all fit what was published."""


class TimeIsUp(Exception):
    """The audit was not finished in the time that it had."""


class Programme:
    """Bounds of columns and rows over them, and the solver that has them.

    `exactly`: nothing is drawn in or left out, and every answer is a vertex, so that it can be said
    which rows hold it. Slower. Impossible: bounds cross.
    """

    def __init__(self, part: Part, until: float, *, exactly: bool = False) -> None:
        self.until, self.count = until, len(part.columns)
        self._vertices = False
        self._read(part)
        self.low: Numbers = self.least
        self.high: Numbers = self.most
        if not exactly:
            self.low, self.high = self._drawn_in()
        kept = np.arange(len(self._rows)) if exactly else self._needed()
        self._kept = kept
        self._solver = self._solver_of(kept, exactly=exactly)

    def _read(self, part: Part) -> None:
        at = part.places()
        self.least, self.most = np.zeros(self.count), np.full(self.count, float(MOST))
        self._of_column: dict[int, set[str]] = {}
        rows: dict[tuple[bytes, bytes], tuple[Places, Places, float, float, set[str]]] = {}
        for row in part.rows:
            plus, minus = _apart(at[row.plus], at[row.minus])
            if len(plus) == 1 and not len(minus):
                column = int(plus[0])
                self.least[column] = max(self.least[column], row.low)
                self.most[column] = min(self.most[column], row.high)
                self._of_column.setdefault(column, set()).update(row.tables)
                continue
            if not len(plus) and not len(minus):
                if row.low > 0 or row.high < 0:
                    raise Impossible("A cell is more than itself")
                continue
            key = plus.tobytes(), minus.tobytes()
            if (there := rows.get(key)) is None:
                rows[key] = plus, minus, row.low, row.high, set(row.tables)
            else:
                _, _, low, high, tables = there
                merged = tables | {*row.tables}
                rows[key] = plus, minus, max(low, row.low), min(high, row.high), merged
        found = list(rows.values())
        self._rows = [tables for *_, tables in found]
        plus_of, minus_of = [one[0] for one in found], [one[1] for one in found]
        sizes = np.array([len(a) + len(b) for a, b in zip(plus_of, minus_of, strict=True)], int)
        self._ends = np.concatenate(([0], np.cumsum(sizes)))
        pairs = [one for both in zip(plus_of, minus_of, strict=True) for one in both]
        self._index = np.concatenate(pairs) if pairs else np.zeros(0, dtype=np.int32)
        signs = np.tile([1.0, -1.0], len(found))
        self._value = np.repeat(signs, [len(one) for one in pairs])
        self._of = np.repeat(np.arange(len(found)), sizes)
        self._low = np.array([one[2] for one in found], dtype=np.float64)
        self._high = np.array([one[3] for one in found], dtype=np.float64)

    def _ranges(self, low: Numbers, high: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Of each entry of a row the least and the greatest, and of each row."""
        up = self._value > 0
        least = np.where(up, low[self._index], -high[self._index])
        most = np.where(up, high[self._index], -low[self._index])
        count = len(self._rows)
        return (
            least,
            most,
            np.bincount(self._of, least, count).astype(np.float64),
            np.bincount(self._of, most, count).astype(np.float64),
        )

    def _drawn_in(self) -> tuple[Numbers, Numbers]:
        """Bounds as narrow as each row, with the bounds of the others in it, makes them."""
        low, high, up = self.least.copy(), self.most.copy(), self._value > 0
        for _ in range(_ROUNDS):
            least, most, from_, to = self._ranges(low, high)
            # What is left of a row for one entry, when all others are as small or great as can be.
            room = (self._high - from_)[self._of] + least
            need = (self._low - to)[self._of] + most
            before = low.copy(), high.copy()
            np.minimum.at(high, self._index[up], room[up])
            np.maximum.at(low, self._index[up], need[up])
            np.minimum.at(high, self._index[~up], -need[~up])
            np.maximum.at(low, self._index[~up], -room[~up])
            if (low > high + NEAR).any():
                raise Impossible("What was published contradicts itself")
            if np.allclose(before[0], low) and np.allclose(before[1], high):
                break
        return low, np.maximum(low, high)

    def _needed(self) -> NDArray[np.int64]:
        """The rows that bounds alone do not hold."""
        _, _, from_, to = self._ranges(self.low, self.high)
        held = (from_ >= self._low - NEAR / 10) & (to <= self._high + NEAR / 10)
        return np.flatnonzero(~held)

    def _solver_of(self, kept: NDArray[np.int64], *, exactly: bool) -> Silent:
        entries = np.isin(self._of, kept)
        lp = _linear(self.low, self.high, self._low[kept], self._high[kept])
        sizes = np.diff(self._ends)[kept]
        lp.a_matrix_.start_ = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
        lp.a_matrix_.index_ = self._index[entries]
        lp.a_matrix_.value_ = self._value[entries]
        solver = _loaded(lp)
        if self.by_points:
            solver.setOptionValue("solver", "ipm")
            solver.setOptionValue("run_crossover", "on" if exactly else "off")
        return solver

    def by_vertices(self) -> None:
        """From now on go from vertex to vertex: less work once few cells are left to ask about."""
        self._vertices = True

    @property
    def by_points(self) -> bool:
        """Whether it is so large that each question costs the same, however little it asks."""
        return self.count > _BIG

    def greatest(self, costs: Numbers) -> Numbers:
        """Counts that fit everything and make their weighted sum as great as it can be.

        NotSolved: also where the answer, gone through row by row, does not fit. TimeIsUp.
        """
        if self._vertices and self.by_points:
            # The first answer is by points still, and then moved to a vertex to go on from.
            self._solver.setOptionValue("run_crossover", "on")
        found = self.fits(_greatest(self._solver, costs, self.until))
        if self._vertices:
            self._solver.setOptionValue("solver", "simplex")
        return found

    def fits(self, found: Numbers) -> Numbers:
        """The answer, gone through row by row. NotSolved: it does not fit."""
        if not self.holds(found):
            raise NotSolved("An answer does not fit what was published")
        return found

    def near(self, columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """These columns and all that a row has together with one of them."""
        chosen = np.zeros(self.count, dtype=bool)
        chosen[columns] = True
        rows = np.zeros(len(self._rows), dtype=bool)
        rows[self._of[chosen[self._index]]] = True
        needed = np.zeros(len(self._rows), dtype=bool)
        needed[self._kept] = True
        chosen[self._index[(rows & needed)[self._of]]] = True
        return np.flatnonzero(chosen)

    def moving(self, free: NDArray[np.int64], around: Numbers) -> "Moving":
        """The programme in which all but some columns stay as they are in an answer."""
        at = np.full(self.count, -1, dtype=np.int32)
        at[free] = np.arange(len(free), dtype=np.int32)
        entries = (at[self._index] >= 0) & np.isin(self._of, self._kept)
        rows, of = np.unique(self._of[entries], return_inverse=True)
        sums = np.bincount(self._of, self._value * around[self._index], len(self._rows))[rows]
        own = np.bincount(of, self._value[entries] * around[self._index[entries]], len(rows))
        # What the answer itself lacks by rounding is no row's fault.
        low = np.minimum(self._low[rows], sums) - (sums - own)
        high = np.maximum(self._high[rows], sums) - (sums - own)
        lp = _linear(
            np.minimum(self.low, around)[free], np.maximum(self.high, around)[free], low, high
        )
        ends = np.cumsum(np.bincount(of, minlength=len(rows)))
        lp.a_matrix_.start_ = np.concatenate(([0], ends)).astype(np.int32)
        lp.a_matrix_.index_ = at[self._index[entries]]
        lp.a_matrix_.value_ = self._value[entries]
        return Moving(self, free, around, _loaded(lp))

    def holds(self, counts: Numbers) -> bool:
        """Whether counts fit every bound and row as they were said, none left out."""
        sums = np.bincount(self._of, self._value * counts[self._index], len(self._rows))
        about = 1 + np.bincount(self._of, np.abs(counts[self._index]), len(self._rows))
        return bool(
            (counts >= self.least - _KEPT).all()
            and (counts <= self.most + _KEPT).all()
            and (sums >= self._low - _KEPT * about).all()
            and (sums <= self._high + _KEPT * about).all()
        )

    def held_by(self) -> set[str]:
        """The tables without which the last answer would have been another."""
        solution = self._solver.getSolution()
        found: set[str] = set()
        for at in np.flatnonzero(np.abs(np.array(solution.row_dual)) > NEAR):
            found |= self._rows[int(self._kept[at])]
        for column in np.flatnonzero(np.abs(np.array(solution.col_dual)) > NEAR):
            found |= self._of_column.get(int(column), set())
        return found


@dataclass(frozen=True, slots=True)
class Moving:
    """Answers to a programme that are an answer known before but for some columns."""

    whole: Programme
    free: NDArray[np.int64]
    around: Numbers
    solver: Silent

    def greatest(self, costs: Numbers) -> Numbers:
        """As `Programme.greatest`, among these answers alone."""
        found = self.around.copy()
        found[self.free] = _greatest(self.solver, costs[self.free], self.whole.until)
        return self.whole.fits(found)


def _linear(low: Numbers, high: Numbers, least: Numbers, most: Numbers) -> highspy.HighsLp:
    """A programme of columns and rows with these bounds, without what is in the rows yet."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(low), len(least)
    lp.col_cost_ = np.zeros(len(low))
    lp.col_lower_, lp.col_upper_ = low, high
    lp.row_lower_, lp.row_upper_ = least, most
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.sense_ = highspy.ObjSense.kMaximize
    return lp


def _loaded(lp: highspy.HighsLp) -> Silent:
    solver = Silent()
    solver.setOptionValue("simplex_strategy", _BY_COSTS)
    if solver.passModel(lp) == highspy.HighsStatus.kError:
        raise NotSolved("The model was not understood")
    return solver


def _greatest(solver: Silent, costs: Numbers, until: float) -> Numbers:
    left = until - monotonic()
    if left <= 0:
        raise TimeIsUp
    solver.changeColsCost(len(costs), np.arange(len(costs), dtype=np.int32), costs)
    solver.setOptionValue("time_limit", solver.getRunTime() + left)
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kTimeLimit:
        raise TimeIsUp
    if status in _NONE_FITS:
        raise Impossible(solver.modelStatusToString(status))
    if status != highspy.HighsModelStatus.kOptimal:
        raise NotSolved(solver.modelStatusToString(status))
    return np.array(solver.getSolution().col_value)


def _apart(plus: Places, minus: Places) -> tuple[Places, Places]:
    """The columns of both sides without those that are on both."""
    if not len(minus):
        return plus, minus
    both = np.intersect1d(plus, minus)
    if not len(both):
        return plus, minus
    return plus[~np.isin(plus, both)], minus[~np.isin(minus, both)]


def corrected(part: Part, until: float) -> tuple[Part, int]:
    """The part without those rows between releases that cannot all hold, and how many they are.

    What was published of a term stays as it was, while three terms are counted by what is known
    later. So they may contradict each other, and then whoever reads both knows that something was
    corrected, and not what. Left out are the rows that the least sum of corrections breaks.
    NotSolved: there is a contradiction without any of them, or there is none. TimeIsUp.
    """
    past = [number for number, row in enumerate(part.rows) if row.past]
    if not past:
        raise Impossible("What was published contradicts itself")
    first = int(part.columns.max()) + 1
    rows = list(part.rows)
    for at, number in enumerate(past):
        row = rows[number]
        more = np.array([first + at], dtype=np.int32)
        rows[number] = Row(np.concatenate((row.plus, more)), row.minus, row.low, row.high)
    columns = np.concatenate((part.columns, np.arange(first, first + len(past))))
    programme = Programme(Part(columns, rows), until, exactly=True)
    costs = np.zeros(len(columns))
    costs[len(part.columns) :] = -1
    by = programme.greatest(costs)[len(part.columns) :]
    broken = {number for number, much in zip(past, by, strict=True) if much > NEAR}
    if not broken:
        raise NotSolved("No contradiction was found, and no answer")
    kept = [row for number, row in enumerate(part.rows) if number not in broken]
    return Part(part.columns, kept, part.targets), len(broken)
