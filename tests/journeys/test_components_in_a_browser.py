"""The components as Chromium shows them: no accessibility rule broken, and the scripts at work."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from panel.web.manifest import BUILT_FOLDER, STATIC_URL
from tests.journeys.browser import assert_accessible, assert_fits, open_page, screenshot
from tests.web import pages

SITE = "http://panel.test"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

pytestmark = pytest.mark.journey


class Site:
    """The gallery behind an address, with the answers that a test sets."""

    def __init__(self) -> None:
        self.html = pages.gallery(pages.renderer())
        self.answers: dict[str, Callable[[dict[str, list[str]]], tuple[int, str]]] = {}
        self.posted: list[tuple[str, dict[str, list[str]]]] = []

    async def open(self, page: Page) -> None:
        await page.route("**/*", self._answer)
        await page.goto(SITE + "/")

    async def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        if path.startswith(STATIC_URL):
            await route.fulfill(path=BUILT_FOLDER / path.removeprefix(STATIC_URL))
        elif route.request.method == "POST":
            sent = parse_qs(route.request.post_data or "", keep_blank_values=True)
            self.posted.append((path, sent))
            answer = self.answers.get(path)
            if answer is None:
                await route.abort()
                return
            status, body = answer(sent)
            kind = "text/html" if body.startswith("<") else "application/json"
            await route.fulfill(status=status, body=body, content_type=kind)
        else:
            await route.fulfill(
                body=self.html,
                content_type="text/html; charset=utf-8",
                headers={"content-security-policy": POLICY},
            )


@pytest.fixture
def site() -> Site:
    return Site()


@pytest_asyncio.fixture(loop_scope="session")
async def gallery(page: Page, site: Site) -> AsyncIterator[Page]:
    await site.open(page)
    yield page


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desktop", {"viewport": {"width": 1280, "height": 900}}),
        ("phone", {"viewport": {"width": 360, "height": 740}}),
        # 1280 pixels at 400% zoom are 320 (WCAG 1.4.10).
        ("zoomed", {"viewport": {"width": 320, "height": 256}}),
        ("forced-colours", {"viewport": {"width": 1280, "height": 900}, "forced_colors": "active"}),
        ("no-script", {"viewport": {"width": 1280, "height": 900}, "java_script_enabled": False}),
    ],
)
async def test_every_component_is_accessible_and_fits(
    browser: Browser, site: Site, name: str, options: dict[str, Any]
) -> None:
    async with open_page(browser, **options) as page:
        await site.open(page)
        await screenshot(page, f"gallery-{name}")
        with_script = options.get("java_script_enabled", True)
        await expect(page.get_by_role("button", name="Hide names")).to_be_visible(
            visible=with_script
        )
        if with_script:
            await assert_accessible(page)
            await assert_fits(page)


@pytest.mark.parametrize("accent", ["navy", "green", "purple", "plum", "brick", "slate"])
async def test_every_accent_has_contrast(page: Page, site: Site, accent: str) -> None:
    site.html = pages.gallery(pages.renderer(), pages.frame(accent=accent))
    await site.open(page)
    await assert_accessible(page)


async def test_print_leaves_out_what_only_a_screen_needs(gallery: Page) -> None:
    await gallery.emulate_media(media="print")
    await expect(gallery.get_by_role("button", name="Freeze and send packs")).to_be_hidden()
    await expect(gallery.get_by_text("Agenda: 3 people")).to_be_visible()
    await screenshot(gallery, "gallery-print")


async def test_one_key_hides_names_and_shows_them_again(gallery: Page) -> None:
    name = gallery.locator("#agenda [data-initials]").first
    await expect(name).to_have_text("Amina Khalil")
    await gallery.keyboard.press("h")
    await expect(name).to_have_text("A K")
    await expect(gallery).to_have_title("A K")
    await gallery.reload()
    await expect(name).to_have_text("A K")
    await gallery.keyboard.press("h")
    await expect(name).to_have_text("Amina Khalil")


async def test_the_key_does_nothing_while_typing_or_turned_off(gallery: Page) -> None:
    name = gallery.locator("#agenda [data-initials]").first
    await gallery.locator("#discussion").press_sequentially("hh")
    await expect(name).to_have_text("Amina Khalil")
    await gallery.get_by_role("button", name="Turn keyboard shortcuts off").click()
    await gallery.keyboard.press("h")
    await expect(name).to_have_text("Amina Khalil")


async def test_what_is_typed_is_saved_with_the_version_read(gallery: Page, site: Site) -> None:
    site.answers["/discussion/autosave"] = lambda _: (200, '{"version": 8, "saved": "10:42"}')
    await gallery.locator("#discussion").fill("Two schools.")
    await expect(gallery.locator("[data-save-status]")).to_have_text("Saved 10:42")
    ((address, sent),) = site.posted
    assert address == "/discussion/autosave"
    assert sent.pop("_form_id")
    assert sent == {"_csrf_token": ["token"], "version": ["7"], "discussion": ["Two schools."]}
    await expect(gallery.locator("#discussion-form [name=version]")).to_have_value("8")


async def test_an_unticked_box_is_sent_as_nothing(gallery: Page, site: Site) -> None:
    site.answers["/discussion/autosave"] = lambda _: (200, '{"version": 8, "saved": "10:42"}')
    await gallery.get_by_label("Mother").uncheck()
    await expect(gallery.locator("[data-save-status]")).to_have_text("Saved 10:42")
    assert site.posted[-1][1]["who"] == [""]


async def test_the_parts_of_a_date_go_together_once_it_is_left(gallery: Page, site: Site) -> None:
    site.answers["/discussion/autosave"] = lambda _: (200, '{"version": 8, "saved": "10:42"}')
    await gallery.locator("#visited-day").fill("28")
    await gallery.locator("#discussion").focus()
    await expect(gallery.locator("[data-save-status]")).to_have_text("Saved 10:42")
    sent = site.posted[-1][1]
    assert (sent["visited-day"], sent["visited-month"], sent["visited-year"]) == (
        ["28"],
        ["11"],
        ["2026"],
    )


async def test_a_lost_connection_keeps_the_words_and_tries_again(gallery: Page, site: Site) -> None:
    await gallery.locator("#discussion").fill("Two schools.")
    status = gallery.locator("[data-save-status]")
    await expect(status).to_contain_text("there is no connection")
    await expect(gallery.locator("#discussion")).to_have_value("Two schools.")
    site.answers["/discussion/autosave"] = lambda _: (200, '{"version": 8, "saved": "10:44"}')
    await expect(status).to_have_text("Saved 10:44", timeout=10_000)
    assert site.posted[-1][1]["discussion"] == ["Two schools."]


async def test_a_conflict_is_said_and_saving_stops(gallery: Page, site: Site) -> None:
    site.answers["/discussion/autosave"] = lambda _: (409, '{"message": "Rosa changed this."}')
    await gallery.locator("#discussion").fill("Mine.")
    await expect(gallery.locator("[data-save-status]")).to_have_text("Rosa changed this.")
    await gallery.locator("#discussion").fill("Mine, too.")
    await gallery.locator("#discussion").blur()
    await asyncio.wait_for(gallery.evaluate("new Promise(done => setTimeout(done, 1200))"), 5)
    assert len(site.posted) == 1
    await expect(gallery.locator("#discussion")).to_have_value("Mine, too.")


async def test_a_mistake_is_said_and_the_rest_is_saved(gallery: Page, site: Site) -> None:
    def answer(sent: dict[str, list[str]]) -> tuple[int, str]:
        if "visited-day" in sent:
            return 422, '{"errors": {"visited": "Date of the visit must be a real date"}}'
        return 200, '{"version": 8, "saved": "10:42"}'

    site.answers["/discussion/autosave"] = answer
    await gallery.locator("#visited-day").fill("99")
    await gallery.locator("#discussion").fill("Two schools.")
    await expect(gallery.locator("[data-save-status]")).to_have_text("Saved 10:42", timeout=10_000)
    assert "visited-day" not in site.posted[-1][1]
    assert site.posted[-1][1]["discussion"] == ["Two schools."]


async def test_a_row_moves_by_its_button_and_keeps_the_focus(gallery: Page, site: Site) -> None:
    site.answers["/items/2/move"] = lambda _: (200, swapped(site.html))
    await gallery.get_by_role("button", name=re.compile(r"Up\s+Theo Barnaby")).press("Enter")
    rows = gallery.locator("[data-reorder-row]")
    await expect(rows.first).to_have_attribute("id", "row-2")
    assert site.posted[-1][1]["direction"] == ["up"]
    await expect(gallery.get_by_role("button", name="Theo Barnaby").first).to_be_focused()
    await expect(gallery.get_by_text("Moved. Now 1 of 3.")).to_be_attached()


async def test_a_row_moves_by_dragging(gallery: Page, site: Site) -> None:
    site.answers["/items/2/move"] = lambda _: (200, swapped(site.html))
    handle = gallery.locator("#row-2 .panel-move__handle")
    await handle.drag_to(gallery.locator("#row-1"))
    await expect(gallery.locator("[data-reorder-row]").first).to_have_attribute("id", "row-2")
    assert site.posted[-1][1]["position"] == ["1"]
    assert site.posted[-1][1]["version"] == ["3"]


async def test_a_move_that_is_refused_says_why(gallery: Page, site: Site) -> None:
    refusal = "<main><h1>The agenda is frozen</h1></main>"
    site.answers["/items/2/move"] = lambda _: (409, refusal)
    await gallery.get_by_role("button", name=re.compile(r"Up\s+Theo Barnaby")).click()
    await expect(gallery.get_by_text("Not moved. The agenda is frozen")).to_be_attached()
    await expect(gallery.locator("[data-reorder-row]").first).to_have_attribute("id", "row-1")


async def test_the_error_summary_leads_to_the_field(gallery: Page) -> None:
    await gallery.get_by_role("link", name="Date of birth must be a real date").click()
    await expect(gallery.locator("#born-day")).to_be_focused()


def swapped(html: str) -> str:
    """Exchange the first two rows of the agenda, as the server would after the move."""
    rows = re.findall(r'<tr class="govuk-table__row" id="row-\d".*?</tr>', html, flags=re.DOTALL)
    return html.replace(rows[0], "@").replace(rows[1], rows[0]).replace("@", rows[1], 1)


async def test_a_page_is_looked_at_once_it_wears_its_styles(browser: Browser) -> None:
    """As on a busy machine: the words are there, and what makes the page fit is still on its way."""
    arrives = asyncio.Event()

    async def answer(route: Route) -> None:
        if route.request.url.endswith(".css"):
            await arrives.wait()
            await route.fulfill(body="p { width: auto !important }", content_type="text/css")
        else:
            wide = '<link rel="stylesheet" href="/late.css"><p style="width: 5000px">Words</p>'
            await route.fulfill(body=wide, content_type="text/html")

    async with open_page(browser) as page:
        await page.route("**/*", answer)
        await page.goto(SITE, wait_until="commit")
        words = page.get_by_text("Words")
        await words.wait_for(state="attached")
        looking = asyncio.create_task(assert_fits(page))
        # Asked after it, so answered after the first answer that it could have had.
        await words.wait_for(state="attached")
        assert not looking.done()
        arrives.set()
        await looking
