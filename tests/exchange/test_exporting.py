"""A system fetches all that it may be told as files; what it may be told is asked at the download."""

from datetime import timedelta

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Purpose
from panel.exchange import exporting
from panel.exchange.export_routes import HERE
from panel.exchange.exporting import LASTS, forget_exports, make_waiting
from panel.plans.models import Action
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.service import withdraw_agreement
from tests.exchange.telling import another_child, plan_of, task_of
from tests.exchange.test_subscriptions import System, comes_in
from tests.sharing.family import Family, agreed, record

Browser = AsyncTestClient[Litestar]
ALL = "/fhir/R4/$export"
PATIENTS = "/fhir/R4/Patient/$export"


@pytest.fixture
async def gp(client: Browser, tenant: Tenant, family: Family) -> System:
    return await comes_in(client, tenant, family.health, "gp")


async def begun(system: System, path: str) -> str:
    answer = await system.ask("GET", path, Prefer="respond-async")
    assert answer.status_code == 202, answer.text
    return "/fhir/R4" + answer.headers["content-location"].partition("/fhir/R4")[2]


async def files(system: System, status: str) -> dict[str, str]:
    """The address of the file of each type."""
    ready = await system.ask("GET", status)
    assert ready.status_code == 200, ready.text
    told = ready.json()
    assert told["requiresAccessToken"] is True
    assert all("count" not in one for one in told["output"])
    return {one["type"]: "/fhir/R4" + one["url"].partition("/fhir/R4")[2] for one in told["output"]}


async def lines(system: System, address: str) -> list[dict[str, object]]:
    answer = await system.ask("GET", address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/fhir+ndjson")
    return [msgspec.json.decode(line) for line in answer.content.splitlines()]


async def test_it_is_asked_for_made_fetched_and_over(
    gp: System, gate: Gate, tenant: Tenant, family: Family, clock: FixedClock
) -> None:
    async with tenant.transaction(JOB) as session:
        other = await another_child(session, family, 1)
        tasks = [str(await task_of(session, other, await plan_of(session, other, family.health)))]
        # To this one nobody agreed.
        await task_of(session, family.child, await plan_of(session, family.child, family.school))
    status = await begun(gp, ALL)
    waiting = await gp.ask("GET", status)
    assert (waiting.status_code, waiting.headers["x-progress"]) == (202, "in progress")
    await make_waiting(gate)
    found = await files(gp, status)
    assert [one["id"] for one in await lines(gp, found["Task"])] == tasks
    assert [one["id"] for one in await lines(gp, found["Patient"])] == [str(other)]
    assert {one["name"] for one in await lines(gp, found["Organization"])} >= {"Health visiting"}
    async with tenant.transaction(JOB) as session:
        looks = await session.scalars(
            text("SELECT doing FROM access_event WHERE child_id = :c"), {"c": other}
        )
        assert {"sent Task to The gp", "sent Patient to The gp"} <= set(looks)
    clock.set(clock.now() + LASTS)
    gp.comes_in_again(clock)
    assert (await gp.ask("GET", status)).status_code == 404
    assert (await gp.ask("GET", found["Task"])).status_code == 404
    async with tenant.transaction(JOB) as session:
        await forget_exports(session, clock.now())
        assert (await session.execute(text("SELECT count(*) FROM export_line"))).scalar_one() == 0
        assert (await session.execute(text("SELECT count(*) FROM export_part"))).scalar_one() == 0


async def test_consent_is_asked_again_line_by_line(
    gp: System, gate: Gate, tenant: Tenant, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "A_TIME", 2)
    purposes = frozenset({Purpose.EXCHANGE})
    said = await record(
        gate, family, agreed(family, purposes=purposes, agencies=frozenset({family.health}))
    )
    async with tenant.transaction(JOB) as session:
        other = await another_child(session, family, 1)
        left = []
        for child in (family.child, other):
            plan = await plan_of(session, child, family.school)
            for _ in range(5):
                task = await task_of(session, child, plan)
                if child == other:
                    left.append(str(task))
    status = await begun(gp, f"{PATIENTS}?_type=Task,Patient")
    await make_waiting(gate)
    found = await files(gp, status)
    assert set(found) == {"Task", "Patient"}
    assert len(await lines(gp, found["Task"])) == 10
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "asked again") as access:
        await withdraw_agreement(access, said.id)
    assert sorted(str(one["id"]) for one in await lines(gp, found["Task"])) == sorted(left)
    assert [one["id"] for one in await lines(gp, found["Patient"])] == [str(other)]


async def test_made_in_several_files_and_again_after_it_was_left_behind(
    gp: System,
    gate: Gate,
    tenant: Tenant,
    family: Family,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exporting, "LINES", 2)
    async with tenant.transaction(JOB) as session:
        children = [await another_child(session, family, number) for number in range(3)]
        made = [
            str(await task_of(session, child, await plan_of(session, child, family.health)))
            for child in children
        ]
    status = await begun(gp, f"{PATIENTS}?_type=Task")
    assert await exporting._taken(gate) is not None
    await make_waiting(gate)
    assert (await gp.ask("GET", status)).status_code == 202, "Somebody else makes it."
    clock.set(clock.now() + exporting.LEFT_BEHIND)
    await make_waiting(gate)
    told = (await gp.ask("GET", status)).json()["output"]
    assert len(told) == 2
    found: list[object] = []
    for one in told:
        found += [each["id"] for each in await lines(gp, one["url"])]
    assert sorted(map(str, found)) == sorted(made)


async def test_since_an_instant(
    gp: System, gate: Gate, tenant: Tenant, family: Family, clock: FixedClock
) -> None:
    async with tenant.transaction(JOB) as session:
        other = await another_child(session, family, 1)
        plan = await plan_of(session, other, family.health)
        await task_of(session, other, plan)
    clock.set(clock.now() + timedelta(minutes=1))
    since = clock.now().isoformat().replace("+", "%2B")
    clock.set(clock.now() + timedelta(minutes=1))
    async with tenant.transaction(JOB) as session:
        later = await task_of(session, other, plan)
    status = await begun(gp, f"{PATIENTS}?_type=Task&_since={since}")
    await make_waiting(gate)
    found = await files(gp, status)
    assert [one["id"] for one in await lines(gp, found["Task"])] == [str(later)]


async def test_what_is_not_understood_is_an_error(gp: System, family: Family) -> None:
    for query in (
        "_type=Task,Basic",
        "_type=Organization",
        "_since=yesterday",
        "_outputFormat=text/csv",
        "_typeFilter=Task%3Fstatus%3Drequested",
        "_elements=id",
        "patient=x",
    ):
        refused = await gp.ask("GET", f"{PATIENTS}?{query}", Prefer="respond-async")
        assert refused.status_code == 400, query
        assert refused.json()["issue"][0]["expression"] == [query.partition("=")[0]]
    assert (await gp.ask("GET", PATIENTS)).status_code == 400
    assert (await gp.ask("GET", "/fhir/R4/Task/$export", Prefer="respond-async")).status_code == 404
    assert (await gp.ask("GET", f"{HERE}/{family.child}")).status_code == 404


async def test_it_is_nobody_elses_and_scopes_cap_it(
    gp: System, client: Browser, gate: Gate, tenant: Tenant, family: Family
) -> None:
    async with tenant.transaction(JOB) as session:
        other = await another_child(session, family, 1)
        await task_of(session, other, await plan_of(session, other, family.health))
    status = await begun(gp, f"{PATIENTS}?_type=Task")
    await make_waiting(gate)
    found = await files(gp, status)
    thief = await comes_in(client, tenant, family.health, "thief")
    for address in (status, found["Task"]):
        assert (await thief.ask("GET", address)).status_code == 404
    assert (await thief.ask("DELETE", status)).status_code == 404
    some = await comes_in(client, tenant, family.health, "some", "system/Patient.rs")
    refused = await some.ask("GET", f"{PATIENTS}?_type=Task", Prefer="respond-async")
    assert refused.status_code == 403
    own = await begun(some, PATIENTS)
    await make_waiting(gate)
    assert set(await files(some, own)) == {"Patient"}
    assert (await gp.ask("DELETE", status)).status_code == 202
    assert (await gp.ask("GET", status)).status_code == 404
    assert (await gp.ask("GET", found["Task"])).status_code == 404


async def test_what_was_changed_since_is_told_as_it_is_now(
    gp: System, gate: Gate, tenant: Tenant, family: Family
) -> None:
    """So that what was recalled since, or is of another category, is in no file any more."""
    async with tenant.transaction(JOB) as session:
        other = await another_child(session, family, 1)
        plan = await plan_of(session, other, family.health)
        task = await task_of(session, other, plan)
    status = await begun(gp, f"{PATIENTS}?_type=Task")
    await make_waiting(gate)
    found = await files(gp, status)
    assert [one["description"] for one in await lines(gp, found["Task"])] == ["Ring"]
    async with tenant.transaction(JOB) as session:
        await load_keys(session, {other})
        (await session.get_one(Action, task)).text = "Said otherwise"
    [line] = await lines(gp, found["Task"])
    assert (line["id"], line["description"]) == (str(task), "Said otherwise")
