"""A referral comes by any way and means the same; closed, it is joined or begun anew."""

from datetime import date

import pytest
from sqlalchemy import select

from consent import Category, Purpose, Viewer, ViewerKind
from panel.accounts.dated_settings import set_from
from panel.casework.closing import (
    close_case,
    is_open,
    last_closure,
    open_things,
    reopen_case,
)
from panel.casework.closing_pages import closed_facts
from panel.casework.handover import settle_accepted
from panel.casework.handover_models import AuthorityHandover
from panel.casework.settings_offered import SETTINGS
from panel.families.happening import happening
from panel.families.reading import child_for_family
from panel.impact.rules import Kind
from panel.impact.steps import Read, move_step, step_now
from panel.panels.models import Panel, Referral
from panel.panels.referrals import acknowledge, open_referral, refer
from panel.panels.referring import (
    CRITERIA,
    FIRST_CRITERIA,
    Decided,
    answers_of,
    criteria,
    decide,
    received,
    refer_from_outside,
    refer_own_child,
    tell_acknowledged,
)
from panel.panels.referring_words import answer_rows
from panel.plans.models import Action, LeadProfessional
from panel.platform.clock import FixedClock, at_nine
from panel.platform.ids import new_id
from panel.platform.problems import Invalid, NotAllowed
from panel.platform.tenancy import Tenant, load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.models import Episode
from panel.register.service import open_episode
from panel.sharing.models import SharingRestriction
from tests.sharing.family import (
    EVERYTHING,
    TODAY,
    Family,
    agreed,
    hold_the_plan,
    invented_family,
    record,
    referred,
)

pytestmark = pytest.mark.database
LINK = "http://panel.example/children"


@pytest.fixture
async def family(tenant: Tenant, gate: Gate) -> Family:
    made = await invented_family(tenant)
    await hold_the_plan(tenant, made)
    agencies = frozenset({made.health, made.school})
    await record(gate, made, agreed(made, agencies=agencies, purposes=EVERYTHING))
    return made


async def _panel(tenant: Tenant) -> Panel:
    async with tenant.transaction(JOB) as session:
        return (await session.scalars(select(Panel))).one()


async def _close(gate: Gate, family: Family, **more: str) -> None:
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "closed the case") as access:
        said = {"reason": "needs_met", "what_next": "School helps from here."} | more
        await close_case(access, **said)


async def test_by_letter_by_system_and_by_a_worker_it_is_the_same(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    coordinator = await referred(tenant, family)
    panel = await _panel(tenant)
    async with tenant.transaction(JOB) as session:
        await session.execute(Referral.__table__.update().values(state="closed"))
    for way in ("letter", "form", "system"):
        async with tenant.transaction(JOB) as session:
            for _ in range(2):
                answer = await refer_from_outside(
                    session,
                    family.child,
                    panel,
                    way=way,
                    referred_on=TODAY,
                    agency_id=family.school,
                    reason="Speech",
                    category=Category.HEALTH,
                )
            assert answer is not None
            assert (answer.way, answer.acknowledge_by) == (way, date(2026, 11, 30))
            assert (answer.acknowledged_on is None) == (way == "form")
            await session.execute(Referral.__table__.update().values(state="closed"))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "referred") as access:
        referral = await refer(access, panel, reason="Speech", category=Category.HEALTH)
        answer = await received(access.session, referral, "worker")
    async with gate.open(family.child, coordinator, Purpose.PANEL, "acknowledged") as access:
        await acknowledge(access, referral.id, referral.version)
        await tell_acknowledged(access, referral, LINK)
        await tell_acknowledged(access, referral, LINK)
    async with tenant.transaction(JOB) as session:
        [mail] = (await session.scalars(select(OutboxMessage))).all()
        await session.get(Referral, referral.id)
        assert mail.kind == "referral acknowledged"
        episodes = (await session.scalars(select(Episode.id))).all()
        assert len(episodes) == 1, "All of them went on with one episode."


async def test_not_eligible_says_why_and_what_else(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    coordinator = await referred(tenant, family)
    async with tenant.transaction(JOB) as session:
        referral = (await session.scalars(select(Referral))).one()
        version = (await received(session, referral, "letter")).version
    async with gate.open(family.child, coordinator, Purpose.PANEL, "decided") as access:
        for wrong in (
            Decided(eligible=True),
            Decided(eligible=False, unmet=FIRST_CRITERIA[:1], reasons="Is 12"),
            Decided(eligible=False, reasons="Is 12", what_else="Youth service"),
            Decided(eligible=False, unmet=("money",), reasons="R", what_else="W"),
        ):
            with pytest.raises(Invalid):
                await decide(access, referral.id, version, wrong, LINK)
        said = Decided(
            eligible=False,
            unmet=FIRST_CRITERIA[:1],
            reasons="Too old for us",
            what_else="Youth service",
        )
        await decide(access, referral.id, version, said, LINK)
    async with tenant.transaction(JOB) as session:
        assert await open_referral(session, family.child, referral.panel_id) is None
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        with pytest.raises(NotAllowed):
            await decide(access, referral.id, version, said, LINK)
        answer = (await answers_of(access))[referral.id]
        assert (answer.outcome, answer.decided_on) == ("not_eligible", TODAY)
    assert ("What is not met", FIRST_CRITERIA[0]) in answer_rows(answer, TODAY)


async def test_conditions_are_dated(tenant: Tenant) -> None:
    setting = next(one for one in SETTINGS if one.key == CRITERIA)
    for wrong in (" \n ", "Under 9\nUnder  9", "9" * 201, "\n".join(map(str, range(13)))):
        with pytest.raises(Invalid):
            setting.read(wrong)
    said = setting.read("Under 9 \r\n\r\nLives here")
    async with tenant.transaction(JOB) as session:
        assert await criteria(session) == FIRST_CRITERIA
        await set_from(session, setting, said, TODAY, 0, "Panel of May")
        assert await criteria(session) == ["Under 9", "Lives here"]
        assert await criteria(session, at_nine(date(2026, 1, 1))) == FIRST_CRITERIA


async def test_closed_with_nothing_left_behind_and_come_back(
    tenant: Tenant, gate: Gate, family: Family, clock: FixedClock
) -> None:
    coordinator = await referred(tenant, family)
    panel = await _panel(tenant)
    async with tenant.transaction(JOB) as session:
        episode = await open_episode(session, family.child, date(2026, 9, 1))
        action = Action(child_id=family.child, due_on=date(2026, 12, 1), state="to_do")
        action.text = "Ring the school"
        session.add(action)
    with pytest.raises(Invalid) as refused:
        await _close(gate, family)
    assert "no owner" in refused.value.errors[0].sentence
    async with tenant.transaction(JOB) as session:
        kept = await session.get_one(Action, action.id)
        kept.owner_worker_id = family.rosa.id
    with pytest.raises(Invalid) as refused:
        await _close(gate, family, reason="forgotten", what_next="")
    assert [one.field for one in refused.value.errors] == ["reason", "what_next", "left_with"]
    with pytest.raises(NotAllowed):
        async with gate.open(family.child, family.tom, Purpose.SUPPORT, "closed") as access:
            await close_case(access, reason="needs_met", what_next="Nothing")
    await _close(gate, family, left_with="Rosa Whitlow", level="targeted")
    async with tenant.transaction(JOB) as session:
        assert not await is_open(session, family.child)
        assert await open_referral(session, family.child, panel.id) is None
        assert len(await open_things(session, family.child)) == 1
        closure = await last_closure(session, family.child)
        assert closure is not None
        assert (closure.level_now, closure.reason) == ("targeted", "needs_met")
        await load_keys(session, {family.child})
        left = ("Who sees to what was open", "Rosa Whitlow")
        assert left in closed_facts(closure, reads_plan=True)
        assert left not in closed_facts(closure, reads_plan=False)
    await _reopened(gate, family, tenant)
    await _close(gate, family, left_with="Rosa Whitlow")
    # Two months later it is joined; more than a year later another begins.
    clock.set(at_nine(date(2027, 1, 20)))
    assert await _referred_again(tenant, family, panel) == (episode.id, True)
    async with gate.open(family.child, coordinator, Purpose.PANEL, "closed the case") as access:
        await close_case(access, reason="needs_met", what_next="School", left_with="Rosa")
    clock.set(at_nine(date(2028, 1, 21)))
    again, joins = await _referred_again(tenant, family, panel)
    assert again != episode.id
    assert not joins


async def _reopened(gate: Gate, family: Family, tenant: Tenant) -> None:
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "reopened") as access:
        closure = await last_closure(access.session, family.child)
        assert closure is not None
        with pytest.raises(Invalid):
            await reopen_case(access, closure.id, closure.version, " ")
        await reopen_case(access, closure.id, closure.version, "They came back")
    async with tenant.transaction(JOB) as session:
        leads = await session.execute(select(LeadProfessional.state, LeadProfessional.worker_id))
        assert [tuple(one) for one in leads] == [("accepted", family.rosa.id)]


async def _referred_again(tenant: Tenant, family: Family, panel: Panel) -> tuple[object, bool]:
    async with tenant.transaction(JOB) as session:
        answer = await refer_from_outside(
            session,
            family.child,
            panel,
            way="letter",
            referred_on=tenant.clock.now().date(),
            agency_id=family.school,
            reason="",
            category=Category.HEALTH,
        )
        assert answer is not None
        return answer.episode_id, answer.joins


async def test_a_family_asks_for_help_itself(tenant: Tenant, gate: Gate, family: Family) -> None:
    await referred(tenant, family)
    panel = await _panel(tenant)
    mother = Viewer(family.mother, ViewerKind.FAMILY)
    async with gate.open(family.child, mother, Purpose.SUPPORT, "asked for help") as access:
        with pytest.raises(Invalid):
            await refer_own_child(access, panel, "Sleep")
    async with tenant.transaction(JOB) as session:
        await session.execute(Referral.__table__.update().values(state="closed"))
    async with gate.open(family.child, mother, Purpose.SUPPORT, "asked for help") as access:
        answer = await refer_own_child(access, panel, "Sleep")
        assert answer is not None
        assert answer.way == "family"
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "asked") as access:
        with pytest.raises(NotAllowed):
            await refer_own_child(access, panel, "Sleep")


async def test_referred_while_in_impact_it_waits_for_the_step_down(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    await referred(tenant, family)
    panel = await _panel(tenant)
    async with tenant.transaction(JOB) as session:
        await session.execute(Referral.__table__.update().values(state="closed"))
        await open_episode(session, family.child, date(2026, 9, 1))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "stepped up") as access:
        now = await step_now(access)
        assert now is not None
        await move_step(access, Kind.IMPACT, TODAY, "It is complex", Read(now.id, now.version))
    await _referred_again(tenant, family, panel)
    async with tenant.transaction(JOB) as session:
        referral = await open_referral(session, family.child, panel.id)
        assert referral is not None
        assert referral.rests_from == TODAY


async def _moved(tenant: Tenant, family: Family) -> None:
    async with tenant.transaction(JOB) as session:
        episode = await open_episode(session, family.child, date(2026, 9, 1))
        row = AuthorityHandover(
            child_id=family.child,
            episode_id=episode.id,
            direction="out",
            state="sent",
            authority_name="Northshire",
            identifier=new_id(),
            sent_on=TODAY,
            withheld=["finance"],
        )
        session.add(row)
        await session.flush()
        await settle_accepted(session, row, TODAY, "Sara Lindqvist, key worker")
        session.add(
            SharingRestriction(
                child_id=family.child,
                kind="protection",
                categories=["contact"],
                against=[family.father],
                from_on=date(2026, 1, 1),
            )
        )
        await rewrite_access(session, family.child)


async def test_where_a_family_moved_to_is_theirs_to_read(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    await _moved(tenant, family)
    mother = Viewer(family.mother, ViewerKind.FAMILY)
    async with gate.open(family.child, mother, Purpose.SUPPORT, "read their page") as access:
        said = " ".join(await happening(access))
        assert "They work with you now. Ask for Sara Lindqvist, key worker." in said
        assert "They do not get these parts of the record: Money." in said
        assert (await child_for_family(access)).to_ring is None, "Rosa is not rung any more."
    await _father_reads_of_no_move(gate, family)
    # They came back, and their case was closed again: Northshire has no more to do with it.
    await _reopened(gate, family, tenant)
    await _close(gate, family)
    async with gate.open(family.child, mother, Purpose.SUPPORT, "read their page") as access:
        assert "Northshire" not in " ".join(await happening(access))
        ring = (await child_for_family(access)).to_ring
        assert ring is not None
        assert ring.name.startswith("Rosa"), "Who leads on the last day is rung on it."


async def _father_reads_of_no_move(gate: Gate, family: Family) -> None:
    father = Viewer(family.father, ViewerKind.FAMILY)
    async with gate.open(family.child, father, Purpose.SUPPORT, "read their page") as access:
        said = " ".join(await happening(access))
        assert "We closed your case on Monday 23 November 2026." in said
        assert "Northshire" not in said
        assert "moved" not in said
