"""Who is told what a system sent: its sender all of it, others what consent lets them."""

from datetime import date

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select, text

from consent import Purpose, Viewer, ViewerKind
from interop.scopes import read_scopes
from panel.exchange.entering import Client
from panel.exchange.finding import Order, count, find, told
from panel.exchange.inbox_job import LEFT, take_in_what_is_left
from panel.exchange.inbox_offers import take
from panel.exchange.inbox_receiving import Sending, receive
from panel.exchange.models import ExchangeClient
from panel.exchange.permitted import permitted
from panel.exchange.sender_sources import AsSent, sender_source, written
from panel.plans.models import Action, Plan
from panel.platform.clock import FixedClock
from panel.records.gate import rewrite_viewer
from tests.exchange.inbox_world import (
    NUMBER,
    System,
    agree,
    bundle,
    condition,
    entry,
    give_number,
    health_system,
    patient,
)
from tests.panels.conftest import REFERRED, AddChild, House, add_child, house

__all__ = ["add_child", "house"]


@pytest.fixture
async def system(house: House, client: AsyncTestClient[Litestar], add_child: AddChild) -> System:
    await give_number(house, await add_child("Amina"), NUMBER)
    return await health_system(house, client)


async def another_system(house: House, agency: str) -> Viewer:
    async with house.as_("job") as session:
        row = ExchangeClient(
            key=agency, name="A school's system", agency_id=house.agencies[agency],
            scopes=["system/*.rs"], purposes=["exchange"], jwks={"keys": []}, from_on=REFERRED,
        )  # fmt: skip
        session.add(row)
        await session.flush()
        await rewrite_viewer(session, row.id)
    return Viewer(row.id, ViewerKind.CLIENT, row.agency_id, agency)


async def asked(house: House, viewer: Viewer) -> tuple[int, list[object]]:
    """How many Conditions of systems a viewer may be told of, and what they are told."""
    source = sender_source("Condition")
    async with house.tenant.transaction(viewer.id) as session:
        allowed = await permitted(house.gate, session, viewer)
        hits = await find(session, source, allowed, (), Order(), 10)
        number = await count(session, source, allowed, ())
        assert number == len(hits)
        opened = await house.gate.open_here(
            session, {one.child_id for one in hits if one.child_id}, viewer, Purpose.EXCHANGE, "x"
        )
        rows = await session.execute(
            text(f"SELECT {source.selected()} FROM {source.rows} WHERE {source.where}")
        )
        lines = [source.decoder.decode(line) for (line,) in rows]
        said = await told(session, source, lines, opened)
        return number, list(said.values())


async def test_the_sender_reads_all_of_it_and_others_what_is_agreed(system: System) -> None:
    house, amina = system.house, system.house.children["Amina"]
    own = Viewer(system.id, ViewerKind.CLIENT, house.agencies["health"], "health")
    school = await another_system(house, "education")
    sent = condition(
        f"Patient/{amina}", note=[{"text": "Wears two hearing aids."}], onsetString="at birth",
        text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Father drinks</div>'},
    )  # fmt: skip
    made = await system.send("POST", "/Condition", sent)
    assert made.status_code == 201
    here = made.headers["location"].split("/fhir/R4")[1].partition("/_history")[0]
    read = await system.send("GET", here)
    assert (read.status_code, read.headers["etag"]) == (200, made.headers["etag"])
    assert read.json() == made.json()
    assert (await system.send("GET", here, If_None_Match=made.headers["etag"])).status_code == 304
    number, said = await asked(house, own)
    assert number == 1
    assert isinstance(said[0], AsSent)
    back = written("Condition", said[0])
    assert back["onsetString"] == "at birth"
    assert "Father drinks" in str(back)
    assert await asked(house, school) == (0, [])
    await agree(house, "education")
    number, said = await asked(house, school)
    assert number == 1
    assert isinstance(said[0], AsSent)
    told_others = str(written("Condition", said[0]))
    assert "hearing aids" in told_others
    assert not any(kept in told_others for kept in ("drinks", "at birth"))
    with pytest.raises(ValueError, match="no type"):
        sender_source("Condition' OR true --")


async def test_an_action_of_ours_is_changed_by_an_offer(system: System) -> None:
    house, amina = system.house, system.house.children["Amina"]
    await agree(house, "health")
    async with house.as_("job") as session:
        plan = await session.scalar(select(Plan.id).where(Plan.child_id == amina))
        action = Action(
            child_id=amina, plan_id=plan, text="Book a hearing test", owner_words="Mum",
            due_on=date(2026, 12, 1),
        )  # fmt: skip
        session.add(action)
        await session.flush()
    read = await system.send("GET", f"/Task/{action.id}")
    assert read.status_code == 200, read.text
    task = read.json()
    done = task | {"status": "completed"}
    path = f"/Task/{action.id}"
    assert (await system.send("PUT", path, done)).status_code == 428
    assert (await system.send("PUT", path, done, If_Match='W/"1"')).status_code == 412
    for _ in range(2):
        answer = await system.send("PUT", path, done, If_Match=read.headers["etag"])
        assert answer.status_code == 202, answer.text
        assert answer.json()["resourceType"] == "OperationOutcome"
    assert await system.rows("SELECT count(*), count(about_id) FROM sender_version") == [(1, 1)]
    later = entry(
        done | {"status": "requested", "restriction": {"period": {"end": "2026-12-20"}}},
        method="PUT", url=f"Task/{action.id}", ifMatch=read.headers["etag"],
    )  # fmt: skip
    answer = await system.send("POST", "", bundle("transaction", later))
    assert answer.json()["entry"][0]["response"]["status"] == "202 Accepted", answer.text
    assert (await system.send("GET", path)).json() == task, "what a worker wrote stays"
    offered = {
        target: (id_, version, row_version)
        for target, id_, version, row_version in await system.rows(
            "SELECT target, id, version, row_version FROM proposal WHERE state = 'open'"
        )
    }
    assert offered.keys() == {"action.state", "action.due_on"}
    async with house.opened("Amina", "lead") as access:
        await take(access, *offered["action.state"])
    async with house.opened("Amina", "lead") as access:
        id_, version, row_version = offered["action.due_on"]
        await take(access, id_, version, row_version + 1)
        row = await access.session.get_one(Action, action.id)
        assert (row.state, row.due_on, row.text) == (
            "done",
            date(2026, 12, 20),
            "Book a hearing test",
        )


async def test_what_was_only_kept_is_taken_in_later(system: System, clock: FixedClock) -> None:
    house = system.house
    client = Client(
        Viewer(system.id, ViewerKind.CLIENT, house.agencies["health"], "health"),
        read_scopes(["system/*.cruds"]), "hospital", "The hospital",
    )  # fmt: skip
    await agree(house, "health")
    who = entry(patient())
    letter = bundle("document", who, entry(condition(who["fullUrl"])))
    await receive(house.tenant, client, Sending("POST Bundle", "", msgspec.json.encode(letter)))
    asked_for = bundle("transaction", who, entry(condition(who["fullUrl"])))
    body = msgspec.json.encode(asked_for)
    await receive(house.tenant, client, Sending("POST Bundle", "", body))
    assert await take_in_what_is_left(house.gate) == 0, "whoever takes it in may still do so"
    clock.set(clock.now() + 2 * LEFT)
    assert await take_in_what_is_left(house.gate) == 2
    assert await take_in_what_is_left(house.gate) == 0
    rows = await system.rows("SELECT kind, state FROM received ORDER BY kind")
    assert rows == [("document", "done"), ("transaction", "refused")]
    assert await system.count("sender_version") == 2
    # Its sender, who had no answer, sends each again.
    came = await system.send("POST", "", letter)
    assert (came.status_code, await system.count("sender_version")) == (202, 2)
    assert (await system.send("POST", "", body)).status_code == 200
    assert await system.count("received") == 2
    # To be looked at only: nothing is kept.
    checked = await system.send(
        "POST", "/Condition/$validate", condition("Patient/1", onsetString="x")
    )
    assert checked.status_code == 200
    assert {one["severity"] for one in checked.json()["issue"]} == {"information"}
    wrong = await system.send("POST", "/Condition/$validate", patient(birthDate="soon"))
    assert {one["severity"] for one in wrong.json()["issue"]} >= {"error"}
    assert await system.count("received") == 2
