"""Who may reach whom is compared with the facts, and mended; no row names another child's."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

import panel.app
from panel.cli import commands
from panel.panels.models import Referral
from panel.plans.models import Action, DesiredOutcome, Plan
from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.access_check import check_access, differences, links_between_children
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access
from panel.register.models import Child, Involvement
from panel.sharing.models import SharingOrder, SharingOverride, SharingRestriction
from panel.web import assets
from tests.sharing.family import TODAY, Family, hold_the_plan, invented_family, referred

MODELS = panel.app

TAMPERINGS = {
    "missing": "DELETE FROM child_access WHERE child_id = %(child)s AND viewer_id = %(tom)s",
    "too many": (
        "INSERT INTO child_access VALUES (%(child)s, %(nobody)s, '-infinity', 'infinity', '[]')"
    ),
    "different": (
        "UPDATE child_access SET valid_until = 'infinity', valid_from = '-infinity'"
        " WHERE child_id = %(child)s AND viewer_id = %(tom)s"
    ),
}
OTHER_TIES = (
    "UPDATE child_access SET ties = ties || ties WHERE child_id = %(child)s AND viewer_id = %(tom)s"
)
NO_SUCH_CHILD = (
    "INSERT INTO child_access VALUES (%(nobody)s, %(tom)s, '-infinity', 'infinity', '[]')"
)


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    found = await invented_family(tenant)
    await referred(tenant, found)
    await hold_the_plan(tenant, found)
    return found


@pytest.fixture
def as_owner(database_of_own: Cluster, tenant: Tenant, family: Family) -> Callable[[str], None]:
    def did(statement: str) -> None:
        assert database_of_own.owner_url is not None
        with psycopg.connect(database_of_own.owner_url) as owner:
            schema = sql.Identifier(tenant.record.schema_name)
            owner.execute(sql.SQL("SET search_path = {}").format(schema))
            given = {"child": family.child, "tom": family.tom.id, "nobody": UUID(int=7)}
            owner.execute(statement.encode(), given)

    return did


async def test_what_the_services_wrote_differs_in_nothing(tenant: Tenant, family: Family) -> None:
    assert await differences(tenant) == ()


async def test_the_comparison_knows_every_kind_of_fact_that_the_functions_know(
    tenant: Tenant, family: Family
) -> None:
    """Where this fails, `compare_access` was left behind by a change of `rewrite_child_access`."""
    day = datetime(2026, 11, 20, 9, tzinfo=UTC)
    async with tenant.transaction(JOB) as session:
        session.add_all(
            [
                SharingRestriction(
                    child_id=family.child, kind="protection", from_on=TODAY, reason="A threat",
                    against=[against], categories=[], until_on=until,
                )
                for against in (family.school, family.nia.id, family.father)
                for until in (None, TODAY)
            ]
        )  # fmt: skip
        session.add_all(
            SharingOrder(
                child_id=family.child, permits=permits, to=[to], from_on=TODAY, categories=[]
            )
            for permits in (True, False)
            for to in (family.school, family.grandmother, new_id())
        )
        session.add(
            SharingOverride(
                child_id=family.child, to_id=family.health, categories=[], starts_at=day,
                ends_at=day + timedelta(days=1), reason="At risk",
            )
        )  # fmt: skip
        await rewrite_access(session, family.child)
    assert await differences(tenant) == ()
    async with tenant.transaction(JOB) as session:
        await session.execute(text("SELECT rewrite_all_access()"))
    assert await differences(tenant) == ()


@pytest.mark.parametrize(
    ("what", "tampering"),
    [*TAMPERINGS.items(), ("different", OTHER_TIES), ("too many", NO_SUCH_CHILD)],
    ids=["missing", "too many", "other periods", "other ties", "a child who is not there"],
)
async def test_what_somebody_changed_past_the_functions_is_found_and_mended(
    tenant: Tenant, as_owner: Callable[[str], None], what: str, tampering: str
) -> None:
    as_owner(tampering)
    found = await check_access(tenant)
    assert [one.what for one in found.differences] == [what]
    assert found.left == found.differences
    mended = await check_access(tenant, mending=True)
    assert [one.what for one in mended.differences] == [what]
    assert mended.is_right
    assert await differences(tenant) == ()


async def test_facts_that_were_changed_without_their_access_are_found(
    tenant: Tenant, family: Family, as_owner: Callable[[str], None]
) -> None:
    as_owner(
        "UPDATE involvement SET until_on = '2026-10-01'"
        " WHERE child_id = %(child)s AND worker_id = %(tom)s"
    )
    (found,) = await differences(tenant)
    assert (found.reference, found.viewer_id, found.what) == ("C-1001", family.tom.id, "different")
    assert (await check_access(tenant, mending=True)).is_right
    async with tenant.transaction(family.tom.id) as session:
        assert await session.scalar(text("SELECT count(*) FROM plan")) == 0


async def test_it_is_compared_while_somebody_works(tenant: Tenant, family: Family) -> None:
    """Facts and access are seen together or not at all, and mending waits for whoever writes."""
    async with tenant.transaction(JOB) as session:
        session.add(
            Involvement(
                child_id=family.child, agency_id=family.school, worker_id=family.nia.id,
                from_on=TODAY,
            )
        )  # fmt: skip
        await session.flush()
        assert await differences(tenant) == ()
        await rewrite_access(session, family.child)
        assert await differences(tenant) == ()
    assert await differences(tenant) == ()


async def test_nobody_but_scheduled_work_compares(tenant: Tenant, family: Family) -> None:
    with pytest.raises(ProgrammingError, match="only scheduled work"):
        async with tenant.transaction(family.rosa.id) as session:
            await session.execute(text("SELECT * FROM compare_access()"))


@pytest.fixture
def doctor(for_commands: dict[str, str | None], family: Family) -> Callable[..., Result]:
    assets.build()

    def ran(*words: str) -> Result:
        return CliRunner().invoke(commands, ["doctor", *words], env=for_commands)

    return ran


def test_doctor_reports_mends_and_exits_1_while_something_differs(
    doctor: Callable[..., Result], as_owner: Callable[[str], None]
) -> None:
    well = doctor()
    assert well.exit_code == 0, well.output
    assert "testshire: who may reach whom is what the facts say" in well.output
    as_owner(TAMPERINGS["too many"])
    as_owner(TAMPERINGS["missing"])
    ill = doctor()
    assert ill.exit_code == 1
    assert "testshire: child_access has rows that are wrong: 1 missing, 1 too many." in ill.output
    assert "C-1001" in ill.output
    told = doctor("--json")
    assert told.exit_code == 1
    said = json.loads(told.stdout)["authorities"]["testshire"]
    assert said["child_access"] == {"missing": 1, "too_many": 1, "different": 0}
    assert {one["child"] for one in said["differences"]} == {"C-1001"}
    mended = doctor("--mend", "--json")
    assert mended.exit_code == 0, mended.output
    said = json.loads(mended.stdout)["authorities"]["testshire"]
    assert (said["child_access"]["missing"], said["left"]) == (1, 0)
    assert doctor().exit_code == 0
    assert doctor("--authority", "elsewhere").exit_code == 1


# Foreign keys, which the fences do not see.


async def second_child(tenant: Tenant) -> UUID:
    """A child whom nobody of the family's workers reaches, with a plan."""
    async with tenant.transaction(JOB) as session:
        child = Child(reference="C-1002", given_name="Otto", family_name="Wren", sex="male")
        await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
        session.add(child)
        await session.flush()
        await rewrite_access(session, child.id)
        plan = Plan(
            child_id=child.id, number=1, state="draft", author_agency_id=new_id(), started_on=TODAY
        )
        agency = await session.scalar(text("SELECT id FROM agency ORDER BY id LIMIT 1"))
        plan.author_agency_id = agency
        session.add(plan)
        await session.flush()
        return plan.id


def test_every_link_between_childrens_tables_has_its_trigger(database_of_own: Cluster) -> None:
    assert database_of_own.owner_url is not None
    with psycopg.connect(database_of_own.owner_url) as owner:
        rows = owner.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE t.tgname LIKE 'same_child_%'"
        ).fetchall()
    guarded = {(table, name.removeprefix("same_child_")) for table, name in rows}
    links = {(table, column) for table, column, _named in links_between_children()}
    assert links == guarded, (
        "A column that names a row of another of a child's tables needs the trigger of migration"
        " 0012 (TO_ONE_CHILD): the foreign key itself takes the row of any child."
    )


async def test_a_row_that_names_another_childs_is_refused_as_one_that_is_not_there(
    tenant: Tenant, family: Family
) -> None:
    plan = await second_child(tenant)
    said = []
    for named in (plan, new_id()):
        with pytest.raises(IntegrityError) as refused:
            async with tenant.transaction(family.rosa.id) as session:
                session.add(
                    DesiredOutcome(child_id=family.child, plan_id=named, position=1, text="Sleeps")
                )
                await session.flush()
        said.append(type(refused.value.orig).__name__)
    assert said == ["ForeignKeyViolation"] * 2
    # For scheduled work, which reaches both children, it is refused just so.
    with pytest.raises(IntegrityError):
        async with tenant.transaction(JOB) as session:
            session.add(Action(child_id=family.child, plan_id=plan, text="Ring", state="to_do"))
            await session.flush()


async def test_doctor_names_rows_that_crossed(
    tenant: Tenant, family: Family, as_owner: Callable[[str], None]
) -> None:
    plan = await second_child(tenant)
    as_owner("ALTER TABLE action DISABLE TRIGGER same_child_plan_id")
    async with tenant.transaction(JOB) as session:
        session.add(Action(child_id=family.child, plan_id=plan, text="Ring", state="to_do"))
    found = await check_access(tenant)
    assert [(one.table, one.column, one.count) for one in found.crossed] == [
        ("action", "plan_id", 1)
    ]
    assert not found.is_right


async def test_a_row_about_a_child_out_of_reach_is_refused_as_one_about_nobody(
    tenant: Tenant, family: Family
) -> None:
    await second_child(tenant)
    async with tenant.transaction(JOB) as session:
        other = await session.scalar(text("SELECT id FROM child WHERE reference = 'C-1002'"))
        panel_id = await session.scalar(text("SELECT id FROM panel"))
    said = []
    for child in (other, new_id()):
        with pytest.raises(ProgrammingError) as refused:
            async with tenant.transaction(family.rosa.id) as session:
                session.add(
                    Referral(
                        child_id=child, panel_id=panel_id, referred_on=TODAY,
                        agency_id=family.health,
                    )
                )  # fmt: skip
                await session.flush()
        said.append(str(refused.value.orig))
    assert said[0] == said[1]
