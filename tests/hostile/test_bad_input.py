"""What people and programs should not send: a clear sentence, nothing lost, nothing half-written."""

import asyncio
import html
import re
import zipfile
from io import BytesIO
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.nhs_number import check_digit
from panel.register.models import Child
from tests.hostile.conftest import FAR_AWAY_NUMBER, Client, hidden_of, is_plain, said_wrong
from tests.hostile.test_every_route import fingerprint

pytestmark = pytest.mark.database

NEW = "/children/new"
AMINA = {
    "given_name": "Amina",
    "family_name": "Novel",
    "birth_date-day": "9",
    "birth_date-month": "3",
    "birth_date-year": "2022",
    "sex": "female",
}
NOBODYS_NUMBER = f"999666555{check_digit('999666555')}"
UNUSED_NUMBER = f"999888777{check_digit('999888777')}"
ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE child; --",
    "{{ 7*7 }}{% for x in y %}${7*7}#{7*7}",
    "</textarea></title><h1>Mine</h1>",
    "%s%n%x \\x3cscript\\x3e ../../etc/passwd",
    '=HYPERLINK("http://evil.example")',
)  # fmt: skip


async def send(browser: Client, page: str, answers: dict[str, str]) -> httpx.Response:
    """Open a page and post its form with these answers."""
    shown = await browser.get(page)
    assert shown.status_code == 200, shown.text
    return await browser.post(page, data=hidden_of(shown) | answers, follow_redirects=False)


async def names(tenant: Tenant) -> list[tuple[str, str]]:
    """Every child's name."""
    async with tenant.transaction(JOB) as session:
        found = list(await session.scalars(select(Child)))
        await load_keys(session, {child.id for child in found})
        return sorted((child.given_name, child.family_name) for child in found)


# --- One field is wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"nhs_number": "999 054 8608"}, "a digit is wrong"),
        ({"nhs_number": "0000000000"}, "NHS number"),
        ({"nhs_number": "９９９０５４８６０９x"}, "NHS number"),
        ({"birth_date-year": "2027"}, "must be today or in the past"),
        ({"birth_date-year": "0001"}, "Check the year"),
        ({"birth_date-year": "99999"}, "Year must include 4 numbers"),
        ({"birth_date-month": "²"}, "must be a real date"),
        ({"given_name": "😀" * 10_000}, "100 characters or fewer"),
        ({"given_name": "\u200b\u200d"}, "characters in it that cannot be seen"),
        ({"family_name": "<b>Kestrel</b>"}, "Take out digits, symbols and pictures"),
        ({"sex": "DROP TABLE"}, "Select sex"),
        ({"favourite_colour": "red"}, "“favourite_colour”"),
        ({"given_name": ""}, "Enter given name"),
    ],
)  # fmt: skip
async def test_it_is_said_and_nothing_typed_is_lost(
    rosa: Client, tenant: Tenant, answers: dict[str, str], sentence: str
) -> None:
    before = await fingerprint(tenant)
    answer = await send(rosa, NEW, AMINA | {"address": "1 Long Row", "part": "therapy"} | answers)
    assert answer.status_code == 422
    assert sentence in html.unescape(said_wrong(answer))
    for typed in ("1 Long Row", "therapy"):
        assert typed in answer.text
    assert is_plain(answer)
    assert await fingerprint(tenant) == before


@pytest.mark.parametrize(
    "raw",
    [
        b"%ED%A0%80Amina",  # half of a pair of UTF-16
        b"Am%00ina",
        b"Am%E2%80%AEina",  # right-to-left override
        b"%EF%BB%BFAmina%E2%80%8F",
        b"%FF%FEAmina",
        b"Amina%0D%0ASet-Cookie:+a=b",
    ],
)
async def test_characters_that_deceive_are_taken_out_or_refused(
    rosa: Client, tenant: Tenant, raw: bytes
) -> None:
    hidden = hidden_of(await rosa.get(NEW))
    fields = hidden | {name: value for name, value in AMINA.items() if name != "given_name"}
    body = b"given_name=" + raw + b"&" + httpx.QueryParams(fields).__str__().encode()
    answer = await rosa.post(
        NEW,
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        follow_redirects=False,
    )
    assert answer.status_code in (303, 400, 422)
    assert is_plain(answer)
    assert "set-cookie" not in answer.headers
    for given, _ in await names(tenant):
        assert given.isprintable()
        assert not re.search("[\u202a-\u202e\u2066-\u2069\ufeff\u200f\ud800-\udfff]", given)


async def test_what_looks_like_code_is_text(rosa: Client, tenant: Tenant) -> None:
    """Every field of free text, stored as written and shown as written."""
    child = await first_child(rosa)
    before = len(await names(tenant))
    for attack in ATTACKS:
        answer = await send(
            rosa,
            f"{child}/chronology",
            {"happened_on": "2026-11-20", "kind": "health", "category": "health", "text": attack},
        )
        assert answer.status_code == 303, said_wrong(answer)
        answer = await send(
            rosa,
            f"{child}/people/new",
            {"name": "Plain Name", "relationship": attack[:60], "phone": attack[:40],
             "address": attack, "safe_contact": attack, "interpreter": attack[:60]},
        )  # fmt: skip
        assert answer.status_code == 303, said_wrong(answer)
        search = await rosa.get("/children", params={"q": attack, "show": attack, "page": attack})
        wrong = await send(rosa, NEW, AMINA | {"given_name": attack, "school": attack})
        assert wrong.status_code == 422
        for page in (search, wrong):
            assert attack not in page.text or not re.search("[<>\"']", attack)
            assert "49" not in re.sub(r'"[^"]*"', "", page.text.partition("<main")[2])
    chronology = (await rosa.get(f"{child}/chronology")).text
    people = (await rosa.get(f"{child}/people")).text
    for attack in ATTACKS:
        assert attack in html.unescape(chronology)
        if "<" in attack:
            assert attack not in chronology
            assert attack not in people
    assert "<h1>Mine" not in chronology + people
    assert len(await names(tenant)) == before


async def first_child(browser: Client) -> str:
    """A child in whose team this person is."""
    listed = await browser.get("/children", params={"show": "team"})
    found = re.search(r"/children/[0-9a-f-]{36}", listed.text)
    assert found is not None
    return found[0]


# --- A child whom this person may not see -------------------------------------------------------


def without_ids(page: httpx.Response, *own: str) -> str:
    told = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|C-\d+", "ID", page.text)
    for word in own:
        told = told.replace(word, "OWN")
    return told


async def added(browser: Client, nhs: str, given: str, family: str, born: str) -> list[str]:
    """All that a person is told who adds a child: each answer, ids and their own words aside."""
    answer = await send(
        browser,
        NEW,
        {"given_name": given, "family_name": family, "birth_date": born, "sex": "female",
         "nhs_number": nhs},
    )  # fmt: skip
    assert answer.status_code == 303, said_wrong(answer)
    spaced = f"{nhs[:3]} {nhs[3:6]} {nhs[6:]}"
    own = (given, family, nhs, spaced)
    child = answer.headers["location"].removesuffix("/people")
    told = [str(answer.status_code), re.sub("[0-9a-f-]{36}", "ID", answer.headers["location"])]
    told += [str(sorted(set(answer.headers) - {"content-length"})), answer.text]
    for page in (child, f"{child}/people", f"{child}/chronology", f"{child}/sharing", "/"):
        told.append(without_ids(await browser.get(page), *own))
    for query in (nhs, f"{given} {family}"):
        told.append(without_ids(await browser.get("/children", params={"q": query}), *own))
    return told


async def test_searching_for_an_unseen_child_finds_as_little_as_for_none(rosa: Client) -> None:
    for there, nowhere in ((FAR_AWAY_NUMBER, NOBODYS_NUMBER), ("Farfetch", "Farmeadow")):
        found = await rosa.get("/children", params={"q": there})
        none = await rosa.get("/children", params={"q": nowhere})
        assert found.text.replace(there, nowhere) == none.text


async def test_a_duplicate_of_an_unseen_child_is_answered_as_a_new_one(rosa: Client) -> None:
    as_new = await added(rosa, UNUSED_NUMBER, "Octavian", "Farfield", "2021-05-04")
    as_duplicate = await added(rosa, FAR_AWAY_NUMBER, "Ottoline", "Farfetch", "2021-05-04")
    for new, duplicate in zip(as_new, as_duplicate, strict=True):
        assert re.sub(r"\d+ (child|record)", "N", new) == re.sub(
            r"\d+ (child|record)", "N", duplicate
        )


# --- The same form, again -----------------------------------------------------------------------


async def test_a_form_sent_again_does_its_work_once(rosa: Client, tenant: Tenant) -> None:
    form = hidden_of(await rosa.get(NEW)) | AMINA | {"given_name": "Secunda"}
    for _ in range(3):
        answer = await rosa.post(NEW, data=form, follow_redirects=False)
        assert answer.status_code == 303, said_wrong(answer)
    turned = dict(reversed(form.items()))
    assert (await rosa.post(NEW, data=turned, follow_redirects=False)).status_code == 303
    assert (await names(tenant)).count(("Secunda", "Novel")) == 1


async def test_a_form_sent_five_times_at_once_does_its_work_once(
    rosa: Client, tenant: Tenant
) -> None:
    child = await first_child(rosa)
    form = hidden_of(await rosa.get(NEW)) | AMINA | {"given_name": "Quintina"}
    event = hidden_of(await rosa.get(f"{child}/chronology")) | {
        "happened_on": "2026-11-20", "kind": "health", "category": "health", "text": "Once only.",
    }  # fmt: skip
    answers = await asyncio.gather(
        *(rosa.post(NEW, data=form, follow_redirects=False) for _ in range(5)),
        *(rosa.post(f"{child}/chronology", data=event, follow_redirects=False) for _ in range(5)),
    )
    assert {one.status_code for one in answers} == {303}
    assert (await names(tenant)).count(("Quintina", "Novel")) == 1
    page = (await rosa.get(f"{child}/chronology")).text
    assert page.count("Once only.") == 1


async def test_who_saves_second_sees_both_texts(rosa: Client) -> None:
    child = await first_child(rosa)
    page = await rosa.get(f"{child}/edit")
    fields = dict(re.findall(r'<input[^>]*name="([\w-]+)"[^>]*?value="([^"]*)"', page.text))
    fields = hidden_of(page) | {
        name: html.unescape(value) for name, value in fields.items() if not name.startswith("_")
    }
    fields.pop("sex", None)
    sex = re.search(r'name="sex"[^>]*value="(\w+)"[^>]*checked', page.text)
    fields["sex"] = sex[1] if sex else "not_known"
    first = fields | {"known_as": "Firstcomer"}
    second = fields | {"known_as": "Secondcomer <b>"}
    assert (await rosa.post(f"{child}/edit", data=first)).status_code < 400
    answer = await rosa.post(f"{child}/edit", data=second, follow_redirects=False)
    assert answer.status_code in (409, 422), said_wrong(answer)
    if answer.status_code == 422:  # the bold tag is no name: without it, the clash
        second["known_as"] = "Secondcomer"
        answer = await rosa.post(f"{child}/edit", data=second, follow_redirects=False)
    assert answer.status_code == 409
    assert "Firstcomer" in answer.text
    assert "Secondcomer" in answer.text
    assert is_plain(answer)


# --- Files and bodies ---------------------------------------------------------------------------


def executable() -> bytes:
    return b"MZ\x90\x00" + b"\x00" * 56 + b"\x80\x00\x00\x00" + b"\x0e\x1f" * 40 + b"PE\x00\x00"


def archive_bomb() -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"0" * 50_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("letter.pdf", executable()),
        ("photo.jpg", b"<html><script>alert(1)</script></html>"),
        ("report.docx", archive_bomb()),
        ("empty.pdf", b""),
        ("../../../etc/cron.d/evil.pdf", executable()),
        ("a" * 300 + ".pdf", executable()),
        ("half.pdf", b"%PDF-1.7\n1 0 obj\n<<"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 20),
    ],
)
async def test_a_file_that_is_not_what_it_says_is_refused(
    rosa: Client, tenant: Tenant, name: str, content: bytes
) -> None:
    child = await first_child(rosa)
    page = f"{child}/documents"
    fields = hidden_of(await rosa.get(page)) | {"title": "A letter", "category": "health"}
    answer = await rosa.post(
        page,
        data=fields,
        files={"file": (name, content, "application/pdf")},
        follow_redirects=False,
    )
    assert answer.status_code == 422, answer.status_code
    assert said_wrong(answer)
    assert "A letter" in answer.text, "what was typed is still there"
    assert is_plain(answer)
    async with tenant.transaction(JOB) as session:
        stored = await session.execute(text("SELECT count(*) FROM document"))
        assert stored.scalar_one() == 0


async def test_more_than_is_taken_in_is_refused_in_plain_words(rosa: Client) -> None:
    child = await first_child(rosa)
    fields = hidden_of(await rosa.get(f"{child}/documents"))
    answer = await rosa.post(
        f"{child}/documents",
        data=fields,
        files={"file": ("big.pdf", b"%PDF-1.7\n" + b"0" * (13 * 1024 * 1024), "application/pdf")},
    )
    assert answer.status_code == 413
    assert "This is too large" in answer.text
    assert "12 MB" in answer.text


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"'),
        ("multipart/form-data; boundary=x", b"--y\r\n\r\n--x--"),
        ("multipart/form-data; boundary=" + "x" * 5_000, b"--x--"),
        ("application/x-www-form-urlencoded", b"%%%=&&&=%zz&;=;" + b"a=1&" * 20_000),
        ("application/json", b"{"),
        ("application/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
        ("", b"given_name=x"),
        ("text/plain; charset=utf-16", b"\xff\xfe"),
    ],
)
async def test_a_body_that_is_no_form_is_refused(
    rosa: Client, tenant: Tenant, kind: str, body: bytes
) -> None:
    before = await fingerprint(tenant)
    answer = await rosa.post(NEW, content=body, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code in (400, 403, 413, 415), answer.status_code
    assert "<h1" in answer.text
    assert is_plain(answer)
    assert await fingerprint(tenant) == before


@pytest.mark.parametrize(
    "cursor", ["x", "é", "%00", "W10", "WyJhZnRlciIsMV0", "9" * 5_000, "WyJhZnRlciIsICJ4Il0="]
)
async def test_a_cursor_that_is_none_shows_the_first_page(rosa: Client, cursor: str) -> None:
    first = await rosa.get("/children")
    answer = await rosa.get("/children", params={"page": cursor})
    assert answer.status_code == 200
    shown = re.findall(r"/children/[0-9a-f-]{36}", answer.text)
    assert shown == re.findall(r"/children/[0-9a-f-]{36}", first.text)


@pytest.mark.parametrize("part", ["1", "x", "%00", "{child_id}", "None", "0" * 36, "-" * 36])
async def test_an_id_that_is_none_is_not_found(rosa: Client, part: str) -> None:
    for path in (f"/children/{part}", f"/children/{part}/plan", f"/children/{part}/edit"):
        answer = await rosa.get(path)
        assert answer.status_code == 404, path
        assert is_plain(answer)
    zero = await rosa.get(f"/children/{UUID(int=0)}")
    assert zero.status_code == 404
