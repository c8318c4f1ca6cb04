"""One parent says no: both read on their own page what is decided, and nobody's reasons."""

from datetime import date, timedelta

from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.sharing.models import SharingObjection
from tests.families.conftest import SignInFamily
from tests.families.household import Client, Family, words


async def raise_objection(tenant: Tenant, family: Family) -> SharingObjection:
    async with tenant.transaction(JOB) as session:
        made = SharingObjection(
            child_id=family.child,
            by_person_id=family.mother,
            by_words="her mother",
            agencies=[],
            categories=[],
            raised_on=date(2026, 11, 23),
            reason="A reason nobody else reads",
        )
        session.add(made)
        await session.flush()
        return made


async def test_both_parents_read_what_is_decided_and_no_reasons(
    client: Client,
    tenant: Tenant,
    family: Family,
    clock: FixedClock,
    sign_in_family: SignInFamily,
) -> None:
    made = await raise_objection(tenant, family)
    for person, who in ((family.mother, "You"), (family.father, "Somebody who may decide")):
        await sign_in_family(person)
        page = (await client.get("/family")).text
        assert f"{who} said no to sharing more. New sharing waits until this is decided." in words(
            page
        )
        assert "by Monday 30 November 2026" in words(page)
        assert "A reason nobody" not in page
    async with tenant.transaction(JOB) as session:
        row = await session.get_one(SharingObjection, made.id)
        row.decided_on, row.decided_by = date(2026, 11, 25), family.child
        row.upheld, row.decision_reason = True, "Both were heard"
    clock.set(clock.now() + timedelta(days=3))
    await sign_in_family(family.mother)
    page = (await client.get("/family")).text
    assert "It was decided on Wednesday 25 November 2026. It is not shared." in words(page)
    assert "Both were heard" not in page
    clock.set(clock.now() + timedelta(days=40))
    await sign_in_family(family.mother)
    assert "said no to sharing" not in words((await client.get("/family")).text)


async def test_a_relative_reads_nothing_of_it(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    await raise_objection(tenant, family)
    await sign_in_family(family.grandmother)
    assert "said no to sharing" not in words((await client.get("/family")).text)
