"""Somebody with an account tries to learn, or to open, what the pages of sharing keep from them."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from consent import Category, Purpose, Role, Viewer, ViewerKind
from panel.accounts.service import add_worker, agency_by_key, give_role
from panel.platform.clock import FixedClock
from panel.platform.problems import NotAllowed, Problem
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.models import Child
from panel.sharing.family_history import looks_for_family
from panel.sharing.models import SharingAgreement
from panel.sharing.objecting import ObjectionOutcome, decide_objection
from panel.sharing.overriding import Reason, open_by_reference
from panel.sharing.service import record_agreement, withdraw_agreement
from panel.web.paging import Asked
from tests.sharing.family import (
    Family,
    agreed,
    record,
    referred,
    refused,
    sees,
)
from tests.sharing.restricted import (
    Client,
    Guardians,
    confirm,
    fill,
    hidden,
    plain,
    with_social_care,
)

WHY = "She told me that she is afraid to go home tonight"


@pytest.fixture
async def guardians(tenant: Tenant, family: Family, gate: Gate) -> Guardians:
    """Everybody's agencies may see everything additional; the child has an address."""
    made = await with_social_care(tenant, family)
    agencies = frozenset({family.school, family.health, made.social_care.agency})
    await record(gate, family, agreed(family, agencies=agencies))
    async with tenant.transaction(JOB) as session:
        (await session.get_one(Child, family.child)).address = "9 Hiding Lane"
    return made


@pytest.fixture
async def stranger(tenant: Tenant, family: Family) -> Viewer:
    """A teacher of the same school who has nothing to do with the child."""
    async with tenant.transaction(JOB) as session:
        school = await agency_by_key(session, "school")
        assert school is not None
        worker = await add_worker(session, school, name="Una Pike", email="una@demo.example")
        await give_role(session, worker, Role.PRACTITIONER)
    roles = frozenset({Role.PRACTITIONER})
    return Viewer(worker.id, ViewerKind.WORKER, family.school, "school", roles)


@pytest.fixture
def base(family: Family) -> str:
    return f"/children/{family.child}/sharing"


def known(**typed: Any) -> dict[str, Any]:
    return {
        "reference": "c-1001", "born-day": "9", "born-month": "3", "born-year": "2022",
        "reason": WHY,
    } | typed  # fmt: skip


# --- What is withheld in silence ----------------------------------------------------------------


async def silently_from_care(
    client: Client, tenant: Tenant, family: Family, guardians: Guardians, base: str, sign_in: Any
) -> None:
    coordinator = await referred(tenant, family)
    await sign_in(coordinator.id)
    typed = {"what": "contact", "against": str(guardians.social_care.agency), "told": "silent"}
    page = f"{base}/restrictions/protect"
    shown = await fill(client, page, **typed, reason="One of them is her uncle")
    assert (await confirm(client, page, shown)).status_code == 303


@pytest.mark.parametrize("is_silent", [False, True])
async def test_recording_the_same_tells_nothing_of_one_in_silence(
    client: Client, tenant: Tenant, family: Family, guardians: Guardians, base: str, sign_in: Any,
    gate: Gate, *, is_silent: bool,
) -> None:  # fmt: skip
    if is_silent:
        await silently_from_care(client, tenant, family, guardians, base, sign_in)
        assert not await sees(gate, family, guardians.social_care, Category.CONTACT)
    await sign_in(guardians.social_care.id)
    typed = {"what": "contact", "against": str(guardians.social_care.agency), "told": "told"}
    shown = await fill(client, f"{base}/restrictions/protect", **typed, reason="I try it out")
    assert shown.status_code == 200, plain(shown)
    assert "withheld from them already" not in plain(shown)
    assert "Children's team no longer sees contact details." in plain(shown)


@pytest.mark.parametrize("is_silent", [False, True])
async def test_rehearsing_an_order_tells_nothing_of_one_in_silence(
    client: Client, tenant: Tenant, family: Family, guardians: Guardians, base: str, sign_in: Any,
    *, is_silent: bool,
) -> None:  # fmt: skip
    if is_silent:
        await silently_from_care(client, tenant, family, guardians, base, sign_in)
    await sign_in(guardians.social_care.id)
    shown = await fill(
        client, f"{base}/orders/new", permits="permits", what="contact", told="told",
        to=str(guardians.social_care.agency), reference="ZZ26P00009", reason="I try it out",
    )  # fmt: skip
    assert shown.status_code == 200, plain(shown)
    assert "Children's team sees contact details." not in plain(shown)


@pytest.mark.parametrize("is_silent", [False, True])
async def test_ending_a_no_to_ones_own_agency_tells_nothing_of_one_in_silence(
    client: Client, tenant: Tenant, family: Family, guardians: Guardians, base: str, sign_in: Any,
    gate: Gate, *, is_silent: bool,
) -> None:  # fmt: skip
    care = frozenset({guardians.social_care.agency})
    contact = frozenset({Category.CONTACT})
    no = await record(gate, family, refused(family, agencies=care, named=contact))
    await record(gate, family, agreed(family, by_person=family.father, agencies=care))
    if is_silent:
        await silently_from_care(client, tenant, family, guardians, base, sign_in)
    with pytest.raises(NotAllowed):
        async with gate.open(
            family.child, guardians.social_care, Purpose.SUPPORT, "ended a no"
        ) as access:
            await withdraw_agreement(access, no.id)


# --- Around what one may not end ----------------------------------------------------------------


async def test_nobody_goes_around_a_protection_against_themselves_by_an_order(
    client: Client, tenant: Tenant, family: Family, guardians: Guardians, base: str, sign_in: Any,
    gate: Gate,
) -> None:  # fmt: skip
    coordinator = await referred(tenant, family)
    await sign_in(coordinator.id)
    typed = {"what": "contact", "against": str(guardians.social_care.agency), "told": "told"}
    page = f"{base}/restrictions/protect"
    shown = await fill(client, page, **typed, reason="One of them is her uncle")
    assert (await confirm(client, page, shown)).status_code == 303
    order = {
        "permits": "permits", "told": "told", "to": str(guardians.social_care.agency),
        "reference": "ZZ26P00009", "reason": "So they say",
    }  # fmt: skip
    await sign_in(guardians.social_care.id)
    for what in ("contact", "everything"):
        answer = await fill(client, f"{base}/orders/new", what=what, confirmed="yes", **order)
        assert answer.status_code == 422
        assert "Some of this is kept from you or your agency" in plain(answer)
    assert not await sees(gate, family, guardians.social_care, Category.CONTACT)
    assert (await fill(client, f"{base}/orders/new", what="health", **order)).status_code == 200
    await sign_in(coordinator.id)
    shown = await fill(client, f"{base}/orders/new", what="contact", **order)
    assert (await confirm(client, f"{base}/orders/new", shown)).status_code == 303
    assert await sees(gate, family, guardians.social_care, Category.CONTACT)


async def test_who_opened_a_record_does_not_seal_it_from_who_reviews_that(
    client: Client, tenant: Tenant, family: Family, guardians: Guardians, base: str, sign_in: Any,
    gate: Gate,
) -> None:  # fmt: skip
    care = frozenset({guardians.social_care.agency})
    await record(gate, family, refused(family, agencies=care))
    await sign_in(guardians.social_care.id)
    seal = {"what": "everything", "told": "silent", "reason": "x"}
    viv = {"worker_email": "viv@demo.example"}
    page = f"{base}/restrictions/protect"
    assert (await fill(client, page, **seal, **viv)).status_code == 200
    opened = await fill(client, f"{base}/override", what="everything", reason=WHY)
    assert opened.status_code == 303
    answer = await fill(client, page, **seal, **viv)
    assert answer.status_code == 422
    assert "wait for the review" in plain(answer)
    order = {"permits": "forbids", "reference": "ZZ26P00010"}
    answer = await fill(client, f"{base}/orders/new", **seal, **viv, **order)
    assert answer.status_code == 422
    assert "wait for the review" in plain(answer)
    assert (await fill(client, page, **seal, against=str(family.father))).status_code == 200
    await sign_in(guardians.lead.id)
    assert "Sal Quint" in plain(await client.get("/safeguarding/reviews"))


@pytest.mark.parametrize("is_silent", [False, True])
async def test_rehearsing_a_withdrawal_tells_nothing_of_one_in_silence(
    client: Client, tenant: Tenant, family: Family, guardians: Guardians, base: str, sign_in: Any,
    gate: Gate, *, is_silent: bool,
) -> None:  # fmt: skip
    if is_silent:
        await silently_from_care(client, tenant, family, guardians, base, sign_in)
        assert not await sees(gate, family, guardians.social_care, Category.CONTACT)
    async with tenant.transaction(JOB) as session:
        agreement_id = (await session.scalars(select(SharingAgreement.id))).one()
    await sign_in(guardians.social_care.id)
    care = guardians.social_care.agency
    for page in ("withdraw", f"withdraw?agency={care}"):
        told = plain(await client.get(f"{base}/agreements/{agreement_id}/{page}"))
        lost = next(one for one in told.split(".") if "Children's team no longer sees" in one)
        assert "contact details" in lost


# --- Opening by reference -----------------------------------------------------------------------


async def test_misses_are_counted_though_they_come_at_once(
    family: Family, guardians: Guardians, stranger: Viewer, tenant: Tenant
) -> None:
    async def guess(number: int) -> bool:
        try:
            async with tenant.transaction(JOB) as session:
                await open_by_reference(
                    session, stranger, f"C-{3000 + number}", date(2022, 3, 9), Reason(WHY)
                )
        except NotAllowed:
            return False
        return True

    tried = await asyncio.gather(*(guess(number) for number in range(12)))
    assert sum(tried) == 5
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM override_attempt")) == 5


async def test_a_list_that_was_kept_forgets_a_record_whose_opening_ended(
    client: Client, family: Family, guardians: Guardians, sign_in: Any, stranger: Viewer,
    clock: FixedClock,
) -> None:  # fmt: skip
    await sign_in(stranger.id)
    await fill(client, "/safeguarding/open", **known())
    clock.set(clock.now() + timedelta(hours=23, minutes=58))
    await sign_in(stranger.id)
    assert "Freya" in (await client.get("/children")).text
    assert "Freya" in (await client.get("/children")).text
    clock.set(clock.now() + timedelta(minutes=3))
    after = (await client.get("/children")).text
    assert "Freya" not in after
    assert "C-1001" not in after
    opened = (await client.get("/safeguarding/opened")).text
    assert "C-1001" not in opened


# --- The family ---------------------------------------------------------------------------------


@pytest.mark.parametrize("is_kept", [False, True])
async def test_a_review_does_not_give_away_what_is_kept_from_the_family(
    client: Client, family: Family, guardians: Guardians, sign_in: Any, stranger: Viewer,
    gate: Gate, tenant: Tenant, base: str, clock: FixedClock, *, is_kept: bool,
) -> None:  # fmt: skip
    risk = {"kept_from_family": "yes", "family_risk": "He would hurt her"} if is_kept else {}
    await sign_in(stranger.id)
    await fill(client, "/safeguarding/open", **known(), **risk)
    await client.get("/safeguarding/opened")
    await client.get(f"/children/{family.child}")
    async with tenant.transaction(JOB) as session:
        override: UUID = (
            await session.execute(text("SELECT id FROM sharing_override"))
        ).scalar_one()
    clock.set(clock.now() + timedelta(minutes=5))
    await sign_in(guardians.lead.id)
    assert (await client.get(f"/children/{family.child}")).status_code == 200
    done = await fill(
        client, f"{base}/overrides/{override}", justified="yes", note="It could not wait", **risk
    )
    assert done.status_code == 303
    mother = Viewer(family.mother, ViewerKind.FAMILY)
    async with gate.open(family.child, mother, Purpose.SUPPORT, "read who looked") as access:
        page = await looks_for_family(access, Asked(None, "after"))
    said = " ".join(look.line for look in page.rows)
    assert ("Una Pike" in said) is not is_kept
    assert ("Viv Moss" in said) is not is_kept


# --- Words beside each other --------------------------------------------------------------------


async def test_a_no_to_one_thing_outlives_a_yes_to_another(
    gate: Gate, family: Family, guardians: Guardians
) -> None:
    """Else a worker ends a no by writing a harmless yes down: what another agreed then opens."""
    await record(
        gate, family,
        refused(family, agencies=frozenset({family.school}), named=frozenset({Category.FINANCE})),
    )  # fmt: skip
    await record(
        gate, family,
        agreed(family, by_person=family.father, named=frozenset({Category.FINANCE})),
    )  # fmt: skip
    assert not await sees(gate, family, family.tom, Category.FINANCE)
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "asked") as access:
        await record_agreement(access, agreed(family))
    assert not await sees(gate, family, family.tom, Category.FINANCE)


async def test_a_no_to_everybody_outlives_a_yes_to_one(
    gate: Gate, family: Family, guardians: Guardians
) -> None:
    await record(gate, family, refused(family, agencies=frozenset()))
    both = frozenset({family.school, family.health})
    await record(gate, family, agreed(family, by_person=family.father, agencies=both))
    assert not await sees(gate, family, family.rosa, Category.EDUCATION)
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "asked") as access:
        await record_agreement(access, agreed(family))
    assert not await sees(gate, family, family.rosa, Category.EDUCATION)
    assert await sees(gate, family, family.tom, Category.HEALTH)


# --- At once ------------------------------------------------------------------------------------


async def test_two_decide_one_objection_and_one_word_stands(
    gate: Gate, tenant: Tenant, family: Family, guardians: Guardians
) -> None:
    coordinator = await referred(tenant, family)
    recorded = await record(gate, family, refused(family, by_person=family.father))

    async def decide(outcome: ObjectionOutcome) -> bool:
        try:
            async with gate.open(family.child, coordinator, Purpose.PANEL, "decided") as access:
                await decide_objection(access, recorded.id, outcome, "Both were heard")
        except Problem:
            return False
        return True

    done = await asyncio.gather(decide(ObjectionOutcome.UPHELD), decide(ObjectionOutcome.DISMISSED))
    assert sorted(done) == [False, True]


async def test_one_restriction_is_ended_once_by_two_at_once(
    client: Client, tenant: Tenant, family: Family, guardians: Guardians, base: str, sign_in: Any
) -> None:
    await sign_in(guardians.social_care.id)
    page = f"{base}/restrictions/protect"
    typed = {"what": "contact", "against": str(family.school), "told": "told"}
    shown = await fill(client, page, **typed, reason="x")
    assert (await confirm(client, page, shown)).status_code == 303
    async with tenant.transaction(JOB) as session:
        one = (await session.execute(text("SELECT id FROM sharing_restriction"))).scalar_one()
    end = f"{base}/restrictions/{one}/end"
    pages = [await client.get(end) for _ in range(2)]
    answers = await asyncio.gather(
        *(
            client.post(end, data=hidden(page) | {"reason": f"r{i}"}, follow_redirects=False)
            for i, page in enumerate(pages)
        )
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes in ([303, 409], [303, 410])
