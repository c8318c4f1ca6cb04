"""A commissioner finds the three wards with the most unmet need, and takes the table away."""

import csv
import io

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from panel.insight.core.words import Period
from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant
from tests.families.household import household
from tests.insight.a_release import MOST, release
from tests.insight.put_out import put_areas, put_out
from tests.journeys.browser import assert_accessible, assert_fits, screenshot
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import DESKTOP, PHONE


async def looked_at(page: Page, name: str) -> None:
    """Accessible and no wider than the window, on a phone and on a desktop; a picture of both."""
    for size, kept in ((PHONE, "phone"), (DESKTOP, "desktop")):
        await page.set_viewport_size(size)
        await assert_accessible(page)
        await assert_fits(page)
        await screenshot(page, f"commissioning-{name}-{kept}")


async def asks_for_a_table(page: Page) -> None:
    """A commissioner asks for a table that the catalogue lacks, after a first try with a mistake."""
    await page.goto(f"{SITE}/commissioning/tables")
    await page.get_by_role("link", name="Tables that were asked for, and asking for one").click()
    await expect(page.get_by_text("Nobody has asked for a table yet.")).to_be_visible()
    await page.get_by_role("button", name="Ask for a table").click()
    await expect(page.get_by_label("What is the question?")).to_be_visible()
    await page.get_by_label("What is the question?").fill("Which needs wait longest for a place?")
    await page.get_by_label("What is counted?").select_option(label="Waits")
    await page.get_by_label("Need", exact=True).check()
    await page.get_by_label("Who pays").check()
    await page.get_by_label("The whole area").check()
    await page.get_by_label("What decision would it inform?").fill("Which therapist to look for.")
    await page.get_by_role("button", name="Ask for it").click()
    await expect(page.get_by_role("link", name="Who pays: not known of waits.")).to_be_visible()
    await looked_at(page, "new-wish")
    await page.get_by_label("Who pays").uncheck()
    await page.get_by_role("button", name="Ask for it").click()
    await expect(page.get_by_role("link", name="Which needs wait longest")).to_be_visible()
    await looked_at(page, "wishes")
    await page.get_by_role("link", name="Which needs wait longest").click()
    await expect(page.get_by_text("It is not answered yet.")).to_be_visible()
    await looked_at(page, "wish")


@pytest.mark.journey
async def test_a_commissioner_finds_three_wards_and_takes_the_table(
    page: Page, client: AsyncTestClient[Litestar], tenant: Tenant, clock: FixedClock
) -> None:
    family = await household(tenant)
    await put_areas(tenant)
    await put_out(tenant, release(Period("2026-summer")))
    await put_out(tenant)
    async with tenant.transaction() as session:
        token = await start(session, family.commissioner, "worker", clock.now())
    client.cookies.set("panel_session", token)
    await serve(page, client)

    await page.goto(f"{SITE}/")
    await page.get_by_role("link", name="Commissioning").click()
    await expect(page.get_by_role("heading", name="Commissioning", exact=True)).to_be_visible()
    await looked_at(page, "home")
    await page.get_by_role("link", name="Where is need not met?").click()
    await expect(
        page.get_by_role("heading", name="Where is a short break lacking?")
    ).to_be_visible()
    finding = await page.get_by_text("Most children lack a short break in").inner_text()
    for ward in MOST:
        assert ward in finding
    await looked_at(page, "unmet-need")

    by_ward = "Children with an unmet need, by kind of service, by ward"
    await page.get_by_role("link", name=by_ward, exact=True).first.click()
    await expect(
        page.get_by_role("link", name="CSV, for spreadsheets and programs")
    ).to_be_visible()
    await looked_at(page, "table")
    href = await page.get_by_role("link", name="CSV, for spreadsheets and programs").get_attribute(
        "href"
    )
    answer = await client.get(str(href))
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    of_short_breaks = {
        one["Area"]: int(one["Value"])
        for one in rows
        if one["Kind of service"] == "Short break"
        and one["Value"]
        and one["Area"] != "The whole area"
    }
    highest = sorted(of_short_breaks, key=lambda one: -of_short_breaks[one])[:3]
    assert tuple(highest) == MOST
    assert all(f"{one} ({of_short_breaks[one]})" in finding for one in highest)

    await asks_for_a_table(page)

    for path in ("waits", "outcome-cost", "gap", "tables", "methods", "releases"):
        await page.goto(f"{SITE}/commissioning/{path}")
        await looked_at(page, path)

    await page.goto(f"{SITE}/commissioning/scenario")
    await page.get_by_label("Residential places no longer bought").fill("900")
    await page.get_by_role("button", name="Work it out").click()
    await expect(page.get_by_role("alert")).to_contain_text("There are only about")
    await page.get_by_label("Residential places no longer bought").fill("5")
    await page.get_by_role("button", name="Work it out").click()
    await expect(page.get_by_role("heading", name="What would come of it")).to_be_visible()
    await looked_at(page, "scenario")
    taken = page.get_by_role("link", name="Take it away as CSV, with what was assumed")
    answer = await client.get(str(await taken.get_attribute("href")))
    assert "Residential places no longer bought,5,5,places" in answer.text
