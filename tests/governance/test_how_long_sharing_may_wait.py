"""How long sharing may wait, an override and ways in last is set on a page, with a reason."""

import re
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from panel.accounts.inbox_figures import FIGURES as OF_THE_INBOX
from panel.accounts.people_joining import invitation_days
from panel.governance.figures import SET_HERE, WAYS_IN
from panel.plans.service import CHASE_FIGURES
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.family_access import Waits, waits
from panel.sharing.spans import BOUNDS, Spans, spans
from tests.governance.conftest import Offices
from tests.sharing.family import Family
from tests.sharing.restricted import plain

Client = AsyncTestClient[Litestar]
PAGE = "/governance/spans"


async def typed(client: Client) -> dict[str, str]:
    """Everything that the page's form holds."""
    page = (await client.get(PAGE)).text.split("<main")[1]
    shown = dict(re.findall(r'name="(\w+)" type="text" value="([^"]*)"', page))
    return shown | dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))


async def now(tenant: Tenant) -> Spans:
    async with tenant.transaction(JOB) as session:
        return await spans(session)


async def test_a_figure_is_changed_with_a_reason_and_its_history_stays(
    client: Client, family: Family, offices: Offices, sign_in: Any, tenant: Tenant,
    clock: FixedClock,
) -> None:  # fmt: skip
    await sign_in(offices.lead.id)
    assert "Nothing was changed yet" in plain(await client.get(PAGE))
    for hours, why in (("12", "The partners agreed"), ("36", "A weekend is longer")):
        saved = await typed(client) | {"override_hours": hours, "source": why}
        assert (await client.post(PAGE, data=saved, follow_redirects=False)).status_code == 303
    assert await now(tenant) == Spans(override_hours=36)
    said = plain(await client.get(PAGE))
    assert "24 to 12 Ngozi Hart The partners agreed" in said
    assert said.index("12 to 36 Ngozi Hart A weekend is longer") < said.index("24 to 12")


async def test_ways_in_are_set_beside_it_and_count_from_then_on(
    client: Client, family: Family, offices: Offices, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(offices.lead.id)
    page = plain(await client.get(PAGE))
    assert page.index("How long ways in last") < page.index("the link that lets a worker in works")
    wanted = {
        "worker_invitation_days": "3", "family_invitation_days": "14", "family_contact_hours": "48",
    }  # fmt: skip
    saved = await typed(client) | wanted | {"source": "Letters are slow"}
    assert (await client.post(PAGE, data=saved, follow_redirects=False)).status_code == 303
    async with tenant.transaction(JOB) as session:
        assert await invitation_days(session) == 3
        assert await waits(session) == Waits(invitation_days=14, contact_hours=48)
    assert await now(tenant) == Spans()
    said = plain(await client.get(PAGE))
    for figures in ("7 to 3", "28 to 14", "24 to 48"):
        assert f"{figures} Ngozi Hart Letters are slow" in said
    assert set(WAYS_IN) == set(wanted)
    assert set(SET_HERE) == set(BOUNDS) | set(wanted) | set(OF_THE_INBOX) | set(CHASE_FIGURES)


@pytest.mark.parametrize("name", list(SET_HERE))
async def test_what_cannot_be_is_said_and_nothing_is_kept(
    client: Client, family: Family, offices: Offices, sign_in: Any, tenant: Tenant, name: str
) -> None:
    await sign_in(offices.lead.id)
    fields = await typed(client) | {"source": "Because"}
    least, most = SET_HERE[name].least, SET_HERE[name].most
    for figure in (least - 1, most + 1):
        answer = await client.post(PAGE, data=fields | {name: str(figure)})
        assert answer.status_code == 422
        assert f"must be between {least:,} and {most:,}" in plain(answer)
    assert (await client.post(PAGE, data=fields | {name: "soon"})).status_code == 422
    unsaid = await client.post(PAGE, data=fields | {name: str(most), "source": " "})
    assert "Say why" in plain(unsaid)
    assert await now(tenant) == Spans()


async def test_who_read_older_figures_changes_nothing(
    client: Client, family: Family, offices: Offices, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(offices.lead.id)
    old = await typed(client)
    new = await typed(client)
    first = old | {"review_working_days": "3", "source": "Sickness"}
    assert (await client.post(PAGE, data=first, follow_redirects=False)).status_code == 303
    late = new | {"review_working_days": "1", "source": "Sooner"}
    assert (await client.post(PAGE, data=late)).status_code == 409
    assert (await now(tenant)).review_working_days == 3


async def test_only_the_lead_sets_them(
    client: Client, family: Family, offices: Offices, sign_in: Any
) -> None:
    await sign_in(offices.guardian.id)
    assert (await client.get(PAGE)).status_code == 403
    assert (await client.post(PAGE, data={})).status_code == 403
