"""Freya before a CONTACTS panel; her parents, her grandmother, and who helps her."""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import httpx
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role
from panel.accounts.service import add_agency, add_worker, give_role
from panel.panels.calendar import add_panel, import_terms
from panel.panels.models import Referral
from panel.plans.models import Action, DesiredOutcome, LeadProfessional, OutcomeProgress, Plan
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access
from panel.register.models import Child, FamilyLink, FamilyMember, Involvement

Client = AsyncTestClient[Litestar]

REFERRED = date(2026, 11, 2)
NEXT_MEETING = date(2026, 12, 3)
PAPERS_CLOSE = date(2026, 11, 26)
MEETING_AFTER = date(2026, 12, 17)

WAITS = "This part of the plan may be about somebody else."
ROSA_CHECKS = f"{WAITS} Rosa Whitlow checks the words before you can read it."
NAMED = "Ask Zephyrin to the sand pit"

TERMS = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//invented//terms//EN\r
BEGIN:VEVENT\r
UID:1@demo.example\r
DTSTAMP:20260901T000000Z\r
SUMMARY:Autumn term\r
DTSTART;VALUE=DATE:20260902\r
DTEND;VALUE=DATE:20261219\r
END:VEVENT\r
END:VCALENDAR\r
"""


@dataclass
class Family:
    """One child and the people around her."""

    child: UUID
    panel: UUID
    mother: UUID
    father: UUID
    grandmother: UUID
    rosa: UUID
    """Lead professional, a health visitor."""
    coordinator: UUID
    commissioner: UUID
    agency: UUID


async def household(tenant: Tenant) -> Family:
    """Freya, referred to the panel that next meets on Thursday 3 December 2026."""
    async with tenant.transaction(JOB) as session:
        agency = await add_agency(session, key="hv", name="Health visiting", kind="health")
        panel = await add_panel(
            session, key="contacts", kind="contacts", first_on=date(2026, 9, 10), place="Marlow"
        )
        await import_terms(session, TERMS)
        rosa = await add_worker(
            session,
            agency,
            name="Rosa Whitlow",
            email="rosa@demo.example",
            job_title="Health visitor",
        )
        rosa.phone = "01632 960 001"
        coordinator = await add_worker(session, agency, name="Ada Quill", email="ada@demo.example")
        commissioner = await add_worker(session, agency, name="Ed Mint", email="ed@demo.example")
        await give_role(session, rosa, Role.PRACTITIONER)
        await give_role(session, coordinator, Role.COORDINATOR, panel.id)
        await give_role(session, commissioner, Role.COMMISSIONER)
        child = await new_child(session, "C-1001", "Freya", date(2022, 6, 15))
        mother = await person_of(session, child, "Ada Kestrel", "mother", "birth_mother")
        father = await person_of(session, child, "Ben Kestrel", "father", "father_by_registration")
        grandmother = await person_of(session, child, "Cora Kestrel", "grandmother", None)
        session.add_all(
            [
                Involvement(
                    child_id=child, agency_id=agency.id, worker_id=rosa.id, from_on=REFERRED
                ),
                LeadProfessional(
                    child_id=child,
                    worker_id=rosa.id,
                    agency_id=agency.id,
                    state="accepted",
                    offered_on=REFERRED,
                    offered_by=rosa.id,
                    from_on=REFERRED,
                ),
                Referral(
                    child_id=child,
                    panel_id=panel.id,
                    referred_on=REFERRED,
                    agency_id=agency.id,
                    worker_id=rosa.id,
                ),
            ]
        )
        await rewrite_access(session, child)
        return Family(
            child,
            panel.id,
            mother,
            father,
            grandmother,
            rosa.id,
            coordinator.id,
            commissioner.id,
            agency.id,
        )


async def new_child(session: AsyncSession, reference: str, name: str, born: date) -> UUID:
    """A child's row alone."""
    child = Child(reference=reference, given_name=name, family_name="Kestrel", birth_date=born)
    await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
    session.add(child)
    await session.flush()
    return child.id


async def person_of(
    session: AsyncSession, child: UUID, name: str, relationship: str, basis: str | None
) -> UUID:
    """Somebody of a child's family; with parental responsibility where there is a basis."""
    member = FamilyMember(name=name)
    session.add(member)
    await session.flush()
    await tie(session, child, member.id, relationship, basis)
    return member.id


async def tie(
    session: AsyncSession,
    child: UUID,
    member: UUID,
    relationship: str = "mother",
    basis: str | None = "birth_mother",
) -> None:
    """Tie a known person to a child."""
    session.add(
        FamilyLink(
            child_id=child,
            family_member_id=member,
            relationship=relationship,
            parental_responsibility=basis is not None,
            basis=basis,
        )
    )
    await session.flush()


async def give_plan(tenant: Tenant, family: Family, state: str = "agreed") -> None:
    """A plan with two outcomes, one nearly there, and three actions."""
    async with tenant.transaction(JOB) as session:
        about = {"child_id": family.child}
        plan = Plan(
            **about,
            author_agency_id=family.agency,
            started_on=REFERRED,
            state=state,
            agreed_on=REFERRED if state == "agreed" else None,
        )
        session.add(plan)
        await session.flush()
        dresses = DesiredOutcome(
            **about, plan_id=plan.id, position=1, text="She dresses herself", baseline=2, target=5
        )
        friends = DesiredOutcome(
            **about, plan_id=plan.id, position=2, text="She has two friends", state="reached"
        )
        session.add_all([dresses, friends])
        await session.flush()
        session.add_all(
            [
                OutcomeProgress(**about, outcome_id=dresses.id, on=date(2026, 11, 20), value=4),
                Action(
                    **about,
                    plan_id=plan.id,
                    text="Visit the nursery",
                    owner_worker_id=family.rosa,
                    due_on=date(2026, 12, 15),
                ),
                Action(
                    **about,
                    plan_id=plan.id,
                    text="Keep a sleep diary",
                    owner_words="Mum",
                    due_on=date(2026, 11, 20),
                ),
                Action(
                    **about,
                    plan_id=plan.id,
                    text="Order the chair",
                    state="done",
                    done_on=date(2026, 11, 9),
                ),
            ]
        )


async def say(tenant: Tenant, family: Family, said: str, was: str = "Visit the nursery") -> None:
    """Rosa's plan says this where it said something else."""
    async with tenant.transaction(family.rosa) as session:
        await load_keys(session, {family.child})
        for row in await session.scalars(select(Action)):
            if row.text == was:
                row.text = said


def words(page: str) -> str:
    """What a page's main part says, without its markup."""
    main = page[page.index("<main") :]
    plain = re.sub(r"<[^>]+>", " ", main).replace("&#39;", "'").replace("&#34;", '"')
    return " ".join(plain.split())


async def tell(client: Client, child: UUID, said: str, **more: str) -> httpx.Response:
    """Open the page that tells the panel something, and send it."""
    path = f"/family/{child}/tell"
    shown = await client.get(path)
    assert shown.status_code == 200, shown.text
    form = shown.text[shown.text.index(f'action="{path}"') :]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    return await client.post(path, data=hidden | {"said": said} | more, follow_redirects=False)
