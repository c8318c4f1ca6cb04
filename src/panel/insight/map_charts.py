"""Areas filled by what is published of them: a map where there are boundaries, tiles where not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from panel.insight.charts import INK, Chart, drawing, element, highest, words_at
from panel.insight.core.cells import Cell
from panel.insight.maps import WIDTH, Outlines
from panel.insight.saying import value_words

FILLS = ("#ffffff", "#cfe2f3", "#73a9d8", "#1d4f91")
"""From none to most."""


@dataclass(frozen=True, slots=True)
class Band:
    """A class of numbers on a map, as its key names it."""

    words: str
    fill: str
    """What an SVG `fill` says: a colour, or a pattern of the same page."""
    dark: bool = False
    """What is written on it is white."""


def _third(cells: Sequence[Cell]) -> int:
    """How wide a class is: a multiple of five, since published counts are."""
    return max(5, -(-int(highest(cells)) // 15) * 5)


def band_of(cells: Sequence[Cell], cell: Cell) -> int | None:
    """The class of a cell among those of its map: 0 for 0 to 4, 1 to 3, None for not shown."""
    if cell.value is None:
        return None
    return 0 if cell.value < 5 else min(3, 1 + (int(cell.value) - 1) // _third(cells))


def bands(name: str, cells: Sequence[Cell]) -> Mapping[int | None, Band]:
    """The classes that a map has, in the order of its key, cut from what is published."""
    third = _third(cells)
    fills = (FILLS[0], FILLS[1], f"url(#{name}-lines)", FILLS[3], f"url(#{name}-crosses)")
    found: dict[int | None, Band] = {}
    for at in sorted({band for one in cells if (band := band_of(cells, one)) is not None}):
        low, high = third * (at - 1) + 5, third * at
        said = "0 to 4" if at == 0 else f"{low}" if low == high else f"{low} to {high}"
        found[at] = Band(said, fills[at], dark=at == 3)
    if any(one.value is None for one in cells):
        found[None] = Band("Not shown", fills[4])
    return found


def _patterns(name: str) -> Markup:
    """Fills that are told apart without colour: lines, and crosses for no number."""
    square = {"patternUnits": "userSpaceOnUse"}
    return element(
        "defs",
        element(
            "pattern",
            element("rect", width=6, height=6, fill=FILLS[2]),
            element("path", d="M0 6L6 0", stroke=FILLS[3], stroke_width=1),
            id=f"{name}-lines", width=6, height=6, **square,
        ),
        element(
            "pattern",
            element("rect", width=9, height=9, fill=FILLS[0]),
            element("path", d="M3 3L6 6M6 3L3 6", stroke="#505a5f", stroke_width=1),
            id=f"{name}-crosses", width=9, height=9, **square,
        ),
    )  # fmt: skip


def key(name: str, cells: Sequence[Cell]) -> tuple[tuple[Markup, str], ...]:
    """A square for each class that the map has, and its words."""
    return tuple((_swatch(band), band.words) for band in bands(name, cells).values())


def _swatch(band: Band) -> Markup:
    square = element("rect", x=1, y=1, width=18, height=18, fill=band.fill, stroke=INK)
    return element(
        "svg", square, class_="panel-swatch", aria_hidden="true", focusable="false",
        width=20, height=20, viewBox="0 0 20 20",
    )  # fmt: skip


def ward_map(chart: Chart, outlines: Outlines, named: Sequence[str] = ()) -> Markup:
    """The areas of cells by class, and a number on each of `named`, in that order.

    A cell's area is the first of its codes. Areas without an outline are left out: use `tile_map`.
    """
    found = bands(chart.name, chart.cells)
    shapes, marks = [], list[Markup]()
    for cell, label in zip(chart.cells, chart.labels, strict=True):
        outline = outlines.areas.get(cell.cell[0])
        if outline is None:
            continue
        said = element("title", f"{label}: {value_words(chart.table, cell)}")
        shapes.append(
            element("path", said, d=outline.path, fill=found[band_of(chart.cells, cell)].fill,
                    fill_rule="evenodd", stroke=INK, stroke_width=0.8, stroke_linejoin="round")
        )  # fmt: skip
        if cell.cell[0] in named:
            marks += _mark(*outline.middle, named.index(cell.cell[0]) + 1)
    return drawing(chart, outlines.height, _patterns(chart.name), *shapes, *marks)


def _mark(x: int, y: int, rank: int) -> tuple[Markup, Markup]:
    return (
        element("circle", cx=x, cy=y, r=11, fill="#ffffff", stroke=INK),
        words_at(x, y + 5, str(rank), font_size=14, font_weight=700, text_anchor="middle"),
    )


# Tiles --------------------------------------------------------------------------------------------

_ACROSS = 4
_WIDE, _HIGH = WIDTH // _ACROSS, 64
_ON_A_LINE = 15


def tile_map(chart: Chart, named: Sequence[str] = ()) -> Markup:
    """A tile for each area, by name: where there are no boundaries to draw."""
    found = bands(chart.name, chart.cells)
    drawn = []
    for at, (cell, label) in enumerate(zip(chart.cells, chart.labels, strict=True)):
        code = cell.cell[0]
        rank = f"{named.index(code) + 1}. " if code in named else ""
        shown = value_words(chart.table, cell) if cell.value is not None else "–"
        place = (at % _ACROSS * _WIDE, at // _ACROSS * _HIGH)
        band = found[band_of(chart.cells, cell)]
        drawn.append(_tile(*place, band, (*_two_lines(f"{rank}{label}"), shown)))
    rows = max(1, -(-len(chart.cells) // _ACROSS))
    return drawing(chart, rows * _HIGH, _patterns(chart.name), *drawn)


def _tile(x: int, y: int, band: Band, said: Sequence[str]) -> Markup:
    *name, shown = said
    ink = "#ffffff" if band.dark else INK
    # Words on a pattern are hard to read: they stand on a plain part of the tile.
    plain = band.fill if band.fill.startswith("#") else "#ffffff"
    return element(
        "g",
        element("rect", x=x + 1, y=y + 1, width=_WIDE - 2, height=_HIGH - 2, fill=band.fill,
                stroke=INK),
        element("rect", x=x + 4, y=y + 4, width=_WIDE - 8, height=_HIGH - 16, fill=plain),
        *(
            words_at(x + 7, y + 16 + line * 12, one, font_size=11, fill=ink)
            for line, one in enumerate(name)
        ),
        words_at(x + 7, y + 45, shown, font_size=13, font_weight=700, fill=ink),
    )  # fmt: skip


def _two_lines(name: str) -> list[str]:
    first, rest = "", name.split()
    while rest and len(f"{first} {rest[0]}".strip()) <= _ON_A_LINE:
        first = f"{first} {rest.pop(0)}".strip()
    if not first:
        return [_cut(name)]
    return [first, _cut(" ".join(rest))] if rest else [first]


def _cut(said: str) -> str:
    return said if len(said) <= _ON_A_LINE else f"{said[: _ON_A_LINE - 1].rstrip()}…"
