"""Addresses, cookies and headers that are bent: nobody gets past sign-in, in, or led elsewhere."""

import re
from itertools import product

import pytest
from litestar import Litestar
from sqlalchemy import text

from panel.accounts.way_in import safe_path
from panel.platform.sessions import forgery_token
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.hostile.conftest import As, Browse, Client, hidden_of, is_plain
from tests.hostile.test_every_route import get_paths, handlers
from tests.hostile.test_sessions import COOKIE

pytestmark = pytest.mark.database

ELSEWHERE = (
    "//evil.example", "/\\evil.example", "https://evil.example/", "https:evil.example",
    "///evil.example", "/%2f%2fevil.example", "/\t/evil.example", "javascript:alert(1)",
    "//evil.example/%2e%2e", "http://testshire.localhost@evil.example/", "/%5cevil.example",
)  # fmt: skip
NAMES = ("next", "next_path", "url", "return", "return_to", "redirect", "back", "to", "location")
OPEN = ("health/live", "health/ready", "static/x", "sign-in/x", "api/schema", "signed-out", "demo")


async def test_a_session_that_was_planted_before_sign_in_is_never_the_one_after(
    browse: Browse, client: Client, tenant: Tenant
) -> None:
    """Session fixation: a real session of an attacker's own, planted in somebody's browser."""
    assert client
    async with browse() as attacker:
        await attacker.get("/demo/sign-in/lead-education")
        planted = attacker.cookies[COOKIE]
        async with browse() as victim:
            victim.cookies.set(COOKIE, planted)
            answer = await victim.get("/demo/sign-in/lead-health", follow_redirects=False)
            assert answer.status_code == 303
            assert answer.cookies[COOKIE] != planted
        home = await attacker.get("/")
        assert "Rosa Whitlow" not in home.text, "who planted it is signed in as the victim"


async def test_a_cookie_that_is_injected_beside_the_real_one_forges_nothing(
    signed_in_as: As, client: Client, tenant: Tenant
) -> None:
    """CSRF: the attacker knows a cookie and its token, and puts that cookie in the browser too."""
    assert client
    async with signed_in_as("lead-education") as attacker, signed_in_as("lead-health") as victim:
        theirs, own = attacker.cookies[COOKIE], victim.cookies[COOKIE]
        token = forgery_token(theirs)
        form = hidden_of(await victim.get("/children/new")) | {
            "_csrf_token": token, "given_name": "Forged", "family_name": "Form", "sex": "female",
            "birth_date": "2022-03-09",
        }  # fmt: skip
        victim.cookies.clear()
        mixed = (f"{COOKIE}={own}; {COOKIE}={theirs}; csrftoken={token}", f"{COOKIE}={own}; {COOKIE}=x",
                 f'{COOKIE}="{own}; {COOKIE}={theirs}"', f"__Host-panel={theirs}; {COOKIE}={own}")  # fmt: skip
        for cookies in mixed:
            answer = await victim.post(
                "/children/new",
                data=form,
                headers={
                    "Cookie": cookies,
                    "Origin": "https://evil.example",
                    "X-CSRF-Token": token,
                },
                follow_redirects=False,
            )
            # Taken it is only as the attacker's own, under the attacker's own cookie.
            assert answer.status_code in (303, 401, 403), cookies
        async with tenant.transaction(JOB) as session:
            found = await session.execute(
                text(
                    "SELECT count(*) FROM form_post f JOIN demo_persona p ON p.viewer_id ="
                    " f.viewer_id WHERE p.key = 'lead-health'"
                )
            )
            assert found.scalar_one() == 0, "a form was sent in the victim's name"


async def test_nobody_is_led_to_another_site(app: Litestar, rosa: Client, browse: Browse) -> None:
    """Open redirect: every page, with every name for where to go next, and every header."""
    for path in ELSEWHERE:
        assert safe_path(path) in ("/", *((path,) if path.startswith("/%") else ())), path
    plain = [one for one in get_paths(app) if "{" not in one]
    assert len(plain) > 15
    async with browse() as nobody:
        for browser, path in product((rosa, nobody), plain):
            for place, where in enumerate(ELSEWHERE[:4]):
                asked = dict.fromkeys(NAMES, where)
                answer = await browser.get(
                    path,
                    params=asked if place % 2 else {NAMES[place]: where},
                    headers={"Referer": where, "X-Forwarded-Host": "evil.example"},
                    follow_redirects=False,
                )
                led = answer.headers.get("location", "/")
                assert re.match(r"/(?![/\\])", led), f"{path} leads to {led}"
                assert "evil.example" not in led.partition("?")[0], f"{path} leads to {led}"
    for where in ELSEWHERE:
        form = hidden_of(await rosa.get("/children/new")) | dict.fromkeys(NAMES, where)
        answer = await rosa.post("/children/new", data=form, follow_redirects=False)
        assert answer.status_code == 422


async def test_a_bent_address_opens_nothing_to_who_is_not_signed_in(
    app: Litestar, browse: Browse, rosa: Client
) -> None:
    """Path confusion: what is open to everybody, written behind or before what is not."""
    listed = await rosa.get("/children", params={"show": "team"})
    found = re.search(r"/children/([0-9a-f-]{36})\"[^>]*>(?:<[^>]*>)*([^<]{4,})<", listed.text)
    assert found is not None
    child, name = found[1], found[2]
    bent = [
        f"{closed}{joint}{opened}"
        for closed, joint, opened in product(
            ("/children", f"/children/{child}", "/panels", "/governance", "/family", "/cases/x"),
            ("/", "//", "/;/", "/%2f", "/..;/", "?/", "/./", "%2f", "/%2e%2e/", "#/"),
            OPEN,
        )
    ]
    bent += [
        f"/{opened}{joint}children/{child}"
        for joint, opened in product(
            ("/../", "/..%2f", "/%2e%2e/", "/..;/", "//", ";/", "%00/"), OPEN
        )
    ]
    bent += [
        f"/{'%63'}hildren/{child}",
        f"//children/{child}",
        f"/CHILDREN/{child}",
        f"/./children/{child}",
    ]
    bent += ["/static/x%00", f"/static/{'x' * 300}.css", f"/static/{'a/' * 900}", "/static/%ff%fe"]
    async with browse() as nobody:
        for path in bent:
            answer = await nobody.get(path, follow_redirects=False)
            assert answer.status_code < 500, path
            assert name not in answer.text, path
            allowed = answer.status_code in (303, 400, 401, 403, 404, 405, 410)
            assert allowed or answer.text in ("alive", "ready") or "signed-out" in path, (
                f"{path}: {answer.status_code} {answer.text[:200]}"
            )
            assert is_plain(answer), path


async def test_nothing_has_a_name_with_a_nul_in_it(rosa: Client) -> None:
    """PostgreSQL takes no text with it: asked for a panel called so, it would be a fault."""
    for path in ("/panels/%00", "/panels/a%00b/2026-12-03", "/people/%00", "/%00"):
        for answer in (await rosa.get(path), await rosa.post(path)):
            assert answer.status_code in (403, 404, 405), path
            assert is_plain(answer), path


OF_SYSTEMS = {
    ("PUT", "/fhir/R4/{resource:str}/{row:str}"),
    ("PUT", "/fhir/R4/Subscription/{row:str}"),
    ("DELETE", "/fhir/R4/Subscription/{row:str}"),
    ("DELETE", "/fhir/R4/exports/{export:str}"),
}
"""What only a system does, with a token that no browser sends by itself."""


async def test_another_method_gets_no_further(app: Litestar, browse: Browse, rosa: Client) -> None:
    """A header or field that names another method changes nothing; what only reads never writes."""
    posts, gets = set(handlers(app, "POST")), set(handlers(app, "GET"))
    assert posts
    others = {(one, path) for one in ("PUT", "PATCH", "DELETE") for path in handlers(app, one)}
    assert others == OF_SYSTEMS, "say so here"
    async with browse() as nobody:
        for path in sorted(gets)[:40]:
            if "{" in path:
                continue
            for method in ("PUT", "PATCH", "DELETE", "PROPFIND"):
                answer = await nobody.request(
                    method, path, headers={"X-HTTP-Method-Override": "GET"}
                )
                assert answer.status_code in (401, 403, 404, 405), f"{method} {path}"
    answer = await rosa.get("/children/new", headers={"X-HTTP-Method-Override": "POST"})
    assert answer.status_code == 200
