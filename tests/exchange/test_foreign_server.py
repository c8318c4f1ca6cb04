"""The exchange with a server that is not ours: what Panel tells goes there, and comes back.

The other is medplum's router with a repository in memory, over HTTP on this machine.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from interop.client import FhirClient
from interop.client_answers import Changed, NotThere, Resource, Waits
from interop.client_bundles import renamed, transaction_of
from interop.incoming import read
from interop.origin import is_sent
from interop.served import SERVED
from panel.exchange.inbox_models import RAW_FIELD, ReceivedPiece
from panel.platform.tables import KEYS
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from tests.exchange.connected import Connected
from tests.interop.foreign_server import medplum_server


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with medplum_server() as started:
        yield started


@pytest.fixture
async def foreign(address: str) -> AsyncIterator[FhirClient]:
    async with FhirClient(address) as client:
        yield client


@pytest.fixture
async def told(ours: FhirClient, connected: Connected) -> list[Resource]:
    """All that Panel tells of a child."""
    return [one async for one in ours.everything(str(connected.child))]


def said(content: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """What a resource says, but for its own id, its meta, and under which names it refers."""
    bare = {key: one for key, one in content.items() if key not in ("id", "meta")}
    return renamed(bare, names)


async def test_a_record_goes_there_and_comes_back(
    told: list[Resource], foreign: FhirClient, ours: FhirClient, tenant: Tenant
) -> None:
    assert len({one.type for one in told}) > 15
    written = await foreign.transaction(transaction_of(told))
    assert [(one.status, one.type) for one in written] == [(201, one.type) for one in told]
    names = {
        f"{made.type}/{made.id}": one.reference for one, made in zip(told, written, strict=True)
    }
    for one, made in zip(told, written, strict=True):
        kept = await foreign.read(made.type, made.id)
        assert said(kept.content, names) == said(one.content, {}), one.reference
    # And what it holds is read as what other systems send: all of it, page by page.
    here = {f"{made.type}/{made.id}" for made in written}
    found: list[Resource] = []
    for kind in sorted({one.type for one in told}):
        pages = [page async for page in foreign.pages(kind, {"_count": "2"})]
        assert all(len(page.matches) <= 2 for page in pages)
        found += [one for page in pages for one in page.matches if one.reference in here]
    assert {one.reference for one in found} == here
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": msgspec.Raw(one.body)} for one in found],
    }
    received = read(msgspec.json.encode(bundle))
    assert not received.broken
    assert len(received.pieces) == len(found)
    assert [(one.path, one.problems) for one in received.pieces if one.problems] == []
    mapped = Counter(one.type for one in received.pieces if one.message is not None)
    # What systems sent here is told as it came where Panel has no words for it, and so it goes on.
    kept_types = Counter(
        one.type
        for one in received.pieces
        if one.message is None and not is_sent(msgspec.json.decode(one.raw))
    )
    assert (mapped.keys() & {"Patient", "CarePlan", "Task"}) == {"Patient", "CarePlan", "Task"}
    assert kept_types.keys() <= {"AuditEvent", "Provenance"}
    await _handed_in(ours, tenant, bundle, found)


async def _handed_in(
    ours: FhirClient, tenant: Tenant, bundle: dict[str, Any], found: list[Resource]
) -> None:
    """What the other server holds goes into Panel's inbox: every piece, byte for byte."""
    sent = msgspec.json.encode(bundle)
    first, again = await ours.hand_in(sent), await ours.hand_in(sent)
    assert (first.status, first.type) == (202, "Bundle")
    assert again.id == first.id
    may_be_sent = [one for one in found if SERVED[one.type].writable]
    with pytest.raises(Waits):
        # The child's NHS number was never traced: a person has to say who it is.
        await ours.transaction(transaction_of(may_be_sent))
    async with tenant.transaction(JOB) as session:
        rows = list(
            await session.scalars(
                select(ReceivedPiece).where(ReceivedPiece.received_id == UUID(first.id))
            )
        )
        await load_keys(session, {one.holder_id for one in rows})
        keys = session.info[KEYS]
        kept = {keys.open_bytes(one.holder_id, RAW_FIELD, one.id, one.raw) for one in rows}
    assert kept == {one.body for one in found}
    assert not any(one.state == "quarantined" for one in rows)


async def test_the_client_writes_there(foreign: FhirClient) -> None:
    number = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990548609"}
    new = {"resourceType": "Patient", "identifier": [number], "name": [{"family": "Kestrel"}]}
    wanted = {"identifier": f"{number['system']}|{number['value']}"}
    made = await foreign.create(new, unless=wanted)
    again = await foreign.create(new, unless=wanted)
    assert (made.status, again.status, again.id) == (201, 200, made.id)
    changed = await foreign.update({**new, "id": made.id, "active": True}, made.version)
    assert changed.is_done
    with pytest.raises(Changed):
        await foreign.update({**new, "id": made.id, "active": False}, made.version)
    past = [one.resource async for one in foreign.history("Patient", made.id)]
    assert [one.content.get("active") for one in past if one] == [True, None]
    then = await foreign.vread("Patient", made.id, made.version)
    assert "active" not in then.content
    with pytest.raises(NotThere):
        await foreign.read("Patient", "not-there")
