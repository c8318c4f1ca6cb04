"""The attack: how closely everything published together bounds each count, by linear programming.

Written from the published rules alone. What a published number says of the true count:

- 0 stands for 0 to 4; 5 for 1 to 10; any other number for itself, 5 more or 5 less.
- The same children always give the same number. So where one cell lies within another and they
  show different numbers, the outer one has at least one child more.
- A ward is left out where fewer than 30 known children are published: it has 30 at most.
- A cell is left out under a coarser one that shows 0. Left out though every coarser cell shows 5 or
  more, it is left out for what would be a 0 elsewhere: it has 4 at most.
- Three terms show 5 at least where one of them was published with 5 or more: such a 5 may be a 0
  made greater, and then stands for 0 to 10.

Counts of a dimension in which a child has one code (its ward at the end of the term) add up; where a
child can have several (kinds of service, or anything over three terms), the whole is at least the
greatest part and at most their sum.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, NamedTuple, TypeAlias

import highspy
import numpy as np
from numpy.typing import NDArray

from tests.insight.attack.folder import Codes, TableSeen

MOST_PER_CELL: Final = 20_000.0
WIDE_ENOUGH: Final = 4
ALMOST: Final = 1e-6
OPTIONS: Final[Mapping[str, bool | int]] = {
    "output_flag": False,
    "threads": 1,
    "simplex_strategy": 4,  # primal: another objective leaves the last solution feasible
}
ALL: Final = "*"
"""Stands for all codes of a dimension, and for the whole authority."""
LEVELS: Final = ("authority", "cluster", "ward")
MOST_OF_A_SMALL_WARD: Final = 30
AREA_NOTE: Final = "area too small"
COARSER_NOTE: Final = "see the coarser table"
SEASONS: Final = ("spring", "summer", "autumn")
"""The terms of a year."""
LASTING: Final = frozenset({"sex", "ethnicity"})
"""Dimensions of which the attacker takes a child to have the same code in every term."""
OF_THE_CHILD: Final = frozenset({"age", "sex", "ethnicity"})
"""Dimensions that mean the same of a child, whatever is counted."""


class Grain(NamedTuple):
    """What a set of cells is broken down by, and how finely: one node of the nesting."""

    counts: str
    period: str
    span: str
    level: str
    """The area's level; `authority` where there is no area among the dimensions."""
    dims: tuple[str, ...]
    """Without the area; sorted."""

    def is_within(self, coarse: "Grain") -> bool:
        """Whether each cell of this grain lies within one cell of the coarser."""
        return (
            (self.counts, self.period, self.span) == (coarse.counts, coarse.period, coarse.span)
            and self != coarse
            and set(coarse.dims) <= set(self.dims)
            and LEVELS.index(coarse.level) <= LEVELS.index(self.level)
        )

    def more_than(self, coarse: "Grain") -> set[str]:
        """The dimensions by which it is finer than the coarser grain."""
        more = set(self.dims) - set(coarse.dims)
        return more | {"area"} if self.level != coarse.level else more


Place: TypeAlias = tuple[Grain, Codes]
"""A cell: codes in the order of the grain's dimensions, the area's first."""


@dataclass(frozen=True)
class Bound:
    """How few and how many children a cell can have, as far as everything published tells."""

    low: float
    high: float

    @property
    def width(self) -> int:
        """Between the whole numbers that are possible."""
        return int(np.floor(self.high + ALMOST) - np.ceil(self.low - ALMOST))


@dataclass
class Model:
    """A linear programme over true counts: a column for each cell, rows for what is known."""

    areas: Mapping[str, str]
    """The cluster of each ward."""
    many: Mapping[str, frozenset[str]]
    """By whom is counted: the dimensions of which a child may have several codes."""
    column: dict[Place, int] = field(default_factory=dict)
    of_grain: dict[Grain, list[Place]] = field(default_factory=dict)
    """The cells of each grain that have a column."""
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    shown: dict[Place, int] = field(default_factory=dict)
    raised: set[Place] = field(default_factory=set)
    """Cells that show 5 and may have been 0, had not one of their terms shown more earlier."""
    rows: list[tuple[float, float, tuple[int, ...], tuple[float, ...]]] = field(
        default_factory=list
    )

    def add(self, place: Place) -> int:
        """The column of a cell, which has any number of children so far."""
        found = self.column.get(place)
        if found is None:
            found = self.column[place] = len(self.low)
            self.of_grain.setdefault(place[0], []).append(place)
            self.low.append(0.0)
            self.high.append(MOST_PER_CELL)
        return found

    def narrow(self, place: Place, low: float, high: float) -> None:
        """Say that a cell has between `low` and `high` children."""
        column = self.column[place]
        self.low[column] = max(self.low[column], low)
        self.high[column] = min(self.high[column], high)

    def say(self, low: float, high: float, terms: Mapping[int, float]) -> None:
        """Say that a sum of cells lies between `low` and `high`."""
        self.rows.append((low, high, tuple(terms), tuple(terms.values())))

    def several(self, grain: Grain) -> frozenset[str]:
        """The dimensions of which a child may have several codes in a cell's time."""
        if grain.span == "term":
            return self.many[grain.counts]
        return frozenset({"area", *grain.dims}) - LASTING | self.many[grain.counts]

    def area_above(self, area: str, level: str) -> str:
        """The area of a coarser level that an area lies in."""
        if level == "authority":
            return ALL
        return self.areas[area] if level == "cluster" and area in self.areas else area

    def above(self, place: Place, coarse: Grain) -> Place:
        """The cell of a coarser grain that a cell lies in."""
        grain, codes = place
        by_dim = dict(zip(grain.dims, codes[1:], strict=True))
        area = self.area_above(codes[0], coarse.level)
        return coarse, (area, *(by_dim[dim] for dim in coarse.dims))


def place_of(table: TableSeen, codes: Codes) -> Place:
    """Where a published cell stands, whatever table shows it."""
    by_dim = {dim: code for dim, code in zip(table.dims, codes, strict=True) if code != ALL}
    area = by_dim.pop("area", ALL)
    level = "authority" if area == ALL else table.level
    dims = tuple(sorted(by_dim))
    grain = Grain(table.counts, table.period, table.span, level, dims)
    return grain, (area, *(by_dim[dim] for dim in dims))


def told_by(value: int) -> tuple[float, float]:
    """The counts that can show as this number."""
    if value == 0:
        return 0, 4
    return (1 if value == 5 else value - 5), value + 5


@dataclass(frozen=True)
class Power:
    """What the attacker takes for granted beyond the numbers: each can be left out."""

    same_number: bool = True
    """That the same children give the same number, so different numbers tell different children."""
    gave_way: bool = True
    """That a cell left out under coarser cells that all show somebody would have shown 0."""
    nothing_corrected: bool = True
    """That the past was not corrected between releases, so that windows of terms overlap exactly."""
    among: Mapping[str, str] = field(default_factory=dict)
    """Of whom the children of each count all are: unmet needs are of children who are known."""
    known: str = "known"
    """The count that says whether a ward is too small."""


def make_model(tables: Sequence[TableSeen], areas: Mapping[str, str], power: Power) -> Model:
    """Everything that the tables say together; they can be of several groups and periods."""
    many: dict[str, frozenset[str]] = {}
    for table in tables:
        many[table.counts] = many.get(table.counts, frozenset()) | table.many
    model = Model(areas, many)
    for table in tables:
        for codes in table.cells:
            model.add(place_of(table, codes))
    grains = _closed({place[0] for place in model.column})
    _fill(model, grains)
    for table in tables:
        _say_what_is_shown(model, table, power)
    _say_what_may_be_raised(model)
    above = {grain: _next_above(grain, grains) for grain in grains}
    for grain in grains:
        for coarse in above[grain]:
            _say_how_they_add_up(model, grain, coarse)
    if power.gave_way:
        _say_what_gave_way(model, tables, above)
    _say_spans(model, grains, power)
    _say_links(model, power)
    if power.same_number:
        _say_who_differs(model, above)
    return model


def _closed(grains: set[Grain]) -> set[Grain]:
    """The grains, and what any two of them have in common."""
    found = set(grains)
    for one, other in combinations(sorted(grains, key=str), 2):
        if (one.counts, one.period, one.span) == (other.counts, other.period, other.span):
            level = min(one.level, other.level, key=LEVELS.index)
            dims = tuple(sorted(set(one.dims) & set(other.dims)))
            found.add(Grain(one.counts, one.period, one.span, level, dims))
    return found


def _next_above(grain: Grain, grains: Iterable[Grain]) -> list[Grain]:
    """The coarser grains with no other between."""
    coarser = [coarse for coarse in grains if grain.is_within(coarse)]
    return [
        coarse
        for coarse in coarser
        if not any(between.is_within(coarse) for between in coarser if between != coarse)
    ]


def _fill(model: Model, grains: Iterable[Grain]) -> None:
    """Columns for the cells that no table shows but that others add up to."""
    for grain, places in list(model.of_grain.items()):
        coarser = [coarse for coarse in grains if grain.is_within(coarse)]
        for place in list(places):
            for coarse in coarser:
                model.add(model.above(place, coarse))


def _say_what_is_shown(model: Model, table: TableSeen, power: Power) -> None:
    for codes, cell in table.cells.items():
        place = place_of(table, codes)
        if cell.value is not None:
            model.shown[place] = cell.value
        elif cell.note == AREA_NOTE and place[0].level == "ward":
            known = Grain(power.known, table.period, "term", "ward", ()), (place[1][0],)
            if known in model.column:
                model.narrow(known, 0, MOST_OF_A_SMALL_WARD)


def _say_what_may_be_raised(model: Model) -> None:
    for place, value in model.shown.items():
        grain, codes = place
        if value == 5 and grain.span != "term":
            terms = [
                (_elsewhere(grain, period=period, span="term"), codes)
                for period in _window(grain.period)[:-1]
            ]
            if any(model.shown.get(term) for term in terms):
                model.raised.add(place)
        low, high = told_by(value)
        model.narrow(place, 0 if place in model.raised else low, high)


def _differ(model: Model, inner: Place, outer: Place) -> bool:
    """Whether two cells show numbers that the same children do not give."""
    numbers = [
        {0, value} if place in model.raised else {value}
        for place in (inner, outer)
        if (value := model.shown.get(place)) is not None
    ]
    return len(numbers) == 2 and not numbers[0] & numbers[1]


def _say_how_they_add_up(model: Model, fine: Grain, coarse: Grain) -> None:
    parts: dict[int, list[int]] = {}
    several = model.several(fine)
    for place in model.of_grain.get(fine, ()):
        whole = model.column[model.above(place, coarse)]
        parts.setdefault(whole, []).append(model.column[place])
    for whole, each in parts.items():
        every = {whole: -1.0} | dict.fromkeys(each, 1.0)
        if not fine.more_than(coarse) & several:
            model.say(0, 0, every)
            continue
        model.say(0, highspy.kHighsInf, every)
        for part in each:
            model.say(0, highspy.kHighsInf, {whole: 1.0, part: -1.0})


def _say_what_gave_way(
    model: Model, tables: Sequence[TableSeen], above: Mapping[Grain, list[Grain]]
) -> None:
    """A cell that is left out though every coarser one shows somebody would have shown 0."""
    for table in tables:
        for codes, cell in table.cells.items():
            place = place_of(table, codes)
            if cell.value is None and cell.note == COARSER_NOTE:
                coarser = list(_all_above(model, place, above))
                if all(model.shown.get(each, 1) for each in coarser):
                    model.narrow(place, 0, 4)


def _all_above(model: Model, place: Place, above: Mapping[Grain, list[Grain]]) -> Iterator[Place]:
    for coarse in above[place[0]]:
        outer = model.above(place, coarse)
        yield outer
        yield from _all_above(model, outer, above)


def _say_spans(model: Model, grains: Iterable[Grain], power: Power) -> None:
    """Three terms hold each of them; the next three, no more than the last three and the new one."""
    for place, column in list(model.column.items()):
        grain, codes = place
        if grain.span == "term":
            continue
        window = _window(grain.period)
        terms = [(_elsewhere(grain, period=each, span="term"), codes) for each in window]
        if not power.nothing_corrected:
            if terms[-1] in model.column:
                _say_within(model, terms[-1], place, power)
            continue
        for term in terms:
            if term in model.column:
                _say_within(model, term, place, power)
        parts = [model.column.get(term) for term in terms]
        for number in range(len(window)):
            # All of the window is in an earlier window and the terms since, or in its terms.
            earlier = (_elsewhere(grain, period=window[number - 1]), codes) if number else None
            first = model.column.get(earlier) if earlier else None
            rest = [one for one in parts[number:] if one is not None]
            if len(rest) == len(window) - number and (not number or first is not None):
                every = [*rest, *([] if first is None else [first])]
                model.say(0, highspy.kHighsInf, dict.fromkeys(every, 1.0) | {column: -1.0})


def _window(period: str) -> list[str]:
    """The three terms that end with this one."""
    year, _, season = period.partition("-")
    last = int(year) * len(SEASONS) + SEASONS.index(season)
    return [
        f"{at // len(SEASONS)}-{SEASONS[at % len(SEASONS)]}" for at in range(last - 2, last + 1)
    ]


def _elsewhere(grain: Grain, **other: str) -> Grain:
    values = {"counts": grain.counts, "period": grain.period, "span": grain.span} | other
    return Grain(**values, level=grain.level, dims=grain.dims)


def _say_within(model: Model, inner: Place, outer: Place, power: Power) -> None:
    differ = power.same_number and _differ(model, inner, outer)
    columns = {model.column[outer]: 1.0, model.column[inner]: -1.0}
    model.say(1 if differ else 0, highspy.kHighsInf, columns)


def _say_links(model: Model, power: Power) -> None:
    """Children of one count are among another's: area by area, and by what is said of the child."""
    for place in list(model.column):
        grain, codes = place
        if grain.counts in power.among and set(grain.dims) <= OF_THE_CHILD:
            around = _elsewhere(grain, counts=power.among[grain.counts]), codes
            if around in model.column:
                _say_within(model, place, around, power)


def _say_who_differs(model: Model, above: Mapping[Grain, list[Grain]]) -> None:
    """One child more in the outer cell, wherever it shows another number than one within it."""
    for place in model.shown:
        waiting = [model.above(place, coarse) for coarse in above[place[0]]]
        while waiting:
            outer = waiting.pop()
            shown = model.shown.get(outer)
            if shown is None:
                waiting += [model.above(outer, coarse) for coarse in above[outer[0]]]
            elif _differ(model, place, outer):
                columns = {model.column[outer]: 1.0, model.column[place]: -1.0}
                model.say(1, highspy.kHighsInf, columns)


class Impossible(Exception):
    """Nothing fits all that was published and taken for granted: the attacker was wrong."""


@dataclass
class Solver:
    """HiGHS over a model: each solution is kept as a witness for every cell at once."""

    model: Model
    solves: int = 0

    def __post_init__(self) -> None:
        self._highs = highspy.Highs()
        for option, value in OPTIONS.items():
            self._highs.setOptionValue(option, value)
        rows = _Rows(self.model)
        if (rows.low > rows.high).any():
            raise Impossible("bounds")
        self.low, self.high = rows.low, rows.high
        self._highs.passModel(rows.as_highs())
        size = len(self.model.low)
        self._at = np.arange(size, dtype=np.int32)
        self.least = np.full(size, np.inf)
        self.most = np.full(size, -np.inf)

    def go(self, cost: NDArray[np.float64]) -> None:
        """One solution of least cost; raises Impossible."""
        self._highs.changeColsCost(len(cost), self._at, cost)
        self._highs.run()
        self.solves += 1
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise Impossible(str(self._highs.getModelStatus()))
        found = np.array(self._highs.getSolution().col_value)
        self.least = np.minimum(self.least, found)
        self.most = np.maximum(self.most, found)

    def widths(self) -> NDArray[np.float64]:
        """Between the whole numbers that were seen to be possible, for each column."""
        return np.floor(self.most + ALMOST) - np.ceil(self.least - ALMOST)


class _Rows:
    """The rows of a model as one sparse matrix, from which columns' bounds are narrowed by hand.

    Each row bounds each of its columns by what the others have at least and at most; a row that the
    bounds imply says no more. That leaves a third of the rows, and the solver much less to do.
    """

    def __init__(self, model: Model) -> None:
        self.start = np.cumsum([0] + [len(row[2]) for row in model.rows])
        self.index = np.array([column for row in model.rows for column in row[2]], dtype=np.int64)
        self.value = np.array([factor for row in model.rows for factor in row[3]], dtype=np.float64)
        self.of = np.repeat(np.arange(len(model.rows)), np.diff(self.start))
        self.row_low = np.array([row[0] for row in model.rows], dtype=np.float64)
        self.row_high = np.array([row[1] for row in model.rows], dtype=np.float64)
        self.low, self.high = np.array(model.low), np.array(model.high)
        for _ in range(6):
            self._narrow()

    def _reach(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least and the most that each entry of the matrix can be."""
        at_low, at_high = self.value * self.low[self.index], self.value * self.high[self.index]
        return np.minimum(at_low, at_high), np.maximum(at_low, at_high)

    def _sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        least, most = self._reach()
        rows = len(self.row_low)
        return np.bincount(self.of, least, rows), np.bincount(self.of, most, rows)

    def _narrow(self) -> None:
        least, most = self._reach()
        sum_least, sum_most = self._sums()
        up = self.row_high[self.of] - (sum_least[self.of] - least)
        down = self.row_low[self.of] - (sum_most[self.of] - most)
        positive = self.value > 0
        highest = np.where(positive, up, -down)
        lowest = np.where(positive, down, -up)
        np.minimum.at(self.high, self.index, np.floor(highest + ALMOST))
        np.maximum.at(self.low, self.index, np.ceil(lowest - ALMOST))

    def needed(self) -> NDArray[np.int64]:
        """The rows that the bounds alone do not imply."""
        least, most = self._sums()
        return np.flatnonzero((least < self.row_low - ALMOST) | (most > self.row_high + ALMOST))

    def as_highs(self) -> highspy.HighsLp:
        """The programme, with no cost yet."""
        kept = self.needed()
        lengths = np.diff(self.start)[kept]
        entries = np.flatnonzero(np.isin(self.of, kept))
        programme = highspy.HighsLp()
        programme.num_col_, programme.num_row_ = len(self.low), len(kept)
        programme.col_cost_ = np.zeros(len(self.low))
        programme.col_lower_, programme.col_upper_ = self.low, self.high
        programme.row_lower_, programme.row_upper_ = self.row_low[kept], self.row_high[kept]
        matrix = programme.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kRowwise
        matrix.start_ = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        matrix.index_ = self.index[entries].astype(np.int32)
        matrix.value_ = self.value[entries]
        return programme


@dataclass(frozen=True)
class Found:
    """What the attack says of the cells it was asked about, and how many programmes it took."""

    bounds: Mapping[Place, Bound]
    solves: int

    def narrow(self) -> dict[Place, Bound]:
        """The cells that are bounded more closely than is safe."""
        return {place: bound for place, bound in self.bounds.items() if bound.width < WIDE_ENOUGH}


def attack(model: Model, targets: Sequence[Place], *, rounds: int = 40) -> Found:
    """Bounds of the targets: exact where they are narrower than 4, else only shown to be as wide."""
    solver = Solver(model)
    columns = np.array([model.column[place] for place in targets], dtype=np.int64)
    told = solver.high[columns] - solver.low[columns] < WIDE_ENOUGH
    solver.least[columns[told]] = solver.low[columns[told]]
    solver.most[columns[told]] = solver.high[columns[told]]
    asked = columns[~told]
    rng = np.random.default_rng(1)
    before = 0
    for number in range(rounds):
        open_still = asked[solver.widths()[asked] < WIDE_ENOUGH] if number else asked
        if not len(open_still) or (number > 2 and before - len(open_still) <= before // 10):
            break
        before = len(open_still)
        cost = np.zeros(len(model.low))
        way = (1.0, -1.0)[number] if number < 2 else rng.choice([1.0, -1.0], len(open_still))
        cost[open_still] = way * rng.uniform(0.5, 1.0, len(open_still))
        solver.go(cost)
    for column in asked[solver.widths()[asked] < WIDE_ENOUGH]:
        for way in (1.0, -1.0):
            cost = np.zeros(len(model.low))
            cost[column] = way
            solver.go(cost)
    bounds = {
        place: Bound(float(solver.least[column]), float(solver.most[column]))
        for place, column in zip(targets, columns.tolist(), strict=True)
    }
    return Found(bounds, solver.solves)
