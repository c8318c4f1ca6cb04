"""A coordinator matches what a hospital sent, takes one offer, leaves another, and tries again."""

from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from panel.exchange import inbox_opening
from tests.conftest import SignIn
from tests.exchange.inbox_world import (
    NUMBER,
    System,
    agree,
    bundle,
    condition,
    entry,
    give_number,
    health_system,
    patient,
)
from tests.journeys.in_process import SITE, serve
from tests.journeys.test_governance_pages import looked_at
from tests.panels.conftest import AddChild, House, add_child, house

__all__ = ["add_child", "house"]
INBOX = f"{SITE}/exchange/inbox"
PHONE = [{"system": "phone", "value": "01632 960123"}]
HOME = [{"line": ["2 Mill Lane"], "postalCode": "WX1 2AB"}]


@pytest.fixture
async def system(house: House, client: AsyncTestClient[Litestar], add_child: AddChild) -> System:
    await give_number(house, await add_child("Amina"), NUMBER)
    await agree(house, "health")
    return await health_system(house, client)


@pytest.fixture
async def coordinator(
    page: Page, client: AsyncTestClient[Litestar], house: House, sign_in: SignIn
) -> Page:
    await sign_in(house.viewers["coordinator"].id)
    await serve(page, client)
    return page


@pytest.mark.journey
async def test_a_document_is_matched_and_its_offers_are_decided(
    coordinator: Page, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The number was not traced: a person has to say who it is.
    who = entry(patient(NUMBER, status="02", telecom=PHONE, address=HOME))
    letter = bundle("document", who, entry(condition(who["fullUrl"], "Glue ear")))
    assert (await system.send("POST", "", letter)).status_code == 202
    await coordinator.goto(INBOX)
    await expect(
        coordinator.get_by_role("link", name="Find out who it is about: 1")
    ).to_be_visible()
    await looked_at(coordinator, "inbox")
    await coordinator.get_by_role("link", name="23 November 2026 at").click()
    await expect(coordinator.get_by_role("heading", name="Who is this about?")).to_be_visible()
    await looked_at(coordinator, "inbox-match")
    await coordinator.get_by_role("button", name="This child").click()
    await coordinator.get_by_role("link", name="See what it says and would change").click()
    await expect(coordinator.get_by_role("cell", name="01632 960123")).to_be_visible()
    await looked_at(coordinator, "inbox-offers")
    await coordinator.get_by_role("button", name="Take Telephone").click()
    await expect(coordinator.get_by_role("cell", name="01632 960123")).to_have_count(0)
    await coordinator.get_by_role("button", name="Leave as it is Address").click()
    await expect(coordinator.get_by_role("cell", name="2 Mill Lane")).to_have_count(0)
    glue_ear = coordinator.get_by_role("row", name="Glue ear")
    await expect(glue_ear.get_by_role("cell", name="Health visiting")).to_be_visible()
    await looked_at(coordinator, "inbox-decided")
    await coordinator.goto(f"{SITE}/children/{system.house.children['Amina']}")
    await expect(coordinator.get_by_text("01632 960123")).to_be_visible()
    await expect(coordinator.get_by_text("2 Mill Lane")).to_have_count(0)


@pytest.mark.journey
async def test_what_is_broken_is_tried_again(
    coordinator: Page, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = entry(patient())
    broken = entry(condition(who["fullUrl"], "Squint") | {"recordedDate": "soon"})
    assert (await system.send("POST", "", bundle("message", who, broken))).status_code == 202
    await coordinator.goto(f"{INBOX}?shown=quarantined")
    await coordinator.get_by_role("link", name="23 November 2026 at").click()
    await expect(coordinator.get_by_role("button", name="Try again")).to_be_visible()
    await looked_at(coordinator, "inbox-broken")
    read = inbox_opening.read

    def mended(body: bytes) -> Any:
        return read(body.replace(b'"soon"', b'"2026-11-01"'))

    monkeypatch.setattr(inbox_opening, "read", mended)
    await coordinator.get_by_role("button", name="Try again").click()
    await expect(coordinator.get_by_role("button", name="Try again")).to_have_count(0)
    await looked_at(coordinator, "inbox-mended")
