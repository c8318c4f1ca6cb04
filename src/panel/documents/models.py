"""Files attached to a child, checked by content and sealed."""

from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from consent import Category
from panel.platform.tables import Sealed, one_of
from panel.records.child_scoped import ChildScoped


class Document(ChildScoped):
    """A file about a child, with its category and whose record it is."""

    __tablename__ = "document"
    __table_args__ = (one_of("category", Category),)

    title = Sealed()
    file_name = Sealed()
    media_type: Mapped[str] = mapped_column(Text)
    bytes_long: Mapped[int]
    category: Mapped[str] = mapped_column(Text)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("worker.id"))
    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    content_index: Mapped[bytes] = mapped_column(LargeBinary)
    """Blind index of the content: the same file is not attached twice."""


CONTENT_FIELD = "document_content.sealed"
"""What the bytes of a file are bound to, with their row."""


class DocumentContent(ChildScoped):
    """The file's bytes, sealed; apart, so that lists stay light."""

    __tablename__ = "document_content"
    __sealed_content__ = (("sealed", CONTENT_FIELD),)

    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
