"""Two agencies with children, a council whose administrators look after all, and one of its own."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer, ViewerKind
from panel.accounts.models import Agency, Worker
from panel.accounts.service import add_agency, add_worker, give_role
from panel.panels.leavers import CasesOfLeavers
from panel.plans.models import Action, Plan
from panel.plans.service import import_lead
from panel.platform.clock import today
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access
from panel.register.models import Involvement
from panel.register.service import NewChild
from panel.register.service import add_child as add_to_register

CASEWORK = CasesOfLeavers()


@dataclass(frozen=True)
class Staff:
    """Who works where."""

    council: UUID
    health: UUID
    portage: UUID
    alan: Viewer
    """An administrator of the council, who looks after every agency's accounts."""
    berta: Viewer
    """The council's second administrator."""
    cyril: Viewer
    """The administrator of health."""
    rosa: Viewer
    """A health visitor who leads Amina's plan."""
    ines: Viewer
    """Health's manager."""
    tomas: Viewer
    """A portage visitor who leads Bilal's plan; portage has no manager."""
    amina: UUID
    bilal: UUID


async def worker(
    session: AsyncSession, agency: Agency, name: str, *roles: Role, panel: UUID | None = None
) -> Viewer:
    """Somebody with their roles."""
    email = f"{name.split(maxsplit=1)[0].lower()}@{agency.key}.example"
    made = await add_worker(session, agency, name=name, email=email)
    for role in roles:
        await give_role(session, made, role, panel)
    return Viewer(made.id, ViewerKind.WORKER, agency.id, agency.kind, frozenset(roles))


async def child(session: AsyncSession, name: str, agency: UUID, lead: UUID, day: date) -> UUID:
    """A child with an agency, a lead professional and an open action of theirs."""
    made = await add_to_register(
        session, NewChild(name, "Testing", date(2021, 5, 4)), agency_id=agency, from_on=day
    )
    session.add(
        Involvement(child_id=made.id, agency_id=agency, worker_id=lead, part="visits", from_on=day)
    )
    await import_lead(session, made.id, await session.get_one(Worker, lead), day)
    plan = Plan(child_id=made.id, author_agency_id=agency, started_on=day, state="agreed")
    session.add(plan)
    await session.flush()
    session.add(Action(child_id=made.id, plan_id=plan.id, text="Ring", owner_worker_id=lead))
    await session.flush()
    await rewrite_access(session, made.id)
    return made.id


async def invented_staff(tenant: Tenant) -> Staff:
    """Three agencies with their people, and two children with a plan each."""
    day = today(tenant.clock) - timedelta(days=60)
    async with tenant.transaction(JOB) as session:
        council = await add_agency(session, key="council", name="Testshire", kind="council")
        health = await add_agency(session, key="health", name="Health visiting", kind="health")
        portage = await add_agency(session, key="portage", name="Portage", kind="education")
        rosa = await worker(session, health, "Rosa Whitlow", Role.PRACTITIONER)
        tomas = await worker(session, portage, "Tomas Reed", Role.PRACTITIONER)
        return Staff(
            council.id,
            health.id,
            portage.id,
            await worker(session, council, "Alan Thimble", Role.ADMINISTRATOR),
            await worker(session, council, "Berta Vole", Role.ADMINISTRATOR),
            await worker(session, health, "Cyril Ash", Role.ADMINISTRATOR),
            rosa,
            await worker(session, health, "Ines Marlow", Role.MANAGER),
            tomas,
            await child(session, "Amina", health.id, rosa.id, day),
            await child(session, "Bilal", portage.id, tomas.id, day),
        )
