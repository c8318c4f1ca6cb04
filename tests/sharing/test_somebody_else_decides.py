"""Where a worker gains by a decision about sharing, somebody else makes it or confirms it."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from consent import Category, Purpose, RestrictionKind, Role, Viewer, ViewerKind
from panel.accounts.models import Agency, Worker
from panel.accounts.service import add_agency, add_worker, give_role
from panel.panels.models import PanelAgency
from panel.platform.clock import FixedClock
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.sharing.confirming import answer_order, waiting_orders
from panel.sharing.court_orders import NewOrder, orders_of, plan_order, record_order
from panel.sharing.left_to_governance import Left, left_to_governance
from panel.sharing.models import OrderToConfirm, SharingOverride
from panel.sharing.objecting import ObjectionOutcome, decide_objection, record_objection
from panel.sharing.overriding import (
    Reason,
    my_overrides,
    open_by_reference,
    open_withheld,
    overrides_to_review,
)
from panel.sharing.restricting import EVERYTHING, NewRestriction, restrict
from tests.sharing.family import Family, agreed, record, referred, refused, sees
from tests.sharing.restricted import Client, Guardians, fill, plain, with_social_care

WHY = "He says he is on his way there now"
SEEN = "The order of 20 November, sealed by the court at Testmouth; her solicitor showed it to me"


@pytest.fixture
async def guardians(tenant: Tenant, family: Family) -> Guardians:
    return await with_social_care(tenant, family)


@pytest.fixture
async def coordinator(tenant: Tenant, family: Family, guardians: Guardians) -> Viewer:
    return await referred(tenant, family)


@pytest.fixture
async def governance(tenant: Tenant) -> Viewer:
    """The information governance lead, of an agency that has nothing to do with the child."""
    async with tenant.transaction(JOB) as session:
        office = await add_agency(session, key="office", name="Governance office", kind="council")
        gwen = await add_worker(session, office, name="Gwen Asher", email="gwen@demo.example")
        await give_role(session, gwen, Role.GOVERNANCE_LEAD)
    roles = frozenset({Role.GOVERNANCE_LEAD})
    return Viewer(gwen.id, ViewerKind.WORKER, office.id, "council", roles)


async def left(tenant: Tenant, viewer: Viewer) -> list[tuple[str, UUID]]:
    async with tenant.transaction(viewer.id) as session:
        found: tuple[Left, ...] = await left_to_governance(session, viewer)
    return [(one.what, one.about_id) for one in found]


# An objection about one's own agency --------------------------------------------------------------


async def objected(gate: Gate, family: Family, *about: object) -> UUID:
    await record(gate, family, agreed(family))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote it down") as access:
        return await record_objection(
            access, family.father, frozenset(UUID(str(one)) for one in about), reason="Gossip"
        )


async def decided(
    gate: Gate, family: Family, viewer: Viewer, objection: UUID, outcome: ObjectionOutcome
) -> None:
    purposes = (Purpose.PANEL, Purpose.GOVERNANCE)
    async with gate.open(family.child, viewer, purposes, "decided an objection") as access:
        await decide_objection(access, objection, outcome, "Both were heard")


async def test_a_coordinator_does_not_dismiss_an_objection_about_their_own_agency(
    client: Client, gate: Gate, family: Family, coordinator: Viewer, sign_in: Any
) -> None:
    objection = await objected(gate, family, coordinator.agency)
    with pytest.raises(NotAllowed, match="with your own agency"):
        await decided(gate, family, coordinator, objection, ObjectionOutcome.DISMISSED)
    await sign_in(coordinator.id)
    page = await client.get(f"/children/{family.child}/sharing/objections/{objection}")
    assert "This objection is about sharing with your own agency" in plain(page)
    assert 'value="upheld"' in page.text
    assert 'value="dismissed"' not in page.text
    await decided(gate, family, coordinator, objection, ObjectionOutcome.UPHELD)


async def test_another_agency_s_coordinator_dismisses_it(
    gate: Gate, family: Family, tenant: Tenant, coordinator: Viewer
) -> None:
    objection = await objected(gate, family, coordinator.agency)
    async with tenant.transaction(JOB) as session:
        nia = await session.get_one(Worker, family.nia.id)
        panel = await session.scalar(
            select(PanelAgency.panel_id).where(PanelAgency.agency_id == family.school)
        )
        await give_role(session, nia, Role.COORDINATOR, panel)
        await rewrite_access(session, family.child)
    other = Viewer(
        nia.id, ViewerKind.WORKER, family.health, "health", frozenset({Role.COORDINATOR})
    )
    await decided(gate, family, other, objection, ObjectionOutcome.DISMISSED)


async def test_the_governance_lead_dismisses_what_is_left_to_them_and_reads_nothing_of_the_record(
    client: Client, gate: Gate, family: Family, tenant: Tenant, coordinator: Viewer,
    governance: Viewer, sign_in: Any,
) -> None:  # fmt: skip
    about_school = await objected(gate, family, family.school)
    assert await left(tenant, governance) == []
    with pytest.raises(NotFound):
        await decided(gate, family, governance, about_school, ObjectionOutcome.DISMISSED)
    objection = await objected(gate, family, coordinator.agency)
    assert await left(tenant, governance) == [("objection", objection)]
    with pytest.raises(NotAllowed):
        await decided(gate, family, governance, about_school, ObjectionOutcome.DISMISSED)
    await sign_in(governance.id)
    assert f"/objections/{objection}" in (await client.get("/safeguarding/reviews")).text
    page = f"/children/{family.child}/sharing/objections/{objection}"
    said = {"outcome": "dismissed", "reason": "Both were heard"}
    assert (await fill(client, page, **said)).status_code == 303
    assert "Sharing goes on" in plain(await client.get(page))
    assert await left(tenant, governance) == []
    record = await client.get(f"/children/{family.child}")
    assert "C-1001" in record.text
    assert "Kestrel" not in record.text


# A court order in one's own favour ----------------------------------------------------------------


def order_to(guardians: Guardians) -> NewOrder:
    return NewOrder(
        permits=True, what=["contact"], to=[str(guardians.social_care.agency)],
        reference="ZZ26P00009", reason="So they say",
    )  # fmt: skip


async def protected_in_silence(gate: Gate, family: Family, who: Viewer, by: Viewer) -> None:
    new = NewRestriction(
        kind=RestrictionKind.PROTECTION, what=["contact"], against=[str(who.agency)],
        reason="One of them is her uncle", silent=True,
    )  # fmt: skip
    async with gate.open(family.child, by, Purpose.PANEL, "recorded a protection") as access:
        await restrict(access, new)


@pytest.mark.parametrize("is_silent", [False, True])
async def test_an_order_that_opens_something_to_its_recorder_waits_for_somebody_else(
    client: Client, gate: Gate, family: Family, guardians: Guardians, coordinator: Viewer,
    sign_in: Any, tenant: Tenant, *, is_silent: bool,
) -> None:  # fmt: skip
    """It waits whether or not anything is protected: else the waiting would tell."""
    sal = guardians.social_care
    if is_silent:
        await protected_in_silence(gate, family, sal, coordinator)
    async with gate.open(family.child, sal, Purpose.SUPPORT, "recorded an order") as access:
        assert (await plan_order(access, order_to(guardians))).waits
        waiting = await record_order(access, order_to(guardians))
        assert await orders_of(access) == ()
    assert not await sees(gate, family, sal, Category.CONTACT)
    base = f"/children/{family.child}/sharing/orders"
    page = f"{base}/{waiting}/confirm"
    for who in (sal, guardians.lead):
        await sign_in(who.id)
        assert (await client.get(page)).status_code in {403, 404}
    await sign_in(sal.id)
    listed = await client.get(base)
    assert "Waits to be confirmed" in plain(listed)
    assert page not in listed.text
    await sign_in(coordinator.id)
    assert page in (await client.get(base)).text
    wrong = await fill(client, page, answer="confirmed", reason=" ")
    assert wrong.status_code == 422
    assert "Say what you have seen" in plain(wrong)
    assert (await fill(client, page, answer="confirmed", reason=SEEN)).status_code == 303
    assert await sees(gate, family, sal, Category.CONTACT)
    assert (await client.get(page)).status_code == 410
    assert "Order ZZ26P00009 In force" in plain(await client.get(base))
    async with tenant.transaction(JOB) as session:
        row = await session.get_one(OrderToConfirm, waiting)
        assert (row.answered_by, row.order_id is None) == (coordinator.id, False)


async def test_an_order_for_a_colleague_waits_and_one_that_is_not_confirmed_opens_nothing(
    gate: Gate, family: Family, guardians: Guardians, coordinator: Viewer, governance: Viewer,
    tenant: Tenant,
) -> None:  # fmt: skip
    sal = guardians.social_care
    new = NewOrder(
        permits=True, what=["contact"], to=[], worker=guardians.lead.id,
        reference="ZZ26P00009", reason="So they say",
    )  # fmt: skip
    async with gate.open(family.child, sal, Purpose.SUPPORT, "recorded an order") as access:
        waiting = await record_order(access, new)
    assert await left(tenant, governance) == [("order", waiting)]
    purposes = (Purpose.GOVERNANCE,)
    async with gate.open(family.child, governance, purposes, "answered") as access:
        with pytest.raises(Invalid):
            await answer_order(access, waiting, 1, " ", confirmed=False)
        await answer_order(access, waiting, 1, "Nobody could show it", confirmed=False)
    assert await left(tenant, governance) == []
    async with gate.open(family.child, coordinator, Purpose.PANEL, "looked") as access:
        assert await waiting_orders(access) == ()
        assert await orders_of(access) == ()


async def test_an_order_for_another_agency_counts_at_once(
    gate: Gate, family: Family, guardians: Guardians, coordinator: Viewer
) -> None:
    async with gate.open(family.child, coordinator, Purpose.PANEL, "recorded an order") as access:
        await record_order(access, order_to(guardians))
        assert len(await orders_of(access)) == 1
    assert await sees(gate, family, guardians.social_care, Category.CONTACT)


# Overrides ----------------------------------------------------------------------------------------


async def test_a_record_opened_by_reference_is_not_opened_again_nor_for_longer(
    tenant: Tenant, family: Family, clock: FixedClock
) -> None:
    born = date(2022, 3, 9)
    async with tenant.transaction(JOB) as session:
        worker = await add_worker(
            session, await session.get_one(Agency, family.school), name="Una Pike",
            email="una@demo.example",
        )  # fmt: skip
        await give_role(session, worker, Role.PRACTITIONER)
    roles = frozenset({Role.PRACTITIONER})
    una = Viewer(worker.id, ViewerKind.WORKER, family.school, "school", roles)

    async def opened() -> list[SharingOverride]:
        async with tenant.transaction(JOB) as session:
            await open_by_reference(session, una, "C-1001", born, Reason(WHY))
        async with tenant.transaction(una.id) as session:
            assert len(await my_overrides(session, una)) == 1
        async with tenant.transaction(JOB) as session:
            return list(await session.scalars(select(SharingOverride)))

    (first,) = await opened()
    clock.set(clock.now() + timedelta(hours=23))
    (again,) = await opened()
    assert (again.id, again.ends_at, again.version) == (first.id, first.ends_at, first.version)
    clock.set(clock.now() + timedelta(hours=2))
    assert len(await opened()) == 2


async def sealed_first(
    gate: Gate, family: Family, guardians: Guardians, *against: str
) -> tuple[UUID, Viewer]:
    """Sal seals the record from who would review it, and opens what is refused afterwards."""
    sal = guardians.social_care
    await record(gate, family, refused(family, agencies=frozenset({sal.agency})))
    seal = NewRestriction(
        kind=RestrictionKind.PROTECTION, what=[EVERYTHING], against=against, reason="x",
        worker=guardians.lead.id, silent=True,
    )  # fmt: skip
    async with gate.open(family.child, sal, Purpose.SUPPORT, "recorded a protection") as access:
        await restrict(access, seal)
    async with gate.open(family.child, sal, Purpose.SUPPORT, "opened it") as access:
        return await open_withheld(access, [EVERYTHING], Reason(WHY)), sal


async def test_a_review_goes_to_another_guardian_where_the_record_is_sealed_from_one(
    gate: Gate, family: Family, guardians: Guardians, governance: Viewer, tenant: Tenant
) -> None:
    async with tenant.transaction(JOB) as session:
        health = await session.get_one(Agency, family.health)
        cal = await add_worker(session, health, name="Cal Orme", email="cal@demo.example")
        await give_role(session, cal, Role.CALDICOTT_GUARDIAN)
    roles = frozenset({Role.CALDICOTT_GUARDIAN})
    other = Viewer(cal.id, ViewerKind.WORKER, family.health, "health", roles)
    override, _ = await sealed_first(gate, family, guardians)
    for viewer, found in ((guardians.lead, []), (other, [override])):
        async with tenant.transaction(viewer.id) as session:
            assert [one.id for one in await overrides_to_review(session, viewer)] == found
    assert await left(tenant, governance) == []


async def test_a_review_goes_to_the_governance_lead_where_no_guardian_may_open_the_record(
    client: Client, gate: Gate, family: Family, guardians: Guardians, governance: Viewer,
    tenant: Tenant, sign_in: Any,
) -> None:  # fmt: skip
    override, sal = await sealed_first(gate, family, guardians)
    assert await left(tenant, governance) == [("override", override)]
    with pytest.raises(NotFound):
        async with gate.open(family.child, guardians.lead, Purpose.SAFEGUARDING, "looked"):
            pass
    await sign_in(governance.id)
    page = f"/children/{family.child}/sharing/overrides/{override}"
    assert WHY in plain(await client.get(page))
    done = await fill(client, page, justified="no", note="It could have waited")
    assert done.status_code == 303
    assert "What was opened is closed again" in plain(await client.get(page))
    async with gate.open(family.child, sal, Purpose.SUPPORT, "looked") as access:
        assert not access.may(Category.CONTACT)


async def test_who_opened_a_record_does_not_seal_it_from_everybody_before_the_review(
    gate: Gate, family: Family, guardians: Guardians
) -> None:
    sal = guardians.social_care
    await record(gate, family, refused(family, agencies=frozenset({sal.agency})))
    async with gate.open(family.child, sal, Purpose.SUPPORT, "opened it") as access:
        await open_withheld(access, [EVERYTHING], Reason(WHY))
    seal = NewRestriction(
        kind=RestrictionKind.PROTECTION, what=[EVERYTHING], against=["everyone"], reason="x"
    )
    async with gate.open(family.child, sal, Purpose.SUPPORT, "recorded a protection") as access:
        with pytest.raises(Invalid) as wrong:
            await restrict(access, seal)
    assert "wait for the review" in str(wrong.value.errors)
