"""What whoever answers for the use of records works with: searches, patterns, documents."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Identified, Row, Sealed, numbered, one_of


class PatternKind(StrEnum):
    """What is unusual about how somebody looked at records on a day."""

    MANY_CHILDREN = "many_children"
    """Many children's records opened within an hour."""
    OWN_NAME = "own_name"
    """A child who has the worker's own surname."""
    OUT_OF_HOURS = "out_of_hours"
    AFTER_CLOSURE = "after_closure"
    """Children whose case had been closed for a while."""
    MANY_REFUSALS = "many_refusals"


class DocumentKind(StrEnum):
    """The documents that are filled from the system's own configuration."""

    JOINT_CONTROLLERS = "joint_controllers"
    PROCESSING_RECORD = "processing_record"
    IMPACT_ASSESSMENT = "impact_assessment"
    NOTICE_FOR_FAMILIES = "notice_for_families"
    NOTICE_FOR_WORKERS = "notice_for_workers"


class HistorySearch(Identified):
    """One search of the access history. Written by the function that answers it, only added to."""

    __tablename__ = "history_search"
    __table_args__ = (
        Index("ix_history_search_at", "at", "id"),
        Index("ix_history_search_transaction", "transaction"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    viewer_id: Mapped[UUID]
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Ids, codes and dates, never words about a person."""
    shown: Mapped[int]
    transaction: Mapped[int | None] = numbered()


class UnusualPattern(Row):
    """Who, which kind, which day, how many: found once, closed with a note, never deleted."""

    __tablename__ = "unusual_pattern"
    __table_args__ = (
        one_of("kind", PatternKind),
        Index("uq_unusual_pattern_day", "kind", "viewer_id", "day", unique=True),
        Index("ix_unusual_pattern_closed", "closed_at", "id"),
    )

    kind: Mapped[str] = mapped_column(Text)
    viewer_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    day: Mapped[date]
    how_many: Mapped[int]
    threshold: Mapped[int]
    """What it had to reach to be told, as it was set on that day."""
    of_lead: Mapped[bool]
    """About an information governance lead: somebody else closes it."""
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    note = Sealed(holder="agency_id")


class GovernanceDocument(Row):
    """A version of a document; its text never changes, and somebody approves it."""

    __tablename__ = "governance_document"
    __table_args__ = (
        one_of("kind", DocumentKind),
        Index("uq_governance_document_number", "kind", "number", unique=True),
    )

    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """The text, as `governance.document_text` reads it; it names no person."""
    fingerprint: Mapped[str] = mapped_column(Text)
    """The same for the same title and text: facts that say the same make no new version."""
    made_on: Mapped[date]
    approved_on: Mapped[date | None]
    approved_by: Mapped[UUID | None]
