"""Children of a health agency with a plan each, its system, and a subscription of it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from interop.subscriptions import Asked, read
from panel.exchange.clients import NewClient, register_client
from panel.exchange.entering import Client
from panel.exchange.events import put_in_line
from panel.exchange.standing import client_by_id
from panel.exchange.subscriptions import SUBSCRIBABLE, make
from panel.exchange.telling_models import Delivery, Subscription
from panel.plans.models import Action, Plan
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.models import Child, FamilyLink, Involvement
from panel.sharing.models import SharingAgreement
from tests.exchange.conftest import jwks
from tests.exchange.signing import Pair, ec_pair
from tests.sharing.family import Family

BASE = "http://testshire.localhost/fhir/R4"
SECRET = "Authorization: Bearer told-only-to-them"


async def system_of(
    tenant: Tenant, agency: UUID, key: str, pair: Pair | None = None, scopes: str = "system/*.cruds"
) -> Client:
    """A registered system, as scheduled work takes it."""
    async with tenant.transaction(JOB) as session:
        keys = jwks(pair or ec_pair(f"{key}-1"))
        made = await register_client(session, NewClient(key, f"The {key}", agency, scopes, keys))
        client = await client_by_id(session, made.id)
        assert client is not None
        return client


def written(endpoint: str, criteria: str = "Task?", **more: object) -> dict[str, object]:
    """A Subscription as a client writes it."""
    channel = {"type": "rest-hook", "endpoint": endpoint, "payload": "application/fhir+json"}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "To keep our record up to date",
        "criteria": criteria,
        "channel": channel | {"header": [SECRET]},
        **more,
    }


def asked(endpoint: str, criteria: str = "Task?", *, kind: str = "rest-hook") -> Asked:
    """The same, read."""
    said = written(endpoint, criteria)
    if kind == "message":
        said["channel"] = {
            "type": kind, "endpoint": endpoint, "payload": "application/fhir+json",
        }  # fmt: skip
    found = read(msgspec.json.encode(said), SUBSCRIBABLE)
    assert isinstance(found, Asked), found
    return found


async def subscribed(
    tenant: Tenant, client: Client, endpoint: str, criteria: str = "Task?"
) -> UUID:
    """A subscription that was shaken hands on already."""
    async with tenant.transaction(client.viewer.id) as session:
        row = await make(session, client, asked(endpoint, criteria), is_demo=True)
        row.state = "active"
        return row.id


async def another_child(session: AsyncSession, family: Family, number: int) -> UUID:
    """Somebody else whom health works with."""
    child = Child(
        reference=f"C-2{number:03d}", given_name="Moss", family_name="Fern", sex="male",
        birth_date=date(2021, 5, 4),
    )  # fmt: skip
    await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
    session.add(child)
    await session.flush()
    session.add_all(
        [
            Involvement(child_id=child.id, agency_id=family.health, from_on=date(2026, 9, 1)),
            FamilyLink(
                child_id=child.id,
                family_member_id=family.mother,
                relationship="mother",
                parental_responsibility=True,
                basis="birth_mother",
            ),
        ]
    )
    await session.flush()
    await agree(session, child.id, family.mother, family.health)
    return child.id


async def agree(session: AsyncSession, child: UUID, person: UUID, agency: UUID) -> None:
    """A parent agrees that the agency's system reads what it may know."""
    session.add(
        SharingAgreement(
            child_id=child, given=True, by_person_id=person, capacity="parental_responsibility",
            by_words="Her mother", agencies=[agency], level="additional", purposes=["exchange"],
            from_on=date(2026, 11, 1), until_on=date(2027, 10, 31),
        )
    )  # fmt: skip
    await session.flush()
    await rewrite_access(session, child)


async def plan_of(session: AsyncSession, child: UUID, agency: UUID) -> UUID:
    """An agreed plan of the agency's."""
    plan = Plan(
        child_id=child, state="agreed", author_agency_id=agency, summary="To play",
        started_on=date(2026, 11, 1), agreed_on=date(2026, 11, 1),
    )  # fmt: skip
    session.add(plan)
    await session.flush()
    return plan.id


async def task_of(session: AsyncSession, child: UUID, plan: UUID, words: str = "Ring") -> UUID:
    """An action of a plan."""
    action = Action(child_id=child, plan_id=plan, text=words)
    session.add(action)
    await session.flush()
    return action.id


async def two_in_line(
    gate: Gate, tenant: Tenant, client: Client, family: Family, endpoint: str
) -> UUID:
    """Two actions of the family's child wait to be told to a subscription; their plan."""
    await subscribed(tenant, client, endpoint)
    async with tenant.transaction(JOB) as session:
        await agree(session, family.child, family.mother, family.health)
        plan = await plan_of(session, family.child, family.health)
        for _ in range(2):
            await task_of(session, family.child, plan)
    async with tenant.transaction(JOB) as session:
        await put_in_line(gate, session)
    return plan


@dataclass(frozen=True)
class State:
    """What became of a delivery."""

    id: UUID
    state: str
    tries: int
    number: int | None
    failure: str | None


async def states(tenant: Tenant) -> list[State]:
    """Every delivery, in order."""
    async with tenant.transaction(JOB) as session:
        rows = await session.scalars(select(Delivery).order_by(Delivery.id))
        return [State(row.id, row.state, row.tries, row.number, row.failure) for row in rows]


async def state_of(tenant: Tenant, subscription: UUID) -> str:
    async with tenant.transaction(JOB) as session:
        return (await session.get_one(Subscription, subscription)).state
