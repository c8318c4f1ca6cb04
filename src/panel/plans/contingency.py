"""What to do when something goes wrong: one page per child, for the family's fridge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from consent import Category
from panel.accounts.service import agencies
from panel.plans.family_words import ReadsHere
from panel.plans.models import ContingencyPlan
from panel.plans.writing import lock_child, unless_changed
from panel.platform.problems import Clash, FieldError, Invalid, NotAllowed
from panel.records.gate import Access, Withheld

SECTIONS: Mapping[str, str] = {
    "must_know": "What anybody who helps must know",
    "carer_ill": "If the carer is ill tonight",
    "child_ill": "If the child is ill",
    "equipment": "If equipment breaks or the power fails",
    "school_closed": "If school, transport or the carer who comes falls away",
    "worse": "If things get worse than we can manage",
    "who_to_ring": "Who to ring, in this order",
}
"""By the name of the column, in the order of the page."""


@dataclass(frozen=True, slots=True)
class Contingency:
    """The page: (section, words), as far as there are words."""

    sections: Mapping[str, str]
    checked_on: date
    author_agency: str
    version: int
    held: frozenset[str] = frozenset()
    """Sections whose words one of the family does not read here."""


async def contingency_for_reading(access: Access) -> Contingency | Withheld | None:
    """The child's contingency plan, or why it is not shown; None where there is none yet."""
    row = await _row(access)
    if row is None:
        return None
    if not access.may(Category.PLAN, row.author_agency_id):
        return access.withheld(Category.PLAN) or Withheld(
            Category.PLAN, "You cannot see this plan."
        )
    known = {one.id: one.name for one in await agencies(access.session)}
    return Contingency(
        {name: words for name in SECTIONS if (words := getattr(row, name))},
        row.checked_on,
        known.get(row.author_agency_id, ""),
        row.version,
    )


async def has_contingency(access: Access) -> bool:
    """Whether there is one that the viewer may see."""
    row = await _row(access)
    return row is not None and access.may(Category.PLAN, row.author_agency_id)


async def _row(access: Access) -> ContingencyPlan | None:
    row: ContingencyPlan | None = await access.session.scalar(
        select(ContingencyPlan).where(ContingencyPlan.child_id == access.child_id)
    )
    return row


def as_family_reads(plan: Contingency, reader: ReadsHere) -> Contingency:
    """The same as one of the family reads it: without sections in which something is found."""
    held = frozenset(name for name, words in plan.sections.items() if not reader.reads(words))
    shown = {name: words for name, words in plan.sections.items() if name not in held}
    return Contingency(shown, plan.checked_on, plan.author_agency, plan.version, held)


def contingency_mistakes(
    words: Mapping[str, str], checked_on: date, today: date
) -> Sequence[tuple[str, str]]:
    """What is wrong with the page, as (field, sentence)."""
    wrong = []
    if checked_on > today:
        wrong.append(("checked_on", "Date must be today or in the past"))
    if not any(words.values()):
        wrong.append(("carer_ill", "Write what happens in at least one of these cases"))
    elif not words.get("who_to_ring"):
        wrong.append(("who_to_ring", "Enter who to ring first"))
    return wrong


async def keep_contingency(
    access: Access, version: int, words: Mapping[str, str], checked_on: date
) -> UUID:
    """Keep the page; `version` is 0 where there was none. Raises Invalid, Conflict, NotAllowed."""
    access.require_write()
    agency = access.viewer.agency
    if agency is None:
        raise NotAllowed("A contingency plan is written by a worker of an agency.")
    wrong = contingency_mistakes(words, checked_on, access.today)
    if wrong:
        raise Invalid(tuple(FieldError(field, sentence) for field, sentence in wrong))
    await lock_child(access.session, access.child_id)
    row = await _row(access)
    if row is None:
        row = ContingencyPlan(child_id=access.child_id, author_agency_id=agency)
        access.session.add(row)
    elif not access.may(Category.PLAN, row.author_agency_id):
        raise NotAllowed("You cannot see this plan, so you cannot change it.")
    else:
        clashes = [
            Clash(label, words.get(name, ""), getattr(row, name))
            for name, label in SECTIONS.items()
        ]
        await unless_changed(access, row, version, clashes)
    for name in SECTIONS:
        setattr(row, name, words.get(name, ""))
    row.checked_on = checked_on
    await access.session.flush()
    return row.id
