"""Money in pounds and pence: exact, checked, and divided without losing or making a penny.

Pure. An amount is a Decimal with two decimals; what is in between is a Fraction, never a float.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar
from uuid import UUID

PENNY = Decimal("0.01")
NOTHING = Decimal("0.00")
LARGEST = Decimal("9999999999.99")
"""What a column numeric(12, 2) holds."""
LARGEST_UNITS = Decimal("999999999.999")


Key = TypeVar("Key", str, UUID)


@dataclass(frozen=True, slots=True, order=True)
class FinancialYear:
    """A council's year: 1 April to 31 March."""

    starts_in: int

    @classmethod
    def of(cls, day: date) -> "FinancialYear":
        """The year in which a day lies."""
        return cls(day.year if day >= date(day.year, 4, 1) else day.year - 1)

    @classmethod
    def named(cls, name: str) -> "FinancialYear":
        """The year that is called "2026-27". Raises ValueError."""
        first, _, _ = name.partition("-")
        year = cls(int(first))
        if year.name != name:
            raise ValueError(f"{name} is no financial year: write it as 2026-27")
        return year

    @property
    def name(self) -> str:
        """As a council writes it: "2026-27"."""
        return f"{self.starts_in}-{(self.starts_in + 1) % 100:02}"

    @property
    def first(self) -> date:
        """1 April."""
        return date(self.starts_in, 4, 1)

    @property
    def last(self) -> date:
        """31 March."""
        return date(self.starts_in + 1, 3, 31)

    @property
    def days(self) -> int:
        """365, or 366 where 29 February lies in it."""
        return (self.last - self.first).days + 1

    @property
    def following(self) -> "FinancialYear":
        """The next year."""
        return FinancialYear(self.starts_in + 1)


def years_between(first: date, last: date) -> list[FinancialYear]:
    """Every financial year that has a day of the span in it, in order."""
    if last < first:
        return []
    start, end = FinancialYear.of(first).starts_in, FinancialYear.of(last).starts_in
    return [FinancialYear(year) for year in range(start, end + 1)]


def to_the_penny(exact: Fraction) -> Decimal:
    """An exact amount as it is paid: half a penny goes up, away from nought."""
    pence, rest = divmod(abs(exact) * 100, 1)
    whole = int(pence) + (1 if rest >= Fraction(1, 2) else 0)
    return Decimal(whole if exact >= 0 else -whole).scaleb(-2)


def split(total: Decimal, shares: Sequence[int]) -> list[Decimal]:
    """Divide an amount by whole shares, to the penny: the parts add up to it exactly.

    Each gets its exact share rounded down to the penny; the pennies that are left go to those who
    lost most by that, of equals to the larger share, then to the one that comes first. So nobody
    differs from the exact share by a penny. Raises ValueError for shares that are negative or
    nothing together, and for an amount with fractions of a penny.
    """
    whole = sum(shares)
    if any(share < 0 for share in shares) or whole <= 0:
        raise ValueError("Shares are whole numbers, none below nought and not all nought.")
    pence = total.scaleb(2)
    if pence != pence.to_integral_value():
        raise ValueError("An amount has no fractions of a penny.")
    sign, amount = (-1, -int(pence)) if pence < 0 else (1, int(pence))
    parts = [amount * share // whole for share in shares]
    lost = [amount * share % whole for share in shares]
    order = sorted(range(len(shares)), key=lambda at: (-lost[at], -shares[at], at))
    for at in order[: amount - sum(parts)]:
        parts[at] += 1
    return [Decimal(sign * part).scaleb(-2) for part in parts]


def split_between(total: Decimal, shares: Mapping[Key, int]) -> dict[Key, Decimal]:
    """Divide an amount between named payers: the same for each, in whatever order they stand."""
    names = sorted(shares)
    parts = split(total, [shares[name] for name in names])
    divided = dict(zip(names, parts, strict=True))
    return {name: divided[name] for name in shares}


def amount_mistake(label: str, amount: Decimal, *, may_be_nothing: bool = False) -> str:
    """What is wrong with an amount that somebody typed, as a sentence; "" where nothing is."""
    if amount < 0:
        return f"{label} must not be below £0.00"
    if amount == 0 and not may_be_nothing:
        return f"{label} must be more than £0.00"
    if amount > LARGEST:
        return f"{label} must be {pounds(LARGEST)} or less"
    if amount != amount.quantize(PENNY):
        return f"{label} must be in pounds and pence, with at most two decimals"
    return ""


def units_mistake(label: str, units: Decimal) -> str:
    """What is wrong with how many there are, as a sentence; "" where nothing is."""
    if units <= 0:
        return f"{label} must be more than nought"
    if units > LARGEST_UNITS:
        return f"{label} must be {LARGEST_UNITS:,} or less"
    if units != units.quantize(Decimal("0.001")):
        return f"{label} must have at most three decimals"
    return ""


def shares_mistake(shares: Sequence[int], whole: int) -> str:
    """What is wrong with shares that are to be so many parts together; "" where nothing is."""
    if any(share <= 0 for share in shares):
        return "Each share must be more than nought"
    if sum(shares) != whole:
        return (
            f"The shares add up to {sum(shares)} of {whole}: change them until they add up to"
            f" {whole}"
        )
    return ""


def pounds(amount: Decimal) -> str:
    """An amount as people read it: "£1,234.50", "−£3.00"."""
    return f"{'−' if amount < 0 else ''}£{abs(amount):,.2f}"
