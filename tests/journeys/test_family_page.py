"""A mother opens her page and tells the panel something, on a desktop and on a phone."""

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant
from tests.families.household import give_plan, household
from tests.journeys.browser import assert_accessible, assert_fits, screenshot
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import PHONE


@pytest.fixture
async def mother(
    page: Page, client: AsyncTestClient[Litestar], tenant: Tenant, clock: FixedClock
) -> Page:
    """The phone of Freya's mother, signed in."""
    family = await household(tenant)
    await give_plan(tenant, family)
    async with tenant.transaction() as session:
        token = await start(session, family.mother, "family", clock.now())
    client.cookies.set("panel_session", token)
    await serve(page, client)
    await page.set_viewport_size(PHONE)
    return page


async def looked_at(page: Page, name: str) -> None:
    """Accessible, no wider than the window, pictured."""
    await screenshot(page, name)
    await assert_accessible(page)
    await assert_fits(page)


@pytest.mark.journey
async def test_a_mother_tells_the_panel_something(mother: Page) -> None:
    await mother.goto(f"{SITE}/")
    await expect(mother.get_by_role("heading", name="Freya", level=1)).to_be_visible()
    ring = mother.get_by_role("button", name="Ring 01632 960 001")
    await expect(ring).to_have_attribute("href", "tel:01632960001")
    await looked_at(mother, "family-home-phone")
    await mother.set_viewport_size({"width": 1280, "height": 900})
    await looked_at(mother, "family-home-desktop")
    await mother.set_viewport_size(PHONE)
    await mother.get_by_role("button", name="Tell the panel something").click()
    await expect(mother.get_by_role("button", name="Send to the panel")).to_be_visible()
    await looked_at(mother, "family-tell-phone")
    await mother.get_by_role("button", name="Send to the panel").click()
    wrong = mother.get_by_role("link", name="Write what the panel should know")
    await wrong.click()
    await expect(mother.get_by_label("Write it as you would say it")).to_be_focused()
    await looked_at(mother, "family-tell-mistake-phone")
    await mother.get_by_label("Write it as you would say it").fill("Is there a pool?")
    await mother.get_by_role("button", name="Send to the panel").click()
    await expect(mother.get_by_text("Thank you. We have kept your words")).to_be_visible()
    await expect(mother.get_by_text("Is there a pool?")).to_be_visible()
    await looked_at(mother, "family-told-phone")
