"""The perturbation table: what is published of a true count, with which probability.

Designed by bench/design_ptable.py and stored in exact parts, so that every machine publishes the
same. D = 5: never further than 5 away. V = 2 and right on average from 6 on. Nothing in 1 to 4 is
ever published, so a published 0 means 0 to 4 (TRAPS.md, Anonymised figures). From 1 to 4 the two
numbers that are left, 0 and 5, and being right on average leave a variance of 4, 6, 6 and 4.

What is published is then rounded to 5, inward where the nearest multiple would be further than 5.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from itertools import accumulate

WHOLE = 10_000
FURTHEST = 5
LEAST = 5
"""The least count above 0 that is published."""
ROUND_TO = 5


def rounded(true: int, perturbed: int) -> int:
    """The multiple of 5 nearest to `perturbed` that is at most 5 from `true`; above 0, not under 5.

    Inward because rounding out would let a figure be 7 away, and the audit reckons with 5.
    """
    if perturbed == 0:
        return 0
    near = max(LEAST, (perturbed + ROUND_TO // 2) // ROUND_TO * ROUND_TO)
    if near - true > FURTHEST:
        return near - ROUND_TO
    if true - near > FURTHEST:
        return near + ROUND_TO
    return near


@dataclass(frozen=True)
class PTable:
    """Rows of a true count: what is published before rounding → parts of 10,000.

    The last row is that of every greater count as well, moved along with it.
    """

    rows: tuple[Mapping[int, int], ...]

    @property
    def last(self) -> int:
        """The true count from which on every row is alike."""
        return len(self.rows) - 1

    @cached_property
    def _steps(self) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
        return tuple(
            (tuple(accumulate(row.values())), tuple(to - true for to in row))
            for true, row in enumerate(self.rows)
        )

    def perturbed(self, true: int, at: float) -> int:
        """What a number in [0, 1) makes of a true count. ValueError: under 0."""
        if true < 0:
            raise ValueError("A count cannot be under 0")
        ends, moves = self._steps[min(true, self.last)]
        part = min(int(at * WHOLE), WHOLE - 1)
        return true + moves[bisect_right(ends, part)]

    def published(self, true: int, at: float) -> int:
        """What is published of a true count: perturbed, then rounded to 5."""
        return rounded(true, self.perturbed(true, at))

    def row(self, true: int) -> Mapping[int, Fraction]:
        """Before rounding: the numbers that may become of a true count, with probabilities."""
        base = min(true, self.last)
        return {to + true - base: Fraction(n, WHOLE) for to, n in self.rows[base].items()}

    def outcomes(self, true: int) -> Mapping[int, Fraction]:
        """The numbers that may be published of a true count, with probabilities."""
        all_of: dict[int, Fraction] = {}
        for to, p in self.row(true).items():
            said = rounded(true, to)
            all_of[said] = all_of.get(said, Fraction(0)) + p
        return all_of

    def true_of(self, published: int) -> tuple[int, int]:
        """The least and greatest true count that may be published so. ValueError: none may."""
        near = range(max(0, published - FURTHEST), published + FURTHEST + 1)
        may = [true for true in near if published in self.outcomes(true)]
        if not may:
            raise ValueError(f"{published} is never published")
        return may[0], may[-1]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the rows as text, for the ledger."""
        lines = (
            f"{true} " + " ".join(f"{to}:{n}" for to, n in sorted(row.items()))
            for true, row in enumerate(self.rows)
        )
        return sha256(("\n".join(lines) + f"\nround {ROUND_TO}\n").encode()).hexdigest()


TABLE = PTable(
    (
        {0: 10000},
        {0: 8000, 5: 2000},
        {0: 6000, 5: 4000},
        {0: 4000, 5: 6000},
        {0: 2000, 5: 8000},
        {5: 6000, 6: 3369, 7: 597, 8: 33, 9: 1},
        {5: 5204, 6: 2302, 7: 1124, 8: 606, 9: 358, 10: 236, 11: 170},
        {5: 1571, 6: 2410, 7: 2582, 8: 1937, 9: 1015, 10: 372, 11: 96, 12: 17},
        {5: 343, 6: 1105, 7: 2213, 8: 2765, 9: 2151, 10: 1042, 11: 314, 12: 60, 13: 7},
        {5: 54, 6: 303, 7: 1045, 8: 2196, 9: 2812, 10: 2191, 11: 1040, 12: 301, 13: 53, 14: 5},
        {
            5: 6,
            6: 51,
            7: 298,
            8: 1039,
            9: 2196,
            10: 2820,
            11: 2196,
            12: 1039,
            13: 298,
            14: 51,
            15: 6,
        },
    )
)
