"""The real thing to walk through: `panel demo` as a process of its own, on a free port."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.durability.serving import AS_OF, Site

PATIENCE = 120.0
"""Seconds until a site that does not answer counts as broken; it makes its year of life first."""


@contextmanager
def demonstration(folder: Path, children: int, as_of: str = AS_OF) -> Iterator[Site]:
    """Serve a demonstration from a folder on a day, and stop it at the end.

    A folder that holds one already is served as it is: that is how a day passes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = ("demo", "--children", str(children), "--as-of", as_of)
    site = Site(folder, as_of=as_of, serving=made, patience=PATIENCE)
    try:
        site.start()
        yield site
    finally:
        site.end()
