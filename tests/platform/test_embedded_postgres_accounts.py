"""Running the embedded database as root, as an ordinary account, and in another's folder."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from panel.platform import embedded_postgres
from panel.platform.embedded_postgres import DatabaseNotStarted, Durability, running

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can take on other accounts"),
]

SOURCES = Path(embedded_postgres.__file__).parents[2]
QUICK = Durability.LOST_WITH_THE_MACHINE
ORDINARY = next(a.pw_uid for a in pwd.getpwall() if a.pw_uid not in {0, 65534})
NAMELESS = next(n for n in range(65533, 0, -1) if n not in {a.pw_uid for a in pwd.getpwall()})

# Becomes an ordinary account after importing, since that account need not reach this Python.
ORDINARY_USER = """
import os, sys
from pathlib import Path
import psycopg
from panel.platform.embedded_postgres import DatabaseNotStarted, Durability, running

os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
try:
    with running(Path(sys.argv[1]), durable=Durability.LOST_WITH_THE_MACHINE) as server:
        with psycopg.connect(server.superuser_url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS visit (account int)")
            connection.execute("INSERT INTO visit VALUES (%s)", (os.getuid(),))
        print("answered", os.stat(f"/proc/{server.pid}").st_uid)
except DatabaseNotStarted as error:
    print("refused:", error)
"""

ROOT_USER = """
import sys
from pathlib import Path
import psycopg
from panel.platform.embedded_postgres import Durability, running

with running(Path(sys.argv[1]), durable=Durability.LOST_WITH_THE_MACHINE) as server:
    print(Path(f"/proc/{server.pid}/exe").resolve())
"""


def run(
    script: str, data_dir: Path, *, account: int = ORDINARY, python_path: str = str(SOURCES)
) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", script, str(data_dir), str(account)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd="/",
        env={**os.environ, "PYTHONPATH": python_path},
    )
    assert finished.stderr == ""
    return finished.stdout.strip()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter, which pytest's own is not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_the_server_of_root_runs_under_an_unprivileged_account(tmp_path: Path) -> None:
    with running(tmp_path, durable=QUICK) as server:
        process = Path(f"/proc/{server.pid}")
        if process.exists():
            assert process.stat().st_uid == 65534
    assert (tmp_path / "postgres" / "cluster").stat().st_uid == 65534
    assert (tmp_path / "postgres" / "superuser-password").stat().st_uid == 0


def test_no_folder_above_is_opened_up(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with running(closed / "data", durable=QUICK) as server:
        with psycopg.connect(server.superuser_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert closed.stat().st_mode & 0o777 == 0o700


def test_an_ordinary_account_runs_its_own_server(open_folder: Path) -> None:
    own = open_folder / "own"
    own.mkdir(mode=0o700)
    os.chown(own, ORDINARY, ORDINARY)
    assert run(ORDINARY_USER, own / "data") == f"answered {ORDINARY}"
    assert run(ORDINARY_USER, own / "data") == f"answered {ORDINARY}"


def test_an_account_without_a_name_is_told_what_to_do(open_folder: Path) -> None:
    own = open_folder / "own"
    own.mkdir(mode=0o700)
    os.chown(own, NAMELESS, NAMELESS)
    answer = run(ORDINARY_USER, own, account=NAMELESS)
    assert answer.startswith(f"refused: The account number {NAMELESS} has no name")


def test_root_may_visit_an_ordinary_accounts_folder_and_leaves_it_usable(open_folder: Path) -> None:
    own = open_folder / "own"
    own.mkdir(mode=0o700)
    os.chown(own, ORDINARY, ORDINARY)
    run(ORDINARY_USER, own)
    for lock in (own / "postgres").glob("*.lock"):
        lock.unlink()
    with running(own, durable=QUICK) as server, psycopg.connect(server.superuser_url) as connection:
        assert connection.execute("SELECT account FROM visit").fetchall() == [(ORDINARY,)]
    assert run(ORDINARY_USER, own) == f"answered {ORDINARY}"


def test_an_ordinary_account_is_told_that_a_folder_is_not_its_own(open_folder: Path) -> None:
    with running(open_folder / "data", durable=QUICK):
        pass
    answer = run(ORDINARY_USER, open_folder / "data")
    assert answer.startswith("refused: The database folder")
    assert "PANEL_DATA_DIR" in answer
    assert "Traceback" not in answer


def test_programs_that_the_account_cannot_read_are_copied_once(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    installed = embedded_postgres._carried_programs().parents[1]
    for part in (installed, installed.with_name(f"{installed.name}.libs")):
        shutil.copytree(
            part, closed / part.name, symlinks=True, ignore=shutil.ignore_patterns("pginstall")
        )
    python_path = f"{closed}{os.pathsep}{SOURCES}"

    data_dir = open_folder / "data"
    data_dir.mkdir()
    data_dir.chmod(0o755)
    program = Path(run(ROOT_USER, data_dir, python_path=python_path))
    assert program.is_relative_to(data_dir / "postgres" / "programs")
    made = program.stat().st_ctime_ns
    assert Path(run(ROOT_USER, data_dir, python_path=python_path)) == program
    assert program.stat().st_ctime_ns == made


def test_a_folder_that_cannot_be_made_is_told_in_one_sentence() -> None:
    with pytest.raises(DatabaseNotStarted, match="/proc/panel"), running(Path("/proc/panel")):
        pass
