"""The information governance lead registers a system, takes its tokens back and ends it."""

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from consent import Role
from panel.accounts.service import add_agency, add_worker, give_role
from panel.exchange.clients import all_clients
from panel.exchange.tokens import TOKENS
from panel.platform.clock import FixedClock
from panel.platform.sessions import Way, start
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.exchange.asking import ask
from tests.exchange.conftest import SITE_URL, jwks
from tests.exchange.signing import Signer, ec_pair
from tests.journeys.in_process import SITE, serve
from tests.journeys.test_governance_pages import looked_at


@pytest.fixture
async def lead(
    page: Page, client: AsyncTestClient[Litestar], tenant: Tenant, clock: FixedClock
) -> Page:
    """The lead's browser, just after a passkey."""
    async with tenant.transaction(JOB) as session:
        office = await add_agency(session, key="office", name="Testshire Council", kind="council")
        await add_agency(session, key="gp", name="Made-up Surgery", kind="health")
        worker = await add_worker(session, office, name="Ngozi Hart", email="ngozi@office.example")
        await give_role(session, worker, Role.GOVERNANCE_LEAD)
        token = await start(session, worker.id, "worker", clock.now(), way=Way.PASSKEY)
    client.cookies.set("panel_session", token)
    await serve(page, client)
    return page


@pytest.mark.journey
async def test_a_system_is_registered_comes_in_and_is_ended(
    lead: Page, client: AsyncTestClient[Litestar], tenant: Tenant, clock: FixedClock
) -> None:
    pair = ec_pair("surgery-2026")
    await lead.goto(f"{SITE}/governance")
    await lead.get_by_role("link", name="Systems that come in").click()
    await expect(lead.get_by_text("No system comes in yet")).to_be_visible()
    await looked_at(lead, "systems-none")
    await lead.get_by_role("button", name="Register a system").click()
    await expect(lead.get_by_role("heading", name="Register a system")).to_be_visible()
    await lead.get_by_role("button", name="Register it").click()
    await lead.get_by_role("link", name="Select the agency whose system it is").click()
    await expect(lead.get_by_label("Whose system is it?")).to_be_focused()
    await looked_at(lead, "systems-mistakes")
    await lead.get_by_label("What is the system called?").fill("Surgery records")
    await lead.get_by_label("Its key", exact=True).fill("surgery")
    await lead.get_by_label("Whose system is it?").select_option(label="Made-up Surgery")
    await lead.get_by_label("What may it ask for?").fill("system/CarePlan.rs")
    await lead.get_by_label("Its public keys").fill(jwks(pair).jwks)
    await lead.get_by_role("button", name="Register it").click()
    await expect(lead.get_by_role("cell", name="Made-up Surgery")).to_be_visible()
    await looked_at(lead, "systems-list")
    signer = Signer("surgery", pair, f"{SITE_URL}{TOKENS}", clock.now().timestamp())
    assert (await ask(client, signer.assertion())).status_code == 200
    await lead.get_by_role("link", name="Surgery records").click()
    await expect(lead.get_by_text("Good until 9:35")).to_be_visible()
    await looked_at(lead, "systems-one")
    await lead.get_by_role("button", name="Take back its tokens").click()
    await expect(lead.get_by_text("Taken back at 9:30")).to_be_visible()
    await lead.get_by_role("button", name="End this system").click()
    await lead.get_by_label("Why is it ended?").fill("The surgery changed its system.")
    await looked_at(lead, "systems-end")
    await lead.get_by_role("button", name="End it").click()
    await expect(lead.get_by_text("The surgery changed its system.")).to_be_visible()
    assert (await ask(client, signer.assertion())).status_code == 401
    async with tenant.transaction(JOB) as session:
        assert [one.row.ended_on is not None for one in await all_clients(session)] == [True]
