"""How one of a family signs in: one row a person, whatever children they belong to.

The row stands in this room since a change of how somebody is reached stops codes in the transaction
that makes it; inviting and signing in are for the room of families.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import cast
from uuid import UUID

from sqlalchemy import Index, Text, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from consent import Role, Tie
from panel.accounts.figures import Figure, figures
from panel.accounts.noted import note
from panel.platform import outbox
from panel.platform.audit import Kind
from panel.platform.clock import day_of
from panel.platform.crypto import Keyring, Keys
from panel.platform.ids import new_id
from panel.platform.problems import NotAllowed
from panel.platform.tables import KEYS, NOW, Row, Sealed, one_of, today_of
from panel.platform.tenancy import load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.gate import Access
from panel.web.words import day_and_time, short_day

STEP = "family_code"
"""The step of an entry of somebody who was asked for the code that they may have been sent."""
CODE_LASTS = timedelta(minutes=10)


class Fact(StrEnum):
    """What somebody shows that they know, besides the code."""

    BIRTH_DATE = "birth_date"
    """The date of birth of a child of theirs; of a young person, their own."""
    AGREED_WORD = "agreed_word"
    """A word that they agreed with whoever invited them: for a mailbox that others read."""


class Message(StrEnum):
    """The kinds of message by which somebody of a family is let in, as the outbox names them."""

    INVITATION = "family_invitation"
    CODE = "family_code"
    CHANGED = "family_contact_changed"


class FamilyAccess(Row):
    """How one parent, carer or young person signs in."""

    __tablename__ = "family_access"
    __table_args__ = (
        one_of("fact", Fact),
        one_of("way", ("email", "letter")),
        Index("ix_family_access_person_id", "person_id", unique=True),
        Index("ix_family_access_reference", "reference", unique=True),
    )

    person_id: Mapped[UUID]
    """A family member's id, or a young person's own."""
    reference: Mapped[str] = mapped_column(Text)
    """What stands on their letter. It says nothing about anybody."""
    fact: Mapped[str] = mapped_column(Text)
    word_mark: Mapped[bytes | None]
    """The keyed hash of the word that was agreed."""
    way: Mapped[str] = mapped_column(Text)
    """How the invitation went."""
    email = Sealed(holder="person_id")
    """Where codes go."""
    email_index: Mapped[bytes | None] = mapped_column(index=True)
    contact_from: Mapped[datetime]
    """From when codes go there."""
    invited_at: Mapped[datetime]
    invitation_mark: Mapped[bytes | None]
    """The keyed hash of the invitation's code, until it is used."""
    invitation_ends_at: Mapped[datetime]
    first_used_on: Mapped[date | None]
    last_signed_in_on: Mapped[date | None]
    """The day alone: when somebody reads at night is nobody's concern."""
    withdrawn_at: Mapped[datetime | None]
    guessed_at: Mapped[datetime | None]
    """When so many wrong answers had come with a right code that whoever leads was told."""


# Settings ---------------------------------------------------------------------------------------

PREFIX = "family."


@dataclass(frozen=True, slots=True)
class Waits:
    """Days and hours; each is a dated setting named `family.` and the field."""

    invitation_days: int = 28
    """How long the code of an invitation works."""
    contact_hours: int = 24
    """From a change of somebody's e-mail address until codes go to the new one."""


BOUNDS: Mapping[str, tuple[int, int]] = {"invitation_days": (1, 90), "contact_hours": (1, 336)}
FIGURES: Mapping[str, Figure] = {
    one.name: Figure(PREFIX + one.name, getattr(Waits(), one.name), *BOUNDS[one.name])
    for one in fields(Waits)
}
"""By the name of the wait."""


async def waits(session: AsyncSession) -> Waits:
    """The authority's figures now."""
    said = await figures(session, FIGURES.values())
    return Waits(**{name: said[one.key] for name, one in FIGURES.items()})


# Whose it is ------------------------------------------------------------------------------------


def address_index(ring: Keyring, email: str) -> bytes:
    """The blind index by which somebody is found who types their e-mail address."""
    return ring.index("family_access.email", email.strip().casefold())


async def access_of(session: AsyncSession, person_id: UUID) -> FamilyAccess | None:
    """How somebody signs in, for whoever may know."""
    found = await session.scalar(select(FamilyAccess).where(FamilyAccess.person_id == person_id))
    if found is not None:
        await load_keys(session, {person_id})
    return found


async def access_to_change(session: AsyncSession, person_id: UUID) -> FamilyAccess | None:
    """The same as it is now, to be changed: whoever signs in or changes it too is waited for."""
    await session.execute(
        select(FamilyAccess)
        .where(FamilyAccess.person_id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return await access_of(session, person_id)


async def end_open_codes(session: AsyncSession, person_id: UUID) -> None:
    """Codes that somebody was sent, and did not use yet, sign nobody in any more."""
    await session.execute(
        text("DELETE FROM sign_in_entry WHERE step = :step AND facts ->> 'person' = :person"),
        {"step": STEP, "person": str(person_id)},
    )


INVITERS = "Only the lead professional or the panel’s coordinator lets somebody sign in."


def may_invite(access: Access) -> bool:
    """Whether the viewer may let this child's family sign in: who leads, or runs the panel."""
    runs = access.viewer.roles & {Role.COORDINATOR, Role.CHAIR}
    ties = access.ties
    return access.may_write and (Tie.LEAD in ties or (Tie.PANEL in ties and bool(runs)))


def require_inviter(access: Access) -> None:
    """Raise NotAllowed for who may not invite."""
    access.require_write()
    if not may_invite(access):
        raise NotAllowed(INVITERS, "Ask one of them.")


async def sign_in_words(access: Access) -> Mapping[UUID, str]:
    """How it stands with the sign-in of this child's people, for who may invite; by person."""
    if not may_invite(access):
        return {}
    rows = await access.session.scalars(
        select(FamilyAccess).where(
            or_(
                FamilyAccess.person_id == access.child_id,
                FamilyAccess.person_id.in_(
                    text(
                        "SELECT family_member_id FROM family_link WHERE child_id = :child"
                    ).bindparams(child=access.child_id)
                ),
            )
        )
    )
    return {row.person_id: state_words(row, access.at) for row in rows}


GUESSED = "Somebody who reads their e-mail gave many wrong answers on the way in:"


def state_words(row: FamilyAccess, now: datetime) -> str:
    """How it stands with one person's sign-in, in a sentence or two."""
    if row.withdrawn_at is not None:
        return f"Ended on {short_day(day_of(row.withdrawn_at))}."
    said = f"Invited on {short_day(day_of(row.invited_at))}"
    if row.first_used_on is not None:
        said += f", first used on {short_day(row.first_used_on)}."
    elif row.invitation_ends_at > now:
        said += f", not used yet. It works until {short_day(day_of(row.invitation_ends_at))}."
    else:
        said += ". It was not used in time."
    if row.last_signed_in_on is not None:
        said += f" Last signed in on {short_day(row.last_signed_in_on)}."
    if row.guessed_at is not None and row.guessed_at >= row.invited_at:
        said += f" {GUESSED} {day_and_time(row.guessed_at)}."
    if row.contact_from > now:
        said += f" Codes go to their new address from {day_and_time(row.contact_from)}."
    return said


KEPT = timedelta(hours=1)
"""How long the message of a code is kept, for whoever asks whether it went."""


async def forget_codes(session: AsyncSession) -> None:
    """Delete messages with codes that are long over; within a transaction of scheduled work."""
    await session.execute(
        text("DELETE FROM outbox_message WHERE kind = :kind AND created_at < :before"),
        {"kind": Message.CODE.value, "before": session.info[NOW] - KEPT},
    )


# When how somebody is reached changes -----------------------------------------------------------

CHANGED_SUBJECT = "A change that you should know about"
CHANGED_WORDS = (
    "How we reach you was changed.\n\nIf you asked for this, you need do nothing.\n\nIf you did"
    " not, ring the person who helps you. Use a number that you know already. Do not answer this"
    " e-mail.\n"
)


@dataclass(frozen=True, slots=True)
class Contact:
    """How somebody is reached."""

    email: str
    phone: str


async def contact_changed(
    session: AsyncSession, person_id: UUID, old: Contact, new: Contact
) -> None:
    """Somebody changed how a person is reached: open codes end, a new address waits, both are told.

    Whoever changed it may have been asked by somebody else who reads the new mailbox. The messages
    name nobody and neither address.
    """
    if old == new:
        return
    access = await access_to_change(session, person_id)
    if access is None or access.withdrawn_at is not None:
        return
    await end_open_codes(session, person_id)
    if old.email != new.email:
        ring = cast("Keys", session.info[KEYS]).ring
        access.email = new.email
        access.email_index = address_index(ring, new.email) if new.email else None
        wait = timedelta(hours=(await waits(session)).contact_hours)
        access.contact_from = session.info[NOW] + wait
    note(session, Kind.FAMILY_CONTACT_CHANGED, person_id)
    for which, address in {"old": old.email, "new": new.email}.items():
        if address and (which == "new" or address != new.email):
            await _tell(session, person_id, which, address)
    await session.flush()


async def _tell(session: AsyncSession, person_id: UUID, which: str, address: str) -> None:
    await outbox.put(
        session,
        kind=Message.CHANGED,
        holder_id=person_id,
        to_viewer_id=person_id,
        address=address,
        subject=CHANGED_SUBJECT,
        body=CHANGED_WORDS,
        once=f"{Message.CHANGED} {new_id()}",
        facts={"contact": which},
    )


# Asked as a message goes ------------------------------------------------------------------------

NOT_IN_FORCE = "This person’s sign-in ended or changed, so it was not sent."
TOO_LATE = "The code in it is over, so it was not sent."
PROTECTED = (
    "A protection holds for a child of this person’s, so what was written down before is told"
    " nothing."
)
# Of every child, whoever made the change could see: it is asked as scheduled work.
_PROTECTION = """
SELECT true FROM sharing_restriction r
WHERE r.kind = 'protection' AND r.ended_at IS NULL AND r.from_on <= :today
  AND (r.until_on IS NULL OR r.until_on >= :today)
  AND (r.child_id = :person OR r.child_id IN
       (SELECT l.child_id FROM family_link l WHERE l.family_member_id = :person)) LIMIT 1
"""


async def why_not_to_family(session: AsyncSession, message: OutboxMessage) -> str:
    """Why a message of these kinds may not go now, "" where it may; asked as scheduled work."""
    person, now = message.to_viewer_id, session.info[NOW]
    access = None if person is None else await access_of(session, person)
    if person is None or access is None or access.withdrawn_at is not None:
        return NOT_IN_FORCE
    if message.facts.get("contact") == "old":
        held = await session.scalar(
            text(_PROTECTION), {"person": person, "today": today_of(session)}
        )
        return PROTECTED if held else ""
    if message.address != access.email:
        return NOT_IN_FORCE
    if message.kind == Message.CODE and message.created_at + CODE_LASTS <= now:
        return TOO_LATE
    mark = access.invitation_mark
    if message.kind == Message.INVITATION and (
        mark is None or message.facts.get("mark") != mark.hex()
    ):
        return NOT_IN_FORCE
    return ""
