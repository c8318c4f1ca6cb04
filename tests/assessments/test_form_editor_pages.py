"""An administrator of the council edits a form in pages, and a worker starts it."""

import html
import json
import re
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from consent import Purpose, Role, Viewer
from panel.accounts.service import add_agency
from panel.assessments.form_files import write_form
from panel.assessments.form_versions import all_versions
from panel.assessments.service import start_assessment
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from tests.accounts.staff import worker
from tests.sharing.family import Family

Client = AsyncTestClient[Litestar]
TODAY = "2026-11-23"


@pytest.fixture
async def alan(tenant: Tenant) -> Viewer:
    """An administrator of the council."""
    async with tenant.transaction(JOB) as session:
        council = await add_agency(session, key="council", name="Testshire", kind="council")
        return await worker(session, council, "Alan Thimble", Role.ADMINISTRATOR)


@pytest.fixture
async def browser(client: Client, alan: Viewer, sign_in: Any) -> Client:
    await sign_in(alan.id)
    return client


def words_of(answer: httpx.Response) -> str:
    plain = re.sub(r"<[^>]+>", " ", answer.text.split("<main", 1)[1])
    return re.sub(r"\s+", " ", html.unescape(plain))


async def opened(client: Client, page: str) -> tuple[str, dict[str, Any]]:
    shown = await client.get(page)
    assert shown.status_code == 200, (page, shown.status_code, shown.text[-2000:])
    main = shown.text.split("<main", 1)[1]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', main))
    return words_of(shown), fields


async def post(client: Client, page: str, to: str = "", **given: Any) -> httpx.Response:
    """Post the form of a page, to itself or to one of its steps."""
    _, hidden = await opened(client, page)
    return await client.post(to or page, data=hidden | given, follow_redirects=False)


async def draft_of(tenant: Tenant, key: str) -> str:
    async with tenant.transaction(JOB) as session:
        found = [one for one in await all_versions(session) if one.form.key == key]
    return f"/forms/{found[0].id}"


async def test_a_form_is_made_previewed_published_and_started(
    browser: Client, tenant: Tenant, gate: Gate, family: Family
) -> None:
    listed, _ = await opened(browser, "/forms")
    assert "Common Assessment Framework (CAF), version 2 Published" in listed
    assert "Common Assessment Framework (CAF), version 1 Replaced" in listed
    assert (await post(browser, "/forms/begin", title="Home visit")).status_code == 303
    base = await draft_of(tenant, "home_visit")
    page, _ = await opened(browser, base)
    assert "Before it can be published The form needs at least one section." in page

    refused = await post(browser, f"{base}/new-section", title="The visit", group="Visit")
    assert refused.status_code == 422
    assert "Choose which kind of information this section holds" in words_of(refused)
    section = {"title": "The visit", "group": "Visit", "category": "family"}
    assert (await post(browser, f"{base}/new-section", **section)).status_code == 303
    new = f"{base}/sections/the_visit/new-question"
    seen = {"label": "Was {child} seen?", "kind": "yes_no", "required": "yes", "key": "seen"}
    assert (await post(browser, new, **seen)).status_code == 303
    why = {"label": "Why not?", "kind": "long_text", "key": "why", "show_if": "seen=no"}
    assert (await post(browser, new, **why)).status_code == 303
    twice = await post(browser, new, **(seen | {"label": "Again?"}))
    assert "“seen” is used twice" in words_of(twice)
    assert "Again?" in twice.text
    circle = {"label": "Was {child} seen?", "show_if": "seen=no"}
    refused = await post(browser, f"{base}/sections/the_visit/questions/seen", **circle)
    assert "in a circle: “seen” on “seen”" in words_of(refused)
    gone = await post(browser, base, f"{base}/sections/the_visit/questions/seen/remove")
    assert "which is not an earlier question there" in words_of(gone)
    up = await post(browser, base, f"{base}/sections/the_visit/questions/why/move", direction="up")
    assert up.status_code == 422

    page, _ = await opened(browser, f"{base}/preview")
    assert "The visit" in page
    page, _ = await opened(browser, f"{base}/preview/the-visit")
    assert "Was Robin seen?" in page
    assert "Only if the answer to “Was Robin seen?” is “No”." in page
    for other in ("title", "sections/the_visit", "sections/the_visit/questions/why"):
        await opened(browser, f"{base}/{other}")
    renamed = await post(browser, f"{base}/title", title="Visit at home", source="Ours")
    assert renamed.status_code == 303
    assert (await post(browser, base, f"{base}/publish")).status_code == 303
    page, _ = await opened(browser, base)
    assert "Published" in page
    stays = await post(browser, f"{base}/title", title="Other")
    assert stays.status_code == 422
    assert "This version is published, so it stays as it is" in words_of(stays)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "started") as access:
        await start_assessment(access, "home_visit")
    page, _ = await opened(browser, f"{base}/versions")
    assert "Version 1 fewer than 5 none" in page
    assert "the_visit.seen" in page

    made = await post(browser, base, f"{base}/next")
    assert made.headers["location"] == f"{base}/draft"
    page, _ = await opened(browser, f"{base}/draft")
    assert "Version 2" in page
    draft = await draft_of(tenant, "home_visit")
    moved = await post(browser, draft, f"{draft}/sections/the_visit/move", direction="up")
    assert moved.status_code == 303
    removed = await post(browser, draft, f"{draft}/sections/the_visit/remove")
    assert removed.status_code == 303
    assert (await post(browser, draft, f"{draft}/throw-away")).status_code == 303
    assert (await post(browser, base, f"{base}/retire")).status_code == 303
    assert "Visit at home, version 1 Retired" in (await opened(browser, "/forms"))[0]


async def test_a_form_goes_out_as_a_file_and_comes_in(browser: Client, tenant: Tenant) -> None:
    await opened(browser, "/forms")
    caf = await draft_of(tenant, "cin_initial")
    file = await browser.get(f"{caf}/file")
    assert file.headers["content-disposition"] == 'attachment; filename="cin_initial-1.json"'
    _, hidden = await opened(browser, "/forms/bring-in")

    async def bring(content: bytes) -> httpx.Response:
        return await browser.post(
            "/forms/bring-in",
            data=hidden,
            files={"file": ("form.json", content, "application/json")},
            follow_redirects=False,
        )

    later = json.loads(file.content) | {"format": 7}
    refused = await bring(json.dumps(later).encode())
    assert refused.status_code == 422
    assert "of a later version: its format is 7" in words_of(refused)
    _, hidden = await opened(browser, "/forms/bring-in")
    assert (await bring(file.content)).status_code == 303
    async with tenant.transaction(JOB) as session:
        one, two = (each for each in await all_versions(session) if each.form.key == "cin_initial")
    assert (one.form.version, one.is_draft, two.form.version) == (2, True, 1)
    assert write_form(two.form) == file.content
    _, hidden = await opened(browser, "/forms/bring-in")
    assert "There is a draft of" in words_of(await bring(file.content))


async def test_a_time_limit_is_set_from_a_day(browser: Client) -> None:
    page, _ = await opened(browser, "/forms/time-limits")
    assert "45 working days from the referral" in page
    given = {"form": "caf", "from_on": "2026-12-01", "runs_from": "start", "source": "Ours"}
    wrong = await post(browser, "/forms/time-limits/set", **given, working_days="0")
    assert wrong.status_code == 422
    saved = await post(browser, "/forms/time-limits/set", **given, working_days="20")
    assert saved.status_code == 303
    page, _ = await opened(browser, "/forms/time-limits")
    assert "1 December 2026 20 working days from its start Ours" in page


async def test_workers_and_other_administrators_change_no_form(
    client: Client, tenant: Tenant, family: Family, sign_in: Any
) -> None:
    async with tenant.transaction(JOB) as session:
        trust = await add_agency(session, key="trust", name="A trust", kind="health")
        other = await worker(session, trust, "Bea Stone", Role.ADMINISTRATOR)
    for viewer in (family.rosa.id, other.id):
        await sign_in(viewer)
        for page in ("/forms", "/forms/begin", "/forms/bring-in", "/forms/time-limits"):
            assert (await client.get(page)).status_code == 403, page


async def test_a_worker_starts_a_form_with_a_clock_and_stops_it(
    client: Client, family: Family, sign_in: Any
) -> None:
    await sign_in(family.rosa.id)
    list_ = f"/children/{family.child}/assessments"
    page, _ = await opened(client, f"{list_}/start")
    assert "Short-breaks assessment" in page
    future = await post(
        client, f"{list_}/start", list_, form="cin_initial", referred_on="2099-01-01"
    )
    assert "cannot be in the future" in words_of(future)
    started = await post(client, f"{list_}/start", list_, form="cin_initial")
    base = started.headers["location"]
    page, _ = await opened(client, base)
    assert re.search(r"Due on .*, in 45 working days\.", page)
    page, _ = await opened(client, f"{base}/clock")
    assert "The clock has not stood still." in page
    refused = await post(client, f"{base}/clock", reason="family_away", from_on="2020-01-01")
    assert refused.status_code == 422
    stopped = await post(client, f"{base}/clock", reason="family_away", from_on=TODAY)
    assert stopped.status_code == 303
    page, _ = await opened(client, base)
    assert "The clock has stood still since" in page
    assert (await post(client, f"{base}/clock", f"{base}/clock/go-on", until_on=TODAY)).is_redirect
    page, _ = await opened(client, f"{list_}/over-versions/cin_initial")
    assert "Not answered" in page
    assert (await client.get(f"{list_}/over-versions/nothing")).status_code == 404


async def test_nothing_is_started_where_no_form_was_chosen(
    client: Client, family: Family, sign_in: Any
) -> None:
    await sign_in(family.rosa.id)
    list_ = f"/children/{family.child}/assessments"
    refused = await post(client, f"{list_}/start", list_)
    assert refused.status_code == 422
    assert "Choose which form to start" in words_of(refused)
    unknown = await post(client, f"{list_}/start", list_, form="nothing")
    assert unknown.status_code == 404
    page, _ = await opened(client, list_)
    assert "There is no assessment yet" in page
