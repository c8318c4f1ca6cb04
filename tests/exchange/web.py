"""A system that asks the site over HTTP: every refusal is checked to be an OperationOutcome."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient

from panel.exchange.models import ExchangeToken
from panel.platform.sessions import token_hash
from panel.platform.tenancy import Tenant

Said = dict[str, Any]


@dataclass
class Web:
    """The site, with a token."""

    client: AsyncTestClient[Litestar]
    token: str

    async def answer(self, method: str, path: str, **given: Any) -> Response:
        headers = {"Authorization": f"Bearer {self.token}"} | given.pop("headers", {})
        answer = await self.client.request(method, f"/fhir/R4{path}", headers=headers, **given)
        assert answer.status_code < 500, (method, path, answer.text)
        if answer.status_code >= 400:
            said = answer.json()
            assert said["resourceType"] == "OperationOutcome", (method, path, answer.text)
            assert all(issue["details"]["text"] for issue in said["issue"])
        return answer

    async def ask(self, method: str, path: str, **given: Any) -> tuple[int, Said]:
        answer = await self.answer(method, path, **given)
        return answer.status_code, answer.json() if answer.content else {}

    async def search(self, path: str, **asked: Any) -> Said:
        status, said = await self.ask("GET", path, params=asked)
        assert status == 200, (path, said)
        return said


def resources(bundle: Said, mode: str | None = None) -> list[Said]:
    """What is in a bundle; of one mode."""
    return [
        one["resource"]
        for one in bundle.get("entry", ())
        if mode is None or one["search"]["mode"] == mode
    ]


async def give_token(
    tenant: Tenant, client_id: UUID, token: str, scopes: tuple[str, ...] = ()
) -> str:
    """Let a client in without its signing anything: for tests of what comes after."""
    async with tenant.transaction() as session:
        now = tenant.clock.now()
        session.add(
            ExchangeToken(
                id=token_hash(token),
                client_id=client_id,
                scopes=list(scopes or ("system/*.rs",)),
                made_at=now,
                ends_at=now + timedelta(minutes=5),
            )
        )
    return token
