"""Who of a family may choose, who reads why not, and what is told to nobody."""

from datetime import date

import pytest
from sqlalchemy import select, update

from consent import Capacity, Category, Finding, Level, Purpose
from consent.standing import SHARING_MATTER
from panel.platform.clock import FixedClock, day_of
from panel.platform.tenancy import Tenant
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB, AccessEvent
from panel.records.gate import Gate, rewrite_access
from panel.register.models import Child, FamilyLink
from panel.sharing.models import (
    SharingEnquiry,
    SharingJudgement,
    SharingObjection,
    SharingRestriction,
)
from panel.sharing.noticing import tell_of_choices
from tests.conftest import SignIn
from tests.families.choosing import (
    ENDS,
    TODAY,
    School,
    agreed,
    choose,
    hidden_fields,
    may_see,
    path_of,
    protect_from,
    rehearse,
    standing,
    with_school,
    write_down,
)
from tests.families.conftest import SignInFamily
from tests.families.household import Client, Family, give_plan, words

BORN_16 = date(2010, 11, 1)


@pytest.fixture
async def school(tenant: Tenant, family: Family) -> School:
    return await with_school(tenant, family)


async def page_of(client: Client, family: Family) -> str:
    shown = await client.get(f"/family/{family.child}/choices")
    assert shown.status_code == 200, shown.text
    return words(shown.text)


async def born(tenant: Tenant, family: Family, day: date) -> None:
    async with tenant.transaction(JOB) as session:
        await session.execute(update(Child).where(Child.id == family.child).values(birth_date=day))
        await rewrite_access(session, family.child)


async def refused_by_hand(client: Client, family: Family, school: School) -> str:
    """A form posted by hand, with the session's own token: what the answer says."""
    home = (await client.get(f"/family/{family.child}/tell")).text
    token = hidden_fields(home, f"/family/{family.child}/tell")
    answer = await client.post(
        path_of(family, school.id),
        data=token | {"change": "share-basic", "read": "0123456789abcdef"},
        follow_redirects=False,
    )
    assert answer.status_code == 422, answer.text
    return words(answer.text)


async def doings(tenant: Tenant, family: Family) -> list[str]:
    async with tenant.transaction(JOB) as session:
        found = await session.scalars(
            select(AccessEvent.doing)
            .where(AccessEvent.child_id == family.child, AccessEvent.viewer_kind == "family")
            .order_by(AccessEvent.at, AccessEvent.id)
        )
        return list(found)


async def test_a_no_to_what_the_other_parent_agreed_becomes_an_objection(
    client: Client, tenant: Tenant, gate: Gate, family: Family, school: School,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    before = agreed(family.mother, {school.id}, agreed_on=date(2026, 11, 2))
    await write_down(gate, family, before)
    await sign_in_family(family.father)
    assert "Their mother said yes on 2 November 2026." in await page_of(client, family)
    said = words((await rehearse(client, family, school.id, "stop-everything")).text)
    assert "Somebody else who may choose said yes here. So your no is not the last word." in said
    assert "You should know by Monday 30 November 2026." in said
    assert "Until then what is shared now goes on." in said
    assert "no longer sees" not in said
    await choose(client, family, school.id, "stop-everything")
    assert await may_see(gate, family, school.tom, Category.PLAN), "it goes on until it is decided"
    async with tenant.transaction(JOB) as session:
        (row,) = await session.scalars(select(SharingObjection))
        assert (row.by_person_id, row.agencies) == (family.father, [school.id])
    said = await page_of(client, family)
    assert "You said no here. It is not settled yet." in said
    assert "What was shared before goes on. Nothing new is shared." in said
    waits = await rehearse(client, family, school.id, "share-more")
    assert waits.status_code == 422
    assert "Somebody said no, and it is not decided yet." in words(waits.text)
    await sign_in_family(family.mother)
    assert "Somebody said no here. It is not settled yet." in await page_of(client, family)


async def test_a_relative_reads_why_not_and_whom_to_ask(
    client: Client, tenant: Tenant, family: Family, school: School, sign_in_family: SignInFamily
) -> None:
    await sign_in_family(family.grandmother)
    said = await page_of(client, family)
    assert "Who may see what The parents choose who may see what." in said
    assert "Ask the person who helps you most." in said
    assert "Ashdown School" not in said
    assert (await client.get(f"/family/{family.child}/looks")).status_code == 403
    assert "You cannot choose this here. Nothing was changed." in await refused_by_hand(
        client, family, school
    )
    assert await standing(tenant, family) == []
    assert "tried to choose who may see what; nothing was changed" in await doings(tenant, family)


async def test_parental_responsibility_counts_only_as_it_is_recorded(
    client: Client, tenant: Tenant, family: Family, school: School, sign_in_family: SignInFamily
) -> None:
    async with tenant.transaction(JOB) as session:
        await session.execute(
            update(FamilyLink)
            .where(FamilyLink.family_member_id == family.father)
            .values(from_on=None)
        )
    await sign_in_family(family.father)
    said = await page_of(client, family)
    assert "It is not yet written down why you may choose for Freya." in said
    assert "Ask Rosa Whitlow." in said
    assert "Stop sharing" not in said
    assert "You cannot choose this here" in await refused_by_hand(client, family, school)
    assert await standing(tenant, family) == []


async def test_a_young_child_reads_whom_to_ask_until_a_worker_judged(
    client: Client, tenant: Tenant, gate: Gate, family: Family, school: School,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    await born(tenant, family, date(2012, 6, 15))
    await sign_in_family(family.child)
    said = await page_of(client, family)
    assert "For now a grown-up at home chooses this with you." in said
    assert "You cannot choose this here" in await refused_by_hand(client, family, school)
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingJudgement(
                child_id=family.child,
                finding=Finding.COMPETENT.value,
                matter=SHARING_MATTER,
                author_id=family.rosa,
                made_on=TODAY,
                why="She told me what it means",
            )
        )
    done = await choose(client, family, school.id, "share-basic")
    assert done.status_code == 303, words(done.text)
    (row,) = await standing(tenant, family)
    assert (row.capacity, row.by_person_id) == ("own_competent", family.child)
    assert await may_see(gate, family, school.tom, Category.PLAN)


async def test_from_16_the_young_person_alone(
    client: Client, tenant: Tenant, gate: Gate, family: Family, school: School,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    both = {school.id, family.agency}
    await write_down(gate, family, agreed(family.mother, both, level=Level.ADDITIONAL))
    await born(tenant, family, BORN_16)
    await sign_in_family(family.mother)
    said = await page_of(client, family)
    assert "Freya is 16 or older and chooses alone. You can talk with Freya." in said
    assert "Stop sharing" not in said
    await sign_in_family(family.child)
    said = words((await rehearse(client, family, school.id, "stop-more")).text)
    assert "You choose alone now. What you leave as it is goes on as your own choice." in said
    assert "Health visiting" not in said, "nothing changes for others"
    await choose(client, family, school.id, "stop-more")
    assert not await may_see(gate, family, school.tom, Category.HEALTH)
    assert await may_see(gate, family, school.tom, Category.PLAN)
    rows = await standing(tenant, family)
    assert {row.by_person_id for row in rows} == {family.child}
    assert {row.capacity for row in rows} == {"own"}
    said = await page_of(client, family)
    assert "You said yes on 23 November 2026." in said
    assert "Health visiting may see the name, the address, who helps and the plan." in said
    await choose(client, family, school.id, "stop-everything")
    assert not await may_see(gate, family, school.tom, Category.PLAN)


async def test_from_16_the_computer_of_an_agency_is_stopped_alone_and_let_in_again(
    client: Client, tenant: Tenant, gate: Gate, family: Family, school: School,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    both = frozenset({Purpose.SUPPORT, Purpose.EXCHANGE})
    await write_down(gate, family, agreed(family.mother, {school.id}, purposes=both))
    await born(tenant, family, BORN_16)
    await sign_in_family(family.child)
    assert "Its computer gets what the family said yes to." in await page_of(client, family)
    await choose(client, family, school.id, "stop-system")
    found = {(row.given, tuple(row.purposes)) for row in await standing(tenant, family)}
    assert found == {(False, ("exchange",)), (True, ("support",))}
    assert await may_see(gate, family, school.tom, Category.PLAN)
    await choose(client, family, school.id, "share-more")
    assert "Its computer gets only what this team wrote." in await page_of(client, family)
    await choose(client, family, school.id, "share-system")
    assert "Its computer gets what the family said yes to." in await page_of(client, family)
    rows = await standing(tenant, family)
    assert {row.by_person_id for row in rows} == {family.child}
    assert [tuple(row.purposes) for row in rows if row.given and "exchange" in row.purposes] == [
        ("exchange",)
    ]


async def test_what_is_kept_from_a_parent_leaves_no_trace(
    client: Client, tenant: Tenant, gate: Gate, family: Family, school: School,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    """A parent from whom the address is kept reads the same as if nobody else had chosen."""
    await write_down(gate, family, agreed(family.father, {family.agency}))
    await sign_in_family(family.father)
    await write_down(gate, family, agreed(family.mother, {school.id, family.agency}))
    await protect_from(tenant, family, "contact", {family.father, family.agency}, silent=True)
    said = await page_of(client, family)
    assert "Ashdown School" not in said
    assert "mother" not in said
    assert "Health visiting may see the name, the address, who helps and the plan." in said
    assert "The people who run the panel" not in said
    said = words((await rehearse(client, family, family.agency, "stop-everything")).text)
    assert "Health visiting no longer sees the name, the address, who helps or the plan." in said
    await choose(client, family, family.agency, "stop-everything")
    async with tenant.transaction(JOB) as session:
        assert list(await session.scalars(select(SharingObjection))) == []
    # What he tries with the school tells him nothing of who else agreed with it.
    before = words((await rehearse(client, family, school.id, "share-basic")).text)
    assert "Ashdown School may see the name, the address, who helps and the plan." in before
    await choose(client, family, school.id, "share-basic")
    after = words((await rehearse(client, family, school.id, "stop-everything")).text)
    assert "Ashdown School no longer sees the name, the address, who helps or the plan." in after
    await sign_in_family(family.mother)
    said = await page_of(client, family)
    assert "Ashdown School may see" in said
    assert "Health visiting may see the name, who helps and the plan." in said


@pytest.mark.parametrize("silent", [True, False])
async def test_a_no_that_is_tried_out_does_not_tell_with_whom_the_other_parent_agreed(
    client: Client,
    tenant: Tenant,
    gate: Gate,
    family: Family,
    school: School,
    sign_in_family: SignInFamily,
    *,
    silent: bool,
) -> None:
    await write_down(gate, family, agreed(family.mother, {school.id}))
    await protect_from(tenant, family, "network", {family.father}, silent=silent)
    await sign_in_family(family.father)
    for about in ("everything", "basic", "health"):
        said = []
        for agency in (school.id, family.agency):
            tried = await rehearse(client, family, agency, f"refuse-{about}")
            assert tried.status_code == 422
            said.append(words(tried.text))
        assert said[0] == said[1]
        assert "said yes here" not in said[0]


async def test_what_the_law_opens_has_no_switch(
    client: Client, tenant: Tenant, family: Family, school: School,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    async with tenant.transaction(JOB) as session:
        session.add(SharingEnquiry(child_id=family.child, agencies=[school.id], from_on=TODAY))
    await sign_in_family(family.mother)
    said = await page_of(client, family)
    assert "They check that a child is safe. The law says that they may." in said
    section = said[said.index("Ashdown School") : said.index("Health visiting")]
    assert section.count("The law says that they may see this.") == 4
    assert "Stop sharing" not in section


async def test_whoever_leads_is_told_once(
    client: Client,
    tenant: Tenant,
    gate: Gate,
    clock: FixedClock,
    family: Family,
    school: School,
    sign_in_family: SignInFamily,
) -> None:
    await write_down(gate, family, agreed(family.mother, {school.id}))
    async with tenant.transaction(JOB) as session:
        assert await tell_of_choices(session, TODAY, "https://x") == 0, "a worker wrote it down"
    await sign_in_family(family.mother)
    await choose(client, family, school.id, "stop-everything")
    for expected in (1, 0):
        async with tenant.transaction(JOB) as session:
            assert await tell_of_choices(session, day_of(clock.now()), "https://x") == expected
    async with tenant.transaction(JOB) as session:
        (row,) = await session.scalars(
            select(OutboxMessage).where(OutboxMessage.kind == "sharing_chosen")
        )
        assert row.to_viewer_id == family.rosa


async def test_bad_input_is_a_sentence_and_writes_nothing(
    client: Client, tenant: Tenant, gate: Gate, family: Family, school: School,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    await write_down(gate, family, agreed(family.mother, {school.id}))
    await sign_in_family(family.mother)
    shown = await rehearse(client, family, school.id, "keep-everything")
    path = path_of(family, school.id)
    form = hidden_fields(shown.text, path)

    async def sent(**more: str) -> str:
        answer = await client.post(path, data=form | more, follow_redirects=False)
        assert answer.status_code == 422, answer.text
        return words(answer.text)

    past = {"until-day": "1", "until-month": "9", "until-year": "2026"}
    assert "The last day cannot be in the past. Choose a later day" in await sent(**past)
    assert "must be a real date" in await sent(**(past | {"until-day": "31"}))
    for wrong in ("", "stop", "drop-basic", "stop-table", "share-"):
        answer = await client.get(path, params={"change": wrong})
        assert answer.status_code == 422
        assert "Choose one of the buttons on this page" in words(answer.text)
    assert "Choose one of the buttons on this page" in await sent(change="steal-all")
    assert "This has changed since you opened the page" in await sent(read="")
    nobody = await rehearse(client, family, family.child, "share-basic")
    assert nobody.status_code == 422
    (row,) = await standing(tenant, family)
    assert (row.until_on, row.version) == (ENDS, 1)


async def test_an_old_page_is_read_again_before_it_counts(
    client: Client, tenant: Tenant, gate: Gate, family: Family, school: School,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    await write_down(gate, family, agreed(family.mother, {school.id}))
    await sign_in_family(family.mother)
    shown = await rehearse(client, family, school.id, "stop-everything")
    form = hidden_fields(shown.text, path_of(family, school.id))
    await write_down(gate, family, agreed(family.father, {school.id}))
    answer = await client.post(path_of(family, school.id), data=form, follow_redirects=False)
    assert answer.status_code == 422
    said = words(answer.text)
    assert "This has changed since you opened the page. Nothing was done." in said
    assert "Somebody else who may choose said yes here." in said
    assert await may_see(gate, family, school.tom, Category.PLAN)
    assert len(await standing(tenant, family)) == 2
    fresh = hidden_fields(answer.text, path_of(family, school.id))
    done = await client.post(path_of(family, school.id), data=fresh, follow_redirects=False)
    assert done.status_code == 303
    twice = await client.post(path_of(family, school.id), data=fresh, follow_redirects=False)
    assert twice.status_code == 303, "sent twice is done once"
    assert len(await standing(tenant, family)) == 1


async def test_capacity_is_not_what_somebody_says_of_themselves(
    gate: Gate, tenant: Tenant, family: Family, school: School, client: Client,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    """A form cannot name another person or capacity: there is no field for either."""
    await sign_in_family(family.grandmother)
    home = (await client.get(f"/family/{family.child}/tell")).text
    token = hidden_fields(home, f"/family/{family.child}/tell")
    for more in ({"by": str(family.mother)}, {"capacity": Capacity.BEST_INTERESTS.value}):
        answer = await client.post(
            path_of(family, school.id), data=token | {"change": "share-basic"} | more
        )
        assert answer.status_code == 422
    assert await standing(tenant, family) == []


async def test_a_stored_link_shows_no_more_than_may_be_seen_now(
    client: Client,
    tenant: Tenant,
    gate: Gate,
    family: Family,
    school: School,
    sign_in: SignIn,
    sign_in_family: SignInFamily,
) -> None:
    await write_down(gate, family, agreed(family.mother, {school.id}))
    await give_plan(tenant, family)
    stored = f"/children/{family.child}/plan"
    await sign_in(school.tom.id)
    assert "She dresses herself" in (await client.get(stored)).text
    await sign_in_family(family.mother)
    await choose(client, family, school.id, "stop-everything")
    await sign_in(school.tom.id)
    again = await client.get(stored)
    assert "She dresses herself" not in again.text
    assert "withdrew the agreement on 23 November 2026." in words(again.text)
    async with tenant.transaction(JOB) as session:
        last = (
            await session.scalars(
                select(AccessEvent)
                .where(AccessEvent.viewer_id == school.tom.id)
                .order_by(AccessEvent.at.desc(), AccessEvent.id.desc())
                .limit(1)
            )
        ).one()
        assert str(last.decisions["plan"]).startswith("withheld")


async def test_what_others_refused_is_not_opened_by_a_yes(
    client: Client, tenant: Tenant, gate: Gate, family: Family, school: School,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    """Nor what was decided after a no, or what the family chose to hold back."""
    await write_down(
        gate,
        family,
        agreed(
            family.father, {school.id}, given=False, level=None, purposes=frozenset(),
            named=frozenset({Category.FINANCE}), until_on=None,
        ),
    )  # fmt: skip
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingObjection(
                child_id=family.child,
                by_person_id=family.father,
                by_words="her father",
                agencies=[school.id],
                categories=["health"],
                raised_on=date(2026, 11, 2),
                reason="No",
                decided_on=date(2026, 11, 9),
                decided_by=family.coordinator,
                upheld=True,
            )
        )
    await sign_in_family(family.mother)
    said = await page_of(client, family)
    section = said[said.index("Ashdown School") : said.index("Health visiting")]
    assert section.count("Somebody else said no to this. Ask Rosa Whitlow.") == 2
    assert section.count("Share this") == 2, "the basics, and worries"
    await choose(client, family, school.id, "share-basic")
    assert await may_see(gate, family, school.tom, Category.PLAN)
    assert not await may_see(gate, family, school.tom, Category.FINANCE)


async def test_a_young_person_from_whom_an_address_is_kept_still_chooses(
    client: Client, tenant: Tenant, gate: Gate, family: Family, school: School,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    await write_down(gate, family, agreed(family.mother, {school.id, family.agency}))
    await born(tenant, family, BORN_16)
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingRestriction(
                child_id=family.child,
                kind="protection",
                categories=["contact"],
                against=[family.child],
                from_on=TODAY,
                silent=True,
                reason="A sibling lives elsewhere",
            )
        )
    await sign_in_family(family.child)
    await choose(client, family, school.id, "stop-everything")
    assert not await may_see(gate, family, school.tom, Category.PLAN)
    said = await page_of(client, family)
    assert "Health visiting may see the name, the address, who helps and the plan." in said


async def test_an_end_after_18_is_refused_with_the_last_day(
    client: Client, tenant: Tenant, gate: Gate, family: Family, school: School,
    sign_in_family: SignInFamily,
) -> None:  # fmt: skip
    await write_down(gate, family, agreed(family.mother, {school.id}))
    await sign_in_family(family.mother)
    late = {"until-day": "15", "until-month": "6", "until-year": "2040"}
    answer = await choose(client, family, school.id, "keep-everything", **late)
    assert answer.status_code == 422
    assert "the end can be 14 June 2040 at most" in words(answer.text)
    (row,) = await standing(tenant, family)
    assert row.until_on == ENDS
