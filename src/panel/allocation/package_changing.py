"""What a package is to be: planned and changed, its services, their prices and who pays.

Every write carries the version of the package that was read: two who change one package at once do
not overwrite each other, and an approval of what has changed since is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.orm.attributes import flag_modified

from consent import Category
from panel.accounts.models import Agency
from panel.allocation import pots
from panel.allocation.before_panel import keep_tied
from panel.allocation.costing import Every, Price, days_mistakes, prices_mistake
from panel.allocation.interests import require_stayed
from panel.allocation.money import FinancialYear, amount_mistake, shares_mistake, units_mistake
from panel.allocation.package_models import (
    ChangeKind,
    ChangeState,
    FundingShare,
    Package,
    PackageChange,
    PackageKind,
    PackageState,
    Pot,
    ServiceLine,
    Unit,
    UnitPrice,
)
from panel.allocation.package_promising import settle
from panel.allocation.package_reading import may_prepare, reading_of
from panel.allocation.package_signing import Rise, first_rise, waiting_change
from panel.allocation.request_service import wrong_service
from panel.directory.service import find
from panel.platform.problems import Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.records.gate import Access
from panel.web.words import short_day

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PackageWords:
    """What a package is called, how it reaches the family, from when until when."""

    name: str
    kind: PackageKind
    from_on: date
    until_on: date | None = None


def refuse(mistakes: Sequence[FieldError]) -> None:
    if mistakes:
        raise Invalid(tuple(mistakes))


async def start_package(
    access: Access, words: PackageWords, request_id: UUID | None = None
) -> Package:
    """A planned package of the viewer's agency. Raises NotAllowed and Invalid."""
    await _require_part(access)
    agency = access.viewer.agency
    if agency is None:
        raise NotAllowed("A package is written by a worker of an agency.")
    refuse(days_mistakes(words.from_on, words.until_on))
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
    await keep_request_tied(access, package)
    return package


async def keep_request_tied(access: Access, row: Package) -> None:
    """Who sits on the panel reads on while a package that answers a request stands."""
    await access.session.flush()
    if row.request_id is not None:
        await keep_tied(access.session, row.request_id)


async def hold(access: Access, package_id: UUID, version: int) -> Package:
    """The package as somebody changes it, locked. Raises Conflict where it changed since.

    Raises NotFound, and NotAllowed for who may not change it. A package that is paid for is
    changed by a budget holder alone.
    """
    row = await locked(access, package_id, version)
    if row.state != PackageState.PLANNED.value:
        pots.require_signature(access.viewer)
    # What stands in it changes: so does its version, and with that no signature counts any more.
    flag_modified(row, "shared_by")
    return row


async def locked(access: Access, package_id: UUID, version: int) -> Package:
    """The package as somebody read it, locked. Raises as `hold`."""
    await _require_part(access)
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
    return row


async def open_for_change(access: Access, package_id: UUID, version: int) -> Package:
    """The package that somebody is about to change, as `hold`. Raises Invalid once it has ended."""
    row = await hold(access, package_id, version)
    require_not_ended(row)
    return row


def require_not_ended(row: Package) -> None:
    """Raise Invalid for a package in which nothing changes any more."""
    if row.state == PackageState.ENDED.value:
        raise Invalid.because("", "This package has ended: nothing in it changes any more")


async def _require_part(access: Access) -> None:
    if not may_prepare(access):
        access.require_write()
        raise NotAllowed("You can read this package and cannot change it.")
    await require_stayed(access)


async def change_package(
    access: Access, package_id: UUID, version: int, words: PackageWords
) -> None:
    """Change what a package is called, its kind while it is planned, and its days."""
    row = await open_for_change(access, package_id, version)
    await _make(access, row, words)


def _change_days(row: Package, words: PackageWords) -> None:
    refuse(days_mistakes(words.from_on, words.until_on))
    if row.state == PackageState.ACTIVE.value and words.kind.value != row.kind:
        raise Invalid.because("kind", "How it reaches the family is settled once it is approved")
    row.name, row.kind = words.name, words.kind.value
    row.from_on, row.until_on = words.from_on, words.until_on


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
    refuse(mistakes)
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


async def add_line(
    access: Access, package_id: UUID, version: int, words: LineWords
) -> ServiceLine | None:
    """Add a service; of the directory, with its name and price where none is said.

    None where it waits to be signed. Raises Invalid for days outside the package, for wrong
    amounts, and for a service that does not take the child.
    """
    row = await open_for_change(access, package_id, version)
    what, price = await _named_and_priced(access, words)
    made = await _make(access, row, replace(words, what=what, price=price))
    return made if isinstance(made, ServiceLine) else None


async def _add_line(access: Access, row: Package, words: LineWords) -> ServiceLine:
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
    refuse(mistakes)
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
    refuse(mistakes)
    return what, Decimal(0) if price is None else price


async def line_of(access: Access, row: Package, line_id: UUID) -> ServiceLine:
    line = await access.session.get(ServiceLine, line_id)
    if line is None or line.package_id != row.id:
        raise Invalid.because("line_id", "Choose the service from the list")
    return line


async def change_price(
    access: Access, package_id: UUID, version: int, line_id: UUID, price: Decimal, from_on: date
) -> None:
    """Another price from a day on; the one that held until then ends the day before."""
    row = await open_for_change(access, package_id, version)
    await _make(access, row, NewPrice(line_id, price, from_on))


@dataclass(frozen=True, slots=True)
class NewPrice:
    """What a service costs from a day on."""

    line_id: UUID
    price: Decimal
    from_on: date


async def _change_price(access: Access, row: Package, said: NewPrice) -> None:
    line, price, from_on = await line_of(access, row, said.line_id), said.price, said.from_on
    mistakes = []
    if wrong := amount_mistake("The price", price, may_be_nothing=True):
        mistakes.append(FieldError("price", wrong))
    if not line.from_on <= from_on <= (line.until_on or row.until_on or date(2100, 1, 1)):
        mistakes.append(FieldError("from_on", "The day must lie within the days of the service"))
    refuse(mistakes)
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


async def end_line(
    access: Access, package_id: UUID, version: int, line_id: UUID, until_on: date
) -> None:
    """A service ends on a day; what it was until then stays."""
    row = await open_for_change(access, package_id, version)
    await _make(access, row, LineEnd(line_id, until_on))


@dataclass(frozen=True, slots=True)
class LineEnd:
    """Until when a service goes on."""

    line_id: UUID
    until_on: date


async def _end_line(access: Access, row: Package, said: LineEnd) -> None:
    line, until_on = await line_of(access, row, said.line_id), said.until_on
    refuse(days_mistakes(line.from_on, until_on))
    if row.until_on is not None and until_on > row.until_on:
        sentence = f"The package ends on {short_day(row.until_on)}: a service cannot go on after"
        raise Invalid.because("until_on", sentence)
    line.until_on = until_on


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
    await _make(access, row, Payers(list(payers), shared_by, year))


@dataclass(frozen=True, slots=True)
class Payers:
    """Who pays which part from a financial year on."""

    payers: list[Payer]
    shared_by: int
    year: FinancialYear


async def _share_cost(access: Access, row: Package, said: Payers) -> None:
    payers, shared_by, year = said.payers, said.shared_by, said.year
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
    refuse(mistakes)
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


Said = PackageWords | LineWords | NewPrice | LineEnd | Payers


async def apply(access: Access, row: Package, said: Said) -> ServiceLine | None:
    """Do what was said about a package that is held. Raises Invalid where it cannot be."""
    made = None
    match said:
        case PackageWords():
            _change_days(row, said)
        case LineWords():
            made = await _add_line(access, row, said)
        case NewPrice():
            await _change_price(access, row, said)
        case LineEnd():
            await _end_line(access, row, said)
        case Payers():
            await _share_cost(access, row, said)
    await access.session.flush()
    return made


async def _make(access: Access, row: Package, said: Said) -> ServiceLine | None:
    """Change a package. An approved one that is to cost more waits for the signatures for it.

    What costs no more is done at once, by a budget holder of an agency that pays.
    """
    if row.state != PackageState.ACTIVE.value:
        return await apply(access, row, said)
    await _require_payer(access, row)
    before = await reading_of(access, row)
    async with access.session.begin_nested() as point:
        made = await apply(access, row, said)
        rise = first_rise(before, await reading_of(access, row))
        if rise is not None:
            await point.rollback()
    if rise is None:
        await settle_change(access, row)
        return made
    await access.session.refresh(row)
    await _propose(access, row, said, rise)
    return None


async def _propose(access: Access, row: Package, said: Said, rise: Rise) -> None:
    """Keep a change that costs more until it is signed. Raises Invalid while another waits."""
    if await waiting_change(access.session, row.id) is not None:
        sentence = "Another change waits to be approved: approve it or take it back first"
        raise Invalid.because("", sentence)
    what = ""
    match said:
        case PackageWords():
            kind, what, said = ChangeKind.DAYS, said.name, replace(said, name="")
        case LineWords():
            kind, what, said = ChangeKind.LINE, said.what, replace(said, what="")
        case NewPrice():
            kind, what = ChangeKind.PRICE, (await line_of(access, row, said.line_id)).what
        case LineEnd():
            kind, what = ChangeKind.END_LINE, (await line_of(access, row, said.line_id)).what
        case Payers():
            kind = ChangeKind.SHARES
    access.session.add(
        PackageChange(
            child_id=access.child_id,
            package_id=row.id,
            kind=kind.value,
            what=what,
            said=msgspec.to_builtins(said),
            state=ChangeState.WAITS.value,
            financial_year=rise.year.name,
            cost_before=rise.before,
            cost_after=rise.after,
        )
    )
    await access.session.flush()


def said_of(change: PackageChange) -> Said:
    """A change as it was said."""
    match ChangeKind(change.kind):
        case ChangeKind.DAYS:
            days = msgspec.convert(change.said, PackageWords, strict=False)
            return replace(days, name=change.what)
        case ChangeKind.LINE:
            line = msgspec.convert(change.said, LineWords, strict=False)
            return replace(line, what=change.what)
        case ChangeKind.PRICE:
            return msgspec.convert(change.said, NewPrice, strict=False)
        case ChangeKind.END_LINE:
            return msgspec.convert(change.said, LineEnd, strict=False)
        case ChangeKind.SHARES:
            return msgspec.convert(change.said, Payers, strict=False)


async def settle_change(access: Access, row: Package) -> None:
    """After a change that costs no more: what an approved package needs less is given back.

    Raises NotAllowed for who signs for none of the pots that pay.
    """
    await access.session.flush()
    if row.state == PackageState.ACTIVE.value:
        await _require_payer(access, row)
        await settle(access, row)


async def _require_payer(access: Access, row: Package) -> None:
    paying = await pots.promised(access.session, row.id)
    await pots.require_one_of(access.session, access.viewer, paying.keys())
