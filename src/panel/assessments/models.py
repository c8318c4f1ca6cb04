"""Forms as versioned data, what was answered in them, and when a clock stood still."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from consent import Category
from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped
from panel.records.record_change import watched


class FormState(StrEnum):
    """What a version of a form is."""

    DRAFT = "draft"
    """Being edited: nobody fills it in."""
    PUBLISHED = "published"
    """Never changes; of a form's published versions the newest is the one to start on."""
    RETIRED = "retired"
    """Started no more; what was begun on it is finished on it."""


class StopReason(StrEnum):
    """For which agreed reasons the clock of an assessment stands still."""

    FAMILY_AWAY = "family_away"
    CHILD_IN_HOSPITAL = "child_in_hospital"
    FAMILY_ASKED = "family_asked"
    WAITING_FOR_SPECIALIST = "waiting_for_specialist"
    WAITING_FOR_INTERPRETER = "waiting_for_interpreter"
    COURT_OR_ENQUIRY = "court_or_enquiry"


class Form(Row):
    """One version of a form. A published version never changes: the database sees to it."""

    __tablename__ = "form"
    __table_args__ = (
        UniqueConstraint("key", "number"),
        Index("uq_form_draft", "key", unique=True, postgresql_where="state = 'draft'"),
    )

    key: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(
        Text, default=FormState.PUBLISHED.value, server_default="published"
    )


@watched("state")
class Assessment(ChildScoped):
    """One filling of a form for a child; a later one leaves the earlier readable."""

    __tablename__ = "assessment"
    __table_args__ = (
        one_of("state", ("draft", "signed_off")),
        Index("ix_assessment_current", "child_id", "state", "signed_off_on"),
    )

    form_id: Mapped[UUID] = mapped_column(ForeignKey("form.id"))
    form_key: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(default=1)
    """The child's first, second … filling of this form."""
    state: Mapped[str] = mapped_column(Text, default="draft")
    author_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    started_on: Mapped[date]
    signed_off_on: Mapped[date | None]
    signed_off_by: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"))
    document_id: Mapped[UUID | None]
    """An assessment made elsewhere and attached as a document."""
    late_reason: Mapped[str | None] = mapped_column(Text)
    """Why it was signed off after its day, where it was: one of `limits.LateReason`."""
    referred_on: Mapped[date | None]
    """The day of the referral that it answers, where its time runs from there."""


class SectionAnswer(ChildScoped):
    """The answers of one section, sealed whole, with the section's category in the clear."""

    __tablename__ = "section_answer"
    __table_args__ = (
        UniqueConstraint("assessment_id", "section_key"),
        one_of("category", Category),
        one_of("state", ("not_started", "looked_at", "complete")),
    )

    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessment.id"), index=True)
    section_key: Mapped[str] = mapped_column(Text)
    author_agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    """Whose record it is: the agency that first said something; carrying forward keeps it."""
    category: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="not_started")
    answers = Sealed()
    """The section's answers as JSON."""
    saved_at: Mapped[datetime | None]


class ClockStop(ChildScoped):
    """Days on which the clock of an assessment stood still, both ends counted: a process fact."""

    __tablename__ = "clock_stop"
    __table_args__ = (
        one_of("reason", StopReason),
        CheckConstraint("until_on >= from_on", name="period"),
        Index(
            "uq_clock_stop_open",
            "assessment_id",
            unique=True,
            postgresql_where="until_on IS NULL",
        ),
    )

    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessment.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    """The last day; None while it stands still."""
