"""The catalogue: the only list of what is published. Pages, files, API, audit and tests read it.

There is no query builder: whoever needs another table asks for it, and it joins the list for all.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from panel.insight.core.nesting import Clique, Links, decomposed, in_order
from panel.insight.core.table import CellId, Measure, TableDef
from panel.insight.core.tables import children, demand, outcomes, packages, unmet

__all__ = ["CATALOGUE", "LINKS", "ORDER", "CellId", "Measure", "TableDef", "cliques"]


def _keyed(tables: Iterable[TableDef]) -> Mapping[str, TableDef]:
    every = list(tables)
    found = {one.key: one for one in every}
    if len(found) != len(every):
        raise ValueError("Two tables have the same key")
    return MappingProxyType(found)


CATALOGUE: Mapping[str, TableDef] = _keyed(
    (*children.TABLES, *demand.TABLES, *unmet.TABLES, *packages.TABLES, *outcomes.TABLES)
)
LINKS = Links.of(CATALOGUE)
ORDER: tuple[TableDef, ...] = tuple(in_order(CATALOGUE.values(), LINKS))
"""So that every table comes after those that its cells hang on."""


def cliques(group: str, catalogue: Mapping[str, TableDef] = CATALOGUE) -> tuple[Clique, ...]:
    """The dimension sets of a group of counts. ValueError: they form a cycle."""
    return decomposed(
        one.dims
        for one in catalogue.values()
        if one.group == group and one.measure is Measure.CHILDREN
    )
