"""What a person asks of their own data: requests, copies, what is taken out, corrections."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Sealed, one_of
from panel.records.child_scoped import ChildScoped


class RightKind(StrEnum):
    """Which right is used (UK GDPR Articles 15, 16, 18 and 21)."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    RESTRICTION = "restriction"
    OBJECTION = "objection"


class Outcome(StrEnum):
    """How a request ended."""

    DONE = "done"
    DONE_IN_PART = "done_in_part"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class FileState(StrEnum):
    """How far a copy of what is kept is."""

    ASKED = "asked"
    """The job gathers it next."""
    GATHERED = "gathered"
    """A person goes through what was marked."""
    READY = "ready"
    HANDED_OUT = "handed_out"


class Exemption(StrEnum):
    """Why something is taken out of a copy."""

    SOMEBODY_ELSE = "somebody_else"
    """About another person (DPA 2018 Schedule 2 paragraph 16)."""
    PROTECTED = "protected"
    """Protected from whoever asks: a court or a protection says so."""
    SERIOUS_HARM = "serious_harm"
    """Serious harm to somebody's health (DPA 2018 Schedule 3): a second person looks."""
    EXPECTED = "expected"
    """Said by a child who expected it not to be told (DPA 2018 Schedule 3)."""
    LEGAL = "legal"
    """Legal privilege (DPA 2018 Schedule 2 paragraph 19)."""


class RightRequest(ChildScoped):
    """A request about a child's data, with its clock. Never deleted."""

    __tablename__ = "right_request"
    __table_args__ = (
        one_of("kind", RightKind),
        one_of("outcome", Outcome),
        Index("ix_right_request_open", "received_on", postgresql_where="answered_on IS NULL"),
    )

    reference: Mapped[str] = mapped_column(Text)
    """The child's reference, so that a list names nobody."""
    kind: Mapped[str] = mapped_column(Text)
    received_on: Mapped[date]
    who = Sealed()
    """Who asks, as whoever took it in wrote it."""
    about = Sealed()
    """What they ask, in their words."""
    asker_id: Mapped[UUID | None]
    """The child, or one of the family with standing, once it is known who they are."""
    proof = Sealed()
    stops: Mapped[list[list[str | None]]] = mapped_column(JSONB, default=list)
    """Days on which the clock stood: [from, until or null]."""
    extended_on: Mapped[date | None]
    extended_why = Sealed()
    answered_on: Mapped[date | None]
    outcome: Mapped[str | None] = mapped_column(Text)
    outcome_why = Sealed()


class AccessFile(ChildScoped):
    """A copy of what is kept about a child, from gathering to handing out."""

    __tablename__ = "access_file"
    __table_args__ = (
        one_of("state", FileState),
        Index("uq_access_file_number", "request_id", "number", unique=True),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("right_request.id"))
    asker_id: Mapped[UUID]
    number: Mapped[int]
    state: Mapped[str] = mapped_column(Text, default="asked")
    for_lead: Mapped[UUID]
    """In whose name it is gathered."""
    gathered_at: Mapped[datetime | None]
    pieces = Sealed()
    """What was gathered, as JSON."""
    made = Sealed()
    """The file that is handed out."""
    handed_out_at: Mapped[datetime | None]
    handed_out_by: Mapped[UUID | None]


class Redaction(ChildScoped):
    """A place in a copy that was marked, and what a person decided about it."""

    __tablename__ = "redaction"
    __table_args__ = (
        one_of("exemption", Exemption),
        Index("ix_redaction_file", "file_id", "id"),
    )

    file_id: Mapped[UUID] = mapped_column(ForeignKey("access_file.id"))
    piece: Mapped[str] = mapped_column(Text)
    """Which entry of the copy: table, row and column."""
    start: Mapped[int | None]
    end: Mapped[int | None]
    """From which sign to which; NULL for the whole entry."""
    words = Sealed()
    because: Mapped[str] = mapped_column(Text)
    """Why it was marked: a code of `rights_marks`."""
    must_go: Mapped[bool] = mapped_column(default=False)
    takes_out: Mapped[bool | None]
    """What was decided; NULL while nobody has."""
    exemption: Mapped[str | None] = mapped_column(Text)
    reason = Sealed()
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    second_agrees: Mapped[bool | None]
    second_by: Mapped[UUID | None]
    second_at: Mapped[datetime | None]
    second_note = Sealed()


class Correction(ChildScoped):
    """Something that is said to be wrong: corrected with both versions kept, or refused."""

    __tablename__ = "correction"
    __table_args__ = (one_of("state", ("asked", "corrected", "refused")),)

    request_id: Mapped[UUID] = mapped_column(ForeignKey("right_request.id"))
    asked = Sealed()
    state: Mapped[str] = mapped_column(Text, default="asked")
    field: Mapped[str | None] = mapped_column(Text)
    """Table and column, "action.text"."""
    row_id: Mapped[UUID | None]
    before = Sealed()
    after = Sealed()
    reason = Sealed()
    statement = Sealed()
    """What the person says, put beside a text that stays."""
    answered_by: Mapped[UUID | None]
    answered_on: Mapped[date | None]
