"""Before an override and a pack to take away, whoever is here shows again who they are."""

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from panel.platform.clock import FixedClock
from panel.platform.sessions import PROOF_LASTS, Way, forgery_token, start
from panel.platform.tenancy import Tenant
from tests.accounts.signing_in import hidden, words
from tests.sharing.family import Family, invented_family

Client = AsyncTestClient[Litestar]


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    """A child with the people around them."""
    return await invented_family(tenant)


async def come_in(
    client: Client, tenant: Tenant, clock: FixedClock, family: Family, way: Way
) -> str:
    async with tenant.transaction() as session:
        token = await start(session, family.tom.id, "worker", clock.now(), way=way)
    client.cookies.clear()
    client.cookies.set("panel_session", token)
    return token


async def ask(client: Client, method: str, path: str, token: str) -> httpx.Response:
    typed = {"_csrf_token": forgery_token(token), "what": "everything", "reason": "She is afraid"}
    data = typed if method == "POST" else None
    return await client.request(method, path, data=data, follow_redirects=False)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_override_asks_for_it(
    client: Client, tenant: Tenant, clock: FixedClock, family: Family, method: str
) -> None:
    path = f"/children/{family.child}/sharing/override"
    for address in (path, "/safeguarding/open"):
        token = await come_in(client, tenant, clock, family, Way.LINK)
        answer = await ask(client, method, address, token)
        if method == "GET":
            assert answer.status_code == 303
            assert answer.headers["location"] == f"/sign-in/again?next={address}"
        else:
            assert answer.status_code == 403
            assert "Show who you are (opens in a new tab)" in words(answer)
            assert "She is afraid" in answer.text, "nothing typed is lost"
        token = await come_in(client, tenant, clock, family, Way.PASSKEY)
        assert (await ask(client, method, address, token)).status_code in (200, 303, 422)
    async with tenant.transaction() as session:
        looks = (await session.execute(text("SELECT count(*) FROM sign_in_entry"))).scalar_one()
    assert looks == 0


async def test_a_password_is_typed_again_and_stands_on_no_page(
    client: Client, tenant: Tenant, clock: FixedClock, family: Family
) -> None:
    token = await come_in(client, tenant, clock, family, Way.PASSKEY)
    clock.set(clock.now() + PROOF_LASTS)
    path = "/me/sign-in/password/change"
    typed = {"_csrf_token": forgery_token(token), "password": "river apple moon kettle"}
    answer = await client.post(path, data=typed)
    assert answer.status_code == 403
    assert "you are asked to type it again" in words(answer)
    assert "river apple" not in answer.text
    # Sent from there once they have shown who they are, it asks for what is missing.
    kept = hidden(answer, path)
    token = await come_in(client, tenant, clock, family, Way.PASSKEY)
    again = await client.post(path, data=kept | {"_csrf_token": forgery_token(token)})
    assert again.status_code == 422
    assert "Enter a password" in words(again)


@pytest.mark.parametrize("rest", ["", "/letter", "/invite", "/end", "/confirm"])
async def test_who_lets_a_family_in_is_asked_for_it(
    client: Client, tenant: Tenant, clock: FixedClock, family: Family, rest: str
) -> None:
    token = await come_in(client, tenant, clock, family, Way.LINK)
    path = f"/children/{family.child}/people/{family.child}/sign-in{rest}"
    method = "GET" if rest in ("", "/letter") else "POST"
    typed = {"_csrf_token": forgery_token(token), "version": "0"}
    if rest == "/invite":
        said = {"way": "email", "fact": "agreed_word", "word": "blue kettle", "asked": "yes"}
        typed |= said
    data = typed if method == "POST" else None
    answer = await client.request(method, path, data=data, follow_redirects=False)
    assert answer.status_code == (303 if method == "GET" else 403)
    if method == "POST":
        assert "Show who you are (opens in a new tab)" in words(answer)
        assert "blue kettle" not in answer.text


async def test_a_child_out_of_reach_answers_as_none(
    client: Client, tenant: Tenant, clock: FixedClock, family: Family
) -> None:
    token = await come_in(client, tenant, clock, family, Way.LINK)
    path = "/children/0198c0de-0000-7000-8000-000000000009/sharing/override"
    assert (await ask(client, "POST", path, token)).status_code == 404


async def test_who_has_only_a_link_is_led_to_choose_a_way(
    client: Client, tenant: Tenant, clock: FixedClock, family: Family
) -> None:
    await come_in(client, tenant, clock, family, Way.LINK)
    page = await client.get("/sign-in/again?next=/safeguarding/open")
    assert "/me/sign-in/set-up?next=/safeguarding/open" in page.text
    assert "It is me" not in page.text
    whole = "/children%3Fdirection%3Dafter%26key%3D1"
    page = await client.get(f"/sign-in/again?next={whole}")
    assert f"/me/sign-in/set-up?next={whole}" in page.text
    page = await client.get(f"/me/sign-in/set-up?next={whole}")
    for way in ("passkeys/new", "password"):
        assert f"/me/sign-in/{way}?next={whole}" in page.text, "a question keeps all its parts"
    forged = await client.post(
        "/sign-in/again/demonstration",
        data={"_csrf_token": forgery_token(client.cookies["panel_session"])},
    )
    assert forged.status_code == 404


async def test_in_the_demonstration_one_button_is_enough(
    client: Client, tenant: Tenant, clock: FixedClock, family: Family
) -> None:
    token = await come_in(client, tenant, clock, family, Way.DEMONSTRATION)
    page = await client.get("/sign-in/again?next=/safeguarding/open")
    action = "/sign-in/again/demonstration"
    answer = await client.post(action, data=hidden(page, action), follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/safeguarding/open")
    fresh = answer.cookies["panel_session"]
    client.cookies.clear()
    client.cookies.set("panel_session", fresh)
    assert fresh != token
    assert (await client.get("/safeguarding/open", follow_redirects=False)).status_code == 200
    client.cookies.clear()
    client.cookies.set("panel_session", token)
    assert (await client.get("/children")).status_code == 401, "the old cookie is nobody’s"
