"""Where what comes by other ways than a request lands: as if its sender had posted it."""

from dataclasses import dataclass
from typing import Protocol

from panel.exchange.entering import Client
from panel.exchange.inbox_receiving import Sending, receive
from panel.platform.tenancy import Tenant

FETCHED = "Fetched"
"""What stands for the request line of what nobody posted: nobody waits for an answer to it."""


class Landing(Protocol):
    """The inbox, as those who fetch things for it know it."""

    async def receive(self, content: bytes, client: Client) -> None:
        """Keep what came from a client, for good: committed when it returns.

        The same content again is the same; so whoever dies before they could say that it came
        gives it once more. Raises NoRoom where as much of the client's waits as may.
        """
        ...


@dataclass(frozen=True, slots=True)
class Inbox:
    """The inbox of an authority. What lands is taken in by scheduled work."""

    tenant: Tenant

    async def receive(self, content: bytes, client: Client) -> None:
        """Keep it; see `Landing`."""
        await receive(self.tenant, client, Sending(FETCHED, "", content))
