"""Who reads with a token instead of signing in: a port that `app` wires.

Systems come in by the exchange, and what they may read besides records stands in rooms beside it.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from panel.platform.problems import NotLetIn
from panel.platform.tenancy import Tenant


class Systems(Protocol):
    """Lets registered systems in."""

    async def reader(self, tenant: Tenant, authorization: Sequence[str], /) -> UUID:
        """The system that brings a token by which it may read published figures.

        `authorization`: the values of that header. Raises NotLetIn: 401 for a token that is not
        good, 403 for one that does not let it through.
        """
        ...


class NoSystems:
    """Where none comes in."""

    async def reader(self, _tenant: Tenant, _authorization: Sequence[str], /) -> UUID:
        """Nobody. Raises NotLetIn."""
        raise NotLetIn(401, "No system is let in here.", "Bearer")
