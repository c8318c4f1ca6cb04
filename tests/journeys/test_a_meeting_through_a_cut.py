"""A meeting goes on while the network is cut for half a minute and two people write.

On the real meeting page of the demonstration: every keystroke of both is there afterwards, once, in
order and with its author, on the other's page too; and meanwhile nothing of it can be read in the
browsers' stores.
"""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.journeys.person import Person
from tests.journeys.test_two_meetings import (
    CHILD,
    FIRST,
    FIRST_DAY,
    contribution,
    on,
    when_grace_freezes_the_agenda,
    when_the_meeting_begins,
)
from tests.journeys.test_typing_through_a_cut import KEPT, STATUS, stored

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


async def test_nothing_is_lost_in_a_cut_of_half_a_minute(browser: Browser, data_dir: Path) -> None:
    async with on(FIRST, data_dir / "through-a-cut", browser, Person) as cast:
        grace = await cast("coordinator")
        await when_grace_freezes_the_agenda(grace, FIRST)
        await when_the_meeting_begins(grace, FIRST_DAY)
        await grace.follow(CHILD)
        writers = {persona: await cast(persona) for persona in WRITTEN}
        for writer in writers.values():
            await writer.open(grace.page.url)
        for writer in writers.values():
            await writer.page.context.set_offline(True)
        await asyncio.gather(
            *(write(writers[persona], said) for persona, (_name, said) in WRITTEN.items())
        )
        for writer in writers.values():
            await then_nothing_can_be_read_in_the_stores(writer)
            await writer.page.context.set_offline(False)
        for reader in (*writers.values(), grace):
            await then_every_text_is_there_once_in_order(reader)
        await grace.page.reload()
        await then_every_text_is_there_once_in_order(grace)


async def write(writer: Person, said: tuple[str, ...]) -> None:
    box = writer.page.get_by_role("textbox", name="Discussion", exact=True)
    for text in said:
        await box.press_sequentially(text, delay=BETWEEN_KEYS, timeout=60_000)
        await writer.page.get_by_role("button", name="Add under Discussion").click()
        await expect(writer.page.locator(STATUS).first).to_contain_text(KEPT)


async def then_nothing_can_be_read_in_the_stores(writer: Person) -> None:
    rows, said = await stored(writer.page)
    assert rows == 3
    for word in ("Wagtail", "Lapwing", "sign", "discussion"):
        assert word not in said


async def then_every_text_is_there_once_in_order(reader: Person) -> None:
    for name, said in WRITTEN.values():
        for text in said:
            await expect(contribution(reader, text)).to_have_count(1, timeout=30_000)
            await expect(contribution(reader, text)).to_contain_text(name)
        shown = await reader.page.locator("li.panel-said__item").all_inner_texts()
        places = [next(place for place, one in enumerate(shown) if text in one) for text in said]
        assert places == sorted(places)
