"""What was judged of a record, kept while neither its facts nor time can have changed it.

`consent` is pure: the same question and facts give the same answer, so an answer may be kept
beside the very facts that it was given from. Facts are read anew each time; only the judging is
spared. A page of 25 children spends a third of its time in it (bench/).
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import msgspec

from consent import (
    Category,
    Decision,
    Purpose,
    Standpoint,
    State,
    Viewer,
    decide_from,
    recorded,
    stand,
    unchanged_until,
)
from panel.platform.remembered import Remembered

MOST = 10_000
"""Judgements kept at once in a process, and people who ask."""

LAW = "law"
"""Beside the categories in an access event: a basis → its law. No category has that name."""

_Asked = tuple[Category, UUID | None, UUID | None]


@dataclass(slots=True)
class Judgement:
    """How one viewer stands to one record for one purpose, and what was decided from there."""

    purpose: Purpose
    standpoint: Standpoint
    _decided: dict[_Asked, Decision] = field(default_factory=dict)
    _logged: dict[frozenset[Category], msgspec.Raw] = field(default_factory=dict)
    _marks: dict[frozenset[Category], bytes] = field(default_factory=dict)

    def decision(
        self,
        category: Category,
        author_agency: UUID | None = None,
        author_person: UUID | None = None,
    ) -> Decision:
        """The decision for a category, or for one entry in it when its author is given."""
        asked = (category, author_agency, author_person)
        decided = self._decided.get(asked)
        if decided is None:
            decided = self._decided[asked] = decide_from(self.standpoint, *asked)
        return decided

    def logged(self, about: frozenset[Category]) -> msgspec.Raw:
        """Category → the basis, or "withheld: " and why, as the access history keeps it (JSON).

        `law` beside them says under what law what was permitted is used (`consent.recorded`).
        """
        words = self._logged.get(about)
        if words is None:
            words = self._logged[about] = msgspec.Raw(msgspec.json.encode(self._words(about)))
        return words

    def mark(self, about: frozenset[Category]) -> bytes:
        """The same mark, the same decisions, to their reasons and silences."""
        mark = self._marks.get(about)
        if mark is None:
            decisions = [self.decision(category) for category in sorted(about)]
            mark = self._marks[about] = sha256(repr(decisions).encode()).digest()
        return mark

    def _words(self, about: Iterable[Category]) -> dict[str, str | dict[str, str]]:
        # In one order, so that the same decisions are written down in the same words.
        decisions = {category: self.decision(category) for category in sorted(about)}
        words: dict[str, str | dict[str, str]] = {
            category: one.basis if one.permitted else f"withheld: {one.basis}"
            for category, one in decisions.items()
        }
        at = self.standpoint
        law = recorded(decisions, at.viewer, at.purpose, at.day, at.arrangements)
        return {**words, LAW: law} if law else words


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks and why, with a number of its own: a list's lines need not compare them again."""

    number: int
    viewer: Viewer
    purposes: tuple[Purpose, ...]
    _kept: Remembered[Judgement]

    def judged(self, at: datetime, facts: Hashable, state: Callable[[], State]) -> Judgement:
        """The judgement for these facts at a moment; `state` is read only where none is kept.

        Of several purposes it is for the first that a tie of the viewer's carries.
        """
        key = (self.number, facts)
        kept = self._kept.get(key, at)
        if kept is not None:
            return kept
        read = state()
        judgement = Judgement(*_standpoint(self.viewer, self.purposes, at, read))
        return self._kept.keep(key, judgement, at, unchanged_until(read, at))


class Judgements:
    """The judgements of one authority's gate, the least recently asked forgotten first."""

    def __init__(self) -> None:
        self._askers: dict[tuple[Viewer, tuple[Purpose, ...]], Asker] = {}
        self._kept: Remembered[Judgement] = Remembered(MOST)

    def asker(self, viewer: Viewer, purposes: Sequence[Purpose]) -> Asker:
        """Somebody who asks for purposes; everybody is forgotten once there were too many."""
        who = (viewer, tuple(purposes))
        known = self._askers.get(who)
        if known is None:
            if len(self._askers) >= MOST:
                self._askers.clear()
                self._kept.forget()
            known = self._askers[who] = Asker(len(self._askers), *who, self._kept)
        return known


def _standpoint(
    viewer: Viewer, purposes: Sequence[Purpose], at: datetime, state: State
) -> tuple[Purpose, Standpoint]:
    for purpose in purposes:
        standpoint = stand(viewer, purpose, at, state)
        if standpoint.ties:
            return purpose, standpoint
    return purposes[0], stand(viewer, purposes[0], at, state)
