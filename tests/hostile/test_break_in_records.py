"""Ways into a record that were tried and led somewhere; each of them is closed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select, text, update

from consent import Category, Purpose, RestrictionKind, Tie, Viewer, ViewerKind
from panel.panels.case import read_case
from panel.panels.models import Referral
from panel.panels.pages import referral_page
from panel.panels.referrals import panels_of_child
from panel.plans.models import Action
from panel.plans.service import (
    ActionWords,
    PlanReading,
    change_action,
    plan_for_reading,
    start_plan,
)
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.forms import AgencyForm
from panel.register.models import FamilyLink
from panel.register.routes import _add_agency
from panel.register.service import (
    NewChild,
    add_child,
    change_child,
    chronology,
    note_event,
    people_of,
    share_family,
)
from panel.sharing.models import SharingRestriction
from panel.sharing.service import withdraw_agreement
from tests.kept_database import KeptDatabase
from tests.sharing.family import (
    TODAY,
    Family,
    agreed,
    hold_the_plan,
    invented_family,
    record,
    referred,
    refused,
    sees,
)


@pytest.fixture
def database_of_own(kept_database: KeptDatabase) -> Iterator[Cluster]:
    """An empty authority: what is tried here needs a family of its own."""
    with kept_database.lent() as database:
        yield database


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)


def of_the_family(person: Any) -> Viewer:
    return Viewer(person, ViewerKind.FAMILY)


async def protect(
    tenant: Tenant, family: Family, category: Category, against: Any, *, silent: bool
) -> None:
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingRestriction(
                child_id=family.child,
                kind=RestrictionKind.PROTECTION.value,
                categories=[category.value],
                against=[against],
                from_on=date(2026, 9, 1),
                silent=silent,
                reason="A threat was made",
            )
        )


# Parents who are not parents any more.


@pytest.mark.parametrize("born", [date(2008, 11, 23), date(2008, 2, 29), date(2007, 3, 1)])
async def test_a_parent_does_not_read_the_record_of_somebody_of_18(
    tenant: Tenant, gate: Gate, clock: FixedClock, born: date
) -> None:
    family = await invented_family(tenant, born)
    mother = of_the_family(family.mother)
    birthday = datetime(born.year + 18, *((3, 1) if born.day == 29 else (born.month, born.day)),
                        9, tzinfo=UTC)  # fmt: skip
    clock.set(datetime.fromtimestamp(birthday.timestamp() - 86_400, UTC))
    assert await sees(gate, family, mother, Category.HEALTH)
    clock.set(birthday)
    async with gate.open(family.child, mother, Purpose.SUPPORT, "read") as access:
        assert access.ties == {Tie.RELATIVE}
        assert not any(access.may(category) for category in Category)


async def test_a_corrected_birth_date_moves_the_day_on_which_parents_stop_reading(
    tenant: Tenant, gate: Gate
) -> None:
    family = await invented_family(tenant, date(2012, 5, 1))
    mother = of_the_family(family.mother)
    assert await sees(gate, family, mother)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "corrected") as access:
        await change_child(access, {"birth_date": date(2002, 5, 1)}, 1)
    assert not await sees(gate, family, mother)


async def test_after_an_adoption_the_earlier_parents_are_out_of_reach(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    async with tenant.transaction(JOB) as session:
        await session.execute(
            update(FamilyLink)
            .where(FamilyLink.family_member_id == family.grandmother)
            .values(parental_responsibility=True, basis="adoption", from_on=date(2026, 6, 1))
        )
        await rewrite_access(session, family.child)
    assert await sees(gate, family, of_the_family(family.grandmother))
    for former in (family.mother, family.father):
        with pytest.raises(NotFound):
            await sees(gate, family, of_the_family(former))


async def test_the_functions_that_write_access_are_the_serving_roles_alone(
    tenant: Tenant,
) -> None:
    async with tenant.transaction(JOB) as session:
        public = await session.scalars(
            text(
                "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,"
                " aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) a"
                " WHERE n.nspname = current_schema() AND p.prosecdef AND a.grantee = 0"
            )
        )
        assert list(public) == []


# Sharing, by those with whom it is not shared.


async def test_who_is_refused_does_not_end_the_refusal(gate: Gate, family: Family) -> None:
    both = frozenset({family.school, family.health})
    await record(gate, family, agreed(family, agencies=both))
    said = refused(family, agencies=frozenset({family.school}), named=frozenset({Category.HEALTH}))
    no = await record(gate, family, said)
    assert not await sees(gate, family, family.tom)
    with pytest.raises(NotAllowed):
        async with gate.open(family.child, family.tom, Purpose.SUPPORT, "tried") as access:
            await withdraw_agreement(access, no.id)
    assert not await sees(gate, family, family.tom)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "ended") as access:
        await withdraw_agreement(access, no.id)
    assert await sees(gate, family, family.tom)


async def test_a_refused_agency_is_not_made_part_of_the_team_by_another(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    """Whoever is in the team knows who the child is: a name would pass a refusal by."""
    await referred(tenant, family)  # brings the council
    await hold_the_plan(tenant, family)
    async with tenant.transaction(JOB) as session:
        council = await session.scalar(text("SELECT id FROM agency WHERE key = 'council'"))
    await record(gate, family, refused(family, agencies=frozenset({council})))
    form = AgencyForm(agency="council", worker_email="iris@demo.example", on=TODAY)
    with pytest.raises(Invalid) as said:
        async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "added") as access:
            await _add_agency(access, form)
    assert said.value.errors[0].field == "worker_email"


# Another child's way round.


async def test_a_mothers_protected_address_does_not_come_along_to_a_brother(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    await record(gate, family, agreed(family, agencies=frozenset({family.school})))
    async with tenant.transaction(JOB) as session:
        await session.execute(text("SELECT nextval('child_reference')"))
    await protect(tenant, family, Category.CONTACT, family.school, silent=True)
    async with tenant.transaction(family.tom.id) as session:
        brother = await add_child(
            session,
            NewChild("Ivo", "Kestrel", date(2020, 1, 7)),
            agency_id=family.school,
            worker_id=family.tom.id,
            from_on=TODAY,
        )
    async with gate.open(brother.id, family.tom, Purpose.SUPPORT, "linked") as here:
        there = (
            await gate.open_here(
                here.session, [family.child], family.tom, Purpose.SUPPORT, "linked"
            )
        )[family.child]
        assert there.may(Category.FAMILY)
        assert await share_family(here, there) == 0
        assert (await people_of(here)).family == ()


# What a silence says.


async def test_the_chronology_does_not_speak_of_what_is_withheld_in_silence(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    await protect(tenant, family, Category.CONTACT, family.school, silent=True)
    await protect(tenant, family, Category.FAMILY, family.school, silent=False)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        for category in (Category.CONTACT, Category.FAMILY):
            await note_event(
                access.session,
                family.child,
                happened_on=TODAY,
                kind="move",
                category=category,
                author_agency_id=family.health,
                text="They moved away.",
            )
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "read") as access:
        hidden = (await chronology(access)).withheld
        assert [one.category for one in hidden] == [Category.FAMILY]


async def a_referral(tenant: Tenant, family: Family) -> None:
    """The child is before a panel, with a reason and a change that is coming."""
    await referred(tenant, family)
    async with tenant.transaction(JOB) as session:
        row = (await session.scalars(select(Referral))).one()
        row.transition, row.transition_on = "moves to a special school", date(2027, 1, 5)
        row.category, row.reason = "health", "She may need a tube"
        row.escalated_on, row.escalation = TODAY, "Her mother is ill"


async def test_what_is_coming_is_told_only_to_who_may_read_the_panels_words(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    await a_referral(tenant, family)
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "read") as access:
        page = await read_case(access)
        (view,) = (await panels_of_child(access)).referrals
    assert "Coming: a change," in str(page.steps)
    assert "special school" not in str(page.steps)
    told = str(referral_page(view, TODAY).rows)
    assert "A change is coming, Tuesday 5 January 2027" in told
    assert "special school" not in told


async def test_a_referral_does_not_speak_of_a_text_that_is_withheld_in_silence(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    await a_referral(tenant, family)
    for category in (Category.HEALTH, Category.PANEL):
        await protect(tenant, family, category, family.school, silent=True)
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "read") as access:
        (view,) = (await panels_of_child(access)).referrals
    told = str(referral_page(view, TODAY).rows)
    assert "You cannot see this" not in told
    assert "tube" not in told
    assert "is ill" not in told


async def test_a_panels_action_is_not_read_through_the_conflict_page(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    """Who sees the plan because they wrote it does not see what a panel asked for."""
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "planned") as access:
        await start_plan(access, "Sleep")
        asked = Action(child_id=family.child, text="Ask the police about the uncle", state="to_do")
        access.session.add(asked)
    words = ActionWords("Mine", owner_words="Rosa")
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        plan = await plan_for_reading(access)
        assert isinstance(plan, PlanReading)
        assert plan.actions == ()
    with pytest.raises(NotFound):
        async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "tried") as access:
            await change_action(access, asked.id, 99, words, state="to_do", note="")
