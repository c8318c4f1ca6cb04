"""A request is written, sent, decided in part at the meeting; the mother opens her letter."""

from typing import Any
from uuid import UUID

from litestar.testing import AsyncTestClient
from playwright.async_api import Page, expect

from panel.platform.sessions import start
from tests.allocation.conftest import Board, add_child, board, house
from tests.conftest import SignIn
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import Person
from tests.panels.conftest import NEXT_MEETING

__all__ = ["add_child", "board", "house"]

MEETING = f"{SITE}/panels/allocation/{NEXT_MEETING}"
HERE = ("chair", "member", "social", "second")


async def test_a_request_for_service(
    page: Page, client: AsyncTestClient[Any], board: Board, sign_in: SignIn
) -> None:
    await serve(page, client)
    person = Person(page)
    await sign_in(board.house.viewers["lead"].id)
    await when_the_lead_writes_and_sends_it(person, board.child)
    await sign_in(board.house.viewers["coordinator"].id)
    await then_it_is_on_the_agenda(person)
    await board.meets(*HERE)
    await sign_in(board.house.viewers["coordinator"].id)
    await when_the_meeting_agrees_a_part(person, board.child)
    await when_the_letter_is_sent(person)
    async with board.house.as_("job") as session:
        token = await start(session, board.mother, "family", board.clock.now())
    client.cookies.clear()
    client.cookies.set("panel_session", token)
    await then_the_mother_reads_it(person)


async def when_the_lead_writes_and_sends_it(person: Person, child: UUID) -> None:
    page = person.page
    await page.goto(f"{SITE}/children/{child}/requests")
    await page.get_by_role("button", name="Write a request").click()
    await expect(page.get_by_text("Say what the child needs.")).to_be_visible()
    await page.get_by_label("Legal basis").select_option("s17")
    await page.get_by_label("Main type of need").select_option("asd")
    for label, said in {
        "What the child needs": "She wakes six times a night",
        "What should be different for the child": "Her mother sleeps",
        "What was tried, and what came of it": "A sleep clinic",
        "What is asked for": "Twelve nights away from home a year",
        "How much": "12",
        "What the family wishes, in their own words": "Somebody she knows",
    }.items():
        await page.get_by_label(label, exact=True).fill(said)
    await page.get_by_label("Counted in").select_option("night")
    async with person.on_a_phone():
        pass
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Nothing is missing.")).to_be_visible()
    await page.get_by_role("button", name="Send to the panel").click()
    await expect(page.get_by_role("heading", name="Sent to the panel")).to_be_visible()
    await person.look()


async def then_it_is_on_the_agenda(person: Person) -> None:
    await person.page.goto(MEETING)
    await expect(person.page.get_by_role("link", name="Amina Kestrel").first).to_be_visible()


async def when_the_meeting_agrees_a_part(person: Person, child: UUID) -> None:
    page = person.page
    await page.goto(f"{MEETING}/meeting/{child}")
    await page.get_by_role("link", name="Decide about it").click()
    await page.get_by_label("Agreed in part").check()
    await page.get_by_label("How much is agreed").fill("6")
    await page.get_by_label("Criterion").select_option(label="D1 Needs help at night (duty)")
    await page.get_by_label("Why less than was asked for").select_option("no_capacity")
    await page.get_by_label("Reasons for the panel").fill("The second rate")
    await page.get_by_label("Reasons for the family").fill("There are six nights now")
    for part, value in (("Day", "20"), ("Month", "5"), ("Year", "2027")):
        await page.get_by_label(part).fill(value)
    await page.get_by_label("Yes", exact=True).check()
    await page.get_by_label("In the family’s words").fill("We need twelve")
    async with person.on_a_phone():
        pass
    await page.get_by_role("button", name="Record the decision").click()
    await expect(page.get_by_role("heading", name="agreed in part")).to_be_visible()
    await page.goto(f"{SITE}/panels/allocation/unmet-need")
    await expect(page.get_by_text("6 nights unmet")).to_be_visible()
    async with person.on_a_phone():
        pass


async def when_the_letter_is_sent(person: Person) -> None:
    page = person.page
    await page.get_by_role("link", name="Amina Kestrel").click()
    await page.get_by_role("link", name="Read the letter, and send it").click()
    await expect(page.get_by_text("There are six nights now.")).to_be_visible()
    await person.look()
    await page.get_by_role("button", name="Approve and send").click()
    await expect(page.get_by_text("By e-mail: sent")).to_be_visible()
    await person.look()


async def then_the_mother_reads_it(person: Person) -> None:
    page = person.page
    await page.goto(f"{SITE}/family")
    await page.get_by_role("link", name="New letter from the panel").click()
    await expect(page.get_by_text("We said yes to a part of it.")).to_be_visible()
    await expect(page.get_by_text("second rate")).to_have_count(0)
    async with person.on_a_phone():
        pass
