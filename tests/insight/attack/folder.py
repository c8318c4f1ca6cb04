"""What an attacker holds: the tables of a release, as they were published, and nothing else.

`read_folder` reads a release folder (`catalogue.json`, one CSV for each table); `TableSeen` is also
what a page or an answer of the interface can be read into.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Codes: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class CellSeen:
    """A published cell: its number, or the note that stands in its place."""

    value: int | None
    note: str


@dataclass(frozen=True)
class TableSeen:
    """A published table of counts; `area` among its dimensions stands for `level`."""

    key: str
    period: str
    group: str
    level: str
    span: str
    dims: tuple[str, ...]
    cells: Mapping[Codes, CellSeen]

    def positive(self) -> int:
        """How many cells say that somebody is there."""
        return sum(1 for cell in self.cells.values() if cell.value)
