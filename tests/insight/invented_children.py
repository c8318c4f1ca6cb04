"""Children of an invented county: for tests of the protection that know no attack."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from math import log
from operator import xor

from panel.insight.core.cells import TrueCell
from panel.insight.core.dimensions import AREA, codes
from panel.insight.core.keys import CellKeys, RecordKeys
from panel.insight.core.nesting import margins
from panel.insight.core.places import Grid
from panel.insight.core.table import TableDef
from panel.insight.core.words import EVERY, Level

GRID = Grid({f"w{n:02}": f"c{n // 4}" for n in range(8)})
SECRETS = CellKeys(b"c" * 32)
_RECORDS = RecordKeys(b"r" * 32)
_CHANCE = CellKeys(b"i" * 32)


@dataclass(frozen=True)
class Child:
    """A child with one code in every dimension but the area, which is a ward."""

    key: int
    said: dict[str, str]

    def code(self, table: TableDef, dim: str) -> str:
        ward = self.said[AREA]
        if dim != AREA:
            return self.said[dim]
        return GRID.clusters[ward] if table.level is Level.CLUSTER else ward


def children(many: int, seed: int, tables: Iterable[TableDef]) -> list[Child]:
    """So many children with codes for these tables, unevenly spread: small cells are common."""
    dims = {AREA: tuple(GRID.clusters)}
    dims |= {dim: codes(one, dim, GRID) for one in tables for dim in one.dims if dim != AREA}

    def code(n: int, dim: str) -> str:
        every = dims[dim]
        chance = _CHANCE.cell_key(n, f"{seed} {dim}")
        return every[min(int(-log(1 - chance) * len(every) / 3), len(every) - 1)]

    return [
        Child(_RECORDS.record_key(f"{seed}-{n}".encode()), {dim: code(n, dim) for dim in dims})
        for n in range(many)
    ]


def counted(table: TableDef, those: Iterable[Child]) -> Iterator[TrueCell]:
    """Every cell in which somebody is, margins too, as the database counts them."""
    found: dict[tuple[str, ...], list[int]] = {}
    for child in those:
        for kept in margins(table):
            cell = tuple(child.code(table, dim) if dim in kept else EVERY for dim in table.dims)
            found.setdefault(cell, []).append(child.key)
    for cell, keys in found.items():
        yield TrueCell(cell, len(keys), reduce(xor, keys))
