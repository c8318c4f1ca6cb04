"""Ask the registries' advisories about every locked dependency: make audit.

A known hole ends it with exit code 1. Where the advisories cannot be asked, or do not know a
package, it says so, and that nothing was checked is never told as "nothing was found".
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = ("app", "build", "assets", "dev")
PATIENCE = 300
"""Seconds for one registry."""


@dataclass
class Told:
    """What one list of dependencies came to."""

    of: str
    checked: int = 0
    holes: list[str] = field(default_factory=list)
    not_checked: str = ""
    """Why, where something was not checked."""

    def lines(self) -> list[str]:
        """One line for each hole, else one for the whole list."""
        said = [f"{self.of}: {hole}" for hole in self.holes]
        if self.not_checked:
            said.append(f"{self.of}: not checked: {self.not_checked}")
        if self.checked and not self.holes:
            said.append(f"{self.of}: {self.checked} checked, no known hole")
        return said


def of_python(name: str, answer: str, complaint: str) -> Told:
    """What pip-audit's JSON says. Its own exit code calls a package that it skipped a success."""
    told = Told(name)
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        told.not_checked = _first_line(complaint) or "the advisories gave no answer"
        return told
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    told.checked = len(packages) - len(skipped)
    told.holes = [
        f"{one['name']} {one['version']} has {hole['id']};"
        f" mended in {', '.join(hole.get('fix_versions', ())) or 'no version yet'}"
        for one in packages
        for hole in one.get("vulns", ())
    ]
    if skipped or not packages:
        told.not_checked = f"the advisories do not answer for {len(skipped)} of {len(packages)}"
    return told


def of_npm(name: str, answer: str, complaint: str, locked: int) -> Told:
    """What npm's JSON says; `locked` is how many packages there are."""
    told = Told(name)
    try:
        said: dict[str, Any] = json.loads(answer)
        found: dict[str, Any] = said["vulnerabilities"]
    except (ValueError, KeyError, TypeError):
        told.not_checked = _first_line(complaint) or "the advisories gave no answer"
        return told
    told.checked = locked
    told.holes = [f"{one} has a known hole ({what['severity']})" for one, what in found.items()]
    return told


def _first_line(words: str) -> str:
    return next((line.strip() for line in words.splitlines() if line.strip()), "")


def asked(command: Sequence[str]) -> tuple[str, str]:
    """What a program prints, on either stream; without it, why it did not."""
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as missing:
        return "", str(missing)
    return done.stdout, done.stderr


def everything() -> list[Told]:
    """Every lock file, asked."""
    found = []
    for lock in LOCKS:
        file = f"requirements/{lock}.txt"
        answer, complaint = asked([
            sys.executable, "-m", "pip_audit", "-r", file, "--require-hashes", "--disable-pip",
            "--progress-spinner", "off", "-f", "json",
        ])  # fmt: skip
        found.append(of_python(file, answer, complaint))
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    answer, complaint = asked(["npm", "audit", "--json", "--audit=true"])
    found.append(of_npm("package-lock.json", answer, complaint, len(packages) - 1))
    return found


def main() -> int:
    """Print what was found; 1 where there is a known hole."""
    found = everything()
    for told in found:
        sys.stdout.write("\n".join(told.lines()) + "\n")
    return 1 if any(told.holes for told in found) else 0


if __name__ == "__main__":
    sys.exit(main())
