"""The rules of a CONTACTS panel: its meetings, who is ready, why today, the agenda, the quorum.

Pure: dates come in as arguments. Source, where nothing else is named: DOMAIN.md, CONTACTS.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from panel.panels.terms import CLOSED_WORDS, TermCalendar
from panel.records.dates import (
    birthday,
    months_after,
    working_days_after,
    working_days_before,
)
from panel.web import words

_ONE_DAY = timedelta(days=1)


class Reason(StrEnum):
    """Why a child is on an agenda today, in the usual order of an agenda."""

    ESCALATION = "escalation"
    NEW = "new"
    TRANSITION = "transition"
    REVIEW_DUE = "review_due"
    DEFERRED = "deferred"


class Part(StrEnum):
    """What a case needs before the panel talks about it."""

    ASSESSMENT = "assessment"
    PLAN = "plan"
    LEAD_PROFESSIONAL = "lead_professional"
    SHARING = "sharing"
    REQUEST = "request"


KINDS_THAT_COUNT_AS = {
    "health": frozenset({"health", "gp", "icb"}),
    "education": frozenset({"education", "school"}),
    "social_care": frozenset({"social_care"}),
}
"""Which kinds of agency speak for a kind that a quorum asks for; any other kind for itself."""


@dataclass(frozen=True, slots=True)
class PanelSettings:
    """What an authority may change, with the defaults of DOMAIN.md.

    Raises ValueError, with a sentence, for a setting that no panel could work with.
    """

    cut_off_working_days: int = 5
    minutes_per_child: int = 10
    capacity_minutes: int = 120
    review_months: int = 6
    age_limit: int = 8
    quorum_minimum: int = 4
    quorum_kinds: tuple[str, ...] = ("health", "education", "social_care")
    quorum_roles: tuple[str, ...] = ()
    agenda_order: tuple[Reason, ...] = tuple(Reason)
    notes_working_days: int = 5
    pack_working_days: int = 10
    appeal_working_days: int = 20
    """In which the family can ask a panel that decides to look again, and in which it answers."""
    advice: str = "the information, advice and support service (IAS) of your council"
    """Whom a letter names for advice, with how to reach them."""

    def __post_init__(self) -> None:
        at_least_one = {
            "minutes_per_child": self.minutes_per_child,
            "capacity_minutes": self.capacity_minutes,
            "review_months": self.review_months,
            "age_limit": self.age_limit,
        }
        for name, value in at_least_one.items():
            if value < 1:
                raise ValueError(f"The setting {name} must be 1 or more.")
        at_least_none = {
            "cut_off_working_days": self.cut_off_working_days,
            "quorum_minimum": self.quorum_minimum,
            "notes_working_days": self.notes_working_days,
            "pack_working_days": self.pack_working_days,
            "appeal_working_days": self.appeal_working_days,
        }
        for name, value in at_least_none.items():
            if value < 0:
                raise ValueError(f"The setting {name} must be 0 or more.")
        if sorted(self.agenda_order) != sorted(Reason):
            names = ", ".join(Reason)
            raise ValueError(f"The setting agenda_order must name each of {names} once.")


OF_ITS_KIND: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "contacts": {},
    "allocation": {"quorum_roles": ("chair",)},
}
"""Defaults of a kind of panel where they are others: nobody decides about money unchaired."""


# --- Meetings ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The meeting of a slot does not take place."""

    slot: date


@dataclass(frozen=True, slots=True)
class Moved:
    """The meeting of a slot takes place on another day; the rhythm does not move with it."""

    slot: date
    to: date


@dataclass(frozen=True, slots=True)
class ReviewPlace:
    """Where a review is placed: the meeting, the last day it is due by, and what to know of it."""

    meeting: date | None
    due_by: date
    reason: str = ""
    """Why there is no meeting for it, or why a later one may still be found; otherwise empty."""


@dataclass(frozen=True, slots=True)
class ReviewMove:
    """What a cancelled or moved meeting does to one child's review."""

    child_id: UUID
    due_by: date
    before: date | None
    after: date | None

    @property
    def overdue(self) -> bool:
        """Whether the review is now after the day it was due by, or has no meeting at all."""
        return self.after is None or self.after > self.due_by


SATURDAY = 5
"""As `date.weekday` counts."""


def is_in_term(day: date, calendar: TermCalendar) -> bool:
    """From the first day back to the last day of term, both included, less days that are closed.

    Closed are holidays, INSET days, the bank holidays of England and weekends.
    """
    return why_not_in_term(day, calendar) is None


def why_not_in_term(day: date, calendar: TermCalendar) -> str | None:
    """Why there can be no meeting on a day, as a sentence; None when there can."""
    if closed := calendar.closed_on(day):
        return f"{words.day(day)} is {CLOSED_WORDS[closed.kind]}."
    if calendar.term_on(day) is not None:
        return f"{words.day(day)} is at the weekend." if day.weekday() >= SATURDAY else None
    ends_on = calendar.ends_on
    if ends_on is None or day > ends_on:
        return calendar_end_words(calendar)
    return f"{words.day(day)} is not in term."


def calendar_ends_on(calendar: TermCalendar) -> date | None:
    """The last day of the last imported term: there are no meetings after it. None: no terms."""
    return calendar.ends_on


def calendar_end_words(calendar: TermCalendar) -> str:
    """What to say and do about the end of the calendar."""
    ends_on = calendar.ends_on
    if ends_on is None:
        return "There is no term calendar yet. Import one to plan meetings."
    return (
        f"The term calendar ends on {words.day(ends_on)}. "
        "Import the next one to plan meetings after that."
    )


def meeting_slots(
    first: date, every_days: int, calendar: TermCalendar, start: date, end: date
) -> tuple[date, ...]:
    """The days of a panel's rhythm from `start` to `end`, both included, that lie in term.

    The rhythm goes on: a slot outside term is dropped and later slots keep their days.
    """
    ends_on = calendar.ends_on
    if ends_on is None:
        return ()
    rhythm = _rhythm(first, every_days, start, min(end, ends_on))
    return tuple(day for day in rhythm if is_in_term(day, calendar))


def meeting_dates(
    first: date,
    every_days: int,
    calendar: TermCalendar,
    start: date,
    end: date,
    changes: Collection[Cancelled | Moved] = (),
) -> tuple[date, ...]:
    """The days from `start` to `end` on which a panel meets: its slots, less cancelled, with moved.

    A change counts only if its slot is one of the panel's; a meeting is never moved out of term
    (`why_not_in_term` says why).
    """
    changed = {change.slot for change in changes}
    days = set(meeting_slots(first, every_days, calendar, start, end)) - changed
    cancelled = {change.slot for change in changes if isinstance(change, Cancelled)}
    for change in changes:
        if (
            isinstance(change, Moved)
            and change.slot not in cancelled
            and start <= change.to <= end
            and meeting_slots(first, every_days, calendar, change.slot, change.slot)
            and is_in_term(change.to, calendar)
        ):
            days.add(change.to)
    return tuple(sorted(days))


def _rhythm(first: date, every_days: int, start: date, end: date) -> Iterator[date]:
    if every_days < 1:
        raise ValueError("A panel meets every so many days: give 1 or more.")
    number = max(0, -((first - start).days // every_days))
    while (first - date.min).days + number * every_days <= (end - date.min).days:
        yield first + timedelta(days=number * every_days)
        number += 1


def papers_close_on(
    meeting_day: date, working_days: int = 5, calendar: TermCalendar | None = None
) -> date:
    """The last day on which papers are taken: so many working days before the meeting."""
    return working_days_before(meeting_day, working_days, _named_bank_holidays(calendar))


def notes_due_on(
    meeting_day: date, working_days: int = 5, calendar: TermCalendar | None = None
) -> date:
    """The day by which parents are sent the notes: so many working days after the meeting."""
    return working_days_after(meeting_day, working_days, _named_bank_holidays(calendar))


def pack_closes(
    meeting_day: date, working_days: int = 10, calendar: TermCalendar | None = None
) -> date:
    """The last day on which panel members may read a pack (DOMAIN.md, defaults)."""
    return working_days_after(meeting_day, working_days, _named_bank_holidays(calendar))


def _named_bank_holidays(calendar: TermCalendar | None) -> frozenset[date]:
    return calendar.bank_holidays if calendar else frozenset()


def next_review_meeting(
    discussed_on: date, meeting_dates: Collection[date], months: int = 6
) -> ReviewPlace:
    """Where a review is placed: the last meeting on or before so many calendar months after.

    Month ends are clamped. Only meetings after the discussion count. Where there is none, the
    place says why.
    """
    return review_place(discussed_on, months_after(discussed_on, months), meeting_dates)


def review_place(after: date, due_by: date, meeting_dates: Collection[date]) -> ReviewPlace:
    """The last meeting after one day and on or before another, with what to know of it."""
    meeting = max((day for day in meeting_dates if after < day <= due_by), default=None)
    goes_on = any(day >= due_by for day in meeting_dates)
    if meeting is None:
        until = f"between {words.short_day(after)} and {words.short_day(due_by)}"
        remedy = "Hold it at an earlier or later meeting." if goes_on else "Import the next terms."
        return ReviewPlace(None, due_by, f"No meeting is planned {until}. {remedy}")
    if goes_on:
        return ReviewPlace(meeting, due_by)
    return ReviewPlace(
        meeting,
        due_by,
        f"No meeting is planned after {words.short_day(max(meeting_dates))}. "
        "The next term calendar may bring a later one in time.",
    )


def review_horizon(
    meeting_day: date, meeting_dates: Collection[date], calendar: TermCalendar
) -> date:
    """Until when reviews due are for this meeting: the day before the next meeting.

    At the last meeting that is known it is the day on which the calendar ends: what is due
    after that waits for the next calendar.
    """
    following = min((day for day in meeting_dates if day > meeting_day), default=None)
    if following is not None:
        return following - _ONE_DAY
    return max(meeting_day, calendar.ends_on or meeting_day)


def effect_on_reviews(
    reviews: Iterable[tuple[UUID, date, date]],
    before: Collection[date],
    after: Collection[date],
) -> tuple[ReviewMove, ...]:
    """What a change of meeting dates does to reviews, each given as child, discussed on, due by.

    A review that finds no meeting in time goes to the first one after, and shows as overdue.
    """
    moves = []
    for child_id, discussed_on, due_by in reviews:
        was = _in_time_or_next(discussed_on, due_by, before)
        now = _in_time_or_next(discussed_on, due_by, after)
        if was != now:
            moves.append(ReviewMove(child_id, due_by, was, now))
    return tuple(moves)


def _in_time_or_next(discussed_on: date, due_by: date, dates: Collection[date]) -> date | None:
    place = review_place(discussed_on, due_by, dates)
    return place.meeting or min((day for day in dates if day > due_by), default=None)


# --- Leaving -------------------------------------------------------------------------------------


def leaves_contacts_on(birth_date: date, age_limit: int = 8) -> date:
    """The birthday from which a child is too old for CONTACTS: a transition to watch."""
    return birthday(birth_date, age_limit)


# --- Ready for the panel ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseProgress:
    """The process facts by which a case is ready or not, on the day it is judged.

    Names are of a worker or an agency, as the page should show them.
    """

    referred_on: date
    referred_by: str
    coordinator: str
    assessor: str | None = None
    assessment_signed_on: date | None = None
    plan_agreed_on: date | None = None
    lead_professional: str | None = None
    lead_ended_on: date | None = None
    """Since when there is none, where there was one."""
    lead_offered_to: str | None = None
    lead_offered_on: date | None = None
    may_be_shared: bool = True
    """Whether anything at all of the child may be shared with the panel."""
    nothing_shared_since: date | None = None


@dataclass(frozen=True, slots=True)
class Debt:
    """What is missing, who owes it, and since when."""

    what: Part
    owed_by: str
    since: date


def missing_for_panel(case: CaseProgress) -> tuple[Debt, ...]:
    """What a case still needs before the panel: a signed assessment, a plan, a lead professional.

    Agreement is not a fourth condition; but a child of whom nothing may be shared waits too. The
    assessor owes the assessment, else who referred; the lead professional the plan, else who
    assessed; whoever was offered the part of lead professional an answer, else the coordinator.
    """
    debts = []
    assessor = case.assessor or case.referred_by
    if case.assessment_signed_on is None:
        debts.append(Debt(Part.ASSESSMENT, assessor, case.referred_on))
    if case.plan_agreed_on is None:
        since = case.assessment_signed_on or case.referred_on
        debts.append(Debt(Part.PLAN, case.lead_professional or assessor, since))
    if case.lead_professional is None:
        debts.append(_lead_debt(case))
    if not case.may_be_shared:
        since = case.nothing_shared_since or case.referred_on
        debts.append(Debt(Part.SHARING, case.coordinator, since))
    return tuple(debts)


def missing_for_decision(case: CaseProgress, papers_on: date | None) -> tuple[Debt, ...]:
    """What a case still needs before a panel that decides: a complete request, and sharing."""
    debts = []
    if papers_on is None:
        owes = case.assessor or case.referred_by
        debts.append(Debt(Part.REQUEST, owes, case.referred_on))
    if not case.may_be_shared:
        since = case.nothing_shared_since or case.referred_on
        debts.append(Debt(Part.SHARING, case.coordinator, since))
    return tuple(debts)


def _lead_debt(case: CaseProgress) -> Debt:
    if case.lead_offered_to and case.lead_offered_on:
        return Debt(Part.LEAD_PROFESSIONAL, case.lead_offered_to, case.lead_offered_on)
    since = case.lead_ended_on or case.referred_on
    return Debt(Part.LEAD_PROFESSIONAL, case.coordinator, since)


def is_ready_for_panel(case: CaseProgress) -> bool:
    """Every case presented has an assessment, a plan and a lead professional, and may be shared."""
    return not missing_for_panel(case)


# --- Why today --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Why:
    """One reason for today: the date it speaks of, and a plain sentence."""

    reason: Reason
    due: date
    sentence: str


@dataclass(frozen=True, slots=True)
class CaseDates:
    """The dates of a case that may bring it to a panel."""

    referred_on: date
    last_discussed_on: date | None = None
    review_due_by: date | None = None
    transition: str = ""
    """What is coming, as it follows "Transition:": "starts Reception"."""
    transition_on: date | None = None
    escalated_on: date | None = None
    escalation: str = ""
    """Why it cannot wait, in words; may be empty where the reader may not see it."""
    deferred_on: date | None = None


TRANSITION_AHEAD_MONTHS = 3


def why_today(case: CaseDates, meeting_day: date, horizon: date) -> tuple[Why, ...]:
    """Every reason for which a case belongs on this meeting's agenda; empty if it does not.

    `horizon` is the last day whose reviews are for this meeting (`review_horizon`). A transition
    counts from three months before, until the panel has talked about the child in that time.
    """
    found = (
        _escalated(case, meeting_day),
        _new(case, meeting_day),
        _in_transition(case, meeting_day),
        _review_due(case, meeting_day, horizon),
        _deferred(case, meeting_day),
    )
    return tuple(why for why in found if why)


def _discussed_since(case: CaseDates, day: date) -> bool:
    return case.last_discussed_on is not None and case.last_discussed_on >= day


def _escalated(case: CaseDates, meeting_day: date) -> Why | None:
    on = case.escalated_on
    if on is None or on > meeting_day or _discussed_since(case, on):
        return None
    because = f": {case.escalation.strip().rstrip('.')}" if case.escalation.strip() else ""
    return Why(Reason.ESCALATION, on, f"Escalated on {words.short_day(on)}{because}.")


def _new(case: CaseDates, meeting_day: date) -> Why | None:
    if case.last_discussed_on is not None or case.referred_on > meeting_day:
        return None
    return Why(
        Reason.NEW,
        case.referred_on,
        f"New: referred on {words.short_day(case.referred_on)} and not yet discussed.",
    )


def _in_transition(case: CaseDates, meeting_day: date) -> Why | None:
    on = case.transition_on
    if on is None:
        return None
    watched_from = months_after(on, -TRANSITION_AHEAD_MONTHS)
    if meeting_day < watched_from or _discussed_since(case, watched_from):
        return None
    what = case.transition.strip().rstrip(".") or "a change is coming"
    return Why(Reason.TRANSITION, on, f"Transition: {what}, on {words.short_day(on)}.")


def _review_due(case: CaseDates, meeting_day: date, horizon: date) -> Why | None:
    due_by, last = case.review_due_by, case.last_discussed_on
    if due_by is None or last is None or last >= meeting_day:
        return None
    if due_by > max(horizon, meeting_day):
        return None
    discussed = f"last discussed on {words.short_day(last)}"
    if due_by < meeting_day:
        return Why(
            Reason.REVIEW_DUE,
            due_by,
            f"Review overdue since {words.short_day(due_by)}; {discussed}.",
        )
    return Why(Reason.REVIEW_DUE, due_by, f"Review due by {words.short_day(due_by)}; {discussed}.")


def _deferred(case: CaseDates, meeting_day: date) -> Why | None:
    on = case.deferred_on
    if on is None or on >= meeting_day or _discussed_since(case, on):
        return None
    return Why(
        Reason.DEFERRED, on, f"Put off on {words.short_day(on)}: was on the agenda and not reached."
    )


def why_as_frozen(reason: Reason, since: date, now: Collection[Why]) -> Why:
    """The reason that an item was frozen with, however the case has moved on since.

    `now` are the reasons of today; the same one among them keeps its fuller words.
    """
    same = next((why for why in now if why.reason is reason), None)
    if same is not None:
        return same
    on = words.short_day(since)
    sentences = {
        Reason.ESCALATION: f"Escalated on {on}.",
        Reason.NEW: f"New: referred on {on}.",
        Reason.TRANSITION: f"Transition on {on}.",
        Reason.REVIEW_DUE: f"Review due by {on}.",
        Reason.DEFERRED: f"Put off on {on}: was on the agenda and not reached.",
    }
    return Why(reason, since, sentences[reason])


# --- The agenda -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Urgent:
    """The chair takes a child although something is missing. Raises ValueError without a reason."""

    on: date
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("Say why the child is urgent: the chair takes no child without it.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A child who may be on an agenda, with why, since when, and what is still owed."""

    child_id: UUID
    reference: str
    waiting_since: date
    whys: tuple[Why, ...]
    minutes: int | None = None
    """None: the minutes that the panel gives each child."""
    debts: tuple[Debt, ...] = ()
    urgent: Urgent | None = None
    sibling_group: UUID | None = None
    """Children with the same one may share a slot, never an item."""
    ready_on: date | None = None
    """When the last paper came; after papers close the item is late."""


@dataclass(frozen=True, slots=True)
class AgendaItem:
    """One child's item. Siblings who share a slot have the same time and an item each."""

    candidate: Candidate
    starts_at: time
    minutes: int
    why: Why | None
    late: bool = False
    added: str = ""
    """Why a person put it on after the agenda was frozen."""

    @property
    def sentence(self) -> str:
        """Why this child is here today, all of it, in plain words."""
        urgent = self.candidate.urgent
        said = [f"Taken as urgent: {urgent.reason.strip().rstrip('.')}."] if urgent else []
        first = [self.why.sentence] if self.why else []
        others = [why.sentence for why in self.candidate.whys if why != self.why]
        late = ["Late: papers had closed."] if self.late else []
        return " ".join((*said, *first, *others, *late))


@dataclass(frozen=True, slots=True)
class RolledOver:
    """A ready child for whom there was no time; waits for the next meeting."""

    candidate: Candidate
    minutes: int
    sentence: str


@dataclass(frozen=True, slots=True)
class NotReady:
    """A child who has a reason to be here and lacks something."""

    candidate: Candidate

    @property
    def missing(self) -> tuple[Debt, ...]:
        """What, by whom, since when."""
        return self.candidate.debts


@dataclass(frozen=True, slots=True)
class Agenda:
    """What a meeting talks about, who is not ready, and who waits for the next one."""

    meeting_day: date
    starts_at: time
    capacity_minutes: int
    items: tuple[AgendaItem, ...] = ()
    not_ready: tuple[NotReady, ...] = ()
    rolled_over: tuple[RolledOver, ...] = ()
    frozen_at: datetime | None = None
    came_late: tuple[Candidate, ...] = ()
    """Who has become ready since the freeze; on the agenda only if a person puts them there."""

    @property
    def minutes_used(self) -> int:
        """Minutes of all items; more than the capacity only through urgent and added ones."""
        return sum(item.minutes for item in self.items)


@dataclass(slots=True)
class _Filling:
    capacity: int
    taken: list[Candidate] = field(default_factory=list)
    rolled: list[Candidate] = field(default_factory=list)
    used: int = 0


def order_agenda(
    candidates: Iterable[Candidate],
    meeting_day: date,
    settings: PanelSettings,
    starts_at: time = time(9, 30),
    papers_close: date | None = None,
) -> Agenda:
    """Put an agenda in order: by reason as the settings say, longest waiting first, then reference.

    A child is there once. What is not ready goes to its own list, unless the chair takes it as
    urgent: that comes first, with its debt, even beyond the capacity. Siblings stand together in
    one slot at the place of whoever comes first. What does not fit rolls over, longest waiting
    first; a shorter item behind it may still fit. The same candidates in any order give the same
    agenda.
    """
    wanted = [
        candidate
        for candidate in _each_child_once(candidates, settings)
        if candidate.whys or candidate.urgent
    ]
    wanted.sort(key=lambda candidate: _place(candidate, settings))
    presentable = [one for one in wanted if not one.debts or one.urgent]
    filling = _Filling(settings.capacity_minutes)
    for block in _blocks(presentable):
        _fill(filling, block, settings)
    rolled = sorted(filling.rolled, key=_longest_waiting)
    return Agenda(
        meeting_day,
        starts_at,
        settings.capacity_minutes,
        items=_in_slots(_items(filling.taken, settings, papers_close), starts_at),
        not_ready=tuple(
            NotReady(one)
            for one in sorted(wanted, key=_longest_waiting)
            if one.debts and not one.urgent
        ),
        rolled_over=tuple(_roll_over(one, settings) for one in rolled),
    )


def agenda_as_frozen(
    items: Iterable[AgendaItem], others: Agenda, at: datetime, frozen_on: date
) -> Agenda:
    """A frozen agenda as it was stored, with what is known today of everyone else.

    `others` is prepared from the children who are not on it: who became ready after the freeze
    came late; the rest rolled over.
    """
    free: tuple[AgendaItem | RolledOver, ...] = (*others.items, *others.rolled_over)
    came_late = tuple(
        one.candidate for one in free if (newest_paper(one.candidate) or frozen_on) > frozen_on
    )
    late = {one.child_id for one in came_late}
    waiting = sorted(
        (one for one in free if one.candidate.child_id not in late),
        key=lambda one: _longest_waiting(one.candidate),
    )
    return replace(
        others,
        items=_in_slots(items, others.starts_at),
        rolled_over=tuple(
            RolledOver(one.candidate, one.minutes, waits_words(one.candidate)) for one in waiting
        ),
        came_late=came_late,
        frozen_at=at,
    )


def newest_paper(candidate: Candidate) -> date | None:
    """The day on which the last thing happened that brings a child to an agenda."""
    escalated = [why.due for why in candidate.whys if why.reason is Reason.ESCALATION]
    days = [*escalated, *([candidate.ready_on] if candidate.ready_on else [])]
    return max(days, default=None)


def waits_words(candidate: Candidate) -> str:
    """What is said of a child who waits for the next meeting."""
    return f"No time left at this meeting; goes to the next. {_since_words(candidate)}"


def _since_words(candidate: Candidate) -> str:
    """Since when a child waits, or for which day: those of reviews and transitions may come."""
    since = words.short_day(candidate.waiting_since)
    first = next(iter(candidate.whys), None)
    reason = None if first is None else first.reason
    if reason is Reason.REVIEW_DUE:
        return f"Review due by {since}."
    if reason is Reason.TRANSITION:
        return f"Transition on {since}."
    return f"Waiting since {since}."


def in_chosen_order(agenda: Agenda, positions: Mapping[UUID, int]) -> Agenda:
    """The items in the order a person chose; who has come since stands where the rules put them.

    A child without a position follows the child whom the rules put before it.
    """
    placed: list[tuple[float, int, UUID]] = []
    after = 0.0
    for number, item in enumerate(agenda.items):
        child_id = item.candidate.child_id
        after = float(positions[child_id]) if child_id in positions else after + 0.001
        placed.append((after, number, child_id))
    return rearrange(agenda, [child_id for _, _, child_id in sorted(placed)])


def add_late_item(
    agenda: Agenda, candidate: Candidate, reason: str, settings: PanelSettings
) -> Agenda:
    """A person puts a child on after the freeze, at the end, flagged and with a reason.

    Raises ValueError when the child is on it already, is not ready and not urgent, or no reason
    is given.
    """
    if any(item.candidate.child_id == candidate.child_id for item in agenda.items):
        raise ValueError("This child is on the agenda already.")
    if candidate.debts and not candidate.urgent:
        raise ValueError("This child is not ready. Only the chair can take the child, as urgent.")
    if not reason.strip():
        raise ValueError("Say why this child is added after the agenda was frozen.")
    (item,) = _items([candidate], settings, None)
    late = replace(item, late=True, added=reason.strip(), starts_at=_end_of(agenda))
    return replace(
        agenda,
        items=(*agenda.items, late),
        rolled_over=tuple(
            one for one in agenda.rolled_over if one.candidate.child_id != candidate.child_id
        ),
        came_late=tuple(one for one in agenda.came_late if one.child_id != candidate.child_id),
    )


def rearrange(agenda: Agenda, child_ids: Sequence[UUID]) -> Agenda:
    """The same items in the order a person chose, with new times.

    Raises ValueError unless each child of the agenda is named once.
    """
    by_child = {item.candidate.child_id: item for item in agenda.items}
    if len(child_ids) != len(by_child) or set(child_ids) != set(by_child):
        raise ValueError("The order must name each child of the agenda once. Load it again.")
    chosen = [by_child[child_id] for child_id in child_ids]
    return replace(agenda, items=_in_slots(chosen, agenda.starts_at))


def is_late(ready_on: date | None, papers_close: date | None) -> bool:
    """Whether the last paper came after papers closed."""
    return ready_on is not None and papers_close is not None and ready_on > papers_close


def _longest_waiting(candidate: Candidate) -> tuple[date, str, UUID]:
    return (candidate.waiting_since, candidate.reference, candidate.child_id)


def _first_why(candidate: Candidate, settings: PanelSettings) -> Why | None:
    return min(
        candidate.whys,
        key=lambda why: (settings.agenda_order.index(why.reason), why.due, why.sentence),
        default=None,
    )


def _place(candidate: Candidate, settings: PanelSettings) -> tuple[int, date, str, UUID]:
    why = _first_why(candidate, settings)
    rank = -1 if candidate.urgent or why is None else settings.agenda_order.index(why.reason)
    return (rank, *_longest_waiting(candidate))


def _minutes(candidate: Candidate, settings: PanelSettings) -> int:
    minutes = candidate.minutes
    return settings.minutes_per_child if minutes is None or minutes < 1 else minutes


def _each_child_once(
    candidates: Iterable[Candidate], settings: PanelSettings
) -> Iterator[Candidate]:
    """One candidate a child: several (two referrals) become one with the reasons of all."""
    known: dict[UUID, list[Candidate]] = {}
    for candidate in candidates:
        known.setdefault(candidate.child_id, []).append(candidate)
    for found in known.values():
        found.sort(key=repr)
        yield found[0] if len(found) == 1 else _as_one(found, settings)


def _as_one(found: list[Candidate], settings: PanelSettings) -> Candidate:
    urgents = [one.urgent for one in found if one.urgent]
    debts: dict[Part, Debt] = {}
    for debt in sorted(
        (debt for one in found for debt in one.debts), key=lambda debt: (debt.since, debt.owed_by)
    ):
        debts.setdefault(debt.what, debt)
    whys = {why for one in found for why in one.whys}
    return Candidate(
        child_id=found[0].child_id,
        reference=min(one.reference for one in found),
        waiting_since=min(one.waiting_since for one in found),
        whys=tuple(sorted(whys, key=lambda why: (why.reason, why.due, why.sentence))),
        minutes=max(_minutes(one, settings) for one in found),
        debts=tuple(debts[part] for part in Part if part in debts),
        urgent=min(urgents, key=lambda urgent: (urgent.on, urgent.reason), default=None),
        sibling_group=next((one.sibling_group for one in found if one.sibling_group), None),
        ready_on=max((one.ready_on for one in found if one.ready_on), default=None),
    )


def _blocks(ordered: list[Candidate]) -> Iterator[list[Candidate]]:
    """Siblings together where the first of them stands; everyone else alone."""
    done: set[UUID] = set()
    for candidate in ordered:
        group = candidate.sibling_group
        if group is None:
            yield [candidate]
        elif group not in done:
            done.add(group)
            yield [one for one in ordered if one.sibling_group == group]


def _fill(filling: _Filling, block: list[Candidate], settings: PanelSettings) -> None:
    """Take a block if all of it fits, else whoever of it fits; urgent children always."""
    together = sum(_minutes(one, settings) for one in block)
    whole = filling.used + together <= filling.capacity
    for candidate in block:
        minutes = _minutes(candidate, settings)
        if whole or candidate.urgent or filling.used + minutes <= filling.capacity:
            filling.taken.append(candidate)
            filling.used += minutes
        else:
            filling.rolled.append(candidate)


def _items(
    candidates: Iterable[Candidate], settings: PanelSettings, papers_close: date | None
) -> list[AgendaItem]:
    return [
        AgendaItem(
            candidate,
            time(0),
            _minutes(candidate, settings),
            _first_why(candidate, settings),
            late=is_late(candidate.ready_on, papers_close),
        )
        for candidate in candidates
    ]


def _in_slots(items: Iterable[AgendaItem], starts_at: time) -> tuple[AgendaItem, ...]:
    """Give items their times; neighbours of one sibling group share a time."""
    placed: list[AgendaItem] = []
    at = starts_at
    for _, slot in groupby(items, key=_slot_of):
        together = list(slot)
        placed.extend(replace(item, starts_at=at) for item in together)
        at = _later(at, sum(item.minutes for item in together))
    return tuple(placed)


def _slot_of(item: AgendaItem) -> UUID:
    return item.candidate.sibling_group or item.candidate.child_id


def _end_of(agenda: Agenda) -> time:
    return _later(agenda.starts_at, agenda.minutes_used)


def _later(at: time, minutes: int) -> time:
    """Minutes after a time of day; a meeting that runs past midnight starts the clock anew."""
    of_day = (at.hour * 60 + at.minute + minutes) % (24 * 60)
    return time(of_day // 60, of_day % 60)


def _roll_over(candidate: Candidate, settings: PanelSettings) -> RolledOver:
    minutes = _minutes(candidate, settings)
    if minutes > settings.capacity_minutes:
        sentence = (
            f"Needs {minutes} minutes and a meeting has {settings.capacity_minutes}. "
            f"Give it fewer minutes or the meeting more. {_since_words(candidate)}"
        )
    else:
        sentence = waits_words(candidate)
    return RolledOver(candidate, minutes, sentence)


# --- Quorum -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attendee:
    """Who is there: the kind of their agency and their roles."""

    agency_kind: str
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Quorum:
    """Whether enough of the right people are there, and a sentence for each thing missing."""

    missing: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Whether the meeting can go on as a panel."""
        return not self.missing


def quorum(
    attending: Collection[Attendee],
    minimum: int,
    required_kinds: Collection[str] = (),
    required_roles: Collection[str] = (),
) -> Quorum:
    """A minimum number of people **and** the kinds of agency and roles that must be there.

    A practice or an integrated care board speaks for health, a school for education.
    """
    missing = []
    if len(attending) < minimum:
        missing.append(f"{len(attending)} of at least {minimum} people are here.")
    kinds = {attendee.agency_kind for attendee in attending}
    missing.extend(
        f"Nobody is here from {kind.replace('_', ' ')}."
        for kind in required_kinds
        if not kinds & KINDS_THAT_COUNT_AS.get(kind, frozenset({kind}))
    )
    roles = {role for attendee in attending for role in attendee.roles}
    missing.extend(
        f"The {role.replace('_', ' ')} is not here." for role in required_roles if role not in roles
    )
    return Quorum(tuple(missing))
