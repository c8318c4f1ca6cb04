"""What two releases tell of one child: guesses from published numbers that one child came or went.

What chance would say is fixed before any guess is counted: the share of cells of which exactly one
child came or went, among all cells, among those whose children changed at all, and among those
whose published number changed.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

SMALLEST_CHANGE: Final = 5


@dataclass(frozen=True)
class Change:
    """A cell in two releases: its published numbers, and how many children came or went in truth."""

    before: int
    after: int
    children: int
    rolling: bool = False
    """Whether it counts children of three terms."""

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


Learnt = frozenset[tuple[bool, int, int]]
ENOUGH: Final = 40


def learn(changes: Sequence[Change]) -> Learnt:
    """Kinds of change that were one child more often than not, where the truth is known.

    What an attacker learns who has the records of another county: by both numbers and the span.
    """
    seen = Counter(_kind(change) for change in changes if change.is_visible)
    one = Counter(_kind(change) for change in changes if change.is_visible and change.is_one_child)
    return frozenset(
        kind for kind, times in seen.items() if times >= ENOUGH and one[kind] > times / 2
    )


def guessed_by(learnt: Learnt, changes: Sequence[Change]) -> list[Change]:
    """The changes that a learner dares to call one child."""
    return [change for change in changes if change.is_visible and _kind(change) in learnt]


def _kind(change: Change) -> tuple[bool, int, int]:
    return change.rolling, change.before, change.after
