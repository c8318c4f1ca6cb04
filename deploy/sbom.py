"""Write the bill of materials (CycloneDX 1.6, JSON) of what Panel ships: make sbom.

What the wheel runs on, from requirements/app.txt, and what its pages are built from, from
package-lock.json, each with its version, hashes and, where it is installed, its licence. The same
locks give the same file: it carries no time and no random number.
"""

import base64
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

ROOT = Path(__file__).parents[1]
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_BY_CLASSIFIER = {
    "MIT License": "MIT", "MIT No Attribution License (MIT-0)": "MIT-0",
    "BSD License": "BSD-3-Clause", "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "The Unlicense (Unlicense)": "Unlicense",
}  # fmt: skip


def locked(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Name, version and SHA-256 hashes of each dependency of a lock file."""
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        if found := _PINNED.match(block.strip()):
            yield found[1], found[2], _HASH.findall(block)


def licence_of(name: str) -> str:
    """The licence that an installed package's metadata tells; "" where it tells none."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return ""
    if expression := told.get("License-Expression"):
        return str(expression)
    said = [
        one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or () if "License ::" in one
    ]
    known = [_BY_CLASSIFIER[one] for one in said if one in _BY_CLASSIFIER]
    if known:
        return " OR ".join(sorted(set(known)))
    return str(told.get("License") or "").strip().partition("\n")[0]


def python_parts(text: str) -> Iterator[dict[str, Any]]:
    """What the wheel runs on."""
    for name, version, hashes in locked(text):
        plain = re.sub(r"[-_.]+", "-", name).lower()
        # Several files of one version: a bill names the version, the lock every file of it.
        yield _part(
            plain, version, f"pkg:pypi/{plain}@{version}", licence_of(name), "SHA-256", hashes[:1]
        )


def npm_parts(text: str) -> Iterator[dict[str, Any]]:
    """What the pages are built from; what only tests need is left out."""
    for path, told in json.loads(text)["packages"].items():
        if not path or told.get("dev"):
            continue
        name = path.rpartition("node_modules/")[2]
        address = f"pkg:npm/{name.replace('@', '%40')}@{told['version']}"
        sums = [
            base64.b64decode(one.removeprefix("sha512-")).hex()
            for one in told.get("integrity", "").split()
            if one.startswith("sha512-")
        ]
        yield _part(name, told["version"], address, told.get("license", ""), "SHA-512", sums)


def _part(
    name: str, version: str, address: str, licence: str, kind: str, hashes: Iterable[str]
) -> dict[str, Any]:
    part: dict[str, Any] = {
        "type": "library", "bom-ref": address, "name": name, "version": version, "purl": address,
        "hashes": [{"alg": kind, "content": one} for one in hashes],
    }  # fmt: skip
    if licence:
        part["licenses"] = [{"license": {"name": licence}}]
    return part


def bill() -> dict[str, Any]:
    """The whole bill."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    parts = [
        *python_parts((ROOT / "requirements" / "app.txt").read_text()),
        *npm_parts((ROOT / "package-lock.json").read_text()),
    ]
    parts.sort(key=lambda one: str(one["bom-ref"]))
    itself = f"pkg:pypi/{project['name']}@{project['version']}"
    named = " ".join([itself, *(str(one["bom-ref"]) for one in parts)])
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, named)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": itself, "name": project["name"],
                "version": project["version"], "purl": itself,
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": parts,
        "dependencies": [{"ref": itself, "dependsOn": [one["bom-ref"] for one in parts]}],
    }  # fmt: skip


def main() -> int:
    """Write it to the file that is named, or print it."""
    written = json.dumps(bill(), indent=2, sort_keys=True) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(written)
        sys.stdout.write(f"{sys.argv[1]}: {len(bill()['components'])} components\n")
    else:
        sys.stdout.write(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
