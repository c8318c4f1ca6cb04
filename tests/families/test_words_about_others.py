"""A plan that names somebody else is not read by the family before its words are checked."""

import re
from datetime import date

import httpx
import pytest
from sqlalchemy import select, text, update

from consent import Category, Purpose, Role, Viewer, ViewerKind
from panel.accounts.models import Agency
from panel.accounts.service import add_agency, add_worker, give_role
from panel.families.reading import child_for_family
from panel.panels.models import Referral
from panel.plans.models import Action, DesiredOutcome, FamilyClearance, LeadProfessional
from panel.plans.service import (
    PlanReading,
    carry_over,
    move_action,
    plan_for_reading,
    start_plan,
)
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.models import Child, Involvement
from panel.sharing.models import AccessRequest, SharingRestriction
from tests.conftest import SignIn
from tests.families.conftest import SignInFamily
from tests.families.household import (
    NAMED,
    REFERRED,
    ROSA_CHECKS,
    WAITS,
    Client,
    Family,
    give_plan,
    new_child,
    say,
    words,
)


async def stored(tenant: Tenant, family: Family, said: str) -> Action:
    """The action that says this, as it is stored."""
    async with tenant.transaction(JOB) as session:
        await load_keys(session, {family.child})
        return {row.text: row for row in await session.scalars(select(Action))}[said]


async def clear(client: Client, family: Family, said: str, why: str, **more: str) -> httpx.Response:
    """The signed-in worker opens a line that is held back and lets the family read it."""
    plan = await client.get(f"/children/{family.child}/plan")
    about = plan.text.index(f'<span class="govuk-visually-hidden"> of {said}</span>')
    path = re.findall(r'href="([^"]+/plan/lines/[^"]+)"', plan.text[:about])[-1]
    shown = await client.get(path)
    assert shown.status_code == 200, shown.text
    form = shown.text[shown.text.index(f'action="{path}"') :]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    return await client.post(path, data=hidden | {"why": why} | more, follow_redirects=False)


@pytest.fixture
async def planned(tenant: Tenant, family: Family) -> Family:
    """Freya's plan, in which Rosa names another child."""
    await give_plan(tenant, family)
    await say(tenant, family, NAMED)
    return family


async def test_a_name_of_another_child_is_never_on_the_familys_page(
    client: Client, tenant: Tenant, planned: Family, sign_in_family: SignInFamily
) -> None:
    # One whom Rosa leads too; and the name as it is typed in haste is still theirs.
    async with tenant.transaction(JOB) as session:
        other = await new_child(session, "C-1002", "Zephyrin", date(2021, 2, 3))
        session.add(
            LeadProfessional(
                child_id=other,
                worker_id=planned.rosa,
                agency_id=planned.agency,
                state="accepted",
                offered_on=REFERRED,
                offered_by=planned.rosa,
                from_on=REFERRED,
            )
        )
        await session.execute(update(Referral).values(state="closed"))
        for row in await session.scalars(select(DesiredOutcome)):
            if row.position == 1:
                row.text = "plays beside zephirin at the nursery"
    await say(tenant, planned, "Ring the neighbour, Mrs Pike", "Order the chair")
    for reader in (planned.mother, planned.father):
        await sign_in_family(reader)
        page = await client.get("/family")
        said = words(page.text)
        assert said.count(ROSA_CHECKS) == 3
        assert not re.search("zeph|pike|neighbour", said, re.IGNORECASE)
        assert "zephyrin" not in page.text.casefold()
        # How far it is stays told, and what is about nobody else is read as it is.
        assert "Rosa Whitlow · By Tuesday 15 December 2026" in said
        assert "The next part of the plan is for Tuesday 15 December 2026." in said
        assert "Keep a sleep diary Mum" in said
        assert "She has two friends Done." in said


async def test_who_does_it_is_compared_too(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    await give_plan(tenant, family)
    async with tenant.transaction(JOB) as session:
        await load_keys(session, {family.child})
        for row in await session.scalars(select(Action)):
            row.owner_words = "Zephyrin's aunt" if row.owner_words == "Mum" else row.owner_words
    await sign_in_family(family.mother)
    page = (await client.get("/family")).text
    assert ROSA_CHECKS in words(page)
    assert "Zephyrin" not in page
    assert "Keep a sleep diary" not in page


async def test_a_young_person_reads_the_sentence_and_then_the_words(
    client: Client,
    tenant: Tenant,
    planned: Family,
    sign_in: SignIn,
    sign_in_family: SignInFamily,
) -> None:
    async with tenant.transaction(JOB) as session:
        child = await session.get_one(Child, planned.child)
        child.birth_date = date(2010, 1, 5)
        await rewrite_access(session, planned.child)
    await sign_in_family(planned.child)
    assert ROSA_CHECKS in words((await client.get("/family")).text)
    await sign_in(planned.rosa)
    assert (await clear(client, planned, NAMED, "His mother knows")).status_code == 303
    await sign_in_family(planned.child)
    assert NAMED in words((await client.get("/family")).text)


async def test_the_lead_professional_lets_the_family_read_it_until_it_says_something_else(
    client: Client,
    tenant: Tenant,
    planned: Family,
    sign_in: SignIn,
    sign_in_family: SignInFamily,
) -> None:
    await sign_in(planned.rosa)
    shown = words((await client.get(f"/children/{planned.child}/plan")).text)
    assert f"{NAMED} The family cannot read this yet: “Zephyrin”." in shown
    refused = await clear(client, planned, NAMED, " ")
    assert refused.status_code == 422
    assert "Enter why the family may read it" in words(refused.text)
    assert "Zephyrin It may be another child, or somebody" in words(refused.text)
    assert (await clear(client, planned, NAMED, "old", version="99")).status_code == 409
    done = await clear(client, planned, NAMED, "His mother invited her")
    assert done.status_code == 303
    after = words((await client.get(f"/children/{planned.child}/plan")).text)
    assert "Rosa Whitlow said on 23 November 2026 that the family may read it: His mother" in after
    async with tenant.transaction(JOB) as session:
        await load_keys(session, {planned.child})
        row = (await session.scalars(select(FamilyClearance))).one()
        assert (row.created_by, row.words) == (planned.rosa, NAMED)
    await sign_in_family(planned.mother)
    page = (await client.get("/family")).text
    assert NAMED in words(page)
    assert "His mother invited her" not in page
    # The same name in other words is for a person to read again.
    await say(tenant, planned, "Bring Zephyrin to tea", NAMED)
    again = (await client.get("/family")).text
    assert "Zephyrin" not in again
    assert ROSA_CHECKS in words(again)
    await sign_in(planned.rosa)
    shown = words((await client.get(f"/children/{planned.child}/plan")).text)
    assert "The family cannot read this yet: “Zephyrin”." in shown
    assert "may read it: His mother" not in shown


async def test_nobody_but_the_lead_professional_lets_the_family_read_it(
    client: Client, tenant: Tenant, planned: Family, sign_in: SignIn
) -> None:
    async with tenant.transaction(JOB) as session:
        agency = await session.get_one(Agency, planned.agency)
        cleo = await add_worker(session, agency, name="Cleo Marsh", email="cleo@demo.example")
        await give_role(session, cleo, Role.PRACTITIONER)
        session.add(
            Involvement(
                child_id=planned.child, agency_id=agency.id, worker_id=cleo.id, from_on=REFERRED
            )
        )
        await rewrite_access(session, planned.child)
    line = f"/children/{planned.child}/plan/lines/{(await stored(tenant, planned, NAMED)).id}"
    await sign_in(cleo.id)
    plan = (await client.get(f"/children/{planned.child}/plan")).text
    assert NAMED in plan
    assert "cannot read this yet" not in plan
    assert (await client.get(line)).status_code == 403
    form = dict(re.findall(r'name="(_\w+)" value="([^"]*)"', plan))
    sent = {**form, "version": "1", "why": "I say so"}
    assert (await client.post(line, data=sent)).status_code == 403
    await sign_in(planned.rosa)
    # A line in which nothing is found is no page of its own, nor is one of nobody's.
    for other in ((await stored(tenant, planned, "Order the chair")).id, planned.mother):
        assert (
            await client.get(f"/children/{planned.child}/plan/lines/{other}")
        ).status_code == 404


async def test_what_is_protected_only_comes_out_and_is_not_told(
    client: Client,
    tenant: Tenant,
    planned: Family,
    sign_in: SignIn,
    sign_in_family: SignInFamily,
) -> None:
    async with tenant.transaction(JOB) as session:
        child = await session.get_one(Child, planned.child)
        child.address, child.postcode = "7 Hidden Row", "WX9 9ZZ"
        session.add(
            SharingRestriction(
                child_id=planned.child,
                kind="protection",
                categories=["contact", "network"],
                against=[planned.father],
                from_on=REFERRED,
                silent=True,
                by_words="The court",
            )
        )
    told = "Take the chair to 7 hidden row"
    await say(tenant, planned, told, NAMED)
    await say(tenant, planned, "Ask Rosa for the frame", "Order the chair")
    await sign_in_family(planned.father)
    page = await client.get("/family")
    said = words(page.text)
    assert said.count(f"{WAITS} Somebody who helps you checks the words before you can") == 2
    assert not re.search("hidden row|rosa|whitlow|court|address", page.text, re.IGNORECASE)
    # Rosa is no secret from the mother, who reads her name as it stands.
    await sign_in_family(planned.mother)
    assert "Ask Rosa for the frame" in words((await client.get("/family")).text)
    await sign_in(planned.rosa)
    row = await stored(tenant, planned, told)
    line = f"/children/{planned.child}/plan/lines/{row.id}"
    page = await client.get(line)
    assert "“7 hidden row” must come out." in words(page.text)
    assert "<textarea" not in page.text
    form = dict(re.findall(r'name="(_\w+)" value="([^"]*)"', page.text))
    refused = await client.post(
        line, data={**form, "version": str(row.version), "why": "It is fine"}
    )
    assert refused.status_code == 422
    assert "“7 hidden row” must come out: change the words" in words(refused.text)


async def test_without_anything_to_compare_with_nothing_is_read(
    tenant: Tenant, planned: Family, gate: Gate
) -> None:
    mother = Viewer(planned.mother, ViewerKind.FAMILY)
    async with gate.open(planned.child, mother, Purpose.SUPPORT, "tried it") as access:
        child = await child_for_family(access)
        plan = child.plan
        assert isinstance(plan, PlanReading)
        assert len(child.held) == len(plan.outcomes) + len(plan.actions) == 5
        assert {one.text for one in (*plan.outcomes, *plan.actions)} == {""}
        assert {one.owner for one in plan.actions} == {"Rosa Whitlow", ""}


async def test_words_that_may_be_read_stay_so_in_the_next_plan_and_go_when_they_are_moved(
    client: Client, tenant: Tenant, planned: Family, gate: Gate, sign_in: SignIn
) -> None:
    await sign_in(planned.rosa)
    assert (await clear(client, planned, NAMED, "His mother invited her")).status_code == 303
    rosa = Viewer(
        planned.rosa, ViewerKind.WORKER, planned.agency, "health", frozenset({Role.PRACTITIONER})
    )
    async with gate.open(planned.child, rosa, Purpose.SUPPORT, "started a plan") as access:
        await carry_over(access, await start_plan(access, "The spring"))
    shown = words((await client.get(f"/children/{planned.child}/plan")).text)
    assert f"{NAMED} Rosa Whitlow said on" in shown
    async with gate.open(planned.child, rosa, Purpose.SUPPORT, "moved an action") as access:
        cleared = (await access.session.scalars(select(FamilyClearance))).one()
        row = await access.session.get_one(Action, cleared.action_id)
        await move_action(row, access, "It was of another child")
        left = await access.session.scalar(text("SELECT count(*) FROM family_clearance"))
        assert left == 0
        assert isinstance(await plan_for_reading(access), PlanReading)


async def test_why_somebody_asks_is_not_read_where_it_may_be_about_others(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    reasons = {Category.FINANCE: "To plan her day", Category.HEALTH: "To see her with Zephyrin"}
    async with tenant.transaction(JOB) as session:
        school = await add_agency(session, key="ash", name="Ashdown School", kind="education")
        for category, reason in reasons.items():
            session.add(
                AccessRequest(
                    child_id=family.child,
                    agency_id=school.id,
                    worker_id=family.rosa,
                    category=category.value,
                    purpose="support",
                    reason=reason,
                    asked_on=REFERRED,
                )
            )
    await sign_in_family(family.mother)
    page = (await client.get(f"/family/{family.child}/choices")).text
    said = words(page)
    assert "This is why: To plan her day" in said
    assert "What they wrote may be about somebody else, so you do not read it here." in said
    assert "Zephyrin" not in page
