"""A world in which a system of an agency may be told of children: for whatever goes over HTTP.

The first agency of the world works with two children and has a system. The family of the first
agreed to everything for the exchange, and the record has something of every type; the family of the
second agreed to nothing, and others wrote all of their record. A system of the second agency, which works with neither, is there too.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

import httpx
from joserfc.jwk import ECKey
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from interop.client import Credentials, FhirClient, SigningKey
from interop.client_tokens import public_set
from panel.accounts.service import add_agency
from panel.assessments.service import ensure_forms
from panel.exchange.clients import KeysGiven, NewClient, register_client
from panel.exchange.fhir_routes import BASE
from panel.exchange.history import keep_versions
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_viewer
from tests.exchange.content import Authors, Content, write_content
from tests.sharing.test_access_is_a_superset import World, write

SITE_URL = "http://127.0.0.1:8000"
FHIR = SITE_URL + BASE
SINCE = (date(2026, 11, 1), None)
OURS, OTHERS = 0, 1
"""Numbers of the two agencies that have a system."""
ALL_TYPES = "system/*.cruds"
NOTHING: dict[str, object] = {
    "lead": None, "referred": None, "agenda": None, "guest": None, "objection": None,
    "restrictions": [], "orders": [], "override": None, "enquiry": None, "client": None,
}  # fmt: skip
KNOWN = {
    "involved": [(OURS, True, SINCE)], "family": (True, SINCE), "agreements": []
}  # fmt: skip
AGREED = (True, [OURS], [], "additional", list(Category), SINCE, False)
AUTHORS = Authors(
    child=OURS,
    family=OURS,
    plan=2,
    sections=(OURS, 2, 2, 3),
    request=(2, Category.HEALTH),
    note=(2, ()),
    sitting=OURS,
    episode=OURS,
)
BY_OTHERS = replace(
    AUTHORS, child=2, family=2, sections=(2, 2, 2, 2), sitting=2, episode=2, senders=(2, 3)
)


@dataclass(frozen=True)
class System:
    """A registered client with the key that it signs with."""

    id: UUID
    key: str
    signing: SigningKey


@dataclass(frozen=True)
class Connected:
    """What there is."""

    world: World
    child: UUID
    """Whose family agreed to everything; `content` says what there is of them."""
    withheld: UUID
    """Of whom it may be told nothing."""
    content: Content
    ours: System
    others: System


async def connected_world(tenant: Tenant, world: World) -> Connected:
    """Write it down."""
    async with tenant.transaction(JOB) as session:
        await add_agency(session, key="council", name="Council", kind="council")
        await ensure_forms(session)
    facts: dict[str, object] = {**NOTHING, **KNOWN}
    child, *_ = await write(tenant, world, {**facts, "agreements": [AGREED]})
    withheld, *_ = await write(tenant, world, facts)
    async with tenant.transaction(JOB) as session:
        content = await write_content(session, world, child, AUTHORS)
        await write_content(session, world, withheld, BY_OTHERS)
        ours = await add_system(session, "ours", world.agencies[OURS])
        others = await add_system(session, "others", world.agencies[OTHERS])
    async with tenant.transaction(JOB) as session:
        await keep_versions(session, tenant.clock.now())
    return Connected(world, child, withheld, content, ours, others)


async def add_system(
    session: AsyncSession, key: str, agency: UUID, scopes: str = ALL_TYPES
) -> System:
    """A system of an agency, with a key of its own."""
    signing = SigningKey.from_jwk(
        ECKey.generate_key("P-384").as_dict(private=True) | {"kid": f"{key}-1"}
    )
    given = KeysGiven(json.dumps(public_set([signing])), "")
    made = await register_client(session, NewClient(key, f"System {key}", agency, scopes, given))
    await rewrite_viewer(session, made.id)
    return System(made.id, key, signing)


@asynccontextmanager
async def come_in(
    app: Litestar, tenant: Tenant, system: System, *scopes: str
) -> AsyncIterator[FhirClient]:
    """The client library of a system, talking to the site."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport) as http:
        credentials = Credentials(system.key, (system.signing,), scopes or (ALL_TYPES,))
        yield FhirClient(FHIR, credentials, http=http, now=lambda: tenant.clock.now().timestamp())
