"""Requests for service, decisions about them, what is not met, and who waits for a place."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric, Text, false, true
from sqlalchemy.orm import Mapped, mapped_column

from panel.allocation.rules import (
    AppealOutcome,
    Grounds,
    Kind,
    LeftWhy,
    LegalBasis,
    NeedCode,
    OfferAnswer,
    RequestState,
    Unit,
    Urgency,
    WaitingState,
)
from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped


def units() -> Mapped[Decimal | None]:
    """How much of a service: an exact number of its units."""
    return mapped_column(Numeric(12, 3))


class ServiceRequest(ChildScoped):
    """What is asked for a child, on which legal basis; a draft until it is sent to a panel."""

    __tablename__ = "service_request"
    __table_args__ = (
        one_of("state", RequestState),
        one_of("legal_basis", LegalBasis),
        one_of("need_code", NeedCode),
        one_of("unit", Unit),
        one_of("urgency", Urgency),
        Index("uq_service_request_reference", "reference", unique=True),
        Index("ix_service_request_panel", "panel_id", "state"),
    )

    panel_id: Mapped[UUID | None] = mapped_column(ForeignKey("panel.id"))
    referral_id: Mapped[UUID | None] = mapped_column(ForeignKey("referral.id"))
    """The place on the panel's list that sending opened."""
    reference: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="draft")
    legal_basis: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text, default="social_care")
    """The strictest kind of information in its texts, as their author names it."""
    need = Sealed()
    need_code: Mapped[str | None] = mapped_column(Text)
    outcome = Sealed()
    tried = Sealed()
    asked_for = Sealed()
    service_id: Mapped[UUID | None]
    """A service of the directory (no foreign key)."""
    asked_units: Mapped[Decimal | None] = units()
    unit: Mapped[str | None] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(Text, default="routine")
    urgency_why = Sealed()
    family_wishes = Sealed()
    assessment_id: Mapped[UUID | None] = mapped_column(ForeignKey("assessment.id"))
    level_of_need: Mapped[str | None] = mapped_column(Text)
    """As it was judged when the request was sent."""
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    sent_on: Mapped[date | None]
    sent_by: Mapped[UUID | None]
    tie_until: Mapped[date | None]
    """The last day on which it ties the panel's people to the child; None while it is before them.

    Kept by `before_panel.keep_tied`.
    """
    withdrawn_why = Sealed()


class CriterionSet(Row):
    """One version of the authority's criteria. Decisions keep the version they were made by."""

    __tablename__ = "criterion_set"
    __table_args__ = (Index("uq_criterion_set_from", "from_on", unique=True),)

    from_on: Mapped[date]
    until_on: Mapped[date | None]
    name: Mapped[str] = mapped_column(Text)


class Criterion(Row):
    """One criterion of one version. What is about duties is never mixed with what is about powers.

    Source: DOMAIN.md, "A duty is not a wish".
    """

    __tablename__ = "criterion"
    __table_args__ = (Index("uq_criterion_key", "set_id", "key", unique=True),)

    set_id: Mapped[UUID] = mapped_column(ForeignKey("criterion_set.id"))
    key: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    is_duty: Mapped[bool]


class RequestDecision(ChildScoped):
    """What a panel decided about a request. It is only added to; the newest that stands counts."""

    __tablename__ = "request_decision"
    __table_args__ = (
        one_of("kind", Kind),
        one_of("because", Grounds),
        Index(
            "uq_request_decision_stands",
            "request_id",
            unique=True,
            postgresql_where="stands",
        ),
        Index(
            "ix_request_decision_to_ratify",
            "panel_id",
            postgresql_where="chairs_action AND ratified_at IS NULL AND stands",
        ),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("service_request.id"), index=True)
    panel_id: Mapped[UUID] = mapped_column(ForeignKey("panel.id"))
    meeting_id: Mapped[UUID | None] = mapped_column(ForeignKey("meeting.id"))
    kind: Mapped[str] = mapped_column(Text)
    criterion_id: Mapped[UUID] = mapped_column(ForeignKey("criterion.id"))
    because: Mapped[str | None] = mapped_column(Text)
    """Why it is less than what was asked for; None where all of it is agreed."""
    reasons = Sealed()
    """For the panel; never in a letter."""
    reasons_for_family = Sealed()
    conditions = Sealed()
    nothing_unmet = Sealed()
    """Why less than what was asked for leaves no need unmet."""
    review_on: Mapped[date]
    agreed_units: Mapped[Decimal | None] = units()
    decided_on: Mapped[date]
    decided_by: Mapped[UUID]
    chairs_action: Mapped[bool] = mapped_column(default=False, server_default=false())
    ratified_meeting_id: Mapped[UUID | None] = mapped_column(ForeignKey("meeting.id"))
    ratified_at: Mapped[datetime | None]
    stands: Mapped[bool] = mapped_column(default=True, server_default=true())


class Appeal(ChildScoped):
    """The family asks the panel to look again."""

    __tablename__ = "appeal"
    __table_args__ = (
        one_of("outcome", AppealOutcome),
        Index("uq_appeal_open", "decision_id", unique=True, postgresql_where="outcome IS NULL"),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("service_request.id"), index=True)
    decision_id: Mapped[UUID] = mapped_column(ForeignKey("request_decision.id"))
    asked_on: Mapped[date]
    by_person: Mapped[UUID | None]
    """One of the family, or the young person under their own id (no foreign key)."""
    grounds = Sealed()
    answer_by: Mapped[date]
    outcome: Mapped[str | None] = mapped_column(Text)
    outcome_why = Sealed()
    decided_on: Mapped[date | None]
    decided_by: Mapped[UUID | None]


class DecisionLetter(ChildScoped):
    """The letter to the family about one decision. Once approved it is never written over."""

    __tablename__ = "decision_letter"
    __table_args__ = (Index("uq_decision_letter_decision", "decision_id", unique=True),)

    decision_id: Mapped[UUID] = mapped_column(ForeignKey("request_decision.id"))
    body = Sealed()
    kept_why = Sealed()
    """Why names or numbers that were marked stay in it."""
    approved_on: Mapped[date]
    approved_by: Mapped[UUID]


class LetterCopy(ChildScoped):
    """One letter for one person with parental responsibility: how it goes, and how far it is."""

    __tablename__ = "letter_copy"
    __table_args__ = (
        one_of("way", ("email", "letter")),
        one_of("state", ("waiting", "sent", "opened")),
        Index("uq_letter_copy_person", "letter_id", "person_id", unique=True),
    )

    letter_id: Mapped[UUID] = mapped_column(ForeignKey("decision_letter.id"))
    person_id: Mapped[UUID]
    """One of the family, or the young person under their own id (no foreign key)."""
    way: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="waiting")
    outbox_id: Mapped[UUID | None]
    sent_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(Text)
    """Why it has not gone: a sentence without anything about a person."""


class UnmetNeed(ChildScoped):
    """What is needed and could not be given, and why; closed when it is met."""

    __tablename__ = "unmet_need"
    __table_args__ = (
        one_of("need_code", NeedCode),
        one_of("reason", Grounds),
        Index("ix_unmet_need_open", "from_on", "id", postgresql_where="until_on IS NULL"),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("service_request.id"), index=True)
    decision_id: Mapped[UUID | None] = mapped_column(ForeignKey("request_decision.id"))
    service_id: Mapped[UUID | None]
    need_code: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    words = Sealed()
    """The family's own."""
    units_needed: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    units_agreed: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    unit: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    closed_why = Sealed()


class Waiting(ChildScoped):
    """A child who waits for a place at a service."""

    __tablename__ = "waiting"
    __table_args__ = (
        one_of("priority", Urgency),
        one_of("state", WaitingState),
        one_of("left_why", LeftWhy),
        Index("ix_waiting_service", "service_id", "state", "since_on"),
        Index(
            "uq_waiting_request",
            "request_id",
            "service_id",
            unique=True,
            postgresql_where="state IN ('waiting', 'offered')",
        ),
    )

    service_id: Mapped[UUID]
    request_id: Mapped[UUID] = mapped_column(ForeignKey("service_request.id"), index=True)
    since_on: Mapped[date]
    priority: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="waiting")
    left_on: Mapped[date | None]
    left_why: Mapped[str | None] = mapped_column(Text)
    left_words = Sealed()
    """The family's own, or how the need is met."""


class PlaceOffer(ChildScoped):
    """A place that a child was offered, and the family's answer."""

    __tablename__ = "place_offer"
    __table_args__ = (
        one_of("answer", OfferAnswer),
        Index("uq_place_offer_open", "waiting_id", unique=True, postgresql_where="answer IS NULL"),
    )

    waiting_id: Mapped[UUID] = mapped_column(ForeignKey("waiting.id"), index=True)
    offered_on: Mapped[date]
    answer_by: Mapped[date]
    answer: Mapped[str | None] = mapped_column(Text)
    answered_on: Mapped[date | None]
    why = Sealed()
    """The family's own words."""
