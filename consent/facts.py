"""One fact at a time: whether it is in force, whom it is for, what it covers, when it ends.

Dates are Europe/London days, both ends included; moments that end something are not included.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from consent.model import (
    ADDITIONAL,
    BASIC,
    LONDON,
    Agreement,
    Category,
    Duty,
    Level,
    Objection,
    Purpose,
    Span,
    Viewer,
    ViewerKind,
)
from consent.reach import is_named, receiver_of

OPEN = date.max
"""The end of what has no end."""
EVERY_CATEGORY = frozenset(Category)
_OF_LEVEL: dict[Level | None, frozenset[Category]] = {
    Level.BASIC: BASIC,
    Level.ADDITIONAL: BASIC | ADDITIONAL,
    None: frozenset(),
}
_INSTANT = timedelta(microseconds=1)


def or_every(categories: frozenset[Category] | None) -> frozenset[Category]:
    """The categories of a fact in which naming none means every category."""
    return categories or EVERY_CATEGORY


def span_end(span: Span) -> date:
    """The last day of a span."""
    return span.end or OPEN


def last_day_before(moment: datetime) -> date:
    """The London day on which the last instant before the moment falls."""
    return (moment.astimezone(UTC) - _INSTANT).astimezone(LONDON).date()


def is_for(agreement: Agreement, purpose: Purpose) -> bool:
    """Whether the purpose is meant; no purpose at all refuses for all and permits for none."""
    return purpose in agreement.purposes or not agreement.purposes


def is_in_force(agreement: Agreement, at: datetime, day: date) -> bool:
    """Whether an agreement or refusal holds: within its span and not yet withdrawn."""
    return agreement.span.holds(day) and (agreement.withdrawn is None or at < agreement.withdrawn)


def has_lapsed(agreement: Agreement, at: datetime, day: date) -> bool:
    """Whether an agreement held once and ended or was withdrawn."""
    begun = agreement.span.start is None or agreement.span.start <= day
    return begun and not is_in_force(agreement, at, day)


def is_agreed_with(viewer: Viewer, agreement: Agreement) -> bool:
    """Whether the agreement names the viewer's agency; a new agency needs a new agreement."""
    return (
        agreement.given and bool(agreement.purposes) and receiver_of(viewer) in agreement.agencies
    )


def is_refused_to(viewer: Viewer, agreement: Agreement) -> bool:
    """Whether it is a refusal, or an agreement that names the viewer as not to share with."""
    if agreement.given:
        return bool(agreement.not_agencies) and is_named(viewer, agreement.not_agencies)
    return not agreement.agencies or is_named(viewer, agreement.agencies)


def covered(agreement: Agreement) -> frozenset[Category]:
    """What is agreed; finance and safeguarding are in no level, so only where they are named."""
    of_level = _OF_LEVEL[agreement.level]
    return of_level | agreement.named if agreement.named else of_level


def refused(agreement: Agreement) -> frozenset[Category]:
    """What is refused; neither a level nor a name means everything."""
    return or_every(covered(agreement))


def agreement_end(agreement: Agreement) -> date:
    """The last day on which an agreement holds, as far as is known."""
    end = span_end(agreement.span)
    if agreement.withdrawn is None:
        return end
    return min(end, last_day_before(agreement.withdrawn))


def lapse_day(agreement: Agreement) -> date:
    """The day on which a lapsed agreement ended or was withdrawn."""
    end = span_end(agreement.span)
    if agreement.withdrawn is None:
        return end
    return min(end, agreement.withdrawn.astimezone(LONDON).date())


def is_objected_to(viewer: Viewer, objection: Objection, purpose: Purpose, day: date) -> bool:
    """Whether an objection, raised and not dismissed, is about sharing with the viewer for this."""
    if objection.raised > day or (objection.agencies and not is_named(viewer, objection.agencies)):
        return False
    if objection.purposes and purpose not in objection.purposes:
        return False
    return objection.upheld or is_pending(objection, day)


def is_pending(objection: Objection, day: date) -> bool:
    """Whether an objection still waits for its decision."""
    return objection.decided is None or day < objection.decided


def pauses(objection: Objection, agreement: Agreement) -> bool:
    """New sharing pauses; what began before the objection goes on. DOMAIN.md."""
    return agreement.span.start is not None and agreement.span.start >= objection.raised


def is_laid_on(viewer: Viewer, duty: Duty, purpose: Purpose, day: date) -> bool:
    """Whether a commenced duty is laid on the viewer's agency and role for the purpose."""
    return (
        duty.commenced is not None
        and duty.commenced <= day
        and purpose in duty.purposes
        and (duty.ended is None or day <= duty.ended)
        and (not duty.roles or not duty.roles.isdisjoint(viewer.roles))
        and (not duty.agency_kinds or viewer.agency_kind in duty.agency_kinds)
        and viewer.kind is not ViewerKind.FAMILY
    )
