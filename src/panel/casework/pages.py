"""What the pages about changes and about missing next steps say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from panel.casework.gap_queries import KIND_WORDS as GAP_WORDS
from panel.casework.gap_queries import GapKind
from panel.casework.looking import ListedTransition, WatchList
from panel.casework.transition_rules import KIND_WORDS, NOBODY_RECEIVES, STATE_WORDS
from panel.casework.transitions import TransitionReading
from panel.records.gate import Withheld
from panel.records.withheld_words import hidden_words
from panel.register.pages import CATEGORY_WORDS
from panel.web.paging import Page
from panel.web.words import day_and_distance, plural, short_day

SHOWS = (("", "All that are open"), ("mine", "Those that I prepare"), ("unplanned", "Not planned"))
NOBODY = "Nobody yet"
MEND: dict[GapKind, str] = {
    GapKind.NO_LEAD: "lead-professional",
    GapKind.LEAD_LEFT: "lead-professional",
    GapKind.LEAD_NOT_COVERED: "lead-professional",
    GapKind.OFFER_UNANSWERED: "lead-professional",
    GapKind.IMPACT_NO_MEETING: "meetings",
    GapKind.MINUTES_NOT_SENT: "meetings",
    GapKind.HANDOVER_UNANSWERED: "handover",
    GapKind.HANDOVER_REFUSED: "handover",
    GapKind.NO_ASSESSMENT: "assessments",
    GapKind.NO_PLAN: "plan",
    GapKind.PLAN_NOT_AGREED: "plan",
    GapKind.ACTION_OVERDUE: "plan",
    GapKind.TRANSITION_NO_OWNER: "transitions",
    GapKind.TRANSITION_NO_AGENCY: "transitions",
    GapKind.TRANSITION_OVERDUE: "transitions",
    GapKind.MOVE_NOT_HANDED_OVER: "transitions",
    GapKind.EXPECTED_NOT_BEGUN: "people",
    GapKind.NOBODY_INVOLVED: "people",
    GapKind.SHARING_ENDED: "sharing",
    GapKind.ACCESS_UNANSWERED: "sharing",
}
"""Where in the record the next step is made; panels and meetings for all others."""


@dataclass(frozen=True, slots=True)
class TransitionLine:
    """One change on a child's page or on the list across children."""

    title: str
    when: str
    state: str
    colour: str
    owner: str
    receiving: str
    href: str
    name: str = ""


def _colour(state: str, due_on: date, today: date) -> str:
    if state == "watched" or (state == "planned" and due_on < today):
        return "red" if due_on < today else "yellow"
    return {"planned": "blue", "handed": "teal", "done": "green"}.get(state, "grey")


def transition_lines(
    child_id: UUID, found: Sequence[TransitionReading], today: date
) -> tuple[list[TransitionLine], list[TransitionLine]]:
    """What is still to happen, soonest first; and what is over, the newest first."""
    lines = [
        (
            one.is_open,
            TransitionLine(
                title=KIND_WORDS[one.kind],
                when=day_and_distance(one.due_on, today) if one.is_open else short_day(one.due_on),
                state=STATE_WORDS[one.state],
                colour=_colour(one.state, one.due_on, today),
                owner=f"{one.owner.name}, {one.owner.agency}" if one.owner else NOBODY,
                receiving=one.receiving or ("–" if one.kind in NOBODY_RECEIVES else NOBODY),
                href=f"/children/{child_id}/transitions/{one.id}",
            ),
        )
        for one in found
    ]
    coming = [line for is_open, line in lines if is_open]
    return coming, [line for is_open, line in reversed(lines) if not is_open]


def withheld_changes(hidden: Sequence[Withheld]) -> Sequence[str]:
    """What is said of changes that are not shown."""
    return hidden_words(hidden, CATEGORY_WORDS, "Changes that tell of {} are not shown to you.")


@dataclass(frozen=True, slots=True)
class OnePage:
    """One change: what it is, its facts, and what can be done with it."""

    title: str
    rows: Sequence[tuple[str, str]]
    action: str
    is_open: bool
    may_hand_over: bool
    receives: bool
    """Whether another agency takes the child on."""


def one_page(child_id: UUID, one: TransitionReading, today: date) -> OnePage:
    """The page of one change."""
    rows = [
        ("When", day_and_distance(one.due_on, today)),
        ("To be prepared from", short_day(one.watch_from)),
        ("State", STATE_WORDS[one.state]),
        ("Who prepares it", f"{one.owner.name}, {one.owner.agency}" if one.owner else NOBODY),
        ("Receiving agency", one.receiving),
        ("Handed over", "" if one.handed_on is None else short_day(one.handed_on)),
        ("Plan", "You cannot see it." if one.plan is None else one.plan),
        ("Why not needed" if one.state == "not_needed" else "Note", one.reason or ""),
        ("Found", "From the date of birth or an entry" if one.found else "Written down"),
    ]
    receives = one.kind not in NOBODY_RECEIVES
    return OnePage(
        title=KIND_WORDS[one.kind],
        rows=[(what, value) for what, value in rows if value],
        action=f"/children/{child_id}/transitions/{one.id}",
        is_open=one.is_open,
        may_hand_over=one.is_open
        and one.state != "handed"
        and one.owner is not None
        and (one.receiving_id is not None or not receives),
        receives=receives,
    )


@dataclass(frozen=True, slots=True)
class ComingPage:
    """The changes across children."""

    lines: Sequence[TransitionLine]
    note: str
    previous: str
    next: str


def coming_page(found: Page[ListedTransition], show: str, today: date) -> ComingPage:
    """The list by due date."""

    def at(cursor: str | None) -> str:
        return f"/transitions?{urlencode({'show': show, 'page': cursor})}" if cursor else ""

    return ComingPage(
        lines=[
            TransitionLine(
                title=KIND_WORDS[one.kind],
                when=day_and_distance(one.due_on, today),
                state=STATE_WORDS[one.state],
                colour=_colour(one.state, one.due_on, today),
                owner=one.owner or NOBODY,
                receiving=one.receiving or ("–" if one.kind in NOBODY_RECEIVES else NOBODY),
                href=f"/children/{one.child_id}/transitions/{one.id}",
                name=one.name,
            )
            for one in found.rows
        ],
        note=found.note,
        previous=at(found.previous),
        next=at(found.next),
    )


@dataclass(frozen=True, slots=True)
class GapLine:
    """One next step that is missing."""

    name: str
    reference: str
    what: str
    since: str
    agency: str
    href: str


@dataclass(frozen=True, slots=True)
class WatchPage:
    """Who lacks a next step: counts that are links, and one page of the list."""

    lead: str
    counts: Sequence[tuple[str, str, str]]
    """(number, words, address) of each kind that there is."""
    lines: Sequence[GapLine]
    caption: str
    chosen: Sequence[tuple[str, str]]
    note: str
    previous: str
    next: str


def watch_page(found: WatchList, kind: str, today: date) -> WatchPage:
    """The page of the nightly watch."""

    def at(cursor: str | None) -> str:
        return f"/watch?{urlencode({'kind': kind, 'page': cursor})}" if cursor else ""

    number = sum(count for _, count in found.counts)
    chosen = GAP_WORDS[GapKind(kind)] if kind else ""
    return WatchPage(
        lead=f"{plural(number, 'next step')} missing, found last night."
        if number
        else "Nobody lacks a next step.",
        counts=[(str(count), GAP_WORDS[one], f"/watch?kind={one}") for one, count in found.counts],
        lines=[
            GapLine(
                one.name,
                one.reference,
                GAP_WORDS[one.kind],
                day_and_distance(one.since_on, today),
                one.agency or NOBODY,
                f"/children/{one.child_id}/{MEND.get(one.kind, 'panels')}",
            )
            for one in found.page.rows
        ],
        caption=chosen or "Everything that is missing, the longest first",
        chosen=[(chosen, "/watch")] if chosen else [],
        note=found.page.note,
        previous=at(found.page.previous),
        next=at(found.page.next),
    )
