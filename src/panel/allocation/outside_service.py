"""What a request asks for outside the authority's area, and what is met of the conditions for it.

A decision holds the request while it asks here; whoever ticks a condition or takes a tick back
holds it too, so that none is taken back between the question and the decision.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from panel.allocation.criteria_service import version_mistakes
from panel.allocation.models import ServiceRequest
from panel.allocation.outside_models import (
    OutsideCondition,
    OutsidePlacement,
    OutsideTerms,
    PlacementCondition,
    PlacementVisit,
)
from panel.allocation.outside_rules import (
    Agreeing,
    Condition,
    ConditionWords,
    OutsideWords,
    Rhythm,
    agreeing_mistakes,
    conditions_mistakes,
    holds_for,
    stretch_mistake,
)
from panel.platform.problems import FieldError, Invalid
from panel.platform.tables import today_of

# The placement that a request asks for -----------------------------------------------------------


async def placement_for(session: AsyncSession, request_id: UUID) -> OutsidePlacement | None:
    """The placement outside the area that a request asks for; None where it asks for none."""
    found: OutsidePlacement | None = await session.scalar(
        select(OutsidePlacement).where(
            OutsidePlacement.request_id == request_id, OutsidePlacement.is_asked
        )
    )
    return found


async def outside_words(session: AsyncSession, request_id: UUID) -> OutsideWords | None:
    """The same as the form of a draft has it."""
    row = await placement_for(session, request_id)
    if row is None:
        return None
    return OutsideWords(row.kind, row.footing, row.area, row.provider, row.from_on, row.until_on)


async def save_placement(
    session: AsyncSession, request: ServiceRequest, said: OutsideWords | None
) -> None:
    """Keep what a draft says of it, with the draft, whose version it shares.

    Raises Invalid for a placement that ends before it begins.
    """
    row = await session.scalar(
        select(OutsidePlacement).where(OutsidePlacement.request_id == request.id)
    )
    if row is None and said is None:
        return
    if row is None:
        row = OutsidePlacement(child_id=request.child_id, request_id=request.id)
        session.add(row)
    else:
        for told in (await ticks_of(session, [row.id])).get(row.id, {}).values():
            told.category = request.category
    row.is_asked, row.category = said is not None, request.category
    if said is not None:
        if wrong := stretch_mistake(said.from_on, said.until_on):
            raise Invalid.because("placement_until", wrong)
        row.kind, row.footing = said.kind, said.footing
        row.from_on, row.until_on = said.from_on, said.until_on
        row.area, row.provider = said.area.strip(), said.provider.strip()
    # Whoever read the draft before this was written read another draft.
    flag_modified(request, "state")


# The authority's conditions ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Terms:
    """One version with its conditions, in the order of their numbers."""

    set: OutsideTerms
    conditions: Sequence[OutsideCondition]

    @property
    def rhythm(self) -> Rhythm:
        """How often it has reviews and visits."""
        return Rhythm(self.set.review_months, self.set.visit_weeks, self.set.other_visit_weeks)


async def every_terms(session: AsyncSession) -> list[Terms]:
    """Every version, newest first."""
    sets = await session.scalars(select(OutsideTerms).order_by(OutsideTerms.from_on.desc()))
    rows = list(await session.scalars(select(OutsideCondition).order_by(OutsideCondition.key)))
    return [Terms(one, [row for row in rows if row.terms_id == one.id]) for one in sets]


def terms_of(versions: Sequence[Terms], day: date) -> Terms | None:
    """The version that holds on a day."""
    holds = (
        one
        for one in versions
        if one.set.from_on <= day and (one.set.until_on is None or one.set.until_on >= day)
    )
    return next(holds, None)


async def add_terms(
    session: AsyncSession,
    name: str,
    from_on: date,
    rhythm: Rhythm,
    conditions: Sequence[ConditionWords],
) -> OutsideTerms:
    """A version that holds from a day to come; the one before ends on the day before.

    Raises Invalid, with a sentence for each thing that cannot be.
    """
    # Two people at once: the second waits and sees the first.
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('outside', 0))"))
    newest = await session.scalar(
        select(OutsideTerms).order_by(OutsideTerms.from_on.desc()).limit(1)
    )
    newest_from = None if newest is None else newest.from_on
    mistakes = version_mistakes(name, from_on, newest_from, today_of(session))
    mistakes += [FieldError(*one) for one in conditions_mistakes(conditions)]
    if mistakes:
        raise Invalid(tuple(mistakes))
    if newest is not None:
        newest.until_on = from_on - timedelta(days=1)
    made = OutsideTerms(
        name=name.strip(),
        from_on=from_on,
        review_months=rhythm.review_months,
        visit_weeks=rhythm.visit_weeks,
        other_visit_weeks=rhythm.other_visit_weeks,
    )
    session.add(made)
    await session.flush()
    session.add_all(
        OutsideCondition(
            terms_id=made.id,
            key=one.key,
            title=one.title,
            text=one.text,
            law=one.law,
            applies=one.applies.value,
        )
        for one in conditions
    )
    await session.flush()
    return made


# What is met of them -----------------------------------------------------------------------------

Ticks = Mapping[UUID, PlacementCondition]
"""What is written down about conditions, by condition."""


async def ticks_of(session: AsyncSession, placements: Collection[UUID]) -> Mapping[UUID, Ticks]:
    """What is written down about the conditions of placements; one question for a whole list."""
    rows = await session.scalars(
        select(PlacementCondition).where(PlacementCondition.placement_id.in_(placements))
    )
    found: dict[UUID, dict[UUID, PlacementCondition]] = defaultdict(dict)
    for row in rows:
        found[row.placement_id][row.condition_id] = row
    return found


def lacking_of(footing: str | None, terms: Terms | None, ticks: Ticks) -> list[str]:
    """Titles of the conditions of a version that are not met."""
    if terms is None:
        return []
    return [
        one.title
        for one in terms.conditions
        if holds_for(one.applies, footing) and (one.id not in ticks or ticks[one.id].met_on is None)
    ]


def conditions_for(
    placement: OutsidePlacement, terms: Terms | None, ticks: Ticks
) -> list[Condition]:
    """The conditions of a version that hold for a placement, with what is written down of each."""
    found = []
    for one in () if terms is None else terms.conditions:
        if holds_for(one.applies, placement.footing):
            tick = ticks.get(one.id)
            told = (None, "", 0) if tick is None else (tick.met_on, tick.note, tick.version)
            found.append(Condition(one.id, one.key, one.title, one.text, one.law, *told))
    return found


async def lacking_today(
    session: AsyncSession, placement_id: UUID, footing: str | None
) -> list[str]:
    """Titles of the conditions of the version in force that are not met."""
    terms = terms_of(await every_terms(session), today_of(session))
    ticks = await ticks_of(session, [placement_id])
    return lacking_of(footing, terms, ticks.get(placement_id, {}))


async def outside_mistakes(
    session: AsyncSession, request_id: UUID, review_on: date
) -> tuple[tuple[str, str], ...]:
    """Why a request cannot be agreed to, in part or whole; nothing where it asks for no placement.

    What there is a duty to meet stays so: conditions keep a panel from agreeing, and are no reason
    to decline.
    """
    placement = await placement_for(session, request_id)
    if placement is None:
        return ()
    today = today_of(session)
    terms = terms_of(await every_terms(session), today)
    lacking = await lacking_today(session, placement.id, placement.footing)
    about = Agreeing(lacking, review_on, today)
    return agreeing_mistakes(about, None if terms is None else terms.rhythm)


# Visits ------------------------------------------------------------------------------------------


async def await_visits(session: AsyncSession, request_id: UUID) -> None:
    """The placement is agreed to: from here on somebody visits the child."""
    placement = await placement_for(session, request_id)
    if placement is not None and placement.visit_by is None:
        await reckon_visit(session, placement)


async def reckon_visit(session: AsyncSession, placement: OutsidePlacement) -> None:
    """Work out by when somebody visits next."""
    last = await session.scalar(
        select(func.max(PlacementVisit.visited_on)).where(
            PlacementVisit.placement_id == placement.id
        )
    )
    today = today_of(session)
    terms = terms_of(await every_terms(session), today)
    if terms is not None:
        began_on = placement.from_on or today
        placement.visit_by = terms.rhythm.visit_by(placement.footing, began_on, last)
        await session.flush()
