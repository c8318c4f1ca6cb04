"""FHIR's XML as FHIR's JSON, for examples that exist only in XML (hl7.org/fhir/R4/json.html).

What repeats is an array by the cardinality of the type; `id` and extensions of a primitive go to
its `_`-companion; the narrative stays XHTML; comments are dropped, as JSON has none.
"""

from decimal import Decimal
from typing import Any, Final
from xml.etree.ElementTree import tostring

import msgspec
from defusedxml import ElementTree

from interop.incoming.shapes import Element, shape

FHIR = "{http://hl7.org/fhir}"
XHTML = "{http://www.w3.org/1999/xhtml}"
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
"""1.10 stays 1.10."""


def as_json(xml: bytes) -> bytes:
    """One XML resource as JSON, UTF-8."""
    return _ENCODER.encode(resource(ElementTree.fromstring(xml)))


def resource(node: Any) -> dict[str, Any]:
    """A resource: its type is the name of its element."""
    name = node.tag.removeprefix(FHIR)
    return {"resourceType": name} | parts(node, name)


def parts(node: Any, type_name: str) -> dict[str, Any]:
    """What stands inside one element of a complex type."""
    known = shape(type_name)
    out: dict[str, Any] = {key: node.attrib[key] for key in ("id", "url") if key in node.attrib}
    for child in node:
        name = child.tag.removeprefix(FHIR)
        if child.tag.startswith(XHTML):
            out["div"] = _xhtml(child)
            continue
        _put(out, name, known[name], child)
    return out


def _put(out: dict[str, Any], name: str, element: Element, child: Any) -> None:
    value, beside = _value(element, child)
    if not element.many:
        if value is not None:
            out[name] = value
        if beside:
            out["_" + name] = beside
        return
    before = out.setdefault(name, [])
    before.append(value)
    besides = out.get("_" + name)
    if beside or besides:
        besides = out.setdefault("_" + name, [None] * (len(before) - 1))
        besides.append(beside)


def _value(element: Element, child: Any) -> tuple[Any, dict[str, Any] | None]:
    if element.kind == "resource":
        return resource(child[0]), None
    if element.kind == "complex":
        return parts(child, element.holds), None
    beside = parts(child, "Element") if len(child) or "id" in child.attrib else None
    text = child.attrib.get("value")
    return (None if text is None else _primitive(element.kind, text)), beside


def _primitive(kind: str, text: str) -> Any:
    if kind == "boolean":
        return {"true": True, "false": False}[text]
    if kind in {"integer", "positiveint", "unsignedint"}:
        return int(text)
    return Decimal(text) if kind == "decimal" else text


def _xhtml(node: Any) -> str:
    """The narrative with XHTML as its own default namespace."""
    for each in node.iter():
        each.tag = each.tag.removeprefix(XHTML)
    node.attrib["xmlns"] = XHTML.strip("{}")
    node.tail = None
    return tostring(node, encoding="unicode")
