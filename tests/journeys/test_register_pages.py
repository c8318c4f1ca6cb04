"""A practitioner finds, adds and reads children in a real browser, on a desktop and on a phone."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from consent import Category, ParentalBasis
from panel.documents.service import NewDocument, attach_for_import
from panel.platform.tenancy import Tenant
from panel.register.service import (
    NewFamilyLink,
    NewFamilyMember,
    add_family_member,
    add_involvement,
    judge_level,
    note_event,
)
from tests.documents.test_attach_a_document import PDF
from tests.journeys.browser import assert_accessible, screenshot
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import looked_at
from tests.register.conftest import Add, Team, add, team

__all__ = ["add", "team"]

TODAY = date(2026, 11, 23)


@pytest.fixture
async def rosa(page: Page, client: AsyncTestClient[Litestar], team: Team, sign_in: Any) -> Page:
    """A health visitor's browser, signed in."""
    await sign_in(team.rosa.id)
    await serve(page, client)
    return page


@pytest.fixture
async def amina(tenant: Tenant, team: Team, add: Add) -> UUID:
    """A child with a family, agencies, a history and a letter."""
    child = await add("Amina", "Kestrel", nhs_number="9990548609", address="1 Mill Lane")
    hana, rosa = team.hana, team.rosa
    assert hana.agency is not None
    assert rosa.agency is not None
    async with tenant.transaction(rosa.id) as session:
        await add_family_member(
            session,
            child,
            NewFamilyMember("Leyla Kestrel", phone="07700 900123", safe_contact="Mornings only"),
            NewFamilyLink("mother", parental_responsibility=True, basis=ParentalBasis.BIRTH_MOTHER),
        )
        await add_involvement(
            session, child, agency_id=hana.agency, expected_from_on=date(2027, 9, 1)
        )
        await note_event(
            session,
            child,
            happened_on=date(2026, 10, 9),
            kind="diagnosis",
            category=Category.HEALTH,
            author_agency_id=rosa.agency,
            text="Moderate hearing loss in both ears.",
        )
        await judge_level(session, child, level="targeted", judged_on=TODAY, judged_by=rosa.id)
        await attach_for_import(
            session,
            child,
            NewDocument(PDF, "test.pdf", "Hearing test", Category.HEALTH, rosa.id, rosa.agency),
        )
    return child


async def look(page: Page, path: str, name: str) -> None:
    """Open a page on a desktop and on a phone: accessible, no wider than the window, pictured."""
    await looked_at(page, f"register-{name}", begins=f"{SITE}{path}")


@pytest.mark.journey
async def test_every_page_is_accessible_and_fits(rosa: Page, amina: UUID) -> None:
    child = f"/children/{amina}"
    await look(rosa, "/children", "list")
    await look(rosa, "/children?q=ameena+9+March+2022", "found")
    await look(rosa, "/children?q=nobody", "nobody")
    await look(rosa, "/children/new", "new")
    await look(rosa, f"{child}/people", "people")
    await look(rosa, f"{child}/people/new", "person")
    await look(rosa, f"{child}/agencies/new", "agency")
    await look(rosa, f"{child}/edit", "edit")
    await look(rosa, f"{child}/chronology", "chronology")
    await look(rosa, f"{child}/documents", "documents")


@pytest.mark.journey
async def test_a_mistake_is_gone_to_and_a_twin_is_asked_about(rosa: Page, amina: UUID) -> None:
    await rosa.goto(f"{SITE}/children/new")
    await rosa.get_by_label("Given name").fill("Amina")
    await rosa.get_by_role("button", name="Add the child").click()
    await rosa.get_by_role("link", name="Enter family name").click()
    await expect(rosa.get_by_label("Family name")).to_be_focused()
    await expect(rosa.get_by_label("Given name")).to_have_value("Amina")
    await rosa.get_by_label("Family name").fill("Kestrel")
    for part, value in (("Day", "9"), ("Month", "3"), ("Year", "2022")):
        born = rosa.get_by_role("group", name="Date of birth", exact=True)
        await born.get_by_label(part).fill(value)
    await rosa.get_by_role("button", name="Add the child").click()
    await expect(rosa.get_by_role("link", name="Amina Kestrel")).to_be_visible()
    await screenshot(rosa, "register-twin-desktop")
    await assert_accessible(rosa)
    await rosa.get_by_label("This is another child").check()
    await rosa.get_by_role("button", name="Add the child").click()
    await expect(rosa.get_by_role("heading", name="People", exact=True)).to_be_visible()
    await expect(rosa.get_by_text("C-1002")).to_be_visible()
