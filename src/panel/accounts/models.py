"""Agencies and the workers in them, with dated roles."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from consent import Role
from panel.platform.tables import Base, Row, Sealed, one_of

AGENCY_KINDS = ("health", "education", "social_care", "council", "voluntary", "gp", "school", "icb")


class Agency(Row):
    """An organisation in the authority, a controller of its own."""

    __tablename__ = "agency"
    __table_args__ = (one_of("kind", AGENCY_KINDS),)

    key: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    ods_code: Mapped[str | None] = mapped_column(Text)
    closed_on: Mapped[date | None]
    """The day on which nobody worked there any more; None while it is open."""


class Worker(Row):
    """A person at an agency. Names and addresses are sealed with the agency's data key."""

    __tablename__ = "worker"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"), index=True)
    name = Sealed(holder="agency_id")
    job_title: Mapped[str] = mapped_column(Text, default="")
    email = Sealed(holder="agency_id")
    phone = Sealed(holder="agency_id")
    email_index: Mapped[bytes] = mapped_column(unique=True)
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]


class WorkerRole(Row):
    """A role, from–until. A coordinator's, chair's or member's role is of one panel."""

    __tablename__ = "worker_role"
    __table_args__ = (
        one_of("role", Role),
        Index("ix_worker_role_panel", "panel_id", "role"),
    )

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"), index=True)
    role: Mapped[str] = mapped_column(Text)
    panel_id: Mapped[UUID | None]
    from_on: Mapped[date | None]
    until_on: Mapped[date | None]


class DemoPersona(Base):
    """One of the demonstration's people, by key; empty outside the demonstration."""

    __tablename__ = "demo_persona"

    id: Mapped[str] = mapped_column("key", Text, primary_key=True)
    viewer_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    role_words: Mapped[str] = mapped_column(Text)
