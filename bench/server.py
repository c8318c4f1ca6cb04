"""The real site with one route more, the reference that pages are measured against.

Started by `pages.py` with the port as its argument; PANEL_DATA_DIR and PANEL_DATABASE_URL say
where the data are. With PANEL_BENCH_ANEW nothing that was read is taken again, as if somebody
wrote between any two looks. With PANEL_BENCH_PERMIT_ALL the gate permits everything, which nothing
but this program can do.
"""

import os
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID

from data import MORNING
from litestar import Litestar, Request, get
from litestar.params import FromPath
from opening import PermitAll
from sqlalchemy import select

from panel.app import make_app
from panel.commands.serving import run_server
from panel.platform import changes
from panel.platform.clock import FixedClock
from panel.records.gate import Gate
from panel.register.models import Child
from panel.settings import from_environment


@get("/bench/reference/{viewer:uuid}/{child_id:uuid}", include_in_schema=False)
async def reference(
    request: Request[Any, Any, Any], viewer: FromPath[UUID], child_id: FromPath[UUID]
) -> dict[str, object]:
    """What the same server does at the least: one session, viewer set, one query by key."""
    (site,) = request.app.state.sites.values()
    async with site.tenant.transaction(viewer) as session:
        found = await session.execute(
            select(Child.id, Child.reference, Child.birth_date).where(Child.id == child_id)
        )
        child = found.one()
    return {"id": child.id, "reference": child.reference, "birth_date": child.birth_date}


def make() -> Litestar:
    """The site for granian."""
    if os.environ.get("PANEL_BENCH_ANEW"):
        changes.KEPT_FOR = timedelta(0)
    if os.environ.get("PANEL_BENCH_PERMIT_ALL"):
        Gate._opened = PermitAll._opened  # type: ignore[method-assign]  # noqa: SLF001
    settings = from_environment()
    assert settings.database_url is not None
    app = make_app(
        settings,
        settings.database_url,
        FixedClock(MORNING),
        compiled=settings.data_dir / "templates",
    )
    app.register(reference)
    return app


if __name__ == "__main__":
    run_server("127.0.0.1", int(sys.argv[1]), 1, "server:make")
