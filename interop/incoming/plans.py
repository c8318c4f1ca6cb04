"""What is planned and asked for: CarePlan, Goal, Task and ServiceRequest."""

import re
from collections.abc import Mapping
from typing import Final

from interop import systems
from interop.incoming.care import note_of
from interop.incoming.people import identifier_of, subject_of
from interop.incoming.reader import Fields, Reader
from interop.incoming.spoken import Lacking, NotPanels, Spoken, first
from interop.messages import Action, Outcome, Plan, Progress, Request

_PLAN_STATES: Final = {
    "draft": "draft",
    "active": "agreed",
    "on-hold": "agreed",
    "revoked": "replaced",
    "completed": "ended",
}
_GOAL_STATES: Final = {
    "proposed": "working_towards",
    "planned": "working_towards",
    "accepted": "working_towards",
    "active": "working_towards",
    "on-hold": "working_towards",
    "completed": "reached",
    "cancelled": "stopped",
    "rejected": "stopped",
}
_TASK_STATES: Final = {
    "draft": "to_do",
    "requested": "to_do",
    "received": "to_do",
    "accepted": "to_do",
    "ready": "to_do",
    "in-progress": "doing",
    "on-hold": "doing",
    "completed": "done",
    "rejected": "dropped",
    "cancelled": "dropped",
    "failed": "dropped",
}
_REQUEST_STATES: Final = {
    "draft": "draft",
    "active": "sent",
    "on-hold": "sent",
    "completed": "decided",
    "revoked": "withdrawn",
    "unknown": "unknown",
}
_URGENCIES: Final = {"routine": "routine", "urgent": "soon", "asap": "urgent", "stat": "urgent"}
_ABSENT_NOTE: Final = re.compile(r"No level|Level [0-9]+ of 5")
"""What stands where a level has no note: R4 wants words."""


def _plan(plan: Spoken) -> Fields:
    state = _state(plan, "status", _PLAN_STATES)
    period = plan.one("period")
    ended = period.day("end")
    started = period.day("start") or plan.day("created")
    if started is None or (ended is not None and ended < started):
        raise Lacking("This plan does not say on which day it starts.", ".period")
    number = plan.extension(systems.NUMBER).whole("valueInteger")
    if number is not None:
        plan.note("title")
    plan.note("intent")
    return {
        "child": subject_of(plan.one("subject")),
        "number": number,
        "state": state,
        "summary": plan.text("description"),
        "started_on": started,
        "agreed_on": plan.extension(systems.AGREED_ON).day("valueDate"),
        "ended_on": ended,
        "author_agency": plan.one("author").refers_to("Organization"),
        "outcomes": _ids(plan, "goal", "Goal"),
        "actions": _ids(plan, "activity", "Task", "reference"),
        "has_team": any(each.refers_to("CareTeam") for each in plan.many("careTeam")) or None,
    }


def _state(spoken: Spoken, name: str, states: Mapping[str, str]) -> str:
    found = states.get(spoken.text(name) or "")
    if found is None:
        raise NotPanels("Its sender does not know how it stands.")
    return found


def _ids(spoken: Spoken, name: str, kind: str, within: str | None = None) -> tuple[str, ...] | None:
    ones = spoken.many(name)
    references = ones if within is None else [each.one(within) for each in ones]
    return tuple(found for each in references if (found := each.refers_to(kind))) or None


def _outcome(goal: Spoken) -> Fields:
    text = goal.one("description").words()
    if text is None:
        raise Lacking("This goal does not say what is wanted.", ".description")
    state = _state(goal, "lifecycleStatus", _GOAL_STATES)
    goal.one("achievementStatus").code(systems.GOAL_ACHIEVEMENT)
    progress = [found for each in goal.many("note") if (found := _progress(each)) is not None]
    return {
        "child": subject_of(goal.one("subject")),
        "plan": goal.extension(systems.PLAN).one("valueReference").refers_to("CarePlan"),
        "text": text,
        "state": state,
        "baseline": goal.extension(systems.BASELINE).whole("valueInteger"),
        "started_on": goal.day("startDate"),
        "progress": tuple(progress) or None,
        **_target(goal),
    }


def _target(goal: Spoken) -> Fields:
    for each in goal.many("target"):
        measure = each.one("measure")
        measure.code(systems.OUTCOME_SCALE)
        return {"measure": measure.text("text"), "target": each.whole("detailInteger")}
    return {}


def _progress(note: Spoken) -> Progress | None:
    on = note.day("time")
    if on is None:
        return None
    value = note.extension(systems.LEVEL).whole("valueInteger")
    said = note.text("text")
    told = said is not None and _ABSENT_NOTE.fullmatch(said) is None
    return Progress(on=on, value=value, note=said if told else None)


def _action(task: Spoken) -> Fields:
    text = task.text("description") or task.one("code").words()
    if text is None:
        raise Lacking("This task does not say what is to be done.", ".description")
    state = _state(task, "status", _TASK_STATES)
    owner = task.one("owner")
    work = task.one("executionPeriod")
    if task.value.get("lastModified") == task.one("meta").value.get("lastUpdated"):
        task.note("lastModified")
    task.note("intent")
    return {
        "child": subject_of(task.one("for")),
        "text": text,
        "state": state,
        "plan": first(each.refers_to("CarePlan") for each in task.many("basedOn")),
        "outcome": task.one("focus").refers_to("Goal"),
        "owner": owner.refers_to("Practitioner", "PractitionerRole"),
        "owner_words": owner.text("display"),
        "asked_on": task.day("authoredOn"),
        "due_on": task.one("restriction").one("period").day("end"),
        "done_on": work.day("end") if state == "done" else None,
        "note": note_of(task),
    }


def _request(request: Spoken) -> Fields:
    state = _state(request, "status", _REQUEST_STATES)
    requester = request.one("requester")
    behalf = request.extension(systems.ON_BEHALF_OF).one("valueReference")
    reasons = request.many("reasonCode")
    quantity = request.one("quantityQuantity")
    quantity.note("system", "code")
    request.note("intent")
    return {
        "child": subject_of(request.one("subject")),
        "reference": identifier_of(request, systems.REQUEST_REFERENCE),
        "state": state,
        "legal_basis": first(each.code(systems.LEGAL_BASIS) for each in request.many("category")),
        "category": first(
            each.code(systems.INFORMATION_CATEGORY) for each in request.many("category")
        ),
        "need": _need_words(reasons[0]) if reasons else None,
        "need_code": first(each.code(systems.PRIMARY_NEED) for each in reasons),
        "outcome": note_of(request),
        "asked_for": request.one("code").words(),
        "service": first(each.refers_to("HealthcareService") for each in request.many("performer")),
        "units": quantity.decimal("value"),
        "unit": quantity.text("unit"),
        "urgency": _URGENCIES.get(request.text("priority") or ""),
        "agency": behalf.refers_to("Organization") or requester.refers_to("Organization"),
        "sent_on": request.day("authoredOn"),
        "sent_by": requester.refers_to("Practitioner", "PractitionerRole"),
    }


def _need_words(reason: Spoken) -> str | None:
    """The need as it was written; that of Panel's own code stands in Panel already."""
    own = any(each.value.get("system") == systems.PRIMARY_NEED for each in reason.many("coding"))
    return reason.text("text") if own else reason.words()


READERS: Final = {
    "CarePlan": Reader(
        message=Plan, read=_plan, otherwise={"child": "", "number": 0, "author_agency": ""}
    ),
    "Goal": Reader(message=Outcome, read=_outcome, otherwise={"child": "", "plan": ""}),
    "Task": Reader(message=Action, read=_action, otherwise={"child": ""}),
    "ServiceRequest": Reader(
        message=Request, read=_request, otherwise={"child": "", "reference": "", "agency": ""}
    ),
}
