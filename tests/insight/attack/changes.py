"""What two releases tell of one child: guesses from published numbers that one child came or went.

What chance would say is fixed before any guess is counted: the share of cells of which exactly one
child came or went, among all cells, among those whose children changed at all, and among those
whose published number changed.
"""

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


def looks_like_one_child(change: Change) -> bool:
    """The guess: the smallest change that can be seen is one child."""
    return abs(change.after - change.before) == SMALLEST_CHANGE


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


def score(changes: Sequence[Change]) -> Score:
    """How well the guess does over these cells."""
    guessed = [change for change in changes if looks_like_one_child(change)]
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
