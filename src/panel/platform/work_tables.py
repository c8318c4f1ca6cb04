"""Tables of the platform's own: sessions, the outbox, claimed jobs, forms posted, seals."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Base, Identified, Row, Sealed


class WebSession(Base):
    """Somebody signed in. Only the hash of the cookie is kept."""

    __tablename__ = "web_session"

    id: Mapped[bytes] = mapped_column("token_hash", LargeBinary, primary_key=True)
    viewer_id: Mapped[UUID] = mapped_column(index=True)
    viewer_kind: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    listed_id: Mapped[UUID | None] = mapped_column("id")
    """By which its owner names it in the list of their sessions: it signs nobody in."""
    way: Mapped[str | None] = mapped_column(Text)
    """How they signed in: a `platform.sessions.Way`."""
    proved_at: Mapped[datetime | None]
    """When they last showed who they are; NULL where a link or the demonstration let them in."""
    device: Mapped[str | None] = mapped_column(Text)
    """The browser and system, in words."""


class SignInEntry(Base):
    """Somebody on their way in, between the first step of signing in and the last.

    Only the hash of the cookie is kept; no name, address or code stands in `facts` in the clear.
    """

    __tablename__ = "sign_in_entry"

    id: Mapped[bytes] = mapped_column("token_hash", LargeBinary, primary_key=True)
    step: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    next_path: Mapped[str] = mapped_column(Text)
    """Where they wanted to go, sealed: what was searched for stands in an address."""
    ends_at: Mapped[datetime]


class SignInLink(Base):
    """A link that signs somebody in once."""

    __tablename__ = "sign_in_link"

    id: Mapped[bytes] = mapped_column("token_hash", LargeBinary, primary_key=True)
    viewer_id: Mapped[UUID]
    viewer_kind: Mapped[str] = mapped_column(Text)
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class FormPost(Identified):
    """A form that was taken: posting it again gives the same answer and does nothing."""

    __tablename__ = "form_post"

    id: Mapped[UUID] = mapped_column("form_id", primary_key=True)
    viewer_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(index=True)
    location: Mapped[str] = mapped_column(Text)


class OutboxMessage(Row):
    """Something to be sent, written in the transaction that decided it, sent afterwards, once."""

    __tablename__ = "outbox_message"

    kind: Mapped[str] = mapped_column(Text)
    holder_id: Mapped[UUID]
    """Whose data key seals it: the child's, for a message about a child."""
    to_viewer_id: Mapped[UUID | None] = mapped_column(index=True)
    address = Sealed(holder="holder_id")
    subject = Sealed(holder="holder_id")
    body = Sealed(holder="holder_id")
    calendar = Sealed(holder="holder_id")
    """A calendar entry that goes with it (RFC 5545 text); "" where there is none."""
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """Ids and codes, never words about a person."""
    once: Mapped[str | None] = mapped_column(Text, unique=True)
    """The same message is put in once."""
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("ix_outbox_message_waiting", "due_at", postgresql_where="sent_at IS NULL"),
    )


class FactChange(Base):
    """A transaction that wrote facts; put in by the database's own triggers (platform.changes)."""

    __tablename__ = "fact_change"

    id: Mapped[int] = mapped_column(
        "transaction", BigInteger, primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]


class JobRun(Base):
    """A slot of a job, claimed by the transaction that does its work."""

    __tablename__ = "job_run"

    id: Mapped[str] = mapped_column("job", Text, primary_key=True)
    slot: Mapped[datetime] = mapped_column(primary_key=True)
    done_at: Mapped[datetime]


class Setting(Row):
    """A dated setting of the authority, with where it comes from."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(Text, index=True)
    value: Mapped[Any] = mapped_column(JSONB)
    from_on: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(Text, default="")


AUDIT_KEY = Table(
    "audit_key",
    Base.metadata,
    Column("id", Uuid, primary_key=True),
    Column("public", LargeBinary, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
)
"""Keys that sign seals: the public part, and the private one wrapped by the authority's key."""

AUDIT_SEAL = Table(
    "audit_seal",
    Base.metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("form", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("size", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("server", BigInteger, nullable=False),
    Column("all_below", BigInteger),
    Column("none_from", BigInteger, nullable=False),
    Column("key_id", Uuid, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
"""What `panel.platform.seals.Seal` says, with the peaks of the tree from which it grows on."""

AUDIT_LEAF = Table(
    "audit_leaf",
    Base.metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("source", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
"""Where each event stands in the order, and the hash of its row when it was sealed."""
