"""What would it cost if: over all packages of an authority together, with no child named.

It reads coded facts alone (units, days, prices) and no text. What fewer than five children get is
shown together with something else, or not at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.costing import Every, Line, Price, cost_between
from panel.allocation.money import FinancialYear, to_the_penny
from panel.allocation.package_models import Package, PackageState, ServiceLine, UnitPrice
from panel.platform.problems import Invalid

FEWEST = 5
EVERYTHING_ELSE = "other"


@dataclass(frozen=True, slots=True)
class Counted:
    """A line of some child's package, without its words."""

    child: UUID
    unit: str
    line: Line


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What would change, from a day on; percentages, and children more or fewer."""

    from_on: date
    unit: str = ""
    """Which lines: "" is all."""
    price: Decimal = Decimal(0)
    units: Decimal = Decimal(0)
    number: Decimal = Decimal(0)

    @property
    def factor(self) -> Fraction:
        """By how much the cost of such a line changes."""
        changes = (self.price, self.units, self.number)
        made = Fraction(1)
        for change in changes:
            made *= 1 + Fraction(change) / 100
        return made


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of one unit together."""

    unit: str
    children: int
    now: Decimal
    then: Decimal

    @property
    def difference(self) -> Decimal:
        """How much more it would cost."""
        return self.then - self.now


async def counted_lines(session: AsyncSession) -> Sequence[Counted]:
    """Every line of the packages that run, as scheduled work reads them: no text is opened."""
    prices = defaultdict(list)
    for price in await session.scalars(select(UnitPrice)):
        prices[price.service_line_id].append(Price(price.amount, price.from_on, price.until_on))
    rows = await session.execute(
        select(ServiceLine, Package.from_on, Package.until_on)
        .join(Package, Package.id == ServiceLine.package_id)
        .where(Package.state != PackageState.PLANNED.value)
    )
    return [
        Counted(
            line.child_id,
            line.unit,
            Line(
                line.units,
                Every(line.every),
                max(line.from_on, starts),
                min((day for day in (line.until_on, until) if day is not None), default=None),
                prices[line.id],
            ),
        )
        for line, starts, until in rows
    ]


def calculate(lines: Iterable[Counted], year: FinancialYear, change: WhatIf) -> Sequence[Group]:
    """What a year costs now and would cost, by unit, with small groups put together.

    A change of one unit alone is not worked out where too few children get it: its difference
    would be what they cost. Raises Invalid.
    """
    now: dict[str, Fraction] = defaultdict(Fraction)
    then: dict[str, Fraction] = defaultdict(Fraction)
    children: dict[str, set[UUID]] = defaultdict(set)
    day = min(max(change.from_on, year.first), year.last)
    for one in lines:
        cost = cost_between(one.line, year.first, year.last)
        if not cost:
            continue
        later = cost_between(one.line, day, year.last) if change.from_on <= year.last else 0
        changes = change.unit in ("", one.unit)
        now[one.unit] += cost
        then[one.unit] += cost + (later * (change.factor - 1) if changes else 0)
        children[one.unit].add(one.child)
    protected = _protected(children)
    if change.unit in children and [change.unit] not in [units for units, _ in protected]:
        sentence = "Too few children get this to work it out by itself"
        raise Invalid.because("unit", sentence)
    return [
        Group(
            units[0] if len(units) == 1 else EVERYTHING_ELSE,
            len(who),
            to_the_penny(sum((now[one] for one in units), Fraction(0))),
            to_the_penny(sum((then[one] for one in units), Fraction(0))),
        )
        for units, who in protected
    ]


def _protected(children: dict[str, set[UUID]]) -> list[tuple[list[str], set[UUID]]]:
    """Units with enough children each, and the others together with as many as it takes."""
    small: list[str] = []
    among: set[UUID] = set()
    found = []
    for unit in sorted(children, key=lambda one: (len(children[one]), one)):
        if len(children[unit]) < FEWEST or (small and len(among) < FEWEST):
            small.append(unit)
            among |= children[unit]
        else:
            found.append(([unit], children[unit]))
    found.sort(key=lambda one: one[0])
    if small and len(among) >= FEWEST:
        # A single unit that is small enough to be hidden never stands alone.
        found.append((small, among))
    return found
