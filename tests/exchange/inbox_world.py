"""A health body's system that sends things about the children of one house."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from interop.systems import IDENTIFIED_ON
from panel.exchange.inbox_notifications import CODE, SYSTEM
from panel.exchange.models import ExchangeClient, ExchangeToken
from panel.platform.ids import new_id
from panel.platform.sessions import token_hash
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access, rewrite_viewer
from panel.register.children import index_child
from panel.register.models import Child
from panel.sharing.models import SharingAgreement
from tests.panels.conftest import REFERRED, House

BASE = "/fhir/R4"
NUMBER = "9990548609"
"""Of a child of the health body's."""
OTHERS = "9990549370"
"""Of a child whom the health body has no part in."""
NOBODYS = "9990540020"
NHS = "https://fhir.nhs.uk/Id/nhs-number"
STATUS = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
CODES = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland"
Json = dict[str, Any]


def identifier(number: str, status: str = "01") -> Json:
    coded = {"coding": [{"system": CODES, "code": status}]}
    return {
        "extension": [{"url": STATUS, "valueCodeableConcept": coded}],
        "system": NHS,
        "value": number,
    }


def patient(number: str = NUMBER, status: str = "01", **more: Any) -> Json:
    named = {"family": "Kestrel", "given": ["Amina"], "use": "official"}
    return {
        "resourceType": "Patient",
        "identifier": [identifier(number, status)],
        "name": [named],
        "birthDate": "2022-06-15",
    } | more


def condition(subject: str, words: str = "Hearing loss", **more: Any) -> Json:
    return {
        "resourceType": "Condition",
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                    "code": "active",
                }
            ]
        },
        "code": {"text": words},
        "subject": {"reference": subject},
    } | more


def entry(resource: Json, **request: str) -> Json:
    asked = {"method": "POST", "url": resource["resourceType"]} | request
    return {"fullUrl": f"urn:uuid:{new_id()}", "resource": resource, "request": asked}


def bundle(kind: str, *entries: Json, **more: Any) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)} | more


def notification(subject: str, identified_on: str, opinion: str) -> Json:
    """Children and Families Act 2014 section 23."""
    coded = {"system": SYSTEM, "code": CODE}
    return {
        "resourceType": "ServiceRequest",
        "extension": [{"url": IDENTIFIED_ON, "valueDate": identified_on}],
        "status": "active",
        "intent": "proposal",
        "code": {"coding": [coded]},
        "subject": {"reference": subject},
        "reasonCode": [{"text": opinion}],
    }


@dataclass
class System:
    """The health body's system, at the door with a token."""

    house: House
    id: UUID
    http: AsyncTestClient[Litestar]
    token: str = "a-token-of-the-health-body"
    headers: dict[str, str] = field(default_factory=dict)

    async def send(
        self, method: str, path: str, body: Json | bytes | None = None, **headers: str
    ) -> Any:
        content = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        return await self.http.request(
            method,
            f"{BASE}{path}",
            content=content,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/fhir+json",
            }
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        [(count,)] = await self.rows(f"SELECT count(*) FROM {table}")
        return int(count)

    async def rows(self, query: str, **given: Any) -> list[Any]:
        """What is kept, as scheduled work sees it."""
        async with self.house.as_("job") as session:
            return [tuple(one) for one in await session.execute(text(query), given)]


async def health_system(house: House, http: AsyncTestClient[Litestar]) -> System:
    """A client of the health body with a token that lasts."""
    now = house.tenant.clock.now()
    async with house.as_("job") as session:
        row = ExchangeClient(
            key="hospital", name="The hospital's record system", agency_id=house.agencies["health"],
            scopes=["system/*.cruds"], purposes=["exchange"], jwks={"keys": []},
            from_on=REFERRED,
        )  # fmt: skip
        session.add(row)
        await session.flush()
        system = System(house, row.id, http)
        session.add(
            ExchangeToken(
                id=token_hash(system.token), client_id=row.id, scopes=["system/*.cruds"],
                made_at=now, ends_at=now + timedelta(days=30),
            )
        )  # fmt: skip
        await rewrite_viewer(session, row.id)
    return system


async def give_number(house: House, child: UUID, number: str) -> None:
    """Write a child's NHS number down."""
    async with house.tenant.transaction(JOB) as session:
        row = await session.get_one(Child, child)
        row.nhs_number = number
        await session.flush()
        await index_child(session, row)


async def agree(house: House, agency: str, child: str = "Amina") -> None:
    """The family agrees that an agency's system is told: who the child is, too."""
    async with house.as_("job") as session:
        about = house.children[child]
        session.add(
            SharingAgreement(
                child_id=about, given=True, by_person_id=about, capacity="parental_responsibility",
                by_words="Their mother", agencies=[house.agencies[agency]], level="additional",
                purposes=["exchange"], from_on=REFERRED,
            )
        )  # fmt: skip
        await rewrite_access(session, about)
