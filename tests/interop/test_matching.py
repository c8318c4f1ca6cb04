"""What a search asks of a resource itself, for what no table has columns for."""

from typing import Any

import pytest

from interop.matching import is_kept_apart, matches
from interop.search import Search, parse

BASE = "https://panel.example/fhir/R4"
SNOMED = "http://snomed.info/sct"
CONDITION: dict[str, Any] = {
    "resourceType": "Condition",
    "identifier": [{"system": "urn:x", "value": "7"}],
    "code": {"coding": [{"system": SNOMED, "code": "15188001"}], "text": "Hearing loss"},
    "category": [{"coding": [{"code": "a"}]}, {"coding": [{"system": "urn:y", "code": "b"}]}],
    "recordedDate": "2026-10-05",
    "clinicalStatus": {"extension": [{"url": "urn:why", "valueCode": "unknown"}]},
}
CARE_PLAN: dict[str, Any] = {
    "resourceType": "CarePlan",
    "status": "active",
    "period": {"start": "2026-10-01"},
    "goal": [{"reference": "Goal/1"}, {"display": "another"}],
    "activity": [{"reference": {"reference": "Task/2"}}, {"detail": {"status": "completed"}}],
}
ENCOUNTER: dict[str, Any] = {
    "resourceType": "Encounter",
    "period": {"start": "2026-10-05T09:30:00Z", "end": "2026-10-05T10:30:00+01:00"},
}
CARER: dict[str, Any] = {
    "resourceType": "RelatedPerson",
    "name": [{"family": "Müller", "given": ["Ada", "Jo"]}, {"text": "Nan"}],
}
ANSWERS: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "identifier": {"system": "urn:x", "value": "8"},
    "questionnaire": "https://forms.example/caf|2",
}
LETTER: dict[str, Any] = {
    "resourceType": "DocumentReference",
    "masterIdentifier": {"system": "urn:x", "value": "9"},
    "date": "2026-10-05T09:30:00.25Z",
}
CONSENT: dict[str, Any] = {
    "resourceType": "Consent",
    "provision": {"provision": [{"actor": [{"reference": {"reference": "Organization/3"}}]}]},
}
EPISODE: dict[str, Any] = {"resourceType": "EpisodeOfCare", "period": {"end": "2026-10-31"}}
ASKED = [
    (CONDITION, "code", "15188001", True), (CONDITION, "code", f"{SNOMED}|15188001", True),
    (CONDITION, "code", f"{SNOMED}|", True), (CONDITION, "code", "|15188001", False),
    (CONDITION, "code", "1,15188001", True), (CONDITION, "code:not", "15188001", False),
    (CONDITION, "code:not", "1", True), (CONDITION, "code", "Hearing loss", False),
    (CONDITION, "category", "|a", True), (CONDITION, "category", "urn:y|a", False),
    (CONDITION, "category", "urn:y|b", True), (CONDITION, "category:missing", "false", True),
    (CONDITION, "clinical-status:missing", "true", True), (CONDITION, "clinical-status", "x", False),
    (CONDITION, "identifier", "urn:x|7", True), (CONDITION, "identifier", "7", True),
    (CONDITION, "identifier", "urn:y|7", False), (CONDITION, "recorded-date", "2026-10", True),
    (CONDITION, "recorded-date", "2026-10-05", True), (CONDITION, "recorded-date", "ne2026", False),
    (CONDITION, "recorded-date", "gt2026-10-05", False), (CONDITION, "recorded-date", "ge2026-10-05", True),
    (CONDITION, "recorded-date", "lt2026-10-06", True), (CONDITION, "recorded-date:missing", "true", False),
    (CARE_PLAN, "status", "active", True), (CARE_PLAN, "status", "|active", True),
    (CARE_PLAN, "status", "urn:x|active", False), (CARE_PLAN, "category:missing", "true", True),
    (CARE_PLAN, "category:not", "x", True), (CARE_PLAN, "goal", "Goal/1", True),
    (CARE_PLAN, "goal", "2", False), (CARE_PLAN, "activity-reference", "2", True),
    (CARE_PLAN, "activity-reference", "1", False), (CARE_PLAN, "care-team:missing", "true", True),
    (CARE_PLAN, "date", "gt2030", True), (CARE_PLAN, "date", "lt2026-10-01", False),
    (CARE_PLAN, "date", "2026-10", False), (CARE_PLAN, "date", "ge2026-10-15", True),
    (EPISODE, "date", "lt1900", True), (EPISODE, "date", "sa2026", False),
    (EPISODE, "date", "le2026-10-31", True), (EPISODE, "date", "gt2026-10-31", False),
    (ENCOUNTER, "date", "2026-10-05", True), (ENCOUNTER, "date", "gt2026-10-05T10:00:00Z", False),
    (ENCOUNTER, "date", "eb2026-10-05T09:30:01Z", True), (ENCOUNTER, "date", "sa2026-10-05T09:00Z", True),
    (LETTER, "date", "2026-10-05T09:30Z", True), (LETTER, "date", "gt2026-10-05T09:30:00Z", False),
    (LETTER, "identifier", "urn:x|9", True),
    (CARER, "name", "muller", True), (CARER, "name", "Ada Jo", True), (CARER, "name", "nan", True),
    (CARER, "name", "ller", False), (CARER, "name:contains", "ller", True),
    (CARER, "name:exact", "Müller", True), (CARER, "name:exact", "muller", False),
    (ANSWERS, "questionnaire", "https://forms.example/caf", True),
    (ANSWERS, "questionnaire", "https://forms.example/caf|2", True),
    (ANSWERS, "questionnaire", "https://forms.example/caf|1", False),
    (ANSWERS, "questionnaire", "7", False), (ANSWERS, "identifier", "urn:x|8", True),
    (CONSENT, "actor", "Organization/3", True), (CONSENT, "actor", "4", False),
]  # fmt: skip


def asked_for(type_: str, name: str, value: str) -> Search:
    found = parse(type_, [(name, value)], BASE)
    assert isinstance(found, Search), found
    return found


@pytest.mark.parametrize(("resource", "name", "value", "is_so"), ASKED)
def test_it_is_so(resource: dict[str, Any], name: str, value: str, *, is_so: bool) -> None:
    [criterion] = asked_for(resource["resourceType"], name, value).criteria
    assert matches(resource, criterion) is is_so


@pytest.mark.parametrize(
    "name", ["_id", "_lastUpdated", "patient", "subject", "patient.identifier"]
)
def test_what_is_kept_beside_it_is_not_asked_of_it(name: str) -> None:
    value = "2026" if name == "_lastUpdated" else "7"
    [criterion] = asked_for("Condition", name, value).criteria
    assert is_kept_apart(criterion)
    with pytest.raises(ValueError, match="itself"):
        matches(CONDITION, criterion)
