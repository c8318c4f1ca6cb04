"""A system that is asked by schedule: what changed there lands, and what it does not answer waits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import msgspec
import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from panel.exchange.entering import Client
from panel.exchange.pulling import ASKED_BACK, NewSource, add_source, pull_due
from panel.exchange.telling_models import PullSource
from panel.platform.clock import FixedClock
from panel.platform.problems import Invalid
from panel.platform.reaching import Reaching
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.exchange.telling import system_of
from tests.sharing.family import Family

HERE = Reaching(to_this_machine=True)
PLAN = b'{"resourceType":"CarePlan","id":"p1","status":"active","amount":1.10}'


@dataclass
class Other:
    """Another system: two pages of care plans, to whoever has its token."""

    base: str = ""
    works: bool = True
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def page(self, query: dict[str, list[str]]) -> bytes:
        self.asked.append(query)
        last = "page" in query
        link = [] if last else [{"relation": "next", "url": f"{self.base}/CarePlan?page=2"}]
        told = {
            "resourceType": "Bundle",
            "type": "searchset",
            "link": link,
            "entry": [{"resource": msgspec.Raw(PLAN), "search": {"mode": "match"}}],
        }
        return msgspec.json.encode(told)


@contextmanager
def another_system() -> Iterator[Other]:
    other = Other()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            is_token = self.path.endswith("/token")
            known = self.headers.get("authorization") == "Bearer given"
            self.send_response(200 if other.works and (is_token or known) else 503)
            token = b'{"access_token": "given", "token_type": "bearer", "expires_in": 300}'
            content = token if is_token else other.page(parse_qs(body))
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_said: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    other.base = f"http://127.0.0.1:{server.server_port}/fhir"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield other
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Lands:
    """What landed, and from whom."""

    came: list[tuple[str, bytes]] = field(default_factory=list)

    async def receive(self, content: bytes, client: Client) -> None:
        self.came.append((client.key, content))


def source(base: str, **more: object) -> NewSource:
    key = ECKey.generate_key("P-384", {"kid": "ours"}, private=True).as_dict(private=True)
    said: dict[str, object] = {
        "lands_as": "trust",
        "base": base,
        "as_client": "panel",
        "scopes": ("system/CarePlan.rs",),
        "signing_key": msgspec.json.encode(key),
        "types": ("CarePlan",),
        "every_minutes": 30,
        "token_address": f"{base}/token",
    }
    return NewSource(**(said | more))


async def failure(tenant: Tenant) -> str | None:
    async with tenant.transaction(JOB) as session:
        row = (await session.scalars(select(PullSource))).one()
        return row.failure


async def test_it_is_asked_what_changed_since(
    tenant: Tenant, family: Family, clock: FixedClock
) -> None:
    await system_of(tenant, family.health, "trust")
    lands = Lands()
    with another_system() as other:
        async with tenant.transaction(JOB) as session:
            await add_source(session, source(other.base), is_demo=True)
        assert await pull_due(tenant, HERE, lands) == 1
        assert await pull_due(tenant, HERE, lands) == 0
        assert len(lands.came) == 2, "Both pages."
        (who, first), _ = lands.came
        assert who == "trust"
        assert PLAN in first, "As it came: 1.10 stays 1.10."
        assert "_lastUpdated" not in other.asked[0]
        begun = clock.now()
        clock.set(begun + timedelta(minutes=30))
        other.works = False
        assert await pull_due(tenant, HERE, lands) == 1
        said = await failure(tenant)
        assert said is not None
        assert said == "It is too busy, or closed: it answered with 503."
        clock.set(begun + timedelta(hours=3))
        other.works = True
        assert await pull_due(tenant, HERE, lands) == 1
        assert await failure(tenant) is None
        since = (begun - ASKED_BACK).strftime("ge%Y-%m-%dT%H:%M:%SZ")
        assert other.asked[-2]["_lastUpdated"] == [since]
        assert len(lands.came) == 4


async def test_it_is_asked_at_a_public_address_only(tenant: Tenant, family: Family) -> None:
    await system_of(tenant, family.health, "trust")
    async with tenant.transaction(JOB) as session:
        for wrong in (
            source("https://10.0.0.8/fhir"),
            source("http://127.0.0.1:9/fhir"),
            source("https://trust.example/fhir", token_address="https://localhost/token"),
            source("https://trust.example/fhir", token_address=None, signing_key=b"{}"),
            source("https://trust.example/fhir", token_address=None, lands_as="nobody"),
            source("https://trust.example/fhir", token_address=None, every_minutes=1),
            source("https://trust.example/fhir", token_address=None, types=()),
            source("https://trust.example/fhir", token_address=None, types=("Organization",)),
            source("https://trust.example/fhir", token_address=None, scopes=("all",)),
            source("https://trust.example/fhir", token_address=None, as_client=" "),
        ):
            with pytest.raises(Invalid):
                await add_source(session, wrong, is_demo=False)
