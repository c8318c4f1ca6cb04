"""A release: counted, protected, attacked together with all earlier ones, settled, signed, kept.

It is made once for each term, after the term's end and after all that was touched has been taken
in. A correction of the past waits for the next one. Nothing true leaves: what is counted lives in
this process until its figures are protected.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from panel.insight.core import audit as attack
from panel.insight.core.catalogue import CATALOGUE, LINKS
from panel.insight.core.cells import ProtectedTable, Secrets, TrueCell
from panel.insight.core.error import published_error
from panel.insight.core.making import COUNTED, Counted, tables_of
from panel.insight.core.places import Grid
from panel.insight.core.ptable import TABLE
from panel.insight.core.published import Published
from panel.insight.core.rates import ExpectedShare
from panel.insight.core.released import AuditResult, PublishedRules, Release
from panel.insight.core.settle import settled
from panel.insight.core.table import CellId, Measure, TableDef
from panel.insight.core.words import Period, ordinal

PATIENCE = 3600
"""Seconds that the audit of a release may take. A term has weeks; a hung machine should be said."""


class Counts(Protocol):
    """Counts true cells, at one moment."""

    def periods(self) -> Sequence[Period]:
        """The terms that are over and of which there are facts."""
        ...

    def of(self, table: TableDef, grid: Grid, period: Period) -> Sequence[TrueCell]:
        """All cells of a table in which there is somebody, margins too."""
        ...


@dataclass(frozen=True, slots=True)
class FromElsewhere:
    """Figures of others that some tables need. A table without them says so."""

    population: Mapping[str, int]
    expected: Mapping[str, ExpectedShare]


NOTHING_FROM_ELSEWHERE = FromElsewhere({}, {})


class NotYet(Exception):
    """Why a term cannot be released now, in a sentence."""


def protected(
    counts: Counts,
    period: Period,
    grid: Grid,
    secrets: Secrets,
    earlier: Sequence[Release],
    elsewhere: FromElsewhere = NOTHING_FROM_ELSEWHERE,
) -> Release:
    """All tables of a term, protected; not attacked yet. NotYet."""
    if any(ordinal(one.period) >= ordinal(period) for one in earlier):
        raise NotYet(f"{period} or a later term is published already: a term is published once.")
    has_facts = period in counts.periods()
    true: dict[str, Sequence[TrueCell]] = {}
    places: dict[CellId, int] = {}
    if has_facts:
        true = {one.key: counts.of(one, grid, period) for one in COUNTED}
        places = _places(counts, grid, period)
    published = Published(period, LINKS)
    for one in sorted(earlier, key=lambda one: ordinal(one.period)):
        published.put_all(one.catalogue, one.tables)
    past: list[ProtectedTable] = [table for one in earlier for table in one.tables]
    counted = Counted(true, places, elsewhere.population, elsewhere.expected)
    tables = tables_of(counted, grid, TABLE, secrets, published, past)
    children = {key: {one.cell: one.children for one in cells} for key, cells in true.items()}
    known = {one.key: children.get(one.key, {}) for one in COUNTED}
    return Release(
        period=period,
        tables=tables,
        catalogue=CATALOGUE,
        rules=PublishedRules.of(TABLE, grid),
        error=published_error(CATALOGUE, tables, known),
    )


def _places(counts: Counts, grid: Grid, period: Period) -> dict[CellId, int]:
    found: dict[CellId, int] = {}
    for table in CATALOGUE.values():
        if table.measure is Measure.PLACES:
            found |= {one.cell: one.total for one in counts.of(table, grid, period)}
    return found


def made_safe(
    release: Release, earlier: Sequence[Release], patience: float = PATIENCE
) -> tuple[Release, AuditResult]:
    """The release as it may go out, and the audit that found it safe. settle.Refused."""
    until = monotonic() + patience

    def audit(one: Release) -> AuditResult:
        return attack.audit([*earlier, one], until=until, about=one.period)

    return settled(release, audit)
