"""Work in bulk on PostgreSQL: done in claims, through a death, taken back, and not where changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from panel.casework import bulk
from panel.casework.bulk import Planned, carry_on, claim, order, undo
from panel.casework.bulk_models import BulkKind, BulkStep, BulkWork
from panel.casework.bulk_rehearse import rehearse_close, rehearse_reassign
from panel.plans.models import Action
from panel.platform.clock import FixedClock
from panel.platform.problems import Conflict, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.models import Episode
from tests.casework.teams import Team, at_desk
from tests.conftest import MORNING

WHY = "Rosa leaves"


async def leads(tenant: Tenant, day: date | None = None) -> dict[UUID, UUID]:
    """Who leads each child on a day, today if none is said."""
    async with tenant.transaction(JOB) as session:
        found = await session.execute(
            text(
                "SELECT child_id, worker_id FROM lead_professional"
                " WHERE state IN ('accepted', 'ended') AND from_on <= :day"
                " AND (until_on IS NULL OR until_on >= :day)"
            ),
            {"day": day or MORNING.date()},
        )
        rows = list(found)
    assert max(Counter(row.child_id for row in rows).values(), default=1) == 1
    return {row.child_id: row.worker_id for row in rows}


async def order_all(tenant: Tenant, gate: Gate, team: Team) -> UUID:
    """Ines gives Rosa's plans to Tomas and Beth, as the page would."""
    who = await at_desk(tenant, team.ines)
    async with tenant.transaction(team.ines.id) as session:
        found = await rehearse_reassign(
            gate, session, who, [team.rosa.id], [team.tomas.id, team.beth.id]
        )
        steps = []
        for one in found.lines:
            child, lead, version, worker = one.seen.split()
            before = {"lead": lead, "version": int(version), "worker": worker}
            steps.append(Planned(UUID(child), None, {"to": str(one.to_id)}, before))
        return (await order(session, who, BulkKind.REASSIGN, steps, {}, WHY)).id


async def states(tenant: Tenant, bulk_id: UUID) -> Sequence[tuple[str, str]]:
    """What became of each step."""
    async with tenant.transaction(JOB) as session:
        found = await session.execute(
            select(BulkStep.state, BulkStep.left_why)
            .where(BulkStep.bulk_id == bulk_id)
            .order_by(BulkStep.position)
        )
        return [(row.state, row.left_why) for row in found]


async def take_back(tenant: Tenant, viewer: UUID, bulk_id: UUID) -> None:
    """Order that it is taken back."""
    async with tenant.transaction(viewer) as session:
        version = (await session.get_one(BulkWork, bulk_id)).version
        await undo(session, viewer, bulk_id, version)


async def test_plans_go_to_colleagues_through_a_death_and_back(
    tenant: Tenant, gate: Gate, team: Team, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk_id = await order_all(tenant, gate, team)
    assert set((await leads(tenant)).values()) == {team.rosa.id}, "a rehearsal changes nothing"
    monkeypatch.setattr(bulk, "CLAIM", 3)
    assert await claim(gate, bulk_id, team.ines.id) == 3

    # A process dies in the middle of its claim: nothing of the claim is kept.
    real, at = bulk._one, iter(range(9))

    async def dies(*given: Any) -> None:
        if next(at) == 2:
            raise SystemExit
        await real(*given)

    with monkeypatch.context() as once:
        once.setattr(bulk, "_one", dies)
        with pytest.raises(SystemExit):
            await claim(gate, bulk_id, team.ines.id)
    assert Counter(await states(tenant, bulk_id)) == {("done", ""): 3, ("waiting", ""): 4}

    # Another goes on from there; done again, it does nothing.
    assert await carry_on(gate) == 4
    assert await carry_on(gate) == 0
    assert Counter(await states(tenant, bulk_id)) == {("done", ""): 7}
    after = await leads(tenant)
    assert Counter(after.values()) == {team.tomas.id: 4, team.beth.id: 3} or Counter(
        after.values()
    ) == {team.tomas.id: 3, team.beth.id: 4}
    async with tenant.transaction(JOB) as session:
        owners = set(await session.scalars(select(Action.owner_worker_id)))
    assert owners == {team.tomas.id, team.beth.id}, "open actions go along"

    # One child changes since: it is left as it is, and said.
    changed = team.children[2]
    async with tenant.transaction(JOB) as session:
        action = await session.scalar(select(Action).where(Action.child_id == changed))
        assert action is not None
        action.state = "doing"
    clock.set(MORNING + timedelta(days=2))
    await take_back(tenant, team.ines.id, bulk_id)
    await carry_on(gate)
    found = Counter(await states(tenant, bulk_id))
    assert found == {("undone", ""): 6, ("kept", "changed"): 1}
    day = clock.now().date()
    back = await leads(tenant, day)
    assert Counter(back.values())[team.rosa.id] == 6
    assert back[changed] == after[changed]
    async with tenant.transaction(team.tomas.id) as session:
        found = await session.scalars(
            text("SELECT child_id FROM child_access WHERE valid_until >= :now"),
            {"now": clock.now()},
        )
        reached = set(found)
    assert reached <= {changed}, "who held it for two days reaches it no more"
    for ahead in range(4):
        now = await leads(tenant, MORNING.date() + timedelta(days=ahead))
        assert set(now) == set(team.children), "nobody is without a lead for a day"


async def test_it_can_be_taken_back_for_seven_days(
    tenant: Tenant, gate: Gate, team: Team, clock: FixedClock
) -> None:
    bulk_id = await order_all(tenant, gate, team)
    await carry_on(gate)
    with pytest.raises(NotFound):
        await take_back(tenant, team.rosa.id, bulk_id)
    async with tenant.transaction(team.ines.id) as session:
        with pytest.raises(Conflict):
            await undo(session, team.ines.id, bulk_id, 1)
    clock.set(MORNING + timedelta(days=7, seconds=1))
    with pytest.raises(NotAllowed):
        await take_back(tenant, team.ines.id, bulk_id)


async def test_what_can_no_longer_be_done_is_left_and_said(
    tenant: Tenant, gate: Gate, team: Team
) -> None:
    bulk_id = await order_all(tenant, gate, team)
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text("UPDATE lead_professional SET version = 9 WHERE child_id = :c"),
            {"c": team.children[0]},
        )
        # Whoever would take it leaves.
        await session.execute(
            text("UPDATE worker SET until_on = :day WHERE id = :w"),
            {"day": MORNING.date(), "w": team.beth.id},
        )
    await carry_on(gate)
    found = Counter(await states(tenant, bulk_id))
    assert found[("left", "changed")] == 1
    assert found[("left", "cannot_hold")] >= 2
    assert team.beth.id not in set((await leads(tenant)).values())

    # Who ordered it may no longer: all of it is left.
    second = await order_all(tenant, gate, team)
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text("UPDATE worker_role SET until_on = :day WHERE worker_id = :w"),
            {"day": MORNING.date() - timedelta(days=1), "w": team.ines.id},
        )
    await carry_on(gate)
    assert set(await states(tenant, second)) == {("left", "not_yours")}


async def closing(
    tenant: Tenant, gate: Gate, team: Team
) -> tuple[UUID, Sequence[tuple[UUID, Mapping[str, object]]]]:
    """Ines closes every case that she can."""
    who = await at_desk(tenant, team.ines)
    async with tenant.transaction(team.ines.id) as session:
        found = await rehearse_close(gate, session, who)
        steps = [Planned(line.child_id, None, {}, before) for line, _, before in found]
        assert not [line.why_not for line, _, _ in found if line.why_not]
        facts = {"reason": "needs_met"}
        told = ("You can come back at any time.", "The school nurse")
        made = await order(session, who, BulkKind.CLOSE, steps, facts, "", told)
        return made.id, [(line.child_id, before) for line, _, before in found]


async def test_cases_are_closed_and_opened_again(
    tenant: Tenant, gate: Gate, team: Team, clock: FixedClock
) -> None:
    bulk_id, cases = await closing(tenant, gate, team)
    assert len(cases) == 7
    await carry_on(gate)
    async with tenant.transaction(JOB) as session:
        closed = list(await session.scalars(select(Episode)))
        assert {(one.closed_on, one.closure_reason) for one in closed} == {
            (MORNING.date(), "needs_met")
        }
        # One of them is referred again since.
        session.add(Episode(child_id=team.children[3], opened_on=MORNING.date()))
        await session.flush()
        assert await leads(tenant, MORNING.date() + timedelta(days=1)) == {}
    clock.set(MORNING + timedelta(days=6))
    await take_back(tenant, team.ines.id, bulk_id)
    await carry_on(gate)
    found = Counter(await states(tenant, bulk_id))
    assert found == {("undone", ""): 6, ("kept", "reopened"): 1}
    async with tenant.transaction(JOB) as session:
        open_now = await session.scalars(
            select(Episode.child_id).where(Episode.closed_on.is_(None))
        )
        assert sorted(open_now) == sorted(team.children), "each has one open case"
    again = set(team.children) - {team.children[3]}
    assert await leads(tenant, clock.now().date()) == dict.fromkeys(again, team.rosa.id)
