"""Forms as versioned data, and what was answered in them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from consent import Category
from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped
from panel.records.record_change import watched


class Form(Row):
    """One version of a form. A published version never changes."""

    __tablename__ = "form"
    __table_args__ = (UniqueConstraint("key", "number"),)

    key: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)


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
