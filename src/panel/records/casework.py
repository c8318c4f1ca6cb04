"""What the accounts of workers must know of their cases: a port that `app` wires.

Accounts lie below every room with children in it, and still nobody may leave their children behind.
Counts alone come back, but for who may read the list: that goes through the gate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Viewer
from panel.records.gate import Gate, Purposes


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody who leaves: their last day, and whether nobody may wait for a better taker."""

    worker_id: UUID
    last_day: date
    for_safety: bool
    """At once for safety: what nobody else may take goes to any coordinator."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a worker holds, and who takes it on: counts alone."""

    plans: int
    actions: int
    plans_without: int
    """Plans that nobody is there to take on."""
    manager_id: UUID | None
    """The manager of the same agency who takes over; None where a coordinator does, or nobody."""


@dataclass(frozen=True, slots=True)
class HeldCase:
    """A child whose plan a worker holds, as one viewer may see it."""

    name: str
    reference: str
    href: str


@dataclass(frozen=True, slots=True)
class Seat:
    """A panel on which somebody may sit."""

    panel_id: UUID
    name: str


class Casework(Protocol):
    """What accounts ask of the rooms above them."""

    async def holdings(self, session: AsyncSession, leaver: Leaver) -> Holdings:
        """What a leaver holds. For scheduled work, which reaches every child."""
        ...

    async def hand_over(self, session: AsyncSession, leaver: Leaver) -> int:
        """Move what a leaver holds to whoever takes over; how many plans stay without anybody.

        For scheduled work. Changes nothing where a plan stays.
        """
        ...

    async def cases(
        self, gate: Gate, session: AsyncSession, viewer: Viewer, purposes: Purposes, worker: UUID
    ) -> Sequence[HeldCase]:
        """The cases that a worker leads, as far as the viewer reaches them; logged."""
        ...

    async def coordinator(
        self, session: AsyncSession, child: UUID, day: date, but_not: UUID
    ) -> UUID | None:
        """Who runs the panel that a child is before, and stays; None where there is nobody."""
        ...

    async def seats(self, session: AsyncSession) -> Sequence[Seat]:
        """The panels."""
        ...

    async def take_seat(self, session: AsyncSession, panel_id: UUID, agency_id: UUID) -> None:
        """Whose worker sits on a panel is a member of it."""
        ...


class NoCasework:
    """Where there are no cases yet."""

    async def holdings(self, _session: AsyncSession, _leaver: Leaver) -> Holdings:
        """Nothing."""
        return Holdings(0, 0, 0, None)

    async def hand_over(self, _session: AsyncSession, _leaver: Leaver) -> int:
        """Nothing stays."""
        return 0

    async def cases(
        self,
        _gate: Gate,
        _session: AsyncSession,
        _viewer: Viewer,
        _purposes: Purposes,
        _worker: UUID,
    ) -> Sequence[HeldCase]:
        """None."""
        return ()

    async def coordinator(
        self, _session: AsyncSession, _child: UUID, _day: date, _but_not: UUID
    ) -> UUID | None:
        """Nobody."""
        return None

    async def seats(self, _session: AsyncSession) -> Sequence[Seat]:
        """None."""
        return ()

    async def take_seat(self, _session: AsyncSession, _panel_id: UUID, _agency_id: UUID) -> None:
        """There is none to take."""
