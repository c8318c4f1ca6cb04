"""The codes of each dimension of a table, in the order in which they are shown."""

from collections.abc import Iterator, Mapping
from itertools import product

from panel.insight.core import words
from panel.insight.core.places import Grid
from panel.insight.core.table import CellId, TableDef
from panel.insight.core.words import EVERY, NOT_SAID

AREA = "area"
_CODES: Mapping[str, Mapping[str, str]] = {
    "age": words.AGES,
    "sex": words.SEXES,
    "ethnicity": words.ETHNICITIES,
    "need": words.NEEDS,
    "level": words.LEVELS,
    "kind": words.SERVICES,
    "basis": words.BASES,
    "decision": words.DECISIONS,
    "reason": words.REASONS,
    "how": words.WAYS,
    "residential": words.YES_NO,
    "payer": words.PAYERS,
    "clock": words.CLOCKS,
    "question": words.QUESTIONS,
    "list": words.LISTS,
    "course": words.COURSES,
    "band": words.EXPECTED_BANDS,
    "ahead": words.TERMS_AHEAD,
    "edge": words.EDGES,
}
_OF_FACT: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("Transition", "kind"): words.TRANSITIONS,
}
_MAY_BE_UNSAID = frozenset({"age", "sex", "ethnicity", "need", "level", "basis", "decision"})
TITLES: Mapping[str, str] = {
    AREA: "Area",
    "age": "Age",
    "sex": "Sex",
    "ethnicity": "Ethnic group",
    "need": "Need",
    "level": "Level of need",
    "kind": "Kind of service",
    "basis": "Law",
    "decision": "Decision",
    "reason": "Why it is unmet",
    "how": "How it is given",
    "residential": "Residential",
    "payer": "Who pays",
    "clock": "Wait",
    "question": "About",
    "list": "List",
    "course": "How it went",
    "band": "Expected by",
    "ahead": "Terms from now",
    "edge": "Estimate",
}


def codes(table: TableDef, dim: str, grid: Grid) -> tuple[str, ...]:
    """All codes of a dimension in a table, without "*". KeyError: no such dimension.

    Of the area those of the table's level. A ward that nobody knows counts in the whole authority
    alone, so "" is no area.
    """
    if dim == AREA:
        return grid.areas(table.level)
    listed = (*said_as(table, dim), *((NOT_SAID,) if dim in _MAY_BE_UNSAID else ()))
    allowed = dict(table.where).get(dim)
    return listed if allowed is None else tuple(one for one in listed if one in allowed)


def said_as(table: TableDef, dim: str) -> Mapping[str, str]:
    """Code → what people read; "" is "Not recorded" and is in no list."""
    return _OF_FACT.get((table.fact.__name__, dim), _CODES.get(dim, {}))


def whole_grid(table: TableDef, grid: Grid) -> Iterator[CellId]:
    """Every cell of a table, whether anybody is in it or not; wholes before their parts."""
    return product(*((EVERY, *codes(table, dim, grid)) for dim in table.dims))
