"""What a provider did not sign, or did not say of an invited worker, signs nobody in.

Nobody comes in here, so one authority does for all of it.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwk
from sqlalchemy import text

from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from panel.platform.openid_http import LARGEST
from panel.platform.tenancy import Tenant
from tests.accounts.by_provider import (
    BROKEN,
    NOBODY,
    ROSA,
    Browser,
    a_provider,
    assert_nobody_came_in,
    come_back,
    configure,
    form_token,
    go_there,
    make_house,
    moved,
    part,
    says,
    sign_in,
    sign_in_there,
    unsigned,
    without,
)
from tests.accounts.provider_server import Claims, Person, Provider
from tests.conftest import MORNING, copied


@pytest.fixture(scope="module")
def database_of_own(cluster: Cluster, template_database: str) -> Iterator[Cluster]:
    """One database for all of this file."""
    with copied(cluster, f"panel_refused_{new_id().hex[-12:]}", template_database) as database:
        yield database


@pytest.fixture(scope="module")
def one_provider() -> Iterator[Provider]:
    """One provider for all of this file."""
    with a_provider(FixedClock(MORNING)) as made:
        yield made


@pytest.fixture
async def provider(one_provider: Provider, tenant: Tenant, clock: FixedClock) -> Provider:
    """The provider, straight again, as the authority takes it."""
    usual = Provider(one_provider.key, back=one_provider.back, person=ROSA)
    for one in fields(Provider):
        if one.name != "port":
            setattr(one_provider, one.name, getattr(usual, one.name))
    one_provider.now = lambda: clock.now().timestamp()
    async with tenant.transaction() as session:
        is_made = await session.scalar(text("SELECT 1 FROM agency WHERE key = 'health'"))
    if not is_made:
        await make_house(tenant)
    await configure(tenant, one_provider)
    return one_provider


# --- What is not believed -----------------------------------------------------------------------


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


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
async def test_a_token_that_says_something_else_signs_nobody_in(
    client: Browser, tenant: Tenant, provider: Provider, spoil: Any
) -> None:
    provider.spoil = spoil
    await assert_nobody_came_in(await sign_in(client), tenant, BROKEN)


@pytest.mark.parametrize("sign", SIGNED_WRONG.values(), ids=SIGNED_WRONG)
async def test_a_token_that_the_provider_did_not_sign_signs_nobody_in(
    client: Browser, tenant: Tenant, provider: Provider, sign: Any
) -> None:
    provider.sign = sign
    await assert_nobody_came_in(await sign_in(client), tenant, BROKEN)


@pytest.mark.parametrize("person", UNINVITED.values(), ids=UNINVITED)
async def test_whoever_is_not_invited_is_told_the_same(
    client: Browser, tenant: Tenant, provider: Provider, person: Person
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
    client: Browser, tenant: Tenant, provider: Provider, bend: Any
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
    client: Browser, tenant: Tenant, provider: Provider
) -> None:
    back = await sign_in_there(await go_there(client))
    await assert_nobody_came_in(await come_back(client, back + "&code=other"), tenant, BROKEN)


async def test_an_answer_that_comes_late_is_none(
    client: Browser, tenant: Tenant, provider: Provider, clock: FixedClock
) -> None:
    back = await sign_in_there(await go_there(client))
    clock.set(clock.now() + timedelta(minutes=15, seconds=1))
    await assert_nobody_came_in(await come_back(client, back), tenant, BROKEN)


async def test_an_answer_of_one_provider_is_none_of_anothers(
    client: Browser, tenant: Tenant, provider: Provider, clock: FixedClock
) -> None:
    with a_provider(clock) as evil:
        await configure(tenant, evil, key="evil")
        there = await sign_in_there(await go_there(client))
        mixed = there.replace("/from/entra", "/from/evil")
        await assert_nobody_came_in(await come_back(client, mixed), tenant, BROKEN)
        # Also where the other one is asked, and answers with an answer of the first.
        evil.back = evil.back.replace("entra", "evil")
        await go_there(client, "evil")
        await assert_nobody_came_in(await come_back(client, mixed), tenant, BROKEN)
        assert "/token" not in evil.asked, "no code goes to whom it is not from"


async def test_a_form_of_another_site_sends_nobody_to_a_provider(
    client: Browser, provider: Provider
) -> None:
    for form in ({}, {"_csrf_token": "0" * 64}):
        answer = await client.post("/sign-in/with/entra", data=form)
        assert answer.status_code == 403
    form = {"_csrf_token": await form_token(client)}
    headers = {"Origin": "https://evil.example"}
    answer = await client.post("/sign-in/with/entra", data=form, headers=headers)
    assert answer.status_code == 403
    assert "/authorize" not in provider.asked


async def test_userinfo_of_somebody_else_is_not_believed(
    client: Browser, tenant: Tenant, provider: Provider
) -> None:
    provider.in_userinfo = True
    provider.people = [Person("tom", "tom@school.example")]
    provider.access = "access tom"
    await assert_nobody_came_in(await sign_in(client), tenant, BROKEN)
    assert "/userinfo" in provider.asked


async def test_a_provider_that_nobody_configured_is_not_there(client: Browser) -> None:
    for method, path in (
        ("GET", "/sign-in/with/nobody"),
        ("GET", "/sign-in/from/nobody?code=1&state=2"),
        ("POST", "/sign-in/ended/nobody"),
    ):
        assert (await client.request(method, path)).status_code == 404


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
    client: Browser, provider: Provider, announced: Claims
) -> None:
    provider.announced = announced
    form = {"_csrf_token": await form_token(client)}
    answer = await client.post("/sign-in/with/entra", data=form)
    assert answer.status_code == 503
    assert "Testshire account does not answer" in answer.text
