"""A meeting goes on while two people write, over a cut of half a minute and a server that is killed.

On the real meeting page of the demonstration: every keystroke of both is there afterwards, once, in
order and with its author, on the other's page too; and meanwhile nothing of it can be read in the
browsers' stores, nor in the files in which a browser keeps them.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from playwright.async_api import Browser, Locator, Request, expect

from tests.durability.serving import Site
from tests.journeys.browser_stores import KEPT, STATUS, readable_on_disk, stored
from tests.journeys.cast import Cast
from tests.journeys.person import Person
from tests.journeys.test_two_meetings import (
    CHILD,
    FIRST,
    FIRST_DAY,
    on,
    when_grace_freezes_the_agenda,
    when_the_meeting_begins,
)

pytestmark = pytest.mark.journey

BETWEEN_KEYS = 200
"""Milliseconds: what each writes below takes longer than 30 seconds."""
WRITTEN = {
    "lead-health": (
        "Rosa Whitlow",
        (
            "Wagtail one: she slept through on Monday and Tuesday.",
            "Wagtail two: the new moulds fit, and she keeps them in.",
            "Wagtail three: her mother asks for a later appointment.",
        ),
    ),
    "lead-education": (
        "Hana Oduya",
        (
            "Lapwing one: she sat at the front at story time today.",
            "Lapwing two: two children have learned to sign hello.",
            "Lapwing three: we need a second copy of the sign book.",
        ),
    ),
}
assert all(sum(map(len, said)) * BETWEEN_KEYS > 30_000 for _name, said in WRITTEN.values()), (
    "The cut lasts for at least half a minute."
)


BIRDS = ("Wagtail", "Lapwing")
"""One of them stands in everything that is typed here, and nowhere else."""
STORED_OPENLY = "Oystercatcher"
"""What a page does keep readably: what reads the browser's files finds it there."""
QUICKLY = 60
"""Milliseconds between two keys, in the longer story of a server that is killed."""
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
STORIES = {
    "lead-health": tuple(f"Wagtail {number}: a visit, at home, went well." for number in NUMBERS),
    "lead-education": tuple(
        f"Lapwing {number}: a morning went well, in class." for number in NUMBERS
    ),
}
UNFINISHED = "{bird}, in the middle of a wo"


async def test_nothing_is_lost_in_a_cut_of_half_a_minute(browser: Browser, data_dir: Path) -> None:
    async with on(FIRST, data_dir / "through-a-cut", browser, Person) as cast:
        grace = await given_grace_holds_the_meeting(cast)
        writers = {persona: await cast(persona) for persona in WRITTEN}
        for writer in writers.values():
            await writer.open(grace.page.url)
        await then_others_see_who_is_writing(writers["lead-health"], grace)
        for writer in writers.values():
            await writer.page.context.set_offline(True)
        await asyncio.gather(
            *(write(writers[persona], said) for persona, (_name, said) in WRITTEN.items())
        )
        for writer in writers.values():
            assert await then_nothing_can_be_read_in_the_stores(writer) == 3
            await writer.page.context.set_offline(False)
        for reader in (*writers.values(), grace):
            await then_every_text_is_there_once_in_order(reader)
        await grace.page.reload()
        await then_every_text_is_there_once_in_order(grace)


async def test_nothing_is_lost_when_the_server_is_killed(
    browser: Browser, data_dir: Path, tmp_path: Path
) -> None:
    said = {persona: (name, STORIES[persona]) for persona, (name, _said) in WRITTEN.items()}
    profiles = {persona: tmp_path / persona for persona in said}
    async with on(FIRST, data_dir / "killed", browser, Person) as cast:
        grace = await given_grace_holds_the_meeting(cast)
        writers = {persona: await cast.with_profile(persona, profiles[persona]) for persona in said}
        rosa, hana = writers.values()
        for writer in writers.values():
            await writer.open(grace.page.url)
            await writer.page.evaluate(f"localStorage.setItem('seen', '{STORED_OPENLY}')")
        writing = [
            asyncio.create_task(write_on(writers[persona], texts, bird))
            for bird, (persona, (_name, texts)) in zip(BIRDS, said.items(), strict=True)
        ]
        await when_the_server_is_killed(cast.site, as_leaves=(hana, "Lapwing two"))
        assert not any(task.done() for task in writing), "They write as the server is killed."
        await when_it_comes_back(cast.site, at="09:20")
        # What waited is sent, in order, before this one leaves.
        await when_the_server_is_killed(cast.site, as_leaves=(rosa, "Wagtail six"))
        await asyncio.gather(*writing)
        for persona, writer in writers.items():
            await expect(writer.page.locator(STATUS).first).to_contain_text(KEPT)
            assert await then_nothing_can_be_read_in_the_stores(writer) >= 2
            assert readable_on_disk(profiles[persona], BIRDS) == []
        await when_it_comes_back(cast.site, at="09:40")
        for reader in (*writers.values(), grace):
            await then_every_text_is_there_once_in_order(reader, said)
        await grace.page.reload()
        await then_every_text_is_there_once_in_order(grace, said)
        for bird, writer in zip(BIRDS, writers.values(), strict=True):
            await expect(discussion(writer)).to_have_value(UNFINISHED.format(bird=bird))
    for profile in profiles.values():
        assert readable_on_disk(profile, BIRDS) == []
        assert readable_on_disk(profile, (STORED_OPENLY,)), (
            "Nothing is found in these files at all."
        )


async def then_others_see_who_is_writing(rosa: Person, grace: Person) -> None:
    """For some seconds, beside the box, and to nobody who listens instead of looking."""
    await expect(rosa.page.locator("[data-presence]")).to_contain_text("Grace T")
    await discussion(rosa).press_sequentially("W")
    seen = grace.page.get_by_text("Rosa W is writing under Discussion")
    await expect(seen).to_be_visible()
    assert await seen.evaluate("shown => shown.closest('[aria-live], [role=status]') === null")
    await expect(rosa.page.locator("[data-writing]").first).to_be_hidden()
    await discussion(rosa).fill("")
    await expect(seen).to_be_hidden(timeout=20_000)


async def given_grace_holds_the_meeting(cast: Cast) -> Person:
    grace = await cast("coordinator")
    await when_grace_freezes_the_agenda(grace, FIRST)
    await when_the_meeting_begins(grace, FIRST_DAY)
    await grace.follow(CHILD)
    return grace


def discussion(writer: Person) -> Locator:
    return writer.page.get_by_role("textbox", name="Discussion", exact=True)


async def write(writer: Person, said: tuple[str, ...]) -> None:
    for text in said:
        await add(writer, text, BETWEEN_KEYS)
        await expect(writer.page.locator(STATUS).first).to_contain_text(KEPT)


async def write_on(writer: Person, said: tuple[str, ...], bird: str) -> None:
    """Without a look at what becomes of it; the last words are not added."""
    for text in said:
        await add(writer, text, QUICKLY)
    await discussion(writer).press_sequentially(UNFINISHED.format(bird=bird), delay=QUICKLY)


async def add(writer: Person, text: str, delay: int) -> None:
    await discussion(writer).press_sequentially(text, delay=delay, timeout=60_000)
    await writer.page.get_by_role("button", name="Add under Discussion").click()


async def when_the_server_is_killed(site: Site, as_leaves: tuple[Person, str]) -> None:
    """At the moment at which these words of somebody are on their way to it."""
    writer, words = as_leaves

    def has_them(request: Request) -> bool:
        return request.url.endswith("/say") and quote_plus(words) in (request.post_data or "")

    async with writer.page.expect_request(has_them, timeout=60_000):
        pass
    await asyncio.to_thread(site.kill)


async def when_it_comes_back(site: Site, at: str) -> None:
    """On the same port, later on the same day."""
    site.serving, site.as_of = ("serve",), f"{FIRST}T{at}"
    await asyncio.to_thread(site.start)


async def then_nothing_can_be_read_in_the_stores(writer: Person) -> int:
    """Gives how many rows there are that nobody can read."""
    rows, said = await stored(writer.page)
    for word in (*BIRDS, "sign", "went well", "discussion"):
        assert word not in said
    return rows


async def then_every_text_is_there_once_in_order(
    reader: Person, written: Mapping[str, tuple[str, tuple[str, ...]]] = WRITTEN
) -> None:
    for name, said in written.values():
        # Its first line says who wrote it and when, its second what.
        theirs = reader.page.locator("#said li.panel-said__item", has_text=name)
        await expect(theirs).to_have_count(len(said), timeout=40_000)
        await expect(theirs.locator("p.govuk-body")).to_have_text(list(said))
