"""How long records are kept: legal holds, and lists of what two people agree to dispose of."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped


class ListState(StrEnum):
    """How far a disposal list is."""

    PROPOSED = "proposed"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    DONE = "done"


class LegalHold(ChildScoped):
    """A record that is not disposed of, whatever its time, until the hold is released."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        Index(
            "uq_legal_hold_running",
            "child_id",
            unique=True,
            postgresql_where=text("released_on IS NULL"),
        ),
    )

    reference: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date]
    why = Sealed()
    released_on: Mapped[date | None]
    released_by: Mapped[UUID | None]
    released_why = Sealed()


class DisposalList(Row):
    """What is due to be disposed of, proposed by the job, reviewed and approved by two people."""

    __tablename__ = "disposal_list"
    __table_args__ = (
        one_of("state", ListState),
        CheckConstraint("approved_by <> reviewed_by", name="two_people"),
        Index("uq_disposal_list_number", "number", unique=True),
    )

    number: Mapped[int]
    proposed_on: Mapped[date]
    state: Mapped[str] = mapped_column(Text, default="proposed")
    reviewed_by: Mapped[UUID | None]
    reviewed_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class DisposalLine(ChildScoped):
    """One record on a list: what is due and why, what was decided, what became of it."""

    __tablename__ = "disposal_line"
    __table_args__ = (
        one_of("decision", ("dispose", "keep")),
        one_of("outcome", ("destroyed", "refused")),
        Index("uq_disposal_line_child", "list_id", "child_id", unique=True),
    )

    list_id: Mapped[UUID] = mapped_column(ForeignKey("disposal_list.id"))
    reference: Mapped[str] = mapped_column(Text)
    closed_on: Mapped[date]
    closure_reason: Mapped[str] = mapped_column(Text, default="")
    due_on: Mapped[date]
    decision: Mapped[str | None] = mapped_column(Text)
    keep_why: Mapped[str] = mapped_column(Text, default="")
    """Names nobody: it outlives the record."""
    decided_by: Mapped[UUID | None]
    outcome: Mapped[str | None] = mapped_column(Text)
    refused_why: Mapped[str] = mapped_column(Text, default="")
    """A code of `disposals`."""
    holders: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), default=list)
    """Whose keys were destroyed."""
    done_at: Mapped[datetime | None]
