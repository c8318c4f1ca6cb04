"""The people who record what is withheld, around the invented family, and how their pages read."""

import html
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
from litestar import Litestar
from litestar.testing import AsyncTestClient

from consent import Role, Viewer, ViewerKind
from panel.accounts.service import add_agency, add_worker, give_role
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access
from panel.register.models import Involvement
from tests.sharing.family import Family

Client = AsyncTestClient[Litestar]


@dataclass(frozen=True, slots=True)
class Guardians:
    """A social worker in the child's team, and the safeguarding lead of the same council."""

    social_care: Viewer
    """Sal Quint."""
    lead: Viewer
    """Viv Moss, who is tied to no child."""


async def with_social_care(tenant: Tenant, family: Family) -> Guardians:
    """Social care works with the child as well."""
    async with tenant.transaction(JOB) as session:
        care = await add_agency(session, key="care", name="Children's team", kind="social_care")
        sal = await add_worker(session, care, name="Sal Quint", email="sal@demo.example")
        await give_role(session, sal, Role.PRACTITIONER)
        viv = await add_worker(session, care, name="Viv Moss", email="viv@demo.example")
        await give_role(session, viv, Role.SAFEGUARDING_LEAD)
        session.add(
            Involvement(
                child_id=family.child,
                agency_id=care.id,
                worker_id=sal.id,
                from_on=date(2026, 9, 1),
            )
        )
        await rewrite_access(session, family.child)
    return Guardians(
        Viewer(
            sal.id, ViewerKind.WORKER, care.id, "social_care", frozenset({Role.PRACTITIONER})
        ),
        Viewer(
            viv.id, ViewerKind.WORKER, care.id, "social_care", frozenset({Role.SAFEGUARDING_LEAD})
        ),
    )  # fmt: skip


def plain(answer: httpx.Response) -> str:
    """The words of a page's own part."""
    words = re.sub(r"<[^>]+>", " ", answer.text.split("<main", 1)[1])
    return re.sub(r"\s+", " ", html.unescape(words))


async def shown(client: Client, page: str, status: int = 200) -> str:
    """The words of a page that is opened."""
    answer = await client.get(page)
    assert answer.status_code == status, answer.text
    return plain(answer)


async def hidden_of(client: Client, page: str) -> dict[str, Any]:
    """The hidden fields of a page that is opened."""
    return hidden(await client.get(page))


def hidden(answer: httpx.Response) -> dict[str, Any]:
    """The hidden fields of a page's form; a name that stands there twice has both values."""
    main = answer.text.split("<main", 1)[1]
    found: dict[str, Any] = {}
    for name, value in re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', main):
        found.setdefault(name, []).append(html.unescape(value))
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


async def fill(client: Client, page: str, **typed: Any) -> httpx.Response:
    """Open a page and post its form with what is typed."""
    opened = await client.get(page)
    assert opened.status_code == 200, opened.text
    return await client.post(page, data=hidden(opened) | typed, follow_redirects=False)


async def confirm(client: Client, page: str, shown: httpx.Response) -> httpx.Response:
    """Post what was shown for checking once more, as its button does."""
    assert shown.status_code == 200, shown.text
    return await client.post(page, data=hidden(shown), follow_redirects=False)
