"""From an empty folder to a worker who signs in with their organisation's account.

The real site in a process of its own, a provider on another address, and a browser between them:
its rules about cookies, redirects and forms hold as they do in life.
"""

import re
import time
from pathlib import Path

import pytest
from joserfc import jwk
from playwright.async_api import Page, expect

from panel.web import assets
from tests.accounts.provider_server import Person, Provider, served
from tests.durability.serving import Site
from tests.journeys.browser import assert_accessible, assert_fits, screenshot

pytestmark = pytest.mark.journey

PEOPLE = """agency_key,agency_name,agency_kind,ods_code,worker_name,worker_email,roles,panel
health,Health Visiting,health,,Rosa Whitlow,rosa@health.example,practitioner,
school,Larkfield School,school,,Tom Ash,tom@school.example,practitioner,
"""
ROSA = Person("rosa", "rosa@health.example")
TOM = Person("tom", "tom@school.example")


def panel(site: Site, *words: str) -> str:
    """Run a command to its end; what it printed."""
    before = site.log.stat().st_size if site.log.exists() else 0
    with site.command(*words) as running:
        ended = running.wait(timeout=120)
    said = site.log.read_bytes()[before:].decode()
    assert ended == 0, said
    return said


async def test_a_worker_who_was_invited_signs_in_with_a_provider(
    page: Page, data_dir: Path
) -> None:
    assets.build()
    folder = data_dir / "provider-journey"
    folder.mkdir()
    people = folder / "people.csv"
    people.write_text(PEOPLE)
    site = Site(folder, as_of="")
    # The site is 127.0.0.1 and the provider localhost: to a browser, two sites.
    provider = Provider(
        jwk.RSAKey.generate_key(2048),
        host="localhost",
        back=f"{site.url}/sign-in/from/entra",
        now=time.time,
        people=[ROSA, TOM],
    )
    with served(provider):
        try:
            # Given: the first administrator, the people, the provider.
            said = panel(
                site, "setup", "--name", "testshire", "--host", "127.0.0.1", "--label",
                "Testshire", "--admin-name", "Ada Marsh", "--admin-email", "ada@council.example",
            )  # fmt: skip
            link = re.search(r"http://\S+/sign-in/\S+", said)
            assert link
            panel(site, "import", "people", str(people))
            (folder / "secret").write_text(provider.secret)
            panel(
                site, "provider", "add", "entra", "--issuer", provider.issuer, "--client-id",
                "panel", "--label", "Testshire account", "--agency", "health", "--secret-file",
                str(folder / "secret"),
            )  # fmt: skip
            site.start()
            # When the administrator comes in by the link, and goes.
            await page.goto(link[0])
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
            await page.get_by_role("button", name="Sign out").click()
            await expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
            # Then a worker whom nobody of these agencies invited is told whom to ask.
            await at_provider(page, site)
            await page.get_by_role("button", name=TOM.email).click()
            await expect(
                page.get_by_role("heading", name="You cannot be signed in")
            ).to_be_visible()
            await expect(page.get_by_text("Ask an administrator of your agency")).to_be_visible()
            await assert_accessible(page)
            # And an invited one is in.
            await at_provider(page, site)
            await page.get_by_role("button", name=ROSA.email).click()
            await expect(page.get_by_text("Rosa Whitlow, Health Visiting")).to_be_visible()
            assert page.url == f"{site.url}/children"
            await page.get_by_role("button", name="Sign out").click()
            leave = page.get_by_role("button", name="Sign out of Testshire account")
            await expect(leave).to_be_visible()
            await assert_accessible(page)
            await assert_fits(page)
            await screenshot(page, "provider-signed-out")
            await leave.click()
            await expect(page.get_by_text("Signed out of the provider")).to_be_visible()
        finally:
            site.end()


async def at_provider(page: Page, site: Site) -> None:
    """Press the button and come to the provider."""
    await page.goto(f"{site.url}/sign-in/with/entra?next=/children")
    button = page.get_by_role("button", name="Sign in with Testshire account")
    await expect(button).to_be_visible()
    await assert_accessible(page)
    await assert_fits(page)
    await screenshot(page, "provider-button")
    await button.click()
    await expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
