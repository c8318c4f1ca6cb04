"""The information governance lead decides what becomes of what could not be told."""

from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from consent import Role, Viewer, ViewerKind
from panel.accounts.service import add_agency, add_worker, give_role
from panel.exchange.delivering import TRIES, Sender, wait_before
from panel.exchange.undelivered_routes import HERE
from panel.platform.clock import FixedClock
from panel.platform.reaching import Reaching
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from tests.conftest import SignIn
from tests.exchange.receiver import listening
from tests.exchange.telling import BASE, states, system_of, two_in_line
from tests.hostile.conftest import hidden_of
from tests.sharing.family import Family

Browser = AsyncTestClient[Litestar]


@pytest.fixture
async def lead(tenant: Tenant) -> Viewer:
    async with tenant.transaction(JOB) as session:
        office = await add_agency(session, key="office", name="Testshire Council", kind="council")
        worker = await add_worker(session, office, name="Ngozi Hart", email="ngozi@office.example")
        await give_role(session, worker, Role.GOVERNANCE_LEAD)
        roles = frozenset({Role.GOVERNANCE_LEAD})
        return Viewer(worker.id, ViewerKind.WORKER, office.id, "council", roles)


async def test_the_lead_sees_no_child_and_tries_again_or_gives_up(
    client: Browser,
    sign_in: SignIn,
    gate: Gate,
    tenant: Tenant,
    family: Family,
    lead: Viewer,
    clock: FixedClock,
) -> None:
    system = await system_of(tenant, family.health, "gp")
    sender = Sender(gate, Reaching(to_this_machine=True), BASE)
    with listening() as receiver:
        plan = await two_in_line(gate, tenant, system, family, receiver.address)
        receiver.status = 410
        assert await sender.send_due() == 2
        assert {one.state for one in await states(tenant)} == {"dead"}
        await sign_in(family.rosa.id)
        assert (await client.get(HERE)).status_code == 403
        await sign_in(lead.id)
        page = await client.get(HERE)
        assert page.status_code == 200
        assert "It answered with 410. Tried 1 time" in page.text
        assert "The gp" in page.text
        for hidden in ("Freya", "Kestrel", "C-1001", str(family.child), str(plan)):
            assert hidden not in page.text
        first, second = await states(tenant)
        for one, what in ((first, "again"), (second, "give-up")):
            page = await client.get(HERE)
            form = hidden_of(page)
            answer = await client.post(f"{HERE}/{one.id}/{what}", data=form, follow_redirects=False)
            assert answer.status_code == 303, answer.text
        assert [one.state for one in await states(tenant)] == ["waiting", "given_up"]
        receiver.status = 200
        assert await sender.send_due() == 1
        assert [one.state for one in await states(tenant)] == ["sent", "given_up"]
        assert receiver.came[-1].event == receiver.came[0].event
    assert wait_before(first.id, TRIES) > timedelta(hours=2)
