"""The nightly watch finds every child without a next step, and nobody else."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from panel.casework.gap_queries import GapKind
from panel.casework.settings_offered import SETTINGS
from panel.casework.watch import FIGURES, WATCHING, find_transitions, limits_on, watch
from panel.platform.cluster import Cluster
from panel.platform.jobs import run_due
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.casework.watch_world import (
    PLANTED,
    TODAY,
    id_of,
    knows_of_a_plan,
    open_cases,
    plant,
    world,
)

CHILDREN = 20_000
"""A tenth of them with a case that is over."""
PLANTS = 8
"""Of each of the twenty-five kinds: 200."""


async def found(tenant: Tenant) -> list[tuple[str, UUID]]:
    async with tenant.transaction(JOB) as session:
        rows = await session.execute(text("SELECT kind, child_id FROM gap WHERE closed_on IS NULL"))
        return sorted((row[0], row[1]) for row in rows)


async def written(tenant: Tenant) -> list[tuple[object, ...]]:
    async with tenant.transaction(JOB) as session:
        rows = await session.execute(text("SELECT id, version FROM gap ORDER BY id"))
        return [tuple(row) for row in rows]


async def night(tenant: Tenant, day: date = TODAY) -> None:
    async with tenant.transaction(JOB) as session:
        await find_transitions(session, day, 8)
        await watch(session, day)


async def test_two_hundred_planted_gaps_are_found_and_nothing_else(
    tenant: Tenant, database_of_own: Cluster
) -> None:
    """Of a tenth of the children the case is over, and nothing of it is left to find."""
    assert set(PLANTED) == set(GapKind)
    with world(database_of_own, CHILDREN) as made:
        planted = plant(made, PLANTS)
        assert len(planted) == 200
        # Reviews rest in IMPACT and with social care: none of them is overdue.
        resting = "next_review_by = '2026-11-20', rests_from = '2026-11-02'"
        made.change("referral", resting, open_cases(CHILDREN)[-PLANTS:])
        await night(tenant)
        assert await found(tenant) == sorted(planted)
        # Again in the same night: nothing is found twice, nothing is written.
        versions = await written(tenant)
        await night(tenant)
        assert await written(tenant) == versions


def test_how_long_something_may_wait_is_an_authoritys_to_set() -> None:
    usual = {one.key: one.default for one in FIGURES}
    friday = date(2026, 11, 27)
    assert limits_on(friday, usual).answered_by == date(2026, 11, 19)
    assert limits_on(friday, usual | {"watch.answered_days": 2}).answered_by == date(2026, 11, 24)
    assert set(usual) <= {one.key for one in SETTINGS}


async def test_what_was_mended_is_closed_and_stays_in_the_past(
    tenant: Tenant, database_of_own: Cluster
) -> None:
    """The gap is dated; lost again, it is another one."""
    with world(database_of_own, 300) as made:
        planted = plant(made, 1)
        await night(tenant)
        assert await found(tenant) == sorted(planted)
        first = open_cases(300)[:1]
        made.change("lead_professional", "state = 'accepted', until_on = NULL", first)
        tomorrow = TODAY + timedelta(days=1)
        await night(tenant, tomorrow)
        assert set(await found(tenant)) == planted - {("no_lead", id_of("child", first[0]))}
        made.change("lead_professional", "state = 'ended', until_on = '2026-11-24'", first)
        await night(tenant, tomorrow + timedelta(days=1))
        async with tenant.transaction(JOB) as session:
            rows = await session.execute(
                text(
                    "SELECT since_on, found_on, closed_on FROM gap WHERE kind = 'no_lead'"
                    " ORDER BY found_on"
                )
            )
            assert [tuple(row) for row in rows] == [
                (date(2026, 11, 11), TODAY, tomorrow),
                (date(2026, 11, 25), tomorrow + timedelta(days=1), None),
            ]


async def test_a_night_that_died_is_done_again(tenant: Tenant, database_of_own: Cluster) -> None:
    """What was not committed left nothing; the next one finds the same."""
    with world(database_of_own, 300) as made:
        planted = plant(made, 1)
        with pytest.raises(RuntimeError):
            async with tenant.transaction(JOB) as session:
                await watch(session, TODAY)
                raise RuntimeError("killed")
        assert await found(tenant) == []
        await night(tenant)
        assert await found(tenant) == sorted(planted)


async def test_changes_to_prepare_are_found_once(tenant: Tenant, database_of_own: Cluster) -> None:
    """From the birth date, as its days come; put right, what nobody prepares yet is not needed."""
    with world(database_of_own, 1) as made:
        made.connection.execute(b"UPDATE child SET birth_date = '2023-08-31'")
        await night(tenant)
        await night(tenant)
        reception = date(2027, 9, 1)
        assert await changes(tenant) == [("reception", reception, "watched")]
        # Once it is known that the child has an EHC plan, its date is watched as well.
        knows_of_a_plan(made, [1])
        await night(tenant)
        place = date(2027, 2, 15)
        assert await changes(tenant) == [
            ("early_years_place", place, "watched"),
            ("reception", reception, "watched"),
        ]
        made.connection.execute(b"UPDATE child SET birth_date = '2023-09-01'")
        await night(tenant)
        put_right = [
            ("nursery", date(2027, 1, 1), "watched"),
            ("early_years_place", place, "not_needed"),
            ("reception", reception, "not_needed"),
        ]
        assert await changes(tenant) == put_right
        await night(tenant, date(2027, 10, 4))
        assert await changes(tenant) == [
            *put_right,
            ("early_years_place", date(2028, 2, 15), "watched"),
            ("reception", date(2028, 9, 1), "watched"),
        ]


async def test_the_job_runs_once_a_night_by_the_panels_own_age(
    tenant: Tenant, database_of_own: Cluster
) -> None:
    """Six where a panel of the authority says so: somebody prepares it half a year before."""
    with world(database_of_own, 1) as made:
        made.connection.execute(b"UPDATE panel SET settings = '{\"age_limit\": 6}'")
        made.connection.execute(b"UPDATE child SET birth_date = '2021-03-01'")
        first = await run_due(tenant, [WATCHING], JOB)
        assert len(first) == 1
        assert await run_due(tenant, [WATCHING], JOB) == []
        assert await changes(tenant) == [("leaving_contacts", date(2027, 3, 1), "watched")]
        assert {kind for kind, _ in await found(tenant)} == {
            "transition_no_owner", "transition_no_agency",
        }  # fmt: skip


async def changes(tenant: Tenant) -> list[tuple[str, date, str]]:
    async with tenant.transaction(JOB) as session:
        rows = await session.execute(
            text("SELECT kind, due_on, state FROM transition ORDER BY due_on, kind")
        )
        return [(row[0], row[1], row[2]) for row in rows]
