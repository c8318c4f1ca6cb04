"""The calendar and the digest say when and how much, and of nobody; the night is quiet."""

from datetime import timedelta
from email.message import EmailMessage

import icalendar
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from consent import Purpose, Role
from panel.accounts.models import Worker
from panel.accounts.service import give_role
from panel.casework.digest import CHOICES, choose, put_digests, waits_for_morning
from panel.casework.feed import make_feed, revoke_feed
from panel.casework.notice_models import Digest, TaskNotice
from panel.casework.notice_routes import PAGES
from panel.casework.pages import MEND
from panel.casework.tasks import due_now, keep_tasks, own_tasks
from panel.impact.models import ImpactInvitation, ImpactMeeting
from panel.panels.calendar import add_panel, import_terms
from panel.panels.models import Referral
from panel.platform.clock import FixedClock
from panel.platform.outbox import send_due
from panel.platform.problems import Conflict, Invalid
from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.models import Episode
from panel.web.paging import Asked
from tests.casework.teams import CANARY, Team
from tests.conftest import MORNING, SignIn

TERMS = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20260901
DTEND;VALUE=DATE:20261219
SUMMARY:Autumn term
END:VEVENT
END:VCALENDAR
"""
SITE = "https://panel.testshire.example"


class Kept:
    """A way out that keeps what goes."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []

    async def send(self, message: EmailMessage) -> None:
        self.sent.append(message)


async def on_a_panel(tenant: Tenant, team: Team) -> None:
    """Rosa sits on a panel, before which three of her children are; reviews of the third rest."""
    async with tenant.transaction(JOB) as session:
        await import_terms(session, TERMS)
        panel = await add_panel(
            session,
            key="contacts",
            kind="contacts",
            first_on=MORNING.date(),
            name=f"{CANARY} panel",
            place=f"{CANARY} House",
        )
        await give_role(
            session, await session.get_one(Worker, team.rosa.id), Role.PANEL_MEMBER, panel.id
        )
        for at, child in enumerate(team.children[:3]):
            session.add(
                Referral(
                    child_id=child,
                    panel_id=panel.id,
                    referred_on=MORNING.date(),
                    agency_id=team.rosa.agency,
                    reason=CANARY,
                    next_review_by=MORNING.date() + timedelta(days=7 * at + 3),
                    rests_from=MORNING.date() if at == 2 else None,
                )
            )


async def invited(tenant: Tenant, team: Team) -> None:
    """Rosa is asked to two meetings around a family, one of them at their home."""
    async with tenant.transaction(JOB) as session:
        episode = await session.scalar(select(Episode).where(Episode.child_id == team.children[0]))
        assert episode is not None
        for at, kind in enumerate(("in_person", "home")):
            meeting = ImpactMeeting(
                child_id=team.children[0],
                episode_id=episode.id,
                author_agency_id=team.rosa.agency,
                held_on=MORNING.date() + timedelta(days=at + 1),
                starts_at=MORNING.time(),
                format=kind,
                place=f"{CANARY} Lane",
            )
            session.add(meeting)
            await session.flush()
            session.add(
                ImpactInvitation(
                    child_id=team.children[0],
                    meeting_id=meeting.id,
                    kind="worker",
                    person_id=team.rosa.id,
                )
            )


async def test_a_calendar_says_when_and_of_what_kind(
    client: AsyncTestClient[Litestar], tenant: Tenant, team: Team
) -> None:
    await on_a_panel(tenant, team)
    await invited(tenant, team)
    async with tenant.transaction(team.rosa.id) as session:
        token = await make_feed(session, team.rosa.id)
    answer = await client.get(f"/calendar-feed/{token}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/calendar")
    assert CANARY.lower() not in answer.text.lower()
    for one in (*team.children, team.rosa.id):
        assert str(one) not in answer.text
    entries = icalendar.Calendar.from_ical(answer.text).walk("VEVENT")
    said = sorted(str(one["summary"]) for one in entries)
    assert said == ["Meeting", *["Panel meeting"] * 2, *["Review"] * 2, "Visit"]
    assert all("location" not in one and "description" not in one for one in entries)
    async with tenant.transaction(JOB) as session:
        await keep_tasks(session)
        kinds = list(await session.scalars(select(TaskNotice.kind)))
        assert kinds.count("review") == 2

    etag = answer.headers["etag"]
    again = await client.get(f"/calendar-feed/{token}", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")

    # A new address ends the one before; a revoked one and a stranger's are the same nothing.
    async with tenant.transaction(team.rosa.id) as session:
        newer = await make_feed(session, team.rosa.id)
    assert (await client.get(f"/calendar-feed/{token}")).status_code == 404
    assert (await client.get(f"/calendar-feed/{newer}")).status_code == 200
    async with tenant.transaction(team.rosa.id) as session:
        await revoke_feed(session, team.rosa.id)
    revoked = await client.get(f"/calendar-feed/{newer}")
    unknown = await client.get(f"/calendar-feed/{'x' * 43}")
    assert (revoked.status_code, revoked.text) == (404, unknown.text)


async def test_a_leaver_has_no_calendar(
    client: AsyncTestClient[Litestar], tenant: Tenant, team: Team
) -> None:
    async with tenant.transaction(team.rosa.id) as session:
        token = await make_feed(session, team.rosa.id)
    async with tenant.transaction(JOB) as session:
        rosa = await session.get_one(Worker, team.rosa.id)
        rosa.until_on = MORNING.date() - timedelta(days=1)
    assert (await client.get(f"/calendar-feed/{token}")).status_code == 404


async def test_tasks_are_derived_and_settled(tenant: Tenant, gate: Gate, team: Team) -> None:
    for _ in range(2):
        async with tenant.transaction(JOB) as session:
            await keep_tasks(session)
            assert await due_now(session) == {team.rosa.id: 7}
    async with tenant.transaction(team.rosa.id) as session:
        page = await own_tasks(gate, session, team.rosa, Purpose.SUPPORT, Asked())
        assert {one.who for one in page.rows} == {f"{CANARY} Kestrel"}
    async with tenant.transaction(team.tomas.id) as session:
        page = await own_tasks(gate, session, team.tomas, Purpose.SUPPORT, Asked())
        assert page.rows == []


async def test_a_digest_says_a_number_once_and_waits_for_the_morning(
    tenant: Tenant, team: Team, clock: FixedClock
) -> None:
    way = Kept()
    clock.set(MORNING.replace(hour=21))
    async with tenant.transaction(JOB) as session:
        assert await put_digests(session, SITE) == 1
        assert await put_digests(session, SITE) == 0
    async with tenant.transaction(JOB) as session:
        assert await send_due(session, way, session.info[NOW], waits=waits_for_morning) == 0
    clock.set((MORNING + timedelta(days=1)).replace(hour=7, minute=0))
    async with tenant.transaction(JOB) as session:
        assert await send_due(session, way, session.info[NOW], waits=waits_for_morning) == 1
    (message,) = way.sent
    assert message["Subject"] == "7 things are due"
    text = message.as_string()
    assert not {one for one in (CANARY, "Rosa", "B-1") if one in text}
    assert f"{SITE}/my-tasks" in text

    async with tenant.transaction(team.rosa.id) as session:
        await choose(session, team.rosa.id, 0, Digest.OFF, None)
    clock.set(MORNING + timedelta(days=2))
    async with tenant.transaction(JOB) as session:
        assert await put_digests(session, SITE) == 0


async def test_a_choice_is_kept_once(tenant: Tenant, team: Team) -> None:
    at = MORNING.time()
    async with tenant.transaction(team.rosa.id) as session:
        with pytest.raises(Invalid):
            await choose(session, team.rosa.id, 0, Digest.DAILY, (at, at))
        await choose(session, team.rosa.id, 0, Digest.WEEKLY, None)
        with pytest.raises(Conflict):
            await choose(session, team.rosa.id, 0, Digest.DAILY, None)


async def test_the_pages_show_them(
    client: AsyncTestClient[Litestar], sign_in: SignIn, team: Team
) -> None:
    await sign_in(team.rosa.id)
    for path, said in (("/my-tasks", CANARY), (CHOICES, "Your calendar")):
        page = await client.get(path)
        assert page.status_code == 200, page.text
        assert said in page.text
    routed = {one.path_format for one in client.app.routes}
    for where in {*MEND.values(), *PAGES.values()}:
        assert f"/children/{{child_id}}/{where.partition('#')[0]}" in routed


async def test_notices_are_ones_own(tenant: Tenant, team: Team) -> None:
    async with tenant.transaction(JOB) as session:
        await keep_tasks(session)
    async with tenant.transaction(team.ines.id) as session:
        assert list(await session.scalars(select(TaskNotice))) == []
