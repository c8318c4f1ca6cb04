"""What the inbox takes in of whom, how much of it, and how long it keeps what is nobody's."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.inbox_figures import KEPT_DAYS, MOST_MEGABYTES, MOST_WAITING
from panel.exchange.inbox_deciding import not_ours, this_child, try_again
from panel.exchange.inbox_forgetting import forget_received
from panel.exchange.inbox_job import LEFT, take_in_what_is_left
from panel.exchange.inbox_models import Received
from panel.exchange.inbox_receiving import content_of
from panel.exchange.inbox_room import LIES, MEGABYTE, NO_ROOM, NoRoom, filled, require_room
from panel.exchange.inbox_superseded import SAID_SINCE
from panel.exchange.landing import Inbox
from panel.exchange.models import ExchangeClient
from panel.exchange.standing import client_by_id
from panel.platform.clock import FixedClock
from panel.platform.read_models import for_driver, rows_of
from panel.platform.tables import NOW
from panel.platform.work_tables import Setting
from panel.records.gate import rewrite_access
from tests.exchange.inbox_world import (
    NHS,
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
    identifier,
    patient,
)
from tests.panels.conftest import AddChild, House, add_child, house

__all__ = ["add_child", "house"]
pytestmark = pytest.mark.database


@pytest.fixture
async def system(house: House, client: AsyncTestClient[Litestar], add_child: AddChild) -> System:
    """The health body's system; Amina is a child of its agency's."""
    await give_number(house, await add_child("Amina"), NUMBER)
    await agree(house, "health")
    return await health_system(house, client)


async def may(system: System, *scopes: str) -> None:
    """The system and its token may do no more than this."""
    async with system.house.as_("job") as session:
        (await session.get_one(ExchangeClient, system.id)).scopes = list(scopes)


async def landed(system: System, *bodies: Json | bytes) -> None:
    """They came by MESH, and scheduled work has taken them in."""
    async with system.house.as_("job") as session:
        client = await client_by_id(session, system.id)
    assert client is not None
    for body in bodies:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        await Inbox(system.house.tenant).receive(content, client)
    await later(system, LEFT + timedelta(minutes=1))
    await take_in_what_is_left(system.house.gate)


async def later(system: System, by: timedelta) -> None:
    clock = system.house.tenant.clock
    assert isinstance(clock, FixedClock)
    clock.set(clock.now() + by)


async def pieces(system: System) -> list[tuple[str, str, str | None]]:
    """(type, state, reason) of every piece, as they came."""
    return await system.rows("SELECT type, state, reason FROM received_piece ORDER BY id")


async def received_state(system: System) -> list[str]:
    return [one for (one,) in await system.rows("SELECT state FROM received ORDER BY id")]


def a_letter(*words: str, number: str = NUMBER, status: str = "01") -> Json:
    who = entry(patient(number, status))
    return bundle("document", who, *(entry(condition(who["fullUrl"], one)) for one in words))


# Scopes of each type ------------------------------------------------------------------------------


async def test_a_bundle_needs_the_scope_of_everything_in_it(system: System) -> None:
    """Who may send a Bundle may not by that send what it may not send by itself."""
    letter = a_letter("Squint")
    await may(system, "system/Bundle.c", "system/Patient.c", "system/Task.cruds")
    for kind in ("document", "message", "collection"):
        refused = await system.send("POST", "", letter | {"type": kind})
        assert refused.status_code == 403, kind
        assert "system/Condition.c" in refused.json()["issue"][0]["details"]["text"]
        assert 'scope="system/Condition.c"' in refused.headers["www-authenticate"]
    assert await received_state(system) == ["refused"] * 3
    assert await system.count("sender_version") == 0
    await may(system, "system/Bundle.c")
    both = await system.send("POST", "", letter)
    assert 'scope="system/Condition.c system/Patient.c"' in both.headers["www-authenticate"]
    # The same bytes, once it may.
    await may(system, "system/Bundle.c", "system/Patient.c", "system/Condition.c")
    assert (await system.send("POST", "", letter)).status_code == 202
    assert await received_state(system) == ["done", "refused", "refused"]
    assert await system.count("sender_version") == 2


async def test_of_what_nobody_waits_for_the_rest_is_taken_in(system: System) -> None:
    house = system.house
    await may(system, "system/Patient.c")
    await landed(system, a_letter("Squint"), a_letter("Asthma", status="02"))
    reason = "Its sender may not send this: it needs the scope system/Condition.c."
    shut = ("Condition", "quarantined", reason)
    assert await pieces(system) == [
        ("Patient", "matched", None), shut, ("Patient", "to_match", None), shut,
    ]  # fmt: skip
    assert await received_state(system) == ["quarantined", "to_match"]
    [(_, _), (second, version)] = await system.rows("SELECT id, version FROM received ORDER BY id")
    # Neither a person who says whom it is about nor one who tries again lets it through.
    async with house.opened("Amina", "coordinator") as access:
        await this_child(access, second, 0, version)
    async with house.as_("coordinator") as session:
        for (one,) in await system.rows("SELECT id FROM received"):
            await try_again(house.gate, session, house.viewers["coordinator"], one)
    assert [one for one in await pieces(system) if one[0] == "Condition"] == [shut, shut]
    # Sealed for whom it is about, it is erased with the child.
    held = await system.rows("SELECT child_id = holder_id FROM received_piece")
    assert set(held) == {(True,)}
    # Sent again when it may be, the same bytes can be taken in.
    await may(system, "system/Patient.c", "system/Condition.c")
    await landed(system, a_letter("Squint"))
    async with house.as_("coordinator") as session:
        [first, *_] = await system.rows("SELECT id FROM received ORDER BY id")
        await try_again(house.gate, session, house.viewers["coordinator"], first[0])
    assert ("Condition", "matched", None) in await pieces(system)


# What was said since ------------------------------------------------------------------------------


async def test_what_is_matched_late_takes_the_place_of_nothing_newer(system: System) -> None:
    house, amina = system.house, system.house.children["Amina"]
    made = await system.send("POST", "/Condition", condition(f"Patient/{amina}"))
    path = made.headers["location"].split("/fhir/R4")[1].partition("/_history")[0]
    etag, id_ = made.headers["etag"], made.json()["id"]
    unsure = {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NUMBER}}
    older = condition("", "Said first", id=id_) | {"subject": unsure}
    newer = condition(f"Patient/{amina}", "Said last", id=id_)
    waits = await system.send("PUT", path, older, If_Match=etag)
    assert waits.status_code == 202
    told = await system.send("PUT", path, newer, If_Match=etag)
    assert told.status_code == 200
    received = UUID(waits.headers["location"].rpartition("/")[2])
    [(version,)] = await system.rows("SELECT version FROM received WHERE id = :r", r=received)
    async with house.opened("Amina", "coordinator") as access:
        taken = await this_child(access, received, 0, version)
    assert not taken.results
    now = await system.send("GET", path)
    assert (now.json()["code"]["text"], now.headers["etag"]) == ("Said last", told.headers["etag"])
    [(state, reason, of)] = await system.rows(
        "SELECT p.state, p.reason, r.state FROM received_piece p JOIN received r"
        " ON r.id = p.received_id WHERE r.id = :r", r=received,
    )  # fmt: skip
    assert (state, reason, of) == ("matched", SAID_SINCE, "done")


# How much, and how long ---------------------------------------------------------------------------


COPIES = text(
    "INSERT INTO received (id, client_id, agency_id, holder_id, asked, kind, content, content_index,"
    " bytes_long, state, tries, created_at, created_by, changed_at, changed_by, version)"
    " SELECT gen_random_uuid(), client_id, agency_id, holder_id, asked, kind, content,"
    " decode(md5(n::text), 'hex'), bytes_long, state, tries, created_at, created_by, changed_at,"
    " changed_by, version FROM received, generate_series(1, :more) n"
)


async def setting(system: System, key: str, value: int) -> None:
    async with system.house.as_("job") as session:
        session.add(Setting(key=key, value=value, from_on=session.info[NOW], source="Tried"))


async def lies(session: AsyncSession, client_id: UUID) -> tuple[int, int]:
    """How many of a client's wait, and how many bytes lie here."""
    [(waiting, held)] = await rows_of(session, for_driver(LIES), {"client": client_id})
    return waiting, held


async def test_more_than_may_wait_is_turned_away_and_not_half_kept(
    system: System, sign_in: Any
) -> None:
    waiting = await system.send("POST", "/Patient", patient(NOBODYS))
    assert waiting.status_code == 202
    await setting(system, MOST_WAITING.key, MOST_WAITING.least)
    async with system.house.as_("job") as session:
        await session.execute(COPIES, {"more": MOST_WAITING.least - 2})
    last = await system.send("POST", "/Patient", patient(NOBODYS, status="02"))
    assert last.status_code == 202
    full = await system.send("POST", "/Patient", patient(NOBODYS, status="03"))
    assert (full.status_code, full.json()["issue"][0]["code"]) == (429, "throttled")
    assert full.json()["issue"][0]["details"]["text"] == NO_ROOM
    assert await system.count("received") == MOST_WAITING.least
    # What is known already is answered as before.
    assert (await system.send("POST", "/Patient", patient(NOBODYS))).status_code == 202
    async with system.house.as_("job") as session:
        client = await client_by_id(session, system.id)
    assert client is not None
    with pytest.raises(NoRoom):
        await Inbox(system.house.tenant).receive(b"{}", client)
    assert await system.count("received") == MOST_WAITING.least
    await sign_in(system.house.viewers["coordinator"].id)
    page = (await system.http.get("/exchange/inbox")).text
    assert f"Health visiting: {MOST_WAITING.least} things of 0 megabytes" in page
    # What was refused counts by its bytes alone; they are counted for each system by itself.
    async with system.house.as_("job") as session:
        await session.execute(text("UPDATE received SET state = 'refused'"))
        await require_room(session, *await lies(session, system.id))
        await setting(system, MOST_MEGABYTES.key, MOST_MEGABYTES.least)
        await session.execute(
            text("UPDATE received SET bytes_long = :b"), {"b": MOST_MEGABYTES.least * MEGABYTE}
        )
        with pytest.raises(NoRoom):
            await require_room(session, *await lies(session, system.id))
        assert [one.agency for one in await filled(session)] == ["Health visiting"]
        await require_room(session, *await lies(session, system.house.agencies["health"]))


async def test_what_is_about_nobody_is_deleted_in_its_time(system: System) -> None:
    house, amina = system.house, system.house.children["Amina"]
    refused = await system.send("PUT", f"/Condition/{amina}", b"{", If_Match='"1"')
    assert refused.status_code == 400
    assert (await system.send("POST", "/Patient", patient(NOBODYS))).status_code == 202
    mine = await system.send("POST", "/Condition", condition(f"Patient/{amina}"))
    assert mine.status_code == 201
    both = a_letter("Squint")
    both["entry"] += a_letter("A secret of somebody else’s", number=NOBODYS)["entry"]
    both["entry"][2]["resource"]["name"] = [{"family": "Nobody"}]
    assert (await system.send("POST", "", both)).status_code == 202
    kept = {(one, two) for one, two, _ in await pieces(system) if two == "matched"}
    days = KEPT_DAYS.default
    await setting(system, KEPT_DAYS.key, days - 10)
    await later(system, timedelta(days=days - 11))
    # Somebody decides about it: it is kept for so long from then on.
    [(undecided, version)] = await system.rows(
        "SELECT id, version FROM received WHERE state = 'to_match' ORDER BY id LIMIT 1"
    )
    async with house.as_("coordinator") as session:
        await not_ours(session, undecided, 0, version)
    await forget(system)
    assert len(await received_state(system)) == 4
    await later(system, timedelta(days=2))
    await forget(system)
    assert await received_state(system) == ["not_ours", "done", "done"]
    assert {(one, two) for one, two, _ in await pieces(system) if two == "matched"} == kept
    async with house.as_("job") as session:
        rows = list(await session.scalars(select(Received).order_by(Received.id)))
        for row in rows:
            content = await content_of(session, row)
            assert b"secret" not in content
    await later(system, timedelta(days=days))
    await forget(system)
    assert await received_state(system) == ["done", "done"]
    assert {(one, two) for one, two, _ in await pieces(system)} == kept
    told = await system.rows(
        "SELECT subject_id, details FROM audit_event WHERE kind = 'received.deleted' ORDER BY at"
    )
    assert [(of, one["deleted"], one["in_part"]) for of, one in told] == [
        (system.id, 1, 1), (system.id, 1, 0),
    ]  # fmt: skip
    assert await system.count("sender_version") == len(kept) + 1


async def forget(system: System) -> None:
    async with system.house.as_("job") as session:
        await forget_received(session, session.info[NOW])


async def test_nobody_deletes_what_is_with_a_child(system: System) -> None:
    """The fence itself, whoever asks."""
    amina = system.house.children["Amina"]
    await system.send("POST", "/Condition", condition(f"Patient/{amina}"))
    await system.send("POST", "/Patient", patient(NOBODYS))
    for who, gone in (("coordinator", 0), ("lead", 0), ("administrator", 0), ("job", 1)):
        async with system.house.as_(who) as session:
            for table in ("received_piece", "received"):
                done = await session.execute(text(f"DELETE FROM {table} RETURNING 1"))
                assert len(done.all()) == gone, (who, table)
    assert await received_state(system) == ["done"]


# Who a child is, tried out ------------------------------------------------------------------------


async def test_who_may_not_be_told_who_a_child_is_cannot_try_it_out(system: System) -> None:
    """Whether it fits or not: the same answer, and the same is made of it; and by our own id."""
    house, amina = system.house, system.house.children["Amina"]
    async with house.as_("job") as session:
        await session.execute(text("UPDATE sharing_agreement SET until_on = from_on"))
        await rewrite_access(session, amina)
    told: list[list[tuple[int, bool, list[str]]]] = []
    fits, other = ("2022-06-15", NUMBER), ("2022-06-16", NOBODYS)
    for born, number in (fits, (other[0], NUMBER), (fits[0], NOBODYS), other):
        who, by_number = (
            entry(patient(number, birthDate=born)),
            f"Patient?identifier={NHS}|{number}",
        )
        own = entry(patient(number, birthDate=born, id=str(amina)))
        answers = [
            await system.send("POST", "/Patient", patient(number, birthDate=born)),
            await system.send("POST", "", bundle("transaction", who, entry(condition(who["fullUrl"])))),
            await system.send("POST", "", bundle("transaction", entry(condition(by_number)))),
            await system.send("POST", "", bundle("batch", entry(condition(by_number)))),
            await system.send("POST", "", bundle("document", who, entry(condition(who["fullUrl"])))),
            await system.send("POST", "", bundle("transaction", own)),
            await system.send(
                "POST", "/Condition",
                condition(f"Patient/{amina}") | {"subject": of_both(amina, number)},
            ),
        ]  # fmt: skip
        told.append(
            [
                (one.status_code, "Bundle" in one.headers.get("location", ""), outcome_in(one))
                for one in answers
            ]
        )
    assert told[0] == told[1] == told[2] == told[3]
    assert await system.count("sender_version") == 0
    assert {state for _, state, _ in await pieces(system)} == {"to_match"}
    # Who says no more than which of our children it is, tries nothing out.
    mine = await system.send("POST", "/Condition", condition(f"Patient/{amina}"))
    assert mine.status_code == 201
    # A person finds out, and so does the system where the family agreed.
    await agree(house, "health")
    fresh = patient(gender="female")
    assert (await system.send("POST", "/Patient", fresh)).status_code == 200
    other = await system.send("POST", "/Patient", patient(birthDate="2022-06-17"))
    assert other.status_code == 202


def of_both(own: UUID, number: str) -> Json:
    return {"reference": f"Patient/{own}", "identifier": identifier(number)}


def outcome_in(answer: Any) -> list[str]:
    """What is said, but for the ids of what came."""
    body = answer.json()
    if body["resourceType"] == "OperationOutcome":
        return [one["details"]["text"] for one in body["issue"]]
    return [one["response"]["status"] for one in body["entry"]]
