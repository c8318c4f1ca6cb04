"""How many plans each worker holds, by agency, against the limit that holds on a day.

Counts alone, of every child: for scheduled work, since a manager need not reach every child whom
somebody of theirs leads for. A limit is a dated setting, of the authority or of one agency.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

import msgspec
from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer
from panel.accounts.service import worker_names
from panel.platform.audit import Kind, record
from panel.platform.clock import LONDON
from panel.platform.problems import Invalid, NotAllowed
from panel.platform.read_models import sql
from panel.platform.tables import NOW, today_of
from panel.platform.work_tables import Setting
from panel.web.paging import Asked, Direction, Page, page_of

LIMIT = "lead.limit"
"""The setting's key; that of one agency ends with its id."""
USUAL_LIMIT = 25
MOST_PLANS = 200
WORKERS_A_PAGE = 25
CASELOAD_KEY = (int, UUID)
"""The kinds in a cursor of the list: how many plans, the fewer the later; the worker."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one worker holds today: counts, and the limit of their agency."""

    plans: int
    covers: int
    """For how many more children they stand in today."""
    offered: int
    """How many plans they are asked to take on."""
    limit: int

    @property
    def is_full(self) -> bool:
        """Whether one more needs a reason."""
        return self.plans >= self.limit


_LOADS = """
SELECT w.id, w.agency_id,
  (SELECT count(*) FROM lead_professional l WHERE l.worker_id = w.id AND l.role = 'main'
     AND l.state IN ('accepted', 'ended') AND l.from_on <= :today
     AND (l.until_on IS NULL OR l.until_on >= :today)
     AND (NOT EXISTS (SELECT 1 FROM episode e WHERE e.child_id = l.child_id)
       OR EXISTS (SELECT 1 FROM episode e WHERE e.child_id = l.child_id
         AND (e.closed_on IS NULL OR e.closed_on >= :today)))) AS plans,
  (SELECT count(*) FROM lead_cover v WHERE v.worker_id = w.id AND v.state = 'accepted'
     AND v.from_on <= :today AND v.until_on >= :today) AS covers,
  (SELECT count(*) FROM lead_professional o WHERE o.worker_id = w.id AND o.state = 'offered')
    AS offered
FROM worker w WHERE w.id = ANY(:workers)
"""


async def loads(session: AsyncSession, worker_ids: Iterable[UUID]) -> dict[UUID, Load]:
    """What each of these workers holds today. For scheduled work."""
    asked = list(worker_ids)
    rows = await session.execute(text(_LOADS), {"workers": asked, "today": today_of(session)})
    found = rows.all()
    limits = await limits_of(session, {row.agency_id for row in found})
    return {
        row.id: Load(row.plans, row.covers, row.offered, limits[row.agency_id]) for row in found
    }


# Limits -------------------------------------------------------------------------------------------


def key_of(agency_id: UUID) -> str:
    """The setting of one agency."""
    return f"{LIMIT}.{agency_id}"


async def limits_of(session: AsyncSession, agency_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many plans one worker of each agency should hold at most, as it is now."""
    agencies = set(agency_ids)
    rows = await session.scalars(
        select(Setting)
        .where(
            Setting.key.in_([LIMIT, *map(key_of, agencies)]),
            or_(Setting.from_on.is_(None), Setting.from_on <= session.info[NOW]),
        )
        .order_by(Setting.from_on.nulls_first(), Setting.id)
    )
    said = {row.key: int(row.value) for row in rows}
    of_all = said.get(LIMIT, USUAL_LIMIT)
    return {one: said.get(key_of(one), of_all) for one in agencies}


async def set_limit(
    session: AsyncSession, by: Viewer, limit: int, from_on: date, source: str
) -> None:
    """Set the limit of the manager's agency from a day on; what was set before stays.

    Raises NotAllowed for who manages no agency, Invalid for a day that is over.
    """
    agency_id = agency_managed(by)
    if from_on < today_of(session):
        raise Invalid.because("from_on", "The first day must be today or later")
    before = (await limits_of(session, [agency_id]))[agency_id]
    is_today = from_on == today_of(session)
    moment = session.info[NOW] if is_today else datetime.combine(from_on, time(), LONDON)
    key = key_of(agency_id)
    session.add(Setting(key=key, value=limit, from_on=moment, source=source))
    record(session, Kind.SETTING_CHANGED, details={"key": key, "from": before, "to": limit})
    await session.flush()


def agency_managed(viewer: Viewer) -> UUID:
    """The agency of a manager. Raises NotAllowed for everybody else."""
    if viewer.agency is None or Role.MANAGER not in viewer.roles:
        raise NotAllowed(
            "How many plans people hold is read by the managers of their agency.",
            "Ask your manager.",
        )
    return viewer.agency


# The list -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkerLoad:
    """One worker of an agency and what they hold."""

    worker_id: UUID
    name: str
    job_title: str
    leaves_on: date | None
    load: Load


class _Row(msgspec.Struct):
    id: UUID
    job_title: str
    until_on: date | None
    fewer: int


_WORKERS = """
SELECT json_build_object('id', id, 'job_title', job_title, 'until_on', until_on,
  'fewer', fewer)::text
FROM (
  SELECT w.id, w.job_title, w.until_on, (-(SELECT count(*) FROM lead_professional l
    WHERE l.worker_id = w.id AND l.role = 'main' AND l.state IN ('accepted', 'ended')
      AND l.from_on <= :today AND (l.until_on IS NULL OR l.until_on >= :today)))::int AS fewer
  FROM worker w
  WHERE w.agency_id = :agency AND (w.until_on IS NULL OR w.until_on >= :today)
    AND EXISTS (SELECT 1 FROM worker_role r WHERE r.worker_id = w.id
      AND r.role IN ('practitioner', 'manager')
      AND (r.from_on IS NULL OR r.from_on <= :today)
      AND (r.until_on IS NULL OR r.until_on >= :today))) s
WHERE CAST(:fewer AS int) IS NULL
   OR (fewer, id) {beyond} (CAST(:fewer AS int), CAST(:worker AS uuid))
ORDER BY fewer {order}, id {order} LIMIT :most
"""
_LISTED: Mapping[Direction, str] = {
    "after": sql(_WORKERS, beyond=">", order="ASC"),
    "before": sql(_WORKERS, beyond="<", order="DESC"),
}
_READ_ROW = msgspec.json.Decoder(_Row)


async def caseload(session: AsyncSession, agency_id: UUID, asked: Asked) -> Page[WorkerLoad]:
    """A page of who works at an agency and what each holds, the most first. For scheduled work."""
    fewer, worker = (None, None) if asked.key is None else asked.key
    found = await session.scalars(
        text(_LISTED[asked.direction]),
        {
            "agency": agency_id,
            "today": today_of(session),
            "fewer": fewer,
            "worker": worker,
            "most": WORKERS_A_PAGE + 1,
        },
    )
    rows = [_READ_ROW.decode(one) for one in found]
    page = page_of(rows, asked, WORKERS_A_PAGE, lambda one: (one.fewer, one.id))
    listed = [one.id for one in page.rows]
    names, held = await worker_names(session, listed), await loads(session, listed)
    shown = [
        WorkerLoad(one.id, names.get(one.id, ""), one.job_title, one.until_on, held[one.id])
        for one in page.rows
    ]
    return Page(shown, page.previous, page.next, page.note)
