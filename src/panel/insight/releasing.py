"""A release: counted, protected, attacked together with all earlier ones, settled, signed, kept.

It is made once for each term, after the term's end and after all that was touched has been taken
in. A correction of the past waits for the next one. Nothing true leaves: what is counted lives in
this process until its figures are protected.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight import counting
from panel.insight import release_store as store
from panel.insight.areas import changed_in, nested
from panel.insight.core import audit as attack
from panel.insight.core.catalogue import CATALOGUE, LINKS
from panel.insight.core.cells import ProtectedTable, Secrets, TrueCell
from panel.insight.core.changes import grouped_as_before
from panel.insight.core.error import published_error
from panel.insight.core.keys import CellKeys
from panel.insight.core.ledger import Files, append, canonical, proven
from panel.insight.core.making import COUNTED, Counted, tables_of
from panel.insight.core.places import Grid
from panel.insight.core.ptable import TABLE
from panel.insight.core.published import Published
from panel.insight.core.rates import EXPECTED, ExpectedShare
from panel.insight.core.released import AuditResult, Entry, PublishedRules, Release
from panel.insight.core.settle import Refused, settled
from panel.insight.core.table import CellId, Measure, TableDef
from panel.insight.core.words import Period, ordinal
from panel.insight.core.written import rules_of
from panel.insight.feed import feed
from panel.insight.models import InsightTouched
from panel.insight.populations import dla_of, population_of
from panel.insight.release_files import files_of
from panel.insight.release_store import signing
from panel.insight.saying import Areas
from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB

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

    population: Mapping[str, int] = field(default_factory=dict)
    """Children of a ward."""
    expected: Mapping[str, ExpectedShare] = field(default_factory=lambda: EXPECTED)
    dla: Mapping[str, int] = field(default_factory=dict)
    """Children of a ward with Disability Living Allowance."""


NOTHING_FROM_ELSEWHERE = FromElsewhere()


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
    counted = Counted(
        true,
        places,
        population=elsewhere.population,
        dla=elsewhere.dla,
        expected=elsewhere.expected,
    )
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
    release: Release,
    earlier: Sequence[Release],
    patience: float = PATIENCE,
    proven: Iterable[str] = (),
) -> tuple[Release, AuditResult]:
    """The release as it may go out, and the audit that found it safe. settle.Refused.

    `proven`: of the ledger (`core.ledger.proven`). What hangs together with nothing new is the same
    as when it was asked about, and is known by its digest; all else is asked about again.
    """
    until = monotonic() + patience
    known = set(proven)

    def audit(one: Release) -> AuditResult:
        result = attack.audit([*earlier, one], until=until, proven=known)
        known.update(result.proven)
        return result

    return settled(release, audit)


# In an authority ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SqlCounts:
    """Counts by the role that reads facts and nothing else."""

    connection: counting.Connection

    def periods(self) -> Sequence[Period]:
        """The terms that are over."""
        return counting.periods(self.connection)

    def of(self, table: TableDef, grid: Grid, period: Period) -> Sequence[TrueCell]:
        """All cells of a table in which there is somebody."""
        return counting.count(self.connection, table, grid, period)


@dataclass(frozen=True, slots=True)
class Made:
    """A release that is out."""

    files: Files
    entries: tuple[Entry, ...]
    audit: AuditResult


def _cell_keys(tenant: Tenant) -> CellKeys:
    return CellKeys(tenant.ring.index("insight", "cell key"))


async def release_term(
    tenant: Tenant, insight_url: str | None, period: Period, clusters: Mapping[str, str] | None
) -> Made:
    """Publish a term that is over, or refuse it and keep why. NotYet, Refused.

    `clusters`: ward → its group; None: as in the newest release, and new wards beside
    others; in the first one, wards that touch.
    """
    schema = tenant.record.schema_name
    if why := counting.why_not_to_count(insight_url, schema):
        raise NotYet(why)
    async with tenant.transaction(JOB) as session:
        await feed(session, most_batches=None)
    async with tenant.transaction(JOB) as session:
        await store.one_at_a_time(session)
        await _all_taken_in(session)
        earlier = await store.releases(session)
        grid = await _grid(session, period, earlier, clusters)
        with counting.opened_to_count(insight_url or "", schema) as connection:
            counts = SqlCounts(connection)
            if period not in counts.periods():
                raise NotYet(f"{period} is not over, or no term of the calendar.")
            elsewhere = FromElsewhere(
                await population_of(session, period), dla=await dla_of(session, period)
            )
            first = protected(counts, period, grid, _cell_keys(tenant), earlier, elsewhere)
            names = counting.areas(connection)
        lines = await store.entries(session)
        sign, key = signing(tenant)
        try:
            # Beside the loop: sealing and whoever is served go on meanwhile.
            release, result = await asyncio.to_thread(
                made_safe, first, earlier, proven=proven(lines, key)
            )
        except Refused as refused:
            await _keep_refusal(tenant, period, refused)
            raise
        now: datetime = session.info[NOW]
        made = files_of(release, Areas.of(names, grid.clusters, grid.changes))
        entry = append(
            lines[-1] if lines else None,
            period,
            made,
            canonical(rules_of(release.rules)),
            result,
            made_at=now.isoformat(),
            sign=sign,
            key=key,
        )
        await store.keep(session, release, made, entry, now)
    return Made(made, (*lines, entry), result)


async def _all_taken_in(session: AsyncSession) -> None:
    left = await session.scalar(select(func.count()).select_from(InsightTouched))
    if left:
        raise NotYet(f"{left} changes of records are not taken in yet. Try again in a minute.")


async def _grid(
    session: AsyncSession,
    period: Period,
    earlier: Sequence[Release],
    clusters: Mapping[str, str] | None,
) -> Grid:
    kept = earlier[-1].rules.clusters if earlier else None
    changed = await changed_in(session, period, earlier)
    groups = (
        await nested(session, kept, changed, period)
        if clusters is None
        else grouped_as_before(clusters, changed.changes, period)
    )
    if not groups:
        raise NotYet("No wards are known. Import them with panel import areas.")
    if kept is not None:
        groups_stay(grouped_as_before(kept, changed.changes, period), groups)
    return Grid(groups, changes=changed.changes)


def groups_stay(before: Mapping[str, str], groups: Mapping[str, str]) -> None:
    """Refuse groups that are not those that were published: a group less the same group with one
    ward more would tell of that ward. NotYet."""
    if moved := sorted(ward for ward, group in before.items() if groups.get(ward) != group):
        raise NotYet(
            f"These wards were published in other groups: {', '.join(moved)}. A group that is"
            " published stays as it is; a ward that is new can be put into one."
        )


async def _keep_refusal(tenant: Tenant, period: Period, refused: Refused) -> None:
    # In a transaction of its own: that of the release is rolled back.
    async with tenant.transaction(JOB) as session:
        store.refuse(session, period, refused.sentence, refused.result, session.info[NOW])
