"""What an attacker holds: the tables of a release, as they were published, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Codes: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class CellSeen:
    """A published cell: its number, or the note that stands in its place."""

    value: int | None
    note: str


@dataclass(frozen=True)
class TableSeen:
    """A published table of counts of children, with its margins: "*" stands for all of a dimension."""

    key: str
    period: str
    counts: str
    """Of whom it counts children: the same word in two tables, the same facts."""
    level: str
    """Of its areas: ward, cluster or authority."""
    span: str
    """`term`, or another word for three terms together."""
    dims: tuple[str, ...]
    many: frozenset[str]
    """Dimensions of which a child may have several codes in a term."""
    cells: Mapping[Codes, CellSeen]
