"""What every test may use: a migrated database of its own, an authority, its gate, a clock."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from panel.accounts.passwords import Hashing
from panel.app import make_app
from panel.platform.clock import FixedClock
from panel.platform.cluster import (
    Cluster,
    copy_database,
    create_database,
    drop_database,
    open_cluster,
)
from panel.platform.database import Database
from panel.platform.embedded_postgres import Durability
from panel.platform.ids import new_id
from panel.platform.masterkey import master_key
from panel.platform.migrate import ensure_control, migrate_all
from panel.platform.sessions import Way, start
from panel.platform.tenancy import Tenant, authority_named, keyring, record_authority
from panel.records.gate import Gate
from panel.settings import from_environment
from panel.sharing.state import SharingFacts
from panel.web import assets

MORNING = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
"""Monday 23 November 2026, in term: when tests take place unless they say otherwise."""


QUICK_HASHING = Hashing(passes=1, memory=64, lanes=1)
"""Passwords of tests: to guess one costs nothing, and no test waits for it."""


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the embedded database and the local key, the same for all of a run's workers.

    The server's roles belong to the whole server: two folders would each set their own passwords.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "panel"
    folder.mkdir(exist_ok=True)
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what talks to the database, so that it can be run against another server too."""
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.database)


@pytest.fixture(scope="session")
def cluster(data_dir: Path) -> Iterator[Cluster]:
    """The server of this run: PANEL_TEST_DATABASE_URL, or the embedded one."""
    url = os.environ.get("PANEL_TEST_DATABASE_URL") or None
    with open_cluster(url, data_dir, durable=Durability.LOST_WITH_THE_MACHINE) as opened:
        yield opened


@pytest.fixture(scope="session")
def template_database(cluster: Cluster, data_dir: Path) -> Iterator[str]:
    """A database with one authority, migrated, from which tests get copies."""
    name = f"panel_template_{new_id().hex[-12:]}"
    made = create_database(cluster, name)
    assert made.owner_url is not None
    ensure_control(made.owner_url)
    record_authority(
        made.owner_url,
        master_key(None, data_dir / "keys" / "master.key"),
        name="testshire",
        label="Testshire",
        host="testshire.localhost",
        demo=True,
    )
    migrate_all(made.owner_url, lambda _line: None)
    yield name
    drop_database(cluster, name)


@pytest.fixture
def database_of_own(cluster: Cluster, template_database: str) -> Iterator[Cluster]:
    """A migrated, empty database for one test."""
    name = f"panel_test_{new_id().hex[-12:]}"
    yield copy_database(cluster, name, template_database)
    drop_database(cluster, name)


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at MORNING until a test sets it."""
    return FixedClock(MORNING)


@pytest.fixture
async def tenant(
    database_of_own: Cluster, data_dir: Path, clock: FixedClock
) -> AsyncIterator[Tenant]:
    """The authority of one test, served as `panel_app`."""
    database = Database(database_of_own.app_url, pool_size=4)
    record = authority_named(database_of_own.app_url, None)
    yield Tenant(
        record, database, keyring(record, master_key(None, data_dir / "keys" / "master.key")), clock
    )
    await database.close()


@pytest.fixture
def gate(tenant: Tenant) -> Gate:
    """The authority's record gate, with sharing's facts from the database."""
    return Gate(tenant, SharingFacts())


@pytest.fixture
def app(database_of_own: Cluster, data_dir: Path, clock: FixedClock, tenant: Tenant) -> Litestar:
    """The whole site for the test's authority, at testshire.localhost."""
    assets.build()
    settings = from_environment({"PANEL_DATA_DIR": str(data_dir), "PANEL_INSECURE_COOKIES": "yes"})
    return make_app(
        settings,
        database_of_own.app_url,
        clock,
        compiled=data_dir / "templates",
        hashing=QUICK_HASHING,
    )


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """A browser that nobody is signed in with; see `sign_in`."""
    async with AsyncTestClient(app, base_url="http://testshire.localhost") as opened:
        yield opened


SignIn = Callable[[UUID], Awaitable[None]]


@pytest.fixture
def sign_in(client: AsyncTestClient[Litestar], tenant: Tenant, clock: FixedClock) -> SignIn:
    """Sign a worker in with the test's browser: `await sign_in(viewer.id)`."""

    async def signed_in(worker_id: UUID) -> None:
        async with tenant.transaction() as session:
            token = await start(session, worker_id, "worker", clock.now(), way=Way.PASSKEY)
        # A page that was looked at before gave the browser a cookie of nobody's.
        client.cookies.clear()
        client.cookies.set("panel_session", token)

    return signed_in
