"""The authority's MESH mailbox, emptied into the inbox by scheduled work.

A message is acknowledged only once its bytes are kept: whoever dies in between is given it again,
and the inbox knows the same content.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType

import httpx
import structlog

from interop.mesh import Letter, Mailbox, MeshClient, MeshError
from panel.exchange.entering import Client
from panel.exchange.inbox_room import NoRoom
from panel.exchange.landing import Landing
from panel.exchange.standing import clients_by_mailbox
from panel.exchange.unknown_letters import list_unknown, unknown_letters
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

    What came from a mailbox that is none of our clients' stays there, and is listed.
    """
    async with tenant.transaction(JOB) as session:
        senders = await clients_by_mailbox(session)
        known = await unknown_letters(session)
    async with mailbox_of(settings, tenant.clock) as mailbox:
        emptied = await empty(mailbox, landing, senders, known)
    async with tenant.transaction(JOB) as session:
        await list_unknown(session, emptied.unknown)
    return emptied.came


@dataclass(frozen=True, slots=True)
class Emptied:
    """What became of what waited in a mailbox."""

    came: int
    unknown: Mapping[str, str]
    """Messages that stay, each with the mailbox that it came from."""


async def empty(
    mailbox: MeshClient,
    landing: Landing,
    senders: Mapping[str, Client],
    known: Mapping[str, str] = MappingProxyType({}),
) -> Emptied:
    """Keep what waits in a mailbox, one after the other, as its sender's.

    Args: clients by the mailbox that they send from; messages of which it was seen before whom
    they came from, and that were nobody's then.

    One that cannot be fetched, since it is too large or MESH has it no more, stays there and holds
    up none of the others; so does one of a mailbox that is nobody's, which is not acknowledged:
    MESH tells its sender, days later, that nobody took it. Raises MeshError; what was kept by then
    is kept.
    """
    came, unknown = 0, {}
    for message_id in await mailbox.waiting():
        if (seen := known.get(message_id)) is not None and seen not in senders:
            unknown[message_id] = seen
            continue
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
            await mailbox.acknowledge(message_id)
            continue
        sender = message.sender.upper()
        client = senders.get(sender)
        if client is None:
            log.warning("MESH message of nobody's mailbox", message=message_id, mailbox=sender)
            unknown[message_id] = sender
            continue
        try:
            await landing.receive(message.content, client)
        except NoRoom:
            # It stays in the mailbox until there is room; others' are taken meanwhile.
            log.warning("no room for a MESH message", report=message_id, client=client.key)
            continue
        came += 1
        await mailbox.acknowledge(message_id)
    return Emptied(came, unknown)
