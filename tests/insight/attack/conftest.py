"""A county with two releases, made once for the files of the attack."""

import pytest

from tests.insight.attack.harness import Releases, world_of

SEED = 1
FIRST, SECOND = 2, 3
"""The terms that are published."""


@pytest.fixture(scope="package")
def county() -> Releases:
    """3,000 children, two terms published, nothing withdrawn by an audit."""
    releases = Releases(world_of(SEED))
    releases.make(FIRST)
    releases.make(SECOND)
    return releases
