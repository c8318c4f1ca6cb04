"""Wards and other areas with their boundaries, read from GeoJSON as the ONS publishes it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy.ext.asyncio import AsyncSession

from panel.records.csv_rows import RowProblem
from panel.register.models import Area

LARGEST = 100 * 1024 * 1024
"""Bytes that a file of boundaries may have."""

_CODE = re.compile(r"(WD|LSOA|MSOA|LAD)\d\dCD")
_DEPTH = {"Polygon": 2, "MultiPolygon": 3}


class UnreadableAreas(ValueError):
    """The file as a whole cannot be read; its text is for the reader."""


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area. `line` is the number of the feature in the file."""

    line: int
    code: str
    name: str
    boundary: dict[str, Any]


def read_areas(source: BinaryIO) -> Iterator[AreaRow | RowProblem]:
    """The areas of a GeoJSON file, and what is wrong with it, feature by feature."""
    content = source.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise UnreadableAreas("This file is larger than 100 MB. Use generalised boundaries.")
    try:
        read = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnreadableAreas("This is not GeoJSON. Export the boundaries as GeoJSON.") from error
    features = read.get("features") if isinstance(read, dict) else None
    if not isinstance(features, list) or read.get("type") != "FeatureCollection":
        raise UnreadableAreas("This is not a GeoJSON FeatureCollection of areas.")
    return (_area(number, feature) for number, feature in enumerate(features, start=1))


def _area(number: int, feature: object) -> AreaRow | RowProblem:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        return RowProblem(number, None, "This is no area with properties.")
    properties: dict[str, Any] = feature["properties"]
    found = _code_and_name(properties)
    if found is None:
        return RowProblem(number, "code", "There is no code and name, such as WD25CD and WD25NM.")
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict) or geometry.get("type") not in _DEPTH:
        return RowProblem(number, "geometry", "The boundary is not a polygon.")
    depth = _DEPTH[geometry["type"]]
    if (wrong := _wrong_line(geometry.get("coordinates"), depth)) is not None:
        return RowProblem(number, "geometry", wrong)
    boundary = {"type": geometry["type"], "coordinates": geometry["coordinates"]}
    return AreaRow(number, found[0], found[1], boundary)


def _code_and_name(properties: dict[str, Any]) -> tuple[str, str] | None:
    """The code and name of the smallest area named: a ward's, though its council stands beside."""
    codes = sorted(
        (key for key in properties if _CODE.fullmatch(key)),
        key=lambda key: ("WD", "LSOA", "MSOA", "LAD").index(key[:-4]),
    )
    for key in (*codes, "code"):
        name_key = "name" if key == "code" else f"{key[:-2]}NM"
        code, name = properties.get(key), properties.get(name_key)
        if isinstance(code, str) and re.fullmatch(r"[EWSN]\d{8}", code) and isinstance(name, str):
            return code, " ".join(name.split())[:200]
    return None


def _points(coordinates: object, depth: int) -> Iterator[tuple[float, float] | None]:
    """Every point; None for what is none."""
    if not isinstance(coordinates, list):
        yield None
    elif depth:
        for each in coordinates:
            yield from _points(each, depth - 1)
    elif len(coordinates) >= 2 and all(type(one) in (int, float) for one in coordinates):
        yield float(coordinates[0]), float(coordinates[1])
    else:
        yield None


def _wrong_line(coordinates: object, depth: int) -> str | None:
    """What is wrong with the lines of a boundary; None: nothing."""
    points = list(_points(coordinates, depth))
    if not points or None in points:
        return "The boundary’s points are not pairs of numbers."
    if any(abs(one[0]) > 180 or abs(one[1]) > 90 for one in points if one is not None):
        return "The boundary is not in degrees. Export it as WGS 84 (EPSG:4326)."
    if not isinstance(coordinates, list) or not _is_closed(coordinates, depth):
        return "A line of the boundary does not end where it begins."
    return None


def _is_closed(coordinates: list[Any], depth: int) -> bool:
    """Whether each of its lines, of holes too, ends where it begins."""
    if depth > 1:
        return all(_is_closed(each, depth - 1) for each in coordinates)
    return bool(coordinates) and coordinates[0][:2] == coordinates[-1][:2]


async def write_area(session: AsyncSession, row: AreaRow) -> str:
    """Add or change an area: "added", "changed" or "known"."""
    area = await session.get(Area, row.code)
    if area is None:
        session.add(Area(id=row.code, name=row.name, boundary=row.boundary))
        return "added"
    if area.name == row.name and area.boundary == row.boundary:
        return "known"
    area.name = row.name
    area.boundary = row.boundary
    return "changed"
