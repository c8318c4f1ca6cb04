"""What every test may use: a migrated database of its own, an authority, its gate, a clock."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import settings
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.testing import AsyncTestClient

from panel.accounts.passwords import Hashing, Passwords
from panel.app import make_app, make_site
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
from panel.platform.tenancy import (
    AuthorityRecord,
    Tenant,
    authority_named,
    keyring,
    record_authority,
)
from panel.records.gate import Gate
from panel.settings import from_environment
from panel.sharing.state import SharingFacts
from panel.web import assets
from tests.kept_database import KeptDatabase, as_made

MORNING = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
"""Monday 23 November 2026, in term: when tests take place unless they say otherwise."""
TESTS = Path(__file__).parent


MEMORY, ROOM = Path("/dev", "shm"), 4 * 2**30
"""Where files lie in memory on Linux, and how many bytes must be free there for a run."""
IN_MEMORY = "PANEL_TEST_IN_MEMORY"
"""Names to a run's workers the folder that they share, which is gone at its end."""
LONGEST = (
    "hostile/test_canaries.py",
    "journeys/test_a_child_through_everything.py",
    "journeys/test_a_meeting_through_a_cut.py",
    "journeys/test_two_meetings.py",
    "hostile/test_no_faults.py",
    "durability/test_rotate.py",
    "durability/test_kill.py",
    "journeys/test_typing_through_a_cut.py",
    "journeys/test_without_scripts.py",
    "journeys/test_restriction_pages.py",
    "journeys/test_to_the_pack.py",
    "panels/test_what_changed.py",
    "hostile/test_others_objects.py",
    "journeys/test_signing_in_with_a_provider.py",
    "hostile/test_scripts_in_every_text.py",
    "journeys/test_components_in_a_browser.py",
    "durability/test_logs.py",
    "consent/test_histories.py",
    "demo/test_fast_forward.py",
)
"""The files that take longest, the longest first; the rooms after them hold most of the others."""
LONG_ROOMS = ("hostile", "journeys", "durability", "demo", "consent")


def how_soon(file: Path) -> int:
    """Where a file of tests stands among the others: the lower, the sooner it begins."""
    inside = file.relative_to(TESTS)
    if inside.as_posix() in LONGEST:
        return LONGEST.index(inside.as_posix())
    return len(LONGEST) + (inside.parts[0] not in LONG_ROOMS)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the databases in memory, where there is room: hundreds are made and thrown away."""
    if settings.get_current_profile_name() == "default":
        # As in CI: a property says what is true, and on a busy machine nothing about time.
        settings.register_profile("patient", deadline=None)
        settings.load_profile("patient")
    if "PYTEST_XDIST_WORKER" not in os.environ and (
        MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM
    ):
        folder = tempfile.mkdtemp(prefix="panel-tests-", dir=MEMORY)
        os.environ[IN_MEMORY] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


QUICK_HASHING = Hashing(passes=1, memory=64, lanes=1)
"""Passwords of tests: to guess one costs nothing, and no test waits for it."""


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the embedded database and the local key, the same for all of a run's workers.

    The server's roles belong to the whole server: two folders would each set their own passwords.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = Path(os.environ.get(IN_MEMORY, shared)) / "panel"
    folder.mkdir(exist_ok=True)
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what talks to the database, so that it can be run against another server too.

    What takes longest comes first: at the end no worker waits for the one that began it last.
    """
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.database)
    items.sort(key=lambda item: how_soon(item.path))


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


@pytest.fixture(scope="session")
def own_name() -> str:
    """The name of every test's database, one after the other: what was made to serve one of them,
    and knows its address, serves the next.
    """
    return f"panel_test_{new_id().hex[-12:]}"


@pytest.fixture(scope="session")
def kept_database(
    cluster: Cluster, own_name: str, template_database: str
) -> Iterator[KeptDatabase]:
    """What a worker lends to one test after the other."""
    kept = KeptDatabase(cluster, own_name, template_database)
    yield kept
    kept.drop()


@pytest.fixture
def database_of_own(kept_database: KeptDatabase) -> Iterator[Cluster]:
    """A migrated, empty database for one test."""
    with kept_database.lent() as database:
        yield database


@contextmanager
def copied(cluster: Cluster, name: str, template: str) -> Iterator[Cluster]:
    """A copy of a template, dropped afterwards."""
    try:
        yield copy_database(cluster, name, template)
    finally:
        drop_database(cluster, name)


@pytest.fixture
def for_commands(database_of_own: Cluster, data_dir: Path) -> dict[str, str | None]:
    """The environment in which `panel` commands work on the test's own database."""
    assert database_of_own.owner_url is not None
    return {
        "PANEL_DATA_DIR": str(data_dir),
        "PANEL_DATABASE_URL": database_of_own.app_url,
        "PANEL_OWNER_DATABASE_URL": database_of_own.owner_url,
        "PANEL_AS_OF": None,
    }


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at MORNING until a test sets it."""
    return FixedClock(MORNING)


Pages = tuple[HTTPRouteHandler, ...]


@dataclass
class MadeBefore:
    """What takes long to make and is the same for every database of an address.

    Nothing of it knows what is in the database.
    """

    kept: KeptDatabase
    databases: dict[str, Database] = field(default_factory=dict)
    """By their address: SQLAlchemy writes each statement out once for each."""
    connected: dict[str, int] = field(default_factory=dict)
    """By the address of what is kept: how often it had been dropped when connections were made."""
    listed: AuthorityRecord | None = None
    """The authority of every copy of the template, as it is listed there."""
    sites: dict[tuple[str, str, Pages], Litestar] = field(default_factory=dict)
    """By the database's address, the authority's schema and what is `beside`: hundreds of routes
    are looked into.
    """

    async def database(self, url: str) -> Database:
        """What serves an address, with no connection to a database that was dropped since."""
        if url not in self.databases:
            self.databases[url] = Database(url, pool_size=4)
        elif self.connected.get(url) != self.kept.renewed:
            await self.databases[url].close()
        self.connected[url] = self.kept.renewed
        return self.databases[url]

    def authority(self, url: str) -> AuthorityRecord:
        """The only authority of a database."""
        if not self.kept.is_at(url):
            return authority_named(url, None)
        if self.listed is None:
            self.listed = authority_named(url, None)
        return self.listed

    async def rest(self, database: Database) -> None:
        """After a test: connections to what is kept go on, each as if it had just been made."""
        if not self.kept.is_at(database.url) or not await as_made(database):
            await database.close()


@pytest.fixture(scope="session")
async def made_before(kept_database: KeptDatabase) -> AsyncIterator[MadeBefore]:
    """What the tests of one worker share."""
    made = MadeBefore(kept_database)
    yield made
    for database in made.databases.values():
        await database.close()


@pytest.fixture
async def tenant(
    database_of_own: Cluster, data_dir: Path, clock: FixedClock, made_before: MadeBefore
) -> AsyncIterator[Tenant]:
    """The authority of one test, served as `panel_app`."""
    url = database_of_own.app_url
    database, record = await made_before.database(url), made_before.authority(url)
    yield Tenant(
        record, database, keyring(record, master_key(None, data_dir / "keys" / "master.key")), clock
    )
    await made_before.rest(database)


@pytest.fixture
def gate(tenant: Tenant) -> Gate:
    """The authority's record gate, with sharing's facts from the database."""
    return Gate(tenant, SharingFacts())


@pytest.fixture
def beside() -> Pages:
    """Pages that only a room's own tests have; nothing may be registered with `app` later."""
    return ()


@pytest.fixture
async def app(
    database_of_own: Cluster, data_dir: Path, tenant: Tenant, beside: Pages, made_before: MadeBefore
) -> AsyncIterator[Litestar]:
    """The whole site for the test's authority, at testshire.localhost."""
    settings = from_environment({"PANEL_DATA_DIR": str(data_dir), "PANEL_INSECURE_COOKIES": "yes"})
    url, record = database_of_own.app_url, tenant.record
    made = made_before.sites.get((url, record.schema_name, beside))
    if made is None:
        assets.build()
        made = make_app(
            settings,
            url,
            tenant.clock,
            compiled=data_dir / "templates",
            hashing=QUICK_HASHING,
        )
        for page in beside:
            made.register(page)
        made_before.sites[url, record.schema_name, beside] = made
    # Its routes stay; the authority, its keys and all that is remembered of them are the test's.
    (last,) = made.state.sites.values()
    database = last.tenant.database
    made.state.sites.clear()
    passwords = Passwords(QUICK_HASHING)
    made.state.sites[record.host] = make_site(
        record, settings, database, tenant.clock, last.renderer, passwords
    )
    yield made
    passwords.close()
    await made_before.rest(database)


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
