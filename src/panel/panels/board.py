"""An agenda as its page reads it: what was read and made before is taken again while it is so.

The agenda is put together from the facts at each look (adr/0007). What was read stays so while
nobody wrote anything (`platform.changes`); the same facts put together again would be the same
agenda, and the same decisions the same page, so those are kept beside the facts that they were
made from (adr/0009). Each look is decided by the gate and logged, whatever was made before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import msgspec
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose, Viewer
from panel.panels.agenda import Prepared, Setting, put_together, read_cases, setting_of, sharing_of
from panel.panels.calendar import RHYTHM, RhythmFact, rhythm_from
from panel.panels.models import Meeting, Panel
from panel.panels.reading import (
    ABOUT,
    SEATS,
    AgencyFact,
    AgencySeats,
    PreparedView,
    agenda_doing,
    children_shown,
    seats_from,
)
from panel.platform.changes import KEPT_FOR, Readings
from panel.platform.clock import day_of
from panel.platform.read_models import for_driver, rows_of
from panel.platform.remembered import Remembered
from panel.platform.tables import NOW
from panel.platform.tenancy import TENANT
from panel.records.gate import Found, Gate

MOST_AGENDAS = 32
"""Kept at once in a process: an authority has a few panels, and people look at the next meeting."""
MOST_PARTS = 8
"""Pages kept of one agenda: those who run a panel mostly see the same."""


class _PanelFact(msgspec.Struct):
    id: UUID
    key: str
    name: str
    kind: str
    first_on: date
    every_days: int
    starts_at: time
    place: str
    settings: dict[str, Any]


class _MeetingFact(msgspec.Struct):
    id: UUID
    panel_id: UUID
    slot_on: date
    held_on: date
    state: str
    frozen_at: datetime | None
    change_reason: str
    began_at: datetime | None
    ended_at: datetime | None
    version: int


class _BoardFact(msgspec.Struct):
    panel: _PanelFact
    meeting: _MeetingFact
    rhythm: RhythmFact
    seats: tuple[AgencyFact, ...]


_BOARD = for_driver(f"""
SELECT json_build_object(
  'panel', json_build_object('id', p.id, 'key', p.key, 'name', p.name, 'kind', p.kind,
     'first_on', p.first_on, 'every_days', p.every_days, 'starts_at', p.starts_at,
     'place', p.place, 'settings', p.settings),
  'meeting', json_build_object('id', t.id, 'panel_id', t.panel_id, 'slot_on', t.slot_on,
     'held_on', t.held_on, 'state', t.state, 'frozen_at', t.frozen_at,
     'change_reason', t.change_reason, 'began_at', t.began_at, 'ended_at', t.ended_at,
     'version', t.version),
  'rhythm', {RHYTHM}, 'seats', {SEATS})::text
FROM panel p JOIN meeting t ON t.panel_id = p.id AND t.held_on = :day AND t.state <> 'cancelled'
WHERE p.key = :key
""")  # noqa: S608 - fixed parts
_READ = msgspec.json.Decoder(_BoardFact)


@dataclass(frozen=True, slots=True)
class Board:
    """A panel, one of its meetings, its calendar and its table, as they were read."""

    read: str
    """The answer of the database: equal answers are equal boards."""
    setting: Setting
    seats: tuple[AgencyFact, ...]

    @property
    def panel(self) -> Panel:
        """The panel; in no session, so it can be read and not changed."""
        return self.setting.panel


_BOARDS: Remembered[Board] = Remembered(MOST_AGENDAS)


@dataclass(slots=True)
class Reading:
    """What the page of an agenda reads, for one viewer; `snapshot` is from before it was read."""

    snapshot: str | None
    board: Board
    found: list[Found] | None = None
    """The cases, once they were read."""


_READINGS: Readings[Reading] = Readings(MOST_AGENDAS)


async def read_board(session: AsyncSession, key: str, day: date) -> Reading | None:
    """The board of a meeting; None where there is no such panel, or no meeting is stored yet."""
    snapshot, kept = await _READINGS.get(session, (key, day))
    if kept is not None:
        return kept
    rows = await rows_of(session, _BOARD, {"key": key, "day": day})
    if not rows:
        return None
    read: str = rows[0][0]
    now: datetime = session.info[NOW]
    return Reading(snapshot, _BOARDS.get(read, now) or _BOARDS.keep(read, _board(read), now))


async def _cases(session: AsyncSession, reading: Reading) -> list[Found]:
    if reading.found is None:
        setting = reading.board.setting
        meeting = setting.meeting
        reading.found = await read_cases(
            session, meeting.panel_id, meeting.id, meeting.held_on, setting.horizon
        )
        what = (setting.panel.key, meeting.held_on)
        _READINGS.keep(session, what, reading.snapshot, reading)
    return reading.found


def _board(read: str) -> Board:
    fact = _READ.decode(read)
    panel = Panel(**msgspec.structs.asdict(fact.panel))
    meeting = Meeting(**msgspec.structs.asdict(fact.meeting))
    return Board(read, setting_of(panel, meeting, rhythm_from(panel, fact.rhythm)), fact.seats)


@dataclass(slots=True)
class _KeptAgenda:
    """An agenda that was put together, and the parts of pages that were made of it."""

    prepared: Prepared
    seats: list[AgencySeats]
    shown: list[UUID]
    parts: dict[object, Markup] = field(default_factory=dict)


_AGENDAS: Remembered[_KeptAgenda] = Remembered(MOST_AGENDAS)


@dataclass(frozen=True, slots=True)
class ShownAgenda:
    """An agenda for one viewer: opened through the gate, this time as each time."""

    view: PreparedView
    seats: Sequence[AgencySeats]
    decided: object
    """A mark of what was decided of each child shown."""
    parts: dict[object, Markup]

    def part(self, make: Callable[[], Markup]) -> Markup:
        """The part of a page for these decisions, made where it was not made before."""
        made = self.parts.get(self.decided)
        if made is None:
            if len(self.parts) >= MOST_PARTS:
                self.parts.clear()
            made = self.parts[self.decided] = make()
        return made


async def read_agenda(
    gate: Gate, session: AsyncSession, reading: Reading, viewer: Viewer
) -> ShownAgenda:
    """The agenda of a board for its page; each child named is opened by the gate, and logged."""
    found = await _cases(session, reading)
    kept = await _put_together(session, reading.board, found)
    of_child = {one.child_id: one for one in found}
    opened = gate.open_found(
        session,
        [of_child[child] for child in kept.shown],
        viewer,
        Purpose.PANEL,
        agenda_doing(reading.board.setting.meeting.held_on),
        ABOUT,
    )
    decided = tuple([opened[child].decided for child in kept.shown])
    return ShownAgenda(PreparedView(kept.prepared, opened), kept.seats, decided, kept.parts)


async def _put_together(session: AsyncSession, board: Board, found: Sequence[Found]) -> _KeptAgenda:
    now: datetime = session.info[NOW]
    facts = (
        session.info[TENANT],
        board.read,
        day_of(now),
        # With the key that opens its texts: once it is destroyed, nothing opened before is shown.
        tuple([(one.line, one.known.key) for one in found]),
        sharing_of(found, board.setting, now),
    )
    kept = _AGENDAS.get(facts, now)
    if kept is None:
        prepared = await put_together(session, board.setting, found)
        seats = await seats_from(session, board.seats)
        made = _KeptAgenda(prepared, seats, children_shown(prepared))
        kept = _AGENDAS.keep(facts, made, now, now + KEPT_FOR)
    return kept
