"""The real thing to walk through: `panel demo` as a process of its own, on a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import httpx

AS_OF = "2026-11-23"
"""Monday, ten days before the panel of Thursday 3 December 2026."""
PATIENCE = 120.0
"""Seconds until a site that does not answer counts as broken; it makes its year of life first."""


@contextmanager
def demonstration(folder: Path, children: int, as_of: str = AS_OF) -> Iterator[str]:
    """Serve a demonstration from a folder on a day; gives its address, and stops it by its number.

    A folder that holds one already is served as it is: that is how a day passes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("panel")), "demo", "--port", str(port)]
    command += ["--children", str(children), "--as-of", as_of, "--data-dir", str(folder)]
    environment = {key: said for key, said in os.environ.items() if not key.startswith("PANEL_")}
    log = folder / "site.log"
    with (
        log.open("wb") as printed,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            env=environment,
        ) as process,
    ):
        try:
            _wait_for(url, process, log)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _answers(url):
        assert process.poll() is None, f"The site ended:\n{log.read_text()[-2_000:]}"
        assert time.monotonic() < deadline, f"The site does not answer:\n{log.read_text()[-2_000:]}"
        Event().wait(0.1)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2.0).is_success
    except httpx.HTTPError:
        return False
