"""A CONTACTS panel in term with its people, and children at every stage before it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.models import Worker
from panel.accounts.service import add_agency, add_worker, give_role
from panel.assessments.definitions import built_in_forms, encode_form
from panel.assessments.models import Assessment, Form
from panel.panels.calendar import add_panel, import_terms, join_panel
from panel.panels.models import Panel, Referral
from panel.plans.models import LeadProfessional, Plan
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate, rewrite_access
from panel.register.models import Child, Involvement
from panel.sharing.models import SharingAgreement

NEXT_MEETING = date(2026, 12, 3)
REFERRED = date(2026, 11, 6)
CALENDAR = Path(__file__).parent / "data" / "invented-school-2026-2027.ics"


@dataclass
class House:
    """One authority's panel and the people around it."""

    tenant: Tenant
    gate: Gate
    panel_id: UUID
    agencies: dict[str, UUID]
    viewers: dict[str, Viewer]
    form_id: UUID
    children: dict[str, UUID] = field(default_factory=dict)

    @asynccontextmanager
    async def as_(self, who: str) -> AsyncIterator[AsyncSession]:
        """A transaction of one of the people, or of the job."""
        viewer = JOB if who == "job" else self.viewers[who].id
        async with self.tenant.transaction(viewer) as session:
            yield session

    @asynccontextmanager
    async def opened(self, child: str, who: str) -> AsyncIterator[Access]:
        """A child's record as one of the people opens it."""
        purposes = (Purpose.PANEL, Purpose.SUPPORT)
        async with self.gate.open(
            self.children[child], self.viewers[who], purposes, "tried it"
        ) as access:
            yield access

    async def panel(self, session: AsyncSession) -> Panel:
        """The CONTACTS panel."""
        found = await session.get(Panel, self.panel_id)
        assert found is not None
        return found

    def name_of(self, child_id: UUID) -> str:
        """What the test calls a child."""
        return next(name for name, known in self.children.items() if known == child_id)


PEOPLE = {
    "coordinator": ("council", "Ada Quill", (Role.COORDINATOR,)),
    "chair": ("health", "Bo Marchetti", (Role.CHAIR,)),
    "member": ("education", "Cleo Nightingale", (Role.PANEL_MEMBER,)),
    "lead": ("health", "Rosa Whitlow", (Role.PRACTITIONER,)),
    "assessor": ("education", "Hana Oduya", (Role.PRACTITIONER,)),
    "administrator": ("council", "Ed Mint", (Role.ADMINISTRATOR,)),
}
AGENCIES = {
    "council": ("Wexcombe Council", "council"),
    "health": ("Health visiting", "health"),
    "education": ("Early years inclusion", "education"),
    "social-care": ("Children's social care", "social_care"),
}


@pytest.fixture
async def house(tenant: Tenant, gate: Gate) -> House:
    """A panel of fortnightly Thursdays from 10 September 2026, and nobody before it yet."""
    async with tenant.transaction(JOB) as session:
        agencies = {
            key: await add_agency(session, key=key, name=name, kind=kind)
            for key, (name, kind) in AGENCIES.items()
        }
        panel = await add_panel(
            session,
            key="contacts",
            kind="contacts",
            first_on=date(2026, 9, 10),
            place="Marlow Centre",
        )
        await import_terms(session, CALENDAR.read_bytes())
        for key in ("health", "education", "social-care"):
            await join_panel(session, panel, agencies[key].id)
        viewers: dict[str, Viewer] = {}
        for who, (key, name, roles) in PEOPLE.items():
            worker: Worker = await add_worker(
                session, agencies[key], name=name, email=f"{who}@demo.example"
            )
            for role in roles:
                of_panel = role not in (Role.PRACTITIONER, Role.ADMINISTRATOR)
                await give_role(session, worker, role, panel.id if of_panel else None)
            viewers[who] = Viewer(
                worker.id,
                ViewerKind.WORKER,
                agencies[key].id,
                agencies[key].kind,
                frozenset(roles),
            )
        caf = next(one for one in built_in_forms() if one.key == "caf")
        form = Form(
            key="caf", number=1, title="CAF", definition=msgspec.json.decode(encode_form(caf))
        )
        session.add(form)
        await session.flush()
        ids = {key: agency.id for key, agency in agencies.items()}
        return House(tenant, gate, panel.id, ids, viewers, form.id)


AddChild = Callable[..., Awaitable[UUID]]


@pytest.fixture
def add_child(house: House) -> AddChild:
    """Put a child before the panel: `await add_child("Amina", without=("plan",))`."""

    async def added(
        name: str,
        *,
        referred_on: date = REFERRED,
        without: tuple[str, ...] = (),
        siblings: UUID | None = None,
        referred: bool = True,
        last_discussed_on: date | None = None,
        next_review_by: date | None = None,
    ) -> UUID:
        async with house.tenant.transaction(JOB) as session:
            child = Child(
                reference=f"C-{1001 + len(house.children)}",
                given_name=name,
                family_name="Kestrel",
                birth_date=date(2022, 6, 15),
                sibling_group=siblings,
            )
            await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
            session.add(child)
            await session.flush()
            house.children[name] = child.id
            about = {"child_id": child.id}
            lead, assessor = house.viewers["lead"], house.viewers["assessor"]
            for viewer in (lead, assessor):
                session.add(
                    Involvement(
                        **about, agency_id=viewer.agency, worker_id=viewer.id, from_on=referred_on
                    )
                )
            session.add(
                Assessment(
                    **about,
                    form_id=house.form_id,
                    form_key="caf",
                    author_id=assessor.id,
                    author_agency_id=assessor.agency,
                    started_on=referred_on,
                    state="draft" if "assessment" in without else "signed_off",
                    signed_off_on=None if "assessment" in without else referred_on,
                )
            )
            if "plan" not in without:
                session.add(
                    Plan(
                        **about,
                        author_agency_id=lead.agency,
                        started_on=referred_on,
                        state="agreed",
                        agreed_on=referred_on,
                    )
                )
            if "lead" not in without:
                session.add(
                    LeadProfessional(
                        **about,
                        worker_id=lead.id,
                        agency_id=lead.agency,
                        state="accepted",
                        offered_on=referred_on,
                        offered_by=lead.id,
                        from_on=referred_on,
                    )
                )
            if "sharing" not in without:
                session.add(
                    SharingAgreement(
                        **about,
                        given=True,
                        by_person_id=child.id,
                        capacity="parental_responsibility",
                        by_words="her mother",
                        agencies=list(house.agencies.values()),
                        level="additional",
                        purposes=["panel", "support", "review"],
                        from_on=referred_on,
                    )
                )
            if referred:
                session.add(
                    Referral(
                        **about,
                        panel_id=house.panel_id,
                        referred_on=referred_on,
                        agency_id=lead.agency,
                        worker_id=lead.id,
                        last_discussed_on=last_discussed_on,
                        next_review_by=next_review_by,
                    )
                )
            await rewrite_access(session, child.id)
            return child.id

    return added
