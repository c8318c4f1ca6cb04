"""An agency's pack is no way round what is kept from one of its people by name."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from litestar.testing import AsyncTestClient

from consent import Category
from panel.platform.cluster import Cluster
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from panel.sharing.models import SharingRestriction
from tests.conftest import SignIn
from tests.kept_database import KeptDatabase
from tests.panels.pack_world import MEETING_DAY, World, add_marked_child, agreed, make_world

Browser = AsyncTestClient[Any]
PACK = f"/panels/contacts/{MEETING_DAY}/pack"


@pytest.fixture
def database_of_own(kept_database: KeptDatabase) -> Iterator[Cluster]:
    """An empty authority: the panel here is one of its own."""
    with kept_database.lent() as database:
        yield database


@pytest.fixture
async def world(tenant: Tenant, gate: Gate) -> World:
    """Two children; the father of the second sits on the panel for education."""
    made = await make_world(tenant, gate)
    await add_marked_child(made, 1, sharing=lambda c, m: [agreed(made, c, m)])

    def sharing(child: Any, mother: Any) -> list[Any]:
        protection = SharingRestriction(
            child_id=child,
            kind="protection",
            categories=["contact"],
            against=[made.workers["education"].id],
            from_on=date(2026, 9, 1),
            silent=True,
            reason="He must not learn where they live",
        )
        return [agreed(made, child, mother), protection]

    await add_marked_child(made, 2, sharing=sharing)
    return made


async def test_a_protected_address_does_not_reach_the_named_worker_by_the_pack(
    world: World, client: Browser, sign_in: SignIn
) -> None:
    first, second = world.children
    address = {
        marker
        for marker, one in world.markers.items()
        if one.child == second and one.category is Category.CONTACT and one.author_agency is None
    }
    await sign_in(world.worker_viewer("education").id)
    shown = set(re.findall(r"zq\d{4}z", (await client.get(PACK)).text))
    assert not shown & address
    assert {world.markers[marker].child for marker in shown} == {first}
    await sign_in(world.worker_viewer("health").id)
    assert address <= set(re.findall(r"zq\d{4}z", (await client.get(PACK)).text))
