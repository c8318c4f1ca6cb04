"""What requests must know of the services there are: a port that `app` wires."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class NamedService:
    """A service, and from and up to which age (whole years) it takes children."""

    id: UUID
    name: str
    least_age: int | None = None
    most_age: int | None = None


class Services(Protocol):
    """The directory, as far as requests need it."""

    async def choices(self, session: AsyncSession) -> Sequence[NamedService]:
        """The services that a request can ask for."""
        ...

    async def named(
        self, session: AsyncSession, ids: Sequence[UUID]
    ) -> Mapping[UUID, NamedService]:
        """Some services by id; an unknown one is left out."""
        ...


class NoServices:
    """Where there is no directory yet."""

    async def choices(self, _session: AsyncSession) -> Sequence[NamedService]:
        """None."""
        return ()

    async def named(
        self, _session: AsyncSession, _ids: Sequence[UUID]
    ) -> Mapping[UUID, NamedService]:
        """None."""
        return {}
