"""The shape of every R4 type: its elements, whether they repeat, what they hold.

Read once from the models of fhir.resources (R4B), which know cardinality, primitive types and the
types that a reference may point to. They know required bindings only in part: see `bindings`.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Final, cast, get_args, get_origin

from fhir.resources.R4B import get_fhir_model_class
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from fhir_core.types import FhirBase
from msgspec import Struct
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import SchemaValidator


class Element(Struct, frozen=True, kw_only=True):
    """One element of a type."""

    kind: str
    """The primitive type in lower case ("date", "boolean"), "complex" or "resource"."""
    many: bool = False
    holds: str = ""
    """The complex type that stands here."""
    targets: frozenset[str] = frozenset()
    """Types that a reference may point to; empty where any may."""
    fits: Callable[[object], bool] | None = None
    """Whether fhir.resources takes a value here; None where the element is no primitive."""


class Choice(Struct, frozen=True):
    """The elements of which one may stand: `value[x]`."""

    names: frozenset[str]
    is_required: bool


class Needs(Struct, frozen=True):
    """What fhir.resources asks of an object beside that each of its elements fits."""

    required: tuple[str, ...]
    choices: tuple[Choice, ...]
    is_known: bool
    """Whether this is all that the type's model asks."""

    def are_met_by(self, value: Mapping[str, Any]) -> bool:
        """Whether an object surely has it; False where only the model itself can say."""
        if not self.is_known:
            return False
        for name in self.required:
            if value.get(name) is None:
                return False
        for choice in self.choices:
            if choice.names.isdisjoint(value):
                if choice.is_required:
                    return False
            elif len(choice.names & value.keys()) != 1:
                return False
        return True


RESOURCES_IN: Final = "Resource"
_PLAIN: Final = {"bool": "boolean", "int": "integer", "str": "string", "Decimal": "decimal"}


@cache
def shape(type_name: str) -> Mapping[str, Element]:
    """The elements of one type by their name in JSON, `_`-companions left out.

    Raises `ValueError` where R4B knows no such type.
    """
    model = get_fhir_model_class(type_name)
    return {
        field.alias or name: _element(field)
        for name, field in model.model_fields.items()
        if not name.endswith("__ext") and name != "fhir_comments"
    }


_OWN_RULES: Final = frozenset({"FHIRPrimitiveExtension", "VerificationResult"})
"""Types whose models check more than the others do."""


@cache
def needs(type_name: str) -> Needs | None:
    """What one type asks for; None for nothing. Raises `ValueError` where R4B knows no such."""
    model = get_fhir_model_class(type_name)
    called = {name: field.alias or name for name, field in model.model_fields.items()}
    # The models tell this of their instances, and the same of each.
    empty = model.model_construct()
    required = [called[name] for name, field in model.model_fields.items() if field.is_required()]
    required += [name for name, _ in empty.get_required_fields()]
    choices = tuple(
        Choice(
            frozenset(called[name] for name in names), _is_required(model.model_fields[names[0]])
        )
        for names in empty.get_one_of_many_fields().values()
    )
    is_known = type_name not in _OWN_RULES
    if is_known and not required and not choices:
        return None
    return Needs(tuple(required), choices, is_known)


def _is_required(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra.get("one_of_many_required") is True


def _whole(field: FieldInfo) -> object:
    """An element's annotation with what stands beside it."""
    if not field.metadata:
        return field.annotation
    return Annotated[field.annotation, *field.metadata]


@cache
def _fits(annotation: object) -> Callable[[object], bool]:
    adapter = TypeAdapter(cast("type[object]", annotation))
    return SchemaValidator(adapter.core_schema).isinstance_python


def model_of(type_name: str) -> type[FHIRAbstractModel]:
    """The model of one type; raises `ValueError` where R4B knows no such type."""
    return get_fhir_model_class(type_name)


def _element(field: FieldInfo) -> Element:
    kind, many, holds = "string", False, ""
    for layer in _layers(field.annotation):
        if layer is list:
            many = True
        elif isinstance(layer, type) and issubclass(layer, FhirBase):
            holds = layer.get_model_klass().get_resource_type()
            kind = "resource" if holds == RESOURCES_IN else "complex"
        elif layer is not type(None):
            kind = _primitive(layer, kind)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    named = extra.get("enum_reference_types")
    targets = (
        frozenset(str(each) for each in named) if isinstance(named, list) else frozenset[str]()
    )
    return Element(
        kind=kind,
        many=many,
        holds=holds,
        targets=targets - {"Resource"} if targets else targets,
        fits=None if holds else _fits(_whole(field)),
    )


def _primitive(layer: object, known: str) -> str:
    if isinstance(layer, type):
        return _PLAIN.get(layer.__name__, known)
    return type(layer).__name__.lower()


def _layers(annotation: object) -> list[object]:
    """What an annotation is made of, outermost first."""
    origin = get_origin(annotation)
    if origin is None:
        return [annotation]
    if origin is Annotated:
        base, *marks = get_args(annotation)
        return [*_layers(base), marks[-1]]
    found: list[object] = [origin] if origin is list else []
    for part in get_args(annotation):
        found += _layers(part)
    return found
