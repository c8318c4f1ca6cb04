"""An invented family and the workers around it, as tests of sharing and assessments need them."""

from dataclasses import dataclass
from datetime import date, time
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Capacity, Category, Level, Purpose, Role, Viewer, ViewerKind
from panel.accounts.models import Agency
from panel.accounts.service import add_agency, add_worker, give_role
from panel.panels.models import Panel, PanelAgency, Referral
from panel.plans.models import LeadProfessional
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.models import Child, FamilyLink, FamilyMember, Involvement
from panel.sharing.service import Recorded, SharingDecision, record_agreement

TODAY = date(2026, 11, 23)
EVERYTHING = frozenset({Purpose.SUPPORT, Purpose.PANEL, Purpose.REVIEW})


@dataclass(frozen=True, slots=True)
class Family:
    """A child, two parents, a grandmother; a health visitor, her colleague, a teacher."""

    child: UUID
    mother: UUID
    father: UUID
    grandmother: UUID
    health: UUID
    school: UUID
    rosa: Viewer
    nia: Viewer
    tom: Viewer


async def invented_family(tenant: Tenant, born: date = date(2022, 3, 9)) -> Family:
    """Write the family down: health and school work with the child; both parents may decide."""
    async with tenant.transaction(JOB) as session:
        health = await add_agency(session, key="hv", name="Health visiting", kind="health")
        school = await add_agency(session, key="school", name="Made-up School", kind="school")
        rosa = await _worker(session, health, "Rosa Whitlow")
        nia = await _worker(session, health, "Nia Okafor")
        tom = await _worker(session, school, "Tom Arden")
        child = Child(
            reference="C-1001",
            given_name="Freya",
            family_name="Kestrel",
            birth_date=born,
            sex="female",
        )
        await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
        session.add(child)
        await session.flush()
        mother = await _person(session, child, "Ada Kestrel", "mother", "birth_mother")
        father = await _person(
            session, child, "Ben Kestrel", "father", "father_by_registration", born
        )
        grandmother = await _person(session, child, "Cora Kestrel", "grandmother", None)
        for viewer in (rosa, nia, tom):
            session.add(
                Involvement(
                    child_id=child.id,
                    agency_id=viewer.agency,
                    worker_id=viewer.id,
                    from_on=date(2026, 9, 1),
                )
            )
        await rewrite_access(session, child.id)
        return Family(child.id, mother, father, grandmother, health.id, school.id, rosa, nia, tom)


def agreed(family: Family, **said: Any) -> SharingDecision:
    """The mother's yes to the school seeing basic and additional information, or what is said."""
    words: dict[str, Any] = {
        "by_person": family.mother,
        "capacity": Capacity.PARENTAL_RESPONSIBILITY,
        "given": True,
        "agreed_on": TODAY,
        "agencies": frozenset({family.school}),
        "level": Level.ADDITIONAL,
        "purposes": EVERYTHING,
        "until_on": date(2027, 11, 22),
        "how_explained": "We talked about it face to face",
    }
    return SharingDecision(**(words | said))


def refused(family: Family, **said: object) -> SharingDecision:
    """The mother's no to everybody and everything, or what is said."""
    nothing: dict[str, object] = {
        "given": False,
        "agencies": frozenset(),
        "level": None,
        "purposes": frozenset(),
        "until_on": None,
    }
    return agreed(family, **(nothing | said))


async def record(gate: Gate, family: Family, decision: SharingDecision) -> Recorded:
    """Rosa writes a decision down."""
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "asked the family") as access:
        return await record_agreement(access, decision)


async def sees(
    gate: Gate, family: Family, viewer: Viewer, category: Category = Category.HEALTH
) -> bool:
    """Whether somebody may see a category of the child now, to support them."""
    async with gate.open(family.child, viewer, Purpose.SUPPORT, "read the record") as access:
        return access.may(category)


async def hold_the_plan(tenant: Tenant, family: Family) -> None:
    """Rosa is the lead professional."""
    async with tenant.transaction(JOB) as session:
        session.add(
            LeadProfessional(
                child_id=family.child,
                worker_id=family.rosa.id,
                agency_id=family.health,
                state="accepted",
                offered_on=date(2026, 9, 1),
                offered_by=family.rosa.id,
                from_on=date(2026, 9, 1),
            )
        )
        await rewrite_access(session, family.child)


async def referred(tenant: Tenant, family: Family) -> Viewer:
    """The coordinator of a panel that the child is referred to; the school is a member of it."""
    async with tenant.transaction(JOB) as session:
        council = await add_agency(session, key="council", name="Testshire", kind="council")
        worker = await add_worker(session, council, name="Iris Vale", email="iris@demo.example")
        panel = Panel(
            key="contacts",
            name="CONTACTS",
            kind="contacts",
            first_on=date(2026, 9, 10),
            starts_at=time(9, 30),
        )
        session.add(panel)
        await session.flush()
        session.add(PanelAgency(panel_id=panel.id, agency_id=family.school))
        session.add(
            Referral(
                child_id=family.child,
                panel_id=panel.id,
                referred_on=TODAY,
                agency_id=family.health,
            )
        )
        await give_role(session, worker, Role.COORDINATOR, panel.id)
        await rewrite_access(session, family.child)
    roles = frozenset({Role.COORDINATOR})
    return Viewer(worker.id, ViewerKind.WORKER, council.id, "council", roles)


async def _worker(session: AsyncSession, agency: Agency, name: str) -> Viewer:
    email = f"{name.split(maxsplit=1)[0].lower()}@demo.example"
    worker = await add_worker(session, agency, name=name, email=email)
    await give_role(session, worker, Role.PRACTITIONER)
    roles = frozenset({Role.PRACTITIONER})
    return Viewer(worker.id, ViewerKind.WORKER, agency.id, agency.kind, roles)


async def _person(
    session: AsyncSession,
    child: Child,
    name: str,
    relationship: str,
    basis: str | None,
    from_on: date | None = None,
) -> UUID:
    person = FamilyMember(name=name)
    session.add(person)
    await session.flush()
    session.add(
        FamilyLink(
            child_id=child.id,
            family_member_id=person.id,
            relationship=relationship,
            parental_responsibility=basis is not None,
            basis=basis,
            from_on=from_on,
        )
    )
    return person.id
