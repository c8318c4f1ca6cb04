"""Signing in as one of a family: a code to the safe contact, and a fact that they know.

Whoever asks gets the same answer, and the same work is done, whether or not anybody is known by
what they typed. Each try is counted and committed before anything is compared.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.noted import note
from panel.accounts.throttle import Knock, give_back, is_known, knock, know_address, may_mail
from panel.families.guessing import FACTS_A_DAY, MOST_FACTS_A_DAY, wrong_facts
from panel.families.invitation_words import CODE_SUBJECT, code_words, folded, read_fact
from panel.families.reach import OwnChild, own_children
from panel.platform import outbox
from panel.platform.audit import Kind
from panel.platform.crypto import Keyring
from panel.platform.entries import Entry, begin, entry_of, go_on, leave
from panel.platform.ids import new_id
from panel.platform.problems import TooMany
from panel.platform.sessions import end_others
from panel.platform.tables import NOW, today_of
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.register.service import (
    CODE_LASTS,
    STEP,
    Fact,
    FamilyAccess,
    Message,
    address_index,
)

TRIES = 5
NOBODYS = UUID("00000000-0000-7000-8000-0000000000fa")
"""In whose name the same work is done where nobody is known: no row of theirs is ever kept."""
HELD_BACK = "From where you are, this was tried too many times."


def reference_of(typed: str) -> str:
    """A reference as it is kept, however it was typed: "k7qx m2pd" is "K7QX-M2PD"."""
    told = folded(typed).upper()
    return f"{told[:4]}-{told[4:]}"


def account_of(ring: Keyring, typed: str) -> str:
    """What tries are counted by: a keyed hash of what was typed."""
    said = typed.strip().casefold() if "@" in typed else folded(typed)
    return ring.index("family sign-in", said).hex()


# Asking for a code ------------------------------------------------------------------------------


async def ask_for_code(
    tenant: Tenant, typed: str, address: str, next_path: str, brought: str | None
) -> str:
    """Begin a way in, and send a code where somebody is known; returns the entry's cookie.

    Args: `brought` is the browser's cookie: a code that was sent to it a moment ago still works
    where no other may be sent now. Raises TooMany for whoever asks again and again from one place.
    """
    account = account_of(tenant.ring, typed)
    async with tenant.transaction(JOB) as session:
        counted = await knock(session, "family code asked", account, address)
        goes = await may_mail(session, account, address)
        found = await _known_by(session, tenant.ring, typed)
    if counted.held_back:
        raise TooMany(counted.held_back, HELD_BACK)
    children = await own_children(tenant, found or NOBODYS)
    async with tenant.transaction(JOB) as session:
        kept = None if brought is None else await entry_of(session, brought, session.info[NOW])
        if not goes and kept is not None and _still_works(kept, account, session.info[NOW]):
            return kept.token
        code, salt = f"{secrets.randbelow(1_000_000):06}", secrets.token_hex(16)
        was_put = await _put(session, found, code, known=bool(children), goes=goes)
        note(session, Kind.FAMILY_CODE_ASKED, found)
        now: datetime = session.info[NOW]
        facts = {
            "account": account,
            "person": str(found) if found is not None and was_put else None,
            "salt": salt,
            "code": code_mark(tenant.ring, salt, code),
            "until": (now + CODE_LASTS).isoformat(),
            "tries": 0,
        }
        if kept is not None:
            await leave(session, kept.token)
        return await begin(session, now, step=STEP, facts=facts, next_path=next_path)


def code_mark(ring: Keyring, salt: str, code: str) -> str:
    """All that is kept of a code."""
    return ring.index("family code", f"{salt}\0{code}").hex()


def _still_works(entry: Entry, account: str, now: datetime) -> bool:
    facts = entry.facts
    return (
        entry.step == STEP
        and facts["account"] == account
        and facts["tries"] < TRIES
        and datetime.fromisoformat(facts["until"]) > now
    )


async def _known_by(session: AsyncSession, ring: Keyring, typed: str) -> UUID | None:
    """Whose e-mail address or reference it is; nobody's, where two share the address."""
    rows = await session.execute(
        select(FamilyAccess.person_id)
        .where(
            FamilyAccess.withdrawn_at.is_(None),
            FamilyAccess.email_index == address_index(ring, typed)
            if "@" in typed
            else FamilyAccess.reference == reference_of(typed),
            # Of somebody who was erased nothing can be opened.
            text("EXISTS (SELECT FROM data_key k WHERE k.holder_id = person_id AND k.wrapped"
                 " IS NOT NULL)"),
        )
        .limit(2)
    )  # fmt: skip
    found = list(rows.scalars())
    return found[0] if len(found) == 1 else None


async def _put(
    session: AsyncSession, person: UUID | None, code: str, *, known: bool, goes: bool
) -> bool:
    """Put the code out, where there is somebody to send it to; the same is done and undone else."""
    access = await session.scalar(
        select(FamilyAccess).where(FamilyAccess.person_id == (person or NOBODYS))
    )
    await load_keys(session, {person or NOBODYS})
    email = "" if access is None else access.email
    is_time = access is not None and access.contact_from <= session.info[NOW]
    attempt = await session.begin_nested()
    await outbox.put(
        session,
        kind=Message.CODE,
        holder_id=person or NOBODYS,
        to_viewer_id=person or NOBODYS,
        address=email or "nobody@example.invalid",
        subject=CODE_SUBJECT,
        body=code_words(code),
        once=f"{Message.CODE} {new_id()}",
    )
    if person is not None and known and goes and is_time and email:
        await attempt.commit()
        return True
    await attempt.rollback()
    return False


# Using it ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed on the page of the code."""

    code: str
    fact: str
    invitation: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try; `person` is whoever is in now."""

    person: UUID | None = None
    next_path: str = ""
    is_over: bool = False
    """The code has had its tries, or there is none: another one is needed."""


async def try_code(tenant: Tenant, token: str, typed: Typed, address: str) -> Tried:
    """Let somebody in by what they typed, once. Raises TooMany.

    Which part was wrong is not told, and all of them are compared each time.
    """
    async with tenant.transaction(JOB) as session:
        entry = await entry_of(session, token, session.info[NOW])
        if entry is None or entry.step != STEP:
            return Tried(is_over=True)
        account = str(entry.facts["account"])
        counted = await knock(session, "family code", account, address)
        tries = int(entry.facts["tries"]) + 1
        await go_on(session, entry, STEP, {**entry.facts, "tries": tries})
    if counted.held_back:
        raise TooMany(counted.held_back, HELD_BACK)
    if tries > TRIES:
        return Tried(is_over=True)
    person = UUID(entry.facts["person"] or str(NOBODYS))
    children = await own_children(tenant, person)
    async with tenant.transaction(JOB) as session:
        came = Came(token, person, children, address, is_many=counted.wait > 0)
        is_in = await _is_right(session, tenant.ring, came, typed)
        if is_in:
            await _let_in(session, token, person, counted)
            for whose in (account, str(person)):
                await know_address(session, tenant.ring, whose, address, session.info[NOW])
        else:
            named = entry.facts["person"]
            note(
                session,
                Kind.SIGN_IN_REFUSED,
                None if named is None else UUID(named),
                way="family_code",
            )
    if is_in:
        return Tried(person, entry.next_path)
    return Tried(is_over=tries >= TRIES)


async def stays_in(tenant: Tenant, person: UUID) -> bool:
    """Whether somebody who was just let in still may be; else they are out again.

    Asked once their session is there: what ended their sign-in a moment before ended no session of
    theirs, and what ends it a moment later ends this one.
    """
    async with tenant.transaction(JOB) as session:
        found = await session.scalar(
            select(FamilyAccess.id).where(
                FamilyAccess.person_id == person,
                FamilyAccess.withdrawn_at.is_(None),
                FamilyAccess.invitation_mark.is_(None),
            )
        )
        if found is None:
            await end_others(session, person)
    return found is not None


async def _let_in(session: AsyncSession, token: str, person: UUID, counted: Knock) -> None:
    today = today_of(session)
    # Not through the row's version: whoever changes it at this moment is not in conflict with it.
    await session.execute(
        update(FamilyAccess)
        .where(FamilyAccess.person_id == person)
        .values(
            last_signed_in_on=today,
            first_used_on=text("COALESCE(first_used_on, :today)").bindparams(today=today),
            invitation_mark=None,
        )
        .execution_options(synchronize_session=False)
    )
    await leave(session, token)
    await give_back(session, counted)


@dataclass(frozen=True, slots=True)
class Came:
    """Who comes in, and from where."""

    token: str
    person: UUID
    children: Sequence[OwnChild]
    address: str
    is_many: bool
    """Strangers tried what was typed here many times in the last hour."""


async def _is_right(session: AsyncSession, ring: Keyring, came: Came, typed: Typed) -> bool:
    now: datetime = session.info[NOW]
    person, children = came.person, came.children
    # Taken again, and alone: used, ended or replaced meanwhile, it is nobody's code any more.
    entry = await entry_of(session, came.token, now)
    access = await session.scalar(
        select(FamilyAccess).where(FamilyAccess.person_id == person).with_for_update()
    )
    facts = _NOTHING if entry is None else entry.facts
    is_code = _is_code(ring, facts, typed.code, now)
    is_fact = _is_fact(ring, person, access, typed.fact, children)
    wrong = await wrong_facts(session, person, children, is_wrong=is_code and not is_fact)
    reference = account_of(ring, "" if access is None else access.reference)
    by_reference = compare_digest(reference, str(facts["account"]))
    return all(
        [
            is_code,
            is_fact,
            wrong < FACTS_A_DAY or by_reference,
            wrong < MOST_FACTS_A_DAY or await is_known(session, str(person), came.address),
            not came.is_many or by_reference,
            _is_invited(ring, person, access, typed.invitation, now),
            access is not None and access.withdrawn_at is None,
            bool(children),
        ]
    )


_NOTHING: Mapping[str, Any] = {
    "account": "",
    "salt": "",
    "code": "",
    "until": "2000-01-01T00:00:00+00:00",
}


def _is_code(ring: Keyring, facts: Mapping[str, Any], typed: str, now: datetime) -> bool:
    is_same = compare_digest(code_mark(ring, facts["salt"], folded(typed)), facts["code"])
    return is_same and datetime.fromisoformat(facts["until"]) > now


def fact_mark(ring: Keyring, person: UUID, fact: str) -> bytes:
    """What a fact is compared by."""
    return ring.index("family fact", f"{person}\0{fact}")


def _is_fact(
    ring: Keyring,
    person: UUID,
    access: FamilyAccess | None,
    typed: str,
    children: Sequence[OwnChild],
) -> bool:
    given = fact_mark(ring, person, read_fact(typed))
    word = (access.word_mark if access is not None else None) or b""
    dates = [fact_mark(ring, person, str(one.born)) for one in children if one.born is not None]
    is_word = compare_digest(given, word)
    # Each is compared, whether or not one before it was right.
    is_date = sum(compare_digest(given, one) for one in dates) > 0
    by_word = access is not None and access.fact == Fact.AGREED_WORD
    return is_word if by_word else is_date


def invitation_mark(ring: Keyring, person: UUID, code: str) -> bytes:
    """All that is kept of an invitation's code."""
    return ring.index("family invitation", f"{person}\0{folded(code)}")


def _is_invited(
    ring: Keyring, person: UUID, access: FamilyAccess | None, typed: str, now: datetime
) -> bool:
    given = invitation_mark(ring, person, typed)
    mark = (access.invitation_mark if access is not None else None) or b""
    is_same = compare_digest(given, mark)
    if access is None or access.invitation_mark is None:
        return access is not None
    return is_same and access.invitation_ends_at > now
