"""A release as files, and back: what an analyst, an attacker and the audit read.

`catalogue.json` holds the tables' definitions and the rules; each table is one long CSV file, with
a column for each dimension, `measure`, `value` and `note`. Every cell of the grid is in it, in the
grid's order, so that what is there and where says nothing.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import msgspec

from panel.insight.core.cells import Cell, Note, ProtectedTable
from panel.insight.core.changes import AreaChange
from panel.insight.core.dimensions import TITLES, whole_grid
from panel.insight.core.facts import FACTS
from panel.insight.core.ledger import CATALOGUE, canonical
from panel.insight.core.places import Grid
from panel.insight.core.released import LevelError, PublishedError, PublishedRules, Release
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.words import Level, Period, Span, ordinal

READ_FIRST = (
    "Figures are changed a little so that no child can be found. They do not add up."
    " 0 means 0 to 4."
)
_FORMULA = ("=", "+", "-", "@", "＝", "\t", "\r", "'")
"""A spreadsheet would run a cell that begins so: an apostrophe before it makes it text."""
_FACTS = {one.__name__: one for one in FACTS}


class Unreadable(Exception):
    """Files that are no release, in a sentence."""


# Out ----------------------------------------------------------------------------------------------


def files_of(release: Release) -> dict[str, bytes]:
    """The catalogue and the tables, by file name."""
    found = {CATALOGUE: _indented(_catalogue(release))}
    for one in release.tables:
        found[f"{one.key}.csv"] = csv_of(release.catalogue[one.key], one)
    return found


def _indented(one: object) -> bytes:
    return msgspec.json.format(canonical(one), indent=1) + b"\n"


def csv_of(table: TableDef, shown: ProtectedTable) -> bytes:
    """A table as one long CSV file, UTF-8, lines ending in a line feed."""
    lines = [(*table.dims, "measure", "value", "note")]
    for one in shown.cells:
        value = "" if one.value is None else format(one.value, "f")
        lines.append((*one.cell, table.measure.value, value, one.note.value))
    text = "\n".join(",".join(_quoted(part) for part in line) for line in lines)
    return f"{text}\n".encode()


def _quoted(text: str) -> str:
    safe = f"'{text}" if text.startswith(_FORMULA) else text
    return f'"{safe.replace(chr(34), chr(34) * 2)}"' if set(safe) & set(',"\n\r') else safe


def rules_of(rules: PublishedRules) -> dict[str, Any]:
    """The rules of the perturbation, as JSON has them; wards that changed where any did."""
    changed = [
        {"old": one.old, "new": one.new, "from_on": one.from_on, "since": one.since}
        for one in rules.changes
    ]
    return {
        **({"changes": changed} if changed else {}),
        "clusters": dict(rules.clusters),
        "furthest": rules.furthest,
        "least_known": rules.least_known,
        "ptable": {
            str(true): {str(to): str(p) for to, p in row.items()}
            for true, row in rules.ptable.items()
        },
        "round_to": rules.round_to,
    }


def error_of(error: PublishedError) -> dict[str, Any]:
    """How far off figures are by level, as JSON has it: fractions as text, so they stay exact."""
    return {
        level.value: {
            "cells": one.cells,
            "mean_absolute": str(one.mean_absolute),
            "median_gap": None if one.median_gap is None else str(one.median_gap),
        }
        for level, one in error.by_level.items()
    }


def _catalogue(release: Release) -> dict[str, Any]:
    return {
        "read_first": READ_FIRST,
        "period": release.period,
        "dimensions": dict(TITLES),
        "tables": {one.key: _table(release.catalogue[one.key]) for one in release.tables},
        "order": [one.key for one in release.tables],
        "rules": rules_of(release.rules),
        "error": error_of(release.error),
    }


def _table(table: TableDef) -> dict[str, Any]:
    return {
        "title": table.title,
        "question": table.question,
        "definition": table.definition,
        "source": table.source,
        "quality": list(table.quality),
        "fact": table.fact.__name__,
        "where": {column: sorted(codes) for column, codes in table.where},
        "group": table.group,
        "dimensions": list(table.dims),
        "level": table.level.value,
        "span": table.span.value,
        "measure": table.measure.value,
        "of": table.of,
        "over": list(table.over) if table.over else None,
        "coarser": table.coarser,
        "many": list(table.many),
        "structural_zeros": sorted(list(one) for one in table.structural_zeros),
    }


# Back ---------------------------------------------------------------------------------------------


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    question: str
    definition: str
    source: str
    quality: tuple[str, ...]
    fact: str
    where: dict[str, frozenset[str]]
    group: str
    dimensions: tuple[str, ...]
    level: Level
    span: Span
    measure: Measure
    of: str
    over: tuple[str, str] | None
    coarser: str | None
    many: tuple[str, ...]
    structural_zeros: frozenset[tuple[str, ...]]

    def defined(self, key: str) -> TableDef:
        """The definition of a table."""
        return TableDef(
            key=key,
            title=self.title,
            question=self.question,
            definition=self.definition,
            source=self.source,
            quality=self.quality,
            fact=_FACTS[self.fact],
            where=tuple(sorted(self.where.items())),
            group=self.group,
            dims=self.dimensions,
            level=self.level,
            span=self.span,
            measure=self.measure,
            of=self.of,
            over=self.over,
            coarser=self.coarser,
            many=self.many,
            structural_zeros=self.structural_zeros,
        )


class _Change(msgspec.Struct, forbid_unknown_fields=True):
    old: str
    new: str
    from_on: str
    since: str

    def read(self) -> AreaChange:
        """The change. ValueError: its term is none."""
        ordinal(Period(self.since))
        return AreaChange(self.old, self.new, self.from_on, Period(self.since))


class _Rules(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    clusters: dict[str, str]
    furthest: int
    least_known: int
    ptable: dict[str, dict[str, str]]
    round_to: int
    changes: tuple[_Change, ...] = ()


class _Error(msgspec.Struct, forbid_unknown_fields=True):
    cells: int
    mean_absolute: str
    median_gap: str | None


class _Catalogue(msgspec.Struct, forbid_unknown_fields=True):
    read_first: str
    period: str
    dimensions: dict[str, str]
    tables: dict[str, _Table]
    order: tuple[str, ...]
    rules: _Rules
    error: dict[Level, _Error]


class _Methods(_Rules, forbid_unknown_fields=True, kw_only=True):
    error: dict[Level, _Error]


def changes_from(said: Mapping[str, Any]) -> tuple[AreaChange, ...]:
    """The wards that changed, out of what `rules_of` said."""
    return tuple(
        one.read() for one in msgspec.convert(said.get("changes", ()), tuple[_Change, ...])
    )


def methods_from(said: Mapping[str, Any]) -> tuple[PublishedRules, PublishedError]:
    """Out of what `rules_of` and `error_of` said, the one beside the other."""
    read = msgspec.convert(said, _Methods)
    return _rules(read), _errors(read.error)


def release_from(files: Mapping[str, bytes]) -> Release:
    """A release out of its files. Unreadable."""
    try:
        read = msgspec.json.decode(files[CATALOGUE], type=_Catalogue)
        ordinal(Period(read.period))
        catalogue = {key: read.tables[key].defined(key) for key in read.order}
        rules = _rules(read.rules)
        error = _errors(read.error)
        grid = Grid(rules.clusters, rules.least_known)
    except (KeyError, ValueError, ZeroDivisionError, msgspec.DecodeError) as wrong:
        raise Unreadable(f"{CATALOGUE} is no catalogue of a release") from wrong
    tables = []
    for key, table in catalogue.items():
        name = f"{key}.csv"
        if name not in files:
            raise Unreadable(f"{name} is missing")
        tables.append(_read_table(name, table, grid, Period(read.period), files[name]))
    return Release(Period(read.period), tuple(tables), catalogue, rules, error)


def _rules(read: _Rules) -> PublishedRules:
    rows = {
        int(true): {int(to): Fraction(p) for to, p in row.items()}
        for true, row in read.ptable.items()
    }
    changes = tuple(one.read() for one in read.changes)
    return PublishedRules(
        rows, read.round_to, read.furthest, read.least_known, read.clusters, changes
    )


def _errors(read: Mapping[Level, _Error]) -> PublishedError:
    return PublishedError({level: _error(one) for level, one in read.items()})


def _error(read: _Error) -> LevelError:
    gap = None if read.median_gap is None else Fraction(read.median_gap)
    return LevelError(read.cells, Fraction(read.mean_absolute), gap)


def _read_table(
    name: str, table: TableDef, grid: Grid, period: Period, content: bytes
) -> ProtectedTable:
    cells = []
    try:
        lines = _lines(content.decode())
        if next(lines) != [*table.dims, "measure", "value", "note"]:
            raise Unreadable(f"{name} has other columns than its table")
        for *codes, _measure, value, note in lines:
            number = Decimal(value) if value else None
            cells.append(Cell(tuple(codes), number, Note(note)))
    except (ValueError, InvalidOperation, StopIteration) as wrong:
        raise Unreadable(f"{name} is no table of a release") from wrong
    if [one.cell for one in cells] != list(whole_grid(table, grid)):
        raise Unreadable(f"{name} does not have each cell of its table once, in order")
    return ProtectedTable(table.key, period, tuple(cells))


def _lines(text: str) -> Iterator[list[str]]:
    for line in text.removesuffix("\n").split("\n"):
        yield [_plain(part) for part in _parts(line)]


def _parts(line: str) -> Iterator[str]:
    part, quoted = "", False
    for character in line:
        if character == '"':
            quoted = not quoted
            part += character
        elif character == "," and not quoted:
            yield part
            part = ""
        else:
            part += character
    yield part


def _plain(part: str) -> str:
    if part.startswith('"') and part.endswith('"') and len(part) > 1:
        part = part[1:-1].replace('""', '"')
    return part.removeprefix("'")
