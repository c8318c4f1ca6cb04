"""A plan is started, filled, agreed and replaced; two people at once lose nothing."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from consent import Role
from panel.plans.service import (
    ActionReading,
    ActionWords,
    OutcomeReading,
    OutcomeWords,
    PlanReading,
    add_action,
    add_outcome,
    add_progress,
    agree_plan,
    ask_for_action,
    carry_over,
    change_action,
    change_outcome,
    change_summary,
    current_plan_facts,
    former_plan_for_reading,
    former_plans,
    import_plan,
    join_team,
    mark_done,
    plan_for_reading,
    start_plan,
    step_action,
)
from panel.platform.clock import FixedClock
from panel.platform.ids import new_id
from panel.platform.problems import Clash, Conflict, Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Withheld, rewrite_access

Open = Callable[..., AbstractAsyncContextManager[Access]]

TODAY = date(2026, 11, 23)
NIGHTS = OutcomeWords("Two unbroken nights a week", "Her mother's diary", 1, 4)


async def read(access: Access) -> PlanReading:
    plan = await plan_for_reading(access)
    assert isinstance(plan, PlanReading)
    return plan


async def first_outcome(access: Access) -> OutcomeReading:
    return (await read(access)).outcomes[0]


async def first_action(access: Access) -> ActionReading:
    return (await read(access)).actions[0]


async def test_before_there_is_one(opened: Open, people: Any) -> None:
    async with opened(people.rosa) as access:
        assert await plan_for_reading(access) is None
        assert await former_plans(access) == ()
        assert await current_plan_facts(access.session, [people.child]) == {}
        with pytest.raises(NotFound, match="no plan"):
            await add_outcome(access, NIGHTS)


async def test_it_is_started_filled_and_agreed(opened: Open, people: Any) -> None:
    async with opened(people.rosa) as access:
        plan = await start_plan(access, "Sleep and play")
        outcome = await add_outcome(access, NIGHTS)
        await add_progress(access, outcome.id, on=TODAY - timedelta(days=7), value=2, note="Better")
        await add_progress(access, outcome.id, on=TODAY, value=None, note="A hard week")
        await add_action(
            access,
            ActionWords("Visit the nursery", outcome.id, people.tomas.id, due_on=TODAY),
        )
        await add_action(access, ActionWords("Keep the diary", owner_words="Mum"))
        await agree_plan(access, plan.version, TODAY)
    async with opened(people.tomas) as access:
        shown = await read(access)
        facts = await current_plan_facts(access.session, [people.child])
    assert (shown.summary, shown.author_agency, shown.agreed_on) == (
        "Sleep and play",
        "Health",
        TODAY,
    )
    assert shown.outcomes[0].text == "Two unbroken nights a week"
    assert [score.value for score in shown.outcomes[0].scores] == [2]
    assert [one.note for one in shown.outcomes[0].progress] == ["Better", "A hard week"]
    assert [(one.text, one.owner) for one in shown.actions] == [
        ("Visit the nursery", "Tomas Reed"),
        ("Keep the diary", "Mum"),
    ]
    assert facts[people.child].agreed_on == TODAY
    assert facts[people.child].state == "agreed"
    assert facts[people.child].author_agency_id == people.rosa.agency


async def test_it_is_withheld_where_nobody_agreed(
    opened: Open, people: Any, another_child: Any, tenant: Tenant
) -> None:
    theo = await another_child("C-2", "Theo", [people.rosa])
    async with opened(people.rosa, theo) as access:
        await start_plan(access, "Secret words")
    async with opened(people.ines, theo) as access:
        shown = await plan_for_reading(access)
        assert isinstance(shown, PlanReading), "the manager's agency wrote it"
    # In the team, of an agency that nobody agreed to.
    await _join(tenant, theo, people.beth)
    async with opened(people.beth, theo) as access:
        withheld = await plan_for_reading(access)
        assert isinstance(withheld, Withheld)
        assert str(withheld)
        with pytest.raises(NotAllowed, match="cannot see this plan"):
            await change_summary(access, 1, "Mine")


async def _join(tenant: Tenant, child: Any, viewer: Any) -> None:
    async with tenant.transaction(JOB) as session:
        await join_team(session, child, viewer.agency, viewer.id, TODAY)
        await rewrite_access(session, child)


async def test_what_a_panel_asked_for_is_done_before_there_is_a_plan(
    opened: Open, people: Any
) -> None:
    async with opened(people.rosa) as access:
        words = ActionWords("Ring the family", owner_worker_id=people.rosa.id)
        asked = await ask_for_action(access, new_id(), words)
        await mark_done(access, asked.id)
        assert (asked.state, asked.done_on) == ("done", TODAY)
        with pytest.raises(NotFound, match="not part of the plan"):
            await mark_done(access, new_id())


async def test_it_cannot_be_agreed_empty_or_for_a_day_to_come(opened: Open, people: Any) -> None:
    async with opened(people.rosa) as access:
        plan = await start_plan(access, "Sleep")
        with pytest.raises(Invalid) as refused:
            await agree_plan(access, plan.version, TODAY)
        assert "outcome" in refused.value.errors[0].sentence
        await add_outcome(access, NIGHTS)
        with pytest.raises(Invalid) as refused:
            await agree_plan(access, plan.version, TODAY + timedelta(days=1))
        assert refused.value.errors[0].field == "agreed_on"


async def test_a_new_plan_replaces_the_former_which_stays_readable(
    opened: Open, people: Any
) -> None:
    async with opened(people.rosa) as access:
        former = await start_plan(access, "The first")
        open_one = await add_outcome(access, NIGHTS)
        await add_progress(access, open_one.id, on=TODAY, value=3, note="")
        reached = await add_outcome(access, OutcomeWords("Plays with others"))
        await change_outcome(
            access, reached.id, reached.version, OutcomeWords("Plays with others"), "reached"
        )
        await add_action(access, ActionWords("Ring the nursery", open_one.id, people.tomas.id))
        done = await add_action(access, ActionWords("Buy a lamp", owner_words="Mum"))
        await mark_done(access, done.id)
        plan = await start_plan(access, "The second")
        await carry_over(access, plan)
    async with opened(people.tomas) as access:
        now = await read(access)
        lines = await former_plans(access)
        before = await former_plan_for_reading(access, former.id)
        with pytest.raises(NotFound):
            await former_plan_for_reading(access, people.child)
        with pytest.raises(NotFound, match="not part of the plan"):
            await mark_done(access, done.id)
    assert (now.number, now.summary) == (2, "The second")
    assert [(one.text, one.baseline) for one in now.outcomes] == [(NIGHTS.text, 3)]
    assert [(one.text, one.owner) for one in now.actions] == [("Ring the nursery", "Tomas Reed")]
    assert now.actions[0].outcome_id == now.outcomes[0].id
    assert [(one.number, one.state, one.replaced_on) for one in lines] == [(1, "replaced", TODAY)]
    assert isinstance(before, PlanReading)
    assert len(before.outcomes) == 2
    assert len(before.actions) == 2


async def test_two_people_change_an_outcome_and_both_texts_are_kept(
    opened: Open, people: Any
) -> None:
    async with opened(people.rosa) as access:
        await start_plan(access, "Sleep")
        await add_outcome(access, NIGHTS)
        read_by_both = await first_outcome(access)
    async with opened(people.tomas) as access:
        theirs = replace(NIGHTS, text="Three unbroken nights", target=5)
        await change_outcome(
            access, read_by_both.id, read_by_both.version, theirs, "working_towards"
        )
    async with opened(people.rosa) as access:
        mine = replace(NIGHTS, text="Sleeps through on weekdays")
        with pytest.raises(Conflict) as clash:
            await change_outcome(
                access, read_by_both.id, read_by_both.version, mine, "working_towards"
            )
    assert clash.value.theirs_by == "Tomas Reed"
    assert clash.value.clashes == (
        Clash("Desired outcome", "Sleeps through on weekdays", "Three unbroken nights"),
        Clash("What we aim for", "4", "5"),
    )


async def test_saving_the_same_words_twice_is_no_clash(opened: Open, people: Any) -> None:
    async with opened(people.rosa) as access:
        plan = await start_plan(access, "Sleep")
        version = plan.version
        await change_summary(access, version, "Sleep and play")
        await change_summary(access, version, "Sleep and play")
        with pytest.raises(Conflict) as clash:
            await change_summary(access, version, "Something else")
    assert clash.value.clashes[0].theirs == "Sleep and play"


async def test_progress_is_of_a_day_that_has_come_and_says_something(
    opened: Open, people: Any
) -> None:
    async with opened(people.rosa) as access:
        await start_plan(access, "Sleep")
        outcome = await add_outcome(access, NIGHTS)
        with pytest.raises(Invalid):
            await add_progress(access, outcome.id, on=TODAY + timedelta(days=1), value=2, note="")
        with pytest.raises(Invalid):
            await add_progress(access, outcome.id, on=TODAY, value=None, note="")


async def test_an_action_is_done_and_open_again(
    opened: Open, people: Any, clock: FixedClock
) -> None:
    async with opened(people.rosa) as access:
        await start_plan(access, "Sleep")
        action = await add_action(access, ActionWords("Keep the diary", owner_words="Mum"))
        await mark_done(access, action.id)
    clock.set(clock.now() + timedelta(days=2))
    async with opened(people.tomas) as access:
        await mark_done(access, action.id)
        done = await first_action(access)
        assert (done.state, done.done_on) == ("done", TODAY)
        await step_action(access, action.id, done.version, state="doing", note="Not yet")
        again = await first_action(access)
        assert (again.state, again.done_on, again.note) == ("doing", None, "Not yet")
    async with opened(people.rosa) as access:
        with pytest.raises(Conflict) as clash:
            await step_action(access, action.id, done.version, state="dropped", note="")
    assert clash.value.clashes[0] == Clash("How far it is", "Dropped", "Doing")


async def test_an_action_changes_owner(opened: Open, people: Any) -> None:
    async with opened(people.rosa) as access:
        await start_plan(access, "Sleep")
        action = await add_action(access, ActionWords("Keep the diary", owner_words="Mum"))
        with pytest.raises(Invalid):
            await add_action(access, ActionWords("Nobody's"))
        with pytest.raises(Invalid):
            await add_action(access, ActionWords("Two's", None, people.tomas.id, "Mum"))
        with pytest.raises(Invalid):
            await add_action(access, ActionWords("A stranger's", None, people.child))
        await change_action(
            access,
            action.id,
            action.version,
            ActionWords("Keep the diary", None, people.tomas.id, due_on=TODAY),
            state="doing",
            note="",
        )
        changed = await first_action(access)
    assert (changed.owner, changed.owner_words, changed.due_on) == ("Tomas Reed", "", TODAY)


async def test_somebody_who_only_reads_cannot_change_it(
    opened: Open, people: Any, tenant: Tenant
) -> None:
    async with opened(people.rosa) as access:
        await start_plan(access, "Sleep")
    reader = replace(people.rosa, roles=frozenset({Role.COMMISSIONER}))
    async with opened(reader) as access:
        with pytest.raises(NotAllowed):
            await add_outcome(access, NIGHTS)


async def test_a_plan_of_an_earlier_list_comes_in_once(
    opened: Open, people: Any, tenant: Tenant
) -> None:
    agreed = date(2026, 5, 4)
    for expected in (True, False):
        async with tenant.transaction(JOB) as session:
            added = await import_plan(
                session,
                people.child,
                author_agency_id=people.rosa.agency,
                agreed_on=agreed,
                summary="From the old list",
                outcomes=[NIGHTS],
            )
            assert added is expected
    async with opened(people.rosa) as access:
        shown = await read(access)
        assert (shown.agreed_on, shown.summary) == (agreed, "From the old list")
        assert len(shown.outcomes) == 1
        await start_plan(access, "Made here")
    async with tenant.transaction(JOB) as session:
        assert not await import_plan(
            session,
            people.child,
            author_agency_id=people.rosa.agency,
            agreed_on=date(2026, 6, 4),
            summary="An older line",
        )
