"""The information governance lead goes through a copy of a record and a disposal list."""

from datetime import date

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from consent import Role
from panel.accounts.service import add_agency, add_worker, give_role
from panel.governance.retention_models import DisposalLine, DisposalList
from panel.governance.rights_copies import gather_waiting
from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.models import SignificantEvent
from panel.sharing.gateways import ensure_gateways
from tests.journeys.browser import assert_accessible, assert_fits
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import DESKTOP, PHONE
from tests.sharing.family import TODAY, Family, invented_family


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)


@pytest.fixture
async def lead(
    page: Page, client: AsyncTestClient[Litestar], tenant: Tenant, clock: FixedClock, family: Family
) -> Page:
    """The lead's browser; something that happened names a neighbour, and one record is due."""
    async with tenant.transaction(JOB) as session:
        await ensure_gateways(session)
        office = await add_agency(session, key="office", name="Testshire Council", kind="council")
        worker = await add_worker(session, office, name="Ngozi Hart", email="ngozi@office.example")
        await give_role(session, worker, Role.GOVERNANCE_LEAD)
        listed = DisposalList(number=1, proposed_on=TODAY)
        session.add(listed)
        await session.flush()
        session.add_all(
            (
                SignificantEvent(
                    child_id=family.child,
                    happened_on=TODAY,
                    kind="other",
                    category="health",
                    author_agency_id=family.health,
                    text="Jordan Pickering from next door shouted.",
                ),
                DisposalLine(
                    child_id=family.child,
                    list_id=listed.id,
                    reference="C-1001",
                    closed_on=date(2018, 7, 20),
                    closure_reason="needs_met",
                    due_on=date(2025, 3, 9),
                ),
            )
        )
        token = await start(session, worker.id, "worker", clock.now())
    client.cookies.set("panel_session", token)
    await serve(page, client)
    return page


async def looked_at(page: Page) -> None:
    """Accessible and no wider than the window, on a phone and on a desktop."""
    for size in (PHONE, DESKTOP):
        await page.set_viewport_size(size)
        await assert_accessible(page)
        await assert_fits(page)


@pytest.mark.journey
async def test_a_lead_goes_through_a_copy(lead: Page, gate: Gate) -> None:
    await lead.goto(f"{SITE}/governance/requests/new")
    await looked_at(lead)
    await lead.get_by_label("Child’s reference").fill("C-1001")
    await lead.get_by_label("A copy of what is kept").check()
    for part, figure in (("Day", "23"), ("Month", "11"), ("Year", "2026")):
        await lead.get_by_label(part).fill(figure)
    await lead.get_by_label("Who asks?").fill("Her mother")
    await lead.get_by_role("button", name="Take it in").click()
    await lead.get_by_role("link", name="C-1001").click()
    await expect(lead.get_by_role("heading", name="Request about own data")).to_be_visible()
    await looked_at(lead)
    await lead.get_by_role("link", name="Who asks").click()
    await lead.get_by_label("Ada Kestrel, mother").check()
    await lead.get_by_label("How do you know?").fill("Her passport")
    for part, figure in (("Day", "23"), ("Month", "11"), ("Year", "2026")):
        await lead.get_by_label(part).fill(figure)
    await lead.get_by_role("button", name="Save, and start the clock").click()
    await lead.get_by_role("link", name="Gather what is kept").click()
    await lead.get_by_role("button", name="Gather it").click()
    await expect(lead.get_by_text("Being gathered")).to_be_visible()
    assert await gather_waiting(gate) == 1
    await lead.reload()
    await lead.get_by_role("link", name="Copy 1").click()
    await expect(lead.get_by_text("to decide about")).to_be_visible()
    await looked_at(lead)
    await lead.get_by_role("link", name="Jordan").first.click()
    await expect(lead.get_by_role("heading", name="Does this stay?")).to_be_visible()
    await looked_at(lead)
    await lead.get_by_label("It is about somebody else").check()
    await lead.get_by_role("button", name="Save").click()
    await lead.get_by_role("link", name="Why?").or_(lead.get_by_text("Write why")).first.click()
    await lead.get_by_label("Why?").fill("A neighbour, whom she does not know")
    await lead.get_by_role("button", name="Save").click()
    await expect(lead.get_by_role("heading", name="A copy of what is kept")).to_be_visible()
    await expect(lead.get_by_text("Taken out: it is about somebody else").first).to_be_visible()
    for address in ("retention", "holds", "disposals", "certificates"):
        await lead.goto(f"{SITE}/governance/{address}")
        await looked_at(lead)
    await lead.goto(f"{SITE}/governance/disposals")
    await lead.get_by_role("link", name="List 1").click()
    await lead.get_by_role("link", name="C-1001").click()
    await lead.get_by_label("Dispose of it").check()
    await lead.get_by_role("button", name="Save").click()
    await lead.get_by_role("button", name="Send for approval").click()
    await expect(lead.get_by_text("somebody else approves it")).to_be_visible()
    await looked_at(lead)
