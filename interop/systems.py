"""Every address that the exchange names: code systems, identifiers, profiles and extensions.

What UK Core or HL7 has an address for goes by that. What is Panel's own is under one base that
nobody can own (`.example`, RFC 2606), since every authority runs a Panel of its own and the words
are the same in all of them: `CodeSystem/…` for codes, `Id/…` for identifiers, `Questionnaire/…` for
forms and `StructureDefinition/…` for extensions. docs/integrators/fhir-mapping.md lists them.
"""

OWN = "https://panel.example/fhir"
UK_CORE = "https://fhir.hl7.org.uk"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_HL7_EXTENSION = "http://hl7.org/fhir/StructureDefinition"


def own_codes(name: str) -> str:
    """The address of one of Panel's own code systems: "primary-need"."""
    return f"{OWN}/CodeSystem/{name}"


def own_id(name: str) -> str:
    """The address of one of Panel's own kinds of identifier: "child-reference"."""
    return f"{OWN}/Id/{name}"


def own_extension(name: str) -> str:
    """The address of one of Panel's own extensions: "agreed-on"."""
    return f"{OWN}/StructureDefinition/{name}"


def uk_core(name: str) -> str:
    """The address of a UK Core profile or extension: "UKCore-Patient"."""
    return f"{UK_CORE}/StructureDefinition/{name}"


# Identifiers --------------------------------------------------------------------------------------

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS_CODE = "https://fhir.nhs.uk/Id/ods-organization-code"
URI = "urn:ietf:rfc:3986"
"""Of an identifier that is an address itself."""
CHILD_REFERENCE = own_id("child-reference")
UPN = own_id("upn")
AGENCY_ID = own_id("agency")
PANEL_KEY = own_id("panel")
REQUEST_REFERENCE = own_id("request-reference")
VIEWER = own_id("viewer")
"""Whoever looked and is no resource that can be read: a family's sign-in, a client, a job."""

# Code systems of others ---------------------------------------------------------------------------

SNOMED = "http://snomed.info/sct"
LANGUAGE = "urn:ietf:bcp:47"
UCUM = "http://unitsofmeasure.org"
CONFIDENTIALITY = f"{_HL7}/v3-Confidentiality"
OBSERVATION_VALUE = f"{_HL7}/v3-ObservationValue"
ROLE_CODE = f"{_HL7}/v3-RoleCode"
ACT_CODE = f"{_HL7}/v3-ActCode"
PARTICIPATION = f"{_HL7}/v3-ParticipationType"
PARTICIPATION_MODE = f"{_HL7}/v3-ParticipationMode"
ORGANIZATION_TYPE = f"{_HL7}/organization-type"
CONDITION_CLINICAL = f"{_HL7}/condition-clinical"
CONDITION_VERIFICATION = f"{_HL7}/condition-ver-status"
CONDITION_CATEGORY = f"{_HL7}/condition-category"
GROUP_TYPE = "http://hl7.org/fhir/group-type"
GOAL_ACHIEVEMENT = f"{_HL7}/goal-achievement"
CONSENT_SCOPE = f"{_HL7}/consentscope"
PROVENANCE_PARTICIPANT = f"{_HL7}/provenance-participant-type"
SECURITY_SOURCE = f"{_HL7}/security-source-type"
AUDIT_ENTITY = f"{_HL7}/audit-entity-type"
OBJECT_ROLE = f"{_HL7}/object-role"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
NHS_NUMBER_STATUS = f"{UK_CORE}/CodeSystem/UKCore-NHSNumberVerificationStatusEngland"
ETHNIC_CATEGORY = f"{UK_CORE}/CodeSystem/UKCore-EthnicCategoryEngland"

# Code systems of Panel ----------------------------------------------------------------------------

AGENCY_KIND = own_codes("agency-kind")
AGENDA_REASON = own_codes("agenda-reason")
ALERT = own_codes("alert")
CARER_TIE = own_codes("carer-tie")
"""parental-responsibility, lives-with."""
CHANGE = own_codes("change")
CLOSURE_REASON = own_codes("closure-reason")
DOCUMENT = own_codes("document")
"""family-note, form."""
DOING = own_codes("doing")
"""What somebody did when they looked."""
ELIGIBILITY = own_codes("eligibility")
INFORMATION_CATEGORY = own_codes("information-category")
LEGAL_BASIS = own_codes("legal-basis")
MEETING = own_codes("meeting")
NEED_KIND = own_codes("need-kind")
"""diagnosis, need."""
ORIGIN = own_codes("origin")
"""another-system."""
OUTCOME_SCALE = own_codes("outcome-scale")
PRIMARY_NEED = own_codes("primary-need")
PURPOSE = own_codes("purpose")
SERVICE_KIND = own_codes("service-kind")
SHARING_POLICY = own_codes("sharing-policy")
SITTING_STATE = own_codes("sitting-state")
SENDING_STATE = own_codes("sending-state")
TEAM_PART = own_codes("team-part")
UNIT = own_codes("unit")
VIEWER_KIND = own_codes("viewer-kind")


def form_address(key: str) -> str:
    """The canonical address of a form, all its versions: "caf"."""
    return f"{OWN}/Questionnaire/{key}"


def form_choices(key: str, link: str) -> str:
    """The code system of one question's choices: form "caf", question "child.sex"."""
    return f"{OWN}/CodeSystem/form-{key}-{link}"


# Extensions ---------------------------------------------------------------------------------------

NHS_NUMBER_VERIFICATION = uk_core("Extension-UKCore-NHSNumberVerificationStatus")
ETHNICITY = uk_core("Extension-UKCore-EthnicCategory")
INTERPRETER_REQUIRED = f"{_HL7_EXTENSION}/patient-interpreterRequired"
ORGANIZATION_PERIOD = f"{_HL7_EXTENSION}/organization-period"
DISPLAY = f"{_HL7_EXTENSION}/display"
"""The words for an address: a form's title."""
ABSENT_REASON = f"{_HL7_EXTENSION}/data-absent-reason"
CARER_INTERPRETER_REQUIRED = own_extension("interpreter-required")
"""HL7's is for a Patient alone."""
AGE_RANGE = own_extension("age-range")
AGENCY = own_extension("agency")
"""An agency that took part, where R4 lets no Organization take part."""
AGREED_ON = own_extension("agreed-on")
BASELINE = own_extension("baseline")
CHILD = own_extension("child")
CLOSED_BECAUSE = own_extension("closure-reason")
IDENTIFIED_ON = own_extension("identified-on")
LEVEL = own_extension("level")
"""Where an outcome stood, 0 to 5, on the day of the note that bears it."""
NUMBER = own_extension("number")
ON_BEHALF_OF = own_extension("on-behalf-of")
PLAN = own_extension("plan")
STARTED_ON = own_extension("started-on")
WITHDRAWN_AT = own_extension("withdrawn-at")
