"""A note is written, checked, signed off, read on a phone and answered; it comes back."""

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from tests.conftest import SignIn
from tests.journeys.browser import assert_accessible, assert_fits, screenshot
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import DESKTOP, PHONE
from tests.panels.conftest import add_child, house
from tests.panels.note_world import NOTES, Held, held

__all__ = ["add_child", "held", "house"]


@pytest.fixture
async def lead(page: Page, client: AsyncTestClient[Litestar], held: Held, sign_in: SignIn) -> Page:
    """The browser of the lead professional."""
    await sign_in(held.house.viewers["lead"].id)
    await serve(page, client)
    await page.set_viewport_size(DESKTOP)
    return page


async def looked_at(page: Page, name: str) -> None:
    """Accessible, no wider than the window, pictured: at a desk and on a phone."""
    await page.wait_for_selector("body.js-enabled")
    for size, where in ((DESKTOP, "desk"), (PHONE, "phone")):
        await page.set_viewport_size(size)
        await screenshot(page, f"{name}-{where}")
        await assert_accessible(page)
        await assert_fits(page)
    await page.set_viewport_size(DESKTOP)


@pytest.mark.journey
async def test_from_the_discussion_to_the_parent_and_back(
    lead: Page,
    client: AsyncTestClient[Litestar],
    held: Held,
    sign_in: SignIn,
    clock: FixedClock,
) -> None:
    await lead.goto(f"{SITE}/")
    await looked_at(lead, "notes-home-of-lead")
    await lead.goto(f"{SITE}{NOTES}")
    await looked_at(lead, "notes-list")
    await lead.get_by_role("link", name="Amina Kestrel").click()
    note = lead.get_by_label("The note")
    await expect(note).to_be_visible()
    await lead.wait_for_selector("body.js-enabled")
    await note.fill(
        "On Thursday 19 November 2026 the panel talked about Amina.\n\n"
        "She plays with thoe, and the SALT will see her. Her outcomes are good."
    )
    await expect(lead.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    await lead.get_by_role("button", name="Save and check").click()
    await expect(lead.get_by_role("heading", name="3 places to look at")).to_be_visible()
    await looked_at(lead, "notes-marked")
    await lead.get_by_label("It stays, because (outcomes)").fill("It is her mother's own word.")
    await lead.get_by_role("button", name="Keep it (outcomes)").click()
    await expect(lead.get_by_role("heading", name="2 places to look at")).to_be_visible()
    await (
        lead.get_by_role("link", name="Go on to sign-off")
        .or_(lead.get_by_role("button", name="Go on to sign-off"))
        .click()
    )
    await lead.get_by_role("button", name="Sign off and send").click()
    await expect(lead.get_by_role("alert")).to_be_visible()
    await looked_at(lead, "notes-sign-off-refused")
    await lead.get_by_role("link", name="Back to the note").click()
    await lead.get_by_label("The note").fill(
        "On Thursday 19 November 2026 the panel talked about Amina.\n\n"
        "She plays well with others. A therapist will see her. Her outcomes are good."
    )
    await lead.get_by_role("button", name="Save and check").click()
    await expect(lead.get_by_role("heading", name="Nothing is marked")).to_be_visible()
    await lead.get_by_role("link", name="See it as on a phone").click()
    await expect(lead.get_by_role("link", name="Back to the note")).to_be_visible()
    await looked_at(lead, "notes-preview")
    await lead.get_by_role("link", name="Back to the note").click()
    await lead.get_by_role("button", name="Go on to sign-off").click()
    await expect(lead.get_by_role("button", name="Sign off and send")).to_be_visible()
    await looked_at(lead, "notes-sign-off")
    await lead.get_by_role("button", name="Sign off and send").click()
    await expect(lead.get_by_role("heading", name="Who was sent it")).to_be_visible()

    async with held.house.tenant.transaction() as session:
        token = await start(session, held.mother, "family", clock.now())
    client.cookies.set("panel_session", token)
    await lead.goto(f"{SITE}/family")
    await looked_at(lead, "notes-family-home")
    await lead.get_by_role("link", name="New notes from the panel").click()
    await expect(lead.get_by_label("I do not agree with these notes.")).to_be_visible()
    await looked_at(lead, "notes-family-read")
    await lead.get_by_label("I do not agree with these notes.").check()
    await lead.get_by_label("In your own words").fill("She does not play with others.")
    await lead.get_by_role("button", name="Send").click()
    await expect(lead.get_by_text("The panel hears it first")).to_be_visible()
    await looked_at(lead, "notes-family-answered")

    await sign_in(held.house.viewers["coordinator"].id)
    await lead.goto(f"{SITE}{held.page}")
    await expect(lead.get_by_text("She does not play with others.")).to_be_visible()
    await looked_at(lead, "notes-log")
    await lead.get_by_role("link", name="This went to the wrong person").first.click()
    await lead.get_by_label("It went to a wrong address").check()
    await lead.get_by_label("What happened").fill("A stranger rang.")
    await looked_at(lead, "notes-recall")
    await lead.get_by_role("button", name="Close the copy and record it").click()
    await expect(lead.get_by_role("heading", name="What went wrong")).to_be_visible()
    await looked_at(lead, "notes-incident")
    await lead.goto(f"{SITE}/demo/mailbox")
    await looked_at(lead, "notes-mailbox")
    await lead.goto(f"{SITE}/")
    await looked_at(lead, "notes-home-of-coordinator")
