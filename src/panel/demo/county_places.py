"""The invented county around the demonstration's authority: its wards and what they lack.

The wards that the demonstration's children live in, and as many more. Their boundaries are drawn
here, in the open sea: twelve fields of a crooked grid whose corners neighbours have in common.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from panel.demo.places import WARDS

MORE_WARDS = (
    ("W90000007", "Harbourne"),
    ("W90000008", "Cold Ash"),
    ("W90000009", "Mereside"),
    ("W90000010", "Long Furrow"),
    ("W90000011", "Thornwick"),
    ("W90000012", "Saltings"),
)
_ACROSS, _DOWN = 4, 3
_WEST, _NORTH = 2.6, 55.1
"""Degrees: in the middle of the North Sea, where no ward is."""
_WIDE, _HIGH = 0.09, 0.055
_AWAY = (
    (0, 0), (4, -3), (-5, 2), (3, 3), (0, -4), (-3, 0), (6, 5), (-4, -5), (5, 4), (-2, 1), (2, 0),
    (-6, 4), (4, -6), (5, 3), (0, 2), (0, 0), (3, 5), (-4, -2), (2, 4), (1, 0),
)  # fmt: skip
"""By how many hundredths of a degree each corner is off the grid, times ten."""


@dataclass(frozen=True, slots=True)
class Ward:
    """A ward of the county, and how it differs from others."""

    code: str
    name: str
    children: int
    """Of the county's, beside those of other wards."""
    no_break: int
    """In a hundred children, those who lack a short break."""


_DIFFERS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "W90000001": (9, 6), "W90000002": (10, 3), "W90000003": (8, 4), "W90000004": (7, 7),
        "W90000005": (12, 22), "W90000006": (9, 25), "W90000007": (10, 5), "W90000008": (5, 4),
        "W90000009": (11, 8), "W90000010": (6, 3), "W90000011": (7, 19), "W90000012": (6, 9),
    }
)  # fmt: skip
COUNTY = tuple(Ward(code, name, *_DIFFERS[code]) for code, name in (*WARDS, *MORE_WARDS))


def boundaries() -> dict[str, dict[str, Any]]:
    """The boundary of each ward as GeoJSON."""
    found = {}
    for at, one in enumerate(COUNTY):
        row, column = divmod(at, _ACROSS)
        round_it = ((column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1))
        ring = [_corner(*place) for place in (*round_it, round_it[0])]
        found[one.code] = {"type": "Polygon", "coordinates": [ring]}
    return found


def _corner(column: int, row: int) -> list[float]:
    east, south = _AWAY[row * (_ACROSS + 1) + column]
    return [
        round(_WEST + column * _WIDE + east / 500, 4),
        round(_NORTH - row * _HIGH - south / 700, 4),
    ]
