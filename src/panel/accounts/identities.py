"""Who a worker is at a provider: an invited worker is linked once, and known by subject from then.

Whoever is not expected is refused in the same words: a stranger learns nothing of who works here.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Worker, WorkerRole
from panel.accounts.people_joining import is_invited_no_more
from panel.accounts.people_reading import in_force
from panel.accounts.provider_models import WorkerIdentity
from panel.accounts.provider_notes import note
from panel.accounts.providers import VERIFIED, Provider, provider_named
from panel.accounts.service import email_index, worker_by_email
from panel.accounts.telling import tell_worker
from panel.platform.audit import Kind
from panel.platform.crypto import Keys
from panel.platform.database import NOBODY
from panel.platform.openid_tokens import LONGEST_SUBJECT, Proof
from panel.platform.problems import Invalid, Problem
from panel.platform.tables import KEYS, NOW, today_of
from panel.platform.tenancy import load_agency_keys
from panel.web.words import day_and_time

LINKED = "sign_in_linked"
"""The kind of the message that tells somebody so."""


class NotLetIn(Problem):
    """The provider knows them, and nobody here expects them: the same words for every reason."""

    def __init__(self) -> None:
        super().__init__(
            403,
            "You cannot be signed in",
            "This sign-in does not let you in to Panel.",
            "Ask an administrator of your agency to invite you, or to look at your account.",
        )


async def known_worker(session: AsyncSession, provider: Provider, proof: Proof) -> UUID | None:
    """The worker who is linked to a subject; None where nobody is. Raises NotLetIn.

    From the first sign-in on only issuer and subject count, whatever address the provider tells.
    """
    found = await session.scalar(
        select(WorkerIdentity).where(
            WorkerIdentity.issuer == proof.iss, WorkerIdentity.subject == proof.sub
        )
    )
    if found is None:
        return None
    worker = await session.get_one(Worker, found.worker_id)
    if found.provider_id != provider.id or not await _may_come_in(session, provider, worker):
        raise NotLetIn
    await session.execute(
        text("UPDATE worker_identity SET used_at = :now WHERE id = :id"),
        {"now": session.info[NOW], "id": found.id},
    )
    return worker.id


async def link_invited(
    session: AsyncSession, provider: Provider, proof: Proof, claims: Mapping[str, Any]
) -> UUID:
    """Link a subject to the invited worker whose address it proves, once. Raises NotLetIn."""
    keys: Keys = session.info[KEYS]
    email = trusted_email(provider, claims)
    if not email:
        raise NotLetIn
    # Locked: of two first sign-ins at once, the second finds the link of the first.
    worker = await session.scalar(
        select(Worker).where(Worker.email_index == email_index(keys.ring, email)).with_for_update()
    )
    if worker is None or not await _may_come_in(session, provider, worker):
        raise NotLetIn
    if await is_invited_no_more(session, worker.id):
        raise NotLetIn
    if (meanwhile := await known_worker(session, provider, proof)) is not None:
        return meanwhile
    await _keep(session, provider, worker, proof.sub)
    return worker.id


async def link_by_hand(session: AsyncSession, key: str, email: str, subject: str) -> None:
    """Link a worker with who they are at a provider that verifies no address. Raises Invalid."""
    provider = await provider_named(session, key)
    worker = await worker_by_email(session, email)
    if worker is None or not await _may_come_in(session, provider, worker):
        raise Invalid.because(
            "email", f"Nobody with this address has a role today at an agency of {provider.label}"
        )
    if not 0 < len(subject.strip()) <= LONGEST_SUBJECT:
        raise Invalid.because("subject", "Give what the provider calls them: sub in its tokens")
    others = await session.scalar(
        select(WorkerIdentity.id).where(
            WorkerIdentity.issuer == provider.client.issuer,
            WorkerIdentity.subject == subject.strip(),
        )
    )
    if others is not None:
        raise Invalid.because("subject", "Somebody is linked with this already")
    try:
        await _keep(session, provider, worker, subject.strip())
    except NotLetIn as error:
        raise Invalid.because(
            "email", "This worker is linked already: panel provider unlink ends that"
        ) from error


async def unlink(session: AsyncSession, key: str, email: str) -> None:
    """End a worker's link with a provider, and their sessions by one. Raises Invalid."""
    provider = await provider_named(session, key)
    worker = await worker_by_email(session, email)
    identity = await session.scalar(
        select(WorkerIdentity).where(
            WorkerIdentity.provider_id == provider.id,
            WorkerIdentity.worker_id == (NOBODY if worker is None else worker.id),
        )
    )
    if identity is None:
        raise Invalid.because("email", f"Nobody with this address is linked with {provider.label}")
    await session.delete(identity)
    await session.execute(
        text("DELETE FROM web_session WHERE way = 'provider' AND viewer_id = :worker"),
        {"worker": identity.worker_id},
    )
    note(session, Kind.IDENTITY_UNLINKED, provider.id, identity.worker_id)


async def _keep(session: AsyncSession, provider: Provider, worker: Worker, subject: str) -> None:
    """Keep who a worker is at a provider, and tell them. Raises NotLetIn where a link stands."""
    stands = await session.scalar(
        select(WorkerIdentity.id).where(
            WorkerIdentity.worker_id == worker.id, WorkerIdentity.provider_id == provider.id
        )
    )
    if stands is not None:
        raise NotLetIn
    now = session.info[NOW]
    identity = WorkerIdentity(
        worker_id=worker.id,
        provider_id=provider.id,
        issuer=provider.client.issuer,
        subject=subject,
        linked_at=now,
        used_at=now,
    )
    session.add(identity)
    await session.flush()
    note(session, Kind.IDENTITY_LINKED, provider.id, worker.id)
    await _tell_linked(session, provider, worker, identity)


async def _may_come_in(session: AsyncSession, provider: Provider, worker: Worker) -> bool:
    """Whether somebody works here today, with a role, at an agency of the provider's."""
    if worker.agency_id not in provider.agencies:
        return False
    today = today_of(session)
    found = await session.scalar(
        select(WorkerRole.id)
        .join(Worker, Worker.id == WorkerRole.worker_id)
        .where(Worker.id == worker.id, *in_force(Worker, today), *in_force(WorkerRole, today))
        .limit(1)
    )
    return found is not None


def trusted_email(provider: Provider, claims: Mapping[str, Any]) -> str:
    """The address that the provider answers for; "" where it answers for none.

    `email` counts where the provider says that it was verified; another claim as configured, for
    the tenant's own people and not for its guests, whose address another organisation gave them.
    """
    terms, issuer = provider.terms, provider.client.issuer
    email = claims.get(terms.claim)
    if not isinstance(email, str) or "@" not in email:
        return ""
    if terms.claim == VERIFIED:
        is_theirs = claims.get("email_verified") is True
    else:
        is_guest = claims.get("acct") in (1, "1") or claims.get("idp", issuer) != issuer
        is_theirs = not is_guest
    if not is_theirs:
        return ""
    domain = email.strip().lower().rpartition("@")[2]
    return email if not terms.domains or domain in terms.domains else ""


async def _tell_linked(
    session: AsyncSession, provider: Provider, worker: Worker, identity: WorkerIdentity
) -> None:
    await load_agency_keys(session, {worker.agency_id})
    await tell_worker(
        session,
        worker,
        kind=LINKED,
        subject="You can sign in to Panel another way",
        body=(
            f"On {day_and_time(session.info[NOW])} your account was linked with {provider.label}."
            f" From now on you can sign in with it.\n\nIf it was not you, tell an administrator of"
            " your agency at once.\n"
        ),
        once=f"{LINKED} {identity.id}",
    )
