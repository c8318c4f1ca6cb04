"""What may be said of a service, whoever says it: a page, a file, a provider."""

from collections.abc import Iterator
from datetime import date, timedelta

from panel.directory.facts import ServiceFacts
from panel.directory.vocabulary import Status
from panel.platform.problems import FieldError

FURTHEST_AGE = 120
LINK_DAYS = 28
"""For how many days a provider's link is good."""
LONGEST_CLOSURE = timedelta(days=366)
OLD_AFTER = timedelta(days=92)
"""Free places that were said longer ago are old news."""
REVIEW_WITHIN = timedelta(days=366)
"""A short-breaks statement is kept under review; a year is the longest that a page lets it wait."""


def mistakes(facts: ServiceFacts) -> Iterator[FieldError]:
    """Everything that cannot be so."""
    youngest, oldest = facts.min_age, facts.max_age
    if youngest is not None and youngest < 0:
        yield FieldError("min_age", "The youngest age must be 0 or more")
    if oldest is not None and oldest < 0:
        yield FieldError("max_age", "The oldest age must be 0 or more")
    if youngest is not None and oldest is not None and youngest > oldest:
        yield FieldError("min_age", "The youngest age must not be above the oldest age")
    yield from places_mistakes(facts.capacity, facts.places_free)
    if facts.unit_cost is not None and facts.unit_cost < 0:
        yield FieldError("unit_cost", "The cost must be £0 or more")
    if facts.unit_cost is not None and facts.unit is None:
        yield FieldError("unit", "Select what the cost is for")


def places_mistakes(capacity: int | None, places_free: int | None) -> Iterator[FieldError]:
    """What cannot be so of places."""
    if capacity is not None and capacity < 0:
        yield FieldError("capacity", "The places there are must be 0 or more")
    if places_free is not None and places_free < 0:
        yield FieldError("places_free", "The free places must be 0 or more")
    if capacity is not None and places_free is not None and places_free > capacity:
        yield FieldError("places_free", "There cannot be more free places than places there are")


def closing_mistakes(until: date | None, today: date) -> Iterator[FieldError]:
    """What cannot be so of a closure."""
    if until is not None and until < today:
        yield FieldError("closed_until", "The last day it is closed must be today or later")
    if until is not None and until > today + LONGEST_CLOSURE:
        yield FieldError("closed_until", "The last day it is closed must be within a year")


def is_open(status: Status, closed_until: date | None, today: date) -> bool:
    """Whether it takes anybody on a day: what was closed until a day is open on the next."""
    if status is Status.CLOSED_FOR_NOW:
        return closed_until is not None and closed_until < today
    return status is Status.ACTIVE
