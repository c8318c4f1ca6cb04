"""Placements outside the authority's area: where, the authority's conditions, and visits."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.allocation.outside_rules import Applies, Footing, PlacementKind
from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped


class OutsideTerms(Row):
    """One version of the authority's conditions, with what it sets about reviews and visits."""

    __tablename__ = "outside_terms"
    __table_args__ = (Index("uq_outside_terms_from", "from_on", unique=True),)

    from_on: Mapped[date]
    until_on: Mapped[date | None]
    name: Mapped[str] = mapped_column(Text)
    review_months: Mapped[int]
    """A placement is reviewed within so many months."""
    visit_weeks: Mapped[int]
    """From one visit of a looked-after child to the next."""
    other_visit_weeks: Mapped[int]
    """The same, of any other child."""


class OutsideCondition(Row):
    """One condition of one version: for whom it holds, and on which law it rests."""

    __tablename__ = "outside_condition"
    __table_args__ = (
        one_of("applies", Applies),
        Index("uq_outside_condition_key", "terms_id", "key", unique=True),
    )

    terms_id: Mapped[UUID] = mapped_column(ForeignKey("outside_terms.id"))
    key: Mapped[str] = mapped_column(Text)
    applies: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    law: Mapped[str] = mapped_column(Text)


class OutsidePlacement(ChildScoped):
    """What a request asks for outside the area. Its version is also that of its visits."""

    __tablename__ = "outside_placement"
    __table_args__ = (
        one_of("kind", PlacementKind),
        one_of("footing", Footing),
        Index("uq_outside_placement_request", "request_id", unique=True),
        Index(
            "ix_outside_placement_visit",
            "visit_by",
            "id",
            postgresql_where="is_asked AND ended_on IS NULL",
        ),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("service_request.id"))
    is_asked: Mapped[bool]
    """False where a draft asks for it no more: rows are not deleted."""
    category: Mapped[str] = mapped_column(Text)
    """Its request's, as of the conditions and visits below."""
    kind: Mapped[str | None] = mapped_column(Text)
    footing: Mapped[str | None] = mapped_column(Text)
    area = Sealed()
    """The authority in whose area it is."""
    provider = Sealed()
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    visit_by: Mapped[date | None]
    """By when somebody visits next; None until it is agreed."""


class PlacementCondition(ChildScoped):
    """That a condition is met: since when, and how."""

    __tablename__ = "placement_condition"
    __table_args__ = (
        Index("uq_placement_condition_once", "placement_id", "condition_id", unique=True),
    )

    placement_id: Mapped[UUID] = mapped_column(ForeignKey("outside_placement.id"))
    condition_id: Mapped[UUID] = mapped_column(ForeignKey("outside_condition.id"))
    category: Mapped[str] = mapped_column(Text)
    met_on: Mapped[date | None]
    """None where a tick was taken back."""
    note = Sealed()


class PlacementVisit(ChildScoped):
    """Somebody visited the child where they are placed."""

    __tablename__ = "placement_visit"
    __table_args__ = (Index("ix_placement_visit_on", "placement_id", "visited_on"),)

    placement_id: Mapped[UUID] = mapped_column(ForeignKey("outside_placement.id"))
    category: Mapped[str] = mapped_column(Text)
    visited_on: Mapped[date]
    visited_by = Sealed()
    note = Sealed()
