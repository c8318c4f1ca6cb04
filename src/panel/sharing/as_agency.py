"""What an agency would see of a child: decided for whoever acts for it, whoever that is.

A team is made of workers, and a pack is the agency's own; one who runs a panel is a worker of it.
A computer system that the agency connects stands for the agency, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from consent import (
    Category,
    Decision,
    Purpose,
    Relationship,
    Role,
    Standpoint,
    State,
    Tie,
    Viewer,
    ViewerKind,
    stand,
)
from consent.decide import decide_all


class AnAgency(Protocol):
    """An agency as its kind and its id say it."""

    @property
    def id(self) -> UUID:
        """Its id."""
        ...

    @property
    def kind(self) -> str:
        """health, education, social_care, …"""
        ...


@dataclass(frozen=True, slots=True)
class _Look:
    kind: ViewerKind
    roles: frozenset[Role]
    purpose: Purpose


_LOOKS = {
    Tie.TEAM: _Look(ViewerKind.WORKER, frozenset({Role.PRACTITIONER}), Purpose.SUPPORT),
    Tie.AGENDA: _Look(ViewerKind.AGENCY, frozenset(), Purpose.PANEL),
    Tie.PANEL: _Look(ViewerKind.WORKER, frozenset({Role.COORDINATOR}), Purpose.PANEL),
    Tie.REQUEST: _Look(ViewerKind.WORKER, frozenset({Role.ALLOCATION_MEMBER}), Purpose.ALLOCATION),
    Tie.CLIENT: _Look(ViewerKind.CLIENT, frozenset(), Purpose.EXCHANGE),
}


@dataclass(frozen=True, slots=True)
class AsAgency:
    """Somebody of an agency who is tied to a child, or its pack, and what for."""

    viewer: Viewer
    tie: Relationship
    purpose: Purpose

    def stands(self, at: datetime, state: State) -> Standpoint:
        """Where they stand by these facts, whatever ties are among them."""
        return stand(self.viewer, self.purpose, at, self._tied(state))

    def would_see(self, at: datetime, state: State) -> Mapping[Category, Decision]:
        """The decision for every category by these facts."""
        return decide_all(self.viewer, self.purpose, at, self._tied(state))

    def _tied(self, state: State) -> State:
        return replace(state, relationships=(self.tie,))


def as_agency(
    agency: AnAgency, tie: Tie, purpose: Purpose | None = None, worker: UUID | None = None
) -> AsAgency:
    """The agency in a tie, for what the tie mostly serves or for another purpose of it.

    A worker who is named looks as themselves, since something may be kept from them by name; where
    none is, the agency stands for all of them. A pack is the agency's whoever asks.
    """
    look = _LOOKS[tie]
    who = worker if worker is not None and look.kind is ViewerKind.WORKER else agency.id
    return AsAgency(
        Viewer(who, look.kind, agency.id, agency.kind, look.roles),
        Relationship(tie, who),
        purpose or look.purpose,
    )
