"""A child before a panel: referred, escalated, taken as urgent by the chair, discussed."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select, text

from consent import Category
from panel.panels.agenda import prepare, told
from panel.panels.calendar import change_meeting, meeting_days, meeting_on
from panel.panels.models import Meeting, Referral
from panel.panels.referrals import (
    acknowledge,
    ask_family,
    close_referral,
    escalate,
    import_referral,
    panels_of_child,
    record_discussed,
    record_words,
    refer,
    set_transition,
    take_as_urgent,
)
from panel.panels.settle import freeze
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from tests.panels.conftest import NEXT_MEETING, AddChild, House

HEALTH = Category.HEALTH


async def the_referral(house: House, child: str) -> Referral:
    async with house.as_("job") as session:
        found = await session.scalar(
            select(Referral).where(Referral.child_id == house.children[child])
        )
        assert found is not None
        return found


async def test_a_referral_ties_the_panel_to_the_child(house: House, add_child: AddChild) -> None:
    await add_child("Amina", referred=False)
    with pytest.raises(NotFound):
        async with house.opened("Amina", "coordinator"):
            pass
    async with house.opened("Amina", "lead") as access:
        panel = await house.panel(access.session)
        await refer(access, panel, reason="Two services are needed", category=HEALTH)
        with pytest.raises(Invalid):
            await refer(access, panel, reason="Again", category=HEALTH)
    referral = await the_referral(house, "Amina")
    async with house.opened("Amina", "coordinator") as access:
        shown = (await panels_of_child(access)).referrals
        assert [one.reason for one in shown] == ["Two services are needed"]
        await acknowledge(access, referral.id, referral.version)
        with pytest.raises(Conflict):
            await close_referral(access, referral.id, referral.version)
        with pytest.raises(NotAllowed):
            await refer(access, panel, reason="From the panel", category=HEALTH)


async def test_only_the_chair_takes_a_child_who_is_not_ready(
    house: House, add_child: AddChild
) -> None:
    await add_child("Leon", without=("plan",))
    row = await the_referral(house, "Leon")
    why = "Leaves hospital on Friday"
    async with house.opened("Leon", "coordinator") as access:
        panel = await house.panel(access.session)
        with pytest.raises(NotAllowed):
            await take_as_urgent(access, panel, row.id, NEXT_MEETING, why, row.version)
    async with house.opened("Leon", "chair") as access:
        panel = await house.panel(access.session)
        with pytest.raises(Invalid):
            await take_as_urgent(access, panel, row.id, NEXT_MEETING, " ", row.version)
        with pytest.raises(Invalid):
            await take_as_urgent(access, panel, row.id, date(2026, 12, 4), why, row.version)
        await take_as_urgent(access, panel, row.id, NEXT_MEETING, why, row.version)
    async with house.as_("coordinator") as session:
        panel = await house.panel(session)
        meeting = await meeting_on(session, panel, NEXT_MEETING)
        prepared = await prepare(session, panel, meeting, session.info["viewer"])
        item = prepared.agenda.items[0]
        assert [debt.what for debt in item.candidate.debts] == ["plan"]
        assert why not in told(prepared).items[0].why
        await freeze(session, panel, meeting)
    async with house.as_("job") as session:
        kept = await session.scalar(
            text("SELECT urgent_reason FROM referral WHERE id = :id"), {"id": row.id}
        )
        assert kept is not None
        assert why.encode() not in kept


async def test_an_escalated_child_heads_the_agenda(house: House, add_child: AddChild) -> None:
    await add_child("Amina", referred_on=date(2026, 10, 1))
    await add_child("Freya")
    row = await the_referral(house, "Freya")
    async with house.opened("Freya", "lead") as access:
        await escalate(access, row.id, "No equipment since September", row.version)
    async with house.as_("coordinator") as session:
        panel = await house.panel(session)
        meeting = await meeting_on(session, panel, NEXT_MEETING)
        prepared = await prepare(session, panel, meeting, session.info["viewer"])
    assert [item.reason for item in told(prepared).items] == ["escalation", "new"]


async def test_a_transition_needs_what_and_when(house: House, add_child: AddChild) -> None:
    await add_child("Freya")
    row = await the_referral(house, "Freya")
    async with house.opened("Freya", "lead") as access:
        with pytest.raises(Invalid):
            await set_transition(access, row.id, "starts Reception", None, row.version)
        changed = await set_transition(
            access, row.id, "starts Reception", date(2027, 1, 5), row.version
        )
        assert changed.transition_on == date(2027, 1, 5)
        await set_transition(access, row.id, "", None, changed.version)


async def test_a_discussion_places_the_review_six_months_on(
    house: House, add_child: AddChild
) -> None:
    await add_child("Amina")
    row = await the_referral(house, "Amina")
    async with house.as_("job") as session:
        referral = await session.get(Referral, row.id)
        assert referral is not None
        await record_discussed(session, referral, await house.panel(session), date(2026, 7, 2))
        assert referral.next_review_by == date(2027, 1, 2)
        assert referral.first_panel_on == date(2026, 7, 2)
        meeting = await session.get(Meeting, referral.review_meeting_id)
        assert meeting is not None
        assert meeting.held_on == date(2026, 12, 17)


async def test_an_import_repeated_adds_nothing(house: House, add_child: AddChild) -> None:
    child = await add_child("Amina", referred=False)

    async def imported(last: date) -> bool:
        async with house.as_("job") as session:
            return await import_referral(
                session,
                child,
                await house.panel(session),
                referred_on=date(2026, 3, 2),
                agency_id=house.agencies["health"],
                last_discussed_on=last,
            )

    assert await imported(date(2026, 9, 24))
    assert not await imported(date(2026, 9, 24))
    assert not await imported(date(2026, 9, 10))
    assert (await the_referral(house, "Amina")).last_discussed_on == date(2026, 9, 24)


async def test_the_family_is_asked_and_answers(house: House, add_child: AddChild) -> None:
    await add_child("Amina")
    async with house.opened("Amina", "lead") as access:
        asked = await ask_family(access, family_member_id=None, how="telephone")
        said = await record_words(access, said="We sleep two hours a night", family_member_id=None)
        assert said.id == asked.id
        with pytest.raises(Invalid):
            await record_words(access, said="  ", family_member_id=None)
    async with house.opened("Amina", "lead") as access:
        words = (await panels_of_child(access)).words
        assert [one.text for one in words] == ["We sleep two hours a night"]


async def change(house: House, day: date, to: date | None, version: int | None = None) -> None:
    async with house.as_("coordinator") as session:
        panel = await house.panel(session)
        meeting = await meeting_on(session, panel, day)
        read = meeting.version if version is None else version
        await change_meeting(session, panel, meeting, to, "The room is taken", read)


async def reviewed(house: House, add_child: AddChild) -> UUID:
    child = await add_child("Jakub", referred_on=date(2026, 5, 1))
    row = await the_referral(house, "Jakub")
    async with house.as_("job") as session:
        referral = await session.get(Referral, row.id)
        assert referral is not None
        await record_discussed(session, referral, await house.panel(session), date(2026, 6, 4))
    return child


async def test_a_moved_meeting_takes_its_reviews_along(house: House, add_child: AddChild) -> None:
    await reviewed(house, add_child)
    await change(house, NEXT_MEETING, date(2026, 12, 4))
    row = await the_referral(house, "Jakub")
    async with house.as_("job") as session:
        meeting = await session.get(Meeting, row.review_meeting_id)
        assert meeting is not None
        assert meeting.held_on == date(2026, 12, 4)


async def test_a_cancelled_meeting_sends_reviews_to_another(
    house: House, add_child: AddChild
) -> None:
    await reviewed(house, add_child)
    await change(house, NEXT_MEETING, None)
    row = await the_referral(house, "Jakub")
    async with house.as_("job") as session:
        meeting = await session.get(Meeting, row.review_meeting_id)
        assert meeting is not None
        assert meeting.held_on != NEXT_MEETING
        panel = await house.panel(session)
        days = await meeting_days(session, panel, date(2026, 11, 23), date(2026, 12, 31))
    assert [one.held_on for one in days.meetings] == [date(2026, 12, 17)]


async def test_cancelling_a_frozen_meeting_closes_its_packs(
    house: House, add_child: AddChild
) -> None:
    await add_child("Amina")
    async with house.as_("coordinator") as session:
        panel = await house.panel(session)
        await freeze(session, panel, await meeting_on(session, panel, NEXT_MEETING))
    async with house.opened("Amina", "member"):
        pass
    await change(house, NEXT_MEETING, None)
    with pytest.raises(NotFound):
        async with house.opened("Amina", "member"):
            pass
    async with house.as_("coordinator") as session:
        panel = await house.panel(session)
        meeting = await meeting_on(session, panel, date(2026, 12, 17))
        prepared = await prepare(session, panel, meeting, session.info["viewer"])
    assert [item.candidate.child_id for item in prepared.agenda.items] == [house.children["Amina"]]


async def test_a_meeting_changed_meanwhile_is_a_conflict(house: House) -> None:
    await change(house, NEXT_MEETING, date(2026, 12, 4))
    with pytest.raises(Conflict):
        await change(house, date(2026, 12, 4), None, version=1)
