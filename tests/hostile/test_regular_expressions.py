"""No text makes a regular expression of the product work without end.

Every expression is found in the source, and asked, in the way in which the product asks it, about
long texts that are made from its own parts. What grows faster than the text is slow for whoever
sends a long one.
"""

import functools
import re
import time
from collections.abc import Callable

import pytest

from tests.hostile.expressions import ANYWHERE, Expression, expressions, pumps

FOUND, MADE = expressions()
LENGTHS = (12, 16, 20, 24, 100, 400, 2_000, 8_000)
"""Of the texts, one after the other: what doubles with each sign is found before it lasts for ever."""
TIMES = 8
"""The work that is allowed, in that of an expression that finds every single sign of such a text."""
OF_SHORT_TEXTS = {
    # Of the twelve characters before a word.
    "src/panel/panels/note_marks.py _SENTENCE_END",
    "src/panel/panels/note_marks.py _ABBREVIATED",
}
"""Expressions that are asked about a cut of a text only, so that its length does not matter."""
MADE_WHILE_RUNNING = {
    "src/panel/panels/note_marks.py: pattern",
    # Names and rows that stand in the database, escaped and joined by fixed parts.
    "src/panel/register/names.py: letters",
    "src/panel/insight/voice/recognising.py: f'(?<!\\\\w){re.escape(name)}(?!\\\\w)'",
    "src/panel/panels/move_rules.py: f'(?<!\\\\w){row}(?!\\\\w)[.!?]*'",
    "src/panel/panels/note_marks.py: f'(?<!\\\\w){pattern}(?!\\\\w)'",
    "src/panel/governance/rights_copies.py: re.escape(wanted)",
    "src/panel/panels/note_marks.py: f'(?<![\\\\w-]){shape}{ending}(?![\\\\w-])'",
}


def seconds(ask: Callable[[str], object], text: str, tries: int) -> float:
    def once() -> float:
        began = time.process_time_ns()
        ask(text)
        return (time.process_time_ns() - began) / 1e9

    return min(once() for _ in range(tries))


EVERY_SIGN = re.compile("a|b")


@functools.cache
def allowed(length: int) -> float:
    """Seconds for a text of this length: a multiple of what finding each of its signs takes."""
    text = "ab" * (max(length, LENGTHS[-1] // 4) // 2)
    return TIMES * seconds(lambda said: sum(1 for _ in EVERY_SIGN.finditer(said)), text, 9)


def grows_too_fast(ask: Callable[[str], object], before: str, unit: str, end: str) -> str:
    """Says how, where it does; each suspicion is measured again before it counts."""
    for length in LENGTHS:
        text = before + unit * max(length // len(unit), 1) + end
        limit = allowed(len(text))
        if seconds(ask, text, 1) > limit and (took := seconds(ask, text, 5)) > limit:
            return f"{took / limit * TIMES:.0f} times the work of finding {len(text)} signs"
    return ""


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


@pytest.mark.parametrize(
    "one", [one for one in FOUND if one.where not in OF_SHORT_TEXTS], ids=lambda one: one.where
)
def test_the_work_grows_no_faster_than_the_text(one: Expression) -> None:
    slow = [
        f"{way} {before!r} + {unit!r} * n + {end!r}: {says}"
        for way in sorted(one.ways)
        for before, unit, end in sorted(pumps(one.pattern))
        if (says := grows_too_fast(asked(one, way), before, unit, end))
    ]
    assert not slow, f"{one.pattern.pattern!r}\n" + "\n".join(slow[:6])


@pytest.mark.parametrize(
    ("pattern", "unit"),
    [(r"(a+)+$", "a"), (r"(?:a|a)*b", "a"), (r"\w+@\w+", "a"), (r"a*a*a*b", "a")],
)
def test_a_bad_expression_would_be_found(pattern: str, unit: str) -> None:
    one = Expression("here", re.compile(pattern), frozenset({ANYWHERE}))
    assert unit in {repeated for _, repeated, _ in pumps(one.pattern)}
    assert grows_too_fast(asked(one, ANYWHERE), "", unit, "!")
