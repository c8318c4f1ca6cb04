"""The release of a term that is over: made by the scheduler, told where it is refused.

A term is published once. A slot that died is done again: what was out is out, what was not is made
anew. What is refused is tried again a week later, when corrections may have changed what is
counted; who answers for it is told once, with what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Worker
from panel.accounts.telling import tell_worker
from panel.insight import release_store as store
from panel.insight.core.facts import Term
from panel.insight.core.model import Contradicts, TooBig
from panel.insight.core.released import AuditResult, Finding
from panel.insight.core.settle import Refused
from panel.insight.core.words import Period, ordinal, period_words
from panel.insight.reading import heads
from panel.insight.release_models import RefusedRelease
from panel.insight.releasing import NotYet, release_term
from panel.insight.sources import read_terms
from panel.platform.clock import LONDON
from panel.platform.tables import NOW, today_of
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB

log = structlog.get_logger()

KEEPING = "keep the facts"
"""The job that takes in what changes: since it runs, records are kept here."""
AGAIN_AFTER = timedelta(days=7)
REFUSED = "release_refused"
_NOTHING_KNOWN = AuditResult(safe=False, findings=(), cells=0, solves=0, seconds=0, unfinished=0)
_TOLD = text(
    "SELECT DISTINCT worker_id FROM worker_role WHERE role IN ('governance_lead', 'commissioner')"
    " AND (from_on IS NULL OR from_on <= :today) AND (until_on IS NULL OR until_on >= :today)"
)
_FACTS = text("SELECT EXISTS (SELECT FROM fact_child_term WHERE period = :period)")
_BEGAN = text("SELECT min(slot) FROM job_run WHERE job = :job")


# Which term ---------------------------------------------------------------------------------------


def next_term(over: Sequence[Term], published: Period | None, began: date | None) -> Period | None:
    """The term to publish now. `over`: terms that have ended; `began`: since when facts are kept.

    After the first, each in its turn. The first is the newest, and only where records were kept
    here before it ended: of an earlier one, half of it may not be brought in yet, and a person has
    to say when it is (`panel insight release`).
    """
    in_turn = sorted(over, key=lambda one: ordinal(one.period))
    if published is not None:
        later = (one.period for one in in_turn if ordinal(one.period) > ordinal(published))
        return next(later, None)
    if not in_turn or began is None or began > date.fromisoformat(in_turn[-1].last):
        return None
    return in_turn[-1].period


async def due(session: AsyncSession) -> Period | None:
    """The term to publish now, as scheduled work; None where there is none, or it has to wait."""
    published = await heads(session)
    newest = max((one.period for one in published), key=ordinal, default=None)
    began: datetime | None = await session.scalar(_BEGAN, {"job": KEEPING})
    period = next_term(
        await read_terms(session),
        newest,
        None if began is None else began.astimezone(LONDON).date(),
    )
    if period is None:
        return None
    if newest is None and not await session.scalar(_FACTS, {"period": period}):
        return None
    refused = await _refused(session, period)
    now: datetime = session.info[NOW]
    return None if refused is not None and now < refused.at + AGAIN_AFTER else period


async def _refused(session: AsyncSession, period: Period) -> RefusedRelease | None:
    """The last time that a term was refused."""
    return await session.scalar(
        select(RefusedRelease)
        .where(RefusedRelease.period == period)
        .order_by(RefusedRelease.at.desc(), RefusedRelease.id.desc())
        .limit(1)
    )


# The job ------------------------------------------------------------------------------------------


async def publish_due(tenant: Tenant, insight_url: str | None, site_url: str) -> Period | None:
    """Publish the term that is due; which one is out now. Refused: it is kept, and told."""
    async with tenant.transaction(JOB) as session:
        period = await due(session)
    if period is None:
        return None
    try:
        await release_term(tenant, insight_url, period, None)
    except NotYet as why:
        # The next slot asks again.
        log.info("figures are not published yet", period=period, why=str(why))
        return None
    except Refused:
        await _tell(tenant, period, site_url)
        return None
    except (Contradicts, TooBig) as wrong:
        log.warning("figures cannot be audited", period=period, kind=type(wrong).__name__)
        async with tenant.transaction(JOB) as session:
            why_not = "The audit could not be made, so nothing is known to be safe."
            store.refuse(session, period, why_not, _NOTHING_KNOWN, session.info[NOW])
        await _tell(tenant, period, site_url)
        return None
    return period


async def _tell(tenant: Tenant, period: Period, site_url: str) -> None:
    """Information governance leads and commissioners, each once for a term."""
    async with tenant.transaction(JOB) as session:
        found = await session.scalars(_TOLD, {"today": today_of(session)})
        await tell(session, period, list(found), site_url)


async def tell(
    session: AsyncSession, period: Period, workers: Sequence[UUID], site_url: str
) -> None:
    """Put in that a term was refused, and where it says what to do. No figure stands in it."""
    rows = list(await session.scalars(select(Worker).where(Worker.id.in_(workers))))
    await load_keys(session, {one.agency_id for one in rows})
    for one in rows:
        if one.email:
            await tell_worker(
                session,
                one,
                kind=REFUSED,
                subject=f"The figures of the {period_words(period)} are held back",
                body=(
                    "The check before publishing did not find them safe, so nothing of this term"
                    " is out. Read why, and what to do:\n\n"
                    f"{site_url}/commissioning/releases\n"
                ),
                once=f"{REFUSED} {period} {one.id}",
            )


# For pages ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A term that is over and not out, because it was refused."""

    period: Period
    at: datetime
    why: str
    findings: tuple[Finding, ...] = ()
    """The cells, for the information governance lead alone: they say what may not be known."""

    @property
    def again_on(self) -> date:
        """When the scheduler tries again, at the earliest."""
        return (self.at + AGAIN_AFTER).astimezone(LONDON).date()


async def held_back(session: AsyncSession) -> HeldBack | None:
    """The newest term that was refused and is not out, without its cells: for scheduled work."""
    published = await heads(session)
    newest = max((ordinal(one.period) for one in published), default=0)
    rows = await session.execute(
        select(RefusedRelease.period, RefusedRelease.at, RefusedRelease.why).order_by(
            RefusedRelease.at.desc(), RefusedRelease.id.desc()
        )
    )
    for period, at, why in rows:
        if ordinal(Period(period)) > newest:
            return HeldBack(Period(period), at, why)
    return None


async def with_cells(session: AsyncSession, held: HeldBack) -> HeldBack:
    """With what was found: the database gives it to the information governance lead alone."""
    refused = await _refused(session, held.period)
    return held if refused is None else replace(held, findings=store.findings_of(refused))
