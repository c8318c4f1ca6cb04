"""The demonstration's people find on their pages what few children have, without doing anything."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from consent import Purpose, Viewer, ViewerKind
from panel.accounts.desk import usual_purposes
from panel.accounts.service import SignedIn, agencies
from panel.allocation.models import RequestDecision, UnmetNeed
from panel.allocation.money import FinancialYear
from panel.allocation.packages import (
    PackageReading,
    money_purposes,
    package_for_reading,
)
from panel.allocation.pots import pots
from panel.allocation.unmet_service import totals
from panel.demo import places
from panel.demo.crew import Crew
from panel.demo.system import KEY as SYSTEM
from panel.demo.system import ensure_system
from panel.exchange.standing import client_by_key
from panel.exchange.writing_out import all_children
from panel.governance.models import PatternKind
from panel.governance.patterns import closed_patterns, open_patterns
from panel.panels.calendar import panel_by_key
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.tenancy import load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.asking_family import asked_of_family
from panel.sharing.choices import voice_of
from panel.sharing.family_history import looks_for_family
from panel.sharing.models import (
    AccessRequest,
    SharingAgreement,
    SharingEnquiry,
    SharingObjection,
    SharingOrder,
    SharingRestriction,
)
from panel.sharing.overriding import Waiting, overrides_to_review, overrides_waiting
from panel.sharing.standing import family_facts
from panel.sharing.state import SharingFacts
from panel.sharing.systems import is_of_system
from panel.sharing.waiting import sharing_waits
from panel.web.paging import Asked, Page
from tests.demo.year import MONDAY, database_from, tenant_of, write_demo
from tests.interop import validator

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
async def crew(cluster: Cluster, template_database: str, data_dir: Path) -> AsyncIterator[Crew]:
    """A small invented authority, and its people at their desks."""
    with database_from(cluster, template_database) as own:
        await write_demo(own, data_dir, seed=1, children=24)
        tenant = tenant_of(own, data_dir)
        try:
            crew = Crew(Gate(tenant, SharingFacts()), FixedClock(MONDAY), 1, "")
            await crew.come_to_work()
            yield crew
        finally:
            await tenant.database.close()


async def test_what_a_system_is_told_is_valid_by_others(crew: Crew, tmp_path: Path) -> None:
    """Of every child: by two validators that nobody here wrote. All of 500: make conformance."""
    assert await ensure_system(crew.tenant, tmp_path / "keys")
    async with crew.tenant.transaction(JOB) as session:
        client = await client_by_key(session, SYSTEM)
    assert client is not None
    sent = [one async for one in all_children(crew.gate, client)]
    kinds = {one.resource for one in sent}
    assert {
        "Patient",
        "RelatedPerson",
        "CarePlan",
        "Task",
        "QuestionnaireResponse",
        "Group",
    } <= kinds
    assert validator.problems(
        validator.lay_out(tmp_path / "validator"), [one.stamped.body for one in sent]
    ) == {
        "R4": (),
        "UK Core": (),
    }


async def waiting_request(crew: Crew) -> AccessRequest:
    async with crew.tenant.transaction(JOB) as session:
        return (await session.scalars(select(AccessRequest))).one()


async def test_the_governance_lead_finds_patterns_open_and_closed(crew: Crew) -> None:
    lead: SignedIn = crew.workers["ngozi"]
    async with crew.tenant.transaction(lead.viewer.id) as session:
        waits = (await open_patterns(session, lead.viewer, Asked())).rows
        closed = (await closed_patterns(session, lead.viewer, Asked())).rows
    assert [(one.kind, one.who, one.how_many) for one in waits] == [
        (PatternKind.OUT_OF_HOURS, "Hana Oduya", 6)
    ]
    assert [(one.kind, one.who, one.how_many) for one in closed] == [
        (PatternKind.MANY_REFUSALS, "Alan Thimblewood", 11)
    ]
    assert "help desk" in closed[0].note


async def test_an_opening_for_safety_waits_and_another_was_judged(crew: Crew) -> None:
    async with crew.tenant.transaction(JOB) as session:
        assert await overrides_waiting(session, crew.today) == Waiting(1, 0, 0)
        judged = await session.scalars(
            text("SELECT justified FROM sharing_override WHERE reviewed_at IS NOT NULL")
        )
        assert list(judged) == [True]
    reviewer = crew.workers["viv"].viewer
    async with crew.tenant.transaction(reviewer.id) as session:
        (one,) = await overrides_to_review(session, reviewer)
    assert (one.author, one.follows) == ("Petra Goldthread", False)


async def test_a_mother_is_asked_and_reads_who_looked(crew: Crew) -> None:
    asked = await waiting_request(crew)
    async with crew.tenant.transaction() as session:
        parent = await session.scalar(
            text("SELECT viewer_id FROM demo_persona WHERE key = 'parent-1'")
        )
    viewer = Viewer(parent, ViewerKind.FAMILY)
    async with crew.gate.open(asked.child_id, viewer, Purpose.SUPPORT, "read") as access:
        voice = await voice_of(access, await family_facts(access))
        (question,) = await asked_of_family(access, voice)
        looks = await looks_for_family(access, Asked())
    assert question.id == asked.id
    assert isinstance(looks, Page)
    assert any("Rosa Whitlow" in one.who for one in looks.rows)


async def test_the_coordinator_finds_what_waits_and_what_was_ruled(crew: Crew) -> None:
    asked = await waiting_request(crew)
    async with crew.opened(asked.child_id, crew.coordinator, "looked") as access:
        waits = await sharing_waits(access)
    assert asked.id in {one.id for one in waits.requests}
    async with crew.tenant.transaction(JOB) as session:
        (order,) = await session.scalars(select(SharingOrder))
        protections = await session.scalars(
            select(SharingRestriction).where(SharingRestriction.kind == "protection")
        )
        assert order.child_id in {one.child_id for one in protections}
        assert len(list(await session.scalars(select(SharingEnquiry)))) == 1
        decided = [one.upheld for one in await session.scalars(select(SharingObjection))]
    assert sorted(decided) == [False, True], "one is not decided, one was upheld"


LESS = ("agreed_in_part", "declined", "deferred")


async def test_whatever_was_not_agreed_left_its_unmet_need_or_why_there_is_none(crew: Crew) -> None:
    async with crew.tenant.transaction(JOB) as session:
        decisions = list(await session.scalars(select(RequestDecision)))
        needs = list(await session.scalars(select(UnmetNeed)))
        await load_keys(session, {one.child_id for one in (*decisions, *needs)})
        without = {one.id: one.nothing_unmet for one in decisions}
    assert {one.kind for one in decisions} == {"agreed", *LESS}
    recorded = [one.decision_id for one in needs]
    assert len(recorded) == len(set(recorded))
    for one in decisions:
        assert (one.id in recorded) is not bool(without[one.id]) or one.kind == "agreed"
        if one.kind == "agreed":
            assert one.id not in recorded
            assert not without[one.id]


async def test_the_systems_of_health_get_something_for_most_children(crew: Crew) -> None:
    async with crew.tenant.transaction(JOB) as session:
        keys = {one.id: one.key for one in await agencies(session)}
        said = list(await session.scalars(select(SharingAgreement)))
    systems = [one for one in said if is_of_system(Purpose(each) for each in one.purposes)]
    live = {one.child_id for one in systems if one.given and one.withdrawn_at is None}
    assert 24 // 2 < len(live) < 24, "most, and not all: some were not asked, some said no"
    assert {keys[one] for each in systems for one in each.agencies} <= set(places.CONNECTED)
    people = {one.child_id: one for one in said if one not in systems}
    for one in systems:
        beside = people[one.child_id]
        assert set(one.agencies) <= set(beside.agencies)
        assert (one.level, one.until_on, one.withdrawn_at) == (
            beside.level, beside.until_on, beside.withdrawn_at,
        )  # fmt: skip


async def test_totals_of_the_year_agree_with_what_stands_in_its_tables(crew: Crew) -> None:
    budget = crew.workers["bridget"].viewer
    async with crew.tenant.transaction(budget.id) as session:
        panel = await panel_by_key(session, places.ALLOCATION_KEY)
        counted = {one.value: many for one, many in (await totals(session, panel.id)).items()}
        held = {(one.name, one.financial_year): one for one in await pots(session)}
    async with crew.tenant.transaction(JOB) as session:
        found = await session.execute(
            text(
                "SELECT u.reason, count(*) FROM service_request q, request_decision d, unmet_need u"
                " WHERE d.request_id = q.id AND u.decision_id = d.id AND u.until_on IS NULL"
                " AND d.stands AND d.kind IN ('agreed_in_part', 'declined', 'deferred')"
                " AND q.panel_id = :panel GROUP BY 1"
            ),
            {"panel": panel.id},
        )
        assert counted == dict(tuple(one) for one in found) != {}
        moved = await session.execute(
            text(
                "SELECT p.name, p.financial_year,"
                " sum(CASE e.kind WHEN 'top_up' THEN amount WHEN 'cut' THEN -amount END),"
                " sum(CASE e.kind WHEN 'commitment' THEN amount WHEN 'release' THEN -amount"
                " ELSE 0 END)"
                " FROM (SELECT id, name, financial_year FROM pot) p JOIN pot_entry e"
                " ON e.pot_id = p.id GROUP BY 1, 2"
            )
        )
        for name, year, paid_in, committed in moved:
            pot = held.pop((name, year))
            assert (pot.amount, pot.committed) == (paid_in, committed)
        packages = list(
            await session.execute(text("SELECT id, child_id FROM package WHERE state = 'active'"))
        )
        promised = await session.execute(
            text(
                "SELECT package_id, sum(amount) FROM pot_entry WHERE kind = 'commitment' GROUP BY 1"
            )
        )
        by_package = dict(tuple(one) for one in promised)
    assert held == {}
    assert len(packages) >= 2
    year = FinancialYear.of(crew.today)
    for package_id, child_id in packages:
        why = money_purposes(budget, usual_purposes(budget))
        async with crew.gate.open(child_id, budget, why, "read a package") as access:
            read = await package_for_reading(access, package_id)
        assert isinstance(read, PackageReading)
        assert read.cost(year).total == by_package[package_id]


async def test_the_allocation_panel_has_work_before_it(crew: Crew) -> None:
    async with crew.tenant.transaction(JOB) as session:
        asked = await session.execute(
            text("SELECT state, count(*) FROM service_request GROUP BY state")
        )
        states = dict(tuple(one) for one in asked)
        waits = await session.execute(
            text(
                "SELECT (SELECT count(*) FROM request_decision WHERE chairs_action AND stands"
                " AND ratified_at IS NULL), (SELECT count(*) FROM appeal WHERE outcome IS NULL),"
                " (SELECT count(*) FROM waiting WHERE state IN ('waiting', 'offered')),"
                " (SELECT count(*) FROM letter_copy WHERE sent_at IS NOT NULL)"
            )
        )
        acted, appeals, waiting, letters = waits.one()
        placed = await session.execute(
            text(
                "SELECT (SELECT count(*) FROM placement_visit v WHERE v.placement_id = p.id),"
                " p.visit_by IS NOT NULL FROM outside_placement p WHERE p.is_asked"
            )
        )
        assert [tuple(one) for one in placed] == [(1, True)]
    assert states["draft"] == 1
    assert states["sent"] >= 2
    assert states["decided"] >= 5
    assert (acted, appeals) == (1, 1)
    assert waiting >= 1
    assert letters >= 4
