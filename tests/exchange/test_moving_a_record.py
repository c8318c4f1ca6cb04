"""A record goes to another authority and is the same there, but for ids and times.

A client to whom the family agreed is sent a child; what it got is brought in at an empty second
authority; a client of the same agency is sent the child there. Both got the same, normalised as
`equal_parts` says, but for these types:

- Provenance: who changed what before is the history of the authority where it happened. What is
  brought in was changed by nobody here.
- What other systems sent: it is each system's own word to the authority that it sent it to. The file
  has it, with its tag; it becomes nobody's word elsewhere, and the report counts what was left.

Two things are other on purpose where a record has them, which this one has not. The label of a
protected child comes without saying from whom: there, contact details are withheld from everybody
until a person records it. And that parts were withheld (the label REDACTED) is told of the file,
and not again of a record that never had them.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from consent import Category, Purpose
from interop.origin import is_sent
from panel.accounts.models import Agency
from panel.exchange.importing import bring_in
from panel.exchange.resources import Told
from panel.plans.models import Action, LeadProfessional
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.database import Database
from panel.platform.ids import new_id
from panel.platform.masterkey import master_key
from panel.platform.tenancy import Tenant, authority_named, keyring
from panel.records.access_check import differences
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.models import Child
from tests.conftest import copied
from tests.exchange.exporting import bundle, client_of, equal_parts, exported, ndjson
from tests.exchange.sent_content import KINDS, write_sent
from tests.exchange.whole_record import write_whole
from tests.sharing.family import EVERYTHING, TODAY, Family, agreed, record, referred

pytestmark = pytest.mark.database
STAYS = frozenset({"Provenance"})


@pytest.fixture
async def elsewhere(
    cluster: Cluster, template_database: str, data_dir: Path, clock: FixedClock
) -> AsyncIterator[Tenant]:
    """A second authority, with nobody in it."""
    with copied(cluster, f"panel_second_{new_id().hex[-12:]}", template_database) as made:
        database, record = Database(made.app_url, pool_size=2), authority_named(made.app_url, None)
        ring = keyring(record, master_key(None, data_dir / "keys" / "master.key"))
        yield Tenant(record, database, ring, clock)
        await database.close()


@pytest.fixture
async def sent(tenant: Tenant, gate: Gate, family: Family) -> list[Told]:
    """The whole record, as the school's system is sent it with the mother's agreement."""
    await referred(tenant, family)
    async with tenant.transaction(JOB) as session:
        await write_whole(session, family)
        session.add(
            LeadProfessional(
                child_id=family.child, worker_id=family.tom.id, agency_id=family.school,
                state="ended", role="joint", offered_on=TODAY, offered_by=family.rosa.id,
                from_on=TODAY, until_on=TODAY + timedelta(days=9),
            )
        )  # fmt: skip
    await record(
        gate,
        family,
        agreed(
            family,
            named=frozenset({Category.FINANCE, Category.SAFEGUARDING}),
            purposes=EVERYTHING | {Purpose.EXCHANGE},
        ),
    )
    async with tenant.transaction(family.rosa.id) as session:
        for action in await session.scalars(select(Action).where(Action.state == "doing")):
            action.state = "to_do"
    async with tenant.transaction(JOB) as session:
        agencies = (family.health, family.school)
        await write_sent(session, family.child, agencies, family.rosa.id, new_id())
    client = await client_of(tenant, family.school)
    return list(await exported(tenant, client, family.child))


async def sent_from(tenant: Tenant, agency: str) -> list[Told]:
    """The record of the only child, as a system of an agency is sent it."""
    async with tenant.transaction(JOB) as session:
        child = await session.scalar(select(Child.id))
        agency_id = await session.scalar(select(Agency.id).where(Agency.name == agency))
    assert isinstance(child, UUID)
    assert isinstance(agency_id, UUID)
    return list(await exported(tenant, await client_of(tenant, agency_id), child))


async def test_a_record_is_the_same_elsewhere(sent: list[Told], elsewhere: Tenant) -> None:
    report = await bring_in(elsewhere, bundle(sent))
    assert [one.outcome for one in report.children] == ["brought"], report
    assert report.unmapped == {}
    others = {f"{kind} of another system": 1 for kind, _, _ in KINDS}
    assert report.left == {"Provenance": 2, "Questionnaire": 1} | others
    assert sum(is_sent(one.content) for one in sent) == len(KINDS)
    assert {one.reason for one in report.problems} == {
        "Parental responsibility comes without its basis: it does not count until that is recorded."
    }
    assert await differences(elsewhere) == ()
    async with elsewhere.transaction(JOB) as session:
        held = await session.scalars(
            select(LeadProfessional.until_on).where(LeadProfessional.role == "main")
        )
        assert TODAY + timedelta(days=9) not in list(held), "Beside is not instead of."
    again = await sent_from(elsewhere, "Made-up School")
    assert not any(is_sent(one.content) for one in again)
    there, here = equal_parts(sent, STAYS), equal_parts(again, STAYS)
    assert {one["resourceType"] for one in there} >= {
        "Patient", "RelatedPerson", "CareTeam", "EpisodeOfCare", "Condition", "Flag", "CarePlan",
        "QuestionnaireResponse", "Goal", "Task", "ServiceRequest", "Appointment", "Encounter",
        "DocumentReference", "Communication", "Consent", "Organization", "Practitioner",
        "PractitionerRole", "HealthcareService",
    }  # fmt: skip
    for one, other in zip(there, here, strict=True):
        assert one == other


async def test_the_same_file_brings_nothing_twice(sent: list[Told], elsewhere: Tenant) -> None:
    first = await bring_in(elsewhere, ndjson(sent))
    before = await sent_from(elsewhere, "Made-up School")
    second = await bring_in(elsewhere, ndjson(sent))
    assert [one.outcome for one in second.children] == ["here_already"]
    assert second.children[0].reference == first.children[0].reference
    assert second.brought == second.made == {}
    async with elsewhere.transaction(JOB) as session:
        children = list(await session.scalars(select(Child.id)))
        schools = list(await session.scalars(select(Agency.id).where(Agency.kind == "school")))
    assert (len(children), len(schools)) == (1, 1)
    assert before
