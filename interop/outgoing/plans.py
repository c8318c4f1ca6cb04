"""What is planned and asked for: CarePlan, Goal, Task and ServiceRequest."""

from datetime import UTC

from interop import systems
from interop.messages import Action, Outcome, Plan, Progress, Request
from interop.outgoing.codes import NEEDS, UCUM_UNITS
from interop.outgoing.elements import (
    Json,
    annotation,
    coding,
    concept,
    day,
    extension,
    instant,
    is_code,
    narrative,
    own_concept,
    period,
    present,
    reference,
    references,
    resource,
    text,
    told_or_absent,
)

PLAN_STATES = {"draft": "draft", "agreed": "active", "replaced": "revoked", "ended": "completed"}
GOAL_STATES = {"working_towards": "active", "reached": "completed", "stopped": "cancelled"}
ACHIEVEMENTS = {
    "working_towards": ("in-progress", "In Progress"),
    "reached": ("achieved", "Achieved"),
}
"""Of an outcome that was stopped it is not known how far it got."""
TASK_STATES = {
    "to_do": "requested",
    "doing": "in-progress",
    "done": "completed",
    "dropped": "cancelled",
}
REQUEST_STATES = {
    "draft": "draft",
    "sent": "active",
    "decided": "completed",
    "withdrawn": "revoked",
}
PRIORITIES = {"routine": "routine", "soon": "urgent", "urgent": "asap"}
"""R4: urgent is promptly, before routine; asap is as soon as possible, before urgent."""
SCALE = "0-5"
"""Outcomes are measured from 0 to 5."""


def care_plan(plan: Plan) -> Json:
    """CarePlan (UK Core) with its goals, tasks and team."""
    title = f"Plan {plan.number}"
    return resource(
        "CarePlan",
        plan,
        {
            "text": narrative(title, plan.summary),
            "extension": extension(systems.NUMBER, "Integer", plan.number)
            + extension(systems.AGREED_ON, "Date", day(plan.agreed_on)),
            "status": PLAN_STATES[plan.state],
            "intent": "plan",
            "title": title,
            "description": text(plan.summary),
            "subject": reference("Patient", plan.child),
            "period": period(plan.started_on, plan.ended_on),
            "author": reference("Organization", plan.author_agency),
            "careTeam": references("CareTeam", [plan.child] if plan.has_team else []),
            "goal": references("Goal", plan.outcomes),
            "activity": [{"reference": one} for one in references("Task", plan.actions)],
        },
    )


def goal(outcome: Outcome) -> Json:
    """Goal: what is wanted, its measure with the target on the scale, and how it went by day."""
    achievement = ACHIEVEMENTS.get(outcome.state)
    return resource(
        "Goal",
        outcome,
        {
            "text": narrative(outcome.text, outcome.measure),
            "extension": extension(systems.PLAN, "Reference", reference("CarePlan", outcome.plan))
            + extension(systems.BASELINE, "Integer", outcome.baseline),
            "lifecycleStatus": GOAL_STATES[outcome.state],
            "achievementStatus": concept(coding(systems.GOAL_ACHIEVEMENT, *achievement))
            if achievement
            else None,
            "description": told_or_absent(outcome.text),
            "subject": reference("Patient", outcome.child),
            "startDate": day(outcome.started_on),
            "target": _target(outcome),
            "note": [_progress(one) for one in outcome.progress],
        },
        profiled=False,
    )


def _target(outcome: Outcome) -> list[Json]:
    """The measure, and the number of the scale that is aimed at; R4 wants a measure for it."""
    if outcome.target is None and text(outcome.measure) is None:
        return []
    measure = concept(coding(systems.OUTCOME_SCALE, SCALE, "From 0 to 5"), words=outcome.measure)
    return [present({"measure": measure, "detailInteger": outcome.target})]


def _progress(one: Progress) -> Json:
    """A dated note that bears the level; R4 wants words, so a level alone is told in words too."""
    said = text(one.note)
    if said is None:
        said = "No level" if one.value is None else f"Level {one.value} of 5"
    return present(
        {
            "extension": extension(systems.LEVEL, "Integer", one.value),
            "time": day(one.on),
            "text": said,
        }
    )


def task(action: Action) -> Json:
    """Task (UK Core): who does what; due and done are the ends of what is asked and of the work."""
    return resource(
        "Task",
        action,
        {
            "text": narrative(action.text),
            "basedOn": references("CarePlan", [action.plan] if action.plan else []),
            "status": TASK_STATES[action.state],
            "intent": "plan",
            "description": text(action.text),
            "focus": reference("Goal", action.outcome),
            "for": reference("Patient", action.child),
            "executionPeriod": period(None, action.done_on),
            "authoredOn": day(action.asked_on),
            "lastModified": _modified(action),
            "owner": reference("Practitioner", action.owner, action.owner_words),
            "note": annotation(action.note),
            "restriction": present({"period": period(None, action.due_on)}),
        },
    )


def _modified(action: Action) -> str | None:
    """When it last changed; R4 (inv-1) compares it with the day, so only of a later day."""
    at = action.changed_at
    if at is None or (action.asked_on is not None and at.astimezone(UTC).date() <= action.asked_on):
        return None
    return instant(at)


def service_request(request: Request) -> Json:
    """ServiceRequest (UK Core): a proposal, since only the panel can order what is asked for."""
    basis = own_concept(systems.LEGAL_BASIS, text(request.legal_basis))
    about = request.category
    kind = (
        concept(coding(systems.INFORMATION_CATEGORY, about))
        if about is not None and is_code(about)
        else None
    )
    need = _need(request)
    by = request.sent_by
    agency = reference("Organization", request.agency)
    return resource(
        "ServiceRequest",
        request,
        {
            "text": narrative(request.asked_for, request.need),
            "extension": extension(systems.ON_BEHALF_OF, "Reference", agency if by else None),
            "identifier": _number(request.reference),
            "status": REQUEST_STATES.get(request.state, "unknown"),
            "intent": "proposal",
            "category": [one for one in (basis, kind) if one],
            "priority": PRIORITIES.get(request.urgency),
            "code": concept(words=request.asked_for),
            "quantityQuantity": _quantity(request),
            "subject": reference("Patient", request.child),
            "authoredOn": day(request.sent_on),
            "requester": reference("Practitioner", by) if by else agency,
            "performer": references(
                "HealthcareService", [request.service] if request.service else []
            ),
            "reasonCode": [need] if need else None,
            "note": annotation(request.outcome),
        },
    )


def _number(written: str) -> list[Json]:
    value = text(written)
    return [{"system": systems.REQUEST_REFERENCE, "value": value}] if value else []


def _need(request: Request) -> Json | None:
    code = request.need_code
    if code is None or not is_code(code):
        return concept(words=request.need or code)
    return concept(coding(systems.PRIMARY_NEED, code, NEEDS.get(code)), words=request.need)


def _quantity(request: Request) -> Json | None:
    if request.units is None:
        return None
    unit = text(request.unit)
    coded: Json = {}
    if unit is not None and unit in UCUM_UNITS:
        coded = {"system": systems.UCUM, "code": UCUM_UNITS[unit]}
    elif is_code(unit):
        coded = {"system": systems.UNIT, "code": unit}
    return present({"value": request.units, "unit": unit}) | coded
