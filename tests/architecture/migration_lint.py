"""Lint the migrations: names, one unbroken chain, and squawk over the SQL they would run.

Run with `python -m tests.architecture.migration_lint`; prints what is wrong and exits 1.
"""

import re
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from panel.platform.migrate import CONTROL, FOLDER, Target, config

NAME = re.compile(r"\d{4}_[a-z]+(_[a-z0-9]+)+\.py")
NOT_FOR_US = (
    "prefer-robust-stmts",  # each migration is one transaction, so a half-done one cannot stay
    "prefer-text-field",  # the only varchar is in the table of Alembic itself
    "require-timeout-settings",  # an authority's schema is migrated while the site is stopped
    "prefer-bigint-over-int",  # versions and positions are small
    "require-concurrent-index-creation",  # within a transaction; tables are made in it
)


def wrong_names() -> list[str]:
    """Files that do not read like a log: NNNN_verb_noun.py."""
    return [
        f"{path.relative_to(FOLDER)}: name it NNNN_verb_noun.py"
        for folder in ("versions", "control")
        for path in sorted((FOLDER / folder).glob("*.py"))
        if not NAME.fullmatch(path.name)
    ]


def broken_chain(target: Target) -> list[str]:
    """More than one head, or a revision whose number is not that of its file."""
    scripts = ScriptDirectory.from_config(config(target))
    wrong = [] if len(scripts.get_heads()) == 1 else [f"{target.schema}: several heads"]
    for script in scripts.walk_revisions():
        if not Path(script.path).name.startswith(f"{script.revision}_"):
            wrong.append(f"{script.path}: its revision is {script.revision}")
        if not script.doc:
            wrong.append(f"{script.path}: say in its docstring what it does")
    return wrong


def sql_of(target: Target) -> str:
    """The SQL that all migrations of a target would run."""
    printed = StringIO()
    made = config(target)
    made.output_buffer = printed
    with redirect_stdout(StringIO()):
        command.upgrade(made, "head", sql=True)
    return printed.getvalue()


def squawked(target: Target) -> list[str]:
    """What squawk says against the SQL."""
    squawk = shutil.which("squawk", path=str(Path(sys.executable).parent)) or "squawk"
    ran = subprocess.run(
        [squawk, "--exclude", ",".join(NOT_FOR_US), "--stdin-filepath", f"{target.schema}.sql"],
        input=sql_of(target),
        capture_output=True,
        text=True,
        check=False,
    )
    return [] if ran.returncode == 0 else [ran.stdout + ran.stderr]


def main() -> int:
    """Print every finding; 1 if there is any."""
    targets = (Target("", CONTROL), Target("", "authority"))
    wrong = wrong_names()
    for target in targets:
        wrong += broken_chain(target) + squawked(target)
    for finding in wrong:
        sys.stdout.write(finding + "\n")
    sys.stdout.write(f"migrations: {len(wrong)} findings\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
