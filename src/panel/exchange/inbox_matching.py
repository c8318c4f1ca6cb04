"""Which child of ours is meant: only where it is certain, else somebody decides.

What a system says of who a child is would be tried out by it, if it were told whether that fits:
an NHS number, a birth date. So nothing is compared for a system that may not be told who the child
is: it waits for a person, whether it would fit or not.
"""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Viewer, ViewerKind
from panel.exchange.inbox_subjects import Meant
from panel.exchange.permitted import PERMITTED, permitted
from panel.exchange.sources_people import PATIENT
from panel.platform.read_models import for_driver, rows_of, sql
from panel.platform.tables import NOW
from panel.platform.tenancy import load_keys
from panel.records.gate import Gate
from panel.register.models import Child
from panel.register.service import child_with_nhs_number

_ANY = (
    "SELECT child_id FROM child_access WHERE viewer_id = :viewer"
    " AND valid_from <= :now AND valid_until >= :now LIMIT 1"
)
_TOLD = sql(
    "WITH {permitted} SELECT r.id FROM {rows} WHERE r.id = ANY(:children) AND {told}",
    permitted=PERMITTED,
    rows=PATIENT.rows,
    told=PATIENT.told,
)


async def match(
    gate: Gate, session: AsyncSession, viewer: Viewer, meant: Mapping[int, Meant]
) -> dict[int, UUID]:
    """The children who are meant, of those whom the viewer reaches, by number; absent where a
    person must decide.

    A child out of reach gives the same answer as none. Found by our own id, or by an NHS number
    that its sender says was verified; and not where what else is said does not fit.
    """
    named = {number: await _named(session, one) for number, one in meant.items()}
    if viewer.kind is ViewerKind.CLIENT:
        compared = {number for number, one in meant.items() if _compares(one)}
        told = await _told(gate, session, viewer, {named[number] for number in compared})
        for number in compared:
            if named[number] not in told:
                named[number] = None
    found: dict[int, UUID] = {}
    for number, child_id in named.items():
        child = None if child_id is None else await session.get(Child, child_id)
        if child is None:
            continue
        # Held, so that who compares pieces with the child finds it at hand: a session holds no row.
        session.info[child.id] = child
        await load_keys(session, {child.id})
        if _fits(child, meant[number]):
            found[number] = child.id
    return found


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
) -> frozenset[UUID]:
    """Of these children those of whom the viewer may be told who they are.

    Where nobody was found it is decided about another child, who is left out again: else the time
    that it takes would say that there is one.
    """
    if not children:
        return frozenset()
    asked = {one for one in children if one is not None}
    decided = set(asked)
    if None in children:
        given = {"viewer": viewer.id, "now": session.info[NOW]}
        decided |= {one for (one,) in await rows_of(session, for_driver(_ANY), given)}
    allowed = await permitted(gate, session, viewer, decided)
    rows = await rows_of(
        session, for_driver(_TOLD), {"children": sorted(decided), **allowed.values()}
    )
    return frozenset(one for (one,) in rows) & asked


def _fits(child: Child, meant: Meant) -> bool:
    """Whether nothing that is said of who it is speaks against it."""
    number, said = child.nhs_number, meant.child
    if number and meant.nhs_number and number != meant.nhs_number:
        return False
    born = None if said is None else said.birth_date
    return born is None or child.birth_date is None or born == child.birth_date
