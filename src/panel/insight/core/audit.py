"""The attack on everything ever published together. What it cannot finish is not safe.

Asked of each cell that may hold 1 to 4 children: how far apart can its true count be, given all
that was ever published and all rules? Less than 4 apart, and not sure to be none, is a finding.
Every solution of a linear programme is a possible truth for all cells at once, so each is a witness
for all of them: first random questions about all cells that are not proven yet, and only for what
is left two of its own (TRAPS.md: 1,208 programmes became 30).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from math import ceil, floor
from time import monotonic

import highspy
import numpy as np
from numpy.typing import NDArray

from panel.insight.core.counts_block import Row
from panel.insight.core.model import MOST, BlockKey, Builder, Model, Target, blocks_of
from panel.insight.core.released import AuditResult, Finding, Release
from panel.insight.core.solver import Silent
from panel.insight.core.words import Period, Span, window

LEAST_WIDTH = 4
"""A published 0 means 0 to 4: nobody may come to know more."""
_NEAR = 1e-6
_ROUNDS = 80
"""Random questions, before cells are asked about one by one."""
_SEED = 1
_BIG = 8_000
"""Columns from which on interior points are faster than vertices: measured, at 20,000 columns 13 s
for one question against 88 s."""
_STALLED = 4
"""Rounds without a cell proven, after which random questions are given up."""

Numbers = NDArray[np.float64]


class NotSolved(Exception):
    """A programme came to no optimum: nothing may be concluded from it."""


class TimeIsUp(Exception):
    """The audit was not finished in the time that it had."""


@dataclass
class Part:
    """Columns that hang together, and nothing outside hangs on them."""

    columns: NDArray[np.int64]
    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)


def parts(model: Model) -> list[Part]:
    """The model, taken apart where nothing connects it; only parts with cells to ask about."""
    targets = [one for one in model.targets if len(one.columns)]
    joined = [np.concatenate((row.plus, row.minus)) for row in model.rows]
    of = _connected(model.columns, [*joined, *(one.columns for one in targets)])
    found: dict[int, Part] = {}
    for one in targets:
        root = int(of[one.columns[0]])
        if root not in found:
            found[root] = Part(np.flatnonzero(of == root))
        found[root].targets.append(one)
    for row, columns in zip(model.rows, joined, strict=True):
        if len(columns) and (part := found.get(int(of[columns[0]]))) is not None:
            part.rows.append(row)
    return [found[root] for root in sorted(found)]


def _connected(count: int, together: Sequence[NDArray[np.int32]]) -> NDArray[np.int64]:
    """For each column the least column that it hangs together with."""
    of = np.arange(count)
    kept = [one for one in together if len(one)]
    if not kept:
        return of
    sizes = np.array([len(one) for one in kept])
    joined, starts = np.concatenate(kept), np.cumsum(sizes) - sizes
    while True:
        before = of.copy()
        least = np.minimum.reduceat(of[joined], starts)
        np.minimum.at(of, joined, np.repeat(least, sizes))
        of = of[of]
        if np.array_equal(before, of):
            return of


class Attack:
    """One part as a linear programme, asked again and again."""

    def __init__(self, part: Part, until: float) -> None:
        self.part, self.until, self.solves = part, until, 0
        at = np.full(int(part.columns.max()) + 1, -1, dtype=np.int32)
        at[part.columns] = np.arange(len(part.columns), dtype=np.int32)
        self._columns = np.concatenate([at[one.columns] for one in part.targets])
        sizes = np.array([len(one.columns) for one in part.targets])
        self._starts = np.cumsum(sizes) - sizes
        self._sizes = sizes
        self.low = np.full(len(part.targets), np.inf)
        self.high = np.full(len(part.targets), -np.inf)
        self._solver = _solver_of(part, at)

    def ask(self, weights: Numbers) -> None:
        """Make the weighted sum of the cells as great as it can be, and look at all cells in it.

        NotSolved, TimeIsUp.
        """
        left = self.until - monotonic()
        if left <= 0:
            raise TimeIsUp
        solver, count = self._solver, len(self.part.columns)
        costs = np.zeros(count)
        np.add.at(costs, self._columns, np.repeat(weights, self._sizes))
        solver.changeColsCost(count, np.arange(count, dtype=np.int32), costs)
        solver.setOptionValue("time_limit", solver.getRunTime() + left)
        solver.run()
        self.solves += 1
        status = solver.getModelStatus()
        if status == highspy.HighsModelStatus.kTimeLimit:
            raise TimeIsUp
        if status != highspy.HighsModelStatus.kOptimal:
            raise NotSolved(solver.modelStatusToString(status))
        found = np.array(solver.getSolution().col_value)
        values = np.add.reduceat(found[self._columns], self._starts)
        np.minimum(self.low, values, out=self.low)
        np.maximum(self.high, values, out=self.high)

    def narrowing(self) -> set[str]:
        """The tables without which the last answer would have been another."""
        duals = np.array(self._solver.getSolution().row_dual)
        rows = self.part.rows
        return {name for at in np.flatnonzero(np.abs(duals) > _NEAR) for name in rows[at].tables}

    def open(self) -> NDArray[np.int64]:
        """The cells that are not proven yet to be far enough apart."""
        width = np.floor(self.high + _NEAR) - np.ceil(self.low - _NEAR)
        return np.flatnonzero(~(width >= LEAST_WIDTH))

    def by_witnesses(self) -> None:
        """Random questions about all open cells at once, until they prove nothing more."""
        chance = np.random.default_rng(_SEED)
        stalled, before = 0, len(self.part.targets)
        for round_number in range(_ROUNDS):
            left = self.open()
            stalled = stalled + 1 if round_number > 1 and len(left) == before else 0
            if not len(left) or stalled >= _STALLED:
                return
            before = len(left)
            weights = np.zeros(len(self.part.targets))
            # All up, all down, and then each by chance: who is less makes room for who is more.
            weights[left] = (
                (1, -1)[round_number] if round_number < 2 else chance.normal(size=len(left))
            )
            self.ask(weights)

    def one_by_one(self) -> list[Finding]:
        """The bounds of each cell that is still open; those too narrow are findings."""
        found = []
        while len(left := self.open()):
            at = int(left[0])
            weights = np.zeros(len(self.part.targets))
            by: set[str] = set()
            for sign in (1, -1):
                weights[at] = sign
                self.ask(weights)
                by |= self.narrowing()
            if at in self.open():
                finding = self._finding(at, by)
                if finding is not None:
                    found.append(finding)
                self.low[at], self.high[at] = -np.inf, np.inf
        return found

    def _finding(self, at: int, by: Iterable[str]) -> Finding | None:
        low, high = ceil(self.low[at] - _NEAR), floor(self.high[at] + _NEAR)
        if high < 1 or low > LEAST_WIDTH:
            return None
        cell = self.part.targets[at]
        return Finding(
            cell.table, cell.period, cell.cell, Fraction(low), Fraction(high), tuple(sorted(by))
        )


def _solver_of(part: Part, at: NDArray[np.int32]) -> highspy.Highs:
    solver = Silent()
    lp = highspy.HighsLp()
    columns = len(part.columns)
    lp.num_col_, lp.num_row_ = columns, len(part.rows)
    lp.col_cost_ = np.zeros(columns)
    lp.col_lower_ = np.zeros(columns)
    lp.col_upper_ = np.full(columns, float(MOST))
    lp.row_lower_ = np.array([row.low for row in part.rows], dtype=np.float64)
    lp.row_upper_ = np.array([row.high for row in part.rows], dtype=np.float64)
    index: list[NDArray[np.int32]] = []
    value: list[Numbers] = []
    starts = [0]
    if columns > _BIG:
        solver.setOptionValue("solver", "ipm")
        solver.setOptionValue("run_crossover", "off")
    for row in part.rows:
        index += [at[row.plus], at[row.minus]]
        value += [np.ones(len(row.plus)), -np.ones(len(row.minus))]
        starts.append(starts[-1] + len(row.plus) + len(row.minus))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.array(starts, dtype=np.int32)
    lp.a_matrix_.index_ = np.concatenate(index) if index else np.zeros(0, dtype=np.int32)
    lp.a_matrix_.value_ = np.concatenate(value) if value else np.zeros(0)
    lp.sense_ = highspy.ObjSense.kMaximize
    if solver.passModel(lp) == highspy.HighsStatus.kError:
        raise NotSolved("The model was not understood")
    return solver


def audit(releases: Sequence[Release], *, until: float, about: Period | None = None) -> AuditResult:
    """Attack all releases together with all they publish. `until`: of time.monotonic().

    `about`: only what hangs together with this term; the rest is as it was when it was asked about
    before. TooBig, Contradicts: the model cannot be made. What is not solved to an optimum is
    unfinished, and what is unfinished is not safe.
    """
    pieces = [
        one for one in pieces_of(releases) if about is None or any(k.period == about for k in one)
    ]
    return _asked(releases, pieces, until)


def audit_at_once(releases: Sequence[Release], *, until: float) -> AuditResult:
    """As `audit`, but everything in one model: no row is left out between its pieces.

    Many times slower: at eight terms one question took three minutes.
    """
    every = frozenset(chain.from_iterable(pieces_of(releases)))
    return _asked(releases, [every], until)


def pieces_of(releases: Sequence[Release]) -> list[frozenset[BlockKey]]:
    """What is asked about together: a term; all that is counted over the same three terms; and of
    one universe these three terms each and together. Every row is in a piece, and a cell is asked
    about in each piece that it is in."""
    keys = blocks_of(releases)
    together: dict[tuple[str, ...], set[BlockKey]] = {}
    for key in keys:
        together.setdefault((key.span, key.period), set()).add(key)
        if key.span is Span.ROLLING:
            terms = {BlockKey(key.universe, Span.TERM, one) for one in window(key.period)}
            together[key.universe, key.period] = {key, *(terms & keys)}
    return [frozenset(together[name]) for name in sorted(together)]


def _asked(
    releases: Sequence[Release], pieces: Iterable[frozenset[BlockKey]], until: float
) -> AuditResult:
    began = monotonic()
    found: dict[tuple[str, Period, tuple[str, ...]], Finding] = {}
    asked: set[tuple[str, Period, tuple[str, ...]]] = set()
    solves = unfinished = 0
    for piece in pieces:
        model = Builder(releases, piece).build()
        asked |= {(one.table, one.period, one.cell) for one in model.targets}
        for part in parts(model):
            attack = Attack(part, until)
            try:
                attack.by_witnesses()
                for one in attack.one_by_one():
                    found[one.table, one.period, one.cell] = one
            except (TimeIsUp, NotSolved):
                unfinished += max(1, len(attack.open()))
            solves += attack.solves
    return AuditResult(
        safe=not found and not unfinished,
        findings=tuple(found[one] for one in sorted(found)),
        cells=len(asked),
        solves=solves,
        seconds=monotonic() - began,
        unfinished=unfinished,
    )
