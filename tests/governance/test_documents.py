"""Documents filled from the configuration: versions only where something changed, approved once."""

import html
import re
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from litestar import Litestar
from litestar.testing import AsyncTestClient

import panel.commands.jobs as job_commands
from panel.accounts.service import add_agency
from panel.accounts.throttle import KNOWN_FOR
from panel.casework.handover_models import OtherAuthority
from panel.cli import commands
from panel.governance.document_facts import (
    DOES_BY_ITSELF,
    RETENTION,
    AgencyFact,
    DocumentFacts,
    DutyFact,
    read_facts,
)
from panel.governance.document_text import (
    MARK,
    Grid,
    Heading,
    Part,
    Points,
    ToFill,
    Words,
    markdown,
    read,
    stored,
)
from panel.governance.document_text import html as as_html
from panel.governance.documents import FAMILY_WORDS, TITLES, written
from panel.governance.models import DocumentKind
from panel.governance.pattern_rules import DEFAULTS
from panel.governance.versions import (
    Version,
    approve,
    keep_up_to_date,
    newest_versions,
    one_version,
    versions_of,
)
from panel.panels.reading_age import reading_age
from panel.platform.clock import FixedClock
from panel.platform.problems import Gone, Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.platform.work_tables import Setting
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.settings import from_environment
from panel.sharing.gateways import ensure_gateways
from panel.sharing.spans import Spans
from tests.governance.conftest import Offices
from tests.sharing.family import Family

Client = AsyncTestClient[Litestar]
TODAY = date(2026, 11, 23)

FACTS = DocumentFacts(
    authority="Wexcombe Borough",
    agencies=(
        AgencyFact("Health Visiting", "health", on_panel=True),
        AgencyFact("Larkfield | School <1>", "school", on_panel=False),
    ),
    duties=(
        DutyFact("the duty to co-operate", "Children Act 2004", date(2005, 4, 1), None),
        DutyFact("the duty to share", "2026 Act", None, None),
    ),
    panels=("CONTACTS panel",),
    forms=("CAF", "CIN core"),
    retention=tuple((said, "") for said in RETENTION.values()),
    contact="",
    thresholds=tuple((one.value, figure) for one, figure in DEFAULTS.items()),
    spans=tuple(asdict(Spans()).items()),
    jobs=tuple(DOES_BY_ITSELF.values()),
)


def prose(parts: tuple[Part, ...]) -> str:
    """What a reader reads: sentences and items, without names of agencies and tables."""
    agencies = {one.name for one in FACTS.agencies}
    said = []
    for part in parts:
        if isinstance(part, Words):
            said.append(part.text)
        if isinstance(part, Points):
            said += [item.rstrip(".") + "." for item in part.items if item not in agencies]
    return " ".join(said)


# The texts.


def test_equal_facts_give_equal_documents() -> None:
    assert written(FACTS) == written(replace(FACTS))
    assert list(written(FACTS)) == list(DocumentKind)


@pytest.mark.parametrize("kind", list(DocumentKind))
def test_a_document_is_whole_and_marks_what_the_lawyers_fill_in(kind: DocumentKind) -> None:
    parts = written(FACTS)[kind]
    said = markdown(TITLES[kind], "Version 1", parts)
    assert not re.search(r"\{|\}", said), said
    assert f"**{MARK}:**" in said
    assert read(stored(parts)) == parts
    assert [part for part in parts if isinstance(part, Heading)]


def test_they_are_filled_from_the_facts() -> None:
    documents = {kind: markdown("", "", parts) for kind, parts in written(FACTS).items()}
    agreement = documents[DocumentKind.JOINT_CONTROLLERS]
    assert "| Health Visiting | Health | Yes |" in agreement
    record = documents[DocumentKind.PROCESSING_RECORD]
    assert "| The duty to co-operate | From 1 April 2005 | Children Act 2004 |" in record
    assert "| The duty to share | Not in force | 2026 Act |" in record
    assert "| Money | Only where it is named |" in record
    assert "Forms in use: CAF and CIN core." in record
    assert f"| Files attached to a record | {MARK} |" in record
    for job in DOES_BY_ITSELF.values():
        assert job[1:] in record
    assert "| Their author, for 24 hours; reviewed by" in agreement
    assert "reviews it within 2 working days" in documents[DocumentKind.IMPACT_ASSESSMENT]
    assert "25 children in an hour" in documents[DocumentKind.IMPACT_ASSESSMENT]
    assert "before 7:00 or after 20:00" in documents[DocumentKind.NOTICE_FOR_WORKERS]
    for said in FAMILY_WORDS.values():
        assert said in documents[DocumentKind.NOTICE_FOR_FAMILIES]


def test_they_say_what_is_kept_of_signing_in() -> None:
    """Counted tries, known addresses, and whom a provider says somebody is."""
    said = {
        kind: " ".join(markdown("", "", parts).split()) for kind, parts in written(FACTS).items()
    }
    for kind in (DocumentKind.NOTICE_FOR_WORKERS, DocumentKind.PROCESSING_RECORD):
        for words in ("sign in", "up to an hour", f"for {KNOWN_FOR.days} days after the last time"):
            assert words in said[kind], (kind, words)
    assert (
        "the issuer and the subject by which it knows them" in said[DocumentKind.PROCESSING_RECORD]
    )
    assert "Counted tries to sign in or to ask for a code" in said[DocumentKind.PROCESSING_RECORD]
    assert "the name or number by which it knows you" in said[DocumentKind.NOTICE_FOR_WORKERS]
    families = said[DocumentKind.NOTICE_FOR_FAMILIES]
    assert f"For {KNOWN_FOR.days} days we know again the network" in families


@pytest.mark.parametrize(
    ("kind", "age"),
    [(DocumentKind.NOTICE_FOR_FAMILIES, 10), (DocumentKind.NOTICE_FOR_WORKERS, 13)],
)
def test_a_notice_is_read_by_those_whom_it_is_for(kind: DocumentKind, age: int) -> None:
    assert reading_age(prose(written(FACTS)[kind])) <= age


def test_what_somebody_named_cannot_break_the_file() -> None:
    parts = written(FACTS)[DocumentKind.JOINT_CONTROLLERS]
    assert "Larkfield \\| School <1>" in markdown("x", "y", parts)
    page = as_html("A <b> title", "y", parts)
    assert "Larkfield | School &lt;1&gt;" in page
    assert "A &lt;b&gt; title" in page
    assert "<script" not in page
    for part in (Heading("a"), Words("b"), Points(("c",)), Grid(("d",), (("e",),)), ToFill("f")):
        assert as_html("t", "s", [part]).count("<main>") == 1


def test_a_name_puts_no_link_or_tag_into_the_markdown() -> None:
    name = "[Read](javascript:x)\n\n# <img src=x onerror=y> ![](https://e.example/p) `|"
    parts = (Words(name), Points((name,)), Grid((name,), ((name,),)), ToFill(name), Heading(name))
    said = markdown("t", "s", parts)
    bare = re.sub(r"\\.", "", said)
    assert "[" not in bare
    assert "<" not in bare
    assert "`" not in bare
    assert "\n# <" not in said.partition("# t")[2]
    assert len(re.findall(r"(?m)^# ", said)) == 1


DOCS = Path(__file__).parents[2] / "docs"
HOW_OFTEN = {
    "half minute": timedelta(seconds=30),
    "minute": timedelta(minutes=1),
    "5 minutes": timedelta(minutes=5),
    "15 minutes": timedelta(minutes=15),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "28 days": timedelta(days=28),
}


def test_every_job_is_in_the_record_and_in_the_guide_to_operations(
    gate: Gate, data_dir: Path
) -> None:
    ways = {"PANEL_SMTP_URL": "smtp://x:25", "PANEL_MESH_URL": "https://mesh.example"}
    for name in ("MAILBOX", "PASSWORD", "SHARED_KEY"):
        ways[f"PANEL_MESH_{name}"] = "x"
    settings = from_environment({"PANEL_DATA_DIR": str(data_dir)} | ways)
    jobs = {job.name: job.every for job in job_commands.all_jobs(settings, gate)}
    assert jobs.keys() == DOES_BY_ITSELF.keys(), (
        "Say in governance/document_facts.py what a new job does: the record of processing lists it."
    )
    record = (DOCS / "governance" / "record-of-processing.md").read_text()
    assert [said for said in DOES_BY_ITSELF.values() if said[1:] not in record] == [], (
        "Write docs/governance anew: panel governance documents --out docs/governance, of a"
        " demonstration as of 2026-11-23."
    )
    _, _, told = (DOCS / "operations.md").read_text().partition("| job | every | does |")
    rows = re.findall(r"(?m)^\| (.+?) \| (.+?) \| .+ \|$", told.partition("\n\n")[0])
    assert {name: HOW_OFTEN[every] for name, every in rows} == jobs, (
        "Say in docs/operations.md, under “What the scheduler does”, what a job does and how often."
    )


# Versions.


async def make(tenant: Tenant) -> list[Version]:
    async with tenant.transaction(JOB) as session:
        return await keep_up_to_date(session, await read_facts(session, tenant.record.label))


async def test_a_version_is_made_only_where_something_changed(
    tenant: Tenant, family: Family, clock: FixedClock
) -> None:
    async with tenant.transaction(JOB) as session:
        await ensure_gateways(session)
    first = await make(tenant)
    assert [(one.kind, one.number, one.is_new) for one in first] == [
        (kind, 1, True) for kind in DocumentKind
    ]
    again = await make(tenant)
    assert [(one.id, one.is_new) for one in again] == [(one.id, False) for one in first]
    # An agency more: the documents that name agencies, and not the notice for workers.
    async with tenant.transaction(JOB) as session:
        await add_agency(session, key="together", name="Together", kind="voluntary")
    changed = {one.kind for one in await make(tenant) if one.is_new}
    assert changed == set(DocumentKind) - {DocumentKind.NOTICE_FOR_WORKERS}
    # A neighbouring authority keeps records of its own, and is no party to this one.
    async with tenant.transaction(JOB) as session:
        there = await add_agency(session, key="fernshire", name="Fernshire", kind="council")
        session.add(OtherAuthority(name="Fernshire", client_key="fernshire", agency_id=there.id))
    assert not [one.kind for one in await make(tenant) if one.is_new]
    # How long something is kept: every document but the agreement.
    async with tenant.transaction(JOB) as session:
        session.add(Setting(key="retention.access_history", value="8 years", from_on=None))
    changed = {one.kind for one in await make(tenant) if one.is_new}
    assert changed == set(DocumentKind) - {DocumentKind.JOINT_CONTROLLERS}
    async with tenant.transaction() as session:
        numbers = {one.kind: one.number for one in await newest_versions(session)}
        every = await versions_of(session, DocumentKind.PROCESSING_RECORD)
    assert numbers[DocumentKind.PROCESSING_RECORD] == 3
    assert [one.number for one in every] == [3, 2, 1]
    assert "8 years" not in every[1].markdown()


async def test_a_version_is_approved_once_by_the_lead(
    tenant: Tenant, family: Family, offices: Offices
) -> None:
    (document, *_) = await make(tenant)
    with pytest.raises(NotAllowed):
        async with tenant.transaction(offices.guardian.id) as session:
            await approve(session, offices.guardian, document.id, 1, TODAY)
    for day in (date(2026, 11, 24), date(2026, 11, 22)):
        with pytest.raises(Invalid):
            async with tenant.transaction(offices.lead.id) as session:
                await approve(session, offices.lead, document.id, 1, day)
    with pytest.raises(NotFound):
        async with tenant.transaction(offices.lead.id) as session:
            await approve(session, offices.lead, offices.office, 1, TODAY)
    async with tenant.transaction(offices.lead.id) as session:
        await approve(session, offices.lead, document.id, 1, TODAY)
    async with tenant.transaction() as session:
        approved = await one_version(session, document.id)
    assert approved.state == (
        "Version 1, made on 23 November 2026. Approved by Ngozi Hart on 23 November 2026."
    )
    with pytest.raises(Gone):
        async with tenant.transaction(offices.lead.id) as session:
            await approve(session, offices.lead, document.id, 2, TODAY)
    assert (await make(tenant))[0].id == document.id, "approved, it is the same document"


async def test_a_replaced_version_is_not_approved_any_more(
    tenant: Tenant, family: Family, offices: Offices
) -> None:
    (document, *_) = await make(tenant)
    async with tenant.transaction(JOB) as session:
        await add_agency(session, key="together", name="Together", kind="voluntary")
    await make(tenant)
    with pytest.raises(Gone):
        async with tenant.transaction(offices.lead.id) as session:
            await approve(session, offices.lead, document.id, 1, TODAY)


async def test_the_lead_makes_reads_and_approves_on_pages(
    client: Client, family: Family, offices: Offices, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(family.tom.id)
    assert (await client.get("/governance/documents")).status_code == 403
    await sign_in(offices.lead.id)
    page = (await client.get("/governance/documents")).text
    assert "No document was made yet" in page
    hidden = r'type="hidden" name="(\w+)" value="([^"]*)"'
    fields = dict(re.findall(hidden, page.split("<main")[1]))
    await client.post("/governance/documents", data=fields)
    page = (await client.get("/governance/documents")).text
    assert page.count("Not approved yet") == len(DocumentKind)
    address = html.unescape(re.findall(r'href="([^"]*)">Record of processing', page)[0])
    page = (await client.get(address)).text
    assert "To fill in:" in page
    assert "Made-up School" in page
    fields = dict(re.findall(hidden, page.split("<main")[1]))
    day = {"approved_on-day": "23", "approved_on-month": "11", "approved_on-year": "2026"}
    unread = await client.post(address, data=fields | day)
    assert unread.status_code == 422
    assert "Confirm that the parts to fill in were settled" in unread.text
    early = await client.post(address, data=fields | day | {"approved_on-day": "1", "read": "yes"})
    assert early.status_code == 422
    assert "nobody approved it before" in early.text
    done = await client.post(address, data=fields | day | {"read": "yes"}, follow_redirects=False)
    assert done.status_code == 303
    assert "Approved by Ngozi Hart on 23 November 2026" in (await client.get(address)).text
    file = await client.get(f"{address}/markdown")
    assert file.headers["content-disposition"].endswith('"record-of-processing-1.md"')
    assert file.text.startswith("# Record of processing activities")
    await sign_in(offices.guardian.id)
    assert "Approve this version" not in (await client.get(address)).text


# The command.


def test_the_command_writes_files_and_says_what_is_new(
    for_commands: dict[str, str | None], tmp_path: Path
) -> None:
    def run(out: Path) -> Any:
        words = ["governance", "documents", "--out", str(out), "--as-of", "2026-11-23"]
        return CliRunner().invoke(commands, words, env=for_commands)

    out = tmp_path / "governance"
    first = run(out)
    assert first.exit_code == 0, first.output
    assert first.output.count("new version 1") == len(DocumentKind)
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    assert len(files) == 2 * len(DocumentKind)
    second = run(out)
    assert "new" not in second.output
    assert {path.name: path.read_bytes() for path in out.iterdir()} == files
    assert b"Not approved yet" in files["notice-for-families.md"]
    (tmp_path / "taken").write_text("a file")
    refused = run(tmp_path / "taken" / "below")
    assert refused.exit_code == 1
    assert "cannot be written" in refused.output
