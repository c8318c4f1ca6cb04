"""What is kept of how workers come, change and go: invitations, leavings, proposals of two."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from consent import Role
from panel.platform.tables import Row, one_of


class Invitation(Row):
    """A worker was asked to come in, by a link that works once. The newest one counts.

    Whoever ever came in has one that is `taken`: their address is not corrected any more.
    """

    __tablename__ = "invitation"
    __table_args__ = (one_of("state", ("sent", "taken", "withdrawn")),)

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"), index=True)
    state: Mapped[str] = mapped_column(Text, default="sent")
    ends_at: Mapped[datetime]


class Leaving(Row):
    """A worker leaves or left. Their cases move with it; what they sign in with ends on the day."""

    __tablename__ = "leaving"
    __table_args__ = (
        one_of("state", ("planned", "done", "withdrawn")),
        Index(
            "uq_leaving_worker", "worker_id", unique=True, postgresql_where="state <> 'withdrawn'"
        ),
    )

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    last_day: Mapped[date]
    for_safety: Mapped[bool]
    state: Mapped[str] = mapped_column(Text, default="planned")
    ended_roles: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """The roles that end with it, by id, and until when they would have gone on (ISO or None)."""
    plans_without: Mapped[int] = mapped_column(default=0)
    """Plans that nobody was there to take on; the job tries again."""


class RoleProposal(Row):
    """One administrator proposes to give or end a role that takes two; another one answers."""

    __tablename__ = "role_proposal"
    __table_args__ = (
        one_of("role", Role),
        one_of("state", ("open", "confirmed", "refused", "withdrawn")),
        # The second fence of the rule of two: whoever proposed it, or whom it concerns, never is
        # the second person.
        CheckConstraint(
            "state <> 'confirmed' OR (answered_by IS NOT NULL AND answered_by <> proposed_by"
            " AND answered_by <> worker_id AND proposed_by <> worker_id)",
            name="two_people",
        ),
        Index(
            "uq_role_proposal_open",
            "worker_id",
            "role",
            unique=True,
            postgresql_where="state = 'open'",
        ),
    )

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    role: Mapped[str] = mapped_column(Text)
    role_id: Mapped[UUID | None]
    """The role that would end; None where one would be given."""
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(Text, default="open")
    proposed_by: Mapped[UUID]
    lapses_at: Mapped[datetime]
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]
