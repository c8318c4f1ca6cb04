"""Signing in at a real browser: a passkey, a password with codes, and both on a phone."""

import re

import pyotp
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Browser, Page, expect

from consent import Role
from panel.accounts.own_ways import worker_of
from panel.accounts.service import give_role
from panel.platform.clock import FixedClock
from panel.platform.sessions import make_link
from panel.platform.tenancy import Tenant
from tests.accounts.signing_in import PASSWORD, Person, add_person
from tests.journeys.browser import assert_accessible, assert_fits, open_page, screenshot
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import DESKTOP, PHONE

pytestmark = pytest.mark.journey
Client = AsyncTestClient[Litestar]


@pytest.fixture
async def rosa(tenant: Tenant, clock: FixedClock) -> Person:
    """Rosa Whitlow, who has only a link."""
    return await add_person(tenant, clock)


async def look(page: Page, name: str) -> None:
    """As it is now, on a desktop and on a phone."""
    for size, where in ((DESKTOP, "desktop"), (PHONE, "phone")):
        await page.set_viewport_size(size)
        await screenshot(page, f"sign-in-{name}-{where}")
        await assert_accessible(page)
        await assert_fits(page)


async def heading(page: Page, words: str) -> None:
    await expect(page.get_by_role("heading", level=1, name=words)).to_be_visible()


async def by_link(page: Page, rosa: Person) -> None:
    async with rosa.tenant.transaction() as session:
        link = await make_link(session, rosa.id, "worker", rosa.clock.now().replace(hour=20))
    await page.goto(f"{SITE}/sign-in/{link}")
    await page.get_by_role("button", name="Sign in").click()
    await heading(page, "Choose how you will sign in")


async def sign_out(page: Page) -> None:
    await page.get_by_role("button", name="Sign out").click()
    await heading(page, "You are signed out")


async def test_a_passkey(page: Page, client: Client, rosa: Person) -> None:
    await serve(page, client)
    device = await page.context.new_cdp_session(page)
    await device.send("WebAuthn.enable")
    await device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    await by_link(page, rosa)
    await look(page, "set-up")
    await page.get_by_role("button", name="Add a passkey").click()
    await heading(page, "Add a passkey")
    await look(page, "new-passkey")
    await page.get_by_label("Name of this device").fill("Work laptop")
    await page.get_by_role("button", name="Make a passkey").click()
    await heading(page, "How you sign in")
    await expect(page.get_by_role("row", name=re.compile("Work laptop"))).to_be_visible()
    await look(page, "mine")
    await sign_out(page)
    await page.goto(f"{SITE}/children")
    await heading(page, "Sign in to Panel")
    await look(page, "enter")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await heading(page, "Children")
    await page.goto(f"{SITE}/sign-in/again?next=/me/sign-in")
    await look(page, "again")
    await page.get_by_role("button", name="Use a passkey").click()
    await heading(page, "How you sign in")


async def test_a_password_with_codes_and_no_scripts(
    browser: Browser, client: Client, rosa: Person
) -> None:
    async with open_page(browser, viewport=DESKTOP, java_script_enabled=False) as page:
        await serve(page, client)
        async with rosa.tenant.transaction() as session:
            await give_role(session, await worker_of(session, rosa.id), Role.ADMINISTRATOR)
        await by_link(page, rosa)
        await page.get_by_role("button", name="Set a password").click()
        await heading(page, "Set a password and codes")
        await expect(page.get_by_role("img", name="Picture for your app.")).to_be_visible()
        rosa.secret = (await page.locator(".panel-secret").inner_text()).replace(" ", "")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_label("Code", exact=True).fill("000000")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert")).to_contain_text("The code is not right")
        await assert_fits(page)
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_label("Code", exact=True).fill(
            pyotp.TOTP(rosa.secret).at(rosa.clock.now())
        )
        await page.get_by_role("button", name="Save").click()
        await heading(page, "Recovery codes")
        await page.get_by_role("button", name="Make ten codes").click()
        await expect(page.get_by_text("These codes are shown only now.")).to_be_visible()
        code = await page.locator(".panel-secret").first.inner_text()
        await screenshot(page, "sign-in-recovery-codes")
        await sign_out(page)
        await page.goto(f"{SITE}/children")
        await heading(page, "Sign in to Panel")
        await expect(page.get_by_text("A passkey needs a browser")).to_be_visible()
        await page.get_by_label("E-mail address").fill(rosa.email)
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Go on").click()
        await heading(page, "Enter your code")
        await page.get_by_label("Code", exact=True).fill(code)
        await page.get_by_role("button", name="Sign in").click()
        await heading(page, "Children")
    async with open_page(browser, viewport=DESKTOP) as page:
        await serve(page, client)
        for path, name in (
            ("/me/sign-in", "mine-with-password"),
            ("/me/sign-in/password", "password"),
            ("/me/sign-in/password/change", "change-password"),
            ("/me/sign-in/recovery-codes", "make-recovery-codes"),
            ("/sign-in/again", "again-with-password"),
            ("/sign-in/done", "done"),
            ("/people/new-sign-in", "colleague"),
        ):
            await page.goto(f"{SITE}{path}")
            await look(page, name)
