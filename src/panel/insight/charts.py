"""Charts of published cells as SVG, drawn here: no number stands in one but a cell's.

Nothing is asked of scripts or of inline styles, which the pages' policy forbids: what is drawn is
said by presentation attributes and by classes of the stylesheet. A chart is an image with a title
and a description that say what it shows; its numbers are in the table beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from textwrap import wrap

from markupsafe import Markup

from panel.insight.core.cells import Cell
from panel.insight.core.table import TableDef
from panel.insight.maps import WIDTH
from panel.insight.saying import value_words

INK = "#0b0c0c"
_GRID = "#b1b4b6"
_BLUE = "#1d70b8"


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart shows: cells of one table, with the words of each."""

    name: str
    """Its id on the page: letters and hyphens."""
    title: str
    description: str
    table: TableDef
    cells: tuple[Cell, ...]
    labels: tuple[str, ...]

    @property
    def alt(self) -> str:
        """What stands for the chart where it cannot be seen."""
        return f"{self.title}. {self.description}"


def element(tag: str, *inside: str | Markup, **attributes: object) -> Markup:
    """An element of SVG. Texts and attributes are escaped; `stroke_width` is stroke-width."""
    said = Markup("").join(
        Markup(' {}="{}"').format(name.strip("_").replace("_", "-"), value)
        for name, value in attributes.items()
    )
    return Markup("<{}{}>{}</{}>").format(tag, said, Markup("").join(inside), tag)


def drawing(chart: Chart, height: int, *inside: Markup) -> Markup:
    """The whole image, as wide as its place allows."""
    return element(
        "svg",
        element("title", chart.title, id=f"{chart.name}-title"),
        element("desc", chart.description, id=f"{chart.name}-desc"),
        *inside,
        class_="panel-chart",
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_labelledby=f"{chart.name}-title {chart.name}-desc",
        viewBox=f"0 0 {WIDTH} {height}",
        width=WIDTH,
        height=height,
    )


def words_at(x: int, y: int, said: str, **attributes: object) -> Markup:
    """A text of the drawing."""
    return element("text", said, x=x, y=y, **({"fill": INK} | attributes))


def highest(cells: Sequence[Cell]) -> Decimal:
    """The highest published number; 0 where there is none."""
    return max((one.value for one in cells if one.value is not None), default=Decimal(0))


# Bars ---------------------------------------------------------------------------------------------

_LINE = 19
_BAR = 18
_BELOW = 13
_BESIDE = 125
"""Room for a number beside the longest bar."""
_LETTERS = 44
"""That a line of words has room for."""


def bars(chart: Chart) -> Markup:
    """One bar below the words of each cell, and its number beside it."""
    top = highest(chart.cells)
    drawn, y = [], 0
    for cell, label in zip(chart.cells, chart.labels, strict=True):
        for line in wrap(label, _LETTERS):
            y += _LINE
            drawn.append(words_at(0, y - 3, line, font_size=16))
        # Whole units: a length says no more than the number beside it.
        length = round((WIDTH - _BESIDE) * cell.value / top) if cell.value and top else 0
        if length:
            drawn.append(element("rect", x=0, y=y + 3, width=length, height=_BAR, fill=_BLUE))
        said = value_words(chart.table, cell)
        x = length + 6 if length else 0
        drawn.append(words_at(x, y + _BAR, said, font_size=16, font_weight=700))
        y += _BAR + _BELOW
    return drawing(chart, max(y, _LINE), *drawn)


# Lines --------------------------------------------------------------------------------------------

_HIGH = 200
_FOOT = 40
"""Room for two lines of words below the axis."""
_SIDE = 40
Place = tuple[int, int] | None


def lines(chart: Chart) -> Markup:
    """One line through cells of successive terms; a term without a number breaks it.

    Each word of a label stands on a line of its own: terms are narrow, and few words long.
    """
    top = highest(chart.cells) or Decimal(1)
    step = (WIDTH - 2 * _SIDE) // max(1, len(chart.cells) - 1)
    places: list[Place] = [
        None
        if one.value is None
        else (_SIDE + at * step, 26 + round((_HIGH - _FOOT - 34) * (1 - one.value / top)))
        for at, one in enumerate(chart.cells)
    ]
    drawn = [
        element("line", x1=10, y1=_HIGH - _FOOT, x2=WIDTH - 10, y2=_HIGH - _FOOT, stroke=_GRID),
        *(
            element("line", x1=one[0], y1=one[1], x2=other[0], y2=other[1], stroke=_BLUE,
                    stroke_width=3)
            for one, other in pairwise(places)
            if one is not None and other is not None
        ),
    ]  # fmt: skip
    for at, (place, cell, label) in enumerate(zip(places, chart.cells, chart.labels, strict=True)):
        x = _SIDE + at * step
        for line, word in enumerate(label.split()):
            y = _HIGH - _FOOT + 17 * (line + 1)
            drawn.append(words_at(x, y, word, font_size=14, text_anchor="middle"))
        if place is not None:
            drawn.append(element("circle", cx=x, cy=place[1], r=5, fill=_BLUE))
            said = value_words(chart.table, cell)
            drawn.append(
                words_at(x, place[1] - 9, said, font_size=15, font_weight=700, text_anchor="middle")
            )
    return drawing(chart, _HIGH, *drawn)
