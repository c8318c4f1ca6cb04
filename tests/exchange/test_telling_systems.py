"""A system is told what changed: in order, at least once, and only while it may be told."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from consent import Level, Purpose
from panel.exchange.clients import end_client, one_client
from panel.exchange.delivering import FIRST, LONGEST, TRIES, Sender, forget_settled, wait_before
from panel.exchange.entering import Client
from panel.exchange.events import put_in_line
from panel.exchange.history import keep_versions
from panel.plans.models import Action
from panel.plans.writing import move_action
from panel.platform.clock import FixedClock
from panel.platform.reaching import Reaching
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.models import Child
from panel.sharing.service import withdraw_agreement
from tests.exchange.receiver import Receiver, listening
from tests.exchange.telling import (
    BASE,
    agree,
    another_child,
    plan_of,
    state_of,
    states,
    subscribed,
    system_of,
    task_of,
)
from tests.sharing.family import Family, agreed, record

HERE = Reaching(to_this_machine=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as made:
        yield made


@pytest.fixture
def sender(gate: Gate) -> Sender:
    return Sender(gate, HERE, BASE)


@pytest.fixture
async def health(tenant: Tenant, family: Family) -> Client:
    """The system of an agency that the mother agreed to."""
    async with tenant.transaction(JOB) as session:
        await agree(session, family.child, family.mother, family.health)
    return await system_of(tenant, family.health, "gp")


async def some_tasks(gate: Gate, child: UUID, agency: UUID, how_many: int = 1) -> UUID:
    """An agreed plan with so many actions, put in line; the plan."""
    async with gate.tenant.transaction(JOB) as session:
        plan = await plan_of(session, child, agency)
        for _ in range(how_many):
            await task_of(session, child, plan)
    await look(gate)
    return plan


async def look(gate: Gate) -> None:
    async with gate.tenant.transaction(JOB) as session:
        await put_in_line(gate, session)


async def test_a_change_is_told_once_with_no_more_than_its_name(
    gate: Gate,
    tenant: Tenant,
    family: Family,
    health: Client,
    sender: Sender,
    receiver: Receiver,
    clock: FixedClock,
) -> None:
    await subscribed(tenant, health, receiver.address)
    async with tenant.transaction(JOB) as session:
        plan = await plan_of(session, family.child, family.health)
        task = await task_of(session, family.child, plan, "Ring the nursery about Freya")
    await look(gate)
    await look(gate)
    assert await sender.send_due() == 1
    assert await sender.send_due() == 0
    (came,) = receiver.came
    assert came.focus == f"{BASE}/Task/{task}"
    assert came.parameter("eventNumber") == "1"
    assert came.headers["Authorization"] == "Bearer told-only-to-them"
    assert b"Freya" not in came.body
    assert str(family.child).encode() not in came.body
    clock.set(clock.now() + timedelta(minutes=5))
    async with tenant.transaction(JOB) as session:
        (await session.get_one(Action, task)).text = "Ring again"
    await look(gate)
    await sender.send_due()
    assert [one.parameter("eventNumber") for one in receiver.events] == ["1", "2"]
    assert len({one.event for one in receiver.events}) == 2
    async with tenant.transaction(JOB) as session:
        doings = set(await session.scalars(text("SELECT doing FROM access_event")))
    assert "sent word that Task changed to The gp" in doings


async def test_a_handshake_comes_first(
    tenant: Tenant,
    family: Family,
    health: Client,
    sender: Sender,
    receiver: Receiver,
    clock: FixedClock,
) -> None:
    one = await subscribed(tenant, health, receiver.address)
    async with tenant.transaction(health.viewer.id) as session:
        await session.execute(text("UPDATE subscription SET state = 'requested'"))
    receiver.status = 302
    await sender.shake_hands()
    assert await state_of(tenant, one) == "requested"
    receiver.status = 204
    await sender.shake_hands()
    assert await state_of(tenant, one) == "requested", "It waits before it tries again."
    clock.set(clock.now() + timedelta(minutes=2))
    await sender.shake_hands()
    assert await state_of(tenant, one) == "active"
    assert [one.parameter("type") for one in receiver.came] == ["handshake"] * 2


async def test_what_may_not_be_told_any_more_does_not_leave_and_leaves_no_gap(
    gate: Gate,
    tenant: Tenant,
    family: Family,
    sender: Sender,
    receiver: Receiver,
    clock: FixedClock,
) -> None:
    client = await system_of(tenant, family.school, "school")
    await subscribed(tenant, client, receiver.address)
    said = await record(gate, family, agreed(family, purposes=frozenset({Purpose.EXCHANGE})))
    plan = await some_tasks(gate, family.child, family.health)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "asked again") as access:
        await withdraw_agreement(access, said.id)
    await sender.send_due()
    assert receiver.came == []
    assert [one.state for one in await states(tenant)] == ["withheld"]
    clock.set(clock.now() + timedelta(minutes=1))
    await record(gate, family, agreed(family, purposes=frozenset({Purpose.EXCHANGE})))
    async with tenant.transaction(JOB) as session:
        await task_of(session, family.child, plan, "Another")
    await look(gate)
    await sender.send_due()
    assert [one.parameter("eventNumber") for one in receiver.events] == ["1"]


async def test_without_consent_nothing_is_even_put_in_line(
    gate: Gate, tenant: Tenant, family: Family, receiver: Receiver
) -> None:
    client = await system_of(tenant, family.school, "school")
    await subscribed(tenant, client, receiver.address, f"Task?patient={family.child}")
    await some_tasks(gate, family.child, family.health)
    assert await states(tenant) == []


async def test_an_ended_system_is_told_nothing(
    gate: Gate, tenant: Tenant, family: Family, health: Client, sender: Sender, receiver: Receiver
) -> None:
    one = await subscribed(tenant, health, receiver.address)
    await some_tasks(gate, family.child, family.health)
    async with tenant.transaction(JOB) as session:
        known = await one_client(session, health.viewer.id)
        await end_client(session, health.viewer.id, known.row.version, "Replaced")
    await sender.send_due()
    assert receiver.came == []
    assert await state_of(tenant, one) == "off"


async def test_the_next_of_a_child_waits_for_the_one_before_and_no_other_child_does(
    gate: Gate,
    tenant: Tenant,
    family: Family,
    health: Client,
    sender: Sender,
    receiver: Receiver,
    clock: FixedClock,
) -> None:
    one = await subscribed(tenant, health, receiver.address)
    async with tenant.transaction(JOB) as session:
        other = await another_child(session, family, 1)
        plans = {
            child: await plan_of(session, child, family.health) for child in (family.child, other)
        }
    made: dict[str, UUID] = {}
    for _ in range(3):
        clock.set(clock.now() + timedelta(seconds=10))
        for child, plan in plans.items():
            async with tenant.transaction(JOB) as session:
                task = await task_of(session, child, plan)
                made[f"{BASE}/Task/{task}"] = child
    await look(gate)
    receiver.status = 503
    assert await sender.send_due() == 2, "The first of each child."
    first_two = [came.event for came in receiver.came]
    receiver.status = 200
    assert await sender.send_due() == 0, "They wait."
    clock.set(clock.now() + timedelta(minutes=2))
    assert await sender.send_due() == 6
    told = receiver.events[2:]
    for child in plans:
        of_child = [came.focus for came in told if made[came.focus] == child]
        assert of_child == [focus for focus, whose in made.items() if whose == child]
    assert set(first_two) <= {came.event for came in told}, "Sent again with the same id."
    assert len({came.event for came in told}) == 6
    assert await state_of(tenant, one) == "active"


async def test_it_is_tried_for_about_a_day_and_then_dead(
    gate: Gate,
    tenant: Tenant,
    family: Family,
    health: Client,
    sender: Sender,
    receiver: Receiver,
    clock: FixedClock,
) -> None:
    one = await subscribed(tenant, health, receiver.address)
    plan = await some_tasks(gate, family.child, family.health)
    receiver.status = 500
    begun = clock.now()
    for _ in range(TRIES):
        assert await sender.send_due() == 1
        (state,) = await states(tenant)
        clock.set(clock.now() + wait_before(state.id, state.tries))
    assert state.state == "dead"
    assert state.failure == "It answered with 500."
    assert timedelta(hours=8) < clock.now() - begun < timedelta(days=2)
    assert len({came.event for came in receiver.came}) == 1
    assert {came.parameter("eventNumber") for came in receiver.came} == {"1"}
    assert await state_of(tenant, one) == "error"
    receiver.status = 200
    async with tenant.transaction(JOB) as session:
        await task_of(session, family.child, plan, "Another")
    await look(gate)
    assert await sender.send_due() == 1
    assert await state_of(tenant, one) == "active"
    async with tenant.transaction(JOB) as session:
        await forget_settled(session, clock.now() + timedelta(days=31))
    assert [left.state for left in await states(tenant)] == ["dead"]


@given(st.uuids(), st.integers(1, 40))
def test_the_wait_grows_and_is_the_same_each_time(event: UUID, tries: int) -> None:
    wait = wait_before(event, tries)
    assert wait == wait_before(event, tries)
    usual = min(FIRST * 2 ** (tries - 1), LONGEST)
    assert usual / 2 <= wait <= usual


async def test_several_send_at_once_and_nothing_goes_twice(
    gate: Gate, tenant: Tenant, family: Family, health: Client, sender: Sender, receiver: Receiver
) -> None:
    await subscribed(tenant, health, receiver.address)
    await some_tasks(gate, family.child, family.health, 8)
    await asyncio.gather(*(sender.send_due() for _ in range(2)))
    await sender.send_due()
    assert len(receiver.came) == len({came.event for came in receiver.came}) == 8
    assert sorted(came.parameter("eventNumber") for came in receiver.came) == list("12345678")


SEND = "import sys; from panel.cli import main; sys.argv = ['panel', 'jobs', '--once']; main()"


async def test_killed_while_sending_it_sends_the_same_again_and_loses_nothing(
    gate: Gate,
    tenant: Tenant,
    family: Family,
    health: Client,
    sender: Sender,
    receiver: Receiver,
    clock: FixedClock,
    for_commands: dict[str, str | None],
) -> None:
    await subscribed(tenant, health, receiver.address)
    async with tenant.transaction(JOB) as session:
        children = [family.child, *[await another_child(session, family, n) for n in (1, 2)]]
        for child in children:
            plan = await plan_of(session, child, family.health)
            for _ in range(4):
                await task_of(session, child, plan)
    await look(gate)
    waiting = {str(one.id) for one in await states(tenant)}
    assert len(waiting) == 12
    receiver.held_after = 4
    environment = os.environ | {name: value for name, value in for_commands.items() if value}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SEND, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        assert await asyncio.to_thread(receiver.held.wait, 60)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    cut = receiver.came[-1]
    receiver.held_after = 10**9
    receiver.holds.set()
    clock.set(datetime.now(UTC) + timedelta(minutes=10))
    await sender.send_due()
    events = [came.event for came in receiver.events]
    assert set(events) == waiting
    assert events.count(cut.event) == 2
    assert len(events) == 13
    assert {one.state for one in await states(tenant)} == {"sent"}


async def test_nobody_is_told_that_something_withheld_changed(
    gate: Gate, tenant: Tenant, family: Family, clock: FixedClock
) -> None:
    """Not once, and not at every look."""
    client = await system_of(tenant, family.school, "school")
    basic = agreed(family, level=Level.BASIC, purposes=frozenset({Purpose.EXCHANGE}))
    await record(gate, family, basic)
    clock.set(clock.now() + timedelta(minutes=1))
    await subscribed(tenant, client, "https://school.example/told", "Patient?")
    for minutes, details in ((120, {"disability": "Something new"}), (1, {"ethnicity": "any"})):
        clock.set(clock.now() + timedelta(minutes=minutes))
        async with tenant.transaction(JOB) as session:
            child = await session.get_one(Child, family.child)
            for name, value in details.items():
                setattr(child, name, value)
        await look(gate)
        await look(gate)
        assert await states(tenant) == []


async def test_what_stood_on_the_wrong_child_is_kept_nowhere(
    gate: Gate, tenant: Tenant, family: Family, health: Client, clock: FixedClock
) -> None:
    """Nor what it said before it was moved, in what is kept for systems that ask for history."""
    async with tenant.transaction(JOB) as session:
        plan = await plan_of(session, family.child, family.health)
        stays = await task_of(session, family.child, plan, "Ring the nursery")
        moves = await task_of(session, family.child, plan, "Ring somebody else’s nursery")
        other = await another_child(session, family, 1)
    async with tenant.transaction(JOB) as session:
        await keep_versions(session, clock.now())
    clock.set(clock.now() + timedelta(minutes=1))
    async with gate.open(other, health.viewer, Purpose.EXCHANGE, "moved one") as access:
        row = await access.session.get_one(Action, moves)
        was = row.text_sealed.hex()
        moved = (await move_action(row, access, "It was of another child")).id
    kept = text("SELECT resource_id, line FROM resource_version WHERE resource = 'Task'")
    async with tenant.transaction(JOB) as session:
        assert any(was in line for _, line in await session.execute(kept))
        await keep_versions(session, clock.now())
        rows = {row[0]: row[1] for row in await session.execute(kept)}
    assert rows.keys() == {stays, moved}
    assert not any(was in line for line in rows.values())
    # Nobody else deletes any, nor the job what is of a child that it does not reach.
    async with tenant.transaction(health.viewer.id) as session:
        gone = await session.execute(text("DELETE FROM resource_version RETURNING 1"))
        assert gone.all() == []
