"""The plan, its desired outcomes and actions, and the lead professional who holds it."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, Text
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
    service_id: Mapped[UUID | None]
    """The service of the directory by which it is done (no foreign key)."""
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


# How an outcome is measured -----------------------------------------------------------------------

JUDGES = ("child", "parent", "worker")
Amount = Numeric(9, 2)


class OutcomeMeasure(ChildScoped):
    """What makes an outcome SMART beside its own words: from where to where, by when, who judges.

    `baseline_number` and `target_number` are in `unit`; the scale of 0 to 5 stays on the outcome.
    """

    __tablename__ = "outcome_measure"
    __table_args__ = (
        one_of("judged_by", JUDGES),
        Index("uq_outcome_measure_outcome", "outcome_id", unique=True),
    )

    outcome_id: Mapped[UUID] = mapped_column(ForeignKey("desired_outcome.id"))
    baseline_words = Sealed()
    baseline_number: Mapped[Decimal | None] = mapped_column(Amount)
    target_words = Sealed()
    target_number: Mapped[Decimal | None] = mapped_column(Amount)
    unit = Sealed()
    by_on: Mapped[date | None]
    judged_by: Mapped[str | None] = mapped_column(Text)
    scaling_question = Sealed()
    """Asked on a scale of 0 to 10; empty where none is asked."""


class MeasureReading(ChildScoped):
    """One reading on a day: on the outcome's own measure, or an answer to its scaling question."""

    __tablename__ = "outcome_reading"
    __table_args__ = (
        one_of("kind", ("number", "scaling")),
        one_of("said_by", JUDGES),
        CheckConstraint("kind <> 'scaling' OR value BETWEEN 0 AND 10", name="scale"),
        Index("ix_outcome_reading_outcome_id", "outcome_id", "on"),
    )

    outcome_id: Mapped[UUID] = mapped_column(ForeignKey("desired_outcome.id"))
    kind: Mapped[str] = mapped_column(Text)
    on: Mapped[date]
    value: Mapped[Decimal] = mapped_column(Amount)
    said_by: Mapped[str] = mapped_column(Text)
    note = Sealed()


class OutcomeNeed(ChildScoped):
    """A question of a signed-off assessment on which an outcome rests; the answer stays there."""

    __tablename__ = "outcome_need"
    __table_args__ = (
        Index(
            "uq_outcome_need",
            "outcome_id",
            "assessment_id",
            "section_key",
            "question_key",
            unique=True,
        ),
    )

    outcome_id: Mapped[UUID] = mapped_column(ForeignKey("desired_outcome.id"))
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessment.id"), index=True)
    section_key: Mapped[str] = mapped_column(Text)
    question_key: Mapped[str] = mapped_column(Text)


# What was agreed, and what each one said of it ----------------------------------------------------


class PlanVersion(ChildScoped):
    """A plan as it was agreed on a day. Never changed."""

    __tablename__ = "plan_version"
    __table_args__ = (Index("uq_plan_version_number", "plan_id", "number", unique=True),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"))
    number: Mapped[int]
    agreed_on: Mapped[date]
    content = Sealed()
    """JSON of `panel.plans.versions.AgreedContent`."""


@watched("agrees")
class PlanAnswer(ChildScoped):
    """What one person says of a version, in their own words: one of the family, or a worker."""

    __tablename__ = "plan_answer"
    __table_args__ = (
        one_of("agrees", ("yes", "no", "cannot_answer")),
        CheckConstraint("num_nonnulls(person_id, worker_id) = 1", name="one_person"),
        CheckConstraint("worker_id IS NULL OR written_by_agency_id IS NULL", name="own_words"),
        Index(
            "uq_plan_answer_person",
            "version_id",
            "person_id",
            unique=True,
            postgresql_where="person_id IS NOT NULL",
        ),
        Index(
            "uq_plan_answer_worker",
            "version_id",
            "worker_id",
            unique=True,
            postgresql_where="worker_id IS NOT NULL",
        ),
    )

    version_id: Mapped[UUID] = mapped_column(ForeignKey("plan_version.id"))
    person_id: Mapped[UUID | None]
    """One of the family, or the young person under their own id (no foreign key)."""
    worker_id: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"))
    written_by_agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    """Set when a worker wrote down what was said."""
    agrees: Mapped[str] = mapped_column(Text)
    words = Sealed()
    on: Mapped[date]


class ContingencyPlan(ChildScoped):
    """What to do when something goes wrong: one page per child, in plain words."""

    __tablename__ = "contingency_plan"
    __table_args__ = (Index("uq_contingency_plan_child", "child_id", unique=True),)

    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    checked_on: Mapped[date]
    """The day on which it was last gone through with the family."""
    must_know = Sealed()
    carer_ill = Sealed()
    child_ill = Sealed()
    equipment = Sealed()
    school_closed = Sealed()
    worse = Sealed()
    who_to_ring = Sealed()


class ActionChase(ChildScoped):
    """Who was reminded of an overdue action: its owner, then the manager, once for each date."""

    __tablename__ = "action_chase"
    __table_args__ = (
        one_of("step", ("owner", "manager")),
        Index("uq_action_chase_step", "action_id", "due_on", "step", unique=True),
        Index("ix_action_chase_worker", "worker_id", "step"),
    )

    action_id: Mapped[UUID] = mapped_column(ForeignKey("action.id"))
    due_on: Mapped[date]
    """The day on which it was due when they were reminded."""
    step: Mapped[str] = mapped_column(Text)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    on: Mapped[date]
