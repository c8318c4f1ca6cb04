"""A package of every crawled child with a row of each kind, and one pot that pays for all."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Worker
from panel.allocation import pots
from panel.allocation.package_models import (
    EntryKind,
    FundingShare,
    InclusionGrant,
    LineActual,
    Package,
    PackageChange,
    PackageSignature,
    Payment,
    PaymentReturn,
    Pot,
    Reconciliation,
    ServiceLine,
    ShortBreak,
    UnitPrice,
)


class HasWorkers(Protocol):
    """The workers of the crawl, by the name in their address."""

    workers: dict[str, Worker]


async def packaged(session: AsyncSession, world: HasWorkers, child: UUID) -> None:
    """A direct payment with its lines, payer, payments, returns and days away; a grant."""
    now: datetime = session.info["now"]
    today = now.date()
    before = today - timedelta(days=30)
    author, other = world.workers["rosa"].agency_id, world.workers["tom"].agency_id
    about: Mapping[str, Any] = {"child_id": child}
    pot = await _pot(session, author, today)
    package = Package(
        **about, author_agency_id=author, name="Time away", kind="direct_payment", state="active",
        from_on=before, shared_by=100, spending_plan="Nights at an aunt's", plan_agreed_on=before,
        broker="Ola Reed", broker_holds=True, approved_on=before,
    )  # fmt: skip
    session.add(package)
    await session.flush()
    line = ServiceLine(
        **about, package_id=package.id, what="A night away", units=Decimal(1), unit="night",
        every="week", from_on=before, law="s20",
    )  # fmt: skip
    session.add(line)
    await session.flush()
    days: Mapping[str, Any] = {"from_on": before, "until_on": today}
    session.add_all([
        UnitPrice(**about, service_line_id=line.id, amount=Decimal("70.00"), from_on=before),
        LineActual(
            **about, **days, service_line_id=line.id, units=Decimal(1), amount=Decimal("70.00")
        ),
        ShortBreak(**about, **days, service_line_id=line.id, passes_limit=False),
        FundingShare(
            **about, package_id=package.id, agency_id=author, parts=100, pot_id=pot.id,
            from_on=date(2026, 4, 1),
        ),
        PackageChange(
            **about, package_id=package.id, kind="end_line", what="A night away", state="waits",
            said={"line_id": str(line.id), "until_on": today.isoformat()},
            financial_year="2026-27", cost_before=Decimal(70), cost_after=Decimal(140),
        ),
        PackageSignature(
            **about, package_id=package.id, package_version=package.version, agency_id=author
        ),
        Payment(**about, **days, package_id=package.id, paid_to="broker", amount=Decimal(70), on=today),
        PaymentReturn(
            **about, **days, package_id=package.id, agency_id=other, spent=Decimal(60), note="Taxi"
        ),
        Reconciliation(
            **about, package_id=package.id, agency_id=other, until_on=today, carried_in=Decimal(0),
            paid=Decimal(70), spent=Decimal(60), outcome="carried_over", note="For May",
        ),
        InclusionGrant(
            **about, agency_id=author, amount=Decimal(40), what_for="Scouts", asked_on=today,
            answer="Yes",
        ),
    ])  # fmt: skip
    await session.flush()
    await pots.move(
        session, pots.Move(pot.id, EntryKind.COMMITMENT, Decimal(70), package_id=package.id)
    )


async def _pot(session: AsyncSession, agency: UUID, today: date) -> Pot:
    found = await session.scalar(select(Pot))
    if found is None:
        found = Pot(name="Time away", kind="share", agency_id=agency, financial_year="2026-27")
        session.add(found)
        await session.flush()
        top_up = pots.Move(found.id, EntryKind.TOP_UP, Decimal(100_000), agency_id=agency, on=today)
        await pots.move(session, top_up)
    return found
