"""A child's transitions: read and prepared through the gate, each with a plan and an owner.

What is found from dates is put on the list by the nightly watch (`casework.watch`); what no date
tells of is written down by a worker of the team. Source: DOMAIN.md, "Transitions to watch".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select

from consent import Category
from panel.casework.models import Transition
from panel.casework.transition_rules import (
    KIND_WORDS,
    NOBODY_RECEIVES,
    OPEN,
    STATE_WORDS,
    WRITTEN_DOWN,
    TransitionKind,
    category_of,
    watch_from,
)
from panel.plans.service import candidates
from panel.platform.problems import Clash, Conflict, Invalid, NotAllowed, NotFound
from panel.platform.read_models import ReadModel
from panel.platform.tenancy import load_keys
from panel.records.dates import birthday, months_after
from panel.records.gate import Access, Withheld
from panel.register.models import Child

ENDS_AT = 25
"""The age on which nobody plans for a child any more: a transition after it is a mistake."""
FURTHEST_BACK = timedelta(days=366)


A_WORKER = "A worker"
"""Who prepares a change, where the name is withheld."""


@dataclass(frozen=True, slots=True)
class Who:
    """A worker who is named: the name as it reads, and the agency."""

    id: UUID
    name: str
    agency: str


@dataclass(frozen=True, slots=True)
class TransitionReading:
    """One transition as the viewer reads it. Texts are empty where there are none."""

    id: UUID
    kind: TransitionKind
    watch_from: date
    due_on: date
    found: bool
    state: str
    owner: Who | None
    receiving_id: UUID | None
    receiving: str
    handed_on: date | None
    plan: str | None
    """None where it is withheld, as of the reason."""
    reason: str | None
    version: int

    @property
    def is_open(self) -> bool:
        """Whether it is still to happen."""
        return self.state in OPEN


class _Owner(msgspec.Struct):
    id: UUID
    agency_id: UUID
    agency: str
    name: str | None


class _Fact(msgspec.Struct):
    id: UUID
    kind: TransitionKind
    watch_from: date
    due_on: date
    found: bool
    state: str
    owner: _Owner | None
    receiving_id: UUID | None
    receiving: str | None
    author_agency_id: UUID | None
    handed_on: date | None
    plan: str | None
    reason: str | None
    version: int


_OF_CHILD: ReadModel[_Fact] = ReadModel(
    """
SELECT json_build_object('id', t.id, 'kind', t.kind, 'watch_from', t.watch_from,
  'due_on', t.due_on, 'found', t.found, 'state', t.state, 'receiving_id', r.id,
  'receiving', r.name, 'author_agency_id', t.author_agency_id, 'handed_on', t.handed_on,
  'plan', encode(t.plan, 'hex'),
  'reason', encode(t.reason, 'hex'), 'version', t.version,
  'owner', CASE WHEN w.id IS NOT NULL THEN json_build_object('id', w.id,
     'agency_id', g.id, 'agency', g.name, 'name', encode(w.name, 'hex')) END)::text
FROM transition t LEFT JOIN worker w ON w.id = t.owner_worker_id
LEFT JOIN agency g ON g.id = w.agency_id LEFT JOIN agency r ON r.id = t.receiving_agency_id
WHERE t.child_id = :child ORDER BY t.due_on, t.kind, t.id
""",
    _Fact,
)


@dataclass(frozen=True, slots=True)
class Transitions:
    """A child's transitions that may be seen, the soonest first; and why others are not."""

    shown: Sequence[TransitionReading]
    withheld: Sequence[Withheld]


async def transitions_of(access: Access) -> Transitions:
    """Every transition, each by what it tells of the child and by its author."""
    facts = await _OF_CHILD.lines(access.session, child=access.child_id)
    await load_keys(access.session, {one.owner.agency_id for one in facts if one.owner})
    shown: list[TransitionReading] = []
    withheld: set[Category] = set()
    for one in facts:
        decision = access.decision(category_of(one.kind), one.author_agency_id)
        if decision.permitted:
            shown.append(_reading(access, one))
        elif not decision.silent:
            withheld.add(category_of(one.kind))
    return Transitions(shown, access.withheld_of(withheld))


def _reading(access: Access, one: _Fact) -> TransitionReading:
    def opened(column: str, sealed: str | None) -> str | None:
        field = f"transition.{column}"
        if sealed is None:
            return ""
        return access.open_text(sealed, field, one.id, Category.PLAN, one.author_agency_id)

    return TransitionReading(
        id=one.id,
        kind=one.kind,
        watch_from=one.watch_from,
        due_on=one.due_on,
        found=one.found,
        state=one.state,
        owner=_who(access, one.owner),
        receiving_id=one.receiving_id,
        receiving=one.receiving or "",
        handed_on=one.handed_on,
        plan=opened("plan", one.plan),
        reason=opened("reason", one.reason),
        version=one.version,
    )


def _who(access: Access, owner: _Owner | None) -> Who | None:
    if owner is None:
        return None
    name = ""
    if owner.name is not None and access.may(Category.NETWORK, owner.agency_id):
        sealed = bytes.fromhex(owner.name)
        name = access.keys.open(owner.agency_id, "worker.name", owner.id, sealed)
    return Who(owner.id, name or A_WORKER, owner.agency)


async def transition_of(access: Access, transition_id: UUID) -> TransitionReading:
    """One of them. Raises NotFound where the child has no such one, or it is not shown."""
    found = await transitions_of(access)
    for one in found.shown:
        if one.id == transition_id:
            return one
    raise NotFound("There is no such change.", "Go back to the child’s changes.")


# Writing ------------------------------------------------------------------------------------------


async def write_down(access: Access, kind: TransitionKind, due_on: date) -> Transition:
    """A worker says that a change is coming which no birth date tells of.

    Raises Invalid for one that the watch finds by itself, that is there already, is long over,
    or comes after the 25th birthday.
    """
    access.require_write()
    if kind not in WRITTEN_DOWN:
        raise Invalid.because("kind", "Panel finds this change from the date of birth by itself")
    if due_on < access.today - FURTHEST_BACK:
        raise Invalid.because("due_on", "This day is more than a year ago. Check the date")
    born = await _born(access)
    if born is not None and due_on >= birthday(born, ENDS_AT):
        raise Invalid.because("due_on", "This day is after the 25th birthday. Check the date")
    if born is None and due_on > months_after(access.today, 12 * ENDS_AT):
        raise Invalid.because("due_on", "This day is more than 25 years away. Check the date")
    same = await access.session.scalar(
        select(Transition).where(
            Transition.child_id == access.child_id,
            Transition.kind == kind.value,
            Transition.due_on == due_on,
        )
    )
    if same is not None:
        raise Invalid.because("kind", "This change is on the list already, on this day")
    row = Transition(
        child_id=access.child_id,
        author_agency_id=access.viewer.agency,
        kind=kind.value,
        watch_from=min(watch_from(kind, due_on), access.today),
        due_on=due_on,
    )
    access.session.add(row)
    await access.session.flush()
    return row


async def _born(access: Access) -> date | None:
    return await access.session.scalar(select(Child.birth_date).where(Child.id == access.child_id))


@dataclass(frozen=True, slots=True)
class Preparing:
    """Who prepares it, who takes the child on, and how."""

    owner_worker_id: UUID | None
    receiving_agency_id: UUID | None
    plan: str


async def prepare(access: Access, transition_id: UUID, version: int, said: Preparing) -> Transition:
    """Name who prepares a change, who receives the child, and the plan: from then on it is planned.

    Raises Invalid where nobody is named to prepare it, or the owner does not work with the child.
    """
    row = await _open_row(access, transition_id, version, said.plan)
    if said.owner_worker_id is None:
        raise Invalid.because("owner_worker_id", "Choose who prepares this change")
    if said.owner_worker_id != row.owner_worker_id:
        people = await candidates(access)
        chosen = next((one for one in people if one.worker_id == said.owner_worker_id), None)
        if chosen is None:
            raise Invalid.because(
                "owner_worker_id", "Choose a worker of an agency that is involved with the child"
            )
        if chosen.leaves_on is not None and chosen.leaves_on < row.due_on:
            raise Invalid.because(
                "owner_worker_id", "This worker leaves before the day. Choose somebody else"
            )
    row.owner_worker_id = said.owner_worker_id
    row.receiving_agency_id = said.receiving_agency_id
    row.plan = said.plan
    row.author_agency_id = row.author_agency_id or access.viewer.agency
    if row.state == "watched":
        row.state = "planned"
    await access.session.flush()
    return row


async def hand_over(access: Access, transition_id: UUID, version: int) -> Transition:
    """The receiving agency has taken the child on. Raises Invalid where none is named."""
    row = await _open_row(access, transition_id, version, "")
    nobody_receives = TransitionKind(row.kind) in NOBODY_RECEIVES
    if row.receiving_agency_id is None and not nobody_receives:
        raise Invalid.because(
            "receiving_agency_id", "Name the agency that takes the child on, then hand over"
        )
    if row.owner_worker_id is None:
        raise Invalid.because("owner_worker_id", "Choose who prepares this change, then hand over")
    row.state, row.handed_on = "handed", access.today
    await access.session.flush()
    return row


async def finish(
    access: Access, transition_id: UUID, version: int, state: str, reason: str
) -> Transition:
    """It is done, or it needs no preparing: for that, a reason.

    Raises Invalid for a reason that is missing, and for what is said to be done before its day.
    """
    row = await _open_row(access, transition_id, version, reason)
    if state == "not_needed" and not reason.strip():
        raise Invalid.because("reason", "Enter why nobody needs to prepare it")
    if state == "done" and row.due_on > access.today and row.state != "handed":
        raise Invalid.because(
            "state", "It has not happened yet. Hand it over first, or wait for the day"
        )
    row.state, row.ended_on, row.reason = state, access.today, reason
    await access.session.flush()
    return row


async def _open_row(access: Access, transition_id: UUID, version: int, typed: str) -> Transition:
    """The row that somebody is about to change. Raises NotFound, Conflict, Invalid."""
    access.require_write()
    reading = await transition_of(access, transition_id)
    if reading.plan is None:
        raise NotAllowed("You cannot see the plan for this change, so you cannot change it.")
    row = await access.session.get_one(Transition, transition_id)
    if row.version != version:
        now = f"{STATE_WORDS[row.state]}. {reading.plan or ''}".strip()
        raise Conflict((Clash(KIND_WORDS[reading.kind], typed or "Your change", now),))
    if row.state not in OPEN:
        raise Invalid.because("state", "This change is over, so nothing of it can be changed")
    return row


# For the family -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ComingForFamily:
    """A change that comes, as one of the family reads it: who prepares it, who takes over."""

    kind: TransitionKind
    due_on: date
    owner: Who | None
    receiving: str
    state: str


async def coming_for_family(access: Access) -> Sequence[ComingForFamily]:
    """The changes that are being watched now, the soonest first; none where it is withheld."""
    knows = access.may(Category.NETWORK)
    return [
        ComingForFamily(
            one.kind,
            one.due_on,
            one.owner if knows else None,
            one.receiving if knows else "",
            one.state,
        )
        for one in (await transitions_of(access)).shown
        if one.is_open and one.watch_from <= access.today
    ]


def kinds_to_write_down() -> Mapping[str, str]:
    """What a worker can write down, by code."""
    return {kind.value: KIND_WORDS[kind] for kind in WRITTEN_DOWN}
