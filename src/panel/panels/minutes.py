"""The minutes of a meeting: who was there, what was said and decided, who was not reached.

Each reader sees of each child what they may see themselves, whoever was in the room.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose, Viewer
from panel.accounts.desk import ABOUT_MONEY
from panel.accounts.service import worker_names
from panel.panels.attendance import Table, quorum_of, table_of
from panel.panels.calendar import meeting_on
from panel.panels.holding import later_is_under_way
from panel.panels.meeting_pages import ActionRow, SaidRow, action_row, presence_words, said_rows
from panel.panels.meeting_reading import (
    ItemFact,
    ScreenFact,
    items_of,
    name_of,
    screen_fact,
    worker_name,
    workers_agencies,
)
from panel.panels.meeting_rules import (
    Heading,
    Presence,
    chairs_words,
    quorum_over_time,
    quorum_words,
)
from panel.panels.models import Meeting, Panel
from panel.panels.pages import TAGS, initials_of
from panel.panels.rules import Reason
from panel.panels.shared_view import SharedView
from panel.platform.problems import Problem
from panel.platform.tenancy import load_agency_keys
from panel.records.gate import Gate
from panel.web import words


@dataclass(frozen=True, slots=True)
class MinutesOfChild:
    """What the minutes say of one child."""

    child_id: UUID
    name: str
    initials: str
    why: str
    interests: str
    """Who left the item; empty where nobody did."""
    discussion: Sequence[SaidRow]
    needs: Sequence[SaidRow]
    actions: Sequence[ActionRow]
    review: str


@dataclass(frozen=True, slots=True)
class MinutesPage:
    """The minutes as one reader may see them."""

    key: str
    panel: str
    title: str
    lead: str
    address: str
    agenda: str
    recorded: bool
    """Whether attendance was written down here; not of meetings before Panel."""
    attendance: Sequence[tuple[str, str, str]]
    """Who: (name, agency, where they were)."""
    chaired: str
    quorum: Sequence[str]
    children: Sequence[MinutesOfChild]
    not_reached: Sequence[tuple[UUID, str, str]]
    """Who was not reached: (child, name, initials)."""
    confirmed: str
    may_confirm: bool
    runs: bool
    """Whether the reader coordinates or chairs the panel."""


async def read_minutes(
    gate: Gate, session: AsyncSession, panel: Panel, day: date, viewer: Viewer, *, runs: bool
) -> MinutesPage:
    """The minutes of a day's meeting; each child named is opened through the gate, and logged.

    Raises Problem while the meeting has not ended.
    """
    meeting = await meeting_on(session, panel, day)
    _refuse_before_the_end(meeting)
    table = await table_of(session, panel, meeting)
    items = await items_of(session, meeting, viewer)
    opened = await gate.open_here(
        session,
        [one.child_id for one in items],
        viewer,
        # Who decides on requests keeps the record while one is before the panel.
        (Purpose.PANEL, Purpose.ALLOCATION) if viewer.roles & ABOUT_MONEY else Purpose.PANEL,
        f"read the minutes of {words.day(day)}",
    )
    views = {child: SharedView(access, ()) for child, access in opened.items()}
    return MinutesPage(
        key=panel.key,
        panel=panel.name,
        title=f"Minutes of the {panel.name}",
        lead=_lead(meeting),
        address=f"/panels/{panel.key}/{day}/minutes",
        agenda=f"/panels/{panel.key}/{day}",
        recorded=meeting.began_at is not None,
        attendance=_attendance(table),
        chaired=chairs_words(table.people),
        quorum=_quorum(panel, meeting, table),
        children=await _discussed(session, panel, meeting, items, views),
        not_reached=_not_reached(items, views),
        confirmed=await _confirmed(session, meeting),
        may_confirm=runs and await _may_be_confirmed(session, panel, meeting),
        runs=runs,
    )


def _refuse_before_the_end(meeting: Meeting) -> None:
    if meeting.state != "held":
        raise Problem(
            409,
            "There are no minutes yet",
            f"The meeting of {words.day(meeting.held_on)} has not ended.",
            "The minutes are there when the coordinator or the chair ends it.",
        )


async def _discussed(
    session: AsyncSession,
    panel: Panel,
    meeting: Meeting,
    items: Sequence[ItemFact],
    views: Mapping[UUID, SharedView],
) -> list[MinutesOfChild]:
    """The children who were talked about, of those whom the reader may open."""
    children = []
    for one in items:
        if one.state == "discussed" and one.child_id in views:
            fact = await screen_fact(session, panel, meeting, one.child_id)
            await load_agency_keys(session, workers_agencies(fact))
            children.append(_child(views[one.child_id], one, fact, meeting))
    return children


def _not_reached(
    items: Sequence[ItemFact], views: Mapping[UUID, SharedView]
) -> list[tuple[UUID, str, str]]:
    found = []
    for one in items:
        if one.state == "not_reached":
            name = name_of(views.get(one.child_id), one)
            found.append((one.child_id, name, initials_of(name, one.reference)))
    return found


async def _may_be_confirmed(session: AsyncSession, panel: Panel, meeting: Meeting) -> bool:
    """Whether a later meeting is there to confirm minutes that nobody has confirmed."""
    if meeting.ended_at is None or meeting.confirmed_at is not None:
        return False
    return await later_is_under_way(session, panel, meeting)


def _lead(meeting: Meeting) -> str:
    on = words.day(meeting.held_on)
    if meeting.began_at is None or meeting.ended_at is None:
        return f"{on}."
    return f"{on}, {words.time(meeting.began_at)} to {words.time(meeting.ended_at)}."


def _attendance(table: Table) -> list[tuple[str, str, str]]:
    rows = []
    for one in table.people:
        stands_in = f"{one.name}, in the place of {one.stands_in_for}"
        name = stands_in if one.stands_in_for else one.name
        was = presence_words(one) or "Not here"
        if one.presence is Presence.LEFT and one.here_at and one.left_at:
            was = f"Here from {words.time(one.here_at)} until {words.time(one.left_at)}"
        rows.append((name, one.agency, was))
    return rows


def _quorum(panel: Panel, meeting: Meeting, table: Table) -> list[str]:
    if meeting.began_at is None:
        return []
    judge = partial(quorum_of, panel)
    return quorum_words(quorum_over_time(table.people, meeting.began_at, judge))


def _child(view: SharedView, one: ItemFact, fact: ScreenFact, meeting: Meeting) -> MinutesOfChild:
    name = name_of(view, one)
    said = fact.said or ()
    interests = fact.interests or ()
    left = [worker_name(view.access, each.worker) for each in interests]
    if any(each.worker.id == view.access.viewer.id for each in interests):
        # Whoever left the item does not read afterwards what they were not to hear.
        return MinutesOfChild(
            one.child_id, name, words.initials(name) if name != one.reference else name,
            TAGS[Reason(one.why)][0], words.in_a_row(left), (), (), (), "",
        )  # fmt: skip
    asked = [
        row
        for each in fact.actions or ()
        if each.of_this_meeting and (row := action_row(view, each)).what
    ]
    return MinutesOfChild(
        one.child_id,
        name,
        initials_of(name, one.reference),
        TAGS[Reason(one.why)][0],
        words.in_a_row(left),
        (*said_rows(view, said, Heading.DISCUSSION), *said_rows(view, said, Heading.ALLOCATION)),
        said_rows(view, said, Heading.NEEDS_TO_KNOW),
        asked,
        _review(fact, meeting),
    )


def _review(fact: ScreenFact, meeting: Meeting) -> str:
    """By when the next review was promised; of a child discussed since, that it has been."""
    last = fact.last_discussed_on
    if last is not None and last > meeting.held_on:
        return f"The panel has talked about them again since, on {words.short_day(last)}."
    if fact.next_review_by is None:
        return ""
    return f"Next review by {words.day(fact.next_review_by)}."


async def _confirmed(session: AsyncSession, meeting: Meeting) -> str:
    if meeting.confirmed_at is None or meeting.confirmed_by is None:
        return ""
    names = await worker_names(session, [meeting.confirmed_by])
    by = names.get(meeting.confirmed_by, "")
    return f"Confirmed on {words.day(meeting.confirmed_at)}{f' by {by}' if by else ''}."


async def minutes_to_confirm(
    session: AsyncSession, panel: Panel, meeting: Meeting
) -> Sequence[Meeting]:
    """Meetings before this one that ended in Panel and whose minutes nobody has confirmed."""
    found = await session.scalars(
        select(Meeting)
        .where(
            Meeting.panel_id == panel.id,
            Meeting.held_on < meeting.held_on,
            Meeting.ended_at.is_not(None),
            Meeting.confirmed_at.is_(None),
        )
        .order_by(Meeting.held_on)
    )
    return list(found)
