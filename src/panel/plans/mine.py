"""What one worker is asked to do, whoever holds the plan: open actions, the soonest first.

A long overdue action of somebody else in their agency is among them once it was passed on to them
as the manager.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Viewer
from panel.plans.reading import Owner, worker_name
from panel.platform.read_models import UnevenReadModel, sql
from panel.platform.tables import NOW
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, Gate, Purposes
from panel.register.service import name_of_child
from panel.web.paging import Asked, Direction, Page, page_of

ACTIONS_A_PAGE = 20
NO_DATE = date(9999, 12, 31)
MINE_KEY = (date, UUID)
"""The kinds in a cursor of this list: the day on which it is due, the action."""
ABOUT = frozenset({Category.IDENTITY, Category.PLAN})
"""What the list shows of each record; nothing else is decided or logged."""


@dataclass(frozen=True, slots=True)
class MyAction:
    """One action that the worker is asked to do. Text None: it is not shown."""

    id: UUID
    child_id: UUID
    reference: str
    name: str
    """Empty where the name is withheld."""
    text: str | None
    due_on: date | None
    chased: tuple[tuple[str, date], ...] = ()
    """Reminders by this date: (step, day), in their order."""
    owner: str = ""
    """Whose it is, where it was passed on to the viewer as their manager."""


class _Mine(msgspec.Struct):
    id: UUID
    child_id: UUID
    reference: str
    given_name: str | None
    family_name: str | None
    author_agency_id: UUID | None
    text: str | None
    due_on: date | None
    chased: tuple[tuple[str, date], ...] | None
    owner: Owner | None


_MINE = """
SELECT json_build_object('id', t.id, 'child_id', t.child_id, 'reference', c.reference,
  'given_name', encode(c.given_name, 'hex'), 'family_name', encode(c.family_name, 'hex'),
  'author_agency_id', p.author_agency_id, 'text', encode(t.text, 'hex'), 'due_on', t.due_on,
  'chased', (SELECT json_agg(json_build_array(y.step, y.on) ORDER BY y.on, y.step DESC)
     FROM action_chase y WHERE y.action_id = t.id AND y.due_on = t.due_on),
  'owner', CASE WHEN w.id <> :viewer THEN json_build_object('id', w.id, 'agency_id', w.agency_id,
     'name', encode(w.name, 'hex')) END)::text
FROM child_access x JOIN action t ON t.child_id = x.child_id JOIN child c ON c.id = t.child_id
JOIN worker w ON w.id = t.owner_worker_id LEFT JOIN plan p ON p.id = t.plan_id
WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now
  AND t.id IN (SELECT m.id FROM action m WHERE m.owner_worker_id = :viewer
      AND m.state IN ('to_do', 'doing')
    UNION ALL SELECT z.action_id FROM action_chase z JOIN action m ON m.id = z.action_id
      AND m.due_on = z.due_on WHERE z.worker_id = :viewer AND z.step = 'manager')
  AND t.state IN ('to_do', 'doing')
  AND (p.id IS NULL OR p.state IN ('draft', 'agreed'))
  AND (CAST(:due_on AS date) IS NULL OR (COALESCE(t.due_on, :no_date), t.id) {beyond}
    (CAST(:due_on AS date), CAST(:action AS uuid)))
ORDER BY COALESCE(t.due_on, :no_date) {order}, t.id {order} LIMIT :most
"""
_READ_MINE: Mapping[Direction, UnevenReadModel[_Mine]] = {
    "after": UnevenReadModel(sql(_MINE, beyond=">", order="ASC"), _Mine),
    "before": UnevenReadModel(sql(_MINE, beyond="<", order="DESC"), _Mine),
}


async def my_actions(
    gate: Gate, session: AsyncSession, viewer: Viewer, purposes: Purposes, asked: Asked
) -> Page[MyAction]:
    """A page of a worker's open actions, the soonest first.

    Each child's record on it is opened and logged.
    """
    due_on, action = (None, None) if asked.key is None else asked.key
    lines = await _READ_MINE[asked.direction].lines(
        session,
        viewer=viewer.id,
        now=session.info[NOW],
        due_on=due_on,
        action=action,
        no_date=NO_DATE,
        most=ACTIONS_A_PAGE + 1,
    )
    await load_keys(session, {one.owner.agency_id for one in lines if one.owner})
    page = page_of(lines, asked, ACTIONS_A_PAGE, lambda one: (one.due_on or NO_DATE, one.id))
    opened = await gate.open_here(
        session,
        dict.fromkeys(one.child_id for one in page.rows),
        viewer,
        purposes,
        "looked at what they are asked to do",
        ABOUT,
    )
    shown = [
        _action(access, one)
        for one in page.rows
        if (access := opened.get(one.child_id)) is not None
    ]
    return Page(shown, page.previous, page.next, page.note)


def _action(access: Access, one: _Mine) -> MyAction:
    return MyAction(
        one.id,
        one.child_id,
        one.reference,
        name_of_child(access, one.given_name, one.family_name),
        access.open_text(one.text, "action.text", one.id, Category.PLAN, one.author_agency_id),
        one.due_on,
        one.chased or (),
        worker_name(access, one.owner) if one.owner is not None else "",
    )
