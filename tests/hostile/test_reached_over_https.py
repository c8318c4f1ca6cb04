"""What the site says of itself to browsers and to whoever found a hole."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from panel.app import ONLY_HTTPS, SECURITY_TXT, make_app
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.settings import from_environment
from tests.hostile.conftest import SITE

pytestmark = pytest.mark.database
HTTPS = "https://testshire.localhost"
(HSTS,) = ONLY_HTTPS


@asynccontextmanager
async def served(
    database: Cluster, data_dir: Path, clock: FixedClock, **environment: str
) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """The site as these settings make it."""
    settings = from_environment({"PANEL_DATA_DIR": str(data_dir)} | environment)
    site = make_app(settings, database.app_url, clock, compiled=data_dir / "templates")
    async with AsyncTestClient(site, base_url=SITE) as opened:
        yield opened


async def test_over_https_browsers_are_told_to_use_nothing_else(
    database_of_own: Cluster, data_dir: Path, clock: FixedClock
) -> None:
    async with served(database_of_own, data_dir, clock, PANEL_SITE_URL=HTTPS) as site:
        for path in ("/signed-out", "/children", "/nowhere", "/health/live", "/static/none"):
            answer = await site.get(path)
            assert answer.headers[HSTS] == "max-age=63072000; includeSubDomains", path


@pytest.mark.parametrize(
    "environment",
    [
        {"PANEL_SITE_URL": "http://127.0.0.1:8000"},
        {"PANEL_SITE_URL": HTTPS, "PANEL_INSECURE_COOKIES": "yes"},
    ],
)
async def test_without_https_nothing_is_promised(
    database_of_own: Cluster, data_dir: Path, clock: FixedClock, environment: Mapping[str, str]
) -> None:
    async with served(database_of_own, data_dir, clock, **environment) as site:
        assert HSTS not in (await site.get("/signed-out")).headers


async def test_whom_to_tell_of_a_hole_is_in_security_txt(
    database_of_own: Cluster, data_dir: Path, clock: FixedClock
) -> None:
    told = {"PANEL_SITE_URL": HTTPS, "PANEL_SECURITY_CONTACT": "security@example.org"}
    async with served(database_of_own, data_dir, clock, **told) as site:
        answer = await site.get(SECURITY_TXT)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == "mailto:security@example.org"
    assert fields["Canonical"] == f"{HTTPS}{SECURITY_TXT}"
    until = datetime.strptime(fields["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=30) < until - clock.now() < timedelta(days=365)


async def test_where_nobody_is_named_there_is_no_security_txt(
    database_of_own: Cluster, data_dir: Path, clock: FixedClock
) -> None:
    async with served(database_of_own, data_dir, clock) as site:
        assert (await site.get(SECURITY_TXT)).status_code == 404
