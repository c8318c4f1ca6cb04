"""A whole record as a client is sent it, and what is equal in two authorities."""

import json
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Raw

from consent import Viewer, ViewerKind
from interop import systems
from interop.origin import is_sent
from interop.scopes import read_scopes
from panel.accounts.models import Agency
from panel.exchange.clients import NewClient, register_client
from panel.exchange.entering import Client
from panel.exchange.reading import everything
from panel.exchange.resources import Told
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.state import SharingFacts
from tests.exchange.conftest import jwks
from tests.exchange.signing import ec_pair

OWN_NUMBERS = frozenset({systems.CHILD_REFERENCE, systems.REQUEST_REFERENCE, systems.AGENCY_ID})
"""What an authority numbers by itself."""
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def client_of(tenant: Tenant, agency_id: UUID) -> Client:
    """A system of an agency that may read everything."""
    async with tenant.transaction(JOB) as session:
        agency = await session.get_one(Agency, agency_id)
        new = NewClient("system", "A system", agency_id, "system/*.rs", jwks(ec_pair("ec-1")))
        made = await register_client(session, new)
        viewer = Viewer(made.id, ViewerKind.CLIENT, agency_id, agency.kind)
    return Client(viewer, read_scopes(["system/*.rs"]), "system", "A system")


async def exported(tenant: Tenant, client: Client, child: UUID) -> Sequence[Told]:
    """All that the client may be told of a child."""
    gate = Gate(tenant, SharingFacts())
    async with tenant.transaction(client.viewer.id) as session:
        return await everything(gate, session, client, child)


def bundle(told: Sequence[Told]) -> bytes:
    """One child's record in a Bundle, as it is exported."""
    base = "http://testshire.localhost/fhir/R4"
    entry = [
        {"fullUrl": f"{base}/{one.resource}/{one.id}", "resource": Raw(one.stamped.body)}
        for one in told
    ]
    return msgspec.json.encode({"resourceType": "Bundle", "type": "collection", "entry": entry})


def ndjson(told: Sequence[Told]) -> bytes:
    """Records with a resource on each line."""
    return b"".join(one.stamped.body + b"\n" for one in told)


def equal_parts(told: Sequence[Told], without: frozenset[str]) -> list[Any]:
    """What is the same of a record wherever it lies.

    Left out: `meta.versionId` and `meta.lastUpdated`, `Task.lastModified` (when this system
    changed its row), and what an authority numbers by itself (`OWN_NUMBERS`). Ids are replaced by
    their type and order of appearance, of resources that are put in order by all that they say
    but ids. Types in `without` are left out, and what other systems sent, which moves nowhere.
    """
    kept = [
        json.loads(one.stamped.body)
        for one in told
        if one.resource not in without and not is_sent(one.content)
    ]
    for resource in kept:
        for name in ("versionId", "lastUpdated"):
            resource["meta"].pop(name, None)
        resource.pop("lastModified", None)
        for identifier in resource.get("identifier", ()):
            if identifier["system"] in OWN_NUMBERS:
                identifier["value"] = "its own"
    kept.sort(key=lambda one: (one["resourceType"], _ID.sub("", json.dumps(one, sort_keys=True))))
    kinds = {one["id"]: one["resourceType"] for one in kept if "id" in one}
    written = json.dumps(kept, sort_keys=True)
    numbers: dict[str, str] = {}
    for found in _ID.findall(written):
        numbers.setdefault(found, f"{kinds.get(found, 'somebody')} {len(numbers)}")
    again: list[Any] = json.loads(_ID.sub(lambda found: numbers[found[0]], written))
    return again
