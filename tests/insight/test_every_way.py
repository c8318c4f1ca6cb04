"""Whichever way somebody reads published figures, they get those of the catalogue and no others."""

import csv
import html
import io
import re
from dataclasses import replace
from fractions import Fraction

import psycopg
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from pyarrow import parquet
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from consent import Role
from panel.accounts.service import add_agency, add_worker, give_role
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.cells import Note, withheld
from panel.insight.core.released import AuditResult, Finding, Release
from panel.insight.core.words import EVERY, Period, Span
from panel.insight.release_store import refuse
from panel.insight.saying import in_order, value_words
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.sessions import start
from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.models import Area
from tests.families.household import Family, household, words
from tests.insight.a_release import TERM, made, release, seen, without_facts
from tests.insight.put_out import put_areas, put_out

Client = AsyncTestClient[Litestar]
NOT_HERE = "There is no such table, term or file."
PAGES = (
    "", "/unmet-need", "/unmet-need?kind=therapy", "/unmet-need?kind=nonsense", "/waits",
    "/outcome-cost", "/gap", "/tables", "/tables/unmet_by_kind_ward", "/methods", "/releases",
    "/scenario", "/scenario?places=5&kind=nonsense",
)  # fmt: skip

pytestmark = pytest.mark.database


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await household(tenant)


@pytest.fixture
async def reader(client: Client, tenant: Tenant, clock: FixedClock, family: Family) -> Client:
    """A commissioner's browser."""
    async with tenant.transaction() as session:
        token = await start(session, family.commissioner, "worker", clock.now())
    client.cookies.set("panel_session", token)
    return client


def shown_rows(page: str) -> list[tuple[str, ...]]:
    """The cells of every row of a page's table of figures."""
    body = page.partition("</thead>")[2].partition("</table>")[0]
    return [
        tuple(
            html.unescape(re.sub(r"<[^>]+>", "", one))
            for one in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        )
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


async def all_rows(reader: Client, key: str) -> list[tuple[str, ...]]:
    """Of a table through all its pages."""
    address, found = f"/commissioning/tables/{key}?term={TERM}", list[tuple[str, ...]]()
    while address:
        answer = await reader.get(address)
        assert answer.status_code == 200, address
        found += shown_rows(answer.text)
        onward = re.search(r'href="([^"]+)">Rows after', answer.text)
        address = html.unescape(onward[1]) if onward else ""
    return found


async def test_every_way_gives_the_published_cells(reader: Client, tenant: Tenant) -> None:
    await put_areas(tenant)
    await put_out(tenant)
    # One of each measure, of each level, and one that is paged.
    keys = (
        "unmet_by_kind_ward", "known_by_age", "wait_panel_service", "mean_cost_by_kind",
        "capacity_use", "unmet_by_reason", "perception_offered",
    )  # fmt: skip
    shown = seen()
    for key in keys:
        table, base = CATALOGUE[key], f"/commissioning/tables/{key}/{TERM}"
        published = sorted(
            (one.cell, None if one.value is None else float(one.value), one.note.value)
            for one in shown.of(key)
        )
        as_data = (await reader.get(f"/api/v1/releases/1/tables/{key}")).json()
        assert (
            sorted(
                (
                    tuple(one["cell"]),
                    None if one["value"] is None else float(one["value"]),
                    one["note"],
                )
                for one in as_data["cells"]
            )
            == published
        )
        numbers = [one["value"] and float(one["value"]) for one in as_data["cells"]]
        notes = [one["note"] for one in as_data["cells"]]
        rows = list(
            csv.DictReader(
                io.StringIO((await reader.get(f"{base}.csv")).content.decode("utf-8-sig"))
            )
        )
        assert [float(one["Value"]) if one["Value"] else None for one in rows] == numbers
        assert [one["Note"] for one in rows] == notes
        book = CalamineWorkbook.from_filelike(io.BytesIO((await reader.get(f"{base}.ods")).content))
        header, *cells = book.get_sheet_by_index(0).to_python()
        at = header.index("Value")
        assert [None if one[at] == "" else one[at] for one in cells] == numbers
        parquet_rows = parquet.read_table(
            io.BytesIO((await reader.get(f"{base}.parquet")).content)
        ).to_pylist()
        assert [one["Value"] for one in parquet_rows] == numbers
        said = [tuple(one["words"]) for one in as_data["cells"]]
        by_words = {
            tuple(words): value_words(table, cell)
            for words, cell in zip(said, in_order(table, shown.of(key), shown.areas), strict=True)
        }
        assert [(row[:-1], row[-1]) for row in await all_rows(reader, key)] == list(
            by_words.items()
        )
    catalogue = (await reader.get("/api/v1/releases/1/catalogue")).json()
    holds = {one.key for one in made() if shown.holds(one.key)}
    assert {one["key"] for one in catalogue["tables"]} == holds
    ward = next(one.cell[0] for one in shown.of(keys[0]) if one.cell[0] != EVERY)
    of_a_ward = (await reader.get(f"/commissioning/tables/{keys[0]}?area={ward}")).text
    onward = re.search(r'href="([^"]+)">Rows after', of_a_ward)
    assert onward is not None
    assert f"area={ward}" in onward[1], "whoever looks at one area goes on with it"


async def test_what_is_not_there_is_one_answer(reader: Client, tenant: Tenant) -> None:
    await put_out(tenant)
    tables = "/commissioning/tables"
    for path in (
        f"{tables}/nonsense", f"{tables}/nonsense/{TERM}.csv", f"{tables}/known_by_area/{TERM}.xls",
        f"{tables}/known_by_area/2020-autumn.csv", f"{tables}/known_by_area?term=2020-autumn",
        f"{tables}/known_by_area/.csv", f"{tables}/known_by_area/{TERM}",
        "/commissioning/waits?term=never", "/api/v1/releases/9/catalogue",
        "/api/v1/releases/1/tables/nonsense", "/api/v1/releases/0/tables/known_by_area",
    ):  # fmt: skip
        answer = await reader.get(path)
        assert answer.status_code == 404, path
        assert NOT_HERE in answer.text, path


async def test_before_the_first_release_every_page_says_what_will_be_there(reader: Client) -> None:
    for path in PAGES:
        answer = await reader.get(f"/commissioning{path}")
        assert answer.status_code == 200, path
        assert "Nothing is published yet" in words(answer.text), path
    assert (await reader.get("/api/v1/releases")).json()["releases"] == []


async def test_a_table_without_data_and_a_term_without_a_ward_say_so(
    reader: Client, tenant: Tenant
) -> None:
    await put_areas(tenant)
    await put_out(tenant)
    empty = await reader.get("/commissioning/tables/perception_offered")
    assert "There are no figures of this table for this term." in words(empty.text)
    # The wards of the next term are others: the old ones keep their figures under their codes.
    await put_out(tenant, _renamed(Period("2027-spring")))
    async with tenant.transaction(JOB) as session:
        session.add(Area(id="w99", name="Newmoor", boundary=None))
    page = words((await reader.get("/commissioning/unmet-need?term=2027-spring")).text)
    assert "Newmoor has no boundary here" in page
    old = words((await reader.get(f"/commissioning/unmet-need?term={TERM}")).text)
    assert "no boundar" not in old


def _renamed(period: Period) -> Release:
    def moved(code: str) -> str:
        return "w99" if code == "w07" else code

    tables = tuple(
        replace(
            table,
            period=period,
            cells=tuple(replace(one, cell=tuple(map(moved, one.cell))) for one in table.cells),
        )
        for table in made()
    )
    return replace(release(), period=period, tables=tables)


async def test_a_term_without_facts_says_so_on_every_page(reader: Client, tenant: Tenant) -> None:
    await put_out(tenant, without_facts(Period("2026-summer")))
    for path in ("/unmet-need", "/waits", "/outcome-cost", "/gap"):
        page = words((await reader.get(f"/commissioning{path}")).text)
        assert "no figures for this" in page or "No wait has a published figure" in page, path
    written = (await reader.get("/commissioning/tables/known_by_area/2026-summer.csv")).text
    assert written.count("no data for this term") == 3


async def test_what_was_changed_after_it_was_signed_is_said(
    reader: Client, tenant: Tenant, database_of_own: Cluster
) -> None:
    await put_out(tenant)
    address = "/commissioning/releases"
    assert "Everything is as it was signed" in words((await reader.get(address)).text)
    with psycopg.connect(database_of_own.owner_url or "", autocommit=True) as owner:
        owner.execute("ALTER TABLE authority_testshire.insight_file DISABLE TRIGGER only_added")
        owner.execute(
            "UPDATE authority_testshire.insight_file SET content = content || 'x'"
            " WHERE name = 'known_by_area.csv'"
        )
    assert "Release 1: known_by_area.csv was changed." in words((await reader.get(address)).text)


async def test_what_is_held_back_is_said_and_its_cells_to_the_lead_alone(
    reader: Client, tenant: Tenant, clock: FixedClock
) -> None:
    autumn = Period("2026-autumn")
    found = Finding(
        "known_by_age", autumn, ("*", "16–18"), Fraction(1), Fraction(3), ("known_by_age_ward",)
    )
    refused = AuditResult(safe=False, findings=(found,), cells=9, solves=3, seconds=1, unfinished=0)
    async with tenant.transaction(JOB) as session:
        refuse(session, autumn, "It is not safe.", refused, session.info[NOW])
        agency = await add_agency(session, key="early-help-2", name="Early Help 2", kind="council")
        lead = await add_worker(session, agency, name="Ngozi", email="ngozi@demo.example")
        await give_role(session, lead, Role.GOVERNANCE_LEAD)
    home = words((await reader.get("/commissioning")).text)
    assert "The figures of a term are held back." in home
    page = words((await reader.get("/commissioning/releases")).text)
    assert "Held back: autumn term 2026" in page
    assert "they were refused: It is not safe." in page
    assert "16–18" not in page
    async with tenant.transaction() as session:
        token = await start(session, lead.id, "worker", clock.now())
    reader.cookies.set("panel_session", token)
    page = words((await reader.get("/commissioning/releases")).text)
    assert "The whole area, 16–18 1 to 3 Children known, by age, by ward" in page


async def test_three_terms_are_read_of_the_newest_release_that_has_them(
    reader: Client, tenant: Tenant
) -> None:
    await put_out(tenant)
    spring = Period("2027-spring")
    later = []
    for table in made():
        note = Note.ONCE if CATALOGUE[table.key].span is Span.ROLLING else Note.NO_DATA
        cells = tuple(withheld(one.cell, note) for one in table.cells)
        later.append(replace(table, period=spring, cells=cells))
    await put_out(tenant, replace(release(), period=spring, tables=tuple(later)))
    page = words((await reader.get(f"/commissioning/unmet-need?term={spring}")).text)
    assert "children of the autumn term 2026 and the two terms before it" in page
    key = "unmet_by_kind_ward_three_terms"
    own = (await reader.get(f"/commissioning/tables/{key}?term={spring}")).text
    assert "There are no figures of this table for this term." in words(own)
    assert f'href="/commissioning/tables/{key}?term={TERM}">autumn term 2026</a>' in own
    file = (await reader.get(f"/commissioning/tables/{key}/{spring}.csv")).text
    assert "once in three terms" in file


async def test_who_does_not_read_figures_is_refused(
    client: Client, tenant: Tenant, clock: FixedClock, family: Family
) -> None:
    await put_out(tenant)
    async with tenant.transaction() as session:
        token = await start(session, family.coordinator, "worker", clock.now())
    client.cookies.set("panel_session", token)
    for path in (*PAGES, f"/tables/known_by_area/{TERM}.csv"):
        assert (await client.get(f"/commissioning{path}")).status_code == 403, path
    assert (await client.get("/api/v1/releases/1/tables/known_by_area")).status_code == 403
    # Nor does the database give them to whoever asks it.
    async with tenant.transaction(family.coordinator) as session:
        assert (await session.execute(text("SELECT count(*) FROM insight_cell"))).scalar_one() == 0


async def test_no_page_leads_to_exact_figures(reader: Client, tenant: Tenant) -> None:
    await put_areas(tenant)
    await put_out(tenant)
    for path in PAGES:
        answer = await reader.get(f"/commissioning{path}")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), path
        for exact in ("/allocation/", "/panels/", "/children"):
            assert f'href="{exact}' not in answer.text, (path, exact)
