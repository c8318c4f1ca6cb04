"""What a system reads of one child: as far as the family agreed, and written down that it did."""

from datetime import timedelta
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Level, Purpose
from interop.systems import NHS_NUMBER
from panel.commands.jobs import all_jobs
from panel.exchange.history import keep_versions
from panel.plans.models import Action, Plan
from panel.platform.clock import FixedClock
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.children import index_child
from panel.register.models import Child
from panel.settings import from_environment
from panel.sharing.service import withdraw_agreement
from tests.exchange.conftest import Systems
from tests.exchange.web import Web, give_token, resources
from tests.sharing.family import TODAY, Family, agreed, record

pytestmark = pytest.mark.database
SYSTEMS = frozenset({Purpose.EXCHANGE})
BEFORE = TODAY - timedelta(days=30)


@pytest.fixture
async def web(client: AsyncTestClient[Litestar], tenant: Tenant, systems: Systems) -> Web:
    """The school's system."""
    return Web(client, await give_token(tenant, systems.school_id, "a-token"))


@pytest.fixture
async def plan(tenant: Tenant, family: Family) -> Plan:
    """A plan of the health agency's, with five actions."""
    async with tenant.transaction(JOB) as session:
        made = Plan(
            child_id=family.child, state="agreed", author_agency_id=family.health,
            summary="To play with others", started_on=BEFORE, agreed_on=BEFORE,
        )  # fmt: skip
        session.add(made)
        await session.flush()
        session.add_all(
            Action(child_id=family.child, plan_id=made.id, text=f"Step {number}")
            for number in range(5)
        )
    return made


async def change(tenant: Tenant, family: Family, **details: str | UUID | None) -> None:
    """Somebody changes the child's details."""
    async with tenant.transaction(JOB) as session:
        child = await session.get_one(Child, family.child)
        for name, value in details.items():
            setattr(child, name, value)
        await session.flush()
        await index_child(session, child)


async def test_what_the_family_agreed_to_is_read_and_written_down(
    web: Web, gate: Gate, tenant: Tenant, family: Family, plan: Plan, clock: FixedClock
) -> None:
    patient = f"/Patient/{family.child}"
    nowhere = await web.ask("GET", f"/Patient/{plan.id}")
    assert await web.ask("GET", patient) == nowhere, (
        "what is withheld is answered as what is not there"
    )
    assert (await web.search("/Patient"))["total"] == 0
    recorded = await record(gate, family, agreed(family, level=Level.BASIC, purposes=SYSTEMS))
    await change(tenant, family, phone="01632 960001", nhs_number="9990000379")

    answer = await web.answer("GET", patient)
    told = answer.json()
    assert told["name"][0]["family"] == "Kestrel"
    assert told["telecom"][0]["value"] == "01632 960001"
    assert "communication" not in told
    again = await web.answer("GET", patient, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    found = await web.search("/Patient", identifier=f"{NHS_NUMBER}|9990000379")
    assert [one["id"] for one in resources(found)] == [str(family.child)]
    chained = {"patient.identifier": f"{NHS_NUMBER}|9990000379", "_include": "Task:based-on"}
    tasks = await web.search("/Task", **chained)
    assert [one["id"] for one in resources(tasks, "include")] == [str(plan.id)]
    for name in ("kest", "Kestrel", "KÉSTREL"):
        assert (await web.search("/Patient", family=name))["total"] == 1
    assert (await web.search("/Patient", given="kestrel"))["total"] == 0
    posted = await web.answer(
        "POST", "/Patient/_search", content="family=kest&birthdate=2022-03-09",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert posted.json()["total"] == 1

    whole = await web.ask("GET", f"{patient}/$everything")
    kinds = {one["resourceType"] for one in resources(whole[1])}
    assert {"Patient", "CareTeam", "CarePlan", "Task", "Organization"} <= kinds
    assert not kinds & {"Condition", "RelatedPerson", "Consent"}
    async with tenant.transaction(JOB) as session:
        doing = (
            await session.execute(
                text(
                    "SELECT DISTINCT doing FROM access_event WHERE viewer_kind = 'client'"
                    " AND agency_id = :school AND NOT jsonb_exists(decisions, 'refused')"
                ),
                {"school": family.school},
            )
        ).scalars()
        said = set(doing)
    assert {"sent Patient to School records", "sent the record to School records"} <= said
    looks = resources(await web.search("/AuditEvent", patient=str(family.child)))
    assert looks
    assert {one["agent"][1]["who"]["reference"] for one in looks} == {
        f"Organization/{family.school}"
    }

    clock.set(clock.now() + timedelta(minutes=1))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "ended it") as access:
        await withdraw_agreement(access, recorded.id)
    assert (await web.ask("GET", patient)) == nowhere
    assert (await web.ask("GET", f"{patient}/_history")) == nowhere
    assert (await web.ask("GET", f"{patient}/$everything")) == nowhere


async def test_pages_are_the_same_whole_and_another_has_no_part_in_them(
    web: Web, gate: Gate, tenant: Tenant, systems: Systems, family: Family, plan: Plan
) -> None:
    await record(gate, family, agreed(family, purposes=SYSTEMS))
    whole = await web.search("/Task", _total="accurate")
    assert whole["total"] == 5
    for sort in ("_lastUpdated", "-_lastUpdated"):
        path, found = f"/Task?_count=2&_sort={sort}", []
        while path:
            _, page = await web.ask("GET", path)
            found += [one["id"] for one in resources(page)]
            links = {one["relation"]: one["url"] for one in page["link"]}
            path = links.get("next", "").partition("/fhir/R4")[2]
            if path:
                last = path
        assert sorted(found) == sorted(one["id"] for one in resources(whole))
    for wrong in (last.replace("_sort=-_lastUpdated&", ""), last[:-2], f"{last}AA"):
        status, said = await web.ask("GET", wrong)
        assert (status, said["issue"][0]["expression"]) == (400, ["_cursor"]), wrong
    other = Web(web.client, await give_token(tenant, systems.gp_id, "another"))
    assert (await other.ask("GET", last))[0] in (400, 403)
    narrow = Web(
        web.client, await give_token(tenant, systems.school_id, "narrow", ("system/Task.rs",))
    )
    assert (await narrow.search("/Task"))["total"] == 5
    for path in ("/Patient", "/Task?_include=Task:patient", f"/Patient/{family.child}/$everything"):
        assert (await narrow.ask("GET", path))[0] == 403, path


async def test_a_change_of_what_is_withheld_tells_nothing(
    web: Web, gate: Gate, tenant: Tenant, family: Family, clock: FixedClock
) -> None:
    """Not by a version, an ETag, a date, a search by one, nor a history."""
    await record(gate, family, agreed(family, level=Level.BASIC, purposes=SYSTEMS))
    patient = f"/Patient/{family.child}"

    async def told() -> tuple[object, ...]:
        answer = await web.answer("GET", patient)
        _, past = await web.ask("GET", f"{patient}/_history")
        since = await web.search("/Patient", _lastUpdated=f"gt{before}")
        meta = answer.json()["meta"]
        return answer.headers["etag"], meta, len(resources(past)), since["total"]

    jobs = all_jobs(from_environment({}), gate)
    assert keep_versions in [one.work for one in jobs], (
        "what entries were is kept by scheduled work"
    )
    before = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    clock.set(clock.now() + timedelta(minutes=1))
    async with tenant.transaction(JOB) as session:
        await keep_versions(session, clock.now())
    first = await told()
    clock.set(clock.now() + timedelta(minutes=1))
    await change(tenant, family, disability="Something new", ethnicity="any")
    async with tenant.transaction(JOB) as session:
        await keep_versions(session, clock.now())
    assert await told() == first
    clock.set(clock.now() + timedelta(minutes=1))
    await change(tenant, family, known_as="Fay")
    etag, _, versions, _ = await told()
    assert etag != first[0]
    assert versions == 2
    _, past = await web.ask("GET", f"{patient}/_history")
    for version in resources(past):
        _, one = await web.ask("GET", f"{patient}/_history/{version['meta']['versionId']}")
        assert one == version


async def test_a_change_of_what_no_system_is_told_moves_no_date(
    web: Web, gate: Gate, tenant: Tenant, family: Family, systems: Systems, clock: FixedClock
) -> None:
    """Not for who is told everything else; a school's system is told the UPN."""
    both = frozenset({family.school, family.health})
    await record(gate, family, agreed(family, agencies=both, purposes=SYSTEMS))
    health = Web(web.client, await give_token(tenant, systems.gp_id, "of-health"))
    patient = f"/Patient/{family.child}"

    async def after(**details: str | UUID | None) -> tuple[set[str], int, str]:
        """Whom what was changed moved a date for; how many find it by that; and the date."""
        clock.set(clock.now() + timedelta(seconds=20))
        since = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        await change(tenant, family, **details)
        moved, found, told = set(), 0, ""
        for name, one in (("school", web), ("health", health)):
            status, said = await one.ask("GET", patient)
            assert status == 200, (name, said)
            told = said["meta"]["lastUpdated"]
            found += (await one.search("/Patient", _lastUpdated=f"ge{since}"))["total"]
            moved |= {name} if told >= since.removesuffix("Z") else set()
        return moved, found, told

    everybody, _, then = await after(known_as="Fay")
    assert everybody == {"school", "health"}
    assert await after(upn="A123456789012") == ({"school"}, 1, then)
    assert await after(upn="B123456789012") == ({"school"}, 1, then)
    assert (await after(sibling_group=new_id()))[2] == then
    moved, found, now = await after(known_as="Freya", upn="")
    assert (moved, found) == ({"school", "health"}, 2)
    assert now > then
