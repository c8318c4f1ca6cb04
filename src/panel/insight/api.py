"""Published releases for programs, as JSON: what the pages and the files show, and no more."""

from collections.abc import Sequence
from typing import Any

from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.table import TableDef
from panel.insight.files import Form
from panel.insight.reading import Head, Seen
from panel.insight.saying import BANNER, LEVELS, SPANS, cell_words, dim_words, in_order, unit

Json = dict[str, Any]


def releases(heads: Sequence[Head]) -> Json:
    """All releases, the newest first."""
    return {
        "notice": BANNER,
        "releases": [
            {
                "number": one.number,
                "period": one.period,
                "madeAt": one.made_at.isoformat(),
                "catalogue": f"/api/v1/releases/{one.number}/catalogue",
            }
            for one in heads
        ],
    }


def catalogue(head: Head, keys: Sequence[str]) -> Json:
    """The tables that a release holds."""
    return {
        "notice": BANNER,
        "number": head.number,
        "period": head.period,
        "tables": [_described(head, CATALOGUE[key]) for key in keys],
    }


def _described(head: Head, table: TableDef) -> Json:
    return {
        "key": table.key,
        "title": table.title,
        "definition": table.definition,
        "source": table.source,
        "quality": list(table.quality),
        "level": table.level.value,
        "levelWords": LEVELS[table.level],
        "span": table.span.value,
        "spanWords": SPANS[table.span],
        "measure": table.measure.value,
        "unit": unit(table),
        "dimensions": [{"key": dim, "title": dim_words(dim)} for dim in table.dims],
        "coarser": table.coarser,
        "cells": f"/api/v1/releases/{head.number}/tables/{table.key}",
        "files": {
            form.value: f"/commissioning/tables/{table.key}/{head.period}.{form.value}"
            for form in Form
        },
    }


def table(seen: Seen, key: str) -> Json:
    """The whole grid of a table. Values are texts, so that no program rounds them."""
    found = CATALOGUE[key]
    return _described(seen.head, found) | {
        "notice": BANNER,
        "wardsThatChanged": list(seen.areas.changed(found)),
        "number": seen.head.number,
        "period": seen.head.period,
        "cells": [
            {
                "cell": list(one.cell),
                "words": list(cell_words(found, one.cell, seen.areas)),
                "value": None if one.value is None else f"{one.value:f}",
                "note": one.note.value,
            }
            for one in in_order(found, seen.of(key), seen.areas)
        ],
    }
