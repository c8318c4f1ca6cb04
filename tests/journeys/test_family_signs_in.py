"""A letter is made at a desk; a mother gets in with it on a phone.

The same way without scripts is walked in test_without_scripts.py: axe is a script itself.
"""

import re

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Browser, Page, expect

from panel.platform.tenancy import Tenant
from tests.conftest import SignIn
from tests.families.household import Family, household
from tests.families.invited import EMAIL, as_invited, reach, written_by
from tests.journeys.browser import assert_accessible, assert_fits, open_page, screenshot
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import DESKTOP, PHONE

pytestmark = pytest.mark.journey
Client = AsyncTestClient[Litestar]


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    """Freya's family, whose mother can be reached by e-mail."""
    family = await household(tenant)
    await written_by(tenant, family.rosa)
    await reach(tenant, family.mother, email=EMAIL)
    return family


async def look(page: Page, name: str) -> None:
    await screenshot(page, f"family-sign-in-{name}")
    await assert_accessible(page)
    await assert_fits(page)


async def heading(page: Page, words: str) -> None:
    await expect(page.get_by_role("heading", level=1, name=words)).to_be_visible()


async def test_a_letter_leads_a_mother_in(
    browser: Browser, client: Client, tenant: Tenant, family: Family, sign_in: SignIn
) -> None:
    await sign_in(family.rosa)
    async with open_page(browser, viewport=DESKTOP) as desk:
        await serve(desk, client)
        await desk.goto(f"{SITE}/children/{family.child}/people")
        await desk.get_by_role("link", name="Sign-in of Ada Kestrel").click()
        await heading(desk, "Sign-in of Ada Kestrel")
        await look(desk, "invite-desktop")
        await desk.get_by_role("button", name="Invite").click()
        await desk.get_by_role("link", name="Select how the invitation goes").click()
        await expect(desk.get_by_label("A letter, to post or hand over")).to_be_focused()
        await look(desk, "invite-mistake-desktop")
        await desk.get_by_label("A letter, to post or hand over").check()
        await desk.get_by_label("The date of birth").check()
        await desk.get_by_label("I asked them").check()
        await desk.get_by_role("button", name="Invite").click()
        await expect(desk.get_by_text("not used yet")).to_be_visible()
        await desk.set_viewport_size(PHONE)
        await look(desk, "invited-phone")
    letter = await as_invited(tenant, family.mother)

    client.cookies.clear()
    async with open_page(browser, viewport=PHONE) as phone:
        await serve(phone, client)
        await phone.goto(f"{SITE}/family")
        await heading(phone, "Sign in to your own page")
        await look(phone, "begin-phone")
        who = phone.get_by_label("Your e-mail address, or the reference from your letter")
        await phone.get_by_role("button", name="Send me a code").click()
        await expect(phone.get_by_role("alert")).to_be_visible()
        await look(phone, "begin-mistake-phone")
        await who.fill(letter.reference)
        await phone.get_by_role("button", name="Send me a code").click()
        await heading(phone, "Enter your code")
        await look(phone, "code-phone")
        # A visitor of the demonstration reads the e-mail there.
        mail = await client.get(f"{SITE}/demo/mailbox")
        code = re.findall(r"Your code is (\d{6})", mail.text)[0]
        await phone.get_by_label("Code from the e-mail").fill(code)
        await phone.get_by_label("What you know").fill("15 June 2021")
        await phone.get_by_label("Only the first time").fill(letter.code)
        await phone.get_by_role("button", name="Sign in").click()
        await expect(phone.get_by_role("alert")).to_be_visible()
        await look(phone, "code-mistake-phone")
        await phone.get_by_label("Code from the e-mail").fill(code)
        await phone.get_by_label("What you know").fill("15 June 2022")
        await phone.get_by_role("button", name="Sign in").click()
        await heading(phone, "Freya")
        await phone.get_by_role("link", name="When you signed in").click()
        await heading(phone, "When you signed in")
        await look(phone, "sign-ins-phone")
        await phone.get_by_role("button", name="Sign out").click()
        await heading(phone, "You are signed out")
