"""How long the information governance lead waits for a search of the history of looks.

A made-up authority of 2,000 workers, 20,000 children and so many looks over two years is written
in SQL; each kind of question is asked of the first page and of the next, as the site asks it.
Prints the median of each, and what a look costs to write down with the indexes and without. Never
fails on a time. `--events` says how many looks: 10,000,000 take some ten minutes and 6 GB.
"""

import argparse
import asyncio
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID

import psycopg
from pages import _bench_folder
from psycopg import sql
from sqlalchemy import text

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.service import add_agency, add_worker, give_role
from panel.governance.history import HistoryQuestion, search_history
from panel.governance.patterns import find_unusual
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster, open_cluster
from panel.platform.database import Database
from panel.platform.masterkey import master_key
from panel.platform.migrate import ensure_control, migrate_all
from panel.platform.tenancy import Tenant, authority_named, keyring, record_authority
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.state import SharingFacts
from panel.web.paging import Asked, read_cursor

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ROUNDS = 9
CHILDREN, WORKERS, AGENCIES = 20_000, 2_000, 40

# Ids are made from numbers, so that a child's and a worker's can be named while rows are made.
_FILL = """
CREATE FUNCTION pg_temp.an_id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
  $$ SELECT md5(kind || n)::uuid $$;
INSERT INTO agency (id, key, name, kind, created_at, created_by, changed_at, changed_by, version)
SELECT pg_temp.an_id('a', n), 'a' || n, 'Agency ' || n, 'health', now(), %(job)s, now(), %(job)s, 1
  FROM generate_series(1, %(agencies)s) n;
INSERT INTO worker (id, agency_id, job_title, email_index, created_at, created_by, changed_at,
  changed_by, version)
SELECT pg_temp.an_id('w', n), pg_temp.an_id('a', 1 + n %% %(agencies)s), '',
  decode(md5('w' || n), 'hex'), now(), %(job)s, now(), %(job)s, 1
  FROM generate_series(1, %(workers)s) n;
INSERT INTO child (id, reference, sex, nhs_number_verified, created_at, created_by, changed_at,
  changed_by, version)
SELECT pg_temp.an_id('c', n), 'C-' || n, 'female', false, now(), %(job)s, now(), %(job)s, 1
  FROM generate_series(1, %(children)s) n;
"""
_EVENTS = """
INSERT INTO access_event (id, child_id, at, viewer_id, viewer_kind, agency_id, purpose, doing,
  decisions)
SELECT lpad(to_hex(n), 32, '0')::uuid, pg_temp.an_id('c', 1 + (n * 7919) %% %(children)s),
  %(now)s - interval '2 years' * (1 - n::float / %(events)s),
  pg_temp.an_id('w', w.k), 'worker', pg_temp.an_id('a', 1 + w.k %% %(agencies)s),
  CASE WHEN n %% 100000 = 0 THEN 'subject_access' WHEN n %% 5 = 0 THEN 'panel' ELSE 'support' END,
  'read the overview',
  CASE WHEN n %% 2000 = 0 THEN '{"refused": "no tie"}'::jsonb
    ELSE '{"identity": "own_record", "contact": "agreement", "health": "agreement",
      "plan": "agreement", "finance": "withheld: nothing"}'::jsonb END
FROM generate_series(1::bigint, %(events)s) n,
  LATERAL (SELECT 1 + (n * 104729) %% %(workers)s AS k) w
"""
_ONE_MORE = """
INSERT INTO access_event (id, child_id, at, viewer_id, viewer_kind, agency_id, purpose, doing,
  decisions)
SELECT gen_random_uuid(), pg_temp.an_id('c', 1 + floor(random() * 20000)::bigint), now(),
  pg_temp.an_id('w', 1 + floor(random() * 2000)::bigint), 'worker', pg_temp.an_id('a', 3),
  'support', 'read the overview', '{"identity": "own_record", "health": "agreement"}'
"""


def main() -> None:
    """Fill, measure, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--events", type=int, default=1_000_000)
    events: int = asked.parse_args().events
    with ExitStack() as leaving:
        folder = Path(leaving.enter_context(_bench_folder()))
        cluster = leaving.enter_context(open_cluster(None, folder))
        asyncio.run(_measure(cluster, folder, events))


async def _measure(cluster: Cluster, folder: Path, events: int) -> None:
    assert cluster.owner_url is not None
    ensure_control(cluster.owner_url)
    master = master_key(None, folder / "keys" / "master.key")
    record_authority(
        cluster.owner_url, master, name="bench", label="Bench", host="bench.localhost", demo=True
    )
    migrate_all(cluster.owner_url, lambda _line: None)
    record = authority_named(cluster.app_url, None)
    database = Database(cluster.app_url, pool_size=2)
    tenant = Tenant(record, database, keyring(record, master), FixedClock(NOW))
    gate = Gate(tenant, SharingFacts())
    _fill(cluster.owner_url, record.schema_name, events)
    async with tenant.transaction(JOB) as session:
        office = await add_agency(session, key="office", name="Office", kind="council")
        worker = await add_worker(session, office, name="Ada Lead", email="ada@demo.example")
        await give_role(session, worker, Role.GOVERNANCE_LEAD)
        somebody: UUID = (
            await session.execute(text("SELECT id FROM worker WHERE agency_id <> :a LIMIT 1"),
                                  {"a": office.id})
        ).scalar_one()  # fmt: skip
        agency: UUID = (
            await session.execute(text("SELECT id FROM agency WHERE key = 'a7'"))
        ).scalar_one()
    lead = Viewer(
        worker.id, ViewerKind.WORKER, office.id, "council", frozenset({Role.GOVERNANCE_LEAD})
    )
    day = date(2026, 3, 4)
    questions = {
        "everything": HistoryQuestion(),
        "a worker": HistoryQuestion(worker=somebody),
        "an agency": HistoryQuestion(agency=agency),
        "a child": HistoryQuestion(reference="C-1042"),
        "a day": HistoryQuestion(since=day, until=day),
        "a rare purpose": HistoryQuestion(purpose=Purpose.SUBJECT_ACCESS),
        "a purpose that nobody had": HistoryQuestion(purpose=Purpose.SAFEGUARDING),
        "refused": HistoryQuestion(refused_only=True),
        "refused, an agency": HistoryQuestion(refused_only=True, agency=agency),
        "a worker, a purpose, a month": HistoryQuestion(
            worker=somebody, purpose=Purpose.PANEL, since=day, until=day + timedelta(days=30)
        ),
        "an agency, a rare purpose": HistoryQuestion(agency=agency, purpose=Purpose.SUBJECT_ACCESS),
    }
    for said, question in questions.items():
        first, following = [], []
        for _ in range(ROUNDS):
            began = perf_counter()
            page = await search_history(gate, lead, question, Asked())
            first.append(perf_counter() - began)
            if page.next is not None:
                began = perf_counter()
                await search_history(gate, lead, question, read_cursor(page.next, (datetime, UUID)))
                following.append(perf_counter() - began)
        after = f", next page {median(following) * 1000:.1f} ms" if following else ""
        print(f"{said}: {len(page.rows)} looks, {median(first) * 1000:.1f} ms{after}")
    began = perf_counter()
    async with tenant.transaction(JOB) as session:
        found = await find_unusual(session, day)
    print(f"unusual patterns of a day: {found} in {perf_counter() - began:.1f} s")
    await database.close()


def _fill(url: str, schema: str, events: int) -> None:
    given = {
        "job": JOB, "agencies": AGENCIES, "workers": WORKERS, "children": CHILDREN,
        "events": events, "now": NOW,
    }  # fmt: skip
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        owner.execute("SET maintenance_work_mem = '512MB'")
        indexes = owner.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = %s"
            " AND tablename = 'access_event' AND indexname LIKE 'ix_access_event_%%at'",
            [schema],
        ).fetchall()
        for name, _ in indexes:
            owner.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        for statement in (*filter(str.strip, _FILL.split(";\n")), _EVENTS):
            owner.execute(statement.encode(), given)
        bare = _one_more(owner)
        for _, definition in indexes:
            owner.execute(definition.encode())
        owner.execute("ANALYZE access_event, child, worker, agency")
        size = owner.execute("SELECT pg_size_pretty(pg_total_relation_size('access_event'))")
        told = size.fetchone()
        print(
            f"{events:,} looks, {told[0] if told else '?'}; to write one down {bare:.2f} ms without"
            f" the new indexes, {_one_more(owner):.2f} ms with them"
        )


def _one_more(owner: psycopg.Connection[tuple[object, ...]]) -> float:
    took = []
    for _ in range(300):
        began = perf_counter()
        owner.execute(_ONE_MORE.encode())
        took.append(perf_counter() - began)
    return median(took) * 1000


if __name__ == "__main__":
    main()
