"""Who takes part in a journey through the demonstration, each with a browser of their own."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.durability.serving import Site
from tests.journeys.browser import assert_fits, open_page, open_profile
from tests.journeys.person import DESKTOP, PHONE, Person

FIELD = "textarea, select, input:not([type=hidden])"
SEND = "button:not([type=button])"


@dataclass
class Cast:
    """Who takes part, each with a browser of their own."""

    browser: Browser
    site: Site
    stack: AsyncExitStack
    people: dict[str, Person] = field(default_factory=dict)
    kind: type[Person] = Person
    """How each of them looks at pages."""

    async def __call__(self, persona: str, *, scripts: bool = True) -> Person:
        """Somebody of the demonstration, signed in at their first page."""
        name = persona if scripts else f"{persona}, no scripts"
        if name not in self.people:
            opened = open_page(self.browser, viewport=DESKTOP, base_url=self.site.url)
            person = self.kind(await self.stack.enter_async_context(opened))
            if not scripts:
                # Kept from arriving rather than switched off: axe itself needs a page that runs.
                await person.page.context.route("**/*.js", lambda route: route.abort())
            self.people[name] = person
            await person.open(f"/demo/sign-in/{persona}")
        return self.people[name]

    async def with_profile(self, persona: str, folder: Path) -> Person:
        """Somebody whose browser is their own and keeps its profile in a folder."""
        opened = open_profile(self.browser, folder, viewport=DESKTOP, base_url=self.site.url)
        person = self.kind(await self.stack.enter_async_context(opened))
        await person.open(f"/demo/sign-in/{persona}")
        return person

    async def with_scripts_off(self, persona: str) -> Person:
        """Somebody whose browser runs no script at all, so that axe cannot look either."""
        opened = open_page(
            self.browser, viewport=DESKTOP, base_url=self.site.url, java_script_enabled=False
        )
        person = Unscripted(await self.stack.enter_async_context(opened))
        await person.open(f"/demo/sign-in/{persona}")
        return person


class AtBothSizes(Person):
    """Somebody who looks at every page on a desktop and on a phone."""

    async def look(self) -> None:
        """No rule broken and nothing to scroll sideways, at either size."""
        now = self.page.viewport_size or DESKTOP
        for size in (PHONE, DESKTOP):
            await self.page.set_viewport_size(size)
            await super().look()
        await self.page.set_viewport_size(now)


class Unscripted(Person):
    """Somebody whose browser runs no script."""

    async def look(self) -> None:
        """The page fits, and each form of it can be sent; axe would need a script."""
        await assert_fits(self.page)
        await expect(self.page.locator(f"form:has({FIELD}):not(:has({SEND}))")).to_have_count(0)
        self.seen.append(self.page.url)
