"""A client as it stands today, for what is done for it while it is not there."""

from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Viewer, ViewerKind
from interop.scopes import read_scopes
from panel.accounts.models import Agency
from panel.exchange.entering import Client
from panel.exchange.models import ExchangeClient
from panel.exchange.tokens import goes_on
from panel.platform.tables import today_of


async def client_by_id(session: AsyncSession, client_id: UUID) -> Client | None:
    """The client with all its scopes, while it and its agency go on."""
    return await _client(session, ExchangeClient.id == client_id)


async def client_by_key(session: AsyncSession, key: str) -> Client | None:
    """As `client_by_id`, by the name that it signs with."""
    return await _client(session, ExchangeClient.key == key)


async def clients_by_mailbox(session: AsyncSession) -> dict[str, Client]:
    """Those that go on and send from a mailbox of MESH, by that mailbox."""
    rows = await session.execute(_STANDING.where(goes_on(today_of(session))))
    return {
        mailbox: _as_client(client, kind)
        for client, kind in rows
        if (mailbox := client.mesh_mailbox) is not None
    }


async def _client(session: AsyncSession, which: ColumnElement[bool]) -> Client | None:
    found = await session.execute(_STANDING.where(which, goes_on(today_of(session))))
    row = found.one_or_none()
    return None if row is None else _as_client(*row)


_STANDING = select(ExchangeClient, Agency.kind).join(Agency, Agency.id == ExchangeClient.agency_id)


def _as_client(client: ExchangeClient, kind: str) -> Client:
    return Client(
        viewer=Viewer(client.id, ViewerKind.CLIENT, client.agency_id, kind),
        scopes=read_scopes(client.scopes),
        key=client.key,
        name=client.name,
    )
