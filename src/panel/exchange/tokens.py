"""How a system is let in: its assertion is checked and taken once, and it is given a token.

The token lasts a few minutes and only its hash is kept; whatever it is used for, whether it may
still come in is asked again (`entering`). Source: SMART App Launch 2.2, Backend Services.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from interop.scopes import Scopes, read_scopes
from interop.signed import Key, NotBelieved
from interop.smart import Assertion, Claimed, Refused, checked, claimed, key_of
from panel.accounts.desk import Desk
from panel.accounts.models import Agency
from panel.accounts.providers import base_of
from panel.accounts.throttle import Knock, give_back, knock
from panel.exchange.models import ExchangeClient, ExchangeToken, UsedAssertion
from panel.platform.audit import Actor, ActorKind, Kind, record
from panel.platform.openid import NotReached
from panel.platform.sessions import token_hash

TOKENS = "/fhir/R4/auth/token"
REVOKED = "/fhir/R4/auth/revoke"
LASTS = timedelta(minutes=5)
KEPT = timedelta(days=30)
"""How long it is kept when a token was given, for whoever answers for the client."""


@dataclass(frozen=True, slots=True)
class AtTheDoor:
    """A client that may come in today, as it is registered."""

    id: UUID
    agency_id: UUID
    scopes: Scopes
    jwks: dict[str, Any] | None
    jwks_url: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A client that showed who it is."""

    client: AtTheDoor
    said: Assertion
    counted: Knock


@dataclass(frozen=True, slots=True)
class Given:
    """What a client was given to come in with."""

    token: str
    scopes: Scopes


def token_address(desk: Desk) -> str:
    """Where tokens are given: what an assertion has to be for."""
    return base_of(desk.tenant.record, desk.site.url) + TOKENS


async def show(desk: Desk, assertion: str) -> Shown:
    """See whether a client is who it says. Raises NotBelieved, Refused, TooMany.

    Each try is counted like one with a password. The assertion is not used up by this.
    """
    claim = claimed(assertion)
    async with desk.tenant.transaction() as session:
        counted = await knock(session, "client", claim.client, desk.address)
        client = await _at_the_door(session, claim.client, desk.today)
    counted.go_on()
    if client is None:
        raise NotBelieved("client")
    try:
        key = await _key(desk, claim, client)
        said = checked(assertion, claim, key, token_address(desk), desk.now)
    except NotReached as error:
        await note_refused(desk, client, "keys not reached")
        raise NotBelieved("keys") from error
    except NotBelieved as error:
        await note_refused(desk, client, error.why)
        raise
    return Shown(client, said, counted)


async def _key(desk: Desk, claim: Claimed, client: AtTheDoor) -> Key:
    found_in = partial(key_of, claim, jwks_url=client.jwks_url)
    if client.jwks_url is not None:
        return await desk.site.published.key_at(client.jwks_url, found_in, desk.now)
    key = found_in((client.jwks or {}).get("keys", ()))
    if key is None:
        raise NotBelieved("key")
    return key


async def _at_the_door(session: AsyncSession, key: str, day: date) -> AtTheDoor | None:
    found = await session.execute(
        select(ExchangeClient)
        .join(Agency, Agency.id == ExchangeClient.agency_id)
        .where(ExchangeClient.key == key, goes_on(day))
    )
    row = found.scalar_one_or_none()
    if row is None:
        return None
    return AtTheDoor(row.id, row.agency_id, read_scopes(row.scopes), row.jwks, row.jwks_url)


GOES_ON = (
    "exchange_client.from_on <= :day"
    " AND (exchange_client.ended_on IS NULL OR exchange_client.ended_on > :day)"
    " AND (agency.closed_on IS NULL OR agency.closed_on > :day)"
)
"""Whether a client may come in on a day: it has begun, and neither it nor its agency ended."""


def goes_on(day: date) -> TextClause:
    """The same of a query of SQLAlchemy's that has `exchange_client` and its `agency`."""
    return text(GOES_ON).bindparams(day=day)


async def give(desk: Desk, shown: Shown, asked: Scopes) -> Given:
    """A token for what is asked for and registered. Raises Refused for an assertion shown before.

    Nothing is given, and nothing used up, where none of what is asked for is registered.
    """
    scopes = asked.within(shown.client.scopes)
    given = Given(secrets.token_urlsafe(32), scopes)
    if not scopes:
        return given
    async with desk.tenant.transaction() as session:
        await _take_once(session, shown)
        await session.execute(
            insert(ExchangeToken).values(
                token_hash=token_hash(given.token),
                client_id=shown.client.id,
                scopes=list(scopes.listed()),
                made_at=desk.now,
                ends_at=desk.now + LASTS,
            )
        )
        _note(session, Kind.CLIENT_LET_IN, shown.client)
        await session.flush()
    return given


async def revoke_own(desk: Desk, shown: Shown, token: str) -> None:
    """End a token of the client's own; one that is not there, or another's, is as well ended.

    Raises Refused for an assertion that was shown before. Source: RFC 7009.
    """
    async with desk.tenant.transaction() as session:
        await _take_once(session, shown)
        await session.execute(
            update(ExchangeToken)
            .where(
                ExchangeToken.id == token_hash(token),
                ExchangeToken.client_id == shown.client.id,
                ExchangeToken.revoked_at.is_(None),
            )
            .values(revoked_at=desk.now)
        )
        _note(session, Kind.TOKENS_REVOKED, shown.client)
        await session.flush()


async def _take_once(session: AsyncSession, shown: Shown) -> None:
    # First of all, so that of two requests at once one waits for the other here.
    await give_back(session, shown.counted)
    ends_at = datetime.fromtimestamp(shown.said.remembered_until, UTC)
    jti = shown.said.jti.encode("utf-8", "surrogatepass")
    taken = await session.execute(
        insert(UsedAssertion)
        .values(client_id=shown.client.id, jti_hash=sha256(jti).digest(), ends_at=ends_at)
        .on_conflict_do_nothing()
        .returning(UsedAssertion.client_id)
    )
    if taken.first() is None:
        raise Refused("twice", "jti was used before: make a new assertion for each request")


async def note_refused(desk: Desk, client: AtTheDoor, why: str) -> None:
    """Write down that somebody came in a client's name and was not believed."""
    async with desk.tenant.transaction() as session:
        _note(session, Kind.CLIENT_REFUSED, client, why=why)
        await session.flush()


def _note(session: AsyncSession, what: Kind, client: AtTheDoor, **details: str) -> None:
    by = Actor(client.id, ActorKind.CLIENT, client.agency_id)
    record(session, what, by, subject=client.id, details=details)


async def forget_used(session: AsyncSession, now: datetime) -> None:
    """Drop assertions that are too old to be taken anyway, and tokens of long ago."""
    await session.execute(delete(UsedAssertion).where(UsedAssertion.ends_at < now))
    await session.execute(delete(ExchangeToken).where(ExchangeToken.ends_at < now - KEPT))
