"""Where what comes by other ways than a request lands: as if its sender had posted it."""

from typing import Protocol

from panel.exchange.entering import Client


class Landing(Protocol):
    """The inbox, as those who fetch things for it know it."""

    async def receive(self, content: bytes, client: Client) -> None:
        """Keep what came from a client, for good: committed when it returns.

        The same content again is the same; so whoever dies before they could say that it came
        gives it once more.
        """
        ...
