"""Every regular expression of the product, and texts that would make a bad one work without end."""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from re import _constants as codes
from re import _parser as parser
from typing import Any

ROOT = Path(__file__).parents[2]
HOMES = (
    (ROOT / "src" / "panel", "panel"),
    (ROOT / "consent", "consent"),
    (ROOT / "interop", "interop"),
)
CALLS = frozenset(
    {"compile", "match", "fullmatch", "search", "sub", "subn", "findall", "finditer", "split"}
)
WHOLE, START, ANYWHERE = "fullmatch", "match", "findall"


ASKED_ELSEWHERE = {
    "panel.assessments.rules._PATTERNS": frozenset({WHOLE}),
    "panel.register.names._SOUNDS": frozenset({START}),
}
"""Expressions in a collection, and how its members are asked; of others it stands in the source."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression as it is used."""

    where: str
    """ "file:line"."""
    pattern: re.Pattern[Any]
    ways: frozenset[str]
    """fullmatch, match, findall (which is search, sub and split as well)."""


def way_of(method: str) -> str:
    return method if method in (WHOLE, START) else ANYWHERE


def expressions() -> tuple[list[Expression], list[str]]:
    """All of them; and the calls whose pattern is known only as they run, as "file: source"."""
    found: list[Expression] = []
    made: list[str] = []
    for home, package in HOMES:
        for file in sorted(home.rglob("*.py")):
            parts = [package, *file.relative_to(home).with_suffix("").parts]
            name = ".".join(part for part in parts if part != "__init__")
            text = file.read_text()
            if not re.search(r"^import re$|^from re import|[^\w]re\.", text, re.MULTILINE):
                continue
            here, unknown = _of_module(name, file.relative_to(ROOT), ast.parse(text))
            found += here
            made += unknown
    return found, made


def _of_module(name: str, file: Path, tree: ast.Module) -> tuple[list[Expression], list[str]]:
    module = importlib.import_module(name)
    used = _methods(tree)
    found = [
        Expression(
            f"{file} {attribute}",
            pattern,
            ASKED_ELSEWHERE.get(f"{name}.{attribute}")
            or frozenset(used.get(attribute, {ANYWHERE})),
        )
        for attribute, value in sorted(vars(module).items())
        for pattern in _patterns(value)
    ]
    known = {one.pattern.pattern for one in found}
    made = []
    within = {
        call
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for call in ast.walk(function)
    }
    for call in (one for one in ast.walk(tree) if isinstance(one, ast.Call)):
        function = call.func
        if not (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id == "re"
            and function.attr in CALLS
        ):
            continue
        where = f"{file}:{call.lineno}"
        written = _evaluated(call.args[0], vars(module))
        if written is None and call in within:
            made.append(f"{file}: {ast.unparse(call.args[0])}")
        elif written is not None and written not in known and function.attr != "compile":
            flags = re.IGNORECASE if "IGNORECASE" in ast.unparse(call) else 0
            way = way_of(function.attr)
            found.append(Expression(where, re.compile(written, flags), frozenset({way})))
    return found, made


def _methods(tree: ast.Module) -> Mapping[str, set[str]]:
    """By a module's name: in which ways it is asked."""
    used: dict[str, set[str]] = {}
    for one in ast.walk(tree):
        if (
            isinstance(one, ast.Attribute)
            and isinstance(one.value, ast.Name)
            and one.attr in CALLS - {"compile"}
        ):
            used.setdefault(one.value.id, set()).add(way_of(one.attr))
    return used


def _patterns(value: object, depth: int = 4) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, Mapping):
        for one in value.values():
            yield from _patterns(one, depth - 1)
    elif depth and isinstance(value, tuple | list | set | frozenset):
        for one in value:
            yield from _patterns(one, depth - 1)
    elif depth and is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from _patterns(getattr(value, one.name, None), depth - 1)


def _evaluated(node: ast.expr, known: Mapping[str, object]) -> str | bytes | None:
    """What an expression of constants and the module's own names comes to; None for others."""
    match node:
        case ast.Constant(value=str() | bytes() as said):
            return said
        case ast.Name(id=name) if isinstance(said := known.get(name), str | bytes):
            return said
        case ast.Attribute(value=ast.Name(id=name), attr="pattern"):
            return getattr(known.get(name), "pattern", None)
        case ast.FormattedValue(value=inner):
            return _evaluated(inner, known)
        case ast.JoinedStr(values=values):
            parts = [_evaluated(one, known) for one in values]
            texts = [one for one in parts if isinstance(one, str)]
            return "".join(texts) if len(texts) == len(parts) else None
    return None


# Texts ---------------------------------------------------------------------------------------------


def pumps(pattern: re.Pattern[Any]) -> set[tuple[str, str, str]]:
    """(beginning, what is repeated, end) for every part of a pattern that repeats, and common ones."""
    written = pattern.pattern
    text = written.decode("latin-1") if isinstance(written, bytes) else written
    flags = pattern.flags & ~(re.UNICODE | re.LOCALE)
    found: set[tuple[str, str, str]] = set()
    for before, unit in _repeats(list(parser.parse(text, flags)), ""):
        for end in ENDS:
            found |= {(before, unit, end), (before, unit + " ", end), ("", before + unit, end)}
    found |= {("", unit, end) for unit in COMMON for end in ENDS}
    return {(a, b, c) for a, b, c in found if b}


ENDS = ("", "\x00", "\n!")
COMMON = ("a", "1", " ", "-", ".", "\n", "a ", "1 ", "<", "a@")


def _repeats(tree: Sequence[Any], before: str) -> Iterator[tuple[str, str]]:
    for code, what in tree:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            _, most, body = what
            if most > 8:
                for sample in _samples(list(body)):
                    yield before, sample
            yield from _repeats(list(body), before)
        elif code is codes.SUBPATTERN:
            yield from _repeats(list(what[3]), before)
        elif code is codes.BRANCH:
            for branch in what[1]:
                yield from _repeats(list(branch), before)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _repeats(list(what[1]), before)
        before += _sample([(code, what)])


def _samples(tree: Sequence[Any]) -> set[str]:
    """Texts that a part matches: its first choice, and one with its repeats three times."""
    return {_sample(tree), _sample(tree, times=3)}


def _sample(tree: Sequence[Any], times: int = 1) -> str:
    said = ""
    for code, what in tree:
        if code is codes.LITERAL:
            said += chr(what)
        elif code is codes.NOT_LITERAL:
            said += "a" if what != ord("a") else "b"
        elif code is codes.ANY:
            said += "a"
        elif code is codes.IN:
            said += _one_of(what)
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            least, most, body = what
            said += _sample(list(body), times) * max(least, min(times, most))
        elif code is codes.SUBPATTERN:
            said += _sample(list(what[3]), times)
        elif code is codes.BRANCH:
            said += _sample(list(what[1][0]), times)
    return said


_CLASSES = {
    codes.CATEGORY_DIGIT: "1", codes.CATEGORY_SPACE: " ", codes.CATEGORY_WORD: "a",
    codes.CATEGORY_NOT_SPACE: "a", codes.CATEGORY_NOT_WORD: " ", codes.CATEGORY_NOT_DIGIT: "a",
}  # fmt: skip


def _one_of(choices: Sequence[Any]) -> str:
    if choices[0][0] is codes.NEGATE:
        written = "".join(chr(what) for code, what in choices if code is codes.LITERAL)
        spans = [what for code, what in choices if code is codes.RANGE]
        taken = {what for code, what in choices if code is codes.CATEGORY}
        for sign in "a1 -.\u4e00":
            inside = any(first <= ord(sign) <= last for first, last in spans)
            by_class = any(
                (known is codes.CATEGORY_WORD and (sign.isalnum() or sign == "_"))
                or (known is codes.CATEGORY_NOT_WORD and not (sign.isalnum() or sign == "_"))
                or (known is codes.CATEGORY_DIGIT and sign.isdigit())
                or (known is codes.CATEGORY_SPACE and sign.isspace())
                for known in taken
            )
            if sign not in written and not inside and not by_class:
                return sign
        return "\u00e9"
    code, what = choices[0]
    if code is codes.LITERAL:
        return chr(what)
    return chr(what[0]) if code is codes.RANGE else _CLASSES.get(what, "a")
