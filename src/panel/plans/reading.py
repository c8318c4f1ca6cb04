"""A plan as a person may read it: one query each, opened with what the gate decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import text

from consent import Category
from panel.plans.rules import Score
from panel.platform.problems import NotFound
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, Withheld


@dataclass(frozen=True, slots=True)
class ProgressReading:
    """Where things stood on a day."""

    on: date
    value: int | None
    note: str


@dataclass(frozen=True, slots=True)
class OutcomeReading:
    """A desired outcome with its progress, oldest first."""

    id: UUID
    text: str
    measure: str
    state: str
    baseline: int | None
    target: int | None
    progress: tuple[ProgressReading, ...]
    version: int

    @property
    def scores(self) -> tuple[Score, ...]:
        """The days on which it was judged on the scale."""
        return tuple(Score(one.on, one.value) for one in self.progress if one.value is not None)


@dataclass(frozen=True, slots=True)
class ActionReading:
    """Who does what by when. `owner` is a worker's name, or who it is in words."""

    id: UUID
    outcome_id: UUID | None
    text: str
    owner: str
    owner_worker_id: UUID | None
    owner_words: str
    due_on: date | None
    state: str
    done_on: date | None
    note: str
    version: int
    service_id: UUID | None = None
    in_plan: bool = True
    """False for what a panel asked for: it is in no plan."""


@dataclass(frozen=True, slots=True)
class PlanReading:
    """A plan with its outcomes and actions, as far as the gate permits it: all of it."""

    id: UUID
    number: int
    state: str
    author_agency_id: UUID
    author_agency: str
    started_on: date
    agreed_on: date | None
    replaced_on: date | None
    summary: str
    outcomes: tuple[OutcomeReading, ...]
    actions: tuple[ActionReading, ...]
    version: int


class PlanLine(msgspec.Struct, frozen=True):
    """That there is a plan: process facts, no content."""

    id: UUID
    number: int
    state: str
    author_agency: str
    started_on: date
    agreed_on: date | None
    replaced_on: date | None


class _Progress(msgspec.Struct):
    id: UUID
    on: date
    value: int | None
    note: str | None


class _Outcome(msgspec.Struct):
    id: UUID
    text: str | None
    measure: str | None
    state: str
    baseline: int | None
    target: int | None
    version: int
    progress: tuple[_Progress, ...] | None


class Owner(msgspec.Struct):
    """A worker with their name as it is sealed (hex)."""

    id: UUID
    agency_id: UUID
    name: str | None


class _Action(msgspec.Struct):
    id: UUID
    plan_id: UUID | None
    outcome_id: UUID | None
    text: str | None
    owner: Owner | None
    owner_words: str | None
    due_on: date | None
    service_id: UUID | None
    state: str
    done_on: date | None
    note: str | None
    version: int


class _Plan(msgspec.Struct):
    id: UUID
    number: int
    state: str
    author_agency_id: UUID
    author_agency: str
    started_on: date
    agreed_on: date | None
    replaced_on: date | None
    summary: str | None
    version: int
    outcomes: tuple[_Outcome, ...] | None
    actions: tuple[_Action, ...] | None


_PLAN = """
SELECT json_build_object('id', p.id, 'number', p.number, 'state', p.state,
  'author_agency_id', p.author_agency_id, 'author_agency', a.name, 'started_on', p.started_on,
  'agreed_on', p.agreed_on, 'replaced_on', p.replaced_on, 'summary', encode(p.summary, 'hex'),
  'version', p.version,
  'outcomes', (SELECT json_agg(json_build_object('id', o.id, 'text', encode(o.text, 'hex'),
       'measure', encode(o.measure, 'hex'), 'state', o.state, 'baseline', o.baseline,
       'target', o.target, 'version', o.version,
       'progress', (SELECT json_agg(json_build_object('id', g.id, 'on', g.on, 'value', g.value,
            'note', encode(g.note, 'hex')) ORDER BY g.on, g.id)
          FROM outcome_progress g WHERE g.outcome_id = o.id))
       ORDER BY o.position, o.id)
     FROM desired_outcome o WHERE o.plan_id = p.id),
  'actions', (SELECT json_agg(json_build_object('id', t.id, 'plan_id', t.plan_id,
       'outcome_id', t.outcome_id, 'text', encode(t.text, 'hex'),
       'owner', CASE WHEN w.id IS NOT NULL THEN json_build_object('id', w.id,
          'agency_id', w.agency_id, 'name', encode(w.name, 'hex')) END,
       'owner_words', encode(t.owner_words, 'hex'), 'due_on', t.due_on,
       'service_id', t.service_id, 'state', t.state, 'done_on', t.done_on,
       'note', encode(t.note, 'hex'), 'version', t.version)
       ORDER BY t.state IN ('done', 'dropped'), t.due_on NULLS LAST, t.id)
     FROM action t LEFT JOIN worker w ON w.id = t.owner_worker_id
     WHERE t.plan_id = p.id
        OR (t.plan_id IS NULL AND t.child_id = p.child_id AND p.state IN ('draft', 'agreed')))
)::text
FROM plan p JOIN agency a ON a.id = p.author_agency_id
WHERE p.child_id = :child
"""
_CURRENT = _PLAN + " AND p.state IN ('draft', 'agreed') ORDER BY p.number DESC LIMIT 1"
_ONE = _PLAN + " AND p.id = :plan"
_READ_PLAN = msgspec.json.Decoder(_Plan)

_FORMER = """
SELECT COALESCE(json_agg(json_build_object('id', p.id, 'number', p.number, 'state', p.state,
  'author_agency', a.name, 'started_on', p.started_on, 'agreed_on', p.agreed_on,
  'replaced_on', p.replaced_on) ORDER BY p.number DESC), '[]')::text
FROM plan p JOIN agency a ON a.id = p.author_agency_id
WHERE p.child_id = :child AND p.state NOT IN ('draft', 'agreed')
"""
_READ_LINES = msgspec.json.Decoder(tuple[PlanLine, ...])


async def plan_for_reading(access: Access) -> PlanReading | Withheld | None:
    """The current plan with outcomes and actions, or why it is not shown; None: there is none."""
    found = await access.session.execute(text(_CURRENT), {"child": access.child_id})
    line = found.scalar_one_or_none()
    return None if line is None else await _opened(access, _READ_PLAN.decode(line))


async def former_plan_for_reading(access: Access, plan_id: UUID) -> PlanReading | Withheld:
    """Any plan of the child's by its id, or why it is not shown. Raises NotFound."""
    found = await access.session.execute(text(_ONE), {"child": access.child_id, "plan": plan_id})
    line = found.scalar_one_or_none()
    if line is None:
        raise NotFound
    return await _opened(access, _READ_PLAN.decode(line))


async def former_plans(access: Access) -> Sequence[PlanLine]:
    """The plans that were replaced or ended, newest first: that there were, and when."""
    found = await access.session.execute(text(_FORMER), {"child": access.child_id})
    return _READ_LINES.decode(found.scalar_one())


async def _opened(access: Access, plan: _Plan) -> PlanReading | Withheld:
    author = plan.author_agency_id
    if not access.may(Category.PLAN, author):
        # An author only ever adds a reason to see: without one it is withheld as well.
        withheld = access.withheld(Category.PLAN)
        return withheld or Withheld(Category.PLAN, "You cannot see this plan.")
    # What a panel asked for was written by no agency of the plan's.
    actions = [
        one for one in plan.actions or () if one.plan_id is not None or access.may(Category.PLAN)
    ]
    await load_keys(access.session, {one.owner.agency_id for one in actions if one.owner})
    return PlanReading(
        id=plan.id,
        number=plan.number,
        state=plan.state,
        author_agency_id=author,
        author_agency=plan.author_agency,
        started_on=plan.started_on,
        agreed_on=plan.agreed_on,
        replaced_on=plan.replaced_on,
        summary=_text(access, "plan.summary", plan.id, plan.summary),
        outcomes=tuple(_outcome(access, one) for one in plan.outcomes or ()),
        actions=tuple(_action(access, one) for one in actions),
        version=plan.version,
    )


def _outcome(access: Access, one: _Outcome) -> OutcomeReading:
    return OutcomeReading(
        id=one.id,
        text=_text(access, "desired_outcome.text", one.id, one.text),
        measure=_text(access, "desired_outcome.measure", one.id, one.measure),
        state=one.state,
        baseline=one.baseline,
        target=one.target,
        progress=tuple(
            ProgressReading(
                each.on,
                each.value,
                _text(access, "outcome_progress.note", each.id, each.note),
            )
            for each in one.progress or ()
        ),
        version=one.version,
    )


def _action(access: Access, one: _Action) -> ActionReading:
    words = _text(access, "action.owner_words", one.id, one.owner_words)
    return ActionReading(
        id=one.id,
        outcome_id=one.outcome_id,
        text=_text(access, "action.text", one.id, one.text),
        owner=words if one.owner is None else worker_name(access, one.owner),
        owner_worker_id=None if one.owner is None else one.owner.id,
        owner_words=words,
        due_on=one.due_on,
        state=one.state,
        done_on=one.done_on,
        note=_text(access, "action.note", one.id, one.note),
        version=one.version,
        service_id=one.service_id,
        in_plan=one.plan_id is not None,
    )


def worker_name(access: Access, worker: Owner) -> str:
    """A worker's name, opened with their agency's key, which must be at hand."""
    if worker.name is None:
        return ""
    sealed = bytes.fromhex(worker.name)
    return access.keys.open(worker.agency_id, "worker.name", worker.id, sealed)


def _text(access: Access, field: str, row: UUID, sealed_hex: str | None) -> str:
    if not sealed_hex:
        return ""
    return access.keys.open(access.child_id, field, row, bytes.fromhex(sealed_hex))
