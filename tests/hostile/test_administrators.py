"""An administrator's session gets no child's data, at whatever address."""

import re

import pytest
from litestar import Litestar
from sqlalchemy import select, text

from consent import Role
from panel.accounts.desk import CHILDREN
from panel.accounts.models import Worker, WorkerRole
from panel.accounts.service import give_role
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.register.models import Child
from tests.hostile.conftest import As, is_plain
from tests.hostile.test_every_route import a_child, get_paths, ids_of

pytestmark = [pytest.mark.database, pytest.mark.crawl]


async def words_about_children(tenant: Tenant) -> set[str]:
    """Every reference, NHS number and full name, as pages would show them."""
    async with tenant.transaction(JOB) as session:
        children = list(await session.scalars(select(Child)))
        await load_keys(session, {one.id for one in children})
        said: set[str] = set()
        for one in children:
            said |= {one.reference, f"{one.given_name} {one.family_name}"}
            if one.nhs_number:
                said |= {one.nhs_number, re.sub(r"(...)(...)(....)", r"\1 \2 \3", one.nhs_number)}
    return said


async def test_no_address_shows_an_administrator_a_child(
    app: Litestar, tenant: Tenant, signed_in_as: As
) -> None:
    secret = await words_about_children(tenant)
    assert len(secret) > 80
    ids = await ids_of(tenant, await a_child(tenant, "coordinator", reached=True))
    shown = 0
    async with signed_in_as("administrator") as browser:
        for path in get_paths(app):
            if path.startswith("/demo/"):
                continue
            answer = await browser.get(ids.fill(path), follow_redirects=False)
            assert is_plain(answer), path
            told = [one for one in secret if one in answer.text]
            assert not told, f"{path} tells an administrator of {told[:3]}"
            if path.startswith(CHILDREN):
                assert answer.status_code in (403, 404), path
            shown += answer.status_code == 200
    assert shown > 15, "too few pages were there to look at"


async def test_an_administrator_who_is_a_practitioner_too_sees_by_that_part_alone(
    tenant: Tenant, signed_in_as: As
) -> None:
    """The role of administrator adds no child, and takes none of the practitioner's away."""
    async with tenant.transaction(JOB) as session:
        query = text("SELECT viewer_id FROM demo_persona WHERE key = 'lead-health'")
        rosa = await session.get_one(Worker, (await session.execute(query)).scalar_one())
    seen = "SELECT count(*) FROM child_access WHERE valid_from <= :now AND valid_until >= :now"

    async def reach() -> int:
        async with tenant.transaction(rosa.id) as session:
            given = {"now": session.info["now"]}
            return (await session.execute(text(seen), given)).scalar_one()

    before = await reach()
    assert before > 0
    async with tenant.transaction(JOB) as session:
        await give_role(session, await session.get_one(Worker, rosa.id), Role.ADMINISTRATOR)
    assert await reach() == before
    async with signed_in_as("lead-health") as browser:
        assert (await browser.get(CHILDREN)).status_code == 200
        assert (await browser.get("/people")).status_code == 200
    async with tenant.transaction(JOB) as session:
        role = await session.scalar(
            select(WorkerRole).where(
                WorkerRole.worker_id == rosa.id, WorkerRole.role == "administrator"
            )
        )
        await session.delete(role)
