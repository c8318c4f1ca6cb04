"""How long records are kept, and what keeps one longer: dated settings, and legal holds."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.service import worker_names
from panel.governance.document_facts import RETENTION
from panel.governance.retention_models import LegalHold
from panel.governance.retention_rules import Rule, kept_words, rule_of, value_of
from panel.governance.rights_models import RightRequest
from panel.governance.rights_service import LOCK_CHILD, find_record
from panel.platform.audit import Kind, record
from panel.platform.problems import Conflict, Gone, Invalid, NotAllowed, NotFound
from panel.platform.tables import NOW, VIEWER, today_of
from panel.platform.tenancy import load_keys
from panel.platform.work_tables import Setting

PREFIX = "retention."
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('how long records are kept', 0))")


@dataclass(frozen=True, slots=True)
class KeptChange:
    """One change of how long a kind is kept."""

    kind: str
    says: str
    at: datetime | None
    by: str
    source: str


@dataclass(frozen=True, slots=True)
class KeptFor:
    """How long everything is kept now, and how that came to be."""

    says: dict[str, str]
    rules: dict[str, Rule]
    changes: tuple[KeptChange, ...]
    version: int


@dataclass(frozen=True, slots=True)
class HoldReading:
    """A legal hold as the lead reads it."""

    id: UUID
    version: int
    reference: str
    from_on: date
    why: str
    by: str
    released_on: date | None
    released_why: str


async def kept_for(session: AsyncSession) -> KeptFor:
    """How long every kind is kept, with each change, newest first."""
    rows = await _rows(session)
    names = await worker_names(session, [row.created_by for row in rows])
    now = session.info[NOW]
    in_force = {
        row.key.removeprefix(PREFIX): row.value
        for row in rows
        if row.from_on is None or row.from_on <= now
    }
    return KeptFor(
        says={kind: kept_words(value) for kind, value in in_force.items()},
        rules={
            kind: rule for kind, value in in_force.items() if (rule := rule_of(value)) is not None
        },
        changes=tuple(
            KeptChange(
                row.key.removeprefix(PREFIX),
                kept_words(row.value),
                row.from_on,
                names.get(row.created_by, ""),
                row.source,
            )
            for row in reversed(rows)
        ),
        version=len(rows),
    )


async def rules(session: AsyncSession) -> dict[str, Rule]:
    """The rules in force, by kind; a kind that is set in words alone has none."""
    return (await kept_for(session)).rules


async def set_kept_for(
    session: AsyncSession, kind: str, rule: Rule, version: int, source: str
) -> None:
    """Say how long a kind is kept from now on, and why. Raises Invalid, Conflict."""
    if kind not in RETENTION:
        raise Invalid.because("kind", "Select a kind of record")
    await session.execute(_LOCK)
    known = await kept_for(session)
    if known.version != version:
        raise Conflict(())
    key, value, was = PREFIX + kind, value_of(rule), known.rules.get(kind)
    session.add(Setting(key=key, value=value, from_on=session.info[NOW], source=source))
    told = {"key": key, "from": None if was is None else value_of(was), "to": value}
    record(session, Kind.SETTING_CHANGED, details=told)
    await session.flush()


async def _rows(session: AsyncSession) -> list[Setting]:
    found = await session.scalars(
        select(Setting)
        .where(Setting.key.startswith(PREFIX, autoescape=True))
        .order_by(Setting.from_on.nulls_first(), Setting.id)
    )
    return list(found)


# --- Legal holds --------------------------------------------------------------------------------


async def hold(session: AsyncSession, reference: str, from_on: date, why: str) -> LegalHold:
    """Keep a record whatever its time, until it is released. Raises Invalid."""
    child_id = await find_record(session, reference)
    if from_on > today_of(session):
        raise Invalid.because("from_on", "The day from which it holds cannot be in the future")
    if await _is_held(session, child_id):
        raise Invalid.because("reference", "There is a hold on this record already")
    row = LegalHold(
        child_id=child_id, reference=reference.strip().upper(), from_on=from_on, why=why
    )
    session.add(row)
    await session.flush()
    record(session, Kind.HOLD_SET, subject=child_id, details={"hold": str(row.id)})
    return row


async def _is_held(session: AsyncSession, child_id: UUID) -> bool:
    """Whether a hold runs; nobody adds one to the record before this transaction ends."""
    await session.execute(LOCK_CHILD, {"child": str(child_id)})
    running = await session.scalar(
        select(func.count())
        .select_from(LegalHold)
        .where(LegalHold.child_id == child_id, LegalHold.released_on.is_(None))
    )
    return bool(running)


async def require_may_be_erased(session: AsyncSession, child_id: UUID) -> None:
    """Raise NotAllowed where a record is held, or asked for: what was asked for is told first.

    To destroy it so that it is not told is an offence: DPA 2018, section 173.
    """
    if await _is_held(session, child_id):
        raise NotAllowed(
            "There is a legal hold on this record. Nothing was destroyed.",
            "The information governance lead releases it first.",
        )
    waiting = await session.scalar(
        select(func.count())
        .select_from(RightRequest)
        .where(RightRequest.child_id == child_id, RightRequest.answered_on.is_(None))
    )
    if waiting:
        raise NotAllowed(
            "Somebody has asked about their own data, and it is not answered. Nothing was"
            " destroyed.",
            "The information governance lead answers it first.",
        )


async def release(session: AsyncSession, hold_id: UUID, version: int, why: str) -> None:
    """End a hold. Raises Invalid, NotFound, Gone, Conflict."""
    row = await session.scalar(select(LegalHold).where(LegalHold.id == hold_id))
    if row is None:
        raise NotFound
    if row.released_on is not None:
        raise Gone("This hold was released.", "Go back to the list.")
    if row.version != version:
        raise Conflict(())
    if not why.strip():
        raise Invalid.because("why", "Write why the record need not be held any more")
    row.released_on, row.released_by = today_of(session), session.info[VIEWER]
    row.released_why = why
    record(session, Kind.HOLD_RELEASED, subject=row.child_id, details={"hold": str(row.id)})
    await session.flush()


async def holds(session: AsyncSession) -> list[HoldReading]:
    """Every hold, those that run first."""
    rows = list(
        await session.scalars(
            select(LegalHold).order_by(
                LegalHold.released_on.desc().nulls_first(), LegalHold.from_on, LegalHold.id
            )
        )
    )
    await load_keys(session, {row.child_id for row in rows})
    names = await worker_names(session, [row.created_by for row in rows])
    return [
        HoldReading(
            row.id,
            row.version,
            row.reference,
            row.from_on,
            row.why,
            names.get(row.created_by, ""),
            row.released_on,
            row.released_why,
        )
        for row in rows
    ]
