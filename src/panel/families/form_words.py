"""How far the forms about a child are, in the words of the family's page."""

from panel.assessments.for_family import FormForFamily
from panel.assessments.limits import LateReason
from panel.assessments.models import StopReason
from panel.web import words

WAITS = {
    StopReason.FAMILY_AWAY: "you are away",
    StopReason.CHILD_IN_HOSPITAL: "your child is in hospital",
    StopReason.FAMILY_ASKED: "you asked to wait",
    StopReason.WAITING_FOR_SPECIALIST: "we wait for a report",
    StopReason.WAITING_FOR_INTERPRETER: "we wait for an interpreter",
    StopReason.COURT_OR_ENQUIRY: "we were asked to wait",
}
"""Why the days do not count now."""
LATE = {
    LateReason.FAMILY: "there was more to talk about with you",
    LateReason.CHILD_UNWELL: "your child was not well",
    LateReason.OTHER_AGENCY: "a part of it came late to us",
    LateReason.COMPLEX: "there was more to find out",
    LateReason.NO_WORKER: "we had nobody free to do it",
    LateReason.CHANGE_OF_WORKER: "somebody else had to take it on",
}
"""Why it was finished late."""


def form_words(form: FormForFamily) -> str:
    """One form in a sentence or two, with the same dates as the workers' page has."""
    if form.finished_on is not None:
        said = f"{form.title}: finished on {words.day(form.finished_on)}."
        if form.late_reason is not None:
            said = f"{said} It was late, because {LATE[form.late_reason]}."
        return said
    said = f"{form.title}: being made since {words.day(form.started_on)}."
    clock = form.clock
    if clock is None:
        return said
    if clock.stopped is not None:
        since = words.day(clock.stopped.from_on)
        return f"{said} It waits since {since}, because {WAITS[clock.stopped.reason]}."
    due = words.day(clock.due_on)
    if clock.is_late:
        return f"{said} It was due on {due} and is late. You can ask us why."
    return f"{said} It is due on {due}."
