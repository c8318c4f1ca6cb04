"""The client library against the site itself: what an agency's developer gets to see."""

import pytest
from litestar import Litestar

from interop.client import FhirClient
from interop.client_answers import NotAllowed, NotTaken, NotThere
from panel.exchange.exporting import make_waiting
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.models import Child
from tests.exchange.connected import Connected, come_in


async def test_it_reads_what_it_may_be_told(
    ours: FhirClient, connected: Connected, tenant: Tenant, app: Litestar, clock: FixedClock
) -> None:
    child, withheld = str(connected.child), str(connected.withheld)
    assert (await ours.capabilities()).content["fhirVersion"] == "4.0.1"
    patient = await ours.read("Patient", child)
    assert (patient.type, patient.id) == ("Patient", child)
    assert await ours.read_unless("Patient", child, patient.version) is None
    assert [one.id async for one in ours.search("Patient")] == [child]
    pages = [one async for one in ours.pages("Task", {"patient": child, "_count": "1"})]
    assert [len(one.matches) for one in pages] == [1, 1, 1]
    whole = [one async for one in ours.everything(child)]
    there = {(kind, str(row)) for kind, row in connected.content.rules}
    assert {(one.type, one.id) for one in whole} >= there
    assert whole[0].body == patient.body
    # What was agreed to is not what the second family agreed to.
    assert not [one async for one in ours.search("CarePlan", {"patient": withheld})]
    for nothing in (("CarePlan", child), ("Patient", str(connected.world.panel))):
        with pytest.raises(NotThere):
            await ours.read(*nothing)
    with pytest.raises(NotTaken) as refused:
        _ = [one async for one in ours.search("Patient", {"shoe-size": "7"})]
    assert refused.value.problems[0].expression == ("shoe-size",)
    async with come_in(app, tenant, connected.others) as others:
        assert not [one async for one in others.search("Patient")]
        with pytest.raises(NotThere):
            _ = [one async for one in others.everything(child)]
    async with come_in(app, tenant, connected.ours, "system/Task.rs") as narrow:
        with pytest.raises(NotAllowed):
            await narrow.read("Patient", child)
    await _becomes_another_version(ours, tenant, connected, patient.version)


async def test_it_fetches_everything_at_once(
    ours: FhirClient, connected: Connected, gate: Gate
) -> None:
    export = await ours.export(types=["Patient", "Task", "CarePlan"])
    await make_waiting(gate)
    found = {(one.type, one.id) async for one in export.resources()}
    wanted = {
        (kind, str(row))
        for kind, row in connected.content.rules
        if kind in ("Patient", "Task", "CarePlan")
    }
    assert found == wanted
    await export.give_up()
    with pytest.raises(NotThere):
        await export.files()


async def _becomes_another_version(
    ours: FhirClient, tenant: Tenant, connected: Connected, before: str
) -> None:
    async with tenant.transaction(JOB) as session:
        child = await session.get_one(Child, connected.child)
        child.address = "2 Teasel Close"
    row = str(connected.child)
    now = await ours.read("Patient", row)
    assert now.version != before
    assert [one.method async for one in ours.history("Patient", row)] == ["PUT", "POST"]
    then = await ours.vread("Patient", row, before)
    assert then.content["address"][0]["line"] == ["1 Teasel Close"]
