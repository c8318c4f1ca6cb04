"""Guests: a GP or a nursery without an account reads and answers one item, by a link and a code.

The link and the code are made for one item and one agency of the register, shown once to the
coordinator, and kept as hashes. The guest sees what that agency may see. After the answer, the
last moment or the fifth wrong code the link is closed.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, cast
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Viewer, ViewerKind
from panel.accounts.models import Agency
from panel.panels.models import AgendaItem, GuestLink, Meeting, Panel
from panel.panels.pack_document import PackItem
from panel.panels.pack_facts import agencies_named, case_facts
from panel.panels.packs import read_item
from panel.platform.clock import LONDON
from panel.platform.crypto import Keyring, Keys
from panel.platform.ids import new_id
from panel.platform.problems import Gone, Invalid, NotFound
from panel.platform.sessions import token_hash
from panel.platform.tables import KEYS, NOW
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, Gate, rewrite_access
from panel.web.forms import chosen, line, on_day, paragraphs

MOST_WRONG_CODES = 5
LONGEST_DAYS = 28
PASS_LASTS = timedelta(hours=2)
NOT_KNOWN = "This link is not known here, or its time is over."
ASK_FOR_ANOTHER = "Ask the panel's coordinator, who sent it, for a new one."


class AlreadyAnswered(Gone):
    """The link was used: there is one answer, and it is kept."""

    def __init__(self) -> None:
        super().__init__(
            "This link was used: your answer is with the panel.", "There is no more to do."
        )


class GuestState(StrEnum):
    """How far a guest link is."""

    SENT = "sent"
    OPENED = "opened"
    ANSWERED = "answered"
    CLOSED = "closed"
    """By wrong codes."""
    ENDED = "ended"


STATE_WORDS = {
    GuestState.SENT: "Not opened yet",
    GuestState.OPENED: "Opened, not answered yet",
    GuestState.ANSWERED: "Answered",
    GuestState.CLOSED: "Closed: the code was wrong five times",
    GuestState.ENDED: "Ended without an answer",
}


class NewGuest(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to ask about one item, what, and until when."""

    agency_id: Annotated[UUID, chosen("Agency", missing="Select the practice, school or service")]
    name: Annotated[str, line("Who it is for", at_most=100)]
    question: Annotated[str, paragraphs("What to ask them", at_most=2_000)]
    until: Annotated[date, on_day("The last day")]


class GivenCode(msgspec.Struct, forbid_unknown_fields=True):
    """The code that came separately from the link."""

    code: Annotated[str, line("Code", at_most=20)]


class GuestAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """What the guest wants the panel to know."""

    answer: Annotated[str, paragraphs("Your answer", at_most=5_000)]


@dataclass(frozen=True, slots=True)
class MadeLink:
    """A new link and its code: told once, kept nowhere."""

    link_id: UUID
    token: str
    code: str
    ends_at: datetime

    @property
    def path(self) -> str:
        """Where the link leads."""
        return f"/guest/{self.link_id}/{self.token}"


@dataclass(frozen=True, slots=True)
class GuestLine:
    """One guest link of an item, for who runs the panel: process facts, and what they may read."""

    id: UUID
    agency: str
    state: GuestState
    ends_at: datetime
    answered_at: datetime | None
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class GuestFact:
    """How one guest link of a meeting stands: no names, no text."""

    child_id: UUID
    agency_id: UUID
    agency: str
    state: GuestState


@dataclass(frozen=True, slots=True)
class GuestItem:
    """The one item that a guest reads."""

    panel: str
    day: date
    agency: str
    question: str
    item: PackItem | None


@dataclass(frozen=True, slots=True)
class ItemToAsk:
    """The item that a guest is asked about."""

    id: UUID
    child_id: UUID
    meeting_id: UUID
    held_on: date
    panel_id: UUID


def _state(link: GuestLink, now: datetime) -> GuestState:
    if link.answered_at is not None:
        return GuestState.ANSWERED
    if link.wrong_codes >= MOST_WRONG_CODES:
        return GuestState.CLOSED
    if link.ends_at < now:
        return GuestState.ENDED
    return GuestState.SENT if link.opened_at is None else GuestState.OPENED


def _ring(session: AsyncSession) -> Keyring:
    return cast("Keys", session.info[KEYS]).ring


def _code_hash(ring: Keyring, link_id: UUID, code: str) -> bytes:
    """Six digits could be tried out against a plain hash; this one needs the authority's key."""
    return ring.index("guest_link.code_hash", f"{link_id} {code}")


# For the coordinator.


async def item_to_ask(
    session: AsyncSession, panel_key: str, day: date, child_id: UUID
) -> ItemToAsk:
    """A child's item on a meeting's agenda, which the viewer may reach. Raises NotFound."""
    found = await session.execute(
        select(AgendaItem.id, AgendaItem.child_id, Meeting.id, Meeting.held_on, Meeting.panel_id)
        .join(Meeting, Meeting.id == AgendaItem.meeting_id)
        .join(Panel, Panel.id == Meeting.panel_id)
        .where(
            AgendaItem.child_id == child_id,
            Panel.key == panel_key,
            Meeting.held_on == day,
            AgendaItem.state != "removed",
        )
    )
    row = found.first()
    if row is None:
        raise NotFound(
            "This child has no place on this agenda.",
            "Guests are asked once the child has a place: when the agenda is frozen.",
        )
    return ItemToAsk(*row)


async def agencies_to_ask(session: AsyncSession, panel_id: UUID, day: date) -> list[Agency]:
    """Every agency without a pack of its own at this panel, by name."""
    return list(
        await session.scalars(
            select(Agency)
            .where(
                text(
                    "agency.id NOT IN (SELECT m.agency_id FROM panel_agency m"
                    " WHERE m.panel_id = :panel AND (m.from_on IS NULL OR m.from_on <= :day)"
                    " AND (m.until_on IS NULL OR m.until_on >= :day))"
                ).bindparams(panel=panel_id, day=day)
            )
            .order_by(Agency.name, Agency.id)
        )
    )


async def make_guest_link(access: Access, item: ItemToAsk, asked: NewGuest) -> MadeLink:
    """Ask somebody without an account about one item. Raises Invalid for a day that cannot be."""
    access.require_write()
    session = access.session
    now: datetime = session.info[NOW]
    if asked.until < access.today:
        raise Invalid.because("until", "The last day must be today or in the future")
    if asked.until > access.today + timedelta(days=LONGEST_DAYS):
        raise Invalid.because("until", f"The last day must be within {LONGEST_DAYS} days")
    known = {one.id for one in await agencies_to_ask(session, item.panel_id, item.held_on)}
    if asked.agency_id not in known:
        raise Invalid.because("agency_id", "Select an agency that has no pack of its own")
    link_id, token = new_id(), secrets.token_urlsafe(24)
    code = f"{secrets.randbelow(1_000_000):06}"
    ends_at = datetime.combine(asked.until, time(23, 59), LONDON).astimezone(now.tzinfo)
    session.add(
        GuestLink(
            id=link_id,
            child_id=access.child_id,
            agenda_item_id=item.id,
            agency_id=asked.agency_id,
            token_hash=token_hash(token),
            code_hash=_code_hash(_ring(session), link_id, code),
            name=asked.name,
            question=asked.question,
            ends_at=ends_at,
        )
    )
    await rewrite_access(session, access.child_id)
    return MadeLink(link_id, token, code, ends_at)


async def guest_lines(access: Access, item_id: UUID) -> Sequence[GuestLine]:
    """Whom an item was put to, and what they answered where the viewer may see it."""
    rows = await access.session.execute(
        select(GuestLink, Agency.name)
        .join(Agency, Agency.id == GuestLink.agency_id)
        .where(GuestLink.agenda_item_id == item_id)
        .order_by(GuestLink.created_at, GuestLink.id)
    )
    lines: list[GuestLine] = []
    for link, agency in rows:
        shown = access.may(Category.PANEL, link.agency_id)
        lines.append(
            GuestLine(
                id=link.id,
                agency=agency,
                state=_state(link, access.at),
                ends_at=link.ends_at,
                answered_at=link.answered_at,
                question=link.question if shown else "",
                answer=link.answer if shown else "",
            )
        )
    return lines


async def guests_of_meeting(session: AsyncSession, meeting_id: UUID) -> list[GuestFact]:
    """How the guest links of a meeting stand, for the agenda: no names, no text."""
    rows = await session.execute(
        select(GuestLink, Agency.name)
        .join(AgendaItem, AgendaItem.id == GuestLink.agenda_item_id)
        .join(Agency, Agency.id == GuestLink.agency_id)
        .where(AgendaItem.meeting_id == meeting_id)
        .order_by(GuestLink.created_at, GuestLink.id)
    )
    now: datetime = session.info[NOW]
    return [
        GuestFact(link.child_id, link.agency_id, agency, _state(link, now)) for link, agency in rows
    ]


# For the guest.


async def _link(session: AsyncSession, link_id: UUID, token: str) -> GuestLink | None:
    """The link, held until the transaction ends; None for a wrong token or one out of time."""
    link = await session.scalar(select(GuestLink).where(GuestLink.id == link_id).with_for_update())
    if link is None or not hmac.compare_digest(link.token_hash, token_hash(token)):
        return None
    return link


def _refuse_closed(state: GuestState) -> None:
    if state is GuestState.ANSWERED:
        raise AlreadyAnswered
    if state is GuestState.CLOSED:
        raise Gone("This link is closed: the code was wrong five times.", ASK_FOR_ANOTHER)
    if state is GuestState.ENDED:
        raise Gone("The time of this link is over.", ASK_FOR_ANOTHER)


async def look_at_link(gate: Gate, link_id: UUID, token: str) -> GuestState:
    """How a link stands. Raises Gone for one that is not known, was used, or is over."""
    async with gate.tenant.transaction(link_id) as session:
        link = await _link(session, link_id, token)
        state = None if link is None else _state(link, session.info[NOW])
    if state is None:
        raise Gone(NOT_KNOWN, ASK_FOR_ANOTHER)
    _refuse_closed(state)
    return state


async def enter_code(gate: Gate, link_id: UUID, token: str, code: str) -> str | None:
    """A pass for this link when the code is right, else None: the fifth wrong one closes it.

    Raises Gone as `look_at_link` does.
    """
    given = "".join(letter for letter in code if letter.isdigit())
    async with gate.tenant.transaction(link_id) as session:
        now: datetime = session.info[NOW]
        link = await _link(session, link_id, token)
        state = None if link is None else _state(link, now)
        right = False
        if link is not None and state in (GuestState.SENT, GuestState.OPENED):
            kept = _code_hash(_ring(session), link_id, given)
            right = hmac.compare_digest(link.code_hash, kept)
            if right:
                link.opened_at = link.opened_at or now
            else:
                link.wrong_codes += 1
                state = _state(link, now)
    if state is None:
        raise Gone(NOT_KNOWN, ASK_FOR_ANOTHER)
    if not right:
        _refuse_closed(state)
        return None
    return make_pass(gate.tenant.ring, link_id, now + PASS_LASTS)


def make_pass(ring: Keyring, link_id: UUID, ends_at: datetime) -> str:
    """Says that the code of this link was given, until a moment; bound to the link."""
    until = str(int(ends_at.timestamp()))
    return f"{until}.{_pass_mark(ring, link_id, until)}"


def holds_pass(ring: Keyring, link_id: UUID, given: str, now: datetime) -> bool:
    """Whether a pass is ours, for this link, and not over."""
    until, _, mark = given.partition(".")
    ours = hmac.compare_digest(mark.encode(), _pass_mark(ring, link_id, until).encode())
    return ours and until.isdigit() and int(until) >= now.timestamp()


def _pass_mark(ring: Keyring, link_id: UUID, until: str) -> str:
    return ring.index("guest_link.pass", f"{link_id} {until}").hex()


@dataclass(frozen=True, slots=True)
class _Guest:
    viewer: Viewer
    child_id: UUID
    meeting_id: UUID
    panel: str
    day: date
    agency: str
    starts: time


async def _guest(gate: Gate, link_id: UUID, token: str) -> _Guest:
    async with gate.tenant.transaction(link_id) as session:
        link = await _link(session, link_id, token)
        if link is None:
            raise Gone(NOT_KNOWN, ASK_FOR_ANOTHER)
        _refuse_closed(_state(link, session.info[NOW]))
        found = await session.execute(
            select(
                Agency.kind, Agency.name, Meeting.id, Meeting.held_on, Panel.name, Panel.starts_at
            )
            .select_from(AgendaItem)
            .join(Meeting, Meeting.id == AgendaItem.meeting_id)
            .join(Panel, Panel.id == Meeting.panel_id)
            .join(Agency, Agency.id == link.agency_id)
            .where(AgendaItem.id == link.agenda_item_id, AgendaItem.state != "removed")
        )
        row = found.first()
        if row is None:
            raise Gone("This item was taken off the agenda.", "There is no more to do.")
        kind, agency, meeting_id, day, panel, starts = row
        viewer = Viewer(link.id, ViewerKind.GUEST, link.agency_id, kind)
        return _Guest(viewer, link.child_id, meeting_id, panel, day, agency, starts)


async def guest_item(gate: Gate, link_id: UUID, token: str) -> GuestItem:
    """The one item, as the guest's agency may see it. Raises Gone once the link is closed."""
    guest = await _guest(gate, link_id, token)
    async with gate.open(
        guest.child_id, guest.viewer, Purpose.PANEL, f"read one item as a guest of {guest.agency}"
    ) as access:
        link = await access.session.get(GuestLink, link_id)
        cases = await case_facts(access.session, guest.meeting_id, [guest.child_id], access.today)
        await load_keys(access.session, agencies_named(cases))
        item = await read_item(access, cases[0], guest.starts) if cases else None
        question = "" if link is None else link.question
    return GuestItem(guest.panel, guest.day, guest.agency, question, item)


async def answer_as_guest(gate: Gate, link_id: UUID, token: str, answer: str) -> None:
    """Keep the guest's one answer.

    Raises AlreadyAnswered the second time, and Gone for a link that was closed.
    """
    guest = await _guest(gate, link_id, token)
    async with gate.open(
        guest.child_id, guest.viewer, Purpose.PANEL, f"answered as a guest of {guest.agency}"
    ) as access:
        link = await _link(access.session, link_id, token)
        if link is not None and link.answered_at is None:
            link.answer = answer
            link.answered_at = access.at
