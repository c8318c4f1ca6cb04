"""What the pages of IMPACT say: sentences and dates, tested without HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from panel.impact.invitations import ANSWER_WORDS, Invitable, InvitationLine
from panel.impact.meetings import (
    FORMAT_WORDS,
    JOINING_WORDS,
    STATE_WORDS,
    MeetingReading,
    Wishes,
)
from panel.impact.rules import KIND_WORDS, Kind, is_up, step_words
from panel.impact.steps import StepLine
from panel.impact.team import TeamLine
from panel.impact.views import ABOUT_ALL, Decided
from panel.plans.rules import OutcomeState
from panel.web import words

NOT_SHOWN = "You cannot see this."
FORMATS = tuple(FORMAT_WORDS.items())
JOINING = tuple(JOINING_WORDS.items())
ANSWER_COLOURS = {"yes": "green", "no": "red"}
STATE_COLOURS = {"planned": "blue", "called": "purple", "held": "green", "cancelled": "grey"}
HOLD_WORDS = (
    ("serious_harm", "It could seriously harm somebody’s health"),
    ("childs_expectation", "The child said it expecting that this person would not see it"),
)


def base(child_id: UUID) -> str:
    """The address of the child's meetings."""
    return f"/children/{child_id}/meetings"


# Where the child is -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """One meeting in the list."""

    href: str
    when: str
    how: str
    tag: tuple[str, str]
    next: str


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Where the child is, the meetings, and the team."""

    now: str
    rests: str
    steps: Sequence[tuple[str, str]]
    """What the buttons say, and where they lead."""
    history: Sequence[tuple[str, str, str]]
    """(where from–until, reasons, who), the newest first."""
    meetings: Sequence[MeetingRow]
    new_href: str
    """"" where no meeting can be planned."""
    next: str
    """When the next meeting is, or when the last one said that it should be."""
    team: Sequence[tuple[str, str, str, str]]
    """(who, part, contact, dates)."""


def overview_page(
    child_id: UUID,
    steps: Sequence[StepLine],
    meetings: Sequence[MeetingReading],
    team: Sequence[TeamLine],
    key_worker: str,
    today: date,
    *,
    may_write: bool,
) -> OverviewPage:
    """The page of a child's steps and meetings."""
    now = next((one for one in reversed(steps) if one.step.until_on is None), None)
    kind = None if now is None else now.step.kind
    is_away = kind in (Kind.IMPACT, Kind.SOCIAL_CARE)
    return OverviewPage(
        now="No episode is open" if now is None else _now_words(now),
        rests="The case stays open. Reviews of CONTACTS rest until the child steps down."
        if is_away
        else "",
        steps=[
            (step_words(kind, to), f"/children/{child_id}/step?to={to.value}")
            for to in Kind
            if kind is not None and to is not kind and may_write
        ],
        history=[_history(one) for one in reversed(steps)],
        meetings=[_row(child_id, one, today) for one in meetings],
        new_href=f"{base(child_id)}/new" if kind is Kind.IMPACT and may_write else "",
        next=_next_words(meetings, today) if kind is Kind.IMPACT else "",
        team=[_team(one, key_worker) for one in team],
    )


def _now_words(one: StepLine) -> str:
    return f"{KIND_WORDS[one.step.kind]}, since {words.short_day(one.step.from_on)}"


def _history(one: StepLine) -> tuple[str, str, str]:
    step = one.step
    if step.until_on is None:
        when = f"since {words.short_day(step.from_on)}"
    elif step.is_no_day:
        when = f"{words.short_day(step.from_on)}, left on the same day"
    else:
        when = f"{words.short_day(step.from_on)} to {words.short_day(step.until_on)}"
    why = NOT_SHOWN if one.reasons is None else one.reasons
    return f"{KIND_WORDS[step.kind]}, {when}", why, one.who


def _row(child_id: UUID, one: MeetingReading, today: date) -> MeetingRow:
    after = f"Next meeting: {words.short_day(one.next_on)}" if one.next_on else ""
    return MeetingRow(
        f"{base(child_id)}/{one.id}",
        f"{words.day_and_distance(one.when.held_on, today)}, {words.time(one.when.starts_at)}",
        FORMAT_WORDS[one.when.format],
        (STATE_WORDS[one.state], STATE_COLOURS[one.state]),
        after,
    )


def _next_words(meetings: Sequence[MeetingReading], today: date) -> str:
    coming = [one.when.held_on for one in meetings if one.is_open]
    if coming:
        return f"The next meeting is on {words.day_and_distance(min(coming), today)}."
    last = next((one for one in meetings if one.state == "held"), None)
    if last is None:
        return "No meeting has been planned yet."
    if last.next_on is None:
        return "The last meeting said that there will be no other. Step down when it is time."
    return f"The next meeting should be {words.day_and_distance(last.next_on, today)}."


def _team(one: TeamLine, key_worker: str) -> tuple[str, str, str, str]:
    who = ", ".join(part for part in (one.name, one.agency) if part)
    part = ", ".join(
        filled for filled in (key_worker if one.is_key_worker else "", one.part) if filled
    )
    contact = ", ".join(filled for filled in (one.phone, one.email) if filled)
    return who, words.upper_first(part), contact, _dates(one)


def _dates(one: TeamLine) -> str:
    if one.from_on is None:
        expected = one.expected_from_on
        return f"Expected from {words.short_day(expected)}" if expected else ""
    until = f" until {words.short_day(one.until_on)}" if one.until_on else ""
    return f"From {words.short_day(one.from_on)}{until}"


@dataclass(frozen=True, slots=True)
class StepPage:
    """The form of a step."""

    title: str
    lead: str
    now: str
    kind: str
    step: UUID
    version: int


def step_page(now: Kind, to: Kind, step: UUID, version: int) -> StepPage:
    """What a step does, before it is done."""
    if is_up(now, to):
        lead = "Nothing is closed: the plan, the lead professional and the team stay."
        rests = " Reviews of CONTACTS rest until the child steps down."
        lead += rests if now is Kind.CONTACTS else ""
    elif to is Kind.CONTACTS:
        lead = "CONTACTS goes on with the child, and the next review is placed from that day."
    else:
        lead = "Nothing is closed. Meetings around the family can be planned again."
    return StepPage(step_words(now, to), lead, KIND_WORDS[now], to.value, step, version)


# One meeting --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InvitedRow:
    """One invitation as the page shows it."""

    id: UUID
    version: int
    name: str
    kind: str
    answer: str
    colour: str
    more: str
    told: str
    trouble: str
    href: str


@dataclass(frozen=True, slots=True)
class MeetingPage:
    """Everything that the page of a meeting says."""

    id: UUID
    version: int
    title: str
    tag: tuple[str, str]
    facts: Sequence[tuple[str, ...]]
    wishes: Sequence[tuple[str, ...]]
    asked: str
    missing: str
    """What is missing before people can be invited; "" where nothing is."""
    invited: Sequence[InvitedRow]
    choices: Sequence[tuple[str, str, str]]
    """Who could be invited still."""
    decided: Sequence[Decided]
    base: str
    is_open: bool
    is_planned: bool
    is_held: bool
    is_due: bool
    """Whether it can be said to have been held: its day has come."""
    has_unsent: bool
    may_write: bool
    own_answer: str
    """What the reader answered, "" where they are not invited."""
    next: str


def meeting_page(
    child_id: UUID,
    one: MeetingReading,
    invited: Sequence[InvitationLine],
    could_be: Sequence[Invitable],
    decided: Sequence[Decided],
    reader: UUID,
    today: date,
    *,
    missing: str,
    may_write: bool,
) -> MeetingPage:
    """The page of one meeting."""
    here = f"{base(child_id)}/{one.id}"
    can_change = may_write and one.is_open
    there = {each.person for each in invited}
    own = next((each for each in invited if each.person == reader), None)
    return MeetingPage(
        id=one.id,
        version=one.version,
        title=f"Meeting on {words.day(one.when.held_on)}",
        tag=(STATE_WORDS[one.state], STATE_COLOURS[one.state]),
        facts=_facts(one, here, can_change=can_change),
        wishes=_wishes(one.wishes, here, can_change=can_change),
        asked=_asked(one),
        missing=missing,
        invited=[_invited(each, here, one) for each in invited],
        choices=[
            (str(each.person), each.name, each.more)
            for each in could_be
            if each.person not in there
        ],
        decided=[each for each in decided if each.views or each.decisions or each.actions],
        base=here,
        is_open=one.is_open,
        is_planned=one.state == "planned",
        is_held=one.state == "held",
        is_due=one.when.held_on <= today,
        has_unsent=any(not each.is_told_of_now for each in invited),
        may_write=may_write,
        own_answer="" if own is None else ANSWER_WORDS[own.answer],
        next=f"We meet again on {words.day(one.next_on)}." if one.next_on else "",
    )


def _facts(one: MeetingReading, here: str, *, can_change: bool) -> Sequence[tuple[str, ...]]:
    change = ("Change", f"{here}/when") if can_change else ()
    place = NOT_SHOWN if one.place is None else one.place or "Not said yet"
    time = f"{words.time(one.when.starts_at)}, {one.when.minutes} minutes"
    rows: list[tuple[str, ...]] = [
        ("When", f"{words.day(one.when.held_on)}, {time}", *change),
        ("How you meet", FORMAT_WORDS[one.when.format], *change),
        ("Where", place, *change),
    ]
    if one.state == "cancelled":
        rows.append(("Why cancelled", one.cancelled_why or NOT_SHOWN))
    return rows


def _wishes(said: Wishes | None, here: str, *, can_change: bool) -> Sequence[tuple[str, ...]]:
    if said is None:
        return [("How the family wants it", NOT_SHOWN)]
    change = ("Change", f"{here}/wishes") if can_change else ()
    rows = (
        ("Who comes", said.who_comes),
        ("Interpreter", said.interpreter),
        ("Does the child join?", JOINING_WORDS[said.child_joins]),
        ("What else matters", said.wishes),
    )
    return [(label, value or "Nothing was said", *change) for label, value in rows]


def _asked(one: MeetingReading) -> str:
    if one.family_said_at is not None:
        return f"The family wrote this on {words.short_day(one.family_said_at.date())}."
    if one.asked_on is not None:
        return f"The family was asked on {words.short_day(one.asked_on)}."
    if one.not_asked_why:
        return f"The family was not asked: {one.not_asked_why}"
    return "The family has not been asked yet."


def _invited(one: InvitationLine, here: str, meeting: MeetingReading) -> InvitedRow:
    told = ""
    if one.sent_at is not None:
        told = f"E-mail put out on {words.day_and_time(one.sent_at)}"
        told += "" if one.is_told_of_now or not meeting.is_open else ", before the last change"
    answer, colour = ANSWER_WORDS[one.answer], ANSWER_COLOURS.get(one.answer, "grey")
    if one.came is not None:
        answer, colour = ("Was there", "green") if one.came else ("Was not there", "grey")
    kinds = {"worker": "Team", "family": "Family", "guest": "Guest"}
    return InvitedRow(
        one.id, one.version, one.name, kinds[one.kind], answer, colour, one.said or "",
        told, one.failure, f"{here}/invitations/{one.id}",
    )  # fmt: skip


def outcome_choices(decided: Sequence[Decided]) -> list[tuple[str, str]]:
    """The desired outcomes of the plan that something can be about."""
    return [
        (str(one.outcome.id), one.title[:120])
        for one in decided
        if one.outcome is not None and one.outcome.state == OutcomeState.WORKING_TOWARDS
    ]


def speaker_choices(could_be: Sequence[Invitable], reader: UUID) -> list[tuple[str, str]]:
    """Whose view a worker can write down: their own, the family's, the child's."""
    family = [
        (str(one.person), ", ".join(part for part in (one.name, one.more) if part))
        for one in could_be
        if one.kind == "family"
    ]
    return [(str(reader), "My own view"), *family]


VIEW_LEAD = (
    "Write what this person thinks, in their words. Views stand side by side: nobody’s is changed"
    f" to fit another’s. Leave out the outcome where it is “{ABOUT_ALL.lower()}”."
)


def names_for(names: Mapping[UUID, str], child_id: UUID) -> dict[UUID, str]:
    """Names of the family for a log; the young person by what they are."""
    return {child_id: "The young person", **names}
