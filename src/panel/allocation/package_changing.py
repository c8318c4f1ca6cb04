"""A package is planned and changed; an approved one that is to cost more waits to be signed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec

from panel.allocation.costing import days_mistakes
from panel.allocation.money import FinancialYear
from panel.allocation.package_contents import (
    LineEnd,
    LineWords,
    NewPrice,
    PackageWords,
    Payer,
    Payers,
    Said,
    apply,
    named_and_priced,
)
from panel.allocation.package_holding import (
    keep_request_tied,
    line_of,
    open_for_change,
    refuse,
    require_part,
)
from panel.allocation.package_models import (
    ChangeKind,
    ChangeState,
    Package,
    PackageChange,
    PackageKind,
    PackageState,
    ServiceLine,
)
from panel.allocation.package_promising import require_payer, settle
from panel.allocation.package_reading import reading_of
from panel.allocation.package_signing import Rise, first_rise, waiting_change
from panel.platform.problems import FieldError, Invalid, NotAllowed
from panel.records.gate import Access


async def start_package(
    access: Access, words: PackageWords, request_id: UUID | None = None
) -> Package:
    """A planned package of the viewer's agency. Raises NotAllowed and Invalid."""
    await require_part(access)
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


async def change_package(
    access: Access, package_id: UUID, version: int, words: PackageWords
) -> None:
    """Change what a package is called, its kind while it is planned, and its days."""
    row = await open_for_change(access, package_id, version)
    await _make(access, row, words)


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
    if row.state == PackageState.ACTIVE.value:
        # Who holds the money is said by who pays it.
        await require_payer(access, row)
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


async def add_line(
    access: Access, package_id: UUID, version: int, words: LineWords
) -> ServiceLine | None:
    """Add a service; of the directory, with its name and price where none is said.

    None where it waits to be signed. Raises Invalid for days outside the package, for wrong
    amounts, and for a service that does not take the child.
    """
    row = await open_for_change(access, package_id, version)
    what, price = await named_and_priced(access, words)
    made = await _make(access, row, replace(words, what=what, price=price))
    return made if isinstance(made, ServiceLine) else None


async def change_price(
    access: Access, package_id: UUID, version: int, line_id: UUID, price: Decimal, from_on: date
) -> None:
    """Another price from a day on; the one that held until then ends the day before."""
    row = await open_for_change(access, package_id, version)
    await _make(access, row, NewPrice(line_id, price, from_on))


async def end_line(
    access: Access, package_id: UUID, version: int, line_id: UUID, until_on: date
) -> None:
    """A service ends on a day; what it was until then stays."""
    row = await open_for_change(access, package_id, version)
    await _make(access, row, LineEnd(line_id, until_on))


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


async def _make(access: Access, row: Package, said: Said) -> ServiceLine | None:
    """Change a package. An approved one that is to cost more waits for the signatures for it.

    What costs no more is done at once, by a budget holder of an agency that pays.
    """
    if row.state != PackageState.ACTIVE.value:
        return await apply(access, row, said)
    await require_payer(access, row)
    before = await reading_of(access, row)
    async with access.session.begin_nested() as point:
        made = await apply(access, row, said)
        rise = first_rise(before, await reading_of(access, row))
        if rise is not None:
            await point.rollback()
    if rise is None:
        await settle_change(access, row)
        await _work_out_again(access, row)
        return made
    await access.session.refresh(row)
    await _propose(access, row, said, rise)
    return None


async def _work_out_again(access: Access, row: Package) -> None:
    """Say anew what the change that waits would cost: who signs it reads what it costs by now.

    One that cannot be made any more says so to whoever signs it.
    """
    change = await waiting_change(access.session, row.id)
    if change is None:
        return
    before = await reading_of(access, row)
    try:
        async with access.session.begin_nested() as point:
            await apply(access, row, said_of(change))
            rise = first_rise(before, await reading_of(access, row))
            await point.rollback()
    except Invalid:
        return
    finally:
        await access.session.refresh(row)
    year = FinancialYear.of(access.today)
    cost = before.cost(year).total
    told = rise or Rise(year, cost, cost)
    change.financial_year = told.year.name
    change.cost_before, change.cost_after = told.before, told.after
    await access.session.flush()


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
        await require_payer(access, row)
        await settle(access, row)
