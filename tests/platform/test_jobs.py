"""A slot's work is done once, whoever tries and whoever dies."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.clock import FixedClock
from panel.platform.jobs import Job, due_slots, run_due, slot_at
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB

HOUR = timedelta(hours=1)


async def _write_line(session: AsyncSession, slot: datetime) -> None:
    await session.execute(
        text(
            "INSERT INTO form_post (form_id, viewer_id, at, location)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), :slot, 'job')"
        ),
        {"slot": slot},
    )


async def _fail(_session: AsyncSession, _slot: datetime) -> None:
    raise RuntimeError("the work broke")


async def _lines(tenant: Tenant) -> int:
    async with tenant.transaction() as session:
        found = await session.execute(text("SELECT count(*) FROM form_post"))
        return int(found.scalar_one())


async def test_three_at_once_do_a_slot_once(tenant: Tenant) -> None:
    job = Job("hourly", HOUR, _write_line)
    done = await asyncio.gather(*(run_due(tenant, [job], JOB) for _ in range(3)))
    assert sum(len(one) for one in done) == 1
    assert await _lines(tenant) == 1


async def test_a_failed_slot_is_done_again_and_stops_no_other(tenant: Tenant) -> None:
    good, bad = Job("good", HOUR, _write_line), Job("bad", HOUR, _fail)
    assert await run_due(tenant, [bad, good], JOB) == ["good 2026-11-23T09:00:00+00:00"]
    mended = Job("bad", HOUR, _write_line)
    assert await run_due(tenant, [mended], JOB) == ["bad 2026-11-23T09:00:00+00:00"]


async def test_missed_slots_are_caught_up(tenant: Tenant, clock: FixedClock) -> None:
    job = Job("hourly", HOUR, _write_line, catch_up=10)
    await run_due(tenant, [job], JOB)
    clock.set(clock.now() + 3 * HOUR)
    assert len(await run_due(tenant, [job], JOB)) == 3
    assert await run_due(tenant, [job], JOB) == []


@given(
    st.datetimes(datetime(2021, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 100_000),
)
def test_a_slot_holds_its_moment(now: datetime, seconds: int) -> None:
    every = timedelta(seconds=seconds)
    slot = slot_at(now, every)
    assert slot <= now < slot + every
    job = Job("any", every, _write_line)
    assert due_slots(now, job, slot) == []
    assert due_slots(now, job, None) == [slot]
