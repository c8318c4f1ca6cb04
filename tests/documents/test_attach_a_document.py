"""A practitioner attaches a file; who may open it is decided by category and author."""

import io
import re
import zipfile
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Category, Purpose, Role, Viewer, ViewerKind
from panel.accounts.service import add_agency, add_worker, give_role
from panel.documents.service import NewDocument, attach_for_import, documents_of, fetch
from panel.platform.problems import NotAllowed
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.service import NewChild, add_child, add_involvement

Client = AsyncTestClient[Litestar]
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n"
)
TODAY = date(2026, 11, 23)


async def practitioner(tenant: Tenant, key: str) -> Viewer:
    """A practitioner at an agency of their own."""
    async with tenant.transaction(JOB) as session:
        agency = await add_agency(session, key=key, name=key.title(), kind="health")
        worker = await add_worker(session, agency, name="Rosa Whitlow", email=f"{key}@demo.example")
        await give_role(session, worker, Role.PRACTITIONER)
        roles = frozenset({Role.PRACTITIONER})
        return Viewer(worker.id, ViewerKind.WORKER, agency.id, "health", roles)


@pytest.fixture
async def rosa(tenant: Tenant) -> Viewer:
    """A health visitor."""
    return await practitioner(tenant, "health-visiting")


@pytest.fixture
async def child(tenant: Tenant, rosa: Viewer) -> UUID:
    """A child of hers."""
    async with tenant.transaction(rosa.id) as session:
        made = await add_child(
            session,
            NewChild("Amina", "Kestrel", date(2022, 3, 9)),
            agency_id=rosa.agency,
            worker_id=rosa.id,
            from_on=TODAY,
        )
        return made.id


async def send(
    client: Client, child: UUID, name: str, content: bytes, **answers: str
) -> httpx.Response:
    """Post the form of the page."""
    page = f"/children/{child}/documents"
    shown = await client.get(page)
    assert shown.status_code == 200, shown.text
    hidden = dict(re.findall(r'type="hidden" name="(_\w+)" value="([^"]*)"', shown.text))
    given = {"title": "Hearing test", "category": "health"} | answers
    return await client.post(
        page, data=hidden | given, files={"file": (name, content)}, follow_redirects=False
    )


async def test_a_pdf_is_attached_sealed_and_opened_again(
    client: Client, tenant: Tenant, rosa: Viewer, child: UUID, sign_in: Any
) -> None:
    await sign_in(rosa.id)
    answer = await send(client, child, "C:\\letters\\test «ä».exe", PDF)
    assert answer.status_code == 303
    shown = await client.get(answer.headers["location"])
    assert "Hearing test" in shown.text
    assert "Rosa Whitlow" in shown.text
    link = re.search(r'href="(/children/[^"]+/documents/[^"]+)"', shown.text)
    assert link is not None
    fetched = await client.get(link[1])
    assert fetched.content == PDF
    assert fetched.headers["content-type"] == "application/pdf"
    assert fetched.headers["x-content-type-options"] == "nosniff"
    assert fetched.headers["cache-control"] == "no-store"
    assert fetched.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''test%20%C2%AB%C3%A4%C2%BB.pdf"
    )
    async with tenant.transaction(JOB) as session:
        stored = await session.execute(text("SELECT sealed FROM document_content"))
        assert b"PDF" not in bytes(stored.scalar_one())


async def test_the_same_file_is_not_attached_twice(
    client: Client, rosa: Viewer, child: UUID, sign_in: Any
) -> None:
    await sign_in(rosa.id)
    assert (await send(client, child, "test.pdf", PDF)).status_code == 303
    again = await send(client, child, "other.pdf", PDF, title="Another name")
    assert again.status_code == 422
    assert "This file is here already, as “Hearing test”" in again.text
    assert 'value="Another name"' in again.text


def a_zip() -> bytes:
    """A zip file that is no Word document."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr("a.txt", "a")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("letter.pdf", b"MZ\x90\x00" + b"\x00" * 100, "This is a program"),
        ("letter.pdf", b"", "This file is empty"),
        ("letter.docx", a_zip(), "This is a zip file"),
        ("letter.pdf", b"%PDF-1.4\n" + b"0" * (10 * 1024 * 1024), "may have at most 10 MB"),
        ("", PDF, "File must be a file"),
    ],
)
async def test_a_file_that_is_not_kept_is_refused_in_a_sentence(
    client: Client, rosa: Viewer, child: UUID, sign_in: Any,
    name: str, content: bytes, sentence: str,
) -> None:  # fmt: skip
    await sign_in(rosa.id)
    answer = await send(client, child, name, content)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Hearing test"' in answer.text


async def test_far_too_much_is_refused_with_a_page(
    client: Client, rosa: Viewer, child: UUID, sign_in: Any
) -> None:
    await sign_in(rosa.id)
    answer = await send(client, child, "film.pdf", b"%PDF-" + b"0" * (20 * 1024 * 1024))
    assert answer.status_code == 413
    assert "This is larger than 12 MB" in answer.text


async def test_another_agency_opens_it_only_when_it_may(
    tenant: Tenant, gate: Gate, rosa: Viewer, child: UUID
) -> None:
    hana = await practitioner(tenant, "early-years")
    async with tenant.transaction(rosa.id) as session:
        await add_involvement(
            session, child, agency_id=hana.agency or child, worker_id=hana.id, from_on=TODAY
        )
    new = NewDocument(
        PDF, "test.pdf", "Hearing test", Category.HEALTH, rosa.id, rosa.agency or child
    )
    async with tenant.transaction(JOB) as session:
        document = await attach_for_import(session, child, new)
        assert (await attach_for_import(session, child, new)).id == document.id
    async with gate.open(child, rosa, Purpose.SUPPORT, "read") as access:
        assert [one.title for one in (await documents_of(access)).shown] == ["Hearing test"]
    async with gate.open(child, hana, Purpose.SUPPORT, "read") as access:
        listed = await documents_of(access)
        assert listed.shown == ()
        assert [one.category for one in listed.withheld] == [Category.HEALTH]
        with pytest.raises(NotAllowed):
            await fetch(access, document.id)
    async with tenant.transaction(hana.id) as session:
        titles = await session.execute(text("SELECT title FROM document"))
        assert b"Hearing" not in bytes(titles.scalar_one())
