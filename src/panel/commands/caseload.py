"""What an import of a caseload writes in the rooms above the register."""

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.models import Worker
from panel.assessments.models import Assessment
from panel.assessments.service import import_assessment
from panel.documents.service import NewDocument, attach_for_import
from panel.panels.calendar import panel_by_key
from panel.panels.models import Panel, Referral
from panel.panels.referrals import import_referral, record_discussed
from panel.plans.service import OutcomeWords, import_lead, import_plan
from panel.platform.problems import Invalid, NotFound


class Caseload:
    """Writes referral, assessment, plan, lead professional and last discussion of an old case."""

    async def refer(
        self,
        session: AsyncSession,
        child_id: UUID,
        *,
        panel: str,
        referred_on: date,
        agency_id: UUID | None,
        reason: str,
    ) -> bool:
        """The child was put forward to the panel of this key."""
        if agency_id is None:
            raise Invalid.because("referred_by_agency", "Say which agency referred the child")
        return await import_referral(
            session,
            child_id,
            await _panel(session, panel),
            referred_on=referred_on,
            agency_id=agency_id,
            reason=reason,
        )

    async def assess(
        self,
        session: AsyncSession,
        child_id: UUID,
        *,
        signed_on: date,
        worker: Worker,
        document: tuple[str, bytes] | None,
    ) -> bool:
        """An assessment was signed off elsewhere; `document` is its file's name and bytes."""
        known = await session.scalar(
            select(Assessment.id).where(
                Assessment.child_id == child_id, Assessment.signed_off_on == signed_on
            )
        )
        attached = None
        if document is not None:
            name, content = document
            attached = await attach_for_import(
                session,
                child_id,
                NewDocument(
                    title="Assessment",
                    file_name=name,
                    content=content,
                    category=Category.HEALTH,
                    author_id=worker.id,
                    author_agency_id=worker.agency_id,
                ),
            )
        await import_assessment(
            session,
            child_id,
            signed_on=signed_on,
            by_worker=worker.id,
            document_id=None if attached is None else attached.id,
        )
        return known is None

    async def plan(
        self,
        session: AsyncSession,
        child_id: UUID,
        *,
        agreed_on: date,
        summary: str,
        outcomes: tuple[str, ...],
        worker: Worker | None,
    ) -> bool:
        """A plan was agreed, with these desired outcomes."""
        if worker is None:
            raise Invalid.because(
                "lead_professional_email", "Say who holds the plan, or who assessed the child"
            )
        return await import_plan(
            session,
            child_id,
            author_agency_id=worker.agency_id,
            agreed_on=agreed_on,
            summary=summary,
            outcomes=[OutcomeWords(one) for one in outcomes],
        )

    async def lead(
        self, session: AsyncSession, child_id: UUID, *, worker: Worker, since: date
    ) -> bool:
        """Somebody is lead professional."""
        return await import_lead(session, child_id, worker, since)

    async def discuss(
        self,
        session: AsyncSession,
        child_id: UUID,
        *,
        panel: str,
        last_discussed_on: date,
        next_review_by: date | None,
    ) -> bool:
        """The panel talked about the child; a later discussion known here stays."""
        of_panel = await _panel(session, panel)
        referral = await session.scalar(
            select(Referral).where(
                Referral.child_id == child_id,
                Referral.panel_id == of_panel.id,
                Referral.state != "closed",
            )
        )
        if referral is None:
            return False
        known = referral.last_discussed_on
        if known is not None and known >= last_discussed_on:
            return False
        await record_discussed(session, referral, of_panel, last_discussed_on, next_review_by)
        return True


async def _panel(session: AsyncSession, key: str) -> Panel:
    try:
        return await panel_by_key(session, key)
    except NotFound as error:
        raise Invalid.because("panel", error.sentence) from error
