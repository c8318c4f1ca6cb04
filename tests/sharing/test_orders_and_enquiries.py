"""A court goes before everything; a safeguarding enquiry sees through a choice, never through a
protection."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from consent import Category, Purpose, Viewer, ViewerKind
from panel.platform.problems import NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.history import note_event
from panel.register.models import Child
from tests.sharing.family import TODAY, Family, agreed, record, referred, refused, sees
from tests.sharing.restricted import (
    Client,
    Guardians,
    confirm,
    fill,
    plain,
    with_social_care,
)

ADDRESS = "9 Hiding Lane"
SECRET = "She is short of breath at night"


@pytest.fixture
async def guardians(tenant: Tenant, family: Family, gate: Gate) -> Guardians:
    """Health wrote about her health; the school is refused all; her address is on record."""
    made = await with_social_care(tenant, family)
    both = frozenset({family.health, made.social_care.agency})
    await record(gate, family, agreed(family, agencies=both))
    await record(gate, family, refused(family, agencies=frozenset({family.school})))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        await note_event(
            access.session,
            family.child,
            happened_on=TODAY,
            kind="other",
            category=Category.HEALTH,
            author_agency_id=family.health,
            text=SECRET,
        )
    async with tenant.transaction(JOB) as session:
        (await session.get_one(Child, family.child)).address = ADDRESS
    return made


@pytest.fixture
def base(family: Family) -> str:
    return f"/children/{family.child}/sharing"


def health_to(who: object, **typed: Any) -> dict[str, Any]:
    return {
        "reference": "ZZ26P00001",
        "permits": "permits",
        "what": "health",
        "to": str(who),
        "told": "told",
        "reason": "The school is to be told before she comes back",
    } | typed


async def begin(client: Client, page: str, **typed: Any) -> None:
    answer = await confirm(client, page, await fill(client, page, **typed))
    assert answer.status_code == 303, plain(answer)


async def only(tenant: Tenant, table: str) -> UUID:
    async with tenant.transaction(JOB) as session:
        found: UUID = (await session.execute(text(f"SELECT id FROM {table}"))).scalar_one()
        return found


# --- Orders -------------------------------------------------------------------------------------


async def test_an_order_opens_what_was_refused_and_ends_with_a_reason(
    client: Client, family: Family, guardians: Guardians, base: str, sign_in: Any, tenant: Tenant,
    gate: Gate,
) -> None:  # fmt: skip
    await sign_in(guardians.social_care.id)
    shown = await fill(client, f"{base}/orders/new", **health_to(family.school))
    assert "Made-up School sees health." in plain(shown)
    assert not await sees(gate, family, family.tom)
    assert (await confirm(client, f"{base}/orders/new", shown)).status_code == 303
    await sign_in(family.tom.id)
    assert SECRET in (await client.get(f"/children/{family.child}/chronology")).text
    said = plain(await client.get(base))
    assert "A court ordered that this agency may see this (ZZ26P00001)." in said or (
        "A court ordered" in said
    )
    await sign_in(guardians.social_care.id)
    listed = plain(await client.get(f"{base}/orders"))
    assert "Order ZZ26P00001 In force" in listed
    assert "Made-up School may see health" in listed
    end = f"{base}/orders/{await only(tenant, 'sharing_order')}/end"
    assert "Made-up School no longer sees health." in plain(await client.get(end))
    assert (await fill(client, end, reason=" ")).status_code == 422
    assert (await fill(client, end, reason="Discharged on Friday")).status_code == 303
    assert not await sees(gate, family, family.tom)
    assert "Discharged on Friday" in plain(await client.get(f"{base}/orders"))
    assert (await client.get(end)).status_code == 410


async def test_an_order_opens_a_protection_to_whom_it_names_alone(
    client: Client, family: Family, guardians: Guardians, base: str, sign_in: Any, gate: Gate
) -> None:
    await sign_in(guardians.social_care.id)
    await begin(
        client, f"{base}/restrictions/protect",
        what="everything", against=str(family.father), told="silent", reason="Violence",
    )  # fmt: skip
    father = Viewer(family.father, ViewerKind.FAMILY)
    with pytest.raises(NotFound):
        async with gate.open(family.child, father, Purpose.SUPPORT, "read"):
            pass
    await begin(client, f"{base}/orders/new", **health_to(family.father, what="education"))
    async with gate.open(family.child, father, Purpose.SUPPORT, "read") as access:
        assert access.may(Category.EDUCATION)
        assert not access.may(Category.CONTACT)
        assert not access.may(Category.IDENTITY)


async def test_a_court_forbids_even_what_was_agreed_and_somebody_who_has_no_tie_may_be_named(
    client: Client,
    family: Family,
    guardians: Guardians,
    base: str,
    sign_in: Any,
    gate: Gate,
    tenant: Tenant,
) -> None:
    await sign_in(guardians.social_care.id)
    await begin(
        client, f"{base}/orders/new",
        **health_to(family.health, permits="forbids", reference="ZZ26P00002"),
    )  # fmt: skip
    assert not await sees(gate, family, family.rosa)
    with pytest.raises(NotFound):
        await sees(gate, family, guardians.lead)
    await begin(
        client, f"{base}/orders/new",
        **health_to("", to=[], worker_email="viv@demo.example", reference="ZZ26P00003"),
    )  # fmt: skip
    # It lets a colleague of whoever recorded it see something, so somebody else confirms it.
    with pytest.raises(NotFound):
        await sees(gate, family, guardians.lead)
    waiting = await only(tenant, "order_to_confirm")
    await sign_in((await referred(tenant, family)).id)
    seen = {"answer": "confirmed", "reason": "I have read the sealed order"}
    assert (await fill(client, f"{base}/orders/{waiting}/confirm", **seen)).status_code == 303
    assert await sees(gate, family, guardians.lead)
    assert not await sees(gate, family, guardians.lead, Category.PLAN)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reference": ""}, "Enter the case number"),
        ({"what": []}, "Select"),
        ({"what": "gossip"}, "Select what the order is about"),
        ({"to": []}, "Select whom the order names"),
        ({"to": "everyone"}, "A court names whom it lets see something"),
        ({"permits": "maybe"}, "Select"),
        ({"reason": ""}, "Say what the order says"),
        (
            {
                "from_on-day": "2", "from_on-month": "2", "from_on-year": "2026",
                "until_on-day": "1", "until_on-month": "2", "until_on-year": "2026",
            },
            "before the beginning",
        ),
    ],
)  # fmt: skip
async def test_an_order_that_cannot_be_is_refused(
    client: Client, family: Family, guardians: Guardians, base: str, sign_in: Any,
    typed: dict[str, Any], said: str, tenant: Tenant,
) -> None:  # fmt: skip
    await sign_in(guardians.social_care.id)
    answer = await fill(
        client, f"{base}/orders/new", **(health_to(family.school) | typed), confirmed="yes"
    )
    assert answer.status_code == 422
    assert said in plain(answer)
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM sharing_order")) == 0


# --- Enquiries ----------------------------------------------------------------------------------


async def test_an_enquiry_sees_through_a_choice_and_never_through_a_protection(
    client: Client, family: Family, guardians: Guardians, base: str, sign_in: Any, tenant: Tenant
) -> None:
    record_of = f"/children/{family.child}"
    await sign_in(guardians.social_care.id)
    await begin(
        client, f"{base}/restrictions/protect",
        what="contact", against=str(family.school), told="told", reason="Violence",
    )  # fmt: skip
    await sign_in(family.tom.id)
    assert SECRET not in (await client.get(f"{record_of}/chronology")).text
    await sign_in(guardians.social_care.id)
    shown = await fill(
        client, f"{base}/enquiries/new",
        agencies=[str(family.school), str(guardians.social_care.agency)],
        reason="Strategy discussion on Monday",
    )  # fmt: skip
    said = plain(shown)
    assert "Made-up School sees" in said
    assert "health" in said
    assert "contact details" not in said.split("What changes", 1)[1]
    assert (await confirm(client, f"{base}/enquiries/new", shown)).status_code == 303
    assert "Strategy discussion on Monday" in plain(await client.get(f"{base}/enquiries"))
    await sign_in(family.tom.id)
    assert SECRET in (await client.get(f"{record_of}/chronology")).text
    people = await client.get(f"{record_of}/people")
    assert ADDRESS not in people.text
    assert "It is protected, and only a court can open it." in plain(people)
    await sign_in(guardians.social_care.id)
    end = f"{base}/enquiries/{await only(tenant, 'sharing_enquiry')}/end"
    assert "Made-up School no longer sees" in plain(await client.get(end))
    assert (await fill(client, end, reason="No further action")).status_code == 303
    await sign_in(family.tom.id)
    assert SECRET not in (await client.get(f"{record_of}/chronology")).text


async def test_an_enquiry_is_for_social_care_and_safeguarding_to_record(
    client: Client, family: Family, guardians: Guardians, base: str, sign_in: Any, tenant: Tenant
) -> None:
    for viewer in (family.rosa, family.tom):
        await sign_in(viewer.id)
        for part in ("enquiries", "enquiries/new", "orders", "orders/new"):
            assert (await client.get(f"{base}/{part}")).status_code == 403
        assert "Safeguarding enquiries" not in plain(await client.get(base))
    await sign_in(guardians.social_care.id)
    for typed, said in (
        ({"agencies": [], "reason": "x"}, "Select"),
        ({"agencies": str(family.child), "reason": "x"}, "Select the agencies that make"),
        ({"agencies": str(family.school), "reason": " "}, "Say why it is made"),
    ):
        answer = await fill(client, f"{base}/enquiries/new", **typed)
        assert answer.status_code == 422
        assert said in plain(answer)
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM sharing_enquiry")) == 0
