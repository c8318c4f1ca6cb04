"""Whether a resource is what a search asks for, by what the resource itself says.

For resources that no table has columns for: each criterion is looked up in the JSON that its reader
is shown, so nothing can be found by what is not shown. Pure. What names the resource, its patient
or its moment (`_id`, `_lastUpdated`, `patient`, `patient.identifier`) is asked where it is kept.

    matches(resource, criterion)    -> bool
    fits(texts, criterion)          whether one of some texts is what is asked for

Source: hl7.org/fhir/R4/searchparameter-registry.html (the paths), search.html (how they compare).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from interop.search import (
    AnyCriterion,
    Dates,
    Ids,
    Match,
    Missing,
    OfPatient,
    References,
    Strings,
    Tokens,
    Uris,
)
from interop.search_dates import Bound, DateValue, bounds_of, date_value
from interop.search_values import Canonical, Reference, Text, Token, folded
from interop.served import ID, LAST_UPDATED, Param

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
Span = tuple[datetime, datetime]
"""From the first moment until the first after."""

_PATHS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("EpisodeOfCare", "date"): ("period",),
    ("EpisodeOfCare", "organization"): ("managingOrganization",),
    ("CarePlan", "date"): ("period",),
    ("CarePlan", "activity-reference"): ("activity.reference",),
    ("CareTeam", "date"): ("period",),
    ("CareTeam", "participant"): ("participant.member",),
    ("ServiceRequest", "authored"): ("authoredOn",),
    ("Appointment", "date"): ("start",),
    ("Encounter", "date"): ("period",),
    ("DocumentReference", "identifier"): ("masterIdentifier", "identifier"),
    ("Consent", "date"): ("dateTime",),
    ("Consent", "actor"): (
        "provision.actor.reference",
        "provision.provision.actor.reference",
        "provision.provision.provision.actor.reference",
    ),
    ("Flag", "date"): ("period",),
    ("Task", "modified"): ("lastModified",),
}
"""Where a parameter looks that has another name than its element."""


def is_kept_apart(criterion: AnyCriterion) -> bool:
    """Whether it asks for what is kept beside every resource, so that none needs be read for it."""
    of_row = criterion.param in (ID, LAST_UPDATED) or criterion.param.column == "patient"
    return of_row or isinstance(criterion, OfPatient)


def matches(resource: Mapping[str, object], criterion: AnyCriterion) -> bool:
    """Whether the resource is what the criterion asks for.

    Raises: ValueError for a criterion that `is_kept_apart`.
    """
    if is_kept_apart(criterion):
        raise ValueError(f"a resource does not say its {criterion.param.name} itself")
    said = list(_values(resource, criterion.param))
    match criterion:
        case Missing(missing=missing):
            is_so = missing is not bool(said)
        case Tokens(any_of=tokens, negated=negated):
            is_so = negated is not any(_is_one(one, tokens) for one in said)
        case References(any_of=asked):
            is_so = any(_refers(one, asked) for one in said)
        case Dates(any_of=dates):
            spans = [span for one in said if (span := _span(one)) is not None]
            is_so = any(_within(span, one) for span in spans for one in dates)
        case Strings():
            is_so = fits((text for one in said for text in _texts(one)), criterion)
        case Uris(any_of=addresses):
            is_so = any(one in addresses for one in said)
        case Ids() | OfPatient():
            is_so = False
    return is_so


def fits(texts: Iterable[str], criterion: Strings) -> bool:
    """Whether one of the texts is what is asked for."""
    return any(_fits(said, asked, criterion.match) for said in texts for asked in criterion.any_of)


def _fits(said: str, asked: Text, match: Match) -> bool:
    if match == "exact":
        return said == asked.raw
    heard = folded(said)
    if match == "contains":
        return asked.folded in heard
    return heard.startswith(asked.folded) or any(
        word.startswith(asked.folded) for word in heard.split()
    )


# What stands there --------------------------------------------------------------------------------


def _values(resource: Mapping[str, object], param: Param) -> Iterator[object]:
    type_ = resource.get("resourceType")
    usual = (_element(param.name),)
    paths = _PATHS.get((type_, param.name), usual) if isinstance(type_, str) else usual
    for path in paths:
        yield from _at(resource, path.split("."))


def _element(name: str) -> str:
    first, *more = name.split("-")
    return first + "".join(word.capitalize() for word in more)


def _at(value: object, path: Sequence[str]) -> Iterator[object]:
    if isinstance(value, list):
        for one in value:
            yield from _at(one, path)
    elif not path:
        if value not in (None, "") and not _says_only_why_not(value):
            yield value
    elif isinstance(value, Mapping):
        yield from _at(value.get(path[0]), path[1:])


def _says_only_why_not(value: object) -> bool:
    """Whether nothing stands there but an extension: why there is none."""
    return isinstance(value, Mapping) and value.keys() <= {"id", "extension"}


# How it is compared -------------------------------------------------------------------------------


def _is_one(said: object, tokens: Sequence[Token]) -> bool:
    codes = list(_codes(said))
    return any(
        one.system in (None, system) and one.code in (None, code)
        for one in tokens
        for system, code in codes
    )


def _codes(said: object) -> Iterator[tuple[str, str | None]]:
    """Each (system, code) of a code, a Coding, a CodeableConcept or an Identifier."""
    if isinstance(said, str):
        yield "", said
    elif isinstance(said, Mapping):
        coding = said.get("coding")
        if isinstance(coding, list):
            for one in coding:
                yield from _codes(one)
            return
        system, code = said.get("system"), said.get("code", said.get("value"))
        if isinstance(system, str) or isinstance(code, str):
            yield (
                system if isinstance(system, str) else "",
                code if isinstance(code, str) else None,
            )


def _refers(said: object, asked: Sequence[Reference | Canonical]) -> bool:
    if isinstance(said, str):
        address, _, version = said.partition("|")
        return any(
            one.url == address and one.version in (None, version)
            for one in asked
            if isinstance(one, Canonical)
        )
    to = said.get("reference") if isinstance(said, Mapping) else None
    type_, slash, id_ = to.partition("/") if isinstance(to, str) else ("", "", "")
    return bool(slash) and any(
        one.id == id_ and one.type in (None, type_) for one in asked if isinstance(one, Reference)
    )


def _span(said: object) -> Span | None:
    """The range of a date, a moment or a Period; None where nothing of it can be read."""
    if isinstance(said, str):
        found = date_value(said, "instant") if said[:1].isdigit() else None
        return None if found is None else (found.start, found.until)
    if not isinstance(said, Mapping):
        return None
    start, end = _span(said.get("start")), _span(said.get("end"))
    if start is None and end is None:
        return None
    return _FIRST if start is None else start[0], _LAST if end is None else end[1]


def _within(span: Span, asked: DateValue) -> bool:
    bounds, either = bounds_of(asked)
    held = [_holds(span, one) for one in bounds]
    return any(held) if either else all(held)


def _holds(span: Span, bound: Bound) -> bool:
    at = bound.at
    if not isinstance(at, datetime):
        raise TypeError("these bounds are moments")
    side = span[0] if bound.side == "low" else span[1]
    match bound.comparison:
        case ">=":
            return side >= at
        case "<":
            return side < at
        case "<=":
            return side <= at
        case ">":
            return side > at


def _texts(said: object) -> Iterator[str]:
    """A text, or all that a name is made of, in parts and together."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, Mapping):
        given = said.get("given")
        listed = given if isinstance(given, list) else []
        parts = [one for one in (*listed, said.get("family")) if isinstance(one, str)]
        yield from parts
        yield " ".join(parts)
        if isinstance(text := said.get("text"), str):
            yield text
