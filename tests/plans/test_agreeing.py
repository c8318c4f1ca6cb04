"""A plan is agreed in versions, and each one says of it what they say, in their own words."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from panel.plans.agreeing import (
    Agrees,
    answer_as_worker,
    answer_own,
    answers_to,
    write_down_answer,
)
from panel.plans.measure_rules import Smart
from panel.plans.measures import set_measure
from panel.plans.service import (
    ActionWords,
    OutcomeWords,
    PlanReading,
    add_action,
    add_outcome,
    agree_plan,
    change_action,
    mark_done,
    plan_for_reading,
    start_plan,
)
from panel.plans.versions import is_changed_since, versions_of
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.records.gate import Access
from tests.plans.conftest import People

Open = Callable[..., AbstractAsyncContextManager[Access]]
TODAY = date(2026, 11, 23)


async def read(access: Access) -> PlanReading:
    plan = await plan_for_reading(access)
    assert isinstance(plan, PlanReading)
    return plan


async def agree(access: Access, on: date = TODAY) -> Any:
    return await agree_plan(access, (await read(access)).version, on)


async def with_an_outcome(access: Access) -> PlanReading:
    await start_plan(access, "Sleep")
    await add_outcome(access, OutcomeWords("Two unbroken nights a week", "A diary", 1, 4))
    await add_action(access, ActionWords("Sleep clinic", owner_words="Mum", due_on=TODAY))
    return await read(access)


async def test_each_agreement_keeps_what_was_agreed(opened: Open, people: People) -> None:
    async with opened(people.rosa) as access:
        plan = await with_an_outcome(access)
        outcome = plan.outcomes[0].id
        await set_measure(access, outcome, 0, Smart("Awake every night", judged_by="parent"))
        first = await agree(access)
        assert not await is_changed_since(access, await read(access))
        # How far an action is changes nothing that was agreed.
        await mark_done(access, plan.actions[0].id)
        assert not await is_changed_since(access, await read(access))
        with pytest.raises(Invalid):
            await agree(access)
        await add_outcome(access, OutcomeWords("Plays with her sister"))
        assert await is_changed_since(access, await read(access))
        second = await agree(access)
        told = await versions_of(access, plan.id)
        assert [one.id for one in told] == [second.id, first.id]
        assert [len(one.content.outcomes) for one in told] == [2, 1]
        assert told[1].content.outcomes[0].smart == Smart("Awake every night", judged_by="parent")
        assert told[1].content.actions[0].owner == "Mum"


async def test_a_plan_with_no_outcome_cannot_be_agreed(opened: Open, people: People) -> None:
    async with opened(people.rosa) as access:
        await start_plan(access, "Sleep")
        with pytest.raises(Invalid) as refused:
            await agree(access)
    assert refused.value.errors[0].sentence.startswith("Add at least one desired outcome")


async def test_nothing_is_planned_for_after_the_25th_birthday(opened: Open, people: People) -> None:
    last = date(2047, 3, 9)
    async with opened(people.rosa) as access:
        plan = await with_an_outcome(access)
        words = ActionWords("College", owner_words="Mum", due_on=last)
        await add_action(access, words)
        late = replace(words, due_on=date(2047, 3, 10))
        with pytest.raises(Invalid) as refused:
            await add_action(access, late)
        assert "25th birthday" in refused.value.errors[0].sentence
        action = plan.actions[0]
        with pytest.raises(Invalid):
            await change_action(access, action.id, action.version, late, state="to_do", note="")
        with pytest.raises(Invalid):
            await set_measure(access, plan.outcomes[0].id, 0, Smart(by_on=date(2047, 3, 10)))


async def test_answers_stand_side_by_side(opened: Open, people: People) -> None:
    async with opened(people.rosa) as access:
        await with_an_outcome(access)
        version = await agree(access)
        await answer_as_worker(access, version.id, Agrees.YES, "")
        with pytest.raises(Invalid):
            await write_down_answer(access, version.id, people.child, Agrees.CANNOT_ANSWER, "")
        await write_down_answer(
            access, version.id, people.child, Agrees.CANNOT_ANSWER, "She turned to her mother."
        )
    async with opened(people.tomas) as access:
        with pytest.raises(Invalid):
            await answer_as_worker(access, version.id, Agrees.NO, " ")
        await answer_as_worker(access, version.id, Agrees.NO, "Portage comes too late.")
        # What another agency wrote down is theirs to change.
        with pytest.raises(Invalid):
            await write_down_answer(access, version.id, people.child, Agrees.YES, "")
        with pytest.raises(NotAllowed):
            await answer_own(access, version.id, Agrees.YES, "")
        told = await answers_to(access, [version.id])
    assert [(one.who, one.agrees, one.words, one.written_by) for one in told] == [
        ("The child", Agrees.CANNOT_ANSWER, "She turned to her mother.", "Health"),
        ("Rosa Whitlow", Agrees.YES, "", ""),
        ("Tomas Reed", Agrees.NO, "Portage comes too late.", ""),
    ]


async def test_only_the_newest_version_is_answered(opened: Open, people: People) -> None:
    async with opened(people.rosa) as access:
        await with_an_outcome(access)
        first = await agree(access)
        await add_outcome(access, OutcomeWords("Plays with her sister"))
        second = await agree(access)
        with pytest.raises(NotFound):
            await answer_as_worker(access, first.id, Agrees.YES, "")
        await answer_as_worker(access, second.id, Agrees.YES, "")
        await answer_as_worker(access, second.id, Agrees.NO, "I thought again.")
        told = await answers_to(access, [first.id, second.id])
    assert [(one.version_id, one.agrees) for one in told] == [(second.id, Agrees.NO)]
