"""Commands given what they cannot use: one line that says why, exit code 1, nothing taken."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from panel.cli import commands
from panel.platform.cluster import Cluster

pytestmark = pytest.mark.database

Run = Callable[..., Result]


@pytest.fixture
def run(for_commands: dict[str, str | None]) -> Run:
    """Run a `panel` command on the year: run("meetings", "--panel", "contacts")."""

    def ran(*words: str) -> Result:
        return CliRunner().invoke(commands, words, env=for_commands)

    return ran


def refused(result: Result) -> str:
    """What a refused command says, which is short and tells no inside."""
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    assert not re.search(r"psycopg|sqlalchemy|\.py\b|SELECT ", result.output), result.output
    return result.output


def counted(database: Cluster, table: str) -> int:
    assert database.owner_url is not None
    with psycopg.connect(database.owner_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM authority_testshire.{table}").fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.parametrize(
    "words",
    [
        ("meetings", "--panel", "nope", "--from", "2026-09-01", "--to", "2026-12-01"),
        ("meetings", "--panel", "contacts", "--from", "yesterday", "--to", "2026-12-01"),
        ("meetings", "--panel", "contacts", "--from", "2026-02-30", "--to", "2026-12-01"),
        ("agenda", "prepare", "--panel", "contacts", "--date", "2026-12-25"),
        ("agenda", "prepare", "--panel", "'; --", "--date", "2026-12-03"),
        ("agenda", "prepare", "--panel", "contacts", "--date", "2026-12-03", "--as-of", "soon"),
        ("agenda", "pack", "--panel", "contacts", "--date", "2026-12-03", "--agency", "nobody",
         "--pdf", "/dev/null"),
        ("panels", "add", "contacts", "--kind", "contacts", "--first", "2026-09-10"),
        ("panels", "add", "x", "--kind", "choir", "--first", "2026-09-10"),
        ("panels", "add", "x", "--kind", "contacts", "--first", "2026-09-10", "--every", "0"),
        ("access", "explain", "--child", "C-9", "--viewer", "nobody@x", "--category", "health",
         "--purpose", "support"),
        ("access", "explain", "--child", "C-1001", "--viewer", "rosa@health-visiting.example",
         "--category", "shoes", "--purpose", "support"),
        ("personas", "--authority", "elsewhere"),
        ("import", "terms", "/nowhere/terms.ics"),
        ("import", "terms", "/"),
        ("keys", "rotate", "--authority", "elsewhere"),
        ("keys", "rotate", "--data", "--master"),
        ("keys", "rotate", "--new-kms", "aws:key"),
        ("keys", "rotate", "--master", "--new-kms", "gcp:key"),
        ("keys", "rotate", "--master", "--new-kms", "aws:key"),
        ("keys", "erase", "--child", "C-9", "--ordered-by", " "),
        ("keys", "erase", "--child", "C-9", "--ordered-by", "the guardian"),
        ("backup", "--out", "/nowhere/panel.backup"),
        ("restore", "/nowhere/panel.backup"),
        ("restore", "/"),
        ("import", "list", "/nowhere/sen.csv"),
        ("import", "populations", "/nowhere/populations.csv"),
        ("import", "populations", "/etc/hostname"),
        ("import", "list", "/etc/hostname", "--kind", "sen", "--agency", "nobody",
         "--legal-basis", "cfa2014", "--as-of", "2026-09-01", "--opt-out-checked-on", "2026-09-01"),
        ("import", "list", "/etc/hostname", "--kind", "sen", "--agency", "nobody",
         "--legal-basis", "cfa2014", "--as-of", "2026-02-31"),
        ("insight", "facts", "--authority", "elsewhere"),
        ("insight", "facts", "--as-of", "soon"),
        ("insight", "release", "--period", "soon", "--out", "/nowhere/out"),
        ("insight", "release", "--period", "2026-summer", "--out", "/nowhere", "--clusters", "/"),
        ("insight", "audit", "/nowhere"),
        ("insight", "audit", "/"),
        ("insight", "report", "--release", "1", "--out", "/nowhere/report.pdf"),
        ("insight", "report", "--out", "/"),
        ("insight", "verify", "/", "--key", "00"),
        ("insight", "verify", "--authority", "elsewhere"),
        ("nonsense",),
    ],
)  # fmt: skip
def test_it_is_said_in_a_line(run: Run, words: tuple[str, ...]) -> None:
    assert refused(run(*words))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:202611",
        b"\xff\xfe\x00\x01 not a calendar",
        b"<html>Please sign in</html>",
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Term\r\nDTSTART:99999999\r\nEND:VEVENT\r\n",
        b"\x00" * 10_000,
    ],
)
def test_a_broken_calendar_changes_no_term(
    run: Run, tmp_path: Path, database_of_own: Cluster, content: bytes
) -> None:
    file = tmp_path / "terms.ics"
    file.write_bytes(content)
    before = counted(database_of_own, "term")
    assert refused(run("import", "terms", str(file)))
    assert counted(database_of_own, "term") == before


GOOD = "given_name,family_name,birth_date,nhs_number,agency\n"
ROWS = {
    "wrong NHS number": "Amina,Novel,2021-03-09,9990548608,early-years",
    "birth date to come": "Amina,Novel,2031-03-09,,early-years",
    "emoji": "😀😀,Novel,2021-03-09,,early-years",
    "no name": ",,2021-03-09,,early-years",
    "a date that is none": "Amina,Novel,31/02/2021,,early-years",
    "an unknown agency": "Amina,Novel,2021-03-09,,nobody",
    "too many cells": "Amina,Novel,2021-03-09,,early-years,x,y,z",
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_a_bad_line_is_named_and_the_good_one_is_taken(
    run: Run, tmp_path: Path, database_of_own: Cluster, row: str
) -> None:
    file = tmp_path / "register.csv"
    newcomer = "Stranger" + "abcdefg"[list(ROWS.values()).index(row)]
    file.write_text(f"{GOOD}Theo,{newcomer},2020-05-01,,early-years\n{row}\n", encoding="utf-8")
    before = counted(database_of_own, "child")
    result = run("import", "register", str(file))
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert re.search(r"\b[Ll]ine 3\b", result.output), result.output
    assert counted(database_of_own, "child") == before + 1


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\x02", b"PK\x03\x04 a spreadsheet", b"colour,shape\nred,round\n", b'"' * 999],
)
@pytest.mark.parametrize("kind", ["register", "people", "caseload", "areas", "services"])
def test_a_file_of_another_kind_is_refused_whole(
    run: Run, tmp_path: Path, database_of_own: Cluster, kind: str, content: bytes
) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(content)
    before = counted(database_of_own, "child"), counted(database_of_own, "worker")
    assert refused(run("import", kind, str(file)))
    assert (counted(database_of_own, "child"), counted(database_of_own, "worker")) == before


def test_a_file_of_changed_wards_is_taken_as_a_whole_or_not_at_all(
    run: Run, tmp_path: Path, database_of_own: Cluster
) -> None:
    square = [[[0, 51], [0.1, 51], [0.1, 51.1], [0, 51]]]
    wards = [
        {
            "properties": {"WD26CD": f"E0500000{n}", "WD26NM": f"Ward {n}"},
            "geometry": {"type": "Polygon", "coordinates": square},
        }
        for n in (1, 2)
    ]
    areas, changes = tmp_path / "wards.geojson", tmp_path / "changes.csv"
    areas.write_text(json.dumps({"type": "FeatureCollection", "features": wards}))
    good = "old_code,new_code,from_date\nE05000001,E05000002,2026-05-07\n"
    before = counted(database_of_own, "area")
    changes.write_text(f"{good}E05000001,E05999999,2026-05-07\n")
    result = run("import", "areas", str(areas), "--changes", str(changes))
    assert refused(result)
    assert "changes.csv, line 3, new_code: No ward of this code is known." in result.output
    assert counted(database_of_own, "area_became") == 0
    assert counted(database_of_own, "area") == before, "no boundary without what it became"
    changes.write_text("old,new\n")
    assert "lacks" in refused(run("import", "areas", str(areas), "--changes", str(changes)))
    changes.write_text(good)
    result = run("import", "areas", str(areas), "--changes", str(changes))
    assert (result.exit_code, counted(database_of_own, "area_became")) == (0, 1), result.output
    assert counted(database_of_own, "area") == before + 2
