"""The authority's criteria: versions that follow one another, none of them ever written over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.models import Criterion, CriterionSet
from panel.platform.problems import FieldError, Invalid
from panel.platform.tables import today_of
from panel.web import words


@dataclass(frozen=True, slots=True)
class CriterionWords:
    """One criterion as it is written down."""

    key: str
    title: str
    text: str
    is_duty: bool


@dataclass(frozen=True, slots=True)
class Version:
    """One version with its criteria, in the order of their keys."""

    set: CriterionSet
    criteria: Sequence[Criterion]


async def versions(session: AsyncSession) -> list[Version]:
    """Every version, newest first."""
    sets = list(await session.scalars(select(CriterionSet).order_by(CriterionSet.from_on.desc())))
    rows = list(await session.scalars(select(Criterion).order_by(Criterion.key)))
    return [Version(one, [row for row in rows if row.set_id == one.id]) for one in sets]


async def criteria_on(session: AsyncSession, day: date) -> Sequence[Criterion]:
    """The criteria that hold on a day; none before the first version."""
    rows = await session.scalars(
        select(Criterion)
        .join(CriterionSet, CriterionSet.id == Criterion.set_id)
        .where(
            CriterionSet.from_on <= day,
            CriterionSet.until_on.is_(None) | (CriterionSet.until_on >= day),
        )
        .order_by(Criterion.key)
    )
    return list(rows)


async def criterion_for(session: AsyncSession, criterion_id: UUID, day: date) -> Criterion:
    """A criterion that holds on a day. Raises Invalid for any other."""
    found = {one.id: one for one in await criteria_on(session, day)}.get(criterion_id)
    if found is None:
        raise Invalid.because("criterion", "Choose one of the criteria that hold today")
    return found


async def add_version(
    session: AsyncSession, name: str, from_on: date, criteria: Sequence[CriterionWords]
) -> CriterionSet:
    """A version that holds from today or a later day; the one before ends on the day before.

    Raises Invalid, with a sentence for each thing that cannot be.
    """
    # Two people at once: the second waits and sees the first.
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('criteria', 0))"))
    newest = await session.scalar(
        select(CriterionSet).order_by(CriterionSet.from_on.desc()).limit(1)
    )
    newest_from = None if newest is None else newest.from_on
    mistakes = version_mistakes(name, from_on, newest_from, today_of(session))
    mistakes += _mistakes(criteria)
    if mistakes:
        raise Invalid(tuple(mistakes))
    if newest is not None:
        newest.until_on = from_on - timedelta(days=1)
    made = CriterionSet(name=name.strip(), from_on=from_on)
    session.add(made)
    await session.flush()
    session.add_all(
        Criterion(
            set_id=made.id,
            key=one.key.strip(),
            title=one.title.strip(),
            text=one.text.strip(),
            is_duty=one.is_duty,
        )
        for one in criteria
    )
    await session.flush()
    return made


def version_mistakes(
    name: str, from_on: date, newest_from: date | None, today: date
) -> list[FieldError]:
    """Why a version cannot follow the newest one, whatever stands in it."""
    found = []
    if not name.strip():
        found.append(FieldError("name", "Enter what this version is called"))
    if from_on < today:
        found.append(
            FieldError("from_on", "A version holds from today or later: decisions keep theirs")
        )
    elif newest_from is not None and from_on <= newest_from:
        said = f"There is a version from {words.short_day(newest_from)} already. Choose a later day"
        found.append(FieldError("from_on", said))
    return found


def _mistakes(criteria: Sequence[CriterionWords]) -> list[FieldError]:
    keys = [one.key.strip() for one in criteria]
    found = []
    if not criteria:
        found.append(FieldError("criteria", "Write at least one criterion"))
    if any(not (one.key.strip() and one.title.strip() and one.text.strip()) for one in criteria):
        found.append(
            FieldError("criteria", "Give each criterion a number, a title and what it says")
        )
    if len(set(keys)) < len(keys):
        found.append(FieldError("criteria", "Two criteria have the same number"))
    return found


def read_criteria(typed: str, *, is_duty: bool) -> list[CriterionWords]:
    """Criteria as they are typed, one a line: number, title and text parted by "|"."""
    found = []
    for line in typed.splitlines():
        if line.strip():
            key, title, said = (*(part.strip() for part in line.split("|", 2)), "", "", "")[:3]
            found.append(CriterionWords(key, title, said, is_duty))
    return found
