"""A mailbox of MESH is emptied into the inbox, and nothing is acknowledged before it is kept."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import httpx
import msgspec
import pytest
from sqlalchemy import text

from interop.mesh import Letter, Mailbox, MeshClient, MeshError, authorization
from panel.exchange.delivering import Sender
from panel.exchange.entering import Client
from panel.exchange.events import put_in_line
from panel.exchange.inbox_models import Received
from panel.exchange.inbox_receiving import content_of
from panel.exchange.landing import Inbox
from panel.exchange.mesh import SendsByMesh, collect, empty
from panel.exchange.models import ExchangeClient
from panel.exchange.subscriptions import make
from panel.exchange.unknown_letters import by_mailbox
from panel.platform.clock import SystemClock
from panel.platform.reaching import Reaching
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.settings import MeshSettings, WrongSetting, from_environment
from tests.exchange.mesh_peer import SHARED_KEY, mesh
from tests.exchange.telling import (
    BASE,
    agree,
    asked,
    plan_of,
    states,
    system_of,
    task_of,
)  # fmt: skip
from tests.sharing.family import Family

PART = 1_000
BUNDLE = msgspec.json.encode(
    {"resourceType": "Bundle", "type": "message", "entry": [], "note": "ä" * 3 * PART}
)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mailbox, Mailbox]]:
    with mesh(tmp_path_factory.mktemp("mesh")) as made:
        yield made


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as made:
        yield made


@pytest.fixture
def sender(boxes: tuple[Mailbox, Mailbox], http: httpx.AsyncClient) -> MeshClient:
    return MeshClient(http, boxes[0], now=now, part=PART)


@pytest.fixture
def ours(boxes: tuple[Mailbox, Mailbox], http: httpx.AsyncClient) -> MeshClient:
    return MeshClient(http, boxes[1], now=now)


async def test_a_long_message_goes_in_parts_and_comes_whole(
    boxes: tuple[Mailbox, Mailbox], http: httpx.AsyncClient, sender: MeshClient, ours: MeshClient
) -> None:
    await ours.handshake()
    sent = await sender.send(Letter(boxes[1].id, "PANEL_NOTE", BUNDLE, local_id="note-1"))
    assert list(await ours.waiting()) == [sent]
    came = await ours.download(sent)
    assert came.content == BUNDLE
    assert (came.sender, came.workflow, came.kind, came.local_id) == (
        boxes[0].id, "PANEL_NOTE", "DATA", "note-1",
    )  # fmt: skip
    with pytest.raises(MeshError, match="413"):
        await MeshClient(http, boxes[1], now=now, largest=2 * PART).download(sent)
    await ours.acknowledge(sent)
    assert list(await ours.waiting()) == []
    for spoilt in ({"password": "wrong"}, {"shared_key": "wrong"}):
        with pytest.raises(MeshError, match="403"):
            await MeshClient(http, replace(boxes[1], **spoilt), now=now).waiting()


async def test_what_is_not_kept_is_given_again(
    boxes: tuple[Mailbox, Mailbox],
    sender: MeshClient,
    ours: MeshClient,
    tenant: Tenant,
    family: Family,
) -> None:
    client = await system_of(tenant, family.health, "trust")
    await sender.send(Letter(boxes[1].id, "PANEL_NOTE", BUNDLE))

    class DiesAfterwards(Inbox):
        """Keeps it, and is killed before anybody can say so."""

        async def receive(self, content: bytes, client: Client) -> None:
            await Inbox(self.tenant).receive(content, client)
            raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await empty(ours, DiesAfterwards(tenant), {boxes[0].id: client})
    assert len(await ours.waiting()) == 1
    settings = MeshSettings(boxes[1].base, boxes[1].id, boxes[1].password, SHARED_KEY, None, None)
    assert await collect(tenant, settings, Inbox(tenant)) == 0, "it is nobody's mailbox"
    assert len(await ours.waiting()) == 1
    assert await listed(tenant) == [(boxes[0].id, 1)]
    other = await system_of(tenant, family.school, "school")
    await sends_from(tenant, other, boxes[1].id)
    await sends_from(tenant, client, boxes[0].id)
    assert await collect(tenant, settings, Inbox(tenant)) == 1
    assert await listed(tenant) == []
    assert list(await ours.waiting()) == []
    async with tenant.transaction(JOB) as session:
        [(row, of)] = await session.execute(text("SELECT id, client_id FROM received"))
    assert of == client.viewer.id
    async with tenant.transaction(client.viewer.id) as session:
        assert await content_of(session, await session.get_one(Received, row)) == BUNDLE


async def sends_from(tenant: Tenant, client: Client, mailbox: str) -> None:
    """A client's mailbox is known from now on."""
    async with tenant.transaction(JOB) as session:
        (await session.get_one(ExchangeClient, client.viewer.id)).mesh_mailbox = mailbox


async def listed(tenant: Tenant) -> list[tuple[str, int]]:
    """From which unknown mailboxes how many messages wait."""
    async with tenant.transaction(JOB) as session:
        return [(one.mailbox, one.letters) for one in await by_mailbox(session)]


async def test_word_of_a_change_goes_by_mesh(
    boxes: tuple[Mailbox, Mailbox],
    http: httpx.AsyncClient,
    gate: Gate,
    tenant: Tenant,
    family: Family,
) -> None:
    """Once taken by MESH it is sent; a mailbox that is not there is tried again like any other."""
    client = await system_of(tenant, family.health, "trust")
    async with tenant.transaction(client.viewer.id) as session:
        for mailbox in (boxes[0].id, "NOBODY1"):
            told = asked(f"mesh:{mailbox}", kind="message")
            (await make(session, client, told, is_demo=False)).state = "active"
    async with tenant.transaction(JOB) as session:
        await agree(session, family.child, family.mother, family.health)
        task = await task_of(
            session, family.child, await plan_of(session, family.child, family.health)
        )
    async with tenant.transaction(JOB) as session:
        await put_in_line(gate, session)
    settings = MeshSettings(boxes[1].base, boxes[1].id, boxes[1].password, SHARED_KEY, None, None)
    sender = Sender(gate, Reaching(), BASE, SendsByMesh(settings, SystemClock()))
    assert await sender.send_due() == 2
    assert sorted((one.state, one.tries) for one in await states(tenant)) == [
        ("sent", 1),
        ("waiting", 1),
    ]
    theirs = MeshClient(http, boxes[0], now=now)
    (message_id,) = await theirs.waiting()
    came = await theirs.download(message_id)
    assert f"{BASE}/Task/{task}".encode() in came.content
    assert came.local_id in {str(one.id) for one in await states(tenant)}
    await theirs.acknowledge(message_id)


def test_the_header_says_the_minute_in_utc_and_never_the_password() -> None:
    box = Mailbox("https://mesh.example", "X26ABC1", "word", "key")
    at = datetime(2026, 11, 23, 10, 31, 59, tzinfo=timezone(timedelta(hours=1)))
    told = authorization(box, "nonce", 3, at)
    scheme, _, rest = told.partition(" ")
    assert scheme == "NHSMESH"
    assert rest.split(":")[:4] == ["X26ABC1", "nonce", "3", "202611230931"]
    assert len(rest.rpartition(":")[2]) == 64
    assert told != authorization(box, "nonce", 4, at)
    assert "word" not in told + repr(box)


def test_a_mailbox_is_set_whole_or_not_at_all() -> None:
    some = {"PANEL_MESH_URL": "https://mesh.example", "PANEL_MESH_MAILBOX": "X26ABC1"}
    assert from_environment({}).mesh is None
    with pytest.raises(WrongSetting, match="PANEL_MESH_PASSWORD, PANEL_MESH_SHARED_KEY"):
        from_environment(some)
