"""Systems that are asked by schedule: what changed there since the last time lands in the inbox.

A page of what is found lands as a Bundle of its own, with the bytes of each resource as they came.
It is asked for a little more than the time since, and what came before is known by the inbox.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from interop.bundle import Shown, collection, instant
from interop.client import Again, Credentials, FhirClient, SigningKey
from interop.client_answers import (
    FhirError,
    NotAllowed,
    NotLetIn,
    NotReached,
    NotThere,
    NotUnderstood,
    Page,
    TooMuch,
)
from interop.scopes import wrong_scopes
from interop.served import SERVED
from panel.exchange.delivering import wait_before
from panel.exchange.entering import Client
from panel.exchange.inbox_room import NoRoom
from panel.exchange.landing import Landing
from panel.exchange.models import ExchangeClient
from panel.exchange.standing import client_by_id
from panel.exchange.telling_models import PullSource
from panel.platform.audit import Kind, record
from panel.platform.problems import FieldError, Invalid
from panel.platform.reaching import Reaching, is_sendable
from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB

ASKED_BACK = timedelta(minutes=10)
"""Clocks differ, and what is written there may be seen later than it says."""
AT_ONCE = "100"
"""Resources on a page."""
LEAST_MINUTES = 5
LASTS = 600.0
"""Seconds that one source is asked, page after page: other work waits meanwhile."""
TOO_LONG = "It had more than could be fetched in ten minutes. What came is kept."


@dataclass(frozen=True, slots=True)
class NewSource:
    """A system to ask."""

    lands_as: str
    """The key of the client as whose sending it lands."""
    base: str
    as_client: str
    scopes: tuple[str, ...]
    signing_key: bytes
    """Our private key there: a JWK."""
    types: tuple[str, ...]
    every_minutes: int
    token_address: str | None = None


async def add_source(session: AsyncSession, new: NewSource, *, is_demo: bool) -> PullSource:
    """Ask another system from now on. Raises Invalid."""
    client = await session.scalar(select(ExchangeClient).where(ExchangeClient.key == new.lands_as))
    mistakes = []
    if client is None:
        mistakes.append(FieldError("client", "There is no system of this key"))
    for name, address in (("base", new.base), ("token", new.token_address)):
        if address is not None and not is_sendable(address, to_this_machine=is_demo):
            mistakes.append(FieldError(name, "Enter a public address that begins with https://"))
    if new.every_minutes < LEAST_MINUTES:
        mistakes.append(FieldError("every", f"Ask every {LEAST_MINUTES} minutes or less often"))
    mistakes += _wrong_types(new.types)
    mistakes += [FieldError("scopes", sentence) for sentence in wrong_scopes(new.scopes)]
    if not new.as_client.strip():
        mistakes.append(FieldError("as_client", "Enter what we are called there"))
    try:
        SigningKey.from_jwk(msgspec.json.decode(new.signing_key, type=dict[str, object]))
    except (ValueError, msgspec.DecodeError):
        mistakes.append(FieldError("key", "Give a private key (JWK) with a kid: RSA, or EC P-384"))
    if mistakes or client is None:
        raise Invalid(tuple(mistakes))
    row = PullSource(
        client_id=client.id,
        agency_id=client.agency_id,
        base=new.base.rstrip("/"),
        token_address=new.token_address,
        as_client=new.as_client,
        scopes=list(new.scopes),
        types=list(new.types),
        every_minutes=new.every_minutes,
        next_at=session.info[NOW],
        tries=0,
    )
    row.signing_key = new.signing_key.decode()
    session.add(row)
    record(session, Kind.PULL_ADDED, subject=row.id, details={"base": row.base, "types": row.types})
    await session.flush()
    return row


def _wrong_types(types: Sequence[str]) -> list[FieldError]:
    if not types:
        return [FieldError("types", "Enter one type or more, for example CarePlan")]
    unknown = [one for one in types if (row := SERVED.get(one)) is None or not row.writable]
    return [FieldError("types", f"{one[:64]} is no type that is taken in here") for one in unknown]


@dataclass(frozen=True, slots=True)
class _Due:
    """A source that is asked now, out of its transaction."""

    id: UUID
    client: Client
    base: str
    credentials: Credentials
    types: tuple[str, ...]
    since: datetime | None
    now: datetime


async def pull_due(tenant: Tenant, reaching: Reaching, landing: Landing) -> int:
    """Ask every source that is due; how many were asked."""
    asked = 0
    while (due := await _taken(tenant)) is not None:
        await _settle(tenant, due, await _pull(due, reaching, landing))
        asked += 1
    return asked


async def _taken(tenant: Tenant) -> _Due | None:
    """A source that is due, put off until it comes back, or would be tried again."""
    async with tenant.transaction(JOB) as session:
        now: datetime = session.info[NOW]
        row = await session.scalar(
            select(PullSource)
            .where(
                PullSource.next_at <= now,
                PullSource.ended_on.is_(None),
                PullSource.paused_at.is_(None),
            )
            .order_by(PullSource.next_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None
        row.tries += 1
        row.next_at = now + timedelta(minutes=row.every_minutes) + wait_before(row.id, row.tries)
        client = await client_by_id(session, row.client_id)
        if client is None:
            row.ended_on = now.date()
            return None
        await load_keys(session, {row.agency_id})
        key = SigningKey.from_jwk(msgspec.json.decode(row.signing_key))
        credentials = Credentials(row.as_client, (key,), tuple(row.scopes), row.token_address)
        return _Due(row.id, client, row.base, credentials, tuple(row.types), row.looked_until, now)


@dataclass(slots=True)
class _Pulled:
    """What became of asking one source."""

    came: int = 0
    failure: str | None = None


async def _pull(due: _Due, reaching: Reaching, landing: Landing) -> _Pulled:
    """Ask for each type and land what comes."""
    pulled = _Pulled()
    try:
        await _fetch(due, reaching, landing, pulled)
    except (FhirError, NotReached, NotUnderstood) as error:
        pulled.failure = why(error)
    except NoRoom as full:
        pulled.failure = str(full)
    return pulled


async def _fetch(due: _Due, reaching: Reaching, landing: Landing, pulled: _Pulled) -> None:
    query = {"_count": AT_ONCE}
    if due.since is not None:
        query["_lastUpdated"] = f"ge{instant(due.since - ASKED_BACK)}"
    time = asyncio.get_running_loop().time
    until = time() + LASTS
    async with (
        reaching.client() as http,
        FhirClient(
            due.base,
            due.credentials,
            http=http,
            # It is asked again by schedule.
            again=Again(times=0),
            now=due.now.timestamp,
        ) as fhir,
    ):
        for type_ in due.types:
            async for page in fhir.pages(type_, query):
                if time() > until:
                    pulled.failure = TOO_LONG
                    return
                if page.matches:
                    await landing.receive(_as_bundle(page, due.base), due.client)
                    pulled.came += len(page.matches)


_WHY: Sequence[tuple[type[FhirError], str]] = (
    (NotLetIn, "It does not let us in. Ask whether it has our key, under the name we use there."),
    (NotAllowed, "It lets us in, and not to ask for this. Ask for wider scopes there."),
    (NotThere, "There is nothing at this address. Ask for the address of its FHIR server."),
    (TooMuch, "It is too busy, or closed: it answered with {status}."),
    (FhirError, "It answered with {status}, and gave nothing."),
)


def why(error: FhirError | NotReached | NotUnderstood) -> str:
    """Why a system did not give what it was asked for, in sentences without its own words."""
    if isinstance(error, NotReached):
        return f"It did not answer, or not in time ({error})."
    if isinstance(error, NotUnderstood):
        return "Its answer is no FHIR, is too large, or points to another server."
    sentence = next(said for kind, said in _WHY if isinstance(error, kind))
    return sentence.format(status=error.status)


def _as_bundle(page: Page, base: str) -> bytes:
    shown: Sequence[Shown] = [
        Shown(one.type, one.id, msgspec.Raw(one.body)) for one in (*page.matches, *page.included)
    ]
    return msgspec.json.encode(collection(shown, base))


async def _settle(tenant: Tenant, due: _Due, pulled: _Pulled) -> None:
    async with tenant.transaction(JOB) as session:
        row = await session.get_one(PullSource, due.id)
        row.asked_at, row.came, row.failure = due.now, pulled.came, pulled.failure
        if pulled.failure is None:
            row.tries, row.looked_until = 0, due.now
            row.next_at = due.now + timedelta(minutes=row.every_minutes)
