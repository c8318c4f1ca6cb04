"""The shape of every R4 type: its elements, whether they repeat, what they hold.

Read once from the models of fhir.resources (R4B), which know cardinality, primitive types and the
types that a reference may point to. They know required bindings only in part: see `bindings`.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Final, get_args, get_origin

from fhir.resources.R4B import get_fhir_model_class
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from fhir_core.types import FhirBase
from msgspec import Struct
from pydantic.fields import FieldInfo


class Element(Struct, frozen=True, kw_only=True):
    """One element of a type."""

    kind: str
    """The primitive type in lower case ("date", "boolean"), "complex" or "resource"."""
    many: bool = False
    holds: str = ""
    """The complex type that stands here."""
    targets: frozenset[str] = frozenset()
    """Types that a reference may point to; empty where any may."""


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
        kind=kind, many=many, holds=holds, targets=targets - {"Resource"} if targets else targets
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
