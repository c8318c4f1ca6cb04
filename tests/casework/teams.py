"""Two health visitors and their manager, with children whom one of them leads."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer, ViewerKind
from panel.accounts.models import Agency
from panel.accounts.service import SignedIn, add_agency, add_worker, give_role, worker_at_desk
from panel.plans.models import Action, LeadProfessional
from panel.platform.clock import today
from panel.platform.tables import today_of
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access
from panel.register.history import open_episode
from tests.plans.conftest import add_child

CANARY = "Zephyrine"
"""The name of every child here: it must stand in no calendar and no e-mail."""


@dataclass(frozen=True)
class Team:
    """Who takes part, and the children whom Rosa leads."""

    rosa: Viewer
    tomas: Viewer
    beth: Viewer
    ines: Viewer
    """Their manager."""
    otto: Viewer
    """Of another agency."""
    children: tuple[UUID, ...]


async def add_people(session: AsyncSession) -> dict[str, Viewer]:
    """Four of health, one of housing."""
    viewers = {}
    agencies: dict[str, Agency] = {}
    for key, kind in (("health", "health"), ("housing", "council")):
        agencies[key] = await add_agency(session, key=key, name=key.capitalize(), kind=kind)
    for name, key, role in (
        ("Rosa Whitlow", "health", Role.PRACTITIONER),
        ("Tomas Reed", "health", Role.PRACTITIONER),
        ("Beth Amory", "health", Role.PRACTITIONER),
        ("Ines Marlow", "health", Role.MANAGER),
        ("Otto Straw", "housing", Role.PRACTITIONER),
    ):
        first, agency = name.split()[0].lower(), agencies[key]
        worker = await add_worker(session, agency, name=name, email=f"{first}@demo.example")
        await give_role(session, worker, role)
        viewers[first] = Viewer(
            worker.id, ViewerKind.WORKER, agency.id, agency.kind, frozenset({role})
        )
    return viewers


async def add_led(session: AsyncSession, reference: str, rosa: Viewer) -> UUID:
    """A child with an open case, whom Rosa leads, and one action of hers."""
    day = today_of(session)
    child = await add_child(session, reference, CANARY, [rosa], day)
    await open_episode(session, child, day.replace(month=1, day=5))
    session.add(
        LeadProfessional(
            child_id=child,
            worker_id=rosa.id,
            agency_id=rosa.agency,
            state="accepted",
            offered_on=day.replace(month=2, day=2),
            offered_by=rosa.id,
            from_on=day.replace(month=2, day=2),
        )
    )
    session.add(Action(child_id=child, owner_worker_id=rosa.id, text=f"Ring {CANARY}", due_on=day))
    await rewrite_access(session, child)
    return child


@pytest.fixture
async def team(tenant: Tenant) -> Team:
    """Seven children with Rosa."""
    async with tenant.transaction(JOB) as session:
        viewers = await add_people(session)
        children = tuple([await add_led(session, f"B-{n}", viewers["rosa"]) for n in range(7)])
    return Team(children=children, **viewers)


async def at_desk(tenant: Tenant, viewer: Viewer) -> SignedIn:
    """A worker as the desk knows them."""
    async with tenant.reading(viewer.id) as connection:
        found = await worker_at_desk(connection, tenant.ring, viewer.id, tenant.clock.now())
    assert found is not None
    assert today(tenant.clock)
    return found
