"""Files about a child: listed, attached, fetched."""

from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from consent import Category
from panel.accounts.desk import PRIVATE, Desk
from panel.accounts.taking import take
from panel.documents import pages
from panel.documents.forms import AttachForm
from panel.documents.rules import LIMIT
from panel.documents.service import Fetched, NewDocument, attach, documents_of, fetch
from panel.platform.problems import NotAllowed
from panel.records.gate import Access
from panel.register.service import CATEGORY_CHOICES, child_header
from panel.web.forms import FieldErrors, Filled


async def _page(desk: Desk, child_id: UUID, errors: FieldErrors | None = None) -> Response[str]:
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "read the list of documents"
    ) as access:
        header = await child_header(access)
        page = pages.documents_page(await documents_of(access))
        may_write = access.may_write
    return desk.page(
        "documents/documents.html",
        status=200 if errors is None else 422,
        header=header,
        here="documents",
        page=page,
        may_write=may_write,
        categories=CATEGORY_CHOICES,
        limit=pages.size_words(LIMIT),
        filled=Filled({}, errors),
    )


@get("/children/{child_id:uuid}/documents", include_in_schema=False)
async def documents_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """The files that this person may open, and a form to attach one."""
    return await _page(desk, child_id)


@post("/children/{child_id:uuid}/documents", include_in_schema=False)
async def attach_document(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Attach a file."""
    agency = desk.viewer.agency
    if agency is None:
        raise NotAllowed("Only somebody at an agency can attach a file.")

    async def work(access: Access, form: AttachForm) -> None:
        new = NewDocument(
            content=await form.file.read(),
            file_name=form.file.filename,
            title=form.title,
            category=Category(form.category),
            author_id=desk.viewer.id,
            author_agency_id=agency,
        )
        await attach(access, new)

    opens = partial(desk.open, child_id, "attached a document")
    again = partial(_page, desk, child_id)
    to = f"/children/{child_id}/documents"
    return await take(desk, AttachForm, opens, work, to, again=again)


@get("/children/{child_id:uuid}/documents/{document_id:uuid}", include_in_schema=False)
async def fetch_document(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], document_id: FromPath[UUID]
) -> Response[bytes]:
    """A file, to be saved and not opened within the site."""
    async with desk.gate.open(child_id, desk.viewer, desk.purposes, "opened a document") as access:
        fetched = await fetch(access, document_id)
    return as_download(fetched)


def as_download(fetched: Fetched) -> Response[bytes]:
    """A file's bytes as an answer that is saved and not opened within the site."""
    return Response(
        fetched.content,
        media_type=fetched.media_type,
        headers=PRIVATE
        | {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(fetched.file_name)}",
            "X-Content-Type-Options": "nosniff",
        },
    )


HANDLERS = [documents_page, attach_document, fetch_document]
