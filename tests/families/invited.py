"""Freya's mother, invited to sign in, and what stands in the letters and e-mails to her."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import httpx
import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose, Role, Viewer, ViewerKind
from panel.families.invitation_forms import InviteForm
from panel.families.inviting import foresee, invite, invitee_of
from panel.platform.tenancy import Tenant, load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.family_access import FamilyAccess
from panel.register.models import FamilyLink, FamilyMember
from panel.sharing.models import SharingRestriction
from tests.accounts.signing_in import fill
from tests.families.household import Family

EMAIL = "ada.kestrel@families.example"
BORN = "15 6 2022"
SITE = "https://panel.example"
SIGN_IN, CODE = "/family/sign-in", "/family/sign-in/code"


@dataclass
class Told:
    """A message that was put out."""

    kind: str
    address: str
    subject: str
    body: str
    sent: bool
    failure: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Invited:
    """Somebody with an invitation, and what stands in it."""

    tenant: Tenant
    person: UUID
    reference: str
    code: str

    async def told(self) -> list[Told]:
        """What was put out to them, the oldest first."""
        return await told_to(self.tenant, self.person)

    async def last_code(self) -> str:
        """The figures that came last."""
        bodies = [one.body for one in await self.told() if one.kind == "family_code"]
        return re.findall(r"\b\d{6}\b", bodies[-1])[0]

    async def row(self) -> FamilyAccess:
        """How their sign-in stands."""
        async with self.tenant.transaction(JOB) as session:
            found = await session.scalar(
                select(FamilyAccess).where(FamilyAccess.person_id == self.person)
            )
            assert found is not None
            return found

    async def sessions(self) -> int:
        """In how many browsers they are signed in."""
        async with self.tenant.transaction(JOB) as session:
            found = await session.execute(
                text("SELECT count(*) FROM web_session WHERE viewer_id = :id"), {"id": self.person}
            )
            counted: int = found.scalar_one()
            return counted


async def told_to(tenant: Tenant, person: UUID) -> list[Told]:
    """What was put out to somebody, the oldest first."""
    async with tenant.transaction(JOB) as session:
        rows = list(
            await session.scalars(
                select(OutboxMessage)
                .where(OutboxMessage.to_viewer_id == person)
                .order_by(OutboxMessage.id)
            )
        )
        await load_keys(session, {row.holder_id for row in rows})
        return [
            Told(
                row.kind,
                row.address,
                row.subject,
                row.body,
                row.sent_at is not None,
                row.failure or "",
                row.facts,
            )
            for row in rows
        ]


async def of_person(session: AsyncSession, child: UUID, person: UUID) -> UUID:
    """The tie of a person to a child."""
    found = await session.scalar(
        select(FamilyLink.id).where(
            FamilyLink.child_id == child, FamilyLink.family_member_id == person
        )
    )
    assert found is not None
    return found


async def link_of(tenant: Tenant, child: UUID, person: UUID) -> UUID:
    """The same, in a transaction of its own."""
    async with tenant.transaction(JOB) as session:
        return await of_person(session, child, person)


async def reach(tenant: Tenant, person: UUID, **contact: str) -> None:
    """How somebody is reached."""
    async with tenant.transaction(JOB) as session:
        await load_keys(session, {person})
        member = await session.get_one(FamilyMember, person)
        for name, said in contact.items():
            setattr(member, name, said)


async def protect(
    tenant: Tenant, child: UUID, *against: UUID, categories: tuple[str, ...] = ()
) -> None:
    """A protection from somebody: of everything, which seals the record, or of these."""
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingRestriction(
                child_id=child,
                kind="protection",
                categories=list(categories),
                against=list(against),
                from_on=tenant.clock.now().date(),
                silent=True,
            )
        )
        await rewrite_access(session, child)


def rosa_of(family: Family) -> Viewer:
    """The lead professional."""
    roles = frozenset({Role.PRACTITIONER})
    return Viewer(family.rosa, ViewerKind.WORKER, family.agency, "health", roles)


def form(**given: object) -> InviteForm:
    """An invitation by letter, asked by a date of birth."""
    said = {"way": "letter", "fact": "birth_date", "asked": True} | given
    return msgspec.convert(said, InviteForm)


async def invite_as(gate: Gate, viewer: Viewer, child: UUID, link: UUID, asked: InviteForm) -> None:
    """Invite somebody as a worker."""
    async with gate.open(child, viewer, Purpose.SUPPORT, "invited") as access:
        who = await invitee_of(access, link)
        await invite(access, who, await foresee(gate.tenant, access, who), asked, SITE)


async def written_by(tenant: Tenant, worker: UUID) -> None:
    """The family was written down by this worker: it is their agency's own record."""
    async with tenant.transaction(JOB) as session:
        for statement in (
            "UPDATE family_member SET created_by = :worker",
            "UPDATE family_link SET created_by = :worker",
            "UPDATE child SET created_by = :worker",
        ):
            await session.execute(text(statement), {"worker": worker})


async def invited(
    gate: Gate, family: Family, person: UUID, *, child: UUID | None = None, **given: object
) -> Invited:
    """Somebody of Freya's family with a new invitation."""
    about = child or family.child
    await written_by(gate.tenant, family.rosa)
    link = about if person == about else await link_of(gate.tenant, about, person)
    await invite_as(gate, rosa_of(family), about, link, form(**given))
    return await as_invited(gate.tenant, person)


async def as_invited(tenant: Tenant, person: UUID) -> Invited:
    """What stands in somebody's last invitation."""
    last = [one for one in await told_to(tenant, person) if "mark" in one.facts][-1]
    reference = re.findall(r"Type your reference: (\S+)", last.body)[0]
    code = re.findall(r"type this as well: (\S+)", last.body)[0]
    return Invited(tenant, person, reference, code)


async def ask(browser: httpx.AsyncClient, who: str) -> httpx.Response:
    """Ask for a code."""
    return await fill(browser, SIGN_IN, who=who)


async def use(
    browser: httpx.AsyncClient, code: str, fact: str = BORN, invitation: str = ""
) -> httpx.Response:
    """Type what is asked for."""
    return await fill(browser, CODE, code=code, fact=fact, invitation=invitation)


async def sign_in(browser: httpx.AsyncClient, one: Invited, *, first: bool = False) -> None:
    """Sign in by the reference."""
    assert (await ask(browser, one.reference)).status_code == 303
    answer = await use(browser, await one.last_code(), invitation=one.code if first else "")
    assert answer.status_code == 303, answer.text
