"""The child and those around them as people: Patient and RelatedPerson."""

from interop import systems
from interop.messages import Carer, Child
from interop.outgoing.codes import ETHNIC_CATEGORIES, LANGUAGES, RELATIONSHIPS, UNDETERMINED
from interop.outgoing.elements import (
    Json,
    coding,
    concept,
    day,
    extension,
    lines,
    narrative,
    period,
    present,
    reference,
    references,
    resource,
    telecom,
    text,
)

GENDERS = {"female": "female", "male": "male", "indeterminate": "other", "not_known": "unknown"}
VERIFIED = ("01", "Number present and verified")
NOT_TRACED = ("02", "Number present but not traced")


def patient(child: Child) -> Json:
    """Patient (UK Core). A number that is valid and not verified says that it was not traced."""
    name = " ".join(one for one in (text(child.given_name), text(child.family_name)) if one)
    return resource(
        "Patient",
        child,
        {
            "text": narrative(name),
            "extension": _ethnicity(child.ethnicity)
            + extension(systems.INTERPRETER_REQUIRED, "Boolean", text(child.interpreter) and True),
            "identifier": _identifiers(child),
            "active": True,
            "name": _names(child),
            "telecom": telecom(child.phone),
            "gender": GENDERS[child.sex],
            "birthDate": day(child.birth_date),
            "deceasedBoolean": child.died or None,
            "address": _address(child.address, child.postcode),
            "communication": _communication(child.first_language, child.interpreter),
            "generalPractitioner": references(
                "Organization", [child.practice] if child.practice else []
            ),
        },
    )


def related_person(carer: Carer) -> Json:
    """RelatedPerson (UK Core): an adult in their tie to this child and to no other.

    That they have parental responsibility and that they live with the child are relationships too.
    """
    word = text(carer.relationship) or ""
    known = RELATIONSHIPS.get(word.casefold())
    ties = [
        concept(*([coding(systems.ROLE_CODE, *known)] if known else []), words=carer.relationship),
        concept(coding(systems.CARER_TIE, "parental-responsibility", "Parental responsibility"))
        if carer.parental_responsibility
        else None,
        concept(coding(systems.CARER_TIE, "lives-with", "Lives with the child"))
        if carer.lives_with
        else None,
    ]
    return resource(
        "RelatedPerson",
        carer,
        {
            "text": narrative(", ".join(one for one in (text(carer.name), word) if one)),
            "extension": extension(
                systems.CARER_INTERPRETER_REQUIRED, "Boolean", text(carer.interpreter) and True
            ),
            "patient": reference("Patient", carer.child),
            "relationship": [one for one in ties if one],
            "name": _name_in_words(carer.name),
            "telecom": telecom(carer.phone, carer.email),
            "address": _address(carer.address, None),
            "period": period(carer.from_on, carer.until_on),
            "communication": _communication(carer.first_language, carer.interpreter),
        },
    )


def _identifiers(child: Child) -> list[Json]:
    found: list[Json] = []
    if child.nhs_number:
        status = VERIFIED if child.nhs_number_verified else NOT_TRACED
        verification = concept(coding(systems.NHS_NUMBER_STATUS, *status))
        found.append(
            {
                "extension": extension(
                    systems.NHS_NUMBER_VERIFICATION, "CodeableConcept", verification
                ),
                "system": systems.NHS_NUMBER,
                "value": child.nhs_number,
            }
        )
    own = ((systems.CHILD_REFERENCE, text(child.reference)), (systems.UPN, text(child.upn)))
    return found + [{"system": system, "value": value} for system, value in own if value]


def _names(child: Child) -> list[Json]:
    given, known_as = text(child.given_name), text(child.known_as)
    official = present({"family": text(child.family_name), "given": [given] if given else None})
    found: list[Json] = [{"use": "official", **official}] if official else []
    if known_as:
        found.append({"use": "usual", "text": known_as})
    return found


def _name_in_words(name: str) -> list[Json]:
    found = text(name)
    return [{"text": found}] if found else []


def _address(written: str | None, postcode: str | None) -> list[Json]:
    parts = present({"line": lines(written), "postalCode": text(postcode)})
    return [{"use": "home", **parts}] if parts else []


def _ethnicity(ours: str | None) -> list[Json]:
    theirs = ETHNIC_CATEGORIES.get((text(ours) or "").casefold())
    if theirs is None:
        return []
    category = concept(coding(systems.ETHNIC_CATEGORY, *theirs))
    return extension(systems.ETHNICITY, "CodeableConcept", category)


def _communication(first: str | None, interpreted: str | None) -> list[Json]:
    """The languages; the preferred one is that of the interpreter where one is needed."""
    first, interpreted = text(first), text(interpreted)
    preferred = interpreted or first
    if preferred is None:
        return []
    found: list[Json] = [{"language": _language(preferred), "preferred": True}]
    if first and first.casefold() != preferred.casefold():
        found.insert(0, {"language": _language(first)})
    return found


def _language(words: str) -> Json | None:
    tag = LANGUAGES.get(words.casefold(), UNDETERMINED)
    return concept(coding(systems.LANGUAGE, tag), words=words)
