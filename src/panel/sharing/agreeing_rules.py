"""Pure rules about agreements beside each other: what overlaps, what is carried on, what ends.

Days are Europe/London days; both ends of an agreement are included.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from consent import Agreement
from consent.facts import OPEN, covered
from consent.standing import AGE_OF_MAJORITY, birthday

_ONE_DAY = timedelta(days=1)


def last_day_of_responsibility(born: date) -> date:
    """The day before somebody is 18: from then on nobody has parental responsibility."""
    return birthday(born, AGE_OF_MAJORITY) - _ONE_DAY


def overlaps(one: Agreement, other: Agreement) -> bool:
    """Whether two agreements of one person open something to one agency for one purpose at once."""
    return (
        one.given
        and other.given
        and one.by == other.by
        and one.withdrawn is None
        and other.withdrawn is None
        and bool(one.agencies & other.agencies)
        and bool(one.purposes & other.purposes)
        and _start(one) <= _end(other)
        and _start(other) <= _end(one)
    )


def says_the_same(one: Agreement, other: Agreement) -> bool:
    """Whether two agreements of one person have the same terms, whatever their dates."""
    return (one.by, one.given, one.agencies, one.not_agencies, one.purposes, covered(one)) == (
        other.by,
        other.given,
        other.agencies,
        other.not_agencies,
        other.purposes,
        covered(other),
    )


def ends_soon(agreement: Agreement, today: date, days: int) -> bool:
    """Whether an agreement has its last day today or within so many days."""
    return (
        agreement.given
        and agreement.withdrawn is None
        and _start(agreement) <= today
        and today <= _end(agreement) <= today + timedelta(days=days)
    )


def has_ended(agreement: Agreement, today: date) -> bool:
    """Whether an agreement came to its end by itself; one that was withdrawn did not."""
    return agreement.given and agreement.withdrawn is None and _end(agreement) < today


def is_carried_on(agreement: Agreement, others: Iterable[Agreement]) -> bool:
    """Whether one other agreement lets the same agencies see at least as much without a gap."""
    return any(
        other.id != agreement.id
        and other.given
        and other.withdrawn is None
        and _start(other) <= _after(agreement)
        and _end(other) > _end(agreement)
        and other.agencies >= agreement.agencies
        and other.purposes >= agreement.purposes
        and covered(other) >= covered(agreement)
        for other in others
    )


def _start(agreement: Agreement) -> date:
    return agreement.span.start or date.min


def _end(agreement: Agreement) -> date:
    return agreement.span.end or OPEN


def _after(agreement: Agreement) -> date:
    end = _end(agreement)
    return OPEN if end == OPEN else end + _ONE_DAY
