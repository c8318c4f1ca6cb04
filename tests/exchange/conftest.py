"""Two worlds. `systems`: two agencies with a system each and a family, for the way in. `connected`: a
record with something of every type and a system that is told it, for what goes over HTTP.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from litestar import Litestar, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.testing import AsyncTestClient

from interop.client import FhirClient
from panel.accounts.desk import FOR_ANYBODY, Desk
from panel.exchange.clients import KeysGiven, NewClient, register_client
from panel.exchange.entering import client_of
from panel.exchange.tokens import TOKENS
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.exchange.connected import Connected, come_in, connected_world
from tests.exchange.signing import Pair, Signer, ec_pair, rsa_pair
from tests.sharing.family import Family, invented_family
from tests.sharing.test_access_is_a_superset import World, world

__all__ = ["world"]

WHO = "/fhir/R4/who-comes-in"
SITE_URL = "http://127.0.0.1:8000"


@get(WHO, include_in_schema=False, opt=FOR_ANYBODY)
async def who_comes_in(desk: NamedDependency[Desk]) -> dict[str, object]:
    """Who came in, for the tests."""
    client = await client_of(desk)
    client.require("CarePlan", "r")
    return {
        "id": str(client.viewer.id),
        "agency": str(client.agency_id),
        "kind": client.viewer.agency_kind,
        "scopes": list(client.scopes.listed()),
    }


BESIDE = (who_comes_in,)


@pytest.fixture
def beside() -> tuple[HTTPRouteHandler, ...]:
    return BESIDE


@pytest.fixture(scope="session")
def rsa_keys() -> Pair:
    """Made once: it takes long."""
    return rsa_pair("rsa-1")


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)


@dataclass(frozen=True)
class Systems:
    """The health agency's system with two keys, and the school's with one."""

    gp: Signer
    gp_by_ec: Signer
    school: Signer
    gp_id: UUID
    school_id: UUID


def jwks(*pairs: Pair) -> KeysGiven:
    return KeysGiven(json.dumps({"keys": [one.public() for one in pairs]}), "")


@pytest.fixture
async def systems(tenant: Tenant, family: Family, clock: FixedClock, rsa_keys: Pair) -> Systems:
    by_ec, of_school = ec_pair("ec-1"), ec_pair("ec-1")
    async with tenant.transaction(JOB) as session:
        gp = await register_client(
            session,
            NewClient(
                "gp-records",
                "Practice records",
                family.health,
                "system/CarePlan.cruds system/Patient.rs",
                jwks(rsa_keys, by_ec),
            ),
        )
        school = await register_client(
            session,
            NewClient("school", "School records", family.school, "system/*.rs", jwks(of_school)),
        )
    audience, now = f"{SITE_URL}{TOKENS}", clock.now().timestamp()
    return Systems(
        Signer("gp-records", rsa_keys, audience, now),
        Signer("gp-records", by_ec, audience, now, made=1000),
        Signer("school", of_school, audience, now),
        gp.id,
        school.id,
    )


@pytest.fixture
async def connected(tenant: Tenant, world: World) -> Connected:
    return await connected_world(tenant, world)


@pytest.fixture
async def ours(
    app: Litestar, client: AsyncTestClient[Litestar], tenant: Tenant, connected: Connected
) -> AsyncIterator[FhirClient]:
    """The client library of a system that is told everything of `connected.child`."""
    async with come_in(app, tenant, connected.ours) as opened:
        yield opened
