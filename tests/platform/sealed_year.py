"""Many events at once, written in SQL, for what is proved of all of them."""

import psycopg
from psycopg import sql

FILL = """
INSERT INTO access_event (id, child_id, at, viewer_id, viewer_kind, agency_id, purpose, doing,
  decisions)
SELECT md5('look' || n)::uuid, md5('child' || n %% 997)::uuid,
  '2026-11-23 09:30+00'::timestamptz + n * interval '1 millisecond',
  md5('worker' || n %% 89)::uuid, 'worker', NULLIF(md5('agency' || n %% 7), md5('agency3'))::uuid,
  'support', 'read the overview',
  CASE WHEN n %% 50 = 0 THEN '{"refused": "no tie"}'::jsonb
    ELSE '{"identity": "own_record", "health": "agreement", "plan": "agreement"}'::jsonb END
FROM generate_series(%s::bigint, %s::bigint) n
"""
EVENTS = """
INSERT INTO audit_event (id, at, actor_id, actor_kind, kind, details, holder_id, words)
SELECT md5('event' || n)::uuid, '2026-11-23 09:30+00'::timestamptz + n * interval '1 millisecond',
  md5('worker' || n %% 89)::uuid, 'worker', 'session.started', '{}',
  md5('holder' || n %% 5)::uuid, sha256(n::text::bytea)
FROM generate_series(%s::bigint, %s::bigint) n
"""


def fill(owner: psycopg.Connection, first: int, last: int) -> None:
    """Looks from one number to another, and an event for each twentieth, committed."""
    owner.execute(FILL.encode(), [first, last])
    owner.execute(EVENTS.encode(), [first // 20, last // 20 - 1])
    owner.commit()


def owner_of(url: str | None, schema: str) -> psycopg.Connection:
    """A connection as the owner in an authority's schema."""
    assert url is not None
    connection = psycopg.connect(url)
    connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
    connection.commit()
    return connection
