"""What belongs to one child, fenced by row-level security; and who may reach whom."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.database import SCHEDULED
from panel.platform.tables import Base, Identified, Row, numbered

JOB = SCHEDULED
"""The viewer of scheduled work and imports: reaches every child's rows, is shown no content."""


class ChildScoped(Row):
    """A row about one child: seen only by those who may reach the child.

    Every table derived from this one brings its policy; the migration lint checks that the
    database has it.
    """

    __abstract__ = True

    child_id: Mapped[UUID] = mapped_column(ForeignKey("child.id"), index=True)


def child_scoped_tables() -> list[Table]:
    """Every table that a policy must fence."""
    return [
        cast("Table", mapper.local_table)
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, ChildScoped)
    ]


class ChildAccess(Identified):
    """Who may reach a child, from when until when, by which ties.

    Written only by the database's own function `rewrite_child_access`, in the transaction that
    changes the facts it rests on: the application cannot grant itself anything. A row is a
    superset of what `consent.decide` permits.
    """

    __tablename__ = "child_access"

    id: Mapped[UUID] = mapped_column("child_id", primary_key=True)
    viewer_id: Mapped[UUID] = mapped_column(primary_key=True)
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    ties: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Each {tie, who, from, until, categories}: the relationships that `consent` judges by."""

    __table_args__ = (Index("ix_child_access_viewer", "viewer_id", "child_id"),)


class AccessEvent(Identified):
    """One look at a child's record: who, why, and what was decided. Only ever added to."""

    __tablename__ = "access_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    child_id: Mapped[UUID] = mapped_column(index=True)
    at: Mapped[datetime]
    viewer_id: Mapped[UUID] = mapped_column(index=True)
    viewer_kind: Mapped[str] = mapped_column(Text)
    agency_id: Mapped[UUID | None]
    purpose: Mapped[str] = mapped_column(Text)
    doing: Mapped[str] = mapped_column(Text)
    """What the person was doing, in the words of the history: "read the plan"."""
    decisions: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Category -> basis, with `withheld: …` for what was not shown."""
    transaction: Mapped[int | None] = numbered()

    __table_args__ = (
        Index("ix_access_event_transaction", "transaction"),
        Index("ix_access_event_at", "at", "id"),
        Index("ix_access_event_child_at", "child_id", "at", "id"),
        Index("ix_access_event_viewer_at", "viewer_id", "at", "id"),
        Index("ix_access_event_agency_at", "agency_id", "at", "id"),
        Index("ix_access_event_purpose_at", "purpose", "at", "id"),
        *(
            Index(
                f"ix_access_event_refused_{of}at",
                *columns,
                postgresql_where="jsonb_exists(decisions, 'refused')",
            )
            for of, columns in (
                ("", ("at", "id")),
                ("viewer_", ("viewer_id", "at", "id")),
                ("agency_", ("agency_id", "at", "id")),
            )
        ),
    )
