"""A person at a browser: everything they arrive at is looked at, once on a desktop and as asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date

from playwright.async_api import Locator, Page, ViewportSize, expect

from tests.journeys.browser import assert_accessible, assert_fits, screenshot

DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=360, height=740)


async def looked_at(page: Page, name: str, *, begins: str | None = None) -> None:
    """The page on a desktop and then on a phone: accessible, no wider than the window, pictured.

    `begins` is an address to open first; it is opened once, and the window made small.
    """
    await page.set_viewport_size(DESKTOP)
    if begins is not None:
        answer = await page.goto(begins)
        assert answer is not None
        assert answer.ok, begins
    for size, where in ((DESKTOP, "desktop"), (PHONE, "phone")):
        await page.set_viewport_size(size)
        await screenshot(page, f"{name}-{where}")
        await assert_accessible(page)
        await assert_fits(page)


@dataclass
class Person:
    """Somebody signed in, with a browser of their own."""

    page: Page
    seen: list[str] = field(default_factory=list)
    """The addresses that were looked at."""

    async def open(self, path: str) -> None:
        """Type an address."""
        await self.page.goto(path)
        await self.look()

    async def follow(self, name: str, within: Locator | None = None) -> None:
        """Follow the first link of that name, and look at where it leads."""
        await self._arrive(by=(within or self.page).get_by_role("link", name=name).first)

    async def press(self, name: str, within: Locator | None = None) -> None:
        """Press the first button of that name, and look at what comes."""
        await self._arrive(by=(within or self.page).get_by_role("button", name=name).first)

    async def _arrive(self, by: Locator) -> None:
        # Waited for as a navigation: a page that has loaded may be the one that is left.
        async with self.page.expect_navigation(wait_until="load"):
            await by.click()
        await self.look()

    async def look(self) -> None:
        """No accessibility rule broken, nothing to scroll sideways."""
        await assert_accessible(self.page)
        await assert_fits(self.page)
        self.seen.append(self.page.url)

    async def keep(self, name: str) -> None:
        """Look at the page on a phone as well, and keep a picture of both."""
        await screenshot(self.page, f"{name}-desktop")
        async with self.on_a_phone():
            await screenshot(self.page, f"{name}-phone")

    @asynccontextmanager
    async def on_a_phone(self) -> AsyncIterator[None]:
        """Look at the page as it is on a phone, and turn back to the desktop afterwards."""
        await self.page.set_viewport_size(PHONE)
        await self.look()
        yield
        await self.page.set_viewport_size(DESKTOP)

    async def reads(self, *sentences: str) -> None:
        """Each of these can be seen."""
        for sentence in sentences:
            # The closed help of a page may say the same words.
            seen = self.page.get_by_text(sentence).filter(visible=True)
            await expect(seen.first).to_be_visible()

    async def does_not_read(self, *sentences: str) -> None:
        """None of these is anywhere in the page, shown or hidden."""
        html = await self.page.content()
        for sentence in sentences:
            assert sentence not in html, f"{self.page.url} says “{sentence}”."

    async def fill(self, label: str, text: str, within: Locator | None = None) -> None:
        """Type into the field of a label."""
        await (within or self.page).get_by_label(label, exact=True).first.fill(text)

    async def choose(self, group: str, *answers: str) -> None:
        """Tick each answer of a question."""
        question = self.page.get_by_role("group", name=group, exact=True)
        for answer in answers:
            await question.get_by_label(answer, exact=True).first.check()

    async def pick(self, label: str, holds: str) -> None:
        """Pick from a list the first entry with that text."""
        entries = self.page.get_by_label(label, exact=True)
        value = await entries.locator("option", has_text=holds).first.get_attribute("value")
        await entries.select_option(value)

    async def date(self, group: str, on: date) -> None:
        """Type a date into its three fields."""
        question = self.page.get_by_role("group", name=group, exact=True)
        for part, number in (("Day", on.day), ("Month", on.month), ("Year", on.year)):
            await question.get_by_label(part, exact=True).fill(str(number))

    def panel(self, name: str) -> Locator:
        """What the coordinator's home says of one of their panels."""
        return self.page.get_by_role("region", name=name)

    def row(self, holds: str) -> Locator:
        """The first row of a table with that text."""
        return self.page.locator("tr", has_text=holds).first
