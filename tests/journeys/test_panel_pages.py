"""A coordinator settles an agenda in a real browser, on a desktop and on a phone."""

from datetime import date
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from panel.panels.calendar import meeting_on
from panel.panels.settle import freeze
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import looked_at
from tests.panels.conftest import NEXT_MEETING, AddChild, House, add_child, house

__all__ = ["add_child", "house"]

AGENDA = f"/panels/contacts/{NEXT_MEETING}"


@pytest.fixture
async def busy(house: House, add_child: AddChild) -> House:
    """Children at every stage: new, for review, blocked, siblings, more than fit."""
    reviewed = {"last_discussed_on": date(2026, 6, 4), "referred_on": date(2026, 4, 30)}
    twins = house.form_id
    await add_child("Amina")
    await add_child("Theo", siblings=twins)
    await add_child("Max", siblings=twins)
    await add_child("Jakub", **reviewed, next_review_by=date(2026, 12, 4))
    await add_child("Grace", **reviewed, next_review_by=date(2026, 11, 12))
    await add_child("Leon", without=("plan",))
    await add_child("Sofia", without=("sharing",))
    await add_child("Nia", without=("assessment", "lead"))
    for number in range(9):
        await add_child(f"Omar{number}", referred_on=date(2026, 11, 8 + number))
    return house


@pytest.fixture
async def ada(page: Page, client: AsyncTestClient[Litestar], busy: House, sign_in: Any) -> Page:
    """The coordinator's browser, signed in."""
    await sign_in(busy.viewers["coordinator"].id)
    await serve(page, client)
    return page


async def look(page: Page, path: str, name: str) -> None:
    """Open a page on a desktop and on a phone: accessible, no wider than the window, pictured."""
    await looked_at(page, name, begins=f"{SITE}{path}")


@pytest.mark.journey
async def test_moving_with_the_keyboard_keeps_the_place(ada: Page) -> None:
    await ada.goto(f"{SITE}{AGENDA}")
    down = ada.get_by_role("button", name="Down Amina Kestrel")
    await down.focus()
    await ada.keyboard.press("Enter")
    row = ada.locator("tr", has=ada.get_by_role("button", name="Up Amina Kestrel"))
    await expect(row).to_be_visible()
    await expect(ada.get_by_text("Moved. Now")).to_be_attached()
    await ada.get_by_role("button", name="Freeze and send packs").click()
    await expect(ada.get_by_text("Packs are open.")).to_be_visible()


@pytest.mark.journey
async def test_every_page_is_accessible_and_fits(
    ada: Page, busy: House, client: AsyncTestClient[Litestar], sign_in: Any
) -> None:
    child = busy.children["Amina"]
    await look(ada, "/", "panels-home")
    await look(ada, AGENDA, "panels-agenda")
    await look(ada, f"{AGENDA}/items/{child}", "panels-item")
    await look(ada, f"{AGENDA}/change", "panels-change")
    await look(ada, f"{AGENDA}/print", "panels-print")
    await look(ada, "/panels", "panels-list")
    await look(ada, "/panels/contacts", "panels-meetings")
    await look(ada, "/panels/contacts/children?show=overdue", "panels-children")
    await look(ada, "/calendar", "panels-calendar")
    await look(ada, f"/children/{child}/panels", "panels-child")
    async with busy.as_("coordinator") as session:
        panel = await busy.panel(session)
        await freeze(session, panel, await meeting_on(session, panel, NEXT_MEETING))
    await look(ada, AGENDA, "panels-agenda-frozen")
    await look(ada, f"{AGENDA}/late", "panels-late")
    await sign_in(busy.viewers["member"].id)
    await look(ada, "/", "panels-member-home")
    await look(ada, AGENDA, "panels-member-agenda")
    await sign_in(busy.viewers["lead"].id)
    await look(ada, "/", "panels-lead-home")
    await look(ada, f"/children/{child}/panels", "panels-child-team")
