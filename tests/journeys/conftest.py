"""Fixtures of the browser tests: one Chromium for the run, one fresh page for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.journeys.browser import open_browser, open_page, require_chromium


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, started once."""
    require_chromium()
    async with open_browser() as chromium:
        yield chromium


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page of its own context: no cookies from another test."""
    async with open_page(browser, viewport={"width": 1280, "height": 900}) as opened:
        yield opened
