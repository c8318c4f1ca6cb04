"""Random histories around one child: each whole number is one thing that happened.

A number is cheap for Hypothesis to draw and shrinks towards the plainest event, so that thousands of
histories fit into a minute and a failing one is read in a few lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from consent.model import (
    Agreement,
    Category,
    CourtOrder,
    Duty,
    Enquiry,
    Level,
    Objection,
    Override,
    Purpose,
    Question,
    Relationship,
    Restriction,
    RestrictionKind,
    Role,
    Span,
    State,
    Tie,
    Viewer,
    ViewerKind,
)
from consent.standing import (
    Appointment,
    Capacity,
    ChildStanding,
    Finding,
    Giver,
    Judgement,
    ParentalBasis,
    ParentalResponsibility,
    holds_responsibility,
    may_agree_to_share,
)
from tests.consent.oracle import History, Objected, Said, midnight

T = TypeVar("T")

LARGEST = 2**60
FIRST_DAY = date(2026, 10, 20)
"""Five days before the clocks go back, so that days and moments part."""
DAYS = 40

CHILD, MOTHER, FATHER, GRANNY, DEPUTY = (UUID(int=n) for n in range(1, 6))
HEALTH, COUNCIL, SCHOOL, CHARITY = (UUID(int=n) for n in range(21, 25))
GUEST = UUID(int=41)
AGENCIES = (HEALTH, COUNCIL, SCHOOL, CHARITY)
KINDS = {HEALTH: "health", COUNCIL: "council", SCHOOL: "education", CHARITY: "voluntary"}


def _worker(number: int, agency: UUID, *roles: Role) -> Viewer:
    return Viewer(UUID(int=number), ViewerKind.WORKER, agency, KINDS[agency], frozenset(roles))


VIEWERS = (
    _worker(51, HEALTH, Role.PRACTITIONER),
    _worker(52, SCHOOL, Role.PRACTITIONER, Role.PANEL_MEMBER),
    _worker(53, COUNCIL, Role.COORDINATOR),
    _worker(54, CHARITY, Role.PRACTITIONER),
    Viewer(HEALTH, ViewerKind.AGENCY, HEALTH, "health"),
    Viewer(MOTHER, ViewerKind.FAMILY),
    Viewer(FATHER, ViewerKind.FAMILY),
    Viewer(CHILD, ViewerKind.FAMILY),
    Viewer(GRANNY, ViewerKind.FAMILY),
    _worker(55, COUNCIL, Role.MANAGER),
    _worker(56, HEALTH, Role.PANEL_MEMBER),
    _worker(57, COUNCIL, Role.CHAIR, Role.MANAGER),
    _worker(58, COUNCIL, Role.BUDGET_HOLDER),
    _worker(59, HEALTH, Role.CALDICOTT_GUARDIAN),
    _worker(60, COUNCIL, Role.SAFEGUARDING_LEAD, Role.PRACTITIONER),
    _worker(61, COUNCIL, Role.GOVERNANCE_LEAD),
    _worker(62, COUNCIL, Role.COMMISSIONER),
    _worker(63, COUNCIL, Role.ADMINISTRATOR),
    _worker(64, CHARITY, Role.PARENTS_REPRESENTATIVE),
    _worker(65, SCHOOL, Role.ALLOCATION_MEMBER),
    Viewer(SCHOOL, ViewerKind.AGENCY, SCHOOL, "education"),
    Viewer(GUEST, ViewerKind.GUEST),
    Viewer(UUID(int=66), ViewerKind.CLIENT, CHARITY, "voluntary"),
    Viewer(UUID(int=67), ViewerKind.JOB),
)
PEOPLE = (MOTHER, FATHER, CHILD, GRANNY, DEPUTY)
CATEGORIES = tuple(Category)
PURPOSES = tuple(Purpose)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what most of one history is about, so that its events meet."""

    viewers: tuple[Viewer, ...]
    categories: tuple[Category, ...]


class Digits:
    """A whole number, taken apart choice by choice; what is left when it is used up is nought."""

    def __init__(self, number: int, cast: Cast) -> None:
        self.left = number
        self.cast = cast

    def below(self, count: int) -> int:
        """A number from nought up to but not including the count."""
        self.left, digit = divmod(self.left, count)
        return digit

    def one(self, choices: Sequence[T]) -> T:
        """One of the choices; the first is the plainest."""
        return choices[self.below(len(choices))]

    def few(self, one: Callable[[], T]) -> frozenset[T]:
        """One to three of something."""
        return frozenset(one() for _ in range(1 + self.below(3)))

    def perhaps(self, one: Callable[[], T]) -> frozenset[T]:
        """None, one or two of something."""
        return frozenset(one() for _ in range(self.below(3)))

    def viewer(self) -> Viewer:
        """Mostly one of the cast."""
        return self.one(VIEWERS) if self.below(8) == 7 else self.one(self.cast.viewers)

    def category(self) -> Category:
        """Mostly one of the few that the history is about."""
        return self.one(CATEGORIES) if self.below(3) == 2 else self.one(self.cast.categories)

    def receiver(self) -> UUID:
        """An agency, or a person who acts for none."""
        viewer = self.viewer()
        return viewer.agency or viewer.id

    def agency(self) -> UUID:
        """An agency, mostly one of the cast's."""
        return self.viewer().agency or self.one(AGENCIES)

    def named(self) -> UUID:
        """A viewer, or a viewer's agency."""
        viewer = self.viewer()
        return viewer.agency or viewer.id if self.below(2) else viewer.id

    def purpose(self) -> Purpose:
        """Mostly one that the viewer's usual tie carries."""
        return self.one(PURPOSES) if self.below(4) == 3 else usual_purpose(self.viewer())

    def day(self) -> date:
        """A day of the weeks in which everything happens, more often an early one."""
        return FIRST_DAY + timedelta(days=self.below(DAYS if self.below(4) == 3 else DAYS // 4))

    def moment(self) -> datetime:
        """An hour and a half of some day; the London day turns between two of them for a while."""
        start = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)
        return start + timedelta(minutes=90 * self.below(DAYS * 16))

    def later(self) -> datetime:
        """A moment by which most has happened."""
        moment = self.moment()
        return moment if self.below(4) == 3 else max(moment, self.moment())

    def span(self) -> Span:
        """A stretch of days, open at either end or both."""
        kind = self.below(4)
        start = self.day() if kind in (1, 2) else None
        end = (start or FIRST_DAY) + timedelta(days=self.below(30)) if kind in (2, 3) else None
        return Span(start, end)


def _tie(digits: Digits, history: History) -> None:
    tie = digits.one(tuple(Tie))
    most = digits.few(digits.category) if digits.below(5) == 4 else None
    history.ties.append(Relationship(tie, digits.named(), digits.span(), most))


def _usual_tie(digits: Digits, history: History) -> None:
    viewer = digits.viewer()
    most = digits.few(digits.category) if digits.below(8) == 7 else None
    history.ties.append(Relationship(_usual(viewer), viewer.id, digits.span(), most))


def _usual(viewer: Viewer) -> Tie:
    by_role = {
        Role.COORDINATOR: Tie.PANEL,
        Role.CHAIR: Tie.PANEL,
        Role.BUDGET_HOLDER: Tie.REQUEST,
        Role.ALLOCATION_MEMBER: Tie.REQUEST,
        Role.CALDICOTT_GUARDIAN: Tie.SAFEGUARDING,
        Role.SAFEGUARDING_LEAD: Tie.SAFEGUARDING,
        Role.GOVERNANCE_LEAD: Tie.GOVERNANCE,
        Role.PANEL_MEMBER: Tie.AGENDA,
    }
    for role in viewer.roles:
        if role in by_role:
            return by_role[role]
    by_kind = {
        ViewerKind.AGENCY: Tie.AGENDA,
        ViewerKind.GUEST: Tie.GUEST,
        ViewerKind.CLIENT: Tie.CLIENT,
        ViewerKind.FAMILY: Tie.SELF if viewer.id == CHILD else Tie.PARENT,
    }
    return by_kind.get(viewer.kind, Tie.TEAM)


def usual_purpose(viewer: Viewer) -> Purpose:
    """Why somebody like the viewer mostly looks."""
    return {
        Tie.PANEL: Purpose.PANEL,
        Tie.AGENDA: Purpose.PANEL,
        Tie.GUEST: Purpose.PANEL,
        Tie.REQUEST: Purpose.ALLOCATION,
        Tie.SAFEGUARDING: Purpose.SAFEGUARDING,
        Tie.GOVERNANCE: Purpose.SUBJECT_ACCESS,
        Tie.CLIENT: Purpose.EXCHANGE,
    }.get(_usual(viewer), Purpose.SUPPORT)


def _agreed(digits: Digits, history: History) -> None:
    _say(digits, history, given=True)


def _refused(digits: Digits, history: History) -> None:
    _say(digits, history, given=False)


def _say(digits: Digits, history: History, *, given: bool) -> None:
    parental = Capacity.PARENTAL_RESPONSIBILITY
    capacity = digits.one((*[parental] * 11, Capacity.SELF, *Capacity))
    by = CHILD if capacity is Capacity.SELF else digits.one((MOTHER, MOTHER, FATHER, *PEOPLE))
    on = digits.day()
    agencies = digits.few(digits.receiver) if given or digits.below(2) else frozenset()
    named = digits.perhaps(digits.category)
    level = digits.one((Level.BASIC, Level.ADDITIONAL, None))
    history.said.append(
        Said(
            on,
            given,
            by,
            capacity,
            agencies,
            digits.perhaps(digits.receiver) if given and digits.below(2) else frozenset(),
            level,
            named or (frozenset({Category.PLAN}) if given and level is None else named),
            frozenset() if digits.below(4) == 3 else digits.few(digits.purpose),
            on + timedelta(days=digits.below(45)) if digits.below(2) else None,
        )
    )


def _withdrew(digits: Digits, history: History) -> None:
    if history.said:
        which = digits.below(len(history.said))
        history.said[which] = replace(history.said[which], withdrawn=digits.moment())


def _renewed(digits: Digits, history: History) -> None:
    if history.said:
        said = digits.one(history.said)
        on = max(said.on, digits.day())
        until = on + timedelta(days=digits.below(25))
        history.said.append(replace(said, on=on, until=until, withdrawn=None))


def _objected(digits: Digits, history: History) -> None:
    on = digits.day()
    if history.said and digits.below(3):
        on = digits.one(history.said).on + timedelta(days=digits.below(3) - 1)
    history.objected.append(
        Objected(
            on,
            digits.one((FATHER, MOTHER, *PEOPLE)),
            digits.perhaps(digits.agency) if digits.below(2) else frozenset(),
            digits.perhaps(digits.category) if digits.below(2) else frozenset(),
            purposes=_objected_for(digits),
        )
    )


def _objected_for(digits: Digits) -> frozenset[Purpose]:
    """Mostly for everything; an agency's own system alone; or whatever purposes."""
    which = digits.below(6)
    if which == 4:
        return frozenset({Purpose.EXCHANGE})
    return digits.few(digits.purpose) if which == 5 else frozenset()


def _decided(digits: Digits, history: History) -> None:
    if history.objected:
        which = digits.below(len(history.objected))
        objection = history.objected[which]
        decided = objection.on + timedelta(days=digits.below(8))
        history.objected[which] = replace(objection, decided=decided, upheld=bool(digits.below(2)))


def _restricted(digits: Digits, history: History) -> None:
    kind = digits.one((RestrictionKind.CHOICE, RestrictionKind.PROTECTION, RestrictionKind.CHOICE))
    history.restrictions.append(
        Restriction(
            kind,
            digits.perhaps(digits.category),
            digits.perhaps(digits.named),
            digits.span(),
            silent=digits.below(3) == 2,
        )
    )


def _only_stored(_digits: Digits, history: History) -> None:
    # It begins on the day on which it is written down, so never after a question.
    history.use_restricted = FIRST_DAY - timedelta(days=30)


def _ordered(digits: Digits, history: History) -> None:
    permits = digits.below(2) == 0
    history.orders.append(
        CourtOrder(
            permits,
            digits.perhaps(digits.category),
            digits.few(digits.named) if permits else digits.perhaps(digits.named),
            digits.span(),
            silent=digits.below(3) == 2,
        )
    )


def _overrode(digits: Digits, history: History) -> None:
    start = digits.moment()
    history.overrides.append(
        Override(
            digits.named(),
            digits.perhaps(digits.category),
            start,
            start + timedelta(hours=1 + digits.below(48)),
        )
    )


def _enquired(digits: Digits, history: History) -> None:
    history.enquiries.append(Enquiry(digits.few(digits.agency), digits.span()))


def _duty(digits: Digits, history: History) -> None:
    state = digits.below(4)
    history.duties.append(
        Duty(
            code=f"duty-{len(history.duties)}",
            words="a duty",
            source="invented",
            categories=digits.few(digits.category),
            purposes=digits.few(digits.purpose),
            agency_kinds=digits.perhaps(lambda: digits.one(tuple(KINDS.values()))),
            roles=digits.perhaps(lambda: digits.one(tuple(Role)))
            if digits.below(4) == 3
            else frozenset(),
            ties=digits.perhaps(lambda: _usual(digits.viewer())),
            commenced=None if state == 3 else digits.day(),
            ended=digits.day() if state == 2 else None,
        )
    )


def _responsible(digits: Digits, history: History) -> None:
    basis = digits.one((*ParentalBasis, None))
    start = digits.one((date(2002, 5, 1), FIRST_DAY, digits.day(), None))
    history.responsibilities.append(
        ParentalResponsibility(
            digits.one(PEOPLE),
            basis,
            Span(start, digits.day() if digits.below(3) == 2 else None),
            digits.perhaps(lambda: digits.one(PEOPLE)) if digits.below(2) else frozenset(),
        )
    )


def _judged(digits: Digits, history: History) -> None:
    matter = digits.one(("sharing", "sharing", "sharing", "treatment"))
    history.judgements.append(
        Judgement(digits.one(tuple(Finding)), matter, UUID(int=51), digits.day())
    )


def _appointed(digits: Digits, history: History) -> None:
    history.appointments.append(
        Appointment(DEPUTY, digits.one((Capacity.DEPUTY, Capacity.ATTORNEY)), digits.span())
    )


EVENTS = (
    _usual_tie,
    _agreed,
    _agreed,
    _refused,
    _withdrew,
    _renewed,
    _agreed,
    _agreed,
    _duty,
    _objected,
    _usual_tie,
    _objected,
    _decided,
    _restricted,
    _ordered,
    _overrode,
    _enquired,
    _duty,
    _judged,
    _responsible,
    _appointed,
    _tie,
    _usual_tie,
    _agreed,
    _only_stored,
)


def history_of(beginning: int, numbers: Sequence[int]) -> tuple[History, Cast]:
    """What happened: first who is in it and when the child was born, then one event a number."""
    start = Digits(beginning, Cast(VIEWERS, CATEGORIES))
    digits = start
    cast = Cast(
        tuple(digits.one(VIEWERS[:8] if digits.below(3) else VIEWERS) for _ in range(3)),
        tuple(digits.one(CATEGORIES) for _ in range(3)),
    )
    history = History(CHILD, _born(digits))
    history.responsibilities.append(
        ParentalResponsibility(MOTHER, ParentalBasis.BIRTH_MOTHER, Span())
    )
    if digits.below(2):
        history.responsibilities.append(
            ParentalResponsibility(FATHER, ParentalBasis.FATHER_BY_MARRIAGE, Span(date(2018, 1, 1)))
        )
    for viewer in cast.viewers:
        if digits.below(6):
            span = digits.span() if digits.below(2) else Span()
            history.ties.append(Relationship(_usual(viewer), viewer.id, span))
    for number in numbers:
        digits = Digits(number, cast)
        digits.one(EVENTS)(digits, history)
    return history, cast


def _born(digits: Digits) -> date | None:
    """Long ago, or so that the birthday that matters falls into these weeks."""
    age = digits.one((8, 8, 8, 8, 16, 8, 18, 8, None, 17, 16, 20))
    if age is None:
        return None
    turns = digits.day()
    return date(
        turns.year - age, turns.month, min(turns.day, 28) if turns.month == 2 else turns.day
    )


def state_of(history: History) -> State:
    """The same as the facts that `consent.decide` is given: what nobody might say is not in it."""
    standing = ChildStanding(
        history.child,
        history.born,
        tuple(history.responsibilities),
        tuple(history.judgements),
        tuple(history.appointments),
    )
    return State(
        history.child,
        tuple(history.ties),
        tuple(
            Agreement(
                UUID(int=1000 + number),
                said.given,
                said.by,
                "somebody",
                said.agencies,
                said.not_agencies,
                said.level,
                said.named,
                said.purposes,
                Span(said.on, said.until),
                said.withdrawn,
            )
            for number, said in enumerate(history.said)
            if may_agree_to_share(
                Giver(said.by, "somebody", said.capacity), standing, said.on
            ).allowed
        ),
        tuple(
            Objection(
                "somebody",
                one.agencies,
                one.categories,
                one.on,
                one.decided,
                one.upheld,
                one.purposes,
            )
            for one in history.objected
            if holds_responsibility(one.by, standing, one.on)
        ),
        tuple(history.restrictions),
        tuple(history.orders),
        tuple(history.overrides),
        tuple(history.enquiries),
        tuple(history.duties),
        use_restricted_on=history.use_restricted,
    )


def question_of(number: int, history: History, cast: Cast) -> Question:
    """A question about the child, at any moment: anybody's, or one that an agreement is about."""
    digits = Digits(number, cast)
    if history.said and digits.below(2):
        viewer, purpose = _meant(digits, digits.one(history.said))
    else:
        viewer = digits.viewer()
        purpose = digits.one(PURPOSES) if digits.below(5) == 4 else usual_purpose(viewer)
    author = digits.below(8)
    return Question(
        viewer,
        digits.category(),
        purpose,
        digits.one(turns(history)) if digits.below(2) else digits.later(),
        author_agency=digits.agency() if author == 1 else None,
        author_person=digits.one(PEOPLE) if author == 2 else None,
    )


def _meant(digits: Digits, said: Said) -> tuple[Viewer, Purpose]:
    """Somebody tied to the child, of the agencies that something was said about."""
    about = [
        viewer
        for viewer in (*digits.cast.viewers, *VIEWERS)
        if (viewer.agency or viewer.id) in said.agencies or not said.agencies
    ]
    viewer = digits.one(about or VIEWERS)
    return viewer, usual_purpose(viewer)


def turns(history: History) -> list[datetime]:
    """The moments at which something begins or ends, and the one just before each."""
    days: list[date | None] = []
    moments: list[datetime] = [midnight(FIRST_DAY)]
    for fact in (*history.restrictions, *history.orders, *history.enquiries, *history.ties):
        days += [fact.span.start, fact.span.end]
    for duty in history.duties:
        days += [duty.commenced, duty.ended]
    for objection in history.objected:
        days += [objection.on, objection.decided]
    for said in history.said:
        days += [said.on, said.until]
        moments += [said.withdrawn] if said.withdrawn is not None else []
    for override in history.overrides:
        moments += [override.start, override.end]
    for day in days:
        if day is not None:
            moments += [midnight(day), midnight(day + timedelta(days=1))]
    return [*moments, *(moment - timedelta(microseconds=1) for moment in moments)]
