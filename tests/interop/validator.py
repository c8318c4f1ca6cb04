"""The second validator: node runs ../shared/tools/fhir-validate on resources, and says what is wrong.

It resolves its packages beside itself and UK Core's data two folders up, so it is laid out in a
folder of its own: the script copied, the data and the project's node_modules linked.
"""

import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from panel.web import assets

SHARED = assets.CHECKOUT.parent / "shared"
SCRIPT = Path("tools", "fhir-validate", "validate.mjs")
SECONDS = 300
MENDED = {
    "of r.identifier ?? []": "of [r.identifier ?? []].flat()",
    'resource: e.resource && { resourceType: "Basic"': (
        'resource: e.resource?.resourceType === "Composition" ? e.resource'
        ' : e.resource && { resourceType: "Basic"'
    ),
}
"""What keeps the script from reading a document: it stops at a Bundle's, a Composition's and an
answered form's identifier, of which R4 has one and no list, and takes the Composition out before it
looks whether the first entry is one. No check is left out."""


def lay_out(folder: Path) -> Path:
    """Lay the validator out in an empty folder; skips where the shared data is absent."""
    if not (SHARED / SCRIPT).is_file():
        pytest.skip(f"The second validator is not here: {SHARED / SCRIPT} does not exist.")
    assets.build()
    if not (assets.NODE_MODULES / "@medplum" / "core").is_dir():
        pytest.fail("node_modules is not what package-lock.json says. Run: npm ci --ignore-scripts")
    (folder / SCRIPT).parent.mkdir(parents=True)
    script = (SHARED / SCRIPT).read_text(encoding="utf-8")
    for wrong, right in MENDED.items():
        if wrong not in script:
            pytest.fail(f"The second validator has no “{wrong}” any more: drop its mending.")
        script = script.replace(wrong, right)
    (folder / SCRIPT).write_text(script, encoding="utf-8")
    (folder / "data").symlink_to(SHARED / "data")
    (folder / "node_modules").symlink_to(assets.NODE_MODULES)
    return folder


def problems(laid_out: Path, bodies: Iterable[bytes]) -> dict[str, tuple[str, ...]]:
    """What is wrong with resources (each JSON on one line), by "R4" and "UK Core".

    Both are asked at once. Fails where node does not say that it has checked every one.
    """
    file = laid_out / "resources.ndjson"
    lines = list(bodies)
    file.write_bytes(b"\n".join(lines) + b"\n")
    command = [*assets.find_node().node, str(laid_out / SCRIPT), str(file)]

    def wrong(flags: list[str]) -> tuple[str, ...]:
        ran = subprocess.run(
            [*command, *flags], capture_output=True, text=True, timeout=SECONDS, check=False
        )
        *told, last = ran.stdout.splitlines() or [""]
        checked = last.split(" resources checked")[0]
        if not checked.isdigit() or int(checked) < len(lines):
            pytest.fail(f"The validator did not check every resource: {last}\n{ran.stderr}")
        return tuple(line.split("\t", 1)[1] for line in told)

    with ThreadPoolExecutor() as at_once:
        found = at_once.map(wrong, ([], ["--ukcore"]))
        return dict(zip(("R4", "UK Core"), found, strict=True))
