"""Packages: what a child gets, what it costs in each year and who pays. Read and written here.

Every write carries the version of the package that was read: two who change one package at once do
not overwrite each other, and an approval of what has changed since is refused.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from consent import Category, Purpose, Role, Tie, Viewer
from panel.accounts.models import Agency
from panel.allocation import pots
from panel.allocation.before_panel import keep_tied
from panel.allocation.costing import (
    Every,
    Line,
    Price,
    cost_in,
    days_mistakes,
    prices_mistake,
    without_price,
)
from panel.allocation.money import (
    NOTHING,
    FinancialYear,
    amount_mistake,
    pounds,
    shares_mistake,
    split_between,
    units_mistake,
    years_between,
)
from panel.allocation.package_models import (
    EntryKind,
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
from panel.allocation.packages_settings import limits
from panel.allocation.request_service import wrong_service
from panel.allocation.short_breaks import (
    Limits,
    Notice,
    Stay,
    review_by,
    review_warning,
    section_20_warnings,
)
from panel.directory.service import find
from panel.platform.problems import Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.platform.tables import today_of
from panel.records.child_scoped import ChildScoped
from panel.records.gate import Access, Withheld
from panel.web.words import short_day

DAY = timedelta(days=1)
OWN_PLAN = "You planned this package or changed it last, so somebody else has to approve it."
MONEY_ROLES = frozenset({Role.BUDGET_HOLDER, Role.ALLOCATION_MEMBER})

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


# Reading ------------------------------------------------------------------------------------------


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


async def packages_for_reading(access: Access) -> tuple[Sequence[PackageReading], Withheld | None]:
    """The child's packages, the latest first, and why some are not shown where that is so."""
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


async def _read(access: OnRecord, rows: Sequence[Package]) -> list[PackageReading]:
    return await read_packages(access.session, access.child_id, rows)


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
                        one.from_on,
                        _earlier(one.until_on, row.until_on),
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


def _earlier(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)


# Writing ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PackageWords:
    """What a package is called, how it reaches the family, from when until when."""

    name: str
    kind: PackageKind
    from_on: date
    until_on: date | None = None


def _refuse(mistakes: Sequence[FieldError]) -> None:
    if mistakes:
        raise Invalid(tuple(mistakes))


async def start_package(
    access: Access, words: PackageWords, request_id: UUID | None = None
) -> Package:
    """A planned package of the viewer's agency. Raises NotAllowed and Invalid."""
    _require_part(access)
    agency = access.viewer.agency
    if agency is None:
        raise NotAllowed("A package is written by a worker of an agency.")
    _refuse(days_mistakes(words.from_on, words.until_on))
    package = Package(
        child_id=access.child_id,
        request_id=request_id,
        author_agency_id=agency,
        name=words.name,
        kind=words.kind.value,
        state=PackageState.PLANNED.value,
        from_on=words.from_on,
        until_on=words.until_on,
        shared_by=100,
        broker_holds=False,
    )
    access.session.add(package)
    await _keep_tied(access, package)
    return package


async def _keep_tied(access: Access, row: Package) -> None:
    """Who sits on the panel reads on while a package that answers a request stands."""
    await access.session.flush()
    if row.request_id is not None:
        await keep_tied(access.session, row.request_id)


async def hold(access: Access, package_id: UUID, version: int) -> Package:
    """The package as somebody read it, locked. Raises Conflict where it changed since.

    Raises NotFound, and NotAllowed for who may not change it. A package that is paid for is
    changed by a budget holder alone.
    """
    _require_part(access)
    row = await access.session.scalar(
        select(Package)
        .where(Package.id == package_id, Package.child_id == access.child_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or not access.may(Category.PLAN, row.author_agency_id):
        raise NotFound("This is not on this child’s record.", "Go back to the packages.")
    if row.version != version:
        raise Conflict(())
    if row.state != PackageState.PLANNED.value:
        pots.require_signature(access.viewer)
    # What stands in it changes: so does its version.
    flag_modified(row, "shared_by")
    return row


async def open_for_change(access: Access, package_id: UUID, version: int) -> Package:
    """The package that somebody is about to change, as `hold`. Raises Invalid once it has ended."""
    row = await hold(access, package_id, version)
    if row.state == PackageState.ENDED.value:
        raise Invalid.because("", "This package has ended: nothing in it changes any more")
    return row


def _require_part(access: Access) -> None:
    if not may_prepare(access):
        access.require_write()
        raise NotAllowed("You can read this package and cannot change it.")


async def change_package(
    access: Access, package_id: UUID, version: int, words: PackageWords
) -> None:
    """Change what a package is called, its kind while it is planned, and its days."""
    row = await open_for_change(access, package_id, version)
    _refuse(days_mistakes(words.from_on, words.until_on))
    if row.state == PackageState.ACTIVE.value and words.kind.value != row.kind:
        raise Invalid.because("kind", "How it reaches the family is settled once it is approved")
    row.name, row.kind = words.name, words.kind.value
    row.from_on, row.until_on = words.from_on, words.until_on
    await _changed(access, row)


@dataclass(frozen=True, slots=True)
class Spending:
    """The plan of a direct payment or personal budget, and who helps with it."""

    plan: str
    agreed_on: date | None = None
    broker: str = ""
    broker_holds: bool = False


async def plan_spending(access: Access, package_id: UUID, version: int, said: Spending) -> None:
    """Write down what the money is for, as agreed with the family, and who holds it."""
    row = await open_for_change(access, package_id, version)
    if row.kind == PackageKind.IN_KIND.value:
        sentence = "Only a direct payment or a personal budget has a plan of spending"
        raise Invalid.because("plan", sentence)
    mistakes = []
    if said.broker_holds and not said.broker:
        mistakes.append(FieldError("broker", "Say who the broker is that holds the money"))
    if said.agreed_on is not None and said.agreed_on > access.today:
        mistakes.append(FieldError("agreed_on", "The day must be today or in the past"))
    _refuse(mistakes)
    row.spending_plan, row.plan_agreed_on = said.plan, said.agreed_on
    row.broker, row.broker_holds = said.broker, said.broker_holds
    await access.session.flush()


@dataclass(frozen=True, slots=True)
class LineWords:
    """A service of a package, with its first price."""

    what: str
    units: Decimal
    unit: Unit
    every: Every
    from_on: date
    price: Decimal | None
    until_on: date | None = None
    law: str | None = None
    service_id: UUID | None = None


async def add_line(access: Access, package_id: UUID, version: int, words: LineWords) -> ServiceLine:
    """Add a service; of the directory, with its name and price where none is said.

    Raises Invalid for days outside the package, for wrong amounts, and for a service that does not
    take the child.
    """
    row = await open_for_change(access, package_id, version)
    what, price = await _named_and_priced(access, words)
    mistakes = days_mistakes(words.from_on, words.until_on)
    if wrong := units_mistake("How many", words.units):
        mistakes.append(FieldError("units", wrong))
    if wrong := amount_mistake("The price", price, may_be_nothing=True):
        mistakes.append(FieldError("price", wrong))
    elif words.units > 0 and words.units * price > Decimal(10**8):
        sentence = "How many and the price make more than £100,000,000 each time: check both"
        mistakes.append(FieldError("price", sentence))
    if words.from_on < row.from_on:
        sentence = f"The package starts on {short_day(row.from_on)}: a service cannot come before"
        mistakes.append(FieldError("from_on", sentence))
    if row.until_on is not None and (words.until_on or words.from_on) > row.until_on:
        sentence = f"The package ends on {short_day(row.until_on)}: a service cannot go on after"
        mistakes.append(FieldError("until_on", sentence))
    _refuse(mistakes)
    line = ServiceLine(
        child_id=access.child_id,
        package_id=row.id,
        service_id=words.service_id,
        what=what,
        units=words.units,
        unit=words.unit.value,
        every=words.every.value,
        from_on=words.from_on,
        until_on=words.until_on,
        law=words.law,
    )
    access.session.add(line)
    await access.session.flush()
    access.session.add(
        UnitPrice(
            child_id=access.child_id,
            service_line_id=line.id,
            amount=price,
            from_on=words.from_on,
            until_on=None,
        )
    )
    await _changed(access, row)
    return line


async def _named_and_priced(access: Access, words: LineWords) -> tuple[str, Decimal]:
    """What a line is called and costs. Raises Invalid where neither it nor the directory says."""
    what, price = words.what, words.price
    mistakes = []
    if words.service_id is not None:
        if wrong := await wrong_service(access, words.service_id):
            raise Invalid.because("service_id", wrong)
        service = await find(access.session, words.service_id)
        what = what or service.name
        if price is None and service.unit == words.unit.value:
            price = service.unit_cost
    if not what:
        mistakes.append(FieldError("what", "Write which service it is"))
    if price is None:
        lacks = "" if words.service_id is None else f": the directory has none of a {words.unit}"
        mistakes.append(FieldError("price", f"Enter the price{lacks}"))
    _refuse(mistakes)
    return what, Decimal(0) if price is None else price


async def _line(access: Access, row: Package, line_id: UUID) -> ServiceLine:
    line = await access.session.get(ServiceLine, line_id)
    if line is None or line.package_id != row.id:
        raise Invalid.because("line_id", "Choose the service from the list")
    return line


async def change_price(
    access: Access, package_id: UUID, version: int, line_id: UUID, price: Decimal, from_on: date
) -> None:
    """Another price from a day on; the one that held until then ends the day before."""
    row = await open_for_change(access, package_id, version)
    line = await _line(access, row, line_id)
    mistakes = []
    if wrong := amount_mistake("The price", price, may_be_nothing=True):
        mistakes.append(FieldError("price", wrong))
    if not line.from_on <= from_on <= (line.until_on or row.until_on or date(2100, 1, 1)):
        mistakes.append(FieldError("from_on", "The day must lie within the days of the service"))
    _refuse(mistakes)
    asked = select(UnitPrice).where(UnitPrice.service_line_id == line.id)
    known = list(await access.session.scalars(asked.order_by(UnitPrice.from_on)))
    for one in known:
        if one.from_on >= from_on:
            sentence = (
                f"A price from {short_day(one.from_on)} is known already: say the new one from a"
                " later day"
            )
            raise Invalid.because("from_on", sentence)
        if one.until_on is None or one.until_on >= from_on:
            one.until_on = from_on - DAY
    made = UnitPrice(
        child_id=access.child_id,
        service_line_id=line.id,
        amount=price,
        from_on=from_on,
        until_on=None,
    )
    spans = [Price(one.amount, one.from_on, one.until_on) for one in (*known, made)]
    if wrong := prices_mistake(spans):
        raise Invalid.because("from_on", wrong)
    access.session.add(made)
    await _changed(access, row)


async def end_line(
    access: Access, package_id: UUID, version: int, line_id: UUID, until_on: date
) -> None:
    """A service ends on a day; what it was until then stays."""
    row = await open_for_change(access, package_id, version)
    line = await _line(access, row, line_id)
    _refuse(days_mistakes(line.from_on, until_on))
    if row.until_on is not None and until_on > row.until_on:
        sentence = f"The package ends on {short_day(row.until_on)}: a service cannot go on after"
        raise Invalid.because("until_on", sentence)
    line.until_on = until_on
    await _changed(access, row)


@dataclass(frozen=True, slots=True)
class Payer:
    """An agency, its parts, and the pot out of which it pays."""

    agency_id: UUID
    parts: int
    pot_id: UUID | None = None


async def share_cost(
    access: Access,
    package_id: UUID,
    version: int,
    payers: Sequence[Payer],
    shared_by: int,
    year: FinancialYear,
) -> None:
    """Say who pays which part from a financial year on. Raises Invalid unless it adds up."""
    row = await open_for_change(access, package_id, version)
    mistakes = []
    if not 1 <= shared_by <= 1_000_000:
        sentence = "How many parts there are must be between 1 and 1,000,000"
        mistakes.append(FieldError("shared_by", sentence))
    if not payers:
        mistakes.append(FieldError("agency_1", "Say who pays"))
    elif wrong := shares_mistake([one.parts for one in payers], shared_by):
        mistakes.append(FieldError("parts_1", wrong))
    if len({(one.agency_id, one.pot_id) for one in payers}) < len(payers):
        mistakes.append(FieldError("agency_1", "Say each payer once"))
    first = max(FinancialYear.of(row.from_on), year)
    if row.state == PackageState.ACTIVE.value and first < FinancialYear.of(access.today):
        sentence = "Who pays cannot change for a year that is over"
        mistakes.append(FieldError("year", sentence))
    _refuse(mistakes)
    await _check_payers(access, payers)
    for one in await access.session.scalars(
        select(FundingShare).where(FundingShare.package_id == row.id)
    ):
        if one.until_on is None or one.until_on >= first.first:
            one.until_on = first.first - DAY
    row.shared_by = shared_by
    access.session.add_all(
        FundingShare(
            child_id=access.child_id,
            package_id=row.id,
            agency_id=one.agency_id,
            parts=one.parts,
            pot_id=one.pot_id,
            from_on=first.first,
            until_on=None,
        )
        for one in payers
    )
    await _changed(access, row)


async def _check_payers(access: Access, payers: Sequence[Payer]) -> None:
    for place, payer in enumerate(payers, start=1):
        if await access.session.get(Agency, payer.agency_id) is None:
            raise Invalid.because(f"agency_{place}", "Choose the agency from the list")
        if payer.pot_id is None:
            continue
        pot = await access.session.get(Pot, payer.pot_id)
        if pot is None:
            raise Invalid.because(f"pot_{place}", "Choose the pot from the list")
        if pot.kind != "pooled" and pot.agency_id != payer.agency_id:
            sentence = "This pot is another agency’s: choose the payer’s own, or a pooled one"
            raise Invalid.because(f"pot_{place}", sentence)


async def approve(access: Access, package_id: UUID, version: int) -> None:
    """Sign a package: its cost is promised out of its pots, all of it or nothing.

    Two people make it: whoever planned it, wrote a service or a price of it, or changed it last
    does not sign it. Whoever does holds the budget of the pots that pay.

    Raises NotAllowed for anybody else, Conflict where it changed since it was read, and Invalid
    where a pot has not enough left (it says how much is), or something is missing.
    """
    pots.require_signature(access.viewer)
    row = await open_for_change(access, package_id, version)
    # As it was before this, which is written with the first question that follows.
    changed_by = row.changed_by
    if row.state != PackageState.PLANNED.value:
        raise Invalid.because("", "This package is approved already")
    reading = (await _read(access, [row]))[0]
    mistakes = []
    if not reading.lines:
        mistakes.append("There is no service in this package yet")
    if not reading.shares:
        mistakes.append("Nobody has said yet who pays")
    if reading.unpriced:
        what, first, _ = reading.unpriced[0]
        mistakes.append(f"No price is known for {what} on {short_day(first)}")
    if row.kind != PackageKind.IN_KIND.value and not (row.spending_plan and row.plan_agreed_on):
        mistakes.append("The plan of spending is not agreed with the family yet")
    if mistakes:
        raise Invalid.because("", ". ".join(mistakes))
    if access.viewer.id in reading.planned_by | {changed_by}:
        raise NotAllowed(OWN_PLAN, "Ask another budget holder to approve it.")
    await _require_payer(access, reading)
    row.state = PackageState.ACTIVE.value
    row.approved_on, row.approved_by = access.today, access.viewer.id
    await _changed(access, row)


async def _require_payer(access: Access, reading: PackageReading) -> None:
    """Raise NotAllowed unless the viewer's agency pays, out of pots that are its own or pooled."""
    paying = [one.pot.id for one in reading.shares if one.pot is not None]
    await pots.require_own(access.session, access.viewer, paying)
    if not paying and access.viewer.agency not in {one.agency_id for one in reading.shares}:
        raise NotAllowed(
            "Your agency does not pay for this package: you cannot sign for it.",
            "Ask a budget holder of an agency that pays.",
        )


async def _changed(access: Access, row: Package) -> None:
    """After a change: what an approved package costs now is promised, or given back."""
    await access.session.flush()
    if row.state == PackageState.ACTIVE.value:
        await settle(access, row, access.viewer)


async def settle(access: OnRecord, row: Package, signer: Viewer | None) -> None:
    """Promise what an approved package costs this year and in later ones that have pots.

    Args: who signs for it; None for scheduled work, which carries on what somebody signed.
    Years that are over stay as they are. Raises Invalid where a pot has not enough left, and where
    this year's pot is not there; NotAllowed where more is asked of another agency's pot.
    """
    reading = (await _read(access, [row]))[0]
    known = await pots.promised(access.session, row.id)
    now = FinancialYear.of(access.today)
    wanted = await _wanted(access.session, reading, now)
    over = {
        pot.id
        for pot in await pots.pots(access.session)
        if FinancialYear.named(pot.financial_year) < now
    }
    moves = []
    for pot_id in wanted.keys() | (known.keys() - over):
        there = known.get(pot_id, pots.Promised())
        amount, agency = wanted.get(pot_id, (NOTHING, None))
        change = max(amount, there.spent) - there.committed
        if change:
            kind = EntryKind.COMMITMENT if change > 0 else EntryKind.RELEASE
            moves.append(pots.Move(pot_id, kind, abs(change), package_id=row.id, agency_id=agency))
    more = [one.pot_id for one in moves if one.kind is EntryKind.COMMITMENT]
    if signer is not None:
        await pots.require_own(access.session, signer, more)
    try:
        await pots.move_all(access.session, moves)
    except Invalid as refused:
        raise Invalid.because("", refused.errors[0].sentence) from None


async def _wanted(
    session: AsyncSession, reading: PackageReading, now: FinancialYear
) -> dict[UUID, tuple[Decimal, UUID]]:
    """What is asked of each pot from a year on, and for which agency."""
    wanted: dict[UUID, tuple[Decimal, UUID]] = {}
    for year in reading.years:
        if year < now:
            continue
        amounts = reading.cost(year).shares
        for share in reading.shares:
            if share.pot is None or share.id not in amounts:
                continue
            pot = await pots.in_year(session, share.pot, year)
            if pot is not None:
                before = wanted.get(pot.id, (NOTHING, share.agency_id))[0]
                wanted[pot.id] = before + amounts[share.id], share.agency_id
            elif year == max(now, reading.years[0]):
                raise Invalid.because("", _no_pot(share.pot, year))
    return wanted


def _no_pot(pot: Pot, year: FinancialYear) -> str:
    return f"There is no pot {pot.name} for {year.name}: open it first"


async def end_package(access: Access, package_id: UUID, version: int, until_on: date) -> None:
    """A package ends on a day: what was promised for later is given back."""
    row = await open_for_change(access, package_id, version)
    mistakes = days_mistakes(row.from_on, until_on)
    if not mistakes and row.until_on is not None and until_on > row.until_on:
        sentence = f"The package ends on {short_day(row.until_on)} already: it cannot end later"
        mistakes.append(FieldError("until_on", sentence))
    _refuse(mistakes)
    row.until_on = until_on
    await _changed(access, row)
    row.state = PackageState.ENDED.value
    await _keep_tied(access, row)


async def note_review(access: Access, package_id: UUID, version: int, on: date) -> None:
    """It was reviewed on a day."""
    row = await open_for_change(access, package_id, version)
    if not row.from_on <= on <= access.today:
        raise Invalid.because("on", "The day must lie between the start of the package and today")
    row.reviewed_on = on
    await access.session.flush()


async def bill(
    access: Access,
    package_id: UUID,
    version: int,
    line_id: UUID,
    days: tuple[date, date],
    units: Decimal,
    amount: Decimal,
) -> None:
    """Write down what a service really cost over some days, and pay it out of the pots."""
    pots.require_signature(access.viewer)
    # A last bill comes after the end: it is paid out of what stays promised until then.
    row = await hold(access, package_id, version)
    line = await _line(access, row, line_id)
    first, last = days
    mistakes = days_mistakes(first, last)
    until = _earlier(line.until_on, row.until_on)
    if first < line.from_on or (until is not None and last > until):
        mistakes.append(FieldError("from_on", "The days must lie within those of the service"))
    if wrong := units_mistake("How many", units):
        mistakes.append(FieldError("units", wrong))
    if wrong := amount_mistake("The amount", amount):
        mistakes.append(FieldError("amount", wrong))
    if last > access.today:
        mistakes.append(FieldError("until_on", "What is still to come cannot be billed"))
    if FinancialYear.of(first) != FinancialYear.of(last):
        sentence = "Write a bill that reaches over 31 March in two parts, one for each year"
        mistakes.append(FieldError("until_on", sentence))
    if row.state == PackageState.PLANNED.value:
        mistakes.append(FieldError("", "The package is not approved yet: nothing is paid for it"))
    _refuse(mistakes)
    access.session.add(
        LineActual(
            child_id=access.child_id,
            service_line_id=line.id,
            from_on=first,
            until_on=last,
            units=units,
            amount=amount,
        )
    )
    await access.session.flush()
    await pay_out(access, row, FinancialYear.of(first), amount)


async def pay_out(
    access: Access,
    row: Package,
    year: FinancialYear,
    amount: Decimal,
    kind: EntryKind = EntryKind.ACTUAL,
) -> None:
    """Pay an amount out of the package's pots of a year, or back into them, by its shares.

    Raises Invalid where it is more than was promised to this package, and not only to the pot.
    """
    is_active = row.state == PackageState.ACTIVE.value
    if kind is EntryKind.ACTUAL and is_active and year == FinancialYear.of(access.today):
        # A pot that was opened since the package was signed has promised it nothing yet.
        await settle(access, row, access.viewer)
    reading = (await _read(access, [row]))[0]
    parts = {one.id: one.parts for one in reading.shares if one.holds_in(year)}
    if not parts:
        raise Invalid.because("amount", f"Nobody has said who pays in {year.name}")
    known = await pots.promised(access.session, row.id)
    by_pot: dict[UUID, tuple[Decimal, UUID]] = {}
    for share_id, part in split_between(amount, parts).items():
        share = next(one for one in reading.shares if one.id == share_id)
        if share.pot is None or not part:
            continue
        pot = await pots.in_year(access.session, share.pot, year)
        if pot is None:
            raise Invalid.because("amount", _no_pot(share.pot, year))
        before = by_pot.get(pot.id, (NOTHING, share.agency_id))[0]
        by_pot[pot.id] = before + part, share.agency_id
    moves = []
    for pot_id, (part, agency) in by_pot.items():
        there = known.get(pot_id, pots.Promised())
        if kind is EntryKind.ACTUAL and there.spent + part > there.committed:
            left = pounds(there.committed - there.spent)
            sentence = f"{pounds(part)} is to be paid, and {left} of what was promised is left"
            raise Invalid.because("amount", sentence)
        if kind is EntryKind.REFUND and part > there.spent:
            sentence = f"{pounds(part)} cannot come back: {pounds(there.spent)} was paid"
            raise Invalid.because("amount", sentence)
        moves.append(pots.Move(pot_id, kind, part, package_id=row.id, agency_id=agency))
    if kind is EntryKind.ACTUAL:
        await pots.require_own(access.session, access.viewer, by_pot)
    await pots.move_all(access.session, moves)


async def plan_stay(
    access: Access,
    package_id: UUID,
    version: int,
    line_id: UUID,
    days: tuple[date, date],
    *,
    knowing: bool,
) -> ShortBreak:
    """Plan days away. One that passes a limit of section 20 is refused unless that is known.

    Raises Invalid with every limit that it would pass.
    """
    row = await open_for_change(access, package_id, version)
    line = await _line(access, row, line_id)
    first, last = days
    mistakes = days_mistakes(first, last)
    if line.law is None:
        mistakes.append(FieldError("line_id", "Choose a short break under section 17 or 20"))
    until = line.until_on or row.until_on
    if first < line.from_on or (until is not None and last > until):
        mistakes.append(FieldError("from_on", "The days must lie within those of the service"))
    if (last - first).days > 366:
        mistakes.append(FieldError("until_on", "A stay is a year at most"))
    _refuse(mistakes)
    passed: list[Notice] = []
    if line.law == "s20":
        passed = await _newly_passed(access, Stay(line.id, first, last))
    if passed and not knowing:
        raise Invalid.because("knowing", f"{' '.join(one.sentence for one in passed)} Tick this to"
                              " plan it all the same")  # fmt: skip
    made = ShortBreak(
        child_id=access.child_id,
        service_line_id=line.id,
        from_on=first,
        until_on=last,
        passes_limit=bool(passed),
    )
    access.session.add(made)
    await access.session.flush()
    return made


async def _newly_passed(access: Access, stay: Stay) -> list[Notice]:
    """The limits that a stay would pass, with every other stay of the child's, in any package."""
    # Two stays in two packages at once: the second waits, and counts the first.
    await access.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('short breaks ' || :child, 0))"),
        {"child": str(access.child_id)},
    )
    packages = list(
        await access.session.scalars(select(Package).where(Package.child_id == access.child_id))
    )
    lines = [line for one in await _read(access, packages) for line in one.lines]
    limit = await limits(access.session)
    return [one for one in section_20_warnings([*stays_of(lines), stay], limit) if one.passes]


async def cancel_stay(access: Access, package_id: UUID, version: int, stay_id: UUID) -> None:
    """A stay does not take place; it is still known that it was planned."""
    row = await open_for_change(access, package_id, version)
    stay = await access.session.get(ShortBreak, stay_id)
    if stay is None or stay.cancelled_on is not None:
        raise Invalid.because("stay_id", "Choose the stay from the list")
    await _line(access, row, stay.service_line_id)
    stay.cancelled_on = access.today
    await access.session.flush()
