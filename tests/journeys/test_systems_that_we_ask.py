"""The information governance lead has another system asked, sees what came and why not, and ends it."""

from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect
from sqlalchemy import select

from panel.accounts.models import Agency
from panel.exchange.pulling import pull_due
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.exchange.telling import system_of
from tests.exchange.test_pulling import HERE, Lands, another_system
from tests.journeys.in_process import SITE
from tests.journeys.test_governance_pages import looked_at
from tests.journeys.test_systems_that_come_in import lead

__all__ = ["lead"]


@pytest.mark.journey
async def test_another_system_is_asked_paused_and_removed(
    lead: Page, client: AsyncTestClient[Litestar], tenant: Tenant, clock: FixedClock
) -> None:
    async with tenant.transaction(JOB) as session:
        surgery = await session.scalar(select(Agency.id).where(Agency.key == "gp"))
        assert surgery is not None
    await system_of(tenant, surgery, "trust")
    await lead.goto(f"{SITE}/governance/clients")
    await lead.get_by_role("link", name="Systems that we ask").click()
    await expect(lead.get_by_text("No system is asked yet")).to_be_visible()
    await looked_at(lead, "pulls-none")
    await lead.get_by_role("button", name="Ask another system").click()
    await lead.get_by_label("As whose sending does it land?").select_option(value="trust")
    await lead.get_by_label("The address of its FHIR server").fill("https://10.0.0.8/fhir")
    await lead.get_by_label("What are we called there?").fill("panel")
    await lead.get_by_label("What may we ask for there?").fill("system/CarePlan.rs")
    await lead.get_by_label("What do we ask for?").fill("CarePlan")
    await lead.get_by_label("After how many minutes again?").fill("1")
    await lead.get_by_role("button", name="Start asking").click()
    await lead.get_by_role("link", name="Enter a public address that begins with https://").click()
    await expect(lead.get_by_label("The address of its FHIR server")).to_be_focused()
    await expect(lead.get_by_role("link", name="Ask every 5 minutes or less often")).to_be_visible()
    await looked_at(lead, "pulls-mistakes")
    with another_system() as other:
        await lead.get_by_label("The address of its FHIR server").fill(other.base)
        await lead.get_by_label("Where it gives tokens").fill(f"{other.base}/token")
        await lead.get_by_label("After how many minutes again?").fill("5")
        await lead.get_by_role("button", name="Start asking").click()
        await expect(lead.get_by_text("It was not asked yet.")).to_be_visible()
        other.works = False
        assert await pull_due(tenant, HERE, Lands()) == 1
        await lead.get_by_role("link", name=other.base).click()
        await expect(lead.get_by_text("it answered with 503. Next try:")).to_be_visible()
        await lead.get_by_text("Our public key, for").click()
        shown = await lead.locator(".panel-code").inner_text()
        assert '"kid":"panel-' in shown
        assert '"d"' not in shown
        await looked_at(lead, "pulls-failed")
        other.works = True
        clock.set(clock.now() + timedelta(minutes=7))
        assert await pull_due(tenant, HERE, Lands()) == 1
        await lead.reload()
        await expect(lead.get_by_text("2 entries came, and are in the inbox.")).to_be_visible()
        await lead.get_by_role("button", name="Pause it").click()
        await expect(lead.get_by_text("Paused since 23 November 2026 at 9:37")).to_be_visible()
        clock.set(clock.now() + timedelta(minutes=7))
        assert await pull_due(tenant, HERE, Lands()) == 0
        await lead.get_by_role("button", name="Go on asking").click()
        await expect(lead.get_by_text("Asked every 5 minutes")).to_be_visible()
        assert await pull_due(tenant, HERE, Lands()) == 1
        await lead.reload()
    await lead.get_by_role("button", name="Remove it").click()
    await looked_at(lead, "pulls-remove")
    await lead.get_by_role("button", name="Remove it").click()
    await expect(lead.get_by_text("Removed on 23 November 2026")).to_be_visible()
    clock.set(clock.now() + timedelta(minutes=7))
    assert await pull_due(tenant, HERE, Lands()) == 0
    await lead.goto(f"{SITE}/governance/pulls")
    await looked_at(lead, "pulls-list")
