"""A slow judge of sharing, written straight from the rules as the documents state them.

It takes what happened, event by event, and answers a question by walking through all of it: no
index, no standpoint, nothing from `consent` but the names of its values. It is compared with
`consent.decide` over many random histories (test_histories.py). Where a rule below has no other
source it is DOMAIN.md, "Categories, purposes, defaults" and "Agreement and the law"; the order of
the rules is ARCHITECTURE.md, "The record gate" (precedence).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from consent.model import (
    Basis,
    Category,
    CourtOrder,
    Duty,
    Enquiry,
    Level,
    Override,
    Purpose,
    Question,
    Relationship,
    Restriction,
    RestrictionKind,
    Tie,
    Viewer,
    ViewerKind,
)
from consent.standing import Appointment, Capacity, Finding, Judgement, ParentalResponsibility

YES, NO = True, False


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody agreed or refused on a day, rightly or not: the judge looks whether they might."""

    on: date
    given: bool
    by: UUID
    capacity: Capacity
    agencies: frozenset[UUID]
    not_agencies: frozenset[UUID]
    level: Level | None
    named: frozenset[Category]
    purposes: frozenset[Purpose]
    until: date | None = None
    withdrawn: datetime | None = None


@dataclass(frozen=True, slots=True)
class Objected:
    """Somebody with parental responsibility objected, and what was decided about it."""

    on: date
    by: UUID
    agencies: frozenset[UUID]
    categories: frozenset[Category]
    decided: date | None = None
    upheld: bool = False
    purposes: frozenset[Purpose] = frozenset()


@dataclass(slots=True)
class History:
    """All that happened around one child, in no order that matters."""

    child: UUID
    born: date | None
    responsibilities: list[ParentalResponsibility] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    appointments: list[Appointment] = field(default_factory=list)
    ties: list[Relationship] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    objected: list[Objected] = field(default_factory=list)
    restrictions: list[Restriction] = field(default_factory=list)
    orders: list[CourtOrder] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    enquiries: list[Enquiry] = field(default_factory=list)
    duties: list[Duty] = field(default_factory=list)
    use_restricted: date | None = None
    """Since when the record is stored and not used."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says, and on which basis."""

    permitted: bool
    basis: Basis
    silent: bool = False
    since: date | None = None
    """The oldest of what withholds it; None where that has no beginning or may not be told."""
    ends: frozenset[date | None] = frozenset()
    """The last day of each fact that permits it, no later than that of the tie it needs."""


def oldest(days: list[date | None]) -> date | None:
    """The earliest of some days; what has no beginning is older than any."""
    return None if None in days else min(day for day in days if day is not None)


def earlier(first: date | None, second: date | None) -> date | None:
    """The earlier of two ends; None never ends."""
    ends = [end for end in (first, second) if end is not None]
    return min(ends) if ends else None


def day_before(moment: datetime) -> date:
    """The London day of the last instant before a moment."""
    return london(moment - timedelta(microseconds=1))


# -- who may decide -------------------------------------------------------------------------------


def age_on(born: date | None, day: date) -> int:
    """Years completed, counted one by one; a child of 29 February has a birthday on 1 March.

    Nought before birth: the form is for a child who is expected, too ("expected delivery").
    """
    years = 0
    if born is None:
        return years
    while True:
        year = born.year + years + 1
        try:
            next_birthday = date(year, born.month, born.day)
        except ValueError:
            next_birthday = date(year, 3, 1)
        if next_birthday > day:
            return years
        years += 1


def last_found(history: History, day: date, wide: Finding, narrow: Finding) -> Finding | None:
    """The latest of two opposite findings about sharing; of one day's, the one that permits less."""
    answer = None
    when = date.min
    for judgement in history.judgements:
        if judgement.matter != "sharing" or judgement.made > day:
            continue
        if judgement.finding not in (wide, narrow) or judgement.made < when:
            continue
        if judgement.made == when and answer is narrow:
            continue
        answer, when = judgement.finding, judgement.made
    return answer


LAW_BEGAN = {
    "father_by_registration": date(2003, 12, 1),
    "second_female_parent": date(2009, 4, 6),
    "step_parent": date(2005, 12, 30),
    "special_guardian": date(2005, 12, 30),
}


def is_replaced(history: History, held: ParentalResponsibility, day: date) -> bool:
    """Whether an adoption or a parental order since then gave it to others alone."""
    for order in history.responsibilities:
        if order.basis is None or order.basis.value not in ("adoption", "parental_order"):
            continue
        if order is held or order.person == held.person or held.person in order.beside:
            continue
        if order.span.start is None or order.span.start > day:
            continue
        if held.span.start is None or held.span.start < order.span.start:
            return True
    return False


def is_responsible(history: History, person: UUID, day: date) -> bool:
    """Parental responsibility: recorded with its basis, never inferred, ended at 18."""
    if age_on(history.born, day) >= 18:
        return False
    for held in history.responsibilities:
        if held.person != person or held.basis is None:
            continue
        if held.span.start is not None and day < held.span.start:
            continue
        if held.span.end is not None and day > held.span.end:
            continue
        # "Recorded with its basis and dates"; a mother's begins with the birth.
        if held.span.start is None and held.basis.value != "birth_mother":
            continue
        began = LAW_BEGAN.get(held.basis.value)
        if began is not None and held.span.start is not None and held.span.start < began:
            continue
        if not is_replaced(history, held, day):
            return True
    return False


def might_decide(history: History, person: UUID, capacity: Capacity, day: date) -> bool:
    """Who may agree: "Who may agree" in DOMAIN.md, one capacity after the other."""
    age = age_on(history.born, day)
    lacks = (
        last_found(history, day, Finding.HAS_CAPACITY, Finding.LACKS_CAPACITY)
        is Finding.LACKS_CAPACITY
    )
    if capacity is Capacity.SELF:
        found = last_found(history, day, Finding.COMPETENT, Finding.NOT_COMPETENT)
        may = not lacks if age >= 16 else found is Finding.COMPETENT
        return person == history.child and may
    if capacity is Capacity.PARENTAL_RESPONSIBILITY:
        return age < 16 and is_responsible(history, person, day)
    if capacity is Capacity.BEST_INTERESTS:
        judged = False
        for judgement in history.judgements:
            if judgement.finding is Finding.BEST_INTERESTS and judgement.matter == "sharing":
                judged = judged or judgement.made <= day
        return age >= 16 and lacks and judged
    if capacity in (Capacity.DEPUTY, Capacity.ATTORNEY):
        appointed = False
        for appointment in history.appointments:
            if appointment.person == person and appointment.capacity is capacity:
                span = appointment.span
                appointed = appointed or within(day, span.start, span.end)
        return age >= 18 and lacks and appointed
    return False


def real_objections(history: History) -> list[Objected]:
    """The objections of people who had parental responsibility when they objected."""
    return [one for one in history.objected if is_responsible(history, one.by, one.on)]


def still_said(history: History, at: datetime) -> list[Said]:
    """What was said by somebody who might, not withdrawn, and not past its end on the day."""
    day = london(at)
    standing = []
    for said in history.said:
        if not might_decide(history, said.by, said.capacity, said.on):
            continue
        if said.on > day or (said.until is not None and said.until < day):
            continue
        if said.withdrawn is not None and said.withdrawn <= at:
            continue
        standing.append(said)
    return standing


# -- what is tied to whom -------------------------------------------------------------------------

WORKING = ("practitioner", "manager")
CARRIES: dict[Tie, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    # tie: (kinds of viewer, roles of which a worker has one, purposes); DOMAIN.md's table of roles
    Tie.TEAM: (("worker",), WORKING, ("support", "review")),
    Tie.LEAD: (("worker",), WORKING, ("support", "review")),
    Tie.MANAGER: (("worker",), ("manager",), ("support",)),
    Tie.PANEL: (("worker",), ("coordinator", "chair"), ("panel", "review")),
    Tie.AGENDA: (("worker", "agency"), ("panel_member", "coordinator", "chair"), ("panel",)),
    Tie.REQUEST: (("worker",), ("budget_holder", "allocation_member"), ("allocation",)),
    Tie.SAFEGUARDING: (
        ("worker",),
        ("caldicott_guardian", "safeguarding_lead"),
        ("safeguarding", "governance"),
    ),
    Tie.GOVERNANCE: (("worker",), ("governance_lead",), ("governance", "subject_access")),
    Tie.PARENT: (("family",), (), ("support", "subject_access")),
    Tie.RELATIVE: (("family",), (), ("support", "subject_access")),
    Tie.SELF: (("family",), (), ("support", "subject_access")),
    Tie.GUEST: (("guest",), (), ("panel",)),
    Tie.CLIENT: (("client",), (), ("exchange",)),
}
AGENCYS_OWN = (Tie.AGENDA, Tie.REQUEST, Tie.CLIENT)
CASE_ROLES = (
    *("practitioner", "manager", "coordinator", "chair", "panel_member"),
    *("budget_holder", "allocation_member"),
    *("caldicott_guardian", "safeguarding_lead", "governance_lead"),
)


def london(at: datetime) -> date:
    """The day it is in London."""
    return at.astimezone(ZoneInfo("Europe/London")).date()


def has_case_role(viewer: Viewer) -> bool:
    """Whether the viewer may see any child: no job, no commissioner, no administrator."""
    if viewer.kind is ViewerKind.JOB:
        return False
    if viewer.kind is not ViewerKind.WORKER:
        return True
    return any(role.value in CASE_ROLES for role in viewer.roles)


def live_ties(viewer: Viewer, history: History, day: date) -> list[Relationship]:
    """The ties that bind the viewer on the day, for whatever purpose."""
    found = []
    for tie in history.ties:
        kinds, roles, _ = CARRIES[tie.tie]
        if viewer.kind.value not in kinds:
            continue
        if viewer.kind is ViewerKind.WORKER and not any(r.value in roles for r in viewer.roles):
            continue
        mine = tie.who == viewer.id
        ours = tie.tie in AGENCYS_OWN and viewer.agency is not None and tie.who == viewer.agency
        if not (mine or ours):
            continue
        if tie.span.start is not None and day < tie.span.start:
            continue
        if tie.span.end is not None and day > tie.span.end:
            continue
        found.append(tie)
    return found


def means(who: frozenset[UUID], viewer: Viewer) -> bool:
    """Whether the viewer or the viewer's agency is named."""
    return viewer.id in who or (viewer.agency is not None and viewer.agency in who)


def within(day: date, start: date | None, end: date | None) -> bool:
    """Both ends are included."""
    return not (start is not None and day < start) and not (end is not None and day > end)


def opened_for_safety(
    question: Question, history: History, fitting: list[Relationship], tied: list[Relationship]
) -> list[date | None]:
    """Until when a safeguarding enquiry or an override opens what is asked; nothing where none does."""
    viewer, category, at = question.viewer, question.category, question.at
    day = london(at)
    ends: list[date | None] = []
    # A safeguarding enquiry, for those whose agency makes it and who work with the child; an
    # override, for the worker or the agency that it names.
    for enquiry in history.enquiries:
        if viewer.agency is None or viewer.agency not in enquiry.agencies:
            continue
        if not within(day, enquiry.span.start, enquiry.span.end):
            continue
        ends += [
            earlier(enquiry.span.end, tie.span.end)
            for tie in fitting
            if tie.tie in (Tie.TEAM, Tie.LEAD, Tie.MANAGER, Tie.SAFEGUARDING)
        ]
    if not ends and viewer.kind in (ViewerKind.WORKER, ViewerKind.AGENCY):
        for override in history.overrides:
            if override.categories and category not in override.categories:
                continue
            if override.start <= at < override.end:
                ends += reach(viewer, frozenset({override.to}), day_before(override.end), tied)
    return ends


# -- the judge ------------------------------------------------------------------------------------


def judge(question: Question, history: History) -> Verdict:  # noqa: PLR0911, PLR0912
    """The rules one after the other, each over everything that happened."""
    viewer, category, purpose = question.viewer, question.category, question.purpose
    at = question.at
    day = london(at)

    if viewer.kind is ViewerKind.JOB:
        return Verdict(NO, Basis.NOTHING)
    if not has_case_role(viewer):
        return Verdict(NO, Basis.NO_TIE)

    tied = live_ties(viewer, history, day)
    carrying = [tie for tie in tied if purpose.value in CARRIES[tie.tie][2]]
    fitting = [tie for tie in carrying if tie.categories is None or category in tie.categories]

    # A court first; where one order permits and another forbids, the one that forbids. Nothing is
    # permitted without a tie or a court's word: an order to an agency is for its pack and for its
    # people who are tied to the child, not for everybody that it employs.
    forbidding, ends = [], []
    for order in history.orders:
        if not within(day, order.span.start, order.span.end):
            continue
        if order.categories and category not in order.categories:
            continue
        if order.permits:
            ends += reach(viewer, order.to, order.span.end, tied)
        elif not order.to or means(order.to, viewer):
            forbidding.append(order)
    if forbidding:
        return Verdict(
            NO,
            Basis.COURT_ORDER,
            any(order.silent for order in forbidding),
            oldest([order.span.start for order in forbidding]),
        )
    if ends:
        return Verdict(YES, Basis.COURT_ORDER, ends=frozenset(ends))

    # A protection wins over everything but a court; since when could tell where somebody is.
    protecting = [
        one
        for one in history.restrictions
        if one.kind is RestrictionKind.PROTECTION and is_held(one, viewer, category, day)
    ]
    if protecting:
        return Verdict(NO, Basis.PROTECTION, any(one.silent for one in protecting))

    # Their own record. What one of a family said in their own words is not for another of them.
    if (
        viewer.kind is ViewerKind.FAMILY
        and category is Category.VIEWS
        and question.author_person not in (None, viewer.id)
    ):
        return Verdict(NO, Basis.NOTHING)
    # UK GDPR Article 18: stored and not used, but by the family, to answer for the record, for
    # safety, and by whoever works with the child, who reads what their own agency wrote.
    if (
        history.use_restricted is not None
        and carrying
        and viewer.kind is not ViewerKind.FAMILY
        and purpose not in (Purpose.SAFEGUARDING, Purpose.SUBJECT_ACCESS, Purpose.GOVERNANCE)
        and not opened_for_safety(question, history, fitting, tied)
        and not (
            purpose in (Purpose.SUPPORT, Purpose.REVIEW)
            and any(is_own(question, tie.tie) for tie in fitting)
        )
    ):
        return Verdict(NO, Basis.USE_RESTRICTED, since=history.use_restricted)
    for tie in fitting:
        if is_own(question, tie.tie):
            ends.append(tie.span.end)
    if ends:
        return Verdict(YES, Basis.OWN_RECORD, ends=frozenset(ends))

    ends = opened_for_safety(question, history, fitting, tied)
    if ends:
        return Verdict(YES, Basis.SAFEGUARDING, ends=frozenset(ends))

    if not carrying:
        return Verdict(NO, Basis.NO_TIE)
    if not fitting:
        return Verdict(NO, Basis.NOTHING)

    # A commenced duty; laid on agencies, so never on one of the family.
    for duty in history.duties:
        if duty.commenced is None or not within(day, duty.commenced, duty.ended):
            continue
        if category not in duty.categories or purpose not in duty.purposes:
            continue
        if duty.agency_kinds and viewer.agency_kind not in duty.agency_kinds:
            continue
        if duty.roles and not (duty.roles & viewer.roles):
            continue
        if viewer.kind is ViewerKind.FAMILY:
            continue
        for tie in fitting:
            if not duty.ties or tie.tie in duty.ties:
                ends.append(earlier(duty.ended, tie.span.end))
    if ends:
        return Verdict(YES, Basis.DUTY, ends=frozenset(ends))

    # A refusal, a restriction by choice, an objection that was upheld.
    receiver = viewer.agency if viewer.agency is not None else viewer.id
    refusing: list[date | None] = []
    silent = False
    words = still_said(history, at)
    objections = real_objections(history)
    for said in words:
        if said.purposes and purpose not in said.purposes:
            continue
        if not covers(said, category):
            continue
        if said.given:
            if receiver in said.not_agencies:
                refusing.append(said.on)
        elif not said.agencies or receiver in said.agencies:
            refusing.append(said.on)
    for restriction in history.restrictions:
        if restriction.kind is RestrictionKind.CHOICE and is_held(
            restriction, viewer, category, day
        ):
            refusing.append(restriction.span.start)
            silent = silent or restriction.silent
    for objection in objections:
        if not objection.upheld or objection.decided is None or objection.decided > day:
            continue
        if objected_to(objection, receiver, category, purpose):
            refusing.append(objection.decided)
    if refusing:
        return Verdict(NO, Basis.REFUSAL, silent, oldest(refusing))

    # An agreement, unless it began on or after the day of an objection that is still open. No
    # purpose at all is every purpose of a refusal and none of an agreement.
    paused: list[date | None] = []
    for said in words:
        if not is_agreement(said, receiver, purpose, category):
            continue
        waiting = []
        for objection in objections:
            is_open = objection.on <= day and (objection.decided is None or day < objection.decided)
            about = objected_to(objection, receiver, category, purpose)
            if is_open and said.on >= objection.on and about:
                waiting.append(objection.on)
        if waiting:
            paused += waiting
            continue
        end = said.until
        if said.withdrawn is not None:
            end = earlier(end, day_before(said.withdrawn))
        for tie in fitting:
            ends.append(earlier(end, tie.span.end))
    if ends:
        return Verdict(YES, Basis.AGREEMENT, ends=frozenset(ends))
    if paused:
        return Verdict(NO, Basis.REFUSAL, since=oldest(paused))

    # Nothing permits; of what once did, the last to end is the one that withholds it "since".
    lapsed = []
    for said in history.said:
        if not might_decide(history, said.by, said.capacity, said.on):
            continue
        if said.on > day or not is_agreement(said, receiver, purpose, category):
            continue
        ended = said.until
        if said.withdrawn is not None:
            ended = earlier(ended, london(said.withdrawn))
        if ended is not None:
            lapsed.append(ended)
    return Verdict(NO, Basis.NOTHING, since=max(lapsed, default=None))


def reach(
    viewer: Viewer, to: frozenset[UUID], end: date | None, tied: list[Relationship]
) -> list[date | None]:
    """The end of an order for each way in which it reaches the viewer."""
    if viewer.id in to or (viewer.kind is ViewerKind.AGENCY and viewer.agency in to):
        return [end]
    if viewer.agency is None or viewer.agency not in to:
        return []
    return [earlier(end, tie.span.end) for tie in tied]


def is_held(restriction: Restriction, viewer: Viewer, category: Category, day: date) -> bool:
    """Whether a restriction is in force on the day, against the viewer, about the category."""
    if not within(day, restriction.span.start, restriction.span.end):
        return False
    if restriction.categories and category not in restriction.categories:
        return False
    return not restriction.against or means(restriction.against, viewer)


def is_own(question: Question, tie: Tie) -> bool:
    """What an agency's workers wrote, for its workers who are involved; a person's own words.

    The record is also a young person's own and a parent's child's, but for safeguarding, which is
    always named. Whoever works with a child knows who it is, and a panel what it wrote itself.
    """
    viewer = question.viewer
    if viewer.kind is ViewerKind.FAMILY:
        if question.author_person == viewer.id:
            return True
        return question.category is not Category.SAFEGUARDING and tie in (Tie.PARENT, Tie.SELF)
    if question.category is Category.IDENTITY and tie in (Tie.TEAM, Tie.LEAD):
        return True
    if question.author_agency is None or question.author_agency != viewer.agency:
        return False
    if tie is Tie.PANEL:
        return question.category is Category.PANEL
    return tie in (
        *(Tie.TEAM, Tie.LEAD, Tie.MANAGER, Tie.AGENDA, Tie.SAFEGUARDING),
        # Its own system reads back what the agency wrote and sent.
        Tie.CLIENT,
    )


def is_agreement(said: Said, receiver: UUID, purpose: Purpose, category: Category) -> bool:
    """Whether it agrees to share this with them for that."""
    if not said.given or receiver not in said.agencies:
        return False
    return purpose in said.purposes and covers(said, category)


def covers(said: Said, category: Category) -> bool:
    """Basic is identity, contact, network and plan; additional the rest but two, which are named."""
    if category in said.named:
        return True
    if said.level is None:
        return not said.given and not said.named
    if category.value in ("identity", "contact", "network", "plan"):
        return True
    if category.value in ("finance", "safeguarding"):
        return False
    return said.level is Level.ADDITIONAL


def objected_to(objection: Objected, receiver: UUID, category: Category, purpose: Purpose) -> bool:
    """Whether the objection is about this agency, this category and this purpose."""
    if objection.purposes and purpose not in objection.purposes:
        return False
    about = not objection.categories or category in objection.categories
    return about and (not objection.agencies or receiver in objection.agencies)


def midnight(day: date) -> datetime:
    """The first instant of a London day."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/London")).astimezone(UTC)
