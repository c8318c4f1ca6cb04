"""Children of the demonstration go to another authority and are the same there.

One in CI; with PANEL_SOAK set twenty, in one file of NDJSON, as an operator sends them. Each child's
family agrees for the test that an agency of theirs is sent everything by its system.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from consent import Category, Purpose
from panel.accounts.models import Agency
from panel.exchange.importing import bring_in
from panel.platform.cluster import Cluster
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access
from panel.register.models import Child, FamilyLink, Involvement
from panel.sharing.models import SharingAgreement
from tests.demo.year import MONDAY, database_from, tenant_of, write_demo
from tests.exchange.exporting import client_of, equal_parts, exported, ndjson

pytestmark = [pytest.mark.database, pytest.mark.crawl]
CHILDREN = 20 if "PANEL_SOAK" in os.environ else 1
STAYS = frozenset({"Provenance"})


@pytest.fixture
async def year(cluster: Cluster, template_database: str, data_dir: Path) -> AsyncIterator[Tenant]:
    """The demonstration."""
    with database_from(cluster, template_database) as own:
        await write_demo(own, data_dir, seed=1, children=CHILDREN)
        tenant = tenant_of(own, data_dir)
        yield tenant
        await tenant.database.close()


@pytest.fixture
async def elsewhere(
    cluster: Cluster, template_database: str, data_dir: Path
) -> AsyncIterator[Tenant]:
    """An authority with nobody in it."""
    with database_from(cluster, template_database) as own:
        tenant = tenant_of(own, data_dir)
        yield tenant
        await tenant.database.close()


async def agree(tenant: Tenant) -> tuple[UUID, list[UUID]]:
    """Every family agrees that one agency's system is sent everything: the agency, the children."""
    today = MONDAY.date()
    async with tenant.transaction(JOB) as session:
        agency = await session.scalar(
            select(Agency.id).where(Agency.kind == "health").order_by(Agency.key).limit(1)
        )
        assert agency is not None
        children = list(await session.scalars(select(Child.id).order_by(Child.id)))
        for child in children:
            person = await session.scalar(
                select(FamilyLink.family_member_id).where(FamilyLink.child_id == child).limit(1)
            )
            session.add(Involvement(child_id=child, agency_id=agency, from_on=today))
            session.add(
                SharingAgreement(
                    child_id=child, given=True, by_person_id=person or child,
                    capacity="own", by_words="the family", agencies=[agency],
                    named=[one.value for one in Category], purposes=[Purpose.EXCHANGE.value],
                    from_on=today,
                )
            )  # fmt: skip
            await session.flush()
            await rewrite_access(session, child)
    return agency, children


async def test_the_demonstration_s_children_are_the_same_elsewhere(
    year: Tenant, elsewhere: Tenant
) -> None:
    agency, children = await agree(year)
    client = await client_of(year, agency)
    sent = [list(await exported(year, client, child)) for child in children]
    sent = [record for record in sent if record]
    assert len(sent) >= CHILDREN * 0.8
    report = await bring_in(elsewhere, ndjson([one for record in sent for one in record]))
    assert {one.outcome for one in report.children} == {"brought"}
    assert report.unmapped == {}
    assert report.left.keys() <= STAYS | {"Questionnaire"}
    async with elsewhere.transaction(JOB) as session:
        there = {
            reference: child
            for child, reference in (await session.execute(select(Child.id, Child.reference)))
        }
        name = await named(year, agency)
        its = await session.scalar(select(Agency.id).where(Agency.name == name))
    assert its is not None
    system = await client_of(elsewhere, its)
    for record, brought in zip(sent, report.children, strict=True):
        again = await exported(elsewhere, system, there[brought.reference or ""])
        for one, other in zip(equal_parts(record, STAYS), equal_parts(again, STAYS), strict=True):
            assert one == other


async def named(tenant: Tenant, agency: UUID) -> str:
    """What an agency is called."""
    async with tenant.transaction(JOB) as session:
        return (await session.get_one(Agency, agency)).name
