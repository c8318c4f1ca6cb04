"""Wards as outlines on a map: drawn from their boundaries, simplified as far as a page can bear.

Degrees become units of a drawing `WIDTH` wide by the equirectangular projection about its middle:
an authority is small enough. Rings are drawn with the even-odd rule, so a ring within another is a
hole. Simplified after Douglas and Peucker (1973).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, hypot, radians

WIDTH = 400
MARGIN = 4
FINEST = 1e-4
"""Degrees by which a line may be moved: 11 m on the ground."""
COARSEST = 1e-1
MOST = 60_000
"""Bytes that all outlines of a page may have."""

Point = tuple[float, float]
Ring = Sequence[Point]


@dataclass(frozen=True, slots=True)
class Outline:
    """An area on the map."""

    path: str
    """What an SVG path's `d` says."""
    middle: tuple[int, int]
    """Where a label stands: the middle of its biggest ring's box."""


@dataclass(frozen=True, slots=True)
class Outlines:
    """All areas of which there is a boundary."""

    height: int
    areas: Mapping[str, Outline]


@lru_cache(maxsize=8)
def outlines(boundaries: tuple[tuple[str, str], ...]) -> Outlines | None:
    """The outlines of areas, from (code, GeoJSON geometry as text). None: there is none to draw.

    Kept by what the boundaries say, so that a page does not draw the same map again.
    """
    rings = {code: list(_rings(json.loads(text))) for code, text in boundaries}
    drawn = {code: found for code, found in rings.items() if found}
    if not drawn:
        return None
    tolerance = FINEST
    while True:
        made = _drawn(drawn, tolerance)
        size = sum(len(one.path) for one in made.areas.values())
        if size <= MOST or tolerance >= COARSEST:
            return made
        tolerance *= 2


def _rings(geometry: Mapping[str, object]) -> Iterator[Ring]:
    """Every ring of a polygon or of several, holes too."""
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list):
        return
    polygons = coordinates if geometry.get("type") == "MultiPolygon" else [coordinates]
    for polygon in polygons:
        for ring in polygon:
            if len(ring) >= 4:
                yield [(float(one[0]), float(one[1])) for one in ring]


def _drawn(rings: Mapping[str, Sequence[Ring]], tolerance: float) -> Outlines:
    points = [point for found in rings.values() for ring in found for point in ring]
    west, east = min(one[0] for one in points), max(one[0] for one in points)
    south, north = min(one[1] for one in points), max(one[1] for one in points)
    narrow = cos(radians((south + north) / 2))
    across = max((east - west) * narrow, north - south, 1e-9)
    scale = (WIDTH - 2 * MARGIN) / across
    # In the middle of its width where the area is taller than wide.
    left = (WIDTH - (east - west) * narrow * scale) / 2

    def at(point: Point) -> tuple[float, float]:
        return (
            round(left + (point[0] - west) * narrow * scale, 1),
            round(MARGIN + (north - point[1]) * scale, 1),
        )

    areas = {}
    for code, found in rings.items():
        placed = [[at(point) for point in simplified(ring, tolerance)] for ring in found]
        areas[code] = Outline("".join(_path(ring) for ring in placed), _middle(placed))
    return Outlines(round((north - south) * scale) + 2 * MARGIN, areas)


def simplified(ring: Ring, tolerance: float) -> Ring:
    """The ring with as few of its points as leave no other farther off than `tolerance`.

    It keeps at least a triangle: a small area stays to be seen.
    """
    if len(ring) <= 4:
        return ring
    # A ring ends where it begins: it is cut at the point farthest from there.
    far = max(range(len(ring)), key=lambda at: _apart(ring[0], ring[at]))
    kept = {0, far, len(ring) - 1}
    pending = [(0, far), (far, len(ring) - 1)]
    while pending:
        first, last = pending.pop()
        if last - first < 2:
            continue
        at = max(range(first + 1, last), key=lambda one: _off(ring[one], ring[first], ring[last]))
        if _off(ring[at], ring[first], ring[last]) > tolerance or len(kept) < 4:
            kept.add(at)
            pending += [(first, at), (at, last)]
    return [ring[at] for at in sorted(kept)]


def _apart(one: Point, other: Point) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])


def _off(point: Point, start: Point, end: Point) -> float:
    """How far a point is from the line between two others."""
    length = _apart(start, end)
    if length == 0:
        return _apart(point, start)
    along = ((point[0] - start[0]) * (end[0] - start[0])) + (
        (point[1] - start[1]) * (end[1] - start[1])
    )
    share = min(1.0, max(0.0, along / length**2))
    foot = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
    return _apart(point, foot)


def _path(ring: Iterable[Point]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in ring) + "Z"


def _middle(rings: Sequence[Ring]) -> tuple[int, int]:
    def box(ring: Ring) -> tuple[float, float, float, float]:
        xs, ys = [one[0] for one in ring], [one[1] for one in ring]
        return min(xs), max(xs), min(ys), max(ys)

    boxes = [box(ring) for ring in rings]
    west, east, north, south = max(boxes, key=lambda one: (one[1] - one[0]) * (one[3] - one[2]))
    return round((west + east) / 2), round((north + south) / 2)
