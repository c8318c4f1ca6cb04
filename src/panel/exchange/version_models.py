"""What a resource was before it changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Base
from panel.records.child_scoped import ChildScoped


class ResourceVersion(ChildScoped):
    """One state of a row as its source reads it (`exchange.source`). Never changed.

    What is sealed in its own table is sealed here with the same key. It is told only while its row
    is there: what was disposed of has no history here, and what is kept of a row that was moved to
    another child is deleted.
    """

    __tablename__ = "resource_version"
    __table_args__ = (
        Index("uq_resource_version_told", "resource", "resource_id", "told_at", unique=True),
    )

    resource: Mapped[str] = mapped_column(Text)
    """The FHIR type."""
    resource_id: Mapped[UUID]
    told_at: Mapped[datetime]
    """When the row became so."""
    line: Mapped[str] = mapped_column(Text)
    """JSON."""


class VersionPass(Base):
    """How far everything was gone through when what entries were was last kept: one row.

    It counts in transactions and not in time: what a transaction wrote that was open for long says
    when it began, and comes after what others wrote and finished meanwhile.
    """

    __tablename__ = "version_pass"

    id: Mapped[str] = mapped_column("name", Text, primary_key=True)
    until: Mapped[int] = mapped_column(BigInteger)
    """Every transaction before this one was over, and what it wrote has been looked at."""
    written_by: Mapped[int] = mapped_column(BigInteger)
    """The transaction that wrote this row; another did after a restore, and it counts no more."""
    queries: Mapped[str] = mapped_column(Text)
    """Hash of what was asked: where a newer Panel asks for more, everything is looked at again."""
    at: Mapped[datetime]
