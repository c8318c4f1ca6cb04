"""Tables of work in bulk."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Row, Sealed, one_of


class BulkKind(StrEnum):
    """What is done to many at once."""

    REASSIGN = "reassign"
    MOVE_DAY = "move_day"
    CLOSE = "close"


class BulkState(StrEnum):
    """How far it is."""

    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class StepState(StrEnum):
    """What became of one child's, or one meeting's, step."""

    WAITING = "waiting"
    DONE = "done"
    LEFT = "left"
    """It could not be done, and nothing of it was."""
    UNDONE = "undone"
    KEPT = "kept"
    """It was done and stays: something else changed since, or it cannot be taken back."""


class BulkWork(Row):
    """One piece of work on many children or meetings, as somebody confirmed it."""

    __tablename__ = "bulk_work"
    __table_args__ = (
        one_of("kind", BulkKind),
        one_of("state", BulkState),
        Index("ix_bulk_work_worker", "worker_id", "created_at", "id"),
        Index(
            "ix_bulk_work_to_do", "created_at", postgresql_where="state IN ('running', 'undoing')"
        ),
    )

    kind: Mapped[str] = mapped_column(Text)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    """Who ordered it: each step is taken as this worker, with what they may do then."""
    state: Mapped[str] = mapped_column(Text, default=BulkState.RUNNING.value)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Ids, codes and days: from whom to whom, which panel, which reason."""
    why = Sealed(holder="agency_id")
    what_next = Sealed(holder="agency_id")
    """What each family reads that happens next, where cases are closed."""
    left_with = Sealed(holder="agency_id")
    """Who sees to what is still open of them."""
    confirmed_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    undo_until: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]


class BulkStep(Row):
    """One child, or one meeting, of work in bulk, with the versions before and after.

    It keeps ids, versions and days, and nothing that a record says.
    """

    __tablename__ = "bulk_step"
    __table_args__ = (
        one_of("state", StepState),
        CheckConstraint("num_nonnulls(child_id, meeting_id) = 1", name="about_one"),
        Index("uq_bulk_step_position", "bulk_id", "position", unique=True),
    )

    bulk_id: Mapped[UUID] = mapped_column(ForeignKey("bulk_work.id"))
    position: Mapped[int]
    child_id: Mapped[UUID | None] = mapped_column(ForeignKey("child.id"), index=True)
    meeting_id: Mapped[UUID | None] = mapped_column(ForeignKey("meeting.id"))
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    """Who ordered it: they read what became of it though the child is no longer in their reach."""
    state: Mapped[str] = mapped_column(Text, default=StepState.WAITING.value)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """What this step does: to whom, to which day."""
    before: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """The rows as they were rehearsed: their ids and versions, and what undoing needs."""
    after: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """The rows as the step left them: undone only while they still are."""
    left_why: Mapped[str] = mapped_column(Text, default="")
    """A code of `bulk_rules.LEFT_WORDS`, where it was left or kept."""
