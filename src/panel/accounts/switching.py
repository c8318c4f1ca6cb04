"""One person who works for several authorities goes from one to the other without signing in anew.

Each authority keeps its own account, session and audit log, and learns of the other no more than
that the same person has an account there. Who is the same person is known in two ways: both
accounts were signed in at the same provider as the same subject, or the person confirmed it while
signed in at both. A link goes once, within a minute, out of a session that goes on, and only in the
browser that asked for it. Why this is safe, and against whom, is in ADR 0056.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.desk import Desk, Site
from panel.accounts.models import Worker
from panel.accounts.noted import note
from panel.accounts.switching_models import WayBetween, WorkerElsewhere
from panel.accounts.way_in import let_in
from panel.platform.audit import Kind
from panel.platform.problems import NotAllowed, NotFound, NotSignedIn
from panel.platform.sessions import Way, token_hash
from panel.platform.tables import NOW, today_of
from panel.platform.tenancy import Tenant

SWITCH_LASTS = timedelta(seconds=60)
CONFIRM_LASTS = timedelta(minutes=10)
"""How long the way to confirm takes: the person shows at the other authority who they are."""
OVER = "This link was used, is over, or was made in another browser."
ADVICE = "Go back to the authority that you came from, and begin again there."
NOT_LINKED = "You have no account there that is known to be yours."


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another authority in which the person has an account."""

    authority: str
    label: str
    by_provider: bool
    """Whether it rests on the same sign-in at a provider, and not on their own confirmation."""


Sites = Mapping[str, Site]
"""Every authority that is served, by its host."""


def sites_of(desk: Desk) -> dict[str, Site]:
    """The other authorities that are served here, by name."""
    sites: Sites = desk.request.app.state.sites
    own = desk.tenant.record.name
    return {one.tenant.record.name: one for one in sites.values() if one.tenant.record.name != own}


def site_named(desk: Desk, authority: str) -> Site:
    """Another authority that is served here. Raises NotFound."""
    found = sites_of(desk).get(authority)
    if found is None:
        raise NotFound("There is no such authority here.")
    return found


def browser_hash(desk: Desk) -> bytes:
    """What the browser says it is, hashed: a link that was carried to another one is refused."""
    return sha256(desk.request.headers.get("user-agent", "").encode()).digest()


def _session_hash(desk: Desk) -> bytes:
    if desk.token is None or desk.who is None:
        raise NotSignedIn
    return token_hash(desk.token)


# Who is the same person ---------------------------------------------------------------------------

# As when they sign in there: a provider speaks for the workers of its agencies, and of no others.
_BELIEVED = (
    " FROM worker_identity i JOIN worker w ON w.id = i.worker_id JOIN sign_in_provider_agency a"
    " ON a.provider_id = i.provider_id AND a.agency_id = w.agency_id"
)
_SUBJECTS = text(f"SELECT i.issuer, i.subject{_BELIEVED} WHERE i.worker_id = :worker")
_SAME_SUBJECT = text(
    f"SELECT i.worker_id{_BELIEVED}"
    " WHERE i.issuer = :issuer AND i.subject = :subject"
    " AND (w.from_on IS NULL OR w.from_on <= :today)"
    " AND (w.until_on IS NULL OR w.until_on >= :today)"
)


async def same_by_provider(session: AsyncSession, there: Tenant, worker_id: UUID) -> UUID | None:
    """Who a worker is at another authority, by a provider's own subject; None where unknown."""
    subjects = list(await session.execute(_SUBJECTS, {"worker": worker_id}))
    async with there.transaction() as other:
        for row in subjects:
            found: UUID | None = await other.scalar(
                _SAME_SUBJECT,
                {"issuer": row.issuer, "subject": row.subject, "today": today_of(other)},
            )
            if found is not None:
                return found
    return None


async def same_by_own_word(
    session: AsyncSession, here: str, there: Tenant, worker_id: UUID
) -> UUID | None:
    """Who they confirmed to be there: only while both authorities still say so."""
    line = await _linked(session, worker_id, there.record.name)
    if line is None:
        return None
    async with there.transaction() as other:
        back = await _linked(other, line.their_id, here)
        if back is None or back.their_id != worker_id:
            return None
        return line.their_id if await _works(other, line.their_id) else None


async def _linked(session: AsyncSession, worker_id: UUID, authority: str) -> WorkerElsewhere | None:
    return await session.scalar(
        select(WorkerElsewhere).where(
            WorkerElsewhere.worker_id == worker_id,
            WorkerElsewhere.authority == authority,
            WorkerElsewhere.ended_at.is_(None),
        )
    )


async def _works(session: AsyncSession, worker_id: UUID) -> bool:
    worker = await session.get(Worker, worker_id)
    today = today_of(session)
    return (
        worker is not None
        and (worker.from_on is None or worker.from_on <= today)
        and (worker.until_on is None or worker.until_on >= today)
    )


async def _same(session: AsyncSession, desk: Desk, there: Tenant) -> tuple[UUID, bool] | None:
    """Who the person at the desk is there, and whether a provider says so."""
    worker_id = desk.viewer.id
    found = await same_by_provider(session, there, worker_id)
    if found is not None:
        return found, True
    found = await same_by_own_word(session, desk.tenant.record.name, there, worker_id)
    return None if found is None else (found, False)


async def elsewhere(desk: Desk) -> Sequence[Elsewhere]:
    """The other authorities in which the person at the desk has an account that is theirs."""
    lines = []
    async with desk.tenant.transaction(desk.viewer.id) as session:
        for name, site in sorted(sites_of(desk).items()):
            found = await _same(session, desk, site.tenant)
            if found is not None:
                lines.append(Elsewhere(name, site.tenant.record.label, found[1]))
    return lines


# Going there --------------------------------------------------------------------------------------


async def make_way(desk: Desk, authority: str) -> str:
    """A link's secret that leads the person at the desk to another authority once.

    Raises NotFound for an authority that is not served here, NotAllowed where no account there is
    known to be theirs.
    """
    site = site_named(desk, authority)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await _same(session, desk, site.tenant)
        if found is None:
            raise NotAllowed(NOT_LINKED, "Confirm first that both accounts are yours.")
        token = await _kept_way(desk, session, "switch", authority, SWITCH_LASTS, found[0])
        note(session, Kind.SWITCHED_AWAY, desk.viewer.id, to=authority)
    return token


async def _kept_way(
    desk: Desk,
    session: AsyncSession,
    step: str,
    authority: str,
    lasts: timedelta,
    their_id: UUID | None = None,
    answers: bytes | None = None,
) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        WayBetween(
            id=token_hash(token),
            step=step,
            worker_id=desk.viewer.id,
            authority=authority,
            their_id=their_id,
            session_hash=_session_hash(desk),
            browser_hash=browser_hash(desk),
            answers=answers,
            ends_at=session.info[NOW] + lasts,
        )
    )
    await session.flush()
    return token


class Used(NamedTuple):
    """What a link said that was used just now."""

    worker_id: UUID
    """Who made it, at the other authority."""
    their_id: UUID | None
    """Who they are here, as it was known there."""
    answers: bytes | None


_USED = text(
    "UPDATE way_between SET used_at = :now WHERE token_hash = :hash AND used_at IS NULL"
    " AND ends_at >= :now AND step = :step AND authority = :authority"
    " AND browser_hash = :browser"
    " RETURNING worker_id, their_id, session_hash, answers"
)


async def _use(desk: Desk, there: Tenant, step: str, token: str) -> Used:
    """What a link of another authority's says, which leads here. It works once.

    Raises NotAllowed in the same words for every reason: unknown, used, over, another browser's,
    another authority's, or out of a session that ended meanwhile.
    """
    async with there.transaction() as other:
        found = await other.execute(
            _USED,
            {
                "now": other.info[NOW],
                "hash": token_hash(token),
                "step": step,
                "authority": desk.tenant.record.name,
                "browser": browser_hash(desk),
            },
        )
        row = found.first()
        if row is None or not await _session_goes_on(other, row.session_hash, row.worker_id):
            raise NotAllowed(OVER, ADVICE)
    return Used(row.worker_id, row.their_id, row.answers)


async def _session_goes_on(session: AsyncSession, session_hash: bytes, worker_id: UUID) -> bool:
    found = await session.scalar(
        text(
            "SELECT 1 FROM web_session WHERE token_hash = :hash AND viewer_id = :worker"
            " AND viewer_kind = 'worker' AND ends_at > :now"
        ),
        {"hash": session_hash, "worker": worker_id, "now": session.info[NOW]},
    )
    return found is not None


async def come_in(desk: Desk, came_from: str, token: str) -> str:
    """Sign the person in here by a link of another authority's; the cookie's value.

    It is decided anew that it is the same person who works here today. What needs them to show who
    they are asks them again here. Raises NotAllowed, NotFound.
    """
    there = site_named(desk, came_from).tenant
    row = await _use(desk, there, "switch", token)
    here = desk.tenant
    async with there.transaction() as other:
        same = await same_by_provider(other, here, row.worker_id)
        if same is None:
            same = await same_by_own_word(other, there.record.name, here, row.worker_id)
    if same is None or same != row.their_id:
        raise NotAllowed(OVER, ADVICE)
    async with here.transaction() as session:
        note(session, Kind.SWITCHED_HERE, same, came_from=came_from)
        return await let_in(desk, session, same, "worker", Way.ELSEWHERE, is_shown=False)


# Confirming that two accounts are one person's ----------------------------------------------------


async def ask(desk: Desk, authority: str) -> str:
    """Begin to confirm, signed in here; the secret leads to the other authority's page."""
    site_named(desk, authority)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        return await _kept_way(desk, session, "ask", authority, CONFIRM_LASTS)


async def answer(desk: Desk, came_from: str, token: str) -> str:
    """Confirm, signed in here, what was begun there; the secret leads back to where it began.

    Nothing is linked yet: only the session that began can finish it, so that nobody is led into
    linking their account with a stranger's.
    """
    there = site_named(desk, came_from).tenant
    await _use(desk, there, "ask", token)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        return await _kept_way(
            desk, session, "answer", came_from, SWITCH_LASTS, answers=token_hash(token)
        )


async def finish(desk: Desk, came_from: str, token: str) -> None:
    """Link both accounts, back in the very session that began. Both logs know.

    Raises NotAllowed for another session than that, or an answer to something else.
    """
    here, there = desk.tenant, site_named(desk, came_from).tenant
    row = await _use(desk, there, "answer", token)
    async with here.transaction(desk.viewer.id) as session:
        began = await session.get(WayBetween, row.answers)
        if (
            began is None
            or began.step != "ask"
            or began.authority != came_from
            or began.worker_id != desk.viewer.id
            or began.session_hash != _session_hash(desk)
        ):
            raise NotAllowed(OVER, ADVICE)
        await _link(session, desk.viewer.id, came_from, row.worker_id)
    async with there.transaction(row.worker_id) as other:
        await _link(other, row.worker_id, here.record.name, desk.viewer.id)


async def _link(session: AsyncSession, worker_id: UUID, authority: str, their_id: UUID) -> None:
    before = await _linked(session, worker_id, authority)
    if before is not None and before.their_id == their_id:
        return
    if before is not None:
        before.ended_at = session.info[NOW]
        await session.flush()
    session.add(
        WorkerElsewhere(
            worker_id=worker_id,
            authority=authority,
            their_id=their_id,
            confirmed_at=session.info[NOW],
        )
    )
    note(session, Kind.ELSEWHERE_LINKED, worker_id, authority=authority)
    await session.flush()


async def unlink(desk: Desk, authority: str) -> None:
    """The accounts are no longer one person's way: from here alone is enough. Raises NotFound."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        line = await _linked(session, desk.viewer.id, authority)
        if line is None:
            raise NotFound("No account of yours there is linked.")
        line.ended_at = session.info[NOW]
        note(session, Kind.ELSEWHERE_ENDED, desk.viewer.id, authority=authority)


async def forget_ways(session: AsyncSession, now: datetime) -> None:
    """Links that are over are deleted."""
    await session.execute(text("DELETE FROM way_between WHERE ends_at < :now"), {"now": now})
