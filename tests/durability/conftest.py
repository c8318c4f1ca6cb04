"""One demonstration for all tests of this folder: made once, served as it is in life."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from panel.web import assets
from tests.durability.serving import Site


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with 24 children, not started yet."""
    folder = tmp_path_factory.mktemp("served")
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o111)
        if parent == Path(tmp_path_factory.getbasetemp()).parent:
            break
    assets.build()
    site = Site(folder / "data")
    site.prepare(children=24)
    yield site
    site.end()
