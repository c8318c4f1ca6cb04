"""A database with the demonstration's year in which every text carries a marker."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from panel.panels.note_sending import send_notes
from panel.platform.cluster import Cluster
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.models import Child
from panel.sharing.state import SharingFacts
from tests.demo.year import database_from, rows_of, tenant_of, write_demo
from tests.hostile.canary_fields import Planted, plant
from tests.hostile.canary_world import World, make_world

SOAK = "PANEL_SOAK" in os.environ
CHILDREN = 60 if SOAK else 24
"""Of the demonstration; twelve of them are visited, and a text of any of them is a leak."""
SITE = "http://testshire.localhost"


@dataclass
class Made:
    """A database in which every text has its marker."""

    cluster: Cluster
    world: World
    planted: Planted
    names: dict[UUID, tuple[str, ...]]
    """By what each child is looked for: the index knows the names that stood there before."""


@asynccontextmanager
async def marked_year(
    cluster: Cluster, template_database: str, data_dir: Path, planting: type[Planted] = Planted
) -> AsyncIterator[Made]:
    """The year, a row of every kind for each child, and a marker in every text."""
    with database_from(cluster, template_database) as copied:
        await write_demo(copied, data_dir, seed=1, children=CHILDREN)
        tenant = tenant_of(copied, data_dir)
        gate = Gate(tenant, SharingFacts())
        world = await make_world(tenant, gate)
        names = await _names(tenant)
        assert copied.owner_url is not None
        planted = await plant(tenant, copied.owner_url, planting)
        await send_notes(gate, SITE)
        await tenant.database.close()
        yield Made(copied, world, planted, names)


async def _names(tenant: Tenant) -> dict[UUID, tuple[str, ...]]:
    async with tenant.transaction(JOB) as session:
        found = {}
        for child in await rows_of(session, Child):
            assert isinstance(child, Child)
            found[child.id] = (
                child.given_name, child.family_name, child.reference, child.nhs_number,
                f"{child.given_name} {child.family_name}",
            )  # fmt: skip
        return found
