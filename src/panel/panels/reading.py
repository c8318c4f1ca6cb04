"""What the pages of panels read beside the agenda: who sits there, what waits, who a child is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Viewer
from panel.panels.agenda import CaseFact, Prepared, prepare
from panel.panels.calendar import MeetingDay, meeting_on, next_meeting_day
from panel.panels.models import Panel
from panel.panels.rules import Attendee, Quorum, quorum
from panel.platform.crypto import Keys
from panel.platform.read_models import ReadModel
from panel.platform.tables import KEYS, NOW, VIEWER, today_of
from panel.platform.tenancy import load_agency_keys
from panel.records.gate import Access, Gate
from panel.register.service import name_of_child
from panel.web.paging import Asked, Page, page_of
from panel.web.words import day as day_words

ABOUT = frozenset({Category.IDENTITY, Category.PANEL})
"""What an agenda shows of each record; nothing else is decided or logged."""
MOST_NOT_READY = 50
"""How many who are not ready a page names; the count says how many there are."""


@dataclass(frozen=True, slots=True)
class PreparedView:
    """A prepared agenda with the records that its page may name children from."""

    prepared: Prepared
    opened: dict[UUID, Access]


async def prepared_view(
    gate: Gate, session: AsyncSession, panel: Panel, day: date, viewer: Viewer
) -> PreparedView:
    """The agenda of a day for its page; each child named is opened through the gate, and logged.

    Raises NotFound where the panel does not meet that day.
    """
    meeting = await meeting_on(session, panel, day)
    prepared = await prepare(session, panel, meeting, viewer.id)
    opened = await gate.open_here(
        session, children_shown(prepared), viewer, Purpose.PANEL, agenda_doing(day), ABOUT
    )
    return PreparedView(prepared, opened)


def children_shown(prepared: Prepared) -> list[UUID]:
    """The children whom the page of an agenda names, each once."""
    agenda = prepared.agenda
    shown = [item.candidate.child_id for item in agenda.items]
    shown += [one.candidate.child_id for one in agenda.not_ready[:MOST_NOT_READY]]
    shown += [one.candidate.child_id for one in agenda.rolled_over]
    shown += [one.child_id for one in agenda.came_late]
    return list(dict.fromkeys(shown))


def agenda_doing(day: date) -> str:
    """What somebody does who reads an agenda, in the words of the access history."""
    return f"read the agenda of {day_words(day)}"


async def frozen_view(
    gate: Gate, session: AsyncSession, panel: Panel, day: date, viewer: Viewer
) -> PreparedView:
    """The frozen agenda of a day for a member of the panel: its items and nothing else."""
    meeting = await meeting_on(session, panel, day)
    prepared = await prepare(session, panel, meeting, viewer.id)
    shown = [item.candidate.child_id for item in prepared.agenda.items] if prepared.frozen else []
    opened = await gate.open_here(session, shown, viewer, Purpose.PANEL, agenda_doing(day), ABOUT)
    return PreparedView(prepared, opened)


def child_name(access: Access | None, fact: "CaseFact | WaitingFact") -> str:
    """A child's name where the viewer may know it, else the reference."""
    if access is None:
        return fact.reference
    return name_of_child(access, fact.given_name, fact.family_name) or fact.reference


# Who sits on a panel ----------------------------------------------------------------------------


class _MemberFact(msgspec.Struct):
    id: UUID
    name: str | None
    roles: tuple[str, ...]
    opened_at: datetime | None


class AgencyFact(msgspec.Struct):
    """An agency at the table; its workers' names are sealed with its key (hex)."""

    id: UUID
    key: str
    name: str
    kind: str
    member: bool
    workers: tuple[_MemberFact, ...] | None


SEATS = """(
SELECT COALESCE(json_agg(json_build_object('id', g.id, 'key', g.key, 'name', g.name,
  'kind', g.kind, 'member', m.id IS NOT NULL, 'workers', s.workers) ORDER BY g.name, g.id),
  '[]')
FROM agency g
LEFT JOIN panel_agency m ON m.agency_id = g.id AND m.panel_id = t.panel_id
  AND (m.from_on IS NULL OR m.from_on <= t.held_on)
  AND (m.until_on IS NULL OR m.until_on >= t.held_on)
LEFT JOIN (SELECT w.agency_id, json_agg(json_build_object('id', w.id,
     'name', encode(w.name, 'hex'), 'roles', r.roles, 'opened_at', o.first_at)
     ORDER BY w.id) AS workers
   FROM (SELECT worker_id, array_agg(role ORDER BY role) AS roles FROM worker_role
     WHERE panel_id = t.panel_id AND role IN ('panel_member', 'coordinator', 'chair')
       AND (from_on IS NULL OR from_on <= t.held_on)
       AND (until_on IS NULL OR until_on >= t.held_on)
     GROUP BY worker_id) r
   JOIN worker w ON w.id = r.worker_id
   LEFT JOIN pack_opened o ON o.meeting_id = t.id AND o.worker_id = w.id
     AND o.agency_id = w.agency_id
   GROUP BY w.agency_id) s ON s.agency_id = g.id
WHERE m.id IS NOT NULL OR s.workers IS NOT NULL)"""
"""The agencies at the table of a meeting `t`, their people, and who has opened a pack."""
_READ_SEATS = ReadModel(
    f"SELECT {SEATS}::text FROM meeting t WHERE t.id = :meeting",  # noqa: S608 - fixed parts
    tuple[AgencyFact, ...],
)


@dataclass(frozen=True, slots=True)
class Seat:
    """A worker who sits on the panel, and since when they have opened their pack."""

    worker_id: UUID
    name: str
    roles: tuple[str, ...]
    opened_at: datetime | None


@dataclass(frozen=True, slots=True)
class AgencySeats:
    """An agency at the panel's table, with its people."""

    id: UUID
    key: str
    name: str
    kind: str
    member: bool
    """Whether it is a member agency, with a pack of its own."""
    seats: tuple[Seat, ...]


async def seats_of(session: AsyncSession, meeting_id: UUID) -> list[AgencySeats]:
    """The agencies at a meeting's table, their people, and who has opened a pack."""
    return await seats_from(session, await _READ_SEATS.line(session, meeting=meeting_id) or ())


async def seats_from(session: AsyncSession, agencies: Sequence[AgencyFact]) -> list[AgencySeats]:
    """The same from what was read of it."""
    await load_agency_keys(session, {one.id for one in agencies})
    keys = cast("Keys", session.info[KEYS])
    return [
        AgencySeats(
            one.id,
            one.key,
            one.name,
            one.kind,
            one.member,
            tuple(
                Seat(
                    seat.id,
                    keys.open(one.id, "worker.name", seat.id, bytes.fromhex(seat.name or "")),
                    seat.roles,
                    seat.opened_at,
                )
                for seat in one.workers or ()
            ),
        )
        for one in agencies
    ]


def expected_quorum(prepared: Prepared, seats: Sequence[AgencySeats]) -> tuple[int, Quorum]:
    """How many are expected, and whether they would be enough of the right people."""
    attending = [
        Attendee(agency.kind, frozenset(seat.roles)) for agency in seats for seat in agency.seats
    ]
    settings = prepared.settings
    return len(attending), quorum(
        attending, settings.quorum_minimum, settings.quorum_kinds, settings.quorum_roles
    )


# What waits at a panel --------------------------------------------------------------------------

Waiting = Literal["received", "overdue", "offers", "requests", "all", "resting"]
WAITING: tuple[Waiting, ...] = ("received", "overdue", "offers", "requests", "all", "resting")
_CONDITIONS: dict[Waiting, str] = {
    "received": "f.state = 'received'",
    "overdue": "f.state <> 'closed' AND f.next_review_by < :today AND f.rests_from IS NULL",
    "offers": "f.state <> 'closed' AND EXISTS (SELECT 1 FROM lead_professional l"
    " WHERE l.child_id = f.child_id AND l.state = 'offered')",
    "requests": "f.state <> 'closed' AND EXISTS (SELECT 1 FROM access_request q"
    " WHERE q.child_id = f.child_id AND q.state = 'asked')",
    "all": "f.state <> 'closed'",
    "resting": "f.state <> 'closed' AND f.rests_from IS NOT NULL",
}


@dataclass(frozen=True, slots=True)
class WaitingCounts:
    """What waits for a coordinator at one panel, in numbers."""

    received: int
    overdue: int
    offers: int
    requests: int
    all: int
    resting: int


async def waiting_counts(session: AsyncSession, panel_id: UUID) -> WaitingCounts:
    """Count what waits at a panel, from process facts alone."""
    counted = ", ".join(
        f"count(*) FILTER (WHERE {condition}) AS {name}" for name, condition in _CONDITIONS.items()
    )
    found = await session.execute(
        text(f"SELECT {counted}{_FROM}"),
        {
            "viewer": session.info[VIEWER],
            "now": session.info[NOW],
            "panel": panel_id,
            "today": today_of(session),
        },
    )
    row = found.one()
    return WaitingCounts(row.received, row.overdue, row.offers, row.requests, row.all, row.resting)


_FROM = """
FROM child_access a JOIN referral f ON f.child_id = a.child_id
JOIN child c ON c.id = f.child_id JOIN agency g ON g.id = f.agency_id
WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
  AND f.panel_id = :panel"""


class WaitingFact(msgspec.Struct):
    """One child before a panel, as a list shows it; names stay sealed (hex)."""

    child_id: UUID
    reference: str
    given_name: str | None
    family_name: str | None
    birth_date: date | None
    referred_on: date
    referred_by: str
    last_discussed_on: date | None
    next_review_by: date | None
    state: str
    rests_from: date | None
    acknowledge_by: date | None
    """By when whoever referred the child is to hear; None where they did."""


_COLUMNS = """SELECT json_build_object('child_id', f.child_id, 'reference', c.reference,
  'given_name', encode(c.given_name, 'hex'), 'family_name', encode(c.family_name, 'hex'),
  'birth_date', c.birth_date, 'referred_on', f.referred_on, 'referred_by', g.name,
  'last_discussed_on', f.last_discussed_on, 'next_review_by', f.next_review_by,
  'state', f.state, 'rests_from', f.rests_from, 'acknowledge_by',
  (SELECT r.acknowledge_by FROM referral_answer r
    WHERE r.referral_id = f.id AND r.acknowledged_on IS NULL))::text"""
_READ_WAITING = msgspec.json.Decoder(WaitingFact)
WAITING_KEY = (date, UUID)
ROWS = 50


async def waiting_list(
    gate: Gate,
    session: AsyncSession,
    panel: Panel,
    viewer: Viewer,
    which: Waiting,
    asked: Asked,
) -> tuple[Page[WaitingFact], dict[UUID, Access]]:
    """A page of the children before a panel, longest referred first, opened through the gate."""
    back = asked.direction == "before"
    after = "" if asked.key is None else f" AND (f.referred_on, f.child_id) {'<' if back else '>'}"
    values: dict[str, object] = {
        "viewer": viewer.id,
        "now": session.info[NOW],
        "panel": panel.id,
        "today": today_of(session),
        "rows": ROWS + 1,
    }
    if asked.key is not None:
        after += " (:on, :child)"
        values |= {"on": asked.key[0], "child": asked.key[1]}
    order = "DESC" if back else "ASC"
    rows = await session.execute(
        text(
            f"{_COLUMNS}{_FROM} AND {_CONDITIONS[which]}{after}"
            f" ORDER BY f.referred_on {order}, f.child_id {order} LIMIT :rows"
        ),
        values,
    )
    found = [_READ_WAITING.decode(line) for (line,) in rows]
    page = page_of(found, asked, ROWS, lambda one: (one.referred_on, one.child_id))
    opened = await gate.open_here(
        session,
        [one.child_id for one in page.rows],
        viewer,
        Purpose.PANEL,
        f"looked at the list of the {panel.name}",
    )
    return page, opened


# Home -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NextPanel:
    """A panel that somebody coordinates, its next meeting and what waits there."""

    panel: Panel
    next_day: MeetingDay | None
    prepared: Prepared | None
    counts: WaitingCounts


async def panels_in(session: AsyncSession, panel_ids: Sequence[UUID]) -> list[Panel]:
    """Panels by name."""
    return list(
        await session.scalars(
            select(Panel).where(Panel.id.in_(panel_ids)).order_by(Panel.name, Panel.id)
        )
    )


async def all_panels(session: AsyncSession) -> list[Panel]:
    """Every panel of the authority, by name: there are a few."""
    return list(await session.scalars(select(Panel).order_by(Panel.name, Panel.id)))


async def next_panels(
    session: AsyncSession, panel_ids: Sequence[UUID], viewer: Viewer
) -> list[NextPanel]:
    """For each panel that the viewer coordinates: the next meeting and what waits.

    The one that meets first comes first.
    """
    found = []
    for panel in await panels_in(session, panel_ids):
        day = await next_meeting_day(session, panel, today_of(session))
        prepared = None
        if day is not None:
            meeting = await meeting_on(session, panel, day.held_on)
            prepared = await prepare(session, panel, meeting, viewer.id)
        found.append(NextPanel(panel, day, prepared, await waiting_counts(session, panel.id)))
    return sorted(found, key=lambda one: date.max if one.next_day is None else one.next_day.held_on)
