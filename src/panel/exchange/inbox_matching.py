"""Which child of ours is meant: only where it is certain, else somebody decides."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.exchange.inbox_subjects import Meant
from panel.platform.tenancy import load_keys
from panel.register.models import Child
from panel.register.service import child_with_nhs_number


async def match(session: AsyncSession, meant: Meant) -> UUID | None:
    """The child who is meant, of those whom the viewer reaches; None where a person must decide.

    A child out of reach gives the same answer as none. Found by our own id, or by an NHS number
    that its sender says was verified; and not where what else is said does not fit.
    """
    found = await _named(session, meant)
    if found is None:
        return None
    child = await session.get(Child, found)
    if child is None:
        return None
    # Held, so that who compares pieces with the child finds it at hand: a session holds no row.
    session.info[child.id] = child
    await load_keys(session, {child.id})
    return child.id if _fits(child, meant) else None


async def _named(session: AsyncSession, meant: Meant) -> UUID | None:
    if meant.own_id is not None:
        return await session.scalar(select(Child.id).where(Child.id == meant.own_id))
    if meant.nhs_number is not None and meant.verified:
        return await child_with_nhs_number(session, meant.nhs_number)
    return None


def _fits(child: Child, meant: Meant) -> bool:
    """Whether nothing that is said of who it is speaks against it."""
    number, said = child.nhs_number, meant.child
    if number and meant.nhs_number and number != meant.nhs_number:
        return False
    born = None if said is None else said.birth_date
    return born is None or child.birth_date is None or born == child.birth_date
