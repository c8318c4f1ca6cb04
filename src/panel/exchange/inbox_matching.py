"""Which child of ours is meant: only where it is certain, else somebody decides.

What a system says of who a child is would be tried out by it, if it were told whether that fits:
an NHS number, a birth date. So nothing is compared for a system that may not be told who the child
is: it waits for a person, whether it would fit or not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Viewer, ViewerKind
from panel.exchange.inbox_subjects import Meant
from panel.exchange.permitted import PERMITTED, permitted_of
from panel.exchange.sources_people import PATIENT
from panel.platform.crypto import Keys
from panel.platform.ids import new_id
from panel.platform.read_models import for_driver, rows_of, sql
from panel.platform.tables import KEYS, NOW
from panel.platform.tenancy import load_keys
from panel.records.gate import Found, Gate
from panel.register.models import Child
from panel.register.service import child_with_nhs_number

_ANY = (
    "SELECT child_id FROM child_access WHERE viewer_id = :viewer"
    " AND valid_from <= :now AND valid_until >= :now LIMIT 1"
)
_TOLD = sql(
    "WITH {permitted} SELECT r.* FROM {rows} WHERE r.id = ANY(:children) AND {told}"
    " AND r.id = ANY(:asked)",
    permitted=PERMITTED,
    rows=PATIENT.rows,
    told=PATIENT.told,
)
_CHILDREN = select(Child).from_statement(text(_TOLD))


@dataclass(frozen=True, slots=True)
class Matched:
    """The children who are meant, by number, and the facts by which the gate opens them."""

    children: Mapping[int, UUID]
    read: Mapping[UUID, Found]
    """Of those of whom it was decided already what the viewer may be told."""


async def match(
    gate: Gate, session: AsyncSession, viewer: Viewer, meant: Mapping[int, Meant]
) -> Matched:
    """The children who are meant, of those whom the viewer reaches, by number; absent where a
    person must decide.

    A child out of reach gives the same answer as none. Found by our own id, or by an NHS number
    that its sender says was verified; and not where what else is said does not fit. They are held:
    one transaction of a client at a time says something of a child.
    """
    named = {number: await _named(session, one) for number, one in meant.items()}
    if meant:
        await _hold(session, viewer, named.values())
    read: Mapping[UUID, Found] = {}
    told: dict[UUID, Child] = {}
    compared = {number for number, one in meant.items() if _compares(one)}
    if viewer.kind is ViewerKind.CLIENT:
        told, read = await _told(gate, session, viewer, {named[number] for number in compared})
        for number in compared:
            if named[number] not in told:
                named[number] = None
    found: dict[int, UUID] = {}
    keys = cast("Keys", session.info[KEYS])
    for number, child_id in named.items():
        if child_id is None:
            continue
        child = told.get(child_id) or await session.get(Child, child_id)
        if child is None:
            continue
        # Held, so that who compares pieces with the child finds it at hand: a session holds no row.
        session.info[child.id] = child
        if child.id in read and (key := read[child.id].known.key) is not None:
            keys.add(child.id, key)
        await load_keys(session, {child.id})
        if _fits(child, meant[number]):
            found[number] = child.id
    return Matched(found, {one: read[one] for one in found.values() if one in read})


async def _hold(session: AsyncSession, viewer: Viewer, named: Iterable[UUID | None]) -> None:
    """Let one transaction of a client at a time say something of a child: what is named twice
    would be there twice. Before anything is decided, which then holds for as long as it waited.

    In one order, so that none waits for the other. Where nobody was found, somebody who is not
    there is held: else the time would say that there is a child.
    """
    for child_id in sorted({one or new_id() for one in named}):
        await rows_of(session, _ALONE, {"both": f"{viewer.id} {child_id}"})


_ALONE = for_driver("SELECT pg_advisory_xact_lock(hashtextextended(:both, 35))")


async def _named(session: AsyncSession, meant: Meant) -> UUID | None:
    if meant.own_id is not None:
        return await session.scalar(select(Child.id).where(Child.id == meant.own_id))
    if meant.nhs_number is not None and meant.verified:
        return await child_with_nhs_number(session, meant.nhs_number)
    return None


def _compares(meant: Meant) -> bool:
    """Whether more than our own id is said of who it is: an answer would tell whether it fits."""
    born = None if meant.child is None else meant.child.birth_date
    return meant.nhs_number is not None or born is not None


async def _told(
    gate: Gate, session: AsyncSession, viewer: Viewer, children: set[UUID | None]
) -> tuple[dict[UUID, Child], Mapping[UUID, Found]]:
    """Of these children those of whom the viewer may be told who they are, and their facts.

    Where nobody was found it is decided about another child, who is left out again: else the time
    that it takes would say that there is one.
    """
    if not children:
        return {}, {}
    asked = {one for one in children if one is not None}
    decided = set(asked)
    if None in children:
        given = {"viewer": viewer.id, "now": session.info[NOW]}
        decided |= {one for (one,) in await rows_of(session, for_driver(_ANY), given)}
    allowed, read = await permitted_of(gate, session, viewer, decided)
    given = {"children": sorted(decided), "asked": sorted(asked), **allowed.values()}
    rows = await session.scalars(_CHILDREN, given)
    return {one.id: one for one in rows}, read


def _fits(child: Child, meant: Meant) -> bool:
    """Whether nothing that is said of who it is speaks against it."""
    number, said = child.nhs_number, meant.child
    if number and meant.nhs_number and number != meant.nhs_number:
        return False
    born = None if said is None else said.birth_date
    return born is None or child.birth_date is None or born == child.birth_date
