"""Which of a table and its coarser ones is shown first: the one that says more.

Small areas read as zeros. Then the cluster of wards, or three terms, has more to say. The choice is
made of published figures, so it tells nothing that they do not, and the page prints it.
"""

from collections.abc import Iterable, Mapping

from panel.insight.core.cells import Note, ProtectedTable
from panel.insight.core.ptable import LEAST
from panel.insight.core.table import TableDef
from panel.insight.core.words import EVERY, ordinal


def says(table: ProtectedTable) -> int:
    """In how many cells that are no margin there is a figure of 5 or more."""
    return sum(
        one.value is not None and one.value >= LEAST for one in table.cells if EVERY not in one.cell
    )


def newest(tables: Iterable[ProtectedTable]) -> Mapping[str, ProtectedTable]:
    """Of each table that of the newest term that has it: some come out once in three terms."""
    found: dict[str, ProtectedTable] = {}
    for one in sorted(tables, key=lambda one: ordinal(one.period)):
        if one.key not in found or not all(cell.note is Note.ONCE for cell in one.cells):
            found[one.key] = one
    return found


def to_read(
    key: str, catalogue: Mapping[str, TableDef], tables: Mapping[str, ProtectedTable]
) -> str:
    """The table, or the coarser one that says most, the finest of several. KeyError: no table.

    `tables` are the `newest`.
    """
    chosen, best = key, says(tables[key])
    at = catalogue[key].coarser
    while at is not None:
        if (said := says(tables[at])) > best:
            chosen, best = at, said
        at = catalogue[at].coarser
    return chosen
