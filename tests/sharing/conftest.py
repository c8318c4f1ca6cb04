"""What tests of sharing share: an invented family."""

import pytest

from panel.platform.tenancy import Tenant
from tests.sharing.family import Family, invented_family


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)
