"""Who is signed in is decided by us: cookies, links, tokens, hosts and headers of a stranger's."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from panel.app import SECURITY_HEADERS, make_app
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.sessions import IDLE, LONGEST, make_link, start
from panel.platform.tenancy import Tenant
from panel.settings import from_environment
from panel.web.manifest import read_manifest
from tests.hostile.conftest import SITE, As, Browse, Client, hidden_of, is_plain

pytestmark = pytest.mark.database

COOKIE = "panel_session"


async def worker_of(tenant: Tenant, persona: str) -> UUID:
    async with tenant.transaction() as session:
        found = await session.execute(
            text("SELECT viewer_id FROM demo_persona WHERE key = :key"), {"key": persona}
        )
        worker: UUID = found.scalar_one()
        return worker


@pytest.fixture
async def link(tenant: Tenant, clock: FixedClock) -> str:
    """A sign-in link of Rosa's, for an hour."""
    rosa = await worker_of(tenant, "lead-health")
    async with tenant.transaction() as session:
        ends = clock.now() + timedelta(hours=1)
        return f"/sign-in/{await make_link(session, rosa, 'worker', ends)}"


async def test_a_cookie_that_a_browser_brings_is_never_adopted(
    client: Client, link: str, tenant: Tenant
) -> None:
    for brought in ("x" * 43, "", "../../etc/passwd", "%00", "a" * 20_000):
        client.cookies.set(COOKIE, brought)
        answer = await client.get("/children", follow_redirects=False)
        assert answer.status_code == 401
        assert is_plain(answer)
    fixed = "f" * 43
    client.cookies.clear()
    client.cookies.set(COOKIE, fixed)
    answer = await client.post(link, follow_redirects=False)
    assert answer.status_code == 303
    given = answer.cookies[COOKIE]
    assert given != fixed
    assert len(given) > 40
    client.cookies.clear()
    client.cookies.set(COOKIE, fixed)
    assert (await client.get("/children")).status_code == 401
    async with tenant.transaction() as session:
        kept = (await session.execute(text("SELECT token_hash FROM web_session"))).scalars().all()
    assert all(given.encode() not in one for one in kept), "only a hash of the cookie is kept"


async def test_a_sign_in_link_works_once_also_for_two_at_the_same_time(
    browse: Browse, client: Client, link: str
) -> None:
    look = await client.get(link)
    assert look.status_code == 200, "a mail scanner's look uses nothing up"
    async with browse() as other:
        answers = await asyncio.gather(
            *(one.post(link, follow_redirects=False) for one in (client, other, client, other))
        )
    assert sorted(one.status_code for one in answers) == [303, 410, 410, 410]
    assert all(is_plain(one) for one in answers)
    assert (await client.post("/sign-in/unknown")).status_code == 410
    assert (await client.post("/sign-in/" + "x" * 5_000)).status_code == 410


async def test_a_link_that_is_over_signs_nobody_in(
    client: Client, link: str, clock: FixedClock
) -> None:
    clock.set(clock.now() + timedelta(hours=1, seconds=1))
    answer = await client.post(link, follow_redirects=False)
    assert answer.status_code == 410
    assert COOKIE not in answer.cookies


async def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(
    rosa: Client, browse: Browse
) -> None:
    page = await rosa.get("/children/new")
    cookie = rosa.cookies[COOKIE]
    refused = await rosa.post("/sign-out", data={"_csrf_token": "0" * 64})
    assert refused.status_code == 403
    assert (await rosa.get("/children")).status_code == 200
    answer = await rosa.post("/sign-out", data=hidden_of(page), follow_redirects=False)
    assert answer.status_code == 303
    async with browse() as copied:
        copied.cookies.set(COOKIE, cookie)
        assert (await copied.get("/children")).status_code == 401


@pytest.mark.parametrize("beyond", [IDLE, LONGEST])
async def test_a_session_ends_by_itself_and_what_was_typed_is_not_half_saved(
    rosa: Client, clock: FixedClock, tenant: Tenant, beyond: timedelta
) -> None:
    page = await rosa.get("/children/new")
    before = await children(tenant)
    clock.set(clock.now() + beyond + timedelta(seconds=1))
    form = hidden_of(page) | {"given_name": "Late", "family_name": "Comer"}
    answer = await rosa.post("/children/new", data=form, follow_redirects=False)
    assert answer.status_code in (401, 403)
    assert is_plain(answer)
    assert await children(tenant) == before


async def children(tenant: Tenant) -> int:
    # The sequence counts every child ever begun, seen or not.
    async with tenant.transaction(UUID("00000000-0000-7000-8000-000000000001")) as session:
        counted: int = (await session.execute(text("SELECT count(*) FROM child"))).scalar_one()
        return counted


async def test_a_forms_token_is_of_one_session_only(
    rosa: Client, signed_in_as: As, tenant: Tenant
) -> None:
    before = await children(tenant)
    async with signed_in_as("lead-health") as another:
        stolen = hidden_of(await another.get("/children/new"))
    form = {"given_name": "Forged", "family_name": "Form", "birth_date": "2022-03-09"}
    for token in (stolen["_csrf_token"], "", "0" * 64, "é", "\x00"):
        answer = await rosa.post(
            "/children/new", data=form | {"_csrf_token": token}, follow_redirects=False
        )
        assert answer.status_code == 403
        assert "was not saved" in answer.text
    assert await children(tenant) == before


async def test_a_strange_host_is_not_served(
    database_of_own: Cluster, data_dir: Path, clock: FixedClock, tenant: Tenant
) -> None:
    """Outside the demonstration only the authority's own address is answered."""
    async with real(database_of_own, data_dir, clock) as site:
        for host in ("evil.example", "testshire.localhost.evil.example", "127.0.0.1", "a b"):
            answer = await site.get("/", headers={"Host": host})
            assert answer.status_code in (400, 404), host
            assert "Testshire" not in answer.text
            assert "evil" not in answer.text
        for name in ("X-Forwarded-Host", "X-Original-URL", "Forwarded"):
            answer = await site.get("/signed-out", headers={name: "evil.example"})
            assert answer.status_code == 200
            assert "evil" not in answer.text


@asynccontextmanager
async def real(
    database: Cluster, data_dir: Path, clock: FixedClock
) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """The site of the same authority as if it were no demonstration."""
    set_demo(database, "false")
    try:
        settings = from_environment({"PANEL_DATA_DIR": str(data_dir)})
        site = make_app(settings, database.app_url, clock, compiled=data_dir / "templates")
        async with AsyncTestClient(site, base_url=SITE) as opened:
            yield opened
    finally:
        set_demo(database, "true")


def set_demo(database: Cluster, value: str) -> None:
    assert database.owner_url is not None
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(f"UPDATE panel_control.authority SET demo = {value}")


async def test_outside_the_demonstration_nobody_signs_in_as_a_persona(
    database_of_own: Cluster, data_dir: Path, clock: FixedClock, tenant: Tenant
) -> None:
    rosa = await worker_of(tenant, "lead-health")
    async with tenant.transaction() as session:
        cookie = await start(session, rosa, "worker", clock.now())
    async with real(database_of_own, data_dir, clock) as site:
        missing = await site.get("/there-is-no-such-page")
        answer = await site.get("/demo/sign-in/lead-health", follow_redirects=False)
        assert (answer.status_code, answer.text) == (404, missing.text)
        assert not answer.cookies
        assert not any("/demo" in one.path for one in site.app.routes)
        site.cookies.set(COOKIE, cookie)
        assert (await site.get("/children")).status_code == 401, "only the __Host- cookie counts"
        answer = await site.get("/children", headers={"Cookie": f"__Host-panel={cookie}"})
        assert answer.status_code == 200


async def test_the_cookie_is_out_of_scripts_and_other_sites_reach(
    database_of_own: Cluster, data_dir: Path, clock: FixedClock, link: str
) -> None:
    async with real(database_of_own, data_dir, clock) as site:
        answer = await site.post(link, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-panel=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


async def test_every_answer_carries_the_headers_that_protect_it(rosa: Client) -> None:
    style = read_manifest().url("panel.css")
    tried = [
        ("GET", "/children"), ("GET", "/nowhere"), ("GET", style), ("GET", "/static/none.css"),
        ("GET", "/health/live"), ("GET", "/health/ready"), ("PUT", "/children"),
        ("DELETE", "/children/new"), ("OPTIONS", "/children/new"), ("HEAD", "/children"),
        ("HEAD", style), ("TRACE", "/"), ("POST", "/children/new"), ("GET", "/signed-out"),
        ("GET", "/demo/sign-in/nobody"), ("GET", "/demo/sign-in/parent-1"),
        ("GET", "/static/../app.py"), ("GET", "/static/%2e%2e/%2e%2e/manifest.py"),
        ("GET", "/api/nothing"), ("GET", "/children?page=%F0%28%8C%BC"), ("GET", "/%ff%fe"),
        ("PATCH", "/static/x"), ("GET", "/children/" + "9" * 9_000),
    ]  # fmt: skip
    for method, path in tried:
        answer = await rosa.request(method, path, follow_redirects=False)
        where = f"{method} {path[:60]}"
        assert answer.status_code < 500, where
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers.get(name) == value, f"{where} lacks {name}"
        assert is_plain(answer), where
        kept = answer.headers.get("cache-control", "")
        if path != style and answer.headers.get("content-type", "").startswith("text/html"):
            assert "no-store" in kept, where


async def test_looking_without_taking_is_fine(rosa: Client) -> None:
    whole = await rosa.get("/children")
    head = await rosa.head("/children")
    assert head.status_code in (200, 405)
    assert head.content == b""
    assert whole.status_code == 200
    options = await rosa.options("/children")
    assert options.status_code in (204, 405)
    assert "*" not in options.headers.get("access-control-allow-origin", "")


async def test_a_page_of_ours_runs_no_script_of_its_own(client: Client, rosa: Client) -> None:
    """The policy forbids it; no page relies on it."""
    for path in ("/", "/children", "/children/new", "/signed-out"):
        page = (await rosa.get(path)).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"\son\w+=|\sstyle=|javascript:", page), path
    assert (await client.get("/")).status_code in (200, 401, 303)
