"""Panel's messages as FHIR R4 resources, in UK Core's profiles where there is one.

`WRITERS` has a writer for each FHIR type that goes out; a resource is a dict of plain values, its
id is the message's, and `stamped` makes its bytes and version. Pure: the same message, the same
bytes. What may be told has been decided before there is a message.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from interop import messages
from interop.outgoing import agencies, care, forms, meetings, people, plans, sharing
from interop.outgoing.documents import document
from interop.outgoing.elements import Json
from interop.outgoing.stamping import Stamped, encode, stamped

__all__ = ["WRITERS", "Json", "Stamped", "Writer", "document", "encode", "stamped"]

M = TypeVar("M", bound=messages.Message)


@dataclass(frozen=True, slots=True)
class Writer(Generic[M]):
    """How one FHIR type is written: from which message, and by what."""

    message: type[M]
    write: Callable[[M], Json]


WRITERS: dict[str, Writer[Any]] = {
    "Patient": Writer(messages.Child, people.patient),
    "RelatedPerson": Writer(messages.Carer, people.related_person),
    "Practitioner": Writer(messages.Worker, agencies.practitioner),
    "PractitionerRole": Writer(messages.Worker, agencies.practitioner_role),
    "Organization": Writer(messages.Agency, agencies.organization),
    "HealthcareService": Writer(messages.Service, agencies.healthcare_service),
    "EpisodeOfCare": Writer(messages.Episode, care.episode_of_care),
    "Condition": Writer(messages.Need, care.condition),
    "Flag": Writer(messages.Alert, care.flag),
    "CareTeam": Writer(messages.Team, care.care_team),
    "Questionnaire": Writer(messages.Form, forms.questionnaire),
    "QuestionnaireResponse": Writer(messages.FormAnswers, forms.questionnaire_response),
    "CarePlan": Writer(messages.Plan, plans.care_plan),
    "Goal": Writer(messages.Outcome, plans.goal),
    "Task": Writer(messages.Action, plans.task),
    "ServiceRequest": Writer(messages.Request, plans.service_request),
    "Group": Writer(messages.PanelChildren, meetings.group),
    "Appointment": Writer(messages.Sitting, meetings.appointment),
    "Encounter": Writer(messages.Sitting, meetings.encounter),
    "DocumentReference": Writer(messages.Note, meetings.document_reference),
    "Communication": Writer(messages.Sending, meetings.communication),
    "Consent": Writer(messages.Agreement, sharing.consent),
    "Provenance": Writer(messages.Change, sharing.provenance),
    "AuditEvent": Writer(messages.Look, sharing.audit_event),
}
"""By FHIR type. `Encounter` is written of a sitting once it was discussed."""
