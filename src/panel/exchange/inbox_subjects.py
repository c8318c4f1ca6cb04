"""Whom each piece of what was received is about, as far as it says so itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote
from uuid import UUID

from interop.incoming.received import Piece, Subject
from interop.messages import Child
from interop.nhs_number import is_possible
from interop.systems import NHS_NUMBER

OF_NO_CHILD = frozenset({
    "MessageHeader", "Organization", "Practitioner", "PractitionerRole", "Location",
    "HealthcareService", "Questionnaire", "Endpoint", "Medication", "Device",
})  # fmt: skip
"""Types that speak of no child; within what is about one child alone they belong to that child."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A child whom something is about, by all that it says of who that is."""

    own_id: UUID | None = None
    """The id of our Patient."""
    nhs_number: str | None = None
    """Ten digits that fit each other."""
    verified: bool = False
    child: Child | None = None
    """What the Patient that came with it says."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Who is meant, and by which pieces."""

    meant: tuple[Meant, ...]
    about: Mapping[str, int]
    """By a piece's path: the number of the one whom it is about; absent for nobody."""
    names: Mapping[str, int]
    """By what they are referred to: "urn:uuid:…", "Patient/1", "Patient?identifier=…"."""


@dataclass(slots=True)
class _Known:
    meant: list[Meant] = field(default_factory=list)
    by_reference: dict[str, int] = field(default_factory=dict)
    by_number: dict[str, int] = field(default_factory=dict)

    def add(self, meant: Meant, names: Iterable[str] = ()) -> int:
        """The number of whoever is meant; the same for the same NHS number."""
        number = self.by_number.get(meant.nhs_number or "")
        if number is None:
            number = len(self.meant)
            self.meant.append(meant)
            if meant.nhs_number:
                self.by_number[meant.nhs_number] = number
        for name in names:
            self.by_reference[name] = number
        return number


def subjects_of(pieces: Sequence[Piece], *, put: bool = False) -> Subjects:
    """Whom the pieces are about. What names nobody, among what is about one, is about that one.

    `put` says of a resource that came alone that it was sent to the address of one of ours.
    """
    known = _Known()
    about: dict[str, int] = {}
    for piece in pieces:
        if piece.type == "Patient":
            about[piece.path] = known.add(_patient(piece, put=put), _names(piece))
    for piece in pieces:
        if piece.type == "Patient" or piece.subject is None:
            continue
        number = _of_subject(piece.subject, known)
        if number is not None:
            about[piece.path] = number
    if len(known.meant) == 1:
        for piece in pieces:
            if piece.subject is None or piece.type in OF_NO_CHILD:
                about.setdefault(piece.path, 0)
    return Subjects(tuple(known.meant), about, known.by_reference)


def _patient(piece: Piece, *, put: bool) -> Meant:
    child = piece.message if isinstance(piece.message, Child) else None
    is_ours = put if piece.request is None else piece.request.method == "PUT"
    number = None if child is None else _number(child.nhs_number)
    return Meant(
        own_id=uuid_of(piece.id) if is_ours else None,
        nhs_number=number,
        verified=child is not None and number is not None and child.nhs_number_verified,
        child=child,
    )


def _names(piece: Piece) -> list[str]:
    names = [piece.full_url] if piece.full_url else []
    return [*names, f"Patient/{piece.id}"] if piece.id else names


def _of_subject(subject: Subject, known: _Known) -> int | None:
    reference = subject.reference
    if reference in known.by_reference:
        return known.by_reference[reference]
    own = None if reference is None else uuid_of(reference.removeprefix("Patient/"))
    asked = _asked_for(reference)
    number = asked or _number(subject.nhs_number)
    if reference is None and not subject.identifiers:
        return None
    meant = Meant(
        own_id=own,
        nhs_number=number,
        verified=asked is not None or (number is not None and subject.nhs_number_verified),
    )
    return known.add(meant, [reference] if reference else [])


_BY_NUMBER = f"Patient?identifier={NHS_NUMBER}|"


def _asked_for(reference: str | None) -> str | None:
    """The NHS number of a reference that asks for our Patient by it: that is ours, and no claim."""
    text = unquote(reference or "")
    return _number(text.removeprefix(_BY_NUMBER)) if text.startswith(_BY_NUMBER) else None


def _number(given: str | None) -> str | None:
    return given if given is not None and is_possible(given) else None


def uuid_of(text: str | None) -> UUID | None:
    """An id of ours; None for anything else."""
    try:
        found = UUID(text or "")
    except ValueError:
        return None
    return found if str(found) == text else None
