"""Versions of the documents: made when what they rest on changed, approved by a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer
from panel.accounts.service import worker_names
from panel.governance.document_facts import DocumentFacts
from panel.governance.document_text import Part, fingerprint, html, markdown, read, stored
from panel.governance.documents import TITLES, written
from panel.governance.models import DocumentKind, GovernanceDocument
from panel.platform.audit import Kind, by_viewer, record
from panel.platform.clock import day_of
from panel.platform.problems import Conflict, Gone, Invalid, NotAllowed, NotFound
from panel.platform.tables import NOW
from panel.web.words import short_day

ONLY_THE_LEAD = "Only the information governance lead approves a document."


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one document."""

    id: UUID
    kind: DocumentKind
    number: int
    parts: tuple[Part, ...]
    made_on: date
    approved_on: date | None
    approved_by: str
    version: int
    """That of the row, for whoever approves it."""
    fingerprint: str
    """The same for the same text."""
    is_new: bool = False

    @property
    def title(self) -> str:
        """What it is called."""
        return TITLES[self.kind]

    @property
    def state(self) -> str:
        """Which version it is and whether somebody approved it, in a sentence."""
        made = f"Version {self.number}, made on {short_day(self.made_on)}"
        if self.approved_on is None:
            return f"{made}. Not approved yet: a draft from what Panel is set up to do."
        by = f" by {self.approved_by}" if self.approved_by else ""
        return f"{made}. Approved{by} on {short_day(self.approved_on)}."

    def markdown(self) -> str:
        """The version as Markdown."""
        return markdown(self.title, self.state, self.parts)

    def html(self) -> str:
        """The version as a page of HTML."""
        return html(self.title, self.state, self.parts)


async def keep_up_to_date(session: AsyncSession, facts: DocumentFacts) -> list[Version]:
    """The newest version of every document, new where its text is not that of the last one.

    The same facts make no new version, whoever asks however often and at once.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('governance_document'))"))
    newest = {one.kind: one for one in await newest_versions(session)}
    today = day_of(session.info[NOW])
    made: list[Version] = []
    for kind, parts in written(facts).items():
        mark = fingerprint(TITLES[kind], parts)
        last = newest.get(kind)
        if last is not None and last.fingerprint == mark:
            made.append(last)
            continue
        row = GovernanceDocument(
            kind=kind.value,
            number=1 if last is None else last.number + 1,
            parts=stored(parts),
            fingerprint=mark,
            made_on=today,
        )
        session.add(row)
        await session.flush()
        made.append(_version(row, {}, is_new=True))
    return made


async def newest_versions(session: AsyncSession) -> list[Version]:
    """The newest version of each document, in the order in which they are listed."""
    rows = await session.scalars(
        select(GovernanceDocument)
        .ext(distinct_on(GovernanceDocument.kind))
        .order_by(GovernanceDocument.kind, GovernanceDocument.number.desc())
    )
    found = {one.kind: one for one in await _versions(session, list(rows))}
    return [found[kind] for kind in DocumentKind if kind in found]


async def one_version(session: AsyncSession, version_id: UUID) -> Version:
    """One version. Raises NotFound."""
    row = await session.get(GovernanceDocument, version_id)
    if row is None:
        raise NotFound
    return (await _versions(session, [row]))[0]


async def versions_of(session: AsyncSession, kind: DocumentKind) -> list[Version]:
    """Every version of one document, the newest first."""
    rows = await session.scalars(
        select(GovernanceDocument)
        .where(GovernanceDocument.kind == kind.value)
        .order_by(GovernanceDocument.number.desc())
    )
    return await _versions(session, list(rows))


async def approve(
    session: AsyncSession, viewer: Viewer, version_id: UUID, version: int, approved_on: date
) -> None:
    """Write down that somebody approved a version, and when.

    Raises NotAllowed for anybody but the lead, NotFound, Gone for a version that is approved or
    replaced, Invalid for a day to come or before it was made, Conflict for one changed meanwhile.
    """
    if Role.GOVERNANCE_LEAD not in viewer.roles:
        raise NotAllowed(ONLY_THE_LEAD)
    row = await session.get(GovernanceDocument, version_id)
    if row is None:
        raise NotFound
    last = await session.scalar(
        select(GovernanceDocument.number)
        .where(GovernanceDocument.kind == row.kind)
        .order_by(GovernanceDocument.number.desc())
        .limit(1)
    )
    if row.approved_on is not None:
        raise Gone("This version was approved already.", "Its page says who approved it, and when.")
    if last != row.number:
        raise Gone("There is a newer version of this document.", "Read and approve that one.")
    if approved_on > day_of(session.info[NOW]):
        raise Invalid.because("approved_on", "The day of approval is in the future")
    if approved_on < row.made_on:
        sentence = f"It was made on {short_day(row.made_on)}: nobody approved it before"
        raise Invalid.because("approved_on", sentence)
    if row.version != version:
        raise Conflict(())
    row.approved_on = approved_on
    row.approved_by = viewer.id
    told = {"kind": row.kind, "number": row.number, "fingerprint": row.fingerprint}
    record(session, Kind.DOCUMENT_APPROVED, by_viewer(viewer), subject=row.id, details=told)
    await session.flush()


async def _versions(session: AsyncSession, rows: Sequence[GovernanceDocument]) -> list[Version]:
    names = await worker_names(
        session, [row.approved_by for row in rows if row.approved_by is not None]
    )
    return [_version(row, names) for row in rows]


def _version(row: GovernanceDocument, names: dict[UUID, str], *, is_new: bool = False) -> Version:
    return Version(
        id=row.id,
        kind=DocumentKind(row.kind),
        number=row.number,
        parts=read(row.parts),
        made_on=row.made_on,
        approved_on=row.approved_on,
        approved_by="" if row.approved_by is None else names.get(row.approved_by, ""),
        version=row.version,
        fingerprint=row.fingerprint,
        is_new=is_new,
    )
