"""Inviting one of a family to sign in: who may, whom, what they would see, and ending it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Viewer, ViewerKind
from consent.standing import AGE_OF_OWN_AGREEMENT, has_reached
from panel.accounts.models import Worker
from panel.accounts.noted import note
from panel.families.entering import fact_mark, invitation_mark
from panel.families.guessing import start_afresh
from panel.families.invitation_forms import InviteForm
from panel.families.invitation_words import (
    INVITATION_SUBJECT,
    folded,
    invitation_words,
    last_day,
    new_invitation_code,
    new_reference,
    read_fact,
)
from panel.families.reach import own_children
from panel.panels.note_rules import Way, usual_way
from panel.panels.note_sending import Letter
from panel.platform import outbox
from panel.platform.audit import Kind
from panel.platform.problems import Conflict, FieldError, Gone, Invalid, NotFound
from panel.platform.sessions import end_links, end_others
from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant, load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.gate import NOT_HERE, Access
from panel.register.models import Child, FamilyLink, FamilyMember
from panel.register.service import (
    CATEGORY_WORDS,
    Contact,
    Fact,
    FamilyAccess,
    Message,
    access_of,
    access_to_change,
    address_index,
    author_agency,
    child_header,
    contact_changed,
    end_open_codes,
    family_member_details,
    require_inviter,
    waits,
)
from panel.sharing.foresight import would_be_shown
from panel.web.words import day_and_time

SHORTEST_WORD = 6
KEPT_FROM = (
    "They are not one of this child’s family now, or are kept from the record, so they cannot be"
    " invited. The page People has their tie, and the page Sharing what is withheld from whom."
)
SEES_NOTHING = (
    "They would see nothing of this record now, so there is nothing to invite them to. The page"
    " Sharing says what is withheld from whom."
)
TIE_ENDED = "Their tie to this child has ended, so they cannot be invited."
NO_CONTACT = (
    "No e-mail address is kept for them, and a code must reach them each time. Ask them for one"
    " that only they read, and write it down first."
)
CANNOT_REACH = "You cannot see how to reach them, so you cannot invite them."
TOO_YOUNG = (
    "Young people sign in themselves from 16 on. Until then, read with them what their page would"
    " say."
)


@dataclass(frozen=True, slots=True)
class Invitee:
    """Somebody who may be invited."""

    person_id: UUID
    name: str
    is_self: bool
    email: str
    safe_contact: str
    sees_contact: bool
    """Whether whoever invites may know how to reach them."""
    has_ended: bool = False
    is_young: bool = False
    email_changed_at: datetime | None = None
    """When their address took the place of another one."""


async def invitee_of(access: Access, link_id: UUID) -> Invitee:
    """Whom a page is about: one of the family by their tie, the young person by the child's id.

    Raises NotAllowed for who may not invite or not know the family, NotFound.
    """
    require_inviter(access)
    if link_id == access.child_id:
        return await _young_person(access)
    read = await family_member_details(access, link_id)
    found = await access.session.execute(
        select(FamilyMember.id, FamilyMember.email_changed_at)
        .join(FamilyLink, FamilyLink.family_member_id == FamilyMember.id)
        .where(FamilyLink.id == link_id, FamilyLink.child_id == access.child_id)
    )
    person = found.first()
    if person is None:
        raise NotFound(NOT_HERE)
    return Invitee(
        person.id,
        read.member.name,
        is_self=False,
        email=read.member.email,
        safe_contact=read.member.safe_contact,
        sees_contact=read.may_see_contact,
        has_ended=read.link.until_on is not None and read.link.until_on < access.today,
        email_changed_at=person.email_changed_at,
    )


async def _young_person(access: Access) -> Invitee:
    child = await access.session.get_one(Child, access.child_id)
    kept = await access_of(access.session, access.child_id)
    author = await author_agency(access.session, Child, access.child_id)
    email = ""
    if kept is not None:
        wrote = await access.session.scalar(
            select(Worker.agency_id).where(Worker.id == kept.created_by)
        )
        email = kept.email if access.may(Category.CONTACT, wrote) else ""
    return Invitee(
        access.child_id,
        (await child_header(access)).name,
        is_self=True,
        email=email,
        safe_contact="",
        sees_contact=access.may(Category.CONTACT, author),
        is_young=not has_reached(child.birth_date, AGE_OF_OWN_AGREEMENT, access.today),
    )


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What somebody would read once they are in, and why they may not be invited ("" else)."""

    sees: Sequence[str]
    sees_not: Sequence[str]
    why_not: str


async def foresee(tenant: Tenant, access: Access, who: Invitee) -> Foreseen:
    """What somebody would see of this child, decided as them; nothing is opened by it."""
    if who.has_ended:
        return Foreseen((), (), TIE_ENDED)
    if who.is_young:
        return Foreseen((), (), TOO_YOUNG)
    own = {one.child_id for one in await own_children(tenant, who.person_id)}
    viewer = Viewer(who.person_id, ViewerKind.FAMILY)
    shown = await would_be_shown(tenant, access.child_id, viewer, Purpose.SUPPORT)
    if access.child_id not in own or not shown:
        return Foreseen((), (), KEPT_FROM)
    sees = [CATEGORY_WORDS[one] for one in Category if shown[one].permitted]
    if not sees:
        return Foreseen((), (), SEES_NOTHING)
    # What is withheld in silence is left out: not everybody who invites may know of it.
    sees_not = [
        CATEGORY_WORDS[one]
        for one in Category
        if not shown[one].permitted and not shown[one].silent
    ]
    why_not = ""
    if not who.sees_contact:
        why_not = CANNOT_REACH
    elif not who.is_self and not who.email:
        why_not = NO_CONTACT
    return Foreseen(sees, sees_not, why_not)


async def invite(
    access: Access, who: Invitee, foreseen: Foreseen, form: InviteForm, url: str
) -> None:
    """Invite somebody anew: whatever was sent to them before lets nobody in any more.

    Raises Invalid with a sentence; Conflict where somebody else changed it meanwhile.
    """
    session = access.session
    kept = await access_to_change(session, who.person_id)
    email = form.email if who.is_self else who.email
    figures = await waits(session)
    hours = timedelta(hours=figures.contact_hours)
    codes_from = _codes_from(access.at, kept, who, email, hours)
    if mistakes := _mistakes(access.at, who, foreseen, form, email, codes_from):
        raise Invalid(tuple(mistakes))
    if (0 if kept is None else kept.version) != form.version:
        raise Conflict(())
    keys, days = access.keys, figures.invitation_days
    if kept is None or kept.withdrawn_at is not None:
        kept = _begun(access, kept, who, email)
        kept.contact_from = codes_from
    elif kept.email != email:
        await contact_changed(session, who.person_id, Contact(kept.email, ""), Contact(email, ""))
    code, fact = new_invitation_code(), Fact(form.fact)
    is_word = fact is Fact.AGREED_WORD
    kept.reference = new_reference()
    kept.fact = fact.value
    kept.word_mark = fact_mark(keys.ring, who.person_id, read_fact(form.word)) if is_word else None
    kept.way = form.way
    kept.invited_at = access.at
    kept.invitation_mark = invitation_mark(keys.ring, who.person_id, code)
    kept.invitation_ends_at = access.at + timedelta(days=days)
    kept.first_used_on = None
    session.add(kept)
    await session.flush()
    await _shut_out(session, who.person_id)
    await start_afresh(session, who.person_id)
    await _put(session, kept, code, url, last_day(access.today, days))
    await session.flush()
    note(session, Kind.FAMILY_INVITED, who.person_id, way=form.way, fact=form.fact)


def _begun(access: Access, kept: FamilyAccess | None, who: Invitee, email: str) -> FamilyAccess:
    from_start = kept or FamilyAccess(person_id=who.person_id)
    from_start.email = email
    from_start.email_index = address_index(access.keys.ring, email)
    from_start.withdrawn_at = None
    from_start.last_signed_in_on = None
    return from_start


def _codes_from(
    at: datetime, kept: FamilyAccess | None, who: Invitee, email: str, wait: timedelta
) -> datetime:
    """From when an address may be sent codes: one that took another's place waits.

    Also before a first invitation: at somebody's open computer both are a minute's work.
    """
    was = None if kept is None or kept.email != email else max(at, kept.contact_from)
    if kept is not None and kept.withdrawn_at is None:
        return was or at + wait
    changed = who.email_changed_at
    if changed is None and kept is not None and was is None:
        changed = at
    return max(was or at, at if changed is None else changed + wait)


def _mistakes(
    at: datetime,
    who: Invitee,
    foreseen: Foreseen,
    form: InviteForm,
    email: str,
    codes_from: datetime,
) -> list[FieldError]:
    if foreseen.why_not:
        return [FieldError("way", foreseen.why_not)]
    found = []
    if not outbox.is_one_address(email):
        wrong = "Enter one e-mail address, like name@example.com"
        found.append(FieldError("email" if who.is_self else "way", wrong))
    if (
        form.way == "email"
        and usual_way(has_email=True, safe_contact=who.safe_contact) is Way.LETTER
    ):
        said = "How to reach them safely says that they want letters. Choose a letter"
        found.append(FieldError("way", said))
    if form.way == "email" and codes_from > at:
        said = (
            "Their e-mail address was changed not long ago. Choose a letter, or confirm the address"
            f" once they are invited; from {day_and_time(codes_from)} on an e-mail may go there"
        )
        found.append(FieldError("way", said))
    if form.fact == "agreed_word" and len(folded(form.word)) < SHORTEST_WORD:
        said = (
            f"Enter a word or two that you agreed with them, with {SHORTEST_WORD} letters or more"
        )
        found.append(FieldError("word", said))
    if not form.asked:
        found.append(
            FieldError("asked", "Ask them first whether only they read this e-mail address")
        )
    return found


async def _shut_out(session: AsyncSession, person_id: UUID) -> None:
    await end_open_codes(session, person_id)
    await end_others(session, person_id)
    await end_links(session, person_id)


def _once(kept: FamilyAccess) -> str:
    return f"{Message.INVITATION} {(kept.invitation_mark or b'').hex()}"


async def _put(session: AsyncSession, kept: FamilyAccess, code: str, url: str, until: date) -> None:
    is_letter = kept.way == "letter"
    fact = Fact(kept.fact)
    await outbox.put(
        session,
        kind=outbox.BY_POST if is_letter else Message.INVITATION,
        holder_id=kept.person_id,
        to_viewer_id=kept.person_id,
        address="" if is_letter else kept.email,
        subject=INVITATION_SUBJECT,
        body=invitation_words(url, kept.reference, code, fact, until, on_paper=is_letter),
        once=_once(kept),
        facts={"mark": (kept.invitation_mark or b"").hex()},
    )


async def withdraw(access: Access, who: Invitee, version: int) -> None:
    """End somebody's sign-in: they are signed out, and nothing that they were sent works."""
    kept = await _as_read(access, who, version)
    kept.withdrawn_at, kept.invitation_mark = access.at, None
    await _shut_out(access.session, who.person_id)
    note(access.session, Kind.FAMILY_WITHDRAWN, who.person_id)


async def confirm_contact(access: Access, who: Invitee, version: int) -> None:
    """Send codes to the changed address from now on: they said themselves that it is theirs."""
    kept = await _as_read(access, who, version)
    kept.contact_from = min(kept.contact_from, access.at)
    note(access.session, Kind.FAMILY_CONTACT_CONFIRMED, who.person_id)


async def _as_read(access: Access, who: Invitee, version: int) -> FamilyAccess:
    kept = await access_to_change(access.session, who.person_id)
    if kept is None or kept.withdrawn_at is not None:
        raise Gone("This sign-in has ended.", "Invite them anew if they want it.")
    if kept.version != version:
        raise Conflict(())
    return kept


# The letter -------------------------------------------------------------------------------------

NO_LETTER = "There is no letter to print: it was used, ended or sent by e-mail."


@dataclass(frozen=True, slots=True)
class Envelope:
    """Which letter it is, and whose name and address stand on it."""

    once: str
    address: str


async def envelope_of(access: Access, who: Invitee) -> Envelope:
    """The letter of an invitation that is open, with today's address. Raises Gone."""
    kept = await access_of(access.session, who.person_id)
    if kept is None or kept.way != "letter" or kept.invitation_mark is None:
        raise Gone(NO_LETTER, "Invite them anew to make another.")
    address = ""
    if who.sees_contact:
        row: Child | FamilyMember
        if who.is_self:
            row = await access.session.get_one(Child, who.person_id)
        else:
            row = await access.session.get_one(FamilyMember, who.person_id)
        address = row.address
    return Envelope(_once(kept), "\n".join(part for part in (who.name, address) if part))


async def letter_in(session: AsyncSession, envelope: Envelope) -> Letter:
    """The letter, within a transaction of scheduled work. Raises Gone."""
    message = await _message(session, envelope)
    await load_keys(session, {message.holder_id})
    return Letter(message.subject, envelope.address, message.body, message.created_at)


async def letter_went(session: AsyncSession, envelope: Envelope) -> None:
    """It was posted or handed over; within a transaction of scheduled work. Raises Gone."""
    message = await _message(session, envelope)
    message.sent_at = message.sent_at or session.info[NOW]


async def _message(session: AsyncSession, envelope: Envelope) -> OutboxMessage:
    found = await session.scalar(select(OutboxMessage).where(OutboxMessage.once == envelope.once))
    if found is None:
        raise Gone(NO_LETTER, "Invite them anew to make another.")
    return found
