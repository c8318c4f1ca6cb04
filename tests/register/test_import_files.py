"""Register, people, caseload and areas come in from files, line by line, without doubling."""

import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose
from panel.accounts.models import Worker
from panel.accounts.service import worker_by_email, worker_names
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.areas import UnreadableAreas
from panel.register.imports import (
    ImportReport,
    import_areas,
    import_caseload,
    import_people,
    import_register,
)
from panel.register.search import find_children

Add = Callable[..., Awaitable[UUID]]
REGISTER = (
    "nhs_number,upn,given_name,family_name,birth_date,sex,postcode,ward_code,ethnicity,"
    "primary_need,agency,contact_name,contact_relationship,contact_parental_responsibility\n"
)
PEOPLE = "agency_key,agency_name,agency_kind,worker_name,worker_email,roles,panel\n"


def csv(header: str, *rows: str) -> io.BytesIO:
    """A file of these rows."""
    return io.BytesIO((header + "\n".join(rows) + "\n").encode())


def of_rows(report: ImportReport) -> list[str]:
    """Problems of rows, without those of the header."""
    return [str(one) for one in report.problems if one.line > 1]


async def count(tenant: Tenant, table: str) -> int:
    """Rows of a table, as imports see them."""
    async with tenant.transaction(JOB) as session:
        found = await session.execute(text(f"SELECT count(*) FROM {table}"))
        return int(found.scalar_one())


AMINA = "9990548609,,Amina,Kestrel,2022-03-09,F,SM1 1EA,,,,health-visiting,Leyla Kestrel,mother,yes"
TWINS = (
    ",,Theo,Barnaby,01/02/2023,M,,,,,health-visiting,Ann Barnaby,mother,",
    ",,Max,Barnaby,01/02/2023,M,,,,,health-visiting,Ann Barnaby,mother,",
)


async def test_a_register_is_taken_and_taken_again_without_doubling(
    tenant: Tenant, team: Any
) -> None:
    done: list[int] = []
    rows = (
        AMINA,
        "9990548608,,Wrong,Number,2022-03-09,,,,,,,,,",
        *TWINS,
        ",,Nobody,Agency,2022-03-09,,,,,,no-such-agency,,,",
        ",,Future,Child,2031-03-09,,,,,,,,,",
    )
    report = await import_register(tenant, csv(REGISTER, *rows), progress=done.append)
    assert report.added == 3
    assert done == [6]
    said = of_rows(report)
    assert [one.split(":")[0] for one in said] == [
        "line 2, contact_parental_responsibility",
        "line 3, nhs_number",
        "line 6, agency",
        "line 7, birth_date",
    ]
    again = await import_register(tenant, csv(REGISTER, *rows))
    assert (again.added, again.changed, again.known) == (0, 0, 3)
    assert await count(tenant, "child") == 3
    assert await count(tenant, "family_member") == 3
    assert await count(tenant, "involvement") == 3


async def test_a_later_register_adds_what_was_empty_and_keeps_what_is_recorded(
    tenant: Tenant, team: Any
) -> None:
    await import_register(tenant, csv(REGISTER, TWINS[0]))
    more = "9990548609,,Theo,Barnaby,2023-02-01,F,SM1 1EA,,,,health-visiting,,,"
    report = await import_register(tenant, csv(REGISTER, more))
    assert (report.added, report.changed) == (0, 1)
    assert of_rows(report) == [
        "line 2, sex: Sex is recorded differently; what is recorded was kept."
    ]
    contradicts = "9990548609,,Jakub,Merrow,2019-01-01,M,,,,,health-visiting,,,"
    report = await import_register(tenant, csv(REGISTER, contradicts))
    assert report.rows == 0
    assert "another name and date of birth" in of_rows(report)[0]


async def test_an_imported_child_is_found_only_by_those_they_may_reach(
    tenant: Tenant, gate: Gate, team: Any
) -> None:
    await import_register(tenant, csv(REGISTER, AMINA))
    found = await find_children(gate, team.rosa, Purpose.SUPPORT, "Amina", date(2026, 11, 23))
    assert found.found == ()


async def test_people_are_taken_without_doubling(tenant: Tenant) -> None:
    rows = (
        "portage,Portage,education,Beth Amory,beth@demo.example,practitioner; manager,",
        "portage,Portage,education,Carl Amory,carl@demo.example,coordinator,contacts",
        "portage,Portage,education,Dora Amory,dora@demo.example,practitioner,",
        "portage,Portage,health,Edd Amory,edd@demo.example,practitioner,",
        "surgery,Mill Lane Surgery,gp,,,,",
    )
    report = await import_people(tenant, csv(PEOPLE, *rows))
    assert report.added == 3
    assert [one.split(":")[0] for one in of_rows(report)] == [
        "line 3, panel",
        "line 5, agency_kind",
    ]
    again = await import_people(tenant, csv(PEOPLE, *rows))
    assert (again.added, again.changed, again.known) == (0, 0, 3)
    assert await count(tenant, "worker") == 2
    # A row that fails makes no key that seals the rows after it.
    async with tenant.transaction(JOB) as session:
        dora = await worker_by_email(session, "dora@demo.example")
        assert dora is not None
        assert await worker_names(session, [dora.id]) == {dora.id: "Dora Amory"}


@dataclass
class Writer:
    """Writes down what it is asked to write, once."""

    wrote: list[tuple[Any, ...]] = field(default_factory=list)

    def _once(self, session: AsyncSession, *what: Any) -> bool:
        assert session.in_nested_transaction(), "each row has a savepoint of its own"
        if what in self.wrote:
            return False
        self.wrote.append(what)
        return True

    async def refer(
        self, session: AsyncSession, child_id: UUID, *, panel: str, referred_on: date,
        agency_id: UUID | None, reason: str,
    ) -> bool:  # fmt: skip
        """A referral."""
        return self._once(session, "refer", child_id, panel, referred_on, agency_id, reason)

    async def assess(
        self, session: AsyncSession, child_id: UUID, *, signed_on: date, worker: Worker,
        document: tuple[str, bytes] | None,
    ) -> bool:  # fmt: skip
        """An assessment."""
        return self._once(session, "assess", child_id, signed_on, worker.id, document)

    async def plan(
        self, session: AsyncSession, child_id: UUID, *, agreed_on: date, summary: str,
        outcomes: tuple[str, ...], worker: Worker | None,
    ) -> bool:  # fmt: skip
        """A plan."""
        return self._once(
            session, "plan", child_id, agreed_on, summary, outcomes, worker and worker.id
        )

    async def lead(
        self, session: AsyncSession, child_id: UUID, *, worker: Worker, since: date
    ) -> bool:
        """A lead professional."""
        return self._once(session, "lead", child_id, worker.id, since)

    async def discuss(
        self, session: AsyncSession, child_id: UUID, *, panel: str, last_discussed_on: date,
        next_review_by: date | None,
    ) -> bool:  # fmt: skip
        """A discussion."""
        return self._once(session, "discuss", child_id, panel, last_discussed_on, next_review_by)


CASELOAD = (
    "nhs_number,given_name,family_name,birth_date,panel,referred_on,referred_by_agency,"
    "assessment_signed_on,assessment_by_email,assessment_document,plan_agreed_on,plan_summary,"
    "plan_outcomes,lead_professional_email,last_discussed_on,next_review_by,level_of_need\n"
)


async def test_a_caseload_goes_to_the_rooms_that_keep_it(
    tenant: Tenant, add: Add, team: Any, tmp_path: Path
) -> None:
    child = await add("Amina", "Kestrel", date(2022, 3, 9), nhs_number="9990548609")
    (tmp_path / "caf.pdf").write_bytes(b"%PDF-")
    (tmp_path / "out.pdf").symlink_to("/etc/passwd")
    who = "health-visiting@demo.example"
    case = (
        f"9990548609,Amina,Kestrel,2022-03-09,contacts,2026-01-05,health-visiting,2026-01-04,{who},"
        f"{{}},2026-01-20,Hearing,Two friends; Sleeps,{who},2026-06-04,2026-12-03,targeted"
    )
    rows = (
        case.format("caf.pdf"),
        case.format("out.pdf"),
        case.format("missing.pdf"),
        ",Jakub,Merrow,2022-03-09,contacts,2026-01-05,,,,,,,,,,,",
    )
    writer = Writer()
    report = await import_caseload(tenant, csv(CASELOAD, *rows), tmp_path, writer)
    assert report.added == 1
    assert [one.split(":")[0] for one in of_rows(report)] == [
        "line 3, assessment_document",
        "line 4, assessment_document",
        "line 5, nhs_number",
    ]
    assert [one[0] for one in writer.wrote] == ["refer", "assess", "lead", "plan", "discuss"]
    assert {one[1] for one in writer.wrote} == {child}
    assert writer.wrote[1][4] == ("caf.pdf", b"%PDF-")
    assert await count(tenant, "level_of_need") == 1
    again = await import_caseload(tenant, csv(CASELOAD, rows[0]), tmp_path, writer)
    assert (again.added, again.known) == (0, 1)
    assert await count(tenant, "level_of_need") == 1


def areas(*features: dict[str, Any]) -> io.BytesIO:
    """A GeoJSON file."""
    return io.BytesIO(json.dumps({"type": "FeatureCollection", "features": features}).encode())


def ward(code: str, name: str, *points: list[float]) -> dict[str, Any]:
    """A ward as the ONS writes it."""
    properties = {"LAD25CD": "E09000029", "LAD25NM": "Sutton", "WD25CD": code, "WD25NM": name}
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [list(points)]},
    }


async def test_areas_are_taken_with_their_boundaries(tenant: Tenant) -> None:
    good = ward("E05013754", "Beddington", [-0.13, 51.39], [-0.12, 51.38], [-0.13, 51.39])
    grid = ward("E05013755", "Belmont", [525000.0, 164000.0])
    nameless = {"type": "Feature", "properties": {}, "geometry": None}
    report = await import_areas(tenant, areas(good, grid, nameless))
    assert report.added == 1
    assert [one.column for one in report.problems] == ["geometry", "code"]
    assert (await import_areas(tenant, areas(good))).known == 1
    good["properties"]["WD25NM"] = "Beddington North"
    assert (await import_areas(tenant, areas(good))).changed == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"type": "Feature"}', b"[" * 100_000])
async def test_a_file_that_is_no_geojson_is_refused_in_a_sentence(
    tenant: Tenant, content: bytes
) -> None:
    with pytest.raises(UnreadableAreas):
        await import_areas(tenant, io.BytesIO(content))
