"""A system comes in with a token: for what it asked, for five minutes, until it is taken back."""

from datetime import date, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from panel.accounts.models import Agency
from panel.exchange.clients import (
    KeysGiven,
    change_client,
    change_keys,
    end_client,
    one_client,
    revoke_tokens,
)
from panel.exchange.models import ExchangeClient
from panel.exchange.token_routes import ANNOUNCED
from panel.exchange.tokens import KEPT, REVOKED, TOKENS, forget_used
from panel.platform.clock import FixedClock
from panel.platform.problems import Conflict, NotAllowed
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.conftest import MORNING
from tests.exchange.asking import Browser, ask, request
from tests.exchange.conftest import SITE_URL, WHO, Systems, jwks
from tests.exchange.key_server import published
from tests.exchange.signing import Signer, ec_pair


async def token_of(client: Browser, signer: Signer, scope: str = "system/*.rs") -> str:
    answer = await ask(client, signer.assertion(), scope=scope)
    assert answer.status_code == 200, answer.text
    given: str = answer.json()["access_token"]
    return given


async def come_in(client: Browser, token: str) -> httpx.Response:
    return await client.get(WHO, headers={"Authorization": f"Bearer {token}"})


async def test_it_is_given_what_it_asks_for_and_is_registered_for(
    client: Browser, systems: Systems
) -> None:
    for asked, given in (
        ("system/CarePlan.rs", "system/CarePlan.rs"),
        ("system/*.rs", "system/CarePlan.rs system/Patient.rs"),
        ("system/*.cruds", "system/CarePlan.cruds system/Patient.rs"),
        ("system/CarePlan.read patient/Patient.rs launch", "system/CarePlan.rs"),
    ):
        answer = await ask(client, systems.gp.assertion(), scope=asked)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        told = answer.json()
        assert (told["token_type"], told["expires_in"]) == ("bearer", 300)
        assert told["scope"] == given
    for asked in ("", "system/Task.rs", "system/Patient.cud", "openid", "*"):
        answer = await ask(client, systems.gp.assertion(), scope=asked)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope"), asked


async def test_what_is_announced_is_what_works(client: Browser, systems: Systems) -> None:
    told = (await client.get(ANNOUNCED)).json()
    assert told["token_endpoint"] == SITE_URL + TOKENS == systems.gp.audience
    assert told["revocation_endpoint"] == SITE_URL + REVOKED
    assert told["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    for signer in (systems.gp, systems.gp_by_ec):
        assert (await ask(client, signer.assertion())).status_code == 200


async def test_it_is_known_by_its_token(
    client: Browser, systems: Systems, clock: FixedClock
) -> None:
    token = await token_of(client, systems.gp)
    came = await come_in(client, token)
    assert came.status_code == 200
    assert came.json()["id"] == str(systems.gp_id)
    assert came.json()["kind"] == "health"
    bare = await client.get(WHO)
    assert (bare.status_code, bare.headers["www-authenticate"]) == (401, 'Bearer realm="fhir"')
    for given in (f"Basic {token}", token, f"Bearer {token}x", "Bearer ", f"Bearer {token} x"):
        refused = await client.get(WHO, headers={"Authorization": given})
        assert refused.status_code == 401, given
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    two = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert (await client.get(WHO, headers=two)).status_code == 401
    narrow = await token_of(client, systems.gp, "system/Patient.rs")
    capped = await come_in(client, narrow)
    assert capped.status_code == 403
    assert 'error="insufficient_scope"' in capped.headers["www-authenticate"]
    clock.set(MORNING + timedelta(seconds=299))
    assert (await come_in(client, token)).status_code == 200
    clock.set(MORNING + timedelta(seconds=300))
    assert (await come_in(client, token)).status_code == 401


async def test_it_gives_back_its_own_tokens_and_no_others(
    client: Browser, systems: Systems
) -> None:
    token = await token_of(client, systems.gp)

    async def give_back(signer: Signer, given: str) -> int:
        answer = await client.post(REVOKED, data=request(signer.assertion(), token=given))
        return answer.status_code

    assert await give_back(systems.school, token) == 200
    assert (await come_in(client, token)).status_code == 200
    assert await give_back(systems.gp, "of nobody") == 200
    assert await give_back(systems.gp, "") == 400
    assert await give_back(systems.gp, token) == 200
    assert (await come_in(client, token)).status_code == 401
    answer = await client.post(REVOKED, data={"token": token})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def version(tenant: Tenant, client_id: UUID) -> int:
    async with tenant.transaction(JOB) as session:
        return (await one_client(session, client_id)).row.version


@pytest.mark.parametrize(
    "how", ["ended", "taken back", "other keys", "narrowed", "closed", "not yet"]
)
async def test_who_may_come_in_no_more_is_out_at_once(
    client: Browser, tenant: Tenant, systems: Systems, how: str
) -> None:
    token = await token_of(client, systems.gp)
    assert (await come_in(client, token)).status_code == 200
    gp, now = systems.gp_id, await version(tenant, systems.gp_id)
    other = ec_pair("ec-2")
    async with tenant.transaction(JOB) as session:
        row = await session.get_one(ExchangeClient, gp)
        if how == "ended":
            await end_client(session, gp, now, "It was replaced.")
        elif how == "taken back":
            await revoke_tokens(session, gp, now)
        elif how == "other keys":
            await change_keys(session, gp, now, jwks(other))
        elif how == "narrowed":
            await change_client(session, gp, now, "Practice records", "system/Patient.rs")
        elif how == "closed":
            (await session.get_one(Agency, row.agency_id)).closed_on = date(2026, 11, 23)
        else:
            row.from_on = date(2026, 11, 24)
    came = await come_in(client, token)
    assert came.status_code == (403 if how == "narrowed" else 401)
    again = (await ask(client, systems.gp.assertion())).status_code
    assert again == (200 if how in ("taken back", "narrowed") else 401)
    if how == "ended":
        async with tenant.transaction(JOB) as session:
            with pytest.raises(NotAllowed):
                await change_keys(session, gp, now + 1, jwks(other))
    elif how == "other keys":
        signer = Signer("gp-records", other, systems.gp.audience, systems.gp.now, made=50)
        assert (await ask(client, signer.assertion())).status_code == 200
        async with tenant.transaction(JOB) as session:
            with pytest.raises(Conflict):
                await change_keys(session, gp, now, jwks(other))


async def test_keys_are_read_where_they_are_published_and_nowhere_else(
    client: Browser, tenant: Tenant, systems: Systems, clock: FixedClock
) -> None:
    first, second, weak = ec_pair("a"), ec_pair("b"), ec_pair("c")
    with published() as server, published() as elsewhere:
        server.keys, elsewhere.keys = [first.public()], [first.public(), second.public()]
        async with tenant.transaction(JOB) as session:
            now = (await one_client(session, systems.gp_id)).row.version
            keys = KeysGiven("", server.address)
            await change_keys(session, systems.gp_id, now, keys, is_demo=True)

        def signed(pair: object = first, made: int = 0) -> Signer:
            assert pair in (first, second, weak)
            return Signer("gp-records", pair, systems.gp.audience, clock.now().timestamp(), made)

        assert (await ask(client, signed(made=1).assertion())).status_code == 200
        named = signed(made=2).assertion({"jku": server.address})
        assert (await ask(client, named)).status_code == 200
        assert server.asked == 1, "the keys are kept for a while"
        for pair in (first, second):
            other = signed(pair, 3).assertion({"jku": elsewhere.address})
            assert (await ask(client, other)).status_code == 401
        assert elsewhere.asked == 0, "an address in a token was asked"
        # A new key is found, though not at once whoever asks.
        server.keys = [second.public()]
        assert (await ask(client, signed(second, 4).assertion())).status_code == 401
        clock.set(MORNING + timedelta(seconds=61))
        assert (await ask(client, signed(second, 5).assertion())).status_code == 200
        assert server.asked == 2
        clock.set(MORNING + timedelta(hours=2))
        server.keys = "down"
        answer = await ask(client, signed(second, 6).assertion())
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_what_is_over_is_forgotten(
    client: Browser, tenant: Tenant, systems: Systems, clock: FixedClock
) -> None:
    await token_of(client, systems.gp)

    async def left() -> tuple[int, int]:
        async with tenant.transaction(JOB) as session:
            await forget_used(session, clock.now())
            count = "SELECT (SELECT count(*) FROM used_assertion), count(*) FROM exchange_token"
            used, tokens = (await session.execute(text(count))).one()
            return used, tokens

    assert await left() == (1, 1)
    clock.set(MORNING + timedelta(minutes=10))
    assert await left() == (0, 1)
    clock.set(MORNING + KEPT + timedelta(minutes=10))
    assert await left() == (0, 0)
