"""One validation by fhir.resources: cardinality, required elements, choices, primitive formats."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from interop.incoming.received import NO_SUCH_ELEMENT, Problem
from interop.incoming.shapes import model_of

R4_ONLY: Final = frozenset(
    {
        "EffectEvidenceSynthesis",
        "MedicinalProduct",
        "MedicinalProductAuthorization",
        "MedicinalProductContraindication",
        "MedicinalProductIndication",
        "MedicinalProductIngredient",
        "MedicinalProductInteraction",
        "MedicinalProductManufactured",
        "MedicinalProductPackaged",
        "MedicinalProductPharmaceutical",
        "MedicinalProductUndesirableEffect",
        "RiskEvidenceSynthesis",
        "SubstanceNucleicAcid",
        "SubstancePolymer",
        "SubstanceProtein",
        "SubstanceReferenceInformation",
        "SubstanceSourceMaterial",
        "SubstanceSpecification",
    }
)
"""Types of R4 that R4B dropped: kept as they are, as nothing here can validate them."""

_R4B_ONLY: Final = frozenset(
    {
        "AdministrableProductDefinition",
        "Citation",
        "ClinicalUseDefinition",
        "EvidenceReport",
        "Ingredient",
        "ManufacturedItemDefinition",
        "MedicinalProductDefinition",
        "NutritionProduct",
        "PackagedProductDefinition",
        "RegulatedAuthorization",
        "SubscriptionStatus",
        "SubscriptionTopic",
        "SubstanceDefinition",
    }
)
_ABSTRACT: Final = frozenset({"Resource", "DomainResource"})

TOLERATED: Final = frozenset(
    {
        ("Consent", "provision.actor.role"),
        ("Consent", "provision.provision.actor.role"),
        ("Consent", "scope"),
    }
)
"""Required elements that real senders leave out, and without which the rest is plain."""

_REASONS: Final = {
    "missing": "This is required.",
    "model_field_validation.missing": "This is required.",
    "extra_forbidden": NO_SUCH_ELEMENT,
    "model_field_validation.one_of_many": "Only one of these may stand here.",
}


def is_r4_type(type_name: str) -> bool:
    """Whether R4 has a resource of this type."""
    if type_name in R4_ONLY:
        return True
    if type_name in _R4B_ONLY | _ABSTRACT:
        return False
    try:
        return model_of(type_name).has_resource_base()
    except ValueError:
        return False


def validated(
    resource: Mapping[str, Any], type_name: str, path: str
) -> tuple[list[Problem], list[Problem]]:
    """The problems that fhir.resources finds, and those of them that are tolerated."""
    try:
        model_of(type_name).model_validate(resource)
    except ValidationError as found:
        return _told(found, type_name, path)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError):
        return [Problem(path, "This cannot be read as FHIR R4.")], []
    return [], []


def _told(found: ValidationError, type_name: str, path: str) -> tuple[list[Problem], list[Problem]]:
    problems: list[Problem] = []
    remarks: list[Problem] = []
    for error in found.errors(include_url=False, include_context=False, include_input=False):
        names = [each for each in error["loc"] if isinstance(each, str)]
        reason = _REASONS.get(error["type"], "This is not as FHIR R4 has it.")
        above = path + _path(error["loc"][:-1]) if reason == NO_SUCH_ELEMENT else None
        problem = Problem(path + _path(error["loc"]), reason, above)
        tolerated = reason == _REASONS["missing"] and (type_name, ".".join(names)) in TOLERATED
        (remarks if tolerated else problems).append(problem)
    return problems, remarks


def _path(places: tuple[int | str, ...]) -> str:
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in places)
