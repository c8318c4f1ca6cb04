"""What the pages of a meeting read: the row of children, and one child on one screen.

Nothing is opened but through the gate, and on a child's screen only what everybody at the table
may see (`shared_view`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Viewer
from panel.accounts.models import Agency
from panel.accounts.service import agencies
from panel.panels.asking import suggestions
from panel.panels.attendance import Table, table_of
from panel.panels.calendar import meeting_on, panel_rhythm, settings_of
from panel.panels.changes import ChangeLine, changes_since, last_talked_about, visible_to_all
from panel.panels.meeting_rules import Suggested
from panel.panels.models import Meeting, Panel
from panel.panels.pack_facts import CaseFacts, InThePack, agencies_named, case_facts, slots
from panel.panels.rules import ReviewPlace, next_review_meeting, review_place
from panel.panels.shared_view import SharedView
from panel.platform.problems import NotFound
from panel.platform.read_models import ReadModel, UnevenReadModel
from panel.platform.tables import NOW
from panel.platform.tenancy import load_agency_keys
from panel.records.gate import NOT_HERE, Access, Gate
from panel.sharing.shareable import table_standpoints
from panel.web.words import day as day_words

LISTED = frozenset({Category.IDENTITY, Category.PANEL})
"""What the row of children shows of each; nothing else is decided or logged."""


class ItemFact(msgspec.Struct):
    """One item of the agenda: process facts, and names that are sealed (hex)."""

    child_id: UUID
    reference: str
    given_name: str | None
    family_name: str | None
    sibling_group: UUID | None
    state: str
    why: str
    minutes: int


# What was said or done at a meeting is listed for as long as the viewer reaches the child.
_ITEMS = """
SELECT json_build_object('child_id', i.child_id, 'reference', c.reference,
  'given_name', encode(c.given_name, 'hex'), 'family_name', encode(c.family_name, 'hex'),
  'sibling_group', c.sibling_group, 'state', i.state, 'why', i.why,
  'minutes', i.minutes)::text
FROM child_access a JOIN agenda_item i ON i.child_id = a.child_id
JOIN child c ON c.id = i.child_id
WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
  AND i.meeting_id = :meeting AND i.state <> 'removed' AND i.opens_at <= :now
ORDER BY i.position, i.id
"""
_READ_ITEMS = UnevenReadModel(_ITEMS, ItemFact)


@dataclass(frozen=True, slots=True)
class ListedChild:
    """One child in the row, named where everybody at the table may know the name."""

    fact: ItemFact
    name: str
    starts: time


@dataclass(frozen=True, slots=True)
class MeetingView:
    """A meeting as somebody of its table may see it."""

    panel: Panel
    meeting: Meeting
    table: Table
    children: tuple[ListedChild, ...]
    views: dict[UUID, SharedView]

    def child(self, child_id: UUID) -> ListedChild:
        """One child of the row. Raises NotFound."""
        found = next((one for one in self.children if one.fact.child_id == child_id), None)
        if found is None:
            raise NotFound(NOT_HERE)
        return found


async def meeting_view(
    gate: Gate, session: AsyncSession, panel: Panel, day: date, viewer: Viewer
) -> MeetingView:
    """The meeting of a day with its row of children; each child named is logged.

    Raises NotFound where the panel does not meet that day.
    """
    meeting = await meeting_on(session, panel, day)
    table = await table_of(session, panel, meeting)
    facts = await items_of(session, meeting, viewer)
    opened = await gate.open_here(
        session,
        [one.child_id for one in facts],
        viewer,
        Purpose.PANEL,
        f"saw the children of the meeting on {day_words(day)}",
        LISTED,
    )
    views = await _views(session, opened, table, viewer)
    return MeetingView(panel, meeting, table, _listed(panel, facts, views), views)


async def items_of(session: AsyncSession, meeting: Meeting, viewer: Viewer) -> list[ItemFact]:
    """The items whose children the viewer reaches, in the order of the agenda."""
    return await _READ_ITEMS.lines(
        session, viewer=viewer.id, meeting=meeting.id, now=session.info[NOW]
    )


async def _views(
    session: AsyncSession, opened: dict[UUID, Access], table: Table, viewer: Viewer
) -> dict[UUID, SharedView]:
    points = await table_standpoints(session, list(opened), table.looking(viewer), viewer.id)
    return {child: SharedView(access, points.get(child, ())) for child, access in opened.items()}


def _listed(
    panel: Panel, facts: Sequence[ItemFact], views: dict[UUID, SharedView]
) -> tuple[ListedChild, ...]:
    items = [InThePack(one.child_id, one.minutes, one.why, one.sibling_group) for one in facts]
    begins = slots(items, panel.starts_at)
    return tuple(
        ListedChild(fact, name_of(views.get(fact.child_id), fact), begins[fact.child_id])
        for fact in facts
    )


def name_of(view: SharedView | None, fact: ItemFact) -> str:
    """The child's name where it may be shown, else the reference."""
    if view is None:
        return fact.reference
    parts = [
        view.open_text(sealed, f"child.{column}", fact.child_id, Category.IDENTITY)
        for column, sealed in (("given_name", fact.given_name), ("family_name", fact.family_name))
    ]
    return " ".join(part for part in parts if part) or fact.reference


# One child ----------------------------------------------------------------------------------------


class NamedWorker(msgspec.Struct):
    """A worker whom a fact names, sealed with the agency's key."""

    id: UUID
    agency_id: UUID
    agency: str
    name: str | None


class SaidFact(msgspec.Struct):
    """One contribution, still sealed."""

    id: UUID
    heading: str
    category: Category
    agency_id: UUID
    agency: str
    worker: NamedWorker | None
    said_at: datetime | None
    for_family: bool
    taken_back_at: datetime | None
    moved_away: bool
    moved_here: bool
    text: str | None


class ActionFact(msgspec.Struct):
    """One action that is open, or that this meeting asked for; still sealed."""

    id: UUID
    plan_agency_id: UUID | None
    of_this_meeting: bool
    owner: NamedWorker | None
    owner_words: str | None
    due_on: date | None
    state: str
    moved_away: bool
    moved_here: bool
    text: str | None


class InterestFact(msgspec.Struct):
    """Who declared an interest in the child."""

    worker: NamedWorker


class ScreenFact(msgspec.Struct):
    """What there is of one item beside the case itself."""

    item_id: UUID
    version: int
    state: str
    review_by: date | None
    review_why: str | None
    last_discussed_on: date | None
    next_review_by: date | None
    transition: str | None
    said: tuple[SaidFact, ...] | None
    actions: tuple[ActionFact, ...] | None
    interests: tuple[InterestFact, ...] | None


_WORKER = (
    "CASE WHEN w.id IS NOT NULL THEN json_build_object('id', w.id, 'agency_id', w.agency_id,"
    " 'agency', wg.name, 'name', encode(w.name, 'hex')) END"
)
_SCREEN = f"""
SELECT json_build_object('item_id', i.id, 'version', i.version, 'state', i.state,
 'review_by', i.review_by, 'review_why', encode(i.review_why, 'hex'),
 'last_discussed_on', f.last_discussed_on, 'next_review_by', f.next_review_by,
 'transition', f.transition,
 'said', (SELECT json_agg(json_build_object('id', d.id, 'heading', d.heading,
     'category', d.category, 'agency_id', d.author_agency_id, 'agency', g.name,
     'worker', {_WORKER}, 'said_at', d.said_at, 'for_family', d.for_family,
     'taken_back_at', d.taken_back_at, 'moved_away', d.moved_away_at IS NOT NULL,
     'moved_here', d.moved_from IS NOT NULL, 'text', encode(d.text, 'hex'))
     ORDER BY d.said_at NULLS FIRST, d.id)
   FROM discussion d JOIN agency g ON g.id = d.author_agency_id
   LEFT JOIN worker w ON w.id = d.worker_id LEFT JOIN agency wg ON wg.id = w.agency_id
   WHERE d.child_id = i.child_id AND d.meeting_id = i.meeting_id),
 'actions', (SELECT json_agg(json_build_object('id', x.id, 'plan_agency_id', p.author_agency_id,
     'of_this_meeting', x.meeting_id IS NOT DISTINCT FROM i.meeting_id,
     'owner', {_WORKER}, 'owner_words', encode(x.owner_words, 'hex'), 'due_on', x.due_on,
     'state', x.state, 'moved_away', x.moved_away_at IS NOT NULL,
     'moved_here', x.moved_from IS NOT NULL, 'text', encode(x.text, 'hex'))
     ORDER BY x.due_on NULLS LAST, x.id)
   FROM action x LEFT JOIN plan p ON p.id = x.plan_id
   LEFT JOIN worker w ON w.id = x.owner_worker_id LEFT JOIN agency wg ON wg.id = w.agency_id
   WHERE x.child_id = i.child_id
     AND (x.meeting_id = i.meeting_id
       OR x.state IN ('to_do', 'doing') AND (p.id IS NULL OR p.state IN ('draft', 'agreed')))),
 'interests', (SELECT json_agg(json_build_object('worker', {_WORKER}) ORDER BY n.declared_at)
   FROM declared_interest n JOIN worker w ON w.id = n.worker_id
   JOIN agency wg ON wg.id = w.agency_id
   WHERE n.child_id = i.child_id AND n.meeting_id = i.meeting_id AND n.taken_back_at IS NULL)
)::text
FROM agenda_item i
LEFT JOIN LATERAL (SELECT last_discussed_on, next_review_by, transition
   FROM referral WHERE child_id = i.child_id AND panel_id = :panel
   ORDER BY state = 'closed', referred_on DESC, id DESC LIMIT 1) f ON true
WHERE i.meeting_id = :meeting AND i.child_id = :child AND i.state <> 'removed'
"""  # noqa: S608 - fixed parts
_READ_SCREEN = ReadModel(_SCREEN, ScreenFact)


@dataclass(frozen=True, slots=True)
class ChildScreen:
    """One child on one screen, as everybody at the table may see them."""

    meeting: MeetingView
    listed: ListedChild
    view: SharedView
    fact: ScreenFact
    case: CaseFacts
    review: ReviewPlace
    """Where the next review is placed, as things stand."""
    agencies: tuple[Agency, ...]
    suggestions: tuple[Suggested, ...]
    last_talked: datetime | None
    """When the panel last talked about the child; None before the first time."""
    changes: Sequence[ChangeLine]
    """What changed since, as far as everybody at the table may see it."""

    @property
    def may_look(self) -> bool:
        """Whether the viewer stays for this item, having declared no interest in it."""
        viewer = self.view.access.viewer.id
        return all(one.worker.id != viewer for one in self.fact.interests or ())


async def child_screen(
    gate: Gate, session: AsyncSession, meeting: MeetingView, child_id: UUID, viewer: Viewer
) -> ChildScreen:
    """One child of a meeting, opened through the gate. Raises NotFound, whoever is not on it."""
    listed = meeting.child(child_id)
    view = await shared_view_of(gate, session, meeting, child_id, viewer, "held the meeting")
    fact = await screen_fact(session, meeting.panel, meeting.meeting, child_id)
    access = view.access
    (case,) = await case_facts(session, meeting.meeting.id, [child_id], access.today)
    await load_agency_keys(session, agencies_named([case]) | workers_agencies(fact))
    panel, day = meeting.panel, meeting.meeting.held_on
    last_talked = (await last_talked_about(session, panel.id, [child_id], day)).get(child_id)
    return ChildScreen(
        meeting,
        listed,
        view,
        fact,
        case,
        await review_of(session, panel, meeting.meeting, fact.review_by),
        tuple(await agencies(session)),
        tuple(await suggestions(meeting.table, view)),
        last_talked,
        visible_to_all(await changes_since(access, last_talked), [view.may]),
    )


async def shared_view_of(
    gate: Gate,
    session: AsyncSession,
    meeting: MeetingView,
    child_id: UUID,
    viewer: Viewer,
    doing: str,
) -> SharedView:
    """The record of one child of the meeting, opened whole. Raises NotFound."""
    meeting.child(child_id)
    on = day_words(meeting.meeting.held_on)
    opened = await gate.open_here(session, [child_id], viewer, Purpose.PANEL, f"{doing} of {on}")
    views = await _views(session, opened, meeting.table, viewer)
    if child_id not in views:
        raise NotFound(NOT_HERE)
    return views[child_id]


async def screen_fact(
    session: AsyncSession, panel: Panel, meeting: Meeting, child_id: UUID
) -> ScreenFact:
    """What was said and asked for about one child at a meeting, still sealed. Raises NotFound."""
    fact = await _READ_SCREEN.line(session, panel=panel.id, meeting=meeting.id, child=child_id)
    if fact is None:
        raise NotFound(NOT_HERE)
    return fact


def workers_agencies(fact: ScreenFact) -> set[UUID]:
    """Whose workers are named: their names are sealed with their agencies' keys."""
    named = [one.worker for one in fact.said or ()]
    named += [one.owner for one in fact.actions or ()]
    named += [one.worker for one in fact.interests or ()]
    return {one.agency_id for one in named if one is not None}


async def review_of(
    session: AsyncSession, panel: Panel, meeting: Meeting, review_by: date | None
) -> ReviewPlace:
    """Where the next review of a child discussed at this meeting is placed."""
    dates = (await panel_rhythm(session, panel)).all_dates
    if review_by is not None:
        return review_place(meeting.held_on, review_by, dates)
    return next_review_meeting(meeting.held_on, dates, settings_of(panel).review_months)


def worker_name(access: Access, worker: NamedWorker) -> str:
    """A worker's name; the agency's key is at hand."""
    if worker.name is None:
        return ""
    return access.keys.open(worker.agency_id, "worker.name", worker.id, bytes.fromhex(worker.name))
