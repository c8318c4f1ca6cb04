"""Unusual patterns: found by the nightly job, seen and closed by whoever answers for use."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from consent import GUARDIANS, Role, Viewer
from panel.accounts.models import Worker
from panel.accounts.service import agencies, worker_names
from panel.governance.models import PatternKind, UnusualPattern
from panel.governance.pattern_rules import (
    Figures,
    Seen,
    Threshold,
    for_leads,
    is_out_of_hours,
    may_close,
    most_children_in_an_hour,
    reached,
    surname_words,
)
from panel.governance.thresholds import thresholds
from panel.platform.audit import Kind, by_viewer, record
from panel.platform.clock import LONDON, day_of
from panel.platform.ids import new_id
from panel.platform.problems import Conflict, Gone, Invalid, NotAllowed, NotFound
from panel.platform.tables import NOW, VIEWER
from panel.platform.tenancy import load_agency_keys
from panel.register.service import name_index
from panel.web.paging import Asked, Key, Page, page_of

PATTERNS_A_PAGE = 50
NOT_YOURS = "This list is for those who answer for how records are used."


@dataclass(frozen=True, slots=True)
class PatternLine:
    """One pattern, with names."""

    id: UUID
    kind: PatternKind
    viewer_id: UUID
    who: str
    agency: str
    day: date
    how_many: int
    threshold: int
    of_lead: bool
    version: int
    may_close: bool
    closed_at: datetime | None
    closed_by: str
    note: str


# --- Finding them -----------------------------------------------------------------------------

# What a list or a search shows is opened together, at one moment; what is alone in its moment is a
# record that somebody opened. A pack or an agenda is opened together too.
_OPENED = """
SELECT viewer_id, at, (array_agg(child_id))[1] AS child_id
FROM access_event
WHERE at >= :since AND at < :before AND viewer_kind = 'worker'
  AND NOT jsonb_exists(decisions, 'refused')
GROUP BY viewer_id, at HAVING count(DISTINCT child_id) = 1
"""
_REFUSED = """
SELECT viewer_id, count(*) AS times FROM access_event
WHERE at >= :since AND at < :before AND viewer_kind = 'worker'
  AND jsonb_exists(decisions, 'refused')
GROUP BY viewer_id
"""
_CLOSED = """
SELECT child_id FROM episode WHERE child_id = ANY(:children)
GROUP BY child_id HAVING bool_and(closed_on IS NOT NULL) AND max(closed_on) < :closed_before
"""
_NAMED_SO = "SELECT child_id, token FROM child_index WHERE kind = 'full' AND token = ANY(:tokens)"
_LEADS = """
SELECT worker_id FROM worker_role WHERE role = 'governance_lead'
  AND (from_on IS NULL OR from_on <= :today) AND (until_on IS NULL OR until_on >= :day)
"""


async def find_unusual(session: AsyncSession, day: date) -> int:
    """Write down the patterns of a London day; found again, they stay as they are. For the job.

    Returns how many are new.
    """
    since = datetime.combine(day, time(), LONDON)
    before = datetime.combine(day + timedelta(days=1), time(), LONDON)
    limits = await thresholds(session, before)
    looks = await _looks(session, since, before)
    refusals = await session.execute(text(_REFUSED), {"since": since, "before": before})
    refused = {row.viewer_id: row.times for row in refusals}
    workers = {
        worker.id: worker
        for worker in await session.scalars(select(Worker).where(Worker.id.in_({*looks, *refused})))
    }
    own_name = await _own_name(session, looks, workers)
    today = day_of(session.info[NOW])
    leads = set(await session.scalars(text(_LEADS), {"today": today, "day": day}))
    by_lead = {False: limits, True: for_leads(limits)}
    closed = {
        of_lead: await _closed_before(
            session, looks, day - timedelta(days=their[Threshold.CLOSED_FOR])
        )
        for of_lead, their in by_lead.items()
    }
    new = 0
    for viewer, worker in workers.items():
        opened, of_lead = looks.get(viewer, []), viewer in leads
        limits = by_lead[of_lead]
        children = {look.child for look in opened}
        figures = Figures(
            viewer,
            day,
            {
                PatternKind.MANY_CHILDREN: most_children_in_an_hour(opened),
                PatternKind.OWN_NAME: own_name.get(viewer, 0),
                PatternKind.OUT_OF_HOURS: sum(
                    is_out_of_hours(
                        look.at, limits[Threshold.DAY_BEGINS], limits[Threshold.DAY_ENDS]
                    )
                    for look in opened
                ),
                PatternKind.AFTER_CLOSURE: len(children & closed[of_lead]),
                PatternKind.MANY_REFUSALS: refused.get(viewer, 0),
            },
        )
        for kind, how_many in reached(figures, limits).items():
            new += await _write(
                session,
                kind=kind,
                viewer_id=viewer,
                agency_id=worker.agency_id,
                day=day,
                how_many=how_many,
                threshold=max(limits[Threshold(kind.value)], 1),
                of_lead=of_lead,
            )
    return new


async def _looks(
    session: AsyncSession, since: datetime, before: datetime
) -> dict[UUID, list[Seen]]:
    rows = await session.execute(text(_OPENED), {"since": since, "before": before})
    looks: dict[UUID, list[Seen]] = defaultdict(list)
    for row in rows:
        looks[row.viewer_id].append(Seen(row.viewer_id, row.at, row.child_id))
    return dict(looks)


async def _own_name(
    session: AsyncSession, looks: dict[UUID, list[Seen]], workers: dict[UUID, Worker]
) -> dict[UUID, int]:
    """How many children with their own surname each worker opened: by blind index alone.

    No child's name is read. The index does not tell a first name from a surname, so that a child
    called James counts for a worker called James.
    """
    await load_agency_keys(session, {worker.agency_id for worker in workers.values()})
    tokens: dict[bytes, set[UUID]] = defaultdict(set)
    for viewer in looks.keys() & workers.keys():
        for word in surname_words(workers[viewer].name):
            tokens[name_index(session, word)].add(viewer)
    found = await session.execute(text(_NAMED_SO), {"tokens": list(tokens)})
    namesakes: dict[UUID, set[UUID]] = defaultdict(set)
    for row in found:
        for viewer in tokens[bytes(row.token)]:
            namesakes[viewer].add(row.child_id)
    return {
        viewer: len({look.child for look in looks[viewer]} & children)
        for viewer, children in namesakes.items()
    }


async def _closed_before(
    session: AsyncSession, looks: dict[UUID, list[Seen]], closed_before: date
) -> set[UUID]:
    children = {look.child for opened in looks.values() for look in opened}
    found = await session.scalars(
        text(_CLOSED), {"children": list(children), "closed_before": closed_before}
    )
    return set(found)


async def _write(session: AsyncSession, **said: Any) -> int:
    """One row; 0 where it was there already."""
    now, viewer = session.info[NOW], session.info[VIEWER]
    made = await session.execute(
        insert(cast("Table", UnusualPattern.__table__))
        .values(
            id=new_id(),
            created_at=now,
            created_by=viewer,
            changed_at=now,
            changed_by=viewer,
            version=1,
            **said,
        )
        .on_conflict_do_nothing()
        .returning(UnusualPattern.id)
    )
    return len(made.all())


# --- Reading and closing them -----------------------------------------------------------------


async def open_patterns(session: AsyncSession, viewer: Viewer, asked: Asked) -> Page[PatternLine]:
    """What nobody closed yet, the latest day first, by key (day, id). Raises NotAllowed."""
    return await _patterns(
        session, viewer, asked, "closed_at IS NULL", "day", lambda one: (one.day, one.id)
    )


async def closed_patterns(session: AsyncSession, viewer: Viewer, asked: Asked) -> Page[PatternLine]:
    """What was closed and why, the last closed first, by key (closed_at, id). Raises NotAllowed."""
    return await _patterns(
        session,
        viewer,
        asked,
        "closed_at IS NOT NULL",
        "closed_at",
        lambda one: (one.closed_at or session.info[NOW], one.id),
    )


async def one_pattern(session: AsyncSession, viewer: Viewer, pattern_id: UUID) -> PatternLine:
    """One of them. Raises NotAllowed, and NotFound for one that is not the viewer's to see."""
    _require(viewer)
    found = await session.scalar(select(UnusualPattern).where(UnusualPattern.id == pattern_id))
    if found is None:
        raise NotFound
    return (await _lines(session, viewer, [found]))[0]


async def close_pattern(
    session: AsyncSession, viewer: Viewer, pattern_id: UUID, version: int, note: str
) -> None:
    """Close a pattern with what was found out. It stays in the list of closed ones.

    Raises NotFound, Invalid without a note, NotAllowed for one about oneself or for somebody else
    to close, Gone for one that is closed, Conflict for one that somebody changed meanwhile.
    """
    _require(viewer)
    if not note.strip():
        raise Invalid.because("note", "Write what you found out and why you close it")
    found = await session.scalar(select(UnusualPattern).where(UnusualPattern.id == pattern_id))
    if found is None:
        raise NotFound
    if not _may_close(viewer, found):
        raise NotAllowed(
            "You cannot close this one.",
            "Nobody closes what is about themselves; what is about an information governance lead"
            " goes to the Caldicott guardian or the safeguarding lead.",
        )
    if found.closed_at is not None:
        raise Gone("This was closed already.", "Read the note in the list of closed ones.")
    if found.version != version:
        raise Conflict(())
    found.closed_at = session.info[NOW]
    found.closed_by = viewer.id
    found.note = note
    told = {"kind": found.kind, "worker": str(found.viewer_id)}
    record(session, Kind.PATTERN_CLOSED, by_viewer(viewer), subject=found.id, details=told)
    await load_agency_keys(session, {found.agency_id})
    await session.flush()


async def _patterns(
    session: AsyncSession,
    viewer: Viewer,
    asked: Asked,
    which: str,
    by: str,
    key_of: Callable[[PatternLine], Key],
) -> Page[PatternLine]:
    _require(viewer)
    back = asked.direction == "before" and asked.key is not None
    wanted = select(UnusualPattern).where(text(which)).limit(PATTERNS_A_PAGE + 1)
    if asked.key is not None:
        place = text(f"({by}, id) {'>' if back else '<'} (:by, :last)")
        wanted = wanted.where(place.bindparams(by=asked.key[0], last=asked.key[1]))
    direction = "" if back else " DESC"
    rows = await session.scalars(wanted.order_by(text(f"{by}{direction}, id{direction}")))
    lines = await _lines(session, viewer, list(rows))
    return page_of(lines, asked, PATTERNS_A_PAGE, key_of)


async def _lines(
    session: AsyncSession, viewer: Viewer, rows: Sequence[UnusualPattern]
) -> list[PatternLine]:
    known = {agency.id: agency.name for agency in await agencies(session)}
    await load_agency_keys(session, {row.agency_id for row in rows})
    people = [row.viewer_id for row in rows]
    people += [row.closed_by for row in rows if row.closed_by is not None]
    names = await worker_names(session, people)
    return [
        PatternLine(
            id=row.id,
            kind=PatternKind(row.kind),
            viewer_id=row.viewer_id,
            who=names.get(row.viewer_id, "Somebody"),
            agency=known.get(row.agency_id, ""),
            day=row.day,
            how_many=row.how_many,
            threshold=row.threshold,
            of_lead=row.of_lead,
            version=row.version,
            may_close=_may_close(viewer, row) and row.closed_at is None,
            closed_at=row.closed_at,
            closed_by="" if row.closed_by is None else names.get(row.closed_by, "Somebody"),
            note=row.note,
        )
        for row in rows
    ]


def _may_close(viewer: Viewer, row: UnusualPattern) -> bool:
    return may_close(about=row.viewer_id, of_lead=row.of_lead, who=viewer.id, roles=viewer.roles)


def _require(viewer: Viewer) -> None:
    if not viewer.roles & (GUARDIANS | {Role.GOVERNANCE_LEAD}):
        raise NotAllowed(NOT_YOURS)
