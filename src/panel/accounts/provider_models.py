"""Providers that sign workers in, for which agencies, and who is whom there."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Row, Sealed


class SignInProvider(Row):
    """An OpenID Connect provider of an organisation: Entra ID, NHS CIS2, another.

    What we show it who we are with is sealed under a data key of this row's own, or kept outside.
    """

    __tablename__ = "sign_in_provider"

    key: Mapped[str] = mapped_column(Text, unique=True)
    """In addresses: entra, cis2."""
    label: Mapped[str] = mapped_column(Text)
    """On the button."""
    issuer: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(Text)
    secret = Sealed(holder="id")
    """The client's secret, or its private key in PEM; "" where it is kept outside."""
    secret_from: Mapped[str] = mapped_column(Text)
    """`env:NAME` or `file:/path` where it is kept outside, else ""."""
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """`providers.Terms`: what is asked of it and what is believed."""


class SignInProviderAgency(Row):
    """An agency whose workers a provider signs in."""

    __tablename__ = "sign_in_provider_agency"
    __table_args__ = (
        Index(
            "ix_sign_in_provider_agency_provider_id_agency_id",
            "provider_id",
            "agency_id",
            unique=True,
        ),
    )

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("sign_in_provider.id"))
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"), index=True)


class WorkerIdentity(Row):
    """Who a worker is at a provider: by issuer and subject, nothing else is kept of a sign-in."""

    __tablename__ = "worker_identity"
    __table_args__ = (
        Index("ix_worker_identity_issuer_subject", "issuer", "subject", unique=True),
        Index("ix_worker_identity_worker_id_provider_id", "worker_id", "provider_id", unique=True),
    )

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("sign_in_provider.id"), index=True)
    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    linked_at: Mapped[datetime]
    used_at: Mapped[datetime]
