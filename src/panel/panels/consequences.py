"""What would change for panels if a child's sharing facts did: coming agendas and open packs.

Packs are decided as the agency at each look, and readiness is put together from the facts, so both
are asked of the very rules that make them. Nothing of a record is read. Source: PAGES.md,
"rehearsed first"; DOMAIN.md, CONTACTS (a child of whom nothing may be shared is not ready).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, State, ViewerKind, decide_from
from consent.words import SECTION_WORDS
from panel.accounts.service import agencies
from panel.panels.agenda import Prepared, prepare
from panel.panels.calendar import MeetingDay, panel_rhythm
from panel.panels.models import Meeting, Panel
from panel.panels.rules import Part
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.dates import months_after
from panel.records.gate import Access
from panel.records.rehearsal import Consequence, Turn, is_for_family
from panel.sharing.shareable import PanelAgency, may_share_anything, pack_standpoint
from panel.web.words import in_a_row, short_day

AHEAD_MONTHS = 12
"""How far ahead a review is looked for."""

# The panels that a child is before; where its pack is open now; where a review is placed. `sits`
# says whether the agenda of the panel opens to whoever asks.
_BEFORE = text("""
SELECT p.id AS panel_id, p.key, p.name,
  EXISTS (SELECT 1 FROM worker_role r WHERE r.panel_id = p.id AND r.worker_id = :viewer
    AND r.role IN ('coordinator', 'chair', 'panel_member')
    AND (r.from_on IS NULL OR r.from_on <= :today)
    AND (r.until_on IS NULL OR r.until_on >= :today)) AS sits,
  (SELECT max(m.held_on) FROM referral f JOIN meeting m ON m.id = f.review_meeting_id
    WHERE f.child_id = :child AND f.panel_id = p.id AND f.state <> 'closed'
      AND m.state = 'planned' AND m.held_on >= :today) AS review_on,
  EXISTS (SELECT 1 FROM referral f WHERE f.child_id = :child AND f.panel_id = p.id
    AND f.state <> 'closed') AS is_before
FROM panel p
WHERE EXISTS (SELECT 1 FROM referral f WHERE f.child_id = :child AND f.panel_id = p.id)
ORDER BY p.name, p.id
""")
_OPEN_PACKS = text("""
SELECT m.held_on, i.pack_until FROM agenda_item i JOIN meeting m ON m.id = i.meeting_id
WHERE i.child_id = :child AND m.panel_id = :panel AND i.state <> 'removed'
  AND i.opens_at <= :now AND i.pack_until >= :today AND m.state <> 'cancelled'
ORDER BY m.held_on, m.id
""")


@dataclass(frozen=True, slots=True)
class PackChange:
    """What the pack of one agency would lose and gain."""

    agency: str
    loses: tuple[Category, ...]
    gains: tuple[Category, ...]


def pack_changes(
    turn: Turn, members: Sequence[PanelAgency], names: Mapping[UUID, str], at: datetime
) -> tuple[PackChange, ...]:
    """How the agencies' packs would differ at a moment, by agency name; the same ones left out."""
    found = []
    for agency in sorted(members, key=lambda one: names.get(one.id, "")):
        was, is_now = (_shown(state, agency, at) for state in (turn.before, turn.after))
        loses = tuple(one for one in was if one not in is_now)
        gains = tuple(one for one in is_now if one not in was)
        if loses or gains:
            found.append(PackChange(names.get(agency.id, "An agency"), loses, gains))
    return tuple(found)


def pack_sentences(changes: Sequence[PackChange], where: str) -> Iterator[str]:
    """Each change as a sentence: "At the meeting of … : the school's pack no longer shows …"."""
    for one in changes:
        pack = f"{where}: the pack of {one.agency}"
        if one.loses:
            yield f"{pack} no longer shows {_words(one.loses, 'or')}, but for what they wrote."
        if one.gains:
            yield f"{pack} also shows {_words(one.gains, 'and')}."


def plain_packs(changes: Sequence[PackChange], on: date) -> list[Consequence]:
    """The same for the family: whose papers change; their page says what is no longer seen."""
    where = f"The papers for the meeting on {short_day(on)} say"
    return [
        Consequence(f"{where} {'less' if one.loses else 'more'} to {one.agency}.")
        for one in changes
    ]


class ComingMeetings:
    """Panels' answer to a rehearsal."""

    def __init__(self, tenant: Tenant) -> None:
        """Args: the authority, of which an agenda is put together as its jobs do."""
        self._tenant = tenant

    async def would_change(self, access: Access, turn: Turn) -> Sequence[Consequence]:
        """The packs that are open, and the child's place on the agendas that are not settled."""
        if not _may_know(access):
            return ()
        names = {one.id: one.name for one in await agencies(access.session)}
        rows = await access.session.execute(
            _BEFORE,
            {"child": access.child_id, "viewer": access.viewer.id, "today": access.today},
        )
        found: list[Consequence] = []
        for row in rows.all():
            before = _BeforePanel(row.panel_id, row.key, row.name, row.sits, row.review_on)
            found += await self._open_packs(access, turn, before, names)
            if row.is_before:
                found += await self._coming(access, turn, before, names)
        return found

    async def _open_packs(
        self, access: Access, turn: Turn, before: "_BeforePanel", names: Mapping[UUID, str]
    ) -> list[Consequence]:
        rows = await access.session.execute(
            _OPEN_PACKS,
            {
                "child": access.child_id,
                "panel": before.panel_id,
                "now": access.at,
                "today": access.today,
            },
        )
        found: list[Consequence] = []
        for held_on, pack_until in rows.all():
            members = await _members(access, before.panel_id, held_on)
            past = f", which can be read until {short_day(pack_until)}"
            where = f"At the meeting of {before.name} on {short_day(held_on)}"
            if held_on < access.today:
                where = f"After the meeting of {before.name} on {short_day(held_on)}{past}"
            changes = pack_changes(turn, members, names, access.at)
            if is_for_family(access):
                found += plain_packs(changes, held_on)
                continue
            found += [
                before.consequence(access, one, held_on) for one in pack_sentences(changes, where)
            ]
            if held_on >= access.today and _nothing_left(turn, members, access.at):
                sentence = (
                    f"{where}: nothing more may be shared. The agenda is settled, so the child"
                    " stays on it, and each pack shows what its own agency wrote."
                )
                found.append(before.consequence(access, sentence, held_on))
        return found

    async def _coming(
        self, access: Access, turn: Turn, before: "_BeforePanel", names: Mapping[UUID, str]
    ) -> list[Consequence]:
        """The next agenda that is not settled, where the child has a place; else its review."""
        async with self._tenant.transaction(JOB) as session:
            panel = await session.get_one(Panel, before.panel_id)
            rhythm = await panel_rhythm(session, panel)
            ahead = rhythm.days(access.today, months_after(access.today, AHEAD_MONTHS))
            day = next((one for one in ahead if one.state == "planned"), None)
            if day is None:
                return []
            prepared = await prepare(session, panel, await _meeting(session, panel, day), JOB)
        place = _place(prepared, access.child_id)
        on = before.review_on if place is _Place.NONE else day.held_on
        if on is None:
            return []
        ready = _waits_for_sharing_alone(prepared, access.child_id)
        coming = _Coming(before, on, place, ready, rhythm.agencies_on(on))
        return list(_at_coming(access, turn, coming, names))


@dataclass(frozen=True, slots=True)
class _BeforePanel:
    """A panel that a child is or was before."""

    panel_id: UUID
    key: str
    name: str
    sits: bool
    review_on: date | None

    def consequence(self, access: Access, sentence: str, on: date) -> Consequence:
        """The sentence with the page on which the viewer finds it."""
        if access.viewer.kind is not ViewerKind.WORKER:
            return Consequence(sentence)
        if self.sits:
            return Consequence(sentence, "Look at the agenda", f"/panels/{self.key}/{on}")
        return Consequence(
            sentence, "Look at the child’s panels", f"/children/{access.child_id}/panels"
        )


class _Place(Enum):
    """Where a child stands before a meeting that is not settled."""

    NONE = 0
    ON_IT = 1
    URGENT = 2
    NOT_READY = 3


_PLAIN_LEFT = {
    False: "The panel will not talk about it on {}. It may see nothing then.",
    True: "The panel still talks about it on {}. But it may see nothing more then.",
}
_NOT_READY_THEN = (
    "the child goes to the list of those who are not ready, because nothing may be shared with the"
    " panel any more."
)
_LEFT_WITH_NOTHING = {
    _Place.NONE: _NOT_READY_THEN,
    _Place.ON_IT: _NOT_READY_THEN,
    _Place.URGENT: "nothing more may be shared. The chair takes the child as urgent, so it stays"
    " on the agenda, and each pack shows what its own agency wrote.",
}


def _place(prepared: Prepared, child: UUID) -> _Place:
    agenda = prepared.agenda
    listed = [one.candidate for one in agenda.items] + [one.candidate for one in agenda.rolled_over]
    for candidate in listed:
        if candidate.child_id == child:
            return _Place.URGENT if candidate.urgent else _Place.ON_IT
    is_not_ready = any(one.candidate.child_id == child for one in agenda.not_ready)
    return _Place.NOT_READY if is_not_ready else _Place.NONE


@dataclass(frozen=True, slots=True)
class _Coming:
    """A meeting whose agenda is not settled, and the child's place before it."""

    before: _BeforePanel
    on: date
    place: _Place
    waits_for_sharing_alone: bool
    members: Sequence[PanelAgency]


def _at_coming(
    access: Access, turn: Turn, coming: _Coming, names: Mapping[UUID, str]
) -> Iterator[Consequence]:
    on, place, tell = coming.on, coming.place, coming.before.consequence
    where = f"At the meeting of {coming.before.name} on {short_day(on)}"
    if _nothing_left(turn, coming.members, access.at):
        if place is not _Place.NOT_READY:
            plain = _PLAIN_LEFT[place is _Place.URGENT].format(short_day(on))
            said = f"{where}: {_LEFT_WITH_NOTHING[place]}"
            yield tell(access, plain if is_for_family(access) else said, on)
        return
    if coming.waits_for_sharing_alone and _something_again(turn, coming.members, access.at):
        plain = f"The panel can talk about it on {short_day(on)}."
        said = f"{where}: the child is ready, because something may be shared again."
        yield tell(access, plain if is_for_family(access) else said, on)
    # What is agreed until before the meeting is not in its packs, whatever is decided now.
    at = max(datetime.combine(on, time(12), UTC), access.at)
    changes = pack_changes(turn, coming.members, names, at)
    if is_for_family(access):
        yield from plain_packs(changes, on)
    else:
        yield from (tell(access, one, on) for one in pack_sentences(changes, where))


def _waits_for_sharing_alone(prepared: Prepared, child: UUID) -> bool:
    return any(
        one.candidate.child_id == child and {debt.what for debt in one.missing} == {Part.SHARING}
        for one in prepared.agenda.not_ready
    )


def _nothing_left(turn: Turn, members: Sequence[PanelAgency], at: datetime) -> bool:
    return may_share_anything(turn.before, members, at) and not may_share_anything(
        turn.after, members, at
    )


def _something_again(turn: Turn, members: Sequence[PanelAgency], at: datetime) -> bool:
    return may_share_anything(turn.after, members, at) and not may_share_anything(
        turn.before, members, at
    )


def _shown(state: State, agency: PanelAgency, at: datetime) -> list[Category]:
    standpoint = pack_standpoint(state, agency, at)
    return [one for one in Category if decide_from(standpoint, one).permitted]


def _words(categories: Sequence[Category], conjunction: str) -> str:
    return in_a_row([SECTION_WORDS[one] for one in categories], conjunction)


def _may_know(access: Access) -> bool:
    """A worker who opens a child sees its panels; one of the family, where they may know them."""
    if access.viewer.kind is ViewerKind.WORKER:
        return True
    # Who works with a child can tell where the child lives.
    return access.viewer.kind is ViewerKind.FAMILY and all(
        access.may(one) for one in (Category.PANEL, Category.NETWORK)
    )


async def _members(access: Access, panel_id: UUID, day: date) -> tuple[PanelAgency, ...]:
    panel = await access.session.get_one(Panel, panel_id)
    return (await panel_rhythm(access.session, panel)).agencies_on(day)


async def _meeting(session: AsyncSession, panel: Panel, day: MeetingDay) -> Meeting:
    if day.meeting_id is not None:
        return await session.get_one(Meeting, day.meeting_id)
    # Not stored before somebody looks at its agenda; a rehearsal writes nothing.
    return Meeting(
        id=new_id(), panel_id=panel.id, slot_on=day.slot_on, held_on=day.held_on, state="planned"
    )
