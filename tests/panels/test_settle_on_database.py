"""Settling an agenda: moves, minutes, the freeze, late items, what is taken off, who is asked."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import select, text

from consent import Tie
from panel.panels.agenda import Prepared, prepare
from panel.panels.calendar import meeting_on
from panel.panels.models import Meeting
from panel.panels.rules import Part
from panel.panels.settle import (
    add_late,
    arrange,
    ask_for_missing,
    freeze,
    set_minutes,
    take_off,
)
from panel.plans.models import Plan
from panel.platform.clock import FixedClock
from panel.platform.problems import Conflict, Invalid, NotFound, Problem
from panel.platform.tenancy import load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access
from tests.panels.conftest import NEXT_MEETING, AddChild, House

T = TypeVar("T")
SITE = "https://panel.example"


async def agenda_of(house: House, day: date = NEXT_MEETING) -> Prepared:
    async with house.as_("coordinator") as session:
        panel = await house.panel(session)
        meeting = await meeting_on(session, panel, day)
        return await prepare(session, panel, meeting, session.info["viewer"])


def names(house: House, prepared: Prepared) -> list[str]:
    known = {child: name for name, child in house.children.items()}
    return [known[item.candidate.child_id] for item in prepared.agenda.items]


async def do(
    house: House, step: Callable[..., Awaitable[T]], *args: object, who: str = "coordinator"
) -> T:
    async with house.as_(who) as session:
        panel = await house.panel(session)
        return await step(session, panel, await meeting_on(session, panel, NEXT_MEETING), *args)


@pytest.fixture
async def three(house: House, add_child: AddChild) -> House:
    for number, name in enumerate(("Amina", "Theo", "Freya")):
        await add_child(name, referred_on=date(2026, 11, 4 + number))
    return house


async def test_a_child_moves_and_stays_there(three: House) -> None:
    version = (await agenda_of(three)).meeting.version
    await do(three, arrange, three.children["Freya"], "up", version)
    moved = await agenda_of(three)
    assert names(three, moved) == ["Amina", "Freya", "Theo"]
    await do(three, arrange, three.children["Theo"], 1, moved.meeting.version)
    assert names(three, await agenda_of(three)) == ["Theo", "Amina", "Freya"]


async def test_a_move_of_what_somebody_moved_meanwhile_is_a_conflict(three: House) -> None:
    version = (await agenda_of(three)).meeting.version
    await do(three, arrange, three.children["Freya"], "up", version)
    with pytest.raises(Conflict):
        await do(three, arrange, three.children["Theo"], "up", version)


async def test_minutes_change_the_times(three: House) -> None:
    version = (await agenda_of(three)).meeting.version
    await do(three, set_minutes, three.children["Amina"], 25, version)
    items = (await agenda_of(three)).agenda.items
    assert [item.starts_at.isoformat("minutes") for item in items] == ["09:30", "09:55", "10:05"]
    with pytest.raises(Invalid):
        await do(three, set_minutes, three.children["Amina"], 0, version)


async def test_the_freeze_opens_packs_and_keeps_the_order(
    three: House, add_child: AddChild
) -> None:
    async with three.tenant.transaction(three.viewers["member"].id) as session:
        assert (await session.execute(text("SELECT count(*) FROM child"))).scalar_one() == 0
    await do(three, freeze)
    async with three.opened("Amina", "member") as access:
        assert access.ties == {Tie.AGENDA}
    await add_child("Late", referred_on=date(2026, 10, 1))
    frozen = await agenda_of(three)
    assert frozen.frozen
    assert names(three, frozen) == ["Amina", "Theo", "Freya"]
    with pytest.raises(Problem, match="Packs are out"):
        await do(three, arrange, three.children["Theo"], "up", frozen.meeting.version)


async def test_members_are_told_once_that_their_pack_is_open(three: House) -> None:
    await do(three, freeze)
    await do(three, freeze, who="chair")
    async with three.tenant.transaction(JOB) as session:
        told = list(
            await session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "pack_open"))
        )
        await load_keys(session, {message.holder_id for message in told})
        assert [message.to_viewer_id for message in told] == [three.viewers["member"].id]
        assert told[0].subject.endswith("your pack is open")
        assert not any(name in told[0].body for name in three.children)


async def test_two_freezing_at_once_freeze_once(three: House) -> None:
    await agenda_of(three)
    first, second = await asyncio.gather(do(three, freeze), do(three, freeze, who="chair"))
    assert first.meeting.frozen_at == second.meeting.frozen_at
    assert names(three, first) == names(three, second)
    async with three.as_("coordinator") as session:
        stored = await session.execute(text("SELECT count(*) FROM agenda_item"))
        assert stored.scalar_one() == 3


async def test_a_frozen_child_is_not_on_the_next_agenda_as_well(three: House) -> None:
    await do(three, freeze)
    assert not (await agenda_of(three, date(2026, 12, 17))).agenda.items


async def test_a_late_item_is_flagged_and_reaches_the_packs(
    three: House, add_child: AddChild, clock: FixedClock
) -> None:
    await do(three, freeze)
    await add_child("Leon", without=("plan",))
    with pytest.raises(Invalid, match="another look"):
        await do(three, add_late, three.children["Leon"], "came back from hospital")
    clock.set(clock.now() + timedelta(days=1))
    async with three.as_("job") as session:
        lead = three.viewers["lead"]
        session.add(
            Plan(
                child_id=three.children["Leon"],
                author_agency_id=lead.agency,
                started_on=date(2026, 11, 24),
                state="agreed",
                agreed_on=date(2026, 11, 24),
            )
        )
        await rewrite_access(session, three.children["Leon"])
    assert [one.child_id for one in (await agenda_of(three)).agenda.came_late] == [
        three.children["Leon"]
    ]
    await do(three, add_late, three.children["Leon"], "came back from hospital")
    late = await agenda_of(three)
    assert names(three, late)[-1] == "Leon"
    assert late.agenda.items[-1].late
    async with three.opened("Leon", "member") as access:
        assert access.ties == {Tie.AGENDA}


async def test_a_child_taken_off_waits_and_the_pack_closes(three: House) -> None:
    await do(three, freeze)
    await do(three, take_off, three.children["Theo"], "The family asked for January")
    left = await agenda_of(three)
    assert names(three, left) == ["Amina", "Freya"]
    assert [one.sentence for one in left.agenda.rolled_over] == ["Taken off this agenda."]
    with pytest.raises(NotFound):
        async with three.opened("Theo", "member"):
            pass
    await do(three, add_late, three.children["Theo"], "They can come after all")
    assert names(three, await agenda_of(three)) == ["Amina", "Freya", "Theo"]


async def test_who_owes_is_asked_once_a_day(
    house: House, add_child: AddChild, clock: FixedClock
) -> None:
    child = await add_child("Leon", without=("plan",))

    async def ask() -> bool:
        async with house.as_("coordinator") as session:
            panel = await house.panel(session)
            meeting = await meeting_on(session, panel, NEXT_MEETING)
            prepared = await prepare(session, panel, meeting, session.info["viewer"])
            asked = await ask_for_missing(session, prepared, child, Part.PLAN, SITE)
            assert asked.name == "Rosa Whitlow"
            return asked.now

    assert sorted(await asyncio.gather(ask(), ask())) == [False, True]
    clock.set(clock.now() + timedelta(days=1))
    assert await ask()
    async with house.as_("job") as session:
        sent = (await session.execute(text("SELECT to_viewer_id FROM outbox_message"))).all()
    assert [row.to_viewer_id for row in sent] == [house.viewers["lead"].id] * 2


async def test_what_is_not_missing_is_not_asked_for(house: House, add_child: AddChild) -> None:
    child = await add_child("Leon", without=("plan",))
    async with house.as_("coordinator") as session:
        panel = await house.panel(session)
        meeting: Meeting = await meeting_on(session, panel, NEXT_MEETING)
        prepared = await prepare(session, panel, meeting, session.info["viewer"])
        with pytest.raises(NotFound):
            await ask_for_missing(session, prepared, child, Part.ASSESSMENT, SITE)
