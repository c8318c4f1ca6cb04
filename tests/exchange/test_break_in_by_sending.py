"""A registered system of one agency that sends what should get it, or others, more than is theirs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select, text

from consent import Viewer, ViewerKind
from interop.incoming import read
from interop.mesh import MeshClient, MeshError, Message
from interop.outcome import Refused
from interop.scopes import read_scopes
from interop.subscriptions import Asked
from interop.subscriptions import read as read_subscription
from panel.exchange import inbox_job, reading
from panel.exchange.entering import Client
from panel.exchange.inbox_job import LEFT, TRIES, take_in_what_is_left
from panel.exchange.inbox_models import Received, SenderVersion
from panel.exchange.inbox_opening import opened
from panel.exchange.inbox_pages import _facts
from panel.exchange.inbox_receiving import Sending, receive
from panel.exchange.landing import FETCHED
from panel.exchange.mesh import empty
from panel.exchange.models import ExchangeClient
from panel.platform.clock import FixedClock
from panel.platform.ids import new_id
from panel.platform.tenancy import load_keys
from panel.records.gate import rewrite_access
from panel.register.models import Involvement
from panel.sharing.models import SharingRestriction
from tests.exchange.inbox_world import (
    NOBODYS,
    NUMBER,
    Json,
    System,
    agree,
    bundle,
    condition,
    entry,
    give_number,
    health_system,
    patient,
)
from tests.exchange.test_inbox_readers import another_system
from tests.panels.conftest import REFERRED, AddChild, House, add_child, house

__all__ = ["add_child", "house"]
database = pytest.mark.database
NHS = "https://fhir.nhs.uk/Id/nhs-number"


@pytest.fixture
async def system(house: House, client: AsyncTestClient[Litestar], add_child: AddChild) -> System:
    """The health body's system; Amina and Bea are both children of its agency's."""
    await give_number(house, await add_child("Amina"), NUMBER)
    await add_child("Bea")
    return await health_system(house, client)


async def ends(house: House, child: UUID) -> None:
    """The health body has no part in a child any more."""
    async with house.as_("job") as session:
        found = await session.scalars(
            select(Involvement).where(
                Involvement.child_id == child, Involvement.agency_id == house.agencies["health"]
            )
        )
        for one in found:
            one.until_on = REFERRED
        await session.flush()
        await rewrite_access(session, child)


async def may(system: System, *scopes: str) -> None:
    """The system may do no more than this."""
    async with system.house.as_("job") as session:
        row = await session.get_one(ExchangeClient, system.id)
        row.scopes = list(scopes)


def here(answer: Any) -> str:
    """The address of what was made."""
    location: str = answer.headers["location"]
    return location.split("/fhir/R4")[1].partition("/_history")[0]


@database
async def test_who_asks_again_is_told_what_may_be_told_now(system: System) -> None:
    """A Bundle sent twice is done once; what it reads is asked of the gate each time."""
    amina = system.house.children["Amina"]
    await agree(system.house, "health")
    asked = bundle(
        "batch",
        {"request": {"method": "GET", "url": f"Patient/{amina}"}},
        entry(patient()),
        entry(condition(f"Patient/{amina}")),
    )
    first = await system.send("POST", "", asked)
    assert [one["response"]["status"][:3] for one in first.json()["entry"]] == ["200", "200", "201"]
    assert "Amina" in str(first.json()["entry"][0])
    again = await system.send("POST", "", asked)
    assert [one.get("resource") for one in again.json()["entry"]] == [
        one.get("resource") for one in first.json()["entry"]
    ]
    assert await system.count("received") == 1
    # What is kept of the answer says nothing of the child.
    async with system.house.tenant.transaction(system.id) as session:
        row = await session.scalar(select(Received))
        assert row is not None
        await load_keys(session, {row.holder_id})
        assert "Amina" not in row.answer
        assert "Hearing" not in row.answer
    await ends(system.house, amina)
    assert (await system.send("GET", f"/Patient/{amina}")).status_code == 404
    later = (await system.send("POST", "", asked)).json()["entry"]
    assert later[0]["response"]["status"][:3] == "404"
    assert all("resource" not in one for one in later)
    assert "Amina" not in str(later)


@database
async def test_to_write_is_not_to_read(system: System) -> None:
    """Neither what a worker wrote nor whether it is there, without the scope for it."""
    amina = system.house.children["Amina"]
    await agree(system.house, "health")
    assert "Amina" in (await system.send("GET", f"/Patient/{amina}")).text
    await may(system, "system/Patient.cu")
    assert (await system.send("GET", f"/Patient/{amina}")).status_code == 403
    unless = f"identifier={NHS}|{NUMBER}"
    answers = [
        await system.send("POST", "/Patient", patient(), If_None_Exist=unless),
        await system.send("POST", "/Patient", patient(gender="female")),
        await system.send("POST", "", bundle("transaction", entry(patient(gender="male")))),
    ]
    for one in answers:
        assert one.status_code < 300, one.text
        assert "resource" not in one.text.replace("resourceType", "")
        assert '"Patient"' not in one.text
        assert "Amina" not in one.text


@database
async def test_what_is_said_of_one_child_is_not_put_on_another(system: System) -> None:
    """By a PUT whose subject is another, alone, in a batch or in a transaction."""
    amina, bea = (str(system.house.children[name]) for name in ("Amina", "Bea"))
    made = await system.send("POST", "/Condition", condition(f"Patient/{amina}"))
    path, etag = here(made), made.headers["etag"]
    swapped = made.json() | condition(f"Patient/{bea}", "Asthma")
    alone = await system.send("PUT", path, swapped, If_Match=etag)
    assert alone.status_code == 422, alone.text
    put = entry(swapped, method="PUT", url=path[1:], ifMatch=etag)
    also = entry(condition(f"Patient/{amina}", "Eczema"))
    together = await system.send("POST", "", bundle("transaction", put, also))
    assert together.status_code == 422
    apart = await system.send("POST", "", bundle("batch", put, also))
    assert [one["response"]["status"][:3] for one in apart.json()["entry"]] == ["422", "201"]
    rows = await system.rows("SELECT child_id, count(*) FROM sender_version GROUP BY 1")
    assert [(str(child), count) for child, count in rows] == [(amina, 2)]
    assert (await system.send("GET", path)).json() == made.json()


@database
async def test_a_document_takes_the_place_of_nothing(system: System) -> None:
    """Whoever may only create overwrites nothing by what an entry of one asks for."""
    amina = system.house.children["Amina"]
    made = await system.send("POST", "/Condition", condition(f"Patient/{amina}"))
    path = here(made)
    await may(system, "system/Bundle.c", "system/Condition.c")
    put = entry(made.json() | {"code": {"text": "Nothing"}}, method="PUT", url=path[1:])
    for kind in ("document", "message", "collection"):
        answer = await system.send("POST", "", bundle(kind, put))
        assert answer.status_code == 202
    await may(system, "system/*.cruds")
    assert (await system.send("GET", path)).json() == made.json()


@database
async def test_a_type_that_is_none_holds_up_nobody(system: System) -> None:
    """Neither the answer nor what came after it."""
    amina = system.house.children["Amina"]
    told = await system.send(
        "POST", "", bundle("Amina Kestrel \0", entry(condition(f"Patient/{amina}")))
    )
    assert told.status_code == 202
    assert await system.rows("SELECT kind, state FROM received") == [("collection", "done")]


@database
async def test_what_cannot_be_taken_in_holds_up_nothing_that_came_after(
    system: System, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = inbox_job.take_in
    amina = system.house.children["Amina"]

    async def fails(*given: Any) -> Any:
        if b"Poison" in bytes(given[-1].pieces[0].raw):
            raise LookupError
        return await usual(*given)

    monkeypatch.setattr(inbox_job, "take_in", fails)
    client = Client(
        Viewer(system.id, ViewerKind.CLIENT, system.house.agencies["health"], "health"),
        read_scopes(["system/*.cruds"]), "hospital", "The hospital",
    )  # fmt: skip
    for words in ("Poison", "Asthma"):
        body = msgspec.json.encode(condition(f"Patient/{amina}", words))
        await receive(system.house.tenant, client, Sending(FETCHED, "", body))
    clock.set(clock.now() + 2 * LEFT)
    for number in range(TRIES + 1):
        await take_in_what_is_left(system.house.gate)
        states = await system.rows("SELECT state FROM received ORDER BY created_at, id")
        poisoned = "new" if number + 1 < TRIES else "quarantined"
        assert sorted(one for (one,) in states) == sorted([poisoned, "done"])


@database
async def test_names_that_a_sender_makes_up_are_kept_nowhere_in_the_open(system: System) -> None:
    amina = system.house.children["Amina"]
    for name in ("AminaHasTB", "Amina.HasTB", "Amina has TB \0"):
        for wrong in (
            condition(f"Patient/{amina}", **{name: "x"}),
            condition(f"Patient/{amina}", onsetAge={name: 1}),
        ):
            assert (await system.send("POST", "/Condition", wrong)).status_code == 400
    rows = await system.rows(
        "SELECT r.path, r.reason, p.reason_path, p.reason, p.kept"
        " FROM received r JOIN received_piece p ON p.received_id = r.id"
    )
    assert len(rows) == 6
    assert "Amina" not in str(rows)
    assert {one[0] for one in rows} == {"Condition", "Condition.onsetAge"}


@database
async def test_what_is_refused_is_erased_with_the_child(system: System) -> None:
    """And what is broken: both are sealed for whom they are about."""
    amina = system.house.children["Amina"]
    made = await system.send("POST", "/Condition", condition(f"Patient/{amina}"))
    path = here(made)
    stale = await system.send("PUT", path, made.json(), If_Match='W/"0"')
    assert stale.status_code == 412
    broken = condition(f"Patient/{amina}", recordedDate="soon")
    assert (await system.send("POST", "/Condition", broken)).status_code == 400
    both = bundle("transaction", entry(broken), entry(condition(f"Patient/{amina}")))
    assert (await system.send("POST", "", both)).status_code == 400
    holders = await system.rows(
        "SELECT holder_id, state FROM received UNION ALL SELECT holder_id, state FROM received_piece"
    )
    assert {one[1] for one in holders} == {"done", "refused", "quarantined", "matched", "to_match"}
    assert {one[0] for one in holders} == {amina}
    # Sent again, each is told what it was told.
    assert (await system.send("POST", "/Condition", broken)).status_code == 400
    assert (await system.send("POST", "", both)).status_code == 400
    # What is erased can be told to nobody, and is no fault.
    async with system.house.as_("job") as session:
        await session.execute(
            text("UPDATE data_key SET wrapped = NULL WHERE holder_id = :c"), {"c": amina}
        )
    again = await system.send("POST", "/Condition", condition(f"Patient/{amina}"))
    assert again.status_code == 202
    assert "Hearing" not in again.text


@database
async def test_a_protected_address_is_offered_to_nobody(system: System) -> None:
    """Where its sender labels the child as protected; nor shown to who finds out who it is."""
    await agree(system.house, "health")
    lives = [{"line": ["1 Refuge Lane"], "postalCode": "AB1 2CD"}]
    phone = [{"system": "phone", "value": "01632 960123"}]
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    labelled = patient(address=lives, telecom=phone, meta={"security": [label]}, gender="female")
    assert (await system.send("POST", "/Patient", labelled)).status_code == 200
    targets = {one for (one,) in await system.rows("SELECT target FROM proposal")}
    assert "child.sex" in targets
    assert not targets & {"child.address", "child.postcode", "child.phone"}
    waits = msgspec.json.encode(labelled).replace(NUMBER.encode(), NOBODYS.encode())
    assert (await system.send("POST", "/Patient", waits)).status_code == 202
    for body, is_shown in ((waits, False), (waits.replace(b'"R"', b'"N"'), True)):
        [meant] = (await opened(body)).subjects.meant
        assert ("Refuge" in str(_facts(meant))) is is_shown
    plain = patient(address=lives, telecom=phone)
    assert (await system.send("POST", "/Patient", plain)).status_code == 200
    targets = {one for (one,) in await system.rows("SELECT target FROM proposal")}
    assert targets >= {"child.address", "child.postcode", "child.phone"}


@database
async def test_where_a_mother_lives_is_not_told_as_who_she_is(system: System) -> None:
    """To whom contact details are withheld, they are also as another system sent them."""
    house, amina = system.house, system.house.children["Amina"]
    mother: Json = {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{amina}"},
        "relationship": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}]}
        ],
        "name": [{"family": "Kestrel", "given": ["Zahra"]}],
        "address": [{"line": ["1 Refuge Lane"], "postalCode": "AB1 2CD"}],
        "telecom": [{"system": "phone", "value": "01632 960123"}],
    }  # fmt: skip
    made = await system.send("POST", "/RelatedPerson", mother)
    assert made.status_code == 201, made.text
    school = await another_system(house, "education")
    await agree(house, "education")
    assert "Refuge" in str(await sent_to(house, school, "RelatedPerson"))
    async with house.as_("job") as session:
        session.add(
            SharingRestriction(
                child_id=amina, kind="protection", against=[house.agencies["education"]],
                categories=["contact"], from_on=REFERRED,
            )
        )  # fmt: skip
        await session.flush()
        await rewrite_access(session, amina)
    said = str(await sent_to(house, school, "RelatedPerson"))
    assert "Zahra" in said
    for hidden in ("Refuge", "AB1", "960123", "lastUpdated"):
        assert hidden not in said


@database
async def test_whom_a_person_found_is_not_told_to_who_sends_again(system: System) -> None:
    """What was broken is mended here, and is about a child whom its sender does not reach."""
    amina = system.house.children["Amina"]
    both = bundle(
        "transaction",
        entry(condition(f"Patient/{amina}", recordedDate="soon")),
        entry(condition(f"Patient/{amina}")),
    )
    assert (await system.send("POST", "", both)).status_code == 400
    async with system.house.as_("job") as session:
        await session.execute(text("UPDATE received SET state = 'done'"))
    await ends(system.house, amina)
    again = await system.send("POST", "", both)
    assert (again.status_code, "Bundle" in again.headers["location"]) == (202, True)
    assert str(amina) not in again.text


@database
@pytest.mark.parametrize("type_", ["Task", "CarePlan"])
async def test_an_illness_is_not_told_as_a_plan(system: System, type_: str) -> None:
    """What is called an error, and so has no words of ours, goes out with none of its own."""
    house, amina = system.house, system.house.children["Amina"]
    whose = "for" if type_ == "Task" else "subject"
    sent: Json = {
        "resourceType": type_, "status": "entered-in-error", "intent": "plan",
        whose: {"reference": f"Patient/{amina}", "display": "Amina who has HIV"},
        "description": "HIV clinic",
        "meta": {"tag": [{"system": "urn:x", "code": "HIV"}]},
    }  # fmt: skip
    made = await system.send("POST", f"/{type_}", sent)
    assert made.status_code == 201, made.text
    school = await another_system(house, "education")
    await agree(house, "education")
    said = str(await sent_to(house, school, type_))
    assert "entered-in-error" in said
    assert str(amina) in said
    assert "HIV" not in said
    own = Viewer(system.id, ViewerKind.CLIENT, house.agencies["health"], "health")
    assert "HIV clinic" in str(await sent_to(house, own, type_))


async def sent_to(house: House, viewer: Viewer, type_: str) -> list[Json]:
    """What systems sent of a type, as a viewer reads it."""
    client = Client(viewer, read_scopes(["system/*.rs"]), "reads", "Who reads")
    async with house.tenant.transaction(viewer.id) as session:
        rows = list(await session.scalars(select(SenderVersion.id)))
        said = [await reading.read(house.gate, session, client, type_, row) for row in rows]
    return [one.content for one in said if one is not None]


class Jammed(MeshClient):
    """A mailbox whose first message nobody can fetch."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.acknowledged: list[str] = []

    async def waiting(self) -> Sequence[str]:
        return ["large", "small"]

    async def download(self, message_id: str) -> Message:
        if message_id == "large":
            raise MeshError(self.status, "fetching a message")
        return Message(message_id, "theirs", "W", "DATA", "", b"{}")

    async def acknowledge(self, message_id: str) -> None:
        self.acknowledged.append(message_id)


class Basket:
    """What was kept."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    async def receive(self, content: bytes, client: Client) -> None:
        assert client.key
        self.kept.append(content)


async def test_a_message_that_is_too_large_holds_up_no_other() -> None:
    basket, jammed = Basket(), Jammed(413)
    client = Client(Viewer(new_id(), ViewerKind.CLIENT), read_scopes([]), "mesh", "MESH")
    assert (await empty(jammed, basket, {"THEIRS": client})).came == 1
    assert (basket.kept, jammed.acknowledged) == ([b"{}"], ["small"])
    for status in (0, 403, 500):
        with pytest.raises(MeshError):
            await empty(Jammed(status), basket, {"THEIRS": client})


def test_brackets_are_counted_across_what_is_read_at_a_time() -> None:
    """As they are all at once; and a body of many small texts does not stop others meanwhile."""
    deep = "[" * 65 + "]" * 65
    long, many = "x" * 700_000, ", ".join(['"[["'] * 200_000)
    for body, is_refused in (
        (f'{{"a": "{long}", "b": {deep}}}', True),
        (f'{{"a": "{long}[[[", "b": ["{deep}", "\\\\\\"{deep}"]}}', False),
        (f'{{"a": [{many}], "b": {deep}}}', True),
        (f'{{"a": [{many}], "b": {deep[2:-2]}}}', False),
        (f'{{"a": "{long}{deep}', False),
    ):
        found = read(body.encode())
        said = "" if found.broken is None else found.broken.reason
        assert ("levels deep" in said) is is_refused, body[-200:]


def test_a_bundle_is_of_a_type_that_there_is() -> None:
    for type_ in ("Amina", "", 3, None):
        found = read(msgspec.json.encode({"resourceType": "Bundle", "type": type_}))
        assert found.kind == "collection"
        assert found.remarks


@pytest.mark.parametrize(
    "line", ["X:\nHost: evil", "X: 1\r\n", "X:\x0bTE: x", "Host: evil", "X\n: 1"]
)
def test_one_header_is_not_two(line: str) -> None:
    found = subscription(channel={"header": [line]})
    assert isinstance(found, Refused)
    assert [one.expression for one in found.issues] == [("Subscription.channel.header",)]
    assert isinstance(subscription(channel={"header": ["X: 1", "Authorization: Bearer a"]}), Asked)


def test_a_text_that_the_database_cannot_keep_is_refused() -> None:
    assert isinstance(subscription({}, reason="a\0b"), Refused)
    assert isinstance(subscription(channel={"endpoint": "https://a.example/\0"}), Refused)


def subscription(channel: Json, **more: Any) -> Asked | Refused:
    """What is made of a Subscription."""
    asked = {
        "resourceType": "Subscription", "status": "requested", "criteria": "Task?", "reason": "x",
        "channel": {"type": "rest-hook", "endpoint": "https://a.example/"} | channel,
    } | more  # fmt: skip
    return read_subscription(msgspec.json.encode(asked), {"Task"})
