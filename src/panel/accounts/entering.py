"""Signing in: what somebody claims, whether it is right, and that it is told to nobody else.

Each try is counted and committed before anything is compared, and nothing is hashed while a
transaction is open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.codes import step_of
from panel.accounts.models import Worker
from panel.accounts.noted import note
from panel.accounts.own_ways import (
    keep_hash,
    take_step,
    tell_once_a_day,
    use_recovery_code,
    worker_of,
)
from panel.accounts.passkeys import NotBelieved, Place, Purpose, taken_challenge, whose
from panel.accounts.passwords import Passwords
from panel.accounts.people_reading import in_force
from panel.accounts.service import email_index
from panel.accounts.sign_in_models import OwnPassword
from panel.accounts.throttle import give_back, knock, know_address
from panel.platform.audit import Kind
from panel.platform.clock import day_of
from panel.platform.database import NOBODY
from panel.platform.problems import TooMany
from panel.platform.tenancy import Tenant, load_agency_keys

SLOWED = (
    "Somebody tried many codes at this account, so codes are taken only where you signed in before."
    " A passkey or a recovery code signs you in now."
)
NEARLY = (
    "Somebody typed your password and then a wrong code, on a connection that you have not signed"
    " in from before. They were not let in. If it was not you, change your password."
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody who says who they are, between the first step and the second."""

    account: str
    """The blind index of the e-mail address, in hex."""
    worker_id: UUID | None
    right: bool
    """Whether the password was."""

    def facts(self) -> Mapping[str, Any]:
        """As an entry keeps it."""
        worker = None if self.worker_id is None else str(self.worker_id)
        return {"account": self.account, "worker": worker, "right": self.right}

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> "Claim":
        """As an entry kept it."""
        worker = facts["worker"]
        return cls(facts["account"], None if worker is None else UUID(worker), facts["right"])


async def try_password(
    tenant: Tenant, passwords: Passwords, email: str, password: str, address: str
) -> Claim | None:
    """Who it may be, for the second step; None where the password is not right and this is told.

    Raises TooMany. An account that is not there takes as long and answers as one that is.
    """
    account = email_index(tenant.ring, email)
    async with tenant.transaction() as session:
        counted = await knock(session, "password", account.hex(), address)
        worker_id, kept = await _kept_of(session, account, day_of(tenant.clock.now()))
    counted.go_on()
    right = await passwords.matches(kept, password)
    hashed = await passwords.hash(password) if right and passwords.is_old(kept) else ""
    async with tenant.transaction() as session:
        if right:
            await give_back(session, counted)
        else:
            note(session, Kind.SIGN_IN_REFUSED, worker_id, way="password")
        if hashed and worker_id is not None:
            await keep_hash(session, worker_id, hashed)
    if not right and not counted.wait:
        return None
    return Claim(account.hex(), worker_id, right)


async def try_code(tenant: Tenant, claim: Claim, typed: str, address: str) -> bool:
    """Whether the second step is right, and the first was: a code, or a recovery code, taken now.

    Raises TooMany.
    """
    now = tenant.clock.now()
    # After a wrong password the same is asked of nobody, who has no code: it takes about as long.
    who = claim.worker_id if claim.right and claim.worker_id is not None else NOBODY
    # What comes after a wrong password must not hold the owner's codes back. What is told of a
    # wrong code is told by what all tries came to: it would else tell whether the password was.
    async with tenant.transaction() as session:
        told = await knock(session, "guess", claim.account, address)
        counted = await knock(session, "code", claim.account, address) if claim.right else None
    if counted is not None:
        counted.go_on()
    slowed = counted is not None and counted.wait > 0
    async with tenant.transaction() as session:
        is_in = await _take_code(session, who, typed, now, slowed=slowed)
        if is_in:
            for one in (told, counted):
                if one is not None:
                    await give_back(session, one)
            await know_address(session, tenant.ring, claim.account, address, now)
        else:
            note(session, Kind.SIGN_IN_REFUSED, claim.worker_id, way="code")
    if not is_in:
        # As themselves: nobody else sees whether it was put out to them today.
        async with tenant.transaction(who) as session:
            if who != NOBODY:
                worker = await worker_of(session, who)
                await tell_once_a_day(session, worker, "wrong code", NEARLY)
    if not is_in:
        told.go_on()
        if wait := max(told.wait, 0 if counted is None else counted.wait):
            raise TooMany(wait, SLOWED)
    return is_in


async def whose_passkey(
    tenant: Tenant, token: str, purpose: Purpose, answer: str, place: Place, address: str
) -> UUID:
    """The worker whose passkey answered this browser. Raises NotBelieved."""
    now = tenant.clock.now()
    async with tenant.transaction() as session:
        challenge = await taken_challenge(session, token, purpose, now)
    async with tenant.transaction() as session:
        found = await whose(session, answer, challenge, place, now)
        worker = await session.scalar(
            select(Worker).where(Worker.id == found.worker_id, *in_force(Worker, day_of(now)))
        )
        if worker is None:
            raise NotBelieved
        await know_address(session, tenant.ring, worker.email_index.hex(), address, now)
        return worker.id


async def account_of(session: AsyncSession, worker_id: UUID) -> str:
    """What a worker's account is counted by."""
    return (await worker_of(session, worker_id)).email_index.hex()


async def _take_code(
    session: AsyncSession, worker_id: UUID, typed: str, now: datetime, *, slowed: bool
) -> bool:
    if await use_recovery_code(session, worker_id, typed, now):
        return True
    own = await session.scalar(select(OwnPassword).where(OwnPassword.worker_id == worker_id))
    if own is None or slowed:
        return False
    await load_agency_keys(session, {own.agency_id})
    step = step_of(own.secret, typed, now)
    return step is not None and await take_step(session, worker_id, step)


async def _kept_of(session: AsyncSession, account: bytes, today: date) -> tuple[UUID | None, str]:
    """A worker's id and the hash of their password; None and "" where there is none."""
    worker_id = await session.scalar(
        select(Worker.id).where(Worker.email_index == account, *in_force(Worker, today))
    )
    own = await session.scalar(
        select(OwnPassword).where(OwnPassword.worker_id == (worker_id or NOBODY))
    )
    if own is None:
        return worker_id, ""
    await load_agency_keys(session, {own.agency_id})
    return worker_id, own.password
