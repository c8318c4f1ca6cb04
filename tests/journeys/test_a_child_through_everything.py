"""Amina's case through everything, and at each step her mother reads what the workers read.

Told as given / when / then, on two real sites in real browsers. Hana Oduya leads, Grace Tolliver
coordinates the panel, Dr Marcus Adeyinka chairs it, and Marta Plover is Amina's mother. A day passes
by serving the same data on a later day.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from panel.web import assets
from tests.journeys.agreeing import agree
from tests.journeys.browser import require_chromium
from tests.journeys.cast import Cast
from tests.journeys.live_site import demonstration
from tests.journeys.person import Person

pytestmark = pytest.mark.journey

PREPARING, CONTACTS_DAY = "2026-11-23", "2026-12-03"
MONDAY, NEXT_YEAR = date(2026, 11, 23), date(2027, 11, 22)
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
NEW_ACTION = "Order the radio aid"


@asynccontextmanager
async def on(day: str, folder: Path, browser: Browser) -> AsyncIterator[Cast]:
    """The demonstration on a day, and the people who sign in to it."""
    require_chromium()
    assets.build()
    with demonstration(folder, children=26, as_of=day) as site:
        async with AsyncExitStack() as stack:
            yield Cast(browser, site, stack)


async def test_a_child_through_everything(browser: Browser, data_dir: Path) -> None:
    folder = data_dir / "through-everything"
    async with on(PREPARING, folder, browser) as cast:
        hana, marta = await cast("lead-education"), await cast("parent-1")
        child = await given_the_record(hana)
        await agree(marta, hana, child)
        await when_a_new_assessment_is_signed_off(hana, child)
        await when_grace_freezes_the_agenda(await cast("coordinator"))
        await agree(marta, hana, child, "Thursday 3 December 2026")

    async with on(CONTACTS_DAY, folder, browser) as cast:
        hana, marta = await cast("lead-education"), await cast("parent-1")
        await when_the_panel_talks_about_her(await cast("coordinator"))
        await agree(marta, hana, child, NEW_ACTION)


# The assessment -----------------------------------------------------------------------------------


async def given_the_record(hana: Person) -> str:
    await hana.open("/children?q=Plover")
    await hana.follow(CHILD)
    return hana.page.url


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
    await grace.open(f"/panels/contacts/{CONTACTS_DAY}")
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
