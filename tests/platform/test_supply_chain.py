"""What Panel is made of: known, licensed, and asked about."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import cyclonedx
import jsonschema_rs
import pytest

ROOT = Path(__file__).parents[2]
FINE = re.compile(
    r"MIT|BSD|Apache|MPL|Mozilla|ISC|PSF|Python Software Foundation|0BSD|Zlib|Unlicense|HPND|CC0",
    re.IGNORECASE,
)
LESSER = {"psycopg", "psycopg-binary", "psycopg-pool"}
"""LGPL-3.0: used as they are, as libraries of their own that anybody may replace."""


def of_deploy(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"deploy_{name}", ROOT / "deploy" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


audit, sbom = of_deploy("audit"), of_deploy("sbom")


SCHEMAS = Path(cyclonedx.__file__).parent / "schema" / "_res"


def is_valid(bill: object) -> bool:
    """Whether CycloneDX's own schema, as its library ships it, takes a bill."""
    files = {
        name: json.loads((SCHEMAS / name).read_text())
        for name in (f"{part}.SNAPSHOT.schema.json" for part in ("bom-1.6", "spdx", "jsf-0.82"))
    }
    home = "http://cyclonedx.org/schema"
    registry = jsonschema_rs.Registry([(f"{home}/{name}", one) for name, one in files.items()])
    whole = files["bom-1.6.SNAPSHOT.schema.json"]
    return bool(jsonschema_rs.validator_for(whole, registry=registry).is_valid(bill))


def test_the_bill_of_materials_is_valid_cyclonedx_and_whole() -> None:
    bill = sbom.bill()
    written = json.dumps(bill)
    assert is_valid(bill)
    assert json.dumps(sbom.bill()) == written, "the same locks give the same bill"
    named = {one["purl"] for one in bill["components"]}
    lock = (ROOT / "requirements" / "app.txt").read_text()
    pinned = re.findall(r"(?m)^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", lock)
    assert len(pinned) > 40
    for name, version in pinned:
        assert f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}" in named
    assert any(one.startswith("pkg:npm/govuk-frontend@") for one in named)
    assert not any("axe-core" in one for one in named), "what only tests need is not shipped"
    assert all(one["hashes"] for one in bill["components"])


def test_a_broken_bill_would_be_found() -> None:
    bill = sbom.bill()
    bill["components"][0]["type"] = "rumour"
    assert not is_valid(bill)


def installed() -> list[str]:
    lock = (ROOT / "requirements" / "app.txt").read_text()
    elsewhere = {"colorama", "pywin32", "winloop", "tzdata"}  # of other systems
    return [name for name, _, _ in sbom.locked(lock) if name.lower() not in elsewhere]


@pytest.mark.parametrize("name", installed())
def test_every_runtime_dependency_has_a_licence_that_lets_anybody_use_it(name: str) -> None:
    licence = sbom.licence_of(name)
    if name in LESSER:
        assert "LGPL" in licence or "Lesser" in licence
        return
    assert FINE.search(licence), f"{name}: {licence or 'no licence in its metadata'}"
    assert not re.search(r"(?<!L)GPL|AGPL|SSPL|Commercial|Proprietary", licence), licence


def test_what_pages_are_built_from_is_licensed_too() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for path, told in packages.items():
        assert FINE.search(told["license"]), path


PIP = {"name": "left", "version": "1.0"}
HOLE = {"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}


def test_a_known_hole_is_told_and_fails() -> None:
    told = audit.of_python("app.txt", json.dumps({"dependencies": [PIP | {"vulns": [HOLE]}]}), "")
    assert told.holes == ["left 1.0 has PYSEC-2026-1; mended in 1.1"]
    assert told.lines() == ["app.txt: left 1.0 has PYSEC-2026-1; mended in 1.1"]
    npm = audit.of_npm("lock", json.dumps({"vulnerabilities": {"x": {"severity": "high"}}}), "", 9)
    assert npm.holes == ["x has a known hole (high)"]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (json.dumps({"dependencies": [PIP | {"skip_reason": "not found"}]}), ""),
        (json.dumps({"dependencies": []}), ""),
        ("", "ConnectionError: no route"),
        ("<html>", ""),
        ("[]", ""),
    ],
)
def test_what_was_not_checked_is_said_and_never_called_fine(answer: str, complaint: str) -> None:
    for told in (
        audit.of_python("app.txt", answer, complaint),
        audit.of_npm("lock", answer, complaint, 9),
    ):
        (line,) = told.lines()
        assert ": not checked: " in line
        assert "no known hole" not in line
        assert not told.holes


def test_what_was_checked_is_said() -> None:
    told = audit.of_python("app.txt", json.dumps({"dependencies": [PIP | {"vulns": []}]}), "")
    assert told.lines() == ["app.txt: 1 checked, no known hole"]


def test_the_exit_code_is_1_for_a_hole_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for holes, code in (([], 0), (["a hole"], 1)):
        found = [audit.Told("x", checked=1, holes=holes), audit.Told("y", not_checked="offline")]
        monkeypatch.setattr(audit, "everything", lambda found=found: found)
        assert audit.main() == code
