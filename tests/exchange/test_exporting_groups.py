"""A system fetches what it may be told of a panel's children: of those alone of whom it may know."""

from datetime import date, time
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text, update

from interop.export import parameters
from interop.outcome import Refused
from panel.exchange.exporting import make_waiting
from panel.panels.models import Panel, Referral
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.sharing.models import SharingAgreement
from tests.exchange.telling import another_child, plan_of, task_of
from tests.exchange.test_exporting import ALL, PATIENTS, begun, files, lines
from tests.exchange.test_subscriptions import System, comes_in
from tests.sharing.family import Family

Browser = AsyncTestClient[Litestar]


class Group:
    """A panel with three children; of the last the system may know nothing."""

    def __init__(self, panel: UUID, children: list[UUID]) -> None:
        self.panel, self.children = panel, children
        self.path = f"/fhir/R4/Group/{panel}"
        self.export = f"{self.path}/$export"


@pytest.fixture
async def gp(client: Browser, tenant: Tenant, family: Family) -> System:
    return await comes_in(client, tenant, family.health, "gp")


@pytest.fixture
async def group(tenant: Tenant, family: Family) -> Group:
    async with tenant.transaction(JOB) as session:
        panel = Panel(
            key="early-years", name="Early years panel", kind="contacts",
            first_on=date(2026, 9, 1), starts_at=time(9, 30),
        )  # fmt: skip
        session.add(panel)
        await session.flush()
        children = [await another_child(session, family, number) for number in range(2)]
        children.append(family.child)
        for child in children:
            session.add(
                Referral(
                    child_id=child, panel_id=panel.id, referred_on=date(2026, 11, 2),
                    agency_id=family.school,
                )
            )  # fmt: skip
            await task_of(session, child, await plan_of(session, child, family.school))
        # Of no panel.
        await another_child(session, family, 2)
        return Group(panel.id, children)


def asked(*said: tuple[str, str, object]) -> dict[str, object]:
    """Parameters: name, kind of value, value."""
    listed = [{"name": name, f"value{kind}": value} for name, kind, value in said]
    return {"resourceType": "Parameters", "parameter": listed}


async def withdraw(tenant: Tenant, child: UUID) -> None:
    async with tenant.transaction(JOB) as session:
        await session.execute(
            update(SharingAgreement)
            .where(SharingAgreement.child_id == child)
            .values(withdrawn_at=tenant.clock.now())
        )
        await rewrite_access(session, child)


async def of_whom(system: System, status: str) -> set[str]:
    """The children of whom the tasks of an export are."""
    found = await files(system, status)
    tasks = await lines(system, found["Task"]) if "Task" in found else []
    return {str(one["for"]) for one in tasks}


def whose(children: list[UUID]) -> set[str]:
    return {str({"reference": f"Patient/{child}"}) for child in children}


async def test_a_group_is_told_with_those_alone_of_whom_a_system_may_know(
    gp: System, group: Group, tenant: Tenant
) -> None:
    told = (await gp.ask("GET", group.path)).json()
    assert (told["name"], told["type"], told["actual"]) == ("Early years panel", "person", True)
    members = [one["entity"]["reference"] for one in told["member"]]
    assert (told["quantity"], members) == (2, [f"Patient/{one}" for one in group.children[:2]])
    found = (await gp.ask("GET", "/fhir/R4/Group?identifier=early-years&_total=accurate")).json()
    assert (found["total"], found["entry"][0]["resource"]) == (1, told)
    # Also where it is found by one of its members.
    found = (await gp.ask("GET", f"/fhir/R4/Group?member={group.children[0]}")).json()
    assert found["entry"][0]["resource"] == told
    assert (await gp.ask("GET", f"/fhir/R4/Group?member={group.children[2]}")).json()["total"] == 0
    async with tenant.transaction(JOB) as session:
        looks = await session.execute(
            text("SELECT DISTINCT child_id FROM access_event WHERE doing LIKE 'sent Group to%'")
        )
        assert set(looks.scalars()) == set(group.children[:2])
    for child in group.children[:2]:
        await withdraw(tenant, child)
    assert (await gp.ask("GET", group.path)).status_code == 404
    assert (await gp.ask("GET", "/fhir/R4/Group")).json()["total"] == 0


async def test_of_a_group_come_its_members_as_they_are_when_it_is_fetched(
    gp: System, group: Group, gate: Gate, tenant: Tenant
) -> None:
    status = await begun(gp, f"{group.export}?_type=Task,Patient")
    await make_waiting(gate)
    assert await of_whom(gp, status) == whose(group.children[:2])
    async with tenant.transaction(JOB) as session:
        await session.execute(
            update(Referral)
            .where(Referral.child_id == group.children[0])
            .values(state="closed", changed_at=tenant.clock.now())
        )
    assert await of_whom(gp, status) == whose(group.children[1:2])
    await withdraw(tenant, group.children[1])
    assert await of_whom(gp, status) == set()
    gone = await gp.ask("GET", group.export, Prefer="respond-async")
    assert gone.status_code == 404


async def test_what_is_asked_for_is_posted(gp: System, group: Group, gate: Gate) -> None:
    """Patients who are no members, or of whom nothing may be known, are not told of as such."""
    patients = [("patient", "Reference", {"reference": f"Patient/{group.children[0]}"})]
    patients += [
        ("patient", "Reference", {"reference": f"Patient/{one}"})
        for one in (group.children[2], new_id())
    ]
    body = asked(
        ("_type", "String", "Task,Patient"),
        ("_since", "Instant", "2026-01-01T00:00:00Z"),
        ("_outputFormat", "String", "ndjson"),
        *patients,
    )
    for path in (group.export, PATIENTS):
        answer = await gp.ask("POST", path, body, Prefer="respond-async")
        assert answer.status_code == 202, answer.text
        status = "/fhir/R4" + answer.headers["content-location"].partition("/fhir/R4")[2]
        await make_waiting(gate)
        assert await of_whom(gp, status) == whose(group.children[:1])
        assert (await gp.ask("GET", status)).json()["request"].endswith(path)
        await gp.ask("DELETE", status)
    whole = await gp.ask("POST", ALL, asked(("_type", "String", "Group")), Prefer="respond-async")
    status = "/fhir/R4" + whole.headers["content-location"].partition("/fhir/R4")[2]
    await make_waiting(gate)
    [told] = await lines(gp, (await files(gp, status))["Group"])
    assert told["quantity"] == 2


async def test_what_is_not_understood_is_refused_by_name(gp: System, group: Group) -> None:
    for path, body in (
        (ALL, asked(("patient", "Reference", {"reference": f"Patient/{new_id()}"}))),
        (group.export, asked(("patient", "Reference", {"reference": "Patient/x"}))),
        (group.export, asked(("_type", "String", "Organization"))),
        (group.export, asked(("_type", "Code", "Task"))),
        (group.export, asked(("_since", "Instant", "yesterday"))),
        (group.export, asked(("_elements", "String", "id"))),
    ):
        refused = await gp.ask("POST", path, body, Prefer="respond-async")
        parameter = msgspec.convert(body["parameter"], list[dict[str, object]])[0]
        assert refused.status_code == 400, body
        assert refused.json()["issue"][0]["expression"] == [parameter["name"]]
    in_address = await gp.ask("POST", f"{ALL}?_type=Task", asked(), Prefer="respond-async")
    assert in_address.json()["issue"][0]["expression"] == ["_type"]
    assert (await gp.ask("POST", ALL, asked())).status_code == 400
    for wrong in (new_id(), "x"):
        path = f"/fhir/R4/Group/{wrong}/$export"
        assert (await gp.ask("GET", path, Prefer="respond-async")).status_code == 404
    path = f"/fhir/R4/Patient/{group.children[0]}/$export"
    assert (await gp.ask("GET", path, Prefer="respond-async")).status_code == 404


def test_what_are_no_parameters() -> None:
    for body in (b"{", b"[]", b'{"resourceType":"Patient"}', b"[" * 100_000):
        assert isinstance(parameters(body), Refused)
    assert parameters(b'{"resourceType":"Parameters"}') == []
