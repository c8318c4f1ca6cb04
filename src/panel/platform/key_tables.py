"""Tables of keys' generations, of the work of rotating them, and of what was erased."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Identified, one_of


class AuthorityKey(Identified):
    """A later generation of an authority's key, wrapped; the list of authorities has the first."""

    __tablename__ = "authority_key"
    __table_args__ = (Index("uq_authority_key_generation", "generation", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    generation: Mapped[int]
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]


class KeyRotation(Identified):
    """One rotation and how far it is: whoever goes on with it begins behind the last holder."""

    __tablename__ = "key_rotation"
    __table_args__ = (
        one_of("kind", ("authority", "data")),
        Index("uq_key_rotation_open", "kind", unique=True, postgresql_where="finished_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    after_id: Mapped[UUID | None]
    holders: Mapped[int]
    texts: Mapped[int]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ErasureCertificate(Identified):
    """That a holder's data keys were destroyed: as it was signed, added once and never changed."""

    __tablename__ = "erasure_certificate"
    __table_args__ = (Index("uq_erasure_certificate_holder", "holder_id", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    holder_id: Mapped[UUID]
    at: Mapped[datetime]
    certificate: Mapped[dict[str, Any]] = mapped_column(JSONB)
    signature: Mapped[str] = mapped_column(Text)
