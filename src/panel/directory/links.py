"""Links by which a provider says itself how many of its places are free.

The link is made for one provider and sent by e-mail; only its hash is kept. It is good for some
weeks and as often as the provider likes, since places change every week; a new one ends the
earlier ones. Who has it sees what is published anyway, and changes two things of that provider's
services.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.directory.models import Provider, ProviderLink, Service
from panel.directory.rules import LINK_DAYS
from panel.directory.service import (
    NO_SERVICE,
    SaidPlaces,
    check_said,
    end_links,
    find_provider,
    say_places,
)
from panel.platform import outbox
from panel.platform.audit import Kind, record
from panel.platform.problems import Conflict, Gone, Invalid, NotFound
from panel.platform.sessions import token_hash
from panel.platform.tables import NOW, today_of
from panel.web.words import day_and_time

KIND = "provider_link"
NOT_KNOWN = "This link is not known here. Perhaps a part of it was lost on the way."
ASK_FOR_ANOTHER = "Ask whoever sent it at the council for a new one."


async def send_link(session: AsyncSession, provider_id: UUID, version: int, site_url: str) -> None:
    """A link to the provider's own e-mail address. Raises Conflict, Invalid, NotFound."""
    provider = await find_provider(session, provider_id)
    # Of two who send at once the second waits, and ends the link of the first.
    await session.refresh(provider, with_for_update=True)
    if provider.version != version:
        raise Conflict(())
    if not provider.email:
        raise Invalid.because("email", "Enter the provider’s e-mail address first")
    now: datetime = session.info[NOW]
    ends_at = now + timedelta(days=LINK_DAYS)
    await end_links(session, provider_id)
    token = secrets.token_urlsafe(32)
    link = ProviderLink(provider_id=provider_id, token_hash=token_hash(token), ends_at=ends_at)
    session.add(link)
    await outbox.put(
        session,
        kind=KIND,
        holder_id=provider_id,
        to_viewer_id=None,
        address=provider.email,
        subject="How many places are free?",
        body=(
            f"To {provider.name}\n\nPlease say how many places are free in your services, and"
            " whether one is closed for now. You need no account.\n\n"
            f"Open this link until {day_and_time(ends_at)}, as often as you like:\n"
            f"{site_url}/providers/{token}\n\n"
            "Whoever has this link can change what is said of your free places: send it to nobody"
            " else.\n"
        ),
        once=f"{KIND} {link.id}",
        facts={KIND: str(link.id)},
    )
    record(session, Kind.PROVIDER_LINK_SENT, subject=provider_id)
    await session.flush()


async def newest_link(session: AsyncSession, provider_id: UUID) -> ProviderLink | None:
    """The newest link of a provider, good or not."""
    found = await session.scalars(
        select(ProviderLink)
        .where(ProviderLink.provider_id == provider_id)
        .order_by(ProviderLink.created_at.desc(), ProviderLink.id.desc())
        .limit(1)
    )
    return found.one_or_none()


async def open_link(session: AsyncSession, token: str) -> tuple[ProviderLink, Provider]:
    """Whose link it is. Raises NotFound, and Gone where its time is over."""
    link = await session.scalar(
        select(ProviderLink).where(ProviderLink.token_hash == token_hash(token))
    )
    if link is None:
        raise NotFound(NOT_KNOWN, ASK_FOR_ANOTHER)
    if link.ends_at <= session.info[NOW]:
        raise Gone(f"This link was good until {day_and_time(link.ends_at)}.", ASK_FOR_ANOTHER)
    return link, await find_provider(session, link.provider_id)


async def own_service(session: AsyncSession, token: str, service_id: UUID) -> Service:
    """One service of whoever has this link. Raises NotFound for others', Gone."""
    _, provider = await open_link(session, token)
    service = await session.get(Service, service_id)
    if service is None or service.provider_id != provider.id:
        raise NotFound(NO_SERVICE, "Open your link again and choose from the list.")
    return service


async def check(
    session: AsyncSession, token: str, service_id: UUID, version: int, said: SaidPlaces
) -> Service:
    """What was said, before it is confirmed. Raises as `say`."""
    service = await own_service(session, token, service_id)
    if service.version != version:
        raise Conflict(())
    check_said(service, said, today_of(session))
    return service


async def say(
    session: AsyncSession, token: str, service_id: UUID, version: int, said: SaidPlaces
) -> None:
    """Keep what a provider says. Raises Conflict, Gone, Invalid, NotAllowed, NotFound."""
    link, provider = await open_link(session, token)
    await own_service(session, token, service_id)
    await say_places(session, service_id, version, said, provider.id)
    link.used_at = session.info[NOW]
    await session.flush()
