"""The pieces that every resource is made of: texts, days, references, codes, and its head.

What is absent is left out: every maker here gives None for nothing, and `present` drops it.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from html import escape

from interop import systems
from interop.messages import Message

Json = dict[str, object]
"""A FHIR element or resource as plain values. A decimal is a Decimal: `encode` keeps its digits."""

_NOT_PLAIN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff\ufeff]"
)
_BREAKS = "\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_CODE = re.compile(r"\S+( \S+)*")


def present(elements: Json) -> Json:
    """The elements that there are: no None, no empty text, list or object. False and 0 stay."""
    return {name: value for name, value in elements.items() if value or value == 0}


# Texts --------------------------------------------------------------------------------------------


def text(value: str | None) -> str | None:
    """What a FHIR string may hold of a text, without blanks around it; None where that is nothing.

    R4 allows no control character but tab and line ends. Those that end a line or a page become a
    line end, half a character becomes U+FFFD, and the others, which nobody can see, go.
    """
    if not value:
        return None
    if not value.isprintable() and _NOT_PLAIN.search(value):
        value = _NOT_PLAIN.sub(_plain, value)
    return value.strip() or None


def _plain(found: re.Match[str]) -> str:
    one = found[0]
    if one in _BREAKS:
        return "\n"
    return "\ufffd" if "\ud800" <= one <= "\udfff" else ""


def lines(value: str | None) -> list[str]:
    """A text's lines that hold something."""
    found = text(value)
    return [] if found is None else [one.strip() for one in found.splitlines() if one.strip()]


def is_code(value: str | None) -> bool:
    """Whether a text can be a FHIR code: no blank but single ones inside."""
    return value is not None and _CODE.fullmatch(value) is not None and text(value) == value


def narrative(*paragraphs: str | None) -> Json | None:
    """A short generated narrative, a paragraph for each text that there is; None for none."""
    return narrative_of_parts((None, one) for one in paragraphs)


def narrative_of_parts(parts: Iterable[tuple[str | None, str | None]]) -> Json | None:
    """A generated narrative of texts with the heading of each, which may be None."""
    inside = ""
    for heading, said in parts:
        told = text(said)
        if told is None:
            continue
        named = text(heading)
        before = "" if named is None else f"<b>{escape(named, quote=False)}</b><br/>"
        inside += f"<p>{before}{escape(told, quote=False).replace(chr(10), '<br/>')}</p>"
    if not inside:
        return None
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>',
    }


# Days and moments ---------------------------------------------------------------------------------


def day(value: date | None) -> str | None:
    """A day: "2026-11-23"."""
    return None if value is None else value.isoformat()


def instant(value: datetime | None) -> str | None:
    """An aware moment in UTC: "2026-11-23T09:30:00Z". Fractions of a second are kept."""
    return None if value is None else value.astimezone(UTC).isoformat()[:-6] + "Z"


def period(start: date | None, end: date | None) -> Json | None:
    """From–until, both days included; None where neither is known.

    R4 forbids a period that ends before it starts. Of such a one the end is told alone, since a
    period without an end would go on for ever.
    """
    if end is None:
        return None if start is None else {"start": start.isoformat()}
    if start is None or end < start:
        return {"end": end.isoformat()}
    return {"start": start.isoformat(), "end": end.isoformat()}


# References, codes, extensions --------------------------------------------------------------------


def reference(kind: str, one: str | None, words: str | None = None) -> Json | None:
    """A reference to a resource of Panel's, "Type/id", or in words alone; None for neither."""
    found = text(words)
    if one is None:
        return None if found is None else {"display": found}
    if found is None:
        return {"reference": f"{kind}/{one}"}
    return {"reference": f"{kind}/{one}", "display": found}


def references(kind: str, ones: Iterable[str]) -> list[Json]:
    """References to several of one type."""
    return [{"reference": f"{kind}/{one}"} for one in ones]


def coding(system: str, code: str, words: str | None = None) -> Json:
    """A code of a system, with the words that the system has for it where they are known."""
    found = text(words)
    if found is None:
        return {"system": system, "code": code}
    return {"system": system, "code": code, "display": found}


def concept(*codings: Json, words: str | None = None) -> Json | None:
    """A CodeableConcept of codes and of what was said; None for neither."""
    found = text(words)
    if found is None:
        return {"coding": list(codings)} if codings else None
    return {"coding": list(codings), "text": found} if codings else {"text": found}


def own_concept(system: str, code: str | None, words: str | None = None) -> Json | None:
    """A concept of one of Panel's codes; what cannot be a code is told as text alone."""
    if code is not None and is_code(code):
        return concept(coding(system, code), words=words)
    return concept(words=words or code)


def told_or_absent(words: str | None) -> Json:
    """A concept that R4 requires: in words, or with the reason for its absence."""
    return concept(words=words) or {"extension": [absent()]}


def absent() -> Json:
    """The extension that says that a required value is not known."""
    return {"url": systems.ABSENT_REASON, "valueCode": "unknown"}


def extension(url: str, kind: str, value: object) -> list[Json]:
    """One extension, `kind` as in "Date" for valueDate; none where there is no value."""
    if value is None or value == "":
        return []
    return [{"url": url, f"value{kind}": value}]


def annotation(said: str | None, time: str | None = None) -> list[Json]:
    """A note, with its day; none where nothing was said."""
    found = text(said)
    return [] if found is None else [present({"time": time, "text": found})]


def telecom(
    phone: str | None = None, email: str | None = None, url: str | None = None
) -> list[Json]:
    """Ways to reach somebody."""
    ways = (("phone", text(phone)), ("email", text(email)), ("url", text(url)))
    return [{"system": system, "value": value} for system, value in ways if value]


# The head of a resource ---------------------------------------------------------------------------


def resource(kind: str, message: Message, elements: Json, *, profiled: bool = True) -> Json:
    """A resource of this FHIR type: its id, its meta, and those of the elements that there are.

    `profiled`: UK Core has a profile of the type, which is named after it.
    """
    meta: Json = {}
    if message.changed_at is not None:
        meta["lastUpdated"] = instant(message.changed_at)
    if profiled:
        meta["profile"] = [systems.uk_core(f"UKCore-{kind}")]
    meta["security"] = _security(
        restricted=message.restricted, parts_withheld=message.parts_withheld
    )
    head: Json = {"resourceType": kind, "id": message.id, "meta": meta}
    for name, value in elements.items():
        if value or value == 0:
            head[name] = value
    return head


def _security(*, restricted: bool, parts_withheld: bool) -> list[Json]:
    level = ("R", "restricted") if restricted else ("N", "normal")
    labels = [coding(systems.CONFIDENTIALITY, *level)]
    if parts_withheld:
        labels.append(coding(systems.OBSERVATION_VALUE, "REDACTED", "redacted"))
    return labels
