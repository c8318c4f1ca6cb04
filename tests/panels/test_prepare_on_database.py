"""Preparing an agenda from the database: the same twice, nobody twice, and who owes what."""

from datetime import date

from panel.panels.agenda import Prepared, prepare, told
from panel.panels.calendar import meeting_on
from panel.panels.rules import Part
from tests.panels.conftest import NEXT_MEETING, AddChild, House


async def prepared(house: House, who: str = "coordinator", day: date = NEXT_MEETING) -> Prepared:
    async with house.as_(who) as session:
        panel = await house.panel(session)
        viewer = session.info["viewer"]
        return await prepare(session, panel, await meeting_on(session, panel, day), viewer)


async def test_the_same_agenda_twice_and_for_a_job(house: House, add_child: AddChild) -> None:
    for name in ("Amina", "Theo", "Freya"):
        await add_child(name)
    await add_child("Leon", without=("plan",))
    first, second = told(await prepared(house)), told(await prepared(house))
    assert first == second == told(await prepared(house, "job"))
    named = [one.child for one in (*first.items, *first.not_ready, *first.rolled_over)]
    assert len(named) == len(set(named)) == 4


async def test_every_item_says_why(house: House, add_child: AddChild) -> None:
    await add_child("Amina")
    await add_child(
        "Jakub",
        referred_on=date(2026, 5, 1),
        last_discussed_on=date(2026, 6, 4),
        next_review_by=date(2026, 12, 4),
    )
    new, review = told(await prepared(house)).items
    assert new.why == "New: referred on 6 November 2026 and not yet discussed."
    assert review.why == "Review due by 4 December 2026; last discussed on 4 June 2026."
    assert [item.reason for item in (new, review)] == ["new", "review_due"]


async def test_who_is_blocked_says_what_who_and_since(house: House, add_child: AddChild) -> None:
    await add_child("Leon", without=("plan",))
    await add_child("Nia", without=("assessment",))
    await add_child("Sofia", without=("sharing",))
    agenda = (await prepared(house)).agenda
    debts = {house.name_of(one.candidate.child_id): one.missing for one in agenda.not_ready}
    assert [(d.what, d.owed_by, d.since) for d in debts["Leon"]] == [
        (Part.PLAN, "Rosa Whitlow", date(2026, 11, 6))
    ]
    assert [(d.what, d.owed_by) for d in debts["Nia"]] == [(Part.ASSESSMENT, "Hana Oduya")]
    assert [d.what for d in debts["Sofia"]] == [Part.SHARING]
    assert not agenda.items


async def test_who_rolls_over_waits_longest_first(house: House, add_child: AddChild) -> None:
    for number in range(14):
        await add_child(f"Child {number}", referred_on=date(2026, 11, 1 + number))
    agenda = (await prepared(house)).agenda
    assert agenda.minutes_used == 120
    rolled = [one.candidate.waiting_since for one in agenda.rolled_over]
    assert rolled == [date(2026, 11, 13), date(2026, 11, 14)]


async def test_siblings_share_a_slot_and_not_an_item(house: House, add_child: AddChild) -> None:
    group = house.form_id
    await add_child("Theo", siblings=group)
    await add_child("Max", siblings=group)
    items = (await prepared(house)).agenda.items
    assert len(items) == 2
    assert items[0].starts_at == items[1].starts_at
