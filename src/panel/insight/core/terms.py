"""School terms as figures count them, and the days that belong to each.

A calendar lists terms with or without the half-term week between: rows of one term are joined. The
holiday before a term belongs to it, so that what happens in August is counted in the autumn; of
the first term that is known only its own days are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from panel.insight.core.facts import Term
from panel.insight.core.words import Period

_ONE_DAY = timedelta(days=1)
_AUTUMN, _SUMMER = 8, 4
"""The months with which these terms begin, at the earliest; spring begins with the year."""


def period_of(first_day: date) -> Period:
    """The term that begins, or goes on after a half-term, on a day."""
    if first_day.month >= _AUTUMN:
        return Period(f"{first_day.year:04}-autumn")
    name = "summer" if first_day.month >= _SUMMER else "spring"
    return Period(f"{first_day.year:04}-{name}")


def ended_terms(rows: Iterable[tuple[date, date]], today: date) -> tuple[Term, ...]:
    """The terms that were over before a day, oldest first, from rows of first and last days."""
    joined: dict[Period, tuple[date, date]] = {}
    for first, last in rows:
        period = period_of(first)
        known = joined.get(period, (first, last))
        joined[period] = min(first, known[0]), max(last, known[1])
    return tuple(
        Term(first.isoformat(), last.isoformat(), period)
        for period, (first, last) in sorted(joined.items(), key=lambda one: one[1])
        if last < today
    )


@dataclass(frozen=True, slots=True)
class Days:
    """The days that a term's facts are of, both ends included."""

    period: Period
    first: date
    last: date

    def hold(self, day: date | None) -> bool:
        """Whether a day is one of them."""
        return day is not None and self.first <= day <= self.last

    def overlap(self, since: date | None, until: date | None) -> bool:
        """Whether a stretch has one of them; None: from ever, or until further notice."""
        return (since is None or since <= self.last) and (until is None or until >= self.first)


def days_of(terms: Sequence[Term]) -> tuple[Days, ...]:
    """The days of each term: those of the holiday before it, and its own."""
    found: list[Days] = []
    for term in sorted(terms):
        first, last = date.fromisoformat(term.first), date.fromisoformat(term.last)
        if found:
            first = found[-1].last + _ONE_DAY
        found.append(Days(term.period, first, last))
    return tuple(found)
