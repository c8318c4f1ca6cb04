"""What fhir.resources lets through: looked for in every resource, in one walk over its values.

A problem makes it unsafe to take anything in; a remark is a broken rule whose meaning is plain all
the same ("null" says nothing). Real senders break rules: the sentences are read by the people who
decide what becomes of it, and repeat nothing of what was received.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from msgspec import Struct

from interop.incoming.bindings import CONCEPTS, REQUIRED, same_system
from interop.incoming.days import first_moment, is_written_well, last_moment
from interop.incoming.invariants import INVARIANTS, Invariant
from interop.incoming.narrative import unsafe
from interop.incoming.received import NO_SUCH_ELEMENT, Problem
from interop.incoming.references import literal
from interop.incoming.shapes import Element, Needs, needs, shape

_WHOLE: Final = (frozenset({int}), "This is a whole number, without quotes.")
_NUMBERS: Final[Mapping[str, tuple[frozenset[type], str]]] = {
    "boolean": (frozenset({bool}), "This is true or false, without quotes."),
    "decimal": (frozenset({int, Decimal}), "This is a number, without quotes."),
    "integer": _WHOLE,
    "integer64": _WHOLE,
    "positiveint": _WHOLE,
    "unsignedint": _WHOLE,
}
_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]*+=?\s*+=?\s*+")
_WRONG_CODE: Final = "This is not one of the codes that may stand here."
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_CODE: Final = re.compile(r"[^\s]++(\s[^\s]++)*+")
_ABSOLUTE: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_VALUES: Final = ("value", "_value")
_EXTENDED: Final = {"extension"}
"""What commonly accompanies a primitive."""
_LAYOUT: Final = str.maketrans("", "", "\t\r\n")


Place = tuple["Place | None", str | int]
"""Where a value stands: the place above and the step to it, or its number in a list; written out
only for a problem."""


def _written(place: Place) -> str:
    steps: list[str] = []
    above: Place | None = place
    while above is not None:
        above, step = above
        steps.append(step if isinstance(step, str) else f"[{step}]")
    return "".join(reversed(steps))


class Rule(Struct, frozen=True, kw_only=True):
    """What may stand at one element of a type."""

    element: Element
    step: str
    many: bool
    is_complex: bool
    """It holds an object, of `holds` or a whole resource."""
    number: tuple[frozenset[type], str] | None
    """The types that a number or boolean may have; None for a text."""
    form: tuple[Callable[[str], object], str] | None
    """What a text must fit."""
    codes: frozenset[str] | None
    concept: tuple[str, frozenset[str]] | None

    is_plain: Callable[[object], bool] | None
    """Whether the models surely take what stands here; None where its elements say that."""


@cache
def rules(type_name: str) -> Mapping[str, Rule]:
    """By element of a type. Raises `ValueError` where R4B knows no such type."""
    return {
        name: Rule(
            element=element,
            step=f".{name}",
            many=element.many,
            is_complex=element.kind in {"complex", "resource"},
            number=_NUMBERS.get(element.kind),
            form=_FORMS.get(element.kind),
            codes=REQUIRED.get((type_name, name)),
            concept=CONCEPTS.get((type_name, name)),
            is_plain=_never if element.kind == "resource" else element.fits,
        )
        for name, element in shape(type_name).items()
    }


class Kind(Struct, frozen=True, kw_only=True):
    """All that is asked of an object of one type."""

    rules: Mapping[str, Rule]
    needs: Needs | None
    special: "Callable[[Walk, Mapping[str, Any], Place], None] | None"
    invariants: tuple[Invariant, ...]


@cache
def _kind(type_name: str) -> Kind:
    """Of a type. Raises `ValueError` where R4B knows no such type."""
    return Kind(
        rules=rules(type_name),
        needs=needs(type_name),
        special=_SPECIAL.get(type_name),
        invariants=tuple(INVARIANTS.get(type_name, ())),
    )


def _never(_held: object) -> bool:
    """Of a whole resource within another only its model knows."""
    return False


class Walk:
    """One walk over a resource; `problems` and `remarks` hold what it found.

    `is_plain`: nothing was found, and nothing stands here of which only fhir.resources' models know
    whether it may. They take every such resource, so it need not be read by them as well.
    """

    def __init__(self, resource: Mapping[str, Any], path: str) -> None:
        self.problems: list[Problem] = []
        self.remarks: list[Problem] = []
        self.is_plain = True
        self._contained = _contained_ids(resource)
        self._resource(resource, (None, path))
        self.is_plain = self.is_plain and not self.problems and not self.remarks

    def problem(self, place: Place, reason: str) -> None:
        """Something that makes it unsafe to take anything in."""
        self.problems.append(Problem(_written(place), reason))

    def _remark(self, place: Place, reason: str) -> None:
        self.remarks.append(Problem(_written(place), reason))

    def _resource(self, value: Mapping[str, Any], place: Place) -> None:
        type_name = value.get("resourceType")
        if not isinstance(type_name, str):
            self.problem(place, "A resource says of what type it is (resourceType).")
            return
        try:
            rules(type_name)
        except ValueError:
            self.problem(place, "FHIR R4 has no resource of this type.")
            return
        self._complex(value, type_name, place)

    def _complex(self, value: Mapping[str, Any], type_name: str, place: Place) -> None:
        kind = _kind(type_name)
        known = kind.rules
        for name, held in value.items():
            rule = known.get(name)
            if rule is None:
                self._beside(known, name, held, place)
                continue
            if rule.many or held is None or isinstance(held, list):
                self._several(rule, held, (place, rule.step))
            elif rule.is_complex:
                self._object(rule, held, (place, rule.step))
            else:
                self._primitive(rule, held, place, rule.step)
            # Once something is not plain, nothing more is asked of what only that needs.
            if self.is_plain and rule.is_plain is not None and not rule.is_plain(held):
                self.is_plain = False
        if kind.needs is not None and self.is_plain:
            self.is_plain = kind.needs.are_met_by(value)
        if kind.special is not None:
            kind.special(self, value, place)
        for invariant in kind.invariants:
            if not invariant.holds(value):
                tell = self.problem if invariant.bars else self._remark
                tell((place, invariant.at), invariant.reason)

    def _several(self, rule: Rule, held: object, place: Place) -> None:
        if held is None:
            self._remark(place, "JSON's null has no place in FHIR.")
            return
        if not isinstance(held, list) or not rule.many:
            wanted = "This is a list." if rule.many else "This is one value, not a list."
            self.problem(place, wanted)
            return
        if not held:
            self._remark(place, "An empty list has no place in FHIR.")
        for number, each in enumerate(held):
            if rule.is_complex:
                self._object(rule, each, (place, number))
            elif each is not None:
                self._primitive(rule, each, place, number)

    def _object(self, rule: Rule, held: object, place: Place) -> None:
        if not isinstance(held, dict):
            self.problem(place, "This is an object.")
            return
        if not held:
            self.problem(place, "An empty object says nothing.")
            return
        element = rule.element
        if element.kind == "resource":
            self._resource(held, place)
            return
        self._complex(held, element.holds, place)
        if element.targets and element.holds == "Reference":
            target = _target_type(held)
            if target is not None and target not in element.targets:
                self.problem(place, "This refers to a type that may not stand here.")
        if rule.concept is not None and not _is_of(held, *rule.concept):
            self.problem(place, _WRONG_CODE)

    def _primitive(self, rule: Rule, held: object, above: Place, step: str | int) -> None:
        if rule.number is not None:
            types, reason = rule.number
            if type(held) not in types:
                self.problem((above, step), reason)
        elif not isinstance(held, str):
            self.problem((above, step), "This is a text.")
        elif not held.isprintable() and not _is_storable(held):
            self.problem((above, step), "This text holds something that is no character.")
        elif not held or held.isspace():
            self.problem((above, step), "An empty text says nothing.")
        elif rule.codes is not None and held not in rule.codes:
            self.problem((above, step), _WRONG_CODE)
        elif rule.form is not None and not rule.form[0](held):
            self.problem((above, step), rule.form[1])

    def _beside(self, known: Mapping[str, Rule], name: str, held: object, place: Place) -> None:
        """What accompanies a primitive, the type of a resource, or nothing that R4 has."""
        if name == "resourceType" and "meta" in known:
            return
        if not (isinstance(held, dict) and held.keys() == _EXTENDED and name[1:] in known):
            self.is_plain = False
        rule = known.get(name[1:]) if name.startswith("_") else None
        at: Place = (place, f".{name}")
        if rule is None or rule.is_complex:
            self.problems.append(Problem(_written(at), NO_SUCH_ELEMENT, _written(place)))
            return
        if rule.many != isinstance(held, list):
            self.problem(at, "This does not fit the value that it accompanies.")
            return
        for each in held if isinstance(held, list) else [held]:
            if isinstance(each, dict):
                self._complex(each, "Element", at)
            elif each is not None or not rule.many:
                self.problem(at, "This is an object.")

    def reference(self, value: Mapping[str, Any], place: Place) -> None:
        """A fragment refers to what is contained here (ref-1)."""
        said = value.get("reference")
        if not isinstance(said, str) or not said.startswith("#") or said == "#":
            return
        if said[1:] not in self._contained:
            self.problem((place, ".reference"), "This refers to something that is not contained.")

    def period(self, value: Mapping[str, Any], place: Place) -> None:
        """A period does not end before it starts (per-1)."""
        start, end = first_moment(value.get("start")), last_moment(value.get("end"))
        if start is not None and end is not None and end < start:
            self.problem(place, "This period ends before it starts.")

    def narrative(self, value: Mapping[str, Any], place: Place) -> None:
        """Nothing runs or is fetched when the narrative is shown (txt-1)."""
        div = value.get("div")
        reason = unsafe(div) if isinstance(div, str) else None
        if reason is not None:
            self.problem((place, ".div"), reason)

    def extension(self, value: Mapping[str, Any], place: Place) -> None:
        """A value or extensions, never both and never two values (ext-1)."""
        values = {name.lstrip("_") for name in value if name.startswith(_VALUES)}
        if len(values) > 1:
            self.problem(place, "An extension has one value.")
        if bool(values) == bool(value.get("extension")):
            self.problem(place, "An extension has either a value or extensions.")


def _contained_ids(resource: Mapping[str, Any]) -> frozenset[object]:
    contained = resource.get("contained")
    if not isinstance(contained, list):
        return frozenset()
    found = (each.get("id") for each in contained if isinstance(each, dict))
    return frozenset(each for each in found if isinstance(each, str))


def _is_storable(text: str) -> bool:
    """Without control characters but those of layout, and without half of a surrogate pair."""
    return not any(each < " " or "\ud800" <= each <= "\udfff" for each in text.translate(_LAYOUT))


def _target_type(reference: Mapping[str, Any]) -> str | None:
    """The type that a reference names, by `type` or by its relative or absolute address."""
    named = reference.get("type")
    if isinstance(named, str) and not _ABSOLUTE.match(named):
        return named
    said = reference.get("reference")
    found = literal(said) if isinstance(said, str) else None
    return None if found is None else found[0]


def _is_of(concept: Mapping[str, Any], system: str, codes: frozenset[str]) -> bool:
    codings = concept.get("coding")
    if not isinstance(codings, list):
        return False
    return any(
        isinstance(each, dict)
        and same_system(each.get("system")) == system
        and isinstance(each.get("code"), str)
        and each["code"] in codes
        for each in codings
    )


def _time_form(kind: str) -> tuple[Callable[[str], object], str]:
    return (
        lambda text: is_written_well(kind, text),
        "This is no date or time as FHIR writes it.",
    )


_FORMS: Final[Mapping[str, tuple[Callable[[str], object], str]]] = {
    "base64binary": (_BASE64.fullmatch, "This is not Base64."),
    "id": (_ID.fullmatch, "An id has up to 64 letters, digits, hyphens and dots."),
    "code": (_CODE.fullmatch, "A code has no spaces at its ends and never two together."),
    **{kind: _time_form(kind) for kind in ("date", "datetime", "instant", "time")},
}

_SPECIAL: Final[Mapping[str, Callable[[Walk, Mapping[str, Any], Place], None]]] = {
    "Extension": Walk.extension,
    "Narrative": Walk.narrative,
    "Period": Walk.period,
    "Reference": Walk.reference,
}
