"""The invented year in databases of their own, and everything that is sealed in it, opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper

from panel.demo.writing import write_year
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster, create_database, drop_database
from panel.platform.database import Database
from panel.platform.ids import new_id
from panel.platform.masterkey import master_key
from panel.platform.tables import Base
from panel.platform.tenancy import Tenant, authority_named, keyring, load_keys
from panel.records.child_scoped import JOB

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@contextmanager
def database_from(cluster: Cluster, template: str) -> Iterator[Cluster]:
    """A copy of a database, dropped afterwards."""
    name = f"panel_year_{new_id().hex[-12:]}"
    try:
        yield create_database(cluster, name, template=template)
    finally:
        drop_database(cluster, name)


def tenant_of(cluster: Cluster, data_dir: Path) -> Tenant:
    """The only authority of a database, on Monday 23 November 2026; close its `database`."""
    record = authority_named(cluster.app_url, None)
    ring = keyring(record, master_key(None, data_dir / "keys" / "master.key"))
    return Tenant(record, Database(cluster.app_url, pool_size=2), ring, FixedClock(MONDAY))


async def write_demo(cluster: Cluster, data_dir: Path, *, seed: int, children: int) -> None:
    """The demonstration's year, in a migrated, empty database."""
    tenant = tenant_of(cluster, data_dir)
    try:
        await write_year(tenant, seed=seed, children=children, say=lambda _line: None)
    finally:
        await tenant.database.close()


def tables() -> list[type[Base]]:
    """Every mapped table."""
    mappers = cast("list[Mapper[Any]]", list(Base.registry.mappers))
    return sorted((one.class_ for one in mappers), key=lambda one: one.__tablename__)


async def rows_of(session: AsyncSession, table: type[Base]) -> list[Base]:
    """Every row, with the keys at hand that open it."""
    rows = list(await session.scalars(select(table)))
    holders = {getattr(row, one.holder) for row in rows for one in table.__sealed__}
    await load_keys(session, holders)
    return rows


async def sealed_texts(tenant: Tenant) -> dict[str, set[str]]:
    """Every text that is sealed somewhere, by "table.column"."""
    found: dict[str, set[str]] = {}
    async with tenant.transaction(JOB) as session:
        for table in (one for one in tables() if one.__sealed__):
            for row in await rows_of(session, table):
                for one in table.__sealed__:
                    if said := getattr(row, one.name):
                        found.setdefault(one.field, set()).add(said)
    return found
