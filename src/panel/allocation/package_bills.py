"""Bills: what a service of a package really was and cost, paid out of what was promised."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from panel.allocation import pots
from panel.allocation.costing import days_mistakes
from panel.allocation.money import FinancialYear, amount_mistake, units_mistake
from panel.allocation.package_changing import hold, line_of, refuse
from panel.allocation.package_models import LineActual, PackageState
from panel.allocation.package_promising import pay_out
from panel.allocation.package_reading import earlier
from panel.platform.problems import FieldError
from panel.records.gate import Access


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
