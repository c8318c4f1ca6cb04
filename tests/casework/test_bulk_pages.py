"""The pages of work in bulk and of settings, as people press their buttons."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from html import unescape

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from consent import Role, Viewer
from panel.accounts.dated_settings import ValueKind
from panel.accounts.models import Worker
from panel.accounts.service import give_role
from panel.allocation.packages_settings import limits
from panel.casework.settings_offered import SETTINGS
from panel.panels.calendar import add_panel, import_terms, panel_rhythm
from panel.panels.models import Panel
from panel.platform.clock import FixedClock
from panel.platform.problems import Invalid
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.casework.teams import CANARY, Team
from tests.casework.test_feed_and_digest import TERMS
from tests.casework.test_work_in_bulk import leads
from tests.conftest import MORNING, SignIn

Browser = AsyncTestClient[Litestar]


def fields(page: str) -> dict[str, list[str]]:
    """What the form of a page would send: hidden fields and chosen options."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page):
        if name not in found or name in ("from_ids", "to_ids", "cases"):
            found.setdefault(name, []).append(unescape(value))
    for name, inside in re.findall(
        r'<select class="[^"]*"[^>]* name="([^"]+)".*?>(.*?)</select>', page, re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        found.setdefault(name, []).append("" if chosen is None else unescape(chosen.group(1)))
    return found


async def press(client: Browser, path: str, page: str, said: Mapping[str, object]) -> str:
    """Send the form of a page with what somebody chose; the page that comes, at last."""
    answer = await client.post(path, data=fields(page) | dict(said), follow_redirects=True)
    assert answer.status_code in (200, 201), answer.text
    return answer.text


async def test_a_manager_gives_plans_on_and_takes_them_back(
    client: Browser, sign_in: SignIn, tenant: Tenant, team: Team
) -> None:
    await sign_in(team.ines.id)
    path = "/bulk-work/plans"
    page = (await client.get(path)).text
    assert "Rosa Whitlow" in page
    chosen = {"from_ids": str(team.rosa.id), "to_ids": [str(team.tomas.id), str(team.beth.id)]}
    rehearsed = await press(client, path, page, chosen)
    assert "B-0" in rehearsed, "the family did not agree that health knows the name"
    assert set((await leads(tenant)).values()) == {team.rosa.id}
    refused = await client.post(path, data=fields(rehearsed))
    assert refused.status_code == 422
    assert "Say why" in refused.text
    # What was not rehearsed is not done: another's plan, or another state of it.
    for given in ([*fields(rehearsed)["give"][0].split()[:2], "7"], [str(team.otto.id)]):
        line = [*given, *fields(rehearsed)["give"][0].split()[len(given) :]]
        said = fields(rehearsed) | {"why": "Mine", "give": [" ".join(line)]}
        answer = await client.post(path, data=said)
        assert (answer.status_code, "Something changed since" in answer.text) == (422, True)
    done = await press(client, path, rehearsed, {"why": "Rosa leaves"})
    assert "7 done" in done
    assert set((await leads(tenant)).values()) == {team.tomas.id, team.beth.id}
    work = re.search(r'action="(/bulk-work/of/[^"]+/undo)"', done)
    assert work is not None
    back = await press(client, work.group(1), done, {})
    assert "7 taken back" in back
    listed = (await client.get("/bulk-work")).text
    assert "Taken back" in listed

    # Somebody else's work is not there, and a practitioner has none of it.
    await sign_in(team.rosa.id)
    assert (await client.get("/bulk-work")).status_code == 403


async def test_cases_are_closed_as_they_were_seen(
    client: Browser, sign_in: SignIn, team: Team
) -> None:
    await sign_in(team.ines.id)
    path = "/bulk-work/cases"
    page = (await client.get(path)).text
    cases = re.findall(r'name="cases" type="checkbox" value="([^"]+)"', page)
    assert len(cases) == 7
    rehearsed = await press(
        client,
        path,
        page,
        {
            "cases": cases[:2],
            "reason": "needs_met",
            "left_with": "The school nurse",
            "what_next": "You can come back.",
        },
    )
    changed = await client.post(
        path, data=fields(rehearsed) | {"cases": [f"{cases[0].split()[0]} old"]}
    )
    assert changed.status_code == 422
    assert "Something changed since you looked" in changed.text
    done = await press(client, path, rehearsed, {})
    assert "2 done" in done
    assert len(re.findall('name="cases"', (await client.get(path)).text)) == 5


async def coordinating(tenant: Tenant, viewer: Viewer) -> None:
    """A panel that somebody coordinates, in an autumn term."""
    async with tenant.transaction(JOB) as session:
        await import_terms(session, TERMS)
        panel = await add_panel(session, key="contacts", kind="contacts", first_on=date(2026, 9, 7))
        worker = await session.get_one(Worker, viewer.id)
        await give_role(session, worker, Role.COORDINATOR, panel.id)


async def days_of(tenant: Tenant) -> list[date]:
    """When the panel meets from today on."""
    async with tenant.transaction(JOB) as session:
        panel = (await session.scalars(select(Panel))).one()
        rhythm = await panel_rhythm(session, panel)
    return list(rhythm.dates(MORNING.date(), date(2026, 12, 18)))


async def test_a_panels_day_is_moved_and_moved_back(
    client: Browser, sign_in: SignIn, tenant: Tenant, team: Team
) -> None:
    await coordinating(tenant, team.tomas)
    before = await days_of(tenant)
    await sign_in(team.tomas.id)
    path = "/bulk-work/days"
    page = (await client.get(path)).text
    said = {
        "panel": "contacts", "weekday": "3", "why": "The hall is free on Thursdays",
        "start-day": "23", "start-month": "11", "start-year": "2026",
        "end-day": "18", "end-month": "12", "end-year": "2026",
    }  # fmt: skip
    wrong = await client.post(path, data=fields(page) | said | {"end-year": "2025"})
    assert "The last day is before the first" in wrong.text
    rehearsed = await press(client, path, page, said)
    done = await press(client, path, rehearsed, {"why": "The hall"})
    assert f"{len(before)} done" in done
    assert await days_of(tenant) == [one + timedelta(days=3) for one in before]
    work = re.search(r'action="(/bulk-work/of/[^"]+/undo)"', done)
    assert work is not None
    await press(client, work.group(1), done, {})
    assert await days_of(tenant) == before


async def administrator(tenant: Tenant, team: Team) -> None:
    """Otto administers, and does nothing else."""
    async with tenant.transaction(JOB) as session:
        otto = await session.get_one(Worker, team.otto.id)
        await give_role(session, otto, Role.ADMINISTRATOR)


async def test_settings_hold_from_a_day(
    client: Browser, sign_in: SignIn, tenant: Tenant, team: Team, clock: FixedClock
) -> None:
    await administrator(tenant, team)
    await sign_in(team.otto.id)
    page = (await client.get("/settings")).text
    assert "As Panel comes" in page
    assert CANARY not in page
    path = "/settings/referral.criteria"
    form = (await client.get(path)).text
    assert "Likely to need two or more specialist services" in form
    path = "/settings/packages.stretch"
    form = (await client.get(path)).text
    said = {
        "value": "28", "source": "Welsh regulations",
        "from_on-day": "1", "from_on-month": "12", "from_on-year": "2026",
    }  # fmt: skip
    for wrong, sentence in (
        ({"value": "many"}, "Enter a whole number"),
        ({"value": "400"}, "Enter a number from 1 to 365"),
        ({"from_on-year": "2025"}, "Choose today or a later day"),
        ({"source": ""}, "Say where it comes from"),
    ):
        refused = await client.post(path, data=fields(form) | said | wrong)
        assert (refused.status_code, sentence in refused.text) == (422, True), refused.text
    listed = await press(client, path, form, said)
    assert "28 from 1 December 2026" in unescape(listed).replace("\u00a0", " ")
    # Two people at once: the second is told.
    second = await client.post(path, data=fields(form) | said | {"value": "20"})
    assert second.status_code == 409
    for day, holds in ((30, 17), (31, 28)):
        clock.set(MORNING.replace(day=1) + timedelta(days=day - 1))
        async with tenant.transaction(JOB) as session:
            assert (await limits(session)).stretch == holds


@pytest.mark.parametrize("path", ["/settings", "/settings/packages.stretch"])
async def test_settings_are_the_administrators(
    client: Browser, sign_in: SignIn, team: Team, path: str
) -> None:
    await sign_in(team.ines.id)
    assert (await client.get(path)).status_code == 403


@pytest.mark.parametrize(
    ("said", "value"),
    [("250", "250.00"), ("£1,000.5", "1000.50"), ("1e999999", ""), ("NaN", ""), ("-1", ""),
     ("1.005", ""), ("much", "")],
)  # fmt: skip
def test_an_amount_is_pounds_and_pence(said: str, value: str) -> None:
    setting = next(one for one in SETTINGS if one.kind is ValueKind.MONEY)
    if value:
        assert setting.read(said) == value
        return
    with pytest.raises(Invalid):
        setting.read(said)


async def test_a_working_day_ends_after_it_begins(
    client: Browser, sign_in: SignIn, tenant: Tenant, team: Team
) -> None:
    await administrator(tenant, team)
    await sign_in(team.otto.id)
    today = {"from_on-day": "23", "from_on-month": "11", "from_on-year": "2026", "source": "Us"}
    path = "/settings/unusual.day_begins"
    await press(client, path, (await client.get(path)).text, today | {"value": "9"})
    path = "/settings/unusual.day_ends"
    form = fields((await client.get(path)).text)
    refused = await client.post(path, data=form | today | {"value": "8"})
    assert "It must be more than 9" in refused.text
