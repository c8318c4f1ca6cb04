"""You said, we did: written, published, taken back; and who may."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from panel.insight.voice import said
from panel.insight.voice.said import SaidWords
from panel.platform.clock import FixedClock
from panel.platform.problems import Conflict, Invalid, NotFound, Problem
from panel.platform.tenancy import Tenant
from panel.web.paging import Asked, read_cursor
from tests.families.conftest import family
from tests.families.household import Family
from tests.insight.put_out import put_areas

__all__ = ["family"]
pytestmark = pytest.mark.database

WORDS = SaidWords("Parents told us that letters are hard to read.", "Letters are shorter now.")
WARD = "E05009001"


async def written(tenant: Tenant, family: Family, words: SaidWords = WORDS) -> UUID:
    async with tenant.transaction(family.commissioner) as session:
        return await said.write(session, words)


async def published(tenant: Tenant, family: Family) -> UUID:
    made = await written(tenant, family)
    async with tenant.transaction(family.commissioner) as session:
        await said.publish(session, made, 1)
    return made


async def read_by(tenant: Tenant, viewer: UUID) -> list[str]:
    async with tenant.transaction(viewer) as session:
        return [one.words.said for one in (await said.for_families(session, Asked())).rows]


async def test_families_read_what_is_published_and_no_draft(tenant: Tenant, family: Family) -> None:
    made = await written(tenant, family)
    assert await read_by(tenant, family.mother) == []
    async with tenant.transaction(family.mother) as session:
        with pytest.raises(NotFound):
            await said.entry(session, made)
    async with tenant.transaction(family.commissioner) as session:
        await said.publish(session, made, 1)
    assert await read_by(tenant, family.mother) == [WORDS.said]
    async with tenant.transaction(family.commissioner) as session:
        found = await said.entry(session, made)
        assert (found.state, found.published_by) == ("published", "Ed Mint")
    async with tenant.transaction(family.commissioner) as session:
        await said.take_back(session, made, 2)
    assert await read_by(tenant, family.mother) == []
    async with tenant.transaction(family.commissioner) as session:
        found = await said.entry(session, made)
        assert (found.state, found.withdrawn_by) == ("withdrawn", "Ed Mint")
        with pytest.raises(Problem):
            await said.take_back(session, made, 3)


async def test_what_is_published_is_not_written_over(tenant: Tenant, family: Family) -> None:
    made = await published(tenant, family)
    async with tenant.transaction(family.commissioner) as session:
        with pytest.raises(Problem, match="not written over"):
            await said.change(session, made, 2, WORDS)


async def test_two_commissioners_do_not_write_over_each_other(
    tenant: Tenant, family: Family
) -> None:
    made = await written(tenant, family)
    other = SaidWords("Parents told us that lifts are late.", "There are more drivers.")
    async with tenant.transaction(family.commissioner) as session:
        await said.change(session, made, 1, other)
    async with tenant.transaction(family.commissioner) as session:
        with pytest.raises(Conflict) as both:
            await said.change(session, made, 1, WORDS)
    assert other.said in repr(both.value.clashes)
    async with tenant.transaction(family.commissioner) as session:
        with pytest.raises(Conflict):
            await said.publish(session, made, 1)


@pytest.mark.parametrize("who", ["rosa", "mother", "coordinator"])
async def test_the_database_lets_nobody_else_write(
    tenant: Tenant, family: Family, who: str
) -> None:
    with pytest.raises(DBAPIError):
        async with tenant.transaction(getattr(family, who)) as session:
            await said.write(session, WORDS)


async def test_names_and_wrong_choices_are_refused(tenant: Tenant, family: Family) -> None:
    wrong = SaidWords("Theo waited.", "Ring 01632 960 001.", "nowhere", "no_table")
    with pytest.raises(Invalid) as refused:
        await written(tenant, family, wrong)
    assert [one.field for one in refused.value.errors] == [
        "said", "done", "area_code", "table_key",
    ]  # fmt: skip


async def test_an_area_and_a_table_are_named(tenant: Tenant, family: Family) -> None:
    await put_areas(tenant)
    async with tenant.transaction(family.commissioner) as session:
        code, name = (await said.areas(session))[0]
        assert await said.published_tables(session) == ()
    words = SaidWords(f"Parents in {name} wait.", "More places.", code, "unmet_by_kind")
    made = await written(tenant, family, words)
    async with tenant.transaction(family.commissioner) as session:
        found = await said.entry(session, made)
    assert (found.area, found.words.table_key) == (name, "unmet_by_kind")
    assert found.table


async def test_a_long_list_pages_by_key(tenant: Tenant, family: Family, clock: FixedClock) -> None:
    for number in range(said.ON_A_PAGE + 3):
        clock.set(clock.now() + timedelta(minutes=1))
        made = await written(tenant, family, SaidWords(f"They said {number} things.", "We did."))
        async with tenant.transaction(family.commissioner) as session:
            await said.publish(session, made, 1)
    async with tenant.transaction(family.mother) as session:
        first = await said.for_families(session, Asked())
        kinds = (type(first.rows[0].created_at), UUID)
        second = await said.for_families(session, read_cursor(first.next, kinds))
        back = await said.for_families(session, read_cursor(second.previous, kinds))
    assert [one.id for one in back.rows] == [one.id for one in first.rows]
    assert len(second.rows) == 3
    assert second.next is None
