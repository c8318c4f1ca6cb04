"""The nightly watch: which changes are to be prepared, and who lacks a next step.

Within scheduled work, set by set: no record is opened, since nothing is read but dates, states and
ids. Done twice in a night, the second time changes nothing; what a dead process had not committed
is done by whoever comes next.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.figures import Figure, figures
from panel.casework.gap_queries import ORDER, WATCH, Limits
from panel.casework.transition_rules import (
    FROM_BIRTH,
    LEAVING_CONTACTS_AT,
    TransitionKind,
    due_now,
    is_a_day_of,
)
from panel.platform.clock import day_of
from panel.platform.jobs import Job
from panel.platform.read_models import ReadModel, rows_of
from panel.platform.tables import NOW, VIEWER
from panel.records.dates import working_days_before

ANSWERED = Figure("watch.answered_days", default=5, least=1, most=20)
"""Working days for the answer to a referral, an offer, a question (Oxfordshire's standard)."""
AGREED = Figure("watch.agreed_days", default=20, least=1, most=60)
"""Working days from the beginning of a plan to its agreement."""
DONE = Figure("watch.done_days", default=10, least=1, most=60)
"""Working days that an action may be late before it is on the list: its owner is asked first."""
ACCESS = Figure("watch.access_days", default=5, least=1, most=10)
"""Working days for a request for access, which lapses after ten."""
FIGURES = (ANSWERED, AGREED, DONE, ACCESS)
AT_ONCE = 2_000
"""Changes that are written with one statement."""


def limits_on(today: date, days: Mapping[str, int]) -> Limits:
    """The days from which something has waited too long. `days`: the figures, by key."""
    answered, agreed, done, access = (
        working_days_before(today, days[one.key] + 1) for one in FIGURES
    )
    return Limits(
        today=today, answered_by=answered, agreed_by=agreed, done_by=done, access_by=access
    )


class _Born(msgspec.Struct):
    child_id: UUID
    born: date
    opened_on: date
    has_plan: bool


class _Found(msgspec.Struct):
    id: UUID
    kind: TransitionKind
    due_on: date
    born: date


_BORN: ReadModel[_Born] = ReadModel(
    """
SELECT json_build_object('child_id', e.child_id, 'born', c.birth_date,
    'opened_on', e.opened_on, 'has_plan', EXISTS (SELECT FROM service_request q
      WHERE q.child_id = e.child_id AND q.legal_basis = 'ehcp'))::text
  FROM episode e JOIN child c ON c.id = e.child_id
 WHERE e.closed_on IS NULL AND c.birth_date IS NOT NULL AND NOT EXISTS (
   SELECT FROM processing_restriction r WHERE r.child_id = e.child_id AND r.ended_on IS NULL)
""",
    _Born,
)
_WRITE = """
INSERT INTO transition (id, child_id, kind, watch_from, due_on, found, state,
  created_at, created_by, changed_at, changed_by, version)
SELECT gen_random_uuid(), f.child_id, f.kind, f.watch_from, f.due_on, true, 'watched',
  %(now)s, %(viewer)s, %(now)s, %(viewer)s, 1
  FROM unnest(%(child)s::uuid[], %(kind)s::text[], %(watch_from)s::date[], %(due_on)s::date[])
    AS f (child_id, kind, watch_from, due_on)
 WHERE NOT EXISTS (SELECT FROM transition t WHERE t.child_id = f.child_id AND t.kind = f.kind
   AND (t.due_on = f.due_on OR NOT t.found))
ON CONFLICT (child_id, kind, due_on) DO NOTHING
"""
_FOUND: ReadModel[_Found] = ReadModel(
    """
SELECT json_build_object('id', t.id, 'kind', t.kind, 'due_on', t.due_on,
    'born', c.birth_date)::text
  FROM transition t JOIN child c ON c.id = t.child_id
 WHERE t.found AND t.state = 'watched' AND c.birth_date IS NOT NULL AND NOT EXISTS (
   SELECT FROM processing_restriction r WHERE r.child_id = t.child_id AND r.ended_on IS NULL)
""",
    _Found,
)
_GONE = """
UPDATE transition t SET state = 'not_needed', ended_on = %(today)s, changed_at = %(now)s,
  changed_by = %(viewer)s, version = t.version + 1
 WHERE t.id = ANY(%(ids)s::uuid[])
"""
_MOVES = """
INSERT INTO transition (id, child_id, kind, watch_from, due_on, found, state,
  created_at, created_by, changed_at, changed_by, version)
SELECT gen_random_uuid(), m.child_id, m.kind, m.on_day, m.on_day, true, 'watched',
  %(now)s, %(viewer)s, %(now)s, %(viewer)s, 1
FROM (
  SELECT r.child_id, CASE r.what WHEN 'child.school' THEN 'new_school' ELSE 'new_address' END
      AS kind, (r.created_at AT TIME ZONE 'Europe/London')::date AS on_day
    FROM record_change r WHERE r.what IN ('child.school', 'child.address')
     AND r.created_at > %(since)s
  UNION
  SELECT i.child_id, 'new_gp', i.from_on FROM involvement i JOIN agency a ON a.id = i.agency_id
   WHERE a.kind = 'gp' AND i.from_on > %(since)s::date AND i.from_on <= %(today)s AND EXISTS (
     SELECT FROM involvement b JOIN agency g ON g.id = b.agency_id AND g.kind = 'gp'
      WHERE b.child_id = i.child_id AND b.agency_id <> i.agency_id AND b.from_on < i.from_on)
  ) m JOIN episode e ON e.child_id = m.child_id AND e.closed_on IS NULL
     AND e.opened_on <= m.on_day
WHERE NOT EXISTS (SELECT FROM processing_restriction r
    WHERE r.child_id = m.child_id AND r.ended_on IS NULL)
  AND NOT EXISTS (SELECT FROM transition t WHERE t.child_id = m.child_id AND t.kind = m.kind
    AND t.due_on BETWEEN m.on_day - 90 AND m.on_day + 90)
ON CONFLICT (child_id, kind, due_on) DO NOTHING
"""
LOOKED_BACK = timedelta(days=60)
"""What was so long ago is found still, if the watch did not run meanwhile; nothing older."""


async def find_transitions(session: AsyncSession, today: date, leaving_at: int) -> None:
    """Put on the list what birth dates, new homes, schools and GPs tell of.

    What a worker wrote down before of the same kind stands for it. Where a birth date was put
    right, what nobody has begun to prepare is not needed any more.
    """
    given = {"now": session.info[NOW], "viewer": session.info[VIEWER], "today": today}
    gone = [
        one.id
        for one in await _FOUND.lines(session)
        if one.kind in FROM_BIRTH and not is_a_day_of(one.kind, one.due_on, one.born, leaving_at)
    ]
    if gone:
        await _changed(session, _GONE, given | {"ids": gone})
    found = [
        (one.child_id, due.kind.value, due.watch_from, due.on)
        for one in await _BORN.lines(session)
        for due in due_now(
            one.born,
            max(one.opened_on, today - LOOKED_BACK),
            today,
            leaving_at,
            has_plan=one.has_plan,
        )
    ]
    for start in range(0, len(found), AT_ONCE):
        child, kind, begins, due_on = (
            list(column) for column in zip(*found[start : start + AT_ONCE], strict=True)
        )
        columns = {"child": child, "kind": kind, "watch_from": begins, "due_on": due_on}
        await _changed(session, _WRITE, given | columns)
    since = session.info[NOW] - LOOKED_BACK
    await _changed(session, _MOVES, given | {"since": since})


async def _changed(session: AsyncSession, statement: str, given: Mapping[str, object]) -> None:
    await rows_of(session, f"{statement} RETURNING 1", given)


async def watch(session: AsyncSession, today: date) -> None:
    """Open and close gaps, kind by kind."""
    given = asdict(limits_on(today, await figures(session, FIGURES))) | {
        "now": session.info[NOW],
        "viewer": session.info[VIEWER],
    }
    for kind in ORDER:
        await session.execute(text(WATCH[kind]), given | {"kind": kind.value})


async def leaves_contacts_at(session: AsyncSession) -> int:
    """The age at which CONTACTS ends here: the setting of its panels, the youngest of several."""
    found = await session.execute(
        text(
            "SELECT min((settings->>'age_limit')::int) FROM panel"
            " WHERE kind = 'contacts' AND settings->>'age_limit' IS NOT NULL"
        )
    )
    return found.scalar_one() or LEAVING_CONTACTS_AT


async def _watch_over(session: AsyncSession, slot: datetime) -> None:
    await find_transitions(session, day_of(slot), await leaves_contacts_at(session))
    await watch(session, day_of(slot))


WATCHING = Job("watch over every case", timedelta(days=1), _watch_over)
"""Every night: changes to prepare, and children without a next step."""
