"""A registered system of one agency that wants to know more of a child than is permitted it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from consent import Category, Purpose
from interop.systems import NHS_NUMBER
from panel.allocation.models import ServiceRequest
from panel.exchange.history import keep_versions
from panel.panels.models import Meeting, Panel
from panel.panels.note_models import FamilyNote
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.children import index_child
from panel.register.models import Child, FamilyLink, FamilyMember, Involvement
from panel.sharing.models import FormerIdentity, SharingRestriction
from tests.exchange.conftest import Systems
from tests.exchange.web import Said, Web, give_token, resources
from tests.sharing.family import TODAY, Family, agreed, record, referred

pytestmark = pytest.mark.database
SYSTEMS = frozenset({Purpose.EXCHANGE})
STEP = timedelta(seconds=2)
LONG_AGO = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass
class Break:
    """The school's system, and what it is let into."""

    web: Web
    gate: Gate
    tenant: Tenant
    family: Family
    clock: FixedClock
    since: str

    async def agree(self, *named: Category) -> None:
        """A mother agrees to exactly these categories for it."""
        decision = agreed(self.family, level=None, named=frozenset(named), purposes=SYSTEMS)
        await record(self.gate, self.family, decision)

    async def agree_to_all(self) -> None:
        await record(self.gate, self.family, agreed(self.family, purposes=SYSTEMS))

    async def keep(self) -> None:
        """Time goes by, and how everything stands is kept."""
        self.clock.set(self.clock.now() + STEP)
        async with self.tenant.transaction(JOB) as session:
            await keep_versions(session, self.clock.now())
        self.clock.set(self.clock.now() + STEP)

    async def restrict(self, *categories: Category, **said: object) -> None:
        """Something of the child is protected from the school."""
        async with self.tenant.transaction(JOB) as session:
            session.add(
                SharingRestriction(
                    child_id=self.family.child, kind="protection", against=[self.family.school],
                    categories=[one.value for one in categories], from_on=TODAY, **said,
                )
            )  # fmt: skip
            await session.flush()
            await rewrite_access(session, self.family.child)

    async def change(self, **details: str | None) -> None:
        async with self.tenant.transaction(JOB) as session:
            child = await session.get_one(Child, self.family.child)
            for name, value in details.items():
                setattr(child, name, value)
            await session.flush()
            await index_child(session, child)

    async def past(self, name: str) -> list[Said]:
        """Every version that is told, and that each can be read by itself."""
        status, said = await self.web.ask("GET", f"/{name}/_history")
        if status == 404:
            return []
        told = resources(said)
        for one in told:
            found = await self.web.ask("GET", f"/{name}/_history/{one['meta']['versionId']}")
            assert found[0] == 200
        return told

    async def told(self, name: str) -> tuple[object, ...]:
        """All by which a change of a resource can be seen."""
        kind = name.partition("/")[0]
        answer = await self.web.answer("GET", f"/{name}")
        assert answer.status_code == 200
        newest = await self.web.search(f"/{kind}", _sort="-_lastUpdated")
        since = await self.web.search(f"/{kind}", _lastUpdated=f"gt{self.since}")
        return (
            answer.json(), answer.headers["etag"], answer.headers["last-modified"],
            [one["id"] for one in resources(newest)], since["total"], await self.past(name),
        )  # fmt: skip


@pytest.fixture
async def broken(
    client: AsyncTestClient[Litestar], tenant: Tenant, systems: Systems, family: Family,
    gate: Gate, clock: FixedClock,
) -> Break:  # fmt: skip
    web = Web(client, await give_token(tenant, systems.school_id, "a-token"))
    now = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return Break(web, gate, tenant, family, clock, now)


async def test_who_a_child_was_before_an_adoption_is_in_no_history(broken: Break) -> None:
    await broken.agree_to_all()
    await broken.change(nhs_number="9990000379")
    await broken.keep()
    await broken.change(known_as="Fay")
    await broken.keep()
    assert len(await broken.past(f"Patient/{broken.family.child}")) == 2
    async with broken.tenant.transaction(JOB) as session:
        session.add(
            FormerIdentity(
                child_id=broken.family.child, given_name="Freya", family_name="Kestrel",
                nhs_number="9990000379", open_to=[broken.family.health], reason="Adopted",
            )
        )  # fmt: skip
    await broken.change(given_name="Wren", family_name="Alder", known_as="", nhs_number="")
    for _ in range(2):
        told = await broken.past(f"Patient/{broken.family.child}")
        assert [one["name"][0]["family"] for one in told] == ["Alder"]
        assert "9990000379" not in str(told)
        await broken.keep()
    await broken.change(known_as="Wrennie")
    told = await broken.past(f"Patient/{broken.family.child}")
    assert [one["name"][0]["family"] for one in told] == ["Alder", "Alder"]


async def test_what_a_recalled_note_said_is_in_no_history(broken: Break) -> None:
    await broken.agree_to_all()
    await referred(broken.tenant, broken.family)
    async with broken.tenant.transaction(JOB) as session:
        panel = await session.scalar(select(Panel.id))
        meeting = Meeting(panel_id=panel, slot_on=TODAY, held_on=TODAY, state="held")
        session.add(meeting)
        await session.flush()
        note = FamilyNote(
            child_id=broken.family.child, meeting_id=meeting.id, state="signed_off",
            author_agency_id=broken.family.health, categories=[], text="About the other child",
            signed_off_at=LONG_AGO, due_on=TODAY,
        )  # fmt: skip
        session.add(note)
    await broken.keep()
    name = f"DocumentReference/{note.id}"
    (told,) = await broken.past(name)
    assert told["content"][0]["attachment"]["data"]
    async with broken.tenant.transaction(JOB) as session:
        (await session.get_one(FamilyNote, note.id)).state = "recalled"
    for _ in range(2):
        said = await broken.past(name)
        assert said
        assert all("data" not in one["content"][0]["attachment"] for one in said)
        await broken.keep()


async def test_what_is_withheld_now_has_no_past(broken: Break) -> None:
    """Though it was of a category that is not withheld."""
    await broken.agree(Category.IDENTITY, Category.HEALTH)
    async with broken.tenant.transaction(JOB) as session:
        asked = ServiceRequest(
            child_id=broken.family.child, reference="R-1", state="sent", sent_on=TODAY,
            agency_id=broken.family.health, category="health", asked_for="Therapy",
        )  # fmt: skip
        session.add(asked)
    await broken.keep()
    assert await broken.past(f"ServiceRequest/{asked.id}")
    async with broken.tenant.transaction(JOB) as session:
        (await session.get_one(ServiceRequest, asked.id)).category = "safeguarding"
    assert not await broken.past(f"ServiceRequest/{asked.id}")


async def test_that_a_parent_moved_is_not_told_by_a_date(broken: Break) -> None:
    """An address is protected: neither lastUpdated, a search by it, its order, nor a history."""
    await broken.agree(Category.IDENTITY, Category.FAMILY)
    async with broken.tenant.transaction(JOB) as session:
        link = await session.scalar(
            select(FamilyLink.id).where(FamilyLink.family_member_id == broken.family.mother)
        )
    await broken.keep()
    name = f"RelatedPerson/{link}"
    before = await broken.told(name)
    broken.clock.set(broken.clock.now() + STEP)
    async with broken.tenant.transaction(JOB) as session:
        mother = await session.get_one(FamilyMember, broken.family.mother)
        mother.address, mother.phone = "A refuge", "01632 960009"
    assert await broken.told(name) == before
    await broken.keep()
    assert await broken.told(name) == before


async def test_that_another_agency_joined_is_not_told_by_a_date(broken: Break) -> None:
    """Where an agency's system knows of its own part alone."""
    before = await broken.told(f"CareTeam/{broken.family.child}")
    broken.clock.set(broken.clock.now() + STEP)
    async with broken.tenant.transaction(JOB) as session:
        session.add(
            Involvement(
                child_id=broken.family.child, agency_id=broken.family.health, from_on=TODAY,
                part="Bereavement",
            )
        )  # fmt: skip
    assert await broken.told(f"CareTeam/{broken.family.child}") == before
    await broken.keep()
    assert await broken.told(f"CareTeam/{broken.family.child}") == before


async def test_looks_tell_nothing_of_what_there_is(broken: Break) -> None:
    """A read of what is withheld leaves the same trace as one of what is not there."""
    await broken.agree(Category.IDENTITY, Category.FAMILY)
    await broken.restrict(Category.FAMILY, Category.HEALTH, silent=True)
    child = broken.family.child
    looks = []
    for details in ({"interpreter": "Polish", "primary_need": "asd"}, {}):
        await broken.change(**({"interpreter": None, "primary_need": None} | details))
        before = await broken.web.search("/AuditEvent", patient=str(child))
        for kind in ("Flag", "Condition"):
            for path in (f"/{kind}/{child}", f"/{kind}/{child}/_history"):
                assert (await broken.web.ask("GET", path))[0] == 404
        after = await broken.web.search("/AuditEvent", patient=str(child))
        looks.append(after["total"] - before["total"])
    assert looks[0] == looks[1]


async def test_looks_of_colleagues_do_not_tell_what_the_record_holds(broken: Break) -> None:
    """Who may know who the child is does not learn so that there is a request or a panel."""
    await broken.agree(Category.IDENTITY)
    family = broken.family
    assert (await broken.web.ask("GET", f"/Patient/{family.child}"))[0] == 200
    for purpose in (Purpose.SUPPORT, Purpose.REVIEW, Purpose.GOVERNANCE, Purpose.PANEL):
        async with broken.gate.open_many(
            [family.child], family.tom, purpose, "read a request for service"
        ):
            pass
    found = await broken.web.search("/AuditEvent", patient=str(family.child))
    looks = resources(found)
    assert {one["agent"][0]["role"][0]["coding"][0]["code"] for one in looks} >= {"worker"}
    assert "for service" not in str(looks)
    told = {one["purposeOfEvent"][0]["coding"][0]["code"] for one in looks}
    assert told == {"support", "review", "exchange"}


async def test_a_chain_needs_the_scope_of_what_it_goes_through(
    broken: Break, systems: Systems
) -> None:
    await broken.agree_to_all()
    await broken.change(nhs_number="9990000379")
    narrow = Web(
        broken.web.client,
        await give_token(broken.tenant, systems.school_id, "narrow", ("system/Task.rs",)),
    )
    asked = {"patient.identifier": f"{NHS_NUMBER}|9990000379"}
    assert (await narrow.ask("GET", "/Task", params=asked))[0] == 403
    asked = {"subject:Patient.identifier": f"{NHS_NUMBER}|9990000379"}
    assert (await narrow.ask("GET", "/Task", params=asked))[0] == 403
    assert (await narrow.ask("GET", "/Task"))[0] == 200


async def test_nothing_in_silence_is_said_by_a_label(broken: Break) -> None:
    await broken.agree_to_all()
    await broken.change(address="1 Teasel Close", primary_need="asd", interpreter="Polish")
    await broken.restrict(Category.CONTACT, Category.HEALTH, silent=True)
    status, whole = await broken.web.ask("GET", f"/Patient/{broken.family.child}/$everything")
    assert status == 200
    assert not [one for one in resources(whole) if one["resourceType"] == "Condition"]
    labels = {
        label["code"] for one in resources(whole) for label in one["meta"].get("security", ())
    }
    assert labels == {"N"}
    assert "Teasel" not in str(whole)


async def test_a_search_that_asks_for_very_much_is_answered_soon(broken: Break) -> None:
    await broken.agree_to_all()
    many = ",".join(f"{NHS_NUMBER}|{number}" for number in range(200))
    few = ",".join("a" for _ in range(200))
    started = datetime.now(UTC)
    for path, asked in (
        ("/Task/_search", "&".join(f"patient.identifier={few}" for _ in range(4))),
        ("/Patient/_search", "&".join(f"identifier={few}" for _ in range(60))),
        (
            "/Patient/_search",
            "&".join(f"birthdate={few.replace('a', 'ne2021')}" for _ in range(30)),
        ),
        ("/Patient/_search", f"identifier={many}"),
    ):
        status, _ = await broken.web.ask(
            "POST", path, content=asked,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        assert status == 200, asked[:20]
    chains = "&".join("patient.identifier=a" for _ in range(5))
    status, said = await broken.web.ask("GET", f"/Task?{chains}")
    assert (status, said["issue"][0]["code"]) == (400, "too-costly")
    assert (datetime.now(UTC) - started).total_seconds() < 5


STRANGE = (
    ("OPTIONS", "/Patient/{child}"), ("TRACE", "/Patient/{child}"),
    ("GET", "/Patient/{child};x=1"), ("GET", "/Patient/%2e%2e%2fPatient%2f{child}"),
    ("GET", "/Patient/{child}%00"), ("GET", "/Patient/{child}/"), ("GET", "/patient/{child}"),
    ("GET", "/Patient/{child}/_history/"), ("GET", "/Patient/{child}/_history/%00"),
    ("GET", "/Patient/{child}%2F$everything"), ("GET", "/Patient/{child}/$EVERYTHING"),
    ("GET", "/Patient?_format=xml"), ("GET", "/Patient?family=%00"), ("GET", "/Patient?birthdate=9999"),
    ("GET", "/Patient?birthdate=infinity"), ("GET", "/Patient?birthdate=2021-02-31"),
    ("GET", "/Patient?_lastUpdated=2026-11-23T24:61:61Z"), ("GET", "/Patient?family=%25"),
    ("GET", "/Patient?family=_"), ("GET", "/Patient?family=%F0%9D%95%82"), ("GET", "/Patient?_id=*"),
    ("GET", "/Patient?name=" + "(a%2B)%2B" * 400 + "!"), ("GET", "/Patient?_cursor=AAAA"),
    ("GET", "/Patient?_has:Task:patient:status=requested"), ("GET", "/Patient?_filter=a"),
    ("GET", "/Patient?_revinclude=Flag:patient&_revinclude:iterate=Flag:patient"),
)  # fmt: skip


async def test_a_strange_address_tells_nothing(broken: Break) -> None:
    """A child of whom nothing was agreed is not there, however one asks."""
    outsider = Web(broken.web.client, "nobody's")
    for method, path in STRANGE:
        asked = path.format(child=broken.family.child)
        for web in (broken.web, outsider):
            answer = await web.answer(method, asked)
            assert "Kestrel" not in answer.text, asked
            assert not resources(answer.json() if answer.text.startswith("{") else {}), asked
    status, _ = await broken.web.ask(
        "POST", "/Patient/_search?family=kestrel", content='{"family": "kestrel"}',
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert status == 415
    held = {"Authorization": f"Bearer {broken.web.token}"}
    head = await broken.web.client.head("/fhir/R4/Patient", headers=held)
    assert (head.status_code, head.content) == (405, b"")
