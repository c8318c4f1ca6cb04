"""Help and the glossaries in a browser: closed at first, opened by key, nothing typed is lost."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, ViewportSize, expect

from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant
from tests.families.household import Family, give_plan, household
from tests.journeys.browser import assert_accessible, assert_fits, screenshot
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import DESKTOP, PHONE

SIZES = {"desktop": DESKTOP, "phone": PHONE}


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    """A mother whose child has a plan, and those who help them."""
    found = await household(tenant)
    await give_plan(tenant, found)
    return found


Open = Callable[[UUID, str], Awaitable[None]]


@pytest.fixture
async def sign_in_as(
    page: Page, client: AsyncTestClient[Litestar], tenant: Tenant, clock: FixedClock
) -> Open:
    """The test's browser, signed in: `await sign_in_as(family.mother, "family")`."""

    async def signed_in(viewer: UUID, kind: str) -> None:
        async with tenant.transaction() as session:
            token = await start(session, viewer, kind, clock.now())
        client.cookies.set("panel_session", token)
        await serve(page, client)

    return signed_in


async def look(page: Page, name: str, size: ViewportSize) -> None:
    """Accessible and no wider than the window, with the help closed and open."""
    await page.set_viewport_size(size)
    await assert_accessible(page)
    await assert_fits(page)
    await screenshot(page, f"{name}-closed")
    await page.locator(".panel-help summary").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".panel-help p").first).to_be_visible()
    await assert_accessible(page)
    await assert_fits(page)
    await screenshot(page, f"{name}-open")


@pytest.mark.journey
@pytest.mark.parametrize("size", SIZES)
async def test_help_opens_on_a_workers_page_and_on_a_familys(
    page: Page, family: Family, sign_in_as: Open, size: str
) -> None:
    await sign_in_as(family.rosa, "worker")
    for path, name in (("/", "home"), (f"/children/{family.child}/plan", "plan")):
        await page.goto(f"{SITE}{path}")
        await expect(page.locator(".panel-help p").first).not_to_be_visible()
        await look(page, f"help-{name}-{size}", SIZES[size])
    await sign_in_as(family.mother, "family")
    await page.goto(f"{SITE}/family")
    await look(page, f"help-family-{size}", SIZES[size])
    await page.goto(f"{SITE}/family/{family.child}/tell")
    await look(page, f"help-tell-{size}", SIZES[size])


@pytest.mark.journey
async def test_a_word_opens_in_a_tab_of_its_own_and_what_was_typed_stays(
    page: Page, client: AsyncTestClient[Litestar], family: Family, sign_in_as: Open
) -> None:
    await sign_in_as(family.mother, "family")
    await page.goto(f"{SITE}/family/{family.child}/tell")
    words = page.get_by_label("Write it as you would say it")
    await words.fill("Is there a pool?")
    await page.get_by_text("Help with this page").click()
    link = page.locator(".panel-help").get_by_role("link", name="papers close")
    async with page.context.expect_page() as opened:
        await link.click()
    await (await opened.value).close()
    await expect(words).to_have_value("Is there a pool?")
    await page.goto(f"{SITE}{await link.get_attribute('href')}")
    await expect(page.locator("#papers-close")).to_be_in_viewport()


@pytest.mark.journey
@pytest.mark.parametrize("size", SIZES)
async def test_both_glossaries_are_accessible_and_fit(
    page: Page, family: Family, sign_in_as: Open, size: str
) -> None:
    await page.set_viewport_size(SIZES[size])
    for viewer, kind, path, name in (
        (family.rosa, "worker", "/glossary#quorum", "workers"),
        (family.mother, "family", "/family/glossary#panel", "families"),
    ):
        await sign_in_as(viewer, kind)
        await page.goto(f"{SITE}{path}")
        await assert_accessible(page)
        await assert_fits(page)
        await screenshot(page, f"glossary-{name}-{size}")
