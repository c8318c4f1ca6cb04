"""Tables that analysts ask for, and what was answered."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from panel.insight.core.words import Level
from panel.platform.tables import Row, one_of

STATES = ("asked", "joins", "declined")


class TableWish(Row):
    """A table that a commissioner asks for, and the answer of the lead for information governance.

    Nothing is counted for it: a table is published when it joins the catalogue, for everybody.
    """

    __tablename__ = "table_wish"
    __table_args__ = (
        one_of("level", tuple(Level)),
        one_of("state", STATES),
        CheckConstraint(
            "(state = 'asked') = (answered_at IS NULL)"
            " AND (state = 'joins') = (joins_in IS NOT NULL)"
            " AND (state <> 'declined' OR reason IS NOT NULL)",
            name="answer",
        ),
        Index("ix_table_wish_created_at", "created_at", "id"),
    )

    question: Mapped[str] = mapped_column(Text)
    """What the table would answer, in words."""
    about: Mapped[str] = mapped_column(Text)
    """A code of `wishes.ABOUT`: what is counted."""
    dims: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """By what it is told apart, besides areas: codes of `wishes.BY`."""
    level: Mapped[str] = mapped_column(Text)
    decision: Mapped[str] = mapped_column(Text)
    """What decision it would inform."""
    state: Mapped[str] = mapped_column(Text, default="asked")
    joins_in: Mapped[str | None] = mapped_column(Text)
    """The version of the catalogue in which it joins."""
    reason: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"))
    answered_at: Mapped[datetime | None]
