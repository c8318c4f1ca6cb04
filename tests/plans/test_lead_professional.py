"""Who holds the plan: offered, accepted or declined, handed over; no day without somebody."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from consent import Category, Purpose, Tie, Viewer
from panel.accounts.models import Worker
from panel.plans.service import (
    accept_offer,
    candidates,
    current_leads,
    decline_offer,
    import_lead,
    lead_gap_since,
    lead_history,
    leaver,
    offer_for_answer,
    offer_lead,
    open_offers,
    opened_for_offer,
    withdraw_offer,
)
from panel.platform.clock import FixedClock
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate

Open = Callable[..., AbstractAsyncContextManager[Access]]

SUPPORT = (Purpose.SUPPORT, Purpose.PANEL)
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)


async def offer(opened: Open, by: Viewer, to: Viewer) -> UUID:
    async with opened(by) as access:
        return (await offer_lead(access, to.id)).id


async def accept(gate: Gate, who: Viewer, offer_id: UUID) -> None:
    async with opened_for_offer(gate, who, SUPPORT, offer_id, "accepted an offer") as access:
        await accept_offer(access, offer_id)


async def lead_on(tenant: Tenant, child: UUID, day: date) -> UUID | None:
    async with tenant.transaction(JOB) as session:
        leads = await current_leads(session, [child], day)
    return leads[child].worker_id if child in leads else None


async def test_it_is_offered_and_accepted(
    opened: Open, gate: Gate, people: Any, tenant: Tenant
) -> None:
    offered = await offer(opened, people.rosa, people.tomas)
    async with tenant.transaction(JOB) as session:
        assert (await open_offers(session, [people.child]))[people.child].offered_on == TODAY
    assert await lead_on(tenant, people.child, TODAY) is None
    await accept(gate, people.tomas, offered)
    assert await lead_on(tenant, people.child, TODAY) == people.tomas.id
    async with opened(people.tomas) as access:
        assert Tie.LEAD in access.ties
        (line,) = await lead_history(access)
    assert (line.name, line.agency, line.offered_by) == ("Tomas Reed", "Portage", "Rosa Whitlow")
    assert line.holds_on(TODAY)
    with pytest.raises(NotFound):
        await accept(gate, people.tomas, offered)


async def test_an_offer_reaches_somebody_who_did_not_know_the_child(
    opened: Open, gate: Gate, people: Any
) -> None:
    with pytest.raises(NotFound):
        async with opened(people.beth):
            pass
    offered = await offer(opened, people.rosa, people.beth)
    async with opened_for_offer(gate, people.beth, SUPPORT, offered, "read an offer") as access:
        shown = await offer_for_answer(access, offered)
        assert not access.may(Category.IDENTITY)
    assert (shown.reference, shown.offered_by, shown.offered_by_agency) == (
        "C-1",
        "Rosa Whitlow",
        "Health",
    )
    assert (shown.given_name, shown.birth_date) == ("", None)
    await accept(gate, people.beth, offered)
    async with opened(people.beth) as access:
        assert access.ties == {Tie.LEAD, Tie.TEAM}, "whoever holds the plan is in the team"
        assert access.may(Category.IDENTITY)


async def test_it_is_declined_with_a_reason_and_the_reach_ends(
    opened: Open, gate: Gate, people: Any, tenant: Tenant
) -> None:
    offered = await offer(opened, people.rosa, people.beth)
    async with opened_for_offer(gate, people.beth, SUPPORT, offered, "declined") as access:
        await decline_offer(access, offered, "I hold twenty already")
    with pytest.raises(NotFound):
        async with opened_for_offer(gate, people.beth, SUPPORT, offered, "read") as access:
            pass
    async with opened(people.rosa) as access:
        (line,) = await lead_history(access)
    assert (line.state, line.reason, line.answered_on) == (
        "declined",
        "I hold twenty already",
        TODAY,
    )
    again = await offer(opened, people.rosa, people.beth)
    await accept(gate, people.beth, again)
    assert await lead_on(tenant, people.child, TODAY) == people.beth.id


async def test_it_is_withdrawn(opened: Open, gate: Gate, people: Any) -> None:
    offered = await offer(opened, people.rosa, people.beth)
    async with opened(people.tomas) as access:
        await withdraw_offer(access, offered)
    with pytest.raises(NotFound):
        await accept(gate, people.beth, offered)
    async with opened(people.tomas) as access:
        with pytest.raises(NotFound):
            await withdraw_offer(access, offered)
        assert [one.state for one in await lead_history(access)] == ["withdrawn"]


async def test_to_whom_it_cannot_be_offered(opened: Open, gate: Gate, people: Any) -> None:
    async with opened(people.rosa) as access:
        listed = await candidates(access)
        assert [(one.name, one.in_team) for one in listed] == [
            ("Rosa Whitlow", True),
            ("Tomas Reed", True),
            ("Ines Marlow", False),
            ("Beth Amory", False),
        ]
        with pytest.raises(Invalid, match="another look"):
            await offer_lead(access, people.stranger.id)
        await offer_lead(access, people.tomas.id)
        with pytest.raises(Invalid) as refused:
            await offer_lead(access, people.beth.id)
    assert "offered to Tomas Reed" in refused.value.errors[0].sentence


async def test_nobody_answers_an_offer_to_somebody_else(
    opened: Open, gate: Gate, people: Any
) -> None:
    offered = await offer(opened, people.rosa, people.beth)
    with pytest.raises(NotFound):
        await accept(gate, people.tomas, offered)


async def test_a_handover_leaves_no_day_without_one(
    opened: Open, gate: Gate, people: Any, tenant: Tenant, clock: FixedClock
) -> None:
    await accept(gate, people.tomas, await offer(opened, people.rosa, people.tomas))
    clock.set(clock.now() + 10 * DAY)
    await accept(gate, people.rosa, await offer(opened, people.tomas, people.rosa))
    for days in range(10):
        assert await lead_on(tenant, people.child, TODAY + days * DAY) == people.tomas.id
    assert await lead_on(tenant, people.child, TODAY + 10 * DAY) == people.rosa.id
    async with opened(people.tomas) as access:
        assert access.ties == {Tie.TEAM}
        assert [one.state for one in await lead_history(access)] == ["accepted", "ended"]
    async with tenant.transaction(JOB) as session:
        assert await lead_gap_since(session, [people.child], TODAY + 10 * DAY) == {}


async def test_twice_on_one_day_the_second_begins_tomorrow(
    opened: Open, gate: Gate, people: Any, tenant: Tenant
) -> None:
    await accept(gate, people.tomas, await offer(opened, people.rosa, people.tomas))
    await accept(gate, people.rosa, await offer(opened, people.tomas, people.rosa))
    assert await lead_on(tenant, people.child, TODAY) == people.tomas.id
    assert await lead_on(tenant, people.child, TODAY + DAY) == people.rosa.id


async def test_a_leavers_manager_holds_the_plan_at_once(
    opened: Open, gate: Gate, people: Any, tenant: Tenant, clock: FixedClock
) -> None:
    await accept(gate, people.rosa, await offer(opened, people.rosa, people.rosa))
    clock.set(clock.now() + 5 * DAY)
    last_day = TODAY + 5 * DAY
    async with tenant.transaction(JOB) as session:
        assert await leaver(session, people.rosa.id, last_day) == 1
        assert await leaver(session, people.rosa.id, last_day) == 0
    assert await lead_on(tenant, people.child, last_day) == people.rosa.id
    assert await lead_on(tenant, people.child, last_day + DAY) == people.ines.id
    async with tenant.transaction(JOB) as session:
        roles = await session.execute(
            text("SELECT until_on FROM worker_role WHERE worker_id = :w"), {"w": people.rosa.id}
        )
        assert [row.until_on for row in roles] == [last_day]
        parts = await session.execute(
            text(
                "SELECT part, from_on, worker_id FROM involvement WHERE agency_id = :a"
                " AND until_on IS NULL ORDER BY part"
            ),
            {"a": people.rosa.agency},
        )
        assert [tuple(row) for row in parts] == [
            ("lead professional", last_day + DAY, people.ines.id),
            ("visiting", last_day + DAY, None),
        ]
    clock.set(clock.now() + DAY)
    with pytest.raises(NotFound):
        async with opened(people.rosa):
            pass
    async with opened(people.ines) as access:
        assert Tie.LEAD in access.ties
    # Until the handover: somebody else takes it on from the manager.
    clock.set(clock.now() + 7 * DAY)
    await accept(gate, people.tomas, await offer(opened, people.ines, people.tomas))
    assert await lead_on(tenant, people.child, TODAY + 12 * DAY) == people.ines.id
    assert await lead_on(tenant, people.child, TODAY + 13 * DAY) == people.tomas.id


async def test_a_handover_before_the_last_day_comes_first(
    opened: Open, gate: Gate, people: Any, tenant: Tenant, clock: FixedClock
) -> None:
    await accept(gate, people.rosa, await offer(opened, people.rosa, people.rosa))
    clock.set(clock.now() + 2 * DAY)
    async with tenant.transaction(JOB) as session:
        await leaver(session, people.rosa.id, TODAY + 30 * DAY)
    await accept(gate, people.tomas, await offer(opened, people.rosa, people.tomas))
    assert await lead_on(tenant, people.child, TODAY + DAY) == people.rosa.id
    for days in (2, 30, 31, 60):
        assert await lead_on(tenant, people.child, TODAY + days * DAY) == people.tomas.id


async def test_without_a_manager_nobody_leaves_their_children(
    opened: Open, gate: Gate, people: Any, tenant: Tenant
) -> None:
    await accept(gate, people.tomas, await offer(opened, people.rosa, people.tomas))
    with pytest.raises(NotAllowed, match="no manager"):
        async with tenant.transaction(JOB) as session:
            await leaver(session, people.tomas.id, TODAY)
    async with tenant.transaction(JOB) as session:
        worker = await session.get(Worker, people.tomas.id)
        assert worker is not None
        assert worker.until_on is None
        with pytest.raises(NotFound):
            await leaver(session, people.child, TODAY)
    async with tenant.transaction(people.rosa.id) as session:
        with pytest.raises(ValueError, match="scheduled work"):
            await leaver(session, people.tomas.id, TODAY)


async def test_somebody_who_leaves_takes_nothing_on(
    opened: Open, gate: Gate, people: Any, tenant: Tenant
) -> None:
    offered = await offer(opened, people.rosa, people.beth)
    async with tenant.transaction(JOB) as session:
        beth = await session.get(Worker, people.beth.id)
        assert beth is not None
        beth.until_on = TODAY + 20 * DAY
    with pytest.raises(NotAllowed, match="leaving"):
        await accept(gate, people.beth, offered)
    async with opened(people.rosa) as access:
        await withdraw_offer(access, offered)
        with pytest.raises(Invalid) as refused:
            await offer_lead(access, people.beth.id)
        assert "leaving" in refused.value.errors[0].sentence
    async with tenant.transaction(JOB) as session:
        beth = await session.get(Worker, people.beth.id)
        assert beth is not None
        with pytest.raises(NotAllowed):
            await import_lead(session, people.child, beth, date(2026, 9, 1))


async def test_an_earlier_list_brings_them_in_once(
    opened: Open, gate: Gate, people: Any, tenant: Tenant
) -> None:
    async def bring(viewer: Viewer, since: date) -> bool:
        async with tenant.transaction(JOB) as session:
            worker = await session.get(Worker, viewer.id)
            assert worker is not None
            return await import_lead(session, people.child, worker, since)

    assert await bring(people.tomas, date(2026, 6, 1))
    assert not await bring(people.tomas, date(2026, 6, 1))
    assert await lead_on(tenant, people.child, date(2026, 6, 1)) == people.tomas.id
    await accept(gate, people.rosa, await offer(opened, people.tomas, people.rosa))
    assert not await bring(people.tomas, date(2026, 6, 1)), "the list is older than the handover"
    assert not await bring(people.beth, date(2026, 7, 1))
    assert await lead_on(tenant, people.child, TODAY) == people.rosa.id


async def test_since_when_there_is_nobody(people: Any, tenant: Tenant) -> None:
    async with tenant.transaction(JOB) as session:
        worker = await session.get(Worker, people.tomas.id)
        assert worker is not None
        await import_lead(session, people.child, worker, date(2026, 6, 1))
        await session.execute(
            text("UPDATE lead_professional SET state = 'ended', until_on = '2026-10-01'")
        )
        gaps = await lead_gap_since(session, [people.child], TODAY)
        assert gaps == {people.child: date(2026, 10, 2)}
        assert await lead_gap_since(session, [people.child], date(2026, 9, 1)) == {}
