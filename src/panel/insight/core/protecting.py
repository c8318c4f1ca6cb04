"""From true counts to what is published. Only `Cell`s leave; `TrueCell`s never do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from panel.insight.core.catalogue import CellId
from panel.insight.core.words import Level, Period, Span


@dataclass(frozen=True, slots=True)
class TrueCell:
    """What is true of a cell: of the process that counts, and of nobody else. Its text is empty."""

    cell: CellId = field(repr=False)
    children: int = field(repr=False)
    """Each child once."""
    xor: int = field(repr=False)
    """Of the record keys of these children, each once: signed 64 bits, 0 of nobody."""
    total: int = field(default=0, repr=False)
    """Of a magnitude: pence, days, or thousandths of a unit."""
    largest: tuple[int, ...] = field(default=(), repr=False)
    """The two largest sums of one child in `total`, the largest first."""
    in_bands: tuple[int, ...] = field(default=(), repr=False)
    """Of waits: children in each of `words.WAIT_BANDS`, each by the longest of its waits."""


class Note(StrEnum):
    """What stands in the place of a number, or beside a zero."""

    NONE = ""
    ZERO = "0 to 4"
    COARSER = "see the coarser table"
    AREA = "area too small"
    FEW = "fewer than 10 children"
    DOMINATED = "one or two make most of it"
    WITHDRAWN = "withdrawn"
    NO_DATA = "no data for this term"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as it goes out. No value: it is not shown, and the note says why."""

    cell: CellId
    value: Decimal | None
    note: Note


@dataclass(frozen=True, slots=True)
class ProtectedTable:
    """A table as it goes out: the whole grid always, in the order of the grid's codes."""

    key: str
    period: Period
    cells: tuple[Cell, ...]


class Secrets(Protocol):
    """Holds the key of cells."""

    def cell_key(self, xor: int, kind: str) -> float:
        """A number in [0, 1) of 53 bits that hangs on these contributors and this kind alone."""
        ...


@dataclass(frozen=True, slots=True)
class Grid:
    """The areas of an authority, as they stand in a term."""

    clusters: Mapping[str, str]
    """Ward → its cluster. Codes of wards and clusters differ."""
    least_known: int = 30
    """Published children known that a ward needs for tables of its own. Not under 20."""

    def areas(self, level: Level) -> tuple[str, ...]:
        """The codes of a level, in order; of the authority none, since it is "*"."""
        if level is Level.AUTHORITY:
            return ()
        return tuple(sorted(set(self.clusters if level is Level.WARD else self.clusters.values())))


@dataclass(frozen=True, slots=True)
class Place:
    """Which children a cell is about, whatever table shows it: dimensions that are "*" left out."""

    group: str
    universe: str
    """The fact and what of it counts."""
    span: Span
    period: Period
    of: tuple[tuple[str, str], ...]
    """Dimensions and codes, sorted."""


class Published:
    """What is out, and what this release has settled so far, by place."""

    def __init__(self, cells: Iterable[tuple[Place, Cell]] = ()) -> None:
        self._cells = dict(cells)

    def at(self, place: Place) -> Cell | None:
        """What was published there, if anything was."""
        return self._cells.get(place)

    def put(self, place: Place, cell: Cell) -> None:
        """Add what is settled. ValueError: another number is there already."""
        if self._cells.setdefault(place, cell).value != cell.value:
            raise ValueError("A place has one number, whatever table shows it")
