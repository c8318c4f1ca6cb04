"""What may come in about children, their families and the agencies around them."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from consent import ParentalBasis
from panel.platform.problems import FieldError
from panel.records import csv_rows
from panel.records.dates import age_in_years
from panel.records.nhs_number import WrongNhsNumber, nhs_number
from panel.records.upn import WrongUpn, upn
from panel.register.children import LABELS, NewChild
from panel.register.csv_rows import OLDEST
from panel.register.family import NewFamilyLink, NewFamilyMember
from panel.web.forms import chosen, future_date_mistake, line, on_day, paragraphs

Name = Annotated[str, line("Name", at_most=100)]
Sex = Literal["female", "male", "indeterminate", "not_known"]
Basis = Literal[
    "birth_mother", "father_by_marriage", "father_by_registration", "second_female_parent",
    "agreement", "court_order", "step_parent", "adoption", "parental_order",
    "child_arrangements_order", "special_guardian", "appointed_guardian", "care_order",
]  # fmt: skip
EventKind = Literal[
    "diagnosis", "hospital", "health", "move", "school", "family", "service", "equipment",
    "contact", "other",
]  # fmt: skip
CategoryName = Literal[
    "identity", "contact", "network", "health", "development", "education", "social_care",
    "family", "finance", "views", "plan", "panel", "safeguarding",
]  # fmt: skip

RESPONSIBILITY = "They have parental responsibility"


class _ChildForm(msgspec.Struct, forbid_unknown_fields=True):
    """What is asked about the child alone."""

    given_name: Annotated[str, line("Given name", at_most=100)] = ""
    family_name: Annotated[str, line("Family name", at_most=100)] = ""
    known_as: Annotated[str, line("Known as", at_most=100)] = ""
    birth_date: Annotated[date | None, on_day("Date of birth")] = None
    expected_delivery_on: Annotated[date | None, on_day("Expected date of birth")] = None
    sex: Annotated[Sex, chosen("Sex")] = "not_known"
    nhs_number: Annotated[str, line("NHS number", at_most=20)] = ""
    upn: Annotated[str, line("UPN", at_most=20)] = ""
    address: Annotated[str, paragraphs("Address", at_most=500)] = ""
    postcode: Annotated[str, line("Postcode", at_most=10)] = ""
    phone: Annotated[str, line("Telephone", at_most=40)] = ""
    ethnicity: Annotated[str, line("Ethnicity", at_most=100)] = ""
    first_language: Annotated[str, line("First language", at_most=60)] = ""
    interpreter: Annotated[str, line("Interpreter or signer", at_most=100)] = ""
    disability: Annotated[str, paragraphs("Disability", at_most=1_000)] = ""
    primary_need: Annotated[str, line("Primary need", at_most=100)] = ""
    school: Annotated[str, line("School or nursery", at_most=150)] = ""
    starts_school_on: Annotated[date | None, on_day("Starts school on")] = None


class NewChildForm(_ChildForm, kw_only=True, forbid_unknown_fields=True):
    """A new child, one person of the family, and our own part."""

    contact_name: Annotated[str, line("Name of a parent or carer", at_most=100)] = ""
    contact_relationship: Annotated[str, line("Relationship to the child", at_most=60)] = ""
    contact_responsibility: Annotated[bool, chosen(RESPONSIBILITY)] = False
    contact_basis: Annotated[
        Basis | None, chosen("Basis", missing="Select on what basis they hold it")
    ] = None
    contact_from_on: Annotated[date | None, on_day("Since when")] = None
    contact_phone: Annotated[str, line("Telephone", at_most=40)] = ""
    contact_safe: Annotated[str, paragraphs("How to reach them safely", at_most=500)] = ""
    part: Annotated[str, line("What your agency does", at_most=100)] = ""
    another_child: Annotated[bool, chosen("This is another child")] = False


class ChildForm(_ChildForm, kw_only=True, forbid_unknown_fields=True):
    """A child's details as they should read from now on."""

    version: int


class FamilyForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One person of the family, and how they are tied to the child."""

    version: int = 0
    name: Annotated[str, line("Name", at_most=100)]
    relationship: Annotated[
        str,
        line("Relationship to the child", at_most=60, missing="Enter how they are related"),
    ]
    parental_responsibility: Annotated[bool, chosen(RESPONSIBILITY)] = False
    basis: Annotated[Basis | None, chosen("Basis", missing="Select on what basis they hold it")] = (
        None
    )
    from_on: Annotated[date | None, on_day("Since when")] = None
    until_on: Annotated[date | None, on_day("Until when")] = None
    lives_with: Annotated[bool, chosen("They live with the child")] = False
    phone: Annotated[str, line("Telephone", at_most=40)] = ""
    email: Annotated[str, line("E-mail address", at_most=254)] = ""
    address: Annotated[str, paragraphs("Address", at_most=500)] = ""
    safe_contact: Annotated[str, paragraphs("How to reach them safely", at_most=500)] = ""
    first_language: Annotated[str, line("First language", at_most=60)] = ""
    interpreter: Annotated[str, line("Interpreter or signer", at_most=100)] = ""

    def member(self) -> NewFamilyMember:
        """The person."""
        return NewFamilyMember(
            name=self.name,
            email=self.email,
            phone=self.phone,
            address=self.address,
            safe_contact=self.safe_contact,
            first_language=self.first_language or None,
            interpreter=self.interpreter or None,
        )

    def link(self) -> NewFamilyLink:
        """Their tie to the child."""
        return NewFamilyLink(
            relationship=self.relationship,
            parental_responsibility=self.parental_responsibility,
            basis=None if self.basis is None else ParentalBasis(self.basis),
            lives_with=self.lives_with,
            from_on=self.from_on,
            until_on=self.until_on,
        )


class AgencyForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An agency that is involved, or expected to be."""

    agency: Annotated[str, chosen("Agency", missing="Select an agency")]
    part: Annotated[str, line("What they do", at_most=100)] = ""
    worker_email: Annotated[str, line("Worker’s e-mail address", at_most=254)] = ""
    when: Annotated[Literal["now", "expected"], chosen("When")] = "now"
    on: Annotated[date, on_day("Date", missing="Enter from what day")]


class EndForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The last day of an agency's part."""

    version: int
    until_on: Annotated[date, on_day("Last day", missing="Enter the last day")]


class StartForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An expected agency begins."""

    from_on: Annotated[date, on_day("First day", missing="Enter the first day")]


class SiblingForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A brother or sister who is here already."""

    reference: Annotated[
        str,
        line("Reference of the brother or sister", at_most=20, missing="Enter a reference"),
    ]


class EventForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Something that happened."""

    happened_on: Annotated[date, on_day("When it happened")]
    kind: Annotated[EventKind, chosen("What kind of event")]
    category: Annotated[CategoryName, chosen("What it is about")]
    text: Annotated[str, paragraphs("What happened", at_most=5_000, missing="Enter what happened")]


class LevelForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A judgement of the level of need."""

    level: Annotated[
        Literal["universal", "early_help", "targeted", "specialist"], chosen("Level of need")
    ]
    judged_on: Annotated[date, on_day("Day of the judgement")]


def child_mistakes(form: _ChildForm, today: date, asked: Iterable[str]) -> list[FieldError]:
    """What no child's details can be, among the fields that were asked."""
    fields = frozenset(asked)
    mistakes: list[FieldError] = []
    for name in ("given_name", "family_name"):
        if name in fields:
            mistakes += name_mistakes(name, LABELS[name], getattr(form, name), is_needed=True)
    if "known_as" in fields:
        mistakes += name_mistakes("known_as", "Known as", form.known_as, is_needed=False)
    if "birth_date" in fields:
        mistakes += _birth_mistakes(form, today)
    if form.nhs_number:
        try:
            nhs_number(form.nhs_number)
        except WrongNhsNumber as wrong:
            mistakes.append(FieldError("nhs_number", str(wrong)))
    if form.upn:
        try:
            upn(form.upn)
        except WrongUpn as wrong:
            mistakes.append(FieldError("upn", str(wrong)))
    return mistakes


def name_mistakes(field: str, label: str, name: str, *, is_needed: bool) -> list[FieldError]:
    """What a name cannot be: empty where it is needed, or made of pictures."""
    if not name:
        return [FieldError(field, f"Enter {label.lower()}")] if is_needed else []
    try:
        csv_rows.name(name)
    except csv_rows.WrongCell as wrong:
        return [FieldError(field, str(wrong))]
    return []


def _birth_mistakes(form: _ChildForm, today: date) -> list[FieldError]:
    if form.birth_date is None:
        if form.expected_delivery_on is None:
            return [FieldError("birth_date", "Enter the date of birth, or when it is expected")]
        return []
    if said := future_date_mistake("Date of birth", form.birth_date, today):
        return [FieldError("birth_date", f"{said}. Before birth, use the expected date")]
    if age_in_years(form.birth_date, today) > OLDEST:
        return [FieldError("birth_date", f"This is more than {OLDEST} years ago. Check the year")]
    return []


def child_values(form: _ChildForm, asked: Iterable[str]) -> Mapping[str, Any]:
    """The form's answers as a child's row holds them, for the fields that were asked."""
    values = {name: _value(form, name) for name in asked if hasattr(form, name)}
    if values.get("nhs_number"):
        values["nhs_number"] = nhs_number(form.nhs_number)
    if values.get("upn"):
        values["upn"] = upn(form.upn)
    if values.get("postcode"):
        values["postcode"] = form.postcode.upper()
    return values


_EMPTY_IS_NONE = frozenset({"ethnicity", "primary_need", "first_language", "interpreter", "school"})


def _value(form: _ChildForm, name: str) -> object:
    value: object = getattr(form, name)
    return None if value == "" and name in _EMPTY_IS_NONE else value


def new_child(form: NewChildForm) -> NewChild:
    """The child that a form brings."""
    return NewChild(**child_values(form, (name for name in LABELS if name != "ward_code")))


def contact_mistakes(form: NewChildForm) -> list[FieldError]:
    """What the one family member of a new child lacks."""
    if not form.contact_name:
        given = form.contact_relationship or form.contact_phone or form.contact_responsibility
        return (
            [FieldError("contact_name", "Enter their name, or leave out all about them")]
            if given
            else []
        )
    mistakes = name_mistakes("contact_name", "their name", form.contact_name, is_needed=True)
    if not form.contact_relationship:
        mistakes.append(FieldError("contact_relationship", "Enter how they are related"))
    return mistakes


def contact_of(form: NewChildForm) -> tuple[NewFamilyMember, NewFamilyLink] | None:
    """The one family member of a new child, if one was given."""
    if not form.contact_name:
        return None
    member = NewFamilyMember(
        name=form.contact_name, phone=form.contact_phone, safe_contact=form.contact_safe
    )
    link = NewFamilyLink(
        relationship=form.contact_relationship,
        parental_responsibility=form.contact_responsibility,
        basis=None if form.contact_basis is None else ParentalBasis(form.contact_basis),
        from_on=form.contact_from_on,
    )
    return member, link


OF_THE_CONTACT = {
    "basis": "contact_basis",
    "from_on": "contact_from_on",
    "parental_responsibility": "contact_responsibility",
}
"""Where a mistake in a tie stands on the page of a new child."""
