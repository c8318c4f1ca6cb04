"""Systems that are asked by schedule, as the information governance lead keeps them.

Our private key there is made here, sealed at once, and shown to nobody: only its public part is.
"""

from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from interop.client_tokens import SigningKey, public_set
from panel.accounts.models import Agency
from panel.exchange.models import ExchangeClient
from panel.exchange.telling_models import PullSource
from panel.platform.audit import Kind, record
from panel.platform.problems import Conflict, NotAllowed, NotFound
from panel.platform.tables import NOW, today_of
from panel.platform.tenancy import load_keys


@dataclass(frozen=True, slots=True)
class KnownPull:
    """A system that is asked, with the system and the agency as whose sending it lands."""

    row: PullSource
    lands_as: str
    agency: str
    is_over: bool
    """Whether the system as whose sending it lands was ended."""


_KNOWN = (
    select(PullSource, ExchangeClient.name, Agency.name, ExchangeClient.ended_on)
    .join(ExchangeClient, ExchangeClient.id == PullSource.client_id)
    .join(Agency, Agency.id == PullSource.agency_id)
)


async def all_pulls(session: AsyncSession) -> list[KnownPull]:
    """Every system that is asked or was, those that are asked still first."""
    found = await session.execute(
        _KNOWN.order_by(PullSource.ended_on.is_not(None), PullSource.base, PullSource.id)
    )
    return [KnownPull(row, name, agency, ended is not None) for row, name, agency, ended in found]


async def one_pull(session: AsyncSession, pull_id: UUID) -> KnownPull:
    """One of them. Raises NotFound."""
    found = (await session.execute(_KNOWN.where(PullSource.id == pull_id))).one_or_none()
    if found is None:
        raise NotFound("There is no such system.")
    row, name, agency, ended = found
    return KnownPull(row, name, agency, ended is not None)


async def public_key(session: AsyncSession, row: PullSource) -> str:
    """The public part of our key there, as the other system takes it (JWKS)."""
    await load_keys(session, {row.agency_id})
    key = SigningKey.from_jwk(msgspec.json.decode(row.signing_key))
    return msgspec.json.encode(public_set([key])).decode()


async def pause_pull(session: AsyncSession, pull_id: UUID, version: int) -> None:
    """It is not asked until it goes on. Raises NotFound, NotAllowed, Conflict."""
    row = await _open(session, pull_id, version)
    row.paused_at = session.info[NOW]
    record(session, Kind.PULL_PAUSED, subject=row.id)


async def resume_pull(session: AsyncSession, pull_id: UUID, version: int) -> None:
    """It is asked again, at once, for what changed since the last time. Raises as above."""
    row = await _open(session, pull_id, version)
    row.paused_at, row.next_at, row.tries = None, session.info[NOW], 0
    record(session, Kind.PULL_WENT_ON, subject=row.id)


async def remove_pull(session: AsyncSession, pull_id: UUID, version: int) -> None:
    """It is asked no more; what came stays. Raises as above."""
    row = await _open(session, pull_id, version)
    row.ended_on = today_of(session)
    # Our key there is good for nothing any more, and so is not kept.
    row.signing_key = ""
    record(session, Kind.PULL_REMOVED, subject=row.id)


async def _open(session: AsyncSession, pull_id: UUID, version: int) -> PullSource:
    row = await session.get(PullSource, pull_id, populate_existing=True, with_for_update=True)
    if row is None:
        raise NotFound("There is no such system.")
    if row.ended_on is not None:
        raise NotAllowed("This system is asked no more.", "Add it again to ask it again.")
    if row.version != version:
        raise Conflict(())
    await load_keys(session, {row.agency_id})
    return row
