"""How workers are told: a digest says how much is due and nothing else, never in quiet hours."""

from collections.abc import Mapping
from datetime import datetime, time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.desk import OWN_TASKS
from panel.accounts.identities import LINKED
from panel.accounts.models import Worker
from panel.accounts.own_ways import CHANGED
from panel.accounts.people_joining import KIND as INVITATION
from panel.accounts.telling import tell_worker
from panel.casework.notice_models import Digest, NoticeChoice
from panel.casework.quiet_rules import (
    USUAL_FROM,
    USUAL_UNTIL,
    digest_slot,
    digest_subject,
    quiet_until,
)
from panel.casework.tasks import due_now, keep_tasks
from panel.platform.problems import Conflict, Invalid
from panel.platform.tables import NOW, today_of
from panel.platform.tenancy import load_agency_keys
from panel.platform.work_tables import OutboxMessage

DIGEST = "digest"
"""The kind of the message, and how its `once` begins."""
AT_ONCE = frozenset({INVITATION, LINKED, CHANGED})
"""About somebody's own account: whoever waits before a sign-in page, or is warned, is told now."""
CHOICES = "/my-notices"


async def choice_of(session: AsyncSession, worker_id: UUID) -> NoticeChoice | None:
    """What a worker chose; None for who is told as usual."""
    return await session.scalar(select(NoticeChoice).where(NoticeChoice.worker_id == worker_id))


async def choose(
    session: AsyncSession,
    worker_id: UUID,
    version: int,
    digest: Digest,
    hours: tuple[time, time] | None,
) -> None:
    """Keep how a worker wants to be told. `version` 0: nothing was chosen when they looked.

    Raises Conflict where it was chosen meanwhile, Invalid for quiet hours of a whole day.
    """
    if hours is not None and hours[0] == hours[1]:
        raise Invalid.because("quiet_until", "Quiet hours must end at another time than they begin")
    row = await session.scalar(
        select(NoticeChoice).where(NoticeChoice.worker_id == worker_id).with_for_update()
    )
    if (0 if row is None else row.version) != version:
        raise Conflict(())
    if row is None:
        row = NoticeChoice(worker_id=worker_id)
        session.add(row)
    row.digest = digest.value
    row.quiet_from, row.quiet_until = (None, None) if hours is None else hours
    await session.flush()


async def put_digests(session: AsyncSession, site_url: str) -> int:
    """Put in the digest of everybody for whom something is due; how many. Once a day, or a week.

    For scheduled work: what waits is derived anew first. Done again it puts nothing in.
    """
    await keep_tasks(session)
    due = await due_now(session)
    found = await session.scalars(select(NoticeChoice).where(NoticeChoice.worker_id.in_(list(due))))
    chosen = {row.worker_id: row.digest for row in found}
    put = 0
    for worker in await _working(session, due):
        slot = digest_slot(session.info[NOW], chosen.get(worker.id, Digest.DAILY.value))
        if slot:
            put += await _put(session, worker, due[worker.id], slot, site_url)
    return put


async def _working(session: AsyncSession, due: Mapping[UUID, int]) -> list[Worker]:
    today = today_of(session)
    found = await session.scalars(
        select(Worker).where(Worker.id.in_(list(due))).order_by(Worker.id)
    )
    workers = [
        one
        for one in found
        if (one.from_on is None or one.from_on <= today)
        and (one.until_on is None or one.until_on >= today)
    ]
    await load_agency_keys(session, {one.agency_id for one in workers})
    return [one for one in workers if one.email]


async def _put(session: AsyncSession, worker: Worker, due: int, slot: str, site_url: str) -> int:
    once = f"{DIGEST} {worker.id} {slot}"
    if await session.scalar(select(OutboxMessage.id).where(OutboxMessage.once == once)):
        return 0
    await tell_worker(
        session,
        worker,
        kind=DIGEST,
        subject=digest_subject(due),
        body=(
            f"{digest_subject(due)} for you in Panel. Sign in to see what:\n"
            f"{site_url}{OWN_TASKS}\n\n"
            f"You choose how often you are told, and when not:\n{site_url}{CHOICES}\n"
        ),
        once=once,
    )
    return 1


async def waits_for_morning(session: AsyncSession, message: OutboxMessage) -> datetime | None:
    """Until when a message waits because its reader has quiet hours; None where it may go now."""
    if message.to_viewer_id is None or message.kind in AT_ONCE:
        return None
    if await session.get(Worker, message.to_viewer_id) is None:
        return None
    chosen = await choice_of(session, message.to_viewer_id)
    hours = (USUAL_FROM, USUAL_UNTIL)
    if chosen is not None:
        if chosen.quiet_from is None or chosen.quiet_until is None:
            return None
        hours = (chosen.quiet_from, chosen.quiet_until)
    return quiet_until(session.info[NOW], *hours)
