"""The hunt for what tells more than the numbers beside it: in files, charts and pages."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar
from xml.etree import ElementTree as Tree

DRAWN_WITH: Final = frozenset(
    {
        "aria-labelledby", "class", "cx", "cy", "d", "fill", "fill-rule", "font-size",
        "font-weight", "height", "id", "patternUnits", "points", "r", "role", "rx", "stroke",
        "stroke-linejoin", "stroke-width", "text-anchor", "transform", "viewBox", "width", "x",
        "x1", "x2", "y", "y1", "y2",
    }
)  # fmt: skip
"""Attributes that say where and how something is drawn. `data-` and its like say more."""
Said = TypeVar("Said")


def differences(one: Mapping[str, Said], other: Mapping[str, Said]) -> list[str]:
    """Names that only one has, or under which the two hold something else."""
    return sorted(
        name for name in one.keys() | other.keys() if one.get(name) != other.get(name)
    )


def strange_attributes(svg: str) -> set[str]:
    """Attributes of a drawing that are none of drawing."""
    found = {name for element in _elements(svg) for name in element.attrib}
    return {name for name in found if name not in DRAWN_WITH}


def numbers_said(svg: str) -> set[int]:
    """Whole numbers that a drawing writes as a value: texts and titles that are a number alone, or
    end with one after a colon."""
    found = set()
    for element in _elements(svg):
        said = re.fullmatch(r"(?:.*: )?([\d,]+)", (element.text or "").strip())
        if said is not None:
            found.add(int(said[1].replace(",", "")))
    return found


def lengths(svg: str) -> dict[int, set[str]]:
    """Of a chart of bars: the lengths that stand beside each number."""
    found: dict[int, set[str]] = {}
    before: Tree.Element | None = None
    for element in _elements(svg):
        said = (element.text or "").strip().replace(",", "")
        if _is_bar(before) and said.isdecimal():
            found.setdefault(int(said), set()).add(before.attrib["width"] if before is not None else "")
        before = element
    return found


def order_of(table: bytes) -> list[tuple[str, ...]]:
    """The codes of each row of a CSV, in the order of the file, without value and note."""
    rows = csv.reader(io.StringIO(table.decode("utf-8-sig")))
    return [tuple(row[:-2]) for row in rows]


def _is_bar(element: Tree.Element | None) -> bool:
    return element is not None and element.tag.endswith("rect")


def _elements(svg: str) -> Iterator[Tree.Element]:
    # What is parsed was drawn a moment ago by these tests.
    return Tree.fromstring(svg).iter()  # noqa: S314


def all_of(found: Iterable[set[Said]]) -> set[Said]:
    """Everything in any of the sets."""
    return set().union(*found)
