"""Rules between elements (R4's constraints), of the types that Panel reads.

fhir.resources knows none of them. Those that bar leave open what is meant.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from interop.incoming.days import first_moment
from interop.nhs_number import is_possible
from interop.systems import NHS_NUMBER

Value = Mapping[str, Any]


class Invariant(Struct, frozen=True):
    """One rule of one type."""

    holds: Callable[[Value], bool]
    reason: str
    at: str = ""
    """The path below the element that breaks it."""
    bars: bool = True


def _any_of(*names: str) -> Callable[[Value], bool]:
    return lambda value: any(value.get(name) for name in names)


def _not_both(one: str, other: str) -> Callable[[Value], bool]:
    return lambda value: not (value.get(one) and value.get(other))


def _needs(one: str, other: str) -> Callable[[Value], bool]:
    return lambda value: not value.get(one) or bool(value.get(other))


def _possible_number(value: Value) -> bool:
    number = value.get("value")
    if value.get("system") != NHS_NUMBER or not isinstance(number, str):
        return True
    return is_possible(number.replace(" ", ""))


def _both_ends(value: Value) -> bool:
    return bool(value.get("start")) == bool(value.get("end"))


def _ends_in_order(value: Value) -> bool:
    start, end = first_moment(value.get("start")), first_moment(value.get("end"))
    return start is None or end is None or start <= end


def _has_times(value: Value) -> bool:
    # A tuple: what stands here may be a list, which is in no set.
    return bool(value.get("start")) or value.get("status") in ("proposed", "cancelled", "waitlist")


def _changed_after_asked(value: Value) -> bool:
    asked, changed = first_moment(value.get("authoredOn")), first_moment(value.get("lastModified"))
    return asked is None or changed is None or asked <= changed


def _items(value: Value) -> Iterator[Value]:
    found = value.get("item")
    for each in found if isinstance(found, list) else []:
        if isinstance(each, dict):
            yield each
            yield from _items(each)


def _each_link_once(value: Value) -> bool:
    links = [each.get("linkId") for each in _items(value)]
    said = [link for link in links if isinstance(link, str)]
    return len(said) == len(set(said))


def _not_an_error(value: Value) -> bool:
    """con-5: what was entered in error has no clinical status."""
    verification = value.get("verificationStatus")
    codings = verification.get("coding") if isinstance(verification, dict) else None
    in_error = any(
        isinstance(each, dict) and each.get("code") == "entered-in-error"
        for each in (codings if isinstance(codings, list) else [])
    )
    return not (in_error and value.get("clinicalStatus"))


def _nothing_within(value: Value) -> bool:
    """dom-2: what is contained contains nothing itself."""
    contained = value.get("contained")
    return not any(
        isinstance(each, dict) and each.get("contained")
        for each in (contained if isinstance(contained, list) else [])
    )


_WITHIN: Final = Invariant(
    _nothing_within, "What is contained contains nothing itself.", at=".contained"
)

INVARIANTS: Final[Mapping[str, tuple[Invariant, ...]]] = {
    "Appointment": (
        Invariant(_both_ends, "An appointment has both a start and an end, or neither."),
        Invariant(_ends_in_order, "This appointment ends before it starts."),
        Invariant(_has_times, "An appointment that is booked has a time.", bars=False),
    ),
    "AppointmentParticipant": (
        Invariant(_any_of("type", "actor"), "A participant is somebody or plays a part."),
    ),
    "Attachment": (
        Invariant(_needs("data", "contentType"), "What is sent along has a type.", bars=False),
    ),
    "CarePlanActivity": (
        Invariant(
            _not_both("detail", "reference"), "An activity is told or referred to, not both."
        ),
    ),
    "Condition": (
        Invariant(_not_an_error, "What was entered in error has no clinical status."),
        _WITHIN,
    ),
    "Consent": (
        Invariant(_any_of("policy", "policyRule"), "A consent names a policy.", bars=False),
    ),
    "ContactPoint": (
        Invariant(_needs("value", "system"), "A number or address says what it is.", bars=False),
    ),
    "GoalTarget": (
        Invariant(
            lambda value: (
                not any(name.startswith("detail") for name in value) or bool(value.get("measure"))
            ),
            "A target says what is measured.",
            bars=False,
        ),
    ),
    "Identifier": (
        Invariant(_possible_number, "This is not an NHS number: a digit is wrong.", at=".value"),
    ),
    "Organization": (
        Invariant(_any_of("identifier", "name"), "An organisation has a name or an identifier."),
    ),
    "Patient": (_WITHIN,),
    "PatientContact": (
        Invariant(
            _any_of("name", "telecom", "address", "organization"),
            "A contact has a name, a number, an address or an organisation.",
        ),
    ),
    "Quantity": (Invariant(_needs("code", "system"), "A unit's code has a system.", bars=False),),
    "Questionnaire": (Invariant(_each_link_once, "Two questions have the same linkId."),),
    "QuestionnaireItem": (
        Invariant(
            lambda value: value.get("type") != "group" or bool(value.get("item")),
            "A group of questions has questions.",
            bars=False,
        ),
        Invariant(
            lambda value: value.get("type") != "display" or not value.get("item"),
            "What is only shown has no questions within.",
        ),
        Invariant(
            _not_both("answerOption", "answerValueSet"), "The choices are named here or elsewhere."
        ),
    ),
    "QuestionnaireResponseItem": (
        Invariant(_not_both("item", "answer"), "Questions stand below an item or its answers."),
    ),
    "ServiceRequest": (
        Invariant(_needs("orderDetail", "code"), "Details are details of something.", bars=False),
    ),
    "Task": (Invariant(_changed_after_asked, "This was changed before it was asked for."),),
}
