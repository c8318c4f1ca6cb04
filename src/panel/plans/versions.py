"""Versions of a plan: what was agreed on a day, kept as it was.

A version holds what was agreed, not how far it is: done actions and scores make no new version,
other words, other dates and other owners do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy import select

from consent import Category
from panel.plans import rules
from panel.plans.linking import services_of
from panel.plans.measure_rules import Smart
from panel.plans.measures import NOT_MEASURED, measures_of
from panel.plans.models import Plan, PlanVersion
from panel.plans.reading import ActionReading, PlanReading, plan_for_reading
from panel.plans.writing import changed_by, plan_for_change
from panel.platform.problems import Conflict, Invalid, NotAllowed, NotFound
from panel.records.gate import Access


class AgreedOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """A desired outcome as it was agreed."""

    text: str
    measure: str = ""
    baseline: int | None = None
    target: int | None = None
    baseline_words: str = ""
    baseline_number: Decimal | None = None
    target_words: str = ""
    target_number: Decimal | None = None
    unit: str = ""
    by_on: date | None = None
    judged_by: str | None = None
    scaling_question: str = ""

    @property
    def smart(self) -> Smart:
        """Its SMART parts."""
        return Smart(
            self.baseline_words,
            self.baseline_number,
            self.target_words,
            self.target_number,
            self.unit,
            self.by_on,
            self.judged_by,
            self.scaling_question,
        )


class AgreedAction(msgspec.Struct, frozen=True, omit_defaults=True):
    """An action as it was agreed. `outcome` counts from 1; 0 where it is for none of them."""

    text: str
    owner: str = ""
    is_worker: bool = False
    due_on: date | None = None
    outcome: int = 0
    service: str = ""


class AgreedContent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plan as it was agreed."""

    summary: str
    outcomes: tuple[AgreedOutcome, ...] = ()
    actions: tuple[AgreedAction, ...] = ()


_READ = msgspec.json.Decoder(AgreedContent)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a plan."""

    id: UUID
    plan_id: UUID
    number: int
    agreed_on: date
    content: AgreedContent


async def content_of(access: Access, plan: PlanReading) -> AgreedContent:
    """What would be agreed now, of a plan that the gate showed.

    What a panel asked for is in no plan; what was dropped is not agreed.
    """
    measured = await measures_of(access, plan)
    services = await services_of(access, plan)
    places = {one.id: at for at, one in enumerate(plan.outcomes, start=1)}
    outcomes = []
    for one in plan.outcomes:
        smart = measured.get(one.id, NOT_MEASURED).smart
        outcomes.append(
            AgreedOutcome(
                one.text,
                one.measure,
                one.baseline,
                one.target,
                smart.baseline_words,
                smart.baseline_number,
                smart.target_words,
                smart.target_number,
                smart.unit,
                smart.by_on,
                smart.judged_by,
                smart.scaling_question,
            )
        )
    # In an order of its own: the plan's puts what is done last, which changes nothing agreed.
    actions = sorted(
        (one for one in plan.actions if one.in_plan and one.state != rules.ActionState.DROPPED),
        key=lambda one: one.id,
    )
    return AgreedContent(
        plan.summary,
        tuple(outcomes),
        tuple(_agreed_action(one, places, services) for one in actions),
    )


def _agreed_action(
    one: ActionReading, places: dict[UUID, int], services: dict[UUID, str]
) -> AgreedAction:
    return AgreedAction(
        one.text,
        one.owner,
        one.owner_worker_id is not None,
        one.due_on,
        0 if one.outcome_id is None else places.get(one.outcome_id, 0),
        "" if one.service_id is None else services.get(one.service_id, ""),
    )


async def agree_plan(access: Access, version: int, agreed_on: date) -> PlanVersion:
    """The plan is agreed as it is now, which makes the next version of it.

    A plan that is agreed already can be agreed again once it says something else. Raises Invalid,
    or Conflict where it changed meanwhile.
    """
    plan = await plan_for_change(access)
    read = await plan_for_reading(access)
    if not isinstance(read, PlanReading):
        raise NotAllowed("You cannot see this plan, so you cannot agree it.")
    content = await content_of(access, read)
    newest = await _newest(access, plan.id)
    # One that was agreed before versions were kept has none yet.
    is_new = newest is None or _READ.decode(newest.content) != content
    state = "draft" if is_new else plan.state
    mistake = rules.agreement_mistake(state, len(read.outcomes), agreed_on, access.today)
    if not mistake and newest is not None and agreed_on < newest.agreed_on:
        mistake = "The date must not be before the day on which it was agreed last"
    if mistake:
        raise Invalid.because("agreed_on", mistake)
    if plan.version != version:
        raise Conflict((), await changed_by(access, plan))
    if plan.state != "agreed":
        plan.state, plan.agreed_on = "agreed", agreed_on
    made = PlanVersion(
        child_id=access.child_id,
        plan_id=plan.id,
        number=1 if newest is None else newest.number + 1,
        agreed_on=agreed_on,
    )
    made.content = msgspec.json.encode(content).decode()
    access.session.add(made)
    await access.session.flush()
    return made


async def _newest(access: Access, plan_id: UUID) -> PlanVersion | None:
    newest: PlanVersion | None = await access.session.scalar(
        select(PlanVersion)
        .where(PlanVersion.plan_id == plan_id)
        .order_by(PlanVersion.number.desc())
        .limit(1)
    )
    return newest


async def is_changed_since(access: Access, plan: PlanReading) -> bool:
    """Whether an agreed plan says something else than what was agreed last, or that is not kept."""
    if plan.state != "agreed":
        return False
    newest = await _newest(access, plan.id)
    if newest is None:
        return True
    return _READ.decode(newest.content) != await content_of(access, plan)


async def versions_of(access: Access, plan_id: UUID) -> Sequence[Version]:
    """The versions of a plan of the child's, the newest first. Raises NotAllowed, NotFound."""
    plan = await access.session.get(Plan, plan_id)
    if plan is None or plan.child_id != access.child_id:
        raise NotFound
    if not access.may(Category.PLAN, plan.author_agency_id):
        raise NotAllowed(str(access.withheld(Category.PLAN) or "You cannot see this plan."))
    rows = await access.session.scalars(
        select(PlanVersion)
        .where(PlanVersion.plan_id == plan_id)
        .order_by(PlanVersion.number.desc())
    )
    return [
        Version(row.id, row.plan_id, row.number, row.agreed_on, _READ.decode(row.content))
        for row in rows
    ]
