"""The invented county: the same by seed, of nobody, and only the database's owner can put it there."""

from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import ProgrammingError

from panel.demo.county import county, lines
from panel.demo.county_places import COUNTY, boundaries
from panel.demo.county_writing import lay_county
from panel.insight.core.clusters import grouped, touching
from panel.insight.feed import check, facts_digest, feed, rebuild
from panel.insight.maps import rings
from panel.insight.models import InsightTouched, InventedChild
from panel.platform.clock import today
from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.models import Area

DAY = date(2026, 11, 28)


def test_the_same_seed_is_the_same_county_and_nobody_is_said_twice() -> None:
    made = lines(1, 60, DAY)
    assert made == lines(1, 60, DAY)
    assert made[:20] == lines(1, 20, DAY)
    assert not {one for one, _ in made} & {one for one, _ in lines(2, 60, DAY)}
    assert len({one for one, _ in made}) == 60


def test_nothing_is_said_of_days_to_come_and_every_ward_is_the_countys() -> None:
    known = {one.code for one in COUNTY}
    for child in county(3, 300, DAY):
        assert child.ward in known
        assert not child.erased
        for one in child.said:
            assert one.since <= DAY.isoformat()
            assert one.until <= DAY.isoformat()
    whats = {one.what for child in county(3, 300, DAY) for one in child.said}
    assert {"episode", "request", "unmet", "line", "price", "share", "outcome", "waiting"} <= whats


def test_its_wards_touch_and_make_three_groups() -> None:
    points = {
        code: [p for ring in rings(said) for p in ring] for code, said in boundaries().items()
    }
    groups = grouped(touching(points))
    assert len(groups) == 12
    assert sorted(list(groups.values()).count(one) for one in set(groups.values())) == [4, 4, 4]


@pytest.mark.database
async def test_its_facts_are_what_its_history_comes_to_and_nobody_else_can_add_to_it(
    tenant: Tenant, database_of_own: Cluster
) -> None:
    url, schema = database_of_own.owner_url or "", tenant.record.schema_name
    day = today(tenant.clock)
    assert lay_county(url, schema, seed=1, children=40, today=day)
    assert not lay_county(url, schema, seed=1, children=40, today=day)
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(select(func.count()).select_from(InsightTouched)) == 40
        assert await session.scalar(select(func.count()).select_from(Area)) == 12
        fed = await feed(session)
        assert (fed.children, fed.said) == (40, 40)
        assert (await check(session)).in_words() == ""
        assert await rebuild(session) == await facts_digest(session)
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with tenant.transaction(JOB) as session:
            session.add(InventedChild(id=new_id(), line="{}"))
    async with tenant.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(InventedChild)) == 0
