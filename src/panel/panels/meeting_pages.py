"""What the pages of a meeting say: the table, one child on one screen. Tested without HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from consent import Category
from panel.panels.change_rules import Kind
from panel.panels.changes import ChangeLine
from panel.panels.meeting_reading import (
    ActionFact,
    ChildScreen,
    ListedChild,
    MeetingView,
    SaidFact,
    worker_name,
)
from panel.panels.meeting_rules import Heading, Person, Presence, chairs_words
from panel.panels.models import Meeting
from panel.panels.pack_facts import CaseFacts, InvolvedFact
from panel.panels.pages import TAGS, initials_of
from panel.panels.rules import Quorum, Reason, ReviewPlace, why_as_frozen
from panel.panels.shared_view import NOT_FOR_ALL, SharedView
from panel.platform.clock import day_of
from panel.register.service import CATEGORY_CHOICES, CATEGORY_WORDS, header_from
from panel.web import words

MOVED_AWAY = "Taken back: on the wrong child."
ITEM_WORDS = {"listed": "", "discussed": "discussed", "not_reached": "not reached"}
ROLE_WORDS = {"chair": "Chair", "coordinator": "Coordinator", "panel_member": "Member"}
WHOLE_PANEL = [("panel", "Panel discussion")] + [
    (value, said) for value, said in CATEGORY_CHOICES if value != "panel"
]
"""What a contribution can be about; the panel's own discussion comes first."""


# The table ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of the table."""

    id: UUID
    name: str
    agency: str
    role: str
    is_here: bool
    sent_apologies: bool
    state: str
    is_substitute: bool


@dataclass(frozen=True, slots=True)
class ChildRow:
    """One child in the row: who, where the screen is, and how far the item is."""

    child_id: UUID
    name: str
    initials: str
    time: str
    state: str
    is_here: bool
    """Whether the reader is on this child's screen."""
    href: str


@dataclass(frozen=True, slots=True)
class TablePage:
    """The meeting's own page: who is here, and the children."""

    key: str
    panel: str
    title: str
    lead: str
    address: str
    agenda: str
    state: str
    """"planned", "today", "under_way" or "ended"."""
    present: str
    quorum_missing: Sequence[str]
    is_quorate: bool
    chair: str
    people: Sequence[PersonRow]
    ticked: Sequence[UUID]
    apologies: Sequence[UUID]
    here: Sequence[tuple[str, str]]
    """Who is in the room, to choose from."""
    agencies: Sequence[tuple[str, str]]
    seats: Sequence[tuple[str, str]]
    children: Sequence[ChildRow]
    first: ChildRow | None
    """Whose screen comes next."""
    waiting: int
    runs: bool
    to_confirm: Sequence[tuple[str, str]]
    """Minutes of earlier meetings that wait: (words, address)."""


def table_page(
    view: MeetingView, today: date, *, runs: bool, to_confirm: Sequence[Meeting]
) -> TablePage:
    """The meeting's page, for who runs it and for members."""
    panel, meeting, table = view.panel, view.meeting, view.table
    agenda = f"/panels/{panel.key}/{meeting.held_on}"
    children = child_rows(view, None)
    waiting = [row for row in children if not row.state]
    return TablePage(
        key=panel.key,
        panel=panel.name,
        title=f"Meeting of the {panel.name}",
        lead=_lead(view, today),
        address=f"{agenda}/meeting",
        agenda=agenda,
        state=state_of(meeting, today),
        present=present_words(table.people, table.quorum),
        quorum_missing=table.quorum.missing,
        is_quorate=table.quorum.met,
        chair="" if table.chair is None else table.chair.name,
        people=[_person_row(one) for one in table.people],
        ticked=[one.id for one in table.people if one.is_here and not one.is_substitute],
        apologies=[one.id for one in table.people if one.presence is Presence.APOLOGIES],
        here=[(str(one.id), f"{one.name}, {one.agency}") for one in table.here],
        agencies=[(str(one.id), one.name) for one in table.agencies],
        seats=[
            (str(one.id), f"{one.name}, {one.agency}")
            for one in table.people
            if not one.is_substitute and not one.is_here
        ],
        children=children,
        first=waiting[0] if waiting else None,
        waiting=len(waiting),
        runs=runs,
        to_confirm=[
            (words.day(one.held_on), f"/panels/{panel.key}/{one.held_on}/minutes")
            for one in to_confirm
        ],
    )


def state_of(meeting: Meeting, today: date) -> str:
    """How far a meeting is: "planned", "today" (it may begin), "under_way", "ended"."""
    if meeting.state == "held":
        return "ended"
    if meeting.began_at is not None:
        return "under_way"
    return "today" if meeting.held_on <= today else "planned"


def _lead(view: MeetingView, today: date) -> str:
    meeting, panel = view.meeting, view.panel
    on = words.day(meeting.held_on)
    if meeting.began_at is not None:
        ended = "" if meeting.ended_at is None else f", ended at {words.time(meeting.ended_at)}"
        return f"{on}. Began at {words.time(meeting.began_at)}{ended}."
    where = f", {panel.place}" if panel.place else ""
    at = f"{words.time(panel.starts_at)}{where}"
    return f"{words.day_and_distance(meeting.held_on, today)}, {at}."


def present_words(people: Sequence[Person], quorum: Quorum) -> str:
    """How many are here, and whether that is a quorum: "6 present, quorum met"."""
    count = sum(one.is_here for one in people)
    return f"{count or 'Nobody'} present, {'quorum met' if quorum.met else 'no quorum'}"


def _person_row(one: Person) -> PersonRow:
    roles = [said for role, said in ROLE_WORDS.items() if role in one.roles]
    role = roles[0] if roles else ""
    if one.is_substitute:
        role = f"In the place of {one.stands_in_for}" if one.stands_in_for else "Substitute"
    return PersonRow(
        one.id,
        one.name,
        one.agency,
        role,
        one.is_here,
        one.presence is Presence.APOLOGIES,
        presence_words(one),
        one.is_substitute,
    )


def presence_words(one: Person) -> str:
    """Where somebody is: "Here from 9:34", "Left at 10:30", "Sent apologies"."""
    since = "" if one.here_at is None else f" from {words.time(one.here_at)}"
    until = "" if one.left_at is None else f" at {words.time(one.left_at)}"
    said = {
        Presence.HERE: f"Here{since}",
        Presence.LEFT: f"Left{until}",
        Presence.APOLOGIES: "Sent apologies",
        Presence.ABSENT: "Not here",
    }
    return "" if one.presence is None else said[one.presence]


def child_rows(view: MeetingView, here: UUID | None) -> list[ChildRow]:
    """The row of children, with what is done."""
    base = f"/panels/{view.panel.key}/{view.meeting.held_on}/meeting"
    return [_child_row(one, base, here) for one in view.children]


def _child_row(one: ListedChild, base: str, here: UUID | None) -> ChildRow:
    return ChildRow(
        one.fact.child_id,
        one.name,
        initials_of(one.name, one.fact.reference),
        words.time(one.starts),
        ITEM_WORDS.get(one.fact.state, ""),
        one.fact.child_id == here,
        f"{base}/{one.fact.child_id}",
    )


# One child on one screen --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SaidRow:
    """One contribution; `text` is empty where the screen may not show it."""

    id: UUID
    by: str
    at: str
    category: str
    for_family: bool
    text: str
    note: str
    """Instead of the text: taken back, or kept and not shown here."""
    is_mine: bool
    may_move: bool = False
    """Whether it can be moved to the child whom it is about."""
    moved_here: bool = False
    """It stood on the record of another child."""


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action: who, what, by when."""

    who: str
    what: str
    by: str
    id: UUID
    moved_away: bool = False
    moved_here: bool = False


@dataclass(frozen=True, slots=True)
class ReviewWords:
    """The next review: its meeting or its date, and why then."""

    on: str
    why: str
    reason: str
    """Why the panel chose another day, where it may be shown."""


@dataclass(frozen=True, slots=True)
class ScreenPage:
    """One child on one screen."""

    panel: str
    day: str
    address: str
    table: str
    name: str
    initials: str
    age: str
    tag: tuple[str, str]
    why: str
    lead_professional: str
    slot: str
    place: str
    """"3 of 9"."""
    present: str
    chair: str
    children: Sequence[ChildRow]
    previous: ChildRow | None
    following: ChildRow | None
    family: Sequence[tuple[str, str]]
    """What the family said, and who said it when."""
    since_title: str
    since: Sequence[str]
    discussion: Sequence[SaidRow]
    needs: Sequence[SaidRow]
    actions: Sequence[ActionRow]
    suggested: Sequence[str]
    review: ReviewWords
    version: int
    involved: Sequence[str]
    expected: Sequence[str]
    not_shown: Sequence[str]
    child_id: UUID
    interests: Sequence[tuple[str, str]]
    """Who left this item: (worker id, name)."""
    people: Sequence[tuple[str, str]]
    """Who sits here, to choose from."""
    agencies: Sequence[tuple[str, str]]
    """Which have no part in the child's life yet."""
    categories: Sequence[tuple[str, str]]
    viewer: str
    may_look: bool
    is_done: bool
    may_write: bool
    runs: bool
    closed: str
    """Why nothing can be written; empty where it can."""


def screen_page(screen: ChildScreen, today: date, *, runs: bool) -> ScreenPage:
    """The screen of one child, in words."""
    view, fact, meeting = screen.view, screen.fact, screen.meeting
    header = header_from(view.access, screen.case)
    rows = child_rows(meeting, screen.listed.fact.child_id)
    at = next(number for number, row in enumerate(rows) if row.is_here)
    state = state_of(meeting.meeting, today)
    viewer = view.access.viewer.id
    person = meeting.table.person(viewer)
    is_here = person is not None and person.is_here
    on = meeting.meeting.held_on
    table = f"/panels/{meeting.panel.key}/{on}/meeting"
    return ScreenPage(
        panel=meeting.panel.name,
        day=words.short_day(on),
        address=f"{table}/{screen.listed.fact.child_id}",
        table=table,
        name=screen.listed.name,
        initials=rows[at].initials,
        age=header.age_words if view.may(Category.IDENTITY) else "",
        tag=TAGS[Reason(screen.case.why)],
        why=_why(screen),
        lead_professional=header.lead_words,
        slot=f"{rows[at].time}, {words.plural(screen.listed.fact.minutes, 'minute')}",
        place=f"{at + 1} of {len(rows)}",
        present=present_words(meeting.table.people, meeting.table.quorum),
        chair=chairs_words(meeting.table.people),
        children=rows,
        previous=rows[at - 1] if at else None,
        following=rows[at + 1] if at + 1 < len(rows) else None,
        family=family_words(view, screen.case),
        since_title=_since_title(screen.last_talked),
        since=since_last(screen, today),
        discussion=said_rows(view, fact.said or (), Heading.DISCUSSION),
        needs=said_rows(view, fact.said or (), Heading.NEEDS_TO_KNOW),
        actions=[action_row(view, one) for one in fact.actions or () if one.of_this_meeting],
        suggested=[one.label for one in screen.suggestions],
        review=review_words(view, screen.review, fact.item_id, fact.review_why),
        version=fact.version,
        involved=_involved(view, screen.case, now=True),
        expected=_involved(view, screen.case, now=False),
        not_shown=view.not_shown("this child"),
        child_id=view.access.child_id,
        interests=[
            (str(one.worker.id), worker_name(view.access, one.worker))
            for one in fact.interests or ()
        ],
        people=[
            (str(one.id), f"{one.name}, {one.agency}")
            for one in meeting.table.people
            if not one.is_substitute
        ],
        agencies=_not_involved(screen),
        categories=WHOLE_PANEL,
        viewer=str(viewer),
        may_look=screen.may_look,
        is_done=fact.state == "discussed",
        may_write=state == "under_way" and is_here and screen.may_look,
        runs=runs,
        closed=_closed(state, is_here=is_here),
    )


def _closed(state: str, *, is_here: bool) -> str:
    if state == "under_way":
        return "" if is_here else "You are not written down as here, so you can only read."
    return {
        "planned": "This is how the screen will look. It opens for writing on the day.",
        "today": "The meeting has not begun, so nothing can be written yet.",
        "ended": "The meeting has ended, so nothing more is written here.",
    }[state]


def _why(screen: ChildScreen) -> str:
    """Why today, as the item was frozen; what is coming is the panel's to say."""
    case, fact = screen.case, screen.fact
    if case.since_on is None:
        return ""
    reason = Reason(case.why)
    coming = (fact.transition or "").strip().rstrip(".")
    if reason is Reason.TRANSITION and coming and screen.view.may(Category.PANEL):
        return f"{words.upper_first(coming)}, {words.short_day(case.since_on)}."
    said = why_as_frozen(reason, case.since_on, ()).sentence
    tag = TAGS[reason][0]
    return words.upper_first(said.removeprefix(f"{tag}: ").removeprefix(f"{tag} "))


def family_words(view: SharedView, case: CaseFacts) -> list[tuple[str, str]]:
    """What the family wants the panel to know, newest first; else what they said last."""
    said = case.words or ()
    latest = max((one.said_on for one in said), default=None)
    now = [one for one in said if one.for_this_meeting] or [
        one for one in said if one.said_on == latest
    ]
    told = []
    for one in now:
        found = view.open_text(
            one.text, "family_words.text", one.id, Category.VIEWS, one.agency_id, one.person_id
        )
        if found:
            by = words.upper_first((one.relationship or "the family").strip())
            told.append((found, f"{by}, {words.short_day(one.said_on)}"))
    return told


# What changed since the panel last talked about a child -------------------------------------------


def _since_title(last: datetime | None) -> str:
    if last is None:
        return "The panel has not talked about this child before"
    day = words.short_day(day_of(last))
    return f"Since the panel last talked about them ({day})"


def since_last(screen: ChildScreen, today: date) -> list[str]:
    """What the panel should know has changed, after what was owed before and still is."""
    before = [one for one in screen.fact.actions or () if not one.of_this_meeting]
    if screen.last_talked is not None:
        # What fell due since then is among the changes.
        then = day_of(screen.last_talked)
        before = [one for one in before if one.due_on is not None and one.due_on < then]
    owed = [line for one in before if (line := _open_action(screen.view, one, today))]
    above = [said for said, _by in family_words(screen.view, screen.case)]
    return [*owed, *(one.sentence for one in screen.changes if not _stands_above(one, above))]


def _stands_above(change: ChangeLine, words_above: Sequence[str]) -> bool:
    """Whether a line only says again the family's words that stand above, whole."""
    return change.kind is Kind.WORDS and any(said in change.sentence for said in words_above)


def _open_action(view: SharedView, one: ActionFact, today: date) -> str:
    row = action_row(view, one)
    if not row.what:
        return ""
    if one.due_on is not None and one.due_on < today:
        days = words.plural((today - one.due_on).days, "day")
        return f"Action overdue by {days}: {row.what} ({row.who})"
    due = f", by {row.by}" if row.by else ""
    return f"Action open: {row.what} ({row.who}{due})"


def action_row(view: SharedView, one: ActionFact) -> ActionRow:
    """An action as all here may see it; empty words where they may not."""
    author = one.plan_agency_id
    what = view.open_text(one.text, "action.text", one.id, Category.PLAN, author)
    if what is None:
        return ActionRow("", "", "", one.id)
    if one.moved_away:
        return ActionRow("An action", words.lower_first(MOVED_AWAY), "", one.id, moved_away=True)
    who = view.open_text(one.owner_words, "action.owner_words", one.id, Category.PLAN, author)
    if one.owner is not None:
        who = f"{worker_name(view.access, one.owner)}, {one.owner.agency}"
    by = "" if one.due_on is None else words.short_day(one.due_on)
    return ActionRow(who or "Nobody yet", what, by, one.id, moved_here=one.moved_here)


# What was said ------------------------------------------------------------------------------------


def said_rows(view: SharedView, said: Sequence[SaidFact], heading: Heading) -> list[SaidRow]:
    """The contributions under a heading, as they came."""
    return [_said_row(view, one) for one in said if one.heading == heading]


def _said_row(view: SharedView, one: SaidFact) -> SaidRow:
    name = "" if one.worker is None else worker_name(view.access, one.worker)
    text = view.open_text(one.text, "discussion.text", one.id, one.category, one.agency_id)
    note = ""
    if one.moved_away:
        text, note = "", MOVED_AWAY
    elif one.taken_back_at is not None:
        text, note = "", f"Taken back at {words.time(one.taken_back_at)}."
    elif text is None:
        note = f"Kept, and not shown on this screen. {NOT_FOR_ALL}" if view.table else "Not shown."
    return SaidRow(
        one.id,
        ", ".join(part for part in (name, one.agency) if part),
        "" if one.said_at is None else words.time(one.said_at),
        "" if one.category is Category.PANEL else CATEGORY_WORDS[one.category],
        one.for_family,
        text or "",
        note,
        one.worker is not None
        and one.worker.id == view.access.viewer.id
        and one.taken_back_at is None,
        may_move=not one.moved_away,
        moved_here=one.moved_here,
    )


# At the side --------------------------------------------------------------------------------------


def review_words(
    view: SharedView, place: ReviewPlace, item_id: UUID, why: str | None
) -> ReviewWords:
    """The next review as the calendar places it."""
    due = words.short_day(place.due_by)
    reason = view.open_text(why, "agenda_item.review_why", item_id, Category.PANEL) or ""
    if place.meeting is None:
        return ReviewWords(f"By {words.day(place.due_by)}", place.reason, reason)
    said = f"The last panel on or before {due}, in term. {place.reason}".strip()
    return ReviewWords(words.day(place.meeting), said, reason)


def _involved(view: SharedView, case: CaseFacts, *, now: bool) -> list[str]:
    today = view.access.today
    return [
        _involved_words(view, one, today)
        for one in case.involved or ()
        if view.may(Category.NETWORK, one.agency_id) and _is_now(one, today) is now
    ]


def _is_now(one: InvolvedFact, today: date) -> bool:
    return one.from_on is not None and one.from_on <= today


def _involved_words(view: SharedView, one: InvolvedFact, today: date) -> str:
    agency = f"{one.agency}: {one.part}" if one.part else one.agency
    if _is_now(one, today):
        if one.worker is None or one.worker_id is None or one.worker_agency_id is None:
            return agency
        name = view.access.keys.open(
            one.worker_agency_id, "worker.name", one.worker_id, bytes.fromhex(one.worker)
        )
        return f"{agency}, {name}"
    coming = one.from_on or one.expected_from_on
    return f"{agency}, from {words.short_day(coming)}" if coming else agency


def _not_involved(screen: ChildScreen) -> list[tuple[str, str]]:
    involved = (
        {one.agency_id for one in screen.case.involved or ()}
        if screen.view.may(Category.NETWORK)
        else set()
    )
    return [(str(one.id), one.name) for one in screen.agencies if one.id not in involved]
