"""What a line of a package gives and costs within some days, exactly.

The rule is that of packages (`panel.allocation.costing`): each day costs its part of the week, of
its own month or of its own financial year at the price of that day; what is once costs its price on
its first day. It stands here too because facts are made from what was said alone: a test compares
the two.
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

_ONE_DAY = timedelta(days=1)
_APRIL = 4
_DAYS = {"week": 7, "fortnight": 14}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some days with an amount; no end: until further notice."""

    since: date
    until: date | None
    amount: int


def periods(every: str, since: date, first: date, last: date) -> Fraction:
    """How many weeks, months or years some days are; of what is once, whether it begins in them."""
    if every == "once":
        return Fraction(first <= since <= last)
    if (days := _DAYS.get(every)) is not None:
        return Fraction((last - first).days + 1, days)
    whole, day = Fraction(0), first
    while day <= last:
        start, end = _month(day) if every == "month" else _year(day)
        until = min(end, last)
        whole += Fraction((until - day).days + 1, (end - start).days + 1)
        day = until + _ONE_DAY
    return whole


def cost(
    units: int, every: str, line: tuple[date, date], since: date, prices: Iterable[Stretch]
) -> Fraction:
    """The pence of a line's days: `units` are thousandths, prices pence for a whole unit."""
    total = Fraction(0)
    for price in prices:
        first = max(line[0], price.since)
        last = line[1] if price.until is None else min(line[1], price.until)
        if first <= last:
            total += price.amount * Fraction(units, 1000) * periods(every, since, first, last)
    return total


def split(pence: int, parts: Sequence[int], whole: int) -> tuple[int, ...]:
    """What each payer's part is, to the penny; together they are never more than the whole."""
    given, shares, so_far = 0, [], 0
    for part in parts:
        so_far += part
        reached = rounded(Fraction(pence * so_far, whole)) if whole else 0
        shares.append(reached - given)
        given = reached
    return tuple(shares)


def rounded(amount: Fraction) -> int:
    """To the nearest whole number, a half upwards."""
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


def _month(day: date) -> tuple[date, date]:
    return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])


def _year(day: date) -> tuple[date, date]:
    year = day.year if day.month >= _APRIL else day.year - 1
    return date(year, 4, 1), date(year + 1, 3, 31)
