"""How a case was closed, and reopened."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Sealed, one_of
from panel.records.child_scoped import ChildScoped
from panel.register.models import CLOSURES


class CaseClosure(ChildScoped):
    """One closing of an episode; where it was reopened, the row stays and says since when."""

    __tablename__ = "case_closure"
    __table_args__ = (
        one_of("reason", CLOSURES),
        Index(
            "uq_case_closure_episode",
            "episode_id",
            unique=True,
            postgresql_where="reopened_on IS NULL",
        ),
    )

    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episode.id"))
    reason: Mapped[str] = mapped_column(Text)
    closed_on: Mapped[date]
    level_then: Mapped[str | None] = mapped_column(Text)
    level_now: Mapped[str | None] = mapped_column(Text)
    what_next = Sealed()
    """What happens next, in words that the family reads."""
    left_with = Sealed()
    """With whom what is still open was left."""
    told_family_on: Mapped[date | None]
    reopened_on: Mapped[date | None]
    reopened_because = Sealed()
