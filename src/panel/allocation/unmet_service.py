"""Unmet need: listed for the panel's people, counted exactly, closed when it is met."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.leaving import leave_lists
from panel.allocation.models import ServiceRequest, UnmetNeed
from panel.allocation.request_service import request_of
from panel.allocation.rules import Grounds, LeftWhy
from panel.platform.problems import Clash, Conflict, Invalid, NotFound
from panel.records.gate import NOT_HERE, Access


async def open_needs(
    session: AsyncSession,
    panel_id: UUID,
    *,
    reason: Grounds | None = None,
    services: Collection[UUID] | None = None,
    after: UUID | None = None,
    most: int = 50,
) -> Sequence[tuple[UnmetNeed, ServiceRequest]]:
    """What is unmet now of requests before a panel, oldest first, as far as the viewer reaches.

    Of some `services` alone where they are given. A page begins after the row of the id `after`.
    """
    asked = (
        select(UnmetNeed, ServiceRequest)
        .join(ServiceRequest, ServiceRequest.id == UnmetNeed.request_id)
        .where(ServiceRequest.panel_id == panel_id, UnmetNeed.until_on.is_(None))
        .order_by(UnmetNeed.from_on, UnmetNeed.id)
        .limit(most)
    )
    if reason is not None:
        asked = asked.where(UnmetNeed.reason == reason.value)
    if services is not None:
        asked = asked.where(UnmetNeed.service_id.in_(services))
    if after is not None and (last := await session.get(UnmetNeed, after)) is not None:
        asked = asked.where(
            (UnmetNeed.from_on > last.from_on)
            | ((UnmetNeed.from_on == last.from_on) & (UnmetNeed.id > last.id))
        )
    return [(row[0], row[1]) for row in (await session.execute(asked)).all()]


async def services_lacking(session: AsyncSession, panel_id: UUID) -> Sequence[UUID]:
    """Which services are lacking now by requests before a panel, as far as the viewer reaches."""
    rows = await session.scalars(
        select(UnmetNeed.service_id)
        .join(ServiceRequest, ServiceRequest.id == UnmetNeed.request_id)
        .where(
            ServiceRequest.panel_id == panel_id,
            UnmetNeed.until_on.is_(None),
            UnmetNeed.service_id.is_not(None),
        )
        .distinct()
    )
    return [one for one in rows if one is not None]


async def totals(session: AsyncSession, panel_id: UUID) -> Mapping[Grounds, int]:
    """How many needs are unmet now, by reason: exact, of whom the viewer reaches."""
    rows = await session.execute(
        select(UnmetNeed.reason, func.count())
        .join(ServiceRequest, ServiceRequest.id == UnmetNeed.request_id)
        .where(ServiceRequest.panel_id == panel_id, UnmetNeed.until_on.is_(None))
        .group_by(UnmetNeed.reason)
    )
    found = {Grounds(reason): count for reason, count in rows.all()}
    return {reason: found[reason] for reason in Grounds if reason in found}


async def needs_of(access: Access, request_id: UUID) -> Sequence[UnmetNeed]:
    """What was and is unmet of one request, newest first."""
    rows = await access.session.scalars(
        select(UnmetNeed).where(UnmetNeed.request_id == request_id).order_by(UnmetNeed.id.desc())
    )
    return list(rows)


async def close_need(access: Access, unmet_id: UUID, why: str, version: int) -> None:
    """The need is met, or is none any more: the child waits for it no longer.

    Raises Invalid without saying how.
    """
    row = await access.session.get(UnmetNeed, unmet_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    await request_of(access, row.request_id)
    access.require_write()
    if not why.strip():
        raise Invalid.because("why", "Say how the need was met, or why it is none any more")
    await access.session.refresh(row, with_for_update=True)
    if row.until_on is not None or row.version != version:
        raise Conflict((Clash("Unmet need", why.strip(), row.closed_why or "Changed"),))
    row.until_on, row.closed_why = access.today, why.strip()
    await access.session.flush()
    await leave_lists(access.session, row.request_id, LeftWhy.MET)
