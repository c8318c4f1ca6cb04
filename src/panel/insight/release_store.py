"""Releases in the database: kept once, read by pages, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from fractions import Fraction

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight import methods
from panel.insight.core import ledger
from panel.insight.core.cells import Cell, Note
from panel.insight.core.ledger import Files, Sign, Tampered, signing_key
from panel.insight.core.released import AuditResult, Entry, Finding, Release
from panel.insight.core.words import Period
from panel.insight.core.written import release_from
from panel.insight.release_models import (
    PublishedCell,
    PublishedFile,
    PublishedRelease,
    RefusedRelease,
)
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant

_ONE_AT_A_TIME = 0x0037_0042
"""Of PostgreSQL's advisory locks: two releases at once would have the same number."""


def signing(tenant: Tenant) -> tuple[Sign, str]:
    """How this authority signs, and its public key in hex."""
    return signing_key(tenant.ring.index("insight releases", "signing"))


async def one_at_a_time(session: AsyncSession) -> None:
    """Wait until no other release is being made, to the end of this transaction."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})


async def entries(session: AsyncSession) -> tuple[Entry, ...]:
    """The ledger, oldest first."""
    found = await session.execute(select(PublishedRelease.entry).order_by(PublishedRelease.number))
    return tuple(ledger.entry_from(one) for one in found.scalars())


async def files(session: AsyncSession) -> Mapping[Period, Files]:
    """The files of every release."""
    found: dict[Period, dict[str, bytes]] = {}
    rows = await session.execute(
        select(PublishedRelease.period, PublishedFile.name, PublishedFile.content).join(
            PublishedRelease, PublishedRelease.id == PublishedFile.release_id
        )
    )
    for period, name, content in rows:
        found.setdefault(Period(period), {})[name] = content
    return found


async def releases(session: AsyncSession) -> tuple[Release, ...]:
    """Every release, out of its files, in the order of the ledger."""
    kept = await files(session)
    return tuple(release_from(kept[one.period]) for one in await entries(session))


async def keep(
    session: AsyncSession, release: Release, made: Files, entry: Entry, at: datetime
) -> None:
    """Keep a release with its line of the ledger."""
    number = new_id()
    session.add(
        PublishedRelease(
            id=number,
            number=entry.number,
            period=release.period,
            made_at=at,
            entry=asdict(entry),
            methods=methods.kept(release.rules, release.error),
        )
    )
    await session.flush()
    # Not as objects: a key that is a list has no place in a session.
    await session.execute(
        insert(PublishedCell),
        [
            {
                "release_id": number,
                "table_key": table.key,
                "cell": list(one.cell),
                "value": one.value,
                "note": one.note.value,
            }
            for table in release.tables
            for one in table.cells
        ],
    )
    await session.execute(
        insert(PublishedFile),
        [
            {"release_id": number, "name": name, "content": content}
            for name, content in made.items()
        ],
    )


def refuse(
    session: AsyncSession, period: Period, why: str, result: AuditResult, at: datetime
) -> None:
    """Keep what was refused, with the cells."""
    found = [
        {
            "table": one.table,
            "period": one.period,
            "cell": list(one.cell),
            "low": int(one.low),
            "high": int(one.high),
            "by": list(one.by),
        }
        for one in result.findings
    ]
    session.add(RefusedRelease(id=new_id(), period=period, at=at, why=why, findings=found))


def findings_of(refused: RefusedRelease) -> tuple[Finding, ...]:
    """The cells that were kept with what was refused."""
    return tuple(
        Finding(
            one["table"],
            Period(one["period"]),
            tuple(one["cell"]),
            Fraction(one["low"]),
            Fraction(one["high"]),
            tuple(one["by"]),
        )
        for one in refused.findings
    )


async def tampered(session: AsyncSession, public: str) -> tuple[Tampered, ...]:
    """What in the database is not as it was signed: lines, files, and cells beside the files."""
    lines, kept = await entries(session), await files(session)
    found = [*ledger.verify(lines, kept, public)]
    for entry in lines:
        if entry.period not in kept:
            found.append(Tampered(entry.number, "its files are missing"))
        elif not any(one.number == entry.number for one in found):
            found += await _of_cells(session, entry, release_from(kept[entry.period]))
    return tuple(found)


async def _of_cells(session: AsyncSession, entry: Entry, release: Release) -> Sequence[Tampered]:
    rows = await session.execute(
        select(PublishedCell.table_key, PublishedCell.cell, PublishedCell.value, PublishedCell.note)
        .join(PublishedRelease, PublishedRelease.id == PublishedCell.release_id)
        .where(PublishedRelease.number == entry.number)
    )
    stored = {(key, Cell(tuple(cell), value, Note(note))) for key, cell, value, note in rows}
    signed = {(table.key, one) for table in release.tables for one in table.cells}
    changed = sorted({key for key, _ in stored ^ signed})
    return [Tampered(entry.number, f"the cells of {key} were changed") for key in changed]
