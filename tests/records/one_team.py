"""A child with one agency and one worker who works with them: the least that the gate knows."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from panel.accounts.service import add_agency, add_worker
from panel.platform.clock import today
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access
from panel.register.models import Child, Involvement


class OneTeam(NamedTuple):
    """The ids of Amina Kestrel, Health visiting and Rosa Whitlow."""

    child: UUID
    agency: UUID
    worker: UUID


async def one_team(tenant: Tenant) -> OneTeam:
    """Write the three down, with their involvement from today on."""
    async with tenant.transaction(JOB) as session:
        agency = await add_agency(session, key="hv", name="Health visiting", kind="health")
        worker = await add_worker(session, agency, name="Rosa Whitlow", email="rosa@demo.example")
        child = Child(reference="C-1", given_name="Amina", family_name="Kestrel")
        await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
        session.add(child)
        await session.flush()
        session.add(
            Involvement(
                child_id=child.id,
                agency_id=agency.id,
                worker_id=worker.id,
                from_on=today(tenant.clock),
            )
        )
        await rewrite_access(session, child.id)
        return OneTeam(child.id, agency.id, worker.id)
