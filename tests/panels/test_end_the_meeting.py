"""A meeting ends once: what was not reached comes first next time, and minutes are confirmed."""

import asyncio
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from panel.panels.calendar import meeting_on
from panel.panels.holding import end
from panel.panels.meeting_rules import next_to_come, waits_since
from panel.panels.models import Referral
from panel.panels.settle import freeze
from panel.platform.ids import new_id
from tests.panels.conftest import NEXT_MEETING, AddChild
from tests.panels.meeting_world import (
    AGENDA,
    BEGINS,
    MEETING,
    MINUTE,
    MINUTES,
    Hall,
    hall,
)

__all__ = ["hall"]

FOLLOWING = date(2026, 12, 17)
LATER = f"/panels/contacts/{FOLLOWING}"


def test_who_comes_next() -> None:
    a, b, c = (new_id() for _ in range(3))
    assert next_to_come([(a, "listed"), (b, "listed"), (c, "listed")], a) == b
    assert next_to_come([(a, "listed"), (b, "discussed"), (c, "discussed")], c) == a
    assert next_to_come([(a, "discussed"), (b, "discussed")], b) is None
    assert next_to_come([(a, "listed")], new_id()) == a


@pytest.mark.parametrize(
    ("deferred", "discussed", "since"),
    [
        (None, None, NEXT_MEETING),
        (date(2026, 11, 19), None, date(2026, 11, 19)),
        (date(2026, 5, 7), date(2026, 6, 4), NEXT_MEETING),
    ],
)
def test_since_when_a_child_waits(
    deferred: date | None, discussed: date | None, since: date
) -> None:
    assert waits_since(deferred, discussed, NEXT_MEETING) == since


async def finish(hall: Hall) -> str:
    """Amina is done, Theo and Jakub are not reached."""
    await hall.begin("chair", "member", "social")
    screen = hall.screen("Amina")
    await hall.say("Amina", "Two schools were visited")
    await hall.send(screen, f"{screen}/done")
    hall.clock.set(BEGINS + 50 * MINUTE)
    return (await hall.send(MEETING, f"{MEETING}/end")).text


async def test_the_summary_is_the_minutes(hall: Hall) -> None:
    minutes = await finish(hall)
    assert "Thursday 3 December 2026, 9:30 to 10:20." in minutes
    assert "Talked about: 1 child" in minutes
    assert "Two schools were visited" in minutes
    assert "Ada Quill, Wexcombe Council, 9:30" in minutes
    assert "Next review by Thursday 3 June 2027." in minutes
    assert "Not reached: 2 children" in minutes
    assert "Theo Kestrel" in minutes
    assert "Bo Marchetti" in minutes
    assert "Not here" in minutes
    assert "Chaired by Bo Marchetti. Quorate from 9:30 to the end." in minutes
    assert "Not confirmed yet: the next meeting does that." in minutes


async def test_who_was_not_reached_waits_for_the_next_one(hall: Hall, add_child: AddChild) -> None:
    await finish(hall)
    await add_child("Zadie", referred_on=date(2026, 11, 1))
    async with hall.house.as_("coordinator") as session:
        rows = await session.scalars(select(Referral).where(Referral.deferred_on.is_not(None)))
        put_off = {hall.house.name_of(row.child_id): row.deferred_on for row in rows}
    assert put_off == {"Theo": NEXT_MEETING, "Jakub": NEXT_MEETING}
    assert (await hall.item("Theo")).state == "not_reached"
    page = (await hall.get(LATER)).text
    assert "Put off on 3 December 2026: was on the agenda and not reached." in page
    assert "Theo Kestrel" in page
    assert "Amina Kestrel" not in page


async def test_an_urgent_child_who_was_not_reached_stays_urgent(hall: Hall) -> None:
    async with hall.house.as_("job") as session:
        referral = await session.scalar(
            select(Referral).where(Referral.child_id == hall.child("Theo"))
        )
        assert referral is not None
        referral.urgent_on = NEXT_MEETING
    await finish(hall)
    async with hall.house.as_("coordinator") as session:
        referral = await session.scalar(
            select(Referral).where(Referral.child_id == hall.child("Theo"))
        )
        assert referral is not None
        assert referral.urgent_on == FOLLOWING


async def test_two_end_it_at_once_and_it_ends_once(hall: Hall) -> None:
    await hall.begin("chair")
    house = hall.house

    async def ends(who: str) -> None:
        async with house.as_(who) as session:
            panel = await house.panel(session)
            await end(session, panel, await meeting_on(session, panel, NEXT_MEETING))

    await asyncio.gather(ends("coordinator"), ends("chair"))
    meeting = await hall.meeting()
    assert meeting.state == "held"
    assert meeting.ended_at is not None
    hall.clock.set(BEGINS + 90 * MINUTE)
    await ends("chair")
    assert (await hall.meeting()).ended_at == meeting.ended_at


async def test_two_freeze_at_once_and_it_freezes_once(hall: Hall, add_child: AddChild) -> None:
    await add_child("Zadie")
    house = hall.house

    async def freezes(who: str) -> int:
        async with house.as_(who) as session:
            panel = await house.panel(session)
            prepared = await freeze(session, panel, await meeting_on(session, panel, FOLLOWING))
            return len(prepared.agenda.items)

    async with house.as_("coordinator") as session:
        await meeting_on(session, await house.panel(session), FOLLOWING)
    assert len(set(await asyncio.gather(freezes("coordinator"), freezes("chair")))) == 1


async def test_after_the_end_nothing_is_added(hall: Hall) -> None:
    await hall.begin("chair", "member")
    screen = hall.screen("Amina")
    forms = {
        "say": await hall.form(screen, f"{screen}/say") | {"text": "Too late"},
        "actions": await hall.form(screen, f"{screen}/actions")
        | {"who": "Mum", "what": "Too late", "due_on": "2026-12-10"},
        "done": await hall.form(screen, f"{screen}/done"),
    }
    attendance = await hall.form(MEETING, f"{MEETING}/attendance")
    await hall.send(MEETING, f"{MEETING}/end")
    for step, form in forms.items():
        refused = await hall.client.post(f"{screen}/{step}", data=form)
        assert refused.status_code == 409, step
        assert "This meeting has ended" in refused.text
    assert (await hall.client.post(f"{MEETING}/attendance", data=attendance)).status_code == 409
    page = (await hall.get(screen)).text
    assert "The meeting has ended, so nothing more is written here." in page
    assert "<textarea" not in page
    assert f'href="{MINUTES}"' in (await hall.get(MEETING)).text
    assert "Read the minutes" in (await hall.get(AGENDA)).text
    await hall.as_("member")
    assert (await hall.get(screen)).status_code == 409


async def test_a_meeting_that_has_not_begun_does_not_end(hall: Hall) -> None:
    await hall.begin("chair")
    token = (await hall.form(MEETING, f"{MEETING}/end"))["_csrf_token"]
    refused = await hall.client.post(f"{LATER}/meeting/end", data={"_csrf_token": token})
    assert refused.status_code == 409
    assert (await hall.get(f"{LATER}/minutes")).status_code == 409


async def test_the_next_meeting_confirms_the_minutes(hall: Hall) -> None:
    await finish(hall)
    token = (await hall.form(MINUTES, "/sign-out"))["_csrf_token"]
    early = await hall.client.post(f"{MINUTES}/confirm", data={"_csrf_token": token})
    assert early.status_code == 409
    assert "Minutes are confirmed at the next meeting" in early.text
    async with hall.house.as_("coordinator") as session:
        panel = await hall.house.panel(session)
        await freeze(session, panel, await meeting_on(session, panel, FOLLOWING))
    hall.clock.set(datetime(2026, 12, 17, 9, 30, tzinfo=UTC))
    await hall.as_("coordinator")
    await hall.send(f"{LATER}/meeting", f"{LATER}/meeting/begin")
    assert f'href="{MINUTES}"' in (await hall.get(f"{LATER}/meeting")).text
    confirmed = await hall.send(MINUTES, f"{MINUTES}/confirm")
    assert "Confirmed on Thursday 17 December 2026 by Ada Quill." in confirmed.text
    first = await hall.meeting()
    await hall.as_("chair")
    token = (await hall.form(MINUTES, "/sign-out"))["_csrf_token"]
    await hall.client.post(f"{MINUTES}/confirm", data={"_csrf_token": token})
    assert (await hall.meeting()).confirmed_by == first.confirmed_by
    assert f'href="{MINUTES}"' not in (await hall.get(f"{LATER}/meeting")).text


async def test_each_reader_of_the_minutes_sees_what_they_may(hall: Hall) -> None:
    await finish(hall)
    await hall.as_("second")
    read = (await hall.get(MINUTES)).text
    assert "Two schools were visited" in read
    hall.clock.set(BEGINS.replace(year=2027, month=1))
    await hall.as_("second")
    closed = (await hall.get(MINUTES)).text
    assert "Amina" not in closed
    assert "Bo Marchetti" in closed
    await hall.as_("assessor")
    assert (await hall.get(MINUTES)).status_code == 404


async def test_minutes_of_nobody(hall: Hall) -> None:
    await finish(hall)
    unknown: UUID = new_id()
    assert (await hall.get(f"{MEETING}/{unknown}")).status_code == 404
