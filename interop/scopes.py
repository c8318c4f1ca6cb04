"""SMART scopes of systems: what a client may do with resources of which type.

One scope is of no resource: `system/releases.r` reads published figures. `system/*` is not that: it
is about records, and whoever was let see records was not asked about figures.

Pure. Read in both grammars, the letters of version 2 (`system/CarePlan.rs`) and the words of
version 1 (`system/CarePlan.read`), and always written in that of version 2. A scope is a cap:
whatever it lets through, consent decides as well. Source: SMART App Launch 2.2, "Scopes".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

LETTERS = "cruds"
"""Create, read (with versions), update, delete, search (with history of a type), in this order."""
EVERY = "*"
"""Resources of every type."""
RELEASES = "releases"
"""Published figures: of no type of FHIR, and read alone."""
MOST_SCOPES = 100
LONGEST = 4_000
"""Characters of a list of scopes."""
TYPES = (
    "Appointment",
    "AuditEvent",
    "Bundle",
    "CarePlan",
    "CareTeam",
    "Communication",
    "Composition",
    "Condition",
    "Consent",
    "DocumentReference",
    "Encounter",
    "EpisodeOfCare",
    "Flag",
    "Goal",
    "Group",
    "HealthcareService",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "ServiceRequest",
    "Subscription",
    "Task",
)
"""Types that are exchanged: a scope of another could only be a slip of the pen."""

_SCOPE = re.compile(
    r"system/(\*|releases|[A-Z][A-Za-z]{1,63})\.(\*|read|write|c?r?u?d?s?)", re.ASCII
)
_WORDS = {"read": "rs", "write": "cud", "*": LETTERS}


@dataclass(frozen=True, slots=True)
class Scopes:
    """What may be done, by type; of `EVERY` type what is given there besides."""

    by_type: Mapping[str, frozenset[str]]

    def permits(self, kind: str, letter: str) -> bool:
        """Whether this may be done (one of `LETTERS`) with resources of a type."""
        return letter in self.letters(kind)

    def letters(self, kind: str) -> frozenset[str]:
        """All that may be done with resources of a type."""
        nothing: frozenset[str] = frozenset()
        of_every = nothing if kind == RELEASES else self.by_type.get(EVERY, nothing)
        return self.by_type.get(kind, nothing) | of_every

    def within(self, cap: "Scopes") -> "Scopes":
        """What both let through."""
        kinds = self.by_type.keys() | cap.by_type.keys()
        return _scopes((kind, self.letters(kind) & cap.letters(kind)) for kind in kinds)

    def listed(self) -> Sequence[str]:
        """Each as SMART 2 writes it, in a fixed order, none that another covers."""
        return [
            f"system/{kind}.{''.join(one for one in LETTERS if one in letters)}"
            for kind, letters in sorted(self.by_type.items())
        ]

    def __bool__(self) -> bool:
        """Whether anything may be done at all."""
        return bool(self.by_type)


def _scopes(given: Iterable[tuple[str, frozenset[str]]]) -> Scopes:
    by_type: dict[str, frozenset[str]] = {}
    for kind, letters in given:
        by_type[kind] = by_type.get(kind, frozenset()) | letters
    of_every = by_type.get(EVERY, frozenset())
    return Scopes(
        {
            kind: letters
            for kind, letters in by_type.items()
            if letters and (kind in (EVERY, RELEASES) or not letters <= of_every)
        }
    )


def _read_one(text: str) -> tuple[str, frozenset[str]] | None:
    found = _SCOPE.fullmatch(text)
    if found is None or not found[2] or (found[1] == RELEASES and found[2] != "r"):
        return None
    return found[1], frozenset(_WORDS.get(found[2], found[2]))


def read_scopes(texts: Iterable[str]) -> Scopes:
    """What these scopes let through together; one that is no scope of a system gives nothing."""
    return _scopes(one for one in map(_read_one, texts) if one is not None)


def asked_for(text: str) -> Scopes:
    """The scopes of a token request, which stand in one line; nothing where it is too long."""
    if len(text) > LONGEST:
        return Scopes({})
    return read_scopes(text.split(" ")[:MOST_SCOPES])


def wrong_scopes(texts: Sequence[str]) -> list[str]:
    """What is wrong with scopes that somebody registers; each a sentence."""
    if not texts:
        return ["Enter one scope or more, for example system/CarePlan.rs"]
    wrong = []
    for text in texts[:MOST_SCOPES]:
        read = _read_one(text)
        if read is None:
            wrong.append(f"“{text[:80]}” is no scope of a system. Write it as system/CarePlan.rs")
        elif read[0] not in (EVERY, RELEASES, *TYPES):
            wrong.append(f"“{read[0]}” is no type that is exchanged. Check how it is written")
    if len(texts) > MOST_SCOPES:
        wrong.append(f"Enter at most {MOST_SCOPES} scopes")
    return wrong
