"""Notes to a child's family: the note, whom it went to, what they said, and what went wrong."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Sealed, one_of
from panel.records.child_scoped import ChildScoped

NOTE_STATES = ("draft", "signed_off", "recalled")
WAYS = ("email", "letter")
DELIVERY_STATES = ("held_back", "waiting", "sent", "bounced", "opened", "recalled")
HELD_BACK_TESTS = ("serious_harm", "childs_expectation")
ANSWERS = ("agree", "disagree", "could_not_say", "question")
INCIDENTS = ("wrong_person", "wrong_address", "wrong_child")


class FamilyNote(ChildScoped):
    """What a family is told of the discussion of their child at one meeting.

    Once signed off it is never written over: what comes later is another row, with the next number.
    """

    __tablename__ = "family_note"
    __table_args__ = (
        one_of("state", NOTE_STATES),
        Index("uq_family_note_number", "meeting_id", "child_id", "number", unique=True),
    )

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"), index=True)
    number: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(Text, default="draft")
    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    categories: Mapped[list[str]] = mapped_column(JSONB, default=list)
    """What it was drafted from: nobody from whom one of these is withheld is sent it."""
    text = Sealed()
    kept = Sealed()
    """What was marked and stays, with the reasons: JSON, a list of `note_rules.Kept`."""
    signed_off_at: Mapped[datetime | None]
    signed_off_by: Mapped[UUID | None]
    due_on: Mapped[date]
    check_again_at: Mapped[datetime | None]
    """Something that it was drafted from was on the wrong child: a person reads it once more."""


class NoteDelivery(ChildScoped):
    """One note for one person: how it goes, and how far it is."""

    __tablename__ = "note_delivery"
    __table_args__ = (
        one_of("way", WAYS),
        one_of("state", DELIVERY_STATES),
        one_of("held_back_test", HELD_BACK_TESTS),
        Index("uq_note_delivery_person", "note_id", "person_id", unique=True),
        Index("ix_note_delivery_waiting", "id", postgresql_where="state = 'waiting'"),
    )

    note_id: Mapped[UUID] = mapped_column(ForeignKey("family_note.id"), index=True)
    person_id: Mapped[UUID]
    """One of the family, or the young person under their own id (no foreign key)."""
    way: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="waiting")
    held_back_test: Mapped[str | None] = mapped_column(Text)
    held_back_why = Sealed()
    outbox_id: Mapped[UUID | None]
    """The message that carries it (no foreign key: messages are fenced by other rules)."""
    sendings: Mapped[int] = mapped_column(default=1)
    """How often it was sent on purpose: another way after it came back is another sending."""
    sent_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    recalled_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(Text)
    """Why it has not gone, or came back: a sentence without anything about a person."""


class NoteAnswer(ChildScoped):
    """What one of the family says about a note, or asks; and the reply to them."""

    __tablename__ = "note_answer"
    __table_args__ = (one_of("answer", ANSWERS),)

    note_id: Mapped[UUID] = mapped_column(ForeignKey("family_note.id"), index=True)
    person_id: Mapped[UUID]
    answer: Mapped[str] = mapped_column(Text)
    text = Sealed()
    said_at: Mapped[datetime]
    reply = Sealed()
    replied_at: Mapped[datetime | None]
    replied_by: Mapped[UUID | None]


class Incident(ChildScoped):
    """A note went where it should not have, or an entry stood on another child; and the steps."""

    __tablename__ = "incident"
    __table_args__ = (
        one_of("kind", INCIDENTS),
        one_of("state", ("open", "closed")),
    )

    note_id: Mapped[UUID | None] = mapped_column(ForeignKey("family_note.id"), index=True)
    person_id: Mapped[UUID | None]
    """Whose note it was."""
    entry_id: Mapped[UUID | None]
    """What was moved here from the wrong child: a discussion or an action (no foreign key)."""
    kind: Mapped[str] = mapped_column(Text)
    found_on: Mapped[date]
    found_at: Mapped[datetime]
    """The 72 hours of UK GDPR Article 33 run from here."""
    what = Sealed()
    seen = Sealed()
    """Who could see what was moved meanwhile: JSON, a list of lines."""
    steps: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """Code of a step → the day it was done."""
    state: Mapped[str] = mapped_column(Text, default="open")
