"""The pages of who leads: cover is asked for and agreed, a plan is given back, caseloads are read."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from consent import Role, Viewer, ViewerKind
from panel.plans.budgeting import budget_held, end_budget, give_budget
from panel.plans.lead_pages import budget_words
from panel.plans.service import hand_at_once
from panel.platform.problems import Conflict, Invalid, NotAllowed
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from tests.plans.conftest import SUPPORT
from tests.plans.test_plan_pages import click, fill_in, forms, words

Client = AsyncTestClient[Litestar]
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)


@pytest.fixture
async def led(tenant: Tenant, people: Any) -> Any:
    """Rosa holds Amina's plan."""
    async with tenant.transaction(JOB) as session:
        await hand_at_once(session, people.child, people.rosa.id, "")
    return people


async def test_somebody_is_asked_to_cover_and_agrees(
    client: Client, led: Any, sign_in: Any
) -> None:
    base = f"/children/{led.child}/lead-professional"
    await sign_in(led.rosa.id)
    asked = {"worker_id": str(led.beth.id), "from_on": "2026-11-25", "until_on": "2026-11-24"}
    refused = await fill_in(client, f"{base}/cover/new", asked)
    assert refused.status_code == 422
    assert "The last day is before the first. Check the dates" in refused.text
    again = await fill_in(client, f"{base}/cover/new", asked | {"until_on": "2026-11-28"})
    assert again.status_code == 303
    assert "25 November 2026 to 28 November 2026. Asked." in words((await client.get(base)).text)

    await sign_in(led.beth.id)
    found = re.search(
        r"/lead-professional/cover/[0-9a-f-]{36}", (await client.get("/my-home")).text
    )
    assert found is not None
    shown = await client.get(found[0])
    assert "Lead professional Rosa Whitlow" in words(shown.text)
    assert "Amina" not in shown.text
    hidden = next(each for each in forms(shown.text) if each[0].endswith("/decline"))[1]
    silent = await client.post(f"{found[0]}/decline", data=hidden | {"reason": ""})
    assert (silent.status_code, "Enter why you cannot cover" in silent.text) == (422, True)
    hidden = next(each for each in forms(shown.text) if each[0].endswith("/accept"))[1]
    for _ in range(2):
        answer = await client.post(f"{found[0]}/accept", data=hidden, follow_redirects=False)
        assert answer.status_code == 303

    await sign_in(led.rosa.id)
    assert "25 November 2026 to 28 November 2026. Agreed." in words((await client.get(base)).text)
    assert (await click(client, base, "/end")).status_code == 303
    assert "Taken back" in (await client.get(base)).text


async def test_a_handover_says_what_is_missing_and_keeps_the_rest(
    client: Client, led: Any, sign_in: Any
) -> None:
    base = f"/children/{led.child}/lead-professional"
    await sign_in(led.rosa.id)
    wish = {
        "words": "Somebody who knows us", "said_by": "her mother", "said_on": "2026-11-20",
        "wished_id": str(led.tomas.id),
    }  # fmt: skip
    assert (await fill_in(client, f"{base}/wish", wish)).status_code == 303
    shown = words((await client.get(base)).text)
    assert "The family would like them: “Somebody who knows us”" in shown
    refused = await fill_in(
        client, base, {"worker_id": str(led.tomas.id), "family": "could_not_ask", "note": "Ring."}
    )
    assert refused.status_code == 422
    assert "Enter why the family could not be asked" in refused.text
    assert "Ring." in refused.text
    given = await fill_in(client, f"{base}/give-back", {"reason": "I am ill for long"})
    assert given.status_code == 303
    assert "From 24 November 2026" in words((await client.get(base)).text)


async def test_a_manager_reads_caseloads_and_sets_the_limit(
    client: Client, led: Any, sign_in: Any
) -> None:
    await sign_in(led.rosa.id)
    assert (await client.get("/caseload")).status_code == 403
    await sign_in(led.ines.id)
    assert "at most 25 plans" in (await client.get("/caseload")).text
    limit = {"limit": "1", "from_on": "2026-11-23", "source": "Our policy"}
    refused = await fill_in(client, "/caseload/limit", limit | {"from_on": "2026-11-22"})
    assert refused.status_code == 422
    assert (await fill_in(client, "/caseload/limit", limit)).status_code == 303
    shown = words((await client.get("/caseload")).text)
    assert "at most 1 plan" in shown
    assert "At the limit" in shown


async def test_a_budget_holder_gives_the_budget_and_nobody_to_themselves(
    led: Any, gate: Gate
) -> None:
    holder = Viewer(
        led.tomas.id, ViewerKind.WORKER, led.tomas.agency, "education",
        frozenset({Role.PRACTITIONER, Role.BUDGET_HOLDER}),
    )  # fmt: skip
    own = Viewer(
        led.rosa.id, ViewerKind.WORKER, led.rosa.agency, "health",
        frozenset({Role.PRACTITIONER, Role.BUDGET_HOLDER}),
    )  # fmt: skip
    async with gate.open(led.child, own, SUPPORT, "tested") as access:
        held = await budget_held(access)
        assert held is not None
        with pytest.raises(NotAllowed, match="themselves"):
            await give_budget(access, held.version, TODAY, None)
    async with gate.open(led.child, led.tomas, SUPPORT, "tested") as access:
        with pytest.raises(NotAllowed, match="budget holder"):
            await give_budget(access, held.version, TODAY, None)
    async with gate.open(led.child, holder, SUPPORT, "tested") as access:
        with pytest.raises(Invalid):
            await give_budget(access, held.version, TODAY, TODAY - DAY)
        await give_budget(access, held.version, TODAY, TODAY + 30 * DAY)
        with pytest.raises(Conflict):
            await end_budget(access, held.version)
        now = await budget_held(access)
    assert now is not None
    assert now.holds_on(TODAY)
    assert budget_words(now, None, TODAY) == [
        "Rosa Whitlow holds the budget: 23 November 2026 to 23 December 2026, given by Tomas Reed.",
        "No package is approved for the child yet, so there is nothing to spend.",
    ]
    async with gate.open(led.child, holder, SUPPORT, "tested") as access:
        await end_budget(access, now.version)
        ended = await budget_held(access)
    assert ended is not None
    assert not ended.holds_on(TODAY + DAY)
