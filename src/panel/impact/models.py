"""Steps between CONTACTS, IMPACT and social care; meetings around the family; their minutes."""

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from consent import Category
from panel.platform.tables import Sealed, one_of
from panel.records.child_scoped import ChildScoped

STEPS = ("contacts", "impact", "social_care")
FORMATS = ("in_person", "online", "phone", "home")
JOINING = ("not_asked", "yes", "part", "no")
MEETING_STATES = ("planned", "called", "held", "cancelled")
INVITED = ("worker", "family", "guest")
ANSWERS = ("waiting", "yes", "no")
SPEAKERS = ("child", "family", "worker")
MINUTES_STATES = ("draft", "sent")
COPY_STATES = ("held_back", "open")
HELD_BACK_TESTS = ("serious_harm", "childs_expectation")
AGREEING = ("agree", "disagree", "could_not_say")


class EpisodeStep(ChildScoped):
    """Where an episode is, from a day to a day, both included: CONTACTS, IMPACT or social care.

    Every episode begins in CONTACTS (the database adds that row with the episode's own, and ends
    the last one when the episode closes). An open episode has exactly one without an end. A step
    that was left on the day it began ends the day before: no day has two.
    """

    __tablename__ = "episode_step"
    __table_args__ = (
        one_of("kind", STEPS),
        CheckConstraint("until_on >= from_on - 1", name="days"),
        Index(
            "uq_episode_step_current",
            "episode_id",
            unique=True,
            postgresql_where="until_on IS NULL",
        ),
    )

    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episode.id"))
    kind: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    reasons = Sealed()
    """Why the child came to this step; none for how an episode begins."""
    author_agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    worker_id: Mapped[UUID | None]
    """Who decided it (no foreign key); None for how an episode begins."""


class ImpactMeeting(ChildScoped):
    """One meeting about a child, as the family wants it."""

    __tablename__ = "impact_meeting"
    __table_args__ = (
        one_of("format", FORMATS),
        one_of("child_joins", JOINING),
        one_of("state", MEETING_STATES),
        CheckConstraint("minutes BETWEEN 10 AND 480", name="minutes"),
    )

    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episode.id"), index=True)
    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    held_on: Mapped[date]
    starts_at: Mapped[time]
    """Europe/London."""
    minutes: Mapped[int] = mapped_column(default=60)
    format: Mapped[str] = mapped_column(Text, default="in_person")
    place = Sealed()
    """Where: a room, an address, a link or a number."""
    who_comes = Sealed()
    """Whom the family wants there, and whom not, in their words."""
    interpreter = Sealed()
    """Which language or signer; "" where none is needed."""
    child_joins: Mapped[str] = mapped_column(Text, default="not_asked")
    wishes = Sealed()
    """Anything else that matters to the family about the meeting."""
    asked_on: Mapped[date | None]
    """When the family was asked how they want it."""
    not_asked_why = Sealed()
    """Why the family could not be asked first, where people are invited all the same."""
    family_said_at: Mapped[datetime | None]
    """When one of the family last wrote their wishes themselves."""
    family_said_by: Mapped[UUID | None]
    """Who did: what one of the family says is not for another of them (no foreign key)."""
    state: Mapped[str] = mapped_column(Text, default="planned")
    sequence: Mapped[int] = mapped_column(default=0)
    """Of the calendar entry (RFC 5545): goes up whenever what guests are told changes."""
    held_at: Mapped[datetime | None]
    cancelled_why = Sealed()
    next_on: Mapped[date | None]
    """When this meeting said that the next one should be."""


class ImpactInvitation(ChildScoped):
    """Somebody who is asked to a meeting, and what they answered."""

    __tablename__ = "impact_invitation"
    __table_args__ = (
        one_of("kind", INVITED),
        one_of("answer", ANSWERS),
        Index(
            "uq_impact_invitation_person",
            "meeting_id",
            "person_id",
            unique=True,
            postgresql_where="person_id IS NOT NULL AND taken_back_at IS NULL",
        ),
    )

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("impact_meeting.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    person_id: Mapped[UUID | None]
    """A worker, one of the family, or the child under their own id (no foreign key)."""
    name = Sealed()
    """Of a guest, who has no account."""
    address = Sealed()
    """Of a guest: where the invitation goes."""
    answer: Mapped[str] = mapped_column(Text, default="waiting")
    said = Sealed()
    answered_at: Mapped[datetime | None]
    sent_sequence: Mapped[int | None]
    """Which state of the meeting they were last told of; None before any message."""
    sent_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(Text)
    """Why no message goes to them: a sentence without anything about a person."""
    taken_back_at: Mapped[datetime | None]
    came: Mapped[bool | None]
    """Whether they were there; None until it is written down."""


class ImpactView(ChildScoped):
    """What one person thinks, in their own words, beside what others think. Never blended."""

    __tablename__ = "impact_view"
    __table_args__ = (one_of("speaker", SPEAKERS), one_of("category", Category))

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("impact_meeting.id"), index=True)
    outcome_id: Mapped[UUID | None] = mapped_column(ForeignKey("desired_outcome.id"))
    """The desired outcome that it is about; None where it is about everything."""
    speaker: Mapped[str] = mapped_column(Text)
    person_id: Mapped[UUID | None]
    """Who thinks so: a worker, one of the family, or the child (no foreign key)."""
    author_agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    """The worker's agency, of a worker's view or of one that a worker wrote down."""
    category: Mapped[str] = mapped_column(Text)
    words = Sealed()
    said_at: Mapped[datetime]
    taken_back_at: Mapped[datetime | None]


class ImpactDecision(ChildScoped):
    """What was decided at a meeting, under a desired outcome for the child."""

    __tablename__ = "impact_decision"

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("impact_meeting.id"), index=True)
    outcome_id: Mapped[UUID] = mapped_column(ForeignKey("desired_outcome.id"))
    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    words = Sealed()
    taken_back_at: Mapped[datetime | None]


class ImpactMinutes(ChildScoped):
    """What a family reads of a meeting. Once sent it is never written over: another follows."""

    __tablename__ = "impact_minutes"
    __table_args__ = (
        one_of("state", MINUTES_STATES),
        Index("uq_impact_minutes_number", "meeting_id", "number", unique=True),
    )

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("impact_meeting.id"))
    number: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(Text, default="draft")
    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    categories: Mapped[list[str]] = mapped_column(JSONB, default=list)
    """What they were drafted from: nobody from whom one of these is withheld reads them."""
    text = Sealed()
    kept = Sealed()
    """What was marked and stays, with the reasons: JSON, a list of `note_rules.Kept`."""
    sent_at: Mapped[datetime | None]
    sent_by: Mapped[UUID | None]


class MinutesCopy(ChildScoped):
    """The minutes for one of the family: open to them, or held back on a recorded test."""

    __tablename__ = "minutes_copy"
    __table_args__ = (
        one_of("state", COPY_STATES),
        one_of("held_back_test", HELD_BACK_TESTS),
        Index("uq_minutes_copy_person", "minutes_id", "person_id", unique=True),
    )

    minutes_id: Mapped[UUID] = mapped_column(ForeignKey("impact_minutes.id"))
    person_id: Mapped[UUID]
    """One of the family, or the young person under their own id (no foreign key)."""
    state: Mapped[str] = mapped_column(Text)
    held_back_test: Mapped[str | None] = mapped_column(Text)
    held_back_why = Sealed()
    opened_at: Mapped[datetime | None]


class MinutesAnswer(ChildScoped):
    """What one of the family says about the minutes; signed where they typed their name."""

    __tablename__ = "minutes_answer"
    __table_args__ = (one_of("agrees", AGREEING),)

    minutes_id: Mapped[UUID] = mapped_column(ForeignKey("impact_minutes.id"), index=True)
    person_id: Mapped[UUID]
    agrees: Mapped[str | None] = mapped_column(Text)
    """None for a comment that says neither."""
    words = Sealed()
    signed_name = Sealed()
    """As they typed it; "" for a comment."""
    said_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
