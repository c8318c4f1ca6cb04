"""The survey through the services: offered once, answered, shown or not, taken back, counted."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from consent import Purpose
from panel.governance.rights_gather import gather
from panel.insight.core.facts import Perception
from panel.insight.core.words import QUESTIONS
from panel.insight.feed import check, feed
from panel.insight.storing import events, stored
from panel.insight.voice.answering import (
    Answers,
    answer,
    dismiss,
    open_own,
    own_surveys,
    shown_to_workers,
    withdraw,
)
from panel.insight.voice.models import Survey
from panel.insight.voice.rules import OPEN_FOR, SurveyState
from panel.platform.clock import FixedClock
from panel.platform.erasure import DestroyedKeys, Order, destroy
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from panel.records.restricted_use import ProcessingRestriction
from tests.insight.voice.answers import GIVEN, SECRET_WORDS, as_person, offered, says
from tests.panels.note_world import Held, protect, rows_of

pytestmark = pytest.mark.database

AFTER_TERM = datetime(2027, 1, 2, 9, 30, tzinfo=UTC)
AUTUMN = "2026-autumn"
COUNTED = Answers(GIVEN)
SHOWN = Answers(GIVEN, SECRET_WORDS, is_shown=True)


async def facts(held: Held, clock: FixedClock) -> dict[str, int]:
    """Question → answer, once the term is over; facts are what the rooms say."""
    clock.set(AFTER_TERM)
    async with held.house.as_("job") as session:
        await feed(session)
        assert (await check(session)).in_words() == ""
        found = [one async for one in stored(session) if isinstance(one, Perception)]
        assert {one.period for one in found} <= {AUTUMN}
        return {one.question: one.answer for one in found}


async def test_who_got_the_notes_is_asked_once(held: Held, note: UUID) -> None:
    assert await offered(held) == 1
    assert await offered(held) == 0
    [row] = await rows_of(held, Survey)
    assert (row.person_id, row.occasion, row.state) == (held.mother, "panel", "offered")
    assert row.meeting_id == held.meeting
    assert note


async def test_a_discussion_that_was_a_review_is_asked_about_as_one(held: Held, note: UUID) -> None:
    async with held.house.as_("job") as session:
        await session.execute(
            text("UPDATE agenda_item SET why = 'review_due' WHERE child_id = :c"),
            {"c": held.child},
        )
    await offered(held)
    [row] = await rows_of(held, Survey)
    assert row.occasion == "review"
    assert note


async def test_nobody_is_asked_of_a_record_that_is_only_kept_or_long_after(
    held: Held, note: UUID, clock: FixedClock
) -> None:
    assert note
    async with held.house.as_("job") as session:
        session.add(
            ProcessingRestriction(child_id=held.child, from_on=date(2026, 11, 20), why="Disputed")
        )
    assert await offered(held) == 0
    async with held.house.as_("job") as session:
        await session.execute(text("UPDATE processing_restriction SET ended_on = '2026-11-21'"))
    clock.set(clock.now() + 2 * OPEN_FOR)
    assert await offered(held) == 0


async def test_answers_feed_the_facts_and_words_do_not(
    held: Held, note: UUID, clock: FixedClock
) -> None:
    assert note
    await offered(held)
    await says(held, held.mother, SHOWN)
    [row] = await rows_of(held, Survey)
    assert (row.state, row._own_words) == (SurveyState.ANSWERED, SECRET_WORDS)
    assert await facts(held, clock) == {
        "information": 5, "assessment": 4, "transparency": 1, "participation": 0, "feedback": 0,
    }  # fmt: skip
    async with held.house.as_("job") as session:
        kept = repr(await events(session))
        assert "zqvoice" not in kept
        [[sealed]] = (await session.execute(text("SELECT own_words FROM survey"))).all()
        assert b"zqvoice" not in bytes(sealed)


async def test_what_was_only_offered_counts_as_offered(
    held: Held, note: UUID, clock: FixedClock
) -> None:
    assert note
    await offered(held)
    async with as_person(held, held.mother) as access:
        [own] = await own_surveys(access)
        await dismiss(access, own.id, own.version)
    assert await facts(held, clock) == dict.fromkeys(QUESTIONS, 0)
    async with as_person(held, held.mother) as access:
        [own] = await own_surveys(access)
        assert not own.is_open
        with pytest.raises(NotAllowed):
            await answer(access, own.id, own.version, COUNTED)


async def test_what_is_taken_back_is_gone_from_the_row_and_from_facts(
    held: Held, note: UUID, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert note
    await offered(held)
    answered = await says(held, held.mother, SHOWN)
    # Of more than a page lists, each can still be opened and taken back.
    monkeypatch.setattr("panel.insight.voice.answering.MOST", 0)
    async with as_person(held, held.mother) as access:
        own = await open_own(access, answered)
        await withdraw(access, own.id, own.version)
    [row] = await rows_of(held, Survey)
    assert (row.state, row._own_words, row.is_shown) == ("withdrawn", "", False)
    assert {getattr(row, one) for one in QUESTIONS} == {None}
    assert await facts(held, clock) == dict.fromkeys(QUESTIONS, 0)


async def test_an_erased_child_has_no_answers_among_the_facts(
    held: Held, note: UUID, clock: FixedClock, tmp_path: Path
) -> None:
    assert note
    await offered(held)
    await says(held, held.mother, SHOWN)
    assert await facts(held, clock)
    async with held.house.as_("job") as session:
        await destroy(
            session,
            held.house.tenant,
            DestroyedKeys(tmp_path),
            [held.child],
            Order("a list", "the job"),
        )
    assert await facts(held, clock) == {}


# Who reads it -------------------------------------------------------------------------------------


async def test_no_worker_and_no_other_parent_sees_what_is_only_counted(
    held: Held, note: UUID
) -> None:
    assert note
    await offered(held)
    answered = await says(held, held.mother, COUNTED)
    for who in ("lead", "coordinator"):
        async with held.house.opened("Amina", who) as access:
            assert await shown_to_workers(access) == []
            assert await access.session.get(Survey, answered) is None, "not even the row"
    async with as_person(held, held.father) as access:
        assert await own_surveys(access) == []
        with pytest.raises(NotFound):
            await withdraw(access, answered, 2)


async def test_workers_read_what_the_family_shows_them(held: Held, note: UUID) -> None:
    assert note
    await offered(held)
    await says(held, held.mother, SHOWN)
    async with held.house.opened("Amina", "lead") as access:
        [shown] = await shown_to_workers(access)
    assert (shown.answers.own_words, shown.answers.given["information"]) == (SECRET_WORDS, 5)
    assert "Marta" in shown.who
    async with as_person(held, held.father) as access:
        assert await own_surveys(access) == []
    await protect(held, held.house.viewers["lead"].id, "views")
    async with held.house.opened("Amina", "lead") as access:
        assert await shown_to_workers(access) == []


async def test_words_that_nobody_would_read_are_not_taken(held: Held, note: UUID) -> None:
    assert note
    await offered(held)
    for wrong, field in (
        (Answers(GIVEN, SECRET_WORDS), "own_words"),
        (Answers(dict.fromkeys(QUESTIONS)), "information"),
    ):
        with pytest.raises(Invalid) as refused:
            await says(held, held.mother, wrong)
        assert [one.field for one in refused.value.errors] == [field]


async def test_two_pages_of_one_person_do_not_write_over_each_other(held: Held, note: UUID) -> None:
    assert note
    await offered(held)
    async with as_person(held, held.mother) as access:
        [first] = await own_surveys(access)
    await says(held, held.mother, COUNTED)
    with pytest.raises(Conflict) as both:
        async with as_person(held, held.mother) as access:
            await answer(access, first.id, first.version, SHOWN)
    assert SECRET_WORDS in repr(both.value.clashes)


async def test_while_use_is_restricted_nothing_is_written(held: Held, note: UUID) -> None:
    assert note
    await offered(held)
    async with held.house.as_("job") as session:
        session.add(
            ProcessingRestriction(child_id=held.child, from_on=date(2026, 11, 20), why="Disputed")
        )
    with pytest.raises(NotAllowed):
        await says(held, held.mother, COUNTED)


async def test_a_copy_of_the_record_has_it(held: Held, note: UUID) -> None:
    assert note
    await offered(held)
    await says(held, held.mother, SHOWN)
    async with held.house.gate.open(
        held.child, held.house.viewers["lead"], (Purpose.SUPPORT,), "tried it"
    ) as access:
        pieces = [one for one in await gather(access, ()) if one.table == "survey"]
    assert SECRET_WORDS in json.dumps([one.text for one in pieces])
    assert {one.person for one in pieces} == {str(held.mother)}
