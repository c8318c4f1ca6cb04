"""A panel's notes go out; a mother says on her phone what it was like, and reads what was done."""

from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from playwright.async_api import Browser, Page, expect

from consent import Role
from panel.accounts.models import Agency, WorkerRole
from panel.accounts.service import add_worker
from panel.insight.core.facts import Perception
from panel.insight.feed import feed
from panel.insight.storing import stored
from panel.insight.voice.offering import offer_surveys
from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from tests.insight.voice.conftest import note
from tests.insight.voice.test_survey import AFTER_TERM
from tests.journeys.browser import assert_accessible, assert_fits, open_page, screenshot
from tests.journeys.in_process import SITE, serve
from tests.journeys.person import DESKTOP, PHONE
from tests.panels.conftest import add_child, house
from tests.panels.note_world import Held, held

__all__ = ["add_child", "held", "house", "note"]
WORDS = "Nobody rang us for weeks."
SAID = "You told us that nobody rings you after a meeting."
DONE = "Since December somebody rings each family in the week after."


async def looked_at(page: Page, name: str) -> None:
    """Accessible and no wider than the window, at a desk and on a phone; a picture of both."""
    for size, kept in ((DESKTOP, "desktop"), (PHONE, "phone")):
        await page.set_viewport_size(size)
        await assert_accessible(page)
        await assert_fits(page)
        await screenshot(page, f"voice-{name}-{kept}")


async def commissioner_of(held: Held) -> UUID:
    """A commissioner of the authority."""
    async with held.house.as_("job") as session:
        agency = await session.get_one(Agency, next(iter(held.house.agencies.values())))
        worker = await add_worker(session, agency, name="Ed Mint", email="ed@demo.example")
        session.add(WorkerRole(worker_id=worker.id, role=Role.COMMISSIONER.value))
        return worker.id


@pytest.mark.journey
async def test_from_the_notes_to_what_was_done(
    browser: Browser,
    page: Page,
    client: AsyncTestClient[Litestar],
    held: Held,
    note: UUID,
    clock: FixedClock,
) -> None:
    async def sign_in(viewer: UUID, kind: str) -> None:
        async with held.house.tenant.transaction() as session:
            token = await start(session, viewer, kind, clock.now())
        client.cookies.set("panel_session", token)

    async with held.house.as_("job") as session:
        await offer_surveys(session, clock.now())

    await sign_in(held.mother, "family")
    await serve(page, client)
    await page.goto(f"{SITE}/family")
    await looked_at(page, "home")
    await page.get_by_role("link", name="Five short questions").click()
    await expect(page.get_by_role("heading", name="Who sees what you say")).to_be_visible()
    await looked_at(page, "survey")
    survey = page.url

    # She answers on a phone that runs no scripts, where axe cannot look.
    async with open_page(browser, java_script_enabled=False, viewport=PHONE) as phone:
        await serve(phone, client)
        await phone.goto(f"{SITE}/family")
        await phone.get_by_role("link", name="Five short questions").click()
        await phone.get_by_label("In your own words").fill(WORDS)
        await phone.get_by_role("button", name="Send my answers").click()
        await expect(phone.get_by_role("alert")).to_contain_text("Answer at least one question")
        await assert_fits(phone)
        for question, said in (
            ("Did you get the information you needed?", "Mostly"),
            ("Did you have a say in what happens?", "I cannot say"),
        ):
            group = phone.get_by_role("group", name=question, exact=True)
            await group.get_by_label(said, exact=True).check()
        await phone.get_by_label("The people who help us").check()
        await phone.get_by_role("button", name="Send my answers").click()
        await expect(phone.get_by_text("Thank you. Your answers are kept.")).to_be_visible()
        await assert_fits(phone)
    await page.goto(survey)
    await expect(page.get_by_role("button", name="Take my answers back")).to_be_visible()
    await looked_at(page, "survey-kept")

    # Whoever she showed it to reads it.
    await sign_in(held.house.viewers["lead"].id, "worker")
    await page.goto(f"{SITE}/children/{held.child}/experience")
    await expect(page.get_by_text(WORDS)).to_be_visible()
    await looked_at(page, "experience")

    # The commissioner writes, is refused a name, and publishes.
    await sign_in(await commissioner_of(held), "worker")
    await page.goto(f"{SITE}/commissioning")
    await page.get_by_role("link", name="You said, we did: what families are told").click()
    await (
        page.get_by_role("link", name="Write an entry")
        .or_(page.get_by_role("button", name="Write an entry"))
        .click()
    )
    await page.get_by_label("What families said").fill("Marta told us that nobody rang.")
    await page.get_by_label("What was done").fill(DONE)
    await page.get_by_label("I have read it").check()
    await page.get_by_role("button", name="Keep the draft").click()
    await expect(page.get_by_role("alert")).to_contain_text("“Marta” may be somebody’s name")
    await looked_at(page, "said-refused")
    await page.get_by_label("What families said").fill(SAID)
    await page.get_by_role("button", name="Keep the draft").click()
    await expect(page.get_by_role("table", name="Entries, newest first")).to_be_visible()
    await looked_at(page, "said")
    await page.get_by_role("link", name=SAID).click()
    await expect(page.get_by_role("button", name="Publish to families")).to_be_visible()
    await looked_at(page, "said-draft")
    await page.get_by_role("button", name="Publish to families").click()
    await expect(page.get_by_role("button", name="Take it back from families")).to_be_visible()
    await looked_at(page, "said-published")

    # The mother reads it; what she answered is counted once the term is over.
    await sign_in(held.mother, "family")
    await page.goto(f"{SITE}/family")
    await page.get_by_role("link", name="What families told us, and what was done").click()
    await expect(page.get_by_text(DONE)).to_be_visible()
    await looked_at(page, "read-by-a-mother")
    assert await perceptions(held, clock) == {"information": 4}


async def perceptions(held: Held, clock: FixedClock) -> dict[str, int]:
    """What was judged, as a fact once the term is over."""
    clock.set(AFTER_TERM)
    async with held.house.as_("job") as session:
        await feed(session)
        found = [one async for one in stored(session) if isinstance(one, Perception)]
    return {one.question: one.answer for one in found if one.answer}
