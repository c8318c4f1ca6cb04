"""Restriction of processing: a record that is kept, and for the time being not used.

While one runs, nothing is written on the record's own tables but by scheduled work, `consent` opens
it to nobody but for what is excepted, packs hold its page back, and notes wait; whoever comes to
the record is told, with the day. Source: UK GDPR Article 18; adr/0022.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Index, Table, event, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Session
from sqlalchemy.orm.unitofwork import UOWTransaction

from panel.platform.problems import NotAllowed
from panel.platform.tables import VIEWER, Identified, Sealed
from panel.records.child_scoped import JOB, ChildScoped
from panel.web import words

HELD_STILL = frozenset(
    {
        "action",
        "appeal",
        "assessment",
        "case_closure",
        "child",
        "clock_stop",
        "contingency_plan",
        "decision_letter",
        "desired_outcome",
        "discussion",
        "episode_step",
        "impact_decision",
        "impact_invitation",
        "impact_meeting",
        "impact_minutes",
        "impact_view",
        "document",
        "document_content",
        "family_words",
        "funding_share",
        "inclusion_grant",
        "lead_wish",
        "level_of_need",
        "outcome_measure",
        "outcome_need",
        "outcome_progress",
        "outcome_reading",
        "outside_placement",
        "package",
        "package_change",
        "place_offer",
        "placement_condition",
        "placement_visit",
        "plan",
        "plan_answer",
        "plan_version",
        "quality_audit",
        "referral",
        "referral_answer",
        "request_decision",
        "section_answer",
        "service_line",
        "service_request",
        "short_break",
        "significant_event",
        "survey",
        "transition",
        "unit_price",
        "unmet_need",
        "waiting",
    }
)
"""Tables of what a record says: nothing is written on them while its use is restricted."""


class ProcessingRestriction(ChildScoped):
    """One stretch for which a record is only kept. Ended, never deleted."""

    __tablename__ = "processing_restriction"
    __table_args__ = (
        Index(
            "uq_processing_restriction_running",
            "child_id",
            unique=True,
            postgresql_where=text("ended_on IS NULL"),
        ),
    )

    request_id: Mapped[UUID | None]
    from_on: Mapped[date]
    why = Sealed()
    ended_on: Mapped[date | None]
    ended_by: Mapped[UUID | None]
    ended_why = Sealed()


def restricted_words(since: date) -> str:
    """What whoever reads the record is told."""
    return (
        f"The use of this record is restricted since {words.day(since)}. It is kept, and read only"
        " where the law needs it. Nothing may be changed."
    )


def held_back_words(since: date) -> str:
    """What stands in the place of the record, where it would have gone out."""
    return f"Processing is restricted since {words.day(since)} (UK GDPR Article 18)."


def is_use_restricted(child_id: Mapped[UUID]) -> ColumnElement[bool]:
    """Whether the use of the record of a row's child is restricted, for a query."""
    return (
        select(ProcessingRestriction.id)
        .where(ProcessingRestriction.child_id == child_id, ProcessingRestriction.ended_on.is_(None))
        .exists()
    )


async def restricted_since(session: AsyncSession, child_id: UUID) -> date | None:
    """Since when the use of a record is restricted; None where it is not."""
    since: date | None = await session.scalar(
        select(ProcessingRestriction.from_on).where(
            ProcessingRestriction.child_id == child_id, ProcessingRestriction.ended_on.is_(None)
        )
    )
    return since


@event.listens_for(Session, "before_flush", insert=True)
def _hold_still(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Refuse to write on a record whose use is restricted. Raises NotAllowed."""
    if session.info.get(VIEWER) == JOB:
        return
    written = (*session.new, *session.dirty, *session.deleted)
    children = {
        getattr(row, "child_id", row.id)
        for row in written
        if isinstance(row, Identified)
        and row.__tablename__ in HELD_STILL
        and (row not in session.dirty or session.is_modified(row))
    }
    if not children:
        return
    table: Table = ProcessingRestriction.metadata.tables["processing_restriction"]
    found = session.connection().execute(
        select(table.c.from_on)
        .where(table.c.child_id.in_(sorted(children)), table.c.ended_on.is_(None))
        .limit(1)
    )
    since = found.scalar()
    if since is not None:
        raise NotAllowed(
            restricted_words(since), "Ask the information governance lead, who can end it."
        )
