"""The form that an assessment is audited with: versioned data, as every other form is.

It is none of the forms that are filled in for a child, so it lies here and not among those.
"""

from functools import cache
from importlib import resources

from panel.assessments.definitions import FormDefinition, Kind, Section, decode_form

FILES = ("quality_form.json",)
"""One file a version, the oldest first. A version that was answered never changes."""


@cache
def audit_forms() -> dict[int, FormDefinition]:
    """Every version by its number."""
    folder = resources.files(__package__)
    forms = [decode_form((folder / name).read_bytes()) for name in FILES]
    return {form.version: form for form in forms}


def newest_number() -> int:
    """The version that new audits are made with."""
    return max(audit_forms())


def audit_form(number: int) -> FormDefinition:
    """One version."""
    return audit_forms()[number]


def questions_of(number: int) -> Section:
    """The page of questions of one version: an audit is one page."""
    return audit_form(number).sections[0]


def judged(number: int) -> tuple[tuple[str, str], ...]:
    """Key and words of each question that is answered by choosing, in order."""
    asked = questions_of(number).questions
    return tuple((one.key, one.label) for one in asked if one.kind is Kind.CHOICE)
