"""The record gate decides once, logs once, and shows nothing that nobody permitted."""

import pytest
from sqlalchemy import text

from consent import Category, Purpose, Role, Tie, Viewer, ViewerKind
from panel.platform.problems import Clash, Conflict, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.models import Child
from tests.records.one_team import one_team

WORKER = frozenset({Role.PRACTITIONER})


async def test_a_team_member_reads_who_the_child_is(tenant: Tenant, gate: Gate) -> None:
    child, agency, worker = await one_team(tenant)
    viewer = Viewer(worker, ViewerKind.WORKER, agency, "health", WORKER)
    async with gate.open(child, viewer, Purpose.SUPPORT, "read the record") as access:
        assert access.ties == {Tie.TEAM}
        assert access.may(Category.IDENTITY)
        assert not access.may(Category.HEALTH)
        read = await access.session.get(Child, child)
        assert read is not None
        assert read.given_name == "Amina"

    stranger = Viewer(agency, ViewerKind.WORKER, agency, "health", WORKER)
    with pytest.raises(NotFound):
        async with gate.open(child, stranger, Purpose.SUPPORT, "read the record"):
            pass
    async with tenant.transaction(JOB) as session:
        logged = await session.execute(text("SELECT viewer_id, decisions FROM access_event"))
        events = {row.viewer_id: row.decisions for row in logged}
    assert events[stranger.id] == {"refused": "no tie"}
    assert events[viewer.id]["health"] == "withheld: nothing"


async def test_a_look_that_ends_in_a_refusal_stays_in_the_history(
    tenant: Tenant, gate: Gate
) -> None:
    child, agency, worker = await one_team(tenant)
    viewer = Viewer(worker, ViewerKind.WORKER, agency, "health", WORKER)
    with pytest.raises(Conflict):
        async with gate.open(child, viewer, Purpose.SUPPORT, "changed the plan") as access:
            row = await access.session.get_one(Child, child)
            row.given_name = "Nobody"
            await access.session.flush()
            raise Conflict((Clash("Given name", "Nobody", "Amina"),))
    async with tenant.transaction(JOB) as session:
        logged = await session.execute(text("SELECT viewer_id, doing FROM access_event"))
        assert [tuple(row) for row in logged] == [(viewer.id, "changed the plan")]
        version = await session.scalar(text("SELECT version FROM child"))
        assert version == 1, "the work was kept"
