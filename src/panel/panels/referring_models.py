"""What became of a referral, whoever referred the child and by whichever way."""

from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Sealed, one_of
from panel.records.child_scoped import ChildScoped

WAYS = ("worker", "form", "letter", "telephone", "family", "system")


class ReferralAnswer(ChildScoped):
    """When a referral has to be acknowledged, the episode it belongs to, and whether it fits."""

    __tablename__ = "referral_answer"
    __table_args__ = (
        one_of("way", WAYS),
        one_of("outcome", ("eligible", "not_eligible")),
        CheckConstraint(
            "(outcome IS NULL) = (decided_on IS NULL) AND (outcome IS NULL) = (decided_by IS NULL)",
            name="decided",
        ),
        Index("uq_referral_answer_referral", "referral_id", unique=True),
        Index(
            "ix_referral_answer_waiting",
            "acknowledge_by",
            postgresql_where="acknowledged_on IS NULL",
        ),
    )

    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"))
    way: Mapped[str] = mapped_column(Text)
    """How it came: one of `WAYS`."""
    acknowledge_by: Mapped[date]
    """The last day for it: so many working days after it came (a setting)."""
    acknowledged_on: Mapped[date | None]
    acknowledged_how: Mapped[str | None] = mapped_column(Text)
    """"email", or "letter" where somebody prints and posts it."""
    episode_id: Mapped[UUID | None] = mapped_column(ForeignKey("episode.id"))
    joins: Mapped[bool] = mapped_column(default=False)
    """Whether it went on with an episode that had been closed."""
    outcome: Mapped[str | None] = mapped_column(Text)
    decided_on: Mapped[date | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"))
    criteria: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Those that are not met, in the words of the setting of that day."""
    reasons = Sealed()
    what_else = Sealed()
    """What else there is for a child who is not eligible."""
