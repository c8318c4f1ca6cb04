"""A school beside Freya's health visitor, what was agreed with it, and pages that choose."""

import html
import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select, update

from consent import Capacity, Category, Level, Purpose, Role, Viewer, ViewerKind
from panel.accounts.service import add_agency, add_worker, give_role
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.models import FamilyLink, Involvement
from panel.sharing.gateways import ensure_gateways
from panel.sharing.models import SharingAgreement, SharingRestriction
from panel.sharing.service import Recorded, SharingDecision, record_agreement
from tests.families.household import Client, Family

TODAY = date(2026, 11, 23)
ENDS = date(2027, 5, 3)


@dataclass
class School:
    """Ashdown School, where Tom Arden works with Freya."""

    id: UUID
    tom: Viewer


async def with_school(tenant: Tenant, family: Family) -> School:
    """The school joins; her father's standing is recorded with its day."""
    async with tenant.transaction(JOB) as session:
        await ensure_gateways(session)
        school = await add_agency(session, key="ashdown", name="Ashdown School", kind="school")
        tom = await add_worker(
            session, school, name="Tom Arden", email="tom@demo.example", job_title="Teacher"
        )
        await give_role(session, tom, Role.PRACTITIONER)
        session.add(
            Involvement(child_id=family.child, agency_id=school.id, worker_id=tom.id, from_on=TODAY)
        )
        await session.execute(
            update(FamilyLink)
            .where(FamilyLink.family_member_id == family.father)
            .values(from_on=date(2022, 6, 20))
        )
        await rewrite_access(session, family.child)
    roles = frozenset({Role.PRACTITIONER})
    return School(school.id, Viewer(tom.id, ViewerKind.WORKER, school.id, "school", roles))


def agreed(by: UUID, agencies: set[UUID], **said: Any) -> SharingDecision:
    """A parent's yes to these agencies seeing the basics, or what is said."""
    usual: dict[str, Any] = {
        "by_person": by,
        "capacity": Capacity.PARENTAL_RESPONSIBILITY,
        "given": True,
        "agreed_on": TODAY,
        "agencies": frozenset(agencies),
        "level": Level.BASIC,
        "purposes": frozenset({Purpose.SUPPORT, Purpose.PANEL, Purpose.REVIEW}),
        "until_on": ENDS,
        "how_explained": "At the kitchen table",
    }
    return SharingDecision(**(usual | said))


async def write_down(gate: Gate, family: Family, decision: SharingDecision) -> Recorded:
    """Rosa writes a decision down."""
    rosa = Viewer(
        family.rosa, ViewerKind.WORKER, family.agency, "health", frozenset({Role.PRACTITIONER})
    )
    async with gate.open(family.child, rosa, Purpose.SUPPORT, "asked the family") as access:
        return await record_agreement(access, decision)


async def may_see(gate: Gate, family: Family, viewer: Viewer, category: Category) -> bool:
    """Whether a worker may see a category of Freya's record now."""
    async with gate.open(family.child, viewer, Purpose.SUPPORT, "read the record") as access:
        return access.may(category)


async def protect_from(
    tenant: Tenant, family: Family, what: str, whom: set[UUID], *, silent: bool
) -> None:
    """A category of Freya's record is kept from these, to protect somebody."""
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingRestriction(
                child_id=family.child,
                kind="protection",
                categories=[what],
                against=sorted(whom),
                from_on=TODAY,
                silent=silent,
                reason="A threat was made",
            )
        )
        await rewrite_access(session, family.child)


async def standing(tenant: Tenant, family: Family) -> list[SharingAgreement]:
    """Every agreement and refusal that was not withdrawn."""
    async with tenant.transaction(JOB) as session:
        rows = await session.scalars(
            select(SharingAgreement)
            .where(
                SharingAgreement.child_id == family.child,
                SharingAgreement.withdrawn_at.is_(None),
            )
            .order_by(SharingAgreement.id)
        )
        return list(rows)


async def evidence_of(tenant: Tenant, row: SharingAgreement) -> str:
    """How it is known that somebody said so; sealed, so it is read in a transaction."""
    async with tenant.transaction(JOB) as session:
        await load_keys(session, {row.child_id})
        return (await session.get_one(SharingAgreement, row.id)).evidence


def hidden_fields(page: str, action: str) -> dict[str, str]:
    """What the form with an address carries unseen."""
    form = page[page.index(f'action="{action}"') :]
    form = form[: form.index("</form>")]
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found}


def path_of(family: Family, agency: UUID) -> str:
    """Where choices about an agency are made."""
    return f"/family/{family.child}/choices/{agency}"


async def rehearse(client: Client, family: Family, agency: UUID, change: str) -> httpx.Response:
    """The page that says what a choice would change."""
    return await client.get(path_of(family, agency), params={"change": change})


async def choose(
    client: Client, family: Family, agency: UUID, change: str, **more: str
) -> httpx.Response:
    """Read what a choice would change, and confirm it."""
    shown = await rehearse(client, family, agency, change)
    assert shown.status_code == 200, shown.text
    path = path_of(family, agency)
    data = hidden_fields(shown.text, path) | more
    return await client.post(path, data=data, follow_redirects=False)
