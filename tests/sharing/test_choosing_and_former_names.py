"""What the family chose is recorded for those who may choose; a former name is found by nobody."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from consent import Category, Purpose
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.children import index_child
from panel.register.models import Child
from panel.register.search import find_children
from panel.sharing.models import SharingOrder
from tests.sharing.family import (
    TODAY,
    Family,
    agreed,
    hold_the_plan,
    record,
    referred,
    sees,
)
from tests.sharing.restricted import (
    Client,
    Guardians,
    confirm,
    fill,
    plain,
    with_social_care,
)

OLD, NEW = "Rowan Thistledown", "Freya Kestrel"


@pytest.fixture
async def guardians(tenant: Tenant, family: Family, gate: Gate) -> Guardians:
    """Everybody's agencies may see everything additional; Rosa holds the plan."""
    made = await with_social_care(tenant, family)
    agencies = frozenset({family.school, family.health, made.social_care.agency})
    await record(gate, family, agreed(family, agencies=agencies))
    await hold_the_plan(tenant, family)
    return made


@pytest.fixture
def page(family: Family) -> str:
    return f"/children/{family.child}/sharing/restrictions"


def health_from_school(family: Family, **typed: Any) -> dict[str, Any]:
    return {
        "by_person": str(family.mother),
        "what": "health",
        "against": str(family.school),
        "told": "told",
        "reason": "She does not want the school to know",
    } | typed


async def test_the_lead_professional_records_what_the_mother_chose(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, gate: Gate
) -> None:
    await sign_in(family.rosa.id)
    shown = await fill(client, f"{page}/choose", **health_from_school(family))
    assert "Made-up School no longer sees health." in plain(shown)
    assert await sees(gate, family, family.tom)
    assert (await confirm(client, f"{page}/choose", shown)).status_code == 303
    assert not await sees(gate, family, family.tom)
    assert await sees(gate, family, family.tom, Category.EDUCATION)
    await sign_in(family.tom.id)
    said = plain(await client.get(f"/children/{family.child}/sharing"))
    assert "Her mother chose not to share health with Made-up School" in said
    await sign_in(family.rosa.id)
    listed = plain(await client.get(page))
    assert "Whose choice Her mother" in listed
    assert (await client.get(f"{page}/protect")).status_code == 403


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"by_person": "grandmother"}, "It is not recorded that her grandmother"),
        ({"by_person": "child"}, "first record whether they understand"),
        ({"by_person": "nobody"}, "Select whose choice it is"),
        ({"what": "everything"}, "record a refusal"),
        ({"against": "everyone"}, "Select the agencies"),
        ({"against": "father"}, "Select the agencies"),
        ({"reason": ""}, "Write down what they said"),
    ],
)
async def test_a_choice_that_is_not_theirs_is_refused(
    client: Client,
    family: Family,
    guardians: Guardians,
    page: str,
    sign_in: Any,
    typed: dict[str, str],
    said: str,
) -> None:
    people = {
        "grandmother": family.grandmother, "child": family.child, "father": family.father,
    }  # fmt: skip
    await sign_in(family.rosa.id)
    given = {name: str(people.get(value, value)) for name, value in typed.items()}
    answer = await fill(client, f"{page}/choose", **health_from_school(family, **given))
    assert answer.status_code == 422
    assert said.lower() in plain(answer).lower(), plain(answer)


async def test_a_child_who_understands_may_choose(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, gate: Gate
) -> None:
    await sign_in(family.rosa.id)
    typed = health_from_school(family, by_person=str(family.child), judged="yes")
    shown = await fill(client, f"{page}/choose", **typed)
    assert (await confirm(client, f"{page}/choose", shown)).status_code == 303
    assert not await sees(gate, family, family.tom)


async def test_what_keeps_something_from_my_agency_is_not_mine_to_end(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(family.rosa.id)
    shown = await fill(
        client, f"{page}/choose", **health_from_school(family, against=str(family.health))
    )
    await confirm(client, f"{page}/choose", shown)
    async with tenant.transaction(JOB) as session:
        made = await session.scalar(text("SELECT id FROM sharing_restriction"))
    assert "/end" not in (await client.get(page)).text
    refused = await client.get(f"{page}/{made}/end")
    assert refused.status_code == 403
    assert "your agency" in refused.text
    coordinator = await referred(tenant, family)
    await sign_in(coordinator.id)
    done = await fill(client, f"{page}/{made}/end", reason="She rang and changed her mind")
    assert done.status_code == 303


# --- Former names -------------------------------------------------------------------------------


def former(guardians: Guardians, **typed: Any) -> dict[str, Any]:
    return {
        "given_name": "Rowan",
        "family_name": "Thistledown",
        "open_to": str(guardians.social_care.agency),
        "reason": "Adopted in October",
    } | typed


async def test_a_former_name_is_found_by_no_search_and_read_by_those_alone_who_are_left(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant,
    gate: Gate,
) -> None:  # fmt: skip
    async with tenant.transaction(JOB) as session:
        child = await session.get_one(Child, family.child)
        child.given_name, child.family_name, child.known_as = "Rowan", "Thistledown", "Ro"
        await session.flush()
        await index_child(session, child)
    found = await find_children(gate, family.tom, (Purpose.SUPPORT,), "Thistledown", TODAY)
    assert len(found.found) == 1
    await sign_in(guardians.social_care.id)
    same = await fill(client, f"{page}/former-name", **former(guardians))
    assert same.status_code == 422
    assert "The record still has this name." in plain(same)
    renamed = former(guardians, new_given_name="Freya", new_family_name="Kestrel")
    assert (await fill(client, f"{page}/former-name", **renamed)).status_code == 303
    own = await client.get(page)
    assert f"Former name {OLD}" in plain(own)
    assert OLD not in own.text.split("<main", 1)[0], "a former name stands in no title"
    coordinator = await referred(tenant, family)
    parts = ("", "/people", "/edit", "/sharing", "/sharing/history", "/chronology", "/panels")
    for viewer in (family.rosa, family.tom, coordinator):
        await sign_in(viewer.id)
        for part in parts:
            answer = await client.get(f"/children/{family.child}{part}")
            assert "Thistledown" not in answer.text, part
            assert "Rowan" not in answer.text, part
    await sign_in(coordinator.id)
    listed = await client.get(page)
    assert listed.status_code == 200
    assert "ormer name Protected" not in plain(listed)
    for viewer in (family.rosa, family.tom, coordinator, guardians.social_care):
        for asked in ("Rowan", "Thistledown", "Rowen Thisseldown", "Ro", "thist"):
            found = await find_children(
                gate, viewer, (Purpose.SUPPORT, Purpose.PANEL), asked, TODAY
            )
            assert found.found == (), (viewer, asked)
        found = await find_children(gate, viewer, (Purpose.SUPPORT, Purpose.PANEL), NEW, TODAY)
        if viewer is not coordinator:
            assert [one.child.name for one in found.found] == [NEW]


async def test_a_court_opens_a_former_name_and_nothing_else_does(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant
) -> None:
    coordinator = await referred(tenant, family)
    await sign_in(guardians.social_care.id)
    assert (await fill(client, f"{page}/former-name", **former(guardians))).status_code == 303
    await sign_in(coordinator.id)
    assert "Thistledown" not in (await client.get(page)).text
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingOrder(
                child_id=family.child, permits=True, categories=["identity"],
                to=[coordinator.id], from_on=date(2026, 11, 1), reference="ZZ26A00001",
            )
        )  # fmt: skip
        await rewrite_access(session, family.child)
    assert OLD in plain(await client.get(page))


async def test_a_former_name_is_taken_off_with_a_reason_by_who_may_know_it(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(guardians.social_care.id)
    wrong = await fill(
        client, f"{page}/former-name", **former(guardians, open_to=[], nhs_number="12")
    )
    assert wrong.status_code == 422
    assert "Select who may know it" in plain(wrong)
    assert (await fill(client, f"{page}/former-name", **former(guardians))).status_code == 303
    async with tenant.transaction(JOB) as session:
        made = await session.scalar(text("SELECT id FROM former_identity"))
    coordinator = await referred(tenant, family)
    await sign_in(coordinator.id)
    for former_id in (made, "0199aaaa-0000-7000-8000-000000000000"):
        answer = await client.get(f"{page}/former-names/{former_id}/end")
        assert answer.status_code == 404
        assert "There is no such former name." in plain(answer)
    await sign_in(guardians.social_care.id)
    done = await fill(client, f"{page}/former-names/{made}/end", reason="Spelt wrongly")
    assert done.status_code == 303
    assert "Thistledown" not in (await client.get(page)).text
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM former_identity")) == 1
