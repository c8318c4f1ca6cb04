"""Charts of published cells as SVG, drawn here: no number stands in one but a cell's.

Nothing is asked of scripts or of inline styles, which the pages' policy forbids: what is drawn is
said by presentation attributes and by classes of the stylesheet. A chart is an image with a title
and a description that say what it shows; its numbers are in the table beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup, escape

from panel.insight.core.cells import Cell
from panel.insight.core.table import TableDef
from panel.insight.maps import WIDTH, Outlines
from panel.insight.saying import value_words

_ROW = 44
_BAR = 16
_INK = "#0b0c0c"
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


def _svg(name: str, title: str, description: str, height: int, inside: str) -> Markup:
    return Markup(
        f'<svg class="panel-chart" xmlns="http://www.w3.org/2000/svg" role="img"'
        f' aria-labelledby="{name}-title {name}-desc" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}"><title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{inside}</svg>'
    )


def _text(x: int, y: int, said: str, **attributes: str) -> str:
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x}" y="{y}" fill="{_INK}"{more}>{escape(said)}</text>'


# Bars ---------------------------------------------------------------------------------------------


def bars(chart: Chart) -> Markup:
    """One bar below the words of each cell, and its number beside it."""
    highest = max((one.value for one in chart.cells if one.value is not None), default=Decimal(0))
    room = WIDTH - 110
    drawn = []
    for at, (cell, label) in enumerate(zip(chart.cells, chart.labels, strict=True)):
        top = at * _ROW
        # Rounded to whole units: a length says no more than the number beside it.
        length = round(room * cell.value / highest) if cell.value and highest else 0
        drawn.append(_text(0, top + 15, _short(label), font_size="14"))
        if length:
            drawn.append(
                f'<rect x="0" y="{top + 21}" width="{length}" height="{_BAR}" fill="{_BLUE}"/>'
            )
        said = value_words(chart.table, cell)
        drawn.append(
            _text(length + 6 if length else 0, top + 34, said, font_size="14", font_weight="700")
        )
    return _svg(
        chart.name, chart.title, chart.description, max(_ROW, len(chart.cells) * _ROW),
        "".join(drawn),
    )  # fmt: skip


_LONGEST = 52


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1].rstrip()}…"


# Lines --------------------------------------------------------------------------------------------

_HIGH = 180


def lines(chart: Chart) -> Markup:
    """One line through cells of successive terms; a term without a number breaks it."""
    highest = max((one.value for one in chart.cells if one.value is not None), default=Decimal(0))
    step = (WIDTH - 60) // max(1, len(chart.cells) - 1)
    places: list[tuple[int, int] | None] = [
        None
        if one.value is None
        else (30 + at * step, 20 + round((_HIGH - 40) * (1 - one.value / (highest or 1))))
        for at, one in enumerate(chart.cells)
    ]
    axis = f'<line x1="10" y1="{_HIGH - 20}" x2="{WIDTH - 10}" y2="{_HIGH - 20}" stroke="{_GRID}"/>'
    strokes = "".join(
        f'<line x1="{one[0]}" y1="{one[1]}" x2="{other[0]}" y2="{other[1]}" stroke="{_BLUE}"'
        ' stroke-width="3"/>'
        for one, other in zip(places, places[1:], strict=False)
        if one is not None and other is not None
    )
    marks = "".join(
        f'<circle cx="{place[0]}" cy="{place[1]}" r="5" fill="{_BLUE}"/>'
        + _text(place[0], place[1] - 9, value_words(chart.table, cell), font_size="13",
                text_anchor="middle", font_weight="700")
        for place, cell in zip(places, chart.cells, strict=True)
        if place is not None
    )  # fmt: skip
    labels = "".join(
        _text(30 + at * step, _HIGH - 4, label, font_size="11", text_anchor="middle")
        for at, label in enumerate(chart.labels)
    )
    return _svg(chart.name, chart.title, chart.description, _HIGH, axis + strokes + marks + labels)


# Maps ---------------------------------------------------------------------------------------------

FILLS = ("#f3f2f1", "#dbe9f5", "#73a9d8", "#1d4f91")
"""From none to most; the last is dark enough to be told from the third without its colour."""
_HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Band:
    """A class of numbers on a map, as its key names it."""

    words: str
    fill: str
    """What an SVG `fill` says: a colour or a pattern of the same page."""
    dark: bool = False
    """A label on it is white."""


def bands(name: str, table: TableDef, cells: Sequence[Cell]) -> Mapping[int | None, Band]:
    """The classes of a map's numbers: 0 to 4, and three of the rest; None is what is not shown.

    The classes are cut from what is published, in steps of five.
    """
    highest = max((int(one.value) for one in cells if one.value is not None), default=0)
    third = max(5, -(-highest // 15) * 5)
    found: dict[int | None, Band] = {None: Band("Not shown", f"url(#{name}-{_HIDDEN})")}
    if any(one.value == 0 for one in cells):
        found[0] = Band("0 to 4", FILLS[0])
    low = 5
    for at in (1, 2, 3):
        high = third * at
        if low <= highest:
            words = str(low) if high <= low else f"{low} to {high}"
            found[at] = Band(words, FILLS[1] if at == 1 else f"url(#{name}-lines)" if at == 2
                             else FILLS[3], dark=at == 3)  # fmt: skip
        low = high + 5
    if all(one.value is not None for one in cells):
        del found[None]
    return found


def band_of(cells: Sequence[Cell], cell: Cell) -> int | None:
    """In which class of `bands` a cell is."""
    if cell.value is None:
        return None
    highest = max((int(one.value) for one in cells if one.value is not None), default=0)
    third = max(5, -(-highest // 15) * 5)
    return 0 if cell.value < 5 else min(3, 1 + (int(cell.value) - 1) // third)


def patterns(name: str) -> str:
    """What maps and their keys are filled with besides colours: lines, and crosses for no number."""
    return (
        f'<defs><pattern id="{name}-lines" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect width="6" height="6" fill="{FILLS[2]}"/>'
        f'<path d="M0 6L6 0" stroke="{FILLS[3]}" stroke-width="1"/></pattern>'
        f'<pattern id="{name}-{_HIDDEN}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="#ffffff"/>'
        f'<path d="M2 2L6 6M6 2L2 6" stroke="#505a5f" stroke-width="1"/></pattern></defs>'
    )


def swatch(band: Band) -> Markup:
    """A square of the key; its words stand beside it."""
    return Markup(
        '<svg class="panel-swatch" aria-hidden="true" focusable="false" width="20" height="20"'
        f' viewBox="0 0 20 20"><rect x="1" y="1" width="18" height="18" fill="{band.fill}"'
        f' stroke="{_INK}"/></svg>'
    )


def ward_map(chart: Chart, outlines: Outlines, named: Sequence[str] = ()) -> Markup:
    """The areas of cells by class, and a number on each of `named`, in that order.

    A cell's area is the first of its codes. Areas without an outline are left out: use `tile_map`.
    """
    found = bands(chart.name, chart.table, chart.cells)
    shapes, labels = [], []
    for cell, label in zip(chart.cells, chart.labels, strict=True):
        code = cell.cell[0]
        if code not in outlines.areas:
            continue
        outline, band = outlines.areas[code], found[band_of(chart.cells, cell)]
        said = f"{label}: {value_words(chart.table, cell)}"
        shapes.append(
            f'<path d="{outline.path}" fill="{band.fill}" fill-rule="evenodd" stroke="{_INK}"'
            f' stroke-width="0.8" stroke-linejoin="round"><title>{escape(said)}</title></path>'
        )
        if code in named:
            x, y = outline.middle
            labels.append(
                f'<circle cx="{x}" cy="{y}" r="11" fill="#ffffff" stroke="{_INK}"/>'
                + _text(x, y + 5, str(named.index(code) + 1), font_size="14",
                        font_weight="700", text_anchor="middle")
            )  # fmt: skip
    inside = patterns(chart.name) + "".join(shapes) + "".join(labels)
    return _svg(chart.name, chart.title, chart.description, outlines.height, inside)


_ACROSS = 4
_TILE = (WIDTH // _ACROSS, 64)


def tile_map(chart: Chart, named: Sequence[str] = ()) -> Markup:
    """A tile for each area, by name: where there are no boundaries to draw."""
    found = bands(chart.name, chart.table, chart.cells)
    wide, high = _TILE
    drawn = []
    for at, (cell, label) in enumerate(zip(chart.cells, chart.labels, strict=True)):
        left, top = at % _ACROSS * wide, at // _ACROSS * high
        band = found[band_of(chart.cells, cell)]
        ink = "#ffffff" if band.dark else _INK
        rank = f"{named.index(cell.cell[0]) + 1}. " if cell.cell[0] in named else ""
        # Words on a pattern are hard to read: they stand on a plain strip.
        plain = band.fill if band.fill.startswith("#") else "#ffffff"
        drawn.append(
            f'<rect x="{left + 1}" y="{top + 1}" width="{wide - 2}" height="{high - 2}"'
            f' fill="{band.fill}" stroke="{_INK}"/>'
            f'<rect x="{left + 4}" y="{top + 5}" width="{wide - 8}" height="{high - 18}"'
            f' fill="{plain}"/>'
        )
        for line, said in enumerate(_two_lines(f"{rank}{label}")):
            drawn.append(
                f'<text x="{left + 7}" y="{top + 18 + line * 13}" font-size="11" fill="{ink}">'
                f"{escape(said)}</text>"
            )
        shown = value_words(chart.table, cell) if cell.value is not None else "–"
        drawn.append(
            f'<text x="{left + 7}" y="{top + 47}" font-size="12" font-weight="700" fill="{ink}">'
            f"{escape(shown)}</text>"
        )
    rows = -(-len(chart.cells) // _ACROSS)
    inside = patterns(chart.name) + "".join(drawn)
    return _svg(chart.name, chart.title, chart.description, max(1, rows) * high, inside)


_ON_A_LINE = 15


def _two_lines(name: str) -> list[str]:
    first, rest = "", name.split()
    while rest and len(f"{first} {rest[0]}".strip()) <= _ON_A_LINE:
        first = f"{first} {rest.pop(0)}".strip()
    second = " ".join(rest)
    if not first:
        first, second = name[: _ON_A_LINE - 1] + "…", ""
    if len(second) > _ON_A_LINE:
        second = second[: _ON_A_LINE - 1].rstrip() + "…"
    return [first, second] if second else [first]
