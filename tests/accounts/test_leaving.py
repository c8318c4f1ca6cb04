"""Somebody leaves: no child is left, nothing signs them in, and what they held moves on."""

from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select, text

from consent import Role, Viewer
from panel.accounts.desk import usual_purposes
from panel.accounts.models import Agency, Worker, WorkerRole
from panel.accounts.people_joining import NewWorker, invite
from panel.accounts.people_leaving import leave_now, let_leavers_go, plan_leaving, stay_after_all
from panel.accounts.people_models import Leaving
from panel.accounts.people_roles import NewRole, add_role, end_role
from panel.accounts.service import worker_at_desk
from panel.panels.models import Panel
from panel.plans.models import LeadProfessional
from panel.plans.service import current_leads, my_actions, to_hand_over
from panel.platform.clock import FixedClock, today
from panel.platform.entries import begin
from panel.platform.problems import Conflict, Invalid, NotAllowed
from panel.platform.sessions import goes_on, make_link, start
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.web.paging import Asked
from tests.accounts.staff import CASEWORK, Staff, child, worker

pytestmark = pytest.mark.database
DAY = timedelta(days=1)
URL = "http://testshire.localhost"
Client = AsyncTestClient[Litestar]


async def version(tenant: Tenant, worker_id: UUID) -> int:
    async with tenant.transaction(JOB) as session:
        return (await session.get_one(Worker, worker_id)).version


async def leave(tenant: Tenant, by: Viewer, who: Viewer, last_day: date) -> None:
    known = await version(tenant, who.id)
    async with tenant.transaction(JOB) as session:
        await plan_leaving(session, by, who.id, known, last_day, CASEWORK)


async def go_now(tenant: Tenant, by: Viewer, who: Viewer) -> None:
    known = await version(tenant, who.id)
    async with tenant.transaction(JOB) as session:
        await leave_now(session, by, who.id, known, CASEWORK)


async def lead_on(tenant: Tenant, child_id: UUID, day: date) -> UUID | None:
    async with tenant.transaction(JOB) as session:
        found = (await current_leads(session, [child_id], day)).get(child_id)
        return None if found is None else found.worker_id


async def test_at_once_the_next_request_is_401_and_the_manager_has_the_cases(
    client: Client, staff: Staff, sign_in: Any, tenant: Tenant, gate: Gate, clock: FixedClock
) -> None:
    await sign_in(staff.rosa.id)
    assert (await client.get("/")).status_code == 200
    async with tenant.transaction() as session:
        await make_link(session, staff.rosa.id, "worker", clock.now() + DAY)
        entry = {"worker": str(staff.rosa.id)}
        await begin(session, clock.now(), step="second", facts=entry, next_path="/")
    await go_now(tenant, staff.alan, staff.rosa)
    async with tenant.transaction() as session:
        begun = await session.scalar(text("SELECT count(*) FROM sign_in_entry"))
        assert begun == 0, "a way in that was begun is over too"
    assert (await client.get("/")).status_code == 401
    # Open pages ask this at every beat of their channel.
    assert not await goes_on(tenant, client.cookies["panel_session"], clock.now())
    async with tenant.transaction(JOB) as session:
        for table in ("web_session", "sign_in_link"):
            query = text(f"SELECT count(*) FROM {table} WHERE viewer_id = :w")
            assert await session.scalar(query, {"w": staff.rosa.id}) == 0, table
        reaches = "SELECT count(*) FROM worker_role WHERE worker_id = :w AND until_on IS NULL"
        assert await session.scalar(text(reaches), {"w": staff.rosa.id}) == 0
    assert await lead_on(tenant, staff.amina, today(clock)) == staff.ines.id
    async with tenant.transaction(staff.ines.id) as session:
        cases = await to_hand_over(gate, session, staff.ines, usual(staff.ines))
        actions = await my_actions(gate, session, staff.ines, usual(staff.ines), Asked())
    assert [one.child_id for one in cases] == [staff.amina]
    assert [one.child_id for one in actions.rows] == [staff.amina]
    await sign_in(staff.ines.id)
    assert "To hand over" in (await client.get("/")).text
    async with tenant.transaction(staff.rosa.id) as session:
        seen = await session.scalar(
            text("SELECT count(*) FROM child_access WHERE valid_until >= :now"),
            {"now": clock.now()},
        )
        assert seen == 0


def usual(viewer: Viewer) -> Any:
    return usual_purposes(viewer)


async def test_a_day_ends_sessions_roles_and_actions_and_the_job_changes_nothing_twice(
    client: Client, staff: Staff, sign_in: Any, tenant: Tenant, clock: FixedClock
) -> None:
    last_day = today(clock) + 3 * DAY
    await leave(tenant, staff.cyril, staff.rosa, last_day)
    assert await lead_on(tenant, staff.amina, last_day) == staff.rosa.id
    assert await lead_on(tenant, staff.amina, last_day + DAY) == staff.ines.id
    await sign_in(staff.rosa.id)
    assert (await client.get("/")).status_code == 200
    clock.set(clock.now() + 4 * DAY)
    async with tenant.transaction() as session:
        client.cookies.set(
            "panel_session", await start(session, staff.rosa.id, "worker", clock.now())
        )
    assert (await client.get("/")).status_code == 401
    async with tenant.transaction(JOB) as session:
        assert await let_leavers_go(session, CASEWORK) == 1
    async with tenant.transaction(JOB) as session:
        assert await let_leavers_go(session, CASEWORK) == 0
        sessions = text("SELECT count(*) FROM web_session WHERE viewer_id = :w")
        assert await session.scalar(sessions, {"w": staff.rosa.id}) == 0
        owner = await session.scalar(
            text("SELECT owner_worker_id FROM action WHERE child_id = :c"), {"c": staff.amina}
        )
        assert owner == staff.ines.id


async def test_who_stays_after_all_has_their_roles_again(
    staff: Staff, tenant: Tenant, clock: FixedClock
) -> None:
    await leave(tenant, staff.alan, staff.rosa, today(clock) + 9 * DAY)
    with pytest.raises(Invalid):
        await leave(tenant, staff.alan, staff.rosa, today(clock) + 19 * DAY)
    await leave(tenant, staff.alan, staff.rosa, today(clock) + 5 * DAY)
    known = await version(tenant, staff.rosa.id)
    async with tenant.transaction(staff.alan.id) as session:
        await stay_after_all(session, staff.alan, staff.rosa.id, known)
    async with tenant.transaction(JOB) as session:
        role = await session.scalar(select(WorkerRole).where(WorkerRole.worker_id == staff.rosa.id))
        assert role is not None
        assert role.until_on is None
        assert (await session.get_one(Worker, staff.rosa.id)).until_on is None


async def test_without_a_manager_it_is_refused_but_for_safety(
    staff: Staff, tenant: Tenant, clock: FixedClock
) -> None:
    with pytest.raises(NotAllowed, match="no manager and no coordinator"):
        await leave(tenant, staff.alan, staff.tomas, today(clock))
    assert await version(tenant, staff.tomas.id) == 1
    await go_now(tenant, staff.alan, staff.tomas)
    # Nobody is there at all: the account is over, the plan stays written in their name and waits.
    async with tenant.transaction(JOB) as session:
        assert await worker_at_desk(
            await session.connection(), tenant.ring, staff.tomas.id, clock.now()
        ) is None  # fmt: skip
        leaving = await session.scalar(select(Leaving).where(Leaving.worker_id == staff.tomas.id))
        assert leaving is not None
        assert (leaving.state, leaving.plans_without) == ("planned", 1)
    assert await lead_on(tenant, staff.bilal, today(clock)) == staff.tomas.id
    async with tenant.transaction(JOB) as session:
        panel = Panel(key="contacts", name="CONTACTS", kind="contacts", first_on=today(clock),
                      starts_at=clock.now().time())  # fmt: skip
        session.add(panel)
        await session.flush()
        council = await session.get_one(Agency, staff.council)
        grace = await worker(session, council, "Grace Toll", Role.COORDINATOR, panel=panel.id)
    async with tenant.transaction(JOB) as session:
        assert await let_leavers_go(session, CASEWORK) == 1
    assert await lead_on(tenant, staff.bilal, today(clock)) == grace.id


async def test_nobody_lets_themselves_go_nor_the_last_administrator(
    staff: Staff, tenant: Tenant, clock: FixedClock
) -> None:
    with pytest.raises(NotAllowed, match="Nobody changes their own"):
        await go_now(tenant, staff.alan, staff.alan)
    with pytest.raises(NotAllowed, match="two people end"):
        await leave(tenant, staff.alan, staff.berta, today(clock))
    await go_now(tenant, staff.alan, staff.berta)
    await go_now(tenant, staff.alan, staff.cyril)
    with pytest.raises(NotAllowed, match="not an administrator any more"):
        # Two who let each other go at once: the second one's page was opened before.
        await go_now(tenant, staff.berta, staff.alan)
    async with tenant.transaction(JOB) as session:
        council = await session.get_one(Agency, staff.council)
        dora = await worker(session, council, "Dora Elm", Role.ADMINISTRATOR)
        role = await session.scalar(select(WorkerRole).where(WorkerRole.worker_id == dora.id))
        assert role is not None
        role.until_on = today(clock)
        # Of an agency that is none of the council's, who looks after their own accounts alone.
        health = await session.get_one(Agency, staff.health)
        await worker(session, health, "Emil Rush", Role.ADMINISTRATOR)
    with pytest.raises(NotAllowed, match="last administrator"):
        known = await version(tenant, staff.alan.id)
        async with tenant.transaction(JOB) as session:
            await leave_now(session, dora, staff.alan.id, known, CASEWORK)


async def test_a_stale_page_changes_nothing(
    staff: Staff, tenant: Tenant, clock: FixedClock
) -> None:
    with pytest.raises(Conflict):
        async with tenant.transaction(JOB) as session:
            await leave_now(session, staff.alan, staff.rosa.id, 99, CASEWORK)


class Chance:
    """The same turns for the same seed."""

    def __init__(self, seed: int) -> None:
        self.seed, self.turn = seed, 0

    def number(self, least: int, below: int) -> int:
        self.turn += 1
        drawn = sha256(f"{self.seed} {self.turn}".encode()).digest()
        return least + int.from_bytes(drawn[:8]) % (below - least)

    def choice(self, among: Sequence[Any]) -> Any:
        return among[self.number(0, len(among))]


@pytest.mark.parametrize("seed", range(6))
async def test_no_child_is_ever_without_a_lead_professional_who_is_there(
    staff: Staff, tenant: Tenant, clock: FixedClock, seed: int
) -> None:
    """Random joins, moves, leavings and days: on every day from now on, one who works then."""
    chance = Chance(seed)
    first = today(clock)
    children = [staff.amina, staff.bilal]
    async with tenant.transaction(JOB) as session:
        health = await session.get_one(Agency, staff.health)
        people = [staff.rosa, staff.ines, staff.tomas]
        for number in range(4):
            lead = await worker(session, health, f"Lead{number} Person", Role.PRACTITIONER)
            people.append(lead)
            children.append(
                await child(session, f"Child{number}", staff.health, lead.id, first - 30 * DAY)
            )
    done = 0
    for step in range(14):
        who = chance.choice(people)
        in_days = first + (clock.now().date() - first) + chance.number(0, 25) * DAY
        try:
            match chance.choice(["join", "manage", "leave", "leave", "now", "end", "stay", "day"]):
                case "join":
                    async with tenant.transaction(staff.alan.id) as session:
                        new = NewWorker(f"New{step} Person", f"new{step}@health.example", "",
                                        in_days, [Role.MANAGER], None, None)  # fmt: skip
                        made = await invite(session, staff.alan, staff.health, new, CASEWORK, URL)
                        people.append(Viewer(made.id, who.kind, staff.health, "health"))
                case "manage":
                    known = await version(tenant, who.id)
                    async with tenant.transaction(staff.alan.id) as session:
                        role = NewRole(Role.MANAGER, None, in_days, None)
                        await add_role(session, staff.alan, who.id, known, role, CASEWORK)
                case "leave":
                    await leave(tenant, staff.alan, who, in_days)
                case "now":
                    await go_now(tenant, staff.alan, who)
                case "end":
                    async with tenant.transaction(staff.alan.id) as session:
                        held = await session.scalar(
                            select(WorkerRole).where(WorkerRole.worker_id == who.id).limit(1)
                        )
                        assert held is not None
                        await end_role(session, staff.alan, who.id, held.id, held.version,
                                       in_days, holds_plans=False)  # fmt: skip
                case "stay":
                    known = await version(tenant, who.id)
                    async with tenant.transaction(staff.alan.id) as session:
                        await stay_after_all(session, staff.alan, who.id, known)
                case "day":
                    clock.set(clock.now() + chance.number(1, 9) * DAY)
                    async with tenant.transaction(JOB) as session:
                        await let_leavers_go(session, CASEWORK)
            done += 1
        except (Invalid, NotAllowed):
            pass
        await every_child_has_one(tenant, children, clock)
    assert done > 3


async def every_child_has_one(tenant: Tenant, children: list[UUID], clock: FixedClock) -> None:
    """Exactly one on each day from 30 days ago on; from today on one who works then."""
    now = today(clock)
    async with tenant.transaction(JOB) as session:
        rows = list(
            await session.scalars(
                select(LeadProfessional).where(
                    LeadProfessional.child_id.in_(children),
                    LeadProfessional.state.in_(("accepted", "ended")),
                )
            )
        )
        workers = {one.id: one for one in await session.scalars(select(Worker))}
        waiting = set(
            await session.scalars(select(Leaving.worker_id).where(Leaving.plans_without > 0))
        )
        days = [now + n * DAY for n in range(-30, 60)]
        for child_id in children:
            own = [one for one in rows if one.child_id == child_id]
            for day in days:
                leads = [
                    one for one in own
                    if one.from_on <= day and (one.until_on is None or one.until_on >= day)
                ]  # fmt: skip
                assert len(leads) == 1, f"{day}: {[(o.state, o.from_on, o.until_on) for o in own]}"
                if day < now:
                    continue
                who = workers[leads[0].worker_id]
                works = (who.until_on is None or who.until_on >= day) and (
                    who.from_on is None or who.from_on <= day
                )
                assert works or who.id in waiting, f"{day}: {who.from_on} to {who.until_on}"
