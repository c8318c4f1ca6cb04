"""What Panel serves at /fhir/R4: of each type its profile, interactions and search parameters.

This is the only table of it. `search.parse` reads by it, `capability.statement` tells it, and the
server binds it: each `Param.column` is the name under which a type's rows give what is searched.

    served("CarePlan").param("date").column         -> "date"
    SERVED["Patient"].allows(Interaction.UPDATE)    -> True
    includes("Task")       what `_include` may name, as (param, targets that are served)
    revincludes("Patient") what `_revinclude` may name

Columns, by kind: a *token* column gives a code, or with `identifier` a system and a value; a
*reference* column the id of what is referred to (with its type where `targets` has several); a
*date* column a day or a moment, as `times` says, or the first and the last of a span; a *string*
column a text; a *uri* column a canonical address. Definitions: hl7.org/fhir/R4, search registry.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from interop.systems import uk_core

FHIR_VERSION = "4.0.1"
MEDIA_TYPE = "application/fhir+json"

Kind = Literal["token", "reference", "date", "string", "uri"]
Times = Literal["day", "instant"]

_DEFINED = "http://hl7.org/fhir/SearchParameter/"


class Interaction(StrEnum):
    """What may be done with a type, in FHIR's words."""

    READ = "read"
    VREAD = "vread"
    HISTORY = "history-instance"
    SEARCH = "search-type"
    CREATE = "create"
    UPDATE = "update"


class Param(Struct, frozen=True, kw_only=True):
    """One search parameter of one type."""

    name: str
    kind: Kind
    url: str
    """Where HL7 defines it."""
    column: str
    """The name that the rows of the type bind."""
    targets: tuple[str, ...] = ()
    """Of a reference: the types that Panel's resources refer to there."""
    times: Times = "day"
    """Of a date: whether the column holds Europe/London days or moments."""
    codes: tuple[str, ...] = ()
    """Of a token: the only codes there are; empty where any may be asked for."""
    canonical: bool = False
    """Of a reference: by a canonical address (with |version) as well as by id."""


class Served(Struct, frozen=True, kw_only=True):
    """One type."""

    type: str
    profile: str | None
    """The UK Core profile that every resource of the type keeps to."""
    interactions: tuple[Interaction, ...]
    params: tuple[Param, ...]

    def allows(self, interaction: Interaction) -> bool:
        """Whether the type has the interaction."""
        return interaction in self.interactions

    @property
    def writable(self) -> bool:
        """Whether another system may send resources of the type."""
        return self.allows(Interaction.CREATE)

    @property
    def of_child(self) -> bool:
        """Whether its resources are about one child each (and not the child's own)."""
        return any(param.name == "patient" for param in self.params)

    def param(self, name: str) -> Param | None:
        """The parameter of that name, or None."""
        return next((param for param in self.params if param.name == name), None)


class Operation(Struct, frozen=True, kw_only=True):
    """An operation."""

    name: str
    definition: str
    on: Literal["server", "type", "instance"]
    """/$export, /Patient/$export, or /Patient/123/$everything. An export is also posted."""
    type: str | None = None
    """Of one on a type or instance: which; None for every type."""


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="everything",
        definition="http://hl7.org/fhir/OperationDefinition/Patient-everything",
        on="instance",
        type="Patient",
    ),
    Operation(
        name="export",
        definition="http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export",
        on="type",
        type="Patient",
    ),
    Operation(
        name="export",
        definition="http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export",
        on="instance",
        type="Group",
    ),
    Operation(
        name="export",
        definition="http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export",
        on="server",
    ),
    Operation(
        name="status",
        definition="http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/"
        "backport-subscription-status",
        on="instance",
        type="Subscription",
    ),
    Operation(
        name="validate",
        definition="http://hl7.org/fhir/OperationDefinition/Resource-validate",
        on="type",
    ),
)

_CLINICAL: Mapping[str, frozenset[str]] = {
    "patient": frozenset(
        {
            "CarePlan", "CareTeam", "Condition", "Consent", "DocumentReference", "Encounter",
            "EpisodeOfCare", "Flag", "Goal", "ServiceRequest",
        }
    ),
    "date": frozenset({"CarePlan", "CareTeam", "Consent", "Encounter", "EpisodeOfCare", "Flag"}),
    "identifier": frozenset(
        {
            "CarePlan", "CareTeam", "Condition", "Consent", "DocumentReference", "Encounter",
            "EpisodeOfCare", "Goal", "ServiceRequest",
        }
    ),
    "type": frozenset({"DocumentReference", "Encounter", "EpisodeOfCare"}),
    "code": frozenset({"Condition", "ServiceRequest"}),
}  # fmt: skip
"""Parameters that HL7 defines once for many types, under clinical-."""
_INDIVIDUAL = frozenset({"birthdate", "family", "gender", "given"})
"""And those of people, under individual-."""


def _url(type_: str, name: str) -> str:
    if type_ in _CLINICAL.get(name, frozenset()):
        return f"{_DEFINED}clinical-{name}"
    if name in _INDIVIDUAL:
        return f"{_DEFINED}individual-{name}"
    return f"{_DEFINED}{type_}-{name}"


_Make = Callable[[str], Param]
"""A parameter that waits for its type, from which its address follows."""


def _token(name: str, *codes: str) -> _Make:
    return lambda type_: Param(
        name=name, kind="token", url=_url(type_, name), column=_column(name), codes=codes
    )


def _string(name: str) -> _Make:
    return lambda type_: Param(
        name=name, kind="string", url=_url(type_, name), column=_column(name)
    )


def _uri(name: str) -> _Make:
    return lambda type_: Param(name=name, kind="uri", url=_url(type_, name), column=_column(name))


def _date(name: str, times: Times = "day") -> _Make:
    return lambda type_: Param(
        name=name, kind="date", url=_url(type_, name), column=_column(name), times=times
    )


def _reference(name: str, *targets: str) -> _Make:
    return lambda type_: Param(
        name=name, kind="reference", url=_url(type_, name), column=_column(name), targets=targets
    )


def _canonical(name: str, target: str) -> _Make:
    return lambda type_: Param(
        name=name,
        kind="reference",
        url=_url(type_, name),
        column=_column(name),
        targets=(target,),
        canonical=True,
    )


def _column(name: str) -> str:
    return {"subject": "patient", "birthdate": "birth_date"}.get(name, name.replace("-", "_"))


ID = Param(name="_id", kind="token", url=f"{_DEFINED}Resource-id", column="id")
LAST_UPDATED = Param(
    name="_lastUpdated",
    kind="date",
    url=f"{_DEFINED}Resource-lastUpdated",
    column="changed_at",
    times="instant",
)

_READING = (Interaction.READ, Interaction.VREAD, Interaction.HISTORY, Interaction.SEARCH)
_WRITING = (*_READING, Interaction.CREATE, Interaction.UPDATE)
_WHO = ("Practitioner", "Organization")
_CHANGED = (
    "Patient", "RelatedPerson", "EpisodeOfCare", "Condition", "QuestionnaireResponse", "CarePlan",
    "Goal", "CareTeam", "Task", "ServiceRequest", "Appointment", "Encounter", "DocumentReference",
    "Communication", "Consent", "Flag",
)  # fmt: skip
"""What a Provenance may be about."""
_PATIENT = _reference("patient", "Patient")
_SUBJECT = _reference("subject", "Patient")
_IDENTIFIER = _token("identifier")
_STATUS = _token("status")


def _read_only(type_: str, *params: _Make, profile: bool = True) -> Served:
    return _row(type_, params, _READING, profile=profile)


def _writable(type_: str, *params: _Make, profile: bool = True) -> Served:
    """Whoever sends must be able to ask whether it is here already: by identifier."""
    return _row(type_, (_IDENTIFIER, *params), _WRITING, profile=profile)


def _row(
    type_: str, params: tuple[_Make, ...], interactions: tuple[Interaction, ...], *, profile: bool
) -> Served:
    return Served(
        type=type_,
        profile=uk_core(f"UKCore-{type_}") if profile else None,
        interactions=interactions,
        params=(ID, LAST_UPDATED, *(make(type_) for make in params)),
    )


_ROWS = (
    _writable(
        "Patient",
        _string("family"),
        _string("given"),
        _string("name"),
        _date("birthdate"),
        _token("gender", "female", "male", "other", "unknown"),
    ),
    _writable("RelatedPerson", _PATIENT, _string("name"), _token("relationship")),
    _read_only("Practitioner", _string("name")),
    _read_only(
        "PractitionerRole",
        _reference("practitioner", "Practitioner"),
        _reference("organization", "Organization"),
    ),
    _read_only("Organization", _IDENTIFIER, _string("name"), _token("type")),
    _read_only(
        "HealthcareService",
        _string("name"),
        _reference("organization", "Organization"),
        _token("active", "true", "false"),
    ),
    _writable(
        "EpisodeOfCare",
        _PATIENT,
        _STATUS,
        _date("date"),
        _reference("organization", "Organization"),
    ),
    _writable(
        "Condition",
        _PATIENT,
        _SUBJECT,
        _token("code"),
        _token("category"),
        _token("clinical-status"),
        _date("recorded-date"),
    ),
    _read_only("Questionnaire", _uri("url"), _string("name"), _token("version"), _STATUS),
    _writable(
        "QuestionnaireResponse",
        _PATIENT,
        _SUBJECT,
        _STATUS,
        _canonical("questionnaire", "Questionnaire"),
        _date("authored"),
        _reference("author", *_WHO),
    ),
    _writable(
        "CarePlan",
        _PATIENT,
        _SUBJECT,
        _STATUS,
        _date("date"),
        _token("category"),
        _reference("care-team", "CareTeam"),
        _reference("goal", "Goal"),
        _reference("activity-reference", "Task"),
    ),
    _writable(
        "Goal", _PATIENT, _SUBJECT, _token("lifecycle-status"), _date("start-date"), profile=False
    ),
    _writable(
        "CareTeam",
        _PATIENT,
        _SUBJECT,
        _STATUS,
        _date("date"),
        _reference("participant", *_WHO, "RelatedPerson"),
    ),
    _writable(
        "Task",
        _PATIENT,
        _SUBJECT,
        _STATUS,
        _reference("owner", "Practitioner"),
        _date("authored-on"),
        _date("modified", "instant"),
        _reference("based-on", "CarePlan"),
        _reference("focus", "Goal"),
    ),
    _writable(
        "ServiceRequest",
        _PATIENT,
        _SUBJECT,
        _STATUS,
        _date("authored"),
        _reference("requester", *_WHO),
    ),
    _read_only(
        "Group",
        _IDENTIFIER,
        _token("type", "person"),
        _token("actual", "true"),
        _reference("member", "Patient"),
        profile=False,
    ),
    _writable("Appointment", _PATIENT, _STATUS, _date("date", "instant")),
    _writable(
        "Encounter",
        _PATIENT,
        _SUBJECT,
        _STATUS,
        _date("date", "instant"),
        _reference("appointment", "Appointment"),
    ),
    _writable(
        "DocumentReference", _PATIENT, _SUBJECT, _STATUS, _date("date", "instant"), _token("type")
    ),
    _writable(
        "Communication",
        _PATIENT,
        _SUBJECT,
        _STATUS,
        _date("sent", "instant"),
        _reference("recipient", "Patient", "RelatedPerson"),
    ),
    _writable("Consent", _PATIENT, _STATUS, _date("date"), _reference("actor", "Organization")),
    _writable("Flag", _PATIENT, _SUBJECT, _date("date")),
    _read_only(
        "Provenance",
        _PATIENT,
        _date("recorded", "instant"),
        _reference("agent", *_WHO),
        _reference("target", *_CHANGED),
    ),
    _read_only("AuditEvent", _PATIENT, _date("date", "instant"), _reference("agent", *_WHO)),
)
"""Flag has no `status`: R4 defines none. UK Core has no profile of Goal and Group. Consent's
`actor` is whoever stands in any of its provisions, and Provenance's `patient` the child whose
record changed."""

SERVED: Mapping[str, Served] = MappingProxyType({row.type: row for row in _ROWS})
"""Every type that is served, by its name."""


def served(type_: str) -> Served | None:
    """What is served of a type, or None where nothing is."""
    return SERVED.get(type_)


def includes(type_: str) -> Iterator[Param]:
    """The references of a type that `_include` may follow: all but canonical addresses."""
    for param in SERVED[type_].params:
        if param.kind == "reference" and not param.canonical:
            yield param


def revincludes(type_: str) -> Iterator[tuple[str, Param]]:
    """The (type, reference) pairs that `_revinclude` may follow back to this type."""
    for other in SERVED:
        for param in includes(other):
            if type_ in param.targets:
                yield other, param
