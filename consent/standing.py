"""Who may agree to share a child's information. DOMAIN.md, "Agreement and the law".

Nothing here is inferred: not parental responsibility from a word such as "father", not competence
from an age, not a date from another date. What is not recorded does not count, and the answer says
what to record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from consent.model import ALWAYS, Span
from consent.words import day_words, opening

AGE_OF_OWN_AGREEMENT = 16
AGE_OF_MAJORITY = 18
SHARING_MATTER = "sharing"
"""The matter that a judgement must be about: being competent is always about something."""


class ParentalBasis(StrEnum):
    """How somebody came to have parental responsibility (Children Act 1989, Part I)."""

    BIRTH_MOTHER = "birth_mother"
    FATHER_BY_MARRIAGE = "father_by_marriage"
    FATHER_BY_REGISTRATION = "father_by_registration"
    """Registered as the father on or after 1 December 2003 (Adoption and Children Act 2002)."""
    SECOND_FEMALE_PARENT = "second_female_parent"
    """Human Fertilisation and Embryology Act 2008, from 6 April 2009."""
    AGREEMENT = "agreement"
    """A parental responsibility agreement that the court has recorded (section 4)."""
    COURT_ORDER = "court_order"
    """A parental responsibility order (section 4)."""
    STEP_PARENT = "step_parent"
    """By agreement or order (section 4A, from 30 December 2005); marriage alone gives nothing."""
    ADOPTION = "adoption"
    PARENTAL_ORDER = "parental_order"
    CHILD_ARRANGEMENTS_ORDER = "child_arrangements_order"
    """For as long as the order runs (section 12)."""
    SPECIAL_GUARDIAN = "special_guardian"
    """Section 14A, from 30 December 2005."""
    APPOINTED_GUARDIAN = "appointed_guardian"
    """Appointed by a parent or the court for after a death (section 5)."""
    CARE_ORDER = "care_order"
    """The local authority, while a care order runs (section 33)."""


EARLIEST_START: dict[ParentalBasis, date] = {
    ParentalBasis.FATHER_BY_REGISTRATION: date(2003, 12, 1),
    ParentalBasis.SECOND_FEMALE_PARENT: date(2009, 4, 6),
    ParentalBasis.STEP_PARENT: date(2005, 12, 30),
    ParentalBasis.SPECIAL_GUARDIAN: date(2005, 12, 30),
}
"""Before these days the law did not give parental responsibility on that basis."""

REPLACING = frozenset({ParentalBasis.ADOPTION, ParentalBasis.PARENTAL_ORDER})
"""These end what anybody else had before."""


@dataclass(frozen=True, slots=True)
class ParentalResponsibility:
    """One person's (or local authority's) parental responsibility, as recorded."""

    person: UUID
    basis: ParentalBasis | None
    """None: somebody said "yes" and nobody recorded why; it does not count until they do."""
    span: Span = ALWAYS
    """From the day it began (for a father by registration, the day of registration)."""
    beside: frozenset[UUID] = frozenset()
    """For an adoption by a parent's partner: the parents who keep theirs."""


class Capacity(StrEnum):
    """As what somebody agrees."""

    SELF = "self"
    PARENTAL_RESPONSIBILITY = "parental_responsibility"
    BEST_INTERESTS = "best_interests"
    """Whoever records a best-interests decision (Mental Capacity Act 2005 section 4)."""
    DEPUTY = "deputy"
    ATTORNEY = "attorney"
    FOSTER_CARER = "foster_carer"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class Giver:
    """Who wants to agree, and as what."""

    person: UUID
    words: str
    """As a page says it: "her mother"."""
    capacity: Capacity


class Finding(StrEnum):
    """What somebody judged about a child or young person."""

    COMPETENT = "competent"
    """Under 16: understands enough to decide this matter (Gillick)."""
    NOT_COMPETENT = "not_competent"
    HAS_CAPACITY = "has_capacity"
    LACKS_CAPACITY = "lacks_capacity"
    """From 16: Mental Capacity Act 2005 section 2."""
    BEST_INTERESTS = "best_interests"
    """Sharing was judged to be in their best interests."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A recorded judgement with its author, day and matter."""

    finding: Finding
    matter: str
    author: UUID
    made: date


@dataclass(frozen=True, slots=True)
class Appointment:
    """A deputy (Court of Protection) or an attorney (lasting power) for somebody who is 18."""

    person: UUID
    capacity: Capacity
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class ChildStanding:
    """What is recorded about who may decide for one child or young person."""

    child: UUID
    born: date | None
    """None before birth."""
    responsibilities: tuple[ParentalResponsibility, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    appointments: tuple[Appointment, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether somebody may agree, and why in one sentence."""

    allowed: bool
    why: str


def birthday(born: date, age: int) -> date:
    """The day on which somebody reaches an age; for 29 February the first of March."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def has_reached(born: date | None, age: int, day: date) -> bool:
    """Whether somebody has reached an age on the day; nobody has before birth."""
    return born is not None and birthday(born, age) <= day


def responsibility_problem(held: ParentalResponsibility, day: date) -> str:
    """Why a record of parental responsibility does not count on the day; empty when it does."""
    if held.basis is None:
        return "Record on what basis parental responsibility is held."
    if held.span.start is None and held.basis is not ParentalBasis.BIRTH_MOTHER:
        return "Record from what day parental responsibility is held."
    earliest = EARLIEST_START.get(held.basis)
    if earliest is not None and held.span.start is not None and held.span.start < earliest:
        return f"This basis gives parental responsibility only from {day_words(earliest)}."
    if not held.span.holds(day):
        return "Parental responsibility is not held on this day."
    return ""


def is_replaced(
    held: ParentalResponsibility, others: Iterable[ParentalResponsibility], day: date
) -> bool:
    """Whether an adoption or parental order by somebody else has ended this responsibility."""
    return any(
        other.basis in REPLACING
        and other.person != held.person
        and held.person not in other.beside
        and other.span.start is not None
        and other.span.start <= day
        and (held.span.start is None or held.span.start < other.span.start)
        for other in others
    )


def holds_responsibility(person: UUID, child: ChildStanding, day: date) -> bool:
    """Whether somebody has parental responsibility on the day; at 18 nobody has."""
    return not has_reached(child.born, AGE_OF_MAJORITY, day) and any(
        held.person == person
        and not responsibility_problem(held, day)
        and not is_replaced(held, child.responsibilities, day)
        for held in child.responsibilities
    )


def may_agree_to_share(giver: Giver, child: ChildStanding, day: date) -> Standing:
    """Whether the giver may agree to share the child's information on the day, and why."""
    match giver.capacity:
        case Capacity.FOSTER_CARER:
            return _no("Foster carers do not have parental responsibility, so they cannot agree.")
        case Capacity.RELATIVE:
            return _no(f"{opening(giver.words)} does not have parental responsibility.")
        case Capacity.SELF:
            return _by_self(giver, child, day)
        case Capacity.PARENTAL_RESPONSIBILITY:
            return _by_parent(giver, child, day)
        case Capacity.BEST_INTERESTS:
            return _by_best_interests(child, day)
        case Capacity.DEPUTY | Capacity.ATTORNEY:
            return _by_appointment(giver, child, day)


def _by_self(giver: Giver, child: ChildStanding, day: date) -> Standing:
    if giver.person != child.child:
        return _no("Only the child or young person can agree as themselves.")
    if has_reached(child.born, AGE_OF_OWN_AGREEMENT, day):
        if _lacks_capacity(child, day):
            return _no("It is recorded that they cannot decide this: record their best interests.")
        return _yes("From 16 a young person decides for themselves.")
    if _latest(child, day, {Finding.COMPETENT, Finding.NOT_COMPETENT}) is Finding.COMPETENT:
        return _yes("It is recorded that they understand enough to decide this.")
    return _no("Under 16: first record whether they understand enough to decide this.")


def _by_parent(giver: Giver, child: ChildStanding, day: date) -> Standing:
    if has_reached(child.born, AGE_OF_MAJORITY, day):
        return _no("From 18 nobody has parental responsibility.")
    if has_reached(child.born, AGE_OF_OWN_AGREEMENT, day):
        return _no("From 16 the young person decides alone.")
    if holds_responsibility(giver.person, child, day):
        return _yes(f"{opening(giver.words)} has parental responsibility and may act alone.")
    return _no(_why_not_responsible(giver, child, day))


def _why_not_responsible(giver: Giver, child: ChildStanding, day: date) -> str:
    held = [each for each in child.responsibilities if each.person == giver.person]
    problems = sorted({problem for each in held if (problem := responsibility_problem(each, day))})
    if problems:
        return problems[0]
    if held:
        return "An adoption or parental order has ended this parental responsibility."
    return f"It is not recorded that {giver.words} has parental responsibility."


def _by_best_interests(child: ChildStanding, day: date) -> Standing:
    if not has_reached(child.born, AGE_OF_OWN_AGREEMENT, day):
        return _no("Best-interests decisions are for young people from 16.")
    if not _lacks_capacity(child, day):
        return _no("From 16 they are presumed able to decide, and nothing else is recorded.")
    if _latest(child, day, {Finding.BEST_INTERESTS}) is None:
        return _no("Record the best-interests decision with its author and day first.")
    return _yes("They cannot decide this, and a best-interests decision is recorded.")


def _by_appointment(giver: Giver, child: ChildStanding, day: date) -> Standing:
    if not has_reached(child.born, AGE_OF_MAJORITY, day):
        return _no("Deputies and attorneys decide from 18.")
    appointed = any(
        each.person == giver.person and each.capacity is giver.capacity and each.span.holds(day)
        for each in child.appointments
    )
    if not appointed:
        return _no(f"It is not recorded that {giver.words} is {_article(giver.capacity)}.")
    if not _lacks_capacity(child, day):
        return _no("They are presumed able to decide, and nothing else is recorded.")
    return _yes(f"{opening(giver.words)} is {_article(giver.capacity)} and may decide this.")


def _article(capacity: Capacity) -> str:
    return "an attorney" if capacity is Capacity.ATTORNEY else "a deputy"


def _lacks_capacity(child: ChildStanding, day: date) -> bool:
    finding = _latest(child, day, {Finding.HAS_CAPACITY, Finding.LACKS_CAPACITY})
    return finding is Finding.LACKS_CAPACITY


def _latest(child: ChildStanding, day: date, findings: set[Finding]) -> Finding | None:
    """The last of such findings about sharing; of two on one day the one that permits less."""
    made = [
        each
        for each in child.judgements
        if each.finding in findings and each.matter == SHARING_MATTER and each.made <= day
    ]
    # "not_competent" and "lacks_capacity" sort after their opposites.
    return max(made, key=lambda each: (each.made, each.finding)).finding if made else None


def _yes(why: str) -> Standing:
    return Standing(allowed=True, why=why)


def _no(why: str) -> Standing:
    return Standing(allowed=False, why=why)
