"""The real thing to walk through: `panel demo` as a process of its own, on a free port."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.durability.serving import AS_OF, Site

PATIENCE = 120.0
"""Seconds until a site that does not answer counts as broken; it reads its year of life first."""


@contextmanager
def demonstration(folder: Path, children: int, as_of: str = AS_OF) -> Iterator[Site]:
    """Serve a demonstration from a folder on a day, and stop it at the end.

    A folder that holds one already is served as it is: that is how a day passes. Any other becomes
    a copy of what is made once for all folders that lie beside each other.
    """
    if not folder.exists():
        # Not shutil: the database's files belong to an account of their own, and must go on to.
        made = made_once(folder.parent, children, as_of)
        subprocess.run(["cp", "-a", str(made), str(folder)], check=True)
    serving = ("demo", "--children", str(children), "--as-of", as_of)
    site = Site(folder, as_of=as_of, serving=serving, patience=PATIENCE)
    try:
        site.start()
        yield site
    finally:
        site.end()


def made_once(beside: Path, children: int, as_of: str) -> Path:
    """The folder of a demonstration that nobody was ever served, made for whoever asks first.

    The workers of a run share what it lies in: the others wait while one of them makes it.
    """
    made = beside / f"demonstration-{children}-{as_of}"
    with made.with_name(f"{made.name}.made").open("a+") as told:
        fcntl.flock(told, fcntl.LOCK_EX)
        told.seek(0)
        if not told.read():
            Site(made, as_of=as_of).prepare(children)
            told.write("made")
    return made
