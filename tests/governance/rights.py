"""Requests about own data and closed records, as their tests need them."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from consent import Viewer
from panel.governance.rights_copies import decide, gather_waiting, make, read_copy
from panel.governance.rights_models import Exemption, RightKind, RightRequest
from panel.governance.rights_service import SUBJECT_ACCESS, Taken, ask_for_copy, identify, take_in
from panel.platform.tables import Base
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.models import Child, Episode, SignificantEvent
from panel.sharing.gateways import ensure_gateways
from tests.governance.conftest import Offices
from tests.sharing.family import TODAY, Family


async def duties(tenant: Tenant) -> None:
    """The right of access, among the duties that an authority starts with."""
    async with tenant.transaction(JOB) as session:
        await ensure_gateways(session)


async def write(tenant: Tenant, *rows: Base) -> None:
    """Written down by scheduled work."""
    async with tenant.transaction(JOB) as session:
        session.add_all(rows)


async def happened(tenant: Tenant, family: Family, said: str) -> None:
    """An event on the record, in these words."""
    event = SignificantEvent(
        child_id=family.child,
        happened_on=TODAY,
        kind="other",
        category="health",
        author_agency_id=family.health,
        text=said,
    )
    await write(tenant, event)


async def asked(
    tenant: Tenant,
    gate: Gate,
    lead: Viewer,
    kind: RightKind = RightKind.ACCESS,
    received_on: date = TODAY,
) -> UUID:
    """A request that the lead took in."""
    async with tenant.transaction(lead.id) as session:
        taken = Taken("C-1001", kind, received_on, "Her mother, by letter", "All that you have")
        return (await take_in(session, gate, lead, taken)).id


async def version_of(tenant: Tenant, right_id: UUID) -> int:
    """As it is kept now."""
    async with tenant.transaction(JOB) as session:
        return (await session.get_one(RightRequest, right_id)).version


async def known(tenant: Tenant, gate: Gate, family: Family, offices: Offices, person: UUID) -> UUID:
    """A request of somebody who has shown who they are."""
    right_id = await asked(tenant, gate, offices.lead)
    version = await version_of(tenant, right_id)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "saw the proof") as access:
        await identify(access, right_id, version, person, "Passport seen", TODAY)
    return right_id


async def gathered(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices, person: UUID
) -> UUID:
    """A copy for them that the job gathered."""
    right_id = await known(tenant, gate, family, offices, person)
    version = await version_of(tenant, right_id)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "asked for it") as access:
        file_id = (await ask_for_copy(access, right_id, version)).id
    assert await gather_waiting(gate) == 1
    return file_id


async def decided(
    gate: Gate, family: Family, offices: Offices, file_id: UUID, *, out: tuple[str, ...] = ()
) -> None:
    """Every marked place is kept, but where one of these words stands."""
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "went through") as access:
        waiting = [one.id for one in (await read_copy(access, file_id)).redactions]
    for mark_id in waiting:
        async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "decided") as access:
            read = await read_copy(access, file_id)
            one = next(row for row in read.redactions if row.id == mark_id)
            if one.takes_out is None:
                goes = any(word in one.words for word in out)
                exemption = Exemption.SOMEBODY_ELSE if goes else None
                await decide(access, one.id, one.version, exemption, "It is so")


async def made(gate: Gate, family: Family, offices: Offices, file_id: UUID) -> str:
    """The file."""
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "made the file") as access:
        await make(access, file_id)
        return (await read_copy(access, file_id)).file.made


async def closed(tenant: Tenant, child_id: UUID, on: date, born: date) -> None:
    """The record is closed."""
    async with tenant.transaction(JOB) as session:
        child = await session.scalar(select(Child).where(Child.id == child_id))
        assert child is not None
        child.birth_date = born
        session.add(
            Episode(
                child_id=child_id,
                opened_on=date(on.year - 1, 1, 1),
                closed_on=on,
                closure_reason="needs_met",
            )
        )
