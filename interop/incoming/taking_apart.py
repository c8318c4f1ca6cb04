"""From bytes to pieces: taken apart, checked once, and read as messages."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from interop.incoming import agencies, care, forms, meetings, people, plans, sharing
from interop.incoming.checks import Walk
from interop.incoming.envelope import Broken, Envelope, Part, opened, value_of
from interop.incoming.reader import Reader, read_with
from interop.incoming.received import (
    Identifier,
    Limits,
    Piece,
    Problem,
    Received,
    Subject,
)
from interop.incoming.spoken import Lacking, NotPanels, Spoken, kept
from interop.incoming.validity import R4_ONLY, is_r4_type, validated
from interop.nhs_number import is_possible
from interop.systems import NHS_NUMBER

READERS: Final[Mapping[str, Reader]] = (
    people.READERS
    | agencies.READERS
    | care.READERS
    | forms.READERS
    | plans.READERS
    | meetings.READERS
    | sharing.READERS
)
"""By FHIR type."""

_LIMITS: Final = Limits()
_SUBJECTS: Final = ("subject", "patient", "for", "individual", "beneficiary")
OUR_FAULT: Final = "Panel failed to read this. Tell whoever keeps Panel, and send it again later."
_NO_PLACE: Final = "Panel has no place for this type."


def read(body: bytes, limits: Limits = _LIMITS) -> Received:
    """Everything that a body holds, as `Piece`s in their order. Never raises."""
    try:
        envelope = opened(body, limits)
    except Broken as broken:
        return Received(kind="broken", broken=Problem("", str(broken)))
    values = [_value(part) for part in envelope.parts]
    kinds = _kinds(envelope, values)
    pieces = tuple(
        _guarded(part, value, kinds) for part, value in zip(envelope.parts, values, strict=True)
    )
    return Received(kind=envelope.kind, pieces=pieces, remarks=envelope.remarks)


def _value(part: Part) -> dict[str, Any] | str:
    """The values of one part, or why there are none."""
    if part.broken is not None:
        return part.broken
    try:
        return value_of(part.raw)
    except Broken as broken:
        return str(broken)


def _kinds(envelope: Envelope, values: list[dict[str, Any] | str]) -> dict[str, str]:
    """The type of what stands at each full URL: a `urn:uuid:` does not say it itself."""
    return {
        part.full_url: value["resourceType"]
        for part, value in zip(envelope.parts, values, strict=True)
        if part.full_url and isinstance(value, dict) and isinstance(value.get("resourceType"), str)
    }


def _guarded(part: Part, value: dict[str, Any] | str, kinds: Mapping[str, str]) -> Piece:
    """One piece; a fault of ours quarantines it, and stops none of the others."""
    try:
        return _piece(part, value, kinds)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        problem = Problem(part.path, OUR_FAULT)
        return Piece(
            type="",
            path=part.path,
            raw=part.raw,
            full_url=part.full_url,
            request=part.request,
            problems=(problem,),
        )


def _piece(part: Part, value: dict[str, Any] | str, kinds: Mapping[str, str]) -> Piece:
    bare = Piece(
        type="", path=part.path, raw=part.raw, full_url=part.full_url, request=part.request
    )
    if isinstance(value, str):
        return replace(bare, problems=(Problem(part.path, value),))
    if not part.is_resource:
        return replace(bare, set_aside="This entry holds no resource.")
    named = value.get("resourceType")
    if not isinstance(named, str) or not named:
        problem = Problem(part.path, "A resource says of what type it is (resourceType).")
        return replace(bare, problems=(problem,))
    path = part.path or (named if named.isalnum() and len(named) < 65 else "")
    if not is_r4_type(named):
        problem = Problem(path, "FHIR R4 has no resource of this type.")
        return replace(bare, path=path, problems=(problem,))
    return _of_type(replace(bare, type=named, path=path), value, kinds)


def _of_type(bare: Piece, value: dict[str, Any], kinds: Mapping[str, str]) -> Piece:
    found = replace(
        bare,
        id=_text(value.get("id")),
        identifiers=tuple(_identifiers(value.get("identifier"))),
        subject=_subject(value),
    )
    if bare.type in R4_ONLY:
        return replace(found, set_aside=_NO_PLACE)
    walk = Walk(value, bare.path)
    problems, tolerated = validated(value, bare.type, bare.path)
    told = {problem.path for problem in walk.problems + walk.remarks}
    problems = walk.problems + [each for each in problems if each.path not in told]
    found = replace(found, remarks=tuple(walk.remarks + tolerated))
    if problems:
        return replace(found, problems=tuple(problems))
    return _read(found, value, kinds)


def _read(found: Piece, value: dict[str, Any], kinds: Mapping[str, str]) -> Piece:
    reader = READERS.get(found.type)
    if reader is None:
        return replace(found, set_aside=_NO_PLACE)
    spoken = Spoken(value, kinds)
    try:
        mapped = read_with(reader, spoken)
    except NotPanels as other:
        return replace(found, set_aside=str(other))
    except Lacking as lacking:
        problem = Problem(found.path + lacking.at, lacking.reason)
        return replace(found, problems=(problem,))
    return replace(
        found,
        message=mapped.message,
        present=mapped.present,
        kept=kept(spoken),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _identifiers(given: object) -> Iterator[Identifier]:
    """Those that have both a system and a value: half of one identifies nothing."""
    for each in given if isinstance(given, list) else [given]:
        if not isinstance(each, dict):
            continue
        system, value = each.get("system"), each.get("value")
        if isinstance(system, str) and isinstance(value, str):
            yield Identifier(system, value)


def _subject(value: dict[str, Any]) -> Subject | None:
    """Whom a resource is about: a Patient itself, a contained one, or the one referred to."""
    if value.get("resourceType") == "Patient":
        return _told_of(value, None)
    about = next((value[name] for name in _SUBJECTS if isinstance(value.get(name), dict)), None)
    if about is None:
        return None
    reference = _text(about.get("reference"))
    if reference is not None and reference.startswith("#"):
        contained = value.get("contained")
        for each in contained if isinstance(contained, list) else []:
            if isinstance(each, dict) and each.get("id") == reference[1:]:
                return _told_of(each, reference)
    return _told_of(about, reference)


def _told_of(patient: dict[str, Any], reference: str | None) -> Subject:
    identifiers = tuple(_identifiers(patient.get("identifier")))
    number = next((each.value for each in identifiers if each.system == NHS_NUMBER), "")
    number = number.replace(" ", "")
    verified = False
    if isinstance(patient.get("identifier"), list) and is_possible(number):
        verified = people.is_number_verified(Spoken(patient))
    return Subject(
        reference=reference,
        nhs_number=number if is_possible(number) else None,
        nhs_number_verified=verified,
        identifiers=identifiers,
    )
