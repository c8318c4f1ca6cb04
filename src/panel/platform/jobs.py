"""Jobs that run once a slot, whoever runs them and however often they die.

A slot is claimed by a row written in the same transaction as the job's work: a process that dies
leaves no claim, and another does the slot again; two at once, and one waits and then finds it
done. Slots that nobody was up for are caught up. Measured: TRAPS.md, "Jobs".
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import structlog
from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant

log = structlog.get_logger()

Work = Callable[[AsyncSession, datetime], Awaitable[None]]
"""A slot's work: the claiming transaction's session, and the slot's moment."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something done every so often. `catch_up`: how many missed slots are made good, at most."""

    name: str
    every: timedelta
    work: Work
    catch_up: int = 1


def slot_at(now: datetime, every: timedelta) -> datetime:
    """The slot that a moment falls in: from the scheduled time, not from when it was noticed."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    return start + every * ((now - start) // every)


def due_slots(now: datetime, job: Job, last: datetime | None) -> list[datetime]:
    """The slots to do now, oldest first: this one, and those missed since the last."""
    newest = slot_at(now, job.every)
    if last is None:
        return [newest]
    missed = (newest - last) // job.every
    return [newest - job.every * back for back in reversed(range(min(missed, job.catch_up)))]


async def run_due(tenant: Tenant, jobs: Sequence[Job], viewer: UUID) -> list[str]:
    """Do every slot that is due; returns what was done, as "job slot". One failing stops no other.

    `viewer` is whom the transactions are for (records.child_scoped.JOB).
    """
    done: list[str] = []
    for job in jobs:
        async with tenant.transaction(viewer) as session:
            last: datetime | None = (
                await session.execute(
                    text("SELECT max(slot) FROM job_run WHERE job = :job"), {"job": job.name}
                )
            ).scalar_one()
        for slot in due_slots(tenant.clock.now(), job, last):
            try:
                if await _claimed_and_done(tenant, job, slot, viewer):
                    done.append(f"{job.name} {slot.isoformat()}")
            except Exception as error:  # noqa: BLE001 - it is logged, and other jobs must still run
                log.error(  # noqa: TRY400 - a traceback may hold what somebody wrote
                    "job failed", job=job.name, slot=slot.isoformat(), kind=type(error).__name__
                )
                break
    return done


async def _claimed_and_done(tenant: Tenant, job: Job, slot: datetime, viewer: UUID) -> bool:
    async with tenant.transaction(viewer) as session:
        claim = await session.execute(
            text(
                "INSERT INTO job_run (job, slot, done_at) VALUES (:job, :slot, :now)"
                " ON CONFLICT DO NOTHING"
            ),
            {"job": job.name, "slot": slot, "now": session.info[NOW]},
        )
        if cast("CursorResult[tuple[()]]", claim).rowcount != 1:
            return False
        await job.work(session, slot)
        return True
