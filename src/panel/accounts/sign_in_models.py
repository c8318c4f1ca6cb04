"""Tables of how workers sign in by themselves, and of attempts to.

A password's hash and a code's secret are sealed with the agency's key, so that a copy of the
database alone is nothing to guess passwords from.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Base, Row, Sealed


class OwnPassword(Row):
    """A worker's password, and the secret that their codes are made from; both or neither."""

    __tablename__ = "own_password"

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"), index=True, unique=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    password = Sealed(holder="agency_id")
    """Its argon2id hash."""
    secret = Sealed(holder="agency_id")
    taken_step: Mapped[int] = mapped_column(BigInteger, default=0)
    """The newest step of time whose code was taken: none is taken twice."""


class Passkey(Row):
    """A key of a worker's own device that signs them in."""

    __tablename__ = "passkey"

    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"), index=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    credential_id: Mapped[bytes] = mapped_column(index=True, unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name = Sealed(holder="agency_id")
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code on paper, for whoever lost what makes their codes. It works once."""

    __tablename__ = "recovery_code"

    id: Mapped[bytes] = mapped_column("code_hash", LargeBinary, primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"), index=True)
    used_at: Mapped[datetime | None]


class SignInChallenge(Base):
    """What a passkey is to sign next for the browser of a cookie. It is taken once."""

    __tablename__ = "sign_in_challenge"

    id: Mapped[bytes] = mapped_column("token_hash", LargeBinary, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    challenge: Mapped[bytes]
    ends_at: Mapped[datetime]


class SignInAttempt(Base):
    """How often something was tried. Which account and address it is about stands nowhere."""

    __tablename__ = "sign_in_attempt"

    id: Mapped[bytes] = mapped_column("bucket", LargeBinary, primary_key=True)
    tries: Mapped[int]
    ends_at: Mapped[datetime]


class KnownAddress(Base):
    """An address from which somebody signed in to an account: both as one keyed hash."""

    __tablename__ = "known_address"

    id: Mapped[bytes] = mapped_column("bucket", LargeBinary, primary_key=True)
    seen_at: Mapped[datetime]
