"""A coordinator and an administrator, and the people who only read."""

from dataclasses import dataclass

import pytest

from consent import Role, Viewer
from panel.accounts.service import add_agency
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.models import Area
from tests.accounts.staff import worker

WARDS = {"W90000001": "Marlow", "W90000002": "Upper Wex", "W90000003": "Lower Wex"}


@dataclass(frozen=True)
class Keepers:
    """Who keeps the directory, and who only reads it."""

    grace: Viewer
    """A coordinator."""
    alan: Viewer
    """An administrator."""
    rosa: Viewer
    """A practitioner."""


@pytest.fixture
async def keepers(tenant: Tenant) -> Keepers:
    async with tenant.transaction(JOB) as session:
        session.add_all(Area(id=code, name=name, boundary=None) for code, name in WARDS.items())
        council = await add_agency(session, key="council", name="Testshire", kind="council")
        return Keepers(
            await worker(session, council, "Grace Tolliver", Role.COORDINATOR),
            await worker(session, council, "Alan Thimble", Role.ADMINISTRATOR),
            await worker(session, council, "Rosa Whitlow", Role.PRACTITIONER),
        )
