"""Every test here meets a whole authority: the invented year, in a copy of its own."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from panel.accounts.service import agency_by_key
from panel.platform.cluster import Cluster
from panel.records.child_scoped import JOB
from panel.records.nhs_number import check_digit
from panel.register.family import NewFamilyLink, NewFamilyMember, add_family_member
from panel.register.service import NewChild, add_child
from tests.demo.year import database_from, tenant_of, write_demo
from tests.hostile.canary_year import Made, marked_year
from tests.in_memory import way_to

Client = httpx.AsyncClient
HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')
FAR_AWAY_NUMBER = f"999777666{check_digit('999777666')}"
SITE = "http://testshire.localhost"


@pytest.fixture(scope="session")
async def year(cluster: Cluster, template_database: str, data_dir: Path) -> AsyncIterator[str]:
    """The name of a database with the year of 24 children."""
    with database_from(cluster, template_database) as made:
        await write_demo(made, data_dir, seed=1, children=40)
        await add_far_away_child(made, data_dir)
        yield made.database


@pytest.fixture(scope="module")
async def canaries(cluster: Cluster, template_database: str, data_dir: Path) -> AsyncIterator[Made]:
    """A year of its own in which every text of every child carries a marker."""
    async with marked_year(cluster, template_database, data_dir) as made:
        yield made


async def add_far_away_child(made: Cluster, data_dir: Path) -> None:
    """A child whom only a school knows, so that there is one whom no persona can reach."""
    tenant = tenant_of(made, data_dir)
    async with tenant.transaction(JOB) as session:
        school = await agency_by_key(session, "larkfield")
        assert school is not None
        child = NewChild("Ottoline", "Farfetch", date(2021, 5, 4), nhs_number=FAR_AWAY_NUMBER)
        added = await add_child(session, child, agency_id=school.id, from_on=date(2026, 9, 1))
        await add_family_member(
            session,
            added.id,
            NewFamilyMember(name="Peregrine Farfetch"),
            NewFamilyLink(relationship="uncle"),
        )
    await tenant.database.close()


@pytest.fixture(scope="module")
def database_of_own(cluster: Cluster, year: str) -> Iterator[Cluster]:
    """The year, for the tests of one file: what one of them adds, the next ones find."""
    with database_from(cluster, year) as copied:
        yield copied


class As(Protocol):
    """Opens a browser with a persona of the demonstration signed in."""

    def __call__(self, persona: str) -> AbstractAsyncContextManager[Client]:
        """Args: the persona's key."""
        ...


Browse = Callable[[], Client]


@pytest.fixture
def browse(app: Litestar, client: AsyncTestClient[Litestar]) -> Browse:
    """Another browser at the same site, which `client` starts and ends."""

    def opened() -> Client:
        return httpx.AsyncClient(transport=way_to(app), base_url=SITE)

    return opened


@pytest.fixture
def signed_in_as(browse: Browse) -> As:
    """A browser of a persona's: `async with signed_in_as("coordinator") as browser`."""

    @asynccontextmanager
    async def opened(persona: str) -> AsyncIterator[Client]:
        async with browse() as browser:
            answer = await browser.get(f"/demo/sign-in/{persona}")
            assert answer.status_code == 303, answer.text
            yield browser

    return opened


@pytest.fixture
async def rosa(signed_in_as: As) -> AsyncIterator[Client]:
    """The browser of Rosa Whitlow, a health visitor and lead professional."""
    async with signed_in_as("lead-health") as browser:
        yield browser


def hidden_of(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of a page's form, as it gives them."""
    return dict(HIDDEN.findall(page.text))


def said_wrong(page: httpx.Response) -> str:
    """The sentences of the error summary."""
    found = re.search(r"(?s)govuk-error-summary__list.*?</ul>", page.text)
    return "" if found is None else re.sub(r"<[^>]+>|\s+", " ", found[0])


def is_plain(page: httpx.Response) -> bool:
    """Whether a page tells no inside: no stack trace, module or SQL."""
    told = ("Traceback", 'File "/', "sqlalchemy", "psycopg", "litestar", "SELECT ", ".py")
    return not any(word in page.text for word in told)
