"""Bars from a low to a high estimate, on one scale: for what nobody knows exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from markupsafe import Markup

from panel.insight.charts import Chart, drawing, element, words_at
from panel.insight.maps import WIDTH

_LINE, _BAR, _BELOW = 19, 18, 15
_LETTERS = 44
_BLUE, _ZERO = "#1d70b8", "#505a5f"
_THIN = 3
"""Units that a bar has at least, or an estimate without a range could not be seen."""


@dataclass(frozen=True, slots=True)
class Range:
    """One bar: what it is, between which numbers, and how these read."""

    label: str
    low: int
    high: int
    words: str


def ranges(chart: Chart, rows: Sequence[Range]) -> Markup:
    """A bar for each row below its words; a line stands at nought. `chart` has no cells."""
    least, most = min(0, *(one.low for one in rows)), max(1, *(one.high for one in rows))

    def at(value: int) -> int:
        return round(WIDTH * (value - least) / (most - least))

    drawn, y = list[Markup](), 0
    for one in rows:
        for line in wrap(f"{one.label}: {one.words}", _LETTERS):
            y += _LINE
            drawn.append(words_at(0, y - 3, line, font_size=16))
        start, end = at(one.low), max(at(one.high), at(one.low) + _THIN)
        drawn.append(element("rect", x=start, y=y + 3, width=end - start, height=_BAR, fill=_BLUE))
        y += _BAR + _BELOW
    line = element("line", x1=at(0), y1=0, x2=at(0), y2=y, stroke=_ZERO, stroke_width=1)
    return drawing(chart, y, line, *drawn)
