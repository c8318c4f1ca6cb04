"""A coordinator keeps the directory, its provider says its places, and a lead finds what fits."""

import re
from typing import Any

from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect
from sqlalchemy import select

from panel.platform.tenancy import load_keys
from panel.platform.work_tables import OutboxMessage
from panel.register.models import Child
from tests.allocation.conftest import Board, add_child, board, house, listed
from tests.conftest import SignIn
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import Person

__all__ = ["add_child", "board", "house"]


async def test_the_directory(
    page: Page, client: AsyncTestClient[Any], board: Board, sign_in: SignIn
) -> None:
    async with board.house.as_("job") as session:
        child = await session.get_one(Child, board.child)
        child.primary_need = "ASD"
        for name, ages in {"Kestrel House": (3, 11), "Heron Lodge": (11, 15)}.items():
            await listed(session, *ages, name=name, description="Nights away.", capacity=4,
                         places_free=1, needs_met=("autistic_spectrum_disorder",))  # fmt: skip
    await serve(page, client)
    person = Person(page)
    await sign_in(board.house.viewers["coordinator"].id)
    await when_the_coordinator_changes_a_service(person)
    await then_its_provider_says_its_places(person, await a_link(person, board))
    await sign_in(board.house.viewers["lead"].id)
    await and_the_lead_asks_for_it(person, f"{SITE}/children/{board.child}/services")


async def when_the_coordinator_changes_a_service(person: Person) -> None:
    page = person.page
    await page.goto(f"{SITE}/directory")
    await person.keep("directory")
    await page.get_by_label("Words").fill("Kestrel")
    await page.get_by_role("button", name="Show").click()
    await page.get_by_role("link", name="Kestrel House", exact=True).click()
    await expect(page.get_by_role("heading", name="Kestrel House")).to_be_visible()
    await person.keep("directory-service")
    await page.get_by_role("button", name="Change").click()
    await expect(page.get_by_role("heading", name="Change Kestrel House")).to_be_visible()
    await person.keep("directory-change")
    await page.get_by_label("What it costs families").fill("Nothing")
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_role("button", name="Close or end it").click()
    await expect(page.get_by_role("heading", name="Close Kestrel House for now")).to_be_visible()
    await person.keep("directory-close")
    await page.get_by_role("button", name="Close it for now").click()
    await expect(page.get_by_text("Closed for now").first).to_be_visible()
    await page.goto(f"{SITE}/directory/match?age=7&need=autistic_spectrum_disorder")
    await expect(page.get_by_text("1 would fit but is closed for now")).to_be_visible()
    await person.keep("directory-match")


async def a_link(person: Person, board: Board) -> str:
    """The provider's e-mail address is written down and a link sent there: its address."""
    page = person.page
    await page.goto(f"{SITE}/directory/providers")
    await person.keep("directory-providers")
    await page.get_by_role("link", name="Kestrel House Trust").click()
    await page.get_by_role("button", name="Change").click()
    await page.get_by_label("E-mail").fill("office@kestrel.example")
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("A link was sent")).to_be_visible()
    await person.keep("directory-provider")
    async with board.house.as_("job") as session:
        mail = (
            await session.scalars(
                select(OutboxMessage).where(OutboxMessage.kind == "provider_link")
            )
        ).one()
        await load_keys(session, {mail.holder_id})
        link = re.search(r"/providers/\S+", mail.body)
        assert link is not None
        return link[0]


async def then_its_provider_says_its_places(person: Person, link: str) -> None:
    page = person.page
    await page.goto(f"{SITE}{link}")
    await person.keep("directory-door")
    await page.get_by_role("link", name="Kestrel House", exact=True).click()
    await expect(page.get_by_label("How many places are free?")).to_be_visible()
    await person.keep("directory-own")
    await page.get_by_label("How many places are free?").fill("2")
    await page.get_by_label("It is closed for now").uncheck()
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="Is this right?")).to_be_visible()
    await person.keep("directory-check")
    await page.get_by_role("button", name="Yes, this is right").click()
    await expect(page.get_by_text("2 places free")).to_be_visible()


async def and_the_lead_asks_for_it(person: Person, address: str) -> None:
    page = person.page
    await page.goto(address)
    await expect(page.get_by_role("heading", name="1 service fits")).to_be_visible()
    await person.keep("services-that-fit")
    await page.get_by_label("Words of a service or provider").fill("Lodge")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_text("Takes ages 11 to 15")).to_be_visible()
    await person.keep("services-found")
    await page.goto(address)
    asked = re.compile("Ask for this service.*Kestrel House")
    await page.get_by_role("button", name=asked).click()
    await expect(page.get_by_label("Kestrel House, Kestrel House Trust")).to_be_checked()
    await person.keep("request-for-a-service")
