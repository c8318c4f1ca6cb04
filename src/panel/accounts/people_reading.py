"""Who works where, with which roles, from when until when: for who manages or reads accounts.

Nothing here names a child. Names and addresses of workers are opened with their agency's key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer
from panel.accounts.models import Agency, Worker, WorkerRole
from panel.accounts.people_models import Invitation, Leaving, RoleProposal
from panel.accounts.people_rules import (
    RUNS_THE_SERVICE,
    Standing,
    looks_after_all,
    may_manage,
    may_read,
    standing,
)
from panel.accounts.service import email_index, worker_names
from panel.platform.crypto import Keys
from panel.platform.problems import NotFound
from panel.platform.tables import KEYS, NOW, today_of
from panel.platform.tenancy import load_keys
from panel.web.paging import Asked, Page, page_of

WORKERS_A_PAGE = 25
MOST_PROPOSALS = 50
NOBODY = (
    "There is nobody of that name here, or they work at an agency whose accounts you do not see."
)


@dataclass(frozen=True, slots=True)
class AgencyLine:
    """An agency, and how many people work there now."""

    id: UUID
    name: str
    kind: str
    closed_on: date | None
    version: int
    workers: int


@dataclass(frozen=True, slots=True)
class RoleLine:
    """One role, from–until."""

    id: UUID
    role: Role
    panel_id: UUID | None
    from_on: date | None
    until_on: date | None
    version: int


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """One worker with their roles, the newest first."""

    id: UUID
    agency_id: UUID
    agency: str
    name: str
    email: str
    job_title: str
    from_on: date | None
    until_on: date | None
    version: int
    standing: Standing
    link_ends_at: datetime | None
    link_waits: bool
    """Whether the newest link was neither used nor withdrawn."""
    leaving: "LeavingLine | None"
    roles: tuple[RoleLine, ...]

    def roles_on(self, day: date) -> tuple[RoleLine, ...]:
        """The roles that count on a day or later."""
        return tuple(one for one in self.roles if one.until_on is None or one.until_on >= day)


@dataclass(frozen=True, slots=True)
class LeavingLine:
    """How somebody leaves or left."""

    id: UUID
    last_day: date
    for_safety: bool
    state: str
    noted_at: datetime
    plans_without: int
    version: int


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """A role that waits for a second person."""

    id: UUID
    version: int
    worker_id: UUID
    worker: str
    agency: str
    role: Role
    ends: bool
    """Whether the role would end; else it would be given."""
    from_on: date | None
    until_on: date | None
    proposed_by: UUID
    proposer: str
    lapses_at: datetime


async def agencies_for(session: AsyncSession, viewer: Viewer) -> Sequence[AgencyLine]:
    """The agencies whose people somebody reads: all, or their own."""
    day = today_of(session)
    works = (
        select(func.count(Worker.id))
        .where(
            Worker.agency_id == Agency.id,
            *in_force(Worker, day),
        )
        .scalar_subquery()
    )
    asked = select(Agency, works).order_by(Agency.closed_on.is_not(None), Agency.name, Agency.id)
    if not looks_after_all(viewer):
        asked = asked.where(Agency.id == viewer.agency)
    return [
        AgencyLine(one.id, one.name, one.kind, one.closed_on, one.version, count)
        for one, count in await session.execute(asked)
    ]


async def agency_for(session: AsyncSession, viewer: Viewer, agency_id: UUID) -> Agency:
    """An agency whose people somebody reads. Raises NotFound, for one of others as for none."""
    agency = await session.get(Agency, agency_id) if may_read(viewer, agency_id) else None
    if agency is None:
        raise NotFound("There is no such agency, or its accounts are not yours to see.")
    return agency


async def workers_of(session: AsyncSession, agency: Agency, asked: Asked) -> Page[WorkerLine]:
    """The people of an agency, in the order in which they came, a page at a time."""
    query = select(Worker).where(Worker.agency_id == agency.id)
    back = asked.key is not None and asked.direction == "before"
    if asked.key is not None:
        edge = cast("UUID", asked.key[0])
        query = query.where(Worker.id < edge if back else Worker.id > edge)
    query = query.order_by(Worker.id.desc() if back else Worker.id).limit(WORKERS_A_PAGE + 1)
    found = list(await session.scalars(query))
    lines = await _lines(session, found)
    return page_of(lines, asked, WORKERS_A_PAGE, lambda one: (one.id,))


async def worker_for(session: AsyncSession, viewer: Viewer, worker_id: UUID) -> WorkerLine:
    """One worker, for who reads their agency's people. Raises NotFound."""
    worker = await session.get(Worker, worker_id, populate_existing=True)
    if worker is None or not may_read(viewer, worker.agency_id):
        raise NotFound(NOBODY, "Search by their e-mail address.")
    return (await _lines(session, [worker]))[0]


async def worker_to_manage(
    session: AsyncSession, viewer: Viewer, worker_id: UUID
) -> tuple[Worker, WorkerLine]:
    """The row of a worker whose account somebody manages, held until the end. Raises NotFound."""
    worker = await session.get(Worker, worker_id, populate_existing=True, with_for_update=True)
    if worker is None or not may_manage(viewer, worker.agency_id):
        raise NotFound(NOBODY, "Search by their e-mail address.")
    return worker, (await _lines(session, [worker]))[0]


async def worker_called(session: AsyncSession, viewer: Viewer, email: str) -> UUID | None:
    """Who has an e-mail address, of those whose account somebody reads."""
    ring = cast("Keys", session.info[KEYS]).ring
    found = await session.execute(
        select(Worker.id, Worker.agency_id).where(Worker.email_index == email_index(ring, email))
    )
    row = found.first()
    return row.id if row is not None and may_read(viewer, row.agency_id) else None


async def administrators_who_stay(session: AsyncSession) -> Mapping[UUID, bool]:
    """Who administers now, with no end in sight; True for whom every agency's accounts are."""
    day = today_of(session)
    found = await session.execute(
        select(WorkerRole.worker_id, Agency.kind)
        .join(Worker, Worker.id == WorkerRole.worker_id)
        .join(Agency, Agency.id == Worker.agency_id)
        .where(
            WorkerRole.role == Role.ADMINISTRATOR.value,
            or_(WorkerRole.from_on.is_(None), WorkerRole.from_on <= day),
            WorkerRole.until_on.is_(None),
            or_(Worker.from_on.is_(None), Worker.from_on <= day),
            Worker.until_on.is_(None),
        )
    )
    return {worker_id: kind == RUNS_THE_SERVICE for worker_id, kind in found.all()}


async def administers(session: AsyncSession, worker_id: UUID) -> bool:
    """Whether somebody is an administrator at this moment, though their page was opened before."""
    day = today_of(session)
    found = await session.scalar(
        select(WorkerRole.id)
        .join(Worker, Worker.id == WorkerRole.worker_id)
        .where(
            Worker.id == worker_id,
            WorkerRole.role == Role.ADMINISTRATOR.value,
            *in_force(Worker, day),
            *in_force(WorkerRole, day),
        )
        .limit(1)
    )
    return found is not None


def in_force(dated: type[Worker | WorkerRole], day: date) -> Sequence[ColumnElement[bool]]:
    """That a row counts on a day."""
    return (
        or_(dated.from_on.is_(None), dated.from_on <= day),
        or_(dated.until_on.is_(None), dated.until_on >= day),
    )


async def open_proposals(session: AsyncSession, viewer: Viewer) -> Sequence[ProposalLine]:
    """What waits for a second person and has not lapsed, of the accounts that somebody manages."""
    asked = (
        select(RoleProposal, Worker, Agency.name)
        .join(Worker, Worker.id == RoleProposal.worker_id)
        .join(Agency, Agency.id == Worker.agency_id)
        .where(RoleProposal.state == "open", RoleProposal.lapses_at >= session.info[NOW])
        .order_by(RoleProposal.lapses_at, RoleProposal.id)
        .limit(MOST_PROPOSALS)
    )
    if not looks_after_all(viewer):
        asked = asked.where(Worker.agency_id == viewer.agency)
    found = (await session.execute(asked)).all()
    people = {one.worker_id for one, _, _ in found} | {one.proposed_by for one, _, _ in found}
    names = await worker_names(session, sorted(people))
    return [
        ProposalLine(
            id=one.id,
            version=one.version,
            worker_id=one.worker_id,
            worker=names.get(one.worker_id, ""),
            agency=agency,
            role=Role(one.role),
            ends=one.role_id is not None,
            from_on=one.from_on,
            until_on=one.until_on,
            proposed_by=one.proposed_by,
            proposer=names.get(one.proposed_by, ""),
            lapses_at=one.lapses_at,
        )
        for one, _, agency in found
    ]


async def _lines(session: AsyncSession, workers: Sequence[Worker]) -> list[WorkerLine]:
    """The lines of some workers, in their order."""
    ids = [one.id for one in workers]
    await load_keys(session, {one.agency_id for one in workers})
    named = select(Agency.id, Agency.name)
    named = named.where(Agency.id.in_({one.agency_id for one in workers}))
    agencies = {row.id: row.name for row in await session.execute(named)}
    roles: dict[UUID, list[RoleLine]] = {}
    for role in await session.scalars(
        select(WorkerRole)
        .where(WorkerRole.worker_id.in_(ids))
        .order_by(WorkerRole.until_on.desc().nulls_first(), WorkerRole.id.desc())
    ):
        roles.setdefault(role.worker_id, []).append(
            RoleLine(
                role.id, Role(role.role), role.panel_id, role.from_on, role.until_on, role.version
            )
        )
    newest: dict[UUID, Invitation] = {}
    came_in: set[UUID] = set()
    for invitation in await session.scalars(
        select(Invitation).where(Invitation.worker_id.in_(ids)).order_by(Invitation.id)
    ):
        newest[invitation.worker_id] = invitation
        if invitation.state == "taken":
            came_in.add(invitation.worker_id)
    leavings = {
        one.worker_id: _leaving(one)
        for one in await session.scalars(
            select(Leaving).where(Leaving.worker_id.in_(ids), Leaving.state != "withdrawn")
        )
    }
    now, day = session.info[NOW], today_of(session)
    lines = []
    for one in workers:
        invited = newest.get(one.id)
        ends_at = None if invited is None else invited.ends_at
        lines.append(
            WorkerLine(
                id=one.id,
                agency_id=one.agency_id,
                agency=agencies[one.agency_id],
                name=one.name,
                email=one.email,
                job_title=one.job_title,
                from_on=one.from_on,
                until_on=one.until_on,
                version=one.version,
                standing=standing(
                    from_on=one.from_on,
                    until_on=one.until_on,
                    invitation="" if invited is None else invited.state,
                    link_ends_at=ends_at,
                    now=now,
                    today=day,
                    came_in=one.id in came_in,
                ),
                link_ends_at=ends_at,
                link_waits=invited is not None and invited.state == "sent",
                leaving=leavings.get(one.id),
                roles=tuple(roles.get(one.id, ())),
            )
        )
    return lines


def _leaving(row: Leaving) -> LeavingLine:
    return LeavingLine(
        row.id,
        row.last_day,
        row.for_safety,
        row.state,
        row.created_at,
        row.plans_without,
        row.version,
    )
