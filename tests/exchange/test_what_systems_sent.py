"""What the systems of two agencies sent, as the school's system finds it: by every way, or by none.

The health body sent a Condition, a Goal, a carer, an episode and a Task; the school itself a plan, a
team and what was in error. `tests.exchange.sent_content` has them.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from consent import Category
from panel.exchange.delivering import Sender
from panel.exchange.events import put_in_line
from panel.exchange.exporting import Asking, ask, lines_of, make_waiting, parts_of
from panel.exchange.inbox_models import SenderVersion
from panel.exchange.models import ExchangeClient
from panel.exchange.standing import client_by_id
from panel.exchange.telling_models import Delivery, ExportJob
from panel.platform.ids import new_id
from panel.platform.reaching import Reaching
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from tests.exchange.conftest import Systems
from tests.exchange.exporting import exported
from tests.exchange.receiver import Receiver, listening
from tests.exchange.sent_content import NAMED, write_sent
from tests.exchange.telling import BASE, subscribed
from tests.exchange.test_break_in_by_fhir import Break, broken
from tests.exchange.web import Said, Web, give_token, resources
from tests.interop import validator
from tests.sharing.family import Family

__all__ = ["broken"]
pytestmark = pytest.mark.database
A_WHILE = timedelta(seconds=2)
Ids = dict[str, UUID]


@pytest.fixture
async def sent(broken: Break) -> Ids:
    """The ids of what was sent, by type."""
    return await _sent(broken.tenant, broken.family)


async def _sent(tenant: Tenant, family: Family) -> Ids:
    async with tenant.transaction(JOB) as session:
        rules = await write_sent(
            session, family.child, (family.health, family.school), family.tom.id, new_id()
        )
    return {kind: row for (kind, row), rule in rules.items() if rule is not None}


async def change(broken: Break, row: UUID, **said: Any) -> None:
    """Its sender sends it anew."""
    broken.clock.set(broken.clock.now() + A_WHILE)
    async with broken.tenant.transaction(JOB) as session:
        await load_keys(session, {broken.family.child})
        version = await session.get_one(SenderVersion, row)
        version.body = json.dumps(json.loads(version.body) | said)


def ids(said: Said, mode: str | None = "match") -> list[str]:
    return [one["id"] for one in resources(said, mode)]


async def test_it_is_found_by_what_it_says_and_comes_with_what_it_refers_to(
    broken: Break, sent: Ids
) -> None:
    await broken.agree(Category.PLAN, Category.HEALTH)
    web, child = broken.web, broken.family.child
    hearing, goal, task = (str(sent[kind]) for kind in ("Condition", "Goal", "Task"))
    for asked in (
        {"code": "http://snomed.info/sct|15188001"},
        {"code": "15188001", "patient": str(child)},
        {"recorded-date": "2026-10", "_sort": "-_lastUpdated"},
        {"clinical-status": "active", "recorded-date": "lt2026-10-06"},
    ):
        found = await web.search("/Condition", _total="accurate", **asked)
        assert (ids(found), found["total"]) == ([hearing], 1), asked
    named = {"identifier": f"{NAMED['system']}|{NAMED['value']}"}
    assert ids(await web.search("/CarePlan", **named)) == [str(sent["CarePlan"])]
    # Of others' the school is not shown what its sender calls it, and so cannot ask for it either.
    for asked in ({"code": "1"}, named, {"code:not": "15188001"}):
        found = await web.search("/Condition", _total="accurate", **asked)
        assert (ids(found), found["total"]) == ([], 0), asked
    # Its words are Panel's: neither a narrative nor what leads to nothing.
    [told] = resources(await web.search("/Condition", _id=hearing))
    assert told["meta"]["tag"][0]["code"] == "another-system"
    assert "What stays" not in str(told)
    found = await web.search(
        "/CarePlan", patient=str(child), _include="CarePlan:goal", _revinclude="Task:based-on"
    )
    assert ids(found) == [str(sent["CarePlan"])]
    assert set(ids(found, "include")) == {goal, task}
    back = await web.search("/Goal", _id=goal, _revinclude=["CarePlan:goal", "Task:focus"])
    assert set(ids(back, "include")) == {str(sent["CarePlan"]), task}
    worker = await web.search(
        "/Practitioner", _id=str(broken.family.tom.id), _revinclude="Task:owner"
    )
    assert ids(worker, "include") == [task]
    # Page by page, ours and theirs in one order.
    first = await web.search("/Task", status="requested", _count="1")
    assert "next" not in {one["relation"] for one in first["link"]}
    # As it was, of whoever is told it.
    await broken.keep()
    await change(broken, sent["Condition"], code={"text": "Glue ear"})
    past = await broken.past(f"Condition/{hearing}")
    assert [one["code"].get("text") for one in past] == ["Glue ear", "15188001"]
    await change(broken, sent["Condition"], verificationStatus={"text": "entered-in-error"})
    assert len(await broken.past(f"Condition/{hearing}")) == 1, "of an error no past is told"


def _everything(broken: Break) -> list[tuple[str, dict[str, str]]]:
    child, since = str(broken.family.child), broken.since
    return [
        *((f"/{kind}", {"_total": "accurate", "_sort": "-_lastUpdated"}) for kind in
          ("Condition", "Goal", "Task", "RelatedPerson", "EpisodeOfCare", "CarePlan")),
        ("/Condition", {"patient": child, "_summary": "count"}),
        ("/Condition", {"code:missing": "false", "_total": "accurate"}),
        ("/Condition", {"identifier": f"{NAMED['system']}|{NAMED['value']}", "_total": "accurate"}),
        ("/CarePlan", {"_include": "CarePlan:goal", "_revinclude": "Task:based-on"}),
        ("/Practitioner", {"_id": str(broken.family.tom.id), "_revinclude": "Task:owner"}),
        ("/Task", {"_lastUpdated": f"gt{since}", "_total": "accurate", "_count": "1"}),
    ]  # fmt: skip


async def test_what_is_withheld_is_told_by_no_total_page_order_or_history(
    broken: Break, sent: Ids
) -> None:
    """The school keeps its own; of the health body's it learns nothing, come what may."""
    web = broken.web
    kinds = ("Condition", "Goal", "RelatedPerson", "EpisodeOfCare", "Task")

    async def told() -> list[Said]:
        return [await web.search(path, **asked) for path, asked in _everything(broken)]

    before = await told()
    assert [one["id"] for one in resources(before[5])] == [str(sent["CarePlan"])]
    assert sum(one.get("total", 0) for one in before) == 3
    await broken.keep()
    for kind in kinds:
        await change(broken, sent[kind], language="en")
        for path in (f"/{kind}/{sent[kind]}", f"/{kind}/{sent[kind]}/_history"):
            assert (await web.ask("GET", path))[0] == 404
            there = (await web.answer("GET", path)).content
            assert (
                there
                == (await web.answer("GET", path.replace(str(sent[kind]), str(new_id())))).content
            )
    await broken.keep()
    async with broken.tenant.transaction(JOB) as session:
        await session.execute(
            text("UPDATE sender_version SET about_id = id WHERE author_agency_id = :health"),
            {"health": broken.family.health},
        )
    assert await told() == before


async def test_that_a_carer_moved_is_told_to_nobody_but_the_sender(
    broken: Break, sent: Ids
) -> None:
    await broken.agree(Category.FAMILY, Category.IDENTITY)
    name = f"RelatedPerson/{sent['RelatedPerson']}"

    async def told() -> tuple[Any, ...]:
        newest = await broken.web.search("/RelatedPerson", _sort="-_lastUpdated", _count="1")
        since = await broken.web.search("/RelatedPerson", _lastUpdated=f"gt{broken.since}")
        answer = await broken.web.answer("GET", f"/{name}")
        return newest, since, answer.content, answer.headers.get("etag"), await broken.past(name)

    before = await told()
    await broken.keep()
    await change(broken, sent["RelatedPerson"], address=[{"line": ["9 Safe Street"]}])
    await broken.keep()
    assert await told() == before


async def test_too_many_to_look_through_is_said_and_never_a_part(broken: Break, sent: Ids) -> None:
    await broken.agree(Category.PLAN, Category.HEALTH)
    async with broken.tenant.transaction(JOB) as session:
        await session.execute(
            text(
                "INSERT INTO sender_version SELECT (json_populate_record(s, json_build_object("
                "'id', gen_random_uuid()))).* FROM sender_version s, generate_series(1, 500)"
                " WHERE s.id = :row"
            ),
            {"row": sent["Condition"]},
        )
    counted = await broken.web.search("/Condition", _summary="count")
    assert counted["total"] == 501, "what stands beside them is asked in the query"
    status, said = await broken.web.ask("GET", "/Condition", params={"code": "15188001"})
    assert (status, said["issue"][0]["code"]) == (400, "too-costly")
    assert said["issue"][0]["expression"] == ["code"]
    few = await broken.web.search("/Condition", code="15188001", _id=str(sent["Condition"]))
    assert ids(few) == [str(sent["Condition"])]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as made:
        yield made


async def test_its_changes_are_told_of_while_they_may_be(
    broken: Break, systems: Systems, receiver: Receiver, sent: Ids
) -> None:
    gate, tenant = broken.gate, broken.tenant
    async with tenant.transaction(JOB) as session:
        school = await client_by_id(session, systems.school_id)
    assert school is not None
    for criteria in ("Condition?", "Goal?", "CarePlan?"):
        await subscribed(tenant, school, receiver.address, criteria)
    await broken.agree(Category.HEALTH, Category.PLAN)

    async def look() -> list[str]:
        async with tenant.transaction(JOB) as session:
            await put_in_line(gate, session)
            rows = await session.execute(select(Delivery.resource).order_by(Delivery.resource))
            return [one for (one,) in rows]

    before = await look()
    assert set(before) == {"Condition", "Goal", "CarePlan"}
    await change(broken, sent["Condition"], code={"text": "Glue ear"})
    await change(broken, sent["Goal"], description={"text": "She hears well"})
    await change(broken, sent["CarePlan"], title="To hear well")
    there = await look()
    assert there == sorted([*before, "CarePlan", "Condition", "Goal"])
    assert await look() == there
    await broken.restrict(Category.PLAN)
    sender = Sender(gate, Reaching(to_this_machine=True), BASE)
    await sender.send_due()
    told = {one.focus.removeprefix(f"{BASE}/") for one in receiver.events}
    assert told == {f"Condition/{sent['Condition']}"}


async def test_it_goes_into_files_and_what_others_check_is_right(
    broken: Break, systems: Systems, sent: Ids, tmp_path: Path
) -> None:
    await broken.agree(*Category)
    gate, tenant = broken.gate, broken.tenant
    async with tenant.transaction(JOB) as session:
        school = await client_by_id(session, systems.school_id)
        health = await client_by_id(session, systems.gp_id)
    assert school is not None
    assert health is not None
    whole = await exported(tenant, school, broken.family.child)
    own = await exported(tenant, health, broken.family.child)
    assert {(one.resource, one.id) for one in whole} >= {
        (kind, str(row)) for kind, row in sent.items()
    }
    bodies = [one.stamped.body for one in (*whole, *own)]
    laid_out = validator.lay_out(tmp_path / "validator")
    assert validator.problems(laid_out, bodies) == {"R4": (), "UK Core": ()}
    async with tenant.transaction(school.viewer.id) as session:
        job_id = await ask(session, school, Asking("", ("Condition", "Goal"), None))
        assert job_id is not None
    await make_waiting(gate)
    await broken.restrict(Category.PLAN)
    async with tenant.transaction(school.viewer.id) as session:
        job = await session.get_one(ExportJob, job_id)
        parts = [part.id for part in await parts_of(session, job)]
    lines = [
        json.loads(line)
        for part in parts
        async for some in lines_of(gate, school, job_id, part)
        for line in some.splitlines()
    ]
    assert [(one["resourceType"], one["id"]) for one in lines] == [
        ("Condition", str(sent["Condition"]))
    ]


async def test_nobody_puts_their_own_in_place_of_what_another_sent(
    broken: Break, systems: Systems, sent: Ids
) -> None:
    await broken.agree(Category.HEALTH)
    scopes = ("system/*.cruds",)
    async with broken.tenant.transaction(JOB) as session:
        (await session.get_one(ExchangeClient, systems.school_id)).scopes = list(scopes)
    writes = Web(
        broken.web.client, await give_token(broken.tenant, systems.school_id, "writes", scopes)
    )
    path = f"/Condition/{sent['Condition']}"
    told = await writes.answer("GET", path)
    headers = {"If-Match": told.headers["etag"], "Content-Type": "application/fhir+json"}
    answer = await writes.answer("PUT", path, content=told.content, headers=headers)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "forbidden")
    again = await writes.answer("GET", path)
    assert again.content == told.content
