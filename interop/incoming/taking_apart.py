"""From bytes to pieces: taken apart, checked once, and read as messages."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from interop.incoming import agencies, care, forms, meetings, people, plans, sharing
from interop.incoming.checks import Walk
from interop.incoming.envelope import Broken, Part, opened, value_of
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
_FAULTS: Final = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
_NO_PLACE: Final = "Panel has no place for this type."


def read(body: bytes, limits: Limits = _LIMITS) -> Received:
    """Everything that a body holds, as `Piece`s in their order. Never raises."""
    try:
        envelope = opened(body, limits)
    except Broken as broken:
        return Received(kind="broken", broken=Problem("", str(broken)))
    works = [_Work(part) for part in envelope.parts]
    # Step by step for all, not piece by piece: a tenth faster, as each step's code stays at hand.
    for step in (_values, _type, _about, _walk, _validate):
        _each(step, works)
    kinds = _kinds(works)
    _each(lambda work: _message(work, kinds), works)
    return Received(
        kind=envelope.kind,
        pieces=tuple(work.piece() for work in works),
        remarks=envelope.remarks,
    )


class _Work:
    """A piece being made."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.path = part.path
        self.type = ""
        self.value: dict[str, Any] = {}
        self.is_done = False
        self.is_plain = False
        self.problems: tuple[Problem, ...] = ()
        self.remarks: tuple[Problem, ...] = ()
        self.set_aside: str | None = None
        self.about: dict[str, Any] = {}
        self.said: dict[str, Any] = {}

    def quarantine(self, *problems: Problem) -> None:
        """Nothing more is done with it until somebody has looked."""
        self.problems = problems
        self.is_done = True

    def put_aside(self, reason: str) -> None:
        """It is kept as it came."""
        self.set_aside = reason
        self.is_done = True

    def piece(self) -> Piece:
        """What became of it."""
        return Piece(
            type=self.type,
            path=self.path,
            raw=self.part.raw,
            value=self.value if self.part.is_resource else {},
            around=self.part.around,
            full_url=self.part.full_url,
            request=self.part.request,
            problems=self.problems,
            remarks=self.remarks,
            set_aside=self.set_aside,
            **self.about,
            **self.said,
        )


def _each(step: Callable[[_Work], None], works: list[_Work]) -> None:
    """One step for all that are not done; a fault of ours quarantines one and stops no other."""
    for work in works:
        if work.is_done:
            continue
        try:
            step(work)
        except _FAULTS:
            work.quarantine(Problem(work.path, OUR_FAULT))


def _values(work: _Work) -> None:
    if work.part.broken is not None:
        work.quarantine(Problem(work.path, work.part.broken))
        return
    try:
        work.value = value_of(work.part.raw)
    except Broken as broken:
        work.quarantine(Problem(work.path, str(broken)))
        return
    if not work.part.is_resource:
        work.put_aside("This entry holds no resource.")


def _type(work: _Work) -> None:
    named = work.value.get("resourceType")
    if not isinstance(named, str) or not named:
        reason = "A resource says of what type it is (resourceType)."
        work.quarantine(Problem(work.path, reason))
    elif not is_r4_type(named):
        work.quarantine(Problem(work.path, "FHIR R4 has no resource of this type."))
    else:
        work.type = named
        work.path = work.path or named


def _about(work: _Work) -> None:
    work.about = {
        "id": _text(work.value.get("id")),
        "identifiers": tuple(_identifiers(work.value.get("identifier"))),
        "subject": _subject(work.value),
    }
    if work.type in R4_ONLY:
        work.put_aside(_NO_PLACE)


def _walk(work: _Work) -> None:
    walk = Walk(work.value, work.path)
    work.problems, work.remarks = tuple(walk.problems), tuple(walk.remarks)
    work.is_plain = walk.is_plain


def _validate(work: _Work) -> None:
    if work.is_plain:
        return
    problems, tolerated = validated(work.value, work.type, work.path)
    told = {problem.path for problem in work.problems + work.remarks}
    work.remarks = (*work.remarks, *(each for each in tolerated if each.path not in told))
    problems = [*work.problems, *(each for each in problems if each.path not in told)]
    if problems:
        work.quarantine(*problems)


def _kinds(works: list[_Work]) -> Mapping[str, str]:
    """The type of what stands at each full URL: a `urn:uuid:` does not say it itself."""
    return {work.part.full_url: work.type for work in works if work.part.full_url and work.type}


def _message(work: _Work, kinds: Mapping[str, str]) -> None:
    reader = READERS.get(work.type)
    if reader is None:
        work.put_aside(_NO_PLACE)
        return
    spoken = Spoken(work.value, kinds)
    try:
        mapped = read_with(reader, spoken)
    except NotPanels as other:
        work.put_aside(str(other))
    except Lacking as lacking:
        work.quarantine(Problem(work.path + lacking.at, lacking.reason))
    else:
        work.said = {
            "message": mapped.message,
            "present": mapped.present,
            "kept": kept(spoken),
        }


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
