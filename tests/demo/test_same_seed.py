"""The same seed gives the same demonstration, but for ids and ciphertext."""

import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import LargeBinary, inspect

from panel.platform.cluster import Cluster
from panel.platform.tables import Base
from panel.platform.work_tables import FactChange
from panel.records.child_scoped import JOB, ChildAccess
from tests.demo.year import database_from, rows_of, tables, tenant_of, write_demo

pytestmark = pytest.mark.database

UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KEYED = re.compile(r"\b[0-9a-f]{64}\b")
"""A mark that is made with the authority's key, as ciphertext is."""
OF_THE_SERVER = (ChildAccess, FactChange)
"""Read another way; and numbers and moments of transactions, which are no invention."""
ROUNDS = 4
"""How far what a row refers to counts for what it is: child, plan, outcome, progress."""


async def contents(cluster: Cluster, data_dir: Path) -> dict[str, Counter[str]]:
    """What every table says, as a count of fingerprints that know no id."""
    tenant = tenant_of(cluster, data_dir)
    told: dict[tuple[str, UUID], str] = {}
    unkeyed = {"child_access": who_may_reach_whom(cluster)}
    try:
        async with tenant.transaction(JOB) as session:
            for table in (one for one in tables() if one not in OF_THE_SERVER):
                for row in await rows_of(session, table):
                    name, said = table.__tablename__, said_by(table, row)
                    if isinstance(row.id, UUID):
                        told[name, row.id] = said
                    else:
                        unkeyed.setdefault(name, []).append(said)
    finally:
        await tenant.database.close()
    # Weisfeiler and Lehman: a row is what it says, and what those say to which it refers.
    marks: dict[UUID, str] = {}
    for _ in range(ROUNDS):
        found: dict[UUID, list[str]] = {}
        for (name, one), said in told.items():
            found.setdefault(one, []).append(name + fingerprint(said, marks))
        marks = {one: " ".join(sorted(several)) for one, several in found.items()}
    counted: dict[str, Counter[str]] = {}
    for (name, _), said in told.items():
        counted.setdefault(name, Counter())[fingerprint(said, marks)] += 1
    for name, several in unkeyed.items():
        counted[name] = Counter(fingerprint(said, marks) for said in several)
    return counted


def who_may_reach_whom(cluster: Cluster) -> list[str]:
    """Every line of `child_access`: only the owner sees those of all viewers."""
    assert cluster.owner_url is not None
    with psycopg.connect(cluster.owner_url) as connection:
        rows = connection.execute(
            "SELECT (to_jsonb(a) - 'ties')::text, ties::text FROM authority_testshire.child_access a"
        ).fetchall()
    return [f"{line} {sorted(UUIDS.findall(ties))}" for line, ties in rows]


def said_by(table: type[Base], row: Base) -> str:
    """The row in words: sealed columns opened, ciphertext, keys, its own id and transaction left out."""
    said: list[tuple[str, Any]] = [(one.name, getattr(row, one.name)) for one in table.__sealed__]
    said += [
        (column.key, getattr(row, column.key))
        for column in inspect(table).column_attrs
        if column.key not in ("id", "transaction")
        and not isinstance(column.columns[0].type, LargeBinary)
    ]
    return repr(sorted((name, repr(value)) for name, value in said))


def fingerprint(said: str, marks: dict[UUID, str]) -> str:
    """A hash of the words, each id in them replaced by what it stands for."""
    named = UUIDS.sub(
        lambda found: marks.get(UUID(found[0]), "somebody"), KEYED.sub("a mark", said)
    )
    return hashlib.sha256(named.encode()).hexdigest()


async def demo(cluster: Cluster, template: str, data_dir: Path, seed: int) -> dict[str, Any]:
    with database_from(cluster, template) as own:
        await write_demo(own, data_dir, seed=seed, children=26)
        return await contents(own, data_dir)


async def test_the_same_seed_tells_the_same_year_and_another_seed_another(
    cluster: Cluster, template_database: str, data_dir: Path
) -> None:
    first = await demo(cluster, template_database, data_dir, seed=1)
    again = await demo(cluster, template_database, data_dir, seed=1)
    assert sum(map(len, first.values())) > 500
    assert {name for name in first if first[name] != again.get(name)} == set()
    assert first.keys() == again.keys()
    other = await demo(cluster, template_database, data_dir, seed=2)
    assert first["child"] != other["child"]
    assert first["significant_event"] != other["significant_event"]
