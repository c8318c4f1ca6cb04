"""Whoever leaves something undone is reminded of it, then their manager, once each."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.plans.chasing import MANAGER, OWNER, ChaseAfter, Overdue, chase_overdue, to_chase
from panel.plans.mine import MINE_KEY, my_actions
from panel.plans.models import ActionChase, Plan
from panel.plans.service import (
    ActionWords,
    OutcomeWords,
    PlanReading,
    add_action,
    add_outcome,
    agree_plan,
    change_action,
    mark_done,
    plan_for_reading,
    start_plan,
)
from panel.platform.clock import FixedClock, today
from panel.platform.ids import new_id
from panel.platform.jobs import Job, run_due
from panel.platform.tenancy import Tenant, load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.records.dates import is_working_day, working_days_after
from panel.records.gate import Access, Gate
from panel.web.paging import read_cursor
from tests.plans.conftest import SUPPORT, People

Open = Callable[..., AbstractAsyncContextManager[Access]]
URL = "https://panel.example"
DUE = date(2026, 11, 27)
"""A Friday."""
DAYS = st.dates(date(2024, 1, 1), date(2031, 12, 31))


@given(
    due=DAYS,
    late=st.integers(0, 60),
    after=st.builds(ChaseAfter, st.integers(1, 10), st.integers(1, 20)),
    chased=st.sets(st.sampled_from([OWNER, MANAGER])),
    manager=st.sampled_from([None, new_id()]),
)
def test_who_is_reminded(
    due: date, late: int, after: ChaseAfter, chased: set[str], manager: UUID | None
) -> None:
    now = due + timedelta(days=late)
    one = Overdue(new_id(), new_id(), due, new_id(), manager, frozenset(chased))
    steps = {chase.step: chase.to for chase in to_chase([one], after, now)}
    passed = sum(is_working_day(due + timedelta(days=each)) for each in range(1, late + 1))
    assert (OWNER in steps) == (passed >= after.owner_chase_working_days and OWNER not in chased)
    assert (MANAGER in steps) == (
        manager is not None and passed >= after.manager_chase_working_days and MANAGER not in chased
    )
    assert steps.get(OWNER, one.owner_id) == one.owner_id
    assert steps.get(MANAGER, manager) == manager


async def overdue_action(opened: Open, people: People) -> UUID:
    """Rosa does not do what she was to do by a Friday, in an agreed plan."""
    async with opened(people.rosa) as access:
        await start_plan(access, "Sleep")
        await add_outcome(access, OutcomeWords("Two unbroken nights a week"))
        words = ActionWords("Ring the clinic", owner_worker_id=people.rosa.id, due_on=DUE)
        action = await add_action(access, words)
        plan = await plan_for_reading(access)
        assert isinstance(plan, PlanReading)
        await agree_plan(access, plan.version, access.today)
        return action.id


def at(day: date) -> FixedClock:
    return FixedClock(datetime(day.year, day.month, day.day, 9, tzinfo=UTC))


async def chase_on(tenant: Tenant, day: date) -> int:
    tenant.clock = at(day)
    async with tenant.transaction(JOB) as session:
        return await chase_overdue(session, day, URL)


async def messages(tenant: Tenant) -> list[tuple[UUID | None, str, str]]:
    """To whom, subject and body of each, in their order."""
    async with tenant.transaction(JOB) as session:
        found = await session.scalars(
            select(OutboxMessage)
            .where(OutboxMessage.kind == "action_overdue")
            .order_by(OutboxMessage.created_at, OutboxMessage.id)
        )
        rows = list(found)
        await load_keys(session, {one.holder_id for one in rows})
        return [(one.to_viewer_id, one.subject, one.body) for one in rows]


async def test_the_owner_then_the_manager_once_each(
    tenant: Tenant, opened: Open, people: People, gate: Gate
) -> None:
    action = await overdue_action(opened, people)
    monday = working_days_after(DUE, 1)
    told = {}
    for late in range(12):
        day = DUE + timedelta(days=late)
        for _again in range(2):
            if number := await chase_on(tenant, day):
                told[day] = number
    assert told == {monday: 1, working_days_after(DUE, 5): 1}
    sent = await messages(tenant)
    assert [to for to, _, _ in sent] == [people.rosa.id, people.ines.id]
    for _, subject, body in sent:
        # Neither child nor words: what it says is the same for every action of that date.
        assert body.endswith(f"{URL}/#my-actions\n")
        assert not any(
            word in subject + body
            for word in ("Amina", "Kestrel", "C-1", "clinic", "Rosa", str(people.child))
        )
    async with tenant.transaction(people.ines.id) as session:
        asked = read_cursor("", MINE_KEY)
        page = await my_actions(gate, session, people.ines, SUPPORT, asked)
        shown = [(one.id, one.owner, [step for step, _ in one.chased]) for one in page.rows]
    assert shown == [(action, "Rosa Whitlow", [OWNER, MANAGER])]


async def test_a_job_that_dies_tells_nobody_twice(
    tenant: Tenant, opened: Open, people: People
) -> None:
    await overdue_action(opened, people)
    tenant.clock = at(working_days_after(DUE, 1))
    deaths = iter([True, False])

    async def chase(session: AsyncSession, _slot: datetime) -> None:
        await chase_overdue(session, today(tenant.clock), URL)
        if next(deaths, False):
            raise RuntimeError("the process is gone")

    job = Job("remind of overdue actions", timedelta(days=1), chase)
    assert await run_due(tenant, [job], JOB) == []
    assert await messages(tenant) == []
    assert len(await run_due(tenant, [job], JOB)) == 1
    assert await run_due(tenant, [job], JOB) == []
    assert len(await messages(tenant)) == 1


async def test_a_new_date_is_chased_anew_and_what_is_done_is_not(
    tenant: Tenant, opened: Open, people: People
) -> None:
    action = await overdue_action(opened, people)
    assert await chase_on(tenant, working_days_after(DUE, 1)) == 1
    later = working_days_after(DUE, 3)
    async with opened(people.rosa) as access:
        plan = await plan_for_reading(access)
        assert isinstance(plan, PlanReading)
        one = plan.actions[0]
        words = ActionWords(one.text, owner_worker_id=people.rosa.id, due_on=later)
        await change_action(access, action, one.version, words, state="doing", note="")
    assert await chase_on(tenant, later) == 0
    assert await chase_on(tenant, working_days_after(later, 1)) == 1
    async with opened(people.rosa) as access:
        await mark_done(access, action)
    assert await chase_on(tenant, working_days_after(later, 9)) == 0
    async with tenant.transaction(JOB) as session:
        kept = list(await session.scalars(select(ActionChase.due_on).order_by(ActionChase.due_on)))
    assert kept == [DUE, later]


@pytest.mark.parametrize("state", ["draft", "replaced"])
async def test_only_what_was_agreed_is_chased(
    tenant: Tenant, opened: Open, people: People, state: str
) -> None:
    await overdue_action(opened, people)
    async with opened(people.rosa) as access:
        if state == "replaced":
            await start_plan(access, "Anew")
        else:
            plan = await access.session.scalar(select(Plan).where(Plan.state == "agreed"))
            assert plan is not None
            plan.state = "draft"
    assert await chase_on(tenant, working_days_after(DUE, 1)) == 0
