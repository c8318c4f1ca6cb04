"""What was published: releases with their line of the ledger, and their cells as they went out."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Base, Identified


class PublishedRelease(Identified):
    """A release of a term. It is never changed."""

    __tablename__ = "insight_release"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    period: Mapped[str] = mapped_column(Text, unique=True)
    made_at: Mapped[datetime]
    entry: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Its line of the ledger."""
    methods: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """The rules by which figures were changed, and how far they are from the true ones."""


class PublishedCell(Base):
    """A cell of a release, shown or not."""

    __tablename__ = "insight_cell"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("insight_release.id"), primary_key=True)
    table_key: Mapped[str] = mapped_column(Text, primary_key=True)
    cell: Mapped[list[str]] = mapped_column(ARRAY(Text), primary_key=True)
    value: Mapped[Decimal | None] = mapped_column(Numeric)
    note: Mapped[str] = mapped_column(Text)


class PublishedFile(Base):
    """A file of a release, to the byte as it went out."""

    __tablename__ = "insight_file"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("insight_release.id"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    content: Mapped[bytes]


class RefusedRelease(Identified):
    """A term that was not published, and the cells that would have given somebody away."""

    __tablename__ = "insight_refusal"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    why: Mapped[str] = mapped_column(Text)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
