"""The plan, its desired outcomes and actions, and the lead professional who holds it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Sealed, one_of
from panel.records.child_scoped import ChildScoped
from panel.records.record_change import watched


@watched("state")
class Plan(ChildScoped):
    """What should change for the child. One is current; earlier ones stay readable."""

    __tablename__ = "plan"
    __table_args__ = (one_of("state", ("draft", "agreed", "replaced", "ended")),)

    number: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(Text, default="draft")
    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    summary = Sealed()
    started_on: Mapped[date]
    agreed_on: Mapped[date | None]
    replaced_on: Mapped[date | None]


@watched("state", "baseline")
class DesiredOutcome(ChildScoped):
    """What should be different, and how we will know."""

    __tablename__ = "desired_outcome"
    __table_args__ = (one_of("state", ("working_towards", "reached", "stopped")),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"), index=True)
    position: Mapped[int]
    text = Sealed()
    measure = Sealed()
    state: Mapped[str] = mapped_column(Text, default="working_towards")
    baseline: Mapped[int | None]
    target: Mapped[int | None]
    """On a scale of 0 to 5, where one is used."""


class OutcomeProgress(ChildScoped):
    """Where things stood on a day."""

    __tablename__ = "outcome_progress"

    outcome_id: Mapped[UUID] = mapped_column(ForeignKey("desired_outcome.id"), index=True)
    on: Mapped[date]
    value: Mapped[int | None]
    note = Sealed()


@watched("state", "due_on")
class Action(ChildScoped):
    """Who does what by when."""

    __tablename__ = "action"
    __table_args__ = (
        one_of("state", ("to_do", "doing", "done", "dropped")),
        Index("ix_action_owner", "owner_worker_id", "state", "due_on"),
        Index("uq_action_moved_from", "moved_from", unique=True),
    )

    plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("plan.id"), index=True)
    outcome_id: Mapped[UUID | None] = mapped_column(ForeignKey("desired_outcome.id"))
    meeting_id: Mapped[UUID | None]
    text = Sealed()
    owner_worker_id: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"))
    owner_words = Sealed()
    """Who, when it is not a worker: "Mum"."""
    due_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(Text, default="to_do")
    done_on: Mapped[date | None]
    note = Sealed()
    moved_away_at: Mapped[datetime | None]
    """It was on the wrong child: nothing of it is left here, and another row says it there."""
    moved_from: Mapped[UUID | None]
    """The row on the wrong child that this one was (no foreign key: rows are fenced by child)."""
    moved_why = Sealed()


@watched("state")
class LeadProfessional(ChildScoped):
    """An offer to hold the plan and what became of it. Dated, never deleted."""

    __tablename__ = "lead_professional"
    __table_args__ = (
        one_of("state", ("offered", "accepted", "declined", "withdrawn", "ended")),
        Index("ix_lead_professional_worker", "worker_id", "state"),
        Index(
            "uq_lead_professional_one_now",
            "child_id",
            unique=True,
            postgresql_where="state = 'accepted'",
        ),
    )

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    state: Mapped[str] = mapped_column(Text, default="offered")
    offered_on: Mapped[date]
    offered_by: Mapped[UUID]
    answered_on: Mapped[date | None]
    reason = Sealed()
    """Why declined, or why it ended."""
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]
    role: Mapped[str] = mapped_column(Text, default="main", server_default="main")
    """main: holds the plan, one a day. joint: leads beside whoever does, for days with an end."""
    joint_until: Mapped[date | None]
    """Until when whoever held the plan before stays beside, as it was offered."""
    note = Sealed()
    """What the next one should know."""
    family: Mapped[str | None] = mapped_column(Text)
    """What the family says of the handover: said, asked (no answer yet), could_not_ask."""
    family_words = Sealed()
    """Their words, or why they could not be asked."""
    over_limit = Sealed()
    """Why it is right although they hold as many plans as the limit says, or more."""
    budget_from: Mapped[date | None]
    budget_until: Mapped[date | None]
    """The days on which they also hold the child's budget."""
    budget_by: Mapped[UUID | None]
    """Who gave it to them."""


@watched("state", "until_on")
class LeadCover(ChildScoped):
    """Who stands in for the lead professional on some days. Dated, never deleted.

    A cover that is cut short is ended; whoever holds the plan holds it again by itself.
    """

    __tablename__ = "lead_cover"
    __table_args__ = (
        one_of("state", ("offered", "accepted", "declined", "withdrawn", "ended")),
        CheckConstraint("from_on <= until_on", name="days"),
        Index("ix_lead_cover_worker", "worker_id", "state"),
    )

    lead_id: Mapped[UUID] = mapped_column(ForeignKey("lead_professional.id"), index=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    state: Mapped[str] = mapped_column(Text, default="offered")
    from_on: Mapped[date]
    until_on: Mapped[date]
    offered_on: Mapped[date]
    offered_by: Mapped[UUID]
    answered_on: Mapped[date | None]
    reason = Sealed()
    """Why declined, or why it ended early."""


class LeadWish(ChildScoped):
    """Whom the family would like as lead professional, in their words. The newest counts."""

    __tablename__ = "lead_wish"

    worker_id: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"))
    """None where they named nobody who works here, or said whom they would not like."""
    said_on: Mapped[date]
    said_by = Sealed()
    words = Sealed()


class FamilyClearance(ChildScoped):
    """Somebody read what is marked in a line of a plan, and says that the family may read it.

    It is about these words: once the line says others, it no longer counts. Only ever added to,
    until the line is moved to another child.
    """

    __tablename__ = "family_clearance"
    __table_args__ = (CheckConstraint("num_nonnulls(action_id, outcome_id) = 1", name="one_line"),)

    action_id: Mapped[UUID | None] = mapped_column(ForeignKey("action.id"), index=True)
    outcome_id: Mapped[UUID | None] = mapped_column(ForeignKey("desired_outcome.id"), index=True)
    words = Sealed()
    """What the line said."""
    marked = Sealed()
    """What was marked in it: JSON, a list of `FoundWords.key`."""
    why = Sealed()
