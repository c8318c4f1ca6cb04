"""Whatever is sent to whatever address: an answer, and never a fault of ours.

schemathesis reads the whole site as an OpenAPI document (site_document.py) and sends each address
what its forms hold and what they do not; addresses, questions and forms that are made up altogether
go to the same pages. A minute in every run, ten in `make soak` (PANEL_SOAK).
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from litestar import Litestar
from litestar.testing import AsyncTestClient
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.openapi import from_dict
from sqlalchemy import text

from panel.panels.note_sending import send_notes
from panel.platform.cluster import Cluster
from panel.platform.sessions import Way, forgery_token, start
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.state import SharingFacts
from panel.web.render import FORGERY_FIELD
from tests.demo.year import database_from, tenant_of
from tests.hostile.canary_world import CRAWLED, World, make_world
from tests.hostile.canary_year import SOAK
from tests.hostile.conftest import SITE, As, Browse, Client, is_plain
from tests.hostile.site_document import Operation, SiteDocument, Visit
from tests.hostile.test_every_route import PART, Ids, a_child, get_paths, ids_of, post_paths
from tests.hostile.test_sessions import COOKIE

pytestmark = [pytest.mark.database, pytest.mark.crawl]

DESCRIBED_SECONDS, MADE_UP_SECONDS = 400, 200
"""In `make soak`, for all visitors together; every other run ends when all is sent once."""
OF_EACH = 3
"""Requests at most that fit one operation, and that break it, each time it is tried."""
MADE_UP = 600
"""Requests of each visitor at least."""
LONGEST = 60
"""Seconds after which an answer does not come any more."""
GUEST = "a guest"
DESCRIBED_TO = (
    "coordinator", "lead-health", "manager", "governance", "administrator", "parent-1", GUEST, "",
)  # fmt: skip
VISITORS = ("coordinator", "lead-health", "governance", "parent-1", "")
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["", "0", "-1", "9" * 30, "1e999", "NaN", "null", "[]", "{}", "\x00", "\ud7ff",
                     "' OR 1=1 --", "../../etc/passwd", "2026-02-30", "%s%n", "a" * 5_000]),
    st.integers().map(str),
    st.dates().map(str),
    st.uuids().map(str),
)  # fmt: skip
NAMES = st.sampled_from([
    "q", "page", "show", "order", "agency", "change", "worker", "reference", "purpose", "refused", "to",
    "name", "text", "version", "on-day", "on-month", "on-year", "category", "reason", "person", "title",
    "_form_id", "_kept", "happened_on", "kind", "agencies", "categories", "from_on", "worker_id",
]) | st.text(min_size=1, max_size=12)  # fmt: skip
FORMS = st.lists(st.tuples(NAMES, TEXTS), max_size=12)
HEADERS = st.dictionaries(
    st.sampled_from(["accept", "content-type", "cookie", "range", "if-none-match", "origin", "accept-language",
                     "last-event-id", "x-panel-by-itself", "user-agent", "x-forwarded-for"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40), max_size=3,
)  # fmt: skip
KINDS = st.sampled_from(["", "application/json", "multipart/form-data; boundary=b", "text/xml"])


@pytest.fixture(scope="module")
async def tried(
    cluster: Cluster, year: str, data_dir: Path
) -> AsyncIterator[tuple[Cluster, World]]:
    """The year, with a row of every kind, so that every form has something to be about."""
    with database_from(cluster, year) as copied:
        tenant = tenant_of(copied, data_dir)
        gate = Gate(tenant, SharingFacts())
        made = await make_world(tenant, gate)
        await send_notes(gate, SITE)
        await tenant.database.close()
        yield copied, made


@pytest.fixture(scope="module")
def database_of_own(tried: tuple[Cluster, World]) -> Cluster:
    """What is tried here, one test after the other."""
    return tried[0]


@pytest.fixture
def world(tried: tuple[Cluster, World]) -> World:
    """Who and what there is."""
    return tried[1]


@dataclass
class Sent:
    """What was sent, and what came of it."""

    figures: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    operations: Counter[Operation] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    """By operation and persona the first request that was answered with one."""


def made_up(
    operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, at: Mapping[str, str] | None
) -> list[Case]:
    """Requests that fit what the document says of an operation, or break it.

    With `at`, the parts of an address that is there, the address is left as it is.
    """
    made: list[Case] = []
    parts = None if at is None else dict(at)

    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=parts))
    @settings(max_examples=OF_EACH, deadline=None, database=None, derandomize=not SOAK,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    def gather(case: Case) -> None:
        made.append(case)

    # Of an address that takes nothing, nothing can be broken.
    with suppress(Unsatisfiable):
        gather()
    return made


def put_in(case: Case, token: str) -> requests.PreparedRequest:
    """The request as schemathesis would send it, with the token that forms of our own carry."""
    if isinstance(case.body, dict):
        case.body = {**case.body, FORGERY_FIELD: token}
    elif isinstance(case.body, list):
        case.body = [*case.body, (FORGERY_FIELD, token)]
    asked = case.as_transport_kwargs(base_url=SITE)
    given_ = {name: asked[name] for name in ("data", "files", "json") if name in asked}
    return requests.Request(
        asked["method"], asked["url"], params=asked["params"], headers=asked["headers"], **given_
    ).prepare()


class Visitors:
    """Everybody who tries the site, each with a new session for whatever they send."""

    def __init__(self, tenant: Tenant, browser: Client, world: World) -> None:
        self.tenant = tenant
        self.browser = browser
        self.world = world
        self.asked = next(iter(world.guests.values()))
        """The link of the guest."""
        self.guest = ""
        self.rows: dict[str, tuple[UUID, str]] = {}

    async def know(self) -> None:
        """Read who the personas are, and let the guest in: later guesses close the link."""
        async with self.tenant.transaction(JOB) as session:
            for row in await session.execute(text("SELECT key, viewer_id, kind FROM demo_persona")):
                self.rows[row.key] = (row.viewer_id, row.kind)
        entered = await self.browser.post(self.asked.path, data={"code": self.asked.code})
        self.guest = entered.headers["set-cookie"].partition(";")[0]

    async def children(self, persona: str) -> list[UUID]:
        """The fullest records that somebody reaches; of who reaches none, some that are there."""
        viewer, _ = self.rows.get(persona, self.rows["lead-health"])
        async with self.tenant.transaction(viewer) as session:
            seen = set((await session.execute(text("SELECT child_id FROM child_access"))).scalars())
        known = [self.world.children[shape] for shape in CRAWLED]
        return ([one for one in known if one in seen] or known)[: len(known) if SOAK else 2]

    async def signed_in(self, persona: str) -> str:
        """The cookie of somebody who just proved who they are; empty for nobody."""
        if persona == GUEST:
            return self.guest
        if not persona:
            return ""
        async with self.tenant.transaction() as session:
            now = self.tenant.clock.now()
            token = await start(session, *self.rows[persona], now, way=Way.PASSKEY)
            return f"{COOKIE}={token}"

    async def send(
        self, cookie: str, method: str, url: str, headers: Mapping[str, str], content: Any = None
    ) -> httpx.Response:
        """One request with that cookie and no other."""
        self.browser.cookies.clear()
        own = {"cookie": cookie} if cookie else {}
        asked = self.browser.request(
            method, url, headers={**headers, **own}, content=content, follow_redirects=False
        )
        async with asyncio.timeout(LONGEST):
            return await asked


async def look_round(document: SiteDocument, visitors: Visitors) -> dict[str, Visit]:
    """What each of the visitors met on the site."""
    visits = {}
    for persona in DESCRIBED_TO:
        ids = [await ids_of(visitors.tenant, child) for child in await visitors.children(persona)]
        begins = [visitors.asked.path, f"{visitors.asked.path}/item"] if persona == GUEST else []
        visit = Visit(ids, begins)
        cookie = await visitors.signed_in(persona)

        async def opens(url: str, cookie: str = cookie) -> httpx.Response:
            return await visitors.send(cookie, "GET", url, {})

        await document.read(visit, opens, each=4 if SOAK else 1)
        visits[persona] = visit
    return visits


def whose_turn(visits: Mapping[str, Visit], operation: Operation, turn: int) -> str:
    """One of those to whom the site offered an operation, or one of all who are signed in."""
    offered = [one for one, visit in visits.items() if operation in visit.met]
    some = offered or [one for one in DESCRIBED_TO if one]
    return some[turn % len(some)]


async def try_operation(
    operation: APIOperation[Any, Any, Any, Any],
    visitors: Visitors,
    persona: str,
    visit: Visit,
    sent: Sent,
    turn: int,
) -> None:
    """Send one operation what fits it and what does not, as somebody.

    Most go to an address that is there: what breaks a form is not to end at a page not found.
    """
    method, path = operation.method.upper(), operation.path
    sent.operations[method, path] += 1
    there = visit.addresses.get((method, path), [])
    if not (operation.body or operation.query.items) or turn % 4 == 0:
        there = []
    at = there[turn % len(there)] if there else None
    for mode in GenerationMode:
        cookie = await visitors.signed_in(persona)
        token = forgery_token(cookie.partition("=")[2]) if cookie else ""
        for case in made_up(operation, mode, at):
            request = put_in(case, token)
            assert request.url is not None
            where = f"{method} {path} as {persona or 'nobody'}"
            what = f"{request.url} {str(request.body)[:2_000]}"
            answer = await visitors.send(cookie, method, request.url, request.headers, request.body)
            sent.figures[mode.value] += 1
            sent.answers[answer.status_code] += 1
            if answer.status_code >= 500:
                sent.faults.setdefault(where, f"{answer.status_code}: {what}")
            elif "text/" in answer.headers.get("content-type", "") and not is_plain(answer):
                sent.faults.setdefault(where, f"tells an inside: {what}")


async def test_nothing_that_the_whole_site_describes_faults(
    app: Litestar,
    client: AsyncTestClient[Litestar],
    tenant: Tenant,
    world: World,
    browse: Browse,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every address and every form, by somebody to whom it is offered; in `make soak` others in turn."""
    assert client
    ends = time.monotonic() + DESCRIBED_SECONDS
    document, sent = SiteDocument(app), Sent()
    async with browse() as browser:
        visitors = Visitors(tenant, browser, world)
        await visitors.know()
        visits = await look_round(document, visitors)
        operations = {
            persona: [
                one.ok() for one in from_dict(document.written_for(visit)).get_all_operations()
            ]
            for persona, visit in visits.items()
        }
        turn = 0
        while not turn or (SOAK and time.monotonic() < ends):
            for place in range(len(document.operations)):
                one = operations[""][place]
                known = (one.method.upper(), one.path)
                by = {whose_turn(visits, known, place + turn)}
                if SOAK:
                    by.add(DESCRIBED_TO[(place + turn) % len(DESCRIBED_TO)])
                for persona in sorted(by):
                    await try_operation(
                        operations[persona][place], visitors, persona, visits[persona], sent,
                        place + turn,
                    )  # fmt: skip
            turn += 1
    offered = set[Operation]().union(*(one.met for one in visits.values()))
    posts = {one for one in document.operations if one[0] == "POST"}
    with capsys.disabled():
        print(
            f"\nThe site: {len(document.operations)} operations, {len(posts)} of them forms,"
            f" {len(posts & offered)} met on {sum(one.pages for one in visits.values())} pages with"
            f" {document.fields} fields; {sent.figures.total()} requests {dict(sent.figures)},"
            f" answered {dict(sorted(sent.answers.items()))}, {len(sent.faults)} faults"
        )
    assert not sent.faults, "\n".join(f"{where}: {what}" for where, what in sent.faults.items())
    routed = {(method, one.path_format) for one in app.routes for method in ("GET", "POST")
              if method in getattr(one, "methods", ())}  # fmt: skip
    assert sent.operations.keys() == document.operations == routed
    described = app.openapi_schema.to_schema().get("paths") or {}
    assert set(described) <= {path for _, path in routed}
    assert len(posts & offered) >= 95
    assert document.fields >= 600
    assert sent.figures["positive"] >= 2 * len(routed)
    assert sent.figures["negative"] >= 2 * len(routed)


@pytest.mark.parametrize("persona", VISITORS)
async def test_made_up_addresses_questions_and_forms_never_fault(
    app: Litestar,
    client: AsyncTestClient[Litestar],
    tenant: Tenant,
    signed_in_as: As,
    browse: Browse,
    persona: str,
) -> None:
    """As several personas, and as nobody; half of the ids in addresses are ones that are there."""
    assert client
    child = await a_child(tenant, "lead-health", reached=True)
    ids = await ids_of(tenant, child)
    gets = [one for one in get_paths(app) if not one.startswith("/demo/sign-in")]
    posts = post_paths(app)
    paths = [*(("GET", one) for one in gets), *(("POST", one) for one in posts)]
    gathered: list[tuple[int, list[str], list[tuple[str, str]], dict[str, str], str]] = []

    @given(st.lists(TEXTS, min_size=6, max_size=6), FORMS, HEADERS, KINDS)
    @settings(max_examples=5_000 if SOAK else MADE_UP, deadline=None, database=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    def gather(
        parts: list[str], form: list[tuple[str, str]], headers: dict[str, str], kind: str
    ) -> None:
        gathered.append((len(gathered), parts, form, headers, kind))

    gather()
    opened = signed_in_as(persona) if persona else browse()
    async with opened as browser:
        token = forgery_token(browser.cookies[COOKIE]) if persona else ""
        sent, ends = 0, time.monotonic() + MADE_UP_SECONDS / len(VISITORS)
        while sent < MADE_UP or (SOAK and time.monotonic() < ends):
            turn, parts, form, headers, kind = gathered[sent % len(gathered)]
            method, path = paths[(sent * 7 + turn) % len(paths)]
            url = _address(path, ids, parts, made_up=sent % 2 == 0)
            fields = [*form, ("_csrf_token", token)] if sent % 3 else form
            data = dict(fields) if method == "POST" else None
            more = headers | ({"content-type": kind} if kind and method == "POST" else {})
            answer = await browser.request(
                method, url, params=dict(form) if method == "GET" else None, data=data,
                headers={k: v for k, v in more.items() if k != "cookie"}, follow_redirects=False,
            )  # fmt: skip
            where = f"{method} {url} {fields} {more} as {persona or 'nobody'}"
            assert answer.status_code < 500 or path == "/health/ready", where
            assert is_plain(answer), where
            sent += 1


def _address(path: str, ids: Ids, parts: list[str], *, made_up: bool) -> str:
    if not made_up:
        return ids.fill(path)
    given_ = iter(parts)
    filled = PART.sub(lambda _: _quoted(next(given_)), path)
    return filled if filled.startswith("/") else f"/{filled}"


def _quoted(part: str) -> str:
    return "".join(
        sign
        if sign.isalnum() and sign.isascii()
        else "".join(f"%{byte:02X}" for byte in sign.encode())
        for sign in part[:80]
    ) or str(UUID(int=0))
