"""Which agencies have a part in a child's life, now or in the future, and who in them."""

from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Worker
from panel.platform.problems import Clash, Conflict, Invalid, NotFound
from panel.records.gate import NOT_HERE, rewrite_access
from panel.register.models import Involvement


async def add_involvement(
    session: AsyncSession,
    child_id: UUID,
    *,
    agency_id: UUID,
    worker_id: UUID | None = None,
    part: str = "",
    from_on: date | None = None,
    expected_from_on: date | None = None,
    until_on: date | None = None,
) -> Involvement:
    """An agency is involved from a day, or expected from one. Raises Invalid without either."""
    if from_on is None and expected_from_on is None:
        raise Invalid.because("from_on", "Enter since when they are involved, or expected")
    if until_on is not None and until_on < (from_on or expected_from_on or until_on):
        raise Invalid.because("until_on", "The end is before the beginning. Check both dates")
    await _check_worker(session, agency_id, worker_id)
    made = Involvement(
        child_id=child_id,
        agency_id=agency_id,
        worker_id=worker_id,
        part=part,
        from_on=from_on,
        expected_from_on=expected_from_on,
        until_on=until_on,
    )
    session.add(made)
    await rewrite_access(session, child_id)
    return made


async def start_involvement(
    session: AsyncSession,
    child_id: UUID,
    involvement_id: UUID,
    *,
    from_on: date,
    worker_id: UUID | None,
) -> None:
    """An agency that was expected is involved now, with the worker who begins."""
    involvement = await _involvement(session, child_id, involvement_id)
    await _check_worker(session, involvement.agency_id, worker_id)
    involvement.from_on = from_on
    involvement.worker_id = worker_id or involvement.worker_id
    await rewrite_access(session, child_id)


async def end_involvement(
    session: AsyncSession, child_id: UUID, involvement_id: UUID, until_on: date, version: int
) -> None:
    """An agency's part ends on a day, which is included. Raises Conflict, Invalid."""
    involvement = await _involvement(session, child_id, involvement_id)
    if involvement.version != version:
        theirs = "" if involvement.until_on is None else involvement.until_on.isoformat()
        raise Conflict((Clash("Ended on", until_on.isoformat(), theirs or "(not ended)"),))
    if until_on < (involvement.from_on or involvement.expected_from_on or until_on):
        raise Invalid.because("until_on", "The end is before the beginning. Check the date")
    involvement.until_on = until_on
    await rewrite_access(session, child_id)


async def agency_is_involved(session: AsyncSession, child_id: UUID, agency_id: UUID) -> bool:
    """Whether an agency has, had or will have a part in a child's life."""
    found = await session.scalar(
        select(Involvement.id)
        .where(Involvement.child_id == child_id, Involvement.agency_id == agency_id)
        .limit(1)
    )
    return found is not None


_HAS_A_PART = """
SELECT EXISTS (SELECT 1 FROM involvement i WHERE i.child_id = :child AND i.agency_id = :agency
  AND (CAST(:worker AS uuid) IS NULL OR i.worker_id = :worker)
  AND (i.until_on IS NULL OR i.until_on >= :today))
"""


async def has_a_part(
    session: AsyncSession,
    child_id: UUID,
    agency_id: UUID,
    today: date,
    worker_id: UUID | None = None,
) -> bool:
    """Whether an agency, or one worker in it, has a part that goes on or is expected."""
    found = await session.scalar(
        text(_HAS_A_PART),
        {"child": child_id, "agency": agency_id, "worker": worker_id, "today": today},
    )
    return bool(found)


_NOT_WANTED = """
SELECT EXISTS (SELECT 1 FROM sharing_agreement s
  WHERE s.child_id = :child AND s.withdrawn_at IS NULL AND s.from_on <= :today
    AND (s.until_on IS NULL OR s.until_on >= :today)
    AND CASE WHEN s.given THEN :agency = ANY (s.not_agencies)
             ELSE cardinality(s.agencies) = 0 OR :agency = ANY (s.agencies) END
    AND (s.level IS NOT NULL OR cardinality(s.named) = 0 OR 'identity' = ANY (s.named)))
OR EXISTS (SELECT 1 FROM sharing_restriction r
  WHERE r.child_id = :child AND r.kind = 'choice' AND r.from_on <= :today
    AND (r.until_on IS NULL OR r.until_on >= :today)
    AND (cardinality(r.against) = 0 OR :agency = ANY (r.against))
    AND (cardinality(r.categories) = 0 OR 'identity' = ANY (r.categories)))
"""


async def is_refused_the_name(
    session: AsyncSession, child_id: UUID, agency_id: UUID, today: date
) -> bool:
    """Whether the family said no to an agency's knowing who the child is.

    Whoever is in the team knows it, whatever was refused: so another agency puts nobody of such
    an agency into the team.
    """
    found = await session.scalar(
        text(_NOT_WANTED), {"child": child_id, "agency": agency_id, "today": today}
    )
    return bool(found)


async def _involvement(session: AsyncSession, child_id: UUID, involvement_id: UUID) -> Involvement:
    involvement = await session.get(Involvement, involvement_id)
    if involvement is None or involvement.child_id != child_id:
        raise NotFound(NOT_HERE)
    return involvement


async def _check_worker(session: AsyncSession, agency_id: UUID, worker_id: UUID | None) -> None:
    if worker_id is None:
        return
    works_at = await session.scalar(select(Worker.agency_id).where(Worker.id == worker_id))
    if works_at != agency_id:
        raise Invalid.because("worker", "This person does not work at that agency. Choose again")
