"""Providers, their services, where and for whom; links by which providers say how many places."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Numeric, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from panel.directory.vocabulary import KINDS, UNITS, Route, Status
from panel.platform.tables import Identified, Row, one_of

PROVIDER_KINDS = ("council", "health", "education", "voluntary", "private", "other")
CHANGES = ("added", "changed", "closed", "opened", "ended", "said_places", "imported")


class Provider(Row):
    """An organisation that provides services. Nothing here is about a person."""

    __tablename__ = "provider"
    __table_args__ = (one_of("kind", PROVIDER_KINDS), Index("ix_provider_name", "name", "id"))

    organization_id: Mapped[UUID] = mapped_column(unique=True)
    """Its id in Open Referral: where it came from, or our own."""
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[str] = mapped_column(Text, default="other")
    email: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str] = mapped_column(Text, default="")
    website: Mapped[str] = mapped_column(Text, default="")
    original: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class Service(Row):
    """One service. Who looks for services finds them by `found_by`, `area_codes` and `words`."""

    __tablename__ = "service"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("status", Status),
        one_of("referral_route", Route),
        one_of("unit", UNITS),
        CheckConstraint("min_age >= 0 AND max_age <= 120 AND min_age <= max_age", name="ages"),
        CheckConstraint("capacity >= 0 AND places_free >= 0", name="places"),
        CheckConstraint("places_free <= capacity", name="places_of_capacity"),
        CheckConstraint("unit_cost >= 0", name="unit_cost"),
        Index("ix_service_provider_id", "provider_id", "id"),
        Index("ix_service_name", "name", "id"),
        Index("ix_service_found_by", "found_by", postgresql_using="gin"),
        Index("ix_service_area_codes", "area_codes", postgresql_using="gin"),
        Index("ix_service_words", "words", postgresql_using="gin"),
        Index("ix_service_term_ids", "term_ids", postgresql_using="gin"),
        Index("ix_service_public", "external_id", postgresql_where="published AND NOT statutory"),
    )

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    external_id: Mapped[UUID] = mapped_column(unique=True)
    """Its id in Open Referral: where it came from, or our own."""
    source: Mapped[str] = mapped_column(Text, default="")
    """The file that it came from; "" where it was written down here."""
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[str] = mapped_column(Text, default="other")
    status: Mapped[str] = mapped_column(Text, default="active")
    closed_until: Mapped[date | None]
    """The last day on which it is closed for now; None while nobody knows."""
    url: Mapped[str] = mapped_column(Text, default="")
    email: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str] = mapped_column(Text, default="")
    min_age: Mapped[int | None]
    max_age: Mapped[int | None]
    needs_met: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    accessibility: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    breaks: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    area_codes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """The wards that it serves, or "*" alone: what `service_area` says, to be searched."""
    cost: Mapped[str] = mapped_column(Text, default="")
    free: Mapped[bool] = mapped_column(default=False)
    referral_route: Mapped[str] = mapped_column(Text, default="self")
    capacity: Mapped[int | None]
    places_free: Mapped[int | None]
    places_as_of: Mapped[date | None]
    statutory: Mapped[bool] = mapped_column(default=False)
    published: Mapped[bool] = mapped_column(default=True)
    unit: Mapped[str | None] = mapped_column(Text)
    unit_cost: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    original: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """What came in, so that what has no column goes out again as it was."""
    term_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    """Every term of a taxonomy that it stands under, ours and others'."""
    imported_at: Mapped[datetime | None]
    """The moment of the import, where nothing was changed since."""
    found_by: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    """Words that the database makes: need, age band, standing and ward in one; language, access
    (migration 0027)."""
    words: Mapped[Any] = mapped_column(TSVECTOR, server_default="")
    """Name and description as full text, made by the database."""


class ServicePlace(Row):
    """Where a service is."""

    __tablename__ = "service_place"
    __table_args__ = (Index("ix_service_place_service_id", "service_id", "position"),)

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"))
    external_id: Mapped[UUID] = mapped_column(unique=True)
    """The id of the service at this location in Open Referral."""
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(Text, default="")
    postcode: Mapped[str] = mapped_column(Text, default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    original: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class ServiceArea(Row):
    """An area that a service serves: a ward's code, or what somebody calls it."""

    __tablename__ = "service_area"
    __table_args__ = (Index("ix_service_area_service_id", "service_id", "position"),)

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"))
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text, default="")


class ProviderLink(Row):
    """A link by which one provider says how many places are free. Only its hash is kept."""

    __tablename__ = "provider_link"
    __table_args__ = (Index("ix_provider_link_provider_id", "provider_id", "ends_at"),)

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    """When something was last said by it."""


class ServiceChange(Identified):
    """One change of a service: by whom, what it was and what it is. Only ever added to."""

    __tablename__ = "service_change"
    __table_args__ = (
        one_of("by_kind", ("worker", "provider", "file")),
        one_of("what", CHANGES),
        Index("ix_service_change_service_id", "service_id", "at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"))
    at: Mapped[datetime]
    by_id: Mapped[UUID]
    by_kind: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ShortBreaksStatement(Row):
    """What the authority says about its short breaks, apart from the services."""

    __tablename__ = "short_breaks_statement"

    eligibility: Mapped[str] = mapped_column(Text)
    how_it_meets_needs: Mapped[str] = mapped_column(Text)
    carers_views: Mapped[str] = mapped_column(Text, default="")
    reviewed_on: Mapped[date]
    review_by: Mapped[date]
