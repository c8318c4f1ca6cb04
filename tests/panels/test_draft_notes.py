"""A note is drafted from what was marked for the family, and saved as it is typed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from panel.panels.note_models import FamilyNote
from panel.panels.note_rules import DraftAction, DraftFacts, draft
from panel.platform.clock import FixedClock
from tests.conftest import SignIn
from tests.panels.note_world import (
    HELD,
    NOTES,
    PLAIN,
    Client,
    Held,
    form_of,
    held,
    lead,
    rows_of,
    words,
)

__all__ = ["held", "lead"]


def test_a_draft_is_plain_sentences() -> None:
    facts = DraftFacts(
        "Amina",
        HELD,
        ("She sleeps well now.",),
        (DraftAction("Visit the nursery", "Rosa Whitlow", HELD), DraftAction("Rest.", "", None)),
        (("Hana Oduya, Early years", HELD),),
        next_on=None,
        next_by=HELD,
    )
    assert draft(facts) == (
        "On Thursday 19 November 2026 the panel talked about Amina.\n\nShe sleeps well now.\n\n"
        "What will happen:\n- Visit the nursery – Rosa Whitlow, by 19 November 2026.\n- Rest.\n\n"
        "Who will help:\n- Hana Oduya, Early years, from 19 November 2026.\n\n"
        "The panel will talk about Amina again by 19 November 2026."
    )


async def test_only_what_was_marked_is_drafted_and_the_rest_stands_beside_it(
    lead: Client, held: Held
) -> None:
    page = await lead.get(held.page)
    assert page.status_code == 200, page.text
    said = words(page)
    assert "The family owes rent" in said
    text = page.text[page.text.index("<textarea") : page.text.index("</textarea>")]
    assert "She sleeps well now." in text
    assert "owes rent" not in text
    assert "again by 19 May 2027" in text
    assert await rows_of(held, FamilyNote) == []


async def test_who_runs_the_panel_sees_every_note_of_the_meeting(
    lead: Client, held: Held, sign_in: SignIn, clock: FixedClock
) -> None:
    clock.set(datetime(2026, 12, 1, 9, 30, tzinfo=UTC))
    await sign_in(held.house.viewers["coordinator"].id)
    listed = words(await lead.get(NOTES))
    assert "Amina Kestrel Late 5 days late None yet Nothing yet" in listed
    assert "Theo Kestrel" in listed
    home = await lead.get("/")
    assert "2 notes of 19 November 2026 overdue by 5 days" in words(home)
    assert f'href="{NOTES}"' in home.text


async def test_a_lead_sees_the_notes_of_the_children_they_lead(lead: Client, held: Held) -> None:
    assert "Amina Kestrel" in words(await lead.get(NOTES))
    assert f'href="{NOTES}"' in (await lead.get("/")).text


@pytest.mark.parametrize("who", ["assessor", "member", "administrator"])
async def test_nobody_else_reads_or_writes_it(
    client: Client, held: Held, sign_in: SignIn, who: str
) -> None:
    await sign_in(held.house.viewers[who].id)
    assert (await client.get(held.page)).status_code in (403, 404)


async def test_it_is_saved_by_the_button(lead: Client, held: Held) -> None:
    fields = await form_of(lead, held.page, held.page)
    saved = await lead.post(held.page, data=fields | {"text": PLAIN})
    assert saved.status_code == 200
    assert "Rosa Whitlow will ring you on Monday." in saved.text
    [row] = await rows_of(held, FamilyNote)
    assert (row.state, row.number) == ("draft", 1)
    assert row.categories == ["health", "panel"]
    assert row.text_sealed is not None
    assert b"sleeps" not in row.text_sealed


async def test_it_is_saved_as_it_is_typed(lead: Client, held: Held) -> None:
    fields = await form_of(lead, held.page, held.page)
    first: dict[str, Any] = (
        await lead.post(f"{held.page}/typed", data=fields | {"text": PLAIN})
    ).json()
    assert first == {"version": 1, "saved": "9:30"}
    second = await lead.post(
        f"{held.page}/typed", data=fields | {"text": PLAIN + " Yes.", "version": "1"}
    )
    assert second.json()["version"] == 2


async def test_two_writers_lose_nothing(lead: Client, held: Held) -> None:
    fields = await form_of(lead, held.page, held.page)
    await lead.post(held.page, data=fields | {"text": "The first text."})
    clash = await lead.post(held.page, data=fields | {"text": "The second text."})
    assert clash.status_code == 409
    assert "The first text." in clash.text
    assert "The second text." in clash.text
    typed = await lead.post(f"{held.page}/typed", data=fields | {"text": "The third text."})
    assert typed.status_code == 409


async def test_a_note_that_is_too_long_is_refused_with_its_words(lead: Client, held: Held) -> None:
    fields = await form_of(lead, held.page, held.page)
    answer = await lead.post(held.page, data=fields | {"text": "word " * 5_000})
    assert answer.status_code == 422
    assert "20,000 characters or fewer" in answer.text
    assert "word word" in answer.text


async def test_a_meeting_that_is_not_over_has_no_notes(lead: Client, held: Held) -> None:
    other = held.page.replace(str(HELD), "2026-12-03")
    assert (await lead.get(other)).status_code == 404


async def test_the_preview_is_what_the_parent_will_see(lead: Client, held: Held) -> None:
    page = words(await lead.get(f"{held.page}/preview"))
    assert "Notes from the panel on Thursday 19 November 2026" in page
    assert "She sleeps well now." in page
