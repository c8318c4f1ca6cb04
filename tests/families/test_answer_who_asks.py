"""Somebody asks to see more: the family says yes, no, or asks to be rung; and reads who looked."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from consent import Category, Purpose
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.family_history import LOOKS_A_PAGE
from panel.sharing.models import AccessRequest, SharingRestriction
from panel.sharing.noticing import tell_of_choices
from panel.sharing.service import request_access
from tests.families.choosing import (
    TODAY,
    School,
    agreed,
    choose,
    hidden_fields,
    may_see,
    standing,
    with_school,
    write_down,
)
from tests.families.conftest import SignInFamily
from tests.families.household import Client, Family, words

WHY = "He wears splints in PE"


@pytest.fixture
async def school(tenant: Tenant, family: Family) -> School:
    return await with_school(tenant, family)


@pytest.fixture
async def mother(client: Client, family: Family, sign_in_family: SignInFamily) -> Client:
    await sign_in_family(family.mother)
    return client


async def ask(
    gate: Gate,
    family: Family,
    school: School,
    category: Category = Category.HEALTH,
    purpose: Purpose = Purpose.SUPPORT,
) -> None:
    async with gate.open(family.child, school.tom, Purpose.SUPPORT, "asked to see") as access:
        await request_access(access, [category], WHY, purpose)


async def request(tenant: Tenant) -> AccessRequest:
    async with tenant.transaction(JOB) as session:
        return (await session.scalars(select(AccessRequest))).one()


async def page_of(client: Client, family: Family) -> str:
    return words((await client.get(f"/family/{family.child}/choices")).text)


async def test_a_yes_opens_it_and_answers(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    await ask(gate, family, school)
    said = await page_of(mother, family)
    assert "Ashdown School asks to see health." in said
    assert f"This is why: {WHY}" in said
    assert "If nobody answers by 7 December 2026, that is a no." in said
    await choose(mother, family, school.id, "share-health")
    assert await may_see(gate, family, school.tom, Category.HEALTH)
    assert not await may_see(gate, family, school.tom, Category.EDUCATION), "no more than asked"
    answered = await request(tenant)
    assert (answered.state, answered.answered_by) == ("agreed", family.mother)
    assert "Somebody asks to see more" not in await page_of(mother, family)


async def test_a_yes_is_for_what_they_asked_it_for(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    await ask(gate, family, school, purpose=Purpose.ALLOCATION)
    await choose(mother, family, school.id, "share-health")
    assert (await request(tenant)).state == "agreed"
    (row,) = await standing(tenant, family)
    assert "allocation" in row.purposes


async def test_a_no_answers_and_leaves_the_rest(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    await write_down(gate, family, agreed(family.mother, {school.id}))
    await ask(gate, family, school)
    done = await choose(mother, family, school.id, "refuse-health")
    assert done.status_code == 303
    assert (await request(tenant)).state == "refused"
    assert await may_see(gate, family, school.tom, Category.PLAN)
    assert not await may_see(gate, family, school.tom, Category.HEALTH)
    assert "You said no on 23 November 2026." in await page_of(mother, family)
    await choose(mother, family, school.id, "share-more")
    assert await may_see(gate, family, school.tom, Category.HEALTH), "a yes takes the no back"


async def test_she_asks_to_be_rung(
    mother: Client, tenant: Tenant, gate: Gate, family: Family, school: School
) -> None:
    await ask(gate, family, school)
    waiting = await request(tenant)
    shown = (await mother.get(f"/family/{family.child}/choices")).text
    path = f"/family/{family.child}/requests/{waiting.id}"
    done = await mother.post(path, data=hidden_fields(shown, path), follow_redirects=False)
    assert done.status_code == 303
    said = words((await mother.get(done.headers["location"])).text)
    assert "Rosa Whitlow will be told that you want a call." in said
    assert "You asked to be rung about it." in said
    assert "Ask me by phone" not in said
    async with tenant.transaction(JOB) as session:
        assert await tell_of_choices(session, TODAY, "https://x") == 1
    assert (await request(tenant)).state == "asked", "a call is no answer"


async def test_a_question_about_what_she_may_not_see_is_not_hers(
    client: Client,
    mother: Client,
    tenant: Tenant,
    gate: Gate,
    family: Family,
    school: School,
    sign_in_family: SignInFamily,
) -> None:
    await ask(gate, family, school, Category.SAFEGUARDING)
    waiting = await request(tenant)
    assert WHY not in await page_of(mother, family)
    page = (await mother.get(f"/family/{family.child}/tell")).text
    token = hidden_fields(page, f"/family/{family.child}/tell")
    path = f"/family/{family.child}/requests/{waiting.id}"
    assert (await mother.post(path, data=token)).status_code == 404
    await sign_in_family(family.grandmother)
    page = (await client.get(f"/family/{family.child}/tell")).text
    token = hidden_fields(page, f"/family/{family.child}/tell")
    assert (await client.post(path, data=token)).status_code == 404
    assert (await request(tenant)).ring_asked_at is None


async def test_who_asks_is_kept_from_whom_something_is_kept(
    client: Client,
    tenant: Tenant,
    gate: Gate,
    family: Family,
    school: School,
    sign_in_family: SignInFamily,
) -> None:
    await ask(gate, family, school)
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingRestriction(
                child_id=family.child,
                kind="protection",
                categories=["contact"],
                against=[family.father],
                from_on=TODAY,
                silent=True,
                reason="A threat was made",
            )
        )
    await sign_in_family(family.father)
    said = await page_of(client, family)
    assert "Ashdown School" not in said
    assert "asks to see" not in said


async def test_she_reads_who_looked_page_by_page(
    mother: Client, gate: Gate, clock: FixedClock, family: Family, school: School
) -> None:
    await write_down(gate, family, agreed(family.mother, {school.id}))
    for _ in range(LOOKS_A_PAGE + 2):
        clock.set(clock.now() + timedelta(minutes=1))
        await may_see(gate, family, school.tom, Category.PLAN)
    page = (await mother.get(f"/family/{family.child}/looks")).text
    said = words(page)
    assert "Who looked at what is written about Freya" in said
    assert "23 November 2026 at 9:52: Tom Arden, Ashdown School, looked to help." in said
    assert "you or your family agreed to share it" in said
    assert said.count("Tom Arden") == LOOKS_A_PAGE
    href = page[page.index("/looks?page=") :].split('"')[0]
    older = words((await mother.get(f"/family/{family.child}{href}")).text)
    assert older.count("Tom Arden") == 2
    assert "23 November 2026 at 9:31" in older
    stale = await mother.get(f"/family/{family.child}/looks?page=nonsense")
    assert stale.status_code == 200
