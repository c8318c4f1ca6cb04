"""A meeting whose agenda is frozen, on its day, with a table that makes a quorum."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from consent import Role, Viewer, ViewerKind
from panel.accounts.models import Agency
from panel.accounts.service import add_worker, give_role
from panel.panels.calendar import meeting_on
from panel.panels.models import AgendaItem, Discussion, Meeting
from panel.panels.settle import freeze
from panel.platform.clock import FixedClock
from panel.platform.ids import new_id
from panel.records.child_scoped import JOB
from tests.conftest import SignIn
from tests.panels.conftest import NEXT_MEETING, AddChild, House

AGENDA = f"/panels/contacts/{NEXT_MEETING}"
MEETING = f"{AGENDA}/meeting"
MINUTES = f"{AGENDA}/minutes"
BEGINS = datetime(2026, 12, 3, 9, 30, tzinfo=UTC)
"""Thursday 3 December 2026, half past nine: London has no summer time then."""
MINUTE = timedelta(minutes=1)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
SUMMARY = re.compile(r"(?s)govuk-error-summary__list.*?</ul>")


@dataclass
class Hall:
    """The house, and a browser in it."""

    house: House
    client: AsyncTestClient[Any]
    clock: FixedClock
    sign_in: Callable[[UUID], Awaitable[None]]

    async def as_(self, who: str) -> None:
        """Sign one of the people in."""
        await self.sign_in(self.house.viewers[who].id)

    def child(self, name: str) -> UUID:
        """A child's id."""
        return self.house.children[name]

    def screen(self, name: str) -> str:
        """The address of a child's screen."""
        return f"{MEETING}/{self.child(name)}"

    async def get(self, address: str) -> httpx.Response:
        """Open a page."""
        return await self.client.get(address)

    async def form(self, address: str, action: str, number: int = 0) -> dict[str, Any]:
        """The hidden fields of a form on a page: the first to that address, or another."""
        page = (await self.client.get(address)).text
        return hidden_of(page, action, number)

    async def send(
        self, address: str, action: str, said: dict[str, Any] | None = None, number: int = 0
    ) -> httpx.Response:
        """Fill in a form of a page and send it, as it is there."""
        fields = await self.form(address, action, number)
        return await self.client.post(action, data=fields | (said or {}))

    async def tick(self, *people: str, apologies: tuple[str, ...] = ()) -> httpx.Response:
        """Write down who is here, and who sent apologies."""
        here = [str(self.house.viewers[one].id) for one in people]
        excused = [str(self.house.viewers[one].id) for one in apologies]
        said = {"here": here, "apologies": excused}
        return await self.send(MEETING, f"{MEETING}/attendance", said)

    async def begin(self, *people: str) -> None:
        """The coordinator begins, with these people here as well."""
        await self.as_("coordinator")
        answer = await self.send(MEETING, f"{MEETING}/begin")
        assert answer.status_code == 200, answer.text
        if people:
            assert (await self.tick("coordinator", *people)).status_code == 200

    async def say(self, name: str, text: str, **said: Any) -> httpx.Response:
        """Add to the discussion of a child."""
        return await self.send(
            self.screen(name), f"{self.screen(name)}/say", {"text": text, **said}
        )

    async def meeting(self) -> Meeting:
        """The meeting as it is stored."""
        async with self.house.as_("coordinator") as session:
            panel = await self.house.panel(session)
            found = await meeting_on(session, panel, NEXT_MEETING)
            session.expunge(found)
            return found

    async def item(self, name: str) -> AgendaItem:
        """A child's item as it is stored."""
        async with self.house.as_("coordinator") as session:
            found = await session.scalar(
                select(AgendaItem).where(AgendaItem.child_id == self.child(name))
            )
            assert found is not None
            session.expunge(found)
            return found

    async def said(self, name: str) -> list[tuple[str, str, str]]:
        """What was said of a child: (heading, category, text)."""
        async with self.house.opened(name, "coordinator") as access:
            rows = await access.session.scalars(
                select(Discussion)
                .where(Discussion.child_id == access.child_id)
                .order_by(Discussion.id)
            )
            return [(row.heading, row.category, row.text) for row in rows]


def hidden_of(page: str, action: str, number: int = 0) -> dict[str, Any]:
    """The hidden fields of a form in a page, the attendance's lists among them."""
    found = re.findall(
        rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.DOTALL
    )
    if not found:
        # A button elsewhere on the page sends another form there.
        button = re.search(
            rf'<button[^>]*form="([\w-]+)"[^>]*formaction="{re.escape(action)}"', page
        )
        assert button is not None, f"The page has no form to {action}"
        found = re.findall(rf'<form[^>]*id="{button.group(1)}"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert len(found) > number, f"The page has no form to {action}"
    fields: dict[str, Any] = {}
    for name, value in HIDDEN.findall(found[number]):
        if name.startswith("was_"):
            fields.setdefault(name, []).append(value)
        else:
            fields[name] = value
    return fields


def mistakes(answer: httpx.Response) -> str:
    """The sentences of the error summary."""
    found = SUMMARY.search(answer.text)
    return "" if found is None else re.sub(r"<[^>]+>|\s+", " ", found[0])


async def frozen(house: House, clock: FixedClock) -> None:
    """Freeze the agenda today, and come to the morning of the meeting."""
    async with house.as_("coordinator") as session:
        panel = await house.panel(session)
        await freeze(session, panel, await meeting_on(session, panel, NEXT_MEETING))
    clock.set(BEGINS)


async def seat(house: House, who: str, agency: str, name: str, *roles: Role) -> None:
    """One more person at the table."""
    async with house.tenant.transaction(JOB) as session:
        of = await session.get(Agency, house.agencies[agency])
        assert of is not None
        worker = await add_worker(session, of, name=name, email=f"{who}@demo.example")
        for role in (Role.PANEL_MEMBER, *roles):
            of_panel = None if role is Role.PRACTITIONER else house.panel_id
            await give_role(session, worker, role, of_panel)
        house.viewers[who] = Viewer(
            worker.id,
            ViewerKind.WORKER,
            of.id,
            of.kind,
            frozenset({Role.PANEL_MEMBER, *roles}),
        )


def client_id() -> str:
    """An id such as a page gives its forms."""
    return str(new_id())


@pytest.fixture
async def hall(
    house: House,
    add_child: AddChild,
    client: AsyncTestClient[Any],
    clock: FixedClock,
    sign_in: SignIn,
) -> Hall:
    """The morning of the meeting: three children on a frozen agenda, five people with a seat."""
    await seat(house, "social", "social-care", "Tom Brackenbury", Role.PRACTITIONER)
    await seat(house, "second", "education", "Lena Ashgrove")
    for name in ("Amina", "Theo", "Jakub"):
        await add_child(name)
    await frozen(house, clock)
    return Hall(house, client, clock, sign_in)
