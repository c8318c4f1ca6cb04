"""A small authority for plans: two agencies, their people, and one child with both around her."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import pytest
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.desk import Desk
from panel.accounts.service import add_agency, add_worker, give_role
from panel.plans.pages import lead_home
from panel.plans.service import HOME_KEY, home_of_lead
from panel.platform.clock import today
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate, rewrite_access
from panel.register.models import Child, Involvement
from panel.sharing.models import SharingAgreement
from panel.web.paging import read_cursor
from tests.conftest import Pages

SUPPORT = (Purpose.SUPPORT, Purpose.PANEL)

Open = Callable[..., AbstractAsyncContextManager[Access]]


@dataclass(frozen=True)
class People:
    """Who takes part in these tests, and the child."""

    child: UUID
    rosa: Viewer
    """A health visitor in the child's team."""
    tomas: Viewer
    """A portage visitor in the child's team."""
    ines: Viewer
    """Rosa's manager."""
    beth: Viewer
    """Another portage visitor, who does not know the child."""
    stranger: Viewer
    """Of an agency that has no part in the child's life."""


@pytest.fixture
async def people(tenant: Tenant) -> People:
    """The child Amina, with health visiting and portage, and an agreement for both."""
    async with tenant.transaction(JOB) as session:
        viewers = {}
        agencies = {}
        for key, kind in (("health", "health"), ("portage", "education"), ("housing", "council")):
            agencies[key] = await add_agency(session, key=key, name=key.capitalize(), kind=kind)
        for name, key, role in (
            ("Rosa Whitlow", "health", Role.PRACTITIONER),
            ("Tomas Reed", "portage", Role.PRACTITIONER),
            ("Ines Marlow", "health", Role.MANAGER),
            ("Beth Amory", "portage", Role.PRACTITIONER),
            ("Otto Straw", "housing", Role.PRACTITIONER),
        ):
            first = name.split()[0].lower()
            agency = agencies[key]
            worker = await add_worker(session, agency, name=name, email=f"{first}@demo.example")
            await give_role(session, worker, role)
            viewers[first] = Viewer(
                worker.id, ViewerKind.WORKER, agency.id, agency.kind, frozenset({role})
            )
        day = today(tenant.clock)
        child = await add_child(session, "C-1", "Amina", [viewers["rosa"], viewers["tomas"]], day)
        session.add(agreement(child, [viewers["rosa"], viewers["tomas"]], day))
        await rewrite_access(session, child)
    return People(
        child, viewers["rosa"], viewers["tomas"], viewers["ines"], viewers["beth"], viewers["otto"]
    )


async def add_child(
    session: AsyncSession, reference: str, name: str, team: Sequence[Viewer], day: date
) -> UUID:
    """A child with a team since half a year."""
    child = Child(
        reference=reference, given_name=name, family_name="Kestrel", birth_date=date(2022, 3, 9)
    )
    await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
    session.add(child)
    await session.flush()
    for viewer in team:
        assert viewer.agency is not None
        session.add(
            Involvement(
                child_id=child.id,
                agency_id=viewer.agency,
                worker_id=viewer.id,
                part="visiting",
                from_on=day - timedelta(days=180),
            )
        )
    await rewrite_access(session, child.id)
    return child.id


def agreement(child: UUID, receivers: Sequence[Viewer], day: date) -> SharingAgreement:
    """Her mother agreed that basic information is shared with these people's agencies."""
    return SharingAgreement(
        child_id=child,
        given=True,
        by_person_id=child,
        capacity="parental_responsibility",
        by_words="her mother",
        agencies=[one.agency for one in receivers],
        not_agencies=[],
        level="basic",
        named=["views"],
        purposes=["support", "panel", "review"],
        from_on=day - timedelta(days=100),
    )


@pytest.fixture
def opened(gate: Gate, people: People) -> Open:
    """Open Amina's record, or another child's, as somebody."""

    @asynccontextmanager
    async def open_as(viewer: Viewer, child: UUID | None = None) -> AsyncIterator[Access]:
        async with gate.open(child or people.child, viewer, SUPPORT, "tested plans") as access:
            yield access

    return open_as


@pytest.fixture
def another_child(tenant: Tenant) -> Callable[..., Awaitable[UUID]]:
    """Add a child with a team: another_child("C-2", "Theo", [people.rosa])."""

    async def add(reference: str, name: str, team: Sequence[Viewer]) -> UUID:
        day = today(tenant.clock)
        async with tenant.transaction(JOB) as session:
            child = await add_child(session, reference, name, team, day)
            session.add(agreement(child, team, day))
            await rewrite_access(session, child)
            return child

    return add


@get("/my-home", include_in_schema=False)
async def my_home(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[str]:
    """The lead professional's home, as the site's first page shows it."""
    asked = read_cursor(page, HOME_KEY)
    home = await home_of_lead(desk.gate, desk.viewer, desk.purposes, asked)
    return desk.page("plans/lead_home.html", page=lead_home(home, "/my-home"))


@pytest.fixture
def beside() -> Pages:
    """The lead professional's home at an address of its own."""
    return (my_home,)
