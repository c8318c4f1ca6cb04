"""What tests of sharing share: an invented family, and the site with these rooms' pages."""

import pytest
from litestar import Litestar

from panel.platform.tenancy import Tenant
from tests.sharing.family import Family, invented_family, with_pages


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await invented_family(tenant)


@pytest.fixture
def app(app: Litestar) -> Litestar:
    return with_pages(app)
