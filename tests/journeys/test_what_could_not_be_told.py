"""The information governance lead sees what a system could not be told, and sends it again."""

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from panel.exchange.delivering import Sender
from panel.platform.reaching import Reaching
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from tests.exchange.receiver import listening
from tests.exchange.telling import BASE, states, system_of, two_in_line
from tests.journeys.in_process import SITE
from tests.journeys.test_governance_pages import looked_at
from tests.journeys.test_systems_that_come_in import lead
from tests.sharing.family import Family, invented_family

__all__ = ["lead"]


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)


@pytest.mark.journey
async def test_what_could_not_be_told_is_sent_again_or_given_up(
    lead: Page, client: AsyncTestClient[Litestar], gate: Gate, tenant: Tenant, family: Family
) -> None:
    system = await system_of(tenant, family.health, "gp")
    sender = Sender(gate, Reaching(to_this_machine=True), BASE)
    with listening() as receiver:
        await two_in_line(gate, tenant, system, family, receiver.address)
        receiver.status = 410
        assert await sender.send_due() == 2
        await lead.goto(f"{SITE}/governance/clients")
        await lead.get_by_role("link", name="What systems could not be told").click()
        await expect(lead.get_by_text("It answered with 410. Tried 1 time.")).to_have_count(2)
        await looked_at(lead, "deliveries")
        await lead.get_by_role("button", name="Try again").first.click()
        await expect(lead.get_by_text("It answered with 410. Tried 1 time.")).to_have_count(1)
        receiver.status = 200
        assert await sender.send_due() == 1
        await lead.get_by_role("button", name="Give up").click()
        await expect(lead.get_by_text("Everything that could be told was told.")).to_be_visible()
        await looked_at(lead, "deliveries-none")
        assert [one.state for one in await states(tenant)] == ["sent", "given_up"]
