"""Starting, sharing, losing and finding again the database in a data folder."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest

from panel.platform import embedded_postgres
from panel.platform.embedded_postgres import DatabaseNotStarted, Durability, Server, running

pytestmark = pytest.mark.database

SOURCES = Path(embedded_postgres.__file__).parents[2]
QUICK = Durability.LOST_WITH_THE_MACHINE

# Joins the server, says where it is, and leaves when its input closes.
USER = """
import sys
from pathlib import Path
from panel.platform.embedded_postgres import Durability, running

with running(Path(sys.argv[1]), durable=Durability[sys.argv[2]]) as server:
    print(server.pid, server.superuser_url, flush=True)
    sys.stdin.read()
"""

# Joins the server and writes row after row, naming each one once it is committed.
WRITER = """
import sys
from pathlib import Path
import psycopg
from panel.platform.embedded_postgres import running

with running(Path(sys.argv[1])) as server:
    print(server.pid, server.superuser_url, flush=True)
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS entry")
        connection.execute("CREATE TABLE entry (number int PRIMARY KEY)")
        for number in range(1_000_000):
            connection.execute("INSERT INTO entry VALUES (%s)", (number,))
            print(number, flush=True)
"""


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        Event().wait(0.02)


@contextmanager
def program(script: str, data_dir: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", script, str(data_dir), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCES), *sys.path])},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 0


def answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def rows(server: Server) -> set[int]:
    with psycopg.connect(server.superuser_url) as connection:
        return {number for (number,) in connection.execute("SELECT number FROM entry")}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the tests that do not mind what was there before: making it takes longest."""
    return tmp_path_factory.mktemp("embedded")


def cluster(data_dir: Path) -> Path:
    return data_dir / "postgres" / "cluster"


def server_account() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": 65534, "group": 65534, "extra_groups": []}


def test_it_starts_answers_and_stops(data_dir: Path) -> None:
    with running(data_dir, durable=QUICK) as server:
        assert answers(server.superuser_url)
        assert server.data_dir == data_dir
        assert (server.socket_dir / ".s.PGSQL.5432").is_socket()
    assert not answers(server.superuser_url)
    assert not (cluster(data_dir) / "postmaster.pid").exists()


def test_it_starts_again_with_what_it_held(tmp_path: Path) -> None:
    with running(tmp_path) as server, psycopg.connect(server.superuser_url) as connection:
        connection.execute("CREATE TABLE entry AS SELECT 7 AS number")
    with running(tmp_path) as server:
        assert rows(server) == {7}


def test_a_commit_is_on_the_disk_unless_a_test_says_otherwise(data_dir: Path) -> None:
    for durable, fsync in ((QUICK, "off"), (Durability.KEPT, "on")):
        with (
            running(data_dir, durable=durable) as server,
            psycopg.connect(server.superuser_url) as connection,
        ):
            assert connection.execute("SHOW fsync").fetchone() == (fsync,)


def test_it_does_not_join_a_server_that_may_lose_commits(data_dir: Path) -> None:
    with running(data_dir, durable=QUICK) as server:
        with pytest.raises(DatabaseNotStarted, match="running for tests"), running(data_dir):
            pass
        assert answers(server.superuser_url)


def test_it_listens_on_no_network_and_lets_nobody_in_without_a_password(data_dir: Path) -> None:
    with running(data_dir, durable=QUICK) as server:
        with psycopg.connect(server.superuser_url) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://postgres@/postgres?host={server.socket_dir}")
        password = data_dir / "postgres" / "superuser-password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        assert stat.S_IMODE(cluster(data_dir).stat().st_mode) == 0o700
        assert password.read_text().strip() not in repr(server)


def test_its_log_holds_no_values(data_dir: Path) -> None:
    with (
        running(data_dir, durable=QUICK) as server,
        psycopg.connect(server.superuser_url, autocommit=True) as connection,
    ):
        connection.execute("CREATE TEMPORARY TABLE person (name text PRIMARY KEY)")
        connection.execute("INSERT INTO person VALUES ('Marker Markerson')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO person VALUES ('Marker Markerson')")
    log = (data_dir / "postgres" / "log").read_text()
    assert "database system is ready" in log
    assert "duplicate key" not in log, "An error's message can quote what somebody typed."
    assert "Markerson" not in log


def test_two_users_in_one_process_share_it(data_dir: Path) -> None:
    with running(data_dir, durable=QUICK) as first:
        with running(data_dir, durable=QUICK) as second:
            assert second.pid == first.pid
        assert answers(first.superuser_url)
    assert not answers(first.superuser_url)


def test_the_last_process_to_leave_stops_it(data_dir: Path) -> None:
    with program(USER, data_dir, QUICK.name) as other:
        pid, url = said(other).split()
        with running(data_dir, durable=QUICK) as server:
            assert server.pid == int(pid)
            leave(other)
            assert answers(url)
    assert not answers(url)


def test_the_one_who_started_it_may_leave_first(data_dir: Path) -> None:
    with running(data_dir, durable=QUICK) as server, program(USER, data_dir, QUICK.name) as other:
        assert int(said(other).split()[0]) == server.pid
        # Out of order on purpose: the other still stays.
        with program(USER, data_dir, QUICK.name) as third:
            said(third)
            third.kill()
            third.wait()
        assert answers(server.superuser_url)
        leave(other)
    assert not answers(server.superuser_url)


def test_several_processes_may_start_it_at_once(tmp_path: Path) -> None:
    with (
        program(USER, tmp_path, QUICK.name) as one,
        program(USER, tmp_path, QUICK.name) as two,
        program(USER, tmp_path, QUICK.name) as three,
    ):
        # By its number: where the folder's path is long, each has a way of its own to the socket.
        lines = [said(one), said(two), said(three)]
        assert len({line.split()[0] for line in lines}) == 1
        for process in (one, two, three):
            leave(process)
    assert not answers(lines[0].split()[1])


def test_a_user_killed_outright_no_longer_counts(data_dir: Path) -> None:
    with running(data_dir, durable=QUICK) as server, program(USER, data_dir, QUICK.name) as other:
        said(other)
        other.kill()
        other.wait()
    assert not answers(server.superuser_url)


def test_rows_survive_when_postgres_is_killed_outright(data_dir: Path) -> None:
    with program(WRITER, data_dir) as writer:
        pid = int(said(writer).split()[0])
        acknowledged = {int(said(writer)) for _ in range(40)}
        os.kill(pid, signal.SIGKILL)
        assert writer.stdout is not None
        acknowledged |= {int(line) for line in writer.stdout}
        assert writer.wait(30) != 0
    with running(data_dir) as server:
        assert server.pid != pid
        assert acknowledged <= rows(server)


def test_rows_survive_and_the_server_is_taken_over_when_its_user_is_killed(data_dir: Path) -> None:
    with program(WRITER, data_dir) as writer:
        pid, url = said(writer).split()
        acknowledged = {int(said(writer)) for _ in range(40)}
        writer.kill()
        writer.wait()
        assert answers(url)
        with running(data_dir) as server:
            assert server.pid == int(pid)
            assert acknowledged <= rows(server)
        assert not answers(url)


def test_rows_survive_when_both_are_killed_outright(data_dir: Path) -> None:
    with program(WRITER, data_dir) as writer:
        pid = int(said(writer).split()[0])
        acknowledged = {int(said(writer)) for _ in range(40)}
        writer.kill()
        os.kill(pid, signal.SIGKILL)
        writer.wait()
    with running(data_dir) as server:
        assert acknowledged <= rows(server)


def test_a_server_that_died_under_its_user_can_be_left(data_dir: Path) -> None:
    with running(data_dir, durable=QUICK) as server:
        os.kill(server.pid, signal.SIGKILL)
    with running(data_dir, durable=QUICK) as again:
        assert again.pid != server.pid


def test_a_process_number_that_another_program_has_got_is_not_believed(data_dir: Path) -> None:
    pid_file = cluster(data_dir) / "postmaster.pid"
    with running(data_dir, durable=QUICK) as server:
        left_behind = pid_file.read_text()
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, **server_account()) as stranger:
        pid_file.write_text(left_behind.replace(str(server.pid), str(stranger.pid), 1))
        (cluster(data_dir) / ".s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n")
        with running(data_dir, durable=QUICK) as again:
            assert again.pid != stranger.pid
        assert stranger.poll() is None
        assert stranger.stdin is not None
        stranger.stdin.close()


def test_a_process_file_of_the_dead_or_without_sense_is_not_believed(data_dir: Path) -> None:
    with running(data_dir, durable=QUICK):
        pass
    with subprocess.Popen(["/bin/true"]) as dead:
        dead.wait()
    for left_behind in (f"{dead.pid}\n/nowhere\n", "", "not a number\n"):
        (cluster(data_dir) / "postmaster.pid").write_text(left_behind)
        with running(data_dir, durable=QUICK) as server:
            assert answers(server.superuser_url)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to see another's server")
def test_a_server_that_someone_started_by_hand_is_left_in_peace(data_dir: Path) -> None:
    with running(data_dir, durable=QUICK) as server:
        pass
    binary = embedded_postgres._carried_programs() / "postgres"
    with subprocess.Popen(
        [binary, "-D", "/proc/self/cwd", "-c", "listen_addresses=", "-k", "."],
        cwd=cluster(data_dir),
        stderr=subprocess.DEVNULL,
        **server_account(),
    ) as by_hand:
        try:
            wait_until(lambda: answers(server.superuser_url))
            with (
                pytest.raises(DatabaseNotStarted, match=f"process {by_hand.pid}"),
                running(data_dir, durable=QUICK),
            ):
                pass
            assert answers(server.superuser_url)
        finally:
            by_hand.send_signal(signal.SIGINT)


def test_a_half_made_database_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "unfinished" / "base").mkdir(parents=True)
    (tmp_path / "postgres" / "superuser-password").write_text("of the first attempt")
    with running(tmp_path, durable=QUICK) as server:
        assert answers(server.superuser_url)


def test_a_folder_too_deep_for_a_socket_works(tmp_path: Path) -> None:
    deep = tmp_path / ("a folder of a long name " * 3) / ("and another " * 5)
    with running(deep, durable=QUICK) as server:
        assert answers(server.superuser_url)
        assert len(str(server.socket_dir / ".s.PGSQL.5432")) < 104
        assert server.socket_dir.parent.parent == Path(tempfile.gettempdir())
        assert stat.S_IMODE(server.socket_dir.parent.stat().st_mode) == 0o700
    assert not server.socket_dir.parent.exists()


def test_an_error_of_the_user_passes_through_and_the_server_stops(data_dir: Path) -> None:
    def fail() -> None:
        raise FileNotFoundError("mine")

    with pytest.raises(FileNotFoundError, match="mine"), running(data_dir, durable=QUICK) as server:
        fail()
    assert not answers(server.superuser_url)


def test_what_cannot_be_used_is_told_in_one_sentence(tmp_path: Path) -> None:
    def refusal(data_dir: Path) -> str:
        with pytest.raises(DatabaseNotStarted) as caught, running(data_dir, durable=QUICK):
            pass
        return str(caught.value)

    occupied = tmp_path / "a-file"
    occupied.write_text("")
    assert str(occupied) in refusal(occupied)

    data_dir = tmp_path / "data"
    with running(data_dir, durable=QUICK):
        pass
    version = cluster(data_dir) / "PG_VERSION"
    version.write_text("17\n")
    assert "made by PostgreSQL 17" in refusal(data_dir)
    version.write_text("18\n")

    password = data_dir / "postgres" / "superuser-password"
    kept = password.read_text()
    password.write_text("another")
    assert "does not accept the password" in refusal(data_dir)
    password.unlink()
    assert "is missing" in refusal(data_dir)
    password.write_text(kept)

    settings = cluster(data_dir) / "postgresql.conf"
    settings.write_text("shared_buffers = nonsense\n")
    assert "stopped while starting" in refusal(data_dir)
