"""What a resource of another system is about: the category by which consent decides on it.

Each is the strictest that its content usually is; who sends a text cannot choose a laxer one. What
is not named is of health: such systems are mostly those of health bodies, and of what is here
health is asked about most strictly.
"""

from collections.abc import Mapping
from typing import Final

from consent import Category
from interop.messages import FormAnswers, Message
from panel.assessments.definitions import built_in_forms

BY_TYPE: Final[Mapping[str, Category]] = {
    # Who the child is, and nothing else of the child's is in it. Its address and telephone are
    # offered field by field, each by the category of the field.
    "Patient": Category.IDENTITY,
    # A parent's name, telephone and address are of the family, not of who is who around the child.
    "RelatedPerson": Category.FAMILY,
    # Who works with a child: the team and nothing of what they found.
    "CareTeam": Category.NETWORK,
    # What is to be done, with whose help.
    "CarePlan": Category.PLAN,
    "Goal": Category.PLAN,
    "Task": Category.PLAN,
    # That a child is in a process of early help.
    "EpisodeOfCare": Category.PANEL,
    # Findings and treatment.
    "Condition": Category.HEALTH,
    "AllergyIntolerance": Category.HEALTH,
    "Observation": Category.HEALTH,
    "Immunization": Category.HEALTH,
    "Procedure": Category.HEALTH,
    "MedicationRequest": Category.HEALTH,
    "MedicationStatement": Category.HEALTH,
    "DiagnosticReport": Category.HEALTH,
    # A visit to a clinic tells what it is a clinic for.
    "Appointment": Category.HEALTH,
    "Encounter": Category.HEALTH,
    # The reason stands in it: a notification under section 23 is an opinion about a child's health.
    "ServiceRequest": Category.HEALTH,
    # Letters: whatever they say, a letter of a health body says it about health.
    "Composition": Category.HEALTH,
    "DocumentReference": Category.HEALTH,
    "Communication": Category.HEALTH,
    # That something must be known first is mostly about safety.
    "Flag": Category.SAFEGUARDING,
    # What the family decided about sharing, with whom and why.
    "Consent": Category.FAMILY,
}
OTHERWISE: Final = Category.HEALTH

_OF_SECTIONS: Final[Mapping[str, Mapping[str, Category]]] = {
    form.key: {section.key: section.category for section in form.sections}
    for form in built_in_forms()
}
"""Panel's own forms: each section carries its category."""


def category_of(type_: str, message: Message | None = None) -> Category:
    """The category of a resource of a type, which says what the message does."""
    if isinstance(message, FormAnswers):
        return _of_form(message)
    return BY_TYPE.get(type_, OTHERWISE)


def _of_form(form: FormAnswers) -> Category:
    """The one category of all its sections; health where they are of several, or not known."""
    known = _OF_SECTIONS.get(form.form_key, {})
    found = {known.get(section.key, OTHERWISE) for section in form.sections}
    return found.pop() if len(found) == 1 else OTHERWISE
