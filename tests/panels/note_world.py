"""A meeting that was held: Amina was talked about, and her family is to be told."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose, Viewer, ViewerKind
from panel.accounts.models import Worker
from panel.panels.models import AgendaItem, Discussion, Meeting
from panel.panels.note_context import gather
from panel.panels.note_models import NoteDelivery
from panel.panels.note_rules import Way
from panel.panels.notes import NoteOf, Sending, note_of, save_note, sign_off
from panel.platform.tenancy import load_keys
from panel.records.gate import rewrite_access
from panel.register.models import Child, FamilyLink, FamilyMember
from panel.sharing.models import SharingRestriction
from tests.conftest import SignIn
from tests.panels.conftest import AddChild, House

Client = AsyncTestClient[Litestar]

HELD = date(2026, 11, 19)
ENDED = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
NOTES = f"/panels/contacts/{HELD}/notes"
SECRET = "14 Tern Street\nHarrow Mill\nWX3 9QR"
PLAIN = (
    "On Thursday 19 November 2026 the panel talked about Amina.\n\nShe sleeps well now.\n\n"
    "Rosa Whitlow will ring you on Monday."
)


@dataclass
class Held:
    """The meeting, the child and her parents."""

    house: House
    child: UUID
    meeting: UUID
    mother: UUID
    father: UUID

    @property
    def page(self) -> str:
        """The note's page."""
        return f"{NOTES}/{self.child}"

    def family(self, person: UUID) -> Viewer:
        """One of the family as the gate knows them."""
        return Viewer(person, ViewerKind.FAMILY)

    async def deliveries(self) -> dict[UUID, NoteDelivery]:
        """The newest copies, by person."""
        async with self.house.as_("job") as session:
            rows = list(await session.scalars(every(NoteDelivery)))
            await load_keys(session, {self.child})
            for row in rows:
                _ = row.held_back_why
            return {row.person_id: row for row in rows}


def every(table: Any) -> Any:
    """Every row of a table, oldest first."""
    return select(table).order_by(table.id)


async def person(
    session: AsyncSession, child: UUID, name: str, relationship: str, basis: str | None, **more: str
) -> UUID:
    """Somebody of the child's family; with parental responsibility where there is a basis."""
    member = FamilyMember(name=name, **more)
    session.add(member)
    await session.flush()
    session.add(
        FamilyLink(
            child_id=child,
            family_member_id=member.id,
            relationship=relationship,
            parental_responsibility=basis is not None,
            basis=basis,
            from_on=date(2022, 6, 15),
        )
    )
    await session.flush()
    return member.id


async def held_meeting(house: House, add_child: AddChild) -> Held:
    """Amina was discussed on 19 November 2026; her parents live apart. Theo was discussed too."""
    child = await add_child("Amina", last_discussed_on=HELD, next_review_by=date(2027, 5, 19))
    sibling = await add_child("Theo", last_discussed_on=HELD)
    async with house.as_("job") as session:
        meeting = Meeting(
            panel_id=house.panel_id,
            slot_on=HELD,
            held_on=HELD,
            state="held",
            began_at=ENDED.replace(hour=9),
            ended_at=ENDED,
        )
        session.add(meeting)
        lead = await session.get_one(Worker, house.viewers["lead"].id)
        await load_keys(session, {lead.agency_id})
        lead.phone = "01632 960 001"
        await session.flush()
        for position, one in enumerate((child, sibling), 1):
            session.add(
                AgendaItem(
                    child_id=one,
                    meeting_id=meeting.id,
                    position=position,
                    minutes=10,
                    why="new",
                    state="discussed",
                    discussed_at=ENDED,
                )
            )
        for said, for_family, who in (
            ("She sleeps well now.", True, "lead"),
            ("The family owes rent, and the neighbour complained.", False, "member"),
        ):
            session.add(
                Discussion(
                    child_id=child,
                    meeting_id=meeting.id,
                    author_agency_id=house.viewers[who].agency,
                    worker_id=house.viewers[who].id,
                    said_at=ENDED,
                    for_family=for_family,
                    category="health" if who == "lead" else "panel",
                    text=said,
                )
            )
        mother = await person(
            session, child, "Marta Kestrel", "mother", "birth_mother", email="marta@demo.example",
            address="14 Tern Street\nHarrow Mill\nWX3 9QR",
        )  # fmt: skip
        father = await person(
            session, child, "Ben Kestrel", "father", "father_by_registration",
            address="2 Old Lane\nMarlow",
        )  # fmt: skip
        await rewrite_access(session, child)
        row = await session.get_one(Child, child)
        await load_keys(session, {child})
        row.address, row.postcode, row.school = SECRET, "WX3 9QR", "Harrow Mill Infants"
        return Held(house, child, meeting.id, mother, father)


@pytest.fixture
async def held(house: House, add_child: AddChild) -> Held:
    """The meeting, the child and her parents."""
    return await held_meeting(house, add_child)


@pytest.fixture
async def lead(client: Client, held: Held, sign_in: SignIn) -> Client:
    """The browser of the lead professional."""
    await sign_in(held.house.viewers["lead"].id)
    return client


async def protect(held: Held, person: UUID, *categories: str, silent: bool = False) -> None:
    """Something of the child is protected from somebody."""
    async with held.house.as_("job") as session:
        session.add(
            SharingRestriction(
                child_id=held.child,
                kind="protection",
                categories=list(categories),
                against=[person],
                from_on=date(2026, 1, 1),
                silent=silent,
                by_words="the court",
            )
        )
        await rewrite_access(session, held.child)


async def signed(held: Held, words: str = PLAIN, ways: dict[UUID, Sending] | None = None) -> UUID:
    """The lead professional writes this note and signs it off; the note's id."""
    gathered = await gather(held.house.tenant, held.child, "contacts", HELD)
    async with held.house.gate.open(
        held.child, held.house.viewers["lead"], (Purpose.SUPPORT, Purpose.PANEL), "tried it"
    ) as access:
        of: NoteOf = await note_of(access, gathered, "contacts", HELD, ())
        row = await save_note(of, words, 0)
        version = row.version
    async with held.house.gate.open(
        held.child, held.house.viewers["lead"], (Purpose.SUPPORT, Purpose.PANEL), "tried it"
    ) as access:
        of = await note_of(access, gathered, "contacts", HELD, ())
        usual = {
            held.mother: Sending(held.mother, Way.EMAIL),
            held.father: Sending(held.father, Way.LETTER),
        }
        row = await sign_off(of, list((usual | (ways or {})).values()), version)
        return row.id


async def rows_of(held: Held, table: type[Any]) -> list[Any]:
    """Every row of a table, oldest first, with its texts open."""
    async with held.house.as_("job") as session:
        rows = list(await session.scalars(every(table)))
        await load_keys(session, {held.child})
        for row in rows:
            for sealed in type(row).__sealed__:
                row.__dict__[f"_{sealed.name}"] = getattr(row, sealed.name)
        return rows


async def form_of(client: Client, address: str, action: str) -> dict[str, str]:
    """The hidden fields of a form on a page."""
    page = (await client.get(address)).text
    found = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert found is not None, f"{address} has no form to {action}: {page[:300]}"
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[1]))


def words(answer: httpx.Response) -> str:
    """What a page's main part says, without its markup."""
    main = answer.text[answer.text.index("<main") :]
    plain = re.sub(r"<[^>]+>", " ", main)
    for code, sign in (("&#39;", "'"), ("&#34;", '"'), ("&amp;", "&")):
        plain = plain.replace(code, sign)
    return " ".join(plain.split())


class Server:
    """A mail server that fails as often as it is told to, and keeps what it took."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.taken: dict[str, EmailMessage] = {}
        self.asked = 0

    async def send(self, message: EmailMessage) -> None:
        """Take a message, or fail."""
        self.asked += 1
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        # A server that is asked twice with one message id drops the second.
        self.taken.setdefault(str(message["Message-ID"]), message)
