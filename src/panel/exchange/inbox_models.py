"""What other systems sent: as it came, taken apart, as their own record, and what it offers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from consent import Category
from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped

STATES = ("new", "to_match", "offered", "quarantined", "done", "not_ours", "refused")
MAY_BECOME = ("new", "to_match", "quarantined", "refused")
"""States in which something may still be made of what came."""
PIECE_STATES = ("to_match", "matched", "kept", "quarantined", "not_ours")
PROPOSAL_STATES = ("open", "taken", "left")

CONTENT_FIELD = "received.content"
RAW_FIELD = "received_piece.raw"
"""What sealed bytes are bound to, with their row."""


class Received(Row):
    """Bytes that came from a client, kept before anybody looked at them.

    They are sealed with the key of the client's agency until it is known whom they are about, and
    then with the child's: what is erased of the child is erased here. Where they are of several
    children, each piece is sealed for its own, and what stays here is what stood around them.
    """

    __tablename__ = "received"
    __sealed_content__ = (("content", CONTENT_FIELD),)
    __content_holder__ = "holder_id"
    __table_args__ = (
        one_of("state", STATES),
        Index("uq_received_content", "client_id", "content_index", unique=True),
        Index("uq_received_identifier", "client_id", "identifier_index", unique=True),
        Index("ix_received_state", "state", "created_at"),
        Index(
            "ix_received_waiting",
            "client_id",
            postgresql_where=text("state IN ('new', 'to_match', 'quarantined', 'refused')"),
        ),
    )

    client_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_client.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    holder_id: Mapped[UUID]
    asked: Mapped[str] = mapped_column(Text)
    """The request line: "POST Condition"."""
    kind: Mapped[str] = mapped_column(Text, default="")
    """The Bundle's type, "resource" for a single one, "broken"; empty until it is taken apart."""
    content: Mapped[bytes] = mapped_column(LargeBinary)
    content_index: Mapped[bytes] = mapped_column(LargeBinary)
    """Blind index of the request line and the bytes: the same sent twice is one."""
    identifier_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Blind index of the document's or message's own identifier."""
    bytes_long: Mapped[int]
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """What its client might do as it came (`system/Condition.c`); None of what came before 0038."""
    state: Mapped[str] = mapped_column(Text, default="new")
    """`refused`: its sender was told at once why it is not done, and may send it otherwise."""
    reason: Mapped[str | None] = mapped_column(Text)
    """Why it is quarantined; it repeats nothing of what was received."""
    path: Mapped[str | None] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(default=0)
    answered: Mapped[int | None]
    """The HTTP status that its sender was told; None where it is told only that it came."""
    answer = Sealed(holder="holder_id")
    """JSON: what it was answered, said again to whoever sends the same again."""


class ReceivedPiece(Row):
    """One resource of what was received: fenced as its child is once that is known."""

    __tablename__ = "received_piece"
    __sealed_content__ = (("raw", RAW_FIELD),)
    __content_holder__ = "holder_id"
    __table_args__ = (
        one_of("state", PIECE_STATES),
        one_of("category", Category),
        Index("uq_received_piece_path", "received_id", "path", unique=True),
    )

    received_id: Mapped[UUID] = mapped_column(ForeignKey("received.id"))
    client_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_client.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    holder_id: Mapped[UUID]
    child_id: Mapped[UUID | None] = mapped_column(ForeignKey("child.id"), index=True)
    about: Mapped[int | None]
    """Whom it is about, counted within what was received; None where it is about nobody."""
    type: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    full_url = Sealed(holder="holder_id")
    sender_id = Sealed(holder="holder_id")
    category: Mapped[str] = mapped_column(Text)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    """The bytes of the resource exactly as received."""
    kept: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """Paths of what Panel has no place for."""
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    """Why it is quarantined, or why nothing is mapped from it."""
    reason_path: Mapped[str | None] = mapped_column(Text)
    became_type: Mapped[str | None] = mapped_column(Text)
    became_id: Mapped[UUID | None]
    """The resource that it is now: the sender's own version, or one of ours that it speaks of."""


class SenderVersion(ChildScoped):
    """A resource as its sender has it now: the sender's own record, whatever a worker wrote."""

    __tablename__ = "sender_version"
    __table_args__ = (
        one_of("category", Category),
        Index("ix_sender_version_type", "type", "child_id"),
        Index("ix_sender_version_marks", "identifier_marks", postgresql_using="gin"),
    )

    type: Mapped[str] = mapped_column(Text)
    """The FHIR type."""
    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    client_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_client.id"))
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("received_piece.id"))
    """Where what it says now came from."""
    category: Mapped[str] = mapped_column(Text)
    identifier_marks: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), default=list)
    """Blind indexes of its identifiers ("system|value")."""
    about_id: Mapped[UUID | None]
    """The row of ours that it speaks of, where it was sent as one."""
    body = Sealed()
    """The resource as JSON, its references to what came with it resolved."""


class Proposal(ChildScoped):
    """What would change of what a worker wrote, if somebody who knows the child takes it."""

    __tablename__ = "proposal"
    __table_args__ = (
        one_of("state", PROPOSAL_STATES),
        one_of("category", Category),
        Index("ix_proposal_state", "child_id", "state"),
    )

    received_id: Mapped[UUID] = mapped_column(ForeignKey("received.id"), index=True)
    piece_id: Mapped[UUID] = mapped_column(ForeignKey("received_piece.id"))
    target: Mapped[str] = mapped_column(Text)
    """The table and column: "child.phone", "action.state"."""
    row_id: Mapped[UUID]
    row_version: Mapped[int]
    """The version of the row that `before` was read from."""
    category: Mapped[str] = mapped_column(Text)
    before = Sealed()
    after = Sealed()
    """As `inbox_offers` writes values: a text, or a day as 2026-12-03."""
    state: Mapped[str] = mapped_column(Text, default="open")
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
