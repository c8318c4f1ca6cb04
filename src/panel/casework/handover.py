"""A child who moves is handed to another authority: how it stands here, and what follows from it.

Nobody is in between: the lead professional and the episode here go on until the other authority
accepted. Then the case is closed as moved away on that day, in the transaction that learns of it.
How it travels is the exchange's; here nothing is sent. Each step may come twice and counts once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.casework.closing import ASK_THEM, MAY_CLOSE, NOT_YOURS, end_case
from panel.casework.handover_models import AuthorityHandover, OtherAuthority
from panel.platform.ids import new_id
from panel.platform.problems import Clash, Conflict, Invalid, NotAllowed, NotFound
from panel.platform.tables import NOW
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, rewrite_access
from panel.register.service import (
    add_involvement,
    has_a_part,
    note_event,
    open_episode_of,
)

PART: Final = "Takes over: the child moves there"
WAYS: Final = {"system": "From Panel to Panel", "file": "As a file that you hand over"}
STATE_WORDS: Final = {
    "draft": "Being prepared",
    "sent": "Sent, not answered yet",
    "accepted": "Accepted",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
}
NEXT: Final = "{name} works with you from {day}. They have what you agreed to share."


async def authorities(session: AsyncSession) -> Sequence[OtherAuthority]:
    """Those that a child may be handed to, by name."""
    rows = await session.scalars(
        select(OtherAuthority)
        .where(OtherAuthority.ended_on.is_(None))
        .order_by(OtherAuthority.name, OtherAuthority.id)
    )
    return list(rows)


async def authority(session: AsyncSession, authority_id: UUID) -> OtherAuthority:
    """One of them. Raises Invalid."""
    found = await session.get(OtherAuthority, authority_id)
    if found is None or found.ended_on is not None:
        raise Invalid.because("authority", "Choose an authority from the list")
    return found


def require_to_hand_over(access: Access) -> None:
    """Raise NotAllowed for who may not hand this child over."""
    if not access.ties & MAY_CLOSE:
        raise NotAllowed(NOT_YOURS.replace("closes a case", "hands a child over"), ASK_THEM)
    access.require_write()


async def draft_handover(
    access: Access, authority_id: UUID, *, moves_on: date | None, note: str, way: str
) -> AuthorityHandover:
    """Prepare it: nothing is sent yet. The other authority is from now on one of those involved.

    That alone shows it nothing: what it is told rests on what the family agreed with it, or on a
    duty. Raises NotAllowed, Invalid.
    """
    require_to_hand_over(access)
    session, child_id = access.session, access.child_id
    other = await authority(session, authority_id)
    episode = await open_episode_of(session, child_id)
    if episode is None:
        raise Invalid.because("authority", "This child’s case is closed. Reopen it first")
    if way == "system" and not other.base:
        raise Invalid.because("way", f"{other.name} takes no handover by system. Choose the file")
    if await going(session, child_id) is not None:
        raise Invalid.because("authority", "This child is being handed over already")
    if not await has_a_part(session, child_id, other.agency_id, access.today):
        await add_involvement(
            session, child_id, agency_id=other.agency_id, from_on=access.today, part=PART
        )
    row = AuthorityHandover(
        child_id=child_id,
        episode_id=episode.id,
        direction="out",
        state="draft",
        authority_id=other.id,
        authority_name=other.name,
        identifier=new_id(),
        way=way,
        moves_on=moves_on,
        withheld=[],
        tries=0,
    )
    row.note = note.strip()
    session.add(row)
    await session.flush()
    await rewrite_access(session, child_id)
    return row


async def going(session: AsyncSession, child_id: UUID) -> AuthorityHandover | None:
    """The handover of a child that is prepared or not answered yet."""
    return await session.scalar(
        select(AuthorityHandover).where(
            AuthorityHandover.child_id == child_id,
            AuthorityHandover.direction == "out",
            AuthorityHandover.state.in_(("draft", "sent")),
        )
    )


async def held_row(
    access: Access, handover_id: UUID, version: int, *states: str
) -> AuthorityHandover:
    """One that goes out from here and is in one of these states. Raises as a form is told."""
    require_to_hand_over(access)
    row = await access.session.get(
        AuthorityHandover, handover_id, with_for_update=True, populate_existing=True
    )
    if row is None or row.child_id != access.child_id or row.direction != "out":
        raise NotFound("There is no such handover.", "Load the page again.")
    if row.version != version or row.state not in states:
        raise Conflict((Clash("The handover", "Your step", STATE_WORDS[row.state]),))
    return row


async def mark_sent(
    access: Access, handover_id: UUID, version: int, document: str, withheld: Sequence[str]
) -> AuthorityHandover:
    """The document is made and goes: to the other's system at once, or as a file to be fetched."""
    row = await held_row(access, handover_id, version, "draft")
    row.document, row.withheld = document, list(withheld)
    row.state, row.sent_on, row.task_state = "sent", access.today, "requested"
    row.next_at = access.session.info[NOW] if row.way == "system" else None
    await access.session.flush()
    return row


async def withdraw(access: Access, handover_id: UUID, version: int, why: str) -> None:
    """Take it back. One that went by system is asked back: what the other side says then counts."""
    row = await held_row(access, handover_id, version, "draft", "sent")
    if not why.strip():
        raise Invalid.because("reason", "Say why it is withdrawn")
    row.reason = why.strip()
    if row.state == "sent" and row.way == "system":
        row.withdraw_asked_at = row.next_at = access.session.info[NOW]
        await access.session.flush()
        return
    await settle_withdrawn(access.session, row, access.today)


async def answered_by_hand(
    access: Access, handover_id: UUID, version: int, *, accepted: bool, reason: str, lead: str
) -> None:
    """What the other authority answered to a file, as somebody here was told."""
    row = await held_row(access, handover_id, version, "sent")
    if row.way != "file":
        raise Invalid.because("answer", "The other authority’s system answers this one itself")
    if accepted:
        if not lead.strip():
            raise Invalid.because("lead", "Say who is lead professional there from now on")
        await settle_accepted(access.session, row, access.today, lead)
    else:
        if not reason.strip():
            raise Invalid.because("reason", "Say why it was refused")
        await settle_refused(access.session, row, access.today, reason)


# What follows -------------------------------------------------------------------------------------


async def settle_accepted(
    session: AsyncSession, row: AuthorityHandover, on: date, lead_there: str
) -> None:
    """The other authority has the child: the case here ends that day, all in this transaction."""
    if row.state != "sent":
        return
    await load_keys(session, {row.child_id})
    _answered(row, "accepted", "accepted", on)
    row.lead_there = lead_there.strip()
    await session.flush()
    if await open_episode_of(session, row.child_id) is not None:
        await end_case(
            session,
            row.child_id,
            on,
            reason="moved_away",
            what_next=NEXT.format(name=row.authority_name, day=_day(on)),
            left_with=f"{lead_there.strip()}, {row.authority_name}".strip(", "),
            told_family_on=None,
        )


async def settle_refused(
    session: AsyncSession, row: AuthorityHandover, on: date, reason: str
) -> None:
    """The other authority does not take the child: everything here goes on as it was."""
    if row.state != "sent":
        return
    await load_keys(session, {row.child_id})
    _answered(row, "refused", "rejected", on)
    row.reason = reason.strip()
    await session.flush()


async def settle_withdrawn(session: AsyncSession, row: AuthorityHandover, on: date) -> None:
    """It is taken back, and the other side knows, or never heard of it."""
    if row.state not in ("draft", "sent"):
        return
    _answered(row, "withdrawn", "cancelled", on)
    await session.flush()


def _answered(row: AuthorityHandover, state: str, task: str, on: date) -> None:
    row.state, row.task_state, row.answered_on = state, task, on
    row.next_at, row.failure = None, None


def _day(on: date) -> str:
    return f"{on.day} {on:%B %Y}"


# The receiving side -------------------------------------------------------------------------------


async def arrived(
    session: AsyncSession,
    child_id: UUID,
    other: OtherAuthority,
    *,
    identifier: UUID,
    episode_id: UUID,
    on: date,
    sent_on: date,
    note: str,
    withheld: Sequence[str],
) -> AuthorityHandover:
    """A child whom we accepted: the row says where the record came from; so does the chronology."""
    await load_keys(session, {child_id})
    row = AuthorityHandover(
        child_id=child_id,
        episode_id=episode_id,
        direction="in",
        state="accepted",
        authority_id=other.id,
        authority_name=other.name,
        identifier=identifier,
        way="system",
        sent_on=sent_on,
        answered_on=on,
        task_state="accepted",
        # Words of the sender's own are none of ours: a category that we do not know is left out.
        withheld=[one for one in withheld if one in set(Category)],
        tries=0,
    )
    row.note = note
    session.add(row)
    await note_event(
        session,
        child_id,
        happened_on=on,
        kind="move",
        category=Category.NETWORK,
        author_agency_id=other.agency_id,
        text=f"Handed over by {other.name}. What stands here from before came with it.",
    )
    return row


# Reading ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HandoverView:
    """One handover as this viewer may read it; texts are empty where they are withheld."""

    id: UUID
    version: int
    direction: str
    state: str
    authority: str
    way: str
    moves_on: date | None
    sent_on: date | None
    delivered_at: datetime | None
    answered_on: date | None
    withheld: tuple[str, ...]
    is_asked_back: bool
    failure: str
    note: str
    reason: str
    lead_there: str


async def handovers_of(access: Access) -> Sequence[HandoverView]:
    """A child's handovers, newest first.

    None for who may not know who works with the child, or where the child lives: both are told.
    """
    if not (access.may(Category.NETWORK) and access.may(Category.CONTACT)):
        return ()
    rows = await access.session.scalars(
        select(AuthorityHandover)
        .where(AuthorityHandover.child_id == access.child_id)
        .order_by(AuthorityHandover.created_at.desc(), AuthorityHandover.id.desc())
    )
    return [
        HandoverView(
            one.id,
            one.version,
            one.direction,
            one.state,
            one.authority_name,
            one.way,
            one.moves_on,
            one.sent_on,
            one.delivered_at,
            one.answered_on,
            tuple(one.withheld),
            one.withdraw_asked_at is not None and one.state == "sent",
            one.failure or "",
            one.note if access.may(Category.PLAN) else "",
            one.reason,
            one.lead_there,
        )
        for one in rows
    ]
