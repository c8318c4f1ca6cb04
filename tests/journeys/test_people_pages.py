"""An administrator invites somebody, gives a role that takes two people, and lets somebody go."""

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, ViewportSize, expect

from panel.platform.clock import FixedClock
from panel.platform.sessions import Way, start
from panel.platform.tenancy import Tenant
from tests.accounts.staff import Staff, invented_staff
from tests.journeys.browser import assert_accessible, assert_fits, screenshot
from tests.journeys.in_process import SITE, serve

PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture
async def staff(tenant: Tenant) -> Staff:
    return await invented_staff(tenant)


@pytest.fixture
async def alan(
    page: Page, client: AsyncTestClient[Litestar], tenant: Tenant, clock: FixedClock, staff: Staff
) -> Page:
    """The browser of the council's administrator, on a phone."""
    async with tenant.transaction() as session:
        token = await start(session, staff.alan.id, "worker", clock.now(), way=Way.PASSKEY)
    client.cookies.set("panel_session", token)
    await serve(page, client)
    await page.set_viewport_size(PHONE)
    return page


async def looked_at(page: Page, name: str) -> None:
    await screenshot(page, f"people-{name}-phone")
    await assert_accessible(page)
    await assert_fits(page)


@pytest.mark.journey
async def test_an_administrator_invites_proposes_and_lets_go(alan: Page) -> None:
    await alan.goto(f"{SITE}/")
    await expect(alan.get_by_role("heading", name="Set up")).to_be_visible()
    await looked_at(alan, "set-up")
    await alan.get_by_role("link", name="People").first.click()
    await expect(alan.get_by_role("heading", name="People", exact=True)).to_be_visible()
    await looked_at(alan, "agencies")
    await alan.get_by_role("link", name="Health visiting").click()
    await alan.get_by_role("button", name="Invite somebody").click()
    await expect(alan.get_by_role("heading", name="Invite somebody to Health")).to_be_visible()
    await alan.get_by_role("button", name="Send the invitation").click()
    await alan.get_by_role("link", name="Enter their name").click()
    name = alan.get_by_label("Name", exact=True)
    await expect(name).to_be_focused()
    await looked_at(alan, "invite-mistake")
    await name.fill("Nia Frost")
    await alan.get_by_label("Work e-mail").fill("nia@health.example")
    await alan.get_by_label("Practitioner").check()
    await alan.get_by_role("button", name="Send the invitation").click()
    await expect(alan.get_by_text("Invited, link until")).to_be_visible()
    await looked_at(alan, "agency")
    await alan.get_by_role("link", name="Ines Marlow").click()
    await alan.get_by_role("button", name="Give a role").click()
    await alan.get_by_label("Safeguarding lead").check()
    await looked_at(alan, "role")
    await alan.get_by_role("button", name="Give this role").click()
    await expect(alan.get_by_role("heading", name="Ines Marlow")).to_be_visible()
    await alan.get_by_role("link", name="People").first.click()
    await expect(alan.get_by_text("You proposed this")).to_be_visible()
    await looked_at(alan, "proposal")
    await alan.get_by_label("Find somebody by work e-mail").fill("rosa@health.example")
    await alan.get_by_role("button", name="Find").click()
    await expect(alan.get_by_role("heading", name="Rosa Whitlow")).to_be_visible()
    await looked_at(alan, "worker")
    await alan.get_by_role("link", name="They leave").click()
    await expect(alan.get_by_text("Ines Marlow becomes lead professional")).to_be_visible()
    await looked_at(alan, "leave")
    await alan.get_by_label("At once, for safety").check()
    await alan.get_by_role("button", name="They leave").click()
    await expect(alan.get_by_text("Left at once on")).to_be_visible()
