"""Lines of a plan that the family does not read yet, and who said that they may read them.

A line is compared each time it is read (adr/0016), for whoever must have third parties redacted.
What is found holds the line back whole, until it says something else or the lead professional
says, with a reason, that the family may read it. What is protected from a reader never is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from consent import Category, Tie
from panel.accounts.service import worker_names
from panel.plans.models import Action, DesiredOutcome, FamilyClearance
from panel.plans.reading import ActionReading, OutcomeReading, PlanReading
from panel.platform.problems import Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.records.family_words import Comparing, FoundWords
from panel.records.gate import Access

_KEYS = msgspec.json.Decoder(frozenset[tuple[str, str]])


@dataclass(frozen=True, slots=True)
class FamilyLine:
    """A line of a plan as the family would read it, and what the line itself says."""

    id: UUID
    text: str
    words: str
    """All that it says to them."""
    version: int
    is_action: bool


@dataclass(frozen=True, slots=True)
class Clearance:
    """Who said when, and why, that the family may read a line."""

    marked: frozenset[tuple[str, str]]
    why: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LineForFamily:
    """A line with what holds it back, told to the lead professional."""

    line: FamilyLine
    found: tuple[FoundWords, ...]
    """Empty where the family reads it."""
    cleared: Clearance | None
    """Of these words; None where nobody had to say so."""


def lines_of(plan: PlanReading) -> tuple[FamilyLine, ...]:
    """What the family reads of a plan, line by line."""
    return (
        *(_of_outcome(one) for one in plan.outcomes),
        *(_of_action(one) for one in plan.actions),
    )


def _of_outcome(one: OutcomeReading) -> FamilyLine:
    return FamilyLine(one.id, one.text, one.text, one.version, is_action=False)


def _of_action(one: ActionReading) -> FamilyLine:
    # After "by" a name is a name: at the beginning of a sentence it may be any word.
    who = f"\nby {one.owner_words}" if one.owner_words else ""
    return FamilyLine(one.id, one.text, one.text + who, one.version, is_action=True)


async def clearances(access: Access) -> dict[str, Clearance]:
    """The newest word on each text of the child's plans, by the text.

    A line that is taken along to the next plan says the same, and may be read there too.
    """
    rows = list(
        await access.session.scalars(
            select(FamilyClearance)
            .where(FamilyClearance.child_id == access.child_id)
            .order_by(FamilyClearance.created_at, FamilyClearance.id)
        )
    )
    names = await worker_names(access.session, [row.created_by for row in rows])
    return {
        row.words: Clearance(
            _KEYS.decode(row.marked), row.why, names.get(row.created_by, ""), row.created_at
        )
        for row in rows
    }


def open_words(
    line: FamilyLine, found: tuple[FoundWords, ...], cleared: Mapping[str, Clearance]
) -> tuple[FoundWords, ...]:
    """What still holds a line back: what nobody has said of these very words may be read."""
    said = cleared.get(line.words)
    settled = frozenset() if said is None else said.marked
    return tuple(one for one in found if not one.may_be_read or one.key not in settled)


@dataclass(frozen=True, slots=True)
class ReadsHere:
    """What one of the family reads of words that others wrote about the child."""

    reader: UUID
    redacts: bool
    comparing: Comparing | None
    cleared: Mapping[str, Clearance]

    def reads(self, words: str) -> bool:
        """Whether these words are shown to them; what nothing can be compared with is not."""
        if not words or not self.redacts:
            return True
        if self.comparing is None:
            return False
        line = FamilyLine(self.reader, words, words, 0, is_action=False)
        return not open_words(line, self.comparing.kept_from(words, self.reader), self.cleared)


async def reads_here(access: Access, comparing: Comparing | None) -> ReadsHere:
    """How the viewer, one of the family, reads what others wrote in a plan."""
    redacts = access.must_redact(Category.PLAN)
    cleared = await clearances(access) if redacts and comparing is not None else {}
    return ReadsHere(access.viewer.id, redacts, comparing, cleared)


async def plan_for_family(
    access: Access, plan: PlanReading, comparing: Comparing | None
) -> tuple[PlanReading, frozenset[UUID]]:
    """A plan as one of the family reads it, and the lines whose words are held back from them.

    Nothing of those words is left in it, nor of what a family's page does not show. Where there is
    nothing to compare with, every line is held back.
    """
    lines = lines_of(plan)
    held = frozenset[UUID]()
    if access.must_redact(Category.PLAN):
        cleared = {} if comparing is None else await clearances(access)
        held = frozenset(
            line.id
            for line in lines
            if comparing is None
            or open_words(line, comparing.kept_from(line.words, access.viewer.id), cleared)
        )
    return (
        replace(
            plan,
            summary="",
            outcomes=tuple(_outcome_told(one, held) for one in plan.outcomes),
            actions=tuple(_action_told(one, held) for one in plan.actions),
        ),
        held,
    )


def _outcome_told(one: OutcomeReading, held: frozenset[UUID]) -> OutcomeReading:
    progress = tuple(replace(each, note="") for each in one.progress)
    words = "" if one.id in held else one.text
    return replace(one, text=words, measure="", progress=progress)


def _action_told(one: ActionReading, held: frozenset[UUID]) -> ActionReading:
    if one.id not in held:
        return replace(one, note="")
    owner = "" if one.owner_worker_id is None else one.owner
    return replace(one, text="", owner=owner, owner_words="", note="")


def lines_for_family(
    access: Access,
    plan: PlanReading,
    cleared: Mapping[str, Clearance],
    comparing: Comparing,
) -> dict[UUID, LineForFamily]:
    """The lines that hold something back, or did until somebody said that they may be read."""
    knows = access.may(Category.CONTACT)
    told = {}
    for line in lines_of(plan):
        found = comparing.kept_from_any(line.words, knows_addresses=knows)
        if found:
            still = open_words(line, found, cleared)
            told[line.id] = LineForFamily(line, still, None if still else cleared.get(line.words))
    return told


def may_clear(access: Access) -> bool:
    """Whether the viewer reads what is held back, and may say that the family reads it.

    The lead professional alone: what is marked can tell that something is protected, and from what.
    """
    return Tie.LEAD in access.ties


async def line_for_family(
    access: Access, plan: PlanReading, line_id: UUID, comparing: Comparing
) -> LineForFamily:
    """One line that is held back, or was. Raises NotFound, and NotAllowed but for who leads."""
    if not may_clear(access):
        raise NotAllowed(
            "Only the lead professional says what the family may read.",
            "Change the words, or ask the lead professional.",
        )
    told = lines_for_family(access, plan, await clearances(access), comparing).get(line_id)
    if told is None:
        raise NotFound("Nothing in this line is held back from the family.", "Go back to the plan.")
    return told


async def let_family_read(
    access: Access, told: LineForFamily, version: int, why: str
) -> FamilyClearance | None:
    """The lead professional read what is found in a line (`line_for_family`): the family may too.

    None where it is no longer held back. Raises Conflict where the line was changed since it was
    read; Invalid without a reason, or for what is protected.
    """
    line = told.line
    kind = Action if line.is_action else DesiredOutcome
    row = await access.session.get(kind, line.id, with_for_update=True, populate_existing=True)
    if row is None or row.version != version or row.version != line.version:
        raise Conflict(())
    if not told.found:
        return None
    errors = [
        FieldError("why", f"“{one.words}” must come out: change the words")
        for one in told.found
        if not one.may_be_read
    ]
    if not errors and not why.strip():
        errors = [FieldError("why", "Enter why the family may read it")]
    if errors:
        raise Invalid(tuple(errors))
    made = FamilyClearance(
        child_id=access.child_id,
        action_id=line.id if line.is_action else None,
        outcome_id=None if line.is_action else line.id,
    )
    made.words, made.why = line.words, why.strip()
    made.marked = msgspec.json.encode(sorted(one.key for one in told.found)).decode()
    access.session.add(made)
    await access.session.flush()
    return made
