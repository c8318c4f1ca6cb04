"""kill -9 during a transaction of 500 entries: all of it is there or nothing, and never twice."""

import asyncio
import os
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from random import SystemRandom
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from panel.exchange.models import ExchangeClient, ExchangeToken
from panel.platform.clock import FixedClock
from panel.platform.cluster import open_cluster
from panel.platform.database import Database
from panel.platform.masterkey import master_key
from panel.platform.sessions import token_hash
from panel.platform.tenancy import Tenant, authority_named, keyring
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_viewer
from tests.durability.serving import Site
from tests.durability.test_kill import kill_postmaster, kill_worker
from tests.exchange.inbox_world import bundle, condition, entry

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(
        bool(os.environ.get("PANEL_TEST_DATABASE_URL")), reason="kills the embedded database"
    ),
]

ENTRIES = 500
TOKEN = "a-token-that-outlives-every-kill"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/fhir+json"}
KILLS: list[Callable[[Site], None]] = [kill_postmaster, kill_worker]
_A_CHILD = (
    "SELECT child_id, agency_id FROM involvement WHERE from_on <= '2026-11-01'"
    " AND until_on IS NULL ORDER BY id LIMIT 1"
)
_STORED = (
    "SELECT (SELECT count(*) FROM received), count(DISTINCT p.received_id), count(*),"
    " (SELECT count(*) FROM sender_version) FROM received_piece p"
)


@asynccontextmanager
async def stored(site: Site) -> Any:
    """The site's database, while nothing is served from it."""
    with open_cluster(None, site.data_dir) as cluster:
        record = authority_named(cluster.app_url, None)
        ring = keyring(record, master_key(None, site.data_dir / "keys" / "master.key"))
        database = Database(cluster.app_url, pool_size=1)
        try:
            yield Tenant(record, database, ring, FixedClock(datetime(2026, 11, 23, 9, tzinfo=UTC)))
        finally:
            await database.close()


async def let_a_system_in(site: Site) -> UUID:
    """A client of an agency with a token; a child of that agency's."""
    async with stored(site) as tenant, tenant.transaction(JOB) as session:
        child, agency = (await session.execute(text(_A_CHILD))).one()
        client = ExchangeClient(
            key="hospital", name="The hospital", agency_id=agency, scopes=["system/*.cruds"],
            purposes=["exchange"], jwks={"keys": []}, from_on=date(2026, 11, 1),
        )  # fmt: skip
        session.add(client)
        await session.flush()
        session.add(
            ExchangeToken(
                id=token_hash(TOKEN), client_id=client.id, scopes=["system/*.cruds"],
                made_at=datetime(2026, 11, 1, tzinfo=UTC), ends_at=datetime(2030, 1, 1, tzinfo=UTC),
            )
        )  # fmt: skip
        await rewrite_viewer(session, client.id)
    return UUID(str(child))


async def send(site: Site, body: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=site.url, timeout=60) as http:
        return await http.post("/fhir/R4", json=body, headers=HEADERS)


async def test_a_transaction_is_whole_or_nothing(served: Site) -> None:
    child = await let_a_system_in(served)
    chance = SystemRandom()
    whole = 0
    for number, kill in enumerate(KILLS, start=1):
        entries = [
            entry(condition(f"Patient/{child}", f"Finding {number}.{one}"))
            for one in range(ENTRIES)
        ]
        body = bundle("transaction", *entries)
        served.start()
        sending = asyncio.create_task(send(served, body))
        await asyncio.wait([sending], timeout=chance.uniform(0.3, 1.5))
        await asyncio.to_thread(kill, served)
        if kill is kill_postmaster:
            await asyncio.to_thread(served.kill)
        [first] = await asyncio.gather(sending, return_exceptions=True)
        served.end()
        done = isinstance(first, httpx.Response) and first.status_code == 200
        async with stored(served) as tenant, tenant.transaction(JOB) as session:
            found = tuple((await session.execute(text(_STORED))).one())
        assert found[1:] in (
            (number - 1, (number - 1) * ENTRIES, (number - 1) * ENTRIES),
            (number, number * ENTRIES, number * ENTRIES),
        ), found
        assert not done or found[1] == number, "what was acknowledged is there"
        whole += found[1] == number
        # Sent again, as a sender does that had no answer: it is there once.
        await asyncio.to_thread(served.start)
        again = await send(served, body)
        assert again.status_code == 200, again.text[:500]
        assert len(again.json()["entry"]) == ENTRIES
        served.end()
        async with stored(served) as tenant, tenant.transaction(JOB) as session:
            found = tuple((await session.execute(text(_STORED))).one())
        assert found == (number, number, number * ENTRIES, number * ENTRIES)
    print(f"{len(KILLS)} kills: {whole} were done before, none half and none twice")
