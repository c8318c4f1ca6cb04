"""Changes in a child's life that somebody prepares, and what the nightly watch found missing."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.casework.transition_rules import STATES, TransitionKind
from panel.platform.tables import Sealed, one_of
from panel.records.child_scoped import ChildScoped


class Transition(ChildScoped):
    """A change to prepare: found from dates and what happened, or written down by a worker."""

    __tablename__ = "transition"
    __table_args__ = (
        one_of("kind", TransitionKind),
        one_of("state", STATES),
        Index("uq_transition_kind_due", "child_id", "kind", "due_on", unique=True),
        Index("ix_transition_due", "due_on", "id"),
    )

    kind: Mapped[str] = mapped_column(Text)
    watch_from: Mapped[date]
    """From when somebody should prepare it: it is on the lists from here on."""
    due_on: Mapped[date]
    """The day on which it happens, or by which the law wants it done."""
    found: Mapped[bool] = mapped_column(default=False)
    """Found from dates and events; a worker wrote the others down."""
    state: Mapped[str] = mapped_column(Text, default="watched")
    owner_worker_id: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"), index=True)
    receiving_agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    author_agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    """Whose worker wrote it down, or wrote the plan for it first; None where it was found."""
    handed_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    """Since when it is done, or not needed."""
    plan = Sealed()
    reason = Sealed()
    """Why nobody needs to prepare it."""


class Gap(ChildScoped):
    """One child without one next step, from the night it was found until the night it was gone.

    Process facts alone: which kind, of which row, since when, and who might mend it.
    """

    __tablename__ = "gap"
    __table_args__ = (
        Index(
            "uq_gap_open",
            "kind",
            "about_id",
            unique=True,
            postgresql_where="closed_on IS NULL",
        ),
        Index("ix_gap_open_since", "since_on", "id", postgresql_where="closed_on IS NULL"),
    )

    kind: Mapped[str] = mapped_column(Text)
    about_id: Mapped[UUID]
    """The row that it is about: an episode, a referral, a transition, … (no foreign key)."""
    since_on: Mapped[date]
    """Since when the next step is missing."""
    found_on: Mapped[date]
    closed_on: Mapped[date | None]
    worker_id: Mapped[UUID | None]
    """Who is to do something about it, where one person is (no foreign key)."""
    agency_id: Mapped[UUID | None]
    """Whose manager should know: the worker's agency, or the one that leads (no foreign key)."""
