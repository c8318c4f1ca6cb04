"""What another Panel exported, read: the children of a file, each with what is about them.

A Bundle or one resource, or NDJSON with a resource (or a Bundle) on each line. Nothing here knows
the database.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from interop.incoming import Piece, Problem, read
from interop.incoming.envelope import value_of
from interop.messages import Agency, Child, Message, OfChild, Service, Worker
from interop.origin import is_sent
from interop.systems import ORIGIN

Told_co = TypeVar("Told_co", bound=Message, covariant=True)
Wanted = TypeVar("Wanted", bound=Message)
_OF_A_SYSTEM = frozenset({"Task.lastModified"})
"""When a system wrote its own row, like what stands in `meta`: nothing about the child."""
_PARTS_WITHHELD = "Parts of this record were withheld from whoever exported it."
_TWICE = "It stands in this file twice and says different things. The first is taken."
_SAME_CHILD = "Two children in this file have this NHS number. Find out whose it is."


class UnreadableRecords(Exception):
    """The file holds nothing that could be taken apart; its text says why."""


@dataclass(frozen=True, slots=True)
class Found(Generic[Told_co]):
    """One resource as its message, and where it stood."""

    path: str
    id: str
    message: Told_co
    present: frozenset[str]


@dataclass(slots=True)
class ChildFound:
    """One child of the file and all that is about them."""

    patient: Found[Child]
    about: dict[str, list[Found[OfChild]]] = field(default_factory=dict)
    """By FHIR type, in the file's order."""
    why_not: str = ""
    """Why they cannot be brought in."""

    def of(self, kind: str, wanted: type[Wanted]) -> list[Found[Wanted]]:
        """What of a type is about them."""
        return [
            Found(one.path, one.id, one.message, one.present)
            for one in self.about.get(kind, ())
            if isinstance(one.message, wanted)
        ]


@dataclass(slots=True)
class RecordsFile:
    """All that one file holds."""

    children: list[ChildFound] = field(default_factory=list)
    agencies: dict[str, Agency] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    """Resources of which Panel keeps no such thing, by type."""
    unmapped: Counter[str] = field(default_factory=Counter)
    """Elements that no message holds: "Patient.maritalStatus"."""
    problems: list[Problem] = field(default_factory=list)


def read_file(body: bytes) -> RecordsFile:
    """The children of a file. Raises `UnreadableRecords` where nothing in it can be read."""
    found = RecordsFile()
    known: dict[tuple[str, str], Found[Message]] = {}
    for path, piece in _pieces(body, found.problems):
        _sort_in(found, known, path, piece)
    _gather(found, known)
    _refuse_doubles(found)
    return found


# Apart --------------------------------------------------------------------------------------------


def _pieces(body: bytes, problems: list[Problem]) -> Iterator[tuple[str, Piece]]:
    whole = read(body)
    if whole.broken is None:
        problems += whole.remarks
        yield from ((one.path, one) for one in whole.pieces)
        return
    lines = [
        (number, line) for number, line in enumerate(body.splitlines(), start=1) if line.strip()
    ]
    received = [(number, read(line)) for number, line in lines] if len(lines) > 1 else []
    if all(each.broken is not None for _, each in received):
        raise UnreadableRecords(whole.broken.reason)
    for number, each in received:
        at = f"line {number}"
        problems += [Problem(f"{at}: {one.path}", one.reason) for one in each.remarks]
        if each.broken is not None:
            problems.append(Problem(at, each.broken.reason))
        yield from ((f"{at}: {one.path}", one) for one in each.pieces)


def _sort_in(
    found: RecordsFile, known: dict[tuple[str, str], Found[Message]], path: str, piece: Piece
) -> None:
    at = path.removesuffix(piece.path)
    found.problems += [Problem(at + one.path, one.reason) for one in piece.problems]
    if _was_sent(piece):
        found.left[f"{piece.type} of another system"] += 1
        return
    if piece.message is None:
        if not piece.is_quarantined:
            found.left[piece.type or "entry"] += 1
        return
    kept = [f"{piece.type}.{_without_numbers(one)}" for one in piece.kept]
    found.unmapped.update(one for one in kept if one not in _OF_A_SYSTEM)
    name = piece.id or (piece.full_url or "").rpartition(":")[2]
    here = Found(path, name, piece.message, piece.present)
    if not name:
        found.problems.append(Problem(path, "It has no id, so nothing can refer to it."))
        return
    before = known.setdefault((piece.type, name), here)
    if before is not here and before.message != here.message:
        found.problems.append(Problem(path, _TWICE))


def _was_sent(piece: Piece) -> bool:
    """Whether another system sent it there: it is that system's own word, and nobody's here."""
    return ORIGIN.encode() in bytes(piece.raw) and is_sent(value_of(piece.raw))


def _without_numbers(path: str) -> str:
    return "".join(part.partition("]")[2] if n else part for n, part in enumerate(path.split("[")))


# Together -----------------------------------------------------------------------------------------


def _gather(found: RecordsFile, known: Mapping[tuple[str, str], Found[Message]]) -> None:
    children: dict[str, ChildFound] = {}
    for (kind, name), one in known.items():
        if kind == "Patient" and isinstance(one.message, Child):
            patient = Found(one.path, one.id, one.message, one.present)
            children[name] = ChildFound(patient)
            if one.message.parts_withheld:
                found.problems.append(Problem(one.path, _PARTS_WITHHELD))
    found.children = list(children.values())
    for (kind, name), one in known.items():
        message = one.message
        if isinstance(message, OfChild):
            _about(found, children, kind, Found(one.path, one.id, message, one.present))
        elif isinstance(message, Agency):
            found.agencies[name] = message
        elif isinstance(message, Service):
            found.services[name] = message
        elif isinstance(message, Worker):
            found.workers[message.id] = _one_worker(found.workers.get(message.id), message)
        elif kind != "Patient":
            found.left[kind] += 1


def _about(
    found: RecordsFile, children: Mapping[str, ChildFound], kind: str, one: Found[OfChild]
) -> None:
    child = children.get(one.message.child)
    if child is None:
        reason = "It is about a child who is not in this file."
        found.problems.append(Problem(one.path, reason))
    else:
        child.about.setdefault(kind, []).append(one)


def _one_worker(before: Worker | None, more: Worker) -> Worker:
    """A Practitioner and their PractitionerRole, whichever came first."""
    if before is None:
        return more
    return msgspec.structs.replace(
        before,
        name=before.name or more.name,
        agency=before.agency or more.agency,
        job_title=before.job_title or more.job_title,
        phone=before.phone or more.phone,
        email=before.email or more.email,
        from_on=before.from_on or more.from_on,
        until_on=before.until_on or more.until_on,
    )


def _refuse_doubles(found: RecordsFile) -> None:
    numbers = Counter(one.patient.message.nhs_number for one in found.children)
    for one in found.children:
        number = one.patient.message.nhs_number
        if number is not None and numbers[number] > 1:
            one.why_not = _SAME_CHILD
