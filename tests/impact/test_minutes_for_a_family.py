"""Minutes: views side by side, decisions under outcomes, sent, held back, commented and signed."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from consent import Category
from panel.impact.answers import Signature, answers_of, comment, open_own, own_minutes, sign
from panel.impact.family_lines import meetings_for_family, where_words
from panel.impact.meetings import meeting_row
from panel.impact.minutes import (
    Copy,
    another_version,
    keep_mark,
    minutes_of,
    read_minutes,
    save_minutes,
    send_minutes,
)
from panel.impact.minutes_rules import DraftPart, MinutesFacts, draft
from panel.impact.rules import Kind
from panel.impact.views import Said, decide, decided_at, say_view, take_view_back, write_view
from panel.panels.note_context import gather_for_plan
from panel.panels.note_rules import HeldBack
from panel.plans.models import Action
from panel.plans.service import ActionWords
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound, Problem
from tests.impact.conftest import TODAY, World

PLAIN = "We met to talk about Amina. She sleeps a little better."


def test_the_first_draft_keeps_each_view_and_blends_none() -> None:
    said = draft(
        MinutesFacts(
            "Amina",
            date(2026, 11, 23),
            ("Marta Kestrel", "Rosa Whitlow"),
            (
                DraftPart(
                    "Amina sleeps through the night.",
                    (
                        ("Marta Kestrel", "She needs her own room."),
                        ("Rosa Whitlow", "She does not."),
                    ),
                    ("Try a night light first",),
                    (("Bring a night light.", "Rosa Whitlow", date(2026, 12, 4)),),
                ),
                DraftPart("Nothing was said of this"),
                DraftPart("", (("Ben Kestrel", "Too many visits"),)),
            ),
            date(2026, 12, 21),
        )
    )
    assert said == (
        "On Monday 23 November 2026 we met to talk about Amina.\n\n"
        "Who was there: Marta Kestrel and Rosa Whitlow.\n\n"
        "What we want: Amina sleeps through the night.\n"
        "What people think:\n- Marta Kestrel: “She needs her own room.”\n"
        "- Rosa Whitlow: “She does not.”\n"
        "What was decided:\n- Try a night light first.\n"
        "Who does what:\n- Bring a night light – Rosa Whitlow, by 4 December 2026.\n\n"
        "What people think:\n- Ben Kestrel: “Too many visits”\n\n"
        "We will meet again on Monday 21 December 2026."
    )


async def test_views_stand_side_by_side_under_what_they_are_about(world: World) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.held()
    async with world.opened() as access:
        row = await meeting_row(access, meeting)
        outcome = world.outcome
        await write_view(access, row, Said(world.mother, "She needs her own room.", outcome))
        await write_view(
            access, row, Said(world.lead.id, "She does not.", outcome, Category.HEALTH)
        )
    async with world.as_family(world.father) as access:
        await say_view(access, meeting, "Too many visits")
    async with world.opened() as access:
        row = await meeting_row(access, meeting)
        action = ActionWords("Bring a night light", outcome, world.lead.id, "", date(2026, 12, 4))
        await decide(access, row, outcome, "Try a night light first", action)
        (made,) = await access.session.scalars(select(Action).where(Action.meeting_id == meeting))
        assert (made.plan_id is not None, made.outcome_id) == (True, outcome)
        about, all_of_it = await decided_at(access, row)
    assert [(one.who, one.words) for one in about.views] == [
        ("Marta Kestrel", "She needs her own room."),
        ("Rosa Whitlow", "She does not."),
    ]
    assert [one.words for one in about.decisions] == ["Try a night light first"]
    assert [(one.text, one.who, one.due_on) for one in about.actions] == [
        ("Bring a night light", "Rosa Whitlow", date(2026, 12, 4))
    ]
    assert [(one.who, one.words) for one in all_of_it.views] == [("Ben Kestrel", "Too many visits")]
    with pytest.raises(NotAllowed):
        async with world.opened(world.assessor) as access:
            row = await meeting_row(access, meeting)
            await take_view_back(access, row, about.views[0].id)


async def test_a_decision_goes_under_an_outcome_and_a_view_is_somebodys(world: World) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.held()
    stranger = world.house.viewers["member"].id
    with pytest.raises(Invalid) as refused:
        async with world.opened() as access:
            await decide(access, await meeting_row(access, meeting), None, "", None)
    assert [one.sentence for one in refused.value.errors] == [
        "Choose the desired outcome that this is for", "Write down what was decided",
    ]  # fmt: skip
    with pytest.raises(Invalid) as refused:
        async with world.opened() as access:
            await write_view(
                access, await meeting_row(access, meeting), Said(stranger, " ", meeting)
            )
    assert [one.field for one in refused.value.errors] == ["person", "words", "outcome_id"]


async def sent(world: World, copies: tuple[Copy, ...] | None = None) -> None:
    """Minutes of a meeting that was held, written plainly and sent."""
    gathered = await gather_for_plan(world.house.tenant, world.child)
    await world.step(Kind.IMPACT)
    meeting = await world.held()
    async with world.opened() as access:
        of = await minutes_of(access, await meeting_row(access, meeting), gathered)
        row = await save_minutes(of, PLAIN, 0)
        await send_minutes(of, copies or (Copy(world.mother), Copy(world.father)), row.version)


async def test_minutes_are_checked_before_they_go(world: World) -> None:
    gathered = await gather_for_plan(world.house.tenant, world.child)
    await world.step(Kind.IMPACT)
    meeting = await world.held()
    both = (Copy(world.mother), Copy(world.father))
    async with world.opened() as access:
        of = await minutes_of(access, await meeting_row(access, meeting), gathered)
        row = await save_minutes(of, "Theo was there too. The neighbour was not.", 0)
        version = row.version
        page = await read_minutes(of)
        assert [one.words for one in page.open_marks] == ["Theo", "neighbour"]
    with pytest.raises(Invalid) as refused:
        async with world.opened() as access:
            of = await minutes_of(access, await meeting_row(access, meeting), gathered)
            await send_minutes(of, both, version)
    assert [one.field for one in refused.value.errors] == ["marks", "marks"]
    async with world.opened() as access:
        of = await minutes_of(access, await meeting_row(access, meeting), gathered)
        for mark in page.open_marks:
            await keep_mark(of, mark.kind.value, mark.words, "He is her brother", version)
            version += 1
        held = Copy(world.father, HeldBack.SERIOUS_HARM)
        with pytest.raises(Invalid) as refused:
            await send_minutes(of, (Copy(world.mother), held), version)
        assert refused.value.errors[0].sentence == "Say why the minutes are held back"
        await send_minutes(of, both, version)


async def test_two_who_write_at_once_both_read_both(world: World) -> None:
    gathered = await gather_for_plan(world.house.tenant, world.child)
    await world.step(Kind.IMPACT)
    meeting = await world.held()
    async with world.opened() as access:
        of = await minutes_of(access, await meeting_row(access, meeting), gathered)
        await save_minutes(of, "Mine", 0)
    with pytest.raises(Conflict) as refused:
        async with world.opened(world.assessor) as access:
            of = await minutes_of(access, await meeting_row(access, meeting), gathered)
            await save_minutes(of, "Theirs", 0)
    assert [(one.yours, one.theirs) for one in refused.value.clashes] == [("Theirs", "Mine")]


async def test_the_family_reads_comments_and_signs_agreeing_or_not(world: World) -> None:
    await sent(world)
    async with world.as_family(world.mother) as access:
        (one,) = await own_minutes(access)
        assert (one.text, one.is_new) == (PLAIN, True)
        await comment(access, one.id, "Thank you")
        with pytest.raises(Invalid) as refused:
            await sign(access, one.id, Signature("disagree", "", " ", is_ticked=False))
        assert [said.sentence for said in refused.value.errors] == [
            "Type your name", "Tick the box to sign", "Write what you do not agree with",
        ]  # fmt: skip
    async with world.as_family(world.mother) as access:
        given = Signature("disagree", "She needs a room", "Marta Kestrel", is_ticked=True)
        await sign(access, one.id, given)
    with pytest.raises(Problem) as twice:
        async with world.as_family(world.mother) as access:
            await sign(access, one.id, given)
    assert twice.value.title == "You signed these minutes"
    async with world.as_family(world.mother) as access:
        minutes, _over = await meetings_for_family(access)
        assert minutes.more == "You signed them on 23 November 2026."
    async with world.as_family(world.father) as access:
        minutes, _over = await meetings_for_family(access)
        assert minutes.more.startswith("You can read them")
        own = await open_own(access, one.id)
        assert own.answers == ()
    async with world.opened(world.assessor) as access:
        row = await meeting_row(access, one.meeting_id)
        answers = await answers_of(access, row, {world.mother: "Marta Kestrel"})
        assert [(each.who, each.agrees, each.words, each.signed_name) for each in answers] == [
            ("Marta Kestrel", "disagree", "She needs a room", "Marta Kestrel"),
            ("Marta Kestrel", None, "Thank you", ""),
        ]
        assert answers[0].signed_at is not None


async def test_minutes_that_are_held_back_are_not_found(world: World) -> None:
    held = Copy(world.father, HeldBack.SERIOUS_HARM, "He threatened to come to the school")
    await sent(world, (Copy(world.mother), held))
    async with world.as_family(world.mother) as access:
        (one,) = await own_minutes(access)
    async with world.as_family(world.father) as access:
        assert await own_minutes(access) == []
        with pytest.raises(NotFound):
            await open_own(access, one.id)
    with pytest.raises(NotFound):
        async with world.as_family(world.father) as access:
            await comment(access, one.id, "Why")


async def test_minutes_that_were_sent_stay_and_another_version_follows(world: World) -> None:
    await sent(world)
    gathered = await gather_for_plan(world.house.tenant, world.child)
    async with world.as_family(world.mother) as access:
        (one,) = await own_minutes(access)
    with pytest.raises(Problem):
        async with world.opened() as access:
            of = await minutes_of(access, await meeting_row(access, one.meeting_id), gathered)
            await save_minutes(of, "Other words", 2)
    async with world.opened() as access:
        of = await minutes_of(access, await meeting_row(access, one.meeting_id), gathered)
        row = await another_version(of)
        row = await save_minutes(of, "Put right", row.version)
        await send_minutes(of, (Copy(world.mother), Copy(world.father)), row.version)
    async with world.as_family(world.mother) as access:
        (now,) = await own_minutes(access)
        assert (now.text, now.number) == ("Put right", 2)


async def test_the_familys_page_says_what_the_workers_say(world: World) -> None:
    async with world.as_family(world.mother) as access:
        assert await where_words(access) == ""
    await sent(world)
    meeting = await world.planned()
    async with world.as_family(world.mother) as access:
        assert await where_words(access) == (
            "Since 23 November 2026 the people who help meet with you (IMPACT)."
            " Nothing was stopped."
        )
        coming, minutes, over = await meetings_for_family(access)
    assert (coming.title, coming.is_new) == ("Meeting on Monday 30 November 2026", True)
    assert coming.on is None
    assert str(meeting) in coming.href
    assert minutes.title == "Minutes of the meeting on Monday 23 November 2026"
    assert over.more == "This meeting took place."
    await world.called()
    async with world.as_family(world.mother) as access:
        assert date(2026, 11, 30) in [one.on for one in await meetings_for_family(access)]
    await world.step(Kind.CONTACTS, TODAY + timedelta(days=0))
    async with world.as_family(world.mother) as access:
        assert await where_words(access) == ""
