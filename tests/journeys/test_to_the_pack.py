"""A child comes to the panel: referral, CAF, plan, lead professional, agenda, freeze, pack.

Told as given / when / then, on the real site in a real browser. Rosa Whitlow is a health visitor,
Grace Tolliver coordinates the panel, Hana Oduya teaches, Dr Marcus Adeyinka chairs, and Yusuf
Larkham works for a charity.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import date
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pikepdf
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from panel.web import assets
from tests.durability.serving import Site
from tests.journeys.browser import require_chromium
from tests.journeys.cast import Cast
from tests.journeys.live_site import demonstration
from tests.journeys.person import Person

pytestmark = pytest.mark.journey

AGENDA = "/panels/contacts/2026-12-03"
MONDAY = date(2026, 11, 23)
NEXT_YEAR = date(2027, 11, 22)
PANEL, CHILD = "CONTACTS panel", "Wilfred Turnstone"
SHARED = "Wilfred waits at the gate and points at what he wants."
REFUSED = "The rent is three months behind."
FAMILY_ASKS = "Please ask who can lend us a buggy that folds."


@pytest.fixture(scope="module")
def site(data_dir: Path) -> Iterator[Site]:
    """A demonstration of 26 children."""
    require_chromium()
    assets.build()
    with demonstration(data_dir / "journey", children=26) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="session")
async def cast(browser: Browser, site: Site) -> AsyncIterator[Cast]:
    """The people of the demonstration."""
    async with AsyncExitStack() as stack:
        yield Cast(browser, site, stack)


async def test_a_child_comes_to_the_panel(cast: Cast) -> None:
    rosa, grace = await cast("lead-health"), await cast("coordinator")

    child = await given_rosa_adds_a_child_with_a_mother(rosa)
    await given_other_agencies_are_involved(rosa, child)
    await when_rosa_refers_the_child(rosa, child)
    await then_the_coordinator_sees_what_is_missing_and_who_owes_it(grace)

    await when_rosa_fills_in_the_assessment(rosa, child)
    await when_the_mother_agrees_to_share(rosa)
    await then_it_is_signed_off_and_stays_to_read(rosa)
    await when_rosa_agrees_a_plan(rosa, child)
    await when_grace_offers_the_lead_to_hana(grace)
    await then_hana_accepts_at_her_first_page(await cast("lead-education"))

    await then_the_child_is_on_the_agenda_and_it_says_why(grace)
    await when_grace_asks_for_what_is_missing(grace)
    await when_grace_writes_down_what_the_family_said(grace)
    await when_the_chair_takes_an_urgent_child(await cast("chair"))
    await when_grace_moves_the_child_up_by_keyboard(grace)
    await when_grace_freezes_the_agenda(grace)

    yusuf = await cast("voluntary")
    await then_the_charity_reads_exactly_what_was_agreed(yusuf)
    await then_its_paper_is_accessible(yusuf)
    await then_grace_sees_who_has_opened_theirs(grace)


# Referral ---------------------------------------------------------------------------------------


async def given_rosa_adds_a_child_with_a_mother(rosa: Person) -> str:
    await rosa.keep("journey-lead-home")
    await rosa.follow("Children")
    await rosa.press("Add a child")
    await rosa.fill("Given name", "Wilfred")
    await rosa.fill("Family name", "Turnstone")
    await rosa.date("Date of birth", date(2023, 3, 14))
    await rosa.fill("Name", "Edith Turnstone")
    await rosa.fill("Relationship to the child", "mother")
    await rosa.page.get_by_label("They have parental responsibility").check()
    await rosa.press("Add the child")
    await rosa.page.locator(".govuk-error-summary a").first.click()
    await rosa.page.get_by_label("Basis of parental responsibility").select_option("Birth mother")
    await rosa.keep("journey-new-child")
    await rosa.press("Add the child")
    await rosa.reads("Edith Turnstone, mother", "Parental responsibility: birth mother")
    return rosa.page.url.removesuffix("/people")


async def given_other_agencies_are_involved(rosa: Person, child: str) -> None:
    for agency, when, on in (
        ("Early Years Inclusion", "They are involved already", MONDAY),
        ("Wexcombe Together", "They are involved already", MONDAY),
        ("Larkfield Primary School", "They are expected", date(2027, 9, 1)),
    ):
        await rosa.press("Add an agency")
        await rosa.page.get_by_label("Agency", exact=True).select_option(agency)
        await rosa.choose("When", when)
        await rosa.date("From what day", on)
        await rosa.press("Save")
        await rosa.reads(agency)
    assert rosa.page.url == f"{child}/people"
    await rosa.keep("journey-people")


async def when_rosa_refers_the_child(rosa: Person, child: str) -> None:
    await rosa.follow("Panels", rosa.page.get_by_role("navigation", name="This record"))
    assert rosa.page.url == f"{child}/panels"
    await rosa.choose("What is the reason about?", "Development")
    await rosa.fill("Why should the panel talk about this child?", "He needs therapy and portage.")
    await rosa.press("Refer")
    await rosa.reads("Not yet acknowledged")
    await rosa.keep("journey-child-panels")


async def then_the_coordinator_sees_what_is_missing_and_who_owes_it(grace: Person) -> None:
    await grace.follow("Calendar")
    await grace.keep("journey-calendar")
    await grace.follow("Home")
    await grace.keep("journey-home")
    await grace.follow("not ready", grace.panel(PANEL))
    waiting = grace.page.locator("#not-ready tbody", has_text=CHILD).locator("tr")
    for missing, owed_by in (
        ("Assessment", "Rosa Whitlow"),
        ("Plan", "Rosa Whitlow"),
        ("Lead professional", "Coordinator"),
    ):
        await expect(waiting.filter(has_text=missing).filter(has_text=owed_by)).to_have_count(1)
    await grace.keep("journey-agenda-before")


# Assessment -------------------------------------------------------------------------------------


async def when_rosa_fills_in_the_assessment(rosa: Person, child: str) -> None:
    await rosa.follow("Assessment", rosa.page.get_by_role("navigation", name="This record"))
    await rosa.press("Start an assessment")
    tasks = rosa.page.url
    await rosa.keep("journey-task-list")
    await rosa.follow("What Wilfred says")
    await when_she_types_and_it_is_saved(rosa)
    await rosa.keep("journey-section")
    while True:
        await answer_section(rosa)
        await rosa.press("Save and go on")
        if "/sections/" not in rosa.page.url:
            break
    await rosa.keep("journey-check-answers")
    await rosa.open(tasks)
    await rosa.reads("Complete")
    assert child in tasks


async def when_she_types_and_it_is_saved(rosa: Person) -> None:
    words = rosa.page.get_by_label("What does Wilfred say?")
    async with rosa.page.expect_response(lambda answer: answer.url.endswith("/typed")) as saved:
        await words.fill("Again! Again!")
    assert (await saved.value).status == 200
    await expect(rosa.page.get_by_text(re.compile(r"^Saved \d+:\d\d"))).to_be_visible()
    await rosa.page.reload()
    await expect(words).to_have_value("Again! Again!")


ANSWERS = {
    "home-address": {"Address": "4 Osier Street"},
    "reason": {"What led to this assessment?": "He says few words."},
    "body-and-communication": {"Strengths": SHARED},
    "home-and-money": {"Needs": REFUSED},
    "conclusions": {
        "What do you conclude?": "He needs help to be understood.",
        "What could help?": "Therapy and signs.",
        "What will be done first?": "Ask for therapy.",
    },
}
"""What is typed, by section and label."""


async def answer_section(rosa: Person) -> None:
    """Answer what the section on the page must have; the others are looked at."""
    slug = rosa.page.url.rpartition("/")[2]
    for label, said in ANSWERS.get(slug, {}).items():
        await rosa.fill(label, said)
    match slug:
        case "names":
            await rosa.fill("Last name", "Turnstone")
            await rosa.choose("Sex", "Male")
            await rosa.choose("Has Wilfred been born?", "Yes")
            await rosa.date("Date of birth", date(2023, 3, 14))
        case "languages":
            await rosa.choose("Is an interpreter or signer needed?", "No")
        case "disability":
            await rosa.choose("Is Wilfred disabled?", "No")
        case "people-present":
            await rosa.date("Date of the assessment", MONDAY)
            await rosa.fill("Name", "Edith Turnstone")
            await rosa.fill("Who is doing this assessment?", "Rosa Whitlow")
            await rosa.fill("Their job and agency", "Health visitor, Health Visiting")
        case "parents-and-carers":
            await rosa.fill("Name", "Edith Turnstone")
            await rosa.fill("Relationship to Wilfred", "Mother")
            await rosa.choose("Has parental responsibility?", "Yes")
            await rosa.page.get_by_label("What does it rest on?").first.select_option(index=1)
        case "body-and-communication" | "home-and-money":
            await rosa.page.get_by_label(re.compile("^A parent|^Mother|^Parent")).first.check()
        case "parents-say":
            await rosa.fill("Name", "Edith Turnstone")
            await rosa.fill("In their own words", "He knows what he wants.")
            await rosa.choose("Does this person agree with the conclusions?", "Agrees")


async def when_the_mother_agrees_to_share(rosa: Person) -> None:
    await rosa.follow("Agreement to store and share")
    page = rosa.page
    await (
        page.get_by_role("group", name="Who decides about sharing?")
        .get_by_label("Edith Turnstone")
        .check()
    )
    await rosa.choose("How may this person decide?", "They have parental responsibility")
    await rosa.choose("Do they agree that this assessment is stored?", "Yes")
    await rosa.choose("Do they agree that it is shared?", "Yes")
    for agency in ("Early Years Inclusion", "Wexcombe Early Help", "Wexcombe Together"):
        await rosa.choose("Which agencies may it be shared with?", agency)
    await rosa.choose("How much may be shared?", "Basic and additional information")
    await rosa.choose(
        "What may it be used for?", "Working with Wilfred", "The panel talking about Wilfred"
    )
    await rosa.choose("May the agencies’ own computer systems get it, too?", "No")
    await rosa.date("From which date?", MONDAY)
    await rosa.date("Until which date?", NEXT_YEAR)
    await rosa.choose("How was this explained?", "We talked about it face to face")
    await rosa.choose("Was there an interpreter or signer?", "No")
    await rosa.date("Date of this conversation", MONDAY)
    await rosa.keep("journey-agreement")
    await rosa.press("Save the agreement")


async def then_it_is_signed_off_and_stays_to_read(rosa: Person) -> None:
    await rosa.press("Sign off")
    await rosa.reads("Signed off", SHARED)
    await rosa.keep("journey-assessment-read")


# Plan and lead professional ---------------------------------------------------------------------


async def when_rosa_agrees_a_plan(rosa: Person, child: str) -> None:
    await rosa.follow("Plan", rosa.page.get_by_role("navigation", name="This record"))
    await rosa.press("Start a plan")
    await rosa.fill("What is this plan about?", "So that Wilfred is understood.")
    await rosa.press("Start the plan")
    await rosa.press("Add an outcome")
    await rosa.fill("Desired outcome", "Wilfred asks for what he wants with words or signs.")
    await rosa.fill("How will we know?", "Nursery counts ten a day.")
    await rosa.press("Save")
    await rosa.press("Add an action")
    await rosa.fill("What is to be done?", "Ask for speech and language therapy")
    await rosa.pick("Who does this?", "Rosa Whitlow")
    await rosa.date("By when?", date(2026, 12, 11))
    await rosa.press("Save")
    await rosa.press("Agree the plan")
    await rosa.date("On which day was it agreed?", MONDAY)
    await rosa.press("It was agreed")
    await rosa.reads("Ask for speech and language therapy")
    await rosa.keep("journey-plan")
    await rosa.open(child)
    await rosa.keep("journey-child")


async def when_grace_offers_the_lead_to_hana(grace: Person) -> None:
    await grace.open(AGENDA)
    waiting = grace.page.locator("#not-ready tbody", has_text=CHILD)
    await grace.follow("Find one", waiting.locator("tr", has_text="Lead professional"))
    await grace.pick("Who", "Hana Oduya")
    await grace.press("Offer it")
    await grace.reads("Hana Oduya")


async def then_hana_accepts_at_her_first_page(hana: Person) -> None:
    await hana.reads("Will you be lead professional?")
    await hana.keep("journey-offer-home")
    await hana.follow("Answer", hana.row("Grace Tolliver"))
    await hana.press("Yes, I take it on")
    await hana.reads("Hana Oduya")


# Agenda -----------------------------------------------------------------------------------------


async def then_the_child_is_on_the_agenda_and_it_says_why(grace: Person) -> None:
    await grace.open(AGENDA)
    row = grace.page.locator("#agenda tr", has_text=CHILD)
    await expect(row).to_contain_text("New")
    await expect(row).to_contain_text("Referred on 23 November 2026 by Health Visiting")
    await expect(row).to_contain_text("Hana Oduya")
    await expect(grace.page.locator("#not-ready")).not_to_contain_text(CHILD)


async def when_grace_asks_for_what_is_missing(grace: Person) -> None:
    row = grace.page.locator("#not-ready tr", has=grace.page.get_by_role("button", name="Ask"))
    child = await row.first.get_by_role("link").first.inner_text()
    await grace.press("Ask", row.first)
    await expect(grace.page.locator("#not-ready tr", has_text=child).first).to_contain_text(
        "Asked today"
    )


async def when_grace_writes_down_what_the_family_said(grace: Person) -> None:
    row = grace.page.locator("#agenda tr", has_text=CHILD)
    await grace.follow("Family’s words: not asked yet", row)
    await grace.page.get_by_text("Write down that they were asked").click()
    await grace.page.get_by_label("How were they asked").select_option(index=1)
    await grace.fill("What they want the panel to know and ask", FAMILY_ASKS)
    await grace.press("Save")
    await grace.reads(FAMILY_ASKS)


async def when_the_chair_takes_an_urgent_child(chair: Person) -> None:
    await chair.open(AGENDA)
    row = chair.page.locator("#not-ready tr", has_text="Leon Teasel").first
    await chair.follow("Leon Teasel", row)
    await chair.follow("Panels", chair.page.get_by_role("navigation", name="This record"))
    await chair.page.get_by_text("Take as urgent although something is missing").click()
    await chair.page.get_by_label("Which meeting").select_option("2026-12-03")
    await chair.fill("Why it cannot wait", "The nursery place ends on Friday.")
    await chair.press("Take as urgent")
    await chair.open(AGENDA)
    row = chair.page.locator("#agenda tr", has_text="Leon Teasel")
    await expect(row).to_contain_text("Urgent")
    await expect(row).to_contain_text("The nursery place ends on Friday")
    await expect(row).to_contain_text("Still owed")


async def when_grace_moves_the_child_up_by_keyboard(grace: Person) -> None:
    await grace.open(AGENDA)
    order = await names_on_the_agenda(grace)
    place = order.index(CHILD)
    await grace.page.get_by_role("button", name=f"Up {CHILD}").focus()
    await grace.page.keyboard.press("Enter")
    await expect(grace.page.get_by_text("Moved. Now")).to_be_attached()
    moved = await names_on_the_agenda(grace)
    assert moved.index(CHILD) == place - 1
    await grace.look()


async def names_on_the_agenda(grace: Person) -> list[str]:
    return await grace.page.locator("#agenda tbody th a").all_inner_texts()


async def when_grace_freezes_the_agenda(grace: Person) -> None:
    await grace.open(AGENDA)
    await grace.press("Freeze and send packs")
    await grace.reads("Packs are open.", "Not opened yet")
    await grace.keep("journey-agenda-frozen")
    await grace.follow("Ask a guest", grace.page.locator("#agenda tr", has_text=CHILD))
    await grace.reads(f"Ask a guest about {CHILD}")


# Pack -------------------------------------------------------------------------------------------


async def then_the_charity_reads_exactly_what_was_agreed(yusuf: Person) -> None:
    await yusuf.open("/")
    await yusuf.keep("journey-member-home")
    await yusuf.follow("Open my pack")
    await yusuf.reads(CHILD, SHARED, FAMILY_ASKS, "Wilfred asks for what he wants")
    await yusuf.does_not_read(REFUSED)
    section = yusuf.page.locator("section.panel-pack-child", has_text=CHILD)
    missing = section.locator(".panel-not-shown", has_text=re.compile("money", re.IGNORECASE))
    await expect(missing.first).to_be_visible()
    async with yusuf.on_a_phone():
        await yusuf.reads(CHILD)


async def then_its_paper_is_accessible(yusuf: Person) -> None:
    address = await yusuf.page.get_by_role("button", name="Save as PDF").get_attribute("href")
    assert address is not None
    # What is taken away asks again who is here.
    here = urlsplit(yusuf.page.url).path
    await yusuf.page.goto(urljoin(yusuf.page.url, f"/sign-in/again?next={here}"))
    await yusuf.press("It is me")
    answer = await yusuf.page.request.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    with pikepdf.open(BytesIO(await answer.body())) as paper:
        assert bool(paper.Root.MarkInfo.Marked)
        assert str(paper.Root.Lang) == "en-GB"
        assert bool(paper.Root.ViewerPreferences.DisplayDocTitle)
        with paper.open_metadata() as told:
            assert told["pdfuaid:part"] == "1"
            assert "Wexcombe Together" in told["dc:title"]
        levels = headings(paper.Root.StructTreeRoot)
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def headings(node: object) -> list[int]:
    """The levels of the headings below a node of a paper's structure, in reading order."""
    if isinstance(node, pikepdf.Array):
        return [level for child in node for level in headings(child)]
    if not isinstance(node, pikepdf.Dictionary):
        return []
    named = re.fullmatch(r"/H(\d)", str(node.get("/S", "")))
    return [*([int(named[1])] if named else []), *headings(node.get("/K"))]


async def then_grace_sees_who_has_opened_theirs(grace: Person) -> None:
    await grace.open(AGENDA)
    packs = grace.page.get_by_role("complementary", name="About this meeting")
    await expect(packs.locator("li", has_text="Wexcombe Together")).to_contain_text(
        "Opened by Yusuf Larkham"
    )


# Without scripts --------------------------------------------------------------------------------


async def test_the_same_pages_work_without_scripts(cast: Cast) -> None:
    rosa = await cast("lead-health", scripts=False)
    grace = await cast("coordinator", scripts=False)

    child = await given_a_child_added_and_referred_without_scripts(rosa)
    await when_a_section_is_saved_by_its_button(rosa, child)
    await when_a_plan_is_started_by_its_buttons(rosa, child)
    await then_the_coordinator_takes_a_referral_in(grace)
    await then_items_move_by_their_buttons(grace)


async def given_a_child_added_and_referred_without_scripts(rosa: Person) -> str:
    await rosa.open("/children/new")
    await rosa.fill("Given name", "Olwen")
    await rosa.fill("Family name", "Shearwater")
    await rosa.date("Date of birth", date(2022, 6, 2))
    await rosa.press("Add the child")
    child = rosa.page.url.removesuffix("/people")
    await rosa.open(f"{child}/panels")
    await rosa.press("Refer")
    await rosa.reads("There is a problem")
    await rosa.choose("What is the reason about?", "Health")
    await rosa.fill("Why should the panel talk about this child?", "Fits, and no sleep.")
    await rosa.press("Refer")
    await rosa.reads("Not yet acknowledged")
    return child


async def when_a_section_is_saved_by_its_button(rosa: Person, child: str) -> None:
    await rosa.open(f"{child}/assessments")
    await rosa.press("Start an assessment")
    await rosa.follow("What Olwen says")
    await rosa.fill("What does Olwen say?", "More swing.")
    section = rosa.page.url
    await rosa.press("Save and go on")
    await rosa.open(section)
    await expect(rosa.page.get_by_label("What does Olwen say?")).to_have_value("More swing.")


async def when_a_plan_is_started_by_its_buttons(rosa: Person, child: str) -> None:
    await rosa.open(f"{child}/plan/new")
    await rosa.fill("What is this plan about?", "So that Olwen sleeps.")
    await rosa.press("Start the plan")
    await rosa.reads("So that Olwen sleeps.")


async def then_the_coordinator_takes_a_referral_in(grace: Person) -> None:
    await grace.open("/")
    await grace.follow("Take a referral in", grace.panel(PANEL))
    await grace.fill("Given name", "Benedict")
    await grace.fill("Family name", "Pochard")
    await grace.date("Date of birth", date(2021, 1, 30))
    await grace.pick("Who refers the child", "Community Paediatrics")
    await grace.choose("What is the reason about?", "Health")
    await grace.fill("Why should the panel talk about this child?", "Three clinics, no plan.")
    await grace.press("Add the child and the referral")
    await grace.reads("CONTACTS panel", "Acknowledged")


async def then_items_move_by_their_buttons(grace: Person) -> None:
    await grace.open("/panels/contacts/2026-12-17")
    before = await names_on_the_agenda(grace)
    await grace.press("Down")
    after = await names_on_the_agenda(grace)
    assert after[:2] == before[1::-1]
