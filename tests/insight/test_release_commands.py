"""`panel insight audit` and `verify` on folders alone, as anybody may run them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from panel.cli import commands
from panel.insight.core.ledger import LEDGER, append, signing_key
from panel.insight.core.released import AuditResult, Release
from panel.insight.core.words import Level
from panel.insight.release_files import files_of, put
from panel.insight.saying import Areas
from tests.insight.releases import HIDES_FEW, release, table, whole

SIGN, KEY = signing_key(bytes(range(32)))
SAFE = AuditResult(safe=True, findings=(), cells=3, solves=2, seconds=0.5, unfinished=0)
SEX = table("by_sex", "sex", level=Level.AUTHORITY)
FEW = {("*",): 29, ("female",): 17, ("male",): 8, ("indeterminate",): 0, ("",): 0}


def of(cells: dict[tuple[str, ...], int]) -> Release:
    return release((SEX, whole(SEX, cells)), rules=HIDES_FEW)


def folder(path: Path, one: Release) -> str:
    files = files_of(one, Areas())
    entry = append(None, one.period, files, b"", SAFE, made_at="2026", sign=SIGN, key=KEY)
    put(path, files, (entry,))
    return str(path)


def told(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands, ["insight", *words])
    return done.exit_code, done.output


def test_a_safe_folder_is_safe_and_whole(tmp_path: Path) -> None:
    path = folder(tmp_path / "out", of(FEW))
    code, said = told("audit", path)
    assert (code, "2 small cells asked about" in said) == (0, True)
    code, said = told("audit", path, "--json")
    assert json.loads(said)["safe"]
    code, said = told("verify", path, "--key", KEY)
    assert (code, "as it was signed" in said) == (0, True)


def test_an_unsafe_folder_ends_with_1_and_names_its_cells(tmp_path: Path) -> None:
    code, said = told("audit", folder(tmp_path / "out", of({**FEW, ("*",): 26})))
    assert code == 1
    assert "by_sex, 2025-autumn: indeterminate is from 0 to 1, by by_sex." in said
    assert "Not safe" in said


@pytest.mark.parametrize(("old", "new"), [(b"2025-autumn", b"2025-summer"), (b"[", b"{")])
def test_a_ledger_that_was_changed_ends_with_1(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = folder(tmp_path / "out", of(FEW))
    file = tmp_path / "out" / LEDGER
    file.write_bytes(file.read_bytes().replace(old, new))
    assert told("verify", path, "--key", KEY)[0] == 1


def test_what_is_no_release_is_said_in_one_line(tmp_path: Path) -> None:
    code, said = told("audit", str(tmp_path))
    assert (code, said.count("\n")) == (1, 1)
    assert "is no release" in said
