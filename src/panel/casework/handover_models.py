"""Children who are handed to another authority or by one, and the authorities themselves."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped

STATES = ("draft", "sent", "accepted", "refused", "withdrawn")


class OtherAuthority(Row):
    """An authority that runs Panel too, as the information governance lead keeps it."""

    __tablename__ = "other_authority"
    __table_args__ = (Index("uq_other_authority_client", "client_key", unique=True),)

    name: Mapped[str] = mapped_column(Text)
    client_key: Mapped[str] = mapped_column(Text)
    """The system as which it comes in here, and as which it is told of a child (no foreign key:
    systems are kept in a room above)."""
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    """The agency that it is here: with it the family agrees to share."""
    base: Mapped[str | None] = mapped_column(Text)
    """The address of its FHIR server; None where handovers go to it as files."""
    as_client: Mapped[str | None] = mapped_column(Text)
    """What it calls us."""
    public_key: Mapped[str | None] = mapped_column(Text)
    """With what its documents are checked: an Ed25519 key, 64 hexadecimal digits."""
    signing_key = Sealed(holder="agency_id")
    """Our private key there, a JWK."""
    ended_on: Mapped[date | None]


class AuthorityHandover(ChildScoped):
    """A child handed to another authority (out) or by one (in), and what became of it."""

    __tablename__ = "authority_handover"
    __table_args__ = (
        one_of("direction", ("out", "in")),
        one_of("state", STATES),
        one_of("way", ("system", "file")),
        Index("uq_authority_handover_identifier", "identifier", "direction", unique=True),
        Index(
            "uq_authority_handover_one_going",
            "child_id",
            unique=True,
            postgresql_where="direction = 'out' AND state IN ('draft', 'sent')",
        ),
        Index("ix_authority_handover_due", "next_at", postgresql_where="next_at IS NOT NULL"),
    )

    episode_id: Mapped[UUID | None] = mapped_column(ForeignKey("episode.id"))
    direction: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="draft")
    authority_id: Mapped[UUID | None] = mapped_column(ForeignKey("other_authority.id"))
    authority_name: Mapped[str] = mapped_column(Text)
    identifier: Mapped[UUID]
    """The same on both sides."""
    way: Mapped[str] = mapped_column(Text, default="system")
    moves_on: Mapped[date | None]
    sent_on: Mapped[date | None]
    delivered_at: Mapped[datetime | None]
    """Since when the other side is known to have it."""
    answered_on: Mapped[date | None]
    task_state: Mapped[str | None] = mapped_column(Text)
    """FHIR Task.status as the other side last said it."""
    withheld: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Categories of information that the document leaves out."""
    withdraw_asked_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    """When the other side is asked next; None where nothing is to be asked."""
    tries: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None] = mapped_column(Text)
    note = Sealed()
    """What the new authority should know first, in the lead professional's words."""
    reason = Sealed()
    """Why it was refused or withdrawn."""
    document = Sealed()
    """What was signed and sent, as it went."""
    lead_there = Sealed()
    """Who holds the plan there, as the other side named them."""


class ReceivedHandover(Row):
    """What another authority handed to us: of nobody here until it is accepted."""

    __tablename__ = "received_handover"
    __table_args__ = (
        one_of("state", ("requested", "accepted", "refused", "withdrawn")),
        Index("uq_received_handover_identifier", "authority_id", "identifier", unique=True),
    )

    authority_id: Mapped[UUID] = mapped_column(ForeignKey("other_authority.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"), index=True)
    identifier: Mapped[UUID]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the document: the same identifier with other contents is refused."""
    state: Mapped[str] = mapped_column(Text, default="requested")
    received_on: Mapped[date]
    answered_on: Mapped[date | None]
    answered_by: Mapped[UUID | None]
    handover_id: Mapped[UUID | None]
    """The row on the child's record, once accepted (no foreign key: that is fenced by child)."""
    document = Sealed(holder="agency_id")
    reason = Sealed(holder="agency_id")
    lead_here = Sealed(holder="agency_id")
