"""What the page of documents says."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from panel.documents.service import Documents, ListedDocument
from panel.records.withheld_words import hidden_words
from panel.register.service import CATEGORY_WORDS
from panel.web.words import short_day


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One file as the page lists it."""

    id: UUID
    title: str
    what: str
    """"PDF, 1.2 MB"."""
    about: str
    by: str
    added: str


@dataclass(frozen=True, slots=True)
class DocumentsPage:
    """The files, and sentences on those that are not shown."""

    documents: Sequence[DocumentLine]
    withheld: Sequence[str]


def documents_page(read: Documents) -> DocumentsPage:
    """The documents page."""
    return DocumentsPage(
        [document_line(one) for one in read.shown],
        hidden_words(
            read.withheld, CATEGORY_WORDS, "Documents about {} are attached that you cannot see."
        ),
    )


def document_line(document: ListedDocument) -> DocumentLine:
    """One file."""
    return DocumentLine(
        document.id,
        document.title,
        f"{document.kind.words}, {size_words(document.bytes_long)}",
        CATEGORY_WORDS[document.category],
        f"{document.author_name}, {document.agency_name}",
        short_day(document.added_on),
    )


def size_words(size: int) -> str:
    """A size in bytes as people read it: "340 KB", "1.2 MB"."""
    if size < 1024 * 1024:
        return f"{max(size // 1024, 1)} KB"
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0") + " MB"
