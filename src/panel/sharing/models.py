"""The facts that sharing is decided by: agreements, restrictions, orders, overrides, enquiries."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from consent import Finding
from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped
from panel.records.record_change import watched

UUIDS = ARRAY(PG_UUID(as_uuid=True))
TEXTS = ARRAY(Text)


@watched("until_on")
class SharingAgreement(ChildScoped):
    """An agreement to share, or a refusal. Withdrawn, never deleted."""

    __tablename__ = "sharing_agreement"
    __table_args__ = (
        one_of("level", ("basic", "additional")),
        Index("uq_sharing_agreement_renews_id", "renews_id", unique=True),
        Index("ix_sharing_agreement_lapses_on", "child_id", "lapses_on"),
        Index("ix_sharing_agreement_lapses_as", "child_id", "lapses_as", "lapses_on", "id"),
        Index(
            "ix_sharing_agreement_never_began",
            "child_id",
            "from_on",
            postgresql_where=text("lapses_on < from_on"),
        ),
    )

    given: Mapped[bool]
    by_person_id: Mapped[UUID]
    """A family member's id, or the child's own."""
    capacity: Mapped[str] = mapped_column(Text)
    """parental_responsibility, own, own_competent, best_interests."""
    by_words: Mapped[str] = mapped_column(Text)
    agencies: Mapped[list[UUID]] = mapped_column(UUIDS)
    not_agencies: Mapped[list[UUID]] = mapped_column(UUIDS, default=list)
    level: Mapped[str | None] = mapped_column(Text)
    named: Mapped[list[str]] = mapped_column(TEXTS, default=list)
    purposes: Mapped[list[str]] = mapped_column(TEXTS)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    withdrawn_at: Mapped[datetime | None]
    how_explained = Sealed()
    evidence = Sealed()
    interpreter: Mapped[str | None] = mapped_column(Text)
    assessment_id: Mapped[UUID | None]
    renews_id: Mapped[UUID | None]
    """The agreement whose terms this one carries on after a new conversation."""
    basis: Mapped[str | None] = mapped_column(Text)
    """On what parental responsibility rested on the day it was recorded."""
    objected: Mapped[list[UUID] | None] = mapped_column(UUIDS)
    """Agencies that another parent had agreed to: this no to them became an objection."""
    lapses_on: Mapped[date] = mapped_column(server_default="9999-12-31")
    """The day on which it ends or is withdrawn; a trigger keeps it, as it does `lapses_as`."""
    lapses_as: Mapped[UUID | None]
    """The same for all that lapse in the same words; None for a refusal, which is not told."""


class SharingObjection(ChildScoped):
    """Somebody with parental responsibility objects to what another agreed."""

    __tablename__ = "sharing_objection"

    by_person_id: Mapped[UUID]
    by_words: Mapped[str] = mapped_column(Text)
    agencies: Mapped[list[UUID]] = mapped_column(UUIDS, default=list)
    categories: Mapped[list[str]] = mapped_column(TEXTS, default=list)
    raised_on: Mapped[date]
    reason = Sealed()
    decided_on: Mapped[date | None]
    upheld: Mapped[bool] = mapped_column(default=False)
    decision_reason = Sealed()
    decided_by: Mapped[UUID | None]
    """The coordinator; None where the young person's own word closed it."""
    purposes: Mapped[list[str]] = mapped_column(TEXTS, default=list, server_default="{}")
    """For what it is not to be shared; none is for everything."""


@watched("until_on")
class SharingRestriction(ChildScoped):
    """Something withheld from somebody: protection, or choice."""

    __tablename__ = "sharing_restriction"
    __table_args__ = (one_of("kind", ("protection", "choice")),)

    kind: Mapped[str] = mapped_column(Text)
    categories: Mapped[list[str]] = mapped_column(TEXTS, default=list)
    against: Mapped[list[UUID]] = mapped_column(UUIDS, default=list)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    silent: Mapped[bool] = mapped_column(default=False)
    by_words: Mapped[str] = mapped_column(Text, default="")
    by_person_id: Mapped[UUID | None]
    """Whose choice it is: a family member's id, or the child's own."""
    reason = Sealed()
    ended_at: Mapped[datetime | None]
    """Ended before its time, at once: then `until_on` is the last whole day on which it held."""
    ended_by: Mapped[UUID | None]
    ended_why = Sealed()


class SharingOrder(ChildScoped):
    """A court's order that permits or forbids a disclosure."""

    __tablename__ = "sharing_order"

    permits: Mapped[bool]
    categories: Mapped[list[str]] = mapped_column(TEXTS, default=list)
    to: Mapped[list[UUID]] = mapped_column(UUIDS, default=list)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    silent: Mapped[bool] = mapped_column(default=False)
    reference: Mapped[str] = mapped_column(Text, default="")
    reason = Sealed()
    """What the order says, in the recorder's words."""
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_why = Sealed()


class OrderToConfirm(ChildScoped):
    """A court's order in favour of whoever recorded it: it counts once another has seen it."""

    __tablename__ = "order_to_confirm"

    categories: Mapped[list[str]] = mapped_column(TEXTS, default=list)
    to: Mapped[list[UUID]] = mapped_column(UUIDS, default=list)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    silent: Mapped[bool] = mapped_column(default=False)
    reference: Mapped[str] = mapped_column(Text, default="")
    reason = Sealed()
    """What the order says, in the recorder's words."""
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None]
    evidence = Sealed()
    """What whoever answered has seen."""
    order_id: Mapped[UUID | None]
    """The order that counts since it was confirmed; None where it waits, or was not confirmed."""


class SharingOverride(ChildScoped):
    """A safeguarding override: reason, author, time limit."""

    __tablename__ = "sharing_override"

    to_id: Mapped[UUID]
    categories: Mapped[list[str]] = mapped_column(TEXTS, default=list)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason = Sealed()
    author_id: Mapped[UUID | None]
    """Who opened the record; None for one that was not asked for on a page."""
    kept_from_family: Mapped[bool | None]
    """Whether telling the family would put someone at risk; `family_risk` says whom and how.

    Their page of who looked leaves out what was seen by such an override.
    """
    family_risk = Sealed()
    review_by: Mapped[date | None]
    """By when a Caldicott guardian or safeguarding lead reviews it; None: not to be reviewed."""
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[UUID | None]
    justified: Mapped[bool | None]
    review_note = Sealed()
    steps: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """What follows where it was not justified: code of a step → the day it was done."""
    closed_on: Mapped[date | None]


class SharingEnquiry(ChildScoped):
    """A safeguarding enquiry (Children Act 1989 s.47) and the agencies that make it."""

    __tablename__ = "sharing_enquiry"

    agencies: Mapped[list[UUID]] = mapped_column(UUIDS)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    reason = Sealed()
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_why = Sealed()


class FormerIdentity(ChildScoped):
    """Who a child was before an adoption, shown to those alone whom its protection leaves.

    In no index: nobody finds a child by it, and the register never reads it.
    """

    __tablename__ = "former_identity"

    given_name = Sealed()
    family_name = Sealed()
    nhs_number = Sealed()
    open_to: Mapped[list[UUID]] = mapped_column(UUIDS)
    """Agencies and workers; a court may open it to others."""
    reason = Sealed()
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_why = Sealed()


class OverrideAttempt(Row):
    """Somebody asked to open a record by its reference and nothing was opened.

    Which reference is not kept: that would tell later who is known here.
    """

    __tablename__ = "override_attempt"

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"), index=True)
    on: Mapped[date]


class AgenciesAgreement(Row):
    """One version of what agencies agreed with each other about sharing; about no child."""

    __tablename__ = "agencies_agreement"
    __table_args__ = (
        Index("uq_agencies_agreement_agreement_id_number", "agreement_id", "number", unique=True),
    )

    agreement_id: Mapped[UUID]
    """The same for every version."""
    number: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    parties: Mapped[list[UUID]] = mapped_column(UUIDS)
    categories: Mapped[list[str]] = mapped_column(TEXTS)
    purposes: Mapped[list[str]] = mapped_column(TEXTS)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    review_on: Mapped[date]
    why: Mapped[str] = mapped_column(Text)
    """What this version changes, and why."""


class Gateway(Row):
    """A statutory duty or gateway as dated data; one may be present and off."""

    __tablename__ = "gateway"

    code: Mapped[str] = mapped_column(Text, unique=True)
    words: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    categories: Mapped[list[str]] = mapped_column(TEXTS)
    purposes: Mapped[list[str]] = mapped_column(TEXTS)
    agency_kinds: Mapped[list[str]] = mapped_column(TEXTS, default=list)
    roles: Mapped[list[str]] = mapped_column(TEXTS, default=list)
    ties: Mapped[list[str]] = mapped_column(TEXTS, default=list)
    commenced_on: Mapped[date | None]
    ended_on: Mapped[date | None]


class AccessRequest(ChildScoped):
    """Somebody asks to see what is withheld; lapses to refused after ten working days."""

    __tablename__ = "access_request"
    __table_args__ = (
        one_of("state", ("asked", "agreed", "refused", "lapsed")),
        Index("uq_access_request_involvement", "involvement_id", "category", unique=True),
    )

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    category: Mapped[str] = mapped_column(Text)
    reason = Sealed()
    asked_on: Mapped[date]
    state: Mapped[str] = mapped_column(Text, default="asked")
    purpose: Mapped[str | None] = mapped_column(Text)
    """What for; None where it was asked before requests carried one."""
    answered_on: Mapped[date | None]
    answered_by: Mapped[UUID | None]
    """The worker who answered; None for one that lapsed."""
    answer = Sealed()
    basis: Mapped[str | None] = mapped_column(Text)
    """On what it was agreed: a `consent.Basis`."""
    agreement_id: Mapped[UUID | None]
    involvement_id: Mapped[UUID | None]
    """The expected part of an agency on whose behalf it was opened when its day came."""
    ring_asked_at: Mapped[datetime | None]
    """When the family asked to be rung about it."""


class SharingJudgement(ChildScoped):
    """What a worker judged about who can decide, or what is best; about one matter, on one day."""

    __tablename__ = "sharing_judgement"
    __table_args__ = (one_of("finding", Finding),)

    finding: Mapped[str] = mapped_column(Text)
    matter: Mapped[str] = mapped_column(Text)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    made_on: Mapped[date]
    why = Sealed()
    consulted = Sealed()
    """Who was asked: the young person first, family, carers, workers."""
