"""A small authority: two agencies with a worker each, and children of theirs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.service import add_agency, add_worker, give_role
from panel.platform.clock import today
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.service import NewChild, add_child
from panel.sharing.models import SharingRestriction

SUPPORT = (Purpose.SUPPORT, Purpose.PANEL)


@dataclass(frozen=True)
class Team:
    """Who takes part in these tests."""

    rosa: Viewer
    """A health visitor."""
    hana: Viewer
    """Of the early years education team, with no child of her own."""


@pytest.fixture
async def team(tenant: Tenant) -> Team:
    """Two practitioners at two agencies."""
    viewers = []
    async with tenant.transaction(JOB) as session:
        for key, name, kind, worker_name in (
            ("health-visiting", "Health visiting", "health", "Rosa Whitlow"),
            ("early-years", "Early years inclusion", "education", "Hana Oduya"),
        ):
            agency = await add_agency(session, key=key, name=name, kind=kind)
            worker = await add_worker(
                session, agency, name=worker_name, email=f"{key}@demo.example"
            )
            await give_role(session, worker, Role.PRACTITIONER)
            viewers.append(
                Viewer(
                    worker.id, ViewerKind.WORKER, agency.id, kind, frozenset({Role.PRACTITIONER})
                )
            )
    return Team(*viewers)


Add = Callable[..., Awaitable[UUID]]


@pytest.fixture
def add(tenant: Tenant, team: Team) -> Add:
    """Add a child of Rosa's, or of `viewer`'s: add("Amina", "Kestrel", date(2022, 3, 9))."""

    async def add_one(
        given: str,
        family: str,
        born: date | None = date(2022, 3, 9),
        viewer: Viewer | None = None,
        **known: Any,
    ) -> UUID:
        viewer = viewer or team.rosa
        async with tenant.transaction(viewer.id) as session:
            child = await add_child(
                session,
                NewChild(given, family, born, **known),
                agency_id=viewer.agency,
                worker_id=viewer.id,
                from_on=today(tenant.clock),
            )
            return child.id

    return add_one


Protect = Callable[..., Awaitable[None]]


@pytest.fixture
def protect(tenant: Tenant) -> Protect:
    """Protect a category of a child, from everybody or from some: protect(child, "contact")."""

    async def protect_one(child: UUID, category: str, *against: UUID, silent: bool = False) -> None:
        async with tenant.transaction(JOB) as session:
            session.add(
                SharingRestriction(
                    child_id=child,
                    kind="protection",
                    categories=[category],
                    against=list(against),
                    from_on=date(2026, 1, 1),
                    silent=silent,
                )
            )

    return protect_one
