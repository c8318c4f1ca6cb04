"""What the words mean is open to anybody, in the words for them, and linked from every page."""

import re
from collections.abc import Sequence
from html import unescape

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from panel.accounts.help import FOR_FAMILIES, FOR_WORKERS, Letter
from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant
from tests.conftest import SignIn
from tests.families.household import Family, household

Client = AsyncTestClient[Litestar]
FOOTER = re.compile(r"<footer.*?</footer>", re.DOTALL)


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    """A mother, and those who help her child."""
    return await household(tenant)


@pytest.mark.parametrize(
    ("path", "letters"), [("/glossary", FOR_WORKERS), ("/family/glossary", FOR_FAMILIES)]
)
async def test_a_glossary_is_open_to_anybody_and_says_every_word(
    client: Client, path: str, letters: Sequence[Letter]
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    said = unescape(answer.text)
    for letter in letters:
        for entry in letter.entries:
            assert f'id="{entry.anchor}"><dt>{entry.term}</dt><dd>{entry.meaning}</dd>' in said


async def test_a_worker_is_led_to_the_words_for_workers(
    client: Client, family: Family, sign_in: SignIn
) -> None:
    await sign_in(family.rosa)
    home = await client.get("/")
    assert 'href="/glossary"' in footer(home)
    assert "Help with this page" in home.text
    assert 'href="/glossary#lead-professional" target="_blank"' in home.text
    glossary = await client.get("/glossary")
    assert glossary.status_code == 200
    assert "Help with this page" not in glossary.text


async def test_a_family_is_led_to_its_own_words(
    client: Client, family: Family, tenant: Tenant, clock: FixedClock
) -> None:
    async with tenant.transaction() as session:
        token = await start(session, family.mother, "family", clock.now())
    client.cookies.set("panel_session", token)
    home = await client.get("/family")
    assert 'href="/family/glossary"' in footer(home)
    assert 'href="/family/glossary#panel" target="_blank"' in home.text
    assert '"/glossary' not in home.text
    glossary = await client.get("/family/glossary")
    assert "Your page" in glossary.text


async def test_who_is_not_signed_in_has_nothing_in_the_footer(client: Client) -> None:
    assert "<a " not in footer(await client.get("/glossary"))


def footer(answer: httpx.Response) -> str:
    found = FOOTER.search(answer.text)
    assert found is not None
    return found[0]
