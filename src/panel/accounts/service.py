"""Agencies, workers and their roles: adding, finding, and who is signed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from consent import Role, Viewer, ViewerKind
from panel.accounts.models import Agency, Worker, WorkerRole
from panel.platform.audit import Kind, record
from panel.platform.clock import day_of
from panel.platform.crypto import Keyring, Keys
from panel.platform.sessions import SEEN_EVERY, idle_since, token_hash
from panel.platform.tables import KEYS
from panel.platform.tenancy import Tenant, load_keys
from panel.records.gate import rewrite_viewer


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is at the desk."""

    viewer: Viewer
    name: str
    agency_name: str
    panels: frozenset[UUID]
    """The panels that a role of theirs is of."""
    may_coordinate: frozenset[UUID]
    """The panels that they coordinate or chair."""


class _RoleFact(msgspec.Struct):
    role: Role
    panel_id: UUID | None


class _WorkerFact(msgspec.Struct):
    id: UUID
    name: str | None
    agency_id: UUID
    agency_name: str
    agency_kind: str
    agency_key: str | None
    roles: tuple[_RoleFact, ...] | None


# Asked within a transaction, or by itself with `{schema}.` for `{of}`.
_WORKER = """
SELECT json_build_object('id', w.id, 'name', encode(w.name, 'hex'), 'agency_id', w.agency_id,
  'agency_name', a.name, 'agency_kind', a.kind,
  'agency_key', (SELECT encode(k.wrapped, 'hex') FROM {of}data_key k WHERE k.holder_id = a.id),
  'roles', (SELECT json_agg(json_build_object('role', r.role, 'panel_id', r.panel_id))
     FROM {of}worker_role r WHERE r.worker_id = w.id
      AND (r.from_on IS NULL OR r.from_on <= :today)
      AND (r.until_on IS NULL OR r.until_on >= :today)))::text
FROM {of}worker w JOIN {of}agency a ON a.id = w.agency_id
WHERE (w.from_on IS NULL OR w.from_on <= :today)
  AND (w.until_on IS NULL OR w.until_on >= :today)
"""
_AT_DESK = _WORKER.format(of="") + " AND w.id = :worker"
# A session in use is noted at most once a minute, in the statement that looks it up.
_SIGNED_IN = (
    "WITH touched AS (UPDATE {schema}.web_session SET seen_at = :now WHERE token_hash = :hash"  # noqa: S608 - fixed parts
    " AND seen_at < :seen_before AND ends_at > :now"
    " AND seen_at > CASE viewer_kind WHEN 'family' THEN :idle_of_family ELSE :idle END)"
    + _WORKER.format(of="{schema}.")
    + " AND w.id = (SELECT s.viewer_id FROM {schema}.web_session s"
    " WHERE s.token_hash = :hash AND s.ends_at > :now AND s.seen_at > :idle"
    " AND s.viewer_kind = 'worker')"
)
_READ_WORKER = msgspec.json.Decoder(_WorkerFact)


def _signed_in(line: str, ring: Keyring) -> SignedIn:
    fact = _READ_WORKER.decode(line)
    keys = Keys(ring)
    if fact.agency_key is not None:
        keys.add(fact.agency_id, bytes.fromhex(fact.agency_key))
    roles = fact.roles or ()
    return SignedIn(
        viewer=Viewer(
            fact.id,
            ViewerKind.WORKER,
            fact.agency_id,
            fact.agency_kind,
            frozenset(one.role for one in roles),
        ),
        name=""
        if fact.name is None
        else keys.open(fact.agency_id, "worker.name", fact.id, bytes.fromhex(fact.name)),
        agency_name=fact.agency_name,
        panels=frozenset(one.panel_id for one in roles if one.panel_id),
        may_coordinate=frozenset(
            one.panel_id
            for one in roles
            if one.panel_id and one.role in (Role.COORDINATOR, Role.CHAIR)
        ),
    )


async def signed_in(
    tenant: Tenant, token: str, now: datetime, seen_every: timedelta = SEEN_EVERY
) -> SignedIn | None:
    """The person whose session this is; None where it is unknown, idle or over.

    That it is in use is noted once in `seen_every`. A worker's session takes one query, a family's
    two more.
    """
    found = await tenant.look_up(
        _SIGNED_IN,
        hash=token_hash(token),
        now=now,
        **idle_since(now),
        seen_before=now - seen_every,
        today=day_of(now),
    )
    if found:
        return _signed_in(found[0][0], tenant.ring)
    return await _family_signed_in(tenant, token, now)


class _FamilyFact(msgspec.Struct):
    name: str | None
    given_name: str | None
    family_name: str | None
    key: str | None


_FAMILY_SESSION = """
SELECT s.viewer_id FROM web_session s WHERE s.token_hash = :hash AND s.ends_at > :now
  AND s.seen_at > :idle_of_family AND s.viewer_kind = 'family'
"""
_FAMILY = """
SELECT json_build_object(
  'name', (SELECT encode(m.name, 'hex') FROM family_member m WHERE m.id = :viewer),
  'given_name', encode(c.given_name, 'hex'), 'family_name', encode(c.family_name, 'hex'),
  'key', (SELECT encode(k.wrapped, 'hex') FROM data_key k WHERE k.holder_id = :viewer))::text
FROM (SELECT 1) one LEFT JOIN child c ON c.id = :viewer
"""
_READ_FAMILY = msgspec.json.Decoder(_FamilyFact)


async def _family_signed_in(tenant: Tenant, token: str, now: datetime) -> SignedIn | None:
    """The family member or young person whose session this is.

    Their own name is read as themselves: nobody else's row would open.
    """
    async with tenant.reading() as connection:
        found = await connection.execute(
            text(_FAMILY_SESSION),
            {"hash": token_hash(token), "now": now, **idle_since(now)},
        )
        viewer: UUID | None = found.scalar_one_or_none()
    if viewer is None:
        return None
    async with tenant.reading(viewer) as connection:
        found = await connection.execute(text(_FAMILY), {"viewer": viewer})
        fact = _READ_FAMILY.decode(found.scalar_one())
    keys = tenant.keys()
    if fact.key is None:
        # Nobody's record, or one that was erased: there is nothing of theirs to show.
        return None
    keys.add(viewer, bytes.fromhex(fact.key))
    parts = (
        ("family_member.name", fact.name),
        ("child.given_name", fact.given_name),
        ("child.family_name", fact.family_name),
    )
    return SignedIn(
        viewer=Viewer(viewer, ViewerKind.FAMILY),
        name=" ".join(
            keys.open(viewer, field, viewer, bytes.fromhex(sealed))
            for field, sealed in parts
            if sealed is not None
        ),
        agency_name="",
        panels=frozenset(),
        may_coordinate=frozenset(),
    )


async def worker_at_desk(
    connection: AsyncConnection, ring: Keyring, worker_id: UUID, now: datetime
) -> SignedIn | None:
    """A worker as they would be at the desk, for the command line."""
    today = day_of(now)
    found = await connection.execute(text(_AT_DESK), {"worker": worker_id, "today": today})
    line = found.scalar_one_or_none()
    return None if line is None else _signed_in(line, ring)


def email_index(ring: Keyring, email: str) -> bytes:
    """The blind index by which a worker is found."""
    return ring.index("worker.email", email.strip().lower())


async def worker_by_email(session: AsyncSession, email: str) -> Worker | None:
    """The worker with an e-mail address."""
    ring = cast("Keys", session.info[KEYS]).ring
    worker = await session.scalar(
        select(Worker).where(Worker.email_index == email_index(ring, email))
    )
    if worker is not None:
        await load_keys(session, {worker.agency_id})
    return worker


@dataclass(frozen=True, slots=True)
class SignInPersona:
    """Whom a persona's link signs in."""

    viewer_id: UUID
    kind: ViewerKind


async def persona_at_desk(session: AsyncSession, persona: str) -> SignInPersona | None:
    """Whom the demonstration's key signs in: a worker, or a family member."""
    found = await session.execute(
        text("SELECT viewer_id, kind FROM demo_persona WHERE key = :key"), {"key": persona}
    )
    row = found.first()
    return None if row is None else SignInPersona(row.viewer_id, ViewerKind(row.kind))


async def agency_by_key(session: AsyncSession, key: str) -> Agency | None:
    """The agency of a key."""
    return await session.scalar(select(Agency).where(Agency.key == key))


async def agencies(session: AsyncSession) -> list[Agency]:
    """Every agency, by name: an authority has some dozens."""
    return list(await session.scalars(select(Agency).order_by(Agency.name, Agency.id)))


async def remember_agency_keys(tenant: Tenant) -> None:
    """Have every agency's data key at hand from now on, so that workers' names open at once."""
    async with tenant.transaction() as session:
        holders = set(await session.scalars(select(Agency.id)))
        await load_keys(session, holders)
        tenant.remember(cast("Keys", session.info[KEYS]).known(holders))


async def worker_names(session: AsyncSession, workers: Sequence[UUID]) -> dict[UUID, str]:
    """Names of workers, by id."""
    rows = list(await session.scalars(select(Worker).where(Worker.id.in_(set(workers)))))
    await load_keys(session, {row.agency_id for row in rows})
    return {row.id: row.name for row in rows}


async def add_agency(
    session: AsyncSession, *, key: str, name: str, kind: str, ods_code: str | None = None
) -> Agency:
    """A new agency."""
    agency = Agency(key=key, name=name, kind=kind, ods_code=ods_code or None)
    session.add(agency)
    await session.flush()
    return agency


async def add_worker(
    session: AsyncSession,
    agency: Agency,
    *,
    name: str,
    email: str,
    job_title: str = "",
) -> Worker:
    """A new worker at an agency, findable by e-mail address."""
    ring = cast("Keys", session.info[KEYS]).ring
    worker = Worker(
        agency_id=agency.id,
        name=name,
        email=email,
        job_title=job_title,
        email_index=email_index(ring, email),
    )
    session.add(worker)
    await session.flush()
    return worker


async def give_role(
    session: AsyncSession, worker: Worker, role: Role, panel_id: UUID | None = None
) -> WorkerRole:
    """A role from today; whom the worker may reach is written anew in the same transaction."""
    given = WorkerRole(worker_id=worker.id, role=role.value, panel_id=panel_id)
    session.add(given)
    told = {"role": role.value, "panel": None if panel_id is None else str(panel_id)}
    record(session, Kind.ROLE_GIVEN, subject=worker.id, details=told)
    await rewrite_viewer(session, worker.id)
    return given
