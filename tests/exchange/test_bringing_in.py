"""Children come whole or not at all, nobody who is here is touched, and it is told what happened."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from interop import systems
from panel.accounts.models import Agency, Worker
from panel.accounts.service import add_agency, add_worker
from panel.allocation.models import ServiceRequest
from panel.cli import commands
from panel.exchange.importing import bring_in
from panel.panels.note_models import FamilyNote
from panel.plans.models import Action
from panel.platform.audit import AuditEvent, Kind
from panel.platform.tables import Base
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.children import NewChild, add_child
from panel.register.models import Child
from panel.sharing.models import SharingRestriction
from tests.exchange.test_reading_a_file import NUMBER, bundle, lines, patient, task

pytestmark = pytest.mark.database
OTHER = "9000000009"
PRACTICE = {
    "resourceType": "Organization", "id": "gp", "name": "Hill Practice",
    "type": [{"coding": [{"system": systems.AGENCY_KIND, "code": "gp"}]}],
    "identifier": [{"system": systems.ODS_CODE, "value": "A81001"}],
}  # fmt: skip
DOCTOR = {"resourceType": "Practitioner", "id": "dr", "name": [{"text": "Dr Lee"}]}
POST = {
    "resourceType": "PractitionerRole", "id": "dr",
    "practitioner": {"reference": "Practitioner/dr"},
    "organization": {"reference": "Organization/gp"},
}  # fmt: skip


def request(child: str, **more: Any) -> dict[str, Any]:
    """Something asked for by the practice."""
    return {
        "resourceType": "ServiceRequest", "id": "r", "status": "active", "intent": "proposal",
        "code": {"text": "Physio"}, "subject": {"reference": f"Patient/{child}"},
        "authoredOn": "2026-11-01", "requester": {"reference": "Organization/gp"}, **more,
    }  # fmt: skip


async def count(tenant: Tenant, table: type[Base]) -> int:
    async with tenant.transaction(JOB) as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_who_is_here_is_left_alone(tenant: Tenant) -> None:
    async with tenant.transaction(JOB) as session:
        here = await add_child(
            session, NewChild("Freya", "Wren", nhs_number=NUMBER), agency_id=None
        )
        same_name = await add_child(
            session,
            NewChild("Fay", "Kestrel", birth_date=here.created_at.date().replace(2021, 5, 6)),
            agency_id=None,
        )
        before = (here.version, same_name.version)
    report = await bring_in(
        tenant,
        lines(
            patient("a"), task("t", "a"), patient("b", OTHER, birthDate="2021-05-06"),
            patient("c", "9000000017", birthDate="2020-01-01"),
        ),
    )  # fmt: skip
    assert [one.outcome for one in report.children] == ["here_already", "here_already", "brought"]
    assert [one.reference for one in report.children[:2]] == [here.reference, same_name.reference]
    assert await count(tenant, Action) == 0
    async with tenant.transaction(JOB) as session:
        rows = [await session.get_one(Child, one.id) for one in (here, same_name)]
        assert tuple(one.version for one in rows) == before


async def test_two_children_of_one_number_are_for_a_person(tenant: Tenant) -> None:
    report = await bring_in(tenant, lines(patient("a"), patient("b", birthDate="2020-01-01")))
    assert [one.outcome for one in report.children] == ["not_brought", "not_brought"]
    assert await count(tenant, Child) == 0


async def test_who_would_not_be_known_again_does_not_come(tenant: Tenant) -> None:
    nobody = {"resourceType": "Patient", "id": "a", "name": [{"family": "Kestrel"}]}
    report = await bring_in(tenant, bundle(nobody))
    assert report.children[0].why.startswith("Neither an NHS number nor a date of birth")
    assert await count(tenant, Child) == 0


async def test_a_child_comes_whole_or_not_at_all(tenant: Tenant) -> None:
    too_many = {"value": 1_000_000_000_000, "unit": "hour"}
    report = await bring_in(
        tenant,
        lines(
            PRACTICE, patient("a"), task("t", "a"), request("a", quantityQuantity=too_many),
            patient("b", OTHER), task("u", "b"),
        ),
    )  # fmt: skip
    assert [one.outcome for one in report.children] == ["not_brought", "brought"]
    assert report.children[0].why == "The database refused this record (NumericValueOutOfRange)."
    assert report.brought == {"Patient": 1, "Task": 1}
    assert (await count(tenant, Child), await count(tenant, Action)) == (1, 1)
    assert await count(tenant, Agency) == 0


async def test_a_reference_to_nothing_costs_what_it_must(tenant: Tenant) -> None:
    of_no_plan = task("t", "a", basedOn=[{"reference": "CarePlan/nowhere"}])
    by_nobody = task("u", "a", owner={"reference": "Practitioner/nobody"})
    report = await bring_in(tenant, lines(patient("a"), of_no_plan, by_nobody, request("a")))
    assert report.brought == {"Patient": 1, "Task": 1}
    assert report.left == {"Task": 1, "ServiceRequest": 1}
    assert sorted(one.path for one in report.problems) == [
        "line 2: Task", "line 3: Task", "line 4: ServiceRequest",
    ]  # fmt: skip


async def test_agencies_and_workers_who_are_here_are_used(tenant: Tenant) -> None:
    async with tenant.transaction(JOB) as session:
        here = await add_agency(session, key="hill", name="The Hill", kind="gp", ods_code="A81001")
        lee = await add_worker(session, here, name="dr lee", email="lee@demo.example")
    owned = task("t", "a", owner={"reference": "Practitioner/dr"})
    report = await bring_in(
        tenant, lines(PRACTICE, DOCTOR, POST, patient("a"), request("a"), owned)
    )
    assert report.made == {}
    assert (await count(tenant, Agency), await count(tenant, Worker)) == (1, 1)
    async with tenant.transaction(JOB) as session:
        action = await session.scalar(select(Action))
        asked = await session.scalar(select(ServiceRequest))
        assert action is not None
        assert asked is not None
        assert (action.owner_worker_id, asked.agency_id) == (lee.id, here.id)
        # It does not say of what it tells: so it is told to the fewest.
        assert asked.category == "safeguarding"


async def test_a_protected_child_is_kept_from_everybody_first(tenant: Tenant) -> None:
    label = {"system": systems.CONFIDENTIALITY, "code": "R"}
    report = await bring_in(tenant, bundle(patient("a", meta={"security": [label]})))
    assert report.children[0].outcome == "brought"
    assert any("protected" in one.reason for one in report.problems)
    async with tenant.transaction(JOB) as session:
        kept = await session.scalar(select(SharingRestriction))
        assert kept is not None
        assert (kept.kind, kept.categories, kept.against) == ("protection", ["contact"], [])
    assert await count(tenant, FamilyNote) == 0


async def test_the_command(
    tenant: Tenant, for_commands: dict[str, str | None], tmp_path: Path
) -> None:
    async def run(body: bytes, *words: str) -> Result:
        file = tmp_path / "records.json"
        await asyncio.to_thread(file.write_bytes, body)
        # In a thread of its own, as a command runs outside of any loop.
        given = ("fhir", "import", str(file), *words)
        return await asyncio.to_thread(CliRunner().invoke, commands, given, env=for_commands)

    first = await run(lines(patient("a"), task("t", "a"), "{"))
    assert first.exit_code == 0, first.output
    assert "line 1: Patient: brought in as C-1001." in first.output
    assert "line 3: This is not well-formed JSON." in first.output
    assert "1 children brought in, 0 here already, 0 not brought in." in first.output
    assert "Brought in: Patient 1, Task 1." in first.output
    assert "Kestrel" not in first.output
    again = json.loads((await run(lines(patient("a"), task("t", "a")), "--json")).output)
    assert [one["outcome"] for one in again["children"]] == ["here_already"]
    assert again["brought"] == {}
    for body, said in ((b"a,b\n", "This file cannot be read."), (lines(task("t", "a")), "Nothing")):
        refused = await run(body)
        assert refused.exit_code == 1
        assert said in refused.output.splitlines()[-1]
    async with tenant.transaction(JOB) as session:
        ran = list(
            await session.scalars(
                select(AuditEvent.details).where(AuditEvent.kind == Kind.COMMAND_RUN)
            )
        )
    assert [one["command"] for one in ran] == ["fhir import"] * 4
