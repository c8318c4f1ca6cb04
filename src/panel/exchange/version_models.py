"""What a resource was before it changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

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
