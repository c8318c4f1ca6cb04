"""What one of the family reads of a plan is compared with, by the rules of notes (adr/0016)."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from sqlalchemy import text

from consent import Category
from panel.panels.note_context import Gathered, gather_for_plan
from panel.panels.note_marks import (
    Mark,
    MarkKind,
    NoteContext,
    marks,
    without_addresses,
    without_names,
)
from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant
from panel.records.family_words import FoundWords

_WHY = {
    MarkKind.PROTECTED: (
        "It could tell where the child is, which is protected from somebody who reads this plan."
    ),
    MarkKind.NHS_NUMBER: "It looks like an NHS number.",
    MarkKind.EMAIL: "It looks like an e-mail address.",
    MarkKind.ADDRESS: "It looks like an address.",
    MarkKind.PHONE: (
        "It looks like a telephone number, and it is not the recorded number of anybody who works"
        " with the child."
    ),
    MarkKind.THIRD_PARTY: (
        "It may be another child, or somebody who neither reads this plan nor works with the child."
    ),
}
_PROTECTED = "It is protected from somebody who reads this plan. It is never shown to them."
_NO_ADDRESS = (
    "It looks like an address, or a way to reach somebody. You cannot see where this family lives,"
    " so you cannot say that it may be read."
)
_HARD_WORDS = MarkKind.JARGON
"""Hard to read is not about somebody else."""


class PlanComparing:
    """The words of one child's plan, against what was gathered of the child."""

    def __init__(self, gathered: Gathered) -> None:
        """Args: what was gathered."""
        self._gathered = gathered
        self._readers = frozenset(
            person
            for person, decisions in gathered.shown.items()
            if decisions and decisions[Category.PLAN].permitted
        )
        """Those of the family who may read the plan: their names may stand in it."""
        self._contexts: dict[frozenset[UUID], NoteContext] = {}

    def kept_from(self, words: str, reader: UUID) -> tuple[FoundWords, ...]:
        """As `Comparing`; from who is not known to be of the family all of it is kept."""
        if not self._gathered.shown.get(reader):
            return (FoundWords(words, _WHY[MarkKind.THIRD_PARTY], ("", words), may_be_read=False),)
        return _found(self._marks(words, frozenset({reader})))

    def kept_from_any(self, words: str, *, knows_addresses: bool) -> tuple[FoundWords, ...]:
        """As `Comparing`."""
        found = self._marks(words, self._readers)
        return _found(found if knows_addresses else map(without_addresses, found))

    def _marks(self, words: str, readers: frozenset[UUID]) -> tuple[Mark, ...]:
        found = map(without_names, marks(words, self._context(readers)))
        return tuple(one for one in found if one.kind is not _HARD_WORDS)

    def _context(self, readers: frozenset[UUID]) -> NoteContext:
        known = self._contexts.get(readers)
        if known is None:
            # For everybody as for a writer who knows no other child, so that what is held back is
            # the same for who reads it and for who is told of it.
            found = self._gathered.context(self._readers, kept_from=readers)
            known = self._contexts[readers] = replace(found, asked_blind=True)
        return known


def _found(marked: Iterable[Mark]) -> tuple[FoundWords, ...]:
    by_key = {mark.key: mark for mark in marked}
    return tuple(
        FoundWords(mark.words, _why(mark), key, mark.may_be_kept) for key, mark in by_key.items()
    )


def _why(mark: Mark) -> str:
    if mark.may_be_kept:
        return _WHY[mark.kind]
    return _PROTECTED if mark.kind is MarkKind.PROTECTED else _NO_ADDRESS


class FamilyMarks:
    """Panels' answer to what a family's words are compared with."""

    def __init__(self, tenant: Tenant) -> None:
        """Args: the authority."""
        self._tenant = tenant

    async def around(self, child_id: UUID, viewer_id: UUID) -> PlanComparing:
        """As `FamilyWords`."""
        async with self._tenant.transaction(viewer_id) as session:
            reached = await session.scalar(
                text(
                    "SELECT true FROM child_access WHERE child_id = :child AND viewer_id = :viewer"
                    " AND valid_from <= :now AND valid_until >= :now"
                ),
                {"child": child_id, "viewer": viewer_id, "now": session.info[NOW]},
            )
        gathered = await gather_for_plan(self._tenant, child_id) if reached else Gathered()
        return PlanComparing(gathered)
