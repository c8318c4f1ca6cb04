"""Debian's Chromium for tests: find it, look at a page in it, and ask axe about the page."""

import functools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from playwright.async_api import Error as BrowserError

from panel.web import assets

WITHOUT_A_WINDOW = Path("/usr/lib/chromium/chromium-headless-shell")
"""The same pages, without the window's own: a page opens in half the time."""
CHROMIUM = Path(
    os.environ.get("PANEL_CHROMIUM")
    or (WITHOUT_A_WINDOW if WITHOUT_A_WINDOW.is_file() else "/usr/bin/chromium")
)
PICTURES = Path(__file__).parents[2] / "test-results"
IN_CI = os.environ.get("CI", "").lower() == "true"
# As root Chromium needs --no-sandbox; without the others it waits for a network that is closed.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IN_LONDON = {"locale": "en-GB", "timezone_id": "Europe/London"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def require_chromium() -> None:
    """Skip the test where there is no Chromium; fail where CI=true."""
    if CHROMIUM.is_file():
        return
    sentence = f"There is no Chromium at {CHROMIUM}. On Debian: apt-get install chromium"
    if IN_CI:
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start Chromium without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def open_page(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    """Open a page as a person in London would; fails at the end if a script or the CSP complained.

    `options` go to the browser context: viewport, java_script_enabled, forced_colors, base_url.
    """
    context = await browser.new_context(**IN_LONDON | options)
    async with _watched(context, await context.new_page()) as page:
        yield page


@asynccontextmanager
async def open_profile(browser: Browser, folder: Path, **options: Any) -> AsyncIterator[Page]:
    """Open a page in a browser of its own that keeps its profile in a folder, as a person's does.

    What `open_page` opens keeps everything in memory.
    """
    context = await browser.browser_type.launch_persistent_context(
        folder, executable_path=CHROMIUM, args=FLAGS, **IN_LONDON | options
    )
    async with _watched(context, context.pages[0]) as page:
        yield page


@asynccontextmanager
async def _watched(context: BrowserContext, page: Page) -> AsyncIterator[Page]:
    context.set_default_timeout(10_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text) if "Content Security Policy" in said.text else None
        ),
    )
    try:
        yield page
    finally:
        await context.close()
    assert not complaints, "\n".join(complaints)


@functools.cache
def _axe() -> str:
    assets.build()
    return (assets.NODE_MODULES / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


async def _bring_axe(page: Page) -> None:
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_axe())


async def _settled(page: Page) -> None:
    """Wait until the page is whole; a document is not complete before its styles are there."""
    # Asked by Playwright, not by a timer in the page: where scripts are off, timers never fire, and
    # `wait_for_function` would look once and then wait for ever.
    await expect(page.locator(":root")).to_have_js_property(
        "ownerDocument.readyState", "complete", timeout=30_000
    )


async def assert_accessible(page: Page) -> None:
    """Fail with each rule that axe finds broken on the page as it is now, and where."""
    await _settled(page)
    # Evaluated rather than added as a script: the page's own policy allows no foreign script.
    try:
        await _bring_axe(page)
    except BrowserError as error:
        # On a busy machine Chromium may put the loaded document in place a moment after "load".
        if "context was destroyed" not in str(error):
            raise
        await page.wait_for_load_state()
        await _bring_axe(page)
    found = await page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules},"
        " resultTypes: ['violations']}).then(found => found.violations)",
        RULES,
    )
    broken = [
        f"{violation['id']}: {violation['help']}\n"
        + "\n".join(f"    {node['html'][:200]}" for node in violation["nodes"])
        for violation in found
    ]
    assert not broken, f"{page.url} breaks {len(broken)} accessibility rules:\n" + "\n".join(broken)


async def assert_fits(page: Page) -> None:
    """Fail when the page is wider than the window, so that a person would scroll sideways."""
    await _settled(page)
    wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{page.url} is {wide} pixels wider than the window."


async def screenshot(page: Page, name: str) -> None:
    """Keep a picture of the whole page in test-results/, for people to look at.

    Where CI=true nobody does, and a picture takes longer than everything that axe asks: there it is
    taken with PANEL_PICTURES=1 only.
    """
    if IN_CI and "PANEL_PICTURES" not in os.environ:
        return
    await _settled(page)
    PICTURES.mkdir(exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
