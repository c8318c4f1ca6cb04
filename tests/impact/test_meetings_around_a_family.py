"""Meetings as the family wants them: asked first, invited, told again, cancelled, held."""

from datetime import date, time, timedelta

import pytest
from icalendar import Calendar

from panel.impact.invitations import (
    NO_SAFE_CONTACT,
    NOT_AN_ADDRESS,
    NOT_SAFE,
    OF_THE_FAMILYS,
    answer_as_family,
    answer_as_worker,
    invitation_row,
    invitations_of,
    invite,
    invite_guest,
    note_answer,
    send_cancellations,
    send_invitations,
    take_back,
)
from panel.impact.meetings import (
    Held,
    WhenWhere,
    Wishes,
    ask_family,
    call_meeting,
    cancel_meeting,
    change_when,
    hold_meeting,
    meeting_row,
    meeting_to_change,
    plan_meeting,
    read_meeting,
    say_wishes,
)
from panel.impact.rules import Kind
from panel.panels.still_may_go import REPLACED, still_may_go
from panel.platform.outbox import send_due
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound, Problem
from panel.platform.tables import NOW
from tests.impact.conftest import SENDER, TODAY, WHEN, World
from tests.panels.note_world import Server


async def test_a_meeting_is_for_a_child_who_is_in_impact(world: World) -> None:
    with pytest.raises(NotAllowed) as refused:
        async with world.opened() as access:
            await plan_meeting(access, WHEN)
    assert refused.value.what_to_do == "Step up to IMPACT first, with the reasons."


async def test_the_family_is_asked_before_anybody_is_invited(world: World) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.planned()
    with pytest.raises(Invalid) as refused:
        async with world.opened() as access:
            row = await meeting_to_change(access, meeting)
            await call_meeting(access, row, row.version, 4)
    assert refused.value.errors[0].sentence == (
        "Ask the family first how they want this meeting, or write down why they could not be asked"
    )
    async with world.as_family(world.mother) as access:
        version = (await meeting_row(access, meeting)).version
        said = Wishes("My sister Pia", "Polish", "part", "Not on a Friday")
        await say_wishes(access, meeting, version, said)
    async with world.opened(world.assessor) as access:
        one = read_meeting(access, await meeting_row(access, meeting))
        assert one.wishes == said
        assert one.asked_on == TODAY
        row = await meeting_to_change(access, meeting)
        await call_meeting(access, row, row.version, 4)
        assert row.state == "called"


async def test_two_who_write_wishes_at_once_both_read_both(world: World) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.planned()
    async with world.opened() as access:
        version = (await meeting_row(access, meeting)).version
    async with world.as_family(world.mother) as access:
        await say_wishes(access, meeting, version, Wishes("My sister Pia"))
    with pytest.raises(Conflict) as refused:
        async with world.opened() as access:
            row = await meeting_to_change(access, meeting)
            await ask_family(access, row, version, Wishes("The nursery"), TODAY, "")
    assert [(one.yours, one.theirs) for one in refused.value.clashes] == [
        ("The nursery", "My sister Pia")
    ]


async def test_what_one_parent_wishes_the_other_neither_reads_nor_writes_over(
    world: World,
) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.planned()
    said = Wishes("Not Ben", "Polish", "no", "Somewhere he does not know")
    async with world.as_family(world.mother) as access:
        version = (await meeting_row(access, meeting)).version
        await say_wishes(access, meeting, version, said)
    async with world.as_family(world.father) as access:
        assert read_meeting(access, await meeting_row(access, meeting)).wishes is None
        version = (await meeting_row(access, meeting)).version
        with pytest.raises(NotAllowed, match="Another of the family"):
            await say_wishes(access, meeting, version, Wishes("Me"))
    async with world.as_family(world.mother) as access:
        assert read_meeting(access, await meeting_row(access, meeting)).wishes == said


async def test_everybody_is_told_once_and_nothing_personal(world: World) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.called()
    async with world.opened() as access:
        row = await meeting_to_change(access, meeting)
        assert await send_invitations(access, row, SENDER) == 0
        lines = {one.name: one for one in await invitations_of(access, row)}
    sent = await world.messages()
    assert sorted(one.address for one in sent) == [
        "assessor@demo.example", "lead@demo.example", "marta@demo.example",
    ]  # fmt: skip
    # The father has no e-mail address: it is said, and his own page shows the meeting.
    assert lines["Ben Kestrel"].failure == NO_SAFE_CONTACT
    for one in sent:
        told = f"{one.subject}{one.body}{one.calendar}"
        for name in ("Amina", "Kestrel", "Rosa", "Pia", "Polish", "IMPACT", "sleep"):
            assert name not in told
        (event,) = Calendar.from_ical(one.calendar).walk("VEVENT")
        assert event["ATTENDEE"] == f"mailto:{one.address}"
        assert event["LOCATION"] == "Marlow Centre, room 2"


async def test_a_meeting_at_home_does_not_say_where_that_is(world: World) -> None:
    await world.step(Kind.IMPACT)
    when = WhenWhere(WHEN.held_on, WHEN.starts_at, 60, "home", "14 Tern Street, Harrow Mill")
    await world.called(when)
    for one in await world.messages():
        assert "Tern Street" not in f"{one.body}{one.calendar}"
        assert "At home" in one.calendar


async def test_a_change_goes_up_in_sequence_and_takes_the_place_of_what_waits(
    world: World,
) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.called()
    async with world.opened() as access:
        row = await meeting_to_change(access, meeting)
        later = WhenWhere(WHEN.held_on, time(14, 0), 60, "in_person", WHEN.place)
        assert await change_when(access, row, row.version, later)
        await send_invitations(access, row, SENDER)
    async with world.opened() as access:
        row = await meeting_to_change(access, meeting)
        await cancel_meeting(access, row, row.version, "The interpreter is ill")
        assert read_meeting(access, row).cancelled_why == "The interpreter is ill"
        await send_cancellations(access, row, SENDER)
    of_mother = [one for one in await world.messages() if one.address == "marta@demo.example"]
    read = [Calendar.from_ical(one.calendar) for one in of_mother]
    events = [one.walk("VEVENT")[0] for one in read]
    assert [one["METHOD"] for one in read] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [one["SEQUENCE"] for one in events] == [0, 1, 2]
    assert len({str(one["UID"]) for one in events}) == 1
    assert "interpreter" not in "".join(one.body for one in of_mother)
    # What waited is not sent any more: each is told what is so now.
    server = Server()
    async with world.house.as_("job") as session:
        may_go = still_may_go(world.house.tenant, SENDER.site_url)
        assert await send_due(session, server, session.info[NOW], may_go=may_go) == 3
    assert {one["Subject"] for one in server.taken.values()} == {"A meeting is cancelled"}
    waited = [one.failure for one in await world.messages()]
    assert waited.count(REPLACED) == 6


async def test_what_goes_out_has_the_entry_as_its_other_form(world: World) -> None:
    await world.step(Kind.IMPACT)
    await world.called()
    server = Server()
    async with world.house.as_("job") as session:
        may_go = still_may_go(world.house.tenant, SENDER.site_url)
        assert await send_due(session, server, session.info[NOW], may_go=may_go) == 3
    for message in server.taken.values():
        plain, entry = list(message.iter_parts())
        assert plain.get_content_type() == "text/plain"
        assert entry.get_content_type() == "text/calendar"
        assert entry.get_param("method") == "REQUEST"
        assert Calendar.from_ical(entry.get_payload(decode=True)).walk("VEVENT")


@pytest.mark.parametrize(
    ("name", "address", "ticks", "said"),
    [
        ("", "", (), "Enter who they are"),
        ("Pia", "pia@example.org", (), NOT_SAFE),
        ("Pia", "pia at example", ("is_safe",), NOT_AN_ADDRESS),
        ("Marta", "Marta@demo.example", ("is_safe",), OF_THE_FAMILYS),
    ],
)
async def test_an_address_without_a_safe_contact_is_refused_with_a_sentence(
    world: World, name: str, address: str, ticks: tuple[str, ...], said: str
) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.planned()
    with pytest.raises(Invalid) as refused:
        async with world.opened() as access:
            row = await meeting_to_change(access, meeting)
            await invite_guest(access, row, name, address, is_safe="is_safe" in ticks)
    assert [one.sentence for one in refused.value.errors] == [said]


async def test_only_the_family_and_the_team_are_invited_by_name(world: World) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.planned()
    for people in ([world.house.viewers["member"].id], []):
        with pytest.raises(Invalid):
            async with world.opened() as access:
                row = await meeting_to_change(access, meeting)
                await invite(access, row, people)


async def test_answers_come_from_each_page_or_are_written_down(world: World) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.called()
    async with world.as_family(world.mother) as access:
        await answer_as_family(access, meeting, "yes", "I bring Pia")
    async with world.opened(world.assessor) as access:
        await answer_as_worker(access, await meeting_row(access, meeting), "no", "")
    async with world.opened() as access:
        row = await meeting_to_change(access, meeting)
        lines = {one.name: one for one in await invitations_of(access, row)}
        father = lines["Ben Kestrel"]
        one = await invitation_row(access, row, father.id)
        await note_answer(access, row, one, father.version, "yes", "")
        lines = {one.name: one for one in await invitations_of(access, row)}
        assert {name: one.answer for name, one in lines.items()} == {
            "Marta Kestrel": "yes", "Ben Kestrel": "yes", "Rosa Whitlow": "waiting",
            "Hana Oduya": "no",
        }  # fmt: skip
        # She rings: the answer is another one, and what she wrote herself stays.
        mother = lines["Marta Kestrel"]
        one = await invitation_row(access, row, mother.id)
        await note_answer(access, row, one, mother.version, "no", "")
        lines = {one.name: one for one in await invitations_of(access, row)}
        assert (lines["Marta Kestrel"].answer, lines["Marta Kestrel"].said) == ("no", "I bring Pia")
    with pytest.raises(Conflict):
        async with world.opened() as access:
            row = await meeting_to_change(access, meeting)
            one = await invitation_row(access, row, father.id)
            await note_answer(access, row, one, father.version, "no", "")


async def test_who_is_not_invited_any_more_is_told_and_finds_nothing(world: World) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.called()
    async with world.opened() as access:
        row = await meeting_to_change(access, meeting)
        lines = {one.name: one for one in await invitations_of(access, row)}
        mother = lines["Marta Kestrel"]
        one = await invitation_row(access, row, mother.id)
        await take_back(access, row, one, mother.version, SENDER)
    last = (await world.messages())[-1]
    assert last.address == "marta@demo.example"
    assert "METHOD:CANCEL" in last.calendar
    with pytest.raises(NotFound):
        async with world.as_family(world.mother) as access:
            await answer_as_family(access, meeting, "yes", "")


async def test_each_meeting_says_when_the_next_one_is(world: World) -> None:
    await world.step(Kind.IMPACT)
    meeting = await world.called()

    async def held(what: Held) -> list[str]:
        async with world.opened() as access:
            row = await meeting_to_change(access, meeting)
            try:
                await hold_meeting(access, row, row.version, what)
            except Invalid as refused:
                return [one.sentence for one in refused.errors]
            return []

    assert await held(Held(frozenset(), None)) == [
        "The meeting is on Monday 30 November 2026, not before",
        "Enter when you will meet again, or say that you will not",
    ]
    today = await world.called(WhenWhere(TODAY, time(9, 0), 60, "phone", "01632 960001"))
    meeting = today
    assert await held(Held(frozenset(), TODAY)) == [
        "The next meeting comes after this one. Check the date"
    ]
    assert await held(Held(frozenset(), TODAY + timedelta(days=400))) == [
        "Enter a day within a year of this meeting"
    ]
    assert await held(Held(frozenset(), date(2026, 12, 21))) == []
    with pytest.raises(Problem) as refused:
        async with world.opened() as access:
            row = await meeting_to_change(access, meeting)
            await change_when(access, row, row.version, WHEN)
    assert refused.value.status == 409
