"""What a package is to be: its days, its services, their prices and who pays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from panel.accounts.models import Agency
from panel.allocation.costing import Every, Price, days_mistakes, prices_mistake
from panel.allocation.money import FinancialYear, amount_mistake, shares_mistake, units_mistake
from panel.allocation.package_holding import line_of, refuse
from panel.allocation.package_models import (
    FundingShare,
    Package,
    PackageKind,
    PackageState,
    Pot,
    ServiceLine,
    Unit,
    UnitPrice,
)
from panel.allocation.request_service import wrong_service
from panel.directory.service import find
from panel.platform.problems import FieldError, Invalid
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


@dataclass(frozen=True, slots=True)
class NewPrice:
    """What a service costs from a day on."""

    line_id: UUID
    price: Decimal
    from_on: date


@dataclass(frozen=True, slots=True)
class LineEnd:
    """Until when a service goes on."""

    line_id: UUID
    until_on: date


@dataclass(frozen=True, slots=True)
class Payer:
    """An agency, its parts, and the pot out of which it pays."""

    agency_id: UUID
    parts: int
    pot_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Payers:
    """Who pays which part from a financial year on."""

    payers: list[Payer]
    shared_by: int
    year: FinancialYear


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


def _change_days(row: Package, words: PackageWords) -> None:
    refuse(days_mistakes(words.from_on, words.until_on))
    if row.state == PackageState.ACTIVE.value and words.kind.value != row.kind:
        raise Invalid.because("kind", "How it reaches the family is settled once it is approved")
    row.name, row.kind = words.name, words.kind.value
    row.from_on, row.until_on = words.from_on, words.until_on


async def _add_line(access: Access, row: Package, words: LineWords) -> ServiceLine:
    what, price = await named_and_priced(access, words)
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


async def named_and_priced(access: Access, words: LineWords) -> tuple[str, Decimal]:
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


async def _end_line(access: Access, row: Package, said: LineEnd) -> None:
    line, until_on = await line_of(access, row, said.line_id), said.until_on
    refuse(days_mistakes(line.from_on, until_on))
    if row.until_on is not None and until_on > row.until_on:
        sentence = f"The package ends on {short_day(row.until_on)}: a service cannot go on after"
        raise Invalid.because("until_on", sentence)
    line.until_on = until_on


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
