"""What waits for each worker, derived from the records' own rows; a notice never has content.

Set queries over process facts: ids, states and days. Who a notice is about is read through the gate
by the worker whom it is for, when they open their list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Viewer
from panel.casework.names import named
from panel.platform.tables import NOW, VIEWER, today_of
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, Purposes
from panel.records.who_leads import HOLDS_TODAY
from panel.web.paging import Asked, Page, page_of

TASKS_A_PAGE = 25
TASK_KEY = (date, UUID)
NO_DATE = date(9999, 12, 31)
ACTIONS_AHEAD = timedelta(days=7)
REVIEWS_AHEAD = timedelta(days=28)


class TaskKind(StrEnum):
    """What kind of thing waits for a worker."""

    ACTION = "action"
    REVIEW = "review"
    OFFER = "offer"
    REQUEST = "request"
    HANDOVER = "handover"
    NOTE = "note"
    MINUTES = "minutes"
    CHASE = "chase"
    INVITATION = "invitation"
    TRANSITION = "transition"
    COVER = "cover"
    MOVE = "move"


WHAT_WAITS: Sequence[str] = (
    # Actions that are due within the week, or were.
    """
SELECT a.owner_worker_id AS worker_id, 'action' AS kind, a.id AS subject_id, a.child_id, a.due_on,
  (a.created_at AT TIME ZONE 'Europe/London')::date AS since_on
FROM action a LEFT JOIN plan p ON p.id = a.plan_id
WHERE a.owner_worker_id IS NOT NULL AND a.state IN ('to_do', 'doing')
  AND a.due_on <= :actions_until AND (p.id IS NULL OR p.state IN ('draft', 'agreed'))
""",
    # Reviews of children whom the worker leads.
    """
SELECT l.worker_id, 'review', f.id, f.child_id, f.next_review_by, COALESCE(f.last_discussed_on,
  f.referred_on)
FROM referral f JOIN lead_professional l ON l.child_id = f.child_id AND {holds_today}
WHERE f.state <> 'closed' AND f.rests_from IS NULL AND f.next_review_by <= :reviews_until
""",
    # Offers to hold a plan that are not answered.
    """
SELECT l.worker_id, 'offer', l.id, l.child_id, NULL::date, l.offered_on
FROM lead_professional l WHERE l.state = 'offered'
""",
    # Requests to see more, which the lead professional answers.
    """
SELECT l.worker_id, 'request', q.id, q.child_id, NULL::date, q.asked_on
FROM access_request q JOIN lead_professional l ON l.child_id = q.child_id AND {holds_today}
WHERE q.state = 'asked'
""",
    # Plans that came to the worker because somebody left, and wait for their handover.
    """
SELECT l.worker_id, 'handover', l.id, l.child_id, NULL::date, l.from_on
FROM lead_professional l WHERE l.state = 'accepted' AND l.offered_by = :job
  AND EXISTS (SELECT FROM lead_professional f JOIN worker w ON w.id = f.worker_id
    WHERE f.child_id = l.child_id AND f.id <> l.id AND f.from_on IS NOT NULL
      AND w.until_on < l.from_on AND (f.until_on = l.from_on - 1 OR f.state = 'withdrawn'))
  AND NOT EXISTS (SELECT FROM lead_professional o
    WHERE o.child_id = l.child_id AND o.state = 'offered')
""",
    # Notes to families that whoever coordinates the panel has not signed off.
    """
SELECT r.worker_id, 'note', n.id, n.child_id, n.due_on,
  (n.created_at AT TIME ZONE 'Europe/London')::date
FROM family_note n JOIN meeting m ON m.id = n.meeting_id
  JOIN worker_role r ON r.panel_id = m.panel_id AND r.role = 'coordinator'
    AND (r.from_on IS NULL OR r.from_on <= :today) AND (r.until_on IS NULL OR r.until_on >= :today)
WHERE n.state = 'draft'
""",
    # Minutes of a meeting about a family that whoever drafted them has not sent.
    """
SELECT m.created_by, 'minutes', m.id, m.child_id, NULL::date,
  (m.created_at AT TIME ZONE 'Europe/London')::date
FROM impact_minutes m JOIN worker w ON w.id = m.created_by WHERE m.state = 'draft'
""",
    # Actions of others that are so long overdue that the manager was told.
    """
SELECT c.worker_id, 'chase', c.action_id, c.child_id, c.due_on, c.on
FROM action_chase c JOIN action a ON a.id = c.action_id AND a.due_on = c.due_on
WHERE c.step = 'manager' AND a.state IN ('to_do', 'doing')
""",
    # Invitations to a meeting about a family that are not answered.
    """
SELECT i.person_id, 'invitation', i.id, i.child_id, m.held_on,
  (i.created_at AT TIME ZONE 'Europe/London')::date
FROM impact_invitation i JOIN impact_meeting m ON m.id = i.meeting_id
WHERE i.kind = 'worker' AND i.answer = 'waiting' AND i.taken_back_at IS NULL
  AND m.state IN ('planned', 'called') AND m.held_on >= :today
""",
    # Transitions that the worker prepares.
    """
SELECT t.owner_worker_id, 'transition', t.id, t.child_id, t.due_on, t.watch_from
FROM transition t WHERE t.owner_worker_id IS NOT NULL AND t.state IN ('watched', 'planned')
  AND t.watch_from <= :today AND t.due_on <= :reviews_until
""",
    # Requests to stand in for a lead professional.
    """
SELECT c.worker_id, 'cover', c.id, c.child_id, c.from_on, c.offered_on
FROM lead_cover c WHERE c.state = 'offered'
""",
    # Handovers to another authority that wait to be sent: for who leads.
    """
SELECT l.worker_id, 'move', h.id, h.child_id, h.moves_on,
  (h.created_at AT TIME ZONE 'Europe/London')::date
FROM authority_handover h JOIN lead_professional l ON l.child_id = h.child_id
  AND {holds_today}
WHERE h.direction = 'out' AND h.state = 'draft'
""",
)
"""Each gives worker, kind, subject, child, due, since. What comes later adds a query of its own."""

_KEEP = """
WITH waits AS MATERIALIZED (
  SELECT DISTINCT ON (worker_id, kind, subject_id) * FROM ({sources}) s
  WHERE (CAST(:worker AS uuid) IS NULL OR worker_id = :worker)
  ORDER BY worker_id, kind, subject_id
), kept AS (
  INSERT INTO task_notice AS n (id, worker_id, kind, subject_id, child_id, due_on, since_on,
    created_at, created_by, changed_at, changed_by, version)
  SELECT gen_random_uuid(), worker_id, kind, subject_id, child_id, due_on, since_on,
    :now, :viewer, :now, :viewer, 1 FROM waits
  ON CONFLICT (worker_id, kind, subject_id) DO UPDATE SET due_on = excluded.due_on,
    settled_at = NULL, changed_at = excluded.changed_at, changed_by = excluded.changed_by,
    version = n.version + 1
    WHERE n.due_on IS DISTINCT FROM excluded.due_on OR n.settled_at IS NOT NULL
)
UPDATE task_notice t SET settled_at = :now, changed_at = :now, changed_by = :viewer,
  version = t.version + 1
WHERE t.settled_at IS NULL AND (CAST(:worker AS uuid) IS NULL OR t.worker_id = :worker)
  AND NOT EXISTS (SELECT FROM waits w WHERE w.worker_id = t.worker_id AND w.kind = t.kind
    AND w.subject_id = t.subject_id)
"""


async def keep_tasks(session: AsyncSession, worker_id: UUID | None = None) -> None:
    """Write down what waits now: for one worker, as themselves, or for everybody as scheduled work.

    Done again it changes nothing.
    """
    today = today_of(session)
    waits = " UNION ALL ".join(WHAT_WAITS).replace("{holds_today}", HOLDS_TODAY)
    statement = _KEEP.replace("{sources}", waits)
    await session.execute(
        text(statement),
        {
            "worker": worker_id,
            "now": session.info[NOW],
            "viewer": session.info[VIEWER],
            "job": JOB,
            "today": today,
            "actions_until": today + ACTIONS_AHEAD,
            "reviews_until": today + REVIEWS_AHEAD,
        },
    )


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a worker's list."""

    id: UUID
    kind: TaskKind
    subject_id: UUID
    child_id: UUID | None
    who: str
    """The child, as far as the worker may know who it is."""
    due_on: date | None
    since_on: date


_MINE = """
SELECT n.id, n.kind, n.subject_id, n.child_id, n.due_on, n.since_on
FROM task_notice n WHERE n.worker_id = :viewer AND n.settled_at IS NULL
  AND (CAST(:due AS date) IS NULL OR (COALESCE(n.due_on, :no_date), n.id) {beyond}
    (CAST(:due AS date), CAST(:id AS uuid)))
ORDER BY COALESCE(n.due_on, :no_date) {order}, n.id {order} LIMIT :most
"""
_READ = {
    "after": text(_MINE.format(beyond=">", order="ASC")),
    "before": text(_MINE.format(beyond="<", order="DESC")),
}


async def own_tasks(
    gate: Gate, session: AsyncSession, viewer: Viewer, purposes: Purposes, asked: Asked
) -> Page[Task]:
    """A page of what waits for a worker, the soonest first; who is out of reach is left out.

    Each child on it is opened for who they are, and logged.
    """
    await keep_tasks(session, viewer.id)
    due, last = (None, None) if asked.key is None else asked.key
    given = {"viewer": viewer.id, "no_date": NO_DATE, "due": due, "id": last}
    found = await session.execute(_READ[asked.direction], given | {"most": TASKS_A_PAGE + 1})
    page = page_of(list(found), asked, TASKS_A_PAGE, lambda row: (row.due_on or NO_DATE, row.id))
    children = [row.child_id for row in page.rows if row.child_id is not None]
    known = await named(gate, session, viewer, purposes, children, "looked at what is to be done")
    tasks = [
        Task(
            row.id,
            TaskKind(row.kind),
            row.subject_id,
            row.child_id,
            "" if row.child_id is None else known[row.child_id].words,
            row.due_on,
            row.since_on,
        )
        for row in page.rows
        if row.child_id is None or row.child_id in known
    ]
    return Page(tasks, page.previous, page.next, page.note)


async def due_now(session: AsyncSession) -> dict[UUID, int]:
    """How many things are due for each worker today, or wait without a day. For scheduled work."""
    found = await session.execute(
        text(
            "SELECT worker_id, count(*) AS due FROM task_notice WHERE settled_at IS NULL"
            " AND (due_on IS NULL OR due_on <= :today) GROUP BY worker_id"
        ),
        {"today": today_of(session)},
    )
    return {row.worker_id: row.due for row in found}
