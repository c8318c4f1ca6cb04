"""Bills: what a service of a package really was and cost, paid out of what was promised."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from panel.allocation import pots
from panel.allocation.costing import days_mistakes
from panel.allocation.money import FinancialYear, amount_mistake, pounds, units_mistake
from panel.allocation.package_holding import (
    hold,
    line_of,
    refuse,
)
from panel.allocation.package_models import EntryKind, LineActual, PackageState, ServiceLine
from panel.allocation.package_promising import pay_out
from panel.allocation.package_reading import earlier, standing_bills
from panel.platform.problems import FieldError, Invalid
from panel.records.gate import Access
from panel.web.words import short_day


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
    line = await line_of(access, row, line_id)
    first, last = days
    mistakes = days_mistakes(first, last)
    until = earlier(line.until_on, row.until_on)
    if first < max(line.from_on, row.from_on) or (until is not None and last > until):
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
    if same := _of_same_days(await _standing(access, line), first, last):
        sentence = (
            f"{pounds(same.amount)} was billed for {short_day(same.from_on)} to"
            f" {short_day(same.until_on)} already: write other days, or take that bill back"
        )
        mistakes.append(FieldError("from_on", sentence))
    refuse(mistakes)
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


async def _standing(access: Access, line: ServiceLine) -> Sequence[LineActual]:
    # The package is held, so nobody else writes a bill of it meanwhile.
    asked = select(LineActual).where(LineActual.service_line_id == line.id)
    rows = await access.session.scalars(asked.order_by(LineActual.from_on, LineActual.id))
    return standing_bills(list(rows))


def _of_same_days(bills: Sequence[LineActual], first: date, last: date) -> LineActual | None:
    return next((one for one in bills if one.from_on <= last and first <= one.until_on), None)


async def take_bill_back(access: Access, package_id: UUID, version: int, bill_id: UUID) -> None:
    """A bill was wrong: all of it comes back to the pots, and its days can be billed again."""
    pots.require_signature(access.viewer)
    row = await hold(access, package_id, version)
    wrong = await access.session.get(LineActual, bill_id)
    if wrong is None:
        raise Invalid.because("bill_id", "Choose the bill from the list")
    line = await line_of(access, row, wrong.service_line_id)
    if wrong not in await _standing(access, line):
        raise Invalid.because("bill_id", "This bill was taken back already")
    access.session.add(
        LineActual(
            child_id=access.child_id,
            service_line_id=line.id,
            from_on=wrong.from_on,
            until_on=wrong.until_on,
            units=-wrong.units,
            amount=-wrong.amount,
            returns_id=wrong.id,
        )
    )
    await access.session.flush()
    year = FinancialYear.of(wrong.from_on)
    await pay_out(access, row, year, wrong.amount, EntryKind.REFUND)
