"""A family reads the plan as it was agreed, and what it says of it stands beside what others say."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from consent import Role, Viewer, ViewerKind
from panel.plans.agreeing import Agrees, answer_as_worker, answers_to, write_down_answer
from panel.plans.contingency import keep_contingency
from panel.plans.measure_rules import Smart
from panel.plans.measures import measures_of, set_measure
from panel.plans.models import Plan
from panel.plans.reading import PlanReading, plan_for_reading
from panel.plans.versions import agree_plan
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate
from tests.families.conftest import SignInFamily
from tests.families.household import Client, Family, give_plan, words
from tests.plans.conftest import SUPPORT

SURE = "How sure are you that you can manage mornings?"
"""A question that is about nobody else."""


@pytest.fixture
async def mother(client: Client, family: Family, sign_in_family: SignInFamily) -> Client:
    """The browser of Freya's mother."""
    await sign_in_family(family.mother)
    return client


def rosa(family: Family) -> Viewer:
    roles = frozenset({Role.PRACTITIONER})
    return Viewer(family.rosa, ViewerKind.WORKER, family.agency, "health", roles)


async def read(access: Access) -> PlanReading:
    plan = await plan_for_reading(access)
    assert isinstance(plan, PlanReading)
    return plan


async def agreed(tenant: Tenant, gate: Gate, family: Family) -> UUID:
    """A plan that Rosa agreed with the family, measured, with her word and Freya's."""
    await give_plan(tenant, family, "draft")
    async with gate.open(family.child, rosa(family), SUPPORT, "tested") as access:
        plan = await read(access)
        smart = Smart("Needs help", Decimal(1), "Alone", Decimal(5), "mornings a week",
                      date(2027, 3, 1), "parent", SURE)  # fmt: skip
        await set_measure(access, plan.outcomes[0].id, 0, smart)
        version = await agree_plan(access, plan.version, date(2026, 11, 20))
        await answer_as_worker(access, version.id, Agrees.YES, "I come on Mondays.")
        await write_down_answer(
            access, version.id, family.child, Agrees.CANNOT_ANSWER, "She pointed at her shoes."
        )
        return version.id


async def send(client: Client, path: str, action: str, said: Mapping[str, str]) -> httpx.Response:
    """Open a page and send its form that goes to an address."""
    shown = await client.get(path)
    assert shown.status_code == 200, shown.text
    form = shown.text[shown.text.index(f'action="{action}"') :]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    return await client.post(action, data=hidden | dict(said), follow_redirects=False)


async def test_each_one_says_it_in_their_own_words(
    mother: Client, tenant: Tenant, gate: Gate, family: Family
) -> None:
    version = await agreed(tenant, gate, family)
    home = words((await mother.get("/family")).text)
    assert "The plan was agreed on" in home
    assert "You have not said yet if you agree." in home
    path = f"/family/{family.child}/plan"
    page = words((await mother.get(path)).text)
    assert "This is version 1. It was agreed on Friday 20 November 2026." in page
    assert "She dresses herself" in page
    assert "What we aim for Alone (5 mornings a week)" in page
    assert "She pointed at her shoes." in page
    assert "I come on Mondays." in page
    action = f"{path}/{version}"
    refused = await send(mother, path, action, {"agrees": "no", "words": " "})
    assert refused.status_code == 422
    assert "Write what you do not agree with" in refused.text
    kept = await send(mother, path, action, {"agrees": "no", "words": "Mornings are too hard."})
    assert kept.status_code == 303
    assert "You said that you do not agree." in words((await mother.get("/family")).text)
    async with gate.open(family.child, rosa(family), SUPPORT, "tested") as access:
        told = [(one.who, one.agrees, one.words) for one in await answers_to(access, [version])]
    assert len(told) == 3
    assert ("Rosa Whitlow", Agrees.YES, "I come on Mondays.") in told
    assert ("The child", Agrees.CANNOT_ANSWER, "She pointed at her shoes.") in told
    assert (Agrees.NO, "Mornings are too hard.") in [one[1:] for one in told]


async def test_nobody_writes_over_what_they_said_themselves(
    mother: Client, tenant: Tenant, gate: Gate, family: Family
) -> None:
    version = await agreed(tenant, gate, family)
    path = f"/family/{family.child}/plan"
    await send(mother, path, f"{path}/{version}", {"agrees": "yes", "words": "Good."})
    async with gate.open(family.child, rosa(family), SUPPORT, "tested") as access:
        with pytest.raises(Exception, match="needs another look"):
            await write_down_answer(access, version, family.mother, Agrees.NO, "Not good.")


async def test_a_question_is_answered_from_0_to_10(
    mother: Client, tenant: Tenant, gate: Gate, family: Family
) -> None:
    await agreed(tenant, gate, family)
    page = (await mother.get(f"/family/{family.child}/plan")).text
    at = re.search(rf"/family/{family.child}/outcomes/[0-9a-f-]+/scale", page)
    assert at is not None
    assert (await send(mother, at[0], at[0], {"value": "11"})).status_code == 422
    for value in ("4", "7"):
        assert (await send(mother, at[0], at[0], {"value": value})).status_code == 303
    page = (await mother.get(f"/family/{family.child}/plan")).text
    assert "On a scale of 0 to 10: 7 on 23 November 2026." in words(page)
    assert page.count("<svg") == 1
    async with gate.open(family.child, rosa(family), SUPPORT, "tested") as access:
        told = await measures_of(access, await read(access))
    said = [(one.kind, one.value, one.said_by) for m in told.values() for one in m.readings]
    assert said == [("scaling", Decimal(7), "parent")]


async def test_what_if_is_one_page_and_others_words_are_held_back(
    mother: Client, tenant: Tenant, gate: Gate, family: Family
) -> None:
    at = f"/family/{family.child}/if-things-go-wrong"
    assert (await mother.get(at)).status_code == 404
    assert at not in (await mother.get("/family")).text
    async with gate.open(family.child, rosa(family), SUPPORT, "tested") as access:
        said = {"carer_ill": "Ring the night team.", "who_to_ring": "1. 111",
                "child_ill": "Ask Zephyrin to the sand pit"}  # fmt: skip
        await keep_contingency(access, 0, said, date(2026, 11, 20))
    assert at in (await mother.get("/family")).text
    page = words((await mother.get(at)).text)
    assert "If the carer is ill tonight Ring the night team." in page
    assert "Zephyrin" not in page
    assert "This part may be about somebody else." in page


async def test_a_plan_of_before_has_no_page_of_its_own(
    mother: Client, tenant: Tenant, family: Family
) -> None:
    await give_plan(tenant, family)
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(select(Plan.state)) == "agreed"
    assert (await mother.get(f"/family/{family.child}/plan")).status_code == 404
    assert f"/family/{family.child}/plan" not in (await mother.get("/family")).text
