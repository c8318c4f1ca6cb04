"""Direct payments and personal budgets: what is paid, what is said to be spent, and the balance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from consent import Category
from panel.allocation.costing import days_mistakes
from panel.allocation.money import NOTHING, FinancialYear, amount_mistake, pounds
from panel.allocation.package_models import (
    EntryKind,
    Package,
    PackageKind,
    PackageState,
    Payment,
    PaymentReturn,
    Pot,
    Reconciliation,
)
from panel.allocation.package_promising import require_payer
from panel.allocation.packages import hold, pay_out
from panel.allocation.pots import promised, require_signature
from panel.platform.problems import FieldError, Invalid, NotAllowed
from panel.records.gate import Access, Withheld
from panel.web.words import short_day

EVEN, CARRIED, BACK, GOOD = "even", "carried_over", "paid_back", "made_good"
Days = tuple[date, date]
ADVANCE = timedelta(days=92)
"""How long before the start of a package its first payment may come."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What was paid and spent since the last reconciliation, with what was carried over."""

    carried_in: Decimal
    paid: Decimal
    spent: Decimal

    @property
    def left(self) -> Decimal:
        """What is left of it; below nought, what the family or the broker laid out."""
        return self.carried_in + self.paid - self.spent


@dataclass(frozen=True, slots=True)
class Account:
    """All that was paid, returned and reconciled for a package, oldest first."""

    payments: Sequence[Payment]
    returns: Sequence[PaymentReturn]
    reconciliations: Sequence[Reconciliation]

    @property
    def reconciled_until(self) -> date | None:
        """Up to which day it is settled."""
        return self.reconciliations[-1].until_on if self.reconciliations else None

    @property
    def for_days(self) -> Sequence[Payment]:
        """What was paid for days to come: what made an earlier lack good is none of it."""
        made_good = {
            (one.created_at, one.until_on, one.spent - one.carried_in - one.paid)
            for one in self.reconciliations
            if one.outcome == GOOD
        }
        return [
            one
            for one in self.payments
            if (one.created_at, one.until_on, one.amount) not in made_good
        ]

    def for_same_days(self, days: Days) -> Payment | None:
        """A payment for some of these days that was not returned in full."""
        first, last = days
        return next(
            (
                one
                for one in self.for_days
                if one.from_on <= last and first <= one.until_on and not self._came_back(one)
            ),
            None,
        )

    def _came_back(self, payment: Payment) -> bool:
        """Whether all of it was paid back: nothing was spent until it was reconciled."""
        for one in self.reconciliations:
            if one.until_on < payment.on:
                continue
            if one.spent or one.outcome != CARRIED:
                return not one.spent and one.outcome == BACK
        return False

    def balance(self, until: date) -> Balance:
        """What stands open up to a day."""
        since = self.reconciled_until or date.min
        last = self.reconciliations[-1] if self.reconciliations else None
        carried = NOTHING
        if last is not None and last.outcome == CARRIED:
            carried = last.carried_in + last.paid - last.spent
        return Balance(
            carried,
            sum((one.amount for one in self.for_days if since < one.on <= until), NOTHING),
            sum((one.spent for one in self.returns if since < one.until_on <= until), NOTHING),
        )


async def account_for_reading(
    access: Access, package_id: UUID, package_author: UUID
) -> Account | Withheld:
    """The account of a package, or why it is not shown: it is about the family's money.

    It is seen whole or not at all: of part of it the balance would be wrong, or tell the rest.
    """
    found = await _account(access, package_id)
    authors = {package_author}
    authors |= {one.agency_id for one in found.returns}
    authors |= {one.agency_id for one in found.reconciliations}
    if all(access.may(Category.FINANCE, one) for one in authors):
        return found
    withheld = access.withheld(Category.FINANCE)
    return withheld or Withheld(Category.FINANCE, "You cannot see these payments.")


async def _account(access: Access, package_id: UUID) -> Account:
    session = access.session
    of_package = {"package_id": package_id, "child_id": access.child_id}
    return Account(
        list(
            await session.scalars(
                select(Payment).filter_by(**of_package).order_by(Payment.on, Payment.id)
            )
        ),
        list(
            await session.scalars(
                select(PaymentReturn)
                .filter_by(**of_package)
                .order_by(PaymentReturn.until_on, PaymentReturn.id)
            )
        ),
        list(
            await session.scalars(
                select(Reconciliation)
                .filter_by(**of_package)
                .order_by(Reconciliation.until_on, Reconciliation.id)
            )
        ),
    )


async def _holding(access: Access, package_id: UUID, version: int) -> tuple[Package, Account]:
    """The package whose money the family or a broker holds, and its account.

    Raises Invalid for any other package, NotAllowed for whoever may not see the account.
    """
    require_signature(access.viewer)
    row = await hold(access, package_id, version)
    account = await account_for_reading(access, row.id, row.author_agency_id)
    if isinstance(account, Withheld):
        raise NotAllowed("What is paid to this family is not shared with you.")
    if row.kind == PackageKind.IN_KIND.value:
        raise Invalid.because("", "This package is given in kind: nothing is paid to the family")
    if row.state == PackageState.PLANNED.value:
        raise Invalid.because("", "The package is not approved yet: nothing is paid for it")
    await require_payer(access, row)
    return row, account


async def pay(
    access: Access,
    package_id: UUID,
    version: int,
    paid_to: str,
    amount: Decimal,
    on: date,
    days: Days,
) -> Payment:
    """Pay the family, or the broker who holds the money, out of what was promised."""
    row, account = await _holding(access, package_id, version)
    mistakes = []
    if wrong := amount_mistake("The amount", amount):
        mistakes.append(FieldError("amount", wrong))
    if row.broker_holds != (paid_to == "broker"):
        who = "the broker holds the money" if row.broker_holds else "no broker holds the money"
        mistakes.append(FieldError("paid_to", f"Choose whom the plan names: {who}"))
    mistakes += days_mistakes(*days)
    if on > access.today:
        mistakes.append(FieldError("on", "The day of a payment must be today or in the past"))
    elif on < row.from_on - ADVANCE:
        sentence = f"The package starts on {short_day(row.from_on)}: the payment is long before"
        mistakes.append(FieldError("on", sentence))
    settled = account.reconciled_until
    if settled is not None and on <= settled:
        sentence = f"It is reconciled up to {short_day(settled)}: write a later day"
        mistakes.append(FieldError("on", sentence))
    if row.state == PackageState.ENDED.value:
        mistakes.append(FieldError("", "This package has ended: nothing more is paid for it"))
    if (same := account.for_same_days(days)) is not None:
        sentence = (
            f"{pounds(same.amount)} was paid on {short_day(same.on)} for"
            f" {short_day(same.from_on)} to {short_day(same.until_on)} already: write other days"
        )
        mistakes.append(FieldError("from_on", sentence))
    if mistakes:
        raise Invalid(tuple(mistakes))
    return await _paid(access, row, paid_to, amount, on, days)


async def _paid(
    access: Access, row: Package, paid_to: str, amount: Decimal, on: date, days: Days
) -> Payment:
    made = Payment(
        child_id=access.child_id,
        package_id=row.id,
        paid_to=paid_to,
        amount=amount,
        on=on,
        from_on=days[0],
        until_on=days[1],
    )
    access.session.add(made)
    await access.session.flush()
    await pay_out(access, row, FinancialYear.of(on), amount)
    return made


async def take_return(
    access: Access, package_id: UUID, version: int, days: Days, spent: Decimal, note: str
) -> PaymentReturn:
    """Write down what the family or broker says was spent over some days, each day once."""
    row, account = await _holding(access, package_id, version)
    first, last = days
    mistakes = []
    mistakes += days_mistakes(first, last)
    if last > access.today:
        mistakes.append(FieldError("until_on", "The days must be over"))
    if wrong := amount_mistake("What was spent", spent, may_be_nothing=True):
        mistakes.append(FieldError("spent", wrong))
    for one in account.returns:
        if one.from_on <= last and first <= one.until_on:
            sentence = (
                f"There is a return from {short_day(one.from_on)} to {short_day(one.until_on)}"
                " already: write the days that it leaves"
            )
            mistakes.append(FieldError("from_on", sentence))
            break
    settled = account.reconciled_until
    if settled is not None and last <= settled:
        sentence = f"It is reconciled up to {short_day(settled)}: write later days"
        mistakes.append(FieldError("until_on", sentence))
    if mistakes:
        raise Invalid(tuple(mistakes))
    made = PaymentReturn(
        child_id=access.child_id,
        package_id=row.id,
        agency_id=access.viewer.agency,
        from_on=first,
        until_on=last,
        spent=spent,
        note=note,
    )
    access.session.add(made)
    await access.session.flush()
    return made


async def reconcile(
    access: Access, package_id: UUID, version: int, until_on: date, outcome: str, note: str
) -> Reconciliation:
    """Settle an account up to a day: what is left is carried over, paid back or made good."""
    row, account = await _holding(access, package_id, version)
    settled = account.reconciled_until
    mistakes = []
    if until_on > access.today or (settled is not None and until_on <= settled):
        sentence = "The day must come after the last reconciliation and not be in the future"
        mistakes.append(FieldError("until_on", sentence))
    balance = account.balance(until_on)
    if balance.paid and not any(
        (settled or date.min) < one.until_on <= until_on for one in account.returns
    ):
        sentence = "Money was paid and there is no return for it yet: ask the family or the broker"
        mistakes.append(FieldError("until_on", sentence))
    if wrong := outcome_mistake(balance.left, outcome):
        mistakes.append(FieldError("outcome", wrong))
    if mistakes:
        raise Invalid(tuple(mistakes))
    made = Reconciliation(
        child_id=access.child_id,
        package_id=row.id,
        agency_id=access.viewer.agency,
        until_on=until_on,
        carried_in=balance.carried_in,
        paid=balance.paid,
        spent=balance.spent,
        outcome=outcome,
        note=note,
    )
    access.session.add(made)
    await access.session.flush()
    if outcome == BACK:
        for year, part in (await _paid_in_years(access, row, until_on, balance.left)).items():
            await pay_out(access, row, year, part, EntryKind.REFUND)
            if row.state == PackageState.ENDED.value:
                # Nothing more is to come of it: the pots have for others what came back.
                await pay_out(access, row, year, part, EntryKind.RELEASE)
    elif outcome == GOOD:
        to = "broker" if row.broker_holds else "family"
        await _paid(access, row, to, -balance.left, access.today, (until_on, until_on))
    return made


async def _paid_in_years(
    access: Access, row: Package, until_on: date, amount: Decimal
) -> dict[FinancialYear, Decimal]:
    """Out of which years money that comes back was paid, the latest first: it goes back there.

    What no pot paid is of the year in which it comes back.
    """
    known = await promised(access.session, row.id)
    last = FinancialYear.of(until_on)
    spent: dict[FinancialYear, Decimal] = {}
    for pot in await access.session.scalars(select(Pot).where(Pot.id.in_(known))):
        year = FinancialYear.named(pot.financial_year)
        if year <= last:
            spent[year] = spent.get(year, NOTHING) + known[pot.id].spent
    found: dict[FinancialYear, Decimal] = {}
    for year in sorted(spent, reverse=True):
        if part := min(spent[year], amount):
            found[year] = part
            amount -= part
    if amount:
        found[last] = found.get(last, NOTHING) + amount
    return found


def outcome_mistake(left: Decimal, outcome: str) -> str:
    """Whether what becomes of a balance fits it, as a sentence; "" where it does."""
    fits = {EVEN: left == 0, CARRIED: left != 0, BACK: left > 0, GOOD: left < 0}
    if fits.get(outcome, False):
        return ""
    if left == 0:
        return "Nothing is left and nothing is owed: choose that it is even"
    if left > 0:
        return f"{pounds(left)} is left: choose whether it is carried over or paid back"
    return f"{pounds(-left)} was laid out: choose whether it is carried over or made good"
