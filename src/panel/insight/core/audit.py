"""The attack on everything ever published together. What it cannot finish is not safe.

Asked of each cell that may hold 1 to 4 children: how far apart can its true count be, given all
that was ever published and all rules? Less than 4 apart, and not sure to be none, is a finding.
Every solution of a linear programme is a possible truth for all cells at once, so each is a witness
for all of them: first random questions about all cells that are not proven yet, then, in a large
part, about a few cells at a time while all that is far from them stays, and only for what is left
two of its own (TRAPS.md: 1,208 programmes became 30; docs/adr/0044).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from panel.insight.core.model import Builder
from panel.insight.core.parts import Part, digest_of, parts, undivided
from panel.insight.core.programme import (
    NEAR,
    Impossible,
    Moving,
    NotSolved,
    Numbers,
    Programme,
    TimeIsUp,
    corrected,
)
from panel.insight.core.released import AuditResult, Finding, Release
from panel.insight.core.words import Period

LEAST_WIDTH = 4
"""A published 0 means 0 to 4: nobody may come to know more."""
_ROUNDS = 80
"""Random questions, before cells are asked about one by one."""
_SEED = 1
_STALLED = 4
"""Rounds without a cell proven, after which random questions are given up."""
_TO_MOVE = 3_000
"""Columns that move at a time."""
_TOGETHER = (1_000, 20)
"""Cells that are asked about together while little moves, in one pass after another."""
_MOVES = 8
"""Random questions, each and its opposite, about cells that move."""
_FEW_IN = 8
"""Of so many cells one may be open when moving takes over from asking about everything."""

Named = tuple[str, Period, tuple[str, ...]]


class Attack:
    """One part, asked again and again."""

    def __init__(self, part: Part, until: float) -> None:
        self.part, self.until, self.solves = part, until, 0
        at = part.places()
        self._columns = np.concatenate([at[one.columns] for one in part.targets])
        self._sizes = np.array([len(one.columns) for one in part.targets])
        self._starts = np.cumsum(self._sizes) - self._sizes
        self.low = np.full(len(part.targets), np.inf)
        self.high = np.full(len(part.targets), -np.inf)
        self._programme = Programme(part, until)
        self._named: Programme | None = None
        self._sum, self._answers = np.zeros(len(part.columns)), 0

    def ask(self, weights: Numbers) -> None:
        """Make the weighted sum of the cells as great as it can be, and look at all cells in it.

        NotSolved, TimeIsUp.
        """
        self.solves += 1
        found = self._programme.greatest(self._costs(weights))
        self._look_at(found)
        self._sum += found
        self._answers += 1

    def _costs(self, weights: Numbers) -> Numbers:
        spread = np.repeat(weights, self._sizes)
        return np.bincount(self._columns, spread, len(self.part.columns)).astype(np.float64)

    def _look_at(self, counts: Numbers) -> None:
        values = np.add.reduceat(counts[self._columns], self._starts)
        np.minimum(self.low, values, out=self.low)
        np.maximum(self.high, values, out=self.high)

    def open(self) -> NDArray[np.int64]:
        """The cells that are not proven yet to be far enough apart, or nobody's secret."""
        width = np.floor(self.high + NEAR) - np.ceil(self.low - NEAR)
        return np.flatnonzero(~((width >= LEAST_WIDTH) | self._no_secret()))

    def _no_secret(self) -> NDArray[np.bool_]:
        """The cells in which, by bounds alone, is nobody or are more than few."""
        least, most = self._ends()
        return (most < 1 - NEAR) | (least > LEAST_WIDTH + NEAR)

    def _ends(self) -> tuple[Numbers, Numbers]:
        """Of each cell what its columns' bounds alone leave: it is no less, and no more."""
        return (
            np.add.reduceat(self._programme.low[self._columns], self._starts),
            np.add.reduceat(self._programme.high[self._columns], self._starts),
        )

    def by_witnesses(self, few: int = 0) -> None:
        """Random questions about all open cells at once, until they prove nothing more.

        `few`: enough when no more cells are open.
        """
        chance = np.random.default_rng(_SEED)
        weights, stalled, before = np.zeros(0), 0, len(self.part.targets) + 1
        for round_number in range(_ROUNDS):
            left = self.open()
            if len(left) <= few or stalled >= _STALLED:
                return
            stalled = stalled + 1 if len(left) == before else 0
            before = len(left)
            # Each by chance, and then all the other way round: who is less makes room for who is
            # more, and a cell that had room goes to both its ends.
            if round_number % 2 == 0:
                weights = chance.normal(size=len(self.part.targets))
            self.ask(self._turned(weights * (-1) ** round_number, left))

    def _turned(self, weights: Numbers, some: NDArray[np.int64]) -> Numbers:
        """Weights of some cells alone, and of a cell that was at one of its ends for the other."""
        least, most = self._ends()
        asked = np.zeros(len(weights))
        asked[some] = weights[some]
        was_least = self.low < least + NEAR
        was_most = self.high > most - NEAR
        only_up, only_down = was_least & ~was_most, was_most & ~was_least
        asked[only_up] = np.abs(asked[only_up])
        asked[only_down] = -np.abs(asked[only_down])
        return asked

    def by_moving(self) -> None:
        """Questions about some open cells at a time, in which only what is near them moves.

        All else stays in the middle of the answers known, which is an answer too, since between
        two truths there is room for a third. Only for programmes so large that this is less work.
        What is open then is asked from answer to answer.
        """
        if not self._programme.by_points or not self._answers:
            return
        chance = np.random.default_rng(_SEED)
        middle = self._sum / self._answers
        for together in _TOGETHER:
            left = self.open()
            while len(left):
                some, free = self._near(left, together)
                left = np.setdiff1d(left, some)
                self._move(some, self._programme.moving(free, middle), chance)
        self._programme.by_vertices()

    def _move(self, some: NDArray[np.int64], moving: Moving, chance: np.random.Generator) -> None:
        for _ in range(_MOVES if len(some) > 1 else 1):
            weights = np.zeros(len(self.part.targets))
            weights[some] = chance.normal(size=len(some))
            for sign in (1, -1):
                self.solves += 1
                asked = self._turned(sign * weights, some)
                self._look_at(moving.greatest(self._costs(asked)))
            some = np.intersect1d(some, self.open())
            if not len(some):
                return

    def _near(
        self, left: NDArray[np.int64], together: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first of these cells, as many as hang on few counts, and as many counts near them."""
        left = left[:together]
        while True:
            ends = self._starts[left] + self._sizes[left]
            own = [self._columns[a:b] for a, b in zip(self._starts[left], ends, strict=True)]
            free = self._programme.near(np.concatenate(own).astype(np.int64))
            if len(free) <= _TO_MOVE or len(left) == 1:
                break
            left = left[: (len(left) + 1) // 2]
        further = self._programme.near(free)
        return left, further if len(further) <= _TO_MOVE else free

    def one_by_one(self) -> list[Finding]:
        """The bounds of each cell that is still open; those too narrow are findings."""
        found = []
        while len(left := self.open()):
            at = int(left[0])
            weights = np.zeros(len(self.part.targets))
            for sign in (1, -1):
                weights[at] = sign
                self.ask(weights)
            if at in self.open():
                finding = self._finding(at)
                if finding is not None:
                    found.append(finding)
                self.low[at], self.high[at] = -np.inf, np.inf
        return found

    def _finding(self, at: int) -> Finding | None:
        low, high = ceil(self.low[at] - NEAR), floor(self.high[at] + NEAR)
        if high < 1 or low > LEAST_WIDTH:
            return None
        cell, by = self.part.targets[at], self._narrowing(at)
        return Finding(
            cell.table, cell.period, cell.cell, Fraction(low), Fraction(high), tuple(sorted(by))
        )

    def _narrowing(self, at: int) -> Iterable[str]:
        """The tables without which a cell would not be so narrow."""
        if self._named is None:
            self._named = Programme(self.part, self.until, exactly=True)
        weights, by = np.zeros(len(self.part.targets)), set[str]()
        for sign in (1, -1):
            weights[at] = sign
            self.solves += 1
            self._look_at(self._named.greatest(self._costs(weights)))
            by |= self._named.held_by()
        return by


def audit(
    releases: Sequence[Release], *, until: float, proven: Collection[str] = ()
) -> AuditResult:
    """Attack all releases together with all they publish. `until`: of time.monotonic().

    `proven`: digests of parts that an audit found safe before (`AuditResult.proven`): a part that
    is the same to the last row is not asked about again. TooBig, Contradicts: the model cannot be
    made. What is not solved to an optimum is unfinished, and what is unfinished is not safe.
    """
    return _asked(parts(Builder(releases).build()), until, proven)


def audit_at_once(releases: Sequence[Release], *, until: float) -> AuditResult:
    """As `audit`, but everything in one programme, to hold `audit` against. Slower."""
    return _asked(undivided(Builder(releases).build()), until, ())


def _asked(every: Iterable[Part], until: float, proven: Collection[str]) -> AuditResult:
    began = monotonic()
    asked: set[Named] = set()
    found: dict[Named, Finding] = {}
    safe: list[str] = []
    solves = unfinished = kept = loosened = 0
    for part in every:
        cells = {(one.table, one.period, one.cell) for one in part.targets}
        asked |= cells
        digest = digest_of(part)
        if digest in proven:
            kept += len(cells)
            safe.append(digest)
            continue
        one = _answered(part, until)
        found |= {(each.table, each.period, each.cell): each for each in one.findings}
        solves, unfinished = solves + one.solves, unfinished + one.unfinished
        loosened += one.corrected
        if not one.findings and not one.unfinished:
            safe.append(digest)
    return AuditResult(
        safe=not found and not unfinished,
        findings=tuple(found[one] for one in sorted(found)),
        cells=len(asked),
        solves=solves,
        seconds=monotonic() - began,
        unfinished=unfinished,
        proven=tuple(safe),
        kept=kept,
        corrected=loosened,
    )


@dataclass
class _Answer:
    """What came of one part."""

    findings: list[Finding] = field(default_factory=list)
    solves: int = 0
    unfinished: int = 0
    corrected: int = 0


def _answered(part: Part, until: float) -> _Answer:
    """Attack it; what contradicts itself only by what was corrected, without that."""
    said = _Answer()
    try:
        try:
            _attack(part, until, said)
        except Impossible:
            loosened, said.corrected = corrected(part, until)
            said.solves += 1
            _attack(loosened, until, said)
    except (NotSolved, TimeIsUp):
        said.unfinished = max(1, said.unfinished)
    return said


def _attack(part: Part, until: float, said: _Answer) -> None:
    said.unfinished = len(part.targets)
    attack = Attack(part, until)
    try:
        attack.by_witnesses(few=len(part.targets) // _FEW_IN)
        attack.by_moving()
        attack.by_witnesses()
        said.findings += attack.one_by_one()
    finally:
        said.solves += attack.solves
        said.unfinished = len(attack.open())
