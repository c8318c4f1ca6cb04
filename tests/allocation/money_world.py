"""A child, who works with her and plans her package, a budget holder who signs it, and two pots."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.models import Agency
from panel.accounts.service import add_agency, add_worker, give_role
from panel.allocation import packages, pots
from panel.allocation.costing import Every
from panel.allocation.money import FinancialYear
from panel.allocation.package_models import PackageKind, Pot, PotKind, Unit
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate, rewrite_access
from panel.register.models import Involvement
from tests.sharing.family import Family, agreed, invented_family, record

THIS_YEAR = FinancialYear(2026)
FIRST = date(2026, 10, 1)

Open = Callable[..., AbstractAsyncContextManager[Access]]


@dataclass(frozen=True, slots=True)
class Money:
    """Who decides about money, and out of what."""

    family: Family
    budget: Viewer
    """A budget holder of the council, who works with the child."""
    planner: Viewer
    """A worker of the council's, who works with the child and plans what is signed."""
    stranger: Viewer
    """Another budget holder, who does not know the child."""
    council: UUID
    pot: UUID
    """The council's own, with £10,000 in 2026-27."""
    pooled: UUID
    """The council's and the health visitors', with £5,000 in 2026-27."""


@pytest.fixture
async def money(tenant: Tenant, gate: Gate) -> Money:
    return await invented_money(tenant, gate)


async def invented_money(tenant: Tenant, gate: Gate) -> Money:
    """Write it all down."""
    family = await invented_family(tenant)
    async with tenant.transaction(JOB) as session:
        council = await add_agency(session, key="council", name="Testshire Council", kind="council")

        async def holder(name: str, *roles: Role) -> Viewer:
            email = f"{name.split(maxsplit=1)[0].lower()}@council.example"
            worker = await add_worker(session, council, name=name, email=email)
            for role in roles:
                await give_role(session, worker, role)
            return Viewer(worker.id, ViewerKind.WORKER, council.id, "council", frozenset(roles))

        budget = await holder("Bola Finch", Role.BUDGET_HOLDER, Role.PRACTITIONER)
        planner = await holder("Petra Lund", Role.PRACTITIONER)
        stranger = await holder("Sten Marsh", Role.BUDGET_HOLDER)
        session.add_all(
            Involvement(
                child_id=family.child,
                agency_id=council.id,
                worker_id=one.id,
                from_on=date(2026, 9, 1),
            )
            for one in (budget, planner)
        )
        await session.flush()
        await rewrite_access(session, family.child)
    both = frozenset({family.school, family.health, council.id})
    await record(gate, family, agreed(family, agencies=both, named=frozenset({"finance"})))
    async with tenant.transaction(budget.id) as session:

        async def pot(name: str, kind: PotKind, amount: str, law: str | None = None) -> Pot:
            new = pots.NewPot(name, kind, council.id, THIS_YEAR, Decimal(amount), law)
            return await pots.make_pot(session, budget, new)

        own = await pot("Short breaks", PotKind.SHARE, "10000.00")
        pooled = await pot("Complex needs", PotKind.POOLED, "5000.00", "s75")
    return Money(family, budget, planner, stranger, council.id, own.id, pooled.id)


async def health_holder(tenant: Tenant, money: Money) -> Viewer:
    """A budget holder of the health visitors, who works with the child."""
    return await _another_holder(tenant, money, "Una Reed", money.family.health, "health")


async def council_holder(tenant: Tenant, money: Money) -> Viewer:
    """A second budget holder of the council, who works with the child."""
    return await _another_holder(tenant, money, "Cleo Marsh", money.council, "council")


async def _another_holder(
    tenant: Tenant, money: Money, name: str, agency_id: UUID, kind: str
) -> Viewer:
    async with tenant.transaction(JOB) as session:
        agency = await session.get_one(Agency, agency_id)
        email = f"{name.split(maxsplit=1)[0].lower()}@{kind}.example"
        worker = await add_worker(session, agency, name=name, email=email)
        for role in (Role.BUDGET_HOLDER, Role.PRACTITIONER):
            await give_role(session, worker, role)
        session.add(
            Involvement(
                child_id=money.family.child,
                agency_id=agency.id,
                worker_id=worker.id,
                from_on=date(2026, 9, 1),
            )
        )
        await session.flush()
        await rewrite_access(session, money.family.child)
    return replace(money.budget, id=worker.id, agency=agency.id, agency_kind=kind)


@pytest.fixture
def opened(gate: Gate, money: Money) -> Open:
    """Open the child's record as the budget holder, or as somebody else."""
    return opens(gate, money)


def opens(gate: Gate, money: Money) -> Open:
    """What opens the child's record."""

    @asynccontextmanager
    async def open_as(viewer: Viewer | None = None) -> AsyncIterator[Access]:
        who = viewer or money.budget
        async with gate.open(
            money.family.child, who, (Purpose.SUPPORT,), "tested packages"
        ) as access:
            yield access

    return open_as


async def planned(
    opened: Open,
    money: Money,
    kind: PackageKind = PackageKind.IN_KIND,
    *,
    price: str = "100.00",
    every: Every = Every.ONCE,
    pot: UUID | None = None,
    until_on: date | None = date(2027, 3, 31),
) -> UUID:
    """A package with one service that is ready to be approved."""
    async with opened(money.planner) as access:
        words = packages.PackageWords("Short breaks", kind, FIRST, until_on)
        made = await packages.start_package(access, words)
        await packages.add_line(
            access,
            made.id,
            made.version,
            packages.LineWords(
                "A night at Fern House",
                Decimal(1),
                Unit.NIGHT,
                every,
                FIRST,
                Decimal(price),
                law="s20",
            ),
        )
        payers = [packages.Payer(money.council, 100, pot or money.pot)]
        await packages.share_cost(access, made.id, made.version, payers, 100, THIS_YEAR)
        if kind is not PackageKind.IN_KIND:
            said = packages.Spending("Nights away", FIRST, "Ola Reed", broker_holds=True)
            await packages.plan_spending(access, made.id, made.version, said)
        return made.id


async def version_of(opened: Open, package_id: UUID) -> int:
    async with opened() as access:
        found = await packages.package_for_reading(access, package_id)
    assert isinstance(found, packages.PackageReading)
    return found.version
