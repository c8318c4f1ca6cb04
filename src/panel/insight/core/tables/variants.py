"""A table at every level and span at which it is published."""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from panel.insight.core.dimensions import AREA
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.words import Level, Span


class Also(StrEnum):
    """Where a table is published besides the clusters of wards in one term."""

    WARD = "_ward"
    ROLLING = "_three_terms"
    WARD_ROLLING = "_ward_three_terms"
    AUTHORITY = "_authority"


_WORDS = {
    Also.WARD: "by ward",
    Also.ROLLING: "over three terms",
    Also.WARD_ROLLING: "by ward, over three terms",
    Also.AUTHORITY: "in the whole area",
}
_COUNTED_ROLLING = (
    "Children of this term and the two before it, each counted once in a cell. Who changed age"
    " band or moved is counted in both cells."
)
READ_AS_CHANGED = "Figures are changed a little: parts do not add up to their whole. 0 is 0 to 4."


def variants(table: TableDef, *also: Also) -> tuple[TableDef, ...]:
    """The table, and itself at other levels and spans. What says little points to what says more.

    A ward's table points to that of clusters, and a term's to that of three terms.
    """
    coarser = table.key + Also.ROLLING if Also.ROLLING in also else None
    return (replace(table, coarser=coarser), *(_variant(table, one) for one in also))


def _variant(table: TableDef, also: Also) -> TableDef:
    rolling = also in {Also.ROLLING, Also.WARD_ROLLING}
    changed = replace(
        table,
        key=table.key + also,
        title=f"{table.title}, {_WORDS[also]}",
        span=Span.ROLLING if rolling else Span.TERM,
        quality=(*table.quality, _COUNTED_ROLLING) if rolling else table.quality,
        over=(table.over[0] + also, table.over[1] + also) if table.over else None,
    )
    match also:
        case Also.WARD:
            return replace(changed, level=Level.WARD, coarser=table.key)
        case Also.WARD_ROLLING:
            return replace(changed, level=Level.WARD, coarser=table.key + Also.ROLLING)
        case Also.AUTHORITY:
            return replace(
                changed,
                level=Level.AUTHORITY,
                dims=tuple(one for one in table.dims if one != AREA),
            )
        case Also.ROLLING:
            return changed


def rate(
    key: str,
    title: str,
    question: str,
    top: Iterable[TableDef],
    bottom: Iterable[TableDef],
) -> tuple[TableDef, ...]:
    """The tables that show one family of tables as a share of another, level by level.

    ValueError: the two are not of the same levels, or not of the same dimensions.
    """
    tops, bottoms = tuple(top), tuple(bottom)
    made = []
    for one, whole in zip(tops, bottoms, strict=True):
        if (one.dims, one.level, one.span) != (whole.dims, whole.level, whole.span):
            raise ValueError(f"{one.key} is no part of {whole.key}")
        suffix = one.key.removeprefix(tops[0].key)
        made.append(
            replace(
                one,
                key=key + suffix,
                title=title + one.title.removeprefix(tops[0].title),
                question=question,
                definition=f"“{one.title}” as a share of “{whole.title}”, as published.",
                quality=("In steps of five per cent. Not shown under 10 children.",),
                measure=Measure.RATE,
                over=(one.key, whole.key),
                coarser=None if one.coarser is None else key + one.coarser[len(tops[0].key) :],
            )
        )
    return tuple(made)
