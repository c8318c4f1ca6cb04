"""A meeting is begun, its children are gone through, and each is done once."""

from datetime import date

import pytest
from sqlalchemy import select

from panel.panels.models import Referral
from panel.register.models import SignificantEvent
from tests.panels.conftest import NEXT_MEETING
from tests.panels.meeting_world import (
    AGENDA,
    BEGINS,
    MEETING,
    MINUTE,
    Hall,
    hall,
    hidden_of,
    mistakes,
)

__all__ = ["hall"]


async def test_it_begins_on_its_day_and_once(hall: Hall) -> None:
    await hall.as_("coordinator")
    page = (await hall.get(MEETING)).text
    assert "Tick who is here, then begin." in page
    fields = await hall.form(MEETING, f"{MEETING}/begin")
    hall.clock.set(BEGINS + 4 * MINUTE)
    begun = await hall.client.post(f"{MEETING}/begin", data=fields)
    assert "Began at 9:34." in begun.text
    hall.clock.set(BEGINS + 9 * MINUTE)
    again = await hall.client.post(f"{MEETING}/begin", data=fields)
    assert "Began at 9:34." in again.text
    assert "3 children to come." in begun.text


async def test_before_its_day_it_can_only_be_looked_at(hall: Hall) -> None:
    hall.clock.set(BEGINS.replace(day=1))
    await hall.as_("coordinator")
    assert "The meeting can begin on its day." in (await hall.get(MEETING)).text
    screen = await hall.get(hall.screen("Amina"))
    assert "It opens for writing on the day." in screen.text
    assert "<textarea" not in screen.text
    token = await hall.form(MEETING, f"{MEETING}/attendance")
    refused = await hall.client.post(f"{MEETING}/begin", data={"_csrf_token": token["_csrf_token"]})
    assert refused.status_code == 409
    assert "It is not the day yet" in refused.text
    early = await hall.tick("coordinator")
    assert early.status_code == 422
    assert "Nobody can be here before Thursday 3 December 2026" in mistakes(early)


async def test_what_changed_since_the_panel_last_talked_stands_on_the_screen(hall: Hall) -> None:
    child = hall.child("Theo")
    async with hall.house.as_("job") as session:
        referral = await session.scalar(select(Referral).where(Referral.child_id == child))
        assert referral is not None
        referral.last_discussed_on = date(2026, 6, 4)
        for category, told in (
            ("development", "Stood up by the sofa."),
            ("finance", "Asked about a grant."),
        ):
            session.add(
                SignificantEvent(
                    child_id=child,
                    happened_on=date(2026, 11, 20),
                    kind="news",
                    category=category,
                    author_agency_id=hall.house.agencies["health"],
                    text=told,
                )
            )
    await hall.begin("chair", "member")
    page = (await hall.get(hall.screen("Theo"))).text
    assert "Since the panel last talked about them (4 June 2026)" in page
    assert "Stood up by the sofa" in page
    assert "Asked about a grant" not in page


async def test_one_child_on_one_screen(hall: Hall) -> None:
    await hall.begin("chair", "member")
    page = (await hall.get(hall.screen("Theo"))).text
    assert "Theo Kestrel</span>, 4 years 5 months" in page
    assert "Lead professional: Rosa Whitlow, Health visiting." in page
    assert "9:40, 10 minutes" in page
    assert "2 of 3" in page
    assert "There are no words of the family here." in page
    assert "The panel has not talked about this child before" in page
    assert "Thursday 11 February 2027" in page
    assert "The last panel on or before 3 June 2027, in term." in page
    assert 'data-key="n"' in page
    assert 'data-key="p"' in page
    assert 'data-initials="T K"' in page


async def test_done_places_the_review_and_goes_on(hall: Hall) -> None:
    await hall.begin("chair", "member")
    screen = hall.screen("Amina")
    fields = await hall.form(screen, f"{screen}/done")
    for _ in range(2):
        following = await hall.client.post(f"{screen}/done", data=fields)
        assert following.status_code == 200
    await hall.send(hall.screen("Theo"), f"{hall.screen('Theo')}/done")
    last = await hall.send(hall.screen("Jakub"), f"{hall.screen('Jakub')}/done")
    assert last.url.path == MEETING
    assert "Every child has been talked about." in last.text
    assert (await hall.item("Amina")).state == "discussed"
    async with hall.house.as_("coordinator") as session:
        referral = await session.scalar(
            select(Referral).where(Referral.child_id == hall.child("Amina"))
        )
        assert referral is not None
        assert referral.last_discussed_on == NEXT_MEETING
        assert referral.next_review_by == date(2027, 6, 3)
        assert referral.review_meeting_id is not None
        assert referral.state == "acknowledged"


DRAFTS = {
    "text": "Two schools were visited.",
    "category": "education",
    "needs_to_know-text": "The school nurse, from Easter.",
    "needs_to_know-category": "panel",
    "needs_to_know-for_family": "yes",
}
"""What stands under the headings of a page, not added yet."""


async def both(hall: Hall) -> dict[str, str]:
    """What a press of either form's buttons sends without scripts, with words in both boxes."""
    address = f"{hall.screen('Amina')}/say"
    return (
        await hall.form(hall.screen("Amina"), address, number=1)
        | await hall.form(hall.screen("Amina"), address)
        | DRAFTS
    )


@pytest.mark.parametrize("step", ["done", "say"])
async def test_what_stands_under_the_headings_is_saved_with_the_press(
    hall: Hall, step: str
) -> None:
    await hall.begin("chair", "member")
    sent = await both(hall)
    for _ in range(2):
        answer = await hall.client.post(f"{hall.screen('Amina')}/{step}", data=sent)
        assert answer.status_code == 200
    assert await hall.said("Amina") == [
        ("discussion", "education", "Two schools were visited."),
        ("needs_to_know", "panel", "The school nurse, from Easter."),
    ]
    assert (await hall.item("Amina")).state == ("discussed" if step == "done" else "listed")


async def test_a_mistake_under_a_heading_keeps_all_words_and_the_item_open(hall: Hall) -> None:
    await hall.begin("chair", "member")
    sent = await both(hall) | {"needs_to_know-text": "Nobody. " * 3_000}
    wrong = await hall.client.post(f"{hall.screen('Amina')}/done", data=sent)
    assert wrong.status_code == 422
    assert "must be 20,000 characters or fewer" in mistakes(wrong)
    assert 'href="#needs_to_know-text"' in wrong.text
    assert "Two schools were visited." in wrong.text
    assert "Nobody. Nobody." in wrong.text
    assert await hall.said("Amina") == []
    assert (await hall.item("Amina")).state == "listed"
    # Put right on the page that says so, it is saved, and the child is done.
    fields = hidden_of(wrong.text, f"{hall.screen('Amina')}/done")
    again = await hall.client.post(f"{hall.screen('Amina')}/done", data=sent | fields | DRAFTS)
    assert again.status_code == 200
    assert len(await hall.said("Amina")) == 2
    assert (await hall.item("Amina")).state == "discussed"


async def test_a_member_who_may_not_finish_a_child_saves_nothing_by_trying(hall: Hall) -> None:
    await hall.begin("chair", "member")
    await hall.as_("member")
    sent = await both(hall)
    refused = await hall.client.post(f"{hall.screen('Amina')}/done", data=sent)
    assert refused.status_code == 403
    assert await hall.said("Amina") == []


async def test_the_wrong_child_was_marked_as_done(hall: Hall) -> None:
    await hall.begin("chair")
    screen = hall.screen("Amina")
    async with hall.house.as_("coordinator") as session:
        referral = await session.scalar(
            select(Referral).where(Referral.child_id == hall.child("Amina"))
        )
        assert referral is not None
        referral.deferred_on, referral.next_review_by = date(2026, 11, 19), date(2026, 12, 1)
        before = (referral.state, None, None, date(2026, 12, 1), None, date(2026, 11, 19))
    await hall.send(screen, f"{screen}/done")
    page = await hall.get(screen)
    assert "Not done after all" in page.text
    again = await hall.send(screen, f"{screen}/not-done")
    assert "Done: next child" in again.text
    assert (await hall.item("Amina")).state == "listed"
    async with hall.house.as_("coordinator") as session:
        referral = await session.scalar(
            select(Referral).where(Referral.child_id == hall.child("Amina"))
        )
        assert referral is not None
        assert (
            referral.state,
            referral.first_panel_on,
            referral.last_discussed_on,
            referral.next_review_by,
            referral.review_meeting_id,
            referral.deferred_on,
        ) == before


async def test_a_review_by_another_day_needs_a_reason(hall: Hall) -> None:
    await hall.begin("chair")
    screen = hall.screen("Amina")
    wanted = {"review_by-day": "1", "review_by-month": "2", "review_by-year": "2027"}
    silent = await hall.send(screen, f"{screen}/review", wanted)
    assert silent.status_code == 422
    assert "Say why, so that others understand it" in mistakes(silent)
    early = await hall.send(
        screen, f"{screen}/review", {**wanted, "review_by-year": "2026", "review_why": "x"}
    )
    assert "must be after 3 December 2026 and not after 3 December 2027" in mistakes(early)
    said = {**wanted, "review_why": "An operation in February"}
    kept = await hall.send(screen, f"{screen}/review", said)
    assert "Thursday 28 January 2027" in kept.text
    assert "Chosen by the panel: An operation in February" in kept.text
    await hall.send(screen, f"{screen}/done")
    async with hall.house.as_("coordinator") as session:
        referral = await session.scalar(
            select(Referral).where(Referral.child_id == hall.child("Amina"))
        )
        assert referral is not None
        assert referral.next_review_by == date(2027, 2, 1)


async def test_two_who_place_a_review_at_once_see_both(hall: Hall) -> None:
    await hall.begin("chair")
    screen = hall.screen("Amina")
    stale = await hall.form(screen, f"{screen}/review")
    said = {"review_by": "2027-03-01", "review_why": "An operation"}
    await hall.send(screen, f"{screen}/review", said)
    clash = await hall.client.post(
        f"{screen}/review", data=stale | {"review_by": "2027-04-01", "review_why": "Easter"}
    )
    assert clash.status_code == 409
    assert "1 April 2027" in clash.text
    assert "1 March 2027" in clash.text


@pytest.mark.parametrize("who", ["lead", "administrator"])
async def test_who_does_not_sit_there_sees_no_meeting(hall: Hall, who: str) -> None:
    await hall.begin("chair")
    await hall.as_(who)
    for address in (MEETING, hall.screen("Amina")):
        answer = await hall.get(address)
        assert answer.status_code in (403, 404)
        assert "Amina" not in answer.text


async def test_a_child_who_is_not_on_it_has_no_screen(hall: Hall) -> None:
    await hall.begin("chair")
    answer = await hall.get(f"{MEETING}/{hall.house.panel_id}")
    assert answer.status_code == 404


async def test_the_agenda_leads_to_the_meeting(hall: Hall) -> None:
    await hall.as_("coordinator")
    assert f'href="{MEETING}"' in (await hall.get(AGENDA)).text
    home = (await hall.get("/")).text
    assert f'href="{MEETING}"' in home
    assert "Hold the meeting" in home
