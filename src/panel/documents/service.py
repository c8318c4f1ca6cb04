"""Files about a child: attached once, sealed, listed and fetched through the gate."""

from asyncio import to_thread
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.documents.models import CONTENT_FIELD, Document, DocumentContent
from panel.documents.rules import KindOfFile, NotAccepted, clean_file_name, kind_of_file
from panel.platform.clock import day_of
from panel.platform.crypto import Keyring, Keys
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.platform.tables import KEYS
from panel.platform.tenancy import load_keys
from panel.records.gate import NOT_HERE, Access, Withheld

KIND_OF_TYPE = {kind.media_type: kind for kind in KindOfFile}


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A file as it came in; its kind is told by its content, not by its name."""

    content: bytes
    file_name: str
    title: str
    category: Category
    author_id: UUID
    author_agency_id: UUID


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """One file that this viewer may open."""

    id: UUID
    title: str
    file_name: str
    kind: KindOfFile
    bytes_long: int
    category: Category
    author_name: str
    agency_name: str
    added_on: date


@dataclass(frozen=True, slots=True)
class Documents:
    """The files that may be opened, newest first, and why others may not, by category."""

    shown: tuple[ListedDocument, ...]
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file's bytes, with the name to save it by."""

    file_name: str
    media_type: str
    content: bytes


class _DocumentFact(msgspec.Struct):
    id: UUID
    title: str | None
    file_name: str | None
    media_type: str
    bytes_long: int
    category: Category
    author_id: UUID
    author: str | None
    agency_id: UUID
    agency: str
    added_at: datetime


_DOCUMENTS = """
SELECT COALESCE(json_agg(d), '[]')::text FROM (
  SELECT d.id, encode(d.title, 'hex') AS title, encode(d.file_name, 'hex') AS file_name,
         d.media_type, d.bytes_long, d.category, d.author_id, encode(w.name, 'hex') AS author,
         a.id AS agency_id, a.name AS agency, d.created_at AS added_at
    FROM document d JOIN agency a ON a.id = d.author_agency_id
    JOIN worker w ON w.id = d.author_id
   WHERE d.child_id = :child ORDER BY d.created_at DESC, d.id DESC) d
"""
_READ_DOCUMENTS = msgspec.json.Decoder(list[_DocumentFact])


async def documents_of(access: Access) -> Documents:
    """A child's files, each by its own category and author."""
    found = await access.session.execute(text(_DOCUMENTS), {"child": access.child_id})
    facts = _READ_DOCUMENTS.decode(found.scalar_one())
    shown = [one for one in facts if access.may(one.category, one.agency_id)]
    hidden = {one.category for one in facts if not access.may(one.category, one.agency_id)}
    await load_keys(access.session, {one.agency_id for one in shown})
    return Documents(
        tuple(_listed(access, one) for one in shown),
        access.withheld_of(hidden),
    )


def _listed(access: Access, fact: _DocumentFact) -> ListedDocument:
    def opened(column: str, sealed: str | None) -> str:
        return (
            access.open_text(sealed, f"document.{column}", fact.id, fact.category, fact.agency_id)
            or ""
        )

    author = ""
    if fact.author is not None:
        author = access.keys.open(
            fact.agency_id, "worker.name", fact.author_id, bytes.fromhex(fact.author)
        )
    return ListedDocument(
        id=fact.id,
        title=opened("title", fact.title),
        file_name=opened("file_name", fact.file_name),
        kind=KIND_OF_TYPE[fact.media_type],
        bytes_long=fact.bytes_long,
        category=fact.category,
        author_name=author,
        agency_name=fact.agency,
        added_on=day_of(fact.added_at),
    )


async def attach(access: Access, new: NewDocument) -> Document:
    """Attach a file to the child of this access.

    Raises NotAllowed for a viewer who may only read, and Invalid, with the field `file`, for a
    file that Panel does not keep or that this viewer can see is here already.
    """
    access.require_write()
    same = await access.session.scalars(
        select(Document).where(
            Document.child_id == access.child_id,
            Document.content_index == _content_index(access.session, access.child_id, new.content),
        )
    )
    for one in same:
        # Another agency's copy that may not be seen is not told of: this one is kept beside it.
        if access.may(Category(one.category), one.author_agency_id):
            raise Invalid.because("file", f"This file is here already, as “{one.title}”")
    return await _attach(access.session, access.child_id, new)


async def attach_for_import(session: AsyncSession, child_id: UUID, new: NewDocument) -> Document:
    """Attach a file that an import brings; the same file of the same agency is attached once.

    Raises Invalid, with the field `file`, for a file that Panel does not keep.
    """
    same = await session.scalar(
        select(Document)
        .where(
            Document.child_id == child_id,
            Document.author_agency_id == new.author_agency_id,
            Document.content_index == _content_index(session, child_id, new.content),
        )
        .limit(1)
    )
    return same or await _attach(session, child_id, new)


async def _attach(session: AsyncSession, child_id: UUID, new: NewDocument) -> Document:
    try:
        # Beside the others' requests: a large file that hides much takes a second to look through.
        kind = await to_thread(kind_of_file, new.content)
    except NotAccepted as refused:
        raise Invalid.because("file", refused.sentence) from refused
    name = clean_file_name(new.file_name, kind)
    document = Document(
        child_id=child_id,
        title=new.title or name,
        file_name=name,
        media_type=kind.media_type,
        bytes_long=len(new.content),
        category=new.category.value,
        author_id=new.author_id,
        author_agency_id=new.author_agency_id,
        content_index=_content_index(session, child_id, new.content),
    )
    session.add(document)
    # The flush seals the title, and so has the child's key at hand for the content.
    await session.flush()
    content = DocumentContent(child_id=child_id, document_id=document.id)
    content.sealed = _keys(session).seal_bytes(child_id, CONTENT_FIELD, content.id, new.content)
    session.add(content)
    await session.flush()
    return document


async def fetch(access: Access, document_id: UUID) -> Fetched:
    """A file's bytes. Raises NotFound, or NotAllowed where it is withheld and may be said."""
    document = await access.session.get(Document, document_id)
    if document is None or document.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    category = Category(document.category)
    if not access.may(category, document.author_agency_id):
        withheld = access.withheld(category)
        if withheld is None or withheld.silent:
            raise NotFound(NOT_HERE)
        raise NotAllowed(str(withheld), "Ask for it on the page about sharing.")
    content = await access.session.scalar(
        select(DocumentContent).where(DocumentContent.document_id == document_id)
    )
    if content is None:
        raise NotFound(NOT_HERE)
    return Fetched(
        document.file_name,
        document.media_type,
        access.keys.open_bytes(access.child_id, CONTENT_FIELD, content.id, content.sealed),
    )


def _keys(session: AsyncSession) -> Keys:
    return cast("Keys", session.info[KEYS])


def _content_index(session: AsyncSession, child_id: UUID, content: bytes) -> bytes:
    # With the child in it, equal files of two children do not look equal at rest.
    ring: Keyring = _keys(session).ring
    return ring.index("document.content", f"{child_id} {sha256(content).hexdigest()}")
