"""A mother says how something is that is to be different: on her page, in the facts, in the table."""

from datetime import date
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.facts import OutcomeChange
from panel.insight.core.places import Grid
from panel.insight.core.words import EVERY, Period
from panel.insight.counting import count, opened_to_count
from panel.insight.feed import check, feed
from panel.insight.storing import stored
from panel.plans.models import DesiredOutcome, OutcomeProgress, Plan
from panel.plans.service import judge_own_outcome
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.platform.sessions import start
from tests.insight.voice.answers import as_person
from tests.insight.voice.test_survey import AFTER_TERM, AUTUMN
from tests.panels.note_world import Held, form_of, rows_of, words

pytestmark = pytest.mark.database


@pytest.fixture
async def outcome(held: Held) -> UUID:
    """An outcome of the agreed plan, at 2 and aiming for 5."""
    async with held.house.as_("job") as session:
        plan = (await session.scalars(select(Plan).where(Plan.child_id == held.child))).one()
        plan.state, plan.agreed_on = "agreed", date(2026, 10, 1)
        row = DesiredOutcome(
            child_id=held.child,
            plan_id=plan.id,
            position=1,
            text="She sleeps",
            baseline=2,
            target=5,
        )
        session.add(row)
        await session.flush()
        return row.id


async def test_what_a_mother_judges_is_counted_as_the_family_sees_it(
    held: Held,
    outcome: UUID,
    client: AsyncTestClient[Litestar],
    clock: FixedClock,
    database_of_own: Cluster,
) -> None:
    async with held.house.tenant.transaction() as session:
        token = await start(session, held.mother, "family", clock.now())
    client.cookies.set("panel_session", token)
    path = f"/family/{held.child}/outcomes/{outcome}"
    for value in ("3", "1"):
        hidden = await form_of(client, path, path)
        done = await client.post(path, data=hidden | {"value": value})
    assert "It is now 1 out of 5. It was 2 at the start." in words(done)
    [row] = await rows_of(held, OutcomeProgress)
    assert (row.value, row.created_by) == (1, held.mother), "judged twice on a day, it counts once"
    clock.set(AFTER_TERM)
    async with held.house.as_("job") as session:
        await feed(session)
        assert (await check(session)).in_words() == ""
        [fact] = [one async for one in stored(session) if isinstance(one, OutcomeChange)]
    assert (fact.period, fact.by_family, fact.baseline, fact.latest) == (AUTUMN, True, 2, 1)
    assert database_of_own.insight_url is not None
    schema = held.house.tenant.record.schema_name
    with opened_to_count(database_of_own.insight_url, schema) as connection:
        cells = count(connection, CATALOGUE["outcome_change"], Grid({}), Period(AUTUMN))
    assert {one.cell: one.children for one in cells}[EVERY, "worse"] == 1


async def test_what_a_mother_does_not_read_she_does_not_judge(
    held: Held, outcome: UUID, client: AsyncTestClient[Litestar], clock: FixedClock
) -> None:
    async with held.house.tenant.transaction() as session:
        token = await start(session, held.mother, "family", clock.now())
    client.cookies.set("panel_session", token)
    path = f"/family/{held.child}/outcomes/{outcome}"
    hidden = await form_of(client, path, path)
    async with held.house.as_("job") as session:
        row = await session.get_one(DesiredOutcome, outcome)
        row.text = "She sleeps at Mrs Sandra Pike’s"
    assert (await client.get(path)).status_code == 404
    assert (await client.post(path, data=hidden | {"value": "3"})).status_code == 404
    assert await rows_of(held, OutcomeProgress) == []


async def test_who_may_judge_and_what(held: Held, outcome: UUID) -> None:
    async with as_person(held, held.mother) as access:
        with pytest.raises(Invalid):
            await judge_own_outcome(access, outcome, 6)
        with pytest.raises(NotFound):
            await judge_own_outcome(access, held.meeting, 3)
    async with held.house.opened("Amina", "lead") as access:
        with pytest.raises(NotAllowed):
            await judge_own_outcome(access, outcome, 3)
    async with held.house.as_("job") as session:
        row = await session.get_one(DesiredOutcome, outcome)
        row.state = "reached"
    async with as_person(held, held.mother) as access:
        with pytest.raises(NotFound):
            await judge_own_outcome(access, outcome, 3)
