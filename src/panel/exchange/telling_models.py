"""What other systems are told by themselves: subscriptions, deliveries, exports; and pulls."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped

SUBSCRIPTION_STATES = ("requested", "active", "error", "off")
DELIVERY_STATES = ("waiting", "sent", "dead", "withheld", "given_up")
EXPORT_STATES = ("waiting", "ready", "failed", "cancelled")


class Subscription(Row):
    """A client wants to be told when resources of a type change (R4 Subscription, rest-hook)."""

    __tablename__ = "subscription"
    __table_args__ = (one_of("state", SUBSCRIPTION_STATES),)

    client_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_client.id"), index=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    resource: Mapped[str] = mapped_column(Text)
    """The FHIR type."""
    patient_id: Mapped[UUID | None]
    """Of whom; None for all whom the client reaches. No promise that there is such a child."""
    endpoint: Mapped[str] = mapped_column(Text)
    payload: Mapped[str] = mapped_column(Text)
    """The media type of what is sent; empty where nothing is."""
    headers = Sealed(holder="agency_id")
    """Lines "Name: value" that are sent along: they hold a secret of the client's."""
    reason: Mapped[str] = mapped_column(Text)
    end_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(Text)
    failure: Mapped[str | None] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(default=0)
    """Of the handshake."""
    next_at: Mapped[datetime]
    since: Mapped[datetime]
    """What changed before is not told."""
    looked_until: Mapped[datetime]
    number: Mapped[int] = mapped_column(default=0)
    """Of the last event that was sent, or tried to be."""
    ended_at: Mapped[datetime | None]
    """When its client took it away."""


class Delivery(ChildScoped):
    """One thing that a subscription is to be told: which resource changed, and nothing of it.

    Its id is the event's, however often it is sent.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        one_of("state", DELIVERY_STATES),
        Index("uq_delivery_sequence", "subscription_id", "child_id", "sequence", unique=True),
        Index(
            "uq_delivery_told",
            "subscription_id",
            "resource",
            "resource_id",
            "told_at",
            unique=True,
        ),
        Index(
            "ix_delivery_waiting",
            "subscription_id",
            "child_id",
            "sequence",
            postgresql_where="state = 'waiting'",
        ),
        Index("ix_delivery_dead", "next_at", postgresql_where="state = 'dead'"),
    )

    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("subscription.id"))
    sequence: Mapped[int]
    """Its place among what the subscription is told of the child."""
    number: Mapped[int | None]
    """The event's number in the subscription. Given when it first goes, so that what is withheld
    leaves no gap."""
    resource: Mapped[str] = mapped_column(Text)
    resource_id: Mapped[UUID]
    told_at: Mapped[datetime]
    """When the resource became so."""
    state: Mapped[str] = mapped_column(Text, default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    """Not before; while it is being sent, when somebody else may take it for left behind."""
    failure: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[datetime | None]


class ExportJob(Row):
    """A client asked for everything that it may be told, as files (Bulk Data Access)."""

    __tablename__ = "export_job"
    __table_args__ = (
        one_of("state", EXPORT_STATES),
        Index("ix_export_job_client_state", "client_id", "state"),
    )

    client_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_client.id"))
    asked: Mapped[str] = mapped_column(Text)
    """The address as it was asked for: types and an instant, nothing about a child."""
    types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    since: Mapped[datetime | None]
    group_id: Mapped[UUID | None]
    """The panel of whose children it is; None for all whom the client reaches."""
    patient_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    """Of whom alone, where they were named. No promise that there are such children."""
    state: Mapped[str] = mapped_column(Text, default="waiting")
    as_of: Mapped[datetime | None]
    """What changed after it is not in it."""
    ends_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    """When somebody may take it; it is put off while it is made."""


class ExportPart(Row):
    """One file of an export, all of one type."""

    __tablename__ = "export_part"
    __table_args__ = (Index("uq_export_part_number", "job_id", "resource", "number", unique=True),)

    client_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_client.id"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("export_job.id"))
    resource: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    row_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    """Of a type that is about no child: which rows."""


class ExportLine(ChildScoped):
    """One resource of a file, as its source read it when the export was made."""

    __tablename__ = "export_line"
    __table_args__ = (Index("uq_export_line_place", "part_id", "place", unique=True),)

    part_id: Mapped[UUID] = mapped_column(ForeignKey("export_part.id"))
    place: Mapped[int]
    line: Mapped[str] = mapped_column(Text)
    """JSON; what is sealed in its own table is sealed here, by the child's key."""


class PullSource(Row):
    """Another system that is asked by schedule what changed there."""

    __tablename__ = "pull_source"

    client_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_client.id"), index=True)
    """As whose sending it lands."""
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    base: Mapped[str] = mapped_column(Text)
    token_address: Mapped[str | None] = mapped_column(Text)
    as_client: Mapped[str] = mapped_column(Text)
    """What we are called there."""
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    signing_key = Sealed(holder="agency_id")
    """Our private key there, a JWK."""
    types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    every_minutes: Mapped[int]
    looked_until: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    """When it was last asked, whether it answered or not."""
    came: Mapped[int | None]
    """How many resources came then."""
    next_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None] = mapped_column(Text)
    paused_at: Mapped[datetime | None]
    ended_on: Mapped[date | None]
