"""The real thing as separate processes: the demonstration's site over its embedded database."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event

AS_OF = "2026-11-23"
"""Monday, ten days before the panel of Thursday 3 December 2026."""
PATIENCE = 30.0
"""Seconds until something that should happen counts as not happening."""


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Look until it is so; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        Event().wait(0.02)


def status_at(url: str) -> int | None:
    """The status with which an address answers; None where nobody does.

    Asked many times while something starts, so not by httpx: each of its clients reads all the
    certificates of the machine first (20 ms), and what starts would wait for the one that asks.
    """
    host, _, path = url.removeprefix("http://").partition("/")
    connection = HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def children_of(parent: int) -> dict[int, str]:
    """The processes that another one started, with their command lines."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The name in brackets may hold anything; the parent's number is the second after it.
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except (OSError, ValueError):
            continue
        if int(stat[1]) == parent and stat[0] != "Z":
            found[int(folder.name)] = command
    return found


def is_alive(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


@dataclass
class Site:
    """One data folder and the site that is served from it, started and killed at will."""

    data_dir: Path
    as_of: str = AS_OF
    """The day, or the moment, at which its clock begins with the next start."""
    serving: Sequence[str] = ("serve",)
    """The command that serves it, and what goes with it."""
    patience: float = PATIENCE
    """Seconds that a start may take."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where browsers reach it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the site printed, over every start."""
        return self.data_dir / "site.log"

    @property
    def postgres_log(self) -> Path:
        """What the database server printed."""
        return self.data_dir / "postgres" / "log"

    def command(self, *words: str) -> subprocess.Popen[bytes]:
        """Start the `panel` command on this folder, its words going to the log."""
        settings = {
            "PANEL_DATA_DIR": str(self.data_dir),
            "PANEL_INSECURE_COOKIES": "yes",
            "PANEL_SITE_URL": self.url,
            "PANEL_AS_OF": self.as_of,
        }
        return self.run([str(Path(sys.executable).with_name("panel")), *words], settings)

    def run(
        self, command: Sequence[str], settings: Mapping[str, str], folder: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program with these settings and no other of ours, its words going to the log."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PANEL_")
        }
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment | settings,
                start_new_session=True,
            )

    def prepare(self, children: int) -> None:
        """Make the demonstration's data."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        words = ("--children", str(children), "--as-of", self.as_of, "--prepare-only")
        with self.command("demo", *words) as making:
            assert making.wait(timeout=120) == 0, self.log.read_text()

    def start(self) -> None:
        """Serve, unless it is served already."""
        if self.process is None or self.process.poll() is not None:
            self.end()
            self.process = self.launch()
        wait_until(self.is_ready, "the site answers", self.patience)

    def launch(self) -> subprocess.Popen[bytes]:
        """Start what serves it."""
        return self.command(*self.serving, "--port", str(self.port))

    def is_ready(self) -> bool:
        """Whether the site says that it is ready; a site that ended is an error."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-2_000:]
        return status_at(f"{self.url}/health/ready") == 200

    def pids(self) -> tuple[int, list[int]]:
        """The serving parent and its workers."""
        assert self.process is not None
        return self.process.pid, list(children_of(self.process.pid))

    def postmaster(self) -> int:
        """The database server's first process."""
        file = self.data_dir / "postgres" / "cluster" / "postmaster.pid"
        return int(file.read_text().split("\n", 1)[0])

    def backends(self) -> list[int]:
        """The database server's processes that work for the site."""
        return [
            pid
            for pid, command in children_of(self.postmaster()).items()
            if command.startswith("postgres: panel_app")
        ]

    def kill(self) -> None:
        """End every process of the site at once, as a power cut would."""
        if self.process is None:
            return
        parent, workers = self.pids()
        for pid in (parent, *workers):
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=PATIENCE)
        wait_until(lambda: not any(map(is_alive, workers)), "the workers are gone")

    def end(self) -> None:
        """Stop serving in order, if it is served."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=PATIENCE)
        self.process = None
