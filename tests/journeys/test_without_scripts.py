"""A fortnight with JavaScript switched off: every page of it is read, and everything is saved.

From the agenda through the meeting, the notes and the family's answers to the next meeting, on the
real site, in browsers that run no script. At the end every address of these rooms was visited.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from litestar.handlers import HTTPRouteHandler
from playwright.async_api import Browser, expect

from panel.families import routes as family_routes
from panel.panels import meeting_routes, move_routes, note_routes, routes
from tests.journeys.cast import Cast
from tests.journeys.person import PHONE, Person
from tests.journeys.test_two_meetings import (
    ACTION,
    ASKED,
    CHILD,
    DISAGREES,
    FIRST,
    NOTE,
    PREPARING,
    SECOND,
    SECOND_DAY,
    TABLE,
    WRITING_UP,
    contribution,
    given_the_mother_tells_the_panel_something,
    on,
    open_agenda,
    when_grace_freezes_the_agenda,
    when_she_disagrees,
)

pytestmark = pytest.mark.journey

MEETING = f"/panels/contacts/{FIRST}/meeting"
SAYS = "She wears both aids all morning now."
NEEDS = "The teacher of the deaf needs to know, from Easter."
WRONG = "This is about somebody else."
DRAFT = "It stood there when the child was done."
BACK = "I said this of the wrong week."
QUESTION = "Who brings the radio aid?"
REPLY = "Rosa Whitlow brings it on Friday."
NOT_A_PAGE = ("/letter", "/demo/", "/calendar", "/change", "/children", "/referrals")
"""Papers, and what is before and beside the fortnight (the calendar, intake, lists)."""


async def test_a_fortnight_with_scripts_switched_off(browser: Browser, data_dir: Path) -> None:
    folder = data_dir / "no-scripts"
    seen: list[str] = []
    async with on(PREPARING, folder, browser) as cast:
        grace = await cast.with_scripts_off("coordinator")
        marta = await cast.with_scripts_off("parent-1")
        await given_the_mother_tells_the_panel_something(marta)
        await when_she_would_ask_for_help_again(marta)
        await when_grace_prepares_the_agenda(grace)
        seen += grace.seen + marta.seen
    async with on(FIRST, folder, browser) as cast:
        seen += await the_meeting(cast)
    async with on(WRITING_UP, folder, browser) as cast:
        seen += await the_notes(cast)
    async with on(SECOND, folder, browser) as cast:
        grace = await cast.with_scripts_off("coordinator")
        await when_the_next_meeting_confirms_the_minutes(grace)
        marta = await cast.with_scripts_off("parent-1")
        await when_the_mother_chooses_who_sees_what(marta)
        seen += grace.seen + marta.seen
    assert_every_page_was_seen(seen)


def assert_every_page_was_seen(seen: list[str]) -> None:
    missing = [
        path
        for room in (routes, meeting_routes, move_routes, note_routes, family_routes)
        for handler in room.HANDLERS
        if isinstance(handler, HTTPRouteHandler) and "GET" in handler.http_methods
        for path in handler.paths
        if not any(beside in path for beside in NOT_A_PAGE)
        and not any(re.search(f":\\d+{_pattern(path)}(?:[?#].*)?$", address) for address in seen)
    ]
    assert not missing, f"Nobody looked at these without scripts: {missing}. Walk them here."


def _pattern(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "[^/?#]+", path)


async def when_she_would_ask_for_help_again(marta: Person) -> None:
    await marta.open("/family")
    choices = marta.page.locator("a[href$='/choices']").first
    address = await choices.get_attribute("href") or ""
    await marta.open(address.replace("/choices", "/ask-for-help"))
    await marta.reads("We work with you already")


# Prepared ---------------------------------------------------------------------------------------


async def when_grace_prepares_the_agenda(grace: Person) -> None:
    await grace.open("/panels")
    await grace.open("/panels/contacts")
    await grace.follow("Settings")
    await grace.fill("Working days after a meeting for which packs stay open", "11")
    await grace.press("Save")
    await grace.reads("There is a problem")
    await grace.fill("Why do you change it?", "The partners asked for it.")
    await grace.press("Save")
    await grace.reads("10 to 11", "The partners asked for it.")
    await open_agenda(grace, FIRST)
    names = grace.page.locator("#agenda tr th[scope=row] a")
    second = await names.nth(1).inner_text()
    await grace.press(f"Up {second}")
    await expect(names.nth(0)).to_have_text(second)
    await grace.press(f"Down {second}")
    await expect(names.nth(1)).to_have_text(second)
    await grace.press("Ask ", grace.page.locator("#not-ready"))
    await grace.reads("Asked today")
    item = grace.page.locator("#agenda tr", has_text=CHILD)
    await grace.follow("change the item", item)
    await grace.fill("Minutes", "")
    await grace.press("Save minutes")
    await grace.reads("There is a problem")
    await grace.fill("Minutes", "25")
    await grace.press("Save minutes")
    await grace.reads("25 min")
    last = grace.page.locator("#agenda tr").last
    taken_off = await last.locator("th a").inner_text()
    await grace.follow("change the item", last)
    await grace.fill("Why", "The family is away.")
    await grace.press("Take off")
    await expect(grace.page.locator("#agenda")).not_to_contain_text(taken_off)
    await grace.follow("Put a child back on")
    await grace.page.get_by_label(taken_off).check()
    await grace.fill("Why", "They are back.")
    await grace.press("Add")
    await expect(grace.page.locator("#agenda")).to_contain_text(taken_off)
    await grace.follow("Print")
    await when_grace_freezes_the_agenda(grace, FIRST)


# Held -------------------------------------------------------------------------------------------


async def the_meeting(cast: Cast) -> list[str]:
    grace, rosa = [await cast.with_scripts_off(one) for one in ("coordinator", "lead-health")]
    await when_the_meeting_begins(grace)
    screen = await when_rosa_writes(rosa)
    await when_an_entry_is_moved(rosa, grace, screen)
    await when_grace_writes_down_the_rest(grace, screen)
    await when_an_interest_is_declared_and_taken_back(grace, rosa, screen)
    await when_somebody_stands_in_and_somebody_leaves(grace)
    await then_the_child_is_done_and_the_meeting_ends(grace, screen)
    return grace.seen + rosa.seen


async def when_the_meeting_begins(grace: Person) -> None:
    await grace.open("/")
    await grace.press("Hold the meeting", grace.panel("CONTACTS panel"))
    for name in TABLE:
        await grace.page.get_by_label(f"{name} is here").check()
    await grace.press("Save who is here")
    await grace.press("Begin the meeting")
    await grace.reads(f"{len(TABLE)} present, quorum met")


async def when_rosa_writes(rosa: Person) -> str:
    await rosa.follow("Go to the meeting")
    await rosa.follow(CHILD)
    await rosa.press("Add under Discussion")
    await rosa.reads("There is a problem", "Write what was said")
    await say(rosa, SAYS, for_family=True)
    await say(rosa, BACK)
    mine = contribution(rosa, BACK)
    await mine.locator("summary").click()
    await rosa.fill("Why", "It was last week.", mine)
    await rosa.press("Take back what you wrote", mine)
    await rosa.does_not_read(BACK)
    await rosa.page.get_by_role("textbox", name="Who needs to know").fill(NEEDS)
    await rosa.press("Add under Who needs to know")
    await expect(contribution(rosa, NEEDS)).to_have_count(1)
    return rosa.page.url.split("#")[0]


async def say(writer: Person, text: str, *, for_family: bool = False) -> None:
    await writer.page.get_by_role("textbox", name="Discussion", exact=True).fill(text)
    await writer.page.get_by_label("For the family’s notes").first.set_checked(for_family)
    await writer.press("Add under Discussion")
    await expect(contribution(writer, text)).to_have_count(1)


async def when_an_entry_is_moved(rosa: Person, grace: Person, screen: str) -> None:
    await say(rosa, WRONG)
    await grace.open(screen)
    await grace.follow("About another child?", contribution(grace, WRONG))
    await grace.press("See what happens")
    await grace.reads("There is a problem", "Choose the child whom it is about")
    await grace.page.get_by_role("radio").first.check()
    await grace.press("See what happens")
    await grace.press("Move it")
    await grace.reads("There is a problem")
    await grace.fill("How did it come to be on the wrong child?", "The screens were mixed up.")
    await grace.press("Move it")
    await grace.reads("was on another child’s record", "The screens were mixed up.")
    await grace.press("Done today")
    await grace.reads("Done on 3 December 2026.")
    await grace.open(screen)
    await grace.does_not_read(WRONG)


async def when_grace_writes_down_the_rest(grace: Person, screen: str) -> None:
    await grace.reads(SAYS, NEEDS, ASKED)
    await grace.fill("Who", "Rosa Whitlow, Health Visiting")
    await grace.fill("What", ACTION)
    await grace.fill("By when", "2026-12-11")
    await grace.press("Add the action")
    await grace.reads(f"{ACTION}, by 11 December 2026")
    await grace.page.get_by_text("Bring in an agency, now or from a day").click()
    await grace.page.get_by_label("Agency", exact=True).select_option(
        label="Speech and Language Therapy"
    )
    await grace.fill("What they do for the child", "Signing")
    await grace.press("Bring them in")
    await grace.reads("Speech and Language Therapy (Signing): from now.")
    await grace.page.get_by_role("complementary").get_by_text("Change", exact=True).click()
    await grace.date("Review by", SECOND_DAY)
    await grace.fill(
        "Why", "The radio aid is there by then.", grace.page.locator('form[action$="/review"]')
    )
    await grace.press("Save the review")
    await grace.reads("Thursday 17 December 2026", "The radio aid is there by then.")


async def when_an_interest_is_declared_and_taken_back(
    grace: Person, rosa: Person, screen: str
) -> None:
    await rosa.open(screen)
    await rosa.page.get_by_text("Declare an interest").click()
    await rosa.fill("What the interest is", "Her neighbour")
    await rosa.press("Declare")
    await rosa.reads("you leave this item")
    await rosa.does_not_read(SAYS)
    await grace.open(screen)
    await grace.reads("Left this item, having declared an interest: Rosa Whitlow")
    await grace.press("has none after all")
    await rosa.open(screen)
    await rosa.reads(SAYS)


async def when_somebody_stands_in_and_somebody_leaves(grace: Person) -> None:
    await grace.open(MEETING)
    await grace.page.get_by_text("Somebody is here in another’s place").click()
    form = grace.page.locator('form[action$="/substitutes"]')
    await grace.fill("Name", "Petra Fallow", form)
    await form.get_by_label("For which agency").select_option(index=1)
    await grace.press("Add the substitute")
    await grace.reads("Petra Fallow")
    await grace.page.get_by_text("Somebody else chairs").click()
    await pick_in(grace, "chair", "Who chairs from now on", "Grace Tolliver")
    await grace.press("Save who chairs")
    await grace.reads("Grace Tolliver chairs")
    await grace.page.get_by_text("Somebody leaves before the end").click()
    await pick_in(grace, "leave", "Who leaves", "Tom Brackenbury")
    await grace.press("Save that they left")
    await grace.reads("Left at")


async def pick_in(grace: Person, form: str, label: str, holds: str) -> None:
    choices = grace.page.locator(f'form[action$="/{form}"]').get_by_label(label)
    value = await choices.locator("option", has_text=holds).first.get_attribute("value")
    await choices.select_option(value)


async def then_the_child_is_done_and_the_meeting_ends(grace: Person, screen: str) -> None:
    await grace.open(screen)
    await grace.page.get_by_role("textbox", name="Discussion", exact=True).fill(DRAFT)
    await grace.press("Done: next child")
    await grace.open(screen)
    await expect(contribution(grace, DRAFT)).to_have_count(1)
    await grace.press("Not done after all")
    await grace.press("Done: next child")
    await grace.open(MEETING)
    await grace.press("End the meeting")
    await grace.reads("Talked about: 1 child", SAYS, NEEDS, f"{ACTION}, by 11 December 2026")
    await grace.reads("Petra Fallow", "Not confirmed yet")


# Written up -------------------------------------------------------------------------------------


async def the_notes(cast: Cast) -> list[str]:
    hana, grace = [await cast.with_scripts_off(one) for one in ("lead-education", "coordinator")]
    marta = await cast.with_scripts_off("parent-1")
    await when_hana_writes_the_note(hana)
    await when_it_is_signed_off_and_held_back_from_one(hana)
    await when_the_mother_answers(marta)
    await then_it_came_back_and_is_answered(grace, marta)
    await when_a_copy_goes_wrong(grace)
    return hana.seen + grace.seen + marta.seen


async def when_hana_writes_the_note(hana: Person) -> None:
    await hana.open(f"/panels/contacts/{FIRST}/notes")
    await hana.follow(CHILD)
    await hana.fill("The note", f"{NOTE}\n\nHer outcomes are good.")
    await hana.press("Save and check")
    await hana.fill("It stays, because (outcomes)", "It is her mother's own word.")
    await hana.press("Keep it (outcomes)")
    await hana.reads("Nothing is marked")
    await hana.follow("See it as on a phone")
    await hana.reads("This is what the family sees.")
    await hana.follow("Back to the note")


async def when_it_is_signed_off_and_held_back_from_one(hana: Person) -> None:
    await hana.press("Go on to sign-off")
    await hana.press("Sign off and send")
    await hana.reads("There is a problem")
    ways = await hana.page.get_by_role("group", name="How does it reach them?").all()
    assert len(ways) == 2, "A mother and somebody else, from whom it is held back."
    for way in ways:
        await way.get_by_label("By e-mail: it says only that notes are ready").check()
    for at, heading in enumerate(await hana.page.locator("form h2").all_inner_texts()):
        if "Marta" not in heading:
            reasons = hana.page.get_by_role("group", name="Hold it back from them?").nth(at)
            await reasons.get_by_label("could seriously harm somebody").check()
            await hana.page.get_by_label("Why", exact=True).nth(at).fill("A judge said so.")
    await hana.press("Sign off and send")
    await hana.reads("Who was sent it", "Held back")


async def when_the_mother_answers(marta: Person) -> None:
    await marta.page.set_viewport_size(PHONE)
    await marta.open("/family")
    await marta.follow("New notes from the panel")
    await marta.press("Send")
    await marta.reads("There is a problem")
    await when_she_disagrees(marta)
    for choice, words in (
        ("I agree with these notes.", ""),
        ("I could not say what I wanted to say.", "There was no time."),
        ("I have a question.", QUESTION),
    ):
        await marta.page.get_by_label(choice).check()
        await marta.fill("In your own words", words)
        await marta.press("Send")
        await marta.reads(choice, words or choice)


async def then_it_came_back_and_is_answered(grace: Person, marta: Person) -> None:
    await grace.open(f"/panels/contacts/{FIRST}/notes")
    await grace.follow(CHILD)
    await grace.reads(DISAGREES, "There was no time.", QUESTION, "Opened")
    asked = grace.page.locator("#answers li", has_text=QUESTION)
    await asked.get_by_label("Reply, in plain words").fill(REPLY)
    await grace.press("Send the reply", asked)
    await grace.reads(REPLY)
    await marta.open("/family")
    await marta.follow("Notes from the panel")
    await marta.reads(REPLY)


async def when_a_copy_goes_wrong(grace: Person) -> None:
    await grace.follow("This went to the wrong person")
    await grace.press("Close the copy and record it")
    await grace.reads("There is a problem")
    await grace.page.get_by_label("It went to a wrong address").check()
    await grace.fill("What happened", "A stranger rang.")
    await grace.press("Close the copy and record it")
    await grace.reads("What went wrong", "A stranger rang.")
    await grace.press("Done today")
    await grace.reads("Done on")
    await grace.press("Write a new version")
    await grace.fill("The note", NOTE)
    await grace.press("Save and check")
    await grace.open(f"/panels/contacts/{FIRST}/minutes")
    await grace.reads(SAYS)


# And again --------------------------------------------------------------------------------------


async def when_the_next_meeting_confirms_the_minutes(grace: Person) -> None:
    await open_agenda(grace, SECOND)
    await grace.press("Freeze and send packs")
    await grace.open(f"/panels/contacts/{SECOND}/meeting")
    for name in TABLE:
        await grace.page.get_by_label(f"{name} is here").check()
    await grace.press("Begin the meeting")
    await grace.follow("Thursday 3 December 2026")
    await grace.press("Confirm these minutes")
    await grace.reads("Confirmed on Thursday 17 December 2026 by Grace Tolliver.")


async def when_the_mother_chooses_who_sees_what(marta: Person) -> None:
    await marta.page.set_viewport_size(PHONE)
    await marta.open("/family")
    await marta.follow("Say how it is now")
    await marta.press("Send")
    await marta.reads("There is a problem")
    await marta.choose("What do you see?", "Half way")
    await marta.press("Send")
    await marta.reads("It is now 3 out of 5.")
    await marta.follow("Read the whole plan, and say what you think")
    await marta.choose("Do you agree with this plan?", "Yes, I agree")
    await marta.press("Send")
    await marta.reads("You said that you agree.")
    await marta.follow("Answer from 0 to 10")
    await marta.choose("Choose a number", "7")
    await marta.press("Send")
    await marta.reads("The plan")
    await marta.open("/family")
    await marta.follow("What to do if something goes wrong")
    await marta.reads("In danger, ring 999.")
    await marta.open("/family")
    await marta.follow("What happened so far")
    await marta.follow("Turn it round")
    await marta.reads("The oldest is first.")
    await marta.open("/family")
    await marta.follow("Who may see what")
    await marta.press("Stop sharing with")
    await marta.reads("It works at once")
    await marta.press("Yes, stop sharing")
    await marta.reads("You have chosen.")
    # She shares with everybody there is, so that no link leads there.
    await marta.open(f"{urlsplit(marta.page.url).path}/new")
    await marta.press("Read what it means")
    await marta.reads("There is a problem")
    await marta.follow("Back")
    await marta.follow("Read who looked, when and why")
    await marta.follow("When you signed in")
    await marta.reads("(this one)")
    await marta.press("Sign out")
    await marta.open("/family/sign-in")
    await marta.fill("Your e-mail address, or the reference from your letter", "K7QX-M2PD")
    await marta.press("Send me a code")
    await marta.fill("Code from the e-mail", "000000")
    await marta.fill("What you know", "1 1 2001")
    await marta.press("Sign in")
    await marta.reads("That is not right.")
