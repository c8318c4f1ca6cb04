"""An invented family, an information governance lead and a Caldicott guardian beside it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer, ViewerKind
from panel.accounts.service import add_agency, add_worker, give_role
from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.service import NewChild, add_child
from tests.sharing.family import Family, invented_family

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Offices:
    """Who answers for how records are used; the lead's office is an agency of its own."""

    office: UUID
    lead: Viewer
    second_lead: Viewer
    guardian: Viewer


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)


@pytest.fixture
async def offices(tenant: Tenant, family: Family) -> Offices:
    async with tenant.transaction(JOB) as session:
        office = await add_agency(session, key="office", name="Testshire Council", kind="council")

        async def worker(name: str, role: Role) -> Viewer:
            email = f"{name.split(maxsplit=1)[0].lower()}@office.example"
            made = await add_worker(session, office, name=name, email=email)
            await give_role(session, made, role)
            return Viewer(made.id, ViewerKind.WORKER, office.id, "council", frozenset({role}))

        return Offices(
            office.id,
            await worker("Ngozi Hart", Role.GOVERNANCE_LEAD),
            await worker("Piers Dunmow", Role.GOVERNANCE_LEAD),
            await worker("Viv Saltmarsh", Role.CALDICOTT_GUARDIAN),
        )


class Looks:
    """Writes looks down as the owner, at the moments that a test needs."""

    def __init__(self, cluster: Cluster, schema: str) -> None:
        assert cluster.owner_url is not None
        self._url, self._schema = cluster.owner_url, schema

    def at(
        self,
        viewer: Viewer,
        child: UUID,
        moment: datetime,
        decisions: dict[str, str] | None = None,
        purpose: str = "support",
    ) -> None:
        self.many([(viewer, child, moment, decisions or {"identity": "agreement"}, purpose)])

    def many(self, looks: list[tuple[Viewer, UUID, datetime, dict[str, str], str]]) -> None:
        with psycopg.connect(self._url) as owner:
            owner.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(self._schema)))
            owner.cursor().executemany(
                "INSERT INTO access_event VALUES (%s, %s, %s, %s, %s, %s, %s, 'read', %s)",
                [
                    (
                        new_id(), child, moment, viewer.id, viewer.kind.value, viewer.agency,
                        purpose, msgspec.json.encode(decisions).decode(),
                    )
                    for viewer, child, moment, decisions, purpose in looks
                ],
            )  # fmt: skip

    def ask(self, query: str, *given: Any) -> Any:
        with psycopg.connect(self._url) as owner:
            owner.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(self._schema)))
            return owner.execute(query.encode(), given).fetchall()


@pytest.fixture
def looks(database_of_own: Cluster, tenant: Tenant) -> Looks:
    return Looks(database_of_own, tenant.record.schema_name)


def minutes(start: datetime, count: int, apart: float = 1) -> list[datetime]:
    """So many moments, so many minutes apart."""
    return [start + timedelta(minutes=apart * n) for n in range(count)]


async def children_named(session: AsyncSession, *names: str, agency: UUID) -> list[UUID]:
    """Invented children, by given and family name."""

    # The family's child has the first reference.
    await session.execute(text("SELECT nextval('child_reference')"))
    made = []
    for name in names:
        given, _, surname = name.partition(" ")
        child = await add_child(
            session,
            NewChild(given, surname, date(2021, 5, 4)),
            agency_id=agency,
            from_on=date(2026, 9, 1),
        )
        made.append(child.id)
    return made
