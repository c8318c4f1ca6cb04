"""A provider signs in whom an agency invited, and nobody else, whatever comes in its name."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from joserfc import jwk
from litestar import Litestar, Request
from sqlalchemy import text

from panel.accounts.desk import Desk
from panel.accounts.identities import link_by_hand, unlink
from panel.accounts.own_ways import remove_two_steps, start_anew, ways_of, worker_of
from panel.accounts.providers import Terms, providers_for_again, providers_for_sign_in
from panel.accounts.service import signed_in
from panel.accounts.sign_in_models import OwnPassword
from panel.platform.clock import FixedClock
from panel.platform.openid import Algorithm, ClientAuth
from panel.platform.problems import Invalid
from panel.platform.sessions import make_link, was_proved
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.accounts.by_provider import (
    BROKEN,
    NOBODY,
    ROSA,
    SIGNING,
    Browser,
    House,
    a_provider,
    assert_nobody_came_in,
    come_back,
    configure,
    go_there,
    links,
    make_house,
    moved,
    onward,
    says,
    sessions,
    sign_in,
    sign_in_there,
    unsigned,
    without,
)
from tests.accounts.provider_server import Claims, Person, Provider

SITE = "http://testshire.localhost"
COOKIE = "panel_session"


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
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as opened:
        yield opened


# --- Who is invited comes in --------------------------------------------------------------------


async def test_the_first_sign_in_links_an_invited_worker_and_tells_them(
    client: Browser, tenant: Tenant, house: House, provider: Provider, clock: FixedClock
) -> None:
    provider.spoil = says(auth_time=int(clock.now().timestamp()))
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


@pytest.mark.parametrize("spoil", [without("auth_time"), moved(auth_time=-3_600)])
async def test_who_was_signed_in_there_already_has_shown_nothing_anew(
    client: Browser, tenant: Tenant, house: House, provider: Provider, clock: FixedClock, spoil: Any
) -> None:
    now = int(clock.now().timestamp())
    provider.spoil = lambda claims: spoil(says(auth_time=now)(claims))
    await sign_in(client)
    assert (await client.get("/children")).status_code == 200
    async with tenant.transaction() as session:
        assert not await was_proved(session, client.cookies[COOKIE], clock.now())


async def test_two_first_sign_ins_at_once_make_one_link(
    client: Browser, other: httpx.AsyncClient, tenant: Tenant, house: House
) -> None:
    backs = [(one, await sign_in_there(await go_there(one))) for one in (client, other)]
    answers = await asyncio.gather(*(come_back(one, back) for one, back in backs))
    assert [one.status_code for one in answers] == [303, 303]
    assert await links(tenant) == [(house.rosa, ROSA.subject)]
    assert await sessions(tenant) == [house.rosa, house.rosa]


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


async def test_who_was_linked_at_another_issuer_is_linked_anew(
    client: Browser, tenant: Tenant, house: House, provider: Provider
) -> None:
    await sign_in(client)
    linked = await links(tenant)
    assert len(linked) == 1
    await configure(tenant, provider, issuer="https://elsewhere.example")
    assert await links(tenant) == []
    assert await sessions(tenant) == [], "a session that the old one vouched for is over"
    await configure(tenant, provider)
    client.cookies.clear()
    assert (await sign_in(client)).status_code == 303
    assert await links(tenant) == linked


async def test_who_is_started_anew_is_linked_no_more_and_chooses_again(
    client: Browser, tenant: Tenant, house: House, clock: FixedClock
) -> None:
    await sign_in(client)
    async with tenant.transaction() as session:
        await start_anew(session, await worker_of(session, house.rosa))
        link = await make_link(session, house.rosa, "worker", clock.now() + timedelta(hours=1))
    assert await links(tenant) == []
    answer = await client.post(f"/sign-in/{link}", follow_redirects=False)
    assert answer.headers["location"] == "/me/sign-in/set-up"
    assert (await client.get("/me/sign-in/password")).status_code == 200


async def test_a_provider_that_signs_them_in_is_a_way_in_too(
    client: Browser, tenant: Tenant, house: House
) -> None:
    await sign_in(client)
    async with tenant.transaction(house.rosa) as session:
        worker = await worker_of(session, house.rosa)
        session.add(OwnPassword(
            worker_id=worker.id, agency_id=worker.agency_id,
            password="hashed", secret="secret", taken_step=0,
        ))  # fmt: skip
        await session.flush()
        await remove_two_steps(session, worker)
        assert (await ways_of(session, worker.id)).by_provider
    async with tenant.transaction() as session:
        await session.execute(text("DELETE FROM sign_in_provider_agency"))
        assert not (await ways_of(session, house.rosa)).by_provider, "it signs her in no more"


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
    (published,) = (await client.get("/sign-in/keys/entra")).json()["keys"]
    assert published["x"] == own.as_dict()["x"]
    assert "d" not in published


async def test_a_provider_that_verifies_no_address_signs_in_whom_somebody_linked(
    client: Browser, tenant: Tenant, house: House, provider: Provider
) -> None:
    provider.person = Person("666", "rosa@health.example", verified=False)
    refused = await sign_in(client)
    assert (refused.status_code, NOBODY in refused.text) == (403, True)
    async with tenant.transaction() as session:
        await link_by_hand(session, "entra", "rosa@health.example", "666")
    assert (await sign_in(client)).status_code == 303
    for email, subject in (
        ("tom@school.example", "667"),
        ("rosa@health.example", "667"),
        ("rosa@health.example", "666"),
        ("nobody@health.example", "667"),
        ("rosa@health.example", " "),
    ):
        with pytest.raises(Invalid):
            async with tenant.transaction() as session:
                await link_by_hand(session, "entra", email, subject)
    async with tenant.transaction() as session:
        await unlink(session, "entra", "rosa@health.example")
    assert await sessions(tenant) == []
    assert (await sign_in(client)).status_code == 403


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


# --- One answer, one browser, one sign-in -------------------------------------------------------


async def test_a_state_is_good_in_the_browser_that_asked(
    client: Browser, other: httpx.AsyncClient, tenant: Tenant, house: House
) -> None:
    back = await sign_in_there(await go_there(client))
    stranger = await other.get(back, follow_redirects=False)
    await assert_nobody_came_in(stranger, tenant, BROKEN)
    await go_there(other)
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
    app: Litestar,
    client: Browser,
    tenant: Tenant,
    house: House,
    provider: Provider,
    clock: FixedClock,
) -> None:
    await sign_in(client)
    clock.set(clock.now() + timedelta(minutes=20))
    before = client.cookies[COOKIE]
    who = await signed_in(tenant, before, clock.now())
    (site,) = app.state.sites.values()
    desk = Desk(site, Request({"type": "http"}), before, who)
    for offered in (await providers_for_again(desk), await providers_for_sign_in(desk)):
        assert offered == [("entra", "Testshire account")]
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
    assert answer.status_code == 200
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
