"""What became of a file that was brought in: child by child, type by type, and what is wrong."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from interop.incoming import Problem

Outcome = Literal["brought", "here_already", "not_brought"]


class ChildTold(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one child of the file."""

    path: str
    """Where the Patient stands in the file."""
    outcome: Outcome
    reference: str | None = None
    """The child's reference here, of one who is."""
    why: str = ""


class ImportedRecords(msgspec.Struct, kw_only=True):
    """The whole report. Counts are by FHIR type, of unmapped elements by "Type.element"."""

    children: list[ChildTold] = msgspec.field(default_factory=list)
    brought: dict[str, int] = msgspec.field(default_factory=dict)
    made: dict[str, int] = msgspec.field(default_factory=dict)
    """Agencies, workers, services and panels that were not here, by type."""
    left: dict[str, int] = msgspec.field(default_factory=dict)
    unmapped: dict[str, int] = msgspec.field(default_factory=dict)
    problems: list[Problem] = msgspec.field(default_factory=list)

    def ended(self, outcome: Outcome) -> int:
        """How many children ended so."""
        return sum(one.outcome == outcome for one in self.children)


@dataclass(slots=True)
class Tally:
    """What is counted while one child is brought in; it counts only where all of it was."""

    brought: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Count another tally too."""
        self.brought += other.brought
        self.made += other.made
        self.left += other.left
        self.unmapped += other.unmapped
        self.problems += other.problems

    def report(self, children: Iterable[ChildTold]) -> ImportedRecords:
        """As it is told."""
        return ImportedRecords(
            children=list(children),
            brought=_in_order(self.brought),
            made=_in_order(self.made),
            left=_in_order(self.left),
            unmapped=_in_order(self.unmapped),
            problems=self.problems,
        )


def _in_order(counted: Counter[str]) -> dict[str, int]:
    return dict(sorted(counted.items()))


_STAYS = (
    "Restrictions, court orders, objections and how to reach somebody safely do not come along:"
    " record them here before anybody of the family is invited."
)
_OUTCOMES: dict[Outcome, str] = {
    "brought": "brought in as {reference}",
    "here_already": "here already as {reference}; left alone",
    "not_brought": "not brought in",
}


def lines_of(report: ImportedRecords) -> Iterable[str]:
    """The report in plain lines; nothing in it tells who a child is but their reference here."""
    for one in report.children:
        told = _OUTCOMES[one.outcome].format(reference=one.reference)
        yield f"{one.path}: {told}.{f' {one.why}' if one.why else ''}"
    for problem in report.problems:
        yield f"{problem.path}: {problem.reason}"
    yield (
        f"{report.ended('brought')} children brought in, {report.ended('here_already')} here"
        f" already, {report.ended('not_brought')} not brought in."
    )
    if report.ended("brought"):
        yield _STAYS
    for words, counted in (
        ("Brought in", report.brought),
        ("Not here before", report.made),
        ("No place here", report.left),
        ("Elements without a place", report.unmapped),
    ):
        if counted:
            yield f"{words}: {', '.join(f'{name} {count}' for name, count in counted.items())}."
