"""The NHS's own sandbox of MESH as a peer on this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from interop.mesh import Mailbox
from tests.durability.serving import free_port, status_at, wait_until

SHARED_KEY = "only-for-tests"


@contextmanager
def mesh(folder: Path) -> Iterator[tuple[Mailbox, Mailbox]]:
    """Two mailboxes, each known by its password and the shared key, while the block runs."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "AUTH_MODE": "full",
        "STORE_MODE": "memory",
        "SHARED_KEY": SHARED_KEY,
        "MAILBOXES_DATA_DIR": str(folder),
    }
    asked = ["-m", "uvicorn", "mesh_sandbox.api:app", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "mesh.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *asked], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_until(lambda: status_at(f"{base}/health") == 200, "the sandbox of MESH answers")
            first, second = (
                Mailbox(base, name, "password", SHARED_KEY) for name in ("X26ABC1", "X26ABC2")
            )
            yield first, second
        finally:
            process.terminate()
            process.wait(10)
