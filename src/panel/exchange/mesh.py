"""The authority's MESH mailbox, emptied into the inbox by scheduled work.

A message is acknowledged only once its bytes are kept: whoever dies in between is given it again,
and the inbox knows the same content.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import structlog

from interop.mesh import Letter, Mailbox, MeshClient, MeshError
from panel.exchange.entering import Client
from panel.exchange.landing import Landing
from panel.exchange.standing import client_by_key
from panel.platform.clock import Clock
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.settings import MeshSettings

log = structlog.get_logger()

REPORT = "REPORT"
ITS_OWN = frozenset({404, 410, 413})
"""Statuses that speak of one message, and not of MESH."""
WHOLE = 20.0
"""Seconds that sending a short message may take: less than it is put off for meanwhile."""


@asynccontextmanager
async def mailbox_of(settings: MeshSettings, clock: Clock) -> AsyncIterator[MeshClient]:
    """The mailbox that is set, with the client's certificate where there is one."""
    verify: ssl.SSLContext | bool = True
    if settings.certificate is not None:
        context = ssl.create_default_context(
            cafile=None if settings.authorities is None else str(settings.authorities)
        )
        context.load_cert_chain(settings.certificate)
        verify = context
    mailbox = Mailbox(settings.url, settings.mailbox, settings.password, settings.shared_key)
    async with httpx.AsyncClient(verify=verify) as http:
        yield MeshClient(http, mailbox, now=clock.now)


@dataclass(frozen=True, slots=True)
class SendsByMesh:
    """Sends from the mailbox that is set."""

    settings: MeshSettings
    clock: Clock

    async def __call__(self, letter: Letter) -> None:
        """Send one. Raises MeshError."""
        try:
            async with (
                asyncio.timeout(WHOLE),
                mailbox_of(self.settings, self.clock) as mailbox,
            ):
                await mailbox.send(letter)
        except TimeoutError as error:
            raise MeshError(0, "taking a message") from error


async def collect(tenant: Tenant, settings: MeshSettings, landing: Landing) -> int:
    """Empty the mailbox into the inbox; how many messages came.

    Nothing where the system as whose sending they land is not one of this authority's.
    """
    async with tenant.transaction(JOB) as session:
        client = await client_by_key(session, settings.lands_as)
    if client is None:
        return 0
    async with mailbox_of(settings, tenant.clock) as mailbox:
        return await empty(mailbox, landing, client)


async def empty(mailbox: MeshClient, landing: Landing, client: Client) -> int:
    """Keep what waits in a mailbox, one after the other; how many messages came.

    One that cannot be fetched, since it is too large or MESH has it no more, stays there and holds
    up none of the others. Raises MeshError; what was kept by then is kept.
    """
    came = 0
    for message_id in await mailbox.waiting():
        try:
            message = await mailbox.download(message_id)
        except MeshError as error:
            if error.status not in ITS_OWN:
                raise
            log.warning("MESH message not fetched", report=message_id, status=error.status)
            continue
        if message.kind == REPORT:
            # MESH says that one of ours was not delivered: it holds no record.
            log.warning("MESH did not deliver", message=message.local_id, report=message_id)
        else:
            await landing.receive(message.content, client)
            came += 1
        await mailbox.acknowledge(message_id)
    return came
