"""Packages as somebody may read them: what a child gets, what it costs in each year, who pays."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Tie, Viewer
from panel.accounts.models import Agency
from panel.allocation import pots
from panel.allocation.costing import Every, Line, Price, cost_in, without_price
from panel.allocation.interests import MONEY_ROLES, not_shown
from panel.allocation.money import NOTHING, FinancialYear, split_between, years_between
from panel.allocation.package_models import (
    FundingShare,
    LineActual,
    Package,
    PackageKind,
    PackageState,
    Pot,
    ServiceLine,
    ShortBreak,
    Unit,
    UnitPrice,
)
from panel.allocation.short_breaks import (
    Limits,
    Notice,
    Stay,
    review_by,
    review_warning,
    section_20_warnings,
)
from panel.platform.problems import NotFound
from panel.platform.tables import today_of
from panel.records.child_scoped import ChildScoped
from panel.records.gate import Access, Withheld

Row = TypeVar("Row", bound=ChildScoped)


def money_purposes(viewer: Viewer, usual: Sequence[Purpose]) -> Sequence[Purpose]:
    """Why somebody opens a package: to decide, where they sit on the panel; else as ever."""
    return (Purpose.ALLOCATION, *usual) if viewer.roles & MONEY_ROLES else usual


def may_prepare(access: Access) -> bool:
    """Whether the viewer may write down what a package is to be."""
    sits = bool(access.viewer.roles & MONEY_ROLES) and Tie.REQUEST in access.ties
    return access.may_write or sits


def may_sign(access: Access) -> bool:
    """Whether the viewer may sign for money, as far as their role goes."""
    return pots.SIGN in access.viewer.roles and may_prepare(access)


@dataclass(frozen=True, slots=True)
class Share:
    """Who pays which part, for which years."""

    id: UUID
    agency_id: UUID
    agency: str
    parts: int
    pot: Pot | None
    from_on: date
    until_on: date | None

    def holds_in(self, year: FinancialYear) -> bool:
        """Whether it is a share of that year's cost."""
        return self.from_on <= year.last and (self.until_on is None or self.until_on >= year.last)


@dataclass(frozen=True, slots=True)
class LineReading:
    """One service of a package with its prices, what was billed and the days away."""

    id: UUID
    what: str
    unit: Unit
    law: str | None
    line: Line
    actuals: Sequence[LineActual]
    stays: Sequence[ShortBreak]


@dataclass(frozen=True, slots=True)
class YearCost:
    """What a package costs in a financial year, and who pays which part of it."""

    year: FinancialYear
    lines: Mapping[UUID, Decimal]
    """By line."""
    shares: Mapping[UUID, Decimal]
    """By share; empty while nobody has said who pays."""
    actual: Decimal

    @property
    def total(self) -> Decimal:
        """What all lines cost."""
        return sum(self.lines.values(), NOTHING)


@dataclass(frozen=True, slots=True)
class PackageReading:
    """A package as somebody may read it."""

    id: UUID
    version: int
    name: str
    kind: PackageKind
    state: PackageState
    author_agency_id: UUID
    request_id: UUID | None
    from_on: date
    until_on: date | None
    shared_by: int
    spending_plan: str
    plan_agreed_on: date | None
    broker: str
    broker_holds: bool
    reviewed_on: date | None
    approved_on: date | None
    lines: Sequence[LineReading]
    shares: Sequence[Share]
    stays: Sequence[Stay]
    """The child's days away under section 20, of every package that was read with it."""
    today: date
    planned_by: frozenset[UUID]
    """Who planned it, and who wrote a service or a price of it."""
    changed_by: UUID

    @property
    def years(self) -> Sequence[FinancialYear]:
        """The years it reaches into; without an end, up to the present one and the next."""
        last = self.until_on or FinancialYear.of(max(self.today, self.from_on)).following.last
        return years_between(self.from_on, last)

    def cost(self, year: FinancialYear) -> YearCost:
        """What it costs in a year, by line and by payer, to the penny."""
        by_line = {one.id: cost_in(one.line, year) for one in self.lines}
        total = sum(by_line.values(), NOTHING)
        parts = {one.id: one.parts for one in self.shares if one.holds_in(year)}
        actual = sum(
            (
                bill.amount
                for one in self.lines
                for bill in one.actuals
                if FinancialYear.of(bill.from_on) == year
            ),
            NOTHING,
        )
        return YearCost(year, by_line, split_between(total, parts) if parts else {}, actual)

    @property
    def unpriced(self) -> Sequence[tuple[str, date, date]]:
        """Days of lines for which no price is known: what, from, until."""
        first, last = self.years[0].first, self.years[-1].last
        return [
            (one.what, *span) for one in self.lines for span in without_price(one.line, first, last)
        ]

    def warnings(self, limit: Limits) -> Sequence[Notice]:
        """What is near or passed of the limits of short breaks, under either section."""
        found: list[Notice] = list(section_20_warnings(self.stays, limit))
        if self.state is not PackageState.ENDED and any(one.law == "s17" for one in self.lines):
            due = review_by(self.reviewed_on or self.from_on, limit)
            warned = review_warning(due, self.today, limit)
            found += [] if warned is None else [warned]
        return found


def stays_of(lines: Sequence[LineReading]) -> list[Stay]:
    """The days away under section 20 that were not cancelled."""
    return [
        Stay(one.id, each.from_on, each.until_on)
        for one in lines
        if one.law == "s20"
        for each in one.stays
        if each.cancelled_on is None
    ]


class OnRecord(Protocol):
    """A child's record in a transaction: as somebody opened it, or as scheduled work reaches it."""

    @property
    def session(self) -> AsyncSession:
        """The transaction."""

    @property
    def child_id(self) -> UUID:
        """Whose it is."""

    @property
    def today(self) -> date:
        """The day of it, in London."""


def standing_bills(bills: Sequence[LineActual]) -> list[LineActual]:
    """The bills that were not taken back."""
    back = {one.returns_id for one in bills}
    return [one for one in bills if one.returns_id is None and one.id not in back]


async def packages_for_reading(access: Access) -> tuple[Sequence[PackageReading], Withheld | None]:
    """The child's packages, the latest first, and why some are not shown where that is so."""
    if (left := await not_shown(access)) is not None:
        return (), left
    rows = list(
        await access.session.scalars(
            select(Package)
            .where(Package.child_id == access.child_id)
            .order_by(Package.from_on.desc(), Package.id.desc())
        )
    )
    shown = [row for row in rows if access.may(Category.PLAN, row.author_agency_id)]
    hidden = access.withheld(Category.PLAN) if len(shown) < len(rows) else None
    return await _read(access, shown), hidden


async def package_for_reading(access: Access, package_id: UUID) -> PackageReading | Withheld:
    """One package of the child's, or why it is not shown. Raises NotFound."""
    row = await _row(access, Package, package_id)
    if (left := await not_shown(access)) is not None:
        return left
    if not access.may(Category.PLAN, row.author_agency_id):
        withheld = access.withheld(Category.PLAN)
        return withheld or Withheld(Category.PLAN, "You cannot see this package.")
    rows = await access.session.scalars(select(Package).where(Package.child_id == access.child_id))
    seen = [one for one in rows if access.may(Category.PLAN, one.author_agency_id)]
    return next(one for one in await _read(access, seen) if one.id == package_id)


async def _row(access: Access, kind: type[Row], row_id: UUID) -> Row:
    found = await access.session.get(kind, row_id)
    if found is None or found.child_id != access.child_id:
        raise NotFound("This is not on this child’s record.", "Go back to the packages.")
    return found


async def read_packages(
    session: AsyncSession, child: UUID, rows: Sequence[Package]
) -> list[PackageReading]:
    """Packages of one child, whose plan may be seen, with all that stands in them."""
    if not rows:
        return []

    async def of(kind: type[Row]) -> Sequence[Row]:
        asked = select(kind).where(kind.child_id == child).order_by(kind.created_at, kind.id)
        return list(await session.scalars(asked))

    lines = await of(ServiceLine)
    prices, bills, breaks = defaultdict(list), defaultdict(list), defaultdict(list)
    writers: dict[UUID, set[UUID]] = defaultdict(set)
    package_of = {one.id: one.package_id for one in lines}
    for line in lines:
        writers[line.package_id].add(line.created_by)
    for price in await of(UnitPrice):
        writers[package_of[price.service_line_id]].add(price.created_by)
        prices[price.service_line_id].append(Price(price.amount, price.from_on, price.until_on))
    for bill in await of(LineActual):
        bills[bill.service_line_id].append(bill)
    for stay in await of(ShortBreak):
        breaks[stay.service_line_id].append(stay)
    shares = [
        one for one in await of(FundingShare) if one.until_on is None or one.until_on >= one.from_on
    ]
    names = {one.id: one.name for one in await session.scalars(select(Agency))}
    paying = {one.pot_id for one in shares if one.pot_id is not None}
    known = {one.id: one for one in await session.scalars(select(Pot).where(Pot.id.in_(paying)))}
    found = [
        PackageReading(
            id=row.id,
            version=row.version,
            name=row.name,
            kind=PackageKind(row.kind),
            state=PackageState(row.state),
            author_agency_id=row.author_agency_id,
            request_id=row.request_id,
            from_on=row.from_on,
            until_on=row.until_on,
            shared_by=row.shared_by,
            spending_plan=row.spending_plan,
            plan_agreed_on=row.plan_agreed_on,
            broker=row.broker,
            broker_holds=row.broker_holds,
            reviewed_on=row.reviewed_on,
            approved_on=row.approved_on,
            lines=[
                LineReading(
                    one.id,
                    one.what,
                    Unit(one.unit),
                    one.law,
                    Line(
                        one.units,
                        Every(one.every),
                        # Nothing is given before the package starts, so nothing is asked for it.
                        max(one.from_on, row.from_on),
                        earlier(one.until_on, row.until_on),
                        prices[one.id],
                    ),
                    bills[one.id],
                    breaks[one.id],
                )
                for one in lines
                if one.package_id == row.id
            ],
            shares=[
                Share(
                    one.id,
                    one.agency_id,
                    names.get(one.agency_id, ""),
                    one.parts,
                    None if one.pot_id is None else known.get(one.pot_id),
                    one.from_on,
                    one.until_on,
                )
                for one in shares
                if one.package_id == row.id
            ],
            stays=(),
            today=today_of(session),
            planned_by=frozenset({row.created_by}) | writers[row.id],
            changed_by=row.changed_by,
        )
        for row in rows
    ]
    stays = [stay for one in found for stay in stays_of(one.lines)]
    return [replace(one, stays=stays) for one in found]


def earlier(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)


async def _read(access: OnRecord, rows: Sequence[Package]) -> list[PackageReading]:
    return await read_packages(access.session, access.child_id, rows)


async def reading_of(access: OnRecord, row: Package) -> PackageReading:
    """A package with all that stands in it, for who holds it already."""
    return (await _read(access, [row]))[0]
