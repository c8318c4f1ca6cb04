"""Puts the invented county into the demonstration's database, once, as the database's owner.

The application has no right to: figures of real children can never be mixed with invented ones by
a page, an import or a job. From there the county goes the way of all facts, so what holds of facts
holds of it too: `panel insight facts --check` reads it again beside the rooms.
"""

from datetime import date
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from panel.demo.county import lines
from panel.demo.county_places import COUNTY, boundaries


def lay_county(owner_url: str, schema: str, *, seed: int, children: int, today: date) -> bool:
    """Write the county's wards and children; whether it was not there yet."""
    with psycopg.connect(owner_url) as connection:
        connection.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(schema)))
        if connection.execute("SELECT FROM invented_child LIMIT 1").fetchone() is not None:
            return False
        drawn: dict[str, dict[str, Any]] = boundaries()
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO area (code, name, boundary) VALUES (%s, %s, %s)"
                " ON CONFLICT (code) DO UPDATE SET boundary = EXCLUDED.boundary",
                [(one.code, one.name, Jsonb(drawn[one.code])) for one in COUNTY],
            )
            # One statement: what is touched is noted once for each.
            rows = lines(seed, children, today)
            cursor.execute(
                "INSERT INTO invented_child (id, line)"
                " SELECT * FROM unnest(%s::uuid[], %s::text[])",
                ([one for one, _ in rows], [line for _, line in rows]),
            )
    return True
