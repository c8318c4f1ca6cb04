"""How a worker signs in: what they chose, changing it, and starting anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import and_, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.codes import new_recovery_codes, recovery_hash
from panel.accounts.models import Agency, DemoPersona, Worker
from panel.accounts.noted import note
from panel.accounts.passkeys import passkeys_of
from panel.accounts.provider_models import SignInProviderAgency, WorkerIdentity
from panel.accounts.sign_in_models import OwnPassword, Passkey, RecoveryCode
from panel.accounts.telling import tell_worker
from panel.platform.audit import Kind
from panel.platform.crypto import Keys
from panel.platform.entries import end_entries
from panel.platform.ids import new_id
from panel.platform.problems import Invalid, NotFound
from panel.platform.sessions import end_links, end_others
from panel.platform.tables import KEYS, NOW, today_of
from panel.platform.tenancy import load_agency_keys
from panel.web.words import day_and_time

CHANGED = "sign_in_changed"
"""The kind of a message that tells somebody what became of how they sign in."""
LAST_WAY = (
    "This is the only way in that you have. Add another one first: a passkey, or a password with"
    " codes"
)


@dataclass(frozen=True, slots=True)
class Ways:
    """How somebody can sign in by themselves."""

    password: OwnPassword | None
    passkeys: Sequence[Passkey]
    recovery_left: int
    by_provider: bool
    """Whether an account elsewhere signs them in."""

    @property
    def any(self) -> bool:
        """Whether there is one at all."""
        return self.password is not None or bool(self.passkeys) or self.by_provider


async def worker_of(session: AsyncSession, worker_id: UUID) -> Worker:
    """A worker whose name and address can be read. Raises NotFound."""
    worker = await session.get(Worker, worker_id)
    if worker is None:
        raise NotFound
    await load_agency_keys(session, {worker.agency_id})
    return worker


async def ways_of(session: AsyncSession, worker_id: UUID) -> Ways:
    """How a worker can sign in."""
    password = await session.scalar(select(OwnPassword).where(OwnPassword.worker_id == worker_id))
    left = select(func.count()).where(
        RecoveryCode.worker_id == worker_id, RecoveryCode.used_at.is_(None)
    )
    keys = await passkeys_of(session, worker_id)
    if password is not None or keys:
        await worker_of(session, worker_id)
    # One that does not sign in the agency's people any more leads nobody in.
    linked = (
        select(WorkerIdentity.id)
        .join(Worker, Worker.id == WorkerIdentity.worker_id)
        .join(
            SignInProviderAgency,
            and_(
                SignInProviderAgency.provider_id == WorkerIdentity.provider_id,
                SignInProviderAgency.agency_id == Worker.agency_id,
            ),
        )
        .where(WorkerIdentity.worker_id == worker_id)
        .limit(1)
    )
    by_provider = await session.scalar(linked) is not None
    return Ways(password, keys, await session.scalar(left) or 0, by_provider)


async def has_ways(session: AsyncSession, worker_id: UUID) -> bool:
    """Whether a worker can sign in by themselves."""
    found = await session.scalar(
        text(
            "SELECT EXISTS (SELECT FROM own_password WHERE worker_id = :worker)"
            " OR EXISTS (SELECT FROM passkey WHERE worker_id = :worker)"
            " OR EXISTS (SELECT FROM worker_identity WHERE worker_id = :worker)"
        ),
        {"worker": worker_id},
    )
    return bool(found)


async def is_invented(session: AsyncSession, viewer_id: UUID) -> bool:
    """Whether this is one of the demonstration's people."""
    found = select(DemoPersona.id).where(DemoPersona.viewer_id == viewer_id)
    return await session.scalar(found) is not None


async def words_about(session: AsyncSession, worker: Worker) -> Sequence[str]:
    """What is known of a person, which their password must not contain."""
    agency = await session.get_one(Agency, worker.agency_id)
    return (worker.name, worker.email.partition("@")[0], worker.email, agency.name)


async def set_two_steps(
    session: AsyncSession, worker: Worker, *, hashed: str, secret: str, taken_step: int
) -> None:
    """A password and the secret of its codes, in place of what there was."""
    own = await session.scalar(select(OwnPassword).where(OwnPassword.worker_id == worker.id))
    if own is None:
        own = OwnPassword(worker_id=worker.id, agency_id=worker.agency_id)
        session.add(own)
    own.password, own.secret, own.taken_step = hashed, secret, taken_step
    await session.flush()
    await end_entries(session, worker.id)
    note(session, Kind.TWO_STEPS_SET, worker.id)
    await tell(session, worker, "A password with codes was set for you.")


async def change_password(session: AsyncSession, worker: Worker, hashed: str) -> None:
    """Another password, with the codes that there are."""
    own = (await ways_of(session, worker.id)).password
    if own is None:
        raise NotFound("You have no password.", "Set one on the page that says how you sign in.")
    own.password = hashed
    await session.flush()
    await end_entries(session, worker.id)
    note(session, Kind.TWO_STEPS_SET, worker.id)
    await tell(session, worker, "Your password was changed. You were signed out everywhere else.")


async def keep_hash(session: AsyncSession, worker_id: UUID, hashed: str) -> None:
    """The same password, hashed with today's parameters."""
    own = (await ways_of(session, worker_id)).password
    if own is not None:
        own.password = hashed


async def remove_two_steps(session: AsyncSession, worker: Worker) -> None:
    """No password any more, nor codes. Raises Invalid where it is the last way in."""
    ways = await _ways_to_take_from(session, worker)
    if not ways.passkeys and not ways.by_provider:
        raise Invalid.because("", LAST_WAY)
    await session.execute(delete(OwnPassword).where(OwnPassword.worker_id == worker.id))
    await session.execute(delete(RecoveryCode).where(RecoveryCode.worker_id == worker.id))
    note(session, Kind.TWO_STEPS_REMOVED, worker.id)
    await tell(session, worker, "Your password and its codes were removed.")


async def make_recovery_codes(session: AsyncSession, worker: Worker) -> list[str]:
    """Ten new codes, to be shown once; those that there were are void."""
    ring = cast("Keys", session.info[KEYS]).ring
    codes = new_recovery_codes()
    await session.execute(delete(RecoveryCode).where(RecoveryCode.worker_id == worker.id))
    session.add_all(
        RecoveryCode(id=recovery_hash(ring, worker.id, code), worker_id=worker.id) for code in codes
    )
    await session.flush()
    note(session, Kind.RECOVERY_CODES_MADE, worker.id)
    await tell(session, worker, "New recovery codes were made. The old ones do not work any more.")
    return codes


async def use_recovery_code(
    session: AsyncSession, worker_id: UUID, typed: str, now: datetime
) -> bool:
    """Whether it is a recovery code of theirs; it is not any more."""
    ring = cast("Keys", session.info[KEYS]).ring
    used = await session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.id == recovery_hash(ring, worker_id, typed),
            RecoveryCode.worker_id == worker_id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.worker_id)
    )
    if used is None:
        return False
    worker = await worker_of(session, worker_id)
    note(session, Kind.RECOVERY_CODE_USED, worker_id)
    await tell(session, worker, "One of your recovery codes was used.")
    return True


async def take_step(session: AsyncSession, worker_id: UUID, step: int) -> bool:
    """Take the code of a step of time; False where it, or a newer one, was taken already."""
    taken = await session.scalar(
        update(OwnPassword)
        .where(OwnPassword.worker_id == worker_id, OwnPassword.taken_step < step)
        .values(taken_step=step)
        .returning(OwnPassword.id)
    )
    return taken is not None


async def add_passkey(session: AsyncSession, worker: Worker, passkey: Passkey) -> None:
    """Another passkey. Raises Invalid for one that signs somebody in already."""
    same = select(Passkey.id).where(Passkey.credential_id == passkey.credential_id)
    if await session.scalar(same) is not None:
        raise Invalid.because("name", "This passkey is there already")
    session.add(passkey)
    await session.flush()
    note(session, Kind.PASSKEY_ADDED, worker.id)
    await tell(session, worker, "A passkey was added.")


async def remove_passkey(session: AsyncSession, worker: Worker, passkey_id: UUID) -> None:
    """One passkey less. Raises NotFound; Invalid where it is the last way in."""
    ways = await _ways_to_take_from(session, worker)
    found = next((one for one in ways.passkeys if one.id == passkey_id), None)
    if found is None:
        raise NotFound
    if ways.password is None and len(ways.passkeys) == 1 and not ways.by_provider:
        raise Invalid.because("", LAST_WAY)
    await session.delete(found)
    note(session, Kind.PASSKEY_REMOVED, worker.id)
    await tell(session, worker, "A passkey was removed.")


async def end_ways_in(session: AsyncSession, worker_id: UUID) -> None:
    """Everything that signs somebody in, or keeps them signed in, is gone when this commits.

    The one place: whatever way in is added has its end here.
    """
    for way in (OwnPassword, RecoveryCode, Passkey, WorkerIdentity):
        await session.execute(delete(way).where(way.worker_id == worker_id))
    await end_links(session, worker_id)
    await end_others(session, worker_id)
    await end_entries(session, worker_id)


async def start_anew(session: AsyncSession, worker: Worker) -> None:
    """Every way in, every session and every unused link of a worker ends."""
    await end_ways_in(session, worker.id)
    note(session, Kind.STARTED_ANEW, worker.id)
    await tell(
        session,
        worker,
        "An administrator of your agency made a link by which you choose anew how you sign in; it"
        " comes in an e-mail of its own, to nobody but you. What you used before does not work any"
        " more, and you were signed out everywhere.",
    )


async def _ways_to_take_from(session: AsyncSession, worker: Worker) -> Ways:
    """A worker's ways in, for whoever takes one away: two at once would both leave the other's."""
    await _alone(session, worker)
    return await ways_of(session, worker.id)


async def _alone(session: AsyncSession, worker: Worker) -> None:
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:worker, 2))"),
        {"worker": str(worker.id)},
    )


async def tell(session: AsyncSession, worker: Worker, what: str) -> None:
    """Tell somebody by e-mail what became of how they sign in."""
    await _put(session, worker, what, str(new_id()))


async def tell_once_a_day(session: AsyncSession, worker: Worker, about: str, what: str) -> None:
    """Tell somebody by e-mail what others can bring about many times in an hour."""
    await _alone(session, worker)
    await _put(session, worker, what, f"{about} {worker.id} {today_of(session)}")


async def _put(session: AsyncSession, worker: Worker, what: str, once: str) -> None:
    now: datetime = session.info[NOW]
    await tell_worker(
        session,
        worker,
        kind=CHANGED,
        subject="How you sign in to Panel",
        body=(
            f"{what}\n\nThis was on {day_and_time(now)}.\n\nIf it was not you, tell your"
            " administrator at once: they can end every way in and make you a new one.\n"
        ),
        once=f"{CHANGED} {once}",
    )
