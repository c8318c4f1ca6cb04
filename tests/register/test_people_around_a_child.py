"""Family with parental responsibility and its basis; agencies now and expected; siblings."""

import re
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import ParentalBasis, Purpose, Tie, Viewer, ViewerKind
from panel.platform.problems import Conflict, Invalid, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.pages import people_page
from panel.register.service import (
    NewFamilyLink,
    NewFamilyMember,
    add_family_member,
    add_involvement,
    change_family_member,
    family_member_details,
    link_family_member,
    people_of,
    siblings,
    start_involvement,
)

Add = Callable[..., Awaitable[UUID]]
Client = AsyncTestClient[Litestar]
TODAY = date(2026, 11, 23)
LEYLA = NewFamilyMember("Leyla Kestrel", phone="07700 900123", address="1 Mill Lane")
MOTHER = NewFamilyLink("mother", parental_responsibility=True, basis=ParentalBasis.BIRTH_MOTHER)


@pytest.fixture
async def rosa(client: Client, team: Any, sign_in: Any) -> Client:
    """Rosa's browser."""
    await sign_in(team.rosa.id)
    return client


async def post(client: Client, page: str, action: str, answers: dict[str, str]) -> httpx.Response:
    """Post a form of a page, with its token and a one-time id."""
    shown = await client.get(page)
    assert shown.status_code == 200, shown.text
    hidden = dict(re.findall(r'type="hidden" name="(_\w+)" value="([^"]*)"', shown.text))
    return await client.post(action, data=hidden | answers, follow_redirects=False)


def words(page: httpx.Response) -> str:
    """What a page says."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.text)).replace("&#39;", "'")


@pytest.mark.parametrize(
    ("link", "field"),
    [
        (NewFamilyLink("father", parental_responsibility=True), "basis"),
        (
            NewFamilyLink(
                "father", parental_responsibility=True, basis=ParentalBasis.FATHER_BY_REGISTRATION
            ),
            "from_on",
        ),
        (
            NewFamilyLink(
                "father",
                parental_responsibility=True,
                basis=ParentalBasis.FATHER_BY_REGISTRATION,
                from_on=date(2003, 11, 30),
            ),
            "from_on",
        ),
        (NewFamilyLink("aunt", basis=ParentalBasis.ADOPTION), "parental_responsibility"),
        (NewFamilyLink("aunt", from_on=TODAY, until_on=date(2026, 1, 1)), "until_on"),
    ],
)
async def test_parental_responsibility_needs_a_basis_and_a_day(
    tenant: Tenant, add: Add, team: Any, link: NewFamilyLink, field: str
) -> None:
    child = await add("Amina", "Kestrel")
    with pytest.raises(Invalid) as refused:
        async with tenant.transaction(team.rosa.id) as session:
            await add_family_member(session, child, LEYLA, link)
    assert refused.value.errors[0].field == field


async def test_a_parent_reaches_the_record_once_the_basis_is_recorded(
    tenant: Tenant, gate: Gate, add: Add, team: Any
) -> None:
    child = await add("Amina", "Kestrel")
    async with tenant.transaction(team.rosa.id) as session:
        link = await add_family_member(session, child, LEYLA, MOTHER)
    leyla = Viewer(link.family_member_id, ViewerKind.FAMILY)
    async with gate.open(child, leyla, Purpose.SUPPORT, "read") as access:
        assert access.ties == {Tie.PARENT}


async def test_brothers_and_sisters_share_a_mother_and_not_her_responsibility(
    tenant: Tenant, add: Add, team: Any
) -> None:
    amina, yusuf = await add("Amina", "Kestrel"), await add("Yusuf", "Kestrel")
    async with tenant.transaction(team.rosa.id) as session:
        link = await add_family_member(session, amina, LEYLA, MOTHER)
        await link_family_member(session, yusuf, link.family_member_id, NewFamilyLink("mother"))
        with pytest.raises(Invalid):
            await link_family_member(session, yusuf, link.family_member_id, NewFamilyLink("mother"))
        assert [one.child_id for one in await siblings(session, amina)] == [yusuf]
        assert [one.child_id for one in await siblings(session, yusuf)] == [amina]


async def test_a_person_i_do_not_know_of_cannot_be_linked(
    tenant: Tenant, add: Add, team: Any
) -> None:
    amina = await add("Amina", "Kestrel")
    other = await add("Jakub", "Merrow", viewer=team.hana)
    async with tenant.transaction(team.hana.id) as session:
        link = await add_family_member(session, other, LEYLA, MOTHER)
    with pytest.raises(NotFound):
        async with tenant.transaction(team.rosa.id) as session:
            await link_family_member(session, amina, link.family_member_id, NewFamilyLink("mother"))


async def test_siblings_are_linked_on_the_page(
    rosa: Client, tenant: Tenant, add: Add, team: Any
) -> None:
    amina, yusuf = await add("Amina", "Kestrel"), await add("Yusuf", "Kestrel")
    async with tenant.transaction(team.rosa.id) as session:
        await add_family_member(session, amina, LEYLA, MOTHER)
    page = f"/children/{yusuf}/people"
    answer = await post(rosa, page, f"/children/{yusuf}/siblings", {"reference": "C-9999"})
    assert answer.status_code == 422
    assert "no such brother or sister that you can see" in answer.text
    answer = await post(rosa, page, f"/children/{yusuf}/siblings", {"reference": "c-1001"})
    assert answer.status_code == 303
    said = words(await rosa.get(page))
    assert "Leyla Kestrel, mother" in said
    assert "Parental responsibility is not recorded" in said
    assert "Amina Kestrel, 4 years" in said


async def test_a_family_that_others_wrote_down_is_not_shared_with_me(
    rosa: Client, tenant: Tenant, add: Add, team: Any
) -> None:
    amina, yusuf = await add("Amina", "Kestrel"), await add("Yusuf", "Kestrel", viewer=team.hana)
    async with tenant.transaction(team.hana.id) as session:
        link = await add_family_member(session, yusuf, LEYLA, MOTHER)
        await add_involvement(
            session, yusuf, agency_id=team.rosa.agency, worker_id=team.rosa.id, from_on=TODAY
        )
    page = f"/children/{amina}/people"
    answer = await post(rosa, page, f"/children/{amina}/siblings", {"reference": "C-1002"})
    assert answer.status_code == 422
    assert "nobody in that family whom you can see" in answer.text
    async with tenant.transaction(JOB) as session:
        await link_family_member(session, amina, link.family_member_id, NewFamilyLink("mother"))
    said = words(await rosa.get(page))
    assert "Leyla" not in said
    assert "Yusuf" not in said


async def test_agencies_now_and_expected_are_added_begun_and_ended(
    rosa: Client, add: Add, tenant: Tenant, team: Any
) -> None:
    child = await add("Amina", "Kestrel")
    page, form = f"/children/{child}/people", f"/children/{child}/agencies/new"
    expected = {"agency": "early-years", "part": "nursery place", "when": "expected",
                "worker_email": "early-years@demo.example",
                "on-day": "1", "on-month": "9", "on-year": "2027"}  # fmt: skip
    refused = await post(rosa, form, form, expected | {"worker_email": "nobody@demo.example"})
    assert refused.status_code == 422
    assert "Nobody at that agency" in refused.text
    refused = await post(rosa, form, form, expected | {"when": "now"})
    assert "say that they are expected" in refused.text
    assert (await post(rosa, form, form, expected)).status_code == 303
    assert "expected from Wednesday 1 September 2027" in words(await rosa.get(page))
    async with tenant.transaction(team.hana.id) as session:
        assert not (await session.execute(text("SELECT id FROM child"))).all()
    shown = (await rosa.get(page)).text
    start = re.search(r'action="(/children/[^"]+/start)"', shown)
    assert start is not None
    assert (await post(rosa, page, start[1], {"from_on": "2026-11-23"})).status_code == 303
    async with tenant.transaction(team.hana.id) as session:
        assert len((await session.execute(text("SELECT id FROM child"))).all()) == 1
    shown = (await rosa.get(page)).text
    ends = re.findall(r'action="(/children/[^"]+/end)".*?name="version" value="(\d+)"', shown)
    assert len(ends) == 2
    action, version = ends[0]
    answer = await post(rosa, page, action, {"until_on": "2026-11-22", "version": version})
    assert answer.status_code == 422
    assert "The end is before the beginning" in answer.text
    answer = await post(rosa, page, action, {"until_on": "2026-11-23", "version": "99"})
    assert answer.status_code == 409
    answer = await post(rosa, page, action, {"until_on": "2026-11-23", "version": version})
    assert answer.status_code == 303
    assert "and ends on 23 November 2026" in words(await rosa.get(page))


async def test_two_people_change_a_mother_and_neither_text_is_lost(
    tenant: Tenant, gate: Gate, add: Add, team: Any
) -> None:
    child = await add("Amina", "Kestrel")
    async with tenant.transaction(team.rosa.id) as session:
        link = await add_family_member(session, child, LEYLA, MOTHER)
    async with gate.open(child, team.rosa, Purpose.SUPPORT, "change") as access:
        read = await family_member_details(access, link.id)
        version = read.link_version + read.member_version
        mine = NewFamilyMember("Leyla Kestrel", phone="07700 900456")
        await change_family_member(access, link.id, mine, MOTHER, version)
    other = NewFamilyMember("Leyla Kestrel", phone="07700 900789")
    with pytest.raises(Conflict) as clash:
        async with gate.open(child, team.rosa, Purpose.SUPPORT, "change") as access:
            await change_family_member(access, link.id, other, MOTHER, version)
    assert [(one.label, one.yours, one.theirs) for one in clash.value.clashes] == [
        ("Telephone", "07700 900789", "07700 900456")
    ]


async def test_an_address_protected_from_somebody_is_hidden_from_them(
    tenant: Tenant, gate: Gate, add: Add, team: Any, protect: Any
) -> None:
    child = await add("Amina", "Kestrel", address="1 Mill Lane", postcode="SM1 1EA")
    async with tenant.transaction(team.rosa.id) as session:
        await add_family_member(session, child, LEYLA, MOTHER)
        father = await add_family_member(
            session,
            child,
            NewFamilyMember("Omar Kestrel"),
            NewFamilyLink(
                "father",
                parental_responsibility=True,
                basis=ParentalBasis.FATHER_BY_MARRIAGE,
                from_on=date(2022, 3, 9),
            ),
        )
    await protect(child, "contact", father.family_member_id, silent=True)
    omar = Viewer(father.family_member_id, ViewerKind.FAMILY)
    async with gate.open(child, omar, Purpose.SUPPORT, "read") as access:
        people = await people_of(access)
    assert {one.name for one in people.family} == {"Leyla Kestrel", "Omar Kestrel"}
    assert people.address is None
    assert {one.address for one in people.family} == {None}
    page = people_page(people, TODAY)
    assert page.home == []
    assert page.withheld == [], "a silent protection is not said"
    async with gate.open(child, team.rosa, Purpose.SUPPORT, "read") as access:
        assert (await people_of(access)).address == "1 Mill Lane"


async def test_what_others_wrote_is_withheld_and_said(
    tenant: Tenant, gate: Gate, add: Add, team: Any
) -> None:
    child = await add("Amina", "Kestrel", address="1 Mill Lane")
    async with tenant.transaction(team.rosa.id) as session:
        await add_family_member(session, child, LEYLA, MOTHER)
        involvement = await add_involvement(
            session,
            child,
            agency_id=team.hana.agency,
            worker_id=team.hana.id,
            expected_from_on=TODAY,
        )
        await start_involvement(session, child, involvement.id, from_on=TODAY, worker_id=None)
    async with gate.open(child, team.hana, Purpose.SUPPORT, "read") as access:
        people = await people_of(access)
    assert people.family == ()
    assert [one.agency_name for one in people.agencies] == ["Early years inclusion"]
    assert len(people.withheld) == 3
    async with tenant.transaction(JOB) as session:
        rows = await session.execute(text("SELECT count(*) FROM access_event"))
        assert rows.scalar_one() == 1
