"""Samples of signed-off assessments, and the audit of each assessment that was drawn."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped

STATES = ("drawn", "audited", "answered")


class QualitySample(Row):
    """Assessments of one agency and period, drawn by chance. It never changes."""

    __tablename__ = "quality_sample"
    __table_args__ = (
        CheckConstraint("from_on <= until_on", name="period"),
        CheckConstraint("0 < drawn AND drawn <= frame AND drawn <= asked", name="drawn"),
        Index("uq_quality_sample_period", "agency_id", "from_on", unique=True),
        Index("ix_quality_sample_created_at", "created_at", "id"),
    )

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    from_on: Mapped[date]
    until_on: Mapped[date]
    """First and last day of sign-off, both included."""
    seed: Mapped[str] = mapped_column(Text)
    """What the draw was made with: with it and the same assessments it comes out the same."""
    asked: Mapped[int]
    """How many were asked for."""
    frame: Mapped[int]
    """How many signed-off assessments there were to draw from."""
    drawn: Mapped[int]


class QualityAudit(ChildScoped):
    """One assessment of a sample: how it was judged, and what its author says to that.

    The judgements are about somebody's work and stand in the clear; whatever is said in words is
    sealed with the child's key, since words about an assessment can be words about a child.
    """

    __tablename__ = "quality_audit"
    __table_args__ = (
        one_of("state", STATES),
        CheckConstraint(
            "(state = 'drawn') = (audited_at IS NULL)"
            " AND (audited_at IS NULL) = (auditor_id IS NULL)"
            " AND (state = 'answered') = (answered_at IS NOT NULL)",
            name="done",
        ),
        Index("uq_quality_audit_assessment", "sample_id", "assessment_id", unique=True),
        Index("ix_quality_audit_author", "author_id", "audited_at", "id"),
    )

    sample_id: Mapped[UUID] = mapped_column(ForeignKey("quality_sample.id"))
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessment.id"), index=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    """The agency whose assessment it is."""
    form_number: Mapped[int]
    """Which version of the audit form is answered."""
    state: Mapped[str] = mapped_column(Text, default="drawn")
    auditor_id: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"))
    audited_at: Mapped[datetime | None]
    ratings: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    """By the key of each question that is answered by choosing: what was chosen."""
    comments = Sealed()
    """By the key of each question that is answered in words, as JSON: the words."""
    author_words = Sealed()
    answered_at: Mapped[datetime | None]
