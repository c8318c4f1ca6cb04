"""Agencies: added, renamed and closed by who looks after every agency's accounts."""

from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Viewer
from panel.accounts.models import Agency, Worker
from panel.accounts.people_noted import note_people
from panel.accounts.people_rules import agency_key, looks_after_all
from panel.accounts.service import add_agency
from panel.platform.audit import Kind
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from panel.platform.tables import today_of


async def new_agency(
    session: AsyncSession, by: Viewer, name: str, kind: str, ods_code: str
) -> Agency:
    """A new agency. Raises Invalid for a name that is taken, NotAllowed."""
    _check(by)
    await _check_name(session, name)
    taken = set(await session.scalars(select(Agency.key)))
    agency = await add_agency(
        session, key=agency_key(name, taken), name=name, kind=kind, ods_code=ods_code or None
    )
    note_people(session, Kind.AGENCY_ADDED, by.id, agency.id, kind=kind)
    return agency


async def rename_agency(
    session: AsyncSession, by: Viewer, agency_id: UUID, version: int, name: str
) -> None:
    """Call an agency otherwise, everywhere and at once. Raises Invalid, Conflict, NotFound."""
    agency = await _agency(session, by, agency_id, version)
    await _check_name(session, name, besides=agency_id)
    agency.name = name
    note_people(session, Kind.AGENCY_RENAMED, by.id, agency_id)
    await session.flush()


async def close_agency(session: AsyncSession, by: Viewer, agency_id: UUID, version: int) -> None:
    """Nobody joins it any more; what it wrote stays. Raises NotAllowed while people work there."""
    agency = await _agency(session, by, agency_id, version)
    if agency.closed_on is not None:
        raise NotAllowed("This agency is closed already.")
    day = today_of(session)
    works = await session.scalar(
        select(func.count(Worker.id)).where(
            Worker.agency_id == agency_id,
            or_(Worker.until_on.is_(None), Worker.until_on >= day),
        )
    )
    if works:
        people = "One person works" if works == 1 else f"{works} people work"
        raise NotAllowed(
            f"{people} there, so that it is not closed.", "Say of each of them that they leave."
        )
    agency.closed_on = day
    note_people(session, Kind.AGENCY_CLOSED, by.id, agency_id)
    await session.flush()


def _check(by: Viewer) -> None:
    if not looks_after_all(by):
        raise NotAllowed(
            "Agencies are added, renamed and closed by an administrator of the council.",
            "Ask them.",
        )


async def _agency(session: AsyncSession, by: Viewer, agency_id: UUID, version: int) -> Agency:
    _check(by)
    agency = await session.get(Agency, agency_id, populate_existing=True, with_for_update=True)
    if agency is None:
        raise NotFound("There is no such agency.")
    if agency.version != version:
        raise Conflict(())
    return agency


async def _check_name(session: AsyncSession, name: str, besides: UUID | None = None) -> None:
    """Raises Invalid where another open agency has the name: two alike would be chosen wrongly."""
    same = select(Agency.id).where(
        func.lower(Agency.name) == name.lower(), Agency.closed_on.is_(None)
    )
    if besides is not None:
        same = same.where(Agency.id != besides)
    if await session.scalar(same.limit(1)) is not None:
        raise Invalid.because("name", "There is an agency of this name already")
