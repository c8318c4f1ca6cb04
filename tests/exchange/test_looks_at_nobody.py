"""What is withheld and what is not there are asked for in the same way, so neither is the quicker.

Times are measured in bench/fhir_withheld.py. Here: the same looks are written down of both, which is
most of what such an answer takes.
"""

from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.exchange.connected import Connected
from tests.exchange.web import Web, give_token

pytestmark = pytest.mark.database
WAYS = (
    "/Patient/{id}",
    "/Patient/{id}/_history",
    "/Patient/{id}/$everything",
    "/Patient?_id={id}",
    "/CarePlan?patient={id}",
    "/Condition/{id}",
    "/Flag/{id}",
)


async def looks(tenant: Tenant, system: UUID, whom: UUID) -> list[str]:
    """What the system was told in its looks at a record, in order; none lets anything through."""
    async with tenant.transaction(JOB) as session:
        found = await session.execute(
            text(
                "SELECT doing FROM access_event WHERE viewer_id = :system AND child_id = :whom"
                " AND NOT EXISTS (SELECT FROM jsonb_each_text(decisions) d"
                " WHERE d.value NOT LIKE 'withheld%' AND d.key <> 'refused') ORDER BY at, id"
            ),
            {"system": system, "whom": whom},
        )
        return list(found.scalars())


async def test_a_look_at_nobody_is_one_like_a_look_at_a_child_who_is_withheld(
    client: AsyncTestClient[Litestar], tenant: Tenant, connected: Connected
) -> None:
    """One whom its agency works with and whose family agreed to nothing, and one of others."""
    for system, child in (
        (connected.ours.id, connected.withheld),
        (connected.others.id, connected.child),
    ):
        web = Web(client, await give_token(tenant, system, f"token-{system}"))
        nobody = new_id()
        for way in WAYS:
            answers = [await web.ask("GET", way.format(id=one)) for one in (child, nobody)]
            told = [str(one).replace(str(child), str(nobody)) for one in answers]
            assert told[0] == told[1], way
        at_a_child = await looks(tenant, system, child)
        assert len(at_a_child) == len(WAYS)
        assert await looks(tenant, system, nobody) == at_a_child
        # Whose facts are read in the place of nobody's is looked at by nobody.
        async with tenant.transaction(JOB) as session:
            count = text("SELECT count(*) FROM access_event WHERE viewer_id = :system")
            all_looks = (await session.execute(count, {"system": system})).scalar_one()
        assert all_looks == 2 * len(WAYS)
