"""A guest reads and answers one item by a link and a code, once."""

import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import select, text

from consent import Purpose, Viewer, ViewerKind
from panel.panels.guests import (
    GuestState,
    MadeLink,
    NewGuest,
    guest_lines,
    guests_of_meeting,
    holds_pass,
    item_to_ask,
    make_guest_link,
    make_pass,
)
from panel.panels.models import GuestLink
from panel.panels.packs import pack_meeting, read_pack
from panel.platform.clock import FixedClock
from panel.platform.problems import Invalid
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from tests.conftest import SignIn
from tests.panels.pack_world import (
    MEETING_DAY,
    World,
    add_marked_child,
    agreed,
    make_world,
)

Browser = AsyncTestClient[Any]
QUESTION = "Is equipment on order?"
ANSWER = "Ordered on 12 November, expected before Christmas."


@pytest.fixture
async def world(tenant: Tenant, gate: Gate) -> World:
    made = await make_world(tenant, gate)
    shared = ("health", "education", "council", "gp")
    await add_marked_child(made, 1, sharing=lambda c, m: [agreed(made, c, m, agencies=shared)])
    await add_marked_child(made, 2, sharing=lambda c, m: [agreed(made, c, m, agencies=shared)])
    return made


async def asked(
    world: World, agency: str = "gp", until: date = date(2026, 11, 26), child: int = 0
) -> MadeLink:
    child_id = world.children[child]
    coordinator = world.worker_viewer("council")
    async with world.gate.open(child_id, coordinator, Purpose.PANEL, "asked") as access:
        item = await item_to_ask(access.session, "contacts", MEETING_DAY, child_id)
        new = NewGuest(world.agencies[agency].id, "Dr Priya Wren", QUESTION, until)
        return await make_guest_link(access, item, new)


async def link_row(world: World, link_id: UUID) -> GuestLink:
    async with world.as_job() as session:
        found = await session.get(GuestLink, link_id)
        assert found is not None
        return found


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def answered(client: Browser, made: MadeLink, answer: str = ANSWER) -> Any:
    await client.post(made.path, data={"code": made.code})
    page = await client.get(f"{made.path}/item")
    forgery = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
    assert forgery is not None
    return await client.post(
        f"{made.path}/item", data={"_csrf_token": forgery[1], "answer": answer}
    )


async def test_the_guest_sees_what_their_agency_may_see_of_one_child(
    world: World, client: Browser
) -> None:
    made = await asked(world)
    door = await client.get(made.path)
    assert door.status_code == 200
    assert "zq0" not in door.text
    item = await client.post(made.path, data={"code": f" {made.code[:3]} {made.code[3:]}"})
    assert item.status_code == 200
    assert QUESTION in item.text
    gp = world.agencies["gp"]
    guest = Viewer(made.link_id, ViewerKind.GUEST, gp.id, gp.kind)
    permitted = await world.permitted(guest)
    assert set(re.findall(r"zq\d{4}z", item.text)) == permitted
    assert {world.markers[mark].child for mark in permitted} == {world.children[0]}
    async with world.tenant.transaction(made.link_id) as session:
        reached = list(await session.scalars(text("SELECT id FROM child")))
    assert reached == [world.children[0]]


async def test_without_the_code_there_is_nothing(world: World, client: Browser) -> None:
    made = await asked(world)
    page = await client.get(f"{made.path}/item")
    assert page.url.path == made.path
    assert "zq0" not in page.text
    posted = await client.post(f"{made.path}/item", data={"answer": "Hello"})
    assert posted.url.path == made.path
    assert (await link_row(world, made.link_id)).answered_at is None


async def test_the_pass_of_one_link_opens_no_other(world: World, client: Browser) -> None:
    first, second = await asked(world), await asked(world, child=1)
    await client.post(first.path, data={"code": first.code})
    page = await client.get(f"{second.path}/item")
    assert page.url.path == second.path
    ring, now = world.tenant.ring, world.tenant.clock.now()
    given = make_pass(ring, first.link_id, now)
    assert holds_pass(ring, first.link_id, given, now)
    assert not holds_pass(ring, second.link_id, given, now)
    assert not holds_pass(ring, first.link_id, "9" + given, now)
    assert not holds_pass(ring, first.link_id, "nonsense", now)


async def test_five_wrong_codes_close_the_link(world: World, client: Browser) -> None:
    made = await asked(world)
    for _ in range(4):
        page = await client.post(made.path, data={"code": wrong(made.code)})
        assert page.status_code == 422
        assert "This is not the code" in page.text
    assert (await client.post(made.path, data={"code": wrong(made.code)})).status_code == 410
    page = await client.post(made.path, data={"code": made.code})
    assert page.status_code == 410
    assert "the code was wrong five times" in page.text
    async with world.as_job() as session:
        facts = await guests_of_meeting(session, world.meeting_id)
    assert GuestState.CLOSED in {one.state for one in facts}


async def test_an_answer_is_given_once_and_kept_sealed(world: World, client: Browser) -> None:
    made = await asked(world)
    done = await answered(client, made)
    assert "Thank you" in done.text
    row = await link_row(world, made.link_id)
    assert row.answered_at is not None
    assert ANSWER.encode() not in row.answer_sealed
    again = await client.get(made.path)
    assert again.status_code == 410
    assert "This link was used" in again.text
    assert (await client.get(f"{made.path}/item")).status_code == 410


async def test_an_answer_sent_twice_is_kept_once(world: World, client: Browser) -> None:
    made = await asked(world)
    await client.post(made.path, data={"code": made.code})
    page = await client.get(f"{made.path}/item")
    forgery = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
    assert forgery is not None
    for said in (ANSWER, "Something else altogether."):
        form = {"_csrf_token": forgery[1], "answer": said}
        assert "Thank you" in (await client.post(f"{made.path}/item", data=form)).text
    assert await answer_for(world, made, "council") == ANSWER


async def answer_for(world: World, made: MadeLink, key: str) -> str:
    viewer = world.worker_viewer(key)
    child_id = world.children[0]
    async with world.gate.open(child_id, viewer, Purpose.PANEL, "read") as access:
        lines = await guest_lines(access, world.items[child_id])
        return next(one.answer for one in lines if one.id == made.link_id)


async def test_an_empty_or_forged_answer_is_not_taken(world: World, client: Browser) -> None:
    made = await asked(world)
    empty = await answered(client, made, " ")
    assert empty.status_code == 422
    assert "Enter your answer" in empty.text
    forged = await client.post(f"{made.path}/item", data={"_csrf_token": "guess", "answer": ANSWER})
    assert forged.status_code == 403
    assert (await link_row(world, made.link_id)).answered_at is None


async def test_the_answer_goes_into_the_packs_of_those_who_may_see_it(
    world: World, client: Browser, gate: Gate
) -> None:
    made = await asked(world)
    await answered(client, made)
    async with world.tenant.transaction() as session:
        meeting = await pack_meeting(session, "contacts", MEETING_DAY)
    health = await read_pack(gate, meeting, meeting.agency("health"))
    voluntary = await read_pack(gate, meeting, meeting.agency("voluntary"))
    assert ANSWER in str(health)
    assert "Dr Priya Wren, Marlow Surgery" in str(health)
    assert ANSWER not in str(voluntary)


async def test_the_link_ends(world: World, client: Browser, clock: FixedClock) -> None:
    made = await asked(world)
    await client.post(made.path, data={"code": made.code})
    clock.set(datetime(2026, 11, 27, 0, 30, tzinfo=UTC))
    for path in (made.path, f"{made.path}/item"):
        page = await client.get(path)
        assert page.status_code == 410
        assert "its time is over" in page.text


async def test_a_guessed_link_tells_nothing(world: World, client: Browser) -> None:
    made = await asked(world)
    guessed = await client.get(f"/guest/{made.link_id}/guessed")
    unknown = await client.get(f"/guest/{world.meeting_id}/guessed")
    assert guessed.status_code == unknown.status_code == 410
    assert guessed.text == unknown.text


async def test_neither_token_nor_code_is_stored(world: World) -> None:
    made = await asked(world)
    async with world.as_job() as session:
        row = (
            await session.execute(
                select(GuestLink.__table__).where(GuestLink.__table__.c.id == made.link_id)
            )
        ).one()
    stored = repr(tuple(row))
    assert made.token not in stored
    assert made.code.encode() not in (row.token_hash, row.code_hash)
    assert "Wren" not in stored


async def test_who_cannot_be_asked(world: World) -> None:
    with pytest.raises(Invalid, match="needs another look"):
        await asked(world, agency="health")
    for until in (date(2026, 11, 22), date(2027, 2, 1)):
        with pytest.raises(Invalid, match="needs another look"):
            await asked(world, until=until)


async def test_the_coordinator_makes_the_link_once(
    world: World, client: Browser, sign_in: SignIn
) -> None:
    await sign_in(world.worker_viewer("council").id)
    here = f"/panels/contacts/{MEETING_DAY}/items/{world.children[0]}/guest"
    page = await client.get(here)
    assert page.status_code == 200
    assert "Marlow Surgery" in page.text
    assert "Homestart" not in page.text.split("<select")[1].split("</select>")[0]
    hidden = dict(re.findall(r'name="(_csrf_token|_form_id)" value="([^"]+)"', page.text))
    form = hidden | {
        "agency_id": str(world.agencies["gp"].id),
        "name": "Dr Priya Wren",
        "question": QUESTION,
        "until-day": "26",
        "until-month": "11",
        "until-year": "2026",
    }
    made = await client.post(here, data=form)
    found = re.search(r"/guest/[0-9a-f-]{36}/[\w-]+", made.text)
    code = re.search(r"<strong>(\d{3} \d{3})</strong>", made.text)
    assert found is not None
    assert code is not None
    assert QUESTION in (await client.post(found[0], data={"code": code[1]})).text
    # Posted again it makes no second link, and the first is not shown again.
    again = await client.post(here, data=form)
    assert again.url.path == here
    assert found[0] not in again.text
    refused = await client.post(here, data=form | {"question": ""})
    assert refused.status_code == 422
    assert "Enter what to ask them" in refused.text
    assert "Dr Priya Wren" in refused.text


async def test_only_who_runs_the_panel_asks(world: World, client: Browser, sign_in: SignIn) -> None:
    await sign_in(world.worker_viewer("health").id)
    here = f"/panels/contacts/{MEETING_DAY}/items/{world.children[0]}/guest"
    page = await client.get(here)
    assert page.status_code == 403
