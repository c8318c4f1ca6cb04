"""The hunt for what tells more than the numbers beside it: in files, charts and pages."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise
from typing import Final, TypeVar

DRAWN_WITH: Final = frozenset(
    {
        "aria-labelledby", "class", "cx", "cy", "d", "fill", "fill-rule", "font-size",
        "font-weight", "height", "id", "patternUnits", "points", "r", "role", "rx", "stroke",
        "stroke-linejoin", "stroke-width", "text-anchor", "xmlns", "transform", "viewBox", "width", "x",
        "x1", "x2", "y", "y1", "y2",
    }
)  # fmt: skip
"""Attributes that say where and how something is drawn. `data-` and its like say more."""
Said = TypeVar("Said")


def differences(one: Mapping[str, Said], other: Mapping[str, Said]) -> list[str]:
    """Names that only one has, or under which the two hold something else."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


@dataclass
class _Element:
    """An element of a drawing: its tag, its attributes, and the text before the next."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""


class _Drawing(HTMLParser):
    """Reads a drawing, element by element; comments count as attributes, since they say more."""

    def __init__(self, svg: str) -> None:
        super().__init__()
        self.elements: list[_Element] = []
        self.feed(svg)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """The next element."""
        self.elements.append(_Element(tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Its text."""
        self.elements[-1].text += data.strip()

    def handle_comment(self, data: str) -> None:
        """A comment is something strange."""
        self.elements.append(_Element("", {f"comment {data}": ""}))


def strange_attributes(svg: str) -> set[str]:
    """Attributes of a drawing that are none of drawing; comments too."""
    found = {name for element in _Drawing(svg).elements for name in element.attributes}
    return found - {name.lower() for name in DRAWN_WITH}


def numbers_said(svg: str) -> set[int]:
    """Whole numbers that a drawing writes as a value: texts and titles that are a number alone, or
    end with one after a colon."""
    found = set()
    for element in _Drawing(svg).elements:
        said = re.fullmatch(r"(?:.*: )?([\d,]+)", element.text)
        if said is not None:
            found.add(int(said[1].replace(",", "")))
    return found


def lengths(svg: str) -> dict[int, set[str | None]]:
    """Of a chart of bars: the lengths that stand beside each number."""
    found: dict[int, set[str | None]] = {}
    elements = _Drawing(svg).elements
    for bar, element in pairwise(elements):
        said = element.text.replace(",", "")
        if bar.tag == "rect" and said.isdecimal():
            found.setdefault(int(said), set()).add(bar.attributes["width"])
    return found


def order_of(table: bytes) -> list[tuple[str, ...]]:
    """The codes of each row of a CSV, in the order of the file, without value and note."""
    rows = csv.reader(io.StringIO(table.decode("utf-8-sig")))
    return [tuple(row[:-2]) for row in rows]
