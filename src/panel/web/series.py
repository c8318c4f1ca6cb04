"""A small chart of one series of numbers, each on its day, as SVG that any page can show.

It needs no script and no inline style. It is an image with a title and a description that say what
it shows; whoever shows it puts its table beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from markupsafe import Markup

from panel.web.words import short_day

WIDTH, HEIGHT = 480, 190
_LEFT, _RIGHT, _TOP, _FOOT = 34, 446, 30, 150
_INK, _GRID, _LINE, _AIM = "#0b0c0c", "#b1b4b6", "#1d70b8", "#00703c"
_MOST_LABELS = 12
"""Beyond so many points only the first and the last bear their number."""


@dataclass(frozen=True, slots=True)
class Point:
    """A number on a day."""

    on: date
    value: Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """What a chart shows. `points` are in the order of their days; there is at least one."""

    name: str
    """Its id on the page: letters, digits and hyphens."""
    title: str
    description: str
    points: Sequence[Point]
    lowest: Decimal
    highest: Decimal
    aim: Decimal | None = None
    """A line at what is aimed for."""


def plain(value: Decimal) -> str:
    """A number without noughts at its end: 3, 2.5."""
    return f"{value.normalize():f}"


def span(values: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """From nought, or the lowest number where it is less, to the highest; never of no height."""
    lowest = min(Decimal(0), *values)
    highest = max(values)
    return lowest, highest if highest > lowest else lowest + 1


def drawn(series: Series) -> Markup:
    """The chart."""
    return Markup(
        '<svg class="panel-chart" xmlns="http://www.w3.org/2000/svg" role="img"'
        ' aria-labelledby="{name}-title {name}-desc" viewBox="0 0 {wide} {high}" width="{wide}"'
        ' height="{high}"><title id="{name}-title">{title}</title>'
        '<desc id="{name}-desc">{says}</desc>{inside}</svg>'
    ).format(
        name=series.name,
        wide=WIDTH,
        high=HEIGHT,
        title=series.title,
        says=series.description,
        inside=Markup("").join([*_frame(series), *_aim(series), *_curve(series), *_days(series)]),
    )


def _frame(series: Series) -> list[Markup]:
    return [
        *(_stroke((_LEFT, y), (_RIGHT, y), _GRID, 1) for y in (_TOP, _FOOT)),
        _words(_LEFT - 6, _TOP + 5, plain(series.highest), "end"),
        _words(_LEFT - 6, _FOOT + 5, plain(series.lowest), "end"),
    ]


def _aim(series: Series) -> list[Markup]:
    if series.aim is None:
        return []
    y = _height(series, series.aim)
    line = Markup(
        '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="2"'
        ' stroke-dasharray="6 4"/>'
    ).format(_LEFT, y, _RIGHT, y, _AIM)
    return [line, _words(WIDTH, y - 5, f"Aim {plain(series.aim)}", "end", _AIM)]


def _curve(series: Series) -> list[Markup]:
    places = [(_across(series, one.on), _height(series, one.value)) for one in series.points]
    inside = [_stroke(one, other, _LINE, 3) for one, other in pairwise(places)]
    last = len(places) - 1
    for at, ((x, y), one) in enumerate(zip(places, series.points, strict=True)):
        inside.append(Markup('<circle cx="{}" cy="{}" r="5" fill="{}"/>').format(x, y, _LINE))
        if len(places) <= _MOST_LABELS or at in (0, last):
            inside.append(_words(x, y - 9, plain(one.value), "middle"))
    return inside


def _days(series: Series) -> list[Markup]:
    first, last = series.points[0].on, series.points[-1].on
    if first == last:
        return [_words(_across(series, first), _FOOT + 24, short_day(first), "middle")]
    return [
        _words(_LEFT, _FOOT + 24, short_day(first), "start"),
        _words(_RIGHT, _FOOT + 24, short_day(last), "end"),
    ]


def _across(series: Series, day: date) -> int:
    first, last = series.points[0].on, series.points[-1].on
    inset = 14
    if first == last:
        return (_LEFT + _RIGHT) // 2
    wide = _RIGHT - _LEFT - 2 * inset
    return _LEFT + inset + wide * (day - first).days // (last - first).days


def _height(series: Series, value: Decimal) -> int:
    within = min(max(value, series.lowest), series.highest)
    share = (within - series.lowest) / (series.highest - series.lowest)
    return _FOOT - round((_FOOT - _TOP) * share)


def _stroke(one: tuple[int, int], other: tuple[int, int], colour: str, wide: int) -> Markup:
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="{}"/>').format(
        *one, *other, colour, wide
    )


def _words(x: int, y: int, said: str, anchor: str, colour: str = _INK) -> Markup:
    return Markup('<text x="{}" y="{}" font-size="15" text-anchor="{}" fill="{}">{}</text>').format(
        x, y, anchor, colour, said
    )
