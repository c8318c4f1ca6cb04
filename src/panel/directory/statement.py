"""The authority's short-breaks statement: what the law asks for, from the directory.

The Breaks for Carers of Disabled Children Regulations 2011 (SI 2011/707): regulation 4 names the
range of services, regulation 5 asks for a statement of that range, of the criteria by which
eligibility is assessed, and of how the range is designed to meet the needs of carers. It is kept
under review, and carers' views count in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.directory.models import Provider, Service, ShortBreaksStatement
from panel.directory.publishing import PUBLIC
from panel.directory.rules import REVIEW_WITHIN
from panel.directory.vocabulary import BREAKS, Status
from panel.platform.problems import Conflict, FieldError, Invalid
from panel.platform.tables import today_of

MOST_SHOWN = 500
"""Short breaks on the page; where there are more it says so, and where to read them."""


@dataclass(frozen=True, slots=True)
class NewStatement:
    """What somebody writes of it."""

    eligibility: str
    how_it_meets_needs: str
    carers_views: str
    reviewed_on: date
    review_by: date


@dataclass(frozen=True, slots=True)
class InRange:
    """One part of the range and the services in it, by name."""

    code: str
    name: str
    services: Sequence[tuple[Service, Provider]]


async def newest(session: AsyncSession) -> ShortBreaksStatement | None:
    """The statement that counts; None before the first."""
    found = await session.scalars(
        select(ShortBreaksStatement)
        .order_by(ShortBreaksStatement.created_at.desc(), ShortBreaksStatement.id.desc())
        .limit(1)
    )
    return found.one_or_none()


async def publish(session: AsyncSession, new: NewStatement, version: int) -> None:
    """A new statement, which counts from now on. Raises Conflict, Invalid.

    `version` is that of the statement as it was read, 0 where there was none.
    """
    # Before the first there is no row to hold: of two at once the second waits, and is told.
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('short breaks', 0))"))
    before = await newest(session)
    if (0 if before is None else before.version) != version:
        raise Conflict(())
    today = today_of(session)
    wrong = []
    if new.reviewed_on > today:
        wrong.append(FieldError("reviewed_on", "The day of the review must be today or earlier"))
    if new.review_by <= today:
        wrong.append(FieldError("review_by", "The next review must be after today"))
    elif new.review_by > today + REVIEW_WITHIN:
        wrong.append(FieldError("review_by", "The next review must be within a year"))
    if wrong:
        raise Invalid(tuple(wrong))
    if before is None:
        before = ShortBreaksStatement()
        session.add(before)
    before.eligibility = new.eligibility
    before.how_it_meets_needs = new.how_it_meets_needs
    before.carers_views = new.carers_views
    before.reviewed_on, before.review_by = new.reviewed_on, new.review_by
    await session.flush()


@dataclass(frozen=True, slots=True)
class Range:
    """Every part of the range, empty ones too."""

    parts: Sequence[InRange]
    there_are_more: bool
    """Whether more short breaks are published than one page shows."""


async def in_range(session: AsyncSession) -> Range:
    """The range with the published short breaks in it, by name."""
    found = await session.execute(
        select(Service, Provider)
        .join(Provider, Provider.id == Service.provider_id)
        .where(
            PUBLIC,
            Service.status != Status.ENDED.value,
            Service.breaks != [],
        )
        .order_by(Service.name, Service.id)
        .limit(MOST_SHOWN + 1)
    )
    every = [(service, provider) for service, provider in found]
    shown = every[:MOST_SHOWN]
    return Range(
        [
            InRange(code, name, [pair for pair in shown if code in pair[0].breaks])
            for code, name in BREAKS.items()
        ],
        len(every) > MOST_SHOWN,
    )
