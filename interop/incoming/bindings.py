"""The codes of required bindings (hl7.org/fhir/R4), of the elements that Panel reads.

fhir.resources takes any code in them.
"""

from collections.abc import Mapping
from typing import Final

_GENDER: Final = frozenset({"male", "female", "other", "unknown"})
_REQUEST_STATUS: Final = frozenset(
    {"draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"}
)
_REQUEST_INTENT: Final = frozenset(
    {
        "proposal",
        "plan",
        "directive",
        "order",
        "original-order",
        "reflex-order",
        "filler-order",
        "instance-order",
        "option",
    }
)
_PRIORITY: Final = frozenset({"routine", "urgent", "asap", "stat"})
_EVENT_STATUS: Final = frozenset(
    {
        "preparation",
        "in-progress",
        "not-done",
        "on-hold",
        "stopped",
        "completed",
        "entered-in-error",
        "unknown",
    }
)
_ENCOUNTER_STATUS: Final = frozenset(
    {
        "planned",
        "arrived",
        "triaged",
        "in-progress",
        "onleave",
        "finished",
        "cancelled",
        "entered-in-error",
        "unknown",
    }
)
_EPISODE_STATUS: Final = frozenset(
    {"planned", "waitlist", "active", "onhold", "finished", "cancelled", "entered-in-error"}
)
_TASK_STATUS: Final = frozenset(
    {
        "draft",
        "requested",
        "received",
        "accepted",
        "rejected",
        "ready",
        "cancelled",
        "in-progress",
        "on-hold",
        "failed",
        "completed",
        "entered-in-error",
    }
)
_ITEM_TYPE: Final = frozenset(
    {
        "group",
        "display",
        "boolean",
        "decimal",
        "integer",
        "date",
        "dateTime",
        "time",
        "string",
        "text",
        "url",
        "choice",
        "open-choice",
        "attachment",
        "reference",
        "quantity",
    }
)

REQUIRED: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("Address", "use"): frozenset({"home", "work", "temp", "old", "billing"}),
    ("Address", "type"): frozenset({"postal", "physical", "both"}),
    ("Appointment", "status"): frozenset(
        {
            "proposed",
            "pending",
            "booked",
            "arrived",
            "fulfilled",
            "cancelled",
            "noshow",
            "entered-in-error",
            "checked-in",
            "waitlist",
        }
    ),
    ("AppointmentParticipant", "status"): frozenset(
        {"accepted", "declined", "tentative", "needs-action"}
    ),
    ("CarePlan", "status"): _REQUEST_STATUS,
    ("CarePlan", "intent"): frozenset({"proposal", "plan", "order", "option"}),
    ("CareTeam", "status"): frozenset(
        {"proposed", "active", "suspended", "inactive", "entered-in-error"}
    ),
    ("Communication", "status"): _EVENT_STATUS,
    ("Communication", "priority"): _PRIORITY,
    ("Consent", "status"): frozenset(
        {"draft", "proposed", "active", "rejected", "inactive", "entered-in-error"}
    ),
    ("ConsentProvision", "type"): frozenset({"deny", "permit"}),
    ("ContactPoint", "system"): frozenset(
        {"phone", "fax", "email", "pager", "url", "sms", "other"}
    ),
    ("ContactPoint", "use"): frozenset({"home", "work", "temp", "old", "mobile"}),
    ("DocumentReference", "status"): frozenset({"current", "superseded", "entered-in-error"}),
    ("DocumentReference", "docStatus"): frozenset(
        {"preliminary", "final", "amended", "entered-in-error"}
    ),
    ("Encounter", "status"): _ENCOUNTER_STATUS,
    ("EpisodeOfCare", "status"): _EPISODE_STATUS,
    ("EpisodeOfCareStatusHistory", "status"): _EPISODE_STATUS,
    ("Flag", "status"): frozenset({"active", "inactive", "entered-in-error"}),
    ("Goal", "lifecycleStatus"): frozenset(
        {
            "proposed",
            "planned",
            "accepted",
            "active",
            "on-hold",
            "completed",
            "cancelled",
            "entered-in-error",
            "rejected",
        }
    ),
    ("HumanName", "use"): frozenset(
        {"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"}
    ),
    ("Identifier", "use"): frozenset({"usual", "official", "temp", "secondary", "old"}),
    ("Narrative", "status"): frozenset({"generated", "extensions", "additional", "empty"}),
    ("Patient", "gender"): _GENDER,
    ("PatientContact", "gender"): _GENDER,
    ("PatientLink", "type"): frozenset({"replaced-by", "replaces", "refer", "seealso"}),
    ("Practitioner", "gender"): _GENDER,
    ("Quantity", "comparator"): frozenset({"<", "<=", ">=", ">"}),
    ("Questionnaire", "status"): frozenset({"draft", "active", "retired", "unknown"}),
    ("QuestionnaireItem", "type"): _ITEM_TYPE,
    ("QuestionnaireResponse", "status"): frozenset(
        {"in-progress", "completed", "amended", "entered-in-error", "stopped"}
    ),
    ("RelatedPerson", "gender"): _GENDER,
    ("ServiceRequest", "status"): _REQUEST_STATUS,
    ("ServiceRequest", "intent"): _REQUEST_INTENT,
    ("ServiceRequest", "priority"): _PRIORITY,
    ("Task", "status"): _TASK_STATUS,
    ("Task", "intent"): frozenset({"unknown"}) | (_REQUEST_INTENT - {"directive"}),
    ("Task", "priority"): _PRIORITY,
}

TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem/"

CONCEPTS: Final[Mapping[tuple[str, str], tuple[str, frozenset[str]]]] = {
    ("Condition", "clinicalStatus"): (
        TERMINOLOGY + "condition-clinical",
        frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved"}),
    ),
    ("Condition", "verificationStatus"): (
        TERMINOLOGY + "condition-ver-status",
        frozenset(
            {
                "unconfirmed",
                "provisional",
                "differential",
                "confirmed",
                "refuted",
                "entered-in-error",
            }
        ),
    ),
}
"""Of concepts: one coding is of this system and one of its codes."""


def same_system(system: object) -> str:
    """A system as HL7 names it: senders write `https` where the terminology has `http`."""
    text = system if isinstance(system, str) else ""
    return text.replace("https://terminology.hl7.org/", "http://terminology.hl7.org/", 1)
