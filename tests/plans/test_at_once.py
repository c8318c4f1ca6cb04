"""Two people at the same moment: one plan counts, one person holds it, nobody waits for ever."""

import asyncio
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from consent import Purpose
from panel.plans.service import (
    ActionWords,
    PlanReading,
    accept_offer,
    add_action,
    current_leads,
    former_plans,
    mark_done,
    offer_lead,
    opened_for_offer,
    plan_for_reading,
    start_plan,
    withdraw_offer,
)
from panel.platform.problems import Invalid, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate

SUPPORT = (Purpose.SUPPORT, Purpose.PANEL)
TODAY = date(2026, 11, 23)


async def test_two_offers_at_once_make_one(opened: Any, people: Any, tenant: Tenant) -> None:
    async def offer(by: Any, to: Any) -> bool:
        try:
            async with opened(by) as access:
                await offer_lead(access, to.id)
        except Invalid:
            return False
        return True

    made = await asyncio.gather(offer(people.rosa, people.beth), offer(people.tomas, people.ines))
    assert sorted(made) == [False, True]
    async with tenant.transaction(JOB) as session:
        found = await session.execute(text("SELECT state FROM lead_professional"))
        assert [row.state for row in found] == ["offered"]


async def test_accepting_while_it_is_withdrawn_is_one_or_the_other(
    opened: Any, gate: Gate, people: Any, tenant: Tenant
) -> None:
    async with opened(people.rosa) as access:
        offered = (await offer_lead(access, people.tomas.id)).id

    async def accept() -> bool:
        try:
            async with opened_for_offer(gate, people.tomas, SUPPORT, offered, "accepted") as access:
                await accept_offer(access, offered)
        except NotFound:
            return False
        return True

    async def withdraw() -> bool:
        try:
            async with opened(people.rosa) as access:
                await withdraw_offer(access, offered)
        except NotFound:
            return False
        return True

    accepted, withdrawn = await asyncio.gather(accept(), withdraw())
    assert accepted != withdrawn
    async with tenant.transaction(JOB) as session:
        leads = await current_leads(session, [people.child], TODAY)
    assert (people.child in leads) is accepted


async def test_two_plans_started_at_once_follow_each_other(opened: Any, people: Any) -> None:
    async def begin(viewer: Any) -> None:
        async with opened(viewer) as access:
            await start_plan(access, "Sleep")

    await asyncio.gather(begin(people.rosa), begin(people.tomas))
    async with opened(people.rosa) as access:
        plan = await plan_for_reading(access)
        assert isinstance(plan, PlanReading)
        assert plan.number == 2
        assert [one.state for one in await former_plans(access)] == ["replaced"]


async def test_an_action_is_marked_done_by_two_at_once(opened: Any, people: Any) -> None:
    async with opened(people.rosa) as access:
        await start_plan(access, "Sleep")
        words = ActionWords("Ring", owner_words="Mum", due_on=TODAY + timedelta(days=1))
        action = await add_action(access, words)

    async def finish(viewer: Any) -> None:
        async with opened(viewer) as access:
            await mark_done(access, action.id)

    await asyncio.gather(finish(people.rosa), finish(people.tomas))
    async with opened(people.rosa) as access:
        plan = await plan_for_reading(access)
        assert isinstance(plan, PlanReading)
        assert [(one.state, one.done_on) for one in plan.actions] == [("done", TODAY)]
