"""Lists across children: who lacks a next step, and which changes come. Names go through the gate.

Each list starts from child_access, so that nobody is on it or counted whom the viewer may not know
of; it reads dates, states and ids, and opens the records of its page alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Role, Viewer
from panel.accounts.service import worker_names
from panel.casework.gap_queries import ORDER, TELLS_OF_A_MOVE, GapKind
from panel.casework.transition_rules import CATEGORY_OF, TransitionKind, category_of
from panel.casework.transitions import A_WORKER
from panel.platform.read_models import UnevenReadModel, sql
from panel.platform.tables import NOW, today_of
from panel.records.gate import Access, Gate, Purposes
from panel.register.service import name_of_child
from panel.web.paging import Asked, Direction, Page, page_of

A_PAGE = 30
MOST_MOVES = 500
LOOKING = "looked at who lacks a next step"
KEY = (date, UUID)
"""The kinds in a cursor of these lists: a day, the row."""
ABOUT = frozenset({Category.IDENTITY, *CATEGORY_OF.values()})
"""What the lists show of a record, and what changes tell of it."""
ABOUT_COMING = ABOUT | {Category.NETWORK}
"""And who prepares a change."""
WHOLE = frozenset({Role.COORDINATOR, Role.CHAIR})
"""Who sees what is missing for every child they reach; a manager, for their agency's."""


class _Line(msgspec.Struct):
    id: UUID
    kind: str
    on: date
    child_id: UUID
    reference: str
    given_name: str | None
    family_name: str | None
    agency: str | None
    state: str | None = None
    owner_id: UUID | None = None
    owner_agency_id: UUID | None = None
    author_id: UUID | None = None


class _Count(msgspec.Struct):
    kind: str
    number: int


_REACHED = """
FROM child_access a JOIN gap g ON g.child_id = a.child_id AND g.closed_on IS NULL
WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
  AND (CAST(:agency AS uuid) IS NULL OR g.agency_id = CAST(:agency AS uuid))
"""
_COUNTS: UnevenReadModel[_Count] = UnevenReadModel(
    sql(
        "SELECT json_build_object('kind', g.kind, 'number', count(*))::text {reached}"
        " GROUP BY g.kind",
        reached=_REACHED,
    ),
    _Count,
)
_MOVES = text(
    sql(
        "SELECT g.kind, g.child_id {reached} AND g.kind = ANY(:kinds) LIMIT :most",
        reached=_REACHED,
    )
)
_GAPS = """
SELECT json_build_object('id', x.id, 'kind', x.kind, 'on', x.since_on, 'child_id', c.id,
  'reference', c.reference, 'given_name', encode(c.given_name, 'hex'),
  'family_name', encode(c.family_name, 'hex'), 'agency', y.name)::text
FROM (SELECT g.id, g.kind, g.since_on, g.child_id, g.agency_id {reached}
    AND (:kind = '' OR g.kind = :kind)
    AND (CAST(:key_on AS date) IS NULL OR (g.since_on, g.id) {beyond}
      (CAST(:key_on AS date), CAST(:key_id AS uuid)))
  ORDER BY g.since_on {order}, g.id {order} LIMIT :most) x
JOIN child c ON c.id = x.child_id LEFT JOIN agency y ON y.id = x.agency_id
ORDER BY x.since_on {order}, x.id {order}
"""
_COMING = """
SELECT json_build_object('id', x.id, 'kind', x.kind, 'on', x.due_on, 'child_id', c.id,
  'reference', c.reference, 'given_name', encode(c.given_name, 'hex'),
  'family_name', encode(c.family_name, 'hex'), 'agency', y.name, 'state', x.state,
  'owner_id', w.id, 'owner_agency_id', w.agency_id, 'author_id', x.author_agency_id)::text
FROM (SELECT t.* FROM child_access a JOIN transition t ON t.child_id = a.child_id
  WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
    AND t.state IN ('watched', 'planned', 'handed') AND t.watch_from <= :today
    AND (:show <> 'mine' OR t.owner_worker_id = :viewer)
    AND (:show <> 'unplanned' OR t.state = 'watched')
    AND (CAST(:key_on AS date) IS NULL OR (t.due_on, t.id) {beyond}
      (CAST(:key_on AS date), CAST(:key_id AS uuid)))
  ORDER BY t.due_on {order}, t.id {order} LIMIT :most) x
JOIN child c ON c.id = x.child_id LEFT JOIN agency y ON y.id = x.receiving_agency_id
LEFT JOIN worker w ON w.id = x.owner_worker_id
ORDER BY x.due_on {order}, x.id {order}
"""


def _both_ways(template: str) -> Mapping[Direction, UnevenReadModel[_Line]]:
    return {
        "after": UnevenReadModel(sql(template, beyond=">", order="ASC", reached=_REACHED), _Line),
        "before": UnevenReadModel(sql(template, beyond="<", order="DESC", reached=_REACHED), _Line),
    }


_READ_GAPS = _both_ways(_GAPS)
_READ_COMING = _both_ways(_COMING)


@dataclass(frozen=True, slots=True)
class ListedGap:
    """One next step that is missing for one child."""

    kind: GapKind
    since_on: date
    child_id: UUID
    name: str
    """The reference where the name is withheld."""
    reference: str
    agency: str
    """Whose manager knows; empty where no agency is named."""


@dataclass(frozen=True, slots=True)
class WatchList:
    """A page of what is missing, and how many of each kind there are (kinds with none left out)."""

    page: Page[ListedGap]
    counts: Sequence[tuple[GapKind, int]]


def sees_all(viewer: Viewer) -> bool:
    """Whether the list is of every child that the viewer reaches, not of one agency's alone."""
    return bool(viewer.roles & WHOLE)


async def watch_list(
    gate: Gate, session: AsyncSession, viewer: Viewer, purposes: Purposes, kind: str, asked: Asked
) -> WatchList:
    """Who lacks which next step, longest first; each record of the page is opened and logged."""
    given = {
        "viewer": viewer.id,
        "now": session.info[NOW],
        "agency": None if sees_all(viewer) else viewer.agency,
    }
    counted = {one.kind: one.number for one in await _COUNTS.lines(session, **given)}
    if counted.keys() & TELLS_OF_A_MOVE:
        counted = {one: number for one, number in counted.items() if one not in TELLS_OF_A_MOVE}
        counted |= await _moves(gate, session, viewer, purposes, given)
    page, opened = await _page(
        gate, session, viewer, purposes, LOOKING, ABOUT,
        asked, _READ_GAPS, given | {"kind": kind},
    )  # fmt: skip
    listed = [
        ListedGap(
            GapKind(one.kind),
            one.on,
            one.child_id,
            _name(access, one),
            one.reference,
            one.agency or "",
        )
        for one in page.rows
        if (access := opened.get(one.child_id)) is not None
        and (GapKind(one.kind) not in TELLS_OF_A_MOVE or access.may(Category.CONTACT))
    ]
    counts = [(each, counted[each.value]) for each in ORDER if each.value in counted]
    return WatchList(Page(listed, page.previous, page.next, page.note), counts)


async def _moves(
    gate: Gate,
    session: AsyncSession,
    viewer: Viewer,
    purposes: Purposes,
    given: Mapping[str, object],
) -> Counter[str]:
    """How many moves lack something, of children of whom the viewer may know where they live.

    A number alone would tell of a move that is kept from them: the few that move are opened.
    """
    kinds = [one.value for one in TELLS_OF_A_MOVE]
    rows = list(await session.execute(_MOVES, {**given, "kinds": kinds, "most": MOST_MOVES}))
    children = dict.fromkeys(row.child_id for row in rows)
    opened = await gate.open_here(session, children, viewer, purposes, LOOKING, ABOUT)
    known = {child for child, access in opened.items() if access.may(Category.CONTACT)}
    return Counter(row.kind for row in rows if row.child_id in known)


@dataclass(frozen=True, slots=True)
class ListedTransition:
    """A change that comes for one child."""

    id: UUID
    kind: TransitionKind
    due_on: date
    child_id: UUID
    name: str
    state: str
    owner: str
    """Who prepares it, "A worker" where the name is withheld; empty where nobody does."""
    receiving: str


async def coming_transitions(
    gate: Gate, session: AsyncSession, viewer: Viewer, purposes: Purposes, show: str, asked: Asked
) -> Page[ListedTransition]:
    """The changes to prepare, soonest first. `show`: "" for all, mine, unplanned.

    What the viewer may not know of the child is left out, as on the child's own page.
    """
    given = {
        "viewer": viewer.id,
        "now": session.info[NOW],
        "today": today_of(session),
        "show": show,
    }
    page, opened = await _page(
        gate, session, viewer, purposes, "looked at which changes come", ABOUT_COMING,
        asked, _READ_COMING, given,
    )  # fmt: skip
    owners = [one.owner_id for one in page.rows if one.owner_id is not None]
    names = await worker_names(session, owners) if owners else {}
    listed = [
        ListedTransition(
            one.id,
            TransitionKind(one.kind),
            one.on,
            one.child_id,
            _name(access, one),
            one.state or "",
            _owner(access, one, names),
            one.agency or "",
        )
        for one in page.rows
        if (access := opened.get(one.child_id)) is not None
        and access.may(category_of(TransitionKind(one.kind)), one.author_id)
    ]
    return Page(listed, page.previous, page.next, page.note)


def _owner(access: Access, one: _Line, names: Mapping[UUID, str]) -> str:
    if one.owner_id is None:
        return ""
    if access.may(Category.NETWORK, one.owner_agency_id):
        return names.get(one.owner_id, A_WORKER)
    return A_WORKER


async def _page(
    gate: Gate,
    session: AsyncSession,
    viewer: Viewer,
    purposes: Purposes,
    doing: str,
    about: frozenset[Category],
    asked: Asked,
    read: Mapping[Direction, UnevenReadModel[_Line]],
    given: Mapping[str, object],
) -> tuple[Page[_Line], dict[UUID, Access]]:
    key_on, key_id = asked.key or (None, None)
    lines = await read[asked.direction].lines(
        session, **given, key_on=key_on, key_id=key_id, most=A_PAGE + 1
    )
    page = page_of(lines, asked, A_PAGE, lambda one: (one.on, one.id))
    children = dict.fromkeys(one.child_id for one in page.rows)
    opened = await gate.open_here(session, children, viewer, purposes, doing, about)
    return page, opened


def _name(access: Access, one: _Line) -> str:
    return name_of_child(access, one.given_name, one.family_name) or one.reference
