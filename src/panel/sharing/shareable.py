"""Whether anything of a child may be shared with a panel at all: what a pack would hold."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import (
    Basis,
    Category,
    Purpose,
    Relationship,
    Standpoint,
    State,
    Tie,
    Viewer,
    ViewerKind,
    decide_from,
    stand,
    unchanged_until,
)
from panel.platform.clock import day_of
from panel.platform.remembered import Remembered
from panel.platform.tables import NOW
from panel.records.gate import Found, Known, read_known
from panel.sharing.as_agency import as_agency
from panel.sharing.state import SharingFacts

SHARED = frozenset({Basis.AGREEMENT, Basis.DUTY, Basis.COURT_ORDER, Basis.SAFEGUARDING})
"""An agency's own record is not shared with it: it has it already."""


@dataclass(frozen=True, slots=True)
class PanelAgency:
    """A member agency as a viewer of its pack."""

    id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class Shareable:
    """Whether anything may be shared, and since when nothing may, where that is known."""

    anything: bool
    nothing_since: date | None = None


async def read_shared(session: AsyncSession, line: str, rest: str, **given: object) -> list[Found]:
    """A list's lines with each child's sharing facts, in one query; nothing is opened by it."""
    return await read_known(session, SharingFacts(), line, rest, given)


def pack_viewer(agency: PanelAgency) -> Viewer:
    """The agency as it looks at its pack."""
    return as_agency(agency, Tie.AGENDA).viewer


def pack_standpoint(state: State, agency: PanelAgency, at: datetime) -> Standpoint:
    """Where an agency stands to a child whom its pack covers."""
    return as_agency(agency, Tie.AGENDA).stands(at, state)


async def pack_standpoints(
    session: AsyncSession, children: Sequence[UUID], agency: PanelAgency, looking: UUID
) -> dict[UUID, Standpoint]:
    """Where an agency's pack stands, for each child that `looking` reaches; nothing is read."""
    known = await SharingFacts().known(session, children, Viewer(looking, ViewerKind.JOB))
    at: datetime = session.info[NOW]
    return {child: pack_standpoint(one.state, agency, at) for child, one in known.items()}


@dataclass(frozen=True, slots=True)
class AtTheTable:
    """Somebody at a panel's table: who looks, for which member agency, and whether they run it."""

    viewer: Viewer
    for_member: bool
    """Whether they look with their agency's pack."""
    runs: bool = False
    """Whether they coordinate or chair the panel."""

    @property
    def ties(self) -> tuple[Relationship, ...]:
        """How the table ties them to every child on the agenda; no other tie counts there."""
        pack = Relationship(Tie.AGENDA, self.viewer.agency or self.viewer.id)
        panel = Relationship(Tie.PANEL, self.viewer.id)
        return (*([pack] if self.for_member else []), *([panel] if self.runs else []))


async def table_standpoints(
    session: AsyncSession,
    children: Sequence[UUID],
    table: Collection[AtTheTable],
    looking: UUID,
) -> dict[UUID, tuple[Standpoint, ...]]:
    """Where each person at the table stands, for each child that `looking` reaches.

    What is kept from one of them by name is kept from the table; nothing is read.
    """
    known = await SharingFacts().known(session, children, Viewer(looking, ViewerKind.JOB))
    at: datetime = session.info[NOW]
    return {
        child: tuple(
            stand(one.viewer, Purpose.PANEL, at, replace(facts.state, relationships=one.ties))
            for one in table
        )
        for child, facts in known.items()
    }


async def kept_from_reader(
    session: AsyncSession, children: Sequence[UUID], agency: PanelAgency, reader: Viewer
) -> frozenset[UUID]:
    """The children of whom something is kept from one worker by name, and not from the agency.

    An agency's pack knows nothing of who reads it, who may be the father whom an address must not
    reach. For a transaction of the agency's.
    """
    known = await SharingFacts().known(session, children, pack_viewer(agency))
    at: datetime = session.info[NOW]
    return frozenset(
        child
        for child, one in known.items()
        if _bars(stand(reader, Purpose.PANEL, at, one.state))
        - _bars(pack_standpoint(one.state, agency, at))
    )


def _bars(standpoint: Standpoint) -> set[object]:
    return {*standpoint.forbidden, *standpoint.protected, *standpoint.refused}


def may_share_anything(state: State, agencies: Collection[PanelAgency], at: datetime) -> bool:
    """Whether any member agency's pack could hold anything that is not its own."""
    for agency in agencies:
        standpoint = pack_standpoint(state, agency, at)
        for category in Category:
            decision = decide_from(standpoint, category)
            if decision.permitted and decision.basis in SHARED:
                return True
    return False


def nothing_since(state: State, at: datetime) -> date | None:
    """The day on which the last agreement ended; None where there never was one."""
    ends = [
        day_of(one.withdrawn) if one.withdrawn is not None else one.span.end
        for one in state.agreements
        if one.given
    ]
    today = day_of(at)
    return max((end for end in ends if end is not None and end <= today), default=None)


_SHAREABLE: Remembered[Shareable] = Remembered(10_000)


def shareable(known: Known, agencies: tuple[PanelAgency, ...], at: datetime) -> Shareable:
    """Whether anything of the child may be shared with these agencies.

    A process fact: nothing of the record is read. It depends on the facts and the moment alone.
    """
    facts = (known.facts, agencies)
    kept = _SHAREABLE.get(facts, at)
    if kept is not None:
        return kept
    # The ties of whoever looks say nothing about what an agency's pack may hold.
    state = replace(known.state, relationships=())
    anything = may_share_anything(state, agencies, at)
    judged = Shareable(anything, None if anything else nothing_since(state, at))
    return _SHAREABLE.keep(facts, judged, at, unchanged_until(state, at))
