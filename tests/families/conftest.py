"""A family of an invented child, and its browser."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from panel.platform.clock import FixedClock
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant
from tests.families.household import Client, Family, household
from tests.panels.conftest import add_child, house

__all__ = ["add_child", "house"]
"""A panel with its people, for notes of a meeting that was held."""


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    """Freya, referred to the panel that next meets on Thursday 3 December 2026."""
    return await household(tenant)


SignInFamily = Callable[[UUID], Awaitable[None]]


@pytest.fixture
def sign_in_family(client: Client, tenant: Tenant, clock: FixedClock) -> SignInFamily:
    """Sign one of a family in with the test's browser: `await sign_in_family(family.mother)`."""

    async def signed_in(viewer: UUID) -> None:
        async with tenant.transaction() as session:
            token = await start(session, viewer, "family", clock.now())
        client.cookies.set("panel_session", token)

    return signed_in
