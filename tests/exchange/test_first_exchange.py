"""docs/integrators.md, done as it is written: its commands, in order, against a site that is served."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from panel.web.assets import CHECKOUT
from tests.durability.serving import PATIENCE, free_port, status_at, wait_until
from tests.exchange.connected import OURS, Connected

DOCUMENT = CHECKOUT / "docs" / "integrators.md"
PROGRAM = Path(sys.executable).with_name("panel")


def commands() -> str:
    """What the document says to type."""
    blocks = re.findall(
        r"^```sh\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return "set -euo pipefail\n" + "\n".join(blocks)


@contextmanager
def served(environment: Mapping[str, str], port: int) -> Iterator[None]:
    """`panel serve` on this machine while the block runs."""
    command = [str(PROGRAM), "serve", "--port", str(port)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as site:
        try:
            wait_until(partial(answers, port), "the site answers")
            yield
        finally:
            site.terminate()
            site.wait(PATIENCE)


def answers(port: int) -> bool:
    return status_at(f"http://127.0.0.1:{port}/fhir/R4/metadata") == 200


def typed(environment: Mapping[str, str], port: int, folder: Path) -> None:
    """Type the document's commands in a folder, while the site is served."""
    with served(environment, port):
        done = subprocess.run(
            ["bash", "-c", commands()],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    assert done.returncode == 0, done.stderr


async def test_the_document_works_as_it_is_written(
    connected: Connected, for_commands: dict[str, str | None], tmp_path: Path
) -> None:
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    given = {
        "PATH": f"{PROGRAM.parent}:/usr/bin:/bin",
        "PYTHONPATH": f"{CHECKOUT / 'src'}:{CHECKOUT}",
        "PANEL_SITE_URL": site,
        "PANEL_INSECURE_COOKIES": "yes",
        "BASE": f"{site}/fhir/R4",
        "AGENCY": connected.world.kinds[OURS],
    } | {name: value for name, value in for_commands.items() if value is not None}
    await asyncio.to_thread(typed, given, port, tmp_path)

    def kept(name: str) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((tmp_path / name).read_text(encoding="utf-8"))
        return read

    assert kept("capabilities.json")["fhirVersion"] == "4.0.1"
    assert kept("patient.json")["id"] == str(connected.child)
    for name in ("children", "plans", "history"):
        assert kept(f"{name}.json").get("entry"), name
    assert kept("how-many.json")["total"] == 3
    assert kept("releases.json")["releases"] == [], "nothing is out yet, and it may know that"
    everything = kept("everything.json")
    assert everything["total"] == len(everything["entry"]) > 15
    assert (tmp_path / "unchanged.txt").read_text(encoding="utf-8") == "304\n"
    sent = kept("sent.json")
    assert sent["type"] == "transaction-response", sent
    for name, code in (("wrong", "not-supported"), ("checked", "")):
        said = kept(f"{name}.json")
        assert said["resourceType"] == "OperationOutcome", name
        assert code in said["issue"][0]["code"], said
