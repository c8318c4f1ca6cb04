"""What it costs to say what changed since the panel last talked about a child, beside its overview.

Both are read in one process, in turn, by a worker who reaches few children. Prints the median of
each and their ratio, and never fails on a time.
"""

import asyncio
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from data import MORNING, Filled
from pages import _bench_folder, _filled

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.models import Worker
from panel.app import ROOMS
from panel.panels.case import read_case
from panel.panels.changes import changes_since
from panel.panels.not_shown import grouped
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster, open_cluster
from panel.platform.database import Database
from panel.platform.masterkey import master_key
from panel.platform.tenancy import Tenant, authority_named, keyring
from panel.records.gate import Gate
from panel.sharing.state import SharingFacts
from panel.web.manifest import read_manifest
from panel.web.render import Frame, Renderer

CHILDREN, ROUNDS = 1000, 12
SINCE = MORNING - timedelta(days=180)


def main() -> None:
    """Fill, measure, print."""
    with ExitStack() as leaving:
        folder = Path(leaving.enter_context(_bench_folder()))
        cluster = leaving.enter_context(open_cluster(None, folder))
        made, filled = _filled(cluster, folder, CHILDREN)
        asyncio.run(_measure(made, filled, folder))


async def _measure(cluster: Cluster, filled: Filled, folder: Path) -> None:
    database = Database(cluster.app_url, pool_size=1)
    record = authority_named(cluster.app_url, None)
    ring = keyring(record, master_key(None, folder / "keys" / "master.key"))
    tenant = Tenant(record, database, ring, FixedClock(MORNING))
    gate, renderer = Gate(tenant, SharingFacts()), Renderer(read_manifest(), rooms=ROOMS)
    async with tenant.transaction() as session:
        worker = await session.get_one(Worker, filled.narrow)
    viewer = Viewer(
        worker.id, ViewerKind.WORKER, worker.agency_id, "health", frozenset({Role.PRACTITIONER})
    )
    pages, reads, told = [], [], 0
    for _ in range(ROUNDS):
        for child in filled.narrow_children:
            began = perf_counter()
            async with gate.open(child, viewer, Purpose.SUPPORT, "measured") as access:
                case = await read_case(access)
            renderer.page(
                "panels/case.html",
                Frame(),
                today=MORNING.date(),
                case=case,
                header=case.header,
                here="overview",
                not_shown_here=grouped(case.not_shown),
            )
            pages.append(perf_counter() - began)
            async with gate.open(child, viewer, Purpose.SUPPORT, "measured") as access:
                await access.session.connection()
                began = perf_counter()
                told += len(await changes_since(access, SINCE))
                reads.append(perf_counter() - began)
    await database.close()
    page, read = median(pages), median(reads)
    print(
        f"case page {page * 1000:.1f} ms, what changed {read * 1000:.1f} ms"
        f" ({told / len(reads):.1f} lines): {read / page:.2f}"
    )


if __name__ == "__main__":
    main()
