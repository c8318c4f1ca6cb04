"""Terms, panels, meetings, agendas, what is asked and said before and at the panel."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from consent import Category
from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped
from panel.records.record_change import watched

ATTENDANCE_STATES = ("here", "apologies", "absent", "left")
WHY_TODAY = ("escalation", "new", "transition", "review_due", "deferred")


class Term(Row):
    """From the first day back to the last day of term, both included."""

    __tablename__ = "term"

    first_day: Mapped[date] = mapped_column(unique=True)
    last_day: Mapped[date]
    name: Mapped[str] = mapped_column(Text, default="")


class ClosedDay(Row):
    """A holiday, INSET day or bank holiday: no meeting."""

    __tablename__ = "closed_day"
    __table_args__ = (
        UniqueConstraint("day", "kind"),
        one_of("kind", ("holiday", "inset", "bank_holiday")),
    )

    day: Mapped[date]
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text, default="")


class Panel(Row):
    """A multi-agency panel and its rhythm."""

    __tablename__ = "panel"
    __table_args__ = (one_of("kind", ("contacts", "allocation")),)

    key: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    first_on: Mapped[date]
    every_days: Mapped[int] = mapped_column(default=14)
    starts_at: Mapped[time]
    place: Mapped[str] = mapped_column(Text, default="")
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """Departures from the defaults of `rules.PanelSettings`, by name."""


class PanelAgency(Row):
    """A member agency of a panel: its pack, and whether a quorum needs it."""

    __tablename__ = "panel_agency"
    __table_args__ = (UniqueConstraint("panel_id", "agency_id"),)

    panel_id: Mapped[UUID] = mapped_column(ForeignKey("panel.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]


class Meeting(Row):
    """One meeting of a panel. `slot_on` is its place in the rhythm, `held_on` its day."""

    __tablename__ = "meeting"
    __table_args__ = (
        UniqueConstraint("panel_id", "slot_on"),
        one_of("state", ("planned", "frozen", "held", "cancelled")),
        Index("ix_meeting_day", "panel_id", "held_on"),
    )

    panel_id: Mapped[UUID] = mapped_column(ForeignKey("panel.id"))
    slot_on: Mapped[date]
    held_on: Mapped[date]
    state: Mapped[str] = mapped_column(Text, default="planned")
    frozen_at: Mapped[datetime | None]
    change_reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was moved or cancelled."""
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    """Under way from `began_at`; `state` is "held" from `ended_at` on."""
    confirmed_at: Mapped[datetime | None]
    """When a later meeting confirmed its minutes."""
    confirmed_by: Mapped[UUID | None]


@watched("transition_on")
class Referral(ChildScoped):
    """A child put forward to a panel; the panel's tie to the child rests on it."""

    __tablename__ = "referral"
    __table_args__ = (
        one_of("state", ("received", "acknowledged", "closed")),
        Index("ix_referral_panel", "panel_id", "state"),
    )

    panel_id: Mapped[UUID] = mapped_column(ForeignKey("panel.id"))
    referred_on: Mapped[date]
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    worker_id: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"))
    reason = Sealed()
    category: Mapped[str] = mapped_column(Text, default="health")
    state: Mapped[str] = mapped_column(Text, default="received")
    first_panel_on: Mapped[date | None]
    last_discussed_on: Mapped[date | None]
    next_review_by: Mapped[date | None]
    """Six calendar months after the last discussion, unless the panel said otherwise."""
    review_meeting_id: Mapped[UUID | None] = mapped_column(ForeignKey("meeting.id"))
    rests_from: Mapped[date | None]
    """Since when the panel's reviews rest: the child is in IMPACT, or with social care."""
    deferred_on: Mapped[date | None]
    """Since when it waits for a place: it was on an agenda and not reached."""
    transition: Mapped[str | None] = mapped_column(Text)
    transition_on: Mapped[date | None]
    escalated_on: Mapped[date | None]
    escalation = Sealed()
    urgent_on: Mapped[date | None]
    """The chair takes the child to this meeting's agenda although something is missing."""
    urgent_reason = Sealed()
    papers_on: Mapped[date | None]
    """Since when the request that brings the child to a panel that decides is complete."""


class AgendaItem(ChildScoped):
    """One child on one agenda. A child has at most one item on a meeting's agenda."""

    __tablename__ = "agenda_item"
    __table_args__ = (
        UniqueConstraint("meeting_id", "child_id"),
        one_of("why", WHY_TODAY),
        one_of("state", ("listed", "discussed", "not_reached", "removed")),
    )

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"), index=True)
    position: Mapped[int]
    minutes: Mapped[int]
    why: Mapped[str] = mapped_column(Text)
    since_on: Mapped[date | None]
    """The date that the reason speaks of: referred, review due by, waiting since."""
    late: Mapped[bool] = mapped_column(default=False)
    urgent: Mapped[bool] = mapped_column(default=False)
    owed: Mapped[list[str]] = mapped_column(JSONB, default=list)
    """What an urgent child still owes: assessment, plan, lead_professional."""
    state: Mapped[str] = mapped_column(Text, default="listed")
    discussed_at: Mapped[datetime | None]
    pack_until: Mapped[date | None]
    """Until when member agencies may read it; set by the freeze."""
    opens_at: Mapped[datetime | None]
    """When member agencies may first read it: the freeze."""
    reason = Sealed()
    """Why a person put it on after the freeze, or took it off."""
    review_by: Mapped[date | None]
    """Set where the panel wants the child back by another day than the rules propose."""
    review_why = Sealed()
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """The referral's dates before the child was marked as done: for who marked the wrong one."""


class Attendance(Row):
    """One person and one meeting: here, sent apologies, absent, or left before the end.

    A substitute is a name that somebody typed, at an agency; everybody else is a worker.
    """

    __tablename__ = "attendance"
    __table_args__ = (
        UniqueConstraint("meeting_id", "worker_id"),
        one_of("state", ATTENDANCE_STATES),
    )

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    worker_id: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"))
    name = Sealed(holder="agency_id")
    """Of a substitute; a worker's own name is kept with the worker."""
    stands_in_for: Mapped[UUID | None]
    """The worker whom a substitute stands in for (no foreign key)."""
    state: Mapped[str] = mapped_column(Text)
    here_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    chaired_from: Mapped[datetime | None]
    """Of those who are here, whoever took the chair last has it."""


class DeclaredInterest(ChildScoped):
    """A worker says that they are too near to a child, and leaves the child's item."""

    __tablename__ = "declared_interest"
    __table_args__ = (UniqueConstraint("meeting_id", "child_id", "worker_id"),)

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    reason = Sealed()
    declared_at: Mapped[datetime]
    taken_back_at: Mapped[datetime | None]


@watched("said_on")
class FamilyWords(ChildScoped):
    """What the family wants the panel to know and ask; it opens the child's item."""

    __tablename__ = "family_words"

    meeting_id: Mapped[UUID | None] = mapped_column(ForeignKey("meeting.id"), index=True)
    family_member_id: Mapped[UUID | None]
    """Who said it: one of the family, or the young person under their own id (no foreign key)."""
    asked_on: Mapped[date]
    asked_how: Mapped[str] = mapped_column(Text, default="")
    said_on: Mapped[date | None]
    author_agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    """Set when a worker wrote down what was said."""
    text = Sealed()


class Discussion(ChildScoped):
    """One contribution to what was said of a child at a meeting; only ever added to.

    It has the strictest category that its author names. Whoever puts it right adds another and
    takes this one back, which leaves it readable for who may see the trail.
    """

    __tablename__ = "discussion"
    __table_args__ = (
        one_of("category", Category),
        Index("uq_discussion_client_id", "client_id", unique=True),
        Index("uq_discussion_moved_from", "moved_from", unique=True),
    )

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"), index=True)
    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    worker_id: Mapped[UUID | None]
    """Who wrote it (no foreign key); not known of meetings before Panel."""
    said_at: Mapped[datetime | None]
    client_id: Mapped[UUID | None]
    """Given by the browser that it was typed in: sent twice, it is kept once."""
    heading: Mapped[str] = mapped_column(Text, default="discussion")
    category: Mapped[str] = mapped_column(Text, default="panel")
    for_family: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Its author marked it for the family: the notes are drafted from it."""
    text = Sealed()
    taken_back_at: Mapped[datetime | None]
    taken_back_by: Mapped[UUID | None]
    taken_back_why = Sealed()
    moved_away_at: Mapped[datetime | None]
    """It was on the wrong child: nothing of it is left here, and another row says it there."""
    moved_from: Mapped[UUID | None]
    """The row on the wrong child that this one was (no foreign key: rows are fenced by child)."""
    moved_why = Sealed()


class Asked(ChildScoped):
    """Somebody was asked for what is missing."""

    __tablename__ = "asked"

    what: Mapped[str] = mapped_column(Text)
    worker_id: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"))
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    asked_on: Mapped[date]


class PackOpened(Row):
    """A worker opened their agency's pack for a meeting."""

    __tablename__ = "pack_opened"
    __table_args__ = (UniqueConstraint("meeting_id", "agency_id", "worker_id"),)

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    first_at: Mapped[datetime]


class GuestLink(ChildScoped):
    """One item on one occasion for someone without an account: a link and a code, once each."""

    __tablename__ = "guest_link"

    agenda_item_id: Mapped[UUID] = mapped_column(ForeignKey("agenda_item.id"), index=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    """The practice or nursery that an agreement names; the guest sees what it may see."""
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    name = Sealed()
    question = Sealed()
    answer = Sealed()
    wrong_codes: Mapped[int] = mapped_column(default=0)
    ends_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
