"""From the word that somebody goes until their last day, every list names who holds the plan."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from consent import Purpose, Role
from panel.accounts.models import Agency, Worker
from panel.accounts.service import add_worker, give_role
from panel.panels.agenda import CaseFact, read_cases
from panel.panels.leavers import CasesOfLeavers
from panel.panels.models import Panel, Referral
from panel.plans.service import leaver
from panel.platform.clock import FixedClock
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.children_list import list_children
from panel.sharing.noticing import LEADS, workers_of
from panel.web.paging import Asked
from tests.sharing.family import TODAY, Family, hold_the_plan, invented_family, referred

pytestmark = pytest.mark.database
DAY = timedelta(days=1)
LAST = TODAY + 10 * DAY


async def _going(tenant: Tenant) -> tuple[Family, UUID]:
    """Rosa holds the plan and leaves in ten days; and her manager, who follows."""
    family = await invented_family(tenant)
    await hold_the_plan(tenant, family)
    async with tenant.transaction(JOB) as session:
        health = await session.get_one(Agency, family.health)
        await load_keys(session, {health.id})
        ines: Worker = await add_worker(session, health, name="Ines", email="ines@demo.example")
        await give_role(session, ines, Role.MANAGER)
        assert await leaver(session, family.rosa.id, LAST) == 1
    return family, ines.id


async def test_who_leaves_leads_until_their_last_day_and_then_their_manager(
    tenant: Tenant, gate: Gate, clock: FixedClock
) -> None:
    family, manager = await _going(tenant)
    coordinator = await referred(tenant, family)
    async with tenant.transaction(JOB) as session:
        whom = CasesOfLeavers().coordinator
        assert await whom(session, family.child, TODAY, family.rosa.id) == coordinator.id
        assert await whom(session, family.child, TODAY, coordinator.id) is None
    for day, who in ((TODAY, family.rosa.id), (LAST + DAY, manager)):
        clock.set(clock.now() + (day - TODAY))
        async with tenant.transaction(JOB) as session:
            assert await workers_of(session, LEADS, {family.child}, day) == {family.child: [who]}
            panel = (await session.scalars(select(Panel.id))).one()
            assert (await session.scalars(select(Referral.rests_from))).one() is None
        async with tenant.transaction(coordinator.id) as session:
            [found] = await read_cases(session, panel, new_id(), day + 14 * DAY, day + 90 * DAY)
            fact = msgspec.json.decode(found.line, type=CaseFact)
            assert fact.lead_id == who, "else the child is not ready for want of a lead"
        page = await list_children(
            gate, coordinator, Purpose.PANEL, show="all", order="added", asked=Asked(), today=day
        )
        [line] = page.rows
        assert line.lead_words.startswith("Rosa" if who == family.rosa.id else "Ines")
