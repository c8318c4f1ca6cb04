"""A provider signs in whom an agency invited, and nobody else, whatever comes in its name."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from joserfc import jwk
from litestar import Litestar
from sqlalchemy import text

from panel.accounts.providers import Terms
from panel.platform.clock import FixedClock
from panel.platform.openid import Algorithm, ClientAuth
from panel.platform.openid_http import LARGEST
from panel.platform.sessions import was_proved
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.accounts.by_provider import (
    ROSA,
    SIGNING,
    Browser,
    House,
    a_provider,
    come_back,
    configure,
    go_there,
    links,
    make_house,
    onward,
    sessions,
    sign_in,
    sign_in_there,
)
from tests.accounts.provider_server import Claims, Person, Provider

SITE = "http://testshire.localhost"
COOKIE = "panel_session"
NOBODY = "This sign-in does not let you in to Panel."
BROKEN = "The sign-in was not finished, took too long or was begun elsewhere."


@pytest.fixture
def provider(clock: FixedClock) -> Iterator[Provider]:
    with a_provider(clock) as made:
        yield made


@pytest.fixture
async def house(tenant: Tenant, provider: Provider) -> House:
    made = await make_house(tenant)
    await configure(tenant, provider)
    return made


@pytest.fixture
async def other(app: Litestar, client: Browser) -> AsyncIterator[httpx.AsyncClient]:
    """Another browser at the same site."""
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as opened:
        yield opened


# --- Who is invited comes in --------------------------------------------------------------------


async def test_the_first_sign_in_links_an_invited_worker_and_tells_them(
    client: Browser, tenant: Tenant, house: House
) -> None:
    page = await client.get("/sign-in/with/entra")
    assert "Sign in with Testshire account" in page.text
    answer = await sign_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/children")
    assert (await client.get("/children")).status_code == 200
    assert await sessions(tenant) == [house.rosa]
    assert await links(tenant) == [(house.rosa, ROSA.subject)]
    async with tenant.transaction() as session:
        row = (await session.execute(text("SELECT way, proved_at FROM web_session"))).one()
        assert row.way == "provider"
        assert row.proved_at is not None
    async with tenant.transaction(JOB) as session:
        told = await session.execute(text("SELECT kind, to_viewer_id FROM outbox_message"))
        assert told.all() == [("sign_in_linked", house.rosa)]


async def test_afterwards_only_issuer_and_subject_count(
    client: Browser, tenant: Tenant, house: House, provider: Provider
) -> None:
    await sign_in(client)
    client.cookies.clear()
    provider.person = replace(ROSA, email="rosa.newname@elsewhere.example", verified=False)
    assert (await sign_in(client)).status_code == 303
    client.cookies.clear()
    # Her address was given to somebody else, who is another subject.
    provider.person = replace(ROSA, subject="somebody-else")
    refused = await sign_in(client)
    assert (refused.status_code, NOBODY in refused.text) == (403, True)
    assert await links(tenant) == [(house.rosa, ROSA.subject)]


async def test_a_link_ends_with_the_work(
    client: Browser, tenant: Tenant, house: House, provider: Provider
) -> None:
    await sign_in(client)
    client.cookies.clear()
    async with tenant.transaction() as session:
        await session.execute(text("UPDATE worker_role SET until_on = '2026-11-22'"))
    refused = await sign_in(client)
    assert (refused.status_code, NOBODY in refused.text) == (403, True)


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("PS256", SIGNING),
        ("ES256", jwk.ECKey.generate_key("P-256")),
        ("EdDSA", jwk.OKPKey.generate_key("Ed25519")),
    ],
)
async def test_other_algorithms_count_where_they_are_configured(
    client: Browser, tenant: Tenant, house: House, provider: Provider, algorithm: str, key: Any
) -> None:
    provider.algorithm, provider.key = algorithm, key
    refused = await sign_in(client)
    assert (refused.status_code, BROKEN in refused.text) == (403, True)
    await configure(tenant, provider, terms=Terms(algorithms=(Algorithm(algorithm),)))
    assert (await sign_in(client)).status_code == 303


async def test_a_private_key_shows_the_provider_who_we_are(
    client: Browser, tenant: Tenant, house: House, provider: Provider
) -> None:
    own = jwk.ECKey.generate_key("P-256")
    provider.client_key = own
    refused = await sign_in(client)
    assert (refused.status_code, BROKEN in refused.text) == (403, True)
    await configure(
        tenant,
        provider,
        terms=Terms(client_auth=ClientAuth.KEY),
        secret=own.as_pem(private=True).decode(),
    )
    assert (await sign_in(client)).status_code == 303


async def test_an_address_that_only_the_provider_is_asked_for_counts_too(
    client: Browser, house: House, tenant: Tenant, provider: Provider
) -> None:
    provider.in_userinfo = True
    assert (await sign_in(client)).status_code == 303
    assert "/userinfo" in provider.asked
    provider.asked.clear()
    client.cookies.clear()
    assert (await sign_in(client)).status_code == 303
    assert "/userinfo" not in provider.asked, "who is linked is known by subject alone"


TENANT = "5d8e2b1c-0000-4000-8000-000000000001"
ENTRA = Terms(claim="preferred_username", tenant=TENANT, domains=("health.example",))


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"tid": TENANT, "preferred_username": "rosa@health.example"}, 303),
        ({"tid": "another", "preferred_username": "rosa@health.example"}, 403),
        ({"preferred_username": "rosa@health.example"}, 403),
        ({"tid": TENANT, "preferred_username": "rosa@health.example", "acct": 1}, 403),
        ({"tid": TENANT, "preferred_username": "rosa@health.example", "idp": "elsewhere"}, 403),
        ({"tid": TENANT, "preferred_username": "tom@school.example"}, 403),
        ({"tid": TENANT}, 403),
    ],
)
async def test_entra_is_believed_for_its_own_tenant_and_people(
    client: Browser, tenant: Tenant, house: House, provider: Provider, more: Claims, status: int
) -> None:
    await configure(tenant, provider, terms=ENTRA)
    provider.person = Person("entra-rosa", "whatever@health.example", more=more)
    assert (await sign_in(client)).status_code == status


# --- What is not believed -----------------------------------------------------------------------


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def unsigned(_provider: Provider, claims: Claims) -> str:
    return f"{part({'alg': 'none', 'kid': 'first'})}.{part(claims)}."


def with_secret(secret: Callable[[Provider], bytes]) -> Callable[[Provider, Claims], str]:
    def sign(provider: Provider, claims: Claims) -> str:
        said = f"{part({'alg': 'HS256', 'kid': 'first'})}.{part(claims)}"
        made = hmac.digest(secret(provider), said.encode(), hashlib.sha256)
        return f"{said}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"

    return sign


def with_another_key(provider: Provider, claims: Claims) -> str:
    another = Provider(jwk.RSAKey.generate_key(2048), kid=provider.kid)
    return another.signed(claims)


def changed_afterwards(provider: Provider, claims: Claims) -> str:
    head, _, signature = provider.signed(claims).split(".")
    return f"{head}.{part(claims | {'email': 'grace@health.example'})}.{signature}"


def of_another_kind(provider: Provider, claims: Claims) -> str:
    return provider.signed(claims, typ="logout+jwt")


def says(**claims: object) -> Callable[[Claims], Claims]:
    return lambda usual: usual | claims


def without(*names: str) -> Callable[[Claims], Claims]:
    return lambda usual: {name: said for name, said in usual.items() if name not in names}


def moved(**seconds: int) -> Callable[[Claims], Claims]:
    return lambda usual: usual | {name: usual[name] + by for name, by in seconds.items()}


SPOILT = {
    "another nonce": says(nonce="x" * 43),
    "no nonce": without("nonce"),
    "another audience": says(aud="somebody-else"),
    "an audience beside us": says(aud=["panel", "somebody-else"], azp="panel"),
    "made for another": says(azp="somebody-else"),
    "another issuer": says(iss="https://elsewhere.example"),
    "expired": moved(exp=-361),
    "issued long ago": moved(iat=-601),
    "issued in the future": moved(iat=61),
    "no expiry": without("exp"),
    "not valid yet": says(nbf=4_000_000_000),
    "no subject": says(sub=""),
    "a subject of another kind": says(sub=7),
    "a subject that is too long": says(sub="s" * 256),
}
SIGNED_WRONG = {
    "not signed": unsigned,
    "signed with the public key as a secret": with_secret(
        lambda provider: provider.key.as_pem(private=False)
    ),
    "signed with the client's secret": with_secret(lambda provider: provider.secret.encode()),
    "signed with another key": with_another_key,
    "changed afterwards": changed_afterwards,
    "a token of another kind": of_another_kind,
    "no token": lambda _provider, _claims: "nonsense",
    "encrypted": lambda _provider, _claims: "a.b.c.d.e",
    "endless": lambda _provider, _claims: "a" * 40_000,
}
UNINVITED = {
    "an address that is not verified": replace(ROSA, verified=False),
    "verified in words only": replace(ROSA, more={"email_verified": "true"}),
    "no address": replace(ROSA, email=""),
    "nobody here": Person("s", "stranger@health.example"),
    "somebody of another agency": Person("s", "tom@school.example"),
    "a leaver": Person("s", "lea@health.example"),
    "somebody whose role has ended": Person("s", "fay@health.example"),
}


async def assert_nobody_came_in(answer: httpx.Response, tenant: Tenant, sentence: str) -> None:
    assert answer.status_code == 403
    assert sentence in answer.text
    assert await sessions(tenant) == []
    assert await links(tenant) == []


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
async def test_a_token_that_says_something_else_signs_nobody_in(
    client: Browser, tenant: Tenant, house: House, provider: Provider, spoil: Any
) -> None:
    provider.spoil = spoil
    await assert_nobody_came_in(await sign_in(client), tenant, BROKEN)


@pytest.mark.parametrize("sign", SIGNED_WRONG.values(), ids=SIGNED_WRONG)
async def test_a_token_that_the_provider_did_not_sign_signs_nobody_in(
    client: Browser, tenant: Tenant, house: House, provider: Provider, sign: Any
) -> None:
    provider.sign = sign
    await assert_nobody_came_in(await sign_in(client), tenant, BROKEN)


@pytest.mark.parametrize("person", UNINVITED.values(), ids=UNINVITED)
async def test_whoever_is_not_invited_is_told_the_same(
    client: Browser, tenant: Tenant, house: House, provider: Provider, person: Person
) -> None:
    provider.person = person
    await assert_nobody_came_in(await sign_in(client), tenant, NOBODY)


WAYS_BACK: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "no state": lambda said: said | {"state": ""},
    "another state": lambda said: said | {"state": "x" * 43},
    "no code": lambda said: said | {"code": ""},
    "a code that was never given": lambda said: said | {"code": "guessed"},
    "an endless code": lambda said: said | {"code": "c" * 5_000},
    "no issuer": lambda said: said | {"iss": ""},
    "another issuer": lambda said: said | {"iss": "https://elsewhere.example"},
    "an error": lambda said: said | {"error": "access_denied"},
}


@pytest.mark.parametrize("bend", WAYS_BACK.values(), ids=WAYS_BACK)
async def test_an_answer_that_is_not_whole_signs_nobody_in(
    client: Browser, tenant: Tenant, house: House, bend: Any
) -> None:
    parts = urlsplit(await sign_in_there(await go_there(client)))
    said = bend({name: values[0] for name, values in parse_qs(parts.query).items()})
    answer = await client.get(
        parts.path,
        params={name: value for name, value in said.items() if value},
        follow_redirects=False,
    )
    await assert_nobody_came_in(answer, tenant, BROKEN)


async def test_what_comes_twice_in_an_answer_signs_nobody_in(
    client: Browser, tenant: Tenant, house: House
) -> None:
    back = await sign_in_there(await go_there(client))
    await assert_nobody_came_in(await come_back(client, back + "&code=other"), tenant, BROKEN)


async def test_a_state_is_good_in_the_browser_that_asked(
    client: Browser, other: httpx.AsyncClient, tenant: Tenant, house: House
) -> None:
    back = await sign_in_there(await go_there(client))
    stranger = await other.get(back, follow_redirects=False)
    await assert_nobody_came_in(stranger, tenant, BROKEN)
    await go_there(other)  # type: ignore[arg-type]
    await assert_nobody_came_in(await other.get(back, follow_redirects=False), tenant, BROKEN)
    assert (await come_back(client, back)).status_code == 303, "who asked is not kept out by it"


async def test_an_answer_is_good_once(client: Browser, tenant: Tenant, house: House) -> None:
    address = await go_there(client)
    cookie = client.cookies[COOKIE]
    back = await sign_in_there(address)
    assert (await come_back(client, back)).status_code == 303
    again = await come_back(client, back)
    assert (again.status_code, BROKEN in again.text) == (403, True)
    # With the cookie of then, and a new code for the old state.
    client.cookies.clear()
    client.cookies.set(COOKIE, cookie)
    for replayed in (back, await sign_in_there(address)):
        refused = await come_back(client, replayed)
        assert (refused.status_code, BROKEN in refused.text) == (403, True)
    assert await sessions(tenant) == [house.rosa]


async def test_a_token_is_good_for_the_sign_in_that_asked_for_it(
    client: Browser, tenant: Tenant, house: House, provider: Provider
) -> None:
    await sign_in(client)
    client.cookies.clear()
    provider.sign = lambda provider, _claims: provider.tokens[0]
    refused = await sign_in(client)
    assert (refused.status_code, BROKEN in refused.text) == (403, True)


async def test_an_answer_that_comes_late_is_none(
    client: Browser, tenant: Tenant, house: House, clock: FixedClock
) -> None:
    back = await sign_in_there(await go_there(client))
    clock.set(clock.now() + timedelta(minutes=15, seconds=1))
    await assert_nobody_came_in(await come_back(client, back), tenant, BROKEN)


async def test_an_answer_of_one_provider_is_none_of_anothers(
    client: Browser, tenant: Tenant, house: House, provider: Provider, clock: FixedClock
) -> None:
    with a_provider(clock) as evil:
        evil.back = evil.back.replace("entra", "evil")
        await configure(tenant, evil, key="evil")
        there = await sign_in_there(await go_there(client))
        mixed = there.replace("/from/entra", "/from/evil")
        await assert_nobody_came_in(await come_back(client, mixed), tenant, BROKEN)
        assert "/token" not in evil.asked, "no code goes to whom it is not from"


async def test_the_cookie_that_lets_in_is_a_new_one(
    client: Browser, house: House, tenant: Tenant
) -> None:
    await client.get("/sign-in/with/entra")
    first = client.cookies[COOKIE]
    address = await go_there(client)
    second = client.cookies[COOKIE]
    await come_back(client, await sign_in_there(address))
    third = client.cookies[COOKIE]
    assert len({first, second, third}) == 3


async def test_a_form_of_another_site_sends_nobody_to_a_provider(
    client: Browser, house: House
) -> None:
    for form in ({}, {"_csrf_token": "0" * 64}):
        answer = await client.post("/sign-in/with/entra", data=form)
        assert answer.status_code == 403
    page = await client.get("/sign-in/with/entra")
    token = page.text.split('name="_csrf_token" value="')[1][:64]
    answer = await client.post(
        "/sign-in/with/entra",
        data={"_csrf_token": token},
        headers={"Origin": "https://evil.example"},
    )
    assert answer.status_code == 403


async def test_nobody_is_led_elsewhere_afterwards(client: Browser, house: House) -> None:
    address = await go_there(client, next_path="//evil.example/")
    answer = await come_back(client, await sign_in_there(address))
    assert answer.headers["location"] == "/"


async def test_nothing_of_a_sign_in_is_kept_but_who_it_is(
    client: Browser, tenant: Tenant, house: House, provider: Provider
) -> None:
    address = await go_there(client)
    asked = parse_qs(urlsplit(address).query)
    async with tenant.transaction() as session:
        kept = str((await session.execute(text("SELECT t::text FROM sign_in_entry t"))).all())
    for name in ("state", "nonce", "code_challenge"):
        assert asked[name][0] not in kept
    await come_back(client, await sign_in_there(address))
    async with tenant.transaction() as session:
        kept = ""
        for table in ("sign_in_entry", "worker_identity", "web_session", "sign_in_provider"):
            rows = await session.execute(text(f"SELECT t::text FROM {table} t"))
            kept += "".join(rows.scalars())
    assert provider.tokens[0] not in kept
    assert "access subject" not in kept
    assert provider.secret not in kept
    assert provider.secret.encode().hex() not in kept
    assert ROSA.email.lower() not in kept.lower()


# --- Keys, and what a provider may do to us -----------------------------------------------------


async def test_new_keys_are_asked_for_at_most_once_a_minute(
    client: Browser, house: House, provider: Provider, clock: FixedClock
) -> None:
    assert (await sign_in(client)).status_code == 303
    assert provider.asked.count("/keys") == 1
    client.cookies.clear()
    provider.key, provider.kid = jwk.RSAKey.generate_key(2048), "second"
    assert (await sign_in(client)).status_code == 403, "asked a moment ago"
    clock.set(clock.now() + timedelta(minutes=1))
    assert (await sign_in(client)).status_code == 303
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    client.cookies.clear()
    provider.sign = lambda provider, claims: provider.signed(claims, kid="third")
    for _ in range(3):
        assert (await sign_in(client)).status_code == 403
    assert provider.asked.count("/keys") == 2
    clock.set(clock.now() + timedelta(hours=1))
    provider.sign = None
    assert (await sign_in(client)).status_code == 303
    assert provider.asked.count("/keys") == 3, "a withdrawn key is forgotten within an hour"


ANNOUNCED: dict[str, Claims] = {
    "keys elsewhere": {"jwks_uri": "https://keys.evil.example/"},
    "a token endpoint inside": {"token_endpoint": "http://169.254.169.254/token"},
    "another scheme": {"authorization_endpoint": "javascript:alert(1)"},
    "a name in the address": {"userinfo_endpoint": "https://user@127.0.0.1/"},
    "another issuer": {"issuer": "http://127.0.0.1:1"},
    "more than is read": {"padding": "x" * (LARGEST + 1)},
}


@pytest.mark.parametrize("announced", ANNOUNCED.values(), ids=ANNOUNCED)
async def test_a_provider_leads_us_nowhere_else(
    client: Browser, house: House, provider: Provider, announced: Claims
) -> None:
    provider.announced = announced
    page = await client.get("/sign-in/with/entra")
    token = page.text.split('name="_csrf_token" value="')[1][:64]
    answer = await client.post("/sign-in/with/entra", data={"_csrf_token": token})
    assert answer.status_code == 503
    assert "Testshire account does not answer" in answer.text


async def test_userinfo_of_somebody_else_is_not_believed(
    client: Browser, tenant: Tenant, house: House, provider: Provider
) -> None:
    provider.in_userinfo = True
    provider.spoil = says(sub="another")
    await assert_nobody_came_in(await sign_in(client), tenant, BROKEN)


async def test_a_level_that_is_asked_for_has_to_be_reached(
    client: Browser, tenant: Tenant, house: House, provider: Provider
) -> None:
    await configure(tenant, provider, terms=Terms(acr=("AAL3",), amr=("mfa", "hwk")))
    asked = parse_qs(urlsplit(await go_there(client)).query)
    assert asked["acr_values"] == ["AAL3"]
    for said in ({}, {"acr": "AAL1", "amr": ["mfa"]}, {"acr": "AAL3", "amr": ["pwd"]}):
        provider.spoil = says(**said)
        await assert_nobody_came_in(await sign_in(client), tenant, BROKEN)
    provider.spoil = says(acr="AAL3", amr=["pwd", "mfa"])
    assert (await sign_in(client)).status_code == 303


# --- Showing again, and the end -----------------------------------------------------------------


async def show_again(browser: Browser) -> str:
    """Press the button of step-up; the provider's address."""
    page = await browser.get("/children")
    token = page.text.split('name="_csrf_token" value="')[1][:64]
    form = {"_csrf_token": token, "next": "/children/new"}
    return onward(await browser.post("/sign-in/again/with/entra", data=form))


async def test_somebody_shows_again_who_they_are(
    client: Browser, tenant: Tenant, house: House, provider: Provider, clock: FixedClock
) -> None:
    await sign_in(client)
    clock.set(clock.now() + timedelta(minutes=20))
    before = client.cookies[COOKIE]
    address = await show_again(client)
    asked = parse_qs(urlsplit(address).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    back = await sign_in_there(address)
    answer = await come_back(client, back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/children/new")
    after = client.cookies[COOKIE]
    assert after != before
    async with tenant.transaction() as session:
        assert await was_proved(session, after, clock.now())
        assert not await was_proved(session, before, clock.now())
    assert len(await sessions(tenant)) == 1
    again = await come_back(client, back)
    assert (again.status_code, BROKEN in again.text) == (403, True)


@pytest.mark.parametrize(
    "spoil",
    [without("auth_time"), moved(auth_time=-3_600), says(sub="somebody-else")],
    ids=["it does not say when", "long ago", "somebody else"],
)
async def test_what_does_not_show_it_again_proves_nothing(
    client: Browser, tenant: Tenant, house: House, provider: Provider, clock: FixedClock, spoil: Any
) -> None:
    await sign_in(client)
    clock.set(clock.now() + timedelta(minutes=20))
    provider.spoil = spoil
    answer = await come_back(client, await sign_in_there(await show_again(client)))
    assert answer.status_code == 403
    async with tenant.transaction() as session:
        assert not await was_proved(session, client.cookies[COOKIE], clock.now())
    assert (await client.get("/children")).status_code == 200, "the session goes on as it was"


async def test_signing_out_offers_to_sign_out_of_the_provider_too(
    client: Browser, tenant: Tenant, house: House, provider: Provider
) -> None:
    await sign_in(client)
    page = await client.get("/children")
    token = page.text.split('name="_csrf_token" value="')[1][:64]
    answer = await client.post("/sign-out", data={"_csrf_token": token}, follow_redirects=False)
    assert answer.headers["location"] == "/signed-out?from=entra"
    assert await sessions(tenant) == []
    page = await client.get("/signed-out?from=entra")
    assert "Sign out of Testshire account" in page.text
    assert f'href="{provider.issuer}/sign-out?client_id=panel' in page.text
    assert "Sign out of" not in (await client.get("/signed-out?from=nobody")).text


def logout_claims(provider: Provider) -> Claims:
    return {
        "iss": provider.issuer,
        "aud": provider.client_id,
        "iat": int(provider.now()),
        "exp": int(provider.now()) + 120,
        "jti": str(uuid4()),
        "sub": ROSA.subject,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }


async def test_who_signs_out_at_the_provider_is_signed_out_here(
    client: Browser, tenant: Tenant, house: House, provider: Provider, clock: FixedClock
) -> None:
    await sign_in(client)
    token = provider.signed(logout_claims(provider), typ="logout+jwt")
    answer = await client.post("/sign-in/ended/entra", data={"logout_token": token})
    assert answer.status_code == 200
    assert await sessions(tenant) == []
    clock.set(clock.now() + timedelta(minutes=2))
    await sign_in(client)
    answer = await client.post("/sign-in/ended/entra", data={"logout_token": token})
    assert answer.status_code in (200, 400)
    assert await sessions(tenant) == [house.rosa], "brought again, it ends nothing more"


NO_LOGOUT: dict[str, Callable[[Claims], Claims]] = {
    "a nonce": says(nonce="n"),
    "no event": says(events={}),
    "another audience": says(aud="other"),
    "another issuer": says(iss="https://elsewhere.example"),
    "old": moved(iat=-601),
    "expired": moved(exp=-300),
    "no subject": without("sub"),
    "no id": without("jti"),
}


@pytest.mark.parametrize("bend", NO_LOGOUT.values(), ids=NO_LOGOUT)
async def test_what_is_no_logout_ends_nothing(
    client: Browser, tenant: Tenant, house: House, provider: Provider, bend: Any
) -> None:
    await sign_in(client)
    claims = bend(logout_claims(provider))
    for token in (
        provider.signed(claims, typ="logout+jwt"),
        unsigned(provider, logout_claims(provider)),
        provider.tokens[0],
        "",
    ):
        answer = await client.post("/sign-in/ended/entra", data={"logout_token": token})
        assert answer.status_code == 400
    assert await sessions(tenant) == [house.rosa]


async def test_a_provider_that_nobody_configured_is_not_there(client: Browser) -> None:
    for method, path in (
        ("GET", "/sign-in/with/nobody"),
        ("GET", "/sign-in/from/nobody?code=1&state=2"),
        ("POST", "/sign-in/ended/nobody"),
    ):
        assert (await client.request(method, path)).status_code == 404
