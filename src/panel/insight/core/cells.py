"""True cells, which never leave the process, and cells as they go out."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from panel.insight.core.table import CellId
from panel.insight.core.words import Period


@dataclass(frozen=True, slots=True)
class TrueCell:
    """What is true of a cell: of the process that counts, and of nobody else. Its text is empty."""

    cell: CellId = field(repr=False)
    children: int = field(repr=False)
    """Each child once; of a magnitude, those who have something in it."""
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
    NO_SUM = "not added up"
    """Of several estimates of one thing there is no sum."""
    CHANGED = "the ward or group changed"
    ONCE = "once in three terms"
    """A whole table over three terms, of which an earlier release counted one already."""
    FEW_OF_THEM = "few"
    """Beside a rate of 0."""
    NEARLY_ALL = "nearly all"
    """Beside a rate of 100."""
    WITH_NEXT = "this band or the next"
    """Beside a band of waiting that was joined with the next."""


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


def shown(cell: CellId, value: int | Decimal, note: Note = Note.NONE) -> Cell:
    """A cell with its number."""
    return Cell(cell, Decimal(value), note)


def counted(cell: CellId, value: int) -> Cell:
    """A published count; a 0 says that it means 0 to 4."""
    return shown(cell, value, Note.NONE if value else Note.ZERO)


def withheld(cell: CellId, because: Note) -> Cell:
    """A cell that is not shown."""
    return Cell(cell, None, because)
