"""Somebody is away and covered, hands over with days together, gives back, or is followed at once."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from consent import Tie, Viewer
from panel.plans.covering import accept_cover, ask_for_cover, covers, decline_cover, end_cover
from panel.plans.leads import FamilySays, Terms, accept_offer, lead_history, offer_lead
from panel.plans.service import (
    days_without_lead,
    give_back,
    hand_at_once,
    lead_on,
    leaver,
)
from panel.platform.clock import FixedClock
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from panel.register.service import open_episode

Open = Callable[..., AbstractAsyncContextManager[Access]]

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)


@pytest.fixture
async def led(opened: Open, people: Any) -> Any:
    """Rosa holds Amina's plan since today."""
    await hand(opened, people.rosa, people.rosa)
    return people


async def hand(opened: Open, by: Viewer, to: Viewer, **terms: Any) -> None:
    async with opened(by) as access:
        offered = (await offer_lead(access, to.id, Terms(**terms))).id
    async with opened(to) as access:
        await accept_offer(access, offered)


async def cover(opened: Open, by: Viewer, to: Viewer, first: date, last: date) -> UUID:
    async with opened(by) as access:
        asked = (await ask_for_cover(access, to.id, first, last)).id
    async with opened(to) as access:
        await accept_cover(access, asked)
    return asked


async def rung(tenant: Tenant, child: UUID, day: date) -> tuple[UUID, UUID]:
    """Who is rung on a day, and who holds the plan."""
    async with tenant.transaction(JOB) as session:
        found = await lead_on(session, child, day)
    assert found is not None
    return found.worker_id, found.holder_id


async def test_who_covers_is_rung_on_these_days_and_the_lead_is_back_by_themselves(
    opened: Open, led: Any, tenant: Tenant, clock: FixedClock
) -> None:
    await cover(opened, led.rosa, led.beth, TODAY + 2 * DAY, TODAY + 4 * DAY)
    rosa, beth = led.rosa.id, led.beth.id
    for days, who in ((1, rosa), (2, beth), (4, beth), (5, rosa)):
        assert await rung(tenant, led.child, TODAY + days * DAY) == (who, rosa)
    with pytest.raises(NotFound):
        async with opened(led.beth):
            pass
    clock.set(clock.now() + 3 * DAY)
    async with opened(led.beth) as access:
        assert access.ties == {Tie.LEAD}, "on these days, as the lead professional"
    clock.set(clock.now() + 2 * DAY)
    with pytest.raises(NotFound):
        async with opened(led.beth):
            pass


async def test_nobody_of_the_team_makes_themselves_lead_professional_by_covering(
    opened: Open, led: Any
) -> None:
    async with opened(led.tomas) as access:
        assert Tie.LEAD not in access.ties
        with pytest.raises(Invalid) as refused:
            await ask_for_cover(access, led.tomas.id, TODAY, TODAY + 3 * DAY)
    assert "asks you to cover" in refused.value.errors[0].sentence
    async with opened(led.ines) as access:
        await ask_for_cover(access, led.ines.id, TODAY, TODAY + 3 * DAY)


async def test_a_cover_is_declined_with_a_reason_or_ended_early(
    opened: Open, led: Any, tenant: Tenant
) -> None:
    async with opened(led.rosa) as access:
        asked = (await ask_for_cover(access, led.beth.id, TODAY, TODAY + 3 * DAY)).id
    async with opened(led.beth) as access:
        await decline_cover(access, asked, "I am away too")
    agreed = await cover(opened, led.rosa, led.tomas, TODAY, TODAY + 3 * DAY)
    async with opened(led.rosa) as access:
        now, before = await covers(access)
        assert (before.state, before.reason) == ("declined", "I am away too")
        with pytest.raises(Conflict):
            await end_cover(access, agreed, now.version - 1)
        await end_cover(access, agreed, now.version, "Back early")
    assert await rung(tenant, led.child, TODAY) == (led.tomas.id, led.rosa.id)
    assert await rung(tenant, led.child, TODAY + DAY) == (led.rosa.id, led.rosa.id)


async def test_the_days_of_who_covers_and_leaves_are_their_managers(
    opened: Open, led: Any, tenant: Tenant
) -> None:
    await hand(opened, led.rosa, led.tomas)
    # Rosa began today, so that Tomas holds the plan from tomorrow.
    await cover(opened, led.tomas, led.rosa, TODAY + DAY, TODAY + 9 * DAY)
    async with tenant.transaction(JOB) as session:
        await leaver(session, led.rosa.id, TODAY + 4 * DAY)
    tomas, rosa, ines = led.tomas.id, led.rosa.id, led.ines.id
    for days, who in ((4, rosa), (5, ines), (9, ines), (10, tomas)):
        assert await rung(tenant, led.child, TODAY + days * DAY) == (who, tomas)


async def test_a_handover_ends_covers_and_keeps_the_former_beside(
    opened: Open, led: Any, tenant: Tenant, clock: FixedClock
) -> None:
    clock.set(clock.now() + DAY)
    await cover(opened, led.rosa, led.beth, TODAY + DAY, TODAY + 9 * DAY)
    await hand(
        opened, led.rosa, led.tomas, note="Ring before you come.", joint_until=TODAY + 8 * DAY,
        family=FamilySays.COULD_NOT_ASK, family_words="They are abroad until Monday.",
    )  # fmt: skip
    assert await rung(tenant, led.child, TODAY + DAY) == (led.tomas.id, led.tomas.id)
    async with opened(led.rosa) as access:
        assert Tie.LEAD in access.ties
        lines = await lead_history(access)
        leads = {one.name for one in lines if one.leads_on(TODAY + 8 * DAY)}
        assert leads == {"Rosa Whitlow", "Tomas Reed"}
        now = next(one for one in lines if one.holds_on(TODAY + DAY))
        assert (now.name, now.note, now.family_words) == (
            "Tomas Reed", "Ring before you come.", "They are abroad until Monday.",
        )  # fmt: skip
        assert [one.state for one in await covers(access)] == ["withdrawn"]
    clock.set(clock.now() + 8 * DAY)
    async with opened(led.rosa) as access:
        assert access.ties == {Tie.TEAM}


async def test_two_who_are_asked_at_once_for_the_same_days_are_one(
    opened: Open, led: Any, tenant: Tenant
) -> None:
    async def ask(by: Viewer, to: Viewer) -> bool:
        try:
            async with opened(by) as access:
                await ask_for_cover(access, to.id, TODAY, TODAY + 5 * DAY)
        except Invalid:
            return False
        return True

    asked = await asyncio.gather(ask(led.rosa, led.beth), ask(led.tomas, led.ines))
    assert sorted(asked) == [False, True]


async def test_a_plan_is_given_back_to_the_manager_from_tomorrow(
    opened: Open, led: Any, tenant: Tenant
) -> None:
    async with opened(led.tomas) as access:
        with pytest.raises(NotAllowed, match="do not hold"):
            await give_back(access, "Not mine")
    async with opened(led.rosa) as access:
        await give_back(access, "I am ill for long")
    assert await rung(tenant, led.child, TODAY) == (led.rosa.id, led.rosa.id)
    assert await rung(tenant, led.child, TODAY + DAY) == (led.ines.id, led.ines.id)


async def test_without_a_manager_the_panels_coordinator_holds_it_or_the_plan_stays(
    opened: Open, led: Any, tenant: Tenant
) -> None:
    async def coordinator(_session: object, _child: UUID, _day: date) -> UUID:
        return UUID(str(led.ines.id))

    async with tenant.transaction(JOB) as session:
        await session.execute(text("UPDATE worker_role SET role = 'chair' WHERE role = 'manager'"))
    with pytest.raises(NotAllowed, match="no manager"):
        async with opened(led.rosa) as access:
            await give_back(access, "I am ill for long")
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text("UPDATE worker_role SET role = 'coordinator' WHERE worker_id = :ines"),
            {"ines": led.ines.id},
        )
    async with opened(led.rosa) as access:
        await give_back(access, "I am ill for long", coordinator)
    assert await rung(tenant, led.child, TODAY + DAY) == (led.ines.id, led.ines.id)


async def test_somebody_is_followed_at_once_and_twice_is_once(
    opened: Open, led: Any, tenant: Tenant
) -> None:
    async with tenant.transaction(JOB) as session:
        first = await hand_at_once(session, led.child, led.beth.id, "Her team closes", TODAY + DAY)
    async with tenant.transaction(JOB) as session:
        again = await hand_at_once(
            session, led.child, led.beth.id, "Her team closes", TODAY + 2 * DAY
        )
        with pytest.raises(Invalid) as refused:
            await hand_at_once(session, led.child, led.tomas.id, "Too late", TODAY - DAY)
    assert first == again
    assert refused.value.errors[0].sentence == "The first day must be today or later"
    assert await rung(tenant, led.child, TODAY + DAY) == (led.beth.id, led.beth.id)
    async with opened(led.tomas) as access:
        assert [one.reason for one in await lead_history(access)] == ["", "Her team closes"]


async def test_a_day_without_anybody_is_found(led: Any, tenant: Tenant) -> None:
    """What no path makes is put in by hand: a stretch that ends, and one of who left."""
    async with tenant.transaction(JOB) as session:
        await open_episode(session, led.child, TODAY - 5 * DAY)
        assert await days_without_lead(session, TODAY + 30 * DAY) == []
        await session.execute(
            text("UPDATE lead_professional SET until_on = :day, state = 'ended'"),
            {"day": TODAY + 3 * DAY},
        )
        (gap,) = await days_without_lead(session, TODAY + 6 * DAY)
        assert (gap.child_id, gap.from_on, gap.until_on) == (
            led.child, TODAY + 4 * DAY, TODAY + 6 * DAY,
        )  # fmt: skip
        await session.execute(
            text("UPDATE worker SET until_on = :day WHERE id = :rosa"),
            {"day": TODAY + DAY, "rosa": led.rosa.id},
        )
        (gap,) = await days_without_lead(session, TODAY + 6 * DAY)
        assert gap.from_on == TODAY + 2 * DAY
        await session.execute(text("UPDATE episode SET closed_on = :day"), {"day": TODAY + DAY})
        assert await days_without_lead(session, TODAY + 6 * DAY) == []
