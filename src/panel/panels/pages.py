"""What the pages of panels say: agendas, homes, calendars in words. Tested without HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from uuid import UUID

from consent import Category
from panel.panels.agenda import CaseFact, Prepared
from panel.panels.calendar import ImportedTerms, MeetingDay, Rehearsal, ReviewLoad, Rhythm
from panel.panels.models import Panel
from panel.panels.reading import (
    MOST_NOT_READY,
    AgencySeats,
    NextPanel,
    PreparedView,
    Waiting,
    WaitingCounts,
    WaitingFact,
    child_name,
    expected_quorum,
)
from panel.panels.referrals import STATE_WORDS, PanelsOfChild, ReferralView
from panel.panels.resting import rests_words
from panel.panels.rules import AgendaItem, Candidate, PanelSettings, Part, Reason, Why
from panel.panels.settle import PART_WORDS
from panel.panels.telling import BeforePanel
from panel.panels.terms import CLOSED_WORDS, Term
from panel.records.dates import age_words, is_working_day
from panel.records.gate import Access
from panel.web import words

TAGS = {
    Reason.ESCALATION: ("Escalation", "orange"),
    Reason.NEW: ("New", "green"),
    Reason.TRANSITION: ("Transition", "purple"),
    Reason.REVIEW_DUE: ("Review due", "teal"),
    Reason.DEFERRED: ("Deferred", "grey"),
}
OVERDUE = ("Review overdue", "red")
PAST = ("Past", "grey")
STEPS = {
    Part.SHARING: ("See sharing", "sharing"),
    Part.LEAD_PROFESSIONAL: ("Find one", "lead-professional"),
}
"""What the reader does about what nobody can be asked for, and on which page of the record."""
STATE_TAGS = {
    "planned": ("Planned", "grey"),
    "frozen": ("Frozen", "teal"),
    "held": ("Held", "green"),
    "cancelled": ("Cancelled", "red"),
}
WAITING_WORDS: dict[Waiting, str] = {
    "all": "All before the panel",
    "received": "Referrals to acknowledge",
    "overdue": "Reviews overdue",
    "offers": "Offers to be lead professional, unanswered",
    "requests": "Requests for access",
    "resting": "In IMPACT or with social care",
}


def initials_of(name: str, reference: str) -> str:
    """The initials of a child's name; the reference of a child who is not named."""
    return words.initials(name) if name != reference else reference


# The agenda -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One line of the agenda's table."""

    child_id: UUID
    name: str
    initials: str
    age: str
    time: str
    tags: Sequence[tuple[str, str]]
    sentence: str
    owed: str
    family: str
    lead: str
    lead_agency: str
    last: str
    minutes: int
    place: str
    """"first", "last", "only" or "": which move buttons there are."""


@dataclass(frozen=True, slots=True)
class DebtRow:
    """One thing that is missing, who owes it, since when, and whether they can be asked."""

    child_id: UUID
    name: str
    initials: str
    what: str
    key: str
    owed_by: str
    waiting: str
    since: str
    """The day since when; empty from today."""
    may_ask: bool
    asked: str
    step: str
    """Where it cannot be asked for: the words of the link to where the reader sees to it."""
    step_page: str
    of_child: int
    """How many rows the child has, on the first of them; 0 on the others."""


@dataclass(frozen=True, slots=True)
class WaitRow:
    """One child who is not reached at this meeting, and why."""

    child_id: UUID
    name: str
    initials: str
    sentence: str


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """One agency's pack, and who has opened it."""

    key: str
    name: str
    opened: str


@dataclass(frozen=True, slots=True)
class AgendaPage:
    """Everything that the page of an agenda says."""

    key: str
    panel: str
    day: date
    address: str
    title: str
    lead: str
    version: int
    frozen: bool
    frozen_words: str
    items: Sequence[ItemRow]
    debts: Sequence[DebtRow]
    not_ready: int
    not_shown: int
    waiting: Sequence[WaitRow]
    next_words: str
    came_late: Sequence[WaitRow]
    used: int
    minutes: int
    quorum: str
    quorum_missing: Sequence[str]
    quorum_met: bool
    packs: Sequence[AgencyRow]
    may_add: bool
    meeting: tuple[str, str]
    """The way to the meeting or to its minutes: (words, address); empty before the freeze."""


def needs_words(settings: PanelSettings) -> str:
    """What a quorum needs: "It needs 4, with health and education, and the chair."."""
    said = [f"It needs {settings.quorum_minimum}"]
    if settings.quorum_kinds:
        kinds = (kind.replace("_", " ") for kind in settings.quorum_kinds)
        said.append(f"with {words.in_a_row(kinds)}")
    if settings.quorum_roles:
        roles = (f"the {role.replace('_', ' ')}" for role in settings.quorum_roles)
        said.append(f"and {words.in_a_row(roles)}")
    return f"{', '.join(said)}."


def agenda_page(view: PreparedView, seats: Sequence[AgencySeats], today: date) -> AgendaPage:
    """The page of an agenda for who coordinates or chairs the panel."""
    prepared = view.prepared
    agenda = prepared.agenda
    day = prepared.meeting.held_on
    address = f"/panels/{prepared.panel.key}/{day}"
    expected, would_be = expected_quorum(prepared, seats)
    count = len(agenda.items)
    return AgendaPage(
        key=prepared.panel.key,
        panel=prepared.panel.name,
        day=day,
        address=address,
        title=agenda_title(prepared),
        lead=meeting_words(prepared, today),
        version=prepared.meeting.version,
        frozen=prepared.frozen,
        frozen_words=""
        if agenda.frozen_at is None
        else f"Frozen on {words.day_and_time(agenda.frozen_at)}. Packs are open.",
        items=[
            item_row(view, item, today, _place_of(number, count))
            for number, item in enumerate(agenda.items)
        ],
        debts=[
            row
            for one in agenda.not_ready[:MOST_NOT_READY]
            for row in _debt_rows(view, one.candidate, today)
        ],
        not_ready=len(agenda.not_ready),
        not_shown=max(0, len(agenda.not_ready) - MOST_NOT_READY),
        waiting=[
            _wait_row(view, one.candidate, _waiting_sentence(view, one.candidate, one.sentence))
            for one in agenda.rolled_over
        ],
        next_words=_next_words(prepared),
        came_late=[
            _wait_row(view, one, " ".join(why.sentence for why in one.whys))
            for one in agenda.came_late
        ],
        used=agenda.minutes_used,
        minutes=agenda.capacity_minutes,
        quorum=f"{_people(expected)} sit on this panel. {needs_words(prepared.settings)}",
        quorum_missing=[
            one.replace("is here from", "sits for").replace("people are here", "people sit on it")
            for one in would_be.missing
        ],
        quorum_met=would_be.met,
        packs=[_agency_row(one) for one in seats if one.member],
        may_add=prepared.frozen or any(_is_off(view, one.candidate) for one in agenda.rolled_over),
        meeting=way_to_meeting(prepared, today),
    )


def agenda_title(prepared: Prepared) -> str:
    """Whose agenda, of which day."""
    return f"{prepared.panel.name}, {words.day(prepared.meeting.held_on)}"


def way_to_meeting(prepared: Prepared, today: date) -> tuple[str, str]:
    """Where who runs the panel goes next with a frozen agenda: (words, address), or empty."""
    meeting = prepared.meeting
    address = f"/panels/{prepared.panel.key}/{meeting.held_on}"
    if meeting.state == "held":
        return ("Read the minutes", f"{address}/minutes")
    if not prepared.frozen:
        return ("", "")
    if meeting.began_at is not None:
        return ("Back to the meeting", f"{address}/meeting")
    may_begin = meeting.held_on <= today
    return ("Hold the meeting" if may_begin else "Look at the meeting", f"{address}/meeting")


def way_for_member(prepared: Prepared, today: date) -> tuple[str, str]:
    """Where a member goes from the day of the meeting on: (words, address), or empty."""
    words_for_runner, address = way_to_meeting(prepared, today)
    if not address or prepared.meeting.held_on > today:
        return ("", "")
    return (words_for_runner if address.endswith("minutes") else "Go to the meeting", address)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def meeting_words(prepared: Prepared, today: date) -> str:
    """When and where, and how long papers are taken."""
    panel = prepared.panel
    ends = _after(panel.starts_at, prepared.settings.capacity_minutes)
    where = f", {panel.place}" if panel.place else ""
    return (
        f"{words.time(panel.starts_at)} to {words.time(ends)}{where}."
        f" {papers_words(prepared.papers_close, today)}"
    )


def papers_words(close: date, today: date) -> str:
    """Until when papers are taken: "Papers close on Thursday 26 November 2026, in 3 working …"."""
    if close < today:
        return f"Papers closed on {words.day(close)}."
    days = working_days_between(today, close)
    left = {0: "today", 1: "in 1 working day"}.get(days, f"in {days} working days")
    return f"Papers close on {words.day(close)}, {left}."


def working_days_between(start: date, end: date) -> int:
    """How many working days after one day another is; 0 for the same day."""
    days = range(start.toordinal() + 1, end.toordinal() + 1)
    return sum(is_working_day(date.fromordinal(number)) for number in days)


def _after(at: time, minutes: int) -> time:
    of_day = (at.hour * 60 + at.minute + minutes) % (24 * 60)
    return time(of_day // 60, of_day % 60)


def _place_of(number: int, count: int) -> str:
    if count == 1:
        return "only"
    return {0: "first", count - 1: "last"}.get(number, "")


def item_row(view: PreparedView, item: AgendaItem, today: date, place: str) -> ItemRow:
    """One child's line: what may be named is named, the rest is the reference."""
    child_id = item.candidate.child_id
    fact, access = view.prepared.facts[child_id], view.opened.get(child_id)
    name = child_name(access, fact)
    tags = [] if item.why is None else [_tag(item, today)]
    tags += [("Urgent", "red")] if item.candidate.urgent else []
    tags += [("Late", "yellow")] if item.late else []
    may_know = access is not None and access.may(Category.IDENTITY)
    return ItemRow(
        child_id=child_id,
        name=name,
        initials=initials_of(name, fact.reference),
        age=_age(fact, today) if may_know else "",
        time=words.time(item.starts_at),
        tags=tags,
        sentence=_why_sentence(item, fact, access),
        owed=_owed(item.candidate),
        family=family_state(fact),
        lead=view.prepared.names.get(fact.lead.id, "") if fact.lead else "Nobody yet",
        lead_agency=fact.lead.agency if fact.lead else "",
        last=words.short_day(fact.last_discussed_on) if fact.last_discussed_on else "First time",
        minutes=item.minutes,
        place=place,
    )


def _tag(item: AgendaItem, today: date) -> tuple[str, str]:
    why = item.why
    if why is None:
        return TAGS[Reason.ESCALATION]
    return OVERDUE if why.reason is Reason.REVIEW_DUE and why.due < today else TAGS[why.reason]


def _age(fact: CaseFact, today: date) -> str:
    if fact.birth_date is not None and fact.birth_date <= today:
        return age_words(fact.birth_date, today)
    coming = fact.birth_date or fact.expected_on
    return "" if coming is None else f"expected {words.short_day(coming)}"


def _sealed(access: Access | None, fact: CaseFact, column: str, sealed: str | None) -> str:
    """A text of the panel's, where the viewer may see it; else empty."""
    if access is None or sealed is None:
        return ""
    field = f"referral.{column}"
    return access.open_text(sealed, field, fact.referral_id, Category.PANEL) or ""


def _why_sentence(item: AgendaItem, fact: CaseFact, access: Access | None) -> str:
    said = []
    if item.candidate.urgent is not None:
        reason = _sealed(access, fact, "urgent_reason", fact.urgent_reason).rstrip(".")
        said.append(f"Taken as urgent by the chair{f': {reason}' if reason else ''}.")
    if item.why is not None:
        said.append(_beside_the_tag(item.why, fact, access))
    said += [why.sentence for why in item.candidate.whys if why != item.why]
    return " ".join(said)


def _beside_the_tag(why: Why, fact: CaseFact, access: Access | None) -> str:
    """The reason as it stands beside its tag, which says the first word of it."""
    on = words.short_day(why.due)
    if why.reason is Reason.NEW:
        return f"Referred on {on} by {fact.referred_by}."
    if why.reason is Reason.REVIEW_DUE:
        return f"Promised by {on}."
    if why.reason is Reason.TRANSITION:
        may_read = access is not None and access.may(Category.PANEL)
        coming = (fact.transition or "").strip().rstrip(".") if may_read else ""
        return f"{words.upper_first(coming)}, {on}." if coming else f"On {on}."
    if why.reason is Reason.ESCALATION:
        reason = _sealed(access, fact, "escalation", fact.escalation).rstrip(".")
        return f"{reason}. Since {on}." if reason else f"Since {on}."
    return why.sentence


def _owed(candidate: Candidate) -> str:
    if not candidate.debts:
        return ""
    owed = words.in_a_row(f"{PART_WORDS[debt.what]} ({debt.owed_by})" for debt in candidate.debts)
    return f"Still owed: {owed}."


def family_state(fact: CaseFact) -> str:
    """Whether the family's words are there, which open the child's item."""
    if fact.family_said_on is not None:
        return f"Family’s words: {words.short_day(fact.family_said_on)}"
    if fact.family_asked_on is not None:
        return f"Family’s words: asked on {words.short_day(fact.family_asked_on)}"
    return "Family’s words: not asked yet"


def _debt_rows(view: PreparedView, candidate: Candidate, today: date) -> list[DebtRow]:
    fact = view.prepared.facts[candidate.child_id]
    name = child_name(view.opened.get(candidate.child_id), fact)
    asked = {one.what: one.on for one in fact.asked or ()}
    return [
        DebtRow(
            candidate.child_id,
            name,
            initials_of(name, fact.reference),
            PART_WORDS[debt.what].capitalize(),
            debt.what.value,
            debt.owed_by,
            waiting_words(debt.since, today),
            f"Since {words.short_day(debt.since)}" if debt.since < today else "",
            fact.owing(debt.what) is not None and asked.get(debt.what.value) != today,
            _asked_words(asked.get(debt.what.value), today),
            *STEPS.get(debt.what, ("See people", "people")),
            of_child=0 if number else len(candidate.debts),
        )
        for number, debt in enumerate(candidate.debts)
    ]


def waiting_words(since: date, today: date) -> str:
    """How long something is owed: "12 days", "From today"."""
    days = (today - since).days
    return words.plural(days, "day") if days else "From today"


def _asked_words(on: date | None, today: date) -> str:
    return "" if on is None else f"Asked {words.relative_day(on, today)}"


def _wait_row(view: PreparedView, candidate: Candidate, sentence: str) -> WaitRow:
    fact = view.prepared.facts[candidate.child_id]
    name = child_name(view.opened.get(candidate.child_id), fact)
    return WaitRow(candidate.child_id, name, initials_of(name, fact.reference), sentence)


def _is_off(view: PreparedView, candidate: Candidate) -> bool:
    item = view.prepared.facts[candidate.child_id].item
    return item is not None and item.state == "removed"


def _waiting_sentence(view: PreparedView, candidate: Candidate, sentence: str) -> str:
    fact, access = view.prepared.facts[candidate.child_id], view.opened.get(candidate.child_id)
    if not _is_off(view, candidate) or fact.item is None or fact.item.reason is None:
        return sentence
    reason = ""
    if access is not None:
        found = fact.item
        reason = (
            access.open_text(found.reason, "agenda_item.reason", found.id, Category.PANEL) or ""
        ).rstrip(".")
    return f"Taken off this agenda: {reason}." if reason else sentence


def _next_words(prepared: Prepared) -> str:
    if prepared.next_on is None:
        return "No later meeting is known. Import the next term calendar."
    return f"They come to the meeting on {words.day(prepared.next_on)}, longest waiting first."


def _agency_row(agency: AgencySeats) -> AgencyRow:
    opened = [seat for seat in agency.seats if seat.opened_at is not None]
    if opened:
        names = words.in_a_row(seat.name for seat in opened)
        return AgencyRow(agency.key, agency.name, f"Opened by {names}")
    return AgencyRow(
        agency.key, agency.name, "Not opened yet" if agency.seats else "Nobody sits for them"
    )


# Lists of meetings and children -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """One meeting in a list."""

    day: date
    address: str
    title: str
    tag: tuple[str, str]
    note: str
    may_change: bool
    reviews: int
    overdue: int
    meeting: str = ""
    """The address of the meeting itself, from its day on; empty before."""
    notes: str = ""
    """Where the notes to families are, once it was held; else empty."""

    @property
    def reviews_words(self) -> str:
        """How many reviews wait for this meeting."""
        late = f", {self.overdue} overdue" if self.overdue else ""
        return f"{words.plural(self.reviews, 'review')}{late}"


def meeting_row(
    panel: Panel, one: MeetingDay, today: date, load: ReviewLoad | None = None
) -> MeetingRow:
    """A meeting as a list says it."""
    is_past = one.held_on < today
    note = one.change_reason
    if one.state != "cancelled" and one.held_on != one.slot_on:
        note = f"Moved from {words.short_day(one.slot_on)}. {one.change_reason}".strip()
    return MeetingRow(
        one.held_on,
        f"/panels/{panel.key}/{one.held_on}" if one.state != "cancelled" else "",
        words.day(one.held_on),
        PAST if is_past and one.state in ("planned", "frozen") else STATE_TAGS[one.state],
        note,
        one.state in ("planned", "frozen") and not is_past,
        0 if load is None else load.placed,
        0 if load is None else load.overdue,
        f"/panels/{panel.key}/{one.held_on}/meeting"
        if one.state == "frozen" and one.held_on <= today
        else "",
        f"/panels/{panel.key}/{one.held_on}/notes" if one.state == "held" else "",
    )


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One child in the list of a panel."""

    child_id: UUID
    name: str
    initials: str
    reference: str
    referred: str
    last: str
    review: str
    state: str


def _review_words(fact: WaitingFact, today: date) -> str:
    """When the review is due, or since when reviews rest."""
    if fact.rests_from is not None:
        return rests_words(fact.rests_from)
    return words.day_and_distance(fact.next_review_by, today) if fact.next_review_by else ""


def _state_words(fact: WaitingFact, today: date) -> str:
    """How the referral stands; of one that is not acknowledged, by when it is to be."""
    if fact.acknowledge_by is None or fact.state == "closed":
        return STATE_WORDS[fact.state]
    late = " Late." if fact.acknowledge_by < today else ""
    by = words.day_and_distance(fact.acknowledge_by, today)
    return f"{STATE_WORDS['received']}: due by {by}.{late}"


def waiting_row(fact: WaitingFact, access: Access | None, today: date) -> WaitingRow:
    """A child before a panel, as a list says it."""
    name = child_name(access, fact)
    return WaitingRow(
        fact.child_id,
        name,
        initials_of(name, fact.reference),
        fact.reference,
        f"{words.short_day(fact.referred_on)} by {fact.referred_by}",
        words.short_day(fact.last_discussed_on) if fact.last_discussed_on else "Not yet",
        _review_words(fact, today),
        _state_words(fact, today),
    )


# Home -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PanelHome:
    """One panel on a coordinator's home: the next meeting, and counts that link to lists."""

    key: str
    name: str
    title: str
    address: str
    lead: str
    state: str
    used: int
    minutes: int
    taken: str
    missing: str
    figures: Sequence[tuple[int, str, str]]
    meeting: tuple[str, str] = ("", "")
    """The way to the meeting, once its agenda is frozen."""


def panel_home(found: NextPanel, today: date) -> PanelHome:
    """What a coordinator sees first of one panel."""
    panel, day, prepared = found.panel, found.next_day, found.prepared
    address = f"/panels/{panel.key}"
    if day is None or prepared is None:
        return PanelHome(
            panel.key,
            panel.name,
            panel.name,
            "",
            "No meeting is planned: the term calendar ends. Import the next one.",
            "",
            0,
            0,
            "",
            "",
            _figures(address, None, found.counts),
        )
    agenda = prepared.agenda
    on = f"{address}/{day.held_on}"
    return PanelHome(
        panel.key,
        panel.name,
        f"{panel.name}, {words.day_and_distance(day.held_on, today)}",
        on,
        meeting_words(prepared, today),
        "Frozen. Packs are open." if prepared.frozen else "",
        agenda.minutes_used,
        agenda.capacity_minutes,
        f"{words.plural(len(agenda.items), 'child', 'children')},"
        f" {agenda.minutes_used} of {agenda.capacity_minutes} minutes",
        _missing_words(prepared),
        _figures(address, (len(agenda.not_ready), f"{on}#not-ready"), found.counts),
        way_to_meeting(prepared, today),
    )


def _missing_words(prepared: Prepared) -> str:
    owed = [debt.what for one in prepared.agenda.not_ready for debt in one.missing]
    counted = [(part, owed.count(part)) for part in Part if part in owed]
    if not counted:
        return "Nothing is missing."
    many = {
        Part.SHARING: "agreements to share with the panel",
        Part.REQUEST: "requests for service",
    }
    listed = words.in_a_row(
        words.plural(count, PART_WORDS[part], many.get(part)) for part, count in counted
    )
    return f"Missing: {listed}."


def _figures(
    address: str, not_ready: tuple[int, str] | None, counts: WaitingCounts
) -> list[tuple[int, str, str]]:
    children = f"{address}/children?show="
    shown = [] if not_ready is None else [(not_ready[0], "not ready", not_ready[1])]
    return [
        *shown,
        *(
            (count, one if count == 1 else many, f"{children}{which}")
            for which, count, one, many in (
                ("overdue", counts.overdue, "review overdue", "reviews overdue"),
                (
                    "received",
                    counts.received,
                    "referral to acknowledge",
                    "referrals to acknowledge",
                ),
                ("offers", counts.offers, "offer unanswered", "offers unanswered"),
                ("requests", counts.requests, "request for access", "requests for access"),
            )
        ),
    ]


# The calendar -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TermRow:
    """One term with its meetings of one panel, and the days on which school is closed."""

    name: str
    dates: str
    meetings: Sequence[MeetingRow]
    closed: Sequence[str]


def term_rows(
    panel: Panel, rhythm: Rhythm, loads: Sequence[ReviewLoad], today: date
) -> list[TermRow]:
    """The terms that are not over, each with its meetings and closed days."""
    by_day = {one.meeting.held_on: one for one in loads}
    rows = []
    for term in rhythm.calendar.terms:
        if term.last_day < today:
            continue
        days = [
            *rhythm.days(term.first_day, term.last_day),
            *rhythm.cancelled(term.first_day, term.last_day),
        ]
        rows.append(
            TermRow(
                term_name(term),
                f"{words.day(term.first_day)} to {words.day(term.last_day)}",
                [
                    meeting_row(panel, one, today, by_day.get(one.held_on))
                    for one in sorted(days, key=lambda one: one.held_on)
                ],
                closed_words(rhythm, term),
            )
        )
    return rows


def term_name(term: Term) -> str:
    """What a term is called; its months where the calendar gives no name."""
    months = (words.MONTHS[term.first_day.month - 1], words.MONTHS[term.last_day.month - 1])
    return term.name or f"{months[0]} to {months[1]} {term.last_day.year}"


def closed_words(rhythm: Rhythm, term: Term) -> list[str]:
    """The days within a term on which there can be no meeting."""
    return [
        f"{words.day(one.day)}: {CLOSED_WORDS[one.kind]}"
        for one in rhythm.calendar.closed
        if term.holds(one.day) and one.day.weekday() < 5
    ]


@dataclass(frozen=True, slots=True)
class RehearsalPage:
    """What a change of a meeting would do, before anyone confirms it."""

    title: str
    effects: Sequence[str]
    overdue: int


def rehearsal_page(meeting_day: date, rehearsed: Rehearsal) -> RehearsalPage:
    """The rehearsal in sentences."""
    cancelled = rehearsed.to is None
    title = (
        f"Cancel the meeting on {words.day(meeting_day)}?"
        if rehearsed.to is None
        else f"Move the meeting from {words.day(meeting_day)} to {words.day(rehearsed.to)}?"
    )
    overdue = [move for move in rehearsed.reviews if move.overdue]
    effects = [_reviews_words(rehearsed)]
    if overdue:
        effects.append(
            f"{words.plural(len(overdue), 'review')} would then be later than promised, or have no"
            " meeting."
        )
    if rehearsed.frozen:
        effects.append(
            "The agenda is frozen: its packs close at once, and its children wait as put off."
            if cancelled
            else "The agenda is frozen: it moves as it is, and packs stay open longer or shorter."
        )
    if cancelled:
        effects.append(
            "There is no later meeting to go to: import the next term calendar."
            if rehearsed.next_on is None
            else f"Children wait for the meeting on {words.day(rehearsed.next_on)}."
        )
    return RehearsalPage(title, effects, len(overdue))


def _reviews_words(rehearsed: Rehearsal) -> str:
    count = len(rehearsed.reviews)
    if not count:
        return "No review changes its meeting."
    return f"{words.plural(count, 'review')} would go to another meeting."


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an uploaded term calendar did."""

    heading: str
    added: Sequence[str]
    replaced: Sequence[str]
    problems: Sequence[str]
    left_out: Sequence[str]


def import_report(imported: ImportedTerms) -> ImportReport:
    """The report of an import, line by line."""
    merged, reading = imported.merged, imported.reading
    return ImportReport(
        f"{words.plural(len(merged.added), 'term')} added,"
        f" {words.plural(len(merged.known), 'term')} known already",
        [_term_words(term) for term in merged.added],
        [_term_words(term) for term in merged.replaced],
        [f"Line {one.line}: {one.sentence}" for one in reading.problems],
        [f"Line {one.line}: {one.sentence}" for one in reading.left_out],
    )


def _term_words(term: Term) -> str:
    name = f"{term.name}: " if term.name else ""
    return f"{name}{words.day(term.first_day)} to {words.day(term.last_day)}"


# A child's panels -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReferralPage:
    """One referral on the child's page."""

    id: UUID
    version: int
    panel_id: UUID
    panel: str
    panel_key: str
    state: str
    is_open: bool
    to_acknowledge: bool
    rows: Sequence[tuple[str, str]]


def referral_page(
    view: ReferralView, today: date, coming: BeforePanel | None = None
) -> ReferralPage:
    """A referral in words; what is withheld is said.

    `coming` is what the family is told of their next meeting; it may be of another panel.
    """
    fact = view.fact
    withheld = "You cannot see this. Why not stands below."
    rows = [
        ("Referred", f"{words.day(fact.referred_on)} by {fact.agency}"),
        ("Why", withheld if view.reason is None else view.reason or "No reason was written down"),
        ("First at the panel", words.day(fact.first_panel_on) if fact.first_panel_on else ""),
        (
            "Last discussed",
            words.day_and_distance(fact.last_discussed_on, today)
            if fact.last_discussed_on
            else "Not yet",
        ),
        ("Next at the panel", _next_at(fact.panel_id, coming, today)),
        (
            "Review due by",
            "Rests"
            if fact.rests_from
            else words.day_and_distance(fact.next_review_by, today)
            if fact.next_review_by
            else "",
        ),
        (
            "Review meeting",
            words.day(fact.review_meeting_on)
            if fact.review_meeting_on and not fact.rests_from
            else "",
        ),
        ("At this panel", rests_words(fact.rests_from) if fact.rests_from else ""),
        (
            "Transition",
            f"{view.transition or 'A change is coming'}, {words.day(fact.transition_on)}"
            if fact.transition and fact.transition_on
            else "",
        ),
        (
            "Escalated",
            _dated(fact.escalated_on, withheld if view.escalation is None else view.escalation)
            if fact.escalated_on
            else "",
        ),
        (
            "Taken as urgent",
            _dated(fact.urgent_on, withheld if view.urgent_reason is None else view.urgent_reason)
            if fact.urgent_on
            else "",
        ),
    ]
    return ReferralPage(
        fact.id,
        fact.version,
        fact.panel_id,
        fact.panel,
        fact.panel_key,
        STATE_WORDS[fact.state],
        fact.state != "closed",
        fact.state == "received",
        [(what, value) for what, value in rows if value],
    )


def _next_at(panel_id: UUID, coming: BeforePanel | None, today: date) -> str:
    if coming is None or coming.panel_id != panel_id or coming.on is None:
        return ""
    day = words.day_and_distance(coming.on, today)
    return day if coming.certain else f"{day}, if there is time"


def _dated(on: date, said: str) -> str:
    return f"{words.day(on)}: {said}" if said else words.day(on)


def agenda_history(found: PanelsOfChild) -> list[tuple[str, str, str]]:
    """The agendas that a child was on: title, day, why."""
    states = {
        "listed": "",
        "discussed": "Discussed.",
        "not_reached": "Not reached.",
        "removed": "Taken off.",
    }
    return [
        (
            one.panel,
            words.day(one.held_on),
            f"{TAGS[one.why][0]}. {states[one.state]} {'Added late.' if one.late else ''}".strip(),
        )
        for one in found.items
    ]


def words_rows(found: PanelsOfChild) -> list[tuple[str, str, str]]:
    """What the family was asked and said: title, when, text."""
    rows = []
    for one in found.words:
        asked = f"Asked {one.asked_how} on {words.short_day(one.asked_on)}"
        if one.said_on is None:
            rows.append((f"{one.who}: no answer yet", asked, ""))
            continue
        said = one.text if one.text is not None else "You cannot see this. Why not stands below."
        by = f", written down by {one.written_by}" if one.written_by else ""
        rows.append((f"{one.who} said", f"{words.short_day(one.said_on)}{by}. {asked}.", said))
    return rows
