"""Design of the perturbation table that core/ptable.py stores.

`python bench/design_ptable.py` prints its rows, in 1/10,000.

From 6 on a row is the distribution of greatest entropy with mean 0 and variance 2, at most 5 away,
over what may be published (Marley and Leaver 2011; Giessing 2016): p ∝ exp(a·d + b·d²), found by
Newton's method, then put into whole 1/10,000ths that keep sum, mean and variance exactly. From 1 to
4 only 0 and 5 can be published, and being right on average leaves no choice. Of 5 nothing under it
can: a half bell with 3 of 5 left as they are.
"""

from itertools import pairwise
from math import exp, log

FURTHEST = 5
VARIANCE = 2
LEAST = 5
"""The least count above 0 that is published."""
WHOLE = 10_000
LAST = 10
"""From here on every row is alike: nothing in reach is forbidden."""


def support(true: int) -> range:
    """What may be published of a true count of 6 or more, before rounding."""
    return range(max(LEAST, true - FURTHEST), true + FURTHEST + 1)


def _weights(moves: list[int], a: float, b: float) -> list[float]:
    raw = [exp(a * d + b * d * d) for d in moves]
    whole = sum(raw)
    return [one / whole for one in raw]


def greatest_entropy(true: int) -> list[float]:
    """The probabilities of `support(true)`: mean `true`, variance 2."""
    moves = [one - true for one in support(true)]
    a = b = 0.0

    def height(at_a: float, at_b: float) -> float:
        return log(sum(exp(at_a * d + at_b * (d * d - VARIANCE)) for d in moves))

    for _ in range(500):
        p = _weights(moves, a, b)
        first = sum(q * d for q, d in zip(p, moves, strict=True))
        second = sum(q * d * d for q, d in zip(p, moves, strict=True))
        third = sum(q * d**3 for q, d in zip(p, moves, strict=True))
        fourth = sum(q * d**4 for q, d in zip(p, moves, strict=True))
        off = (first, second - VARIANCE)
        if max(map(abs, off)) < 1e-13:
            break
        aa, ab, bb = second - first**2, third - first * second, fourth - second**2
        det = aa * bb - ab * ab
        step_a = (bb * off[0] - ab * off[1]) / det
        step_b = (aa * off[1] - ab * off[0]) / det
        size = 1.0
        while height(a - size * step_a, b - size * step_b) > height(a, b) and size > 1e-8:
            size /= 2
        a, b = a - size * step_a, b - size * step_b
    return _weights(moves, a, b)


def in_whole_parts(true: int, p: list[float]) -> dict[int, int]:
    """Nearest row in 1/10,000ths with exactly this sum, mean and variance.

    Every point is rounded and may move by up to 2 parts; of all ways that mend what rounding broke
    the one that moves least in squares is taken, point by point over what is left to mend.
    """
    moves = [one - true for one in support(true)]
    base = [round(one * WHOLE) for one in p]
    left = (
        WHOLE - sum(base),
        -sum(n * d for n, d in zip(base, moves, strict=True)),
        VARIANCE * WHOLE - sum(n * d * d for n, d in zip(base, moves, strict=True)),
    )
    ways: dict[tuple[int, int, int], tuple[float, tuple[int, ...]]] = {(0, 0, 0): (0.0, ())}
    for n, d, exact in zip(base, moves, p, strict=True):
        wider: dict[tuple[int, int, int], tuple[float, tuple[int, ...]]] = {}
        for (s0, s1, s2), (cost, path) in ways.items():
            for change in range(-2, 3):
                if n + change <= 0:
                    continue
                key = (s0 + change, s1 + change * d, s2 + change * d * d)
                if abs(key[0]) > 4 or abs(key[1]) > 12 or abs(key[2]) > 50:
                    continue
                new = cost + (n + change - exact * WHOLE) ** 2
                if key not in wider or (new, path) < wider[key]:
                    wider[key] = (new, (*path, change))
        ways = wider
    _, path = ways[left]
    return {true + d: n + c for d, n, c in zip(moves, base, path, strict=True)}


def row_of_five() -> dict[int, int]:
    """A half bell over 5 to 8 with 6,000 parts at 5."""
    low, high = 0.01, 5.0
    moves = [float(d) for d in range(FURTHEST + 1)]
    for _ in range(100):
        b = (low + high) / 2
        at_five = 1 / sum(exp(-b * d * d) for d in moves)
        low, high = (b, high) if at_five < 0.6 else (low, b)
    raw = [exp(-b * d * d) for d in moves]
    parts = [round(one / sum(raw) * WHOLE) for one in raw]
    parts[0] += WHOLE - sum(parts)
    return {5 + d: n for d, n in enumerate(parts) if n}


def design() -> list[dict[int, int]]:
    """Rows 0 to 10: published before rounding → 1/10,000ths."""
    rows = [{0: WHOLE}]
    rows += [{0: WHOLE * (5 - true) // 5, 5: WHOLE * true // 5} for true in range(1, LEAST)]
    rows.append(row_of_five())
    rows += [in_whole_parts(true, greatest_entropy(true)) for true in range(6, LAST + 1)]
    return rows


def main() -> None:
    """Print the rows."""
    rows = design()
    for true, row in enumerate(rows):
        print(true, row)
    assert all(list(row) == sorted(row) for row in rows)
    assert all(a != b for a, b in pairwise(rows))


if __name__ == "__main__":
    main()
