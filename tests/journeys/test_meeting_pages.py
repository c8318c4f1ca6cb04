"""A coordinator holds a meeting in a real browser, on a desktop and on a phone."""

from datetime import date
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect
from sqlalchemy import select

from consent import Category
from panel.panels.calendar import meeting_on
from panel.panels.models import FamilyWords
from panel.plans.models import Action, Plan
from panel.platform.sessions import IDLE
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import DESKTOP, looked_at
from tests.panels.conftest import NEXT_MEETING, add_child, house
from tests.panels.meeting_world import MEETING, MINUTE, MINUTES, Hall, hall

__all__ = ["add_child", "hall", "house"]


@pytest.fixture
async def busy(hall: Hall) -> Hall:
    """Something to read of Amina: her mother's words, an action that is late, something withheld."""
    house, child = hall.house, hall.child("Amina")
    async with house.as_("job") as session:
        meeting = await meeting_on(session, await house.panel(session), NEXT_MEETING)
        plan = await session.scalar(select(Plan).where(Plan.child_id == child))
        assert plan is not None
        session.add_all(
            [
                FamilyWords(
                    child_id=child,
                    meeting_id=meeting.id,
                    asked_on=date(2026, 11, 20),
                    said_on=date(2026, 11, 24),
                    author_agency_id=house.agencies["health"],
                    text="I want to know which school before Christmas.\nAnd who tells her?",
                ),
                Action(
                    child_id=child,
                    plan_id=plan.id,
                    text="Visit two schools",
                    owner_worker_id=house.viewers["lead"].id,
                    due_on=date(2026, 11, 12),
                ),
                Action(
                    child_id=child,
                    plan_id=plan.id,
                    text="Order a radio aid",
                    owner_words="Mum",
                    due_on=date(2027, 1, 12),
                ),
            ]
        )
    assert Category.FINANCE
    return hall


@pytest.fixture
async def ada(page: Page, client: AsyncTestClient[Litestar], busy: Hall) -> Page:
    """The coordinator's browser, signed in."""
    await busy.as_("coordinator")
    await serve(page, client)
    return page


async def look(page: Page, name: str, path: str = "") -> None:
    """The page on a desktop and on a phone: accessible, no wider than the window, pictured."""
    await looked_at(page, name, begins=f"{SITE}{path}" if path else None)
    await page.set_viewport_size(DESKTOP)


async def press_key(page: Page, key: str) -> None:
    """Press a key of the page's, once its script listens."""
    await page.locator("body.js-enabled").wait_for()
    await page.keyboard.press(key)


@pytest.mark.journey
async def test_a_meeting_from_beginning_to_end(ada: Page, busy: Hall) -> None:
    await look(ada, "meeting-before", MEETING)
    for name in ("Ada Quill", "Bo Marchetti", "Cleo Nightingale", "Tom Brackenbury"):
        await ada.get_by_label(f"{name} is here").check()
    await ada.get_by_label("Lena Ashgrove sent apologies").check()
    await ada.get_by_role("button", name="Save who is here").click()
    await expect(ada.get_by_text("4 present, quorum met")).to_be_visible()
    await ada.get_by_role("button", name="Begin the meeting").click()
    await expect(ada.get_by_text("3 children to come.")).to_be_visible()
    await look(ada, "meeting-table")
    await press_key(ada, "n")
    await expect(ada.get_by_role("heading", level=1)).to_contain_text("Amina Kestrel")
    await expect(ada.get_by_text("Action overdue by 21 days")).to_be_visible()
    await look(ada, "meeting-child")
    await ada.get_by_role("textbox", name="Discussion").fill("Two schools were visited.")
    await ada.get_by_label("For the family’s notes").first.check()
    await ada.get_by_role("button", name="Add under Discussion").click()
    await expect(ada.get_by_text("Two schools were visited.")).to_be_visible()
    await ada.get_by_label("Who", exact=True).first.fill("Tom Brackenbury")
    await ada.get_by_label("What", exact=True).fill("Ask both for a place")
    await ada.get_by_label("By when").fill("2026-12-01")
    await ada.get_by_role("button", name="Add the action").click()
    await expect(ada.get_by_role("alert")).to_contain_text("By when must be 3 December 2026")
    await look(ada, "meeting-child-mistake")
    await ada.get_by_label("By when").fill("2026-12-15")
    await ada.get_by_role("button", name="Add the action").click()
    await expect(ada.get_by_text("Ask both for a place, by 15 December 2026")).to_be_visible()
    await look(ada, "meeting-child-written")
    await ada.get_by_role("button", name="Done: next child").click()
    await expect(ada.get_by_role("heading", level=1)).to_contain_text("Theo Kestrel")
    await press_key(ada, "p")
    await expect(ada.get_by_role("heading", level=1)).to_contain_text("Amina Kestrel")
    await press_key(ada, "h")
    await expect(ada.get_by_role("heading", level=1)).to_contain_text("A K")
    await expect(ada.get_by_role("heading", level=1)).not_to_contain_text("Amina")
    await ada.goto(f"{SITE}{MEETING}")
    await ada.get_by_role("button", name="End the meeting").click()
    await expect(ada.get_by_text("Not reached: 2 children")).to_be_visible()
    await press_key(ada, "h")
    await look(ada, "meeting-minutes", MINUTES)


@pytest.mark.journey
async def test_it_is_held_without_javascript(busy: Hall, browser: Any, client: Any) -> None:
    context = await browser.new_context(java_script_enabled=False, viewport=DESKTOP)
    page = await context.new_page()
    await serve(page, client)
    await busy.begin("chair", "member")
    await page.goto(f"{SITE}{busy.screen('Amina')}")
    await page.get_by_role("textbox", name="Discussion").fill("Written without a script")
    await page.get_by_role("button", name="Add under Discussion").click()
    await expect(page.get_by_text("Written without a script")).to_be_visible()
    await when_a_draft_stands_under_both_headings(page)
    await page.get_by_role("button", name="Done: next child").click()
    await then_both_are_saved_and_the_next_child_has_come(page, busy)
    await context.close()


async def when_a_draft_stands_under_both_headings(page: Page) -> None:
    await page.get_by_role("textbox", name="Discussion", exact=True).fill("Not added yet.")
    await page.get_by_role("textbox", name="Who needs to know").fill("The school nurse.")


async def then_both_are_saved_and_the_next_child_has_come(page: Page, busy: Hall) -> None:
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Theo Kestrel")
    await page.goto(f"{SITE}{busy.screen('Amina')}")
    await expect(page.get_by_text("You can still add to it")).to_be_visible()
    await expect(page.locator("#said").get_by_text("Not added yet.")).to_have_count(1)
    await expect(page.locator("#needs").get_by_text("The school nurse.")).to_have_count(1)
    for box in ("Discussion", "Who needs to know"):
        await expect(page.get_by_role("textbox", name=box, exact=True)).to_have_value("")


@pytest.mark.journey
async def test_what_stands_under_a_heading_is_sent_before_the_next_child(
    ada: Page, busy: Hall
) -> None:
    await busy.begin("chair", "member")
    await ada.goto(f"{SITE}{busy.screen('Amina')}")
    await ada.locator("body.js-enabled").wait_for()
    await when_a_draft_stands_under_both_headings(ada)
    await ada.route("**/say", lambda route: route.abort())
    await ada.get_by_role("button", name="Done: next child").click()
    await expect(ada.get_by_role("status").filter(has_text="Then press")).to_contain_text(
        "until the connection is back. Then press “Done: next child” again"
    )
    assert (await busy.item("Amina")).state == "listed"
    await ada.unroute("**/say")
    await ada.evaluate("window.dispatchEvent(new Event('online'))")
    await expect(ada.locator("#needs").get_by_text("The school nurse.")).to_be_visible()
    await ada.get_by_role("button", name="Done: next child").click()
    await then_both_are_saved_and_the_next_child_has_come(ada, busy)


@pytest.mark.journey
async def test_words_that_are_refused_keep_the_child_open(ada: Page, busy: Hall) -> None:
    await busy.begin("chair", "member")
    await ada.goto(f"{SITE}{busy.screen('Amina')}")
    await ada.locator("body.js-enabled").wait_for()
    box = ada.get_by_role("textbox", name="Discussion", exact=True)
    await box.fill("Nobody. " * 3_000)
    await ada.get_by_role("button", name="Done: next child").click()
    await expect(
        ada.get_by_role("status").filter(has_text="must be 20,000 characters or fewer")
    ).to_be_visible()
    assert (await busy.item("Amina")).state == "listed"
    await expect(ada.get_by_role("heading", level=1)).to_contain_text("Amina Kestrel")
    await expect(box).to_have_value("Nobody. " * 3_000)


@pytest.mark.journey
async def test_an_entry_on_the_wrong_child_is_moved(ada: Page, busy: Hall) -> None:
    await busy.begin("chair", "member", "social")
    await busy.say("Amina", "His hearing aid whistles at nursery.", category="health")
    await busy.as_("member")
    await busy.get(busy.screen("Amina"))
    await busy.as_("coordinator")
    await ada.goto(f"{SITE}{busy.screen('Amina')}")
    await ada.get_by_role("link", name="About another child?").first.click()
    await expect(ada.get_by_role("button", name="See what happens")).to_be_visible()
    await look(ada, "move-choose")
    await ada.get_by_role("button", name="See what happens").click()
    await expect(ada.get_by_role("alert")).to_contain_text("Choose the child whom it is about")
    await ada.get_by_label("Theo Kestrel").check()
    await ada.get_by_role("button", name="See what happens").click()
    await expect(ada.get_by_text("Cleo Nightingale")).to_be_visible()
    await look(ada, "move-rehearsal")
    await ada.get_by_role("button", name="Move it").click()
    await expect(ada.get_by_role("alert")).to_contain_text("There is a problem")
    await look(ada, "move-mistake")
    await ada.get_by_label("How did it come to be on the wrong child?").fill("Wrong screen.")
    await ada.get_by_role("button", name="Move it").click()
    await expect(ada.get_by_role("heading", level=1)).to_contain_text("Theo Kestrel")
    await look(ada, "moved")
    await ada.get_by_role("button", name="Done today").first.click()
    # Moving it did two of the steps.
    await expect(ada.get_by_text("Done on 3 December 2026.")).to_have_count(3)
    await look(ada, "move-left-behind", busy.screen("Amina"))
    await expect(ada.get_by_text("Taken back: on the wrong child.")).to_be_visible()


@pytest.mark.journey
async def test_time_runs_out_while_somebody_types(ada: Page, busy: Hall) -> None:
    await busy.begin("chair", "member")
    # Where the scripts did not load: with them the words stay in their field (outbox.js).
    await ada.route("**/outbox*.js", lambda route: route.abort())
    await ada.goto(f"{SITE}{busy.screen('Amina')}")
    await ada.get_by_role("textbox", name="Discussion").fill("Typed for a long time.")
    busy.clock.set(busy.clock.now() + IDLE + MINUTE)
    await ada.get_by_role("button", name="Add under Discussion").click()
    await expect(ada.get_by_role("heading", name="Not saved yet")).to_be_visible()
    await look(ada, "not-sent-yet")
    await busy.as_("coordinator")
    await ada.get_by_role("button", name="Carry on").click()
    await expect(ada.get_by_text("You are signed in as Ada Quill")).to_be_visible()
    await look(ada, "not-sent-yet-signed-in")
    await ada.get_by_role("button", name="Send it now").click()
    await expect(ada.get_by_text("Typed for a long time.")).to_be_visible()
