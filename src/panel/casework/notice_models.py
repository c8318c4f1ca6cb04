"""Tables of what a worker has to do, how they are told of it, and their calendar."""

from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Row, one_of


class Digest(StrEnum):
    """How often somebody is told by e-mail what is due."""

    DAILY = "daily"
    WEEKLY = "weekly"
    OFF = "off"


class TaskNotice(Row):
    """Something that waits for one worker. It says of what kind and since when, and no content."""

    __tablename__ = "task_notice"
    __table_args__ = (
        Index("uq_task_notice_subject", "worker_id", "kind", "subject_id", unique=True),
    )

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID]
    """The action, offer, referral or note that waits (no foreign key: of many tables)."""
    child_id: Mapped[UUID | None] = mapped_column(ForeignKey("child.id"), index=True)
    due_on: Mapped[date | None]
    since_on: Mapped[date]
    settled_at: Mapped[datetime | None]
    """Since when it no longer waits."""


class NoticeChoice(Row):
    """How a worker wants to be told. Without one they are told daily, and at night not at all."""

    __tablename__ = "notice_choice"
    __table_args__ = (
        one_of("digest", Digest),
        Index("uq_notice_choice_worker_id", "worker_id", unique=True),
        CheckConstraint("num_nonnulls(quiet_from, quiet_until) IN (0, 2)", name="quiet"),
    )

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    digest: Mapped[str] = mapped_column(Text, default=Digest.DAILY.value)
    quiet_from: Mapped[time | None]
    """London time; None with `quiet_until`: no quiet hours."""
    quiet_until: Mapped[time | None]


class CalendarFeed(Row):
    """A worker's calendar for their own calendar program. Only the hash of its token is kept."""

    __tablename__ = "calendar_feed"
    __table_args__ = (
        Index("uq_calendar_feed_token_hash", "token_hash", unique=True),
        Index(
            "uq_calendar_feed_one_now",
            "worker_id",
            unique=True,
            postgresql_where="revoked_at IS NULL",
        ),
    )

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    token_hash: Mapped[bytes]
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    read_on: Mapped[date | None]
    """The last day on which a program asked for it."""
