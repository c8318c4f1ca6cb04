"""Systems of other agencies that may come in, and what lets them in for a few minutes."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Base, Row


class ExchangeClient(Row):
    """A system of one agency, registered by the information governance lead.

    It is tied to the children whom its agency is involved with, and to nobody else; what it may
    see of them `consent` decides. What it shows who it is with are its own keys: no secret of
    another is kept here.
    """

    __tablename__ = "exchange_client"
    __table_args__ = (
        CheckConstraint(
            "cardinality(purposes) > 0 AND purposes <@ ARRAY['exchange']", name="purposes"
        ),
        CheckConstraint("(jwks IS NULL) <> (jwks_url IS NULL)", name="keys"),
        Index(
            "uq_exchange_client_mesh_mailbox",
            "mesh_mailbox",
            unique=True,
            postgresql_where=text("ended_on IS NULL"),
        ),
    )

    key: Mapped[str] = mapped_column(Text, unique=True)
    """As it names itself: `iss` and `sub` of what it signs."""
    name: Mapped[str] = mapped_column(Text)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"), index=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The most that it may ask for, as SMART writes scopes: `system/CarePlan.rs`."""
    purposes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Its public keys (RFC 7517), or where it publishes them, but not both."""
    jwks_url: Mapped[str | None] = mapped_column(Text)
    mesh_mailbox: Mapped[str | None] = mapped_column(Text)
    """The mailbox of MESH from which it sends to ours; None for one that does not."""
    from_on: Mapped[date]
    ended_on: Mapped[date | None]
    """The first day on which it may come in no more; None while it goes on."""
    ended_why: Mapped[str | None] = mapped_column(Text)


class ExchangeToken(Base):
    """What a client was given to come in with. Only its hash is kept."""

    __tablename__ = "exchange_token"
    __table_args__ = (Index("ix_exchange_token_client_made", "client_id", "made_at"),)

    id: Mapped[bytes] = mapped_column("token_hash", LargeBinary, primary_key=True)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_client.id"))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class UsedAssertion(Base):
    """An assertion that a client has shown: until it is too old anyway, it is not taken again."""

    __tablename__ = "used_assertion"

    client_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_client.id"), primary_key=True)
    id: Mapped[bytes] = mapped_column("jti_hash", LargeBinary, primary_key=True)
    ends_at: Mapped[datetime]


class UnknownLetter(Base):
    """A message in our mailbox of MESH from a mailbox that is no client's: it stays there.

    Nothing of what it says is fetched into the database: nobody knows whose it is.
    """

    __tablename__ = "unknown_letter"

    id: Mapped[str] = mapped_column("message_id", Text, primary_key=True)
    mailbox: Mapped[str] = mapped_column(Text)
    """From which it came."""
    found_at: Mapped[datetime]
