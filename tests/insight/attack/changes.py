"""What two releases tell of one child: guesses from published numbers that one child came or went.

What chance would say is fixed before any guess is counted: the share of cells of which exactly one
child came or went, among all cells, among those whose children changed at all, and among those
whose published number changed. Who guesses of some cells only is held against the cells of the same
sort and size whose children changed: a number that changed tells that much by itself, because the
same children always give the same number.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

SMALLEST_CHANGE: Final = 5
SIZES: Final = ((0, 5), (10, 10), (15, 20), (25, 50), (55, 100_000))
"""Of the greater published number, from and to."""


@dataclass(frozen=True)
class Change:
    """A cell in two releases: its published numbers, and how many children came or went in truth."""

    before: int
    after: int
    children: int
    span: str = "term"
    """Over what time it counts."""
    table: str = ""
    """Whom it counts, of which areas, by what."""

    @property
    def is_visible(self) -> bool:
        """Whether the published number is another."""
        return self.before != self.after

    @property
    def is_one_child(self) -> bool:
        """Whether exactly one child came or went."""
        return self.children == 1

    @property
    def size(self) -> int:
        """The greater of the published numbers."""
        return max(self.before, self.after)

    @property
    def size_class(self) -> int:
        """Which of `SIZES` it is."""
        return next(at for at, (_, last) in enumerate(SIZES) if self.size <= last)


def looks_like_one_child(change: Change, smallest: int = SMALLEST_CHANGE) -> bool:
    """The guess: the smallest change that can be seen is one child."""
    return abs(change.after - change.before) == smallest


@dataclass(frozen=True)
class Score:
    """How often a guess was right, beside what chance says in three ways; shares from 0 to 1."""

    guesses: int
    right: float
    of_all: float
    of_changed: float
    of_visible: float

    @property
    def strictest(self) -> float:
        """The least that chance says."""
        return min(self.of_all, self.of_changed, self.of_visible)

    def __str__(self) -> str:
        return (
            f"right {self.right:.1%} of {self.guesses}; chance: all cells {self.of_all:.1%}, "
            f"changed {self.of_changed:.1%}, visibly changed {self.of_visible:.1%}"
        )


def score(changes: Sequence[Change], smallest: int = SMALLEST_CHANGE) -> Score:
    """How well the guess does over these cells."""
    guessed = [change for change in changes if looks_like_one_child(change, smallest)]
    return Score(
        len(guessed),
        share_of_one_child(guessed),
        share_of_one_child(changes),
        share_of_one_child(change for change in changes if change.children),
        share_of_one_child(change for change in changes if change.is_visible),
    )


def share_of_one_child(changes: Iterable[Change]) -> float:
    """Of cells, the share that one child came to or went from; 0 of none."""
    every = list(changes)
    return sum(change.is_one_child for change in every) / len(every) if every else 0.0


Sort: TypeAlias = Callable[[Change], Hashable]


def by_span(change: Change) -> Hashable:
    """Cells told apart by the time that they count alone."""
    return change.span


def by_table(change: Change) -> Hashable:
    """Cells told apart by what they count as well."""
    return change.span, change.table


SORTS: Final[Mapping[Sort, int]] = {by_span: 40, by_table: 15}
"""How a learner tells cells apart, and how many changes of a sort it wants to have seen."""
Learnt: TypeAlias = frozenset[tuple[Hashable, int, int]]


def learn(changes: Sequence[Change], sort: Sort) -> Learnt:
    """Sorts of change that were one child more often than not, where the truth is known.

    What an attacker learns who has the records of another county: by both numbers and the sort.
    """
    seen = Counter(_kind(change, sort) for change in changes if change.is_visible)
    one = Counter(
        _kind(change, sort) for change in changes if change.is_visible and change.is_one_child
    )
    return frozenset(
        kind for kind, times in seen.items() if times >= SORTS[sort] and one[kind] > times / 2
    )


@dataclass(frozen=True)
class Dared:
    """The changes that a learner calls one child: how many of all seen, how often it is right, and
    the share of one child among cells of the same sort and size whose children changed."""

    guesses: int
    visible: int
    right: float
    chance: float

    def __str__(self) -> str:
        return (
            f"dares {self.guesses} of {self.visible} changes, right {self.right:.1%};"
            f" its chance {self.chance:.1%}"
        )


def crossed(one: Sequence[Change], other: Sequence[Change], sort: Sort) -> Dared:
    """What a learner dares who learns in some counties to guess of others, both ways together."""
    dared, chances, visible = list[Change](), list[float](), 0
    for known, attacked in ((one, other), (other, one)):
        learnt = learn(known, sort)
        guessed = [
            change for change in attacked if change.is_visible and _kind(change, sort) in learnt
        ]
        chance = _chances(attacked, sort)
        dared += guessed
        chances += [chance[sort(change), change.size_class] for change in guessed]
        visible += sum(change.is_visible for change in attacked)
    expected = sum(chances) / len(chances) if chances else 0.0
    return Dared(len(dared), visible, share_of_one_child(dared), expected)


def _chances(changes: Iterable[Change], sort: Sort) -> dict[tuple[Hashable, int], float]:
    changed: dict[tuple[Hashable, int], list[Change]] = {}
    for change in changes:
        if change.children:
            changed.setdefault((sort(change), change.size_class), []).append(change)
    return {of: share_of_one_child(those) for of, those in changed.items()}


def _kind(change: Change, sort: Sort) -> tuple[Hashable, int, int]:
    return sort(change), change.before, change.after
