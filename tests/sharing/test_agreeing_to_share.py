"""Somebody agrees to share, refuses, objects, takes it back: it works on the next look."""

from datetime import date, timedelta

import pytest

from consent import Capacity, Category, Finding, Level, Purpose
from panel.platform.clock import FixedClock
from panel.platform.problems import Gone, Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from panel.sharing.agreeing import renew_agreement
from panel.sharing.agreeing_forms import RenewForm
from panel.sharing.reading import sharing_picture
from panel.sharing.service import (
    ObjectionOutcome,
    RecordedAs,
    decide_objection,
    record_objection,
    withdraw_agreement,
)
from tests.sharing.family import (
    TODAY,
    Family,
    agreed,
    invented_family,
    record,
    referred,
    refused,
    sees,
)


async def test_an_agreement_opens_what_it_names_and_no_more(gate: Gate, family: Family) -> None:
    assert not await sees(gate, family, family.tom)
    recorded = await record(gate, family, agreed(family))
    assert recorded.kind is RecordedAs.AGREEMENT
    assert await sees(gate, family, family.tom)
    assert not await sees(gate, family, family.tom, Category.FINANCE)
    assert not await sees(gate, family, family.rosa)


async def test_a_withdrawn_agreement_closes_at_once(gate: Gate, family: Family) -> None:
    recorded = await record(gate, family, agreed(family))
    assert await sees(gate, family, family.tom)
    for _ in range(2):
        async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "ended it") as access:
            await withdraw_agreement(access, recorded.id)
    assert not await sees(gate, family, family.tom)
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "read") as access:
        why = access.withheld(Category.HEALTH, "Freya")
    assert "Her mother withdrew the agreement on 23 November 2026" in str(why)


async def test_an_agreement_of_another_child_is_not_here(gate: Gate, family: Family) -> None:
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "ended it") as access:
        with pytest.raises(NotFound):
            await withdraw_agreement(access, family.mother)


async def test_somebody_without_parental_responsibility_cannot_agree(
    gate: Gate, family: Family
) -> None:
    with pytest.raises(Invalid) as wrong:
        await record(gate, family, agreed(family, by_person=family.grandmother))
    assert "It is not recorded that her grandmother has parental responsibility." in str(
        wrong.value.errors
    )
    with pytest.raises(Invalid):
        await record(gate, family, agreed(family, by_person=family.rosa.id))


async def test_one_parents_no_after_the_others_yes_is_an_objection(
    gate: Gate, family: Family, clock: FixedClock
) -> None:
    await record(gate, family, agreed(family))
    clock.set(clock.now() + timedelta(days=1))
    no = refused(family, by_person=family.father, evidence="He fears gossip")
    first = await record(gate, family, no)
    again = await record(gate, family, no)
    assert first.kind is RecordedAs.OBJECTION
    assert again.id == first.id
    assert await sees(gate, family, family.tom), "what was shared before goes on"


async def test_new_sharing_waits_while_an_objection_is_open(gate: Gate, family: Family) -> None:
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote it down") as access:
        await record_objection(access, family.father, reason="He fears gossip")
    early = agreed(family, agreed_on=date(2026, 11, 2), from_on=date(2026, 11, 2))
    await record(gate, family, early)
    assert not await sees(gate, family, family.tom), "a date before the objection does not help"
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote it down") as access:
        with pytest.raises(Invalid):
            await record_objection(access, family.grandmother)


async def test_new_sharing_with_people_does_not_wait_for_an_objection_to_a_system(
    gate: Gate, family: Family
) -> None:
    system = frozenset({Purpose.EXCHANGE})
    old = await record(gate, family, agreed(family, until_on=date(2026, 12, 20)))
    both = await record(gate, family, agreed(family, agreed_on=TODAY, purposes=system))
    no = refused(family, by_person=family.father, purposes=system)
    first, again = await record(gate, family, no), await record(gate, family, no)
    assert (first.kind, again.id) == (RecordedAs.OBJECTION, first.id)
    renew = RenewForm(TODAY, date(2027, 12, 1), "Talked")
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote it down") as access:
        await renew_agreement(access, old.id, renew)
        with pytest.raises(Invalid):
            await renew_agreement(access, both.id, renew)
    assert await sees(gate, family, family.tom)
    wide = await record(gate, family, refused(family, by_person=family.father))
    assert wide.id != first.id, "a no to all is not the no to the system that waits already"


async def test_a_first_no_is_a_refusal_and_the_same_persons_yes_ends_it(
    gate: Gate, family: Family
) -> None:
    assert (await record(gate, family, refused(family))).kind is RecordedAs.REFUSAL
    assert not await sees(gate, family, family.tom)
    await record(gate, family, agreed(family))
    assert await sees(gate, family, family.tom)


async def test_a_no_to_everything_ends_the_same_persons_yes(gate: Gate, family: Family) -> None:
    await record(gate, family, agreed(family))
    refusal = await record(gate, family, refused(family))
    assert refusal.kind is RecordedAs.REFUSAL
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "ended it") as access:
        await withdraw_agreement(access, refusal.id)
    assert not await sees(gate, family, family.tom), "the earlier yes does not come back"


async def test_an_agency_not_to_share_with_is_agreed_to_later(gate: Gate, family: Family) -> None:
    both = frozenset({family.school}), frozenset({family.health})
    await record(gate, family, agreed(family, agencies=both[0], not_agencies=both[1]))
    assert not await sees(gate, family, family.rosa)
    await record(gate, family, agreed(family, agencies=both[1]))
    assert await sees(gate, family, family.rosa)
    assert await sees(gate, family, family.tom)


async def test_at_16_the_young_person_decides_alone(gate: Gate, tenant: Tenant) -> None:
    family = await invented_family(tenant, born=date(2010, 11, 23))
    with pytest.raises(Invalid) as wrong:
        await record(gate, family, agreed(family))
    assert "From 16 the young person decides alone." in str(wrong.value.errors)
    own = agreed(family, by_person=family.child, capacity=Capacity.SELF)
    await record(gate, family, own)
    assert await sees(gate, family, family.tom)


async def test_what_parents_said_before_16_ends_with_the_young_persons_word(
    gate: Gate, tenant: Tenant, clock: FixedClock
) -> None:
    family = await invented_family(tenant, born=date(2010, 11, 24))
    await record(gate, family, refused(family))
    own = agreed(
        family,
        by_person=family.child,
        capacity=Capacity.SELF,
        agreed_on=date(2026, 11, 24),
    )
    with pytest.raises(Invalid) as wrong:
        await record(gate, family, own)
    assert "Under 16: first record whether they understand" in str(wrong.value.errors)
    clock.set(clock.now() + timedelta(days=1))
    await record(gate, family, own)
    assert await sees(gate, family, family.tom)


async def test_under_16_competence_is_a_recorded_judgement(gate: Gate, tenant: Tenant) -> None:
    family = await invented_family(tenant, born=date(2012, 5, 1))
    own = {
        "by_person": family.child,
        "capacity": Capacity.SELF,
        "judged": frozenset({Finding.COMPETENT}),
    }
    with pytest.raises(Invalid):
        await record(gate, family, agreed(family, **own))
    await record(gate, family, agreed(family, **own, evidence="Rosa, today: she explained it back"))
    assert await sees(gate, family, family.tom)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"agreed_on": TODAY + timedelta(days=1)}, "agreed_on"),
        ({"from_on": TODAY - timedelta(days=1)}, "from"),
        ({"until_on": TODAY - timedelta(days=1)}, "until"),
        ({"agencies": frozenset()}, "share_with"),
        ({"purposes": frozenset()}, "purposes"),
        ({"level": None}, "level"),
    ],
)
async def test_a_decision_that_contradicts_itself_is_not_kept(
    gate: Gate, family: Family, said: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as wrong:
        await record(gate, family, agreed(family, **said))
    assert field in {error.field for error in wrong.value.errors}


async def test_only_basic_information_leaves_health_closed(gate: Gate, family: Family) -> None:
    await record(gate, family, agreed(family, level=Level.BASIC))
    assert await sees(gate, family, family.tom, Category.PLAN)
    assert not await sees(gate, family, family.tom)


@pytest.mark.parametrize("outcome", ObjectionOutcome)
async def test_the_coordinator_decides_an_objection(
    gate: Gate, family: Family, tenant: Tenant, outcome: ObjectionOutcome
) -> None:
    coordinator = await referred(tenant, family)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote it down") as access:
        objection = await record_objection(access, family.father, reason="He fears gossip")
        with pytest.raises(NotAllowed):
            await decide_objection(access, objection, outcome, "Both were heard")
    await record(gate, family, agreed(family))
    assert not await sees(gate, family, family.tom)
    async with gate.open(family.child, coordinator, Purpose.PANEL, "decided") as access:
        with pytest.raises(Invalid):
            await decide_objection(access, objection, outcome, " ")
        await decide_objection(access, objection, outcome, "Both were heard")
        with pytest.raises(Gone):
            await decide_objection(access, objection, outcome, "Again")
        with pytest.raises(NotFound):
            await decide_objection(access, family.mother, outcome, "Another child's")
    opens = outcome is ObjectionOutcome.DISMISSED
    assert await sees(gate, family, family.tom) is opens


async def test_the_coordinator_sees_who_may_see_what(
    gate: Gate, family: Family, tenant: Tenant
) -> None:
    coordinator = await referred(tenant, family)
    async with gate.open(family.child, coordinator, Purpose.PANEL, "looked") as access:
        picture = await sharing_picture(access)
    assert picture.may_see_history
    assert picture.involved_withheld is not None, "who is involved was not agreed to be shared"
    assert [(view.name, view.purpose) for view in picture.views] == [
        ("Made-up School", Purpose.PANEL)
    ]
