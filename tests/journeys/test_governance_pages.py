"""The information governance lead searches, closes a pattern and approves a document."""

from datetime import date

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, ViewportSize, expect

from consent import Role
from panel.accounts.service import add_agency, add_worker, give_role
from panel.governance.models import UnusualPattern
from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from tests.journeys.browser import assert_accessible, assert_fits, screenshot
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import DESKTOP
from tests.sharing.family import Family, invented_family, sees

PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)


@pytest.fixture
async def lead(
    page: Page,
    client: AsyncTestClient[Litestar],
    tenant: Tenant,
    clock: FixedClock,
    family: Family,
    gate: Gate,
) -> Page:
    """The lead's browser; a teacher looked at a record, and stood out."""
    await sees(gate, family, family.tom)
    async with tenant.transaction(JOB) as session:
        office = await add_agency(session, key="office", name="Testshire Council", kind="council")
        worker = await add_worker(session, office, name="Ngozi Hart", email="ngozi@office.example")
        await give_role(session, worker, Role.GOVERNANCE_LEAD)
        session.add(
            UnusualPattern(
                kind="out_of_hours",
                viewer_id=family.tom.id,
                agency_id=family.school,
                day=date(2026, 11, 22),
                how_many=7,
                threshold=5,
                of_lead=False,
            )
        )
        token = await start(session, worker.id, "worker", clock.now())
    client.cookies.set("panel_session", token)
    await serve(page, client)
    return page


async def looked_at(page: Page, name: str) -> None:
    """Accessible and no wider than the window, on a phone and on a desktop."""
    for size, said in ((PHONE, "phone"), (DESKTOP, "desktop")):
        await page.set_viewport_size(size)
        await screenshot(page, f"governance-{name}-{said}")
        await assert_accessible(page)
        await assert_fits(page)


@pytest.mark.journey
async def test_a_lead_asks_closes_searches_and_approves(lead: Page) -> None:
    await lead.goto(f"{SITE}/")
    await expect(lead.get_by_role("heading", name="How records are used")).to_be_visible()
    await looked_at(lead, "home")
    await lead.get_by_role("link", name="Opened records 7 times outside working hours").click()
    await expect(lead.get_by_role("button", name="Close it")).to_be_visible()
    await looked_at(lead, "pattern")
    await lead.get_by_role("link", name="Their looks on this day").click()
    await expect(lead.get_by_text("No look answers this")).to_be_visible()
    await lead.go_back()
    await lead.get_by_role("button", name="Close it").click()
    await lead.get_by_role("link", name="Write what you found out").click()
    note = lead.get_by_label("What you found out, and why you close it")
    await expect(note).to_be_focused()
    await looked_at(lead, "pattern-mistake")
    await note.fill("A parents’ evening. His head teacher confirmed it.")
    await lead.get_by_role("button", name="Close it").click()
    await expect(lead.get_by_text("Nothing unusual waits")).to_be_visible()
    await lead.get_by_role("link", name="Closed patterns").click()
    await expect(lead.get_by_role("heading", name="Closed patterns")).to_be_visible()
    await looked_at(lead, "closed")
    await lead.goto(f"{SITE}/governance/history")
    await lead.get_by_label("Worker", exact=True).fill("arden")
    await lead.get_by_role("button", name="Show").click()
    await expect(lead.get_by_text("Tom Arden, Made-up School").first).to_be_visible()
    await looked_at(lead, "history")
    for address in ("searches", "thresholds"):
        await lead.goto(f"{SITE}/governance/{address}")
        await looked_at(lead, address)
    await lead.goto(f"{SITE}/governance/documents")
    await lead.get_by_role("button", name="Make from what is set up now").click()
    made = lead.get_by_role("link", name="How we use what we know about your child")
    await expect(made).to_be_visible()
    await looked_at(lead, "documents")
    await made.click()
    await expect(lead.get_by_role("button", name="Approve this version")).to_be_visible()
    await looked_at(lead, "document")
    await lead.get_by_label("I read it, and the marked parts are settled").check()
    await lead.get_by_role("button", name="Approve this version").click()
    await expect(lead.get_by_text("Approved by Ngozi Hart on 23 November 2026")).to_be_visible()
