"""Stepping up closes nothing, lets reviews rest, and stepping down places the next one."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from panel.impact.models import EpisodeStep
from panel.impact.rules import Kind
from panel.impact.steps import Read, move_step, step_now, steps_of
from panel.panels.agenda import prepare
from panel.panels.calendar import meeting_on
from panel.panels.models import Referral
from panel.panels.resting import how_many_rest
from panel.panels.telling import before_panel
from panel.platform.problems import Conflict, Invalid, NotFound
from panel.register.models import Episode
from tests.impact.conftest import TODAY, World
from tests.panels.conftest import NEXT_MEETING


async def kinds(world: World) -> list[tuple[str, date, date | None]]:
    async with world.opened() as access:
        return [
            (one.step.kind.value, one.step.from_on, one.step.until_on)
            for one in await steps_of(access)
        ]


async def test_every_episode_begins_in_contacts_and_its_step_ends_with_it(world: World) -> None:
    assert await kinds(world) == [("contacts", date(2026, 9, 1), None)]
    async with world.house.as_("job") as session:
        episode = (await session.scalars(select(Episode))).one()
        episode.closed_on = TODAY
    assert await kinds(world) == [("contacts", date(2026, 9, 1), TODAY)]
    async with world.house.as_("job") as session:
        (await session.scalars(select(Episode))).one().closed_on = None
    assert await kinds(world) == [("contacts", date(2026, 9, 1), None)]


async def test_the_database_keeps_a_second_current_step_out(world: World) -> None:
    async with world.house.as_("job") as session:
        episode = (await session.scalars(select(Episode))).one()
    with pytest.raises(IntegrityError):
        async with world.house.as_("job") as session:
            session.add(
                EpisodeStep(
                    child_id=world.child, episode_id=episode.id, kind="impact", from_on=TODAY
                )
            )
            await session.flush()


async def test_stepping_up_closes_nothing_and_lets_reviews_rest(world: World) -> None:
    await world.step(Kind.IMPACT, reasons="Four services, and the family wants one table.")
    assert await kinds(world) == [
        ("contacts", date(2026, 9, 1), TODAY - timedelta(days=1)),
        ("impact", TODAY, None),
    ]
    async with world.opened() as access:
        now = (await steps_of(access))[-1]
        assert now.reasons == "Four services, and the family wants one table."
        assert now.who == "Rosa Whitlow"
        referral = (
            await access.session.scalars(select(Referral).where(Referral.child_id == world.child))
        ).one()
        assert (referral.state, referral.rests_from) == ("received", TODAY)
        assert referral.next_review_by == date(2027, 5, 19)
    async with world.as_family(world.mother) as access:
        assert await before_panel(access) is None


async def test_who_rests_is_on_no_agenda_and_counted(world: World) -> None:
    async with world.house.as_("job") as session:
        await session.execute(
            text("UPDATE referral SET next_review_by = '2026-12-01' WHERE child_id = :child"),
            {"child": world.child},
        )

    async def on_agenda() -> tuple[bool, int]:
        async with world.house.as_("coordinator") as session:
            panel = await world.house.panel(session)
            meeting = await meeting_on(session, panel, NEXT_MEETING)
            prepared = await prepare(session, panel, meeting, world.house.viewers["coordinator"].id)
            return world.child in prepared.facts, await how_many_rest(session, panel.id)

    assert await on_agenda() == (True, 0)
    await world.step(Kind.IMPACT)
    assert await on_agenda() == (False, 1)
    await world.step(Kind.CONTACTS)
    assert await on_agenda() == (False, 0)


async def test_stepping_down_places_the_next_review_from_that_day(world: World) -> None:
    await world.step(Kind.IMPACT, TODAY - timedelta(days=20))
    await world.step(Kind.SOCIAL_CARE, TODAY - timedelta(days=10))
    assert await world.step(Kind.CONTACTS) == date(2027, 5, 23)
    async with world.opened() as access:
        referral = (
            await access.session.scalars(select(Referral).where(Referral.child_id == world.child))
        ).one()
        assert referral.rests_from is None
        assert referral.next_review_by == date(2027, 5, 23)
        assert referral.review_meeting_id is not None
        held_on = await access.session.scalar(
            text("SELECT held_on FROM meeting WHERE id = :id"), {"id": referral.review_meeting_id}
        )
        # The last meeting of the terms that are imported: the next calendar may bring a later one.
        assert held_on == date(2027, 2, 11)


async def test_what_cannot_be_is_said_and_nothing_changes(world: World) -> None:
    async with world.opened() as access:
        now = await step_now(access)
        assert now is not None
        read = Read(now.id, now.version)
    for to, on, reasons, said in (
        (Kind.IMPACT, TODAY, " ", "Write down why"),
        (Kind.CONTACTS, TODAY, "Why", "The child is in CONTACTS already. Load the page again"),
        (
            Kind.IMPACT,
            TODAY + timedelta(days=1),
            "Why",
            "A step cannot begin in the future. Enter today or an earlier day",
        ),
    ):
        with pytest.raises(Invalid) as refused:
            async with world.opened() as access:
                await move_step(access, to, on, reasons, read)
        assert [one.sentence for one in refused.value.errors] == [said]
    assert len(await kinds(world)) == 1


async def test_two_at_once_are_told_of_each_other(world: World) -> None:
    async with world.opened() as access:
        now = await step_now(access)
        assert now is not None
        read = Read(now.id, now.version)
    await world.step(Kind.IMPACT)
    with pytest.raises(Conflict) as refused:
        async with world.opened(world.assessor) as access:
            await move_step(access, Kind.SOCIAL_CARE, TODAY, "Why", read)
    (clash,) = refused.value.clashes
    assert (clash.yours, clash.theirs) == ("Social care", "IMPACT, since 23 November 2026")
    assert [kind for kind, _, _ in await kinds(world)] == ["contacts", "impact"]


async def test_sitting_on_a_panel_alone_opens_nothing(world: World) -> None:
    await world.step(Kind.IMPACT)
    with pytest.raises(NotFound):
        async with world.opened(world.house.viewers["member"]):
            pass
