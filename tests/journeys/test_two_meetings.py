"""Two meetings a fortnight apart: prepared, held, written up, read by a parent, and held again.

Told as given / when / then, on the real site in real browsers. Grace Tolliver coordinates the
panel, Dr Marcus Adeyinka chairs it, Rosa Whitlow sits on it for health and Hana Oduya for
education, Yusuf Larkham becomes lead professional for Amina, and Marta Plover is her mother. A day
passes by serving the same data on a later day.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect

from panel.web import assets
from tests.journeys.browser import require_chromium
from tests.journeys.cast import AtBothSizes, Cast
from tests.journeys.live_site import demonstration
from tests.journeys.person import PHONE, Person

pytestmark = pytest.mark.journey

PREPARING, FIRST, WRITING_UP, SECOND = "2026-11-23", "2026-12-03", "2026-12-07", "2026-12-17"
FIRST_DAY, SECOND_DAY = date(2026, 12, 3), date(2026, 12, 17)
PANEL, CHILD = "CONTACTS panel", "Amina Plover"
ASKED = "Please ask when the radio aid comes. She cannot hear the story."
SAID = {
    "lead-health": "She wears both aids all morning now.",
    "lead-education": "At story time she sits at the front and signs.",
    "voluntary": "Her mother finds the evenings long.",
}
"""What three people write about Amina at the same moment."""
ACTION = "Order the radio aid"
NOTE = (
    "On Thursday 3 December 2026 the panel talked about Amina.\n\n"
    "She wears both hearing aids all morning now. At story time she sits at the front.\n\n"
    "Rosa Whitlow will order the radio aid."
)
TALKED_ABOUT = 11
"""Of the twelve children of the first agenda; the one who is left comes to the second."""
DISAGREES = "She does not wear them all morning. At home she takes them out."
TABLE = ("Grace Tolliver", "Dr Marcus Adeyinka", "Rosa Whitlow", "Hana Oduya", "Yusuf Larkham",
         "Tom Brackenbury")  # fmt: skip


@asynccontextmanager
async def on(
    day: str, folder: Path, browser: Browser, kind: type[Person] = AtBothSizes
) -> AsyncIterator[Cast]:
    """The demonstration on a day, and the people who sign in to it."""
    require_chromium()
    assets.build()
    with demonstration(folder, children=26, as_of=day) as site:
        async with AsyncExitStack() as stack:
            yield Cast(browser, site, stack, kind=kind)


async def test_two_meetings_a_fortnight_apart(browser: Browser, data_dir: Path) -> None:
    folder = data_dir / "two-meetings"
    async with on(PREPARING, folder, browser) as cast:
        grace = await cast("coordinator")
        await given_the_lead_passes_to_yusuf(grace, await cast("voluntary"))
        await given_the_mother_tells_the_panel_something(await cast("parent-1"))
        await when_grace_freezes_the_agenda(grace, FIRST)

    async with on(FIRST, folder, browser) as cast:
        grace = await cast("coordinator")
        await when_the_meeting_begins(grace, FIRST_DAY)
        screen = await then_the_mothers_words_open_the_item(grace)
        await when_three_people_write_at_the_same_time(cast, screen)
        await then_every_text_is_there_once_with_its_author(grace, screen)
        await when_an_action_is_asked_for_and_an_agency_brought_in(grace)
        await when_the_child_is_to_come_back_in_a_fortnight(grace)
        await when_the_child_is_done_and_the_meeting_ends(grace)
        await then_the_minutes_say_what_was_said(await cast("chair"))

    async with on(WRITING_UP, folder, browser) as cast:
        yusuf, grace = await cast("voluntary"), await cast("coordinator")
        await then_rosa_finds_her_action_at_home(await cast("lead-health"))
        await when_yusuf_writes_the_note_and_signs_it_off(yusuf)
        await then_the_mother_reads_it_on_her_phone_and_disagrees(await cast("parent-1"))
        await then_grace_finds_the_way_to_what_came_back(grace)
        await when_grace_freezes_the_agenda(grace, SECOND)

    async with on(SECOND, folder, browser) as cast:
        grace = await cast("coordinator")
        await when_the_meeting_begins(grace, SECOND_DAY)
        await then_the_disagreement_opens_the_item(grace)
        await then_the_chair_confirms_the_first_minutes(await cast("chair"))
        await when_the_second_meeting_ends(grace)


# Prepared ---------------------------------------------------------------------------------------


async def given_the_lead_passes_to_yusuf(grace: Person, yusuf: Person) -> None:
    await open_agenda(grace, FIRST)
    await grace.follow(CHILD, grace.page.locator("#agenda th"))
    await grace.follow("Plan", grace.page.get_by_role("navigation", name="This record"))
    await grace.follow("Who holds this plan")
    await grace.pick("Who", "Yusuf Larkham")
    await grace.press("Offer it")
    await yusuf.open("/")
    await yusuf.follow("Answer", yusuf.row("Grace Tolliver"))
    await yusuf.press("Yes, I take it on")
    await yusuf.reads("Yusuf Larkham")


async def given_the_mother_tells_the_panel_something(marta: Person) -> None:
    await marta.page.set_viewport_size(PHONE)
    await marta.press("Tell the panel something")
    await marta.fill("Write it as you would say it", ASKED)
    await marta.press("Send to the panel")
    await marta.reads("Thank you. We have kept your words", ASKED)


async def open_agenda(grace: Person, day: str) -> None:
    await grace.open(f"/panels/contacts/{day}")


async def when_grace_freezes_the_agenda(grace: Person, day: str) -> None:
    await open_agenda(grace, day)
    await expect(grace.page.locator("#agenda")).to_contain_text(CHILD)
    await grace.press("Freeze and send packs")
    await grace.reads("Packs are open.")


# Held -------------------------------------------------------------------------------------------


async def when_the_meeting_begins(grace: Person, day: date) -> None:
    await grace.open("/")
    await grace.press("Hold the meeting", grace.panel(PANEL))
    for name in TABLE:
        await grace.page.get_by_label(f"{name} is here").check()
    await grace.press("Save who is here")
    await grace.reads(f"{len(TABLE)} present, quorum met")
    await grace.press("Begin the meeting")
    await grace.keep(f"two-meetings-table-{day}")


async def then_the_mothers_words_open_the_item(grace: Person) -> str:
    await grace.follow(CHILD)
    await grace.reads(ASKED, "The family’s own words")
    await grace.keep("two-meetings-child")
    return grace.page.url


async def when_three_people_write_at_the_same_time(cast: Cast, screen: str) -> None:
    writers = {persona: await cast(persona) for persona in SAID}
    for writer in writers.values():
        await writer.open(screen)
    await asyncio.gather(*(say(writers[persona], said) for persona, said in SAID.items()))


async def say(writer: Person, text: str) -> None:
    await writer.page.get_by_role("textbox", name="Discussion", exact=True).fill(text)
    await writer.page.get_by_label("For the family’s notes").first.check()
    await writer.page.get_by_role("button", name="Add under Discussion").click()
    await expect(contribution(writer, text)).to_have_count(1)


def contribution(person: Person, text: str) -> Locator:
    return person.page.locator("li.panel-said__item", has_text=text)


async def then_every_text_is_there_once_with_its_author(grace: Person, screen: str) -> None:
    await grace.open(screen)
    authors = {"lead-health": "Rosa Whitlow", "lead-education": "Hana Oduya",
               "voluntary": "Yusuf Larkham"}  # fmt: skip
    for persona, text in SAID.items():
        await expect(contribution(grace, text)).to_have_count(1)
        await expect(contribution(grace, text)).to_contain_text(authors[persona])
    await grace.keep("two-meetings-child-written")


async def when_an_action_is_asked_for_and_an_agency_brought_in(grace: Person) -> None:
    await grace.fill("Who", "Rosa Whitlow, Health Visiting")
    await grace.fill("What", ACTION)
    await grace.fill("By when", "2026-12-11")
    await grace.page.get_by_role("button", name="Add the action").click()
    await grace.reads(f"{ACTION}, by 11 December 2026")
    await grace.page.get_by_text("Bring in an agency, now or from a day").click()
    await grace.page.get_by_label("Agency", exact=True).select_option(
        label="Speech and Language Therapy"
    )
    await grace.fill("What they do for the child", "Signing")
    await grace.page.get_by_role("button", name="Bring them in").click()
    await grace.reads("Speech and Language Therapy (Signing): from now.")
    await grace.look()


async def when_the_child_is_to_come_back_in_a_fortnight(grace: Person) -> None:
    await grace.page.get_by_role("complementary").get_by_text("Change", exact=True).click()
    await grace.date("Review by", SECOND_DAY)
    form = grace.page.locator('form[action$="/review"]')
    await grace.fill("Why", "The radio aid should be there by then.", form)
    await grace.press("Save the review")
    await grace.reads("Thursday 17 December 2026")


async def when_the_child_is_done_and_the_meeting_ends(grace: Person) -> None:
    await grace.press("Done: next child")
    for _ in range(TALKED_ABOUT - 1):
        async with grace.page.expect_navigation(wait_until="load"):
            await grace.page.get_by_role("button", name="Done: next child").click()
    await grace.open(f"/panels/contacts/{FIRST}/meeting")
    await grace.reads("1 child not reached yet")
    await grace.press("End the meeting")
    await grace.reads(f"Talked about: {TALKED_ABOUT} children", "Not reached: 1 child")
    await grace.keep("two-meetings-minutes")


async def then_the_minutes_say_what_was_said(chair: Person) -> None:
    await chair.open(f"/panels/contacts/{FIRST}/minutes")
    await chair.reads(*SAID.values(), f"{ACTION}, by 11 December 2026")
    await chair.reads("Not confirmed yet")


# Written up -------------------------------------------------------------------------------------


async def then_rosa_finds_her_action_at_home(rosa: Person) -> None:
    await rosa.reads(ACTION)
    await rosa.keep("two-meetings-home-of-health")


async def when_yusuf_writes_the_note_and_signs_it_off(yusuf: Person) -> None:
    await yusuf.keep("two-meetings-home-of-lead")
    await yusuf.open(f"/panels/contacts/{FIRST}/notes")
    await yusuf.keep("two-meetings-notes")
    await yusuf.follow(CHILD)
    await yusuf.reads(*SAID.values())
    await yusuf.fill("The note", NOTE)
    await yusuf.press("Save and check")
    await yusuf.keep("two-meetings-note")
    await when_it_is_signed_off(yusuf)
    await yusuf.keep("two-meetings-note-sent")


async def then_the_mother_reads_it_on_her_phone_and_disagrees(marta: Person) -> None:
    await marta.page.set_viewport_size(PHONE)
    await marta.keep("two-meetings-family-home")
    await marta.follow("New notes from the panel")
    await marta.keep("two-meetings-family-note")
    await when_she_disagrees(marta)


async def then_grace_finds_the_way_to_what_came_back(grace: Person) -> None:
    await grace.open("/")
    await grace.reads("family disagrees or could not say, about the notes of 3 December 2026")
    await grace.keep("two-meetings-home-of-coordinator")
    await grace.follow("Meetings, minutes and notes", grace.panel(PANEL))
    await grace.keep("two-meetings-panel")
    await grace.follow("Notes to families")
    await grace.follow(CHILD)
    await grace.reads(DISAGREES)


# And again --------------------------------------------------------------------------------------


async def then_the_disagreement_opens_the_item(grace: Person) -> None:
    await grace.follow(CHILD)
    await grace.reads("I do not agree with these notes.", DISAGREES)
    await grace.keep("two-meetings-child-again")


async def then_the_chair_confirms_the_first_minutes(chair: Person) -> None:
    await chair.open(f"/panels/contacts/{SECOND}/meeting")
    await chair.follow("Thursday 3 December 2026")
    await chair.press("Confirm these minutes")
    await chair.reads("Confirmed on Thursday 17 December 2026 by Dr Marcus Adeyinka.")


async def when_the_second_meeting_ends(grace: Person) -> None:
    await grace.page.get_by_role("textbox", name="Discussion", exact=True).fill("It has come.")
    await grace.page.get_by_role("button", name="Add under Discussion").click()
    await expect(contribution(grace, "It has come.")).to_have_count(1)
    await grace.press("Done: next child")
    await grace.open(f"/panels/contacts/{SECOND}/meeting")
    await grace.press("End the meeting")
    await grace.reads("Talked about: 1 child")


async def when_it_is_signed_off(lead: Person) -> None:
    await lead.press("Go on to sign-off")
    for question in await lead.page.get_by_role("group", name="How does it reach them?").all():
        await question.get_by_label("By e-mail: it says only that notes are ready").check()
    await lead.press("Sign off and send")
    await lead.reads("Who was sent it")


async def when_she_disagrees(marta: Person) -> None:
    await marta.reads("She wears both hearing aids all morning now.")
    await marta.page.get_by_label("I do not agree with these notes.").check()
    await marta.fill("In your own words", DISAGREES)
    await marta.press("Send")
    await marta.reads("The panel hears it first", DISAGREES)
