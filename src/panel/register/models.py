"""Children, their families, who is involved, and their stays in the process."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, event, inspect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import (
    InstanceState,
    Mapped,
    Session,
    UOWTransaction,
    mapped_column,
)

from panel.platform.tables import Base, Identified, Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped
from panel.records.record_change import watched

SEXES = ("female", "male", "indeterminate", "not_known")
LEVELS = ("universal", "early_help", "targeted", "specialist")
CLOSURES = (
    "needs_met", "moved_to_social_care", "moved_away", "withdrawn", "not_engaging",
    "reached_age", "died",
)  # fmt: skip


@watched(texts=("address_sealed", "postcode_sealed", "ward_code", "school"), child="id")
class Child(Row):
    """A child or young person, 0 to 25. Fenced by its own id."""

    __tablename__ = "child"
    __table_args__ = (one_of("sex", SEXES), Index("ix_child_birth_date", "birth_date", "id"))

    reference: Mapped[str] = mapped_column(Text, unique=True)
    """What people write on paper: "C-1042"."""
    birth_date: Mapped[date | None]
    expected_delivery_on: Mapped[date | None]
    sex: Mapped[str] = mapped_column(Text, default="not_known")
    given_name = Sealed(holder="id")
    family_name = Sealed(holder="id")
    known_as = Sealed(holder="id")
    nhs_number = Sealed(holder="id")
    nhs_number_verified: Mapped[bool] = mapped_column(default=False)
    upn = Sealed(holder="id")
    address = Sealed(holder="id")
    postcode = Sealed(holder="id")
    phone = Sealed(holder="id")
    ward_code: Mapped[str | None] = mapped_column(Text)
    ethnicity: Mapped[str | None] = mapped_column(Text)
    primary_need: Mapped[str | None] = mapped_column(Text)
    first_language: Mapped[str | None] = mapped_column(Text)
    interpreter: Mapped[str | None] = mapped_column(Text)
    disability = Sealed(holder="id")
    sibling_group: Mapped[UUID | None]
    """Children of one household who share a family member; they may share a slot on an agenda."""
    school: Mapped[str | None] = mapped_column(Text)
    starts_school_on: Mapped[date | None]
    told_at: Mapped[datetime | None]
    """When what other systems may be told of it last changed, where something else (`UNTOLD`) was
    changed after that; None where it last changed with the row."""


UNTOLD = frozenset({
    "upn_sealed", "sibling_group", "ward_code", "school", "starts_school_on",
    "expected_delivery_on",
})  # fmt: skip
"""Columns that no system is told of, but the UPN in education: their changes move no date there."""
_OF_EVERY_ROW = frozenset({"changed_at", "changed_by", "version", "told_at"})


@event.listens_for(Session, "before_flush", insert=True)
def _note_untold(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Keep since when a child's row says what is told of it, before the flush dates the row."""
    for row in session.dirty:
        if isinstance(row, Child):
            state: InstanceState[Child] = inspect(row)
            changed = {one.key for one in state.attrs if one.history.has_changes()}
            if changed := changed - _OF_EVERY_ROW:
                row.told_at = (row.told_at or row.changed_at) if changed <= UNTOLD else None


class ChildIndex(Identified):
    """Blind indexes by which a child is found: names by tokens, identifiers, reference."""

    __tablename__ = "child_index"
    __table_args__ = (
        one_of("kind", ("full", "phonetic", "prefix", "nhs_number", "upn", "name_and_birth")),
        Index("ix_child_index_token", "token", "child_id"),
    )

    id: Mapped[UUID] = mapped_column("child_id", ForeignKey("child.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    token: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class ChildMark(Identified):
    """By what a child is compared without being opened: `register.marks`, as JSON."""

    __tablename__ = "child_mark"

    id: Mapped[UUID] = mapped_column("child_id", ForeignKey("child.id"), primary_key=True)
    marks: Mapped[bytes] = mapped_column(LargeBinary)


class PossibleDuplicate(Row):
    """Two records that may be of one child: for a person to judge; linked, never merged."""

    __tablename__ = "possible_duplicate"

    child_id: Mapped[UUID]
    other_child_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(Text)
    settled: Mapped[str | None] = mapped_column(Text)


class FamilyMember(Row):
    """A parent, carer or other adult. What is said of a person is sealed with their own key."""

    __tablename__ = "family_member"

    name = Sealed(holder="id")
    email = Sealed(holder="id")
    phone = Sealed(holder="id")
    address = Sealed(holder="id")
    safe_contact = Sealed(holder="id")
    """How this person may be reached without harm, in words."""
    first_language: Mapped[str | None] = mapped_column(Text)
    interpreter: Mapped[str | None] = mapped_column(Text)
    email_changed_at: Mapped[datetime | None]
    """When the e-mail address took the place of another one, or was taken away."""


class FamilyLink(ChildScoped):
    """A family member's tie to a child, with parental responsibility and its basis, dated."""

    __tablename__ = "family_link"

    family_member_id: Mapped[UUID] = mapped_column(ForeignKey("family_member.id"), index=True)
    relationship: Mapped[str] = mapped_column(Text)
    parental_responsibility: Mapped[bool] = mapped_column(default=False)
    basis: Mapped[str | None] = mapped_column(Text)
    lives_with: Mapped[bool] = mapped_column(default=False)
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]


@watched("from_on", "expected_from_on", "until_on")
class Involvement(ChildScoped):
    """An agency's part in a child's life, from–to, or expected from; with the worker, if named."""

    __tablename__ = "involvement"
    __table_args__ = (Index("ix_involvement_worker", "worker_id", "child_id"),)

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"), index=True)
    worker_id: Mapped[UUID | None] = mapped_column(ForeignKey("worker.id"))
    part: Mapped[str] = mapped_column(Text, default="")
    """What they do: "health visiting"."""
    from_on: Mapped[date | None]
    expected_from_on: Mapped[date | None]
    until_on: Mapped[date | None]
    offered_access_on: Mapped[date | None]
    """The day on which the family was asked whether an agency that was expected may see."""


@watched("closed_on")
class Episode(ChildScoped):
    """One stay in the process, from referral to closure with a reason.

    One that was closed and goes on says so in `record_change`: which days it was closed.
    """

    __tablename__ = "episode"

    identified_on: Mapped[date | None]
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]
    closure_reason: Mapped[str | None] = mapped_column(Text)
    level_at_start: Mapped[str | None] = mapped_column(Text)
    level_at_closure: Mapped[str | None] = mapped_column(Text)


class LevelOfNeed(ChildScoped):
    """A dated judgement with its author, never a score."""

    __tablename__ = "level_of_need"
    __table_args__ = (one_of("level", LEVELS),)

    level: Mapped[str] = mapped_column(Text)
    judged_on: Mapped[date]
    judged_by: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))


class SignificantEvent(ChildScoped):
    """Something that happened, for the chronology and for "what changed"."""

    __tablename__ = "significant_event"

    happened_on: Mapped[date]
    kind: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    text = Sealed()


class Area(Base):
    """A ward or other area with its boundary, from `panel import areas`."""

    __tablename__ = "area"

    id: Mapped[str] = mapped_column("code", Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    boundary: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class AreaBecame(Row):
    """That a ward, or a part of it, is another from a day on; never changed."""

    __tablename__ = "area_became"
    __table_args__ = (Index("uq_area_became_codes", "old_code", "new_code", unique=True),)

    old_code: Mapped[str] = mapped_column(Text)
    new_code: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date]
    """The first day on which it holds."""
