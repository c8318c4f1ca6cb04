"""Who works where, for tests of accounts."""

import pytest

from panel.platform.tenancy import Tenant
from tests.accounts.staff import Staff, invented_staff


@pytest.fixture
async def staff(tenant: Tenant) -> Staff:
    return await invented_staff(tenant)
