"""What another system sends: kept first, taken in once, and nothing that a worker wrote changed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import msgspec
import psycopg
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Role
from panel.accounts.models import Agency
from panel.accounts.service import add_worker, give_role
from panel.exchange import inbox_opening
from panel.exchange.inbox_deciding import new_child, not_ours, received_row, this_child, try_again
from panel.exchange.inbox_models import Proposal
from panel.exchange.inbox_notifications import of_school_age_from, the_one_panel
from panel.exchange.inbox_offers import leave, take
from panel.exchange.inbox_receiving import content_of
from panel.panels.calendar import add_panel
from panel.platform.cluster import Cluster
from panel.platform.problems import Conflict, NotFound
from panel.register.service import NewChild, change_child, child_details
from panel.register.service import add_child as register
from tests.exchange.inbox_world import (
    NOBODYS,
    NUMBER,
    OTHERS,
    System,
    agree,
    bundle,
    condition,
    entry,
    give_number,
    health_system,
    notification,
    patient,
)
from tests.panels.conftest import AddChild, House, add_child, house
from tests.sharing.restricted import hidden, plain

__all__ = ["add_child", "house"]
STATES = text("SELECT state FROM received")
PHONE = [{"system": "phone", "value": "01632 960123"}]


@pytest.fixture
async def system(house: House, client: AsyncTestClient[Litestar], add_child: AddChild) -> System:
    """The health body's system; Amina is a child of its agency's, and Bea is not."""
    amina = await add_child("Amina")
    await give_number(house, amina, NUMBER)
    async with house.as_("job") as session:
        # The house gives its own references to those whom it adds.
        await session.execute(text("SELECT nextval('child_reference') FROM generate_series(1, 9)"))
        bea = NewChild("Bea", "Kestrel", birth_date=date(2022, 1, 4), nhs_number=OTHERS)
        made = await register(session, bea, agency_id=house.agencies["education"])
        house.children["Bea"] = made.id
    return await health_system(house, client)


async def test_a_resource_is_kept_once_read_back_and_updated(system: System) -> None:
    amina = system.house.children["Amina"]
    wanted = condition(f"Patient/{amina}", extra=None) | {"onsetAge": {"value": 1.50}}
    wanted.pop("extra")
    sent = msgspec.json.encode(wanted).replace(b"1.5}", b"1.50}")
    answers = await asyncio.gather(*(system.send("POST", "/Condition", sent) for _ in range(4)))
    assert {one.status_code for one in answers} == {201}
    assert len({one.headers["location"] for one in answers}) == 1, "the same bytes are one"
    first = answers[0]
    assert b'"value":1.50' in first.content, "a number keeps its digits"
    assert await system.count("received") == await system.count("sender_version") == 1
    [row] = await system.rows("SELECT category, author_agency_id FROM sender_version")
    assert row == ("health", system.house.agencies["health"])

    # Read back, whole, as its sender's own record.
    path = first.headers["location"].split("/fhir/R4")[1].partition("/_history")[0]
    made, etag = first.json(), first.headers["etag"]
    assert made["code"] == {"text": "Hearing loss"}
    assert etag == f'W/"{made["meta"]["versionId"]}"'

    # Updates: the version that was read, or nothing.
    changed = made | {"code": {"text": "Glue ear"}}
    assert (await system.send("PUT", path, changed)).status_code == 428
    assert (await system.send("PUT", path, changed, If_Match='W/"0"')).status_code == 412
    assert (await system.send("PUT", path, changed, If_Match='a"b')).status_code == 400
    other = f"/Condition/{amina.hex[:8]}-0000-7000-8000-000000000000"
    assert (await system.send("PUT", other, changed, If_Match=etag)).status_code == 400
    elsewhere = changed | {"id": other.removeprefix("/Condition/")}
    assert (await system.send("PUT", other, elsewhere, If_Match=etag)).status_code == 404
    done = await system.send("PUT", path, changed, If_Match=etag)
    assert (done.status_code, done.json()["code"]["text"]) == (200, "Glue ear")
    assert done.headers["etag"] != etag
    assert (await system.send("PUT", path, changed, If_Match=etag)).status_code == 412
    back = await system.send("PUT", path, made, If_Match=done.headers["etag"])
    assert back.json() | {"meta": {}} == made | {"meta": {}}

    # What a client asks for of the answer.
    quiet = await system.send(
        "POST", "/Condition", condition(f"Patient/{amina}", "Asthma"), Prefer="return=minimal"
    )
    assert (quiet.status_code, quiet.content) == (201, b"")
    told = await system.send(
        "POST", "/Condition", condition(f"Patient/{amina}", "Eczema"),
        Prefer="return=OperationOutcome",
    )  # fmt: skip
    assert told.json()["resourceType"] == "OperationOutcome"

    # By its own identifier it is the same thing, and here already.
    named = condition(
        f"Patient/{amina}", "Coeliac", identifier=[{"system": "urn:x:hospital", "value": "7"}]
    )
    made = await system.send("POST", "/Condition", named)
    again = await system.send("POST", "/Condition", named | {"code": {"text": "Coeliac disease"}})
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json()["id"] == again.json()["id"]
    asked = "identifier=urn:x:hospital|7"
    there = await system.send("POST", "/Condition", named, If_None_Exist=asked)
    assert (there.status_code, there.json()["code"]["text"]) == (200, "Coeliac disease")
    for condition_, status in (("code=x", 400), ("identifier=7", 400), ("nothing=1", 400)):
        answer = await system.send("POST", "/Condition", named, If_None_Exist=condition_)
        assert answer.status_code == status, answer.text
    fresh = named | {"identifier": [{"system": "urn:x:hospital", "value": "8"}]}
    made = await system.send(
        "POST", "/Condition", fresh, If_None_Exist="identifier=urn:x:hospital|8"
    )
    assert made.status_code == 201
    many = [
        named
        | {"identifier": [{"system": "urn:x:hospital", "value": "9"}], "onsetString": str(one)}
        for one in range(4)
    ]
    answers = await asyncio.gather(*(system.send("POST", "/Condition", one) for one in many))
    assert sorted(one.status_code for one in answers) == [200, 200, 200, 201]
    assert len({one.json()["id"] for one in answers}) == 1, "named the same, it is one"
    # What is refused was kept as well.
    states = dict(await system.rows("SELECT state, count(*) FROM received GROUP BY 1"))
    assert states["refused"] == 8
    assert set(states) == {"refused", "done"}


async def test_nothing_is_told_of_a_child_out_of_reach(system: System) -> None:
    bea = system.house.children["Bea"]
    told = []
    for number, own in ((OTHERS, str(bea)), (NOBODYS, "01a22338-4258-77ec-93af-49289bf91038")):
        answers = [
            await system.send("POST", "/Patient", patient(number)),
            await system.send("POST", "/Condition", condition(f"Patient/{own}")),
            await system.send("PUT", f"/Patient/{own}", patient(number, id=own), If_Match='"1"'),
            await system.send("POST", "", bundle("document", *_of(number))),
            await system.send("POST", "", bundle("transaction", *_of(number))),
            await system.send(
                "POST", "/Patient", patient(number),
                If_None_Exist=f"identifier=https://fhir.nhs.uk/Id/nhs-number|{number}",
            ),
        ]  # fmt: skip
        told.append(
            [
                (
                    one.status_code,
                    one.content,
                    sorted(one.headers),
                    "Bundle" in one.headers.get("location", ""),
                )
                for one in answers
            ]
        )
        status = await system.send("GET", answers[0].headers["location"].split("/fhir/R4")[1])
        assert status.status_code == 200
    assert told[0] == told[1]
    assert [one[0] for one in told[0]] == [202, 202, 404, 202, 202, 202]
    # A number that was not verified says nothing either, also of a child who is reached.
    traced = await system.send("POST", "/Patient", patient(NUMBER, status="02"))
    assert traced.status_code == 202
    assert (await system.send("GET", f"/Bundle/{bea}")).status_code == 404
    assert await system.count("sender_version") == 0
    states = await system.rows("SELECT state, count(*) FROM received GROUP BY 1 ORDER BY 1")
    assert dict(states) == {"refused": 2, "to_match": 11}
    # Until it is known whom it is about: its sender, and whoever finds out.
    house = system.house
    for viewer, sees in (("coordinator", 11), ("lead", 0), ("member", 0), ("administrator", 0)):
        async with house.as_(viewer) as session:
            rows = await session.execute(STATES)
            assert sum(1 for (state,) in rows if state == "to_match") == sees, viewer


def _of(number: str) -> list[dict[str, Any]]:
    who = entry(patient(number))
    return [who, entry(condition(who["fullUrl"]))]


async def test_what_a_worker_wrote_changes_only_when_it_is_taken(
    system: System, add_child: AddChild
) -> None:
    house = system.house
    amina = house.children["Amina"]
    await agree(house, "health")
    async with house.opened("Amina", "lead") as access:
        version = (await child_details(access)).version
        await change_child(
            access,
            {"phone": "01632 960001", "address": "1 Teasel Close", "disability": ""},
            version,
        )
    sent = patient(
        telecom=PHONE, gender="female", address=[{"line": ["2 Mill Lane"], "postalCode": "WX1 2AB"}]
    )
    assert (await system.send("POST", "/Patient", sent)).status_code == 200
    # A restricted patient comes without them, and that is no news.
    hidden = patient(
        meta={
            "security": [
                {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
            ]
        }
    )
    assert (await system.send("POST", "/Patient", hidden)).status_code == 200
    said = condition(f"Patient/{amina}", note=[{"text": "Wears two hearing aids."}])
    assert (await system.send("POST", "/Condition", said)).status_code == 201
    offered = {
        target: (state, UUID(str(id_)), version)
        for target, state, id_, version in await system.rows(
            "SELECT target, state, id, version FROM proposal"
        )
    }
    assert offered.keys() == {
        "child.phone", "child.address", "child.postcode", "child.sex", "child.disability"
    }  # fmt: skip
    assert {state for state, _, _ in offered.values()} == {"open"}
    async with house.opened("Amina", "lead") as access:
        shown = await child_details(access)
        assert shown.values["phone"] == "01632 960001"
        row = await access.session.get_one(Proposal, offered["child.phone"][1])
        assert (row.before, row.after) == ("01632 960001", "01632 960123")
    # A newer offer of the same takes the older one's place; the same again is the same.
    later = [{"system": "phone", "value": "01632 960999"}]
    assert (await system.send("POST", "/Patient", patient(telecom=later))).status_code == 200
    assert (
        await system.send("POST", "/Patient", patient(telecom=later, active=True))
    ).status_code == 200
    phones = await system.rows(
        "SELECT state, id, version FROM proposal WHERE target = 'child.phone' ORDER BY state"
    )
    assert [state for state, _, _ in phones] == ["left", "open"]
    _, phone, phone_version = phones[1]

    async with house.opened("Amina", "lead") as access:
        await change_child(access, {"phone": "01632 960002"}, shown.version)
    # Whoever saved meanwhile is not overwritten: both texts are shown.
    with pytest.raises(Conflict) as clash:
        async with house.opened("Amina", "lead") as access:
            await take(access, phone, phone_version, shown.version)
    assert (clash.value.clashes[0].yours, clash.value.clashes[0].theirs) == (
        "01632 960999", "01632 960002",
    )  # fmt: skip
    async with house.opened("Amina", "lead") as access:
        now = await child_details(access)
        await take(access, phone, phone_version, now.version)
        left = offered["child.address"]
        await leave(access, left[1], left[2])
    with pytest.raises(Conflict):
        async with house.opened("Amina", "lead") as access:
            await take(access, phone, phone_version, now.version)
    async with house.opened("Amina", "coordinator") as access:
        now = await child_details(access)
        assert (now.values["phone"], now.values["address"]) == ("01632 960999", "1 Teasel Close")
        for target in ("child.postcode", "child.sex", "child.disability"):
            now = await child_details(access)
            await take(access, offered[target][1], offered[target][2], now.version)
    async with house.opened("Amina", "lead") as access:
        now = await child_details(access)
        assert (now.values["postcode"], now.values["sex"]) == ("WX1 2AB", "female")
        assert now.values["disability"] == "Wears two hearing aids."
    assert await system.rows("SELECT DISTINCT state FROM received") == [("done",)]
    # Not of another child, and not for who does not know the child.
    bob = await add_child("Bob")
    with pytest.raises(NotFound):
        async with house.opened("Bob", "lead") as access:
            await leave(access, phone, phone_version)
    assert bob


async def test_a_person_decides_whom_it_is_about(system: System) -> None:
    house = system.house
    who = entry(patient(NUMBER, status="02", telecom=PHONE))
    other = entry(
        patient(NOBODYS, name=[{"family": "Nobody", "given": ["Cy"]}], birthDate="2024-02-03")
    )
    sent = bundle(
        "document", who, entry(condition(who["fullUrl"])), other, entry(condition(other["fullUrl"], "Squint")),
        identifier={"system": "urn:x:hospital", "value": "letter-1"},
    )  # fmt: skip
    body = msgspec.json.encode(sent)
    came = await system.send("POST", "", body)
    assert came.status_code == 202
    # The same letter under its identifier, in other bytes, is the same letter.
    again = await system.send("POST", "", msgspec.json.format(body))
    assert again.headers["location"] == came.headers["location"]
    received = UUID(came.headers["location"].rpartition("/")[2])
    [(version,)] = await system.rows("SELECT version FROM received WHERE id = :r", r=received)
    with pytest.raises(NotFound):
        async with house.opened("Amina", "lead") as access:
            await this_child(access, received, 0, version)
    async with house.opened("Amina", "coordinator") as access:
        taken = await this_child(access, received, 0, version)
        assert {one.type for one in taken.results.values()} == {"Patient", "Condition"}
        assert taken.offers == 1, "the telephone; the number is known"
    with pytest.raises(Conflict):
        async with house.as_("coordinator") as session:
            await not_ours(session, received, 1, version)
    [(state, version)] = await system.rows(
        "SELECT state, version FROM received WHERE id = :r", r=received
    )
    assert state == "to_match"
    async with house.as_("coordinator") as session:
        row = await received_row(session, received)
        assert await content_of(session, row) == body, "while it waits, every byte is there"
        panel = await the_one_panel(session)
        assert panel is not None
        cy = await new_child(
            session,
            received,
            1,
            version,
            panel,
            NewChild("Cy", "Nobody", birth_date=date(2024, 2, 3)),
        )
    house.children["Cy"] = cy
    async with house.opened("Cy", "coordinator") as access:
        await this_child(access, received, 1, version)
    about = await system.rows(
        "SELECT type, child_id FROM sender_version WHERE about_id IS NULL ORDER BY id"
    )
    assert about == [("Condition", house.children["Amina"]), ("Condition", cy)]
    # The health body is of the new child's team now, and each piece is with its own child.
    pieces = await system.rows("SELECT child_id = holder_id, state FROM received_piece")
    assert set(pieces) == {(True, "matched")}
    async with house.as_("job") as session:
        row = await received_row(session, received)
        around = msgspec.json.decode(await content_of(session, row))
        assert around["identifier"] == sent["identifier"]
        assert [one["resource"] for one in around["entry"]] == [None] * 4


async def test_what_is_broken_waits_with_the_reason_and_is_tried_again(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = system.house
    await agree(house, "health")
    wrong = await system.send("POST", "/Patient", patient(birthDate="yesterday"))
    assert wrong.status_code == 400
    [issue] = wrong.json()["issue"]
    assert issue["expression"] == ["Patient.birthDate"]
    assert "yesterday" not in wrong.text
    for body in (b"", b"{", b"[]", b"<Patient/>", b'{"resourceType": "Dragon"}', b"\xff"):
        answer = await system.send("POST", "/Patient", body)
        assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome"), (
            body
        )
    # Whatever stands in a text, it is answered, and its bytes are kept.
    odd = msgspec.json.encode(condition(f"Patient/{house.children['Amina']}", "odd"))
    for text_ in (rb"\ud800", rb"a\u0000b", rb"\udfff\ud800", "\u202e".encode()):
        for body in (odd.replace(b"odd", text_), odd.replace(b'"code"', b'"' + text_ + b'"')):
            answer = await system.send("POST", "/Condition", body)
            assert answer.status_code in (201, 400), answer.text
    xml = await system.send("POST", "/Patient", b"<Patient/>", Content_Type="application/fhir+xml")
    assert xml.status_code == 406
    form = await system.send("POST", "/Patient", b"a=b", Content_Type="text/plain")
    assert form.status_code == 415
    # So is whatever a cut or a changed byte makes of a transaction.
    who = entry(patient())
    whole = msgspec.json.encode(
        bundle("transaction", who, entry(condition(who["fullUrl"], "x" * 9)))
    )
    for number, place in enumerate(range(0, len(whole), len(whole) // 40)):
        body = whole[:place] + bytes([place * 37 % 256]) + whole[place + (0, 1, 7)[number % 3] :]
        answer = await system.send("POST", "", body)
        assert answer.status_code in (200, 202, 400, 404, 412, 422), (answer.text, body)
    before = await system.count("sender_version")
    # A letter with one broken page: the rest of it arrives.
    who = entry(patient())
    bad = entry(condition(who["fullUrl"]) | {"recordedDate": "soon"})
    letter = await system.send(
        "POST", "", bundle("message", who, bad, entry(condition(who["fullUrl"], "Squint")))
    )
    assert letter.status_code == 202
    received = UUID(letter.headers["location"].rpartition("/")[2])
    [(state, reason, path)] = await system.rows(
        "SELECT state, reason, path FROM received WHERE id = :r", r=received
    )
    assert (state, path) == ("quarantined", "Bundle.entry[1].resource.recordedDate")
    assert reason
    assert await system.count("sender_version") == before + 1
    # Tried again by the same rules it stays; by better ones it is taken in.
    async with house.as_("coordinator") as session:
        await try_again(house.gate, session, house.viewers["coordinator"], received)
    assert await system.count("sender_version") == before + 1
    read = inbox_opening.read

    def mended(body: bytes) -> Any:
        return read(body.replace(b'"soon"', b'"2026-11-01"'))

    monkeypatch.setattr(inbox_opening, "read", mended)
    async with house.as_("coordinator") as session:
        await try_again(house.gate, session, house.viewers["coordinator"], received)
    [(state, tries)] = await system.rows(
        "SELECT state, tries FROM received WHERE id = :r", r=received
    )
    assert (state, tries) == ("done", 3)
    assert await system.count("sender_version") == before + 2


FAULT = """
CREATE SEQUENCE fault;
GRANT USAGE ON SEQUENCE fault TO panel_app;
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('fault') = 17 THEN RAISE EXCEPTION 'the disk is full' USING ERRCODE = 'disk_full'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fails BEFORE INSERT ON sender_version FOR EACH ROW EXECUTE FUNCTION fails();
"""


@contextmanager
def the_17th_fails(database: Cluster, schema: str) -> Iterator[None]:
    """The database fails at the 17th entry that is written."""
    assert database.owner_url is not None
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(f'SET search_path TO "{schema}"')
        owner.execute(FAULT)
        yield
        assert owner.execute("SELECT last_value FROM fault").fetchone() == (17,)
        owner.execute("DROP FUNCTION fails() CASCADE")


async def test_a_transaction_is_done_whole_or_not_at_all(
    system: System, database_of_own: Cluster
) -> None:
    await agree(system.house, "health")
    who = entry(patient())
    some = [entry(condition(who["fullUrl"], f"Finding {number}")) for number in range(19)]
    body = bundle("transaction", *some, who)
    with the_17th_fails(database_of_own, system.house.tenant.record.schema_name):
        failed = await system.send("POST", "", body)
    assert failed.status_code == 500
    assert [
        await system.count(one) for one in ("received", "received_piece", "sender_version")
    ] == [1, 0, 0]
    # Sent again, it is done: the bytes were there all the time.
    done = await system.send("POST", "", body)
    assert done.status_code == 200, done.text
    told = done.json()["entry"]
    assert [one["response"]["status"] for one in told] == ["201 Created"] * 19 + ["200 OK"]
    assert (
        told[0]["resource"]["subject"]["reference"] == f"Patient/{system.house.children['Amina']}"
    )
    assert (await system.send("POST", "", body)).json() == done.json()
    assert [await system.count(one) for one in ("received", "sender_version")] == [1, 20]

    # One entry that is wrong, in whatever way, leaves nothing of the others.
    own = told[0]["resource"]
    for wrong in (
        entry(condition(who["fullUrl"]) | {"recordedDate": "soon"}),
        entry(own, method="PUT", url=f"Condition/{own['id']}"),
        entry(own, method="PUT", url=f"Condition/{own['id']}", ifMatch='W/"0"'),
        entry(condition("urn:uuid:01a22338-4258-77ec-93af-49289bf91038")),
        entry({"resourceType": "Observation", "status": "final", "code": {"text": "x"}}),
        entry(own, method="DELETE", url=f"Condition/{own['id']}"),
    ):
        answer = await system.send(
            "POST", "", bundle("transaction", who, entry(condition(who["fullUrl"])), wrong)
        )
        assert answer.status_code in (400, 412, 428), answer.text
        assert answer.json()["issue"][0]["expression"][0].startswith("Bundle.entry[2]"), answer.text
    assert await system.count("sender_version") == 20
    # In a batch each entry stands for itself; one updates what an entry before it made.
    next_ = told[1]["resource"]
    batch = bundle(
        "batch",
        entry(own | {"code": {"text": "Found anew"}}, method="PUT", url=f"Condition/{own['id']}", ifMatch=told[0]["response"]["etag"]),
        entry(next_, method="PUT", url=f"Condition/{next_['id']}", ifMatch='W/"0"'),
        entry(condition(f"Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|{NUMBER}")),
        entry(condition("Patient/01a22338-4258-77ec-93af-49289bf91038")),
        {"request": {"method": "GET", "url": "Condition/01a22338-4258-77ec-93af-49289bf91038"}},
    )  # fmt: skip
    answer = await system.send("POST", "", batch)
    statuses = [one["response"]["status"][:3] for one in answer.json()["entry"]]
    assert statuses == ["200", "412", "201", "202", "404"], answer.text
    assert answer.json()["entry"][2]["resource"]["subject"]["reference"].startswith("Patient/")


async def test_a_notification_starts_the_clock(system: System) -> None:
    house = system.house
    assert of_school_age_from(date(2021, 8, 31)) == date(2026, 8, 31)
    assert of_school_age_from(date(2021, 9, 1)) == date(2026, 12, 31)
    assert of_school_age_from(date(2020, 2, 29)) == date(2025, 3, 31)
    async with house.as_("job") as session:
        bob = await register(
            session, NewChild("Bob", "Kestrel", birth_date=date(2023, 5, 6), nhs_number=NOBODYS),
            agency_id=house.agencies["health"], from_on=date(2026, 11, 1),
        )  # fmt: skip
    house.children["Bob"] = bob.id
    await agree(house, "health", "Bob")
    for number, born in ((NOBODYS, "2023-05-06"), (OTHERS, "2024-01-04")):
        who = entry(patient(number, birthDate=born, name=[{"family": "Kestrel", "given": ["Bob"]}]))
        told = notification(who["fullUrl"], "2026-10-12", "Does not turn to sounds.")
        answer = await system.send("POST", "", bundle("message", who, entry(told)))
        assert answer.status_code == 202
    referrals = await system.rows(
        "SELECT child_id, state, category FROM referral WHERE child_id = :c", c=bob.id
    )
    assert referrals == [(bob.id, "acknowledged", "health")]
    [(opened, identified)] = await system.rows(
        "SELECT opened_on, identified_on FROM episode WHERE child_id = :c", c=bob.id
    )
    assert (opened, identified) == (date(2026, 11, 23), date(2026, 10, 12))
    async with house.tenant.transaction(house.viewers["coordinator"].id) as session:
        assert await the_one_panel(session) is not None
    # Said again, with an earlier day, the clock goes back to it; a child at school is no such child.
    told = notification(f"Patient/{bob.id}", "2026-09-01", "Said before.")
    assert (await system.send("POST", "/ServiceRequest", told)).status_code == 201
    assert await system.rows("SELECT identified_on FROM episode WHERE child_id = :c", c=bob.id) == [
        (date(2026, 9, 1),)
    ]
    assert await system.rows("SELECT count(*) FROM referral WHERE child_id = :c", c=bob.id) == [
        (1,)
    ]
    # Of a child of school age it stays what the health body says: section 23 is not about them.
    async with house.as_("job") as session:
        dora = await register(
            session, NewChild("Dora", "Kestrel", birth_date=date(2019, 5, 6)),
            agency_id=house.agencies["health"], from_on=date(2026, 11, 1),
        )  # fmt: skip
    told = notification(f"Patient/{dora.id}", "2026-09-01", "Seen at school.")
    assert (await system.send("POST", "/ServiceRequest", told)).status_code == 201
    assert (
        await system.rows("SELECT count(*) FROM referral WHERE child_id = :c", c=dora.id)
        == await system.rows("SELECT count(*) FROM episode WHERE child_id = :c", c=dora.id)
        == [(0,)]
    )
    # Of a child who was not here yet, the clock starts on the day of identification as well.
    [(received, version)] = await system.rows(
        "SELECT id, version FROM received WHERE state = 'to_match'"
    )
    async with house.as_("coordinator") as session:
        panel = await the_one_panel(session)
        assert panel is not None
        eve = NewChild("Bob", "Kestrel", birth_date=date(2024, 1, 4))
        made = await new_child(session, received, 0, version, panel, eve)
    house.children["Eve"] = made
    async with house.opened("Eve", "coordinator") as access:
        await this_child(access, received, 0, version, panel)
    assert await system.rows(
        "SELECT e.opened_on, e.identified_on, count(*) FROM episode e JOIN referral r"
        " ON r.child_id = e.child_id WHERE e.child_id = :c GROUP BY 1, 2",
        c=made,
    ) == [(date(2026, 11, 23), date(2026, 10, 12), 1)]
    # Where there are several panels, whoever takes it in chooses.
    async with house.as_("job") as session:
        await add_panel(session, key="north", kind="contacts", first_on=date(2026, 9, 10))
    told = notification(f"Patient/{house.children['Amina']}", "2026-11-02", "Squints.")
    assert (await system.send("POST", "/ServiceRequest", told)).status_code == 202


async def fill(
    client: AsyncTestClient[Litestar], to: str, page: str, **typed: str
) -> httpx.Response:
    """Open a page and post what is typed to one of its forms."""
    own = {name: value for name, value in hidden(await client.get(page)).items() if name[0] == "_"}
    fields = own | typed
    return await client.post(to, data=fields, follow_redirects=False)


async def test_a_file_of_a_handover_is_taken_in_on_a_page(
    system: System, sign_in: Any, client: AsyncTestClient[Litestar]
) -> None:
    page = "/exchange/handovers/file"
    await sign_in(system.house.viewers["lead"].id)
    assert (await client.get(page)).status_code == 403
    await sign_in(system.house.viewers["coordinator"].id)
    assert f'href="{page}"' in (await client.get("/exchange/handovers")).text
    fields = hidden(await client.get(page))
    none = await client.post(page, data=fields)
    assert (none.status_code, "Select the file of the handover" in none.text) == (422, True)
    sent = {"file": ("handover.json", b"{}", "application/json")}
    other = await client.post(page, data=hidden(await client.get(page)), files=sent)
    assert other.status_code == 422
    assert "Choose an authority from the list" in plain(other)


async def test_the_pages_of_the_inbox(
    system: System, sign_in: Any, client: AsyncTestClient[Litestar]
) -> None:
    house, amina = system.house, system.house.children["Amina"]
    who = entry(patient(NUMBER, status="02", telecom=PHONE))
    other = entry(
        patient(NOBODYS, name=[{"family": "Nobody", "given": ["Cy"]}], birthDate="2024-02-03")
    )
    body = bundle("document", who, entry(condition(who["fullUrl"])), other)
    came = (await system.send("POST", "", body)).headers["location"].rpartition("/")[2]
    await system.send("POST", "/Patient", b"{")
    page = f"/exchange/inbox/{came}"
    await sign_in(house.viewers["lead"].id)
    assert (await client.get("/exchange/inbox")).status_code == 403
    assert (await client.get(page)).status_code == 403
    await sign_in(house.viewers["coordinator"].id)
    said = plain(await client.get("/exchange/inbox"))
    assert "Find out who it is about: 1" in said
    assert "Broken: 1" in said
    assert "This is not well-formed JSON." in plain(
        await client.get("/exchange/inbox?shown=quarantined")
    )
    said = plain(await client.get(page))
    assert "Amina Kestrel" in said
    assert "999 054 8609, not verified" in said
    assert "Not one of ours" in said
    [(version,)] = await system.rows("SELECT version FROM received WHERE id = :r", r=UUID(came))
    typed = {"version": str(version), "about": "0"}
    answer = await fill(client, f"{page}/children/{amina}", page, **typed)
    assert answer.status_code == 303, answer.text
    answer = await fill(client, f"{page}/not-ours", page, **(typed | {"about": "1"}))
    assert answer.status_code == 409, "somebody decided meanwhile"
    new = {
        "about": "1", "version": str(version + 1), "panel": str(house.panel_id), "given_name": "Cy",
        "family_name": "", "birth_date-day": "3", "birth_date-month": "2", "birth_date-year": "2024",
    }  # fmt: skip
    answer = await fill(client, f"{page}/new-child", page, **new)
    assert answer.status_code == 422
    assert "Enter family name" in plain(answer)
    [(version,)] = await system.rows("SELECT version FROM received WHERE id = :r", r=UUID(came))
    answer = await fill(
        client,
        f"{page}/new-child",
        page,
        **(new | {"family_name": "Nobody", "version": str(version)}),
    )
    assert answer.status_code == 303, answer.text
    said = plain(await client.get(page))
    assert "Who is this about?" not in said
    # On the record: what it says, and what it would change.
    record = f"/children/{amina}/systems"
    said = plain(await client.get(record))
    assert "Hearing loss Health visiting" in said
    assert "Telephone Nothing 01632 960123" in said
    [(offered, offer)] = await system.rows(
        "SELECT id, version FROM proposal WHERE child_id = :c", c=amina
    )
    [(row,)] = await system.rows("SELECT version FROM child WHERE id = :c", c=amina)
    fields = {"version": str(offer), "row_version": str(row), "answer": "take"}
    answer = await fill(
        client, f"{record}/{offered}", record, **(fields | {"row_version": str(row - 1)})
    )
    assert answer.status_code == 409, answer.text
    answer = await fill(client, f"{record}/{offered}", record, **fields)
    assert answer.status_code == 303, answer.text
    said = plain(await client.get(record))
    assert "What they would change" not in said
    # Whoever answers for the use of records is told how much of it there is, and nothing of it.
    async with house.as_("job") as session:
        agency = await session.get_one(Agency, house.agencies["council"])
        keeper = await add_worker(session, agency, name="Ngozi Hart", email="ngozi@demo.example")
        await give_role(session, keeper, Role.GOVERNANCE_LEAD)
    await sign_in(keeper.id)
    said = plain(await client.get("/exchange/inbox"))
    assert "Broken: 1" in said
    assert "Health visiting" not in said
    assert (await client.get(page)).status_code == 403
    await sign_in(house.viewers["administrator"].id)
    assert (await client.get(record)).status_code == 403
