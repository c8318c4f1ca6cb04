"""No text makes a regular expression of the product work without end.

Every expression is found in the source, and asked, in the way in which the product asks it, about
long texts that are made from its own parts. What grows faster than the text is slow for whoever
sends a long one.
"""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from tests.hostile.expressions import ANYWHERE, Expression, expressions, pumps

FOUND, MADE = expressions()
SHORT = (8, 11, 15, 21, 29, 40, 56)
"""Repeats at which what doubles with each sign shows, before it lasts for ever."""
LONG = (500, 2_000, 8_000)
LINEAR = 4.0
QUADRATIC = 16.0
TOO_FAST = (LINEAR * QUADRATIC) ** 0.5
"""Growth at four times the length, half-way between the two."""
MADE_WHILE_RUNNING = {
    # Names and rows that stand in the database, escaped and joined by fixed parts.
    "src/panel/register/names.py: letters",
    "src/panel/panels/move_rules.py: f'(?<!\\\\w){row}(?!\\\\w)[.!?]*'",
}


def seconds(ask: Callable[[str], object], text: str, tries: int) -> float:
    def once() -> float:
        began = time.process_time_ns()
        ask(text)
        return (time.process_time_ns() - began) / 1e9

    return min(once() for _ in range(tries))


def grows_too_fast(ask: Callable[[str], object], text: Callable[[int], str]) -> str:
    """Says how, where it does; each suspicion is measured again before it counts."""
    short = [(n, seconds(ask, text(n), 1)) for n in _while_quick(ask, text, SHORT)]
    if len(short) < len(SHORT):
        return f"doubles with a few more signs: {short[-1]}"
    for few, many in pairwise(LONG):
        growth = 0.0
        for tries in (1, 3, 9):
            growth = seconds(ask, text(many), tries) / max(seconds(ask, text(few), tries), 2e-6)
            if growth < TOO_FAST:
                break
        else:
            return f"{growth:.0f} times the work for 4 times the text, at {many} repeats"
    return ""


def _while_quick(
    ask: Callable[[str], object], text: Callable[[int], str], sizes: tuple[int, ...]
) -> Iterator[int]:
    for size in sizes:
        yield size
        if seconds(ask, text(size), 1) > 0.5 and seconds(ask, text(size), 2) > 0.5:
            return


def asked(one: Expression, way: str) -> Callable[[str], object]:
    method = getattr(one.pattern, "finditer" if way == ANYWHERE else way)
    is_bytes = isinstance(one.pattern.pattern, bytes)

    def ask(text: str) -> object:
        given = text.encode("latin-1", "replace") if is_bytes else text
        return sum(1 for _ in method(given)) if way == ANYWHERE else method(given)

    return ask


def test_expressions_are_found() -> None:
    assert len(FOUND) > 100
    wrong = set(MADE) ^ MADE_WHILE_RUNNING
    assert not wrong, f"Made while the product runs; say in MADE_WHILE_RUNNING of what: {wrong}"


@pytest.mark.parametrize("one", FOUND, ids=lambda one: one.where)
def test_the_work_grows_no_faster_than_the_text(one: Expression) -> None:
    slow = [
        f"{way} {before!r} + {unit!r} * n + {end!r}: {says}"
        for way in sorted(one.ways)
        for before, unit, end in sorted(pumps(one.pattern))
        if (
            says := grows_too_fast(
                asked(one, way), lambda n, a=before, b=unit, c=end: a + b * n + c
            )
        )
    ]
    assert not slow, f"{one.pattern.pattern!r}\n" + "\n".join(slow[:6])


@pytest.mark.parametrize(
    ("pattern", "unit"), [(r"(a+)+$", "a"), (r"(?:a|a)*b", "a"), (r"\w+@\w+", "a"), (r"a*a*a*b", "a")]
)
def test_a_bad_expression_would_be_found(pattern: str, unit: str) -> None:
    import re

    one = Expression("here", re.compile(pattern), frozenset({ANYWHERE}))
    assert unit in {repeated for _, repeated, _ in pumps(one.pattern)}
    assert grows_too_fast(asked(one, ANYWHERE), lambda n: unit * n + "!")
