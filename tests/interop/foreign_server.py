"""medplum's FHIR router, as a server on this machine that is not ours."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from panel.web import assets

SCRIPT = Path(__file__).with_name("medplum_server.mjs")
SECONDS = 60


@contextmanager
def medplum_server() -> Iterator[str]:
    """Its address while the block runs; it ends by itself if we do."""
    assets.build()
    if not (assets.NODE_MODULES / "@medplum" / "fhir-router").is_dir():
        pytest.fail("node_modules is not what package-lock.json says. Run: npm ci --ignore-scripts")
    command = [*assets.find_node().node, str(SCRIPT), str(assets.NODE_MODULES)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            assert port.isdigit(), "medplum's server did not start"
            yield f"http://127.0.0.1:{port}/fhir/R4"
        finally:
            server.terminate()
            server.wait(SECONDS)
