"""Amina's case through everything, and at each step her mother reads what the workers read.

Told as given / when / then, on two real sites in real browsers. Hana Oduya leads, Grace Tolliver
coordinates the panel, Dr Marcus Adeyinka chairs it, and Marta Plover is Amina's mother. A day passes
by serving the same data on a later day.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from panel.web import assets
from panel.web.words import day as day_words
from tests.journeys.agreeing import agree
from tests.journeys.browser import require_chromium
from tests.journeys.cast import Cast
from tests.journeys.live_site import demonstration
from tests.journeys.person import Person

pytestmark = pytest.mark.journey

MONDAY, CONTACTS, NEXT_YEAR = date(2026, 11, 23), date(2026, 12, 3), date(2027, 11, 22)
PANEL, CHILD = "CONTACTS panel", "Amina Plover"
OWN_WORDS = "Story! Again!"
AGENCIES = (
    "Community Paediatrics",
    "Disabled Children's Team",
    "Early Years Inclusion",
    "Health Visiting",
    "Wexcombe Early Help",
    "Wexcombe Together",
)
TABLE = ("Grace Tolliver", "Dr Marcus Adeyinka", "Rosa Whitlow", "Hana Oduya", "Yusuf Larkham",
         "Tom Brackenbury")  # fmt: skip
FIRST_IMPACT, SECOND_IMPACT = date(2026, 12, 10), date(2027, 1, 14)
REVIEW = date(2027, 7, 1)
NEW_ACTION = "Order the radio aid"


@dataclass(frozen=True)
class Decided:
    """What a meeting around the family comes to, and what two people think of it."""

    outcome: str
    hers: str
    theirs: str
    decision: str
    action: str
    due_on: date


AIDS = Decided(
    outcome="Amina wears the hearing aids all day",
    hers="She takes them out at home. All day is too long for her.",
    theirs="At nursery she wears them from nine to three.",
    decision="At home she wears them for stories, and longer when she asks.",
    action="Read a story with the aids in each evening",
    due_on=date(2027, 1, 8),
)
STORY = Decided(
    outcome="Amina follows a story with the group",
    hers="",
    theirs="She sits through a whole story now, and signs the animals.",
    decision="She keeps her place at the front until the summer.",
    action="Bring a story with signs to nursery each week",
    due_on=date(2027, 5, 28),
)
REASONS = "Four services help, and the family wants one meeting at home instead of four letters."


@asynccontextmanager
async def on(day: date, folder: Path, browser: Browser) -> AsyncIterator[Cast]:
    """The demonstration on a day, and the people who sign in to it."""
    require_chromium()
    assets.build()
    with demonstration(folder, children=26, as_of=day.isoformat()) as site:
        async with AsyncExitStack() as stack:
            yield Cast(browser, site, stack)


async def test_a_child_through_everything(browser: Browser, data_dir: Path) -> None:
    folder = data_dir / "through-everything"
    async with on(MONDAY, folder, browser) as cast:
        hana, marta = await cast("lead-education"), await cast("parent-1")
        child = await given_the_record(hana)
        await agree(marta, hana, child)
        await when_a_new_assessment_is_signed_off(hana, child)
        await when_grace_freezes_the_agenda(await cast("coordinator"))
        await agree(marta, hana, child, "Thursday 3 December 2026")

    async with on(CONTACTS, folder, browser) as cast:
        hana, marta = await cast("lead-education"), await cast("parent-1")
        await when_the_panel_talks_about_her(await cast("coordinator"))
        await agree(marta, hana, child, NEW_ACTION)
        await when_hana_steps_up(hana, child)
        await agree(marta, hana, child)
        await when_a_meeting_is_planned(hana, child, FIRST_IMPACT, CONTACTS)
        await then_the_mother_says_that_she_comes(marta)
        await agree(marta, hana, child)

    async with on(FIRST_IMPACT, folder, browser) as cast:
        hana, marta = await cast("lead-education"), await cast("parent-1")
        await when_she_says_what_she_thinks(marta)
        await when_the_meeting_decides(hana, child, FIRST_IMPACT, AIDS, SECOND_IMPACT)
        await when_the_minutes_are_sent(hana, AIDS)
        await then_the_mother_signs_and_disagrees(marta)
        await agree(marta, hana, child, AIDS.action)
        await when_a_meeting_is_planned(hana, child, SECOND_IMPACT, FIRST_IMPACT)
        await agree(marta, hana, child)

    async with on(SECOND_IMPACT, folder, browser) as cast:
        hana, marta = await cast("lead-education"), await cast("parent-1")
        await when_the_meeting_decides(hana, child, SECOND_IMPACT, STORY, None)
        await when_the_minutes_are_sent(hana, STORY)
        await agree(marta, hana, child, STORY.action)
        await when_hana_steps_down(hana, child)
        await agree(marta, hana, child, day_words(REVIEW))


# The assessment -----------------------------------------------------------------------------------


async def given_the_record(hana: Person) -> str:
    await hana.open("/children?q=Plover")
    await hana.follow(CHILD)
    return urlsplit(hana.page.url).path


async def when_a_new_assessment_is_signed_off(hana: Person, child: str) -> None:
    await hana.open(f"{child}/assessments")
    await hana.press("Start a new version")
    await hana.follow("What Amina says")
    await hana.fill("What does Amina say?", OWN_WORDS)
    while "/sections/" in hana.page.url:
        # What was said before is carried forward; the rest is looked at.
        async with hana.page.expect_navigation(wait_until="load"):
            await hana.page.get_by_role("button", name="Save and go on").click()
    await hana.press("Go on to agreement")
    await when_the_mother_agrees(hana)
    await hana.press("Sign off")
    await hana.reads("Signed off", OWN_WORDS)


async def when_the_mother_agrees(hana: Person) -> None:
    who = hana.page.get_by_role("group", name="Who decides about sharing?")
    await who.get_by_label("Marta Plover").check()
    await hana.choose("How may this person decide?", "They have parental responsibility")
    await hana.choose("Do they agree that this assessment is stored?", "Yes")
    await hana.choose("Do they agree that it is shared?", "Yes")
    await hana.choose("Which agencies may it be shared with?", *AGENCIES)
    await hana.choose("How much may be shared?", "Basic and additional information")
    await hana.choose(
        "What may it be used for?",
        "Working with Amina",
        "The panel talking about Amina",
        "Reviews",
    )
    await hana.choose("May the agencies’ own computer systems get it, too?", "No")
    await hana.date("From which date?", MONDAY)
    await hana.date("Until which date?", NEXT_YEAR)
    await hana.choose("How was this explained?", "We talked about it face to face")
    await hana.choose("Was there an interpreter or signer?", "No")
    await hana.date("Date of this conversation", MONDAY)
    await hana.press("Save the agreement")


# CONTACTS -----------------------------------------------------------------------------------------


async def when_grace_freezes_the_agenda(grace: Person) -> None:
    await grace.open(f"/panels/contacts/{CONTACTS}")
    await expect(grace.page.locator("#agenda")).to_contain_text(CHILD)
    await grace.press("Freeze and send packs")
    await grace.reads("Packs are open.")


async def when_the_panel_talks_about_her(grace: Person) -> None:
    await grace.open("/")
    await grace.press("Hold the meeting", grace.panel(PANEL))
    for name in TABLE:
        await grace.page.get_by_label(f"{name} is here").check()
    await grace.press("Save who is here")
    await grace.press("Begin the meeting")
    await grace.follow(CHILD)
    await grace.fill("Who", "Hana Oduya, Early Years Inclusion")
    await grace.fill("What", NEW_ACTION)
    await grace.fill("By when", "2027-01-11")
    await grace.page.get_by_role("button", name="Add the action").click()
    await grace.reads(f"{NEW_ACTION}, by 11 January 2027")
    while "/meeting/" in grace.page.url:
        async with grace.page.expect_navigation(wait_until="load"):
            await grace.page.get_by_role("button", name="Done: next child").click()
    await grace.press("End the meeting")
    await grace.reads("Talked about: 12 children")


# IMPACT -------------------------------------------------------------------------------------------


async def when_hana_steps_up(hana: Person, child: str) -> None:
    await hana.open(f"{child}/meetings")
    await hana.press("Step up to IMPACT")
    await hana.fill("Reasons", REASONS)
    await hana.keep("everything-step-up")
    await hana.press("Step up to IMPACT")
    await hana.reads("Reviews of CONTACTS rest until the child steps down.")


async def when_a_meeting_is_planned(hana: Person, child: str, day: date, asked: date) -> None:
    await hana.open(f"{child}/meetings")
    await hana.press("Plan a meeting")
    await hana.date("Date", day)
    await hana.choose("How will you meet?", "At the family’s home")
    await hana.fill("Where?", "16 Kingfisher Row")
    await hana.press("Save")
    await hana.follow(day_words(day))
    await hana.follow("Change", hana.page.locator(".govuk-summary-list__row", has_text="Who comes"))
    await hana.fill("Who should come, and who should not?", "Gran, and not too many.")
    await hana.date("When did you ask them?", asked)
    await hana.press("Save")
    for who in ("Marta Plover", "Hana Oduya", "Rosa Whitlow"):
        await hana.page.get_by_label(who).first.check()
    await hana.press("Add them")
    await hana.press("Send the invitations")
    await hana.keep("everything-meeting-called")


async def then_the_mother_says_that_she_comes(marta: Person) -> None:
    await marta.open("/family")
    await marta.follow("Meeting on ")
    await marta.choose("Can you come?", "Yes, I can come")
    await marta.press("Send my answer")
    await marta.reads("You said that you can come.")
    await marta.keep("everything-family-meeting")


async def when_she_says_what_she_thinks(marta: Person) -> None:
    await marta.open("/family")
    await marta.follow("Meeting on ")
    await marta.fill("Write it in your own words", AIDS.hers)
    await marta.press("Send what I think")
    await marta.reads(AIDS.hers)


async def when_the_meeting_decides(
    hana: Person, child: str, day: date, said: Decided, again_on: date | None
) -> None:
    await hana.open(f"{child}/meetings")
    await hana.follow(day_words(day))
    await hana.press("Add a view")
    await hana.pick("Whose view?", "My own view")
    await hana.fill("What do they think?", said.theirs)
    await hana.press("Save")
    await hana.press("Add a decision")
    await hana.pick("For which desired outcome?", said.outcome)
    await hana.fill("What was decided?", said.decision)
    await hana.fill("What is to be done?", said.action)
    await hana.fill("Somebody else", "Mum")
    await hana.date("By when?", said.due_on)
    await hana.press("Save")
    await hana.reads(said.theirs, said.decision)
    await hana.keep("everything-side-by-side")
    await hana.press("The meeting was held")
    await hana.choose("Who came?", "Marta Plover", "Hana Oduya")
    if again_on is None:
        await hana.page.get_by_label("There will be no other meeting").check()
    else:
        await hana.date("When do you meet again?", again_on)
    await hana.press("Save")


async def when_the_minutes_are_sent(hana: Person, said: Decided) -> None:
    await hana.press("Minutes for the family")
    await hana.reads(said.theirs, said.decision)
    await hana.keep("everything-minutes")
    await hana.press("Save and check")
    await hana.press("Go on to sending")
    await hana.press("Send the minutes")


async def then_the_mother_signs_and_disagrees(marta: Person) -> None:
    async with marta.on_a_phone():
        await marta.open("/family")
        await marta.follow("Minutes of the meeting on ")
        await marta.reads(AIDS.hers, AIDS.theirs)
        await marta.page.get_by_label("I do not agree").first.check()
        await marta.fill("In your own words", "I said mornings only.")
        await marta.fill("Your name", "Marta Plover")
        await marta.page.get_by_label("I sign these minutes").check()
        await marta.press("Sign", marta.page.locator("main"))
        await marta.reads("I said mornings only.")


async def when_hana_steps_down(hana: Person, child: str) -> None:
    await hana.open(f"{child}/meetings")
    await hana.press("Step down to CONTACTS")
    await hana.fill("Reasons", "Two services are left, and the family feels sure of the way.")
    await hana.press("Step down to CONTACTS")
    await hana.reads("Step up to IMPACT")


# CONTACTS again, and away --------------------------------------------------------------------------


async def when_the_panel_reviews_her(grace: Person, chair: Person, child: str) -> None:
    await chair.open(f"{child}/panels")
    await chair.page.get_by_text("Take as urgent although something is missing").click()
    await chair.page.get_by_label("Which meeting").select_option(str(REVIEW))
    await chair.fill("Why it cannot wait", "She starts at school in September.")
    await chair.press("Take as urgent")
    await grace.open(f"/panels/contacts/{REVIEW}")
    await expect(grace.page.locator("#agenda")).to_contain_text(CHILD)
    await grace.press("Freeze and send packs")


async def when_the_change_to_school_is_prepared(hana: Person, child: str) -> None:
    await hana.open(f"{child}/transitions")
    await hana.page.get_by_text("Write down a change").click()
    await hana.pick("What changes", "school")
    await hana.date("When", STARTS)
    await hana.press("Write it down")
    await hana.keep("everything-changes")
    await hana.follow("", hana.page.locator("tbody").first)
    await hana.pick("Who prepares it", "Hana Oduya")
    await hana.pick("Which agency takes over", "Larkfield Primary School")
    await hana.fill("The plan", "Two visits in June, and her radio aid goes with her.")
    await hana.press("Save")
