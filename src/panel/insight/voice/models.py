"""Tables of what families are asked and answer, and of what is told them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.insight.core.words import QUESTIONS
from panel.insight.voice.rules import Occasion, SurveyState
from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped

SAID_STATES = ("draft", "published", "withdrawn")


class Survey(ChildScoped):
    """The questions after one meeting, for one of the family: offered, and what became of it.

    The row is theirs: whoever else reaches the child reads it only where they showed it.
    """

    __tablename__ = "survey"
    __table_args__ = (
        one_of("occasion", Occasion),
        one_of("state", SurveyState),
        *(CheckConstraint(f"{one} BETWEEN 0 AND 5", name=one) for one in QUESTIONS),
        Index("uq_survey_occasion", "meeting_id", "child_id", "person_id", unique=True),
    )

    person_id: Mapped[UUID]
    """One of the family, or the young person under their own id (no foreign key)."""
    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    occasion: Mapped[str] = mapped_column(Text)
    offered_on: Mapped[date]
    state: Mapped[str] = mapped_column(Text, default=SurveyState.OFFERED.value)
    answered_at: Mapped[datetime | None]
    information: Mapped[int | None]
    """From 1 to 5; 0 for who cannot say; None for what was left out. So are the next four."""
    assessment: Mapped[int | None]
    transparency: Mapped[int | None]
    participation: Mapped[int | None]
    feedback: Mapped[int | None]
    is_shown: Mapped[bool] = mapped_column(default=False)
    """Whether those who work with the child may read it, with the name of who answered."""
    own_words = Sealed()


class SaidAndDone(Row):
    """What families said in general, and what was done. It is about no child."""

    __tablename__ = "said_and_done"
    __table_args__ = (
        one_of("state", SAID_STATES),
        CheckConstraint(
            "state <> 'published' OR (published_at IS NOT NULL AND published_by IS NOT NULL)",
            name="published",
        ),
        Index(
            "ix_said_and_done_published",
            "published_at",
            "id",
            postgresql_where="state = 'published'",
        ),
    )

    said: Mapped[str] = mapped_column(Text)
    done: Mapped[str] = mapped_column(Text)
    area_code: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    """A ward; None for the whole area."""
    table_key: Mapped[str | None] = mapped_column(Text)
    """The published table that it speaks of, by its key in the catalogue."""
    state: Mapped[str] = mapped_column(Text, default="draft")
    published_at: Mapped[datetime | None]
    published_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
