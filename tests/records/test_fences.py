"""The policies probe an index for each row: for who reaches few children, and for who reaches half.

The other ways to write such a policy become a hash of every child in reach, or a scan, and cost a
hundred times more; nothing else would tell, since they return the same rows.
"""

from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant

CHILDREN = 3000
NARROW = 35

_FILL = """
INSERT INTO agency (id, key, name, kind, created_at, created_by, changed_at, changed_by, version)
VALUES (%(agency)s, 'hv', 'Health visiting', 'health', now(), %(agency)s, now(), %(agency)s, 1);
INSERT INTO child (id, reference, sex, nhs_number_verified, created_at, created_by, changed_at,
                   changed_by, version)
SELECT gen_random_uuid(), 'C-' || n, 'female', false, now(), %(agency)s, now(), %(agency)s, 1
  FROM generate_series(1, %(children)s) n;
INSERT INTO plan (id, child_id, number, state, author_agency_id, started_on, created_at,
                  created_by, changed_at, changed_by, version)
SELECT gen_random_uuid(), id, 1, 'agreed', %(agency)s, '2026-09-01', now(), %(agency)s, now(),
       %(agency)s, 1 FROM child;
INSERT INTO child_access (child_id, viewer_id, valid_from, valid_until, ties)
SELECT id, %(narrow)s, '-infinity', 'infinity', '[]'::jsonb
  FROM child ORDER BY reference LIMIT %(few)s;
INSERT INTO child_access (child_id, viewer_id, valid_from, valid_until, ties)
SELECT id, %(wide)s, '-infinity', 'infinity', '[]'::jsonb
  FROM child ORDER BY reference LIMIT %(children)s / 2;
INSERT INTO child_access (child_id, viewer_id, valid_from, valid_until, ties)
SELECT c.id, v.id, '-infinity', 'infinity', '[]'::jsonb
  FROM child c, (SELECT gen_random_uuid() AS id FROM generate_series(1, 4)) v;
ANALYZE agency, child, plan, child_access;
"""


@dataclass(frozen=True)
class Viewers:
    """Who reaches few children, and who reaches half of them."""

    narrow: UUID
    wide: UUID


@pytest.fixture
async def viewers(database_of_own: Cluster, tenant: Tenant) -> Viewers:
    """Some thousand children with a plan each, written as the owner."""
    made = Viewers(new_id(), new_id())
    assert database_of_own.owner_url is not None
    given = {
        "agency": new_id(),
        "children": CHILDREN,
        "few": NARROW,
        "narrow": made.narrow,
        "wide": made.wide,
    }
    with psycopg.connect(database_of_own.owner_url, autocommit=True) as owner:
        owner.execute(
            sql.SQL("SET search_path = {}").format(sql.Identifier(tenant.record.schema_name))
        )
        for statement in filter(str.strip, _FILL.split(";")):
            owner.execute(statement, given)
    return made


LIST = """
SELECT p.id FROM child_access a JOIN plan p ON p.child_id = a.child_id
WHERE a.viewer_id = :viewer AND a.valid_from <= now() AND a.valid_until >= now()
ORDER BY a.child_id DESC LIMIT 26
"""
ONE = "SELECT id FROM plan WHERE child_id = (SELECT min(child_id::text)::uuid FROM child_access)"
FORGOTTEN = "SELECT p.id, c.reference FROM plan p JOIN child c ON c.id = p.child_id"


@pytest.mark.parametrize("reach", ["narrow", "wide"])
@pytest.mark.parametrize("query", [LIST, ONE, FORGOTTEN], ids=["list", "one", "forgotten join"])
async def test_a_policy_probes_an_index(
    tenant: Tenant, viewers: Viewers, reach: str, query: str
) -> None:
    viewer: UUID = getattr(viewers, reach)
    async with tenant.transaction(viewer) as session:
        await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
        lines = await session.execute(text(f"EXPLAIN {query}"), {"viewer": viewer})
        plan = "\n".join(lines.scalars())
    assert "hashed SubPlan" not in plan, plan
    assert "Seq Scan on child_access" not in plan, plan
    policies = plan[plan.index("SubPlan") :]
    assert "Index" in policies, plan
    assert "child_id =" in policies, plan


@pytest.mark.parametrize(("reach", "children"), [("narrow", NARROW), ("wide", CHILDREN // 2)])
async def test_a_query_without_a_filter_finds_only_what_is_in_reach(
    tenant: Tenant, viewers: Viewers, reach: str, children: int
) -> None:
    async with tenant.transaction(getattr(viewers, reach)) as session:
        for table in ("child", "plan"):
            found = await session.execute(text(f"SELECT count(*) FROM {table}"))
            assert found.scalar_one() == children
    async with tenant.transaction(new_id()) as session:
        assert (await session.execute(text("SELECT count(*) FROM plan"))).scalar_one() == 0
